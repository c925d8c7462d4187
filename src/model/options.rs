//! How a selection is shown: what of it, and in which dress.

use std::fmt;

use super::{ArticleKey, Language};

/// The articles on a page unless the URL says otherwise.
pub const DEFAULT_LIMIT: u16 = 50;
/// The most articles on a page.
pub const MAX_LIMIT: u16 = 500;

/// How a selection is shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Options {
    /// The order; by rank only where words are searched for.
    pub sort: Sort,
    /// Articles a page, 1 to [`MAX_LIMIT`].
    pub limit: u16,
    /// At most so many of each source, the newest.
    pub per_source: Option<u16>,
    /// One item for each closed period, in place of its articles.
    pub digest: Option<Period>,
    /// Of translations of each other, the first of these languages that there is.
    pub prefer: Vec<Language>,
    /// How much of each.
    pub content: Content,
    /// Where each item also names its source.
    pub via: Option<Via>,
    /// Which ids the items have.
    pub ids: Ids,
    /// Only what is older than this article; pages only.
    pub before: Option<ArticleKey>,
    /// A stretch of the archive in place of the newest; feeds only.
    pub archive: Option<Archive>,
    /// Whether it is said how the selection was read and why each article is in it; pages only.
    pub explain: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sort: Sort::default(),
            limit: DEFAULT_LIMIT,
            per_source: None,
            digest: None,
            prefer: Vec::new(),
            content: Content::default(),
            via: None,
            ids: Ids::default(),
            before: None,
            archive: None,
            explain: false,
        }
    }
}

impl Options {
    /// Those that make it another feed, with an id of its own.
    #[must_use]
    pub fn of_identity(&self) -> Self {
        Self { digest: self.digest, prefer: self.prefer.clone(), ids: self.ids, ..Self::default() }
    }

    /// Whether articles stand in the feed as they do in every other one.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.digest.is_none() && self.content == Content::Full && self.via.is_none() && self.ids == Ids::default()
    }

    /// The same on a page, or in a feed, without what the other alone takes.
    #[must_use]
    pub fn elsewhere(&self) -> Self {
        Self { sort: Sort::Newest, before: None, archive: None, explain: false, ..self.clone() }
    }
}

/// The order of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Sort {
    /// The newest first.
    #[default]
    Newest,
    /// What fits the words best.
    Rank,
}

/// How much of each article a feed carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Content {
    /// All that is there.
    #[default]
    Full,
    /// The summary alone.
    Summary,
}

/// The period of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// A day in the site's zone.
    Daily,
    /// A week from Monday on (ISO 8601).
    Weekly,
}

impl Period {
    /// As in a URL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
        }
    }
}

/// Where an item names its source for people, beside the elements that name it for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// Before its title.
    Title,
    /// Above its text.
    Body,
}

impl Via {
    /// As in a URL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Body => "body",
        }
    }
}

/// The ids of a feed's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Ids {
    /// The same in every feed.
    #[default]
    Shared,
    /// Unique to this feed, for readers that keep one copy of an id over all feeds.
    Feed,
}

/// A stretch of a selection's history in the order of discovery, named by its ends: members of it that were there
/// when it was cut.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Archive {
    /// From one article to another, both in it; it never changes its ends.
    Closed(ArticleKey, ArticleKey),
    /// What was discovered after an article, or from the start, until it is full and closed.
    After(Option<ArticleKey>),
}

impl Archive {
    /// Reads what a link of ours says; opaque to everybody else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('.') {
            None if text == "start" => Some(Self::After(None)),
            None => None,
            Some(("after", key)) => Some(Self::After(Some(ArticleKey::parse(key)?))),
            Some((first, last)) => Some(Self::Closed(ArticleKey::parse(first)?, ArticleKey::parse(last)?)),
        }
    }
}

impl fmt::Display for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(None) => f.write_str("start"),
            Self::After(Some(key)) => write!(f, "after.{key}"),
            Self::Closed(first, last) => write!(f, "{first}.{last}"),
        }
    }
}
