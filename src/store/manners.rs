//! What being a good guest needs the store for: hosts that are taken or rest, how often a source posts, the log of what
//! went wrong. None of it touches the generation.

use chrono::TimeDelta;

use super::{Backend, Sqlite, Store, StoreError};
use crate::model::{Article, Census, Health, Host, Memory, SourceId, SourceInfo, Time};

/// How a source is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Nobody else gets it for so long, unless it was read.
    pub time: TimeDelta,
    /// A feed whose reader died is asked again no sooner, since it may have been asked.
    pub again: TimeDelta,
    /// So many sources of one host are taken at once, to be asked one after another.
    pub run: usize,
    /// Whether those are taken too that are not due; they are due then as they were, if they are not read.
    pub is_forced: bool,
}

impl From<TimeDelta> for Lease {
    fn from(time: TimeDelta) -> Self {
        Self { time, again: time, run: 1, is_forced: false }
    }
}

/// How a source posts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Habits {
    /// When its last articles were published, the newest first, each time once.
    pub posts: Vec<Time>,
    /// Whether its hub pushes them.
    pub is_pushed: bool,
}

/// Why a host may not be asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy {
    /// From then on it may be asked; who asks it now gives it back sooner.
    pub until: Time,
    /// It wishes to be left alone until then.
    pub rests: bool,
}

impl Store {
    /// Takes a host for one request that no source stands behind yet; else says why it may not be asked.
    ///
    /// # Errors
    /// The database failed.
    pub async fn take_host(&self, host: Host, now: Time, until: Time) -> Result<Option<Busy>, StoreError> {
        self.note(move |sqlite| sqlite.take_host(&host, now, until)).await
    }

    /// Gives a host back that was taken: it may be asked again from then on.
    ///
    /// # Errors
    /// The database failed.
    pub async fn free_host(&self, host: Host, from: Time) -> Result<(), StoreError> {
        let Backend::Sqlite(sqlite) = &self.backend;
        self.together(sqlite.free_host(host, from)).await
    }

    /// Leaves a whole host alone, as it wishes.
    ///
    /// # Errors
    /// The database failed.
    pub async fn rest_host(&self, host: Host, until: Time) -> Result<(), StoreError> {
        self.note(move |sqlite| sqlite.rest_host(&host, until)).await
    }

    /// Until when a host wishes to be left alone; `None`: it may be asked.
    ///
    /// # Errors
    /// The database failed.
    pub async fn rest_of(&self, host: Host, now: Time) -> Result<Option<Time>, StoreError> {
        self.read(move |sqlite| sqlite.rest_of(&host, now)).await
    }

    /// How a source posts, by at most `limit` of its last articles.
    ///
    /// # Errors
    /// The database failed.
    pub async fn habits(&self, source: SourceId, now: Time, limit: usize) -> Result<Habits, StoreError> {
        self.read(move |sqlite| sqlite.habits(source, now, limit)).await
    }

    /// What the next readings of sources need to know of the last, and how they post: [`Store::memory`] and
    /// [`Store::habits`] of each, in their order. A feed of which other rules kept articles out has no validators.
    ///
    /// # Errors
    /// The database failed.
    pub async fn recall(&self, sources: Vec<SourceId>, now: Time, limit: usize) -> Result<Vec<(Memory, Habits)>, StoreError> {
        let policy = self.policy();
        self.read(move |sqlite| sqlite.recall(&sources, &policy, now, limit)).await
    }

    /// Notes another URL that leads to a source, such as the page that it was found from.
    ///
    /// # Errors
    /// The database failed.
    pub async fn also_known(&self, source: SourceId, url: &str) -> Result<(), StoreError> {
        let url = url.to_owned();
        self.note(move |sqlite| sqlite.also_known(source, &url)).await
    }

    /// The location of a removed feed that a URL led to, and when it was last asked.
    ///
    /// # Errors
    /// The database failed.
    pub async fn removed(&self, url: &str) -> Result<Option<(String, Time)>, StoreError> {
        let url = url.to_owned();
        self.read(move |sqlite| sqlite.removed(&url)).await
    }

    /// Leaves a source alone until then that was just added, or could not be asked.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_off(&self, source: SourceId, due: Time) -> Result<(), StoreError> {
        self.note(move |sqlite| sqlite.put_off(source, due)).await
    }

    /// Makes those of some feeds due now that were never asked and that nobody has taken: they were only spread.
    ///
    /// # Errors
    /// The database failed.
    pub async fn hasten(&self, sources: Vec<SourceId>, now: Time) -> Result<(), StoreError> {
        self.note(move |sqlite| sqlite.hasten(&sources, now)).await
    }

    /// Makes due what was read at a time that lies ahead, by a clock that was wrong, and gives back what was taken then: else
    /// nobody would be asked until that time comes.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_times_ahead(&self, now: Time) -> Result<(), StoreError> {
        self.note(move |sqlite| sqlite.forget_times_ahead(now)).await
    }

    /// Marks the articles of a feed whose pages need not be asked for: those that are stored as they are here after their
    /// page was asked for, and those that rules drop.
    ///
    /// # Errors
    /// The database failed.
    pub async fn settle_full_texts(
        &self,
        source: SourceId,
        articles: Vec<Article>,
        info: Option<SourceInfo>,
    ) -> Result<Vec<Article>, StoreError> {
        let policy = self.policy();
        self.read(move |sqlite| sqlite.settle_full_texts(source, articles, info.as_ref(), &policy)).await
    }

    /// The newest events, at most `limit`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn health(&self, limit: usize) -> Result<Health, StoreError> {
        self.read(move |sqlite| sqlite.health(limit)).await
    }

    /// What there is, in numbers.
    ///
    /// # Errors
    /// The database failed.
    pub async fn census(&self, now: Time) -> Result<Census, StoreError> {
        self.read(move |sqlite| sqlite.census(now)).await
    }

    /// The number of the newest event there ever was.
    ///
    /// # Errors
    /// The database failed.
    pub async fn health_stamp(&self) -> Result<u64, StoreError> {
        self.read(Sqlite::health_stamp).await
    }
}
