//! Sources: added, taken by the poller, failed, removed.

use std::collections::HashMap;

use chrono::TimeDelta;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use tokio::sync::oneshot::Receiver;

use super::hosts::{by_former_url, give_back_of, put_off, take_of};
use super::revive::{DROPPED, HAS_PUBLIC, PUBLIC};
use super::taxonomy::move_slug;
use super::terms::{TermId, find, make};
use super::together::Keep;
use super::{Change, Sqlite, StoreError, files, health, time};
use crate::model::{Host, Kind, Memory, NewSource, Policy, Slug, Source, SourceId, SourceKind, SourceSettings, SourceStatus, Time};
use crate::store::Lease;

/// How long a new source is left to who added it.
const FIRST_LEASE: TimeDelta = TimeDelta::minutes(10);

/// What [`source`] reads, by position: to look for 25 names in each row takes longer than all else.
const COLUMNS: &str = "s.id, s.kind, s.location, t.slug, s.first_slug, t.name, s.settings, s.info, s.created, s.first_read, s.last_read,
    s.last_good, s.due, s.failures, s.failing_since, s.error, t.articles, s.problems, s.repairs, s.hints, max(h.taken_until, h.rests_until),
    s.redirect, s.redirects, s.not_before, s.leased_until";

/// Reads sources; `tail` is the end of the statement.
fn sources(connection: &Connection, tail: &str, parameters: impl rusqlite::Params) -> Result<Vec<Source>, StoreError> {
    let from = "FROM sources s JOIN terms t ON t.id = s.term LEFT JOIN hosts h ON h.name = s.host";
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} {from} {tail}"))?;
    statement.query_and_then(parameters, source)?.collect()
}

/// One source by its number.
pub(super) fn by_id(connection: &Connection, id: i64) -> Result<Source, StoreError> {
    sources(connection, "WHERE s.id = ?1", [id])?.pop().ok_or_else(|| StoreError::Corrupt(format!("source {id} is not there")))
}

fn source(row: &Row<'_>) -> Result<Source, StoreError> {
    let kind = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
    let at = |place: usize| row.get::<_, Option<i64>>(place).map(|seconds| seconds.map(time));
    Ok(Source {
        id: SourceId(row.get(0)?),
        kind: SourceKind::from_name(kind).ok_or_else(|| StoreError::Corrupt(kind.to_owned()))?,
        location: row.get(2)?,
        slug: Slug::from_canonical(row.get::<_, String>(3)?),
        first_slug: Slug::from_canonical(row.get::<_, String>(4)?),
        title: row.get(5)?,
        settings: json(row, 6)?,
        info: json(row, 7)?,
        status: SourceStatus {
            created: time(row.get(8)?),
            first_read: at(9)?,
            last_read: at(10)?,
            last_good: at(11)?,
            due: at(12)?,
            failures: row.get(13)?,
            failing_since: at(14)?,
            error: row.get(15)?,
            articles: row.get(16)?,
            problems: json(row, 17)?,
            repairs: json(row, 18)?,
            hints: json(row, 19)?,
            taken_until: time(row.get(24)?),
            host_free: at(20)?,
            not_before: at(23)?,
            redirect: row.get::<_, Option<String>>(21)?.map(|to| Ok::<_, StoreError>((to, row.get(22)?))).transpose()?,
        },
    })
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, place: usize) -> Result<T, StoreError> {
    Ok(serde_json::from_str(row.get_ref(place)?.as_str().map_err(rusqlite::Error::from)?)?)
}

impl Sqlite {
    pub(in crate::store) fn add_source(&self, new: &NewSource, policy: &Policy, now: Time) -> Result<(Source, bool), StoreError> {
        let (id, found) = self.write(|transaction| add(&mut Change::begin(transaction, now)?, new))?;
        if found == Found::Removed {
            self.revive(id, new, policy, now)?;
        }
        self.read(|connection| by_id(connection, id)).map(|source| (source, found != Found::Known))
    }

    /// Adds sources that are due in their time, those that were removed after the others; gives how many.
    pub(in crate::store) fn add_sources(&self, sources: &[(NewSource, Time)], policy: &Policy, now: Time) -> Result<usize, StoreError> {
        let (added, removed) = self.write(|transaction| {
            let mut change = Change::begin(transaction, now)?;
            let (mut added, mut removed) = (0, Vec::<(i64, &NewSource, Time)>::new());
            for (new, due) in sources {
                match add(&mut change, new)? {
                    (id, Found::Nothing) => {
                        put_off(transaction, id, *due)?;
                        added += 1;
                    }
                    // Two of its addresses may stand in the list.
                    (id, Found::Removed) if removed.iter().all(|(other, ..)| *other != id) => removed.push((id, new, *due)),
                    _ => {}
                }
            }
            Ok((added, removed))
        })?;
        for (id, new, due) in &removed {
            self.revive(*id, new, policy, now)?;
            self.put_off(SourceId(*id), *due)?;
        }
        Ok(added + removed.len())
    }

