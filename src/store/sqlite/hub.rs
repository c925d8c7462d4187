//! Our hub: requests, topics, subscriptions, deliveries.

use chrono::TimeDelta;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use url::Url;

use super::terms::term_name;
use super::{Sqlite, StoreError, time};
use crate::model::websub::{Delivery, HubLimits, Intent, Mode, Secret, Taken, Topic};
use crate::model::{TermName, Time};

/// How long what is taken stays so: longer than any peer may take.
const TAKEN: TimeDelta = TimeDelta::minutes(1);

impl Sqlite {
    pub(in crate::store) fn ask_hub(&self, intent: &Intent, limits: HubLimits, now: Time) -> Result<Taken, StoreError> {
        let host = host(intent);
        self.write(|transaction| {
            expire(transaction, now)?;
            if let Some(refusal) = refusal(transaction, intent, &host, limits)? {
                return Ok(refusal);
            }
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO intents (topic, callback, host, mode, secret, lease, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute((
                    &intent.topic,
                    &intent.callback,
                    host,
                    intent.mode.name(),
                    intent.secret.as_ref().map(Secret::reveal),
                    intent.lease.num_seconds(),
                    now.timestamp(),
                ))?;
            Ok(Taken::Yes)
        })
    }

    pub(in crate::store) fn claim_intents(&self, now: Time, limit: usize) -> Result<Vec<Intent>, StoreError> {
        if limit == 0 || !self.is_there("intents WHERE due <= ?1", [now.timestamp()])? {
            return Ok(Vec::new());
        }
        self.write(|transaction| {
            let mut statement = transaction
                .prepare_cached("SELECT topic, callback, mode, secret, lease FROM intents WHERE due <= ?1 ORDER BY due LIMIT ?2")?;
            let intents: Vec<Intent> = statement.query_and_then((now.timestamp(), limit), intent)?.collect::<Result<_, _>>()?;
            for intent in &intents {
                transaction.prepare_cached("UPDATE intents SET due = ?3 WHERE topic = ?1 AND callback = ?2")?.execute((
                    &intent.topic,
                    &intent.callback,
                    (now + TAKEN).timestamp(),
                ))?;
            }
            Ok(intents)
        })
    }

    pub(in crate::store) fn settle_intent(&self, intent: &Intent, is_confirmed: bool, now: Time) -> Result<(), StoreError> {
        self.write(|transaction| {
            // A request that came meanwhile in its place is another one, and stays.
            let (mode, secret, lease) = (intent.mode.name(), intent.secret.as_ref().map(Secret::reveal), intent.lease.num_seconds());
            transaction
                .prepare_cached("DELETE FROM intents WHERE topic = ?1 AND callback = ?2 AND mode = ?3 AND secret IS ?4 AND lease = ?5")?
                .execute((&intent.topic, &intent.callback, mode, secret, lease))?;
            match (is_confirmed, intent.mode) {
                (false, _) => {}
                (true, Mode::Subscribe) => subscribe(transaction, intent, now)?,
                (true, Mode::Unsubscribe) => {
                    transaction
                        .prepare_cached("DELETE FROM subscriptions WHERE topic = ?1 AND callback = ?2")?
                        .execute((&intent.topic, &intent.callback))?;
                }
            }
            Ok(())
        })
    }

    pub(in crate::store) fn topics(&self, now: Time) -> Result<Vec<Topic>, StoreError> {
        if !self.is_there("topics", [])? {
            return Ok(Vec::new());
        }
        self.write(|transaction| {
            expire(transaction, now)?;
            transaction.execute(
                "DELETE FROM topics WHERE NOT EXISTS (SELECT 1 FROM subscriptions s WHERE s.topic = url)
                    AND NOT EXISTS (SELECT 1 FROM intents i WHERE i.topic = url)",
                [],
            )?;
            let mut statement = transaction.prepare_cached("SELECT url, stamp, document FROM topics ORDER BY url")?;
            let rows = statement.query_map([], |row| Ok(Topic { url: row.get(0)?, stamp: row.get(1)?, document: row.get(2)? }))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    pub(in crate::store) fn note_topic(&self, topic: &Topic, now: Time) -> Result<usize, StoreError> {
        self.write(|transaction| {
            let before: Option<String> = transaction
                .prepare_cached("SELECT document FROM topics WHERE url = ?1")?
                .query_row([&topic.url], |row| row.get(0))
                .optional()?;
            transaction
                .prepare_cached("INSERT OR REPLACE INTO topics (url, stamp, document) VALUES (?1, ?2, ?3)")?
                .execute((&topic.url, &topic.stamp, &topic.document))?;
            if before.is_none_or(|before| before == topic.document) {
                return Ok(0);
            }
            // Who fails already is tried again no sooner for that.
            let queued = transaction
                .prepare_cached(
                    "INSERT INTO deliveries (subscription, document, due)
                     SELECT id, ?2, ?3 FROM subscriptions WHERE topic = ?1 AND lease_ends > ?3
                     ON CONFLICT (subscription) DO UPDATE SET document = excluded.document",
                )?
                .execute((&topic.url, &topic.document, now.timestamp()))?;
            Ok(queued)
        })
    }

    pub(in crate::store) fn drop_topic(&self, url: &str) -> Result<Vec<String>, StoreError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached("DELETE FROM subscriptions WHERE topic = ?1 RETURNING callback")?;
            let callbacks = statement.query_map([url], |row| row.get(0))?.collect::<Result<_, _>>()?;
            transaction.prepare_cached("DELETE FROM topics WHERE url = ?1")?.execute([url])?;
            Ok(callbacks)
        })
    }

    pub(in crate::store) fn claim_deliveries(&self, now: Time, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        if limit == 0 || !self.is_there("deliveries WHERE due <= ?1", [now.timestamp()])? {
            return Ok(Vec::new());
        }
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT s.id, s.topic, s.callback, s.secret, s.sent, s.failing_since, d.document, d.tries
                 FROM deliveries d JOIN subscriptions s ON s.id = d.subscription
                 WHERE d.due <= ?1 AND s.lease_ends > ?1 ORDER BY d.due LIMIT ?2",
            )?;
            let taken: Vec<Delivery> = statement.query_map((now.timestamp(), limit), delivery)?.collect::<Result<_, _>>()?;
            for delivery in &taken {
                put_off(transaction, delivery.subscription, now + TAKEN)?;
            }
            // What is left over is of leases that ended.
            expire(transaction, now)?;
            Ok(taken)
        })
    }

    pub(in crate::store) fn delivered(&self, delivery: &Delivery, document: &str, now: Time) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction
                .prepare_cached("UPDATE subscriptions SET sent = ?2, failing_since = NULL WHERE id = ?1")?
                .execute((delivery.subscription, document))?;
            transaction
                .prepare_cached("DELETE FROM deliveries WHERE subscription = ?1 AND document = ?2")?
                .execute((delivery.subscription, &delivery.document))?;
            // Another document that was wanted meanwhile goes out at once.
            transaction
                .prepare_cached("UPDATE deliveries SET due = ?2, tries = 0 WHERE subscription = ?1")?
                .execute((delivery.subscription, now.timestamp()))?;
            Ok(())
        })
    }

    pub(in crate::store) fn undelivered(&self, delivery: &Delivery, again: Option<Time>, now: Time) -> Result<(), StoreError> {
        self.write(|transaction| {
            let Some(again) = again else {
                transaction.prepare_cached("DELETE FROM subscriptions WHERE id = ?1")?.execute([delivery.subscription])?;
                return Ok(());
            };
            transaction
                .prepare_cached("UPDATE subscriptions SET failing_since = ifnull(failing_since, ?2) WHERE id = ?1")?
                .execute((delivery.subscription, now.timestamp()))?;
            transaction
                .prepare_cached("UPDATE deliveries SET tries = tries + 1 WHERE subscription = ?1")?
                .execute([delivery.subscription])?;
            put_off(transaction, delivery.subscription, again)
        })
    }

    pub(in crate::store) fn unpinged(&self, hub: &str, limit: usize) -> Result<(Vec<TermName>, u64), StoreError> {
        let (current, _) = self.generations()?;
        let since = self.read(|connection| told(connection, hub))?;
        let Some(since) = since else {
            self.pinged(hub, current)?;
            return Ok((Vec::new(), current));
        };
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT kind, slug, name FROM terms WHERE generation > ?1 AND deleted IS NULL ORDER BY generation DESC LIMIT ?2",
            )?;
            let terms = statement.query_and_then((since, limit), |row| term_name(row.get(0)?, row.get(1)?, row.get(2)?))?;
            Ok((terms.collect::<Result<_, _>>()?, current))
        })
    }

    pub(in crate::store) fn pinged(&self, hub: &str, generation: u64) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute("INSERT OR REPLACE INTO pings (hub, generation) VALUES (?1, ?2)", (hub, generation))?;
            Ok(())
        })
    }

    /// Asks first, so that nothing is written while there is nothing to do.
    pub(super) fn is_there(&self, rows: &str, parameters: impl rusqlite::Params) -> Result<bool, StoreError> {
        self.read(|connection| {
            Ok(connection.prepare_cached(&format!("SELECT EXISTS (SELECT 1 FROM {rows})"))?.query_row(parameters, |row| row.get(0))?)
        })
    }
}

