//! Whether a subscriber meant it (W3C WebSub 5.3), and how it is told that a feed is pushed no more (5.2).

use url::Url;
use uuid::Uuid;

use super::{Messenger, Unpublished};
use crate::model::Time;
use crate::model::websub::{Intent, Mode};
use crate::store::StoreError;

impl Messenger {
    /// Asks a subscriber whether it meant its request, and carries that out.
    pub(super) async fn verify(&self, intent: Intent, now: Time) -> Result<(), StoreError> {
        if intent.mode == Mode::Subscribe {
            match self.begin(&intent.topic, now).await? {
                Ok(()) => {}
                Err(Unpublished::Refused(reason)) => {
                    self.tell_denied(&intent.callback, &intent.topic, &reason).await;
                    return self.store.settle_intent(intent, false, now).await;
                }
                // The request comes again in a minute.
                Err(Unpublished::Failed(error)) => {
                    tracing::warn!(topic = intent.topic, error, "a feed cannot be made");
                    return Ok(());
                }
            }
        }
        let is_confirmed = self.is_confirmed(&intent).await;
        self.store.settle_intent(intent, is_confirmed, now).await
    }

    async fn is_confirmed(&self, intent: &Intent) -> bool {
        let challenge = Uuid::new_v4().simple().to_string();
        let lease = intent.lease.num_seconds().to_string();
        let mut pairs = vec![("hub.mode", intent.mode.name()), ("hub.topic", &intent.topic), ("hub.challenge", &challenge)];
        if intent.mode == Mode::Subscribe {
            pairs.push(("hub.lease_seconds", &lease));
        }
        let Some(url) = with_pairs(&intent.callback, &pairs) else { return false };
        let host = url.host_str().unwrap_or_default().to_owned();
        match self.client.get_once(&url).await {
            Ok(reply) if reply.is_good() && reply.body.trim_ascii() == challenge.as_bytes() => {
                tracing::info!(host, topic = intent.topic, mode = intent.mode.name(), "a subscriber is confirmed");
                true
            }
            Ok(reply) => {
                tracing::info!(host, topic = intent.topic, status = reply.status, "a subscriber does not confirm its request");
                false
            }
            Err(error) => {
                tracing::info!(host, topic = intent.topic, %error, "a subscriber cannot be asked to confirm its request");
                false
            }
        }
    }

    /// Ends all subscriptions to a feed, and says so to each subscriber, once.
    pub(super) async fn deny(&self, topic: &str, reason: &str) -> Result<(), StoreError> {
        let callbacks = self.store.drop_topic(topic).await?;
        tracing::info!(topic, reason, subscribers = callbacks.len(), "a feed is pushed no more");
        // One subscriber that takes its time keeps no other waiting, nor the next change.
        let (messenger, topic, reason) = (self.clone(), topic.to_owned(), reason.to_owned());
        let telling = async move {
            for callback in callbacks {
                messenger.tell_denied(&callback, &topic, &reason).await;
            }
        };
        drop(tokio::spawn(telling));
        Ok(())
    }

    async fn tell_denied(&self, callback: &str, topic: &str, reason: &str) {
        let pairs = [("hub.mode", "denied"), ("hub.topic", topic), ("hub.reason", reason)];
        let Some(url) = with_pairs(callback, &pairs) else { return };
        if let Err(error) = self.client.get_once(&url).await {
            tracing::debug!(%error, "a subscriber cannot be told that its feed is pushed no more");
        }
    }
}

/// A callback with more parameters behind those that it has.
fn with_pairs(callback: &str, pairs: &[(&str, &str)]) -> Option<Url> {
    let mut url = Url::parse(callback).ok()?;
    url.query_pairs_mut().extend_pairs(pairs);
    Some(url)
}
