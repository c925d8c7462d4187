//! What our hub remembers (WebSub): who is subscribed to which feed, and what is still to be sent. It publishes nothing,
//! so that no generation rises by it.

use super::{Store, StoreError};
use crate::model::websub::{Delivery, HubLimits, Intent, Taken, Topic};
use crate::model::{Selection, TermName, Time};

impl Store {
    /// Takes a request of a subscriber, to be confirmed by it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn ask_hub(&self, intent: Intent, limits: HubLimits, now: Time) -> Result<Taken, StoreError> {
        self.note(move |sqlite| sqlite.ask_hub(&intent, limits, now)).await
    }

    /// Takes at most `limit` requests that are to be confirmed now. One that is not settled comes again in a minute.
    ///
    /// # Errors
    /// The database failed.
    pub async fn claim_intents(&self, now: Time, limit: usize) -> Result<Vec<Intent>, StoreError> {
        self.note(move |sqlite| sqlite.claim_intents(now, limit)).await
    }

    /// Carries out a request that its subscriber confirmed, or forgets one that it did not.
    ///
    /// # Errors
    /// The database failed.
    pub async fn settle_intent(&self, intent: Intent, is_confirmed: bool, now: Time) -> Result<(), StoreError> {
        self.note(move |sqlite| sqlite.settle_intent(&intent, is_confirmed, now)).await
    }

    /// The feeds that are subscribed to; subscriptions whose lease is over are dropped first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn topics(&self, now: Time) -> Result<Vec<Topic>, StoreError> {
        self.note(move |sqlite| sqlite.topics(now)).await
    }

    /// What the terms that a selection asks for are like: as long as that is the same, so is the selection. Without such
    /// terms it is what the store is like.
    ///
    /// # Errors
    /// The database failed.
    pub async fn stamp(&self, selection: &Selection) -> Result<String, StoreError> {
        let selection = selection.clone();
        self.read(move |sqlite| sqlite.stamp(&selection)).await
    }

    /// Remembers what a feed is like now. If its document is another than before, all subscribers are to get it; gives
    /// how many.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_topic(&self, topic: Topic, now: Time) -> Result<usize, StoreError> {
        self.note(move |sqlite| sqlite.note_topic(&topic, now)).await
    }

    /// Drops all subscriptions to a feed, and gives them, for their subscribers to be told.
    ///
    /// # Errors
    /// The database failed.
    pub async fn drop_topic(&self, url: &str) -> Result<Vec<String>, StoreError> {
        let url = url.to_owned();
        self.note(move |sqlite| sqlite.drop_topic(&url)).await
    }

    /// Takes at most `limit` deliveries that are due. One that is not reported comes again in a minute.
    ///
    /// # Errors
    /// The database failed.
    pub async fn claim_deliveries(&self, now: Time, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        self.note(move |sqlite| sqlite.claim_deliveries(now, limit)).await
    }

    /// Notes that a subscriber got a document; `document` is its hash.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delivered(&self, delivery: Delivery, document: String, now: Time) -> Result<(), StoreError> {
        self.note(move |sqlite| sqlite.delivered(&delivery, &document, now)).await
    }

    /// Notes that a subscriber could not be reached, and when it is to be tried again; `None`: its subscription ends.
    ///
    /// # Errors
    /// The database failed.
    pub async fn undelivered(&self, delivery: Delivery, again: Option<Time>, now: Time) -> Result<(), StoreError> {
        self.note(move |sqlite| sqlite.undelivered(&delivery, again, now)).await
    }

    /// The terms that changed since another hub was last told, the newest first, at most `limit`, with the generation
    /// that this is of; a hub that was never told starts now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn unpinged(&self, hub: &str, limit: usize) -> Result<(Vec<TermName>, u64), StoreError> {
        let hub = hub.to_owned();
        self.note(move |sqlite| sqlite.unpinged(&hub, limit)).await
    }

    /// Notes up to which generation another hub was told.
    ///
    /// # Errors
    /// The database failed.
    pub async fn pinged(&self, hub: &str, generation: u64) -> Result<(), StoreError> {
        let hub = hub.to_owned();
        self.note(move |sqlite| sqlite.pinged(&hub, generation)).await
    }
}
