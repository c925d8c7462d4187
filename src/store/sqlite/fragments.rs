//! Articles as they stand in feeds, kept beside the articles: whatever is missing, or older than its article, is made again.

use rusqlite::OptionalExtension;

use super::articles::Loader;
use super::{Sqlite, StoreError, time};
use crate::model::{Block, Entry, Format, Fragment, Language, Look, Piece};
use crate::store::Unmade;

/// The articles of one step of filling.
const CHUNK: usize = 100;

/// The formats that have a place beside an article.
const PLACES: i64 = 4;

const fn place(article: i64, format: Format) -> i64 {
    article * PLACES + format as i64
}

impl Loader<'_> {
    /// An article for a feed: as it was made for the format, if it has not changed since.
    pub(super) fn piece(&mut self, id: i64, format: Format, look: Look) -> Result<Piece, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT a.changed, a.language, f.generation, f.namespaces, f.length, f.crc, f.block
             FROM fragments f JOIN articles a ON a.id = ?1 AND a.generation = f.generation WHERE f.id = ?2 AND f.look = ?3",
        )?;
        let made = statement.query_row((id, place(id, format), look.0), |row| {
            Ok(Fragment {
                changed: time(row.get(0)?),
                language: row.get_ref(1)?.as_str_or_null()?.and_then(Language::parse),
                generation: row.get(2)?,
                namespaces: row.get(3)?,
                block: Block { length: row.get(4)?, crc: row.get(5)?, bytes: row.get(6)? },
            })
        });
        Ok(match made.optional()? {
            Some(fragment) => Piece::Made(fragment),
            None => Piece::Unmade(id, Box::new(self.entry(id)?)),
        })
    }
}

impl Sqlite {
    /// Keeps fragments of articles by their numbers; those of a newer generation stay.
    pub(in crate::store) fn keep(&self, fragments: &[(i64, Format, Fragment)], look: Look) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO fragments (id, look, generation, namespaces, length, crc, block) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (id) DO UPDATE SET look = ?2, generation = ?3, namespaces = ?4, length = ?5, crc = ?6, block = ?7
                 WHERE generation <= ?3",
            )?;
            for (article, format, Fragment { generation, namespaces, block, .. }) in fragments {
                statement.execute((place(*article, *format), look.0, generation, namespaces, block.length, block.crc, &block.bytes))?;
            }
            Ok(())
        })
    }

    /// Public articles that changed since fragments were made of all, whole generations, the first ones first; `None`: there
    /// are none. With another look all are to be made again.
    pub(in crate::store) fn unmade(&self, look: Look) -> Result<Option<Unmade>, StoreError> {
        self.read(|connection| {
            let (since, generation): (u64, u64) = connection
                .prepare_cached("SELECT CASE look WHEN ?1 THEN made ELSE 0 END, generation FROM store")?
                .query_row([look.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
            if since >= generation {
                return Ok(None);
            }
            let up_to = super::search::chunk_end(connection, since, generation, CHUNK)?;
            let mut step = Unmade { since, up_to, present: Vec::new(), gone: Vec::new() };
            let mut statement =
                connection.prepare_cached("SELECT id, gone != 0 FROM articles WHERE generation > ?1 AND generation <= ?2")?;
            let mut rows = statement.query((since, up_to))?;
            while let Some(row) = rows.next()? {
                let numbers = if row.get(1)? { &mut step.gone } else { &mut step.present };
                numbers.push(row.get(0)?);
            }
            Ok(Some(step))
        })
    }

    pub(in crate::store) fn entries(&self, numbers: &[i64]) -> Result<Vec<(i64, Entry)>, StoreError> {
        self.read(|connection| {
            let mut loader = Loader::new(connection);
            numbers.iter().map(|number| loader.entry(*number).map(|entry| (*number, entry))).collect()
        })
    }

    pub(in crate::store) fn note_made(&self, step: &Unmade, look: Look) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut remove = transaction.prepare_cached("DELETE FROM fragments WHERE id BETWEEN ?1 AND ?2")?;
            for id in &step.gone {
                remove.execute((id * PLACES, id * PLACES + PLACES - 1))?;
            }
            // Another process may be further.
            transaction
                .prepare_cached("UPDATE store SET made = ?1, look = ?2 WHERE look != ?2 OR made = ?3")?
                .execute((step.up_to, look.0, step.since))?;
            Ok(())
        })
    }
}