    pub(in crate::store) fn sources(&self) -> Result<Vec<Source>, StoreError> {
        self.read(|connection| sources(connection, "WHERE s.removed IS NULL ORDER BY t.slug", []))
    }

    pub(in crate::store) fn folders(&self) -> Result<Vec<Source>, StoreError> {
        self.read(|connection| sources(connection, "WHERE s.removed IS NULL AND s.kind = 'folder' ORDER BY t.slug", []))
    }

    pub(in crate::store) fn source(&self, name: &str) -> Result<Option<Source>, StoreError> {
        self.named(name, "s.removed IS NULL")
    }

    pub(in crate::store) fn removable(&self, name: &str) -> Result<Option<Source>, StoreError> {
        self.named(name, &format!("(s.removed IS NULL OR {HAS_PUBLIC})"))
    }

    /// The source that a name leads to, among those of which something holds.
    fn named(&self, name: &str, holds: &str) -> Result<Option<Source>, StoreError> {
        let slug = Slug::from_name(name);
        let tail = format!(
            "WHERE {holds} AND (s.location = ?1 OR s.term = ?2 OR s.id = (SELECT source FROM former_urls WHERE url = ?1))
             ORDER BY s.removed IS NULL, s.location != ?1 DESC"
        );
        self.read(|connection| {
            let term = find(connection, Kind::Source, &slug)?.map(|known| known.id);
            Ok(sources(connection, &tail, (name, term))?.pop())
        })
    }

    pub(in crate::store) fn edit_source(
        &self,
        id: SourceId,
        settings: &SourceSettings,
        slug: Option<&Slug>,
        policy: &Policy,
        now: Time,
    ) -> Result<(Source, usize), StoreError> {
        let term = self.write(|transaction| resettle(transaction, id.0, settings, slug, now))?;
        let articles = self.numbers("SELECT id FROM articles WHERE source = ?1 AND gone IN (?2, ?3)", (id.0, PUBLIC, DROPPED))?;
        let changed = self.sort_again(&articles, policy, now)?.max(self.restamp(term, policy, now)?);
        self.read(|connection| by_id(connection, id.0)).map(|source| (source, changed))
    }

