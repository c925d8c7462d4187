//! What an article can be chosen by.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Slug;

/// The kinds of terms. Their order is that of their parameters in a canonical URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Who wrote it.
    Author,
    /// A broad group.
    Category,
    /// A BCP 47 language range.
    Language,
    /// Where it came from.
    Source,
    /// A fine label.
    Tag,
}

impl Kind {
    /// All kinds, in their order.
    pub const ALL: [Self; 5] = [Self::Author, Self::Category, Self::Language, Self::Source, Self::Tag];

    /// The word for one of it, which is its path segment and its query parameter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Category => "category",
            Self::Language => "language",
            Self::Source => "source",
            Self::Tag => "tag",
        }
    }

    /// The kind that a path segment or a parameter names.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The word for many of it; `/categories`, `/tags` and `/sources` are directories.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Author => "authors",
            Self::Category => "categories",
            Self::Language => "languages",
            Self::Source => "sources",
            Self::Tag => "tags",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a membership came from; one membership may come from several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Origins(u8);

impl Origins {
    /// The article's own word.
    pub const OWN: Self = Self(1);
    /// A default of its source.
    pub const SOURCE: Self = Self(2);
    /// A rule of the configuration.
    pub const RULE: Self = Self(4);
    /// Given by hand.
    pub const HAND: Self = Self(8);
    /// Found out from its text.
    pub const DETECTED: Self = Self(16);

    /// From its stored bits.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 31)
    }

    /// Its bits, to be stored.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From either.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of the other's origins are among these.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A term's place and name: what links to it need.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TermName {
    /// What it is.
    pub kind: Kind,
    /// Its name in URLs.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
}

/// A term with all that its page and its feed say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Kind, slug and name.
    pub name: TermName,
    /// A title of its own for its feed; else one is made from the name.
    pub title: Option<String>,
    /// A description of its own.
    pub description: Option<String>,
    /// The URL of a picture.
    pub picture: Option<String>,
    /// How many public articles have it.
    pub articles: u64,
}
