//! Where articles come from, and what one reading of it gives.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use url::Url;

use super::private::{has_secrets, hosts_only};
use super::{Hints, Host, Language, Person, Slug, Time};

/// The number of a source in its store; published nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub i64);

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// An upstream URL.
    Feed,
    /// A folder of Markdown files.
    Folder,
    /// Articles that are pushed or imported.
    Inbox,
}

impl SourceKind {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Folder => "folder",
            Self::Inbox => "inbox",
        }
    }

    /// The kind that a word names.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Feed, Self::Folder, Self::Inbox].into_iter().find(|kind| kind.name() == name)
    }

    /// Whom a source of this kind asks, by its location; a folder and an inbox ask nobody.
    #[must_use]
    pub fn host_of(self, location: &str) -> Option<Host> {
        Url::parse(location).ok().filter(|_| self == Self::Feed).as_ref().and_then(Host::of)
    }
}

/// What the owner says of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceSettings {
    /// Shown in place of the title that it gives itself.
    pub title: Option<String>,
    /// For articles that name no category.
    pub categories: Vec<String>,
    /// For all its articles.
    pub tags: Vec<String>,
    /// For articles that name none.
    pub language: Option<Language>,
    /// For dates that name none.
    pub timezone: Option<Tz>,
    /// How often to read it, at the most.
    pub every: Option<Duration>,
    /// Where relative links of a folder lead.
    pub base_url: Option<String>,
    /// The encoding of a feed that states a wrong one.
    pub encoding: Option<String>,
    /// The proxy that it is asked through, in place of the usual way.
    pub proxy: Option<String>,
    /// The page of each new article is read for its content.
    pub full_text: bool,
    /// Sent with every request for it, and with no other.
    pub headers: Vec<Header>,
    /// Its address or its headers are nobody else's business: its URL is published nowhere.
    pub private: bool,
}

impl SourceSettings {
    /// Whether a source at a URL is asked with what is for its own host alone.
    #[must_use]
    pub fn has_keys(&self, url: &Url) -> bool {
        !self.headers.is_empty() || has_secrets(url)
    }
}

/// A header of a source's own; its value is a secret, which no log shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Such as `Authorization`.
    pub name: String,
    /// Verbatim.
    pub value: String,
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: …", self.name)
    }
}

/// A source to be added: `kind` and `location` are its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSource {
    /// What it is.
    pub kind: SourceKind,
    /// A feed's URL, a folder's canonical path, an inbox's name.
    pub location: String,
    /// The slug wished for; else it is made from the title.
    pub slug: Option<Slug>,
    /// The title until it gives itself one: a host, a folder's last name.
    pub title: String,
    /// The owner's word.
    pub settings: SourceSettings,
}

/// What a source says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceInfo {
    /// Plain text.
    pub title: Option<String>,
    /// The page that it belongs to; absolute.
    pub home: Option<String>,
    /// Plain text.
    pub description: Option<String>,
    /// The Atom id that it has.
    pub id: Option<String>,
    /// Who writes it.
    pub authors: Vec<Person>,
    /// Its language, for articles that name none.
    pub language: Option<Language>,
    /// The URL of its picture.
    pub icon: Option<String>,
    /// The rights that it states.
    pub rights: Option<String>,
}

/// A source as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its number here.
    pub id: SourceId,
    /// What it is.
    pub kind: SourceKind,
    /// A feed's URL, a folder's canonical path, an inbox's name.
    pub location: String,
    /// Its name in URLs.
    pub slug: Slug,
    /// The slug that it had first: part of its articles' identity, for ever.
    pub first_slug: Slug,
    /// The owner's title, else its own, else the one that it was added with.
    pub title: String,
    /// The owner's word.
    pub settings: SourceSettings,
    /// Its own word.
    pub info: SourceInfo,
    /// How reading it went.
    pub status: SourceStatus,
}

impl Source {
    /// Whom it asks.
    #[must_use]
    pub fn host(&self) -> Option<Host> {
        self.kind.host_of(&self.location)
    }

    /// What it failed with, for everybody to read: hosts without the rest of their URLs, a folder by its name alone.
    #[must_use]
    pub fn without_secrets(&self, error: &str) -> String {
        let is_feed = self.kind == SourceKind::Feed;
        hosts_only(&if is_feed { error.to_owned() } else { error.replace(&self.location, &self.title) })
    }
}

