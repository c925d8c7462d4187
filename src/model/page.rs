//! What the store gives and the output takes: articles with all that publishing them needs.

use std::sync::Arc;

use super::{Archive, Article, ArticleKey, Kind, Language, Origins, Person, Slug, Term, TermName, Time};

/// An article as stored and published.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name in our URLs.
    pub key: ArticleKey,
    /// The id that it is published with: an IRI.
    pub id: String,
    /// The original; `None`: its own page.
    pub link: Option<String>,
    /// As it was read.
    pub article: Article,
    /// Where it came from.
    pub source: Arc<Origin>,
    /// Its terms, categories first, each with where the membership came from.
    pub terms: Vec<(TermName, Origins)>,
    /// Its translations that exist here, the original first, itself among them; empty if there is no other.
    pub translations: Vec<Translation>,
    /// The public articles of other sources that lead to the same page; their categories and tags are among its own.
    pub related: Vec<Related>,
    /// What it is ordered by, set once.
    pub listed: Time,
    /// The date to show: the published one, else the discovery.
    pub published: Time,
    /// The last change that its author states, else `published`.
    pub updated: Time,
    /// When it last changed here, be it by its defaults or its terms' names.
    pub changed: Time,
    /// The store's generation at that change.
    pub generation: u64,
}

impl Entry {
    /// Its main language, if it is known.
    #[must_use]
    pub fn language(&self) -> Option<&Language> {
        self.article.languages.first()
    }

    /// Its terms of one kind.
    pub fn terms_of(&self, kind: Kind) -> impl Iterator<Item = &TermName> {
        self.terms.iter().map(|(name, _)| name).filter(move |name| name.kind == kind)
    }
}

/// The source of an entry, as `atom:source` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its name in URLs.
    pub slug: Slug,
    /// Its title for people.
    pub title: String,
    /// The upstream feed's URL, without user info; `None`: our own `/source/{slug}.rss`.
    pub feed: Option<String>,
    /// The upstream page.
    pub home: Option<String>,
    /// The upstream Atom id.
    pub id: Option<String>,
    /// Its authors, for entries without one.
    pub authors: Vec<Person>,
    /// The rights that it states.
    pub rights: Option<String>,
    /// Its picture.
    pub icon: Option<String>,
}

/// An article in another language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// The main language of it.
    pub language: Language,
    /// Its page here.
    pub key: ArticleKey,
    /// Its title.
    pub title: Option<String>,
}

/// An article of another source that leads to the same page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Its page here.
    pub key: ArticleKey,
    /// The title of its source.
    pub source: String,
}

/// An article that was withdrawn (RFC 6721).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The id that it was published with.
    pub id: String,
    /// When it was withdrawn.
    pub at: Time,
    /// The store's generation at that.
    pub generation: u64,
}

/// A closed day or week of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issue {
    /// Its first moment.
    pub since: Time,
    /// The first moment after it.
    pub until: Time,
    /// How many of the page's entries are its own.
    pub articles: usize,
    /// Whether it had more than those.
    pub more: bool,
}

/// Where a document stands in the history of its selection (RFC 5005).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum History {
    /// It has none.
    #[default]
    None,
    /// It holds all that there is.
    Complete,
    /// The newest articles.
    Current {
        /// The stretch that is still open.
        previous: Archive,
    },
    /// The stretch that is still open.
    Open {
        /// The last closed one.
        previous: Option<Archive>,
    },
    /// A closed stretch.
    Closed {
        /// The one before.
        previous: Option<Archive>,
        /// The one after.
        next: Archive,
    },
    /// It was open, and has these ends now.
    Moved(Archive),
}

/// The newest articles of a selection, or those before a cursor.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<E = Entry> {
    /// Newest first.
    pub entries: Vec<E>,
    /// Whether there are older ones.
    pub more: bool,
    /// How many there are in all, each article of a story counted.
    pub total: u64,
    /// What was withdrawn of them in the last time, the last first.
    pub tombstones: Vec<Tombstone>,
    /// The issues of a digest, the newest first; the entries are theirs, in the same order.
    pub issues: Vec<Issue>,
    /// Where this stands in the history of the selection.
    pub history: History,
    /// The terms that the selection names and that were ever published, with their own words; a name that never was is
    /// not among them, and matches nothing.
    pub terms: Vec<Term>,
    /// When any term that the selection names last changed; if it names none, the store.
    pub modified: Time,
    /// When the selection's terms were first seen; if it names none, the store's creation. An empty feed's `updated`.
    pub created: Time,
    /// What those terms are like, in short: while it is the same, so is the selection. If it names none, what the store is like.
    pub stamp: String,
}

impl<E> Page<E> {
    /// The same with other entries, made of its own.
    ///
    /// # Errors
    /// Making one failed.
    pub fn try_map<F, X>(self, make: impl FnMut(E) -> Result<F, X>) -> Result<Page<F>, X> {
        let Self { entries, more, total, tombstones, issues, history, terms, modified, created, stamp } = self;
        let entries = entries.into_iter().map(make).collect::<Result<_, _>>()?;
        Ok(Page { entries, more, total, tombstones, issues, history, terms, modified, created, stamp })
    }
}

impl<E> Default for Page<E> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            more: false,
            total: 0,
            tombstones: Vec::new(),
            issues: Vec::new(),
            history: History::None,
            terms: Vec::new(),
            modified: Time::default(),
            created: Time::default(),
            stamp: String::new(),
        }
    }
}

/// What the site's own pages show beside the articles.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sidebar {
    /// The largest categories with counts, these first.
    pub categories: Vec<Term>,
    /// The most used tags, the largest first.
    pub tags: Vec<Term>,
    /// Languages with counts, the largest first.
    pub languages: Vec<Term>,
    /// Menus: name, then entries in order.
    pub menus: Vec<(String, Vec<MenuLink>)>,
    /// The newest articles: key and title.
    pub recent: Vec<(ArticleKey, String)>,
}

/// One link of a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuLink {
    /// Where it leads.
    pub key: ArticleKey,
    /// Its words.
    pub title: String,
}

/// What an article's page shows beside the article.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Neighbours {
    /// The next older one of its source.
    pub previous: Option<(ArticleKey, String)>,
    /// The next newer one of its source.
    pub next: Option<(ArticleKey, String)>,
}
