//! Which feeds changed: those whose terms did are made anew, and sent if they are not what they were.

use super::{Messenger, Unpublished};
use crate::model::websub::Topic;
use crate::model::{Address, Selection, Target, Time};
use crate::store::StoreError;

impl Messenger {
    /// Looks at every feed that is subscribed to whose terms are not as they were.
    pub(super) async fn look_for_changes(&self, now: Time) -> Result<(), StoreError> {
        for topic in self.store.topics(now).await? {
            let stamp = self.stamp(&topic.url).await?;
            if stamp == topic.stamp {
                continue;
            }
            // Another process may have written since: a document that is at hand is not taken for one of this stamp.
            self.store.follow().await?;
            match (self.publisher)(topic.url.clone()).await {
                Ok(document) => {
                    let changed = Topic { stamp, document: document.hash(), url: topic.url };
                    let queued = self.store.note_topic(changed, now).await?;
                    tracing::debug!(queued, "a feed changed");
                }
                Err(Unpublished::Refused(reason)) => self.deny(&topic.url, &reason).await?,
                Err(Unpublished::Failed(error)) => tracing::warn!(topic = topic.url, error, "a feed cannot be made"),
            }
        }
        Ok(())
    }

    /// Remembers what a feed is like that somebody is about to subscribe to, so that its next change is seen.
    pub(super) async fn begin(&self, url: &str, now: Time) -> Result<Result<(), Unpublished>, StoreError> {
        if self.store.topics(now).await?.iter().any(|topic| topic.url == url) {
            return Ok(Ok(()));
        }
        // The stamp comes first: what changes in between is looked at again.
        let stamp = self.stamp(url).await?;
        self.store.follow().await?;
        match (self.publisher)(url.to_owned()).await {
            Ok(document) => {
                self.store.note_topic(Topic { url: url.to_owned(), stamp, document: document.hash() }, now).await?;
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    /// What the terms of a feed are like; a URL that is none of ours has none, and its document will be refused.
    async fn stamp(&self, url: &str) -> Result<String, StoreError> {
        let path = url.strip_prefix(&self.site.url("")).unwrap_or_default();
        match Address::parse(path).map(|address| address.target) {
            Ok(Target::List { selection, .. }) => self.store.stamp(&selection).await,
            _ => self.store.stamp(&Selection::default()).await,
        }
    }
}