/// How reading a source went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceStatus {
    /// When it was added.
    pub created: Time,
    /// When it was first read whole.
    pub first_read: Option<Time>,
    /// When it was last asked.
    pub last_read: Option<Time>,
    /// When it last answered well.
    pub last_good: Option<Time>,
    /// When it is to be asked next; `None`: never.
    pub due: Option<Time>,
    /// How often it failed since it last answered well.
    pub failures: u32,
    /// Since when it fails.
    pub failing_since: Option<Time>,
    /// What it failed with, for people.
    pub error: Option<String>,
    /// Its public articles.
    pub articles: u64,
    /// What was wrong with single articles in the last reading.
    pub problems: Vec<Problem>,
    /// What was mended in the last reading of a whole document.
    pub repairs: Vec<Problem>,
    /// What it says of when it may be asked.
    pub hints: Hints,
    /// Its server does not wish it to be asked before, by its last good answer.
    pub not_before: Option<Time>,
    /// Somebody has taken it to read it, until then at the longest; nobody, if that is over.
    pub taken_until: Time,
    /// Its host is left alone until then: it is being asked, was just asked, or wishes so.
    pub host_free: Option<Time>,
    /// The address that it redirects to for good, and on how many readings running.
    pub redirect: Option<(String, u32)>,
}

impl SourceStatus {
    /// When it is asked next, if its host may be asked then; `None`: never.
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        self.due.map(|due| due.max(self.host_free.unwrap_or(due)))
    }

    /// Whether it said that it will not come back, so that it is asked no more.
    #[must_use]
    pub const fn is_gone(&self) -> bool {
        self.failures > 0 && self.due.is_none()
    }
}

/// What a reader needs to ask a source again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    /// `ETag`, as last received with a 200.
    pub etag: Option<String>,
    /// `Last-Modified`, as last received with a 200.
    pub last_modified: Option<String>,
    /// How a folder's files were read: what else than themselves decides what they say. Of a feed: by which rules articles
    /// were kept out of its last document, if any were.
    pub read_with: Option<String>,
    /// A folder's files, as last read; of an inbox those that were imported, by absolute paths.
    pub files: Vec<FileState>,
}

/// One file of a folder, so that it is parsed again only when it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// Its path inside the folder, with `/`.
    pub path: String,
    /// Nanoseconds since the epoch.
    pub modified: i64,
    /// Bytes.
    pub size: u64,
    /// The guid of its article, if it had a public one.
    pub guid: Option<String>,
    /// The files beside it that its article uses, or would if they were there.
    pub uses: Vec<UsedFile>,
    /// When it must be parsed again though it did not change: `publishDate`, `expiryDate`.
    pub revisit: Option<Time>,
    /// Why it could not be read; such a file withdraws nothing.
    pub problem: Option<Problem>,
}

/// A file that an article uses, as it was when the article was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedFile {
    /// Its path inside the folder, with `/`.
    pub path: String,
    /// Nanoseconds since the epoch and bytes; `None`: it was not there.
    pub stamp: Option<(i64, u64)>,
}

/// Something wrong with one article or file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file's path, or the guid or title.
    pub place: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.place, self.reason),
            None => write!(f, "{}: {}", self.place, self.reason),
        }
    }
}

/// Whether a reading names all that there is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Extent {
    /// What is absent is withdrawn: a folder.
    Complete,
    /// It names all that there is at these paths of a folder: what is absent of them is withdrawn, all else stays.
    Files(BTreeSet<String>),
    /// What is absent stays: a feed, an import.
    #[default]
    Partial,
}

/// What a `categories/x/_index.md` or `tags/x/_index.md` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermDescription {
    /// `Category` or `Tag`.
    pub kind: super::Kind,
    /// The folder's name.
    pub name: String,
    /// A title.
    pub title: Option<String>,
    /// Plain text.
    pub description: Option<String>,
    /// The URL of a picture.
    pub picture: Option<String>,
}

/// What applying a batch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Applied {
    /// Articles that are new.
    pub added: usize,
    /// Articles that changed.
    pub updated: usize,
    /// Articles that were withdrawn.
    pub withdrawn: usize,
    /// Articles that were as before, those of unchanged files not counted.
    pub unchanged: usize,
    /// Articles that a rule dropped.
    pub dropped: usize,
}

impl Applied {
    /// Whether anything was written.
    #[must_use]
    pub const fn changed(&self) -> bool {
        self.added + self.updated + self.withdrawn > 0
    }
}

impl std::ops::AddAssign for Applied {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.updated += other.updated;
        self.withdrawn += other.withdrawn;
        self.unchanged += other.unchanged;
        self.dropped += other.dropped;
    }
}
