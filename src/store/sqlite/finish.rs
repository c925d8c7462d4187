//! The end of a reading: what is known only once all of it is stored.

use std::borrow::Cow;

use rusqlite::Transaction;
use tokio::sync::oneshot::Receiver;

use super::terms::describe;
use super::together::Keep;
use super::{Change, Sqlite, StoreError, files, health, pushes, sources, story};
use crate::model::{Applied, Batch, Extent, Problem, Source, SourceId, SourceInfo, Time};

impl Sqlite {
    /// Lines up a reading that brought no article, which needs nothing made ready.
    pub(in crate::store) fn queue_nothing_new(
        &self,
        id: SourceId,
        batch: Batch,
        due: Option<Time>,
        now: Time,
    ) -> Receiver<Result<Applied, StoreError>> {
        self.queue(0, Keep::Lazily, move |transaction, _| {
            finish_unchanged(transaction, id, &batch, due, now)?;
            Ok(Applied::default())
        })
    }
}

/// What is known once a reading is stored whole: the source's own words, validators, files, and when it is due. A source
/// that became due again while it was taken stays so: what changed may have come too late for this reading. `is_all`: it has no
/// articles but those of this reading.
pub(super) fn finish(change: &mut Change<'_>, source: &Source, batch: &Batch, due: Option<Time>, is_all: bool) -> Result<(), StoreError> {
    let (transaction, now) = (change.transaction, change.now);
    for term in &batch.terms {
        describe(change, term)?;
    }
    let id = source.id.0;
    match &batch.extent {
        Extent::Complete => files::write(transaction, id, &files::all(transaction, id)?, &batch.memory.files)?,
        Extent::Files(paths) => files::write(transaction, id, &files::at(transaction, id, paths)?, &batch.memory.files)?,
        Extent::Partial => files::write(transaction, id, &[], &batch.memory.files)?,
    }
    if let Some(info) = &batch.info {
        introduce(change, source, info, is_all)?;
        // What was not modified says nothing of hubs, and a hub says nothing of itself.
        if !batch.is_push {
            pushes::note_hub(transaction, source.id, batch.hub.as_ref(), now)?;
        }
    }
    health::answered(transaction, source, now)?;
    if !batch.is_push {
        health::follow_redirect(change, source, batch.moved_to.as_deref())?;
    }
    if let Some(hints) = &batch.hints {
        transaction.prepare_cached("UPDATE sources SET hints = ?2 WHERE id = ?1")?.execute((source.id.0, serde_json::to_string(hints)?))?;
    }
    // What is unchanged was not read, and keeps its remarks.
    if batch.hints.is_some() || !batch.articles.is_empty() || !batch.repairs.is_empty() {
        transaction
            .prepare_cached("UPDATE sources SET repairs = ?2 WHERE id = ?1")?
            .execute((source.id.0, serde_json::to_string(&batch.repairs)?))?;
    }
    answered(transaction, source.id, batch, &problems(source, batch), due, now)
}

/// The end of a reading that found nothing new: of a source that never failed nor moved, one row is all that changes.
pub(super) fn finish_unchanged(
    transaction: &Transaction<'_>,
    id: SourceId,
    batch: &Batch,
    due: Option<Time>,
    now: Time,
) -> Result<(), StoreError> {
    let says_more =
        batch.moved_to.is_some() || batch.info.is_some() || batch.hints.is_some() || !batch.terms.is_empty() || !batch.repairs.is_empty();
    if says_more || health::is_followed(transaction, id)? {
        let source = sources::by_id(transaction, id.0)?;
        return finish(&mut Change::begin(transaction, now)?, &source, batch, due, false);
    }
    answered(transaction, id, batch, &batch.problems, due, now)
}

