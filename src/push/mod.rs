//! The messenger: our hub (WebSub). It confirms what subscribers asked for, sees which feeds changed, and sends them.
//! It never answers a request, and serving waits for nothing that it does.

mod changes;
mod deliver;
mod ping;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;

use crate::model::{Site, Time};
use crate::source::fetch::Client;
use crate::store::{Store, StoreError};

/// How often the store is asked for work.
const TICK: Duration = Duration::from_millis(500);
/// How many peers are asked at once.
const CONCURRENCY: usize = 16;

/// A feed as it is published.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its bytes.
    pub body: Vec<u8>,
    /// Its `Content-Type`.
    pub media_type: String,
}

impl Document {
    fn hash(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(&self.body)[..16])
    }
}

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum Unpublished {
    /// Nobody will be sent this feed any more; in words.
    #[error("{0}")]
    Refused(String),
    /// It may be there later.
    #[error("{0}")]
    Failed(String),
}

/// Gives the document of a feed by its URL, as a reader would get it.
pub type Publisher = Arc<dyn Fn(String) -> std::pin::Pin<Box<dyn Future<Output = Result<Document, Unpublished>> + Send>> + Send + Sync>;

/// What the hub works with; clones are the same hub.
#[derive(Clone)]
pub struct Messenger {
    /// Where subscriptions rest.
    pub store: Store,
    /// Whose feeds these are, with the URL of the hub that they name.
    pub site: Site,
    /// Asks subscribers and other hubs.
    pub client: Client,
    /// Makes documents.
    pub publisher: Publisher,
}

/// What was seen of the store, so that nothing is looked at twice.
#[derive(Debug, Default)]
struct Seen {
    generation: Option<u64>,
    ping: ping::Ping,
}

impl Messenger {
    /// Works until `stop` changes. What is being sent then is sent again by whoever comes next.
    pub async fn run(self, mut stop: Receiver<bool>) {
        let (mut tasks, mut seen) = (JoinSet::new(), Seen::default());
        let (mut ticks, mut is_behind) = (tokio::time::interval(TICK), false);
        while !*stop.borrow() {
            tokio::select! {
                _ = stop.changed() => break,
                _ = ticks.tick() => {}
                Some(_) = tasks.join_next(), if is_behind => if tasks.len() > CONCURRENCY / 2 {
                    continue;
                },
            }
            while tasks.try_join_next().is_some() {}
            is_behind = self.work(&mut tasks, &mut seen, now()).await.unwrap_or_else(|error| {
                tracing::error!(%error, "the hub cannot use the store");
                false
            });
        }
        tasks.shutdown().await;
    }

    /// Does once all that is to be done now, and waits for it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn round(&self, now: Time) -> Result<(), StoreError> {
        let mut tasks = JoinSet::new();
        self.work(&mut tasks, &mut Seen::default(), now).await?;
        tasks.join_all().await;
        Ok(())
    }

    /// Begins as much as may be done at once; whether there may be more to do.
    async fn work(&self, tasks: &mut JoinSet<()>, seen: &mut Seen, now: Time) -> Result<bool, StoreError> {
        if !self.site.has_own_hub() {
            return self.ping(&mut seen.ping, now).await.map(|()| false);
        }
        let generation = self.store.generation();
        if seen.generation != Some(generation) {
            self.look_for_changes(now).await?;
            seen.generation = Some(generation);
        }
        // Those who are slow to confirm do not take the last place from what is to be sent.
        let places = CONCURRENCY.saturating_sub(tasks.len()) / 2;
        let intents = self.store.claim_intents(now, places).await?;
        let is_behind = places > 0 && intents.len() == places;
        for intent in intents {
            let messenger = self.clone();
            tasks.spawn(async move { log(messenger.verify(intent, now).await) });
        }
        let places = CONCURRENCY.saturating_sub(tasks.len());
        let deliveries = self.store.claim_deliveries(now, places).await?;
        let is_behind = is_behind || (places > 0 && deliveries.len() == places);
        for delivery in deliveries {
            let messenger = self.clone();
            tasks.spawn(async move { log(messenger.deliver(delivery, now).await) });
        }
        Ok(is_behind)
    }
}

/// Logs what a task of its own cannot return.
fn log(result: Result<(), StoreError>) {
    if let Err(error) = result {
        tracing::error!(%error, "the hub cannot use the store");
    }
}

/// The edge: the messenger reads the clock, and passes it on.
#[expect(clippy::disallowed_methods, reason = "the messenger is an edge: leases and retries follow the clock")]
fn now() -> Time {
    Utc::now()
}
