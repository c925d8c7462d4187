//! The folder of a static site: what was written there before is known, so that only what differs is written, and
//! nothing is touched that somebody else put there.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use actix_web::web::Bytes;
use anyhow::Context as _;

/// Lists what was written: a line that says what all of it was made at, then one for each file, its state and its name.
/// While files are written it grows: a name without a state is a file of ours that may not be whole.
const LIST: &str = ".feedmill-build";
/// The longest part of a file's name, in bytes; the endings of its codings are added.
const LONGEST: usize = 240;
/// The endings of the codings of a file.
const ENDINGS: [&str; 3] = ["", ".gz", ".br"];

/// The folder, and what became of its files.
pub(super) struct Folder {
    root: PathBuf,
    /// What all was made at, the last time that all of it was.
    stamp: String,
    known: HashMap<String, String>,
    list: File,
    work: Mutex<Work>,
    parts: AtomicUsize,
}

/// What was done so far.
#[derive(Default)]
struct Work {
    made: HashMap<String, String>,
    written: usize,
}

/// What became of the files.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) written: usize,
    pub(super) unchanged: usize,
    pub(super) removed: usize,
}

impl Folder {
    /// Opens the folder, and makes it if it is not there; one with other things in it is not taken.
    pub(super) fn open(root: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(root).with_context(|| format!("cannot make the folder {}", root.display()))?;
        let list = root.join(LIST);
        let text = match fs::read_to_string(&list) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut inside = fs::read_dir(root).with_context(|| format!("cannot read the folder {}", root.display()))?;
                anyhow::ensure!(inside.next().is_none(), "{} has files that feedmill did not build; give an empty folder", root.display());
                String::new()
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", list.display())),
        };
        let (stamp, files) = text.split_once('\n').unwrap_or_default();
        let files = files.lines().filter_map(|line| line.split_once('\t')).filter(|(_, name)| is_safe(name));
        let known = files.map(|(state, name)| (name.to_owned(), state.to_owned())).collect();
        let file = OpenOptions::new().create(true).append(true).open(&list).with_context(|| format!("cannot write {}", list.display()))?;
        anyhow::ensure!(file.try_lock().is_ok(), "another build writes into {}; let it end first", root.display());
        let folder =
            Self { root: root.to_owned(), stamp: stamp.to_owned(), known, list: file, work: Mutex::default(), parts: AtomicUsize::new(0) };
        if text.is_empty() {
            (&folder.list).write_all(b"\n").with_context(|| format!("cannot write {}", list.display()))?;
        }
        Ok(folder)
    }

    /// How many files there are, if all of them are still there as they were made at a stamp.
    pub(super) fn whole(&self, stamp: &str) -> Option<usize> {
        let is_whole = self.stamp == stamp && self.known.keys().all(|name| self.root.join(name).is_file());
        is_whole.then_some(self.known.len())
    }

    /// Whether a file is there in this state; then it stays.
    pub(super) fn has(&self, name: &str, state: &str) -> bool {
        let is_there = self.known.get(name).is_some_and(|known| known == state) && self.root.join(name).is_file();
        if is_there {
            self.work().made.insert(name.to_owned(), state.to_owned());
        }
        is_there
    }

    /// Writes a file in its codings: as it is, and where there are such as gzip and as Brotli.
    pub(super) fn put(&self, name: &str, state: &str, codings: &[Option<Bytes>; 3]) -> anyhow::Result<()> {
        let place = self.root.join(name);
        let is_ours = self.known.contains_key(name);
        anyhow::ensure!(is_ours || !place.exists(), "{} is in the way, and not of feedmill; move it", place.display());
        anyhow::ensure!(!self.work().made.contains_key(name), "two documents would be {}; the first one is", place.display());
        self.note("", name)?;
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make the folder {}", parent.display()))?;
        }
        // What is compressed goes first: a server that finds it beside an older file would give that.
        for (ending, bytes) in ENDINGS.iter().zip(codings).rev() {
            let place = self.root.join(format!("{name}{ending}"));
            match bytes {
                Some(bytes) => self.write(&place, bytes)?,
                None => remove(&place)?,
            }
        }
        self.note(state, name)?;
        let mut work = self.work();
        work.written += 1;
        work.made.insert(name.to_owned(), state.to_owned());
        Ok(())
    }

    fn write(&self, place: &Path, bytes: &[u8]) -> anyhow::Result<()> {
        let part = self.root.join(format!("{LIST}-part-{}", self.parts.fetch_add(1, Ordering::Relaxed)));
        let written = fs::write(&part, bytes).and_then(|()| fs::rename(&part, place));
        written.inspect_err(|_| drop(fs::remove_file(&part))).with_context(|| format!("cannot write {}", place.display()))
    }

    fn note(&self, state: &str, name: &str) -> anyhow::Result<()> {
        let line = format!("{state}\t{name}\n");
        (&self.list).write_all(line.as_bytes()).with_context(|| format!("cannot write {}", self.root.join(LIST).display()))
    }

    /// Removes what was not made this time, if `all` was, and lists the rest.
    pub(super) fn finish(self, stamp: &str, all: bool) -> anyhow::Result<Done> {
        let Work { mut made, written } = std::mem::take(&mut *self.work());
        let unchanged = made.len() - written;
        let mut removed = 0;
        for (name, state) in &self.known {
            if made.contains_key(name) {
                continue;
            }
            if all {
                self.remove(name)?;
                removed += 1;
            } else {
                made.insert(name.clone(), state.clone());
            }
        }
        let mut lines: Vec<String> = made.iter().map(|(name, state)| format!("{state}\t{name}\n")).collect();
        lines.sort_unstable();
        let stamp = if all { stamp } else { "" };
        self.write(&self.root.join(LIST), format!("{stamp}\n{}", lines.concat()).as_bytes())?;
        Ok(Done { written, unchanged, removed })
    }

    /// Removes a file of ours in all codings, and the folders that it leaves empty.
    fn remove(&self, name: &str) -> anyhow::Result<()> {
        for ending in ENDINGS {
            remove(&self.root.join(format!("{name}{ending}")))?;
        }
        let mut parent = Path::new(name).parent();
        while let Some(folder) = parent.filter(|folder| !folder.as_os_str().is_empty()) {
            // One with other files in it stays.
            if fs::remove_dir(self.root.join(folder)).is_err() {
                break;
            }
            parent = folder.parent();
        }
        Ok(())
    }

    fn work(&self) -> std::sync::MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a name stays below the folder, and can be one.
pub(super) fn is_safe(name: &str) -> bool {
    let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.len() <= LONGEST && !part.contains(char::is_control);
    name.split('/').all(is_part)
}

fn remove(place: &Path) -> anyhow::Result<()> {
    match fs::remove_file(place) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(error).with_context(|| format!("cannot remove {}", place.display()))
        }
        _ => Ok(()),
    }
}
