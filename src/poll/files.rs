//! A reading of the few files of a folder that the system told of, in place of the whole folder.

use std::collections::BTreeSet;
use std::path::PathBuf;

use tokio::task::spawn_blocking;

use super::LEASE;
use super::read::{Outcome, Reader};
use crate::model::{Batch, Memory, Source, SourceId, Time};
use crate::source::folder::{self, Few};
use crate::store::{Store, StoreError};

/// What something happened to in a folder.
#[derive(Debug, Clone)]
pub struct Touched {
    /// The folder.
    pub source: SourceId,
    /// Where it is.
    pub root: PathBuf,
    /// Paths in it, with `/`.
    pub paths: BTreeSet<String>,
}

impl Reader {
    /// Reads some files of a folder alone, and gives what that adds to the folder's signature. `None`: they do not tell
    /// all, or somebody has taken the folder; it has to be read whole.
    ///
    /// # Errors
    /// The store failed; the folder may stay taken.
    pub async fn read_files(&self, store: &Store, touched: Touched, now: Time) -> Result<Option<u64>, StoreError> {
        let Touched { source: id, root, paths } = touched;
        let Ok(Some(few)) = spawn_blocking(move || Few::look(&root, paths)).await else { return Ok(None) };
        if !few.others.is_empty() && store.are_used(id, few.others.clone()).await? {
            return Ok(None);
        }
        if few.paths.is_empty() {
            return Ok(Some(0));
        }
        let Some((source, memory)) = store.claim_files(id, few.paths.clone(), now, LEASE).await? else { return Ok(None) };
        let read = self.read_taken(store, source, memory, few, now).await;
        if !matches!(read, Ok(Some(_))) {
            store.release(vec![id], now).await?;
        }
        read
    }

    async fn read_taken(&self, store: &Store, source: Source, memory: Memory, few: Few, now: Time) -> Result<Option<u64>, StoreError> {
        let (root, options, due) = (PathBuf::from(&source.location), self.folder_options(&source), source.status.due);
        let reading = spawn_blocking(move || {
            let batch = folder::read_few(&root, &few, &memory, &options, now)?;
            let added = folder::signature(&root, &batch.memory.files).wrapping_sub(folder::signature(&root, &memory.files));
            Some((batch, added))
        });
        let Ok(Some((batch, added))) = reading.await else { return Ok(None) };
        // The others are due as they were; one of these may have to be read again before that.
        let due = due.into_iter().chain(batch.revisit).min();
        let applied = store.apply_files(source.id, batch, due, now).await?;
        Ok(applied.map(|applied| {
            Outcome { source, result: Ok((applied, Batch::default())) }.log();
            added
        }))
    }
}
