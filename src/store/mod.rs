//! Where articles rest. The store's promises: what it acknowledged survives a kill; `apply` can be repeated; readers
//! never wait for the writer; `generation` rises with every change of what is published and with nothing else, and a
//! process learns of another's changes by asking for it.
//!
//! Nothing outside this module knows which database it is; no operation takes or gives a connection, row or cursor.

mod decide;
mod error;
mod files;
mod fragments;
mod hub;
mod manners;
mod postings;
mod pushes;
mod sets;
mod sources;
mod sqlite;
mod taxonomy;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono_tz::Tz;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::crew::Crew;
use crate::model::{
    Applied, ArticleKey, Batch, Entry, Extent, Kind, Neighbours, Options, Page, Period, Policy, Selection, Sidebar, Slug, SourceId, Term,
    Time, Window,
};
pub use decide::{Foreseen, foresee};
pub use error::StoreError;
pub use files::Heading;
pub use fragments::Unmade;
pub use manners::{Busy, Habits, Lease};
use sqlite::Sqlite;
pub use taxonomy::{Judged, Reached, Ruling, TermError, TermRow, TermWords, Verb};

/// Readings that may be at work at once.
const READINGS: usize = 16;
/// Writings that may be at work at once: a short one goes between the transactions of a long one.
const WRITINGS: usize = 4;

/// What a look-up by name finds.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup<T> {
    /// It is there.
    Found(T),
    /// It has another name now: the selection under that name.
    Moved(Selection),
    /// It was there, and was withdrawn or deleted on purpose.
    Gone,
    /// It was never there.
    Missing,
}

/// The articles, their sources and their terms. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    backend: Backend,
    generation: Arc<AtomicU64>,
    indexed: Arc<AtomicU64>,
    /// Readings at work, each with a thread and a connection.
    readings: Arc<Crew>,
    /// Batches that are made ready.
    preparing: Arc<Crew>,
    /// Writings at work, one of them in a transaction; the others wait for their turn, and keep no reading waiting.
    writing: Arc<Crew>,
    /// The one that writes for all that wait.
    together: Arc<Crew>,
    id: Uuid,
    policy: Arc<Policy>,
}

#[derive(Debug, Clone)]
enum Backend {
    Sqlite(Arc<Sqlite>),
}

/// So many segments of about one size are made one when there is time for it, and so many at once.
const SEGMENTS: usize = 16;
const MOST_SEGMENTS: usize = 128;

impl Store {
    /// Opens a store, and makes it if it is not there.
    ///
    /// # Errors
    /// The URL is not understood, or the database cannot be opened.
    pub async fn open(url: &str, now: Time) -> Result<Self, StoreError> {
        let path = url.strip_prefix("sqlite:").map(|path| path.trim_start_matches("//")).filter(|path| !path.is_empty());
        let path = PathBuf::from(path.ok_or_else(|| StoreError::Url(url.to_owned()))?);
        let sqlite = tokio::task::spawn_blocking(move || Sqlite::open(path, now)).await.map_err(|_| StoreError::Interrupted)??;
        let store = Self {
            id: sqlite.id(),
            backend: Backend::Sqlite(Arc::new(sqlite)),
            generation: Arc::default(),
            indexed: Arc::default(),
            readings: Arc::new(Crew::new("store", READINGS)),
            preparing: Arc::new(Crew::of_cores("preparing")),
            writing: Arc::new(Crew::new("store", WRITINGS)),
            together: Arc::new(Crew::new("writing", 1)),
            policy: Arc::default(),
        };
        store.follow().await?;
        Ok(store)
    }