fn told(connection: &Connection, hub: &str) -> Result<Option<u64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT generation FROM pings WHERE hub = ?1")?;
    Ok(statement.query_row([hub], |row| row.get(0)).optional()?)
}

/// Why a request is not taken. Who is subscribed may always renew or end that.
fn refusal(transaction: &Transaction<'_>, intent: &Intent, host: &str, limits: HubLimits) -> Result<Option<Taken>, StoreError> {
    let count = |sql: &str, parameters: &[&dyn rusqlite::ToSql]| -> Result<usize, StoreError> {
        Ok(transaction.prepare_cached(sql)?.query_row(parameters, |row| row.get(0))?)
    };
    let pair: [&dyn rusqlite::ToSql; 2] = [&intent.topic, &intent.callback];
    let is_asked = count("SELECT count(*) FROM intents WHERE topic = ?1 AND callback = ?2", &pair)? > 0;
    if !is_asked && count("SELECT count(*) FROM intents", &[])? >= limits.intents {
        return Ok(Some(Taken::Busy));
    }
    let is_known = count("SELECT count(*) FROM subscriptions WHERE topic = ?1 AND callback = ?2", &pair)? > 0;
    if is_known || is_asked {
        return Ok(None);
    }
    if intent.mode == Mode::Unsubscribe {
        return Ok(Some(Taken::Unknown));
    }
    if count("SELECT (SELECT count(*) FROM subscriptions) + (SELECT count(*) FROM intents)", &[])? >= limits.subscriptions {
        return Ok(Some(Taken::Full));
    }
    let of_host = "SELECT (SELECT count(*) FROM subscriptions WHERE host = ?1) + (SELECT count(*) FROM intents WHERE host = ?1)";
    Ok((count(of_host, &[&host])? >= limits.of_host).then_some(Taken::HostFull))
}

