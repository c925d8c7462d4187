//! What articles become: RSS, Atom, JSON Feed, OPML and HTML. Pure functions from the model's values to bytes; nothing
//! here reads the clock, the store or the network.

mod atom;
mod channel;
mod digest;
mod dress;
mod entry;
pub mod health;
pub mod html;
mod json;
pub mod markdown;
mod media;
pub mod opensearch;
pub mod opml;
mod passing;
mod rss;
#[cfg(test)]
mod samples;
pub mod sitemap;
#[cfg(test)]
mod tests;

pub use channel::{Channel, Extent, channel, title};
pub use digest::digest;
pub use json::article as article_feed;

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::model::{Content, Entry, Format, Options, Page, Site};

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

/// A feed document: the head of its channel, the fragments of its entries, and an end.
///
/// # Errors
/// The writer failed.
pub fn feed(channel: &Channel, page: &Page, options: &Options, site: &Site, format: Format) -> Result<String, OutputError> {
    let dressed = page.entries.iter().map(|entry| dress::dressed(entry, &channel.id, options, site));
    let fragments = dressed.map(|entry| fragment(&entry, &channel.store, site, options.content, format));
    document(channel, &fragments.collect::<Result<Vec<_>, _>>()?, site, format)
}

/// One entry as it stands in every feed of a format: nothing in it depends on the feed.
///
/// # Errors
/// The writer failed.
pub fn fragment(entry: &Entry, store: &Uuid, site: &Site, content: Content, format: Format) -> Result<String, OutputError> {
    match format {
        Format::Rss => rss::item(entry, site, content),
        Format::Atom => atom::entry(entry, store, site, content),
        Format::Json => json::item(entry, site, content),
    }
}

/// A document of fragments that were written before.
///
/// # Errors
/// The writer failed.
pub fn document(channel: &Channel, fragments: &[String], site: &Site, format: Format) -> Result<String, OutputError> {
    let (empty, end, separator) = match format {
        Format::Rss => (rss::document(channel, fragments)?, "</channel></rss>", "\n"),
        Format::Atom => (atom::document(channel, fragments, site)?, "</feed>", "\n"),
        Format::Json => (json::document(channel)?, JSON_END, JSON_SEPARATOR),
    };
    Ok(join(&empty, end, separator, fragments))
}

const JSON_END: &str = "]}";
const JSON_SEPARATOR: &str = ",\n";

/// What stands before, between and after the items of a JSON Feed that is too long to be joined in memory.
///
/// # Errors
/// The writer failed.
pub fn json_frame(channel: &Channel) -> Result<(String, &'static str, &'static str), OutputError> {
    let mut head = json::document(channel)?;
    head.truncate(head.trim_end().trim_end_matches(JSON_END).len());
    Ok((head, JSON_SEPARATOR, JSON_END))
}

/// Puts fragments into a document that was written without entries.
fn join(empty: &str, end: &str, separator: &str, fragments: &[String]) -> String {
    let length: usize = fragments.iter().map(|fragment| fragment.len() + separator.len()).sum();
    let mut document = String::with_capacity(empty.len() + length + 2);
    document.push_str(empty.strip_suffix(end).unwrap_or(empty));
    for (position, fragment) in fragments.iter().enumerate() {
        document.push_str(if position == 0 { "\n" } else { separator });
        document.push_str(fragment);
    }
    document.push('\n');
    document.push_str(end);
    document.push('\n');
    document
}

/// Cuts the element that stands between two tags out of a document, the tags included.
fn cut(mut document: String, open: &str, close: &str) -> String {
    document.truncate(document.rfind(close).map_or(document.len(), |at| at + close.len()));
    document.split_off(document.find(open).unwrap_or(0))
}

/// The extent of a document and its namespace (RFC 5005), as the crates' extensions take it.
const HISTORY: (&str, &str) = ("fh", "http://purl.org/syndication/history/1.0");

/// The namespaces of some that elements of the fragments have, so that no document declares what it does not use.
fn used_namespaces(all: &[(&str, &str)], fragments: &[String]) -> BTreeMap<String, String> {
    let is_used = |prefix: &str| {
        let tag = format!("<{prefix}:");
        fragments.iter().any(|fragment| fragment.contains(&tag))
    };
    all.iter().filter(|(prefix, _)| is_used(prefix)).map(|(prefix, url)| ((*prefix).to_owned(), (*url).to_owned())).collect()
}
