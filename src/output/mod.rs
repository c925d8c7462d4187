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
pub use json::{VERSION as JSON_FEED, article as article_feed};

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
    let fragments = fragments.collect::<Result<Vec<_>, _>>()?;
    let used = fragments.iter().fold(0, |used, fragment| used | namespaces(fragment, format));
    Ok(join(&frame(channel, used, site, format)?, &fragments))
}

/// To be raised when something else is made of the same article: fragments that were kept are made again.
pub const LOOK: u32 = 3;

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

/// Which namespaces of its format a fragment uses: a bit each, by their place in the format's list.
#[must_use]
pub fn namespaces(fragment: &str, format: Format) -> u8 {
    let all: &[(&str, &str)] = match format {
        Format::Rss => &rss::NAMESPACES,
        Format::Atom => &atom::NAMESPACES,
        Format::Json => &[],
    };
    let is_used = |(prefix, _): &(&str, &str)| fragment.contains(&format!("<{prefix}:"));
    all.iter().enumerate().filter(|(_, namespace)| is_used(namespace)).fold(0, |used, (place, _)| used | 1 << place)
}

/// What stands around the fragments of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Before the first, without the end of its line.
    pub head: String,
    separator: &'static str,
    /// After the last.
    pub end: &'static str,
}

impl Frame {
    /// The frame that a document without entries is.
    fn of(mut document: String, format: Format) -> Self {
        let (separator, end) = match format {
            Format::Rss => ("\n", "\n</channel></rss>\n"),
            Format::Atom => ("\n", "\n</feed>\n"),
            Format::Json => (",\n", "\n]}\n"),
        };
        document.truncate(document.trim_end().trim_end_matches(end.trim()).len());
        Self { head: document, separator, end }
    }

    /// What stands before the fragment at a position.
    #[must_use]
    pub const fn before(&self, position: usize) -> &'static str {
        if position == 0 { "\n" } else { self.separator }
    }
}

/// The frame of a document whose fragments use these namespaces.
///
/// # Errors
/// The writer failed.
pub fn frame(channel: &Channel, used: u8, site: &Site, format: Format) -> Result<Frame, OutputError> {
    let empty = match format {
        Format::Rss => rss::document(channel, used)?,
        Format::Atom => atom::document(channel, used, site)?,
        Format::Json => json::document(channel)?,
    };
    Ok(Frame::of(empty, format))
}

/// Puts fragments into their frame.
fn join(frame: &Frame, fragments: &[String]) -> String {
    let length: usize = fragments.iter().map(|fragment| fragment.len() + frame.separator.len()).sum();
    let mut document = String::with_capacity(frame.head.len() + length + frame.end.len());
    document.push_str(&frame.head);
    for (position, fragment) in fragments.iter().enumerate() {
        document.push_str(frame.before(position));
        document.push_str(fragment);
    }
    document.push_str(frame.end);
    document
}

/// Cuts the element that stands between two tags out of a document, the tags included.
fn cut(mut document: String, open: &str, close: &str) -> String {
    document.truncate(document.rfind(close).map_or(document.len(), |at| at + close.len()));
    document.split_off(document.find(open).unwrap_or(0))
}

/// The extent of a document and its namespace (RFC 5005), as the crates' extensions take it.
const HISTORY: (&str, &str) = ("fh", "http://purl.org/syndication/history/1.0");

/// The namespaces of a format's list that are used, so that no document declares what it does not use.
fn used_namespaces(all: &[(&str, &str)], used: u8) -> BTreeMap<String, String> {
    let used = all.iter().enumerate().filter(|(place, _)| used & 1 << place != 0);
    used.map(|(_, (prefix, url))| ((*prefix).to_owned(), (*url).to_owned())).collect()
}
