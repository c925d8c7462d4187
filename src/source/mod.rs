//! Where articles come from: reading folders of Markdown, feeds, and what HTTP brings. It gives a `Batch`; it knows
//! nothing of the store. What it reads is hostile until it is cleaned.

pub mod clean;
pub mod discover;
pub mod feed;
pub mod fetch;
pub mod folder;
mod formula;
pub mod full_text;
mod link;
pub mod markdown;
mod names;
pub mod opml;
mod plain;
mod tame;
