//! The files of a folder: found, not opened.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use walkdir::{DirEntry, WalkDir};

use crate::model::Problem;

/// The deepest folder that is looked into.
const MAX_DEPTH: usize = 32;

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

/// Finds the Markdown files below a folder. Hidden ones are passed over; a symbolic link is followed only inside it.
pub(super) fn walk(root: &Path) -> Walk {
    let mut walk = Walk::default();
    for entry in entries(root) {
        match entry {
            Ok(entry) => walk.take(root, &entry),
            Err(error) => {
                let path = relative(root, error.path().unwrap_or(root));
                walk.problems.push(Problem { place: path.clone(), line: None, reason: format!("cannot be looked into: {error}") });
                walk.unreadable.push(path);
            }
        }
    }
    walk
}

impl Walk {
    fn take(&mut self, root: &Path, entry: &DirEntry) {
        let path = relative(root, entry.path());
        if entry.file_type().is_dir() || !is_markdown(&path) {
            return;
        }
        match entry.metadata() {
            Ok(metadata) if metadata.is_file() => {
                self.files.push(Found { path, modified: modified(&metadata), size: metadata.len() });
            }
            Ok(_) => {}
            Err(error) => {
                self.problems.push(Problem { place: path.clone(), line: None, reason: format!("cannot be looked at: {error}") });
                self.unreadable.push(path);
            }
        }
    }
}

/// When a file was last changed, in nanoseconds since the epoch.
pub(super) fn modified(metadata: &std::fs::Metadata) -> i64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// A number that differs when any file of a folder was added, changed or removed; no file is opened.
#[must_use]
pub fn signature(root: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    for entry in entries(root).filter_map(Result::ok).filter(|entry| !entry.file_type().is_dir() && is_watched(entry.file_name())) {
        if let Ok(metadata) = entry.metadata() {
            (entry.path(), metadata.len(), metadata.modified().ok()).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Whether a change of a file with this name may change an article. Databases change all the time, ours among them.
#[must_use]
pub fn is_watched(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    !name.starts_with('.') && ![".db", ".sqlite", "-wal", "-shm", "-journal"].iter().any(|end| name.ends_with(end))
}

/// A folder and all folders in it that are looked into.
#[must_use]
pub fn folders(root: &Path) -> Vec<PathBuf> {
    entries(root).filter_map(Result::ok).filter(|entry| entry.file_type().is_dir()).map(DirEntry::into_path).collect()
}

fn entries(root: &Path) -> impl Iterator<Item = walkdir::Result<DirEntry>> {
    let root = PathBuf::from(root);
    WalkDir::new(&root).follow_links(true).max_depth(MAX_DEPTH).sort_by_file_name().into_iter().filter_entry(move |entry| {
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
