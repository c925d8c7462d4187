//! The nouns of Feedmill: what an article, a source, a selection and a URL are. Pure values and functions; no I/O, no
//! clock, nothing of our other modules.

mod address;
mod article;
pub mod detect;
pub mod identity;
mod language;
mod page;
pub mod rule;
mod selection;
mod site;
mod slug;
mod source;
mod term;
pub mod text;

pub use address::{Address, AddressError, ArticleForm, Content, DEFAULT_LIMIT, Document, Format, MAX_LIMIT, Options, Target};
pub use article::{
    Article, BundleFile, Enclosure, Extension, Link, MenuEntry, PageOptions, Person, Picture, Sidebar as SidebarSide, Time, Widget,
};
pub use identity::ArticleKey;
pub use language::Language;
pub use page::{Entry, MenuLink, Neighbours, Origin, Page, Sidebar, Translation};
pub use rule::{Policy, Rule, Verdict};
pub use selection::{Clauses, Selection};
pub use site::{PLACEHOLDER, Site};
pub use slug::Slug;
pub use source::{
    Applied, Batch, Extent, FileState, Memory, NewSource, Problem, Source, SourceId, SourceInfo, SourceKind, SourceSettings, SourceStatus,
    TermDescription, UsedFile,
};
pub use term::{Kind, Origins, Term, TermName};
