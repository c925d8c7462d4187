//! Readings of some files of a folder, for the price of these files; and what is stored under the name of a file.

use std::collections::{BTreeSet, HashMap};

use chrono::TimeDelta;

use super::{Backend, Store, StoreError};
use crate::model::{Applied, Batch, Memory, Source, SourceId, Time};

/// What an article is told by at first sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Its title, if it has one of its own.
    pub title: Option<String>,
    /// When it was published, if it says so.
    pub published: Option<Time>,
}

impl Store {
    /// Takes a folder that is not due, to read the files at some paths alone; gives it with what is remembered of these.
    /// Nobody else gets it for `lease`, and then it is due, unless it was read. `None`: it has to be read whole, or somebody
    /// has taken it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn claim_files(
        &self,
        source: SourceId,
        paths: BTreeSet<String>,
        now: Time,
        lease: TimeDelta,
    ) -> Result<Option<(Source, Memory)>, StoreError> {
        self.note(move |sqlite| sqlite.claim_files(source, &paths, now, lease)).await
    }

    /// Whether an article of a folder uses one of the files at some paths, or would if it were there.
    ///
    /// # Errors
    /// The database failed.
    pub async fn are_used(&self, source: SourceId, paths: Vec<String>) -> Result<bool, StoreError> {
        self.read(move |sqlite| sqlite.are_used(source, &paths)).await
    }

    /// The titles and dates of the articles that a source has, or had, under some guids; of what is not there none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn headings(&self, source: SourceId, guids: Vec<String>) -> Result<HashMap<String, Heading>, StoreError> {
        self.read(move |sqlite| sqlite.headings(source, guids)).await
    }

    /// The content of the article that a source has, or had, under a guid.
    ///
    /// # Errors
    /// The database failed.
    pub async fn content(&self, source: SourceId, guid: &str) -> Result<Option<String>, StoreError> {
        let guid = guid.to_owned();
        self.read(move |sqlite| sqlite.content(source, &guid)).await
    }

    /// Stores a reading of some files ([`Extent::Files`](crate::model::Extent::Files)), at most 500, in one transaction.
    /// `None`: they do not tell what a reading of the whole folder would, such as where a file was moved from; nothing was
    /// written.
    ///
    /// # Errors
    /// The database failed, and nothing was written.
    pub async fn apply_files(&self, source: SourceId, batch: Batch, due: Option<Time>, now: Time) -> Result<Option<Applied>, StoreError> {
        let Backend::Sqlite(sqlite) = &self.backend;
        let policy = self.policy();
        let reading = self.read(move |sqlite| sqlite.prepare(source, batch, due, &policy, now)).await?;
        self.together(sqlite.queue_files(reading)).await
    }
}
