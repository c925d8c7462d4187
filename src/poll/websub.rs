//! Sources that are pushed (WebSub): their hubs are asked for it, and what they send is read as it comes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;
use url::Url;

use super::read::{Outcome, ReadFailure, Reader};
use super::{LEASE, now};
use crate::model::Time;
use crate::model::websub::{CALLBACK, HubRequest, Mode, Pushed};
use crate::model::{Applied, Batch, Site, Source, SourceSettings};
use crate::source::feed;
use crate::store::{Store, StoreError};

/// How often the store is asked for what was pushed and for hubs that are to be asked.
const TICK: Duration = Duration::from_millis(500);
/// How many pushed documents are read, and how many hubs are asked at once.
const CONCURRENCY: usize = 4;

/// Asks hubs, if there is a public `site` where they reach us, and reads what they push, until `stop` changes.
pub async fn pushes(store: Store, reader: Arc<Reader>, site: Option<Site>, mut stop: Receiver<bool>) {
    let mut tasks = JoinSet::new();
    let mut ticks = tokio::time::interval(TICK);
    while !*stop.borrow() {
        tokio::select! {
            _ = stop.changed() => break,
            _ = ticks.tick() => {}
        }
        while tasks.try_join_next().is_some() {}
        if let Err(error) = work(&store, &reader, site.as_ref(), &mut tasks).await {
            tracing::error!(%error, "cannot see what was pushed");
        }
    }
    tasks.join_all().await;
}

async fn work(store: &Store, reader: &Arc<Reader>, site: Option<&Site>, tasks: &mut JoinSet<()>) -> Result<(), StoreError> {
    let free = |tasks: &JoinSet<()>| CONCURRENCY.saturating_sub(tasks.len());
    for (source, pushed) in store.claim_pushed(now(), free(tasks), LEASE).await? {
        let (store, reader) = (store.clone(), Arc::clone(reader));
        tasks.spawn(async move { reader.read_pushed(&store, source, pushed, now()).await.log() });
    }
    if let Some(site) = site {
        for request in store.claim_hub_requests(&site.url(""), now(), free(tasks)).await? {
            let (reader, callback) = (Arc::clone(reader), site.url(&format!("{CALLBACK}{}", request.token)));
            tasks.spawn(async move { reader.ask_hub(&request, &callback).await });
        }
    }
    Ok(())
}

impl Reader {
    /// Reads what a source's hub pushed. The source stays due as it was: polling it now and then is the safety net.
    pub(super) async fn read_pushed(&self, store: &Store, source: Source, pushed: Pushed, now: Time) -> Outcome {
        let id = pushed.id;
        let result = self.apply_pushed(store, &source, pushed, now).await;
        if let Err(error) = store.drop_pushed(id, source.id, result.is_ok()).await {
            tracing::error!(source = %source.slug, %error, "cannot drop what was pushed");
        }
        Outcome { source, result }
    }

    async fn apply_pushed(&self, store: &Store, source: &Source, pushed: Pushed, now: Time) -> Result<(Applied, Batch), ReadFailure> {
        let memory = store.memory(source.id).await?;
        let mut batch = Batch { memory, ..feed::read_pushed(source, pushed, &self.client, self.zone).await? };
        self.complete(store, source, &mut batch, now).await?;
        let applied = store.apply(source.id, batch, source.status.due, now).await?;
        Ok((applied, Batch::default()))
    }

    /// Asks a hub to push, or to push no more (W3C WebSub 5.1). If it takes that, it will ask whether it was us; if not,
    /// it is asked again later.
    async fn ask_hub(&self, request: &HubRequest, callback: &str) {
        let (hub, topic) = (&request.link.hub, &request.link.topic);
        let Ok(url) = Url::parse(hub) else { return };
        let mut pairs = vec![("hub.mode", request.mode.name()), ("hub.topic", topic), ("hub.callback", callback)];
        if request.mode == Mode::Subscribe {
            pairs.push(("hub.secret", request.secret.reveal()));
        }
        // The hub is one that the source names: it is asked the way that the source is.
        let settings = SourceSettings { proxy: request.proxy.clone(), ..SourceSettings::default() };
        let reply = match self.client.of(&settings) {
            Ok(client) => client.post_form(&url, &pairs).await,
            Err(error) => Err(error),
        };
        match reply {
            Ok(reply) if reply.is_good() => tracing::debug!(topic, "a hub was asked"),
            Ok(reply) => {
                let reason = String::from_utf8_lossy(&reply.body);
                tracing::warn!(topic, status = reply.status, %reason, "a hub does not take what it was asked");
            }
            Err(error) => tracing::warn!(topic, %error, "a hub cannot be asked"),
        }
    }
}
