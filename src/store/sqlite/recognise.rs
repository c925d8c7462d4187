//! Recognising articles: which stored one an article that was read is.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Row};

use super::revive::PUBLIC;
use super::{StoreError, lookups};
use crate::model::{Article, ArticleKey, FileState, Source, SourceKind};
use crate::store::decide::{self, Fingerprint};

/// An article as the store has it, as far as recognising it needs.
pub(super) struct Known {
    pub(super) id: i64,
    pub(super) guid: String,
    pub(super) link: Option<String>,
    pub(super) fingerprint: Fingerprint,
    pub(super) translation_key: Option<String>,
    pub(super) language: Option<String>,
    pub(super) published: Option<i64>,
    pub(super) is_public: bool,
}

impl Known {
    /// Whether it is public with just these contents under just these names.
    pub(super) fn is(&self, article: &Article, fingerprint: &Fingerprint) -> bool {
        self.guid == article.guid && self.has(article, fingerprint)
    }

    /// Whether it is public with just these contents, whatever its guid is.
    pub(super) fn has(&self, article: &Article, fingerprint: &Fingerprint) -> bool {
        self.is_public && self.fingerprint == *fingerprint && self.translation_key == article.translation_key
    }

    /// Gives it the guid that it has by now. A link to a file that was moved leads to it by the key of that guid.
    pub(super) fn rename(&self, connection: &Connection, source: &Source, guid: &str) -> Result<(), StoreError> {
        if self.guid == guid {
            return Ok(());
        }
        connection.prepare_cached("UPDATE articles SET guid = ?2 WHERE id = ?1")?.execute((self.id, guid))?;
        if source.kind != SourceKind::Feed {
            connection
                .prepare_cached("INSERT OR REPLACE INTO later_keys (key, article) VALUES (?1, ?2)")?
                .execute((ArticleKey::new(&source.first_slug, guid).as_str(), self.id))?;
        }
        Ok(())
    }
}

const KNOWN: &str = "SELECT id, guid, link, fingerprint, gone, translation_key, language, published FROM articles";

fn known(row: &Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        id: row.get(0)?,
        guid: row.get(1)?,
        link: row.get(2)?,
        fingerprint: row.get(3)?,
        is_public: row.get::<_, i64>(4)? == PUBLIC,
        translation_key: row.get(5)?,
        language: row.get(6)?,
        published: row.get(7)?,
    })
}

pub(super) fn by_guid(connection: &Connection, source: i64, guid: &str) -> Result<Option<Known>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{KNOWN} WHERE source = ?1 AND guid = ?2"))?;
    Ok(statement.query_row((source, guid), known).optional()?)
}

/// Knows which stored article is which of those that one reading of a source brings.
pub(super) struct Recogniser {
    source: i64,
    /// Whether the reading names all that the source has.
    is_complete: bool,
    /// The guids that the source has now: such an article is never taken for another one.
    present: HashSet<String>,
    /// The articles that this reading named: two items of one document are never merged.
    matched: HashSet<i64>,
    /// The articles that the source has not under their guids, public or not, by fingerprint; once they were asked for.
    absent: Option<HashMap<Fingerprint, Vec<i64>>>,
}

impl Recogniser {
    pub(super) fn new(source: i64, is_complete: bool, present: HashSet<String>) -> Self {
        Self { source, is_complete, present, matched: HashSet::new(), absent: None }
    }

    /// Notes that this reading named an article.
    pub(super) fn note(&mut self, article: i64) {
        self.matched.insert(article);
    }

    /// How many articles this reading named.
    pub(super) fn count(&self) -> usize {
        self.matched.len()
    }

    /// Forgets which those were: they are stored once more.
    pub(super) fn begin_again(&mut self) {
        self.matched.clear();
    }

