//! The clock: it takes due sources from the store, reads them, and gives the store what they said.

mod files;
mod full_text;
mod keep;
mod read;
mod run;
mod schedule;
mod watch;
mod watches;
mod websub;

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::sync::watch::Receiver;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

pub use files::Touched;
pub use read::{Outcome, ReadFailure, Reader, Taken};
pub use run::{Room, Run};
pub use schedule::Pace;
pub use websub::pushes;

use crate::model::{SourceKind, Time, text};
use crate::store::{Lease, Store, StoreError};

/// How long a source stays taken: longer than any reading may last.
const LEASE: TimeDelta = TimeDelta::minutes(10);
/// How often the store is asked for due sources, at the least.
const TICK: Duration = Duration::from_secs(1);

/// Reads sources as they become due, until `stop` changes; what is being read then is finished.
pub async fn run(store: Store, reader: Arc<Reader>, rescan: Duration, concurrency: usize, mut stop: Receiver<bool>) {
    let wake = Arc::new(Notify::new());
    let (ask_for, mut asked_for) = mpsc::channel(1);
    let watcher = tokio::spawn(watch::folders(store.clone(), rescan, Arc::clone(&wake), ask_for));
    let (left, unstored) = mpsc::unbounded_channel();
    let keeper = tokio::spawn(keep::house(store.clone(), unstored));
    let (mut readings, room) = (JoinSet::new(), Arc::new(Room::new(concurrency)));
    let (mut ticks, mut are_more) = (tokio::time::interval(TICK), true);
    while !*stop.borrow() {
        tokio::select! {
            _ = stop.changed() => break,
            // Its host is free for the next of its sources.
            _ = readings.join_next(), if !readings.is_empty() => are_more |= readings.len() < concurrency / 4,
            () = wake.notified() => are_more = true,
            Some((touched, done)) = asked_for.recv() => {
                let (store, reader, left) = (store.clone(), Arc::clone(&reader), left.clone());
                readings.spawn(async move {
                    let source = touched.source;
                    let read = reader.read_files(&store, touched, now()).await.unwrap_or_else(|error| {
                        tracing::warn!(error = %text::chain(&error), "cannot read what changed in a folder");
                        left.send(source).unwrap_or_default();
                        None
                    });
                    // Who asked may have been ended.
                    done.send(read).unwrap_or_default();
                });
                continue;
            }
            _ = ticks.tick() => are_more = true,
        }
        let free = concurrency.min(room.readings().saturating_sub(readings.len()));
        // The store looks over all that are due each time: it is asked for several at once, and not while it has no more.
        if !are_more || free < concurrency.div_ceil(4) {
            continue;
        }
        match take(&store, &reader, free).await {
            Ok(taken) => {
                are_more = taken.len() == free;
                for run in Run::of(taken) {
                    let (store, reader, room, left) = (store.clone(), Arc::clone(&reader), Arc::clone(&room), left.clone());
                    let told = move |outcome: Outcome| {
                        if outcome.is_unstored() && outcome.source.kind == SourceKind::Folder {
                            left.send(outcome.source.id).unwrap_or_default();
                        }
                        outcome.log();
                    };
                    readings.spawn(async move { drop(reader.read_run(&store, run, &room, now(), told).await) });
                }
            }
            Err(error) => tracing::error!(%error, "cannot take due sources"),
        }
    }
    room.close();
    watcher.abort();
    keeper.abort();
    readings.join_all().await;
}

/// Takes sources that are due and may be asked now.
async fn take(store: &Store, reader: &Reader, most: usize) -> Result<Vec<Taken>, StoreError> {
    let due = store.claim(now(), most, reader.pace.lease()).await?;
    let open = reader.open(store, due, now()).await?;
    reader.recall(store, open, now()).await
}

impl Pace {
    /// How sources are taken for a reading.
    #[must_use]
    pub fn lease(&self) -> Lease {
        Lease { time: LEASE, again: schedule::delta(self.min), run: run::length(self.spacing), is_forced: false }
    }
}

/// The edge: the poller reads the clock, and passes it on.
#[expect(clippy::disallowed_methods, reason = "the poller is an edge: it is the one that follows the clock")]
fn now() -> Time {
    Utc::now()
}
