//! Hosts: one request in flight each, with a pause after it, and a longer one where the host wishes so.

use chrono::TimeDelta;
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::oneshot::Receiver;

use super::sources::memory;
use super::together::Keep;
use super::{Sqlite, StoreError, time};
use crate::model::{Host, Memory, NewSource, Policy, SourceId, SourceKind, Time};
use crate::store::{Busy, Habits};

/// Takes the host of a source for as long as the source is taken.
pub(super) fn take_of(connection: &Connection, source: i64, until: Time) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO hosts (name, taken_until) SELECT host, ?2 FROM sources WHERE id = ?1 AND host IS NOT NULL
             ON CONFLICT (name) DO UPDATE SET taken_until = excluded.taken_until",
        )?
        .execute((source, until.timestamp()))?;
    Ok(())
}

/// Gives back a host that a source took and did not give back.
pub(super) fn give_back_of(connection: &Connection, source: i64, now: Time) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE hosts SET taken_until = min(taken_until, ?2) WHERE name = (SELECT host FROM sources WHERE id = ?1 AND leased_until > ?2)",
        )?
        .execute((source, now.timestamp()))?;
    Ok(())
}

impl Sqlite {
    pub(in crate::store) fn take_host(&self, host: &Host, now: Time, until: Time) -> Result<Option<Busy>, StoreError> {
        self.write(|transaction| {
            let busy = transaction
                .prepare_cached("SELECT max(taken_until, rests_until), rests_until > ?2 FROM hosts WHERE name = ?1")?
                .query_row((host.as_str(), now.timestamp()), |row| Ok(Busy { until: time(row.get(0)?), rests: row.get(1)? }))
                .optional()?;
            if let Some(busy) = busy.filter(|busy| busy.until.timestamp() > now.timestamp()) {
                return Ok(Some(busy));
            }
            set(transaction, "taken_until = ?2", host, until)?;
            Ok(None)
        })
    }

    pub(in crate::store) fn free_host(&self, host: Host, from: Time) -> Receiver<Result<(), StoreError>> {
        self.queue(0, Keep::Lazily, move |transaction, _| set(transaction, "taken_until = ?2", &host, from))
    }

    pub(in crate::store) fn rest_host(&self, host: &Host, until: Time) -> Result<(), StoreError> {
        self.write(|transaction| set(transaction, "rests_until = max(rests_until, ?2)", host, until))
    }

