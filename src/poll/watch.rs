//! Folders are looked at again and again; one that differs becomes due. Nothing is written while nothing differs.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::{SourceId, SourceKind};
use crate::source::folder;
use crate::store::{Store, StoreError};

/// A walk may take at most this share of the time: a large folder is looked at less often.
const SHARE: u32 = 20;

/// Watches all folders for as long as it is let.
pub(super) async fn folders(store: Store, rescan: Duration) {
    let mut known: HashMap<SourceId, u64> = HashMap::new();
    loop {
        let started = tokio::time::Instant::now();
        if let Err(error) = look(&store, &mut known).await {
            tracing::warn!(%error, "cannot look at the folders");
        }
        tokio::time::sleep(rescan.max(started.elapsed() * SHARE)).await;
    }
}

async fn look(store: &Store, known: &mut HashMap<SourceId, u64>) -> Result<(), StoreError> {
    for source in store.sources().await?.into_iter().filter(|source| source.kind == SourceKind::Folder) {
        let root = PathBuf::from(&source.location);
        let Ok(signature) = tokio::task::spawn_blocking(move || folder::signature(&root)).await else { continue };
        // The first look finds every folder changed: it may have, while nobody looked.
        if known.insert(source.id, signature) != Some(signature) {
            store.mark_due(source.id, super::now()).await?;
        }
    }
    Ok(())
}
