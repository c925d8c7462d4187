//! One reading of one source: from the world into the store.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use url::Url;

use super::schedule::{self, Pace};
use crate::model::{Applied, Batch, Extent, Host, Memory, Source, SourceId, SourceKind, Time, text};
use crate::source::feed::{self, ReadError};
use crate::source::fetch::Client;
use crate::source::folder::{self, FolderError};
use crate::store::{Busy, Habits, Store, StoreError};

/// What readings need.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Asks the web.
    pub client: Client,
    /// For dates that name none, where their source names none either.
    pub zone: Tz,
    /// How often sources are read.
    pub pace: Pace,
    /// The largest Markdown file, in bytes.
    pub max_file: u64,
    /// The largest file of a bundle, in bytes.
    pub max_bundle_file: u64,
}

/// Why a source could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailure {
    /// A feed.
    #[error(transparent)]
    Feed(#[from] ReadError),
    /// A folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// What was read could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The task ended early.
    #[error("reading was broken off")]
    Aborted,
}

/// How often it is looked whether a host is free that others ask.
const AGAIN: Duration = Duration::from_millis(500);
/// So many bytes of text make a reading a large one.
const LARGE: usize = 256 << 10;

/// A source that is taken, with what its reading needs to know.
#[derive(Debug)]
pub struct Taken {
    source: Source,
    memory: Memory,
    habits: Habits,
}

/// What came of asking a source.
pub(super) struct Asked {
    source: Source,
    read: Result<Batch, ReadFailure>,
    habits: Habits,
    /// When the answer was there.
    at: Time,
}

impl Taken {
    pub(super) const fn id(&self) -> SourceId {
        self.source.id
    }

    /// When it was due, as it was taken.
    pub(super) const fn due(&self) -> Option<Time> {
        self.source.status.due
    }

    pub(super) fn host(&self) -> Option<Host> {
        self.source.host()
    }
}

impl Asked {
    /// The host that wishes to be left alone, and until when.
    pub(super) fn busy_host(&self) -> Option<(Host, Time)> {
        match &self.read {
            Err(ReadFailure::Feed(error)) => error.busy_host(),
            _ => None,
        }
    }

    /// Whether much of it waits to be stored.
    pub(super) fn is_large(&self) -> bool {
        let Ok(batch) = &self.read else { return false };
        let texts = batch.articles.iter().flat_map(|article| [&article.content, &article.summary, &article.markdown]);
        texts.flatten().map(String::len).sum::<usize>() > LARGE
    }
}

/// How a reading went.
#[derive(Debug)]
pub struct Outcome {
    /// What was read.
    pub source: Source,
    /// What it changed and the batch's remarks, without its articles.
    pub result: Result<(Applied, Batch), ReadFailure>,
}

impl Outcome {
    /// Whether it could not be stored, so that the source stays taken.
    pub(super) const fn is_unstored(&self) -> bool {
        matches!(self.result, Err(ReadFailure::Store(_)))
    }

    /// Notes it in the log.
    pub(super) fn log(self) {
        let source = self.source.slug;
        match self.result {
            Ok((applied, _)) if applied.changed() => {
                tracing::info!(%source, added = applied.added, updated = applied.updated, withdrawn = applied.withdrawn, "read");
            }
            Ok(_) => tracing::debug!(%source, "nothing new"),
            Err(error) => tracing::warn!(%source, error = %text::chain(&error), "cannot be read"),
        }
    }
}

impl Reader {
    /// Puts off those of some sources that were taken whose publishers wish not to be asked in this hour (`skipHours`, `skipDays`):
    /// they were due before it, and nobody came to ask them. Gives the others.
    ///
    /// # Errors
    /// The store failed.
    pub async fn open(&self, store: &Store, sources: Vec<Source>, now: Time) -> Result<Vec<Source>, StoreError> {
        let opens = |source: &Source| source.status.hints.open_from(now);
        let (open, closed): (Vec<_>, Vec<_>) = sources.into_iter().partition(|source| opens(source) <= now);
        for source in closed {
            store.put_off(source.id, schedule::whole(opens(&source))).await?;
            // What else is taken of its host gives that back.
            if let Some(host) = source.host().filter(|host| open.iter().all(|other| other.host().as_ref() != Some(host))) {
                store.free_host(host, now).await?;
            }
        }
        Ok(open)
    }

