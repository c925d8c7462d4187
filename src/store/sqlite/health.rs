//! The log of events: what failed, moved, died and recovered. It has a number of its own; the generation knows nothing
//! of it.

use chrono::TimeDelta;
use rusqlite::{Connection, OptionalExtension};
use url::Url;

use super::hosts::known_as;
use super::{Change, Sqlite, StoreError, time};
use crate::model::{Census, Event, EventKind, Health, Host, Slug, Source, SourceId, Time};

/// Older events are forgotten.
const KEPT: i64 = 1_000;
/// So many failures running are an event, and so is a source that fails for so long.
const FAILURES: u32 = 3;
const FAILING: TimeDelta = TimeDelta::days(1);
/// An address that a source redirects to for good on so many readings running becomes its own.
const REDIRECTS: u32 = 3;

impl Sqlite {
    pub(in crate::store) fn health(&self, limit: usize) -> Result<Health, StoreError> {
        self.read(|connection| {
            let (stamp, created) = connection
                .prepare_cached("SELECT ifnull((SELECT max(id) FROM events), 0), created FROM store")?
                .query_row([], |row| Ok((row.get(0)?, time(row.get(1)?))))?;
            let mut statement = connection.prepare_cached(
                "SELECT e.id, e.at, e.kind, e.words, t.slug, t.name FROM events e JOIN sources s ON s.id = e.source JOIN terms t ON t.id = s.term
                 WHERE s.removed IS NULL ORDER BY e.id DESC LIMIT ?1",
            )?;
            let events = statement.query_and_then([limit], |row| {
                let kind: String = row.get(2)?;
                Ok::<_, StoreError>(Event {
                    id: row.get(0)?,
                    at: time(row.get(1)?),
                    kind: EventKind::from_name(&kind).ok_or(StoreError::Corrupt(kind))?,
                    words: row.get(3)?,
                    slug: Slug::from_canonical(row.get::<_, String>(4)?),
                    title: row.get(5)?,
                })
            })?;
            Ok(Health { events: events.collect::<Result<_, _>>()?, stamp, created })
        })
    }

    pub(in crate::store) fn census(&self, now: Time) -> Result<Census, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT ifnull(sum(t.articles), 0), count(*) FILTER (WHERE failures = 0 AND first_read IS NOT NULL),
                        count(*) FILTER (WHERE failures > 0 AND due IS NOT NULL), count(*) FILTER (WHERE failures > 0 AND due IS NULL),
                        count(*) FILTER (WHERE failures = 0 AND first_read IS NULL), count(*) FILTER (WHERE due <= ?1),
                        (SELECT ifnull(max(id), 0) FROM events), (SELECT count(*) FROM subscriptions), (SELECT count(*) FROM deliveries)
                 FROM sources s JOIN terms t ON t.id = s.term WHERE s.removed IS NULL",
            )?;
            Ok(statement.query_row([now.timestamp()], |row| {
                Ok(Census {
                    articles: row.get(0)?,
                    good: row.get(1)?,
                    failing: row.get(2)?,
                    gone: row.get(3)?,
                    unread: row.get(4)?,
                    due: row.get(5)?,
                    events: row.get(6)?,
                    subscriptions: row.get(7)?,
                    deliveries: row.get(8)?,
                })
            })?)
        })
    }

    pub(in crate::store) fn health_stamp(&self) -> Result<u64, StoreError> {
        self.read(|connection| Ok(connection.prepare_cached("SELECT ifnull(max(id), 0) FROM events")?.query_row([], |row| row.get(0))?))
    }
}

fn note(connection: &Connection, source: i64, kind: EventKind, words: &str, now: Time) -> Result<(), StoreError> {
    connection.prepare_cached("INSERT INTO events (source, at, kind, words) VALUES (?1, ?2, ?3, ?4)")?.execute((
        source,
        now.timestamp(),
        kind.name(),
        words,
    ))?;
    connection.prepare_cached("DELETE FROM events WHERE id <= ?1")?.execute([connection.last_insert_rowid() - KEPT])?;
    Ok(())
}

/// What of a source's troubles was told: each stage once, until it answers again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Nothing = 0,
    Failed = 1,
    Gone = 2,
}

/// The stage that a source is in, by how it fails.
fn stage(failures: u32, since: Time, is_gone: bool, now: Time) -> Told {
    match () {
        () if is_gone => Told::Gone,
        () if failures >= FAILURES || now - since >= FAILING => Told::Failed,
        () => Told::Nothing,
    }
}

/// Tells of a source that failed, when that is news: no secret of its owner, and no path of this machine.
pub(super) fn failed(connection: &Connection, source: &Source, error: &str, now: Time) -> Result<(), StoreError> {
    let status = &source.status;
    let stage = stage(status.failures, status.failing_since.unwrap_or(now), status.due.is_none(), now);
    let told: i64 = told(connection, source)?;
    if stage as i64 <= told {
        return Ok(());
    }
    let kind = if stage == Told::Gone { EventKind::Gone } else { EventKind::Failed };
    let at = |time: Time| time.format("%F %R UTC");
    let good = status.last_good.map_or("it never answered well".to_owned(), |good| format!("its last good answer was at {}", at(good)));
    let since =
        status.failing_since.filter(|since| *since < now).map_or(String::new(), |since| format!("; it has failed since {}", at(since)));
    let words = format!("{}{since}; {good}", source.without_secrets(error));
    note(connection, source.id.0, kind, &words, now)?;
    tell(connection, source, stage)
}

