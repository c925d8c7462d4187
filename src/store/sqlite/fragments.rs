//! Articles as they stand in feeds, kept beside the articles: whatever is missing, or older than its article, is made again.

use bytes::{Bytes, BytesMut};
use rusqlite::OptionalExtension;

use super::articles::Loader;
use super::{Sqlite, StoreError, time};
use crate::model::{Block, Entry, Format, Fragment, Language, Look, Piece};
use crate::store::Unmade;

/// How much memory blocks that are read together share.
const PIECE: usize = 64 << 10;

/// The articles of one step of filling.
const CHUNK: usize = 100;

/// Where a format's fragments stand; the schema knows this, too.
const fn place(article: i64, format: Format) -> i64 {
    (format as i64) << 40 | article
}

/// Bytes as a part of a piece of memory that those read before and after share: a feed's fifty take three pieces.
fn together(room: &mut BytesMut, bytes: &[u8]) -> Bytes {
    if room.capacity() < bytes.len() {
        *room = BytesMut::with_capacity(bytes.len().max(PIECE));
    }
    room.extend_from_slice(bytes);
    room.split().freeze()
}

impl Loader<'_> {
    /// An article for a feed: as it was made for the format, if it has not changed since.
    pub(super) fn piece(&mut self, id: i64, format: Format, look: Look) -> Result<Piece, StoreError> {
        let statement = match &mut self.made {
            Some(statement) => statement,
            none => none.insert(self.connection.prepare_cached(
                "SELECT generation, changed, language, namespaces, length, crc, block FROM fragments WHERE id = ?1 AND look = ?2",
            )?),
        };
        let made = statement.query_row((place(id, format), look.0), |row| {
            Ok(Fragment {
                generation: row.get(0)?,
                changed: time(row.get(1)?),
                language: row.get_ref(2)?.as_str_or_null()?.and_then(Language::parse),
                namespaces: row.get(3)?,
                block: Block { length: row.get(4)?, crc: row.get(5)?, bytes: together(&mut self.blocks, row.get_ref(6)?.as_blob()?) },
            })
        });
        Ok(match made.optional()? {
            Some(fragment) => Piece::Made(fragment),
            None => Piece::Unmade(id, Box::new(self.entry(id)?)),
        })
    }
}

impl Sqlite {
    /// Keeps fragments of articles by their numbers, but not of those that have changed since a generation, nor of those whose
    /// sources say another thing of themselves since then.
    pub(in crate::store) fn keep(&self, fragments: &[(i64, Format, Fragment)], look: Look, since: u64) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "INSERT OR REPLACE INTO fragments (id, look, generation, changed, language, namespaces, length, crc, block)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM articles a JOIN sources s ON s.id = a.source
                 WHERE a.id = ?10 AND a.generation = ?3 AND a.gone = 0 AND s.shown_since <= ?11",
            )?;
            for (article, format, Fragment { generation, changed, language, namespaces, block }) in fragments {
                statement.execute((
                    place(*article, *format),
                    look.0,
                    generation,
                    changed.timestamp(),
                    language.as_ref().map(Language::as_str),
                    namespaces,
                    block.length,
                    block.crc,
                    &block.bytes[..],
                    article,
                    since,
                ))?;
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
            let mut statement =
                connection.prepare_cached("SELECT id FROM articles WHERE generation > ?1 AND generation <= ?2 AND gone = 0")?;
            let articles = statement.query_map((since, up_to), |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(Some(Unmade { since, up_to, articles }))
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
            // Another process may be further.
            transaction
                .prepare_cached("UPDATE store SET made = ?1, look = ?2 WHERE look != ?2 OR made = ?3")?
                .execute((step.up_to, look.0, step.since))?;
            Ok(())
        })
    }
}