    /// Recalls what the readings of taken sources need to know, of all at once.
    ///
    /// # Errors
    /// The store failed.
    pub async fn recall(&self, store: &Store, sources: Vec<Source>, now: Time) -> Result<Vec<Taken>, StoreError> {
        let recalled = store.recall(sources.iter().map(|source| source.id).collect(), now, schedule::POSTS).await?;
        Ok(sources.into_iter().zip(recalled).map(|(source, (memory, habits))| Taken { source, memory, habits }).collect())
    }

    /// Reads a source and stores what came of it, or that it failed.
    pub async fn read(&self, store: &Store, source: Source, now: Time) -> Outcome {
        match store.recall(vec![source.id], now, schedule::POSTS).await.map(|mut recalled| recalled.pop().unwrap_or_default()) {
            Ok((memory, habits)) => {
                let asked = self.ask(store, Taken { source, memory, habits }, now).await;
                self.keep(store, asked, now).await
            }
            Err(error) => Outcome { source, result: Err(error.into()) },
        }
    }

    pub(super) async fn ask(&self, store: &Store, Taken { source, memory, habits }: Taken, now: Time) -> Asked {
        let started = Instant::now();
        let read = self.batch(store, &source, memory, now).await;
        Asked { source, read, habits, at: now + schedule::delta(started.elapsed()) }
    }

    /// Stores what came of asking, and leaves the host.
    pub(super) async fn keep(&self, store: &Store, asked: Asked, now: Time) -> Outcome {
        let (host, busy, at) = (asked.source.host(), asked.busy_host(), asked.at);
        let leaving = async {
            if let Some(host) = host {
                self.leave_host(store, host, busy, at).await;
            }
        };
        // The pages of its articles may be at the same host, which has to be left first; else both are written together.
        let is_first = asked.source.settings.full_text || asked.read.is_err();
        let kept = Box::pin(self.keep_amid(store, asked, now));
        if is_first {
            leaving.await;
            return kept.await;
        }
        tokio::join!(kept, leaving).0
    }

    /// Stores what came of asking, while the host is asked for more.
    pub(super) async fn keep_amid(&self, store: &Store, Asked { source, read, habits, .. }: Asked, now: Time) -> Outcome {
        let result = match read {
            Ok(batch) => self.apply_as(store, &source, batch, &habits, now).await,
            Err(failure) => {
                self.fail(store, &source, &failure, now).await;
                Err(failure)
            }
        };
        Outcome { source, result }
    }

    /// Stores a batch of a source.
    ///
    /// # Errors
    /// The store failed.
    pub async fn apply(&self, store: &Store, source: &Source, batch: Batch, now: Time) -> Result<(Applied, Batch), ReadFailure> {
        let habits = store.habits(source.id, now, schedule::POSTS).await?;
        self.apply_as(store, source, batch, &habits, now).await
    }

    /// Stores a batch of a source that posts in such a way.
    async fn apply_as(
        &self,
        store: &Store,
        source: &Source,
        mut batch: Batch,
        habits: &Habits,
        now: Time,
    ) -> Result<(Applied, Batch), ReadFailure> {
        self.complete(store, source, &mut batch, now).await?;
        batch.not_before = batch.not_before.map(schedule::whole);
        let due = schedule::after_success(source, &batch, &habits.posts, &self.pace, now);
        let due = due.map(|due| if habits.is_pushed { self.pace.slowly(due, now) } else { due });
        let remarks =
            Batch { problems: batch.problems.clone(), repairs: batch.repairs.clone(), skipped: batch.skipped, ..Batch::default() };
        let applied = store.apply(source.id, batch, due, now).await?;
        Ok((applied, remarks))
    }

