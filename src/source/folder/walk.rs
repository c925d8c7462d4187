//! The files of a folder: found, not opened.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use walkdir::{DirEntry, WalkDir};

use crate::crew::cores;
use crate::model::Problem;

/// The deepest folder that is looked into.
const MAX_DEPTH: usize = 32;
/// So many files are worth a thread of their own.
const PART: usize = 1_000;

/// A file as the walk finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Inside the folder, with `/`.
    pub(super) path: String,
    pub(super) modified: i64,
    pub(super) size: u64,
}

/// What a walk gives: the files in order of their paths, and what could not be looked into.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) files: Vec<Found>,
    pub(super) problems: Vec<Problem>,
    /// Paths below which nothing is known: what was there before counts as there.
    pub(super) unreadable: Vec<String>,
}

/// Whether a file is read as an article: by its extension.
pub(super) fn is_markdown(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| matches!(extension.to_ascii_lowercase().as_str(), "md" | "markdown" | "txt"))
}

/// Whether a walk would find a file at a path.
pub(super) fn is_walked(path: &str) -> bool {
    let is_hidden = path.split('/').any(|part| part.starts_with('.'));
    is_markdown(path) && !is_hidden && path.split('/').count() <= MAX_DEPTH
}

/// Finds the Markdown files below a folder. Hidden ones are passed over; a symbolic link is followed only inside it.
pub(super) fn walk(root: &Path) -> Walk {
    let (mut walk, mut paths) = (Walk::default(), Vec::new());
    for entry in entries(root) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => paths.extend(Some(relative(root, entry.path())).filter(|path| is_markdown(path))),
            Err(error) => {
                let path = relative(root, error.path().unwrap_or(root));
                walk.problems.push(Problem { place: path.clone(), line: None, reason: format!("cannot be looked into: {error}") });
                walk.unreadable.push(path);
            }
        }
    }
    paths.sort_unstable();
    let stamp = |metadata: Metadata| metadata.is_file().then(|| (modified(&metadata), metadata.len()));
    let stamps = each(&paths, |path| root.join(path).metadata().map(stamp));
    for (path, stamp) in paths.into_iter().zip(stamps) {
        walk.take(path, stamp);
    }
    walk
}

impl Walk {
    fn take(&mut self, path: String, stamp: std::io::Result<Option<(i64, u64)>>) {
        match stamp {
            Ok(stamp) => self.files.extend(stamp.map(|(modified, size)| Found { path, modified, size })),
            Err(error) => {
                self.problems.push(Problem { place: path.clone(), line: None, reason: format!("cannot be looked at: {error}") });
                self.unreadable.push(path);
            }
        }
    }
}

/// What all paths give, in their order; many are asked on all cores.
fn each<T: Send>(paths: &[String], ask: impl Fn(&String) -> T + Sync) -> Vec<T> {
    let ask = |paths: &[String]| paths.iter().map(&ask).collect::<Vec<T>>();
    let ask = &ask;
    std::thread::scope(|scope| {
        let mut parts = paths.chunks(paths.len().div_ceil(cores()).max(PART));
        let first = parts.next().unwrap_or_default();
        let others: Vec<_> = parts.map(|part| scope.spawn(move || ask(part))).collect();
        let mut all = ask(first);
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    })
}

/// When a file was last changed, in nanoseconds since the epoch; before that it is less than none.
pub(super) fn modified(metadata: &Metadata) -> i64 {
    let nanoseconds = |passed: Duration| i64::try_from(passed.as_nanos()).unwrap_or(i64::MAX);
    metadata.modified().map_or(0, |time| match time.duration_since(UNIX_EPOCH) {
        Ok(since) => nanoseconds(since),
        Err(before) => -nanoseconds(before.duration()),
    })
}

/// What a look at a folder gives; no file is opened.
#[derive(Debug)]
pub struct Look {
    /// It and all folders in it that are looked into.
    pub folders: Vec<PathBuf>,
    /// A number that differs when any file was added, changed or removed.
    pub signature: u64,
    /// Whether there are symbolic links: what is written to a file by another name is told of by that name.
    pub has_links: bool,
}

/// Looks at a folder.
#[must_use]
pub fn look(root: &Path) -> Look {
    let mut look = Look { folders: Vec::new(), signature: 0, has_links: false };
    for entry in entries(root).filter_map(Result::ok) {
        look.has_links |= entry.depth() > 0 && entry.path_is_symlink();
        if entry.file_type().is_dir() {
            look.folders.push(entry.into_path());
        } else if let Ok(metadata) = entry.metadata()
            && is_watched(entry.file_name())
        {
            // In whatever order they come.
            look.signature = look.signature.wrapping_add(mark(entry.path(), modified(&metadata), metadata.len()));
        }
    }
    look
}

/// What a file adds to the signature of its folder.
pub(super) fn mark(path: &Path, modified: i64, size: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (path, modified, size).hash(&mut hasher);
    hasher.finish()
}

/// Whether a change of a file with this name may change an article. Databases change all the time, ours among them.
#[must_use]
pub fn is_watched(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    !name.starts_with('.') && ![".db", ".sqlite", "-wal", "-shm", "-journal"].iter().any(|end| name.ends_with(end))
}

fn entries(root: &Path) -> impl Iterator<Item = walkdir::Result<DirEntry>> {
    let root = PathBuf::from(root);
    WalkDir::new(&root).follow_links(true).max_depth(MAX_DEPTH).into_iter().filter_entry(move |entry| {
        let is_hidden = entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
        let leads_out =
            || entry.depth() > 0 && entry.path_is_symlink() && !entry.path().canonicalize().is_ok_and(|target| target.starts_with(&root));
        !is_hidden && !leads_out()
    })
}

fn relative(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    inside.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