    pub(in crate::store) fn claim(&self, now: Time, limit: usize, lease: Lease) -> Result<Vec<Source>, StoreError> {
        // Of each host those that wait for longest.
        let due = "SELECT id FROM
                (SELECT s.id, s.due, row_number() OVER (PARTITION BY ifnull(s.host, s.id) ORDER BY s.due) AS place
                 FROM sources s LEFT JOIN hosts h ON h.name = s.host
                 WHERE s.removed IS NULL AND s.due <= ?1 AND s.leased_until <= ?1 AND ifnull(max(h.taken_until, h.rests_until), 0) <= ?1)
             WHERE place <= ?3 ORDER BY due LIMIT ?2";
        let ids: Vec<i64> = self.read(|connection| {
            let mut statement = connection.prepare_cached(due)?;
            let rows = statement.query_map((now.timestamp(), limit, lease.run), |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })?;
        if ids.is_empty() { Ok(Vec::new()) } else { self.claim_of(&ids.into_iter().map(SourceId).collect::<Vec<_>>(), now, lease) }
    }

    /// Takes those of some sources that are due and that nobody else has, a run of each host that may be asked; gives them as
    /// they were. One that wants the texts of its articles' pages ends its run, since they may be at the same host. Until they
    /// were read they are due when the lease is over, or later: a process that dies with it leaves nothing behind. A machine
    /// that dies may forget who took them, which is nobody any more.
    pub(in crate::store) fn claim_of(&self, ids: &[SourceId], now: Time, lease: Lease) -> Result<Vec<Source>, StoreError> {
        self.write_lazily(|transaction| {
            let mut statement = transaction.prepare_cached(
                "UPDATE sources SET leased_until = ?3, due = max(due, CASE kind WHEN 'feed' THEN max(?3, ?4) ELSE ?3 END)
                 WHERE id = ?1 AND removed IS NULL AND (?6 OR due <= ?2) AND leased_until <= ?2
                    AND (?5 OR NOT EXISTS (SELECT 1 FROM hosts WHERE name = host AND max(taken_until, rests_until) > ?2))",
            )?;
            let mut before = transaction.prepare_cached("SELECT host, due FROM sources WHERE id = ?1")?;
            let (mut taken, mut runs) = (Vec::new(), HashMap::<String, usize>::new());
            let (until, again) = (now + lease.time, now + lease.again);
            for id in ids {
                let before = before.query_row([id.0], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?))).optional()?;
                let (host, due): (Option<String>, _) = before.unwrap_or_default();
                // Where a run is one source nothing goes on.
                let length = host.filter(|_| lease.run > 1).map(|host| runs.entry(host).or_default());
                let goes_on = length.as_ref().is_some_and(|length| (1..lease.run).contains(*length));
                if statement.execute((id.0, now.timestamp(), until.timestamp(), again.timestamp(), goes_on, lease.is_forced))? == 1 {
                    if !goes_on {
                        take_of(transaction, id.0, until)?;
                    }
                    let mut source = by_id(transaction, id.0)?;
                    source.status.due = due.map(time);
                    if let Some(length) = length {
                        *length = if source.settings.full_text { lease.run } else { *length + 1 };
                    }
                    taken.push(source);
                }
            }
            Ok(taken)
        })
    }

    pub(in crate::store) fn give_back(&self, sources: &[(SourceId, Option<Time>)], now: Time) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "UPDATE sources SET due = CASE WHEN due < leased_until THEN due ELSE ?2 END, leased_until = 0 WHERE id = ?1 AND removed IS NULL",
            )?;
            for (source, due) in sources {
                give_back_of(transaction, source.0, now)?;
                statement.execute((source.0, due.map(|due| due.timestamp())))?;
            }
            Ok(())
        })
    }

    pub(in crate::store) fn mark_due(&self, source: SourceId, now: Time) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut statement = transaction
                .prepare_cached("UPDATE sources SET due = ?2 WHERE id = ?1 AND removed IS NULL AND (due IS NULL OR due > ?2)")?;
            statement.execute((source.0, now.timestamp()))?;
            Ok(())
        })
    }

    pub(in crate::store) fn release(&self, sources: &[SourceId], now: Time) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut statement =
                transaction.prepare_cached("UPDATE sources SET due = ?2, leased_until = 0 WHERE id = ?1 AND removed IS NULL")?;
            for source in sources {
                give_back_of(transaction, source.0, now)?;
                statement.execute((source.0, now.timestamp()))?;
            }
            Ok(())
        })
    }

    pub(in crate::store) fn memory(&self, source: SourceId) -> Result<Memory, StoreError> {
        self.read(|connection| memory(connection, source))
    }

    pub(in crate::store) fn fail(&self, source: SourceId, error: String, due: Option<Time>, now: Time) -> Receiver<Result<(), StoreError>> {
        self.queue(0, Keep::Lazily, move |transaction, _| {
            let mut statement = transaction.prepare_cached(
                "UPDATE sources SET failures = failures + 1, failing_since = ifnull(failing_since, ?2), error = ?3, last_read = ?2, due = ?4, leased_until = 0,
                    redirect = NULL, redirects = 0 WHERE id = ?1",
            )?;
            statement.execute((source.0, now.timestamp(), &error, due.map(|due| due.timestamp())))?;
            health::failed(transaction, &by_id(transaction, source.0)?, &error, now)
        })
    }
}

/// What was remembered of a source's last reading.
pub(super) fn memory(connection: &Connection, source: SourceId) -> Result<Memory, StoreError> {
    let (etag, last_modified, read_with) = connection
        .prepare_cached("SELECT etag, last_modified, read_with FROM sources WHERE id = ?1")?
        .query_row([source.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(Memory { etag, last_modified, read_with, files: files::all(connection, source.0)? })
}

/// Whether so many articles are all that is stored of a source. To count them would take longer with each.
pub(super) fn has_just(connection: &Connection, source: i64, articles: usize) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT t.articles = ?2 AND NOT EXISTS (SELECT 1 FROM articles WHERE source = ?1 AND gone > ?3)
         FROM sources s JOIN terms t ON t.id = s.term WHERE s.id = ?1",
    )?;
    Ok(statement.query_row((source, articles, PUBLIC), |row| row.get(0))?)
}

/// What stood at the address of a source that is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    Known,
    Removed,
}

/// Adds a source if nothing is at its address; gives its number.
fn add(change: &mut Change<'_>, new: &NewSource) -> Result<(i64, Found), StoreError> {
    let known = change
        .transaction
        .prepare_cached("SELECT id, removed IS NOT NULL FROM sources WHERE kind = ?1 AND location = ?2")?
        .query_row((new.kind.name(), &new.location), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?)))
        .optional()?;
    match known.map_or_else(|| by_former_url(change.transaction, new), |known| Ok(Some(known)))? {
        Some((id, was_removed)) => Ok((id, if was_removed { Found::Removed } else { Found::Known })),
        None => insert(change, new).map(|id| (id, Found::Nothing)),
    }
}

