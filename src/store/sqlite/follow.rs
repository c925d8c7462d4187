//! The sets in memory, filled from the database and kept at its generation.

use rusqlite::{Connection, Row};

use super::terms::TermId;
use super::{Sqlite, StoreError, members};
use crate::store::sets::{Fact, Sets, State};

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

    /// Reads a snapshot of the store with the sets as they are at it, with some terms loaded.
    pub(super) fn read_with_sets<T>(
        &self,
        terms: &[TermId],
        work: impl Fn(&Connection, &Sets) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        loop {
            if let Some(done) = self.read(|connection| self.with_sets(connection, terms, |sets| work(connection, sets)))? {
                return Ok(done);
            }
        }
    }

    /// Loads what most questions need, term by term, so that none waits for long.
    pub(in crate::store) fn warm(&self) -> Result<(), StoreError> {
        let large: Vec<i64> = self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT id FROM terms WHERE articles >= ?1 ORDER BY articles")?;
            let terms = statement.query_map([LARGE], |row| row.get(0))?;
            Ok(terms.collect::<Result<_, _>>()?)
        })?;
        std::iter::once(&[][..]).chain(large.chunks(1)).try_for_each(|terms| self.read_with_sets(terms, |_, _| Ok(())))
    }
}

/// Brings the sets to the generation of a snapshot, by what changed since theirs: at first that is all.
fn follow(sets: &mut Sets, connection: &Connection, generation: u64) -> Result<(), StoreError> {
    if sets.generation == generation {
        return Ok(());
    }
    let since = sets.generation;
    note(sets, connection, since)?;
    // At first no term is loaded.
    if since > 0 {
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

/// Takes in the articles that changed since a generation, as an index has them.
fn note(sets: &mut Sets, connection: &Connection, since: u64) -> Result<(), StoreError> {
    let fact = |row: &Row<'_>| {
        Ok(Fact { number: row.get(0)?, listed: row.get(1)?, is_public: row.get(2)?, in_story: row.get(3)?, changed: row.get(4)? })
    };
    let mut statement = connection.prepare_cached(
        "SELECT id, listed, gone = 0, in_story, changed FROM articles INDEXED BY articles_by_generation WHERE generation > ?1",
    )?;
    for fact in statement.query_map([since], fact)? {
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
    members::each(connection, term, |number, gone| if gone { withdrawn.push(number) } else { public.push(number) })?;
    sets.load(term, public, withdrawn);
    Ok(())
}
