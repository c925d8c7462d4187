//! What sources push: the hubs that they name, and what these sent.

use chrono::TimeDelta;
use rusqlite::{Connection, OptionalExtension, Transaction};
use uuid::Uuid;

use super::{Sqlite, StoreError, sources};
use crate::model::websub::{HubLink, HubRequest, Mode, Pushed, Secret};
use crate::model::{Source, SourceId, Time};

/// How long a hub may take to ask whether it was us.
const PENDING: TimeDelta = TimeDelta::hours(1);
/// A hub that does not answer is asked again after this, twice as late each time, a day at the most.
const AGAIN: TimeDelta = TimeDelta::minutes(10);
/// So often a hub is told that we want no more; then its lease runs out.
const FAREWELLS: i64 = 4;
/// What a source pushed and all sources pushed that may wait to be read.
const WAITING: (i64, i64) = (4, 64);

/// Notes where a source says that it is pushed. What is new is asked for, what is said no more is taken back.
pub(super) fn note_hub(transaction: &Transaction<'_>, source: SourceId, link: Option<&HubLink>, now: Time) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached("SELECT hub, topic, mode FROM hubs WHERE source = ?1")?;
    let known: Option<(HubLink, String)> =
        statement.query_row([source.0], |row| Ok((HubLink { hub: row.get(0)?, topic: row.get(1)? }, row.get(2)?))).optional()?;
    let is_wanted = |mode: &str| mode == Mode::Subscribe.name();
    match (known, link) {
        (None, None) => Ok(()),
        (Some((known, mode)), Some(link)) if known == *link && is_wanted(&mode) => Ok(()),
        (Some((_, mode)), None) if !is_wanted(&mode) => Ok(()),
        (Some(_), None) => leave(transaction, source, now),
        (_, Some(link)) => want(transaction, source, link, now),
    }
}

/// Whether a source is pushed.
pub(super) fn is_pushed(connection: &Connection, source: SourceId, now: Time) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM hubs WHERE source = ?1 AND mode = 'subscribe' AND lease_ends > ?2")?;
    Ok(statement.exists((source.0, now.timestamp()))?)
}

impl Sqlite {
    pub(in crate::store) fn claim_hub_requests(&self, base: &str, now: Time, limit: usize) -> Result<Vec<HubRequest>, StoreError> {
        const DUE: &str = "due <= ?1 OR mode = 'subscribe' AND base IS NOT NULL AND base <> ?2";
        if !self.is_there(&format!("hubs WHERE {DUE}"), (now.timestamp(), base))? {
            return Ok(Vec::new());
        }
        self.write(|transaction| {
            transaction.prepare_cached("DELETE FROM hubs WHERE mode = 'unsubscribe' AND tries >= ?1")?.execute([FAREWELLS])?;
            let mut statement = transaction.prepare_cached(&format!(
                "SELECT source, hub, topic, token, secret, mode, tries FROM hubs WHERE {DUE} ORDER BY due LIMIT ?3"
            ))?;
            let mut rows = statement.query((now.timestamp(), base, limit))?;
            let mut requests = Vec::new();
            while let Some(row) = rows.next()? {
                let (source, tries): (i64, i32) = (row.get(0)?, row.get(6)?);
                let again = AGAIN.checked_mul(1 << tries.clamp(0, 16)).unwrap_or(AGAIN).min(TimeDelta::days(1));
                transaction
                    .prepare_cached("UPDATE hubs SET base = ?2, pending_until = ?3, due = ?4, tries = tries + 1 WHERE source = ?1")?
                    .execute((source, base, (now + PENDING).timestamp(), (now + again).timestamp()))?;
                let (secret, mode): (String, String) = (row.get(4)?, row.get(5)?);
                requests.push(HubRequest {
                    mode: Mode::from_name(&mode).ok_or(StoreError::Corrupt(mode))?,
                    link: HubLink { hub: row.get(1)?, topic: row.get(2)? },
                    proxy: sources::by_id(transaction, source)?.settings.proxy,
                    token: row.get(3)?,
                    secret: Secret::new(secret).ok_or_else(|| StoreError::Corrupt("the secret of a hub".to_owned()))?,
                });
            }
            Ok(requests)
        })
    }

    pub(in crate::store) fn confirm_push(
        &self,
        token: &str,
        mode: Mode,
        topic: &str,
        lease: TimeDelta,
        now: Time,
    ) -> Result<bool, StoreError> {
        let pending = "token = ?1 AND topic = ?2 AND mode = ?3 AND pending_until > ?4";
        self.write(|transaction| {
            let asked = (token, topic, mode.name(), now.timestamp());
            let is_ours: bool = transaction
                .prepare_cached(&format!("SELECT EXISTS (SELECT 1 FROM hubs WHERE {pending})"))?
                .query_row(asked, |row| row.get(0))?;
            match mode {
                _ if !is_ours => {}
                Mode::Unsubscribe => drop(transaction.prepare_cached("DELETE FROM hubs WHERE token = ?1")?.execute([token])?),
                Mode::Subscribe => {
                    // It is asked again while a tenth of the lease is left, so that nothing is missed in between.
                    transaction.prepare_cached("UPDATE hubs SET lease_ends = ?2, due = ?3, tries = 0 WHERE token = ?1")?.execute((
                        token,
                        (now + lease).timestamp(),
                        (now + lease * 9 / 10).timestamp(),
                    ))?;
                }
            }
            Ok(is_ours)
        })
    }

