//! What the system tells of changed folders: on Linux, by inotify; elsewhere nothing.

#[cfg(target_os = "linux")]
pub(super) use linux::Watches;
#[cfg(not(target_os = "linux"))]
pub(super) use other::Watches;

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::{HashMap, HashSet};
    use std::path::PathBuf;

    use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask};

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
        sources: HashMap<WatchDescriptor, HashSet<SourceId>>,
        is_short: bool,
    }

    impl Watches {
        pub(in crate::poll) fn new() -> Self {
            let system = Inotify::init();
            if let Err(error) = &system {
                tracing::warn!(%error, "the system cannot tell of changed files; they are looked for");
            }
            Self { system: system.ok(), sources: HashMap::new(), is_short: false }
        }

        /// Has some folders of a source watched; watching one twice changes nothing. Says whether all were before.
        pub(in crate::poll) fn watch(&mut self, source: SourceId, folders: &[PathBuf]) -> bool {
            let Some(system) = &self.system else { return false };
            let mut were_watched = true;
            for folder in folders {
                let known = system.watches().add(folder, CHANGES).map(|watch| self.sources.entry(watch).or_default().insert(source));
                were_watched &= matches!(known, Ok(false));
                if let Err(error) = known
                    && !std::mem::replace(&mut self.is_short, true)
                {
                    tracing::warn!(?folder, %error, "the system cannot tell of changes in all folders; they are looked for");
                }
            }
            were_watched
        }

        /// Lets a source's folders go.
        pub(in crate::poll) fn forget(&mut self, source: SourceId) {
            let Some(system) = &self.system else { return };
            self.sources.retain(|watch, sources| {
                sources.remove(&source);
                if sources.is_empty() {
                    // A folder that is gone has no watch any more.
                    let _ = system.watches().remove(watch.clone());
                }
                !sources.is_empty()
            });
        }

        /// The sources in whose folders something changed since this was asked last.
        pub(in crate::poll) fn changed(&mut self) -> HashSet<SourceId> {
            let mut changed = HashSet::new();
            let Some(system) = &mut self.system else { return changed };
            let mut buffer = [0; 4096];
            // No event is an error, too.
            while let Ok(events) = system.read_events(&mut buffer) {
                for event in events {
                    // A file that is made is told of again when it is written.
                    let is_begun = event.mask.contains(EventMask::CREATE) && !event.mask.contains(EventMask::ISDIR);
                    let is_watched = event.name.is_none_or(is_watched);
                    if event.mask.contains(EventMask::Q_OVERFLOW) {
                        changed.extend(self.sources.values().flatten());
                    } else if !is_begun && is_watched {
                        changed.extend(self.sources.get(&event.wd).into_iter().flatten());
                    }
                    if event.mask.contains(EventMask::IGNORED) {
                        self.sources.remove(&event.wd);
                    }
                }
            }
            changed
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::collections::HashSet;
    use std::path::PathBuf;

    use crate::model::SourceId;

    pub(in crate::poll) struct Watches;

    impl Watches {
        pub(in crate::poll) const fn new() -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "Linux has something to do")]
        pub(in crate::poll) const fn watch(&mut self, _source: SourceId, _folders: &[PathBuf]) -> bool {
            false
        }

        #[expect(clippy::unused_self, reason = "Linux has something to do")]
        pub(in crate::poll) const fn forget(&mut self, _source: SourceId) {}

        #[expect(clippy::unused_self, reason = "Linux has something to do")]
        pub(in crate::poll) fn changed(&mut self) -> HashSet<SourceId> {
            HashSet::new()
        }
    }
}
