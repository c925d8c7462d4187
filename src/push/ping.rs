//! Another hub in the place of ours: it is told which feeds changed (`hub.mode=publish`), and fetches them itself.

use chrono::TimeDelta;
use url::Url;

use super::Messenger;
use crate::model::{Format, Options, Selection, Target, TermName, Time};
use crate::store::StoreError;

/// The most terms whose feeds it is told of for one change; a first reading of a large source has thousands.
const TERMS: usize = 300;
/// The most feeds of one request.
const FEEDS: usize = 90;

/// What is known of telling the other hub.
#[derive(Debug, Default)]
pub(super) struct Ping {
    done: Option<u64>,
    failures: u32,
    not_before: Option<Time>,
}

impl Messenger {
    /// Tells the other hub what changed since it was last told.
    pub(super) async fn ping(&self, ping: &mut Ping, now: Time) -> Result<(), StoreError> {
        let Some(hub) = self.site.hub.as_deref().and_then(|hub| Url::parse(hub).ok()) else { return Ok(()) };
        if ping.done == Some(self.store.generation()) || ping.not_before.is_some_and(|time| now < time) {
            return Ok(());
        }
        let (terms, generation) = self.store.unpinged(hub.as_str(), TERMS).await?;
        match self.tell(&hub, &terms).await {
            Ok(()) => {
                self.store.pinged(hub.as_str(), generation).await?;
                *ping = Ping { done: Some(generation), ..Ping::default() };
            }
            Err(error) => {
                ping.not_before = Some(now + TimeDelta::seconds(10 << ping.failures.min(9)));
                ping.failures += 1;
                tracing::warn!(hub = hub.host_str(), error, "the hub cannot be told of changes");
            }
        }
        Ok(())
    }

    async fn tell(&self, hub: &Url, terms: &[TermName]) -> Result<(), String> {
        for urls in self.feeds(terms).chunks(FEEDS) {
            let pairs: Vec<_> = std::iter::once(("hub.mode", "publish")).chain(urls.iter().map(|url| ("hub.url", url.as_str()))).collect();
            let reply = self.client.post_form(hub, &pairs).await.map_err(|error| error.to_string())?;
            if !reply.is_good() {
                return Err(format!("it answered {}", reply.status));
            }
        }
        Ok(())
    }

    /// The feeds of some terms, and those of everything and the named ones, of which any may have changed; none of no terms.
    fn feeds(&self, terms: &[TermName]) -> Vec<String> {
        let whole = std::iter::once(Selection::default()).chain(self.site.feeds.iter().map(|feed| Selection::named(feed.slug.clone())));
        let whole = whole.filter(|selection| !terms.is_empty() && self.site.hub_of(selection, &Options::default()).is_some());
        let selections = whole.chain(terms.iter().map(|term| Selection::of(term.kind, term.slug.clone())));
        selections.flat_map(|selection| Format::ALL.map(|format| self.site.link(&Target::feed(&selection, format)))).collect()
    }
}
