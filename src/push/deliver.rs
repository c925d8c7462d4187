//! One document to one subscriber (W3C WebSub 7).

use chrono::TimeDelta;
use url::Url;

use super::{Document, Messenger, Unpublished};
use crate::model::Time;
use crate::model::websub::Delivery;
use crate::store::StoreError;

/// After its first failure a subscriber is tried again so soon, then twice as late each time.
const FIRST: TimeDelta = TimeDelta::seconds(10);
/// No try is later than this after the one before.
const LATEST: TimeDelta = TimeDelta::hours(6);
/// A subscriber that fails for so long is given up.
const PATIENCE: TimeDelta = TimeDelta::days(3);
/// Its callback is gone, it says (410).
const GONE: u16 = 410;

impl Messenger {
    /// Sends a subscriber the newest document of its feed.
    pub(super) async fn deliver(&self, delivery: Delivery, now: Time) -> Result<(), StoreError> {
        let document = match (self.publisher)(delivery.topic.clone()).await {
            Ok(document) => document,
            Err(Unpublished::Refused(reason)) => return self.deny(&delivery.topic, &reason).await,
            Err(Unpublished::Failed(error)) => {
                tracing::warn!(topic = delivery.topic, error, "a feed cannot be made");
                return Ok(());
            }
        };
        let hash = document.hash();
        if delivery.sent.as_ref() == Some(&hash) {
            return self.store.delivered(delivery, hash, now).await;
        }
        match self.send(&delivery, document).await {
            Ok(status @ 200..300) => {
                tracing::debug!(topic = delivery.topic, status, "delivered");
                self.store.delivered(delivery, hash, now).await
            }
            Ok(status) => self.failed(delivery, status == GONE, &format!("it answered {status}"), now).await,
            Err(reason) => self.failed(delivery, false, &reason, now).await,
        }
    }

    async fn send(&self, delivery: &Delivery, document: Document) -> Result<u16, String> {
        let url = Url::parse(&delivery.callback).map_err(|error| error.to_string())?;
        let hub = self.site.hub.as_deref().unwrap_or_default();
        let links = format!("<{hub}>; rel=\"hub\", <{}>; rel=\"self\"", delivery.topic);
        let signature = delivery.secret.as_ref().and_then(|secret| secret.sign(&document.body));
        let mut headers = vec![("content-type", document.media_type.as_str()), ("link", &links)];
        headers.extend(signature.as_deref().map(|signature| ("x-hub-signature", signature)));
        let reply = self.client.post_once(&url, &headers, document.body).await;
        reply.map(|reply| reply.status).map_err(|error| error.to_string())
    }

    async fn failed(&self, delivery: Delivery, is_gone: bool, reason: &str, now: Time) -> Result<(), StoreError> {
        let again = if is_gone { None } else { next_try(delivery.tries, delivery.failing_since, now) };
        let host = Url::parse(&delivery.callback).ok().and_then(|url| url.host_str().map(str::to_owned));
        tracing::info!(host, topic = delivery.topic, reason, given_up = again.is_none(), "a subscriber cannot be reached");
        self.store.undelivered(delivery, again, now).await
    }
}

/// When a subscriber is tried again; `None`: it is given up.
fn next_try(tries: u32, failing_since: Option<Time>, now: Time) -> Option<Time> {
    let pause = FIRST.checked_mul(1 << tries.min(16)).unwrap_or(LATEST).min(LATEST);
    failing_since.is_none_or(|since| now - since < PATIENCE).then(|| now + pause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn a_subscriber_that_fails_is_tried_later_and_later_and_given_up_after_three_days() {
        let (mut now, mut tries) = (DateTime::from_timestamp(1_700_000_000, 0).unwrap(), 0);
        let since = now;
        assert_eq!(next_try(0, None, now), Some(now + TimeDelta::seconds(10)));
        while let Some(next) = next_try(tries, Some(since), now) {
            assert!(next - now <= LATEST);
            (now, tries) = (next, tries + 1);
        }
        assert!((15..40).contains(&tries) && now - since >= PATIENCE, "{tries} tries");
        assert!(next_try(u32::MAX, None, now).is_some());
    }
}
