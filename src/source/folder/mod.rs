//! Folders of Markdown: which files there are, which must be parsed again, and what all of them together say.

mod aside;
mod few;
mod links;
mod place;
mod rename;
mod walk;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono_tz::Tz;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use url::Url;

pub use aside::Shelf;
pub use few::{Few, read_few, signature};
pub use rename::rename;
pub use walk::{Look, is_watched, look};

use super::markdown::{self, Context, Place, Reading};
use crate::crew::cores;
use crate::model::{Article, ArticleKey, Batch, Extent, FileState, Kind, Link, Memory, Problem, Slug, TermDescription, Time, text};
use links::Linker;
use place::{Role, role};
use rename::{has_own_links, relink};
use walk::{Found, walk};

/// Raised when files would be read otherwise than before, so that all are read once more.
const READER: u32 = 3;
/// The names of Hugo's own configuration.
const HUGO: [&str; 6] = ["hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json", "config.toml", "config.yaml"];
/// How far above the folder it is looked for.
const HUGO_LEVELS: usize = 4;
/// What a text is called that has no name.
const NAMELESS: &str = "stdin";

/// How a folder is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The slug that the source had first: part of its articles' addresses.
    pub first_slug: Slug,
    /// The source's own zone, for dates without an offset.
    pub timezone: Option<Tz>,
    /// The zone where neither the source nor Hugo's configuration names one.
    pub default_zone: Tz,
    /// Where relative links lead.
    pub base_url: Option<Url>,
    /// The largest file, in bytes.
    pub max_file: u64,
    /// The largest file of a bundle, in bytes.
    pub max_bundle_file: u64,
}

/// A folder that had so many files and has nothing any more is more likely where a disk is to be mounted than emptied.
const MANY: usize = 10;

/// Why a folder cannot be read at all; nothing is withdrawn then.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It is not there, or may not be read.
    #[error("cannot read the folder {0:?}; check that it is there and may be read")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// Nothing at all is in it, where there were many files.
    #[error(
        "the folder {0:?} is empty, where {1} files were; if a disk belongs there, mount it, and if it is to be empty, remove this source"
    )]
    Empty(PathBuf, usize),
}

/// What came of one file.
#[derive(Default)]
struct Outcome {
    state: Option<FileState>,
    article: Option<Article>,
    /// Where its text is, if it was put aside.
    aside: Option<Range<u64>>,
    term: Option<TermDescription>,
    problem: Option<Problem>,
    repairs: Vec<Problem>,
    is_skipped: bool,
}

/// Reads a folder: files that are as `memory` has them are not opened, unless the settings that they were read with changed.
///
/// # Errors
/// The folder itself cannot be read, or is empty where many files were.
pub fn read(root: &Path, memory: &Memory, options: &Options, now: Time) -> Result<Batch, FolderError> {
    let is_empty = std::fs::read_dir(root).map_err(|cause| FolderError::Unreadable(root.to_owned(), cause))?.next().is_none();
    if is_empty && memory.files.len() >= MANY {
        return Err(FolderError::Empty(root.to_owned(), memory.files.len()));
    }
    let walk = walk(root);
    let reader = Reader::new(root, memory, Some(&walk.files), options, now);
    let shelf = Shelf::default();
    let outcomes = reader.read_all(&walk.files, &shelf);
    let mut batch = collect(outcomes, shelf, &memory.files, &options.first_slug);
    batch.memory.read_with = Some(reader.read_with);
    batch.problems.extend(walk.problems);
    let is_unknown =
        |path: &str| walk.unreadable.iter().any(|below| below.is_empty() || path == below || path.starts_with(&format!("{below}/")));
    let kept = memory.files.iter().filter(|state| is_unknown(&state.path)).cloned();
    batch.memory.files.extend(kept);
    Ok(batch)
}