/// A source answered: its validators, and when it is due. It stays without validators if they were taken back while it was asked,
/// and it said that nothing changed.
fn answered(
    transaction: &Transaction<'_>,
    id: SourceId,
    batch: &Batch,
    problems: &[Problem],
    due: Option<Time>,
    now: Time,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE sources SET etag = iif(?10 OR etag IS NOT NULL OR last_modified IS NOT NULL, ?2, NULL),
                last_modified = iif(?10 OR etag IS NOT NULL OR last_modified IS NOT NULL, ?3, NULL), read_with = ?7,
                not_before = CASE WHEN ?8 THEN not_before ELSE ?9 END, first_read = ifnull(first_read, ?4), last_read = ?4, last_good = ?4,
                due = CASE WHEN due < leased_until THEN due ELSE ?5 END,
                leased_until = 0, failures = 0, failing_since = NULL, error = NULL, problems = ?6 WHERE id = ?1",
        )?
        .execute((
            id.0,
            &batch.memory.etag,
            &batch.memory.last_modified,
            now.timestamp(),
            due.map(|due| due.timestamp()),
            serde_json::to_string(problems)?,
            &batch.memory.read_with,
            batch.is_push,
            batch.not_before.map(|time| time.timestamp()),
            batch.info.is_some() && !batch.is_push,
        ))?;
    Ok(())
}

/// What is wrong with the source's articles: where some files alone were read, that of the others stays.
fn problems<'a>(source: &Source, batch: &'a Batch) -> Cow<'a, [Problem]> {
    let Extent::Files(paths) = &batch.extent else { return Cow::Borrowed(&batch.problems) };
    let others = source.status.problems.iter().filter(|problem| !paths.contains(&problem.place));
    let mut problems: Vec<Problem> = others.chain(&batch.problems).cloned().collect();
    problems.sort_by(|a, b| a.place.cmp(&b.place));
    Cow::Owned(problems)
}

/// Stores what a source says of itself.
fn introduce(change: &mut Change<'_>, source: &Source, info: &SourceInfo, is_all: bool) -> Result<(), StoreError> {
    let title = source.settings.title.as_ref().or(info.title.as_ref()).filter(|title| !title.is_empty()).unwrap_or(&source.title);
    if *info == source.info && *title == source.title {
        return Ok(());
    }
    let (id, generation) = (source.id.0, change.generation()?);
    let run = |sql, parameters: &[&dyn rusqlite::ToSql]| change.transaction.prepare_cached(sql)?.execute(parameters);
    run("UPDATE sources SET info = ?2 WHERE id = ?1", &[&id, &serde_json::to_string(info)?])?;
    run("UPDATE terms SET name = ?2, generation = ?3 WHERE id = (SELECT term FROM sources WHERE id = ?1)", &[&id, title, &generation])?;
    // Articles that came now show it; a description, which some write anew each time, stands in none.
    let shown = |info: &SourceInfo| SourceInfo { description: None, ..info.clone() };
    if is_all || (shown(info) == shown(&source.info) && *title == source.title) {
        return Ok(());
    }
    show_anew(change, id)?;
    if *title == source.title { Ok(()) } else { story::tell_title(change, id) }
}

/// What a source says of itself stands in all of its entries: their terms are modified now, and what was made of them goes.
pub(super) fn show_anew(change: &mut Change<'_>, source: i64) -> Result<(), StoreError> {
    let generation = change.generation()?;
    change.transaction.prepare_cached("UPDATE sources SET shown_since = ?2 WHERE id = ?1")?.execute((source, generation))?;
    change
        .transaction
        .prepare_cached(
            "WITH own AS MATERIALIZED (SELECT id FROM articles WHERE source = ?1)
             DELETE FROM fragments WHERE id IN (SELECT own.id + (format.column1 << 40) FROM own, (VALUES (0), (1), (2)) format)",
        )?
        .execute([source])?;
    change
        .transaction
        .prepare_cached(
            "UPDATE terms SET modified = max(modified, ?2), generation = ?3
             WHERE id IN (SELECT m.term FROM articles a JOIN memberships m ON m.article = a.id WHERE a.source = ?1)",
        )?
        .execute((source, change.now.timestamp(), generation))?;
    Ok(())
}