    pub(in crate::store) fn rest_of(&self, host: &Host, now: Time) -> Result<Option<Time>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT rests_until FROM hosts WHERE name = ?1 AND rests_until > ?2")?;
            Ok(statement.query_row((host.as_str(), now.timestamp()), |row| row.get(0).map(time)).optional()?)
        })
    }

    pub(in crate::store) fn habits(&self, source: SourceId, now: Time, limit: usize) -> Result<Habits, StoreError> {
        self.read(|connection| habits(connection, source, now, limit))
    }

    pub(in crate::store) fn recall(
        &self,
        ids: &[SourceId],
        policy: &Policy,
        now: Time,
        limit: usize,
    ) -> Result<Vec<(Memory, Habits)>, StoreError> {
        let drops = policy.drops();
        self.read(|connection| {
            let mut recalled = Vec::with_capacity(ids.len());
            for id in ids {
                let mut memory = memory(connection, *id)?;
                // A folder has none.
                if memory.read_with.as_ref().is_some_and(|before| *before != drops) {
                    (memory.etag, memory.last_modified) = (None, None);
                }
                recalled.push((memory, habits(connection, *id, now, limit)?));
            }
            Ok(recalled)
        })
    }

    pub(in crate::store) fn also_known(&self, source: SourceId, url: &str) -> Result<(), StoreError> {
        self.write(|transaction| known_as(transaction, source.0, url))
    }

    pub(in crate::store) fn removed(&self, url: &str) -> Result<Option<(String, Time)>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT location, last_read FROM sources WHERE removed IS NOT NULL AND last_read IS NOT NULL AND kind = 'feed'
                    AND (location = ?1 OR id = (SELECT source FROM former_urls WHERE url = ?1))",
            )?;
            Ok(statement.query_row([url], |row| Ok((row.get(0)?, time(row.get(1)?)))).optional()?)
        })
    }

    pub(in crate::store) fn put_off(&self, source: SourceId, due: Time) -> Result<(), StoreError> {
        self.write(|transaction| put_off(transaction, source.0, due))
    }

    pub(in crate::store) fn forget_times_ahead(&self, now: Time) -> Result<(), StoreError> {
        let (soon, rest) = ((now + DIFFERENCE).timestamp(), (now + LONGEST_REST).timestamp());
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "UPDATE sources SET due = min(due, ?1), leased_until = 0, not_before = NULL
                     WHERE removed IS NULL AND ifnull(last_read, created) > ?2 AND (leased_until <= ?1 OR leased_until > ?2)",
                )?
                .execute((now.timestamp(), soon))?;
            transaction
                .prepare_cached(
                    "UPDATE hosts SET taken_until = iif(taken_until > ?1, 0, taken_until), rests_until = iif(rests_until > ?2, 0, rests_until)
                     WHERE taken_until > ?1 OR rests_until > ?2",
                )?
                .execute((soon, rest))?;
            Ok(())
        })
    }

    pub(in crate::store) fn hasten(&self, sources: &[SourceId], now: Time) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "UPDATE sources SET due = ?2 WHERE id = ?1 AND kind = 'feed' AND removed IS NULL AND last_read IS NULL AND due > ?2 AND leased_until <= ?2",
            )?;
            for source in sources {
                statement.execute((source.0, now.timestamp()))?;
            }
            Ok(())
        })
    }
}

/// A clock may differ from that of another machine by so much.
const DIFFERENCE: TimeDelta = TimeDelta::hours(1);
/// No host rests for longer.
const LONGEST_REST: TimeDelta = TimeDelta::days(8);

fn habits(connection: &Connection, source: SourceId, now: Time, limit: usize) -> Result<Habits, StoreError> {
    let is_pushed = super::pushes::is_pushed(connection, source, now)?;
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT published FROM articles WHERE source = ?1 AND gone = 0 AND published <= ?2 ORDER BY published DESC LIMIT ?3",
    )?;
    let rows = statement.query_map((source.0, now.timestamp(), limit), |row| row.get(0).map(time))?;
    Ok(Habits { posts: rows.collect::<Result<_, _>>()?, is_pushed })
}

/// Leaves a source alone until then, whoever added it.
pub(super) fn put_off(connection: &Connection, source: i64, due: Time) -> Result<(), StoreError> {
    connection.prepare_cached("UPDATE sources SET due = ?2, leased_until = 0 WHERE id = ?1")?.execute((source, due.timestamp()))?;
    Ok(())
}

/// Notes another URL that leads to a source.
pub(super) fn known_as(connection: &Connection, source: i64, url: &str) -> Result<(), StoreError> {
    connection.prepare_cached("INSERT OR REPLACE INTO former_urls (url, source) VALUES (?1, ?2)")?.execute((url, source))?;
    Ok(())
}

/// The source that a URL led to before it moved, for one that is to be added.
pub(super) fn by_former_url(connection: &Connection, new: &NewSource) -> Result<Option<(i64, bool)>, StoreError> {
    if new.kind != SourceKind::Feed {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(
        "SELECT s.id, s.removed IS NOT NULL FROM former_urls f JOIN sources s ON s.id = f.source WHERE f.url = ?1 AND s.kind = 'feed'",
    )?;
    Ok(statement.query_row([&new.location], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

fn set(connection: &Connection, change: &str, host: &Host, at: Time) -> Result<(), StoreError> {
    let column = change.split(' ').next().unwrap_or_default();
    connection
        .prepare_cached(&format!("INSERT INTO hosts (name, {column}) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET {change}"))?
        .execute((host.as_str(), at.timestamp()))?;
    Ok(())
}