    pub(in crate::store) fn refuse_push(&self, token: &str, topic: &str, now: Time) -> Result<bool, StoreError> {
        self.write(|transaction| {
            let refused = transaction
                .prepare_cached("UPDATE hubs SET lease_ends = 0, pending_until = 0, due = ?3 WHERE token = ?1 AND topic = ?2")?
                .execute((token, topic, (now + TimeDelta::days(1)).timestamp()))?;
            Ok(refused > 0)
        })
    }

    pub(in crate::store) fn callback(&self, token: &str) -> Result<Option<(SourceId, Secret)>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT source, secret FROM hubs WHERE token = ?1 AND mode = 'subscribe'")?;
            let found: Option<(i64, String)> = statement.query_row([token], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            Ok(found.and_then(|(source, secret)| Some((SourceId(source), Secret::new(secret)?))))
        })
    }

    pub(in crate::store) fn keep_pushed(&self, source: SourceId, body: &[u8], charset: Option<&str>) -> Result<bool, StoreError> {
        self.write(|transaction| {
            let (own, all): (i64, i64) = transaction
                .prepare_cached("SELECT count(*) FILTER (WHERE source = ?1), count(*) FROM pushed")?
                .query_row([source.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
            if own >= WAITING.0 || all >= WAITING.1 {
                return Ok(false);
            }
            transaction
                .prepare_cached("INSERT INTO pushed (source, body, charset) VALUES (?1, ?2, ?3)")?
                .execute((source.0, body, charset))?;
            Ok(true)
        })
    }

    pub(in crate::store) fn claim_pushed(&self, now: Time, limit: usize, lease: TimeDelta) -> Result<Vec<(Source, Pushed)>, StoreError> {
        if !self.is_there("pushed", [])? {
            return Ok(Vec::new());
        }
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT p.id, p.source, p.body, p.charset FROM pushed p JOIN sources s ON s.id = p.source
                 WHERE s.leased_until <= ?1 AND p.id = (SELECT min(id) FROM pushed WHERE source = p.source) ORDER BY p.id LIMIT ?2",
            )?;
            let rows = statement.query_map((now.timestamp(), limit), |row| {
                Ok(Pushed { id: row.get(0)?, source: SourceId(row.get(1)?), body: row.get(2)?, charset: row.get(3)? })
            })?;
            let mut taken = Vec::new();
            for pushed in rows {
                let pushed = pushed?;
                transaction
                    .prepare_cached("UPDATE sources SET leased_until = ?2 WHERE id = ?1")?
                    .execute((pushed.source.0, (now + lease).timestamp()))?;
                taken.push((sources::by_id(transaction, pushed.source.0)?, pushed));
            }
            Ok(taken)
        })
    }

    pub(in crate::store) fn drop_pushed(&self, pushed: i64, source: SourceId, is_stored: bool) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.prepare_cached("DELETE FROM pushed WHERE id = ?1")?.execute([pushed])?;
            // Storing gave the source back already, and somebody may have taken it since.
            if !is_stored {
                transaction.prepare_cached("UPDATE sources SET leased_until = 0 WHERE id = ?1")?.execute([source.0])?;
            }
            Ok(())
        })
    }
}

/// A source that is removed, or that names its hub no more: the hub is told, and what it sent is dropped.
pub(super) fn leave(transaction: &Transaction<'_>, source: SourceId, now: Time) -> Result<(), StoreError> {
    // A hub that was never asked needs no farewell.
    transaction.prepare_cached("DELETE FROM hubs WHERE source = ?1 AND base IS NULL")?.execute([source.0])?;
    transaction
        .prepare_cached("UPDATE hubs SET mode = 'unsubscribe', due = ?2, tries = 0, pending_until = 0 WHERE source = ?1")?
        .execute((source.0, now.timestamp()))?;
    transaction.prepare_cached("DELETE FROM pushed WHERE source = ?1")?.execute([source.0])?;
    Ok(())
}

/// A new hub or topic gets a callback and a secret of its own, which nobody can guess.
fn want(transaction: &Transaction<'_>, source: SourceId, link: &HubLink, now: Time) -> Result<(), StoreError> {
    let (token, secret) = (Uuid::new_v4().simple(), [Uuid::new_v4(), Uuid::new_v4()].map(|part| part.simple().to_string()).concat());
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO hubs (source, hub, topic, token, secret, mode, due) VALUES (?1, ?2, ?3, ?4, ?5, 'subscribe', ?6)",
        )?
        .execute((source.0, &link.hub, &link.topic, token.to_string(), secret, now.timestamp()))?;
    Ok(())
}