/// Reads one text that was named alone, such as a file; it may lack front matter.
///
/// # Errors
/// What is wrong with it.
pub fn read_text(path: &str, bytes: &[u8], options: &Options, now: Time) -> Result<Batch, Problem> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Role::Article(place) = role(name) else {
        return Err(Problem { place: path.to_owned(), line: None, reason: "an `_index.md` is no article; name its folder".to_owned() });
    };
    let text = as_text(path, bytes)?;
    let context =
        Context { zone: options.timezone.unwrap_or(options.default_zone), base: options.base_url.as_ref(), resolve: &|_| None, now };
    let mut batch = Batch::default();
    match markdown::read(text, &Place { path: path.to_owned(), ..place.clone() }, &context)? {
        Reading::Plain if text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').is_empty() => {
            return Err(Problem { place: path.to_owned(), line: None, reason: "there is nothing in it".to_owned() });
        }
        Reading::Plain => batch.articles.push(markdown::read_plain(text, &place, &context)),
        Reading::Article(page) if page.is_hidden => batch.skipped = 1,
        Reading::Article(page) => {
            batch.repairs = page.repairs;
            batch.articles.push(page.article);
        }
    }
    let found = Found { path: name.to_owned(), modified: 0, size: 0 };
    let state = |article: &Article| FileState { guid: Some(article.guid.clone()), ..state_of(&found) };
    batch.memory.files = batch.articles.iter().map(state).collect();
    Ok(batch)
}

/// Reads a text that comes without a name, as standard input does: what it says makes it itself, unless it has a guid.
///
/// # Errors
/// What is wrong with it.
pub fn read_nameless(bytes: &[u8], options: &Options, now: Time) -> Result<Batch, Problem> {
    let mut batch = read_text(&format!("{NAMELESS}.md"), bytes, options, now)?;
    batch.memory.files.clear();
    for article in &mut batch.articles {
        article.translation_key = article.translation_key.take().filter(|key| key != NAMELESS);
        if article.guid == NAMELESS {
            let content = article.content.as_deref().map(text::plain).unwrap_or_default();
            article.guid = format!("{NAMELESS}-{}", title_and_date(article, &content));
        }
    }
    Ok(batch)
}

/// What tells an article from others of its name: a hash of its title and its date, and of something more.
#[must_use]
pub fn title_and_date(article: &Article, more: &str) -> String {
    let date = article.published.map_or(0, |date| date.timestamp());
    let said = format!("{}\0{date}\0{more}", article.title.as_deref().unwrap_or_default());
    HEXLOWER.encode(&Sha256::digest(said)[..8])
}

struct Reader<'a> {
    root: &'a Path,
    memory: HashMap<&'a str, &'a FileState>,
    is_as_before: bool,
    read_with: String,
    linker: Linker<'a>,
    options: &'a Options,
    zone: Tz,
    now: Time,
}

impl<'a> Reader<'a> {
    fn new(root: &'a Path, memory: &'a Memory, files: Option<&'a [Found]>, options: &'a Options, now: Time) -> Self {
        let states: HashMap<&str, &FileState> = memory.files.iter().map(|state| (state.path.as_str(), state)).collect();
        let (base, zone) = hugo(root);
        let base = options.base_url.clone().or(base);
        let zone = options.timezone.or(zone).unwrap_or(options.default_zone);
        let read_with = format!("{READER} {zone} {} {}", options.max_bundle_file, base.as_ref().map_or("", Url::as_str));
        let is_as_before = memory.read_with.as_ref() == Some(&read_with);
        let linker = Linker::new(root, files, &states, options, base);
        Self { root, memory: states, is_as_before, read_with, linker, options, zone, now }
    }