fn insert(change: &mut Change<'_>, new: &NewSource) -> Result<i64, StoreError> {
    let title = new.settings.title.as_ref().unwrap_or(&new.title);
    let wished = new.slug.clone().unwrap_or_else(|| Slug::from_name(title));
    let slug = free_slug(change.transaction, &wished)?;
    let term = make(change, Kind::Source, &slug, title)?;
    let due = first_due(new, change.now);
    change
        .transaction
        .prepare_cached(
            "INSERT INTO sources (kind, location, first_slug, term, title, settings, info, created, due, leased_until, host)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, '{}', ?7, ?8, ifnull(?8, 0), ?9)",
        )?
        .execute((
            new.kind.name(),
            &new.location,
            slug.as_str(),
            term,
            &new.title,
            serde_json::to_string(&new.settings)?,
            change.now.timestamp(),
            due,
            new.kind.host_of(&new.location).as_ref().map(Host::as_str),
        ))?;
    Ok(change.transaction.last_insert_rowid())
}

/// Gives a source new settings and maybe another slug; gives its term. Its articles are to be sorted again after that.
pub(super) fn resettle(
    transaction: &Transaction<'_>,
    id: i64,
    settings: &SourceSettings,
    slug: Option<&Slug>,
    now: Time,
) -> Result<TermId, StoreError> {
    let source = by_id(transaction, id)?;
    let mut change = Change::begin(transaction, now)?;
    let term = find(transaction, Kind::Source, &source.slug)?.ok_or_else(|| StoreError::Corrupt(source.slug.to_string()))?;
    let is_moved = slug.map_or(Ok(false), |slug| move_slug(&mut change, Kind::Source, &term, slug))?;
    settle(&mut change, &source, settings, is_moved)?;
    Ok(term.id)
}

/// Writes new settings, and what of them stands in every article of the source.
fn settle(change: &mut Change<'_>, source: &Source, settings: &SourceSettings, is_moved: bool) -> Result<(), StoreError> {
    let transaction = change.transaction;
    let (old, now) = (&source.settings, change.now.timestamp());
    let added_as: String =
        transaction.prepare_cached("SELECT title FROM sources WHERE id = ?1")?.query_row([source.id.0], |row| row.get(0))?;
    let title = settings.title.as_ref().or(source.info.title.as_ref()).filter(|title| !title.is_empty()).unwrap_or(&added_as);
    if old != settings {
        transaction
            .prepare_cached("UPDATE sources SET settings = ?2 WHERE id = ?1")?
            .execute((source.id.0, serde_json::to_string(settings)?))?;
    }
    if is_moved || *title != source.title || old.base_url != settings.base_url || old.private != settings.private {
        let generation = change.generation()?;
        transaction
            .prepare_cached(
                "UPDATE terms SET name = ?2, modified = max(modified, ?3), generation = ?4, restamp = ?4 WHERE id = (SELECT term FROM sources WHERE id = ?1)",
            )?
            .execute((source.id.0, title, now, generation))?;
    }
    if (old.timezone, &old.base_url, &old.encoding, old.full_text)
        != (settings.timezone, &settings.base_url, &settings.encoding, settings.full_text)
    {
        // A folder is read at once; a feed when it may be asked again, and then whole.
        transaction
            .prepare_cached(
                "UPDATE sources SET read_with = NULL, etag = NULL, last_modified = NULL, due = CASE kind WHEN 'folder' THEN min(due, ?2) ELSE due END
                 WHERE id = ?1",
            )?
            .execute((source.id.0, now))?;
    }
    Ok(())
}

/// Whoever adds a source reads it: until the lease is over nobody else does, so that adding a feed asks for it once.
pub(super) fn first_due(new: &NewSource, now: Time) -> Option<i64> {
    (new.kind != SourceKind::Inbox).then(|| (now + FIRST_LEASE).timestamp())
}

/// The slug itself, or one of `-2`, `-3`, … that no source has or had: the first, where none between was taken by hand. A
/// host may have thousands, so not each is looked at.
fn free_slug(connection: &Connection, wished: &Slug) -> Result<Slug, StoreError> {
    let numbered = |number: u64| if number < 2 { wished.clone() } else { Slug::from_name(&format!("{wished}-{number}")) };
    let is_taken = |number| Ok::<_, StoreError>(find(connection, Kind::Source, &numbered(number))?.is_some());
    let (mut taken, mut free) = (0, 1);
    while is_taken(free)? {
        (taken, free) = (free, free * 2);
    }
    while free - taken > 1 {
        let middle = taken.midpoint(free);
        *(if is_taken(middle)? { &mut taken } else { &mut free }) = middle;
    }
    Ok(numbered(free))
}