    /// The public articles of the source that it no longer has.
    pub(super) fn gone(&self, connection: &Connection) -> Result<Vec<i64>, StoreError> {
        let mut statement = connection.prepare_cached("SELECT id, guid FROM articles WHERE source = ?1 AND gone = 0")?;
        let rows = statement.query_map([self.source], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        let mut gone = Vec::new();
        for row in rows {
            let (article, guid) = row?;
            if !self.present.contains(&guid) {
                gone.push(article);
            }
        }
        Ok(gone)
    }

    /// Those that some files had, and that no file of this reading has.
    pub(super) fn absent_of(&self, connection: &Connection, before: &[FileState]) -> Result<Vec<i64>, StoreError> {
        let mut absent = Vec::new();
        for guid in before.iter().filter_map(|state| state.guid.as_ref()).filter(|guid| !self.present.contains(*guid)) {
            absent.extend(by_guid(connection, self.source, guid)?.filter(|known| known.is_public).map(|known| known.id));
        }
        Ok(absent)
    }

    /// The stored article that this one is: by guid; a moved file by its contents, and so an item whose id others have now;
    /// else by link, by title and date, where that points to one article alone that the source does not have under its own guid.
    pub(super) fn recognise(
        &mut self,
        connection: &Connection,
        article: &Article,
        fingerprint: &Fingerprint,
    ) -> Result<Option<Known>, StoreError> {
        let found = by_guid(connection, self.source, &article.guid)?;
        if found.is_some() {
            return Ok(found.filter(|known| !self.matched.contains(&known.id)));
        }
        if self.is_complete {
            let of_same = self.of_absent(connection)?.get(fingerprint).cloned().unwrap_or_default();
            if let [id] = of_same[..]
                && let Some(found) = self.only(connection, "id = ?1", [id], |_| true)?
            {
                return Ok(Some(found));
            }
        }
        // An id that several items of a feed have is made another for each: one of them may have had it alone before.
        if let Some((shared, _)) = article.guid.rsplit_once('#')
            && let Some(found) = by_guid(connection, self.source, shared)?
            && found.fingerprint == *fingerprint
            && self.is_free(&found)
        {
            return Ok(Some(found));
        }
        if let Some(link) = article.link.url()
            && let Some(key) = decide::link_key(link)
        {
            let same = |known: &Known| known.link.as_deref().is_some_and(|other| !differ_by_fragment(other, link));
            // The plus keeps SQLite from walking over all articles of the source.
            let condition = format!("id IN {} AND +source = ?1 AND link_key = ?2", lookups::having("?2"));
            let found = self.only(connection, &condition, (self.source, key), same)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        let (Some(title), Some(published)) = (&article.title, article.published) else { return Ok(None) };
        self.only(
            connection,
            "source = ?1 AND gone IN (0, 1, 2, 3) AND published = ?2 AND title = ?3",
            (self.source, published.timestamp(), title),
            |_| true,
        )
    }

    fn of_absent(&mut self, connection: &Connection) -> Result<&HashMap<Fingerprint, Vec<i64>>, StoreError> {
        if self.absent.is_none() {
            let mut absent: HashMap<Fingerprint, Vec<i64>> = HashMap::new();
            // In this order an index alone has what is asked for.
            let mut all = connection.prepare_cached("SELECT id, guid FROM articles WHERE source = ?1 ORDER BY guid")?;
            let mut one = connection.prepare_cached("SELECT fingerprint FROM articles WHERE id = ?1")?;
            let mut rows = all.query([self.source])?;
            while let Some(row) = rows.next()? {
                let guid = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
                if !self.present.contains(guid) {
                    let id = row.get(0)?;
                    absent.entry(one.query_row([id], |row| row.get(0))?).or_default().push(id);
                }
            }
            self.absent = Some(absent);
        }
        Ok(self.absent.get_or_insert_default())
    }

    /// The one article for which a condition holds, unless there are several, or this reading has it already.
    fn only(
        &self,
        connection: &Connection,
        condition: &str,
        parameters: impl rusqlite::Params,
        same: impl Fn(&Known) -> bool,
    ) -> Result<Option<Known>, StoreError> {
        let mut statement = connection.prepare_cached(&format!("{KNOWN} WHERE {condition} LIMIT 16"))?;
        let mut found = statement.query_map(parameters, known)?.collect::<Result<Vec<_>, _>>()?;
        found.retain(same);
        let one = if found.len() == 1 { found.pop() } else { None };
        Ok(one.filter(|known| self.is_free(known)))
    }

    /// Whether no other article of this reading is it.
    fn is_free(&self, known: &Known) -> bool {
        !self.present.contains(&known.guid) && !self.matched.contains(&known.id)
    }
}

/// Whether two links both have a fragment, and not the same: then they lead to different parts of a page.
fn differ_by_fragment(a: &str, b: &str) -> bool {
    let fragment = |link: &str| link.split_once('#').map(|(_, fragment)| fragment.to_owned());
    matches!((fragment(a), fragment(b)), (Some(a), Some(b)) if a != b)
}
