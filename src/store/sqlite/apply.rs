//! Storing one reading of a source: recognises each article, carries out what `decide` says, withdraws what is absent.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use rusqlite::{Transaction, named_params, params};
use tokio::sync::oneshot::Receiver;

use super::finish::finish;
use super::naming::{Identity, Namer, is_taken};
use super::ready::{Made, Maker, Ready};
use super::recognise::{Known, Recogniser};
use super::rest::write_rest;
use super::revive::{CHUNK, DROPPED, turn, withdraw};
use super::sort::{Sorter, ruled};
use super::terms::{Names, Touched};
use super::together::Keep;
use super::{Change, Sqlite, StoreError, files, lookups, sources, terms, waiting};
use crate::model::{Applied, Article, Batch, Extent, FileState, Language, Policy, Source, SourceId, SourceKind, SourceSettings, Time};
use crate::store::decide;

impl Sqlite {
    /// Gets a reading ready to be stored: all that needs no lock, so that several can be made ready at once.
    pub(in crate::store) fn prepare(
        &self,
        id: SourceId,
        mut batch: Batch,
        due: Option<Time>,
        policy: &Arc<Policy>,
        now: Time,
    ) -> Result<Box<Reading>, StoreError> {
        self.read(|connection| {
            let source = sources::by_id(connection, id.0)?;
            let articles = decide::in_order_of_listing(std::mem::take(&mut batch.articles), source.status.first_read.is_none(), now);
            let mut reading = Reading::new(source, batch, due, &articles, policy, now);
            reading.maker.aliases = Arc::new(terms::aliases_for(connection, policy)?);
            if articles.len() <= CHUNK {
                reading.ready = reading.maker.made_ready(connection, articles)?;
            } else {
                reading.articles = articles;
            }
            Ok(Box::new(reading))
        })
    }

    /// Lines up a reading that one transaction can store; gives it back if it is too large.
    pub(in crate::store) fn queue_reading(&self, mut reading: Box<Reading>) -> Result<Receiver<Result<Applied, StoreError>>, Box<Reading>> {
        if !reading.articles.is_empty() || reading.batch.extent != Extent::Partial {
            return Err(reading);
        }
        let keep = if reading.source.kind == SourceKind::Inbox { Keep::Surely } else { Keep::Lazily };
        Ok(self.queue(reading.ready.len(), keep, move |transaction, names| {
            reading.recogniser.begin_again();
            reading.dropped.clear();
            let ready = std::mem::take(&mut reading.ready);
            let mut applied = Applied::default();
            std::mem::swap(names, &mut reading.names);
            let stored = reading.store(transaction, &ready, &mut applied).and_then(|()| reading.finish(transaction));
            std::mem::swap(names, &mut reading.names);
            reading.ready = ready;
            stored?;
            Ok(applied)
        }))
    }

    /// Lines up a reading of some files of a folder. `None`: they do not tell enough, and nothing is written.
    pub(in crate::store) fn queue_files(&self, mut reading: Box<Reading>) -> Receiver<Result<Option<Applied>, StoreError>> {
        self.queue(reading.ready.len(), Keep::Lazily, move |transaction, _| {
            let Extent::Files(paths) = &reading.batch.extent else { return Ok(None) };
            if !reading.articles.is_empty() {
                return Ok(None);
            }
            let before = files::at(transaction, reading.source.id.0, paths)?;
            let (ready, mut applied) = (std::mem::take(&mut reading.ready), Applied::default());
            let stored = reading.store_files(transaction, &before, &ready, &mut applied);
            reading.ready = ready;
            Ok(stored?.then_some(applied))
        })
    }

