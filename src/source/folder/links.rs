//! Where the relative links of a file lead: to another article here, to a file that is stored with the article, or to
//! the place that the folder is published at.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use url::Url;

use super::Options;
use super::place::{Role, is_bundle, role};
use super::walk::{Found, is_markdown};
use crate::model::{ArticleKey, BundleFile, FileState, PLACEHOLDER, UsedFile};

/// The most files that are stored with one article.
const MAX_FILES: usize = 200;

/// What the links of all files share.
pub(super) struct Linker<'a> {
    root: &'a Path,
    /// The files that there are; `None`: only some are read.
    present: Option<HashSet<&'a str>>,
    /// Whether a link leads to a file that is not known.
    is_lost: AtomicBool,
    guids: HashMap<&'a str, &'a str>,
    options: &'a Options,
    base: Option<Url>,
}

impl<'a> Linker<'a> {
    pub(super) fn new(
        root: &'a Path,
        files: Option<&'a [Found]>,
        memory: &HashMap<&'a str, &'a FileState>,
        options: &'a Options,
        base: Option<Url>,
    ) -> Self {
        let present = files.map(|files| files.iter().map(|file| file.path.as_str()).collect());
        let guids = memory.values().filter_map(|state| Some((state.path.as_str(), state.guid.as_deref()?))).collect();
        Self { root, present, is_lost: AtomicBool::new(false), guids, options, base }
    }

    pub(super) fn base(&self) -> Option<&Url> {
        self.base.as_ref()
    }

    /// Whether a link leads to an article whose guid only a reading of the whole folder knows.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    /// The links of one file.
    pub(super) fn of(&'a self, path: &'a str) -> Links<'a> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let below = self.base.as_ref().filter(|_| is_bundle(path) && !folder.is_empty());
        let base = below.and_then(|base| base.join(&format!("{folder}/")).ok()).or_else(|| self.base.clone());
        Links { linker: self, folder, base, files: RefCell::default(), uses: RefCell::default() }
    }

    /// The placeholder of the article that a path inside the folder names, with or without extension.
    fn article(&self, path: &str) -> Option<String> {
        let path = path.trim_end_matches('/');
        let candidates = [path.to_owned(), format!("{path}.md"), format!("{path}/index.md"), format!("{path}.markdown")];
        let mut candidates = candidates.into_iter().filter(|candidate| is_markdown(candidate));
        let Some(present) = &self.present else {
            self.is_lost.fetch_or(candidates.any(|candidate| self.root.join(candidate).exists()), Ordering::Relaxed);
            return None;
        };
        let found = candidates.find(|candidate| present.contains(candidate.as_str()))?;
        let Role::Article(place) = role(&found) else { return None };
        let guid = self.guids.get(found.as_str()).copied().unwrap_or(&place.guid);
        Some(format!("{PLACEHOLDER}/article/{}", ArticleKey::new(&self.options.first_slug, guid)))
    }
}

/// The links of one file; it notes the files that they need.
pub(super) struct Links<'a> {
    linker: &'a Linker<'a>,
    folder: &'a str,
    base: Option<Url>,
    files: RefCell<BTreeMap<String, BundleFile>>,
    uses: RefCell<BTreeMap<String, Option<(i64, u64)>>>,
}

impl Links<'_> {
    pub(super) fn base(&self) -> Option<&Url> {
        self.base.as_ref()
    }

    /// The placeholder for a relative link: another article's page, or a file of this one's own folder.
    pub(super) fn resolve(&self, path: &str) -> Option<String> {
        if path.starts_with("//") || path.contains(PLACEHOLDER) {
            return None;
        }
        let absolute = path.strip_prefix('/').map(|path| normal("", path));
        let inside = absolute.unwrap_or_else(|| normal(self.folder, path))?;
        self.linker.article(&inside).or_else(|| self.file(&inside))
    }

    /// A file beside or below the article is stored with it where the folder has no place of its own on the web.
    fn file(&self, inside: &str) -> Option<String> {
        let name = if self.folder.is_empty() { inside } else { inside.strip_prefix(self.folder)?.strip_prefix('/')? };
        let path = self.linker.root.join(inside);
        if self.base.is_some() || is_markdown(inside) || name.split('/').any(|part| part.starts_with('.')) {
            return None;
        }
        self.uses.borrow_mut().entry(inside.to_owned()).or_insert_with(|| stamp(&path));
        let mut files = self.files.borrow_mut();
        if !files.contains_key(name) {
            let limit = self.linker.options.max_bundle_file;
            let is_fit = path.metadata().is_ok_and(|file| file.is_file() && file.len() <= limit) && files.len() < MAX_FILES;
            let is_inside = path.canonicalize().is_ok_and(|path| path.starts_with(self.linker.root));
            if !is_fit || !is_inside {
                return None;
            }
            let Ok(bytes) = std::fs::read(&path) else {
                // Leave to read it changes nothing of it: it is tried again.
                self.uses.borrow_mut().insert(inside.to_owned(), None);
                return None;
            };
            let hash = HEXLOWER.encode(&Sha256::digest(&bytes)[..16]);
            files.insert(name.to_owned(), BundleFile { name: name.to_owned(), media_type: media_type(name).to_owned(), bytes, hash });
        }
        let name = url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20").replace("%2F", "/");
        Some(format!("{PLACEHOLDER}./{name}"))
    }

    /// The files that the links need; and all that they would, as they are now.
    pub(super) fn files(self) -> (Vec<BundleFile>, Vec<UsedFile>) {
        let uses = self.uses.into_inner().into_iter().take(MAX_FILES).map(|(path, stamp)| UsedFile { path, stamp }).collect();
        (self.files.into_inner().into_values().collect(), uses)
    }
}

/// A file's time and size; `None` if it is not there.
pub(super) fn stamp(path: &Path) -> Option<(i64, u64)> {
    let metadata = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
    Some((super::walk::modified(&metadata), metadata.len()))
}

/// A path inside the folder without `.` and `..`; `None` if it leads out.
fn normal(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// The media type of a file by its extension; what browsers could run is not named as such.
fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "svg" => "image/svg+xml",
        "mp3" => "audio/mpeg",
        "ogg" | "opus" => "audio/ogg",
        "m4a" => "audio/mp4",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "pdf" => "application/pdf",
        "csv" | "log" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
