//! Withdrawing articles, and taking that back.

use rusqlite::Connection;

use super::memberships::{Member, show};
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
pub(super) fn turn(change: &mut Change<'_>, touched: &mut Touched, member: Member, state: i64) -> Result<(), StoreError> {
    let generation = change.generation()?;
    change.transaction.prepare_cached("UPDATE articles SET gone = ?2, changed = ?3, generation = ?4 WHERE id = ?1")?.execute((
        member.article,
        state,
        change.now.timestamp(),
        generation,
    ))?;
    show(change, touched, member, state == PUBLIC)?;
    let link_key = story::link_key(change.transaction, member.article)?;
    story::tell(change, touched, member.article, link_key)?;
    translation::tell_all(change, touched, member.article)
}

/// At most a chunk of a source's articles that are in a state.
pub(super) fn in_state(connection: &Connection, source: i64, state: i64) -> Result<Vec<Member>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id, listed FROM articles WHERE source = ?1 AND gone = ?2 LIMIT ?3")?;
    let rows = statement.query_map((source, state, CHUNK), |row| Ok(Member { article: row.get(0)?, listed: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
