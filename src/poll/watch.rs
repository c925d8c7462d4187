//! Folders that differ become due: at once where the system tells of it, else when they are looked at, again and again.
//! Nothing is written while nothing differs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::watches::Watches;
use crate::model::SourceId;
use crate::source::folder;
use crate::store::{Store, StoreError};

/// A walk may take at most this share of the time: a large folder is looked at less often.
const SHARE: u32 = 20;
/// How often it is asked whether the system has told of changes.
const TICK: Duration = Duration::from_millis(100);

/// Watches all folders for as long as it is let; `wake` tells who reads sources that one has become due.
pub(super) async fn folders(store: Store, rescan: Duration, wake: Arc<Notify>) {
    let (mut known, mut roots, mut watches) = (HashMap::new(), HashMap::new(), Watches::new());
    loop {
        let started = Instant::now();
        if let Err(error) = look(&store, &mut known, &mut roots, &mut watches, &wake).await {
            tracing::warn!(%error, "cannot look at the folders");
        }
        let next = started + rescan.max(started.elapsed() * SHARE);
        while Instant::now() < next {
            tokio::time::sleep(TICK.min(next - Instant::now())).await;
            for source in watches.changed() {
                let Some(root) = roots.get(&source) else { continue };
                if let Err(error) = take_note(&store, (source, root), &mut known, &mut watches, &wake).await {
                    tracing::warn!(%error, "cannot note that a folder has changed");
                }
            }
        }
    }
}

/// Makes a folder due that the system told of, and looks at it while it is read: what changes meanwhile the system tells of
/// again. What is in a folder that was not watched yet the reading may have missed, so that it is due once more.
async fn take_note(
    store: &Store,
    (source, root): (SourceId, &Path),
    known: &mut HashMap<SourceId, u64>,
    watches: &mut Watches,
    wake: &Notify,
) -> Result<(), StoreError> {
    store.mark_due(source, super::now()).await?;
    wake.notify_one();
    let root = root.to_owned();
    let Ok(look) = spawn_blocking(move || folder::look(&root)).await else { return Ok(()) };
    known.insert(source, look.signature);
    if !watches.watch(source, &look.folders) {
        store.mark_due(source, super::now()).await?;
        wake.notify_one();
    }
    Ok(())
}

/// Looks at all folders, and has the system watch those that are new.
async fn look(
    store: &Store,
    known: &mut HashMap<SourceId, u64>,
    roots: &mut HashMap<SourceId, PathBuf>,
    watches: &mut Watches,
    wake: &Notify,
) -> Result<(), StoreError> {
    let folders = store.folders().await?.into_iter();
    let present: HashMap<SourceId, PathBuf> = folders.map(|source| (source.id, PathBuf::from(source.location))).collect();
    let before = std::mem::replace(roots, present);
    before.keys().filter(|source| !roots.contains_key(source)).for_each(|source| watches.forget(*source));
    for (source, root) in roots {
        let root = root.clone();
        let Ok(look) = spawn_blocking(move || folder::look(&root)).await else { continue };
        watches.watch(*source, &look.folders);
        // The first look finds every folder changed: it may have, while nobody looked.
        if known.insert(*source, look.signature) != Some(look.signature) {
            store.mark_due(*source, super::now()).await?;
            wake.notify_one();
        }
    }
    Ok(())
}
