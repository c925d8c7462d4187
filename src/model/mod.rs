//! The nouns of Feedmill: what an article, a source, a selection and a URL are. Pure values and functions; no I/O, no
//! clock, nothing of our other modules.

mod address;
mod article;
mod batch;
pub mod detect;
mod event;
mod folding;
mod fragment;
mod hints;
mod host;
pub mod identity;
mod language;
mod network;
mod options;
mod page;
pub mod private;
mod query;
pub mod rule;
mod selection;
mod site;
mod slug;
mod source;
mod term;
pub mod text;
pub mod websub;
mod window;

pub use address::{Address, AddressError, ArticleForm, Document, Format, Target};
pub use article::{
    Article, BundleFile, Enclosure, Extension, FullText, Link, MenuEntry, PageOptions, Person, Picture, Sidebar as SidebarSide, Time,
    Widget,
};
pub use batch::{Aside, Batch, Omission, PassedOver};
pub use event::{Census, Event, EventKind, Health};
pub use folding::{Cut, STEM, Token, each_token, tokens};
pub use fragment::{Block, Dated, Fragment, Look, Piece};
pub use hints::Hints;
pub use host::{Host, is_web, web_address};
pub use identity::ArticleKey;
pub use language::Language;
pub use network::Network;
pub use options::{Archive, Content, DEFAULT_LIMIT, Ids, MAX_LIMIT, Options, Period, Sort, Via};
pub use page::{Entry, History, Issue, MenuLink, Neighbours, Origin, Page, Related, Sidebar, Tombstone, Translation};
pub use query::{Query, QueryError, Word};
pub use rule::{Policy, Rule, Verdict};
pub use selection::{Clauses, Selection};
pub use site::{NamedFeed, PLACEHOLDER, Site};
pub use slug::Slug;
pub use source::{
    Applied, Extent, FileState, Header, Memory, NewSource, Problem, Source, SourceId, SourceInfo, SourceKind, SourceSettings, SourceStatus,
    TermDescription, UsedFile,
};
pub use term::{Kind, Origins, Term, TermName};
pub use window::{Moment, Window, full_hour, midnight};
