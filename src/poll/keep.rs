//! What the store needs beside readings: new articles are taken into the search, old tombstones out of the feeds,
//! what a wrong clock left is forgotten, and removals of sources that were broken off are ended.

use std::time::Duration;

use chrono::TimeDelta;

use crate::store::Store;

/// How often it is looked for articles that are not in the search yet.
const TICK: Duration = Duration::from_millis(250);
/// How long a withdrawn article has a tombstone.
const TOMBSTONES: TimeDelta = TimeDelta::days(30);
/// How often old tombstones are looked for, and times that lie ahead.
const RETIRE: TimeDelta = TimeDelta::hours(1);

/// Keeps the store for as long as it is let.
pub(super) async fn house(store: Store) {
    if let Err(error) = store.warm().await {
        tracing::warn!(%error, "cannot load what choosing articles needs");
    }
    match store.finish_removals(super::now()).await {
        Ok(0) => {}
        Ok(withdrawn) => tracing::info!(withdrawn, "ended removals of sources that were broken off"),
        Err(error) => tracing::warn!(%error, "cannot end removals of sources that were broken off"),
    }
    let mut retired = None;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let kept = async {
            store.index(|| 1).await?;
            store.tidy().await
        };
        if let Err(error) = kept.await {
            tracing::warn!(%error, "cannot take articles into the search");
        }
        let now = super::now();
        if retired.is_none_or(|last| now < last || now - last >= RETIRE) {
            if let Err(error) = store.retire(now - TOMBSTONES, now).await {
                tracing::warn!(%error, "cannot take old tombstones out of the feeds");
            }
            if let Err(error) = store.forget_times_ahead(now).await {
                tracing::warn!(%error, "cannot look for sources that were read at a time that lies ahead");
            }
            retired = Some(now);
        }
    }
}
