//! Folders that differ become due: at once where the system tells of it, else when they are looked at, again and again.
//! Where it tells which files were touched, and nothing else, these alone are read. Nothing is written while nothing differs.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::files::Touched;
use super::watches::{Change, Watched, Watches};
use crate::model::SourceId;
use crate::source::folder::{self, Look};
use crate::store::{Store, StoreError};

/// A walk may take at most this share of the time: a large folder is looked at less often.
const SHARE: u32 = 20;
/// How often it is asked whether the system has told of changes.
const TICK: Duration = Duration::from_millis(100);

/// Who asks for some files to be read waits for what that adds to the folder's signature.
pub(super) type Asked = (Touched, oneshot::Sender<Option<u64>>);

/// Watches all folders for as long as it is let; `wake` tells who reads sources that one has become due, and `files` what of
/// a folder is to be read alone.
pub(super) async fn folders(store: Store, rescan: Duration, wake: Arc<Notify>, files: mpsc::Sender<Asked>) {
    let mut watcher = Watcher { store, wake, files, folders: HashMap::new(), watches: Watches::new() };
    loop {
        let started = Instant::now();
        if let Err(error) = watcher.look().await {
            tracing::warn!(%error, "cannot look at the folders");
        }
        let next = started + rescan.max(started.elapsed() * SHARE);
        while Instant::now() < next {
            tokio::time::sleep(TICK.min(next - Instant::now())).await;
            watcher.follow().await;
        }
    }
}

struct Watcher {
    store: Store,
    wake: Arc<Notify>,
    files: mpsc::Sender<Asked>,
    folders: HashMap<SourceId, Folder>,
    watches: Watches,
}

/// A source's folder.
#[derive(Default)]
struct Folder {
    root: PathBuf,
    /// That of all files, as they were when they were last looked at or read; `None`: it was not yet looked at.
    signature: Option<u64>,
    /// Whether the system tells of each of its files by name.
    is_told: bool,
}

impl Watcher {
    /// Looks at all folders, and has the system watch those that are new.
    async fn look(&mut self) -> Result<(), StoreError> {
        self.list().await?;
        let roots: Vec<(SourceId, PathBuf)> = self.folders.iter().map(|(source, folder)| (*source, folder.root.clone())).collect();
        for (source, root) in roots {
            let before = self.signature(source);
            let Some(look) = look_at(root).await else { continue };
            self.watch(source, &look);
            // What changed while it looked may be in the look or not.
            let is_due = self.follow().await.contains(&source);
            // The first look finds every folder changed: it may have, while nobody looked.
            if !is_due && ![before, self.signature(source)].contains(&Some(look.signature)) {
                // What cannot be noted, as while the disk is full, is found again.
                self.mark_due(source).await?;
                self.note(source, look.signature);
            }
        }
        Ok(())
    }

    /// Learns which folders there are.
    async fn list(&mut self) -> Result<(), StoreError> {
        let mut before = std::mem::take(&mut self.folders);
        for source in self.store.folders().await? {
            let known = before.remove(&source.id).unwrap_or_default();
            self.folders.insert(source.id, Folder { root: source.location.into(), ..known });
        }
        for source in before.keys() {
            self.watches.forget(*source);
        }
        Ok(())
    }

    /// Takes in what the system has told of; gives the folders that are due now.
    async fn follow(&mut self) -> HashSet<SourceId> {
        let mut due = HashSet::new();
        for (source, change) in self.watches.changed() {
            let added = self.read_files(source, change).await;
            if let (Some(added), Some(folder)) = (added, self.folders.get_mut(&source)) {
                folder.signature = folder.signature.map(|signature| signature.wrapping_add(added));
                continue;
            }
            due.insert(source);
            if let Err(error) = self.take_note(source).await {
                tracing::warn!(%error, "cannot note that a folder has changed");
            }
        }
        due
    }

    /// Has files read alone, and waits for that; gives what it adds to the folder's signature.
    async fn read_files(&self, source: SourceId, change: Change) -> Option<u64> {
        let root = self.folders.get(&source).filter(|folder| folder.is_told)?.root.clone();
        let Change::Files(paths) = change else { return None };
        let inside = paths.iter().map(|path| Some(path.strip_prefix(&root).ok()?.to_str()?.to_owned()));
        let paths = inside.collect::<Option<_>>()?;
        let (done, read) = oneshot::channel();
        self.files.send((Touched { source, root, paths }, done)).await.ok()?;
        read.await.ok()?
    }

    /// Makes a folder due that the system told of, and looks at it while it is read: what changes meanwhile the system tells
    /// of again. What is in a folder that was not watched yet the reading may have missed, so that it is due once more.
    async fn take_note(&mut self, source: SourceId) -> Result<(), StoreError> {
        let Some(root) = self.folders.get(&source).map(|folder| folder.root.clone()) else { return Ok(()) };
        self.mark_due(source).await?;
        let Some(look) = look_at(root).await else { return Ok(()) };
        self.note(source, look.signature);
        if self.watch(source, &look) != Watched::Before {
            self.mark_due(source).await?;
        }
        Ok(())
    }

    fn watch(&mut self, source: SourceId, look: &Look) -> Watched {
        let watched = self.watches.watch(source, &look.folders);
        if let Some(folder) = self.folders.get_mut(&source) {
            folder.is_told = watched != Watched::Partly && !look.has_links;
        }
        watched
    }

    fn signature(&self, source: SourceId) -> Option<u64> {
        self.folders.get(&source)?.signature
    }

    fn note(&mut self, source: SourceId, signature: u64) {
        if let Some(folder) = self.folders.get_mut(&source) {
            folder.signature = Some(signature);
        }
    }

    async fn mark_due(&self, source: SourceId) -> Result<(), StoreError> {
        self.store.mark_due(source, super::now()).await?;
        self.wake.notify_one();
        Ok(())
    }
}

async fn look_at(root: PathBuf) -> Option<Look> {
    spawn_blocking(move || folder::look(&root)).await.ok()
}
