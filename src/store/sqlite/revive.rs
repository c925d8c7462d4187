//! Withdrawing articles, and taking that back.

use rusqlite::Connection;

use super::memberships::show;
use super::terms::Touched;
use super::{Change, StoreError, story, translation};

/// Why an article is not public, as it is stored.
pub(super) const PUBLIC: i64 = 0;
/// Its source no longer has it.
pub(super) const WITHDRAWN: i64 = 1;
/// Its source was removed.
pub(super) const REMOVED: i64 = 2;
/// A rule dropped it.
pub(super) const DROPPED: i64 = 3;

/// How many articles one transaction takes.
pub(super) const CHUNK: usize = 500;

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

/// At most a chunk of a source's articles that are in a state.
pub(super) fn in_state(connection: &Connection, source: i64, state: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM articles WHERE source = ?1 AND gone = ?2 LIMIT ?3")?;
    let rows = statement.query_map((source, state, CHUNK), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
