//! Withdrawing articles and whole sources, and taking that back.

use rusqlite::{Connection, Transaction};

use super::memberships::show;
use super::sources::{first_due, resettle};
use super::terms::Touched;
use super::{Change, Sqlite, StoreError, pushes, story, translation};
use crate::model::{NewSource, Policy, SourceId, Time};

/// Why an article is not public, as it is stored.
pub(super) const PUBLIC: i64 = 0;
/// Its source no longer has it.
pub(super) const WITHDRAWN: i64 = 1;
/// Its source was removed.
pub(super) const REMOVED: i64 = 2;
/// A rule dropped it.
pub(super) const DROPPED: i64 = 3;

/// What holds of a removed source whose removal, or revival, was broken off.
pub(super) const HAS_PUBLIC: &str = "EXISTS (SELECT 1 FROM articles WHERE source = s.id AND gone = 0)";

/// How many articles one transaction takes.
pub(super) const CHUNK: usize = 500;

impl Sqlite {
    pub(in crate::store) fn remove_source(&self, source: SourceId, now: Time) -> Result<usize, StoreError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached("UPDATE sources SET removed = ifnull(removed, ?2), due = NULL WHERE id = ?1")?;
            statement.execute((source.0, now.timestamp()))?;
            // What is read again must be parsed again, but of two files with one guid each keeps its own.
            transaction.prepare_cached("DELETE FROM files WHERE source = ?1 AND guid IS NULL")?.execute([source.0])?;
            let blank = "UPDATE files SET modified = -1, size = 0, revisit = NULL, uses = '[]', problem = NULL WHERE source = ?1";
            transaction.prepare_cached(blank)?.execute([source.0])?;
            pushes::leave(transaction, source, now)?;
            delete_term(&mut Change::begin(transaction, now)?, source.0, Some(now))
        })?;
        self.withdraw_all(source.0, now)
    }

    /// Withdraws what is still public of removed sources, where a removal or a revival was broken off; gives how many articles.
    pub(in crate::store) fn finish_removals(&self, now: Time) -> Result<usize, StoreError> {
        let left = format!("SELECT id FROM sources s WHERE removed IS NOT NULL AND {HAS_PUBLIC}");
        self.numbers(&left, [])?.into_iter().map(|source| self.withdraw_all(source, now)).sum()
    }

    /// Withdraws the articles of a removed source, in chunks.
    fn withdraw_all(&self, source: i64, now: Time) -> Result<usize, StoreError> {
        let articles = self.numbers("SELECT id FROM articles WHERE source = ?1 AND gone = ?2", (source, PUBLIC))?;
        self.over(&articles, &Policy::default(), now, |_, change, touched, article| {
            // Another process may bring it back meanwhile.
            let is_left =
                "SELECT 1 FROM articles a JOIN sources s ON s.id = a.source WHERE a.id = ?1 AND a.gone = ?2 AND s.removed IS NOT NULL";
            let is_left = change.transaction.prepare_cached(is_left)?.exists((article, PUBLIC))?;
            if is_left {
                turn(change, touched, article, REMOVED)?;
            }
            Ok(is_left)
        })
    }

    /// Brings a removed source back, with what its owner says of it now: its articles first, so that a killed process finds it
    /// still removed.
    pub(super) fn revive(&self, id: i64, new: &NewSource, policy: &Policy, now: Time) -> Result<(), StoreError> {
        let term = self.write(|transaction| resettle(transaction, id, &new.settings, new.slug.as_ref(), now))?;
        loop {
            let states = "SELECT id FROM articles WHERE source = ?1 AND gone IN (?2, ?3, ?4)";
            let articles = self.numbers(states, (id, PUBLIC, REMOVED, DROPPED))?;
            self.over(&articles, policy, now, |sorter, change, touched, article| {
                if has_state(change.transaction, "id = ?1", article, REMOVED)? {
                    turn(change, touched, article, PUBLIC)?;
                }
                sorter.again(change, touched, article)
            })?;
            self.restamp(term, policy, now)?;
            if self.write(|transaction| come_back(transaction, id, new, now))? {
                return Ok(());
            }
        }
    }
}

/// Whether an article, or one of those of which a condition on `?1` holds, is in a state.
fn has_state(connection: &Connection, holds: &str, of: i64, state: i64) -> Result<bool, StoreError> {
    Ok(connection.prepare_cached(&format!("SELECT 1 FROM articles WHERE {holds} AND gone = ?2"))?.exists((of, state))?)
}

/// Ends a source's being removed; `false`: another process has withdrawn some of its articles meanwhile.
fn come_back(transaction: &Transaction<'_>, id: i64, new: &NewSource, now: Time) -> Result<bool, StoreError> {
    if has_state(transaction, "source = ?1", id, REMOVED)? {
        return Ok(false);
    }
    transaction
        .prepare_cached(
            "UPDATE sources SET removed = NULL, due = ?2, leased_until = ifnull(?2, 0), etag = NULL, last_modified = NULL WHERE id = ?1",
        )?
        .execute((id, first_due(new, now)))?;
    delete_term(&mut Change::begin(transaction, now)?, id, None)?;
    Ok(true)
}

/// Sets an article's state, and hides or shows its memberships.
pub(super) fn turn(change: &mut Change<'_>, touched: &mut Touched, article: i64, state: i64) -> Result<(), StoreError> {
    let generation = change.generation()?;
    change.transaction.prepare_cached("UPDATE articles SET gone = ?2, changed = ?3, generation = ?4 WHERE id = ?1")?.execute((
        article,
        state,
        change.now.timestamp(),
        generation,
    ))?;
    show(change, touched, article, state == PUBLIC)?;
    let link_key = story::link_key(change.transaction, article)?;
    story::tell(change, touched, article, link_key)?;
    translation::tell_all(change, touched, article)
}

/// Withdraws articles that their source no longer has.
pub(super) fn withdraw(transaction: &Transaction<'_>, articles: &[i64], now: Time) -> Result<(), StoreError> {
    let mut change = Change::begin(transaction, now)?;
    let mut touched = Touched::default();
    for article in articles {
        turn(&mut change, &mut touched, *article, WITHDRAWN)?;
    }
    touched.write(&mut change).map(drop)
}

/// Marks the term of a source as deleted on purpose, or takes that back.
fn delete_term(change: &mut Change<'_>, source: i64, deleted: Option<Time>) -> Result<(), StoreError> {
    let (now, generation) = (change.now.timestamp(), change.generation()?);
    change
        .transaction
        .prepare_cached("UPDATE terms SET deleted = ?2, modified = max(modified, ?3), generation = ?4 WHERE id = (SELECT term FROM sources WHERE id = ?1)")?
        .execute((source, deleted.map(|time| time.timestamp()), now, generation))?;
    Ok(())
}
