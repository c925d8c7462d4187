//! One story: articles of different sources whose links lead to one page. In a list the first stored of them speaks for
//! the others; each names them, and carries their categories and tags.

use rusqlite::{Connection, OptionalExtension};

use super::articles::article_key;
use super::sort::stamp;
use super::terms::{Touched, term_name};
use super::{Change, StoreError, lookups};
use crate::model::{Kind, Origins, Related, TermName};
use crate::store::decide::LinkKey;
use crate::store::sets::Number;

/// The most articles that a story names.
const MAX_MEMBERS: usize = 32;

/// The public articles of a story but one, the first stored first: those that have its link, but another source.
fn others() -> String {
    let with_its_link = lookups::having("a.link_key");
    format!(
        "FROM articles a JOIN articles o ON o.id IN {with_its_link} AND o.link_key = a.link_key AND o.source != a.source AND o.gone = 0 WHERE a.id = ?1"
    )
}

/// Whether of two articles of a story an earlier one is in a set: then it speaks for this one, too.
pub(super) fn is_spoken_for(connection: &Connection, number: Number, is_in: impl Fn(Number) -> bool) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(&format!("SELECT o.id {} AND o.id < a.id ORDER BY o.id", others()))?;
    let mut rows = statement.query([number])?;
    while let Some(row) = rows.next()? {
        if is_in(row.get(0)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The other articles of a story.
pub(super) fn related(connection: &Connection, article: i64) -> Result<Vec<Related>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT o.key, (SELECT t.name FROM sources s JOIN terms t ON t.id = s.term WHERE s.id = o.source) {} ORDER BY o.id LIMIT ?2",
        others()
    ))?;
    let mut related = Vec::new();
    let mut rows = statement.query((article, MAX_MEMBERS))?;
    while let Some(row) = rows.next()? {
        related.push(Related { key: article_key(&row.get::<_, String>(0)?)?, source: row.get(1)? });
    }
    Ok(related)
}

/// The categories and tags of the other articles of a story.
pub(super) fn joined_terms(connection: &Connection, article: i64) -> Result<Vec<(TermName, Origins)>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT DISTINCT t.kind, t.slug, t.name FROM (SELECT o.id {} ORDER BY o.id LIMIT ?2) o
         JOIN memberships m ON m.article = o.id AND m.gone = 0 JOIN terms t ON t.id = m.term AND t.deleted IS NULL
         WHERE t.kind IN (?3, ?4) ORDER BY t.kind, t.slug",
        others()
    ))?;
    let rows = statement.query_and_then((article, MAX_MEMBERS, Kind::Category as i64, Kind::Tag as i64), |row| {
        Ok((term_name(row.get(0)?, row.get(1)?, row.get(2)?)?, Origins::default()))
    })?;
    rows.collect()
}

/// Tells a story's articles that this one changed, came or left: they name it, so they change as well. Asked with the
/// link that it had, if it has another one now.
pub(super) fn tell(change: &mut Change<'_>, touched: &mut Touched, article: i64, link_key: Option<LinkKey>) -> Result<(), StoreError> {
    let Some(link_key) = link_key else { return Ok(()) };
    let mut is_other = change.transaction.prepare_cached(
        "SELECT 1 FROM articles o JOIN articles a ON a.id = ?1 AND o.source != a.source WHERE o.id = ?2 AND o.link_key = ?3 AND o.gone = 0",
    )?;
    let mut others = Vec::new();
    for other in change.having(link_key)? {
        if other != article && others.len() < MAX_MEMBERS && is_other.exists((article, other, link_key))? {
            others.push(other);
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    let mut join = change.transaction.prepare_cached("UPDATE articles SET in_story = 1 WHERE id = ?1 AND link_key = ?2")?;
    join.execute((article, link_key))?;
    for other in others {
        join.execute((other, link_key))?;
        stamp(change, touched, other)?;
    }
    Ok(())
}

/// The same by the link that it has: they carry its terms and the name of its source.
pub(super) fn tell_all(change: &mut Change<'_>, touched: &mut Touched, article: i64) -> Result<(), StoreError> {
    let mut statement = change.transaction.prepare_cached("SELECT link_key FROM articles WHERE id = ?1 AND in_story = 1")?;
    let link_key = statement.query_row([article], |row| row.get(0)).optional()?.flatten();
    tell(change, touched, article, link_key)
}

/// The same of all articles of a source, which has another title.
pub(super) fn tell_title(change: &mut Change<'_>, source: i64) -> Result<(), StoreError> {
    let told: Vec<i64> = {
        let mut statement = change.transaction.prepare_cached("SELECT id FROM articles WHERE source = ?1 AND in_story = 1 AND gone = 0")?;
        statement.query_map([source], |row| row.get(0))?.collect::<Result<_, _>>()?
    };
    let mut touched = Touched::default();
    for article in told {
        tell_all(change, &mut touched, article)?;
    }
    touched.write(change).map(drop)
}

/// The link by which an article is in a story.
pub(super) fn link_key(connection: &Connection, article: i64) -> Result<Option<LinkKey>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT link_key FROM articles WHERE id = ?1")?;
    Ok(statement.query_row([article], |row| row.get(0)).optional()?.flatten())
}