    /// Reads all files on all cores; the outcomes stand in the order of the files.
    fn read_all(&self, files: &[Found], aside: &Shelf) -> Vec<Outcome> {
        let next = AtomicUsize::new(0);
        let outcomes = Mutex::new(Vec::with_capacity(files.len()));
        let work = || {
            let mut own = Vec::new();
            while let Some((position, file)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, files.get(at)?))) {
                let mut outcome = self.read_file(file);
                outcome.aside = outcome.article.as_mut().and_then(|article| aside.put(article));
                own.push((position, outcome));
            }
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
        };
        let cores = cores().min(files.len().max(1));
        std::thread::scope(|scope| {
            for _ in 1..cores {
                scope.spawn(work);
            }
            work();
        });
        let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
        outcomes.sort_by_key(|(position, _)| *position);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    fn read_file(&self, file: &Found) -> Outcome {
        let known = self.memory.get(file.path.as_str()).copied();
        let role = role(&file.path);
        let is_unchanged = |state: &&FileState| {
            let is_same = self.is_as_before && state.modified == file.modified && state.size == file.size;
            // What could not be loaded may be by now: leave to read a file, or a larger limit, changes nothing of it.
            let was_loaded = state.problem.as_ref().is_none_or(|problem| problem.line.is_some());
            let stays = state.revisit.is_none_or(|revisit| revisit > self.now);
            is_same && was_loaded && stays && state.uses.iter().all(|used| used.stamp == links::stamp(&self.root.join(&used.path)))
        };
        if let (Some(state), Role::Article(_)) = (known.filter(is_unchanged), &role) {
            return Outcome { state: Some(state.clone()), problem: state.problem.clone(), ..Outcome::default() };
        }
        let result = self.load(file).and_then(|bytes| match &role {
            // A program that crashed, or is about to write it, leaves a file empty: nobody takes an article back so.
            Role::Article(_) if bytes.is_empty() && known.is_some_and(|state| state.guid.is_some()) => {
                Err(Problem { place: file.path.clone(), line: None, reason: "there is nothing in it".to_owned() })
            }
            Role::Article(place) => self.read_article(file, as_text(&file.path, &bytes)?, place),
            Role::Term(kind, name) => self.read_term(file, as_text(&file.path, &bytes)?, *kind, name),
            Role::Section => Ok(Outcome { is_skipped: true, ..Outcome::default() }),
        });
        result.unwrap_or_else(|problem| {
            // A file that became broken withdraws nothing: its article stays as it was.
            let state = FileState { guid: known.and_then(|state| state.guid.clone()), problem: Some(problem.clone()), ..state_of(file) };
            Outcome { state: Some(state), problem: Some(problem), ..Outcome::default() }
        })
    }

    fn load(&self, file: &Found) -> Result<Vec<u8>, Problem> {
        let problem = |reason: String| Problem { place: file.path.clone(), line: None, reason };
        if file.size > self.options.max_file {
            return Err(problem(format!("it has {} bytes; the limit is {} (`folder.max_file`)", file.size, self.options.max_file)));
        }
        std::fs::read(self.root.join(&file.path)).map_err(|error| problem(format!("cannot be read: {error}")))
    }

    fn read_article(&self, file: &Found, text: &str, place: &Place) -> Result<Outcome, Problem> {
        let links = self.linker.of(&file.path);
        let resolve = |path: &str| links.resolve(path);
        let context = Context { zone: self.zone, base: links.base(), resolve: &resolve, now: self.now };
        let page = match markdown::read(text, place, &context)? {
            Reading::Plain => return Ok(Outcome { is_skipped: true, state: Some(state_of(file)), ..Outcome::default() }),
            Reading::Article(page) => page,
        };
        let mut state = FileState { revisit: page.revisit, ..state_of(file) };
        if page.is_hidden {
            return Ok(Outcome { state: Some(state), is_skipped: true, repairs: page.repairs, ..Outcome::default() });
        }
        state.guid = Some(page.article.guid.clone());
        let mut article = page.article;
        (article.files, state.uses) = links.files();
        Ok(Outcome { state: Some(state), article: Some(article), repairs: page.repairs, ..Outcome::default() })
    }

    fn read_term(&self, file: &Found, text: &str, kind: Kind, name: &str) -> Result<Outcome, Problem> {
        let context = Context { zone: self.zone, base: self.linker.base(), resolve: &|_| None, now: self.now };
        let markdown::Description { title, description, picture } = markdown::read_description(text, &file.path, &context)?;
        Ok(Outcome { term: Some(TermDescription { kind, name: name.to_owned(), title, description, picture }), ..Outcome::default() })
    }
}

fn state_of(file: &Found) -> FileState {
    FileState {
        path: file.path.clone(),
        modified: file.modified,
        size: file.size,
        guid: None,
        uses: Vec::new(),
        revisit: None,
        problem: None,
    }
}

fn as_text<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str, Problem> {
    simdutf8::compat::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        Problem { place: path.to_owned(), line: Some(line), reason: "this is not UTF-8; save the file as UTF-8".to_owned() }
    })
}

