//! What of an article stands in other tables than its own: its text, its files, its terms.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::memberships::{set, start};
use super::ready::Made;
use super::recognise::Known;
use super::terms::Touched;
use super::{Change, StoreError, story, translation};
use crate::model::{Article, Language};
use crate::store::decide::{self, LinkKey};

/// Writes what of an article stands in other tables, and tells those that name it; `before`: as it was.
pub(super) fn write_rest(
    change: &mut Change<'_>,
    touched: &mut Touched,
    id: i64,
    made: &Made,
    link_key: Option<LinkKey>,
    before: Option<&Known>,
) -> Result<i64, StoreError> {
    let article = &made.article;
    write_body(change.transaction, id, article)?;
    write_files(change.transaction, id, article, before.is_none())?;
    let mut link_keys = BTreeSet::from([link_key]);
    if let Some(before) = before {
        set(change, touched, id, true, &made.sorted.terms)?;
        touched.all_of(change.transaction, id)?;
        link_keys.insert(before.link.as_deref().and_then(decide::link_key));
    } else {
        start(change, touched, id, &made.sorted.terms)?;
    }
    for link_key in link_keys {
        story::tell(change, touched, id, link_key)?;
    }
    let is_named_as_before = before.is_some_and(|known| {
        let language = made.sorted.language.as_ref().map(Language::as_str);
        // They are named in the order of their dates.
        let stands_there = known.is_public && known.published == article.published.map(|time| time.timestamp());
        stands_there && known.translation_key == article.translation_key && known.language.as_deref() == language
    });
    if !is_named_as_before {
        let keys = [before.and_then(|known| known.translation_key.as_deref()), article.translation_key.as_deref()];
        translation::tell(change, touched, id, &keys.into_iter().flatten().collect())?;
    }
    Ok(id)
}

fn write_body(connection: &Connection, id: i64, article: &Article) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO bodies (article, lead, summary, content, markdown) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((id, &article.lead, &article.summary, &article.content, &article.markdown))?;
    Ok(())
}

fn write_files(connection: &Connection, id: i64, article: &Article, is_new: bool) -> Result<(), StoreError> {
    if !is_new {
        connection.prepare_cached("DELETE FROM attachments WHERE article = ?1")?.execute([id])?;
    }
    for file in &article.files {
        connection
            .prepare_cached("INSERT OR REPLACE INTO attachments (article, name, media_type, hash, bytes) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute((id, &file.name, &file.media_type, &file.hash, &file.bytes))?;
    }
    Ok(())
}