    /// The same store, with the owner's rules for articles that come in.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy: Arc::new(policy), ..self }
    }

    fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy)
    }

    /// The id of this store: part of the ids of its feeds, for ever.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// The generation that this process last knew.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Asks for the generation, which another process may have raised.
    ///
    /// # Errors
    /// The database failed.
    pub async fn follow(&self) -> Result<u64, StoreError> {
        let generations = self.read(Sqlite::generations).await?;
        Ok(self.note_generations(generations))
    }

    fn note_generations(&self, (generation, indexed): (u64, u64)) -> u64 {
        self.generation.fetch_max(generation, Ordering::AcqRel);
        self.indexed.fetch_max(indexed, Ordering::AcqRel);
        generation
    }

    async fn read<T: Send + 'static>(&self, work: impl FnOnce(&Sqlite) -> Result<T, StoreError> + Send + 'static) -> Result<T, StoreError> {
        self.run(&self.readings, work).await
    }

    /// Writes what publishes nothing, such as who has taken a source.
    async fn note<T: Send + 'static>(&self, work: impl FnOnce(&Sqlite) -> Result<T, StoreError> + Send + 'static) -> Result<T, StoreError> {
        self.run(&self.writing, work).await
    }

    /// Writes, and follows the generation that came of it, also when a later chunk failed.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Sqlite) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let result = self.run(&self.writing, work).await;
        self.follow().await?;
        result
    }

    /// Writes what is queued together with what others write at the same time.
    async fn together<T>(&self, answer: oneshot::Receiver<Result<T, StoreError>>) -> Result<T, StoreError> {
        let Backend::Sqlite(sqlite) = &self.backend;
        let (store, writer) = (self.clone(), Arc::clone(sqlite));
        let note = move |generations| {
            store.note_generations(generations);
        };
        sqlite.have_written(|| self.together.begin(move || writer.write_queued(note)))?;
        answer.await.map_err(|_| StoreError::Interrupted)?
    }

    async fn run<T: Send + 'static>(
        &self,
        crew: &Crew,
        work: impl FnOnce(&Sqlite) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let Backend::Sqlite(sqlite) = self.backend.clone();
        crew.run(move || work(&sqlite)).await.ok_or(StoreError::Interrupted)?
    }

    /// Notes what of the configuration stands in every document: when it differs from before, all documents count as
    /// modified now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_settings(&self, settings: String, now: Time) -> Result<(), StoreError> {
        self.write(move |sqlite| sqlite.note_settings(&settings, now)).await
    }

    /// Stores a reading of a source, in chunks, each a short transaction; the last one has the validators, the
    /// withdrawals and the next due time. Applying a batch twice changes nothing the second time.
    ///
    /// # Errors
    /// The database failed; applying the batch again completes it.
    pub async fn apply(&self, source: SourceId, batch: Batch, due: Option<Time>, now: Time) -> Result<Applied, StoreError> {
        let Backend::Sqlite(sqlite) = &self.backend;
        if batch.articles.is_empty() && batch.extent == Extent::Partial {
            return self.together(sqlite.queue_nothing_new(source, batch, due, now)).await;
        }
        let policy = self.policy();
        let reading = self.run(&self.preparing, move |sqlite| sqlite.prepare(source, batch, due, &policy, now)).await?;
        match sqlite.queue_reading(reading) {
            Ok(answer) => self.together(answer).await,
            Err(reading) => self.write(move |sqlite| sqlite.apply(reading)).await,
        }
    }

    /// Notes that a source could not be read, and when it is to be asked again.
    ///
    /// # Errors
    /// The database failed.
    pub async fn fail(&self, source: SourceId, error: String, due: Option<Time>, now: Time) -> Result<(), StoreError> {
        let Backend::Sqlite(sqlite) = &self.backend;
        self.together(sqlite.fail(source, error, due, now)).await
    }

    /// The newest articles of a selection in a window, or those before the cursor, or of the archive, that `options` name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn select(&self, selection: &Selection, options: &Options, window: Window) -> Result<Lookup<Page>, StoreError> {
        let (selection, options) = (selection.clone(), options.clone());
        self.read(move |sqlite| sqlite.select(&selection, &options, window)).await
    }

    /// The issues of a selection's digest in a window whose period was over at `now`, with their articles.
    ///
    /// # Errors
    /// The database failed.
    pub async fn digest(
        &self,
        selection: &Selection,
        options: &Options,
        window: Window,
        period: Period,
        zone: Tz,
        now: Time,
    ) -> Result<Lookup<Page>, StoreError> {
        let (selection, options) = (selection.clone(), options.clone());
        self.read(move |sqlite| sqlite.digest(&selection, &options, window, period, zone, now)).await
    }

    /// Some public articles in the order of their discovery, each for itself: with its own terms, without the others of
    /// its story. Gives where to go on, too; `None`: there are no more.
    ///
    /// # Errors
    /// The database failed.
    pub async fn walk(&self, after: Reached, limit: usize) -> Result<(Vec<Entry>, Option<Reached>), StoreError> {
        self.read(move |sqlite| sqlite.walk(after, limit)).await
    }

    /// What of a selection in a window was discovered, changed or withdrawn after a generation; empty if that is nothing, or too much.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delta(&self, selection: &Selection, options: &Options, window: Window, since: u64) -> Result<Lookup<Page>, StoreError> {
        let (selection, options) = (selection.clone(), options.clone());
        self.read(move |sqlite| sqlite.delta(&selection, &options, window, since)).await
    }

    /// Takes the tombstones of what was withdrawn before a time out of the feeds.
    ///
    /// # Errors
    /// The database failed.
    pub async fn retire(&self, before: Time, now: Time) -> Result<(), StoreError> {
        self.write(move |sqlite| sqlite.retire(before, now)).await
    }

    /// Loads what choosing articles needs into memory; else the first question that needs it does.
    ///
    /// # Errors
    /// The database failed.
    pub async fn warm(&self) -> Result<(), StoreError> {
        self.read(Sqlite::warm).await
    }

    /// Takes articles that are not in the search into it, a thousand at a time, in as many threads as there may be then.
    ///
    /// # Errors
    /// The database failed.
    pub async fn index(&self, threads: impl Fn() -> usize) -> Result<(), StoreError> {
        let mut next = None;
        while self.indexed() < self.generation() {
            let threads = threads();
            if next.is_none() {
                next = self.read(move |sqlite| sqlite.next_step(None, threads)).await?;
            }
            let Some(step) = next.take() else { break };
            // The next articles are worked on while these are written.
            let end = step.end();
            let after = self.read(move |sqlite| sqlite.next_step(Some(end), threads));
            let (is_taken, after) = tokio::join!(self.read(move |sqlite| sqlite.index(step)), after);
            next = if is_taken? { after? } else { None };
            while self.read(|sqlite| sqlite.merge_segments(MOST_SEGMENTS)).await? {}
            self.follow().await?;
        }
        Ok(())
    }

    /// Makes few segments of the search's many, so that questions have less to read; there are never very many.
    ///
    /// # Errors
    /// The database failed.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        while self.read(|sqlite| sqlite.merge_segments(SEGMENTS)).await? {}
        Ok(())
    }

    /// The generation up to which all articles can be searched, as this process last knew.
    #[must_use]
    pub fn indexed(&self) -> u64 {
        self.indexed.load(Ordering::Acquire)
    }

    /// One article, by its key or by one that a move gave it later.
    ///
    /// # Errors
    /// The database failed.
    pub async fn article(&self, key: &ArticleKey) -> Result<Lookup<Entry>, StoreError> {
        let key = key.clone();
        self.read(move |sqlite| sqlite.article(&key)).await
    }

    /// The articles beside one, of the same source.
    ///
    /// # Errors
    /// The database failed.
    pub async fn neighbours(&self, key: &ArticleKey) -> Result<Neighbours, StoreError> {
        let key = key.clone();
        self.read(move |sqlite| sqlite.neighbours(&key)).await
    }

    /// A file of a public article: its media type and bytes.
    ///
    /// # Errors
    /// The database failed.
    pub async fn file(&self, key: &ArticleKey, name: &str) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        let (key, name) = (key.clone(), name.to_owned());
        self.read(move |sqlite| sqlite.file(&key, &name)).await
    }

    /// The terms of a kind that have public articles, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn directory(&self, kind: Kind) -> Result<Vec<Term>, StoreError> {
        self.read(move |sqlite| sqlite.directory(kind)).await
    }

    /// The published terms of a kind that have most articles, these first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn largest(&self, kind: Kind, limit: usize) -> Result<Vec<Term>, StoreError> {
        self.read(move |sqlite| sqlite.largest(kind, limit)).await
    }

    /// The published names of a kind that are nearest to one that is not there.
    ///
    /// # Errors
    /// The database failed.
    pub async fn nearest(&self, kind: Kind, slug: &Slug) -> Result<Vec<Term>, StoreError> {
        let slug = slug.clone();
        self.read(move |sqlite| sqlite.nearest(kind, &slug)).await
    }

    /// What the site's pages show beside the articles.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sidebar(&self) -> Result<Sidebar, StoreError> {
        self.read(Sqlite::sidebar).await
    }

    /// The newest public articles with their last change, at most `limit`, for the sitemap.
    ///
    /// # Errors
    /// The database failed.
    pub async fn newest_keys(&self, limit: usize) -> Result<Vec<(ArticleKey, Time)>, StoreError> {
        self.read(move |sqlite| sqlite.newest_keys(limit)).await
    }
}