/// Tells of a source that answered, where it had been told that it does not.
pub(super) fn answered(connection: &Connection, source: &Source, now: Time) -> Result<(), StoreError> {
    if told(connection, source)? == Told::Nothing as i64 {
        return Ok(());
    }
    let since = source.status.failing_since.unwrap_or(now);
    let words = format!("it had failed since {}", since.format("%F %R UTC"));
    note(connection, source.id.0, EventKind::Recovered, &words, now)?;
    tell(connection, source, Told::Nothing)
}

fn told(connection: &Connection, source: &Source) -> Result<i64, StoreError> {
    Ok(connection.prepare_cached("SELECT told FROM sources WHERE id = ?1")?.query_row([source.id.0], |row| row.get(0))?)
}

fn tell(connection: &Connection, source: &Source, stage: Told) -> Result<(), StoreError> {
    connection.prepare_cached("UPDATE sources SET told = ?2 WHERE id = ?1")?.execute((source.id.0, stage as i64))?;
    Ok(())
}

/// Whether a source's next good answer is news: it was told of as failing, or redirects for good.
pub(super) fn is_followed(connection: &Connection, source: SourceId) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT told != 0 OR redirect IS NOT NULL FROM sources WHERE id = ?1")?;
    Ok(statement.query_row([source.0], |row| row.get(0))?)
}

/// Counts redirects for good; the third to one address running moves the source there, or says once why it cannot. It is
/// tried again with each reading, since the reason may go.
pub(super) fn follow_redirect(change: &mut Change<'_>, source: &Source, to: Option<&str>) -> Result<(), StoreError> {
    let to = to.filter(|to| *to != source.location);
    let seen = match (&source.status.redirect, to) {
        (None, None) => return Ok(()),
        (Some((known, seen)), Some(to)) if known == to => seen.saturating_add(1),
        (_, to) => u32::from(to.is_some()),
    };
    change
        .transaction
        .prepare_cached("UPDATE sources SET redirect = ?2, redirects = ?3 WHERE id = ?1")?
        .execute((source.id.0, to, seen))?;
    match to {
        Some(to) if seen >= REDIRECTS => move_to(change, source, to, seen == REDIRECTS),
        _ => Ok(()),
    }
}

fn move_to(change: &mut Change<'_>, source: &Source, to: &str, is_news: bool) -> Result<(), StoreError> {
    let (transaction, id, now) = (change.transaction, source.id.0, change.now);
    let (old_host, new_host) = (source.host(), source.kind.host_of(to));
    let shown = new_host.as_ref().map(Host::as_str).unwrap_or_default();
    let has_keys = Url::parse(&source.location).is_ok_and(|url| source.settings.has_keys(&url));
    let words = match owner(transaction, to)? {
        Some((_, other, false)) => {
            format!("it redirects for good to the address of {other:?}, which is another source; remove one of the two")
        }
        _ if has_keys && old_host != new_host => {
            format!("it redirects for good to {shown}, which is not given what it is asked with; add it there again")
        }
        owner => {
            if let Some((removed, ..)) = owner {
                take_address(transaction, removed, id, to)?;
            }
            transaction
                .prepare_cached("UPDATE sources SET location = ?2, host = ?3, redirect = NULL, redirects = 0 WHERE id = ?1")?
                .execute((id, to, new_host.as_ref().map(Host::as_str)))?;
            known_as(transaction, id, &source.location)?;
            super::finish::show_anew(change, id)?;
            let words = format!("its address has changed for good; it is now asked at {shown}");
            return note(transaction, id, EventKind::Moved, &words, now);
        }
    };
    if is_news { note(transaction, id, EventKind::Moved, &words, now) } else { Ok(()) }
}

/// The feed that has an address: its number, its title, and whether it was removed.
fn owner(connection: &Connection, address: &str) -> Result<Option<(i64, String, bool)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT s.id, t.name, s.removed IS NOT NULL FROM sources s JOIN terms t ON t.id = s.term WHERE s.kind = 'feed' AND s.location = ?1",
    )?;
    Ok(statement.query_row([address], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?)
}

/// Takes the address of a removed source for another one, to which all URLs lead then that led to it. It stays with an address
/// that nobody adds, for the URLs of its articles.
fn take_address(connection: &Connection, removed: i64, taker: i64, address: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE sources SET location = ?2, redirect = NULL, redirects = 0 WHERE id = ?1")?
        .execute((removed, format!("{address}#{removed}")))?;
    connection.prepare_cached("UPDATE former_urls SET source = ?2 WHERE source = ?1")?.execute((removed, taker))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_or_a_day_of_them_are_news() {
        let now = time(1_700_000_000);
        let name = |failures, hours, is_gone| stage(failures, now - TimeDelta::hours(hours), is_gone, now) as i64;
        assert_eq!((name(1, 0, false), name(2, 23, false), name(3, 1, false)), (0, 0, 1));
        assert_eq!((name(1, 24, false), name(1, 0, true)), (1, 2));
    }
}
