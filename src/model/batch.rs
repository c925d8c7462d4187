//! One reading of a source, and what of it is not in memory.

use std::sync::Arc;
use std::{fmt, io};

use super::websub::HubLink;
use super::{Article, Extent, Hints, Memory, Problem, SourceInfo, TermDescription, Time};

/// One reading of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// The articles that were read, in document order. An unchanged file's article is not among them.
    pub articles: Vec<Article>,
    /// What gives them the texts and files that were put aside, if any were.
    pub aside: Option<Aside>,
    /// What the source says of itself; `None`: nothing new.
    pub info: Option<SourceInfo>,
    /// What categories and tags say of themselves (`_index.md`).
    pub terms: Vec<TermDescription>,
    /// Whether `files` is all that there is.
    pub extent: Extent,
    /// To be remembered for the next reading.
    pub memory: Memory,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// What was mended on the way, for the publisher to know.
    pub repairs: Vec<Problem>,
    /// How many items or files were passed over on purpose.
    pub skipped: usize,
    /// The items of a feed among them, in document order, for whoever looks at a reading before it is stored.
    pub passed_over: Vec<PassedOver>,
    /// No sooner than this may the source be asked again, by its server's word.
    pub not_before: Option<Time>,
    /// When it must be read again though nothing changed: the earliest [`FileState::revisit`](super::FileState::revisit).
    pub revisit: Option<Time>,
    /// What the document says of when it may be asked; `None`: nothing new.
    pub hints: Option<Hints>,
    /// Where the source was redirected to, if every redirect on the way was for good.
    pub moved_to: Option<String>,
    /// Whether it came unasked: such a reading says nothing of redirects.
    pub is_push: bool,
    /// Where it says that it is pushed (WebSub); it counts where there is an `info`.
    pub hub: Option<HubLink>,
}

/// An item of a feed that is read and counted, and never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// What it says; its guid is empty if it names none.
    pub article: Article,
    /// How many articles of the reading stand before it.
    pub before: usize,
    /// Why.
    pub reason: Omission,
}

/// Why an item of a feed is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Omission {
    /// A person could read nothing there.
    Empty,
    /// The document ends in it before it has said who it is: read whole the next time, it would be another.
    Cut,
    /// It says what another item of the document says.
    Repeated,
}

impl fmt::Display for Omission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "neither title, link nor content",
            Self::Cut => "the document ends before it has an id",
            Self::Repeated => "repeats an item before it",
        })
    }
}

impl Batch {
    /// With the texts and files of all articles in memory.
    ///
    /// # Errors
    /// What was put aside cannot be read.
    pub fn whole(mut self) -> io::Result<Self> {
        if let Some(aside) = self.aside.take() {
            self.articles.iter_mut().try_for_each(|article| aside.give_back(article))?;
        }
        Ok(self)
    }
}

/// Texts and files of articles of a large reading that are not in memory until each article is stored.
#[derive(Clone)]
pub struct Aside(Arc<GiveBack>);

type GiveBack = dyn Fn(&mut Article) -> io::Result<()> + Send + Sync;

impl Aside {
    /// What gives an article back what was put aside of it.
    pub fn new(give_back: impl Fn(&mut Article) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(give_back))
    }

    /// Gives an article its text and its files.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn give_back(&self, article: &mut Article) -> io::Result<()> {
        (self.0)(article)
    }
}

impl fmt::Debug for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aside")
    }
}

impl PartialEq for Aside {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Aside {}