fn collect(outcomes: Vec<Outcome>, shelf: Shelf, memory: &[FileState], first_slug: &Slug) -> Batch {
    let mut batch = Batch { extent: Extent::Complete, ..Batch::default() };
    let mut files: Vec<FileState> = Vec::with_capacity(outcomes.len());
    // They are large: room for twice as many would be megabytes.
    batch.articles.reserve_exact(outcomes.iter().filter(|outcome| outcome.article.is_some()).count());
    // Of each file which article it has; one that was not parsed has none here.
    let (mut places, mut owned) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        owned.extend(outcome.state.is_some().then(|| outcome.article.is_some().then_some(batch.articles.len())));
        places.extend(outcome.article.is_some().then_some(outcome.aside));
        batch.articles.extend(outcome.article);
        batch.terms.extend(outcome.term);
        batch.problems.extend(outcome.problem);
        batch.repairs.extend(outcome.repairs);
        batch.skipped += usize::from(outcome.is_skipped);
        files.extend(outcome.state);
    }
    tell_apart(&mut batch.articles, &owned, &mut files, memory);
    // What was put aside is not looked into for that.
    let have_links = places.iter().any(Option::is_some) || batch.articles.iter().any(has_own_links);
    let renamed = if have_links { renamed(&files, first_slug) } else { HashMap::new() };
    batch.articles.iter_mut().for_each(|article| relink(article, &renamed));
    give_back_shared_links(&mut batch.articles);
    let guids = batch.articles.iter().map(|article| article.guid.clone());
    batch.aside = shelf.close(guids.zip(places).filter_map(|(guid, place)| Some((guid, place?))).collect(), renamed);
    batch.revisit = files.iter().filter_map(|file| file.revisit).min();
    batch.memory = Memory { files, ..Memory::default() };
    batch
}

/// Two files that would have one guid: the one that had it keeps it, else the first; the other's guid has its extension.
fn tell_apart(articles: &mut [Article], owned: &[Option<usize>], files: &mut [FileState], memory: &[FileState]) {
    let before: HashMap<&str, &str> = memory.iter().filter_map(|state| Some((state.path.as_str(), state.guid.as_deref()?))).collect();
    let kept = files.iter().filter_map(|file| file.guid.as_ref().filter(|guid| before.get(file.path.as_str()) == Some(&guid.as_str())));
    let mut taken: HashSet<String> = kept.cloned().collect();
    for (file, article) in files.iter_mut().zip(owned) {
        let Some(guid) = file.guid.clone() else { continue };
        let had_it = before.get(file.path.as_str()) == Some(&guid.as_str());
        let was_told_apart = before.get(file.path.as_str()) == Some(&file.path.as_str());
        if !had_it && (was_told_apart || !taken.insert(guid)) {
            file.guid = Some(file.path.clone());
            if let Some(article) = article.and_then(|article| articles.get_mut(article)) {
                article.guid.clone_from(&file.path);
            }
        }
    }
}

/// The keys of articles that have another guid than their path gives, by the keys that links were made with.
fn renamed(files: &[FileState], first_slug: &Slug) -> HashMap<ArticleKey, ArticleKey> {
    let taken: HashSet<&str> = files.iter().filter_map(|file| file.guid.as_deref()).collect();
    let both = |file: &FileState| {
        let Role::Article(usual) = role(&file.path) else { return None };
        let guid = file.guid.as_ref().filter(|_| !taken.contains(usual.guid.as_str()))?;
        Some((ArticleKey::new(first_slug, &usual.guid), ArticleKey::new(first_slug, guid)))
    };
    files.iter().filter_map(both).collect()
}

/// A last paragraph that several files share is a signature, not the original's link.
pub fn give_back_shared_links(articles: &mut [Article]) {
    let mut count: HashMap<String, usize> = HashMap::new();
    for article in articles.iter() {
        if let Link::Candidate(link) = &article.link {
            *count.entry(link.clone()).or_default() += 1;
        }
    }
    for article in articles {
        if matches!(&article.link, Link::Candidate(link) if count.get(link).is_some_and(|count| *count > 1)) {
            article.link = Link::Own;
        }
    }
}

/// The base URL and the zone that Hugo's configuration in the folder or above it names.
fn hugo(root: &Path) -> (Option<Url>, Option<Tz>) {
    let places = root.ancestors().take(HUGO_LEVELS).flat_map(|folder| HUGO.iter().map(|name| folder.join(name)));
    for path in places.filter(|path| path.is_file()) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let (base, zone) = markdown::hugo_settings(&path.to_string_lossy(), &text);
        if base.is_some() || zone.is_some() {
            return (base, zone);
        }
    }
    (None, None)
}