fn subscribe(transaction: &Transaction<'_>, intent: &Intent, now: Time) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO subscriptions (topic, callback, host, secret, lease_ends) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (topic, callback) DO UPDATE SET secret = excluded.secret, lease_ends = excluded.lease_ends",
        )?
        .execute((
            &intent.topic,
            &intent.callback,
            host(intent),
            intent.secret.as_ref().map(Secret::reveal),
            (now + intent.lease).timestamp(),
        ))?;
    Ok(())
}

/// Whose callback it is.
fn host(intent: &Intent) -> String {
    Url::parse(&intent.callback).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn expire(transaction: &Transaction<'_>, now: Time) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM subscriptions WHERE lease_ends <= ?1")?.execute([now.timestamp()])?;
    Ok(())
}

fn put_off(transaction: &Transaction<'_>, subscription: i64, due: Time) -> Result<(), StoreError> {
    transaction.prepare_cached("UPDATE deliveries SET due = ?2 WHERE subscription = ?1")?.execute((subscription, due.timestamp()))?;
    Ok(())
}

fn intent(row: &Row<'_>) -> Result<Intent, StoreError> {
    let mode: String = row.get(2)?;
    Ok(Intent {
        mode: Mode::from_name(&mode).ok_or(StoreError::Corrupt(mode))?,
        topic: row.get(0)?,
        callback: row.get(1)?,
        secret: row.get::<_, Option<String>>(3)?.and_then(Secret::new),
        lease: TimeDelta::seconds(row.get(4)?),
    })
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        subscription: row.get("id")?,
        topic: row.get("topic")?,
        callback: row.get("callback")?,
        secret: row.get::<_, Option<String>>("secret")?.and_then(Secret::new),
        document: row.get("document")?,
        sent: row.get("sent")?,
        tries: row.get("tries")?,
        failing_since: row.get::<_, Option<i64>>("failing_since")?.map(time),
    })
}
