//! The sets in memory, filled from the database and kept at its generation.

use rusqlite::{Connection, Row};

use super::{Sqlite, StoreError};
use crate::store::sets::{Fact, Number, Sets, State};

/// Terms with fewer articles are loaded when they are asked for; it takes less than a millisecond.
const LARGE: u64 = 2_000;

impl Sqlite {
    /// Works on the sets as they are at this snapshot, with some terms loaded. `None`: they are newer than the snapshot
    /// already; take a new one.
    pub(super) fn with_sets<T>(
        &self,
        connection: &Connection,
        terms: &[i64],
        work: impl FnOnce(&Sets) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let generation: u64 = connection.prepare_cached("SELECT generation FROM store")?.query_row([], |row| row.get(0))?;
        {
            let sets = super::read_lock(&self.sets);
            if sets.generation == generation && terms.iter().all(|term| sets.has(*term)) {
                return work(&sets).map(Some);
            }
        }
        let mut sets = super::write_lock(&self.sets);
        if sets.generation > generation {
            return Ok(None);
        }
        follow(&mut sets, connection, generation)?;
        for term in terms {
            if !sets.has(*term) {
                load(&mut sets, connection, *term)?;
            }
        }
        work(&sets).map(Some)
    }

    /// Loads what most questions need, term by term, so that none waits for long.
    pub(in crate::store) fn warm(&self) -> Result<(), StoreError> {
        let large: Vec<i64> = self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT id FROM terms WHERE articles >= ?1 ORDER BY articles")?;
            let terms = statement.query_map([LARGE], |row| row.get(0))?;
            Ok(terms.collect::<Result<_, _>>()?)
        })?;
        for terms in std::iter::once(&[][..]).chain(large.chunks(1)) {
            while self.read(|connection| self.with_sets(connection, terms, |_| Ok(())))?.is_none() {}
        }
        Ok(())
    }
}

/// Brings the sets to the generation of a snapshot: at first from the indexes that hold all that is needed, later from
/// what changed.
fn follow(sets: &mut Sets, connection: &Connection, generation: u64) -> Result<(), StoreError> {
    if sets.generation == generation {
        return Ok(());
    }
    if sets.generation == 0 {
        let public = "SELECT id, listed, 1, 0, 0 FROM articles INDEXED BY articles_newest WHERE gone = 0";
        let withdrawn = "SELECT id, listed, 0, 0, changed FROM articles INDEXED BY articles_withdrawn WHERE gone != 0";
        let in_stories = "SELECT id, listed, gone = 0, 1, changed FROM articles INDEXED BY articles_in_stories WHERE in_story = 1";
        for statement in [public, withdrawn, in_stories] {
            note(sets, connection, statement, [])?;
        }
    } else {
        let since = sets.generation;
        note(sets, connection, "SELECT id, listed, gone = 0, in_story, changed FROM articles WHERE generation > ?1", [since])?;
        let mut statement = connection.prepare_cached(
            "SELECT m.term, m.article, m.gone, m.origins FROM articles a JOIN memberships m ON m.article = a.id WHERE a.generation > ?1",
        )?;
        let mut rows = statement.query([since])?;
        while let Some(row) = rows.next()? {
            sets.note_member(row.get(0)?, row.get(1)?, state(row.get(2)?, row.get(3)?));
        }
    }
    sets.generation = generation;
    Ok(())
}

fn note(sets: &mut Sets, connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<(), StoreError> {
    let fact = |row: &Row<'_>| {
        Ok(Fact { number: row.get(0)?, listed: row.get(1)?, is_public: row.get(2)?, in_story: row.get(3)?, changed: row.get(4)? })
    };
    for fact in connection.prepare_cached(sql)?.query_map(parameters, fact)? {
        sets.note(&fact?);
    }
    Ok(())
}

/// What a membership says: a public article, one that was withdrawn with it, or none, if it has left.
const fn state(gone: bool, origins: u8) -> Option<State> {
    match (gone, origins) {
        (false, _) => Some(State::Public),
        (true, 0) => None,
        (true, _) => Some(State::Withdrawn),
    }
}

fn load(sets: &mut Sets, connection: &Connection, term: i64) -> Result<(), StoreError> {
    let (mut public, mut withdrawn) = (Vec::new(), Vec::new());
    let mut statement = connection.prepare_cached("SELECT article, gone, origins FROM memberships WHERE term = ?1")?;
    let mut rows = statement.query([term])?;
    while let Some(row) = rows.next()? {
        let number: Number = row.get(0)?;
        match state(row.get(1)?, row.get(2)?) {
            Some(State::Public) => public.push(number),
            Some(State::Withdrawn) => withdrawn.push(number),
            None => {}
        }
    }
    sets.load(term, public, withdrawn);
    Ok(())
}
