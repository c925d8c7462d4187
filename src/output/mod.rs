//! What articles become: RSS, Atom, JSON Feed, OPML and HTML. Pure functions from the model's values to bytes; nothing
//! here reads the clock, the store or the network.

mod atom;
mod channel;
mod entry;
pub mod html;
mod json;
pub mod markdown;
pub mod opml;
mod rss;
pub mod sitemap;

pub use channel::{Channel, channel, title};
pub use json::article as article_feed;

use crate::model::{Format, Options, Page, Site};

/// Why a document could not be written; the writers write into memory, so that only a bug of theirs or ours can.
#[derive(Debug, thiserror::Error)]
#[error("the {format} document could not be written")]
pub struct OutputError {
    format: &'static str,
    #[source]
    cause: Box<dyn std::error::Error + Send + Sync>,
}

impl OutputError {
    fn new(format: Format, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { format: format.name(), cause: cause.into() }
    }
}

/// A feed document: the head of its channel, its entries one by one, and an end.
///
/// # Errors
/// The writer failed.
pub fn feed(channel: &Channel, page: &Page, options: &Options, site: &Site, format: Format) -> Result<String, OutputError> {
    let content = options.content;
    match format {
        Format::Rss => rss::document(channel, page.entries.iter().map(|entry| rss::item(entry, site, content)), site),
        Format::Atom => atom::document(channel, page.entries.iter().map(|entry| atom::entry(entry, channel, site, content)), site),
        Format::Json => json::document(channel, &page.entries, site, content),
    }
}

/// Joins fragments between the head and the end of a document that was written without entries.
fn join(empty: &str, end: &str, fragments: impl Iterator<Item = Result<String, OutputError>>) -> Result<String, OutputError> {
    let head = empty.trim_end().strip_suffix(end).unwrap_or(empty);
    let mut document = String::with_capacity(64 * 1024);
    document.push_str(head);
    for fragment in fragments {
        document.push('\n');
        document.push_str(&fragment?);
    }
    document.push('\n');
    document.push_str(end);
    document.push('\n');
    Ok(document)
}

/// Cuts the first element of a name out of a document.
fn cut(document: &str, open: &str, close: &str) -> String {
    let start = document.find(open).unwrap_or(0);
    let end = document.rfind(close).map_or(document.len(), |at| at + close.len());
    document[start..end].to_owned()
}
