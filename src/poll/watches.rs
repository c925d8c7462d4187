//! What the system tells of changed folders: on Linux, by inotify; elsewhere nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;

#[cfg(target_os = "linux")]
pub(super) use linux::Watches;
#[cfg(not(target_os = "linux"))]
pub(super) use other::Watches;

/// So many files that changed at once are better read with the whole folder.
#[cfg(target_os = "linux")]
const MANY: usize = 500;

/// What happened in a source's folders.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing is told of"))]
pub(super) enum Change {
    /// Something happened to these files, and nothing else.
    Files(BTreeSet<PathBuf>),
    /// What is known only when one looks.
    Any,
}

/// How far a source's folders are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing is watched"))]
pub(super) enum Watched {
    /// All are, and were before.
    Before,
    /// All are by now.
    Now,
    /// Of some nothing is told.
    Partly,
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::{BTreeSet, HashMap, HashSet};
    use std::ffi::OsStr;
    use std::path::{Path, PathBuf};

    use inotify::{Event, EventMask, Inotify, WatchDescriptor, WatchMask};

    use super::{Change, MANY, Watched};
    use crate::model::SourceId;
    use crate::source::folder::is_watched;

    /// What is told of: a file that was written, and whatever comes, goes or changes its name or its time.
    const CHANGES: WatchMask = WatchMask::CLOSE_WRITE
        .union(WatchMask::ATTRIB)
        .union(WatchMask::CREATE)
        .union(WatchMask::DELETE)
        .union(WatchMask::MOVE)
        .union(WatchMask::ONLYDIR);

    /// The folders of sources, each with all that are in it.
    pub(in crate::poll) struct Watches {
        /// `None`: the system watches nothing for us.
        system: Option<Inotify>,
        folders: HashMap<WatchDescriptor, Folder>,
        is_short: bool,
    }

    /// A folder that is watched, for the sources that it is part of.
    #[derive(Default)]
    struct Folder {
        path: PathBuf,
        sources: HashSet<SourceId>,
    }

    impl Watches {
        pub(in crate::poll) fn new() -> Self {
            let system = Inotify::init();
            if let Err(error) = &system {
                tracing::warn!(%error, "the system cannot tell of changed files; they are looked for");
            }
            Self { system: system.ok(), folders: HashMap::new(), is_short: false }
        }

        /// Has some folders of a source watched; watching one twice changes nothing.
        pub(in crate::poll) fn watch(&mut self, source: SourceId, folders: &[PathBuf]) -> Watched {
            let Some(system) = &self.system else { return Watched::Partly };
            let (mut are_all, mut were_all) = (true, true);
            for path in folders {
                match system.watches().add(path, CHANGES) {
                    Ok(watch) => {
                        let folder = self.folders.entry(watch).or_default();
                        // It may have been moved.
                        if folder.path != *path {
                            folder.path.clone_from(path);
                        }
                        were_all &= !folder.sources.insert(source);
                    }
                    Err(error) => {
                        are_all = false;
                        if !std::mem::replace(&mut self.is_short, true) {
                            tracing::warn!(?path, %error, "the system cannot tell of changes in all folders; they are looked for");
                        }
                    }
                }
            }
            match (are_all, were_all) {
                (true, true) => Watched::Before,
                (true, false) => Watched::Now,
                (false, _) => Watched::Partly,
            }
        }

        /// Lets a source's folders go.
        pub(in crate::poll) fn forget(&mut self, source: SourceId) {
            let Some(system) = &self.system else { return };
            self.folders.retain(|watch, folder| {
                folder.sources.remove(&source);
                if folder.sources.is_empty() {
                    // A folder that is gone has no watch any more.
                    let _ = system.watches().remove(watch.clone());
                }
                !folder.sources.is_empty()
            });
        }

        /// What happened in the folders of sources since this was asked last.
        pub(in crate::poll) fn changed(&mut self) -> HashMap<SourceId, Change> {
            let mut changed = HashMap::new();
            let Some(system) = &mut self.system else { return changed };
            let mut buffer = [0; 4096];
            // No event is an error, too.
            while let Ok(events) = system.read_events(&mut buffer) {
                for event in events {
                    if event.mask.contains(EventMask::Q_OVERFLOW) {
                        let all = self.folders.values().flat_map(|folder| &folder.sources);
                        all.for_each(|source| note(&mut changed, *source, &Change::Any));
                    } else if let Some(folder) = self.folders.get(&event.wd)
                        && let Some(change) = told(&event, &folder.path)
                    {
                        folder.sources.iter().for_each(|source| note(&mut changed, *source, &change));
                    }
                    if event.mask.contains(EventMask::IGNORED) {
                        self.folders.remove(&event.wd);
                    }
                }
            }
            changed
        }
    }

    /// What an event in a folder tells; `None`: nothing of interest, yet.
    fn told(event: &Event<&OsStr>, folder: &Path) -> Option<Change> {
        let Some(name) = event.name else { return Some(Change::Any) };
        if !is_watched(name) {
            return None;
        }
        let path = folder.join(name);
        if event.mask.contains(EventMask::ISDIR) {
            return Some(Change::Any);
        }
        if event.mask.contains(EventMask::CREATE) {
            // A file that is made is told of again when it is written, a link is not.
            return path.is_symlink().then_some(Change::Any);
        }
        Some(Change::Files(BTreeSet::from([path])))
    }

    fn note(changed: &mut HashMap<SourceId, Change>, source: SourceId, change: &Change) {
        match (changed.entry(source).or_insert_with(|| Change::Files(BTreeSet::new())), change) {
            (Change::Files(all), Change::Files(more)) if all.len() < MANY => all.extend(more.iter().cloned()),
            (known, _) => *known = Change::Any,
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::collections::HashMap;
    use std::path::PathBuf;

    use super::{Change, Watched};
    use crate::model::SourceId;

    pub(in crate::poll) struct Watches;

    impl Watches {
        pub(in crate::poll) const fn new() -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "Linux has something to do")]
        pub(in crate::poll) const fn watch(&mut self, _source: SourceId, _folders: &[PathBuf]) -> Watched {
            Watched::Partly
        }

        #[expect(clippy::unused_self, reason = "Linux has something to do")]
        pub(in crate::poll) const fn forget(&mut self, _source: SourceId) {}

        #[expect(clippy::unused_self, reason = "Linux has something to do")]
        pub(in crate::poll) fn changed(&mut self) -> HashMap<SourceId, Change> {
            HashMap::new()
        }
    }
}