    /// Stores a reading of any size, in chunks; while one is written the next is made ready.
    pub(in crate::store) fn apply(&self, mut reading: Box<Reading>) -> Result<Applied, StoreError> {
        let mut articles = std::mem::take(&mut reading.articles).into_iter().peekable();
        let chunks = std::iter::once(std::mem::take(&mut reading.ready));
        let mut applied = Applied::default();
        let maker = reading.maker.clone();
        std::thread::scope(|scope| {
            let (sender, chunks_made) = std::sync::mpsc::sync_channel(0);
            scope.spawn(move || {
                while articles.peek().is_some() {
                    let chunk: Vec<Article> = articles.by_ref().take(CHUNK).collect();
                    let ready = self.read(|connection| maker.made_ready(connection, chunk));
                    if sender.send(ready).is_err() {
                        return;
                    }
                }
            });
            for ready in chunks.map(Ok).chain(chunks_made) {
                let ready = ready?;
                if !ready.is_empty() {
                    // What of it is lost with the machine's power is read again: only its end says that it was read.
                    self.write_lazily(|transaction| reading.store(transaction, &ready, &mut applied))?;
                }
            }
            Ok::<_, StoreError>(())
        })?;
        if reading.batch.extent == Extent::Complete {
            for absent in self.read(|connection| reading.recogniser.gone(connection))?.chunks(CHUNK) {
                self.write(|transaction| withdraw(transaction, absent, reading.now))?;
                applied.withdrawn += absent.len();
            }
        }
        // Who came in between has seen its articles before it said what it is.
        reading.has_all = false;
        self.write(|transaction| reading.finish(transaction))?;
        Ok(applied)
    }
}

/// One reading of a source, on its way into the store.
pub(in crate::store) struct Reading {
    source: Arc<Source>,
    maker: Maker,
    /// All that was read but its articles.
    batch: Batch,
    due: Option<Time>,
    now: Time,
    /// Its articles in the order of their listing: of a small reading ready, else as they were read.
    ready: Vec<Ready>,
    articles: Vec<Article>,
    recogniser: Recogniser,
    /// All that is stored of the source came with this reading: nothing needs to be recognised.
    has_all: bool,
    /// The source was given other settings since its articles were made ready.
    is_edited: bool,
    /// The guids of articles that a rule dropped.
    dropped: HashSet<String>,
    /// The terms that its articles had so far.
    names: Names,
}

impl Reading {
    fn new(source: Source, batch: Batch, due: Option<Time>, articles: &[Article], policy: &Arc<Policy>, now: Time) -> Self {
        let of_files = batch.memory.files.iter().filter_map(|file| file.guid.clone());
        let present = articles.iter().map(|article| article.guid.clone()).chain(of_files).collect();
        let info = batch.info.clone().unwrap_or_else(|| source.info.clone());
        let source = Arc::new(source);
        let maker = Maker {
            source: Arc::clone(&source),
            namer: Arc::new(Namer::new(&source, &info)),
            info: Arc::new(info),
            is_first: source.status.first_read.is_none(),
            policy: Arc::clone(policy),
            aliases: Arc::default(),
            aside: batch.aside.clone(),
        };
        Self {
            recogniser: Recogniser::new(source.id.0, batch.extent == Extent::Complete, present),
            source,
            maker,
            batch,
            due,
            now,
            ready: Vec::new(),
            articles: Vec::new(),
            has_all: false,
            is_edited: false,
            dropped: HashSet::new(),
            names: Names::default(),
        }
    }

    fn store(&mut self, transaction: &Transaction<'_>, chunk: &[Ready], applied: &mut Applied) -> Result<(), StoreError> {
        if self.look_again(transaction)? {
            return Ok(());
        }
        self.has_all = self.maker.is_first && sources::has_just(transaction, self.source.id.0, self.recogniser.count())?;
        let mut change = Change::begin(transaction, self.now)?;
        let mut touched = Touched::knowing(std::mem::take(&mut self.names), &change);
        // Where nothing is stored nothing changes, and no row of a new article is asked for but what it is looked up by.
        if self.has_all {
            let wished = chunk.iter().filter_map(Ready::made).map(|made| &made.identity);
            let hashes: BTreeSet<_> = wished.flat_map(Identity::hashes).collect();
            change.gather(&hashes.into_iter().collect::<Vec<_>>())?;
        }
        let mut written = Vec::new();
        for ready in chunk {
            match ready {
                Ready::Known(id) => {
                    applied.unchanged += 1;
                    self.recogniser.note(*id);
                }
                Ready::Made(made) => written.extend(self.take(&mut change, &mut touched, made, applied)?),
            }
        }
        change.write_rows()?;
        if self.is_edited {
            let mut sorter = Sorter::new(&self.maker.policy);
            written.into_iter().try_for_each(|id| sorter.again(&mut change, &mut touched, id).map(drop))?;
        }
        self.names = touched.write(&mut change)?;
        if change.is_taken {
            waiting::settle(transaction, chunk.len())?;
        }
        Ok(())
    }

