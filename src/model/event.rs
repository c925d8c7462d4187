//! What happened to sources that their owner should know, and how all of them are.

use super::{Slug, Time};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// It fails again and again.
    Failed,
    /// It has another address for good.
    Moved,
    /// It will not come back (410).
    Gone,
    /// It answers again.
    Recovered,
}

impl EventKind {
    const ALL: [Self; 4] = [Self::Failed, Self::Moved, Self::Gone, Self::Recovered];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Moved => "moved",
            Self::Gone => "gone",
            Self::Recovered => "recovered",
        }
    }

    /// The kind that a word names.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One event of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number, in the order in which events happened; none is used twice.
    pub id: i64,
    /// When it was noticed.
    pub at: Time,
    /// What happened.
    pub kind: EventKind,
    /// The source's name in URLs.
    pub slug: Slug,
    /// The source's title.
    pub title: String,
    /// What there is to say, for everybody: no URL, no path.
    pub words: String,
}

/// The newest events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Newest first.
    pub events: Vec<Event>,
    /// The number of the newest event there ever was: it rises with each, and with nothing else.
    pub stamp: u64,
    /// When the store was made.
    pub created: Time,
}

/// The store in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Census {
    /// Public articles.
    pub articles: u64,
    /// Sources that answered well when they were last asked.
    pub good: u64,
    /// Sources that fail, and are asked again.
    pub failing: u64,
    /// Sources that said that they will not come back.
    pub gone: u64,
    /// Sources that were never read.
    pub unread: u64,
    /// Sources that are to be asked now.
    pub due: u64,
    /// How many events of sources there ever were.
    pub events: u64,
    /// Subscriptions of the hub.
    pub subscriptions: u64,
    /// What the hub has not delivered yet.
    pub deliveries: u64,
}
