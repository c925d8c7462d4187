//! The sources: who is read, and who reads them now.

use super::{Lease, Sqlite, Store, StoreError};
use crate::model::{Memory, NewSource, Source, SourceId, Time};

impl Store {
    /// Adds a source, or gives the one that has this kind and location; says whether it is new. One that was removed is
    /// revived: with its slug, its articles and their ids, by the settings that it has now. A new one is the caller's to read: it is due only in ten minutes.
    ///
    /// # Errors
    /// The database failed.
    pub async fn add_source(&self, source: NewSource, now: Time) -> Result<(Source, bool), StoreError> {
        let policy = self.policy();
        self.write(move |sqlite| sqlite.add_source(&source, &policy, now)).await
    }

    /// Adds many sources, each due at its time and left to nobody until then; gives how many were not there.
    ///
    /// # Errors
    /// The database failed; none that is new was added then, and some that were removed may be back.
    pub async fn add_sources(&self, sources: Vec<(NewSource, Time)>, now: Time) -> Result<usize, StoreError> {
        let policy = self.policy();
        self.write(move |sqlite| sqlite.add_sources(&sources, &policy, now)).await
    }

    /// All sources that were not removed, by slug.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sources(&self) -> Result<Vec<Source>, StoreError> {
        self.read(Sqlite::sources).await
    }

    /// Those of them that are folders.
    ///
    /// # Errors
    /// The database failed.
    pub async fn folders(&self) -> Result<Vec<Source>, StoreError> {
        self.read(Sqlite::folders).await
    }

    /// The source with this slug or location.
    ///
    /// # Errors
    /// The database failed.
    pub async fn source(&self, name: &str) -> Result<Option<Source>, StoreError> {
        let name = name.to_owned();
        self.read(move |sqlite| sqlite.source(&name)).await
    }

    /// The source with this slug or location, or one that was removed while articles of it are still public: removing it was
    /// broken off.
    ///
    /// # Errors
    /// The database failed.
    pub async fn removable(&self, name: &str) -> Result<Option<Source>, StoreError> {
        let name = name.to_owned();
        self.read(move |sqlite| sqlite.removable(&name)).await
    }

    /// Removes a source and withdraws its articles; gives how many.
    ///
    /// # Errors
    /// The database failed; what was withdrawn so far stays withdrawn, and removing again goes on.
    pub async fn remove_source(&self, source: SourceId, now: Time) -> Result<usize, StoreError> {
        self.write(move |sqlite| sqlite.remove_source(source, now)).await
    }

    /// Ends what killed processes broke off: the articles of removed sources are withdrawn; gives how many were not.
    ///
    /// # Errors
    /// The database failed.
    pub async fn finish_removals(&self, now: Time) -> Result<usize, StoreError> {
        self.write(move |sqlite| sqlite.finish_removals(now)).await
    }

    /// Takes at most `limit` due sources for `lease`; nobody else gets them until it is over or they were read. Of each
    /// host it takes one, and none while the host is taken or rests.
    ///
    /// # Errors
    /// The database failed.
    pub async fn claim(&self, now: Time, limit: usize, lease: impl Into<Lease>) -> Result<Vec<Source>, StoreError> {
        let lease = lease.into();
        self.note(move |sqlite| sqlite.claim(now, limit, lease)).await
    }

    /// Takes those of some sources that are due, as [`Store::claim`] does; gives them as they were, with the time that they
    /// were due at. What somebody else has taken is left alone, be it forced.
    ///
    /// # Errors
    /// The database failed.
    pub async fn claim_of(&self, sources: Vec<SourceId>, now: Time, lease: impl Into<Lease>) -> Result<Vec<Source>, StoreError> {
        let lease = lease.into();
        self.note(move |sqlite| sqlite.claim_of(&sources, now, lease)).await
    }

    /// Gives sources back that were taken and not asked, with the times that they were due at.
    ///
    /// # Errors
    /// The database failed.
    pub async fn give_back(&self, sources: Vec<(SourceId, Option<Time>)>, now: Time) -> Result<(), StoreError> {
        self.note(move |sqlite| sqlite.give_back(&sources, now)).await
    }

    /// Makes a source due now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn mark_due(&self, source: SourceId, now: Time) -> Result<(), StoreError> {
        self.note(move |sqlite| sqlite.mark_due(source, now)).await
    }

    /// Makes sources due now, even if somebody has taken them: a process that died may have.
    ///
    /// # Errors
    /// The database failed.
    pub async fn release(&self, sources: Vec<SourceId>, now: Time) -> Result<(), StoreError> {
        self.note(move |sqlite| sqlite.release(&sources, now)).await
    }

    /// What the next reading of a source needs to know of the last.
    ///
    /// # Errors
    /// The database failed.
    pub async fn memory(&self, source: SourceId) -> Result<Memory, StoreError> {
        self.read(move |sqlite| sqlite.memory(source)).await
    }
}