    /// Stores what some files of a folder say, and withdraws what they no longer have; says whether they told enough.
    fn store_files(
        &mut self,
        transaction: &Transaction<'_>,
        before: &[FileState],
        ready: &[Ready],
        applied: &mut Applied,
    ) -> Result<bool, StoreError> {
        self.recogniser.begin_again();
        self.dropped.clear();
        let may_drop = self.maker.policy.rules.iter().any(|rule| rule.then.drop);
        if self.look_again(transaction)? || !files::tell_enough(transaction, self.source.id.0, (before, &self.batch), ready, may_drop)? {
            return Ok(false);
        }
        self.store(transaction, ready, applied)?;
        let absent = self.recogniser.absent_of(transaction, before)?;
        withdraw(transaction, &absent, self.now)?;
        applied.withdrawn += absent.len();
        self.finish(transaction)?;
        Ok(true)
    }

    fn finish(&mut self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        // What was not stored must not be remembered as read.
        if self.look_again(transaction)? {
            return Ok(());
        }
        self.forget_dropped();
        let mut change = Change::begin(transaction, self.now)?;
        finish(&mut change, &self.source, &self.batch, self.due, self.has_all)?;
        self.names.follow(&change);
        Ok(())
    }

    /// What a rule drops is read again, so that it comes in when the rule goes: a file each time, a feed once the rules differ.
    fn forget_dropped(&mut self) {
        if self.source.kind == SourceKind::Feed && (!self.dropped.is_empty() || !self.batch.is_push) {
            self.batch.memory.read_with = (!self.dropped.is_empty()).then(|| self.maker.policy.drops());
        }
        self.batch.memory.files.retain(|file| !file.guid.as_ref().is_some_and(|guid| self.dropped.contains(guid)));
    }

