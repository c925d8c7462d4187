//! What sources push (WebSub): what we ask of their hubs, and what these send.

use chrono::TimeDelta;

use super::{Store, StoreError};
use crate::model::websub::{HubRequest, Mode, Pushed, Secret};
use crate::model::{Source, SourceId, Time};

impl Store {
    /// Takes what is to be asked of hubs now, or because our callbacks stand below another `base`; it is confirmed to a
    /// hub for an hour, and asked again, later and later, until it was.
    ///
    /// # Errors
    /// The database failed.
    pub async fn claim_hub_requests(&self, base: &str, now: Time, limit: usize) -> Result<Vec<HubRequest>, StoreError> {
        let base = base.to_owned();
        self.note(move |sqlite| sqlite.claim_hub_requests(&base, now, limit)).await
    }

    /// Confirms to a hub what we asked of it; `false`: it was not us, or not this.
    ///
    /// # Errors
    /// The database failed.
    pub async fn confirm_push(&self, token: &str, mode: Mode, topic: &str, lease: TimeDelta, now: Time) -> Result<bool, StoreError> {
        let (token, topic) = (token.to_owned(), topic.to_owned());
        self.note(move |sqlite| sqlite.confirm_push(&token, mode, &topic, lease, now)).await
    }

    /// Notes that a hub refuses what we asked, or will push no more; `false`: we never asked.
    ///
    /// # Errors
    /// The database failed.
    pub async fn refuse_push(&self, token: &str, topic: &str, now: Time) -> Result<bool, StoreError> {
        let (token, topic) = (token.to_owned(), topic.to_owned());
        self.note(move |sqlite| sqlite.refuse_push(&token, &topic, now)).await
    }

    /// Whose a callback is, and what is sent there is signed with; `None`: nobody's any more.
    ///
    /// # Errors
    /// The database failed.
    pub async fn callback(&self, token: &str) -> Result<Option<(SourceId, Secret)>, StoreError> {
        let token = token.to_owned();
        self.read(move |sqlite| sqlite.callback(&token)).await
    }

    /// Keeps what a hub pushed until the poller reads it; `false`: too much is waiting.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_pushed(&self, source: SourceId, body: Vec<u8>, charset: Option<String>) -> Result<bool, StoreError> {
        self.note(move |sqlite| sqlite.keep_pushed(source, &body, charset.as_deref())).await
    }

    /// Takes what was pushed, the oldest of each source that nobody is reading, for `lease`, as [`Store::claim`] does,
    /// but that the source stays due as it was.
    ///
    /// # Errors
    /// The database failed.
    pub async fn claim_pushed(&self, now: Time, limit: usize, lease: TimeDelta) -> Result<Vec<(Source, Pushed)>, StoreError> {
        self.note(move |sqlite| sqlite.claim_pushed(now, limit, lease)).await
    }

    /// Drops what was pushed once it is stored; what could not be read leaves its source as if nothing had come.
    ///
    /// # Errors
    /// The database failed.
    pub async fn drop_pushed(&self, pushed: i64, source: SourceId, is_stored: bool) -> Result<(), StoreError> {
        self.note(move |sqlite| sqlite.drop_pushed(pushed, source, is_stored)).await
    }
}
