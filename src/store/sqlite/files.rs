//! The files of a folder as they were last read, and what a reading of a few of them needs.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::TimeDelta;
use rusqlite::{Connection, OptionalExtension, Row};

use super::ready::{Made, Ready};
use super::revive::{PUBLIC, WITHDRAWN};
use super::{Sqlite, StoreError, lookups, sources, time};
use crate::model::{Batch, FileState, Memory, Source, SourceId, Time};

const COLUMNS: &str = "path, modified, size, guid, revisit, problem, uses";

/// All files of a folder, by path.
pub(super) fn all(connection: &Connection, source: i64) -> Result<Vec<FileState>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM files WHERE source = ?1 ORDER BY path"))?;
    statement.query_and_then([source], state)?.collect()
}

/// Those at some paths.
pub(super) fn at(connection: &Connection, source: i64, paths: &BTreeSet<String>) -> Result<Vec<FileState>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM files WHERE source = ?1 AND path = ?2"))?;
    let mut files = Vec::new();
    for path in paths {
        files.extend(statement.query_and_then((source, path), state)?.next().transpose()?);
    }
    Ok(files)
}

fn state(row: &Row<'_>) -> Result<FileState, StoreError> {
    let problem: Option<String> = row.get(5)?;
    Ok(FileState {
        path: row.get(0)?,
        modified: row.get(1)?,
        size: row.get(2)?,
        guid: row.get(3)?,
        revisit: row.get::<_, Option<i64>>(4)?.map(time),
        problem: problem.as_deref().map(serde_json::from_str).transpose()?,
        uses: serde_json::from_str(&row.get::<_, String>(6)?)?,
    })
}

/// Writes the states that differ from those before, and drops those of files that are no longer there.
pub(super) fn write(connection: &Connection, source: i64, before: &[FileState], states: &[FileState]) -> Result<(), StoreError> {
    let before: HashMap<&str, &FileState> = before.iter().map(|file| (file.path.as_str(), file)).collect();
    for state in states.iter().filter(|state| before.get(state.path.as_str()) != Some(state)) {
        connection
            .prepare_cached(&format!("INSERT OR REPLACE INTO files (source, {COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"))?
            .execute((
                source,
                &state.path,
                state.modified,
                state.size,
                &state.guid,
                state.revisit.map(|time| time.timestamp()),
                state.problem.as_ref().map(serde_json::to_string).transpose()?,
                serde_json::to_string(&state.uses)?,
            ))?;
    }
    let present: HashSet<&str> = states.iter().map(|state| state.path.as_str()).collect();
    for path in before.keys().filter(|path| !present.contains(**path)) {
        connection.prepare_cached("DELETE FROM files WHERE source = ?1 AND path = ?2")?.execute((source, path))?;
    }
    Ok(())
}

impl Sqlite {
    /// A folder that is due anyway, that failed or was never read has to be read whole.
    pub(in crate::store) fn claim_files(
        &self,
        id: SourceId,
        paths: &BTreeSet<String>,
        now: Time,
        lease: TimeDelta,
    ) -> Result<Option<(Source, Memory)>, StoreError> {
        self.write_lazily(|transaction| {
            let source = sources::by_id(transaction, id.0)?;
            let taken = transaction
                .prepare_cached(
                    "UPDATE sources SET leased_until = ?3, due = ?3
                     WHERE id = ?1 AND kind = 'folder' AND removed IS NULL AND due > ?2 AND leased_until <= ?2
                        AND failures = 0 AND first_read IS NOT NULL",
                )?
                .execute((id.0, now.timestamp(), (now + lease).timestamp()))?;
            if taken == 0 {
                return Ok(None);
            }
            let mut read_with = transaction.prepare_cached("SELECT read_with FROM sources WHERE id = ?1")?;
            let read_with = read_with.query_row([id.0], |row| row.get(0))?;
            Ok(Some((source, Memory { read_with, files: at(transaction, id.0, paths)?, ..Memory::default() })))
        })
    }

    pub(in crate::store) fn are_used(&self, source: SourceId, paths: &[String]) -> Result<bool, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT 1 FROM files WHERE source = ?1 AND instr(uses, ?2) > 0")?;
            for path in paths {
                // As it stands in the JSON.
                if statement.exists((source.0, format!("\"path\":{}", serde_json::to_string(path)?)))? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }
}

/// Whether a reading of some files tells of their articles what one of the whole folder would: each has the guid that it
/// had, or a new one while no other file has that and nothing that is stored could be its article. Where rules drop articles
/// (`may_drop`), a file may have a guid that nobody remembers.
pub(super) fn tell_enough(
    connection: &Connection,
    source: i64,
    (before, batch): (&[FileState], &Batch),
    ready: &[Ready],
    may_drop: bool,
) -> Result<bool, StoreError> {
    let had: HashMap<&str, &str> = before.iter().filter_map(|state| Some((state.path.as_str(), state.guid.as_deref()?))).collect();
    let has: HashSet<&str> = batch.memory.files.iter().filter_map(|state| state.guid.as_deref()).collect();
    let made: HashMap<&str, &Made> = ready.iter().filter_map(Ready::made).map(|made| (made.article.guid.as_str(), made)).collect();
    let may_have_moved = had.values().any(|guid| !has.contains(guid));
    let mut known = connection.prepare_cached("SELECT gone FROM articles WHERE source = ?1 AND guid = ?2")?;
    for state in &batch.memory.files {
        let Some(guid) = state.guid.as_deref().filter(|guid| had.get(state.path.as_str()) != Some(guid)) else { continue };
        if may_drop {
            return Ok(false);
        }
        let is_its_own = match known.query_row((source, guid), |row| row.get::<_, i64>(0)).optional()? {
            Some(gone) => gone == WITHDRAWN,
            None => !may_have_moved && made.get(guid).map_or(Ok(false), |made| is_unlike_all(connection, source, made))?,
        };
        if !is_its_own {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether nothing that is stored of the source could be an article of a new guid: a moved file, by its link, by its title
/// and date.
fn is_unlike_all(connection: &Connection, source: i64, Made { article, fingerprint, identity, .. }: &Made) -> Result<bool, StoreError> {
    let mut alike = connection.prepare_cached(&format!(
        "SELECT EXISTS (SELECT 1 FROM articles WHERE source = ?1 AND gone > ?2 AND fingerprint = ?3)
            OR EXISTS (SELECT 1 FROM articles WHERE id IN {} AND link_key = ?4 AND +source = ?1)
            OR EXISTS (SELECT 1 FROM articles WHERE source = ?1 AND gone IN (0, 1, 2, 3) AND published = ?5 AND title = ?6)",
        lookups::having("?4")
    ))?;
    let published = article.published.map(|time| time.timestamp());
    let is_alike: bool = alike.query_row((source, PUBLIC, fingerprint, identity.link_key, published, &article.title), |row| row.get(0))?;
    Ok(!is_alike)
}