    /// Looks at the source as it is now; says whether it was removed. If it was edited its new settings count from here on, and
    /// what it says is asked for once more, since it was read by those before.
    fn look_again(&mut self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let mut statement = transaction.prepare_cached("SELECT removed IS NOT NULL, settings FROM sources WHERE id = ?1")?;
        let (is_removed, settings): (bool, String) = statement.query_row([self.source.id.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if serde_json::from_str::<SourceSettings>(&settings)? != self.source.settings {
            self.source = Arc::new(sources::by_id(transaction, self.source.id.0)?);
            self.is_edited = true;
        }
        if self.is_edited {
            (self.batch.memory.etag, self.batch.memory.last_modified) = (None, None);
        }
        Ok(is_removed)
    }

    fn take(
        &mut self,
        change: &mut Change<'_>,
        touched: &mut Touched,
        made: &Made,
        applied: &mut Applied,
    ) -> Result<Option<i64>, StoreError> {
        let known = if self.has_all { None } else { self.recogniser.recognise(change.transaction, &made.article, &made.fingerprint)? };
        // Some feeds give their items other guids each time: nothing that is published depends on those.
        let is_same = |known: &&Known| match self.source.kind {
            SourceKind::Feed => known.has(&made.article, &made.fingerprint),
            _ => known.is(&made.article, &made.fingerprint),
        };
        if let Some(known) = known.as_ref().filter(is_same) {
            known.rename(change.transaction, &self.source, &made.article.guid)?;
            applied.unchanged += 1;
            self.recogniser.note(known.id);
            return Ok(None);
        }
        if made.verdict.drop {
            applied.dropped += 1;
            if let Some(known) = known.filter(|known| known.is_public) {
                turn(change, touched, known.id, DROPPED)?;
            }
            self.dropped.insert(made.article.guid.clone());
            return Ok(None);
        }
        let id = match known {
            Some(known) => {
                applied.updated += 1;
                self.update(change, touched, &known, made)?
            }
            None => {
                applied.added += 1;
                self.insert(change, touched, made)?
            }
        };
        self.recogniser.note(id);
        Ok(Some(id))
    }

    fn insert(&self, change: &mut Change<'_>, touched: &mut Touched, made: &Made) -> Result<i64, StoreError> {
        let article = &made.article;
        let listed = decide::listed(article.published, self.maker.is_first, self.now).timestamp();
        let link = decide::link(&article.link, |link| is_taken(change, link, None))?;
        let own = self.maker.namer.free(change, article, link.as_deref(), &made.identity)?;
        let generation = change.generation()?;
        // By position: to look up as many names takes a good part of the time.
        change
            .transaction
            .prepare_cached(
                "INSERT INTO articles (source, guid, key, public_id, listed, discovered, link, link_key, title, language, translation_key, in_menu,
                    published, updated, fingerprint, details, ruled, changed, generation)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?6, ?18)",
            )?
            .execute(params![
                self.source.id.0,
                article.guid,
                own.key.as_str(),
                own.public_id,
                listed,
                self.now.timestamp(),
                link,
                own.link_key,
                made.title,
                made.sorted.language.as_ref().map(Language::as_str),
                article.translation_key,
                !article.page.menus.is_empty(),
                article.published.map(|time| time.timestamp()),
                article.updated.map(|time| time.timestamp()),
                made.fingerprint,
                made.details,
                ruled(&made.verdict)?,
                generation,
            ])?;
        let id = change.transaction.last_insert_rowid();
        lookups::note(change, id, own.hashes())?;
        write_rest(change, touched, id, made, own.link_key, None)
    }

    fn update(&self, change: &mut Change<'_>, touched: &mut Touched, known: &Known, made: &Made) -> Result<i64, StoreError> {
        let article = &made.article;
        let link = decide::link(&article.link, |link| {
            Ok::<_, StoreError>(known.link.as_deref() != Some(link) && is_taken(change, link, Some(known.id))?)
        })?;
        let link_key = link.as_deref().and_then(decide::link_key);
        let link_key_before = known.link.as_deref().and_then(decide::link_key);
        if link_key != link_key_before {
            lookups::note(change, known.id, link_key)?;
            link_key_before.map_or(Ok(()), |before| lookups::forget(change.transaction, known.id, before))?;
        }
        known.rename(change.transaction, &self.source, &article.guid)?;
        let generation = change.generation()?;
        change
            .transaction
            .prepare_cached(
                "UPDATE articles SET link = :link, link_key = :link_key, title = :title, language = :language,
                    translation_key = :translation_key, in_menu = :in_menu, published = :published, updated = :updated,
                    fingerprint = :fingerprint, details = :details, ruled = :ruled, changed = :changed, generation = :generation, gone = 0
                 WHERE id = :id",
            )?
            .execute(named_params! {
                ":link_key": link_key,
                ":link": link,
                ":title": made.title,
                ":language": made.sorted.language.as_ref().map(Language::as_str),
                ":translation_key": article.translation_key,
                ":in_menu": !article.page.menus.is_empty(),
                ":published": article.published.map(|time| time.timestamp()),
                ":updated": article.updated.map(|time| time.timestamp()),
                ":fingerprint": made.fingerprint,
                ":details": made.details,
                ":ruled": ruled(&made.verdict)?,
                ":changed": self.now.timestamp(),
                ":generation": generation,
                ":id": known.id,
            })?;
        write_rest(change, touched, known.id, made, link_key, Some(known))
    }
}