    /// The client, which asks no host that wishes to be left alone, wherever it is led.
    #[must_use]
    pub fn client_of(&self, store: &Store, now: Time) -> Client {
        let store = store.clone();
        self.client.minding(move |host| {
            let store = store.clone();
            async move {
                store.rest_of(host, now).await.unwrap_or_else(|error| {
                    tracing::error!(%error, "cannot see whether a host is to be left alone");
                    None
                })
            }
        })
    }

    /// Takes a host for one request, as soon as it may be asked; it is to be left then. What it would wait for longer than
    /// `patience` is returned.
    ///
    /// # Errors
    /// The store failed.
    pub async fn take_host(&self, store: &Store, host: &Host, patience: Duration, now: Time) -> Result<Option<Busy>, StoreError> {
        let (started, lease) = (Instant::now(), schedule::delta(self.client.limits().time + Duration::from_secs(1)));
        loop {
            let at = now + schedule::delta(started.elapsed());
            let Some(busy) = store.take_host(host.clone(), at, at + lease).await? else { return Ok(None) };
            // Who asks it gives it back sooner than it may last.
            let wait = (busy.until - at).to_std().unwrap_or_default();
            if started.elapsed() + if busy.rests { wait } else { AGAIN } > patience {
                return Ok(Some(busy));
            }
            tokio::time::sleep(wait.min(AGAIN)).await;
        }
    }

    /// Leaves a host that was asked: it has its pause. A host that wishes for a rest has that, be it this one or another
    /// that answered in its place.
    pub async fn leave_host(&self, store: &Store, host: Host, busy: Option<(Host, Time)>, now: Time) {
        let noted = async {
            if let Some((host, until)) = busy {
                store.rest_host(host, schedule::whole(until)).await?;
            }
            let pause = schedule::delta(self.pace.spacing);
            store.free_host(host, if pause.is_zero() { now } else { schedule::whole(now + pause) }).await
        };
        if let Err(error) = noted.await {
            tracing::error!(%error, "cannot note that a host was asked");
        }
    }

    async fn fail(&self, store: &Store, source: &Source, failure: &ReadFailure, now: Time) {
        let error = if let ReadFailure::Feed(error) = failure { Some(error) } else { None };
        let noted = if error.is_some_and(ReadError::is_crowded) {
            store.put_off(source.id, schedule::whole(now + schedule::delta(self.pace.min))).await
        } else {
            let due = schedule::after_failure(source, error.and_then(ReadError::retry_after), &self.pace, now);
            let due = due.filter(|_| !error.is_some_and(ReadError::is_gone));
            store.fail(source.id, text::chain(failure), due, now).await
        };
        if let Err(error) = noted {
            tracing::error!(source = %source.slug, %error, "cannot note that a source failed");
        }
    }

    async fn batch(&self, store: &Store, source: &Source, memory: Memory, now: Time) -> Result<Batch, ReadFailure> {
        match source.kind {
            SourceKind::Feed => Ok(feed::read(source, &memory, &self.client_of(store, now), self.zone, now).await?),
            SourceKind::Inbox => Ok(Batch { extent: Extent::Partial, ..Batch::default() }),
            SourceKind::Folder => {
                let (root, options) = (PathBuf::from(&source.location), self.folder_options(source));
                let reading = tokio::task::spawn_blocking(move || folder::read(&root, &memory, &options, now));
                Ok(reading.await.map_err(|_| ReadFailure::Aborted)??)
            }
        }
    }

    /// How the files of a source are read.
    #[must_use]
    pub fn folder_options(&self, source: &Source) -> folder::Options {
        folder::Options {
            first_slug: source.first_slug.clone(),
            timezone: source.settings.timezone,
            default_zone: self.zone,
            base_url: source.settings.base_url.as_deref().and_then(|url| Url::parse(url).ok()),
            max_file: self.max_file,
            max_bundle_file: self.max_bundle_file,
        }
    }
}
