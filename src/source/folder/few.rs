//! A few files of a folder, read alone: what came of them is what a reading of the whole folder would make of them, or they
//! are not read.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::Path;

use super::aside::Shelf;
use super::place::{Role, role};
use super::walk::{Found, is_walked, mark, modified};
use super::{Options, Reader, collect};
use crate::model::{Batch, Extent, FileState, Memory, Time};

/// Files of a folder that something happened to, as they are now.
#[derive(Debug)]
pub struct Few {
    /// The paths of articles: files that are there, and files that no longer are.
    pub paths: BTreeSet<String>,
    /// Other paths where nothing is now.
    pub others: Vec<String>,
    found: Vec<Found>,
}

impl Few {
    /// Looks at some paths of a folder. `None`: among them is what other files may depend on.
    #[must_use]
    pub fn look(root: &Path, touched: BTreeSet<String>) -> Option<Self> {
        let mut few = Self { paths: BTreeSet::new(), others: Vec::new(), found: Vec::new() };
        for path in touched {
            let place = root.join(&path);
            let is_article = is_walked(&path) && matches!(role(&path), Role::Article(_));
            match place.symlink_metadata() {
                Ok(file) if is_article && file.is_file() && has_one_name(&file) => {
                    few.found.push(Found { path: path.clone(), modified: modified(&file), size: file.len() });
                    few.paths.insert(path);
                }
                Err(error) if error.kind() == ErrorKind::NotFound && place.parent().is_some_and(Path::is_dir) => {
                    // What a section or a term says of itself is never an article, there or not.
                    if is_article {
                        few.paths.insert(path);
                    } else {
                        few.others.push(path);
                    }
                }
                _ => return None,
            }
        }
        Some(few)
    }
}

/// Reads a few files; `memory` has what is remembered of them. `None`: the folder has to be read whole, since its settings
/// changed, or since a link leads to another article of it.
#[must_use]
pub fn read_few(root: &Path, few: &Few, memory: &Memory, options: &Options, now: Time) -> Option<Batch> {
    let reader = Reader::new(root, memory, None, options, now);
    if !reader.is_as_before {
        return None;
    }
    let shelf = Shelf::default();
    let outcomes = reader.read_all(&few.found, &shelf);
    if reader.linker.is_lost() {
        return None;
    }
    let mut batch = collect(outcomes, shelf, &memory.files, &options.first_slug);
    batch.extent = Extent::Files(few.paths.clone());
    batch.memory.read_with = Some(reader.read_with);
    Some(batch)
}

/// What some files add to the signature of their folder.
#[must_use]
pub fn signature(root: &Path, files: &[FileState]) -> u64 {
    files.iter().fold(0, |sum, file| sum.wrapping_add(mark(&root.join(&file.path), file.modified, file.size)))
}

/// What is written to a file by another of its names is told of by that name alone.
#[cfg(unix)]
fn has_one_name(file: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(file) == 1
}

#[cfg(not(unix))]
const fn has_one_name(_: &Metadata) -> bool {
    true
}
