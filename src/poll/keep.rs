//! What the store needs beside readings: new articles are taken into the search, old tombstones out of the feeds,
//! what a wrong clock left is forgotten, removals of sources that were broken off are ended, and folders whose reading could
//! not be stored are given back.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::model::SourceId;
use crate::store::Store;

/// How often it is looked for articles that are not in the search yet.
const TICK: Duration = Duration::from_millis(250);
/// How long a withdrawn article has a tombstone.
const TOMBSTONES: TimeDelta = TimeDelta::days(30);
/// How often old tombstones are looked for, and times that lie ahead.
const RETIRE: TimeDelta = TimeDelta::hours(1);

/// After so long a folder is read again whose reading could not be stored; at once if it changes.
const AGAIN: TimeDelta = TimeDelta::minutes(1);

/// Keeps the store for as long as it is let; `unstored` names the folders whose reading could not be stored, as while the disk
/// is full: they are taken until that can be written.
pub(super) async fn house(store: Store, mut unstored: UnboundedReceiver<SourceId>) {
    if let Err(error) = store.warm().await {
        tracing::warn!(%error, "cannot load what choosing articles needs");
    }
    match store.finish_removals(super::now()).await {
        Ok(0) => {}
        Ok(withdrawn) => tracing::info!(withdrawn, "ended removals of sources that were broken off"),
        Err(error) => tracing::warn!(%error, "cannot end removals of sources that were broken off"),
    }
    let (mut retired, mut left) = (None, Vec::new());
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
        left.extend(std::iter::from_fn(|| unstored.try_recv().ok()));
        let given_back = left.iter().map(|source| (*source, Some(now + AGAIN))).collect();
        // Why it failed is in the log: what could not be stored was told of.
        if !left.is_empty() && store.give_back(given_back, now).await.is_ok() {
            left.clear();
        }
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
