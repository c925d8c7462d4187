//! Reading feeds: bytes of the network in, articles out. It owns decoding, recovery and the tolerant reader of RSS,
//! Atom and JSON Feed. No byte of the network reaches a vendor's feed reader, and nothing here trusts what it reads.

mod apart;
mod dates;
mod decode;
mod element;
mod guess;
mod halves;
mod hints;
mod item;
mod json;
mod media;
mod names;
mod people;
mod places;
mod read;
mod repair;
mod repairs;
pub(in crate::source) mod tag;
mod tree;
mod twice;
mod words;
mod xml;

use std::borrow::Cow;

use chrono_tz::Tz;
use encoding_rs::WINDOWS_1252;
use url::Url;

use crate::model::{Article, Hints, Language, Omission, PassedOver, Problem, SourceInfo, Time, text};
use decode::Labels;
use hints::Wishes;
pub use read::{Found, ReadError, find, read, read_pushed};
use repairs::{Repair, Repairs};

/// A date as people write them, in a text of some language; one that names no zone is in `zone`.
pub(in crate::source) fn date(text: &str, zone: Tz, language: Option<&Language>) -> Option<Time> {
    dates::parse(text, dates::Habits::new(zone, language))
}

/// What reading needs to know beside the bytes.
#[derive(Debug, Clone, Copy)]
pub struct FeedContext<'a> {
    /// Where the document came from: relative links lead from there.
    pub url: Option<&'a Url>,
    /// The charset of its `Content-Type` header.
    pub charset: Option<&'a str>,
    /// The encoding that its owner names, which wins.
    pub encoding: Option<&'a str>,
    /// For dates that name none.
    pub zone: Tz,
    /// What is read at the most.
    pub limits: FeedLimits,
}

/// How much of one document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedLimits {
    /// Items beyond these are passed over.
    pub articles: usize,
}

impl Default for FeedLimits {
    fn default() -> Self {
        Self { articles: 2000 }
    }
}

/// A feed, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParsedFeed {
    /// What it says of itself.
    pub info: SourceInfo,
    /// Its items, in document order.
    pub articles: Vec<Article>,
    /// When it wishes to be asked again.
    pub hints: Hints,
    /// What was mended, each kind once.
    pub repairs: Vec<Problem>,
    /// Items that are not among them: those that say nothing, and those that repeat another whole.
    pub passed_over: Vec<PassedOver>,
    /// Where it says that it is pushed.
    pub relations: Relations,
}

/// What a document says of being pushed (WebSub); absolute web addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Relations {
    /// Its hub.
    pub hub: Option<String>,
    /// Itself.
    pub own: Option<String>,
}

/// What a format's reader gives.
#[derive(Debug, Default)]
struct Document {
    info: SourceInfo,
    items: Vec<Item>,
    wishes: Wishes,
    relations: Relations,
}

/// An item as it was read, and why it is passed over, if it is.
#[derive(Debug)]
struct Item {
    article: Article,
    omission: Option<Omission>,
}

/// Why a document is no feed that can be read.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// There is nothing in it.
    #[error("the document is empty; expected a feed")]
    Empty,
    /// A web page, whose feeds can be discovered.
    #[error("this is a web page, not a feed; add the page's address instead and its feed is looked for")]
    WebPage,
    /// A list of subscriptions.
    #[error("this is OPML, a list of subscriptions, not a feed; `feedmill import` reads it")]
    Opml,
    /// The Channel Definition Format of 1997.
    #[error("this is CDF (Channel Definition Format), which is not read; ask the publisher for RSS or Atom")]
    ChannelDefinition,
    /// Something else.
    #[error("this is not a feed but {0}; expected RSS, Atom, RDF or JSON Feed")]
    NotAFeed(String),
    /// An encoding that nobody knows, or that cannot be read safely.
    #[error("the encoding {0:?} is not read; the publisher should use UTF-8, or `--encoding` names another one")]
    Encoding(String),
    /// JSON that is broken.
    #[error("this is broken JSON: {0}")]
    Json(serde_json::Error),
}

impl FeedError {
    fn of_root(root: Option<&str>) -> Self {
        let Some(root) = root else {
            return Self::NotAFeed("text without an element".to_owned());
        };
        match root.to_ascii_lowercase().as_str() {
            "opml" => Self::Opml,
            "title" | "main" | "header" | "footer" | "nav" | "form" | "noscript" | "base" | "button" | "h5" | "h6" => Self::WebPage,
            // Names with a hyphen are those of custom elements.
            name if words::is_of_html(name) || name.contains('-') => Self::WebPage,
            _ => Self::NotAFeed(format!("a document of <{}>", text::excerpt(root, 40))),
        }
    }
}

/// Reads a feed of any format from its bytes, in time linear in them.
///
/// # Errors
///
/// Fails on what is no feed at all; whatever is damaged in one is mended and reported.
pub fn parse(bytes: &[u8], context: &FeedContext<'_>) -> Result<ParsedFeed, FeedError> {
    let mut repairs = Repairs::default();
    let host = context.url.and_then(Url::host_str);
    let text = text_of(bytes, Labels { forced: context.encoding, http: context.charset, meta: None, host }, &mut repairs)?;
    let text = without_controls(&text, &mut repairs);
    let base = context.url.and_then(element::base_of);
    let context = &FeedContext { url: base.as_deref(), ..*context };
    let text = text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace() || c == '\0');
    let document = match text.as_bytes().first() {
        None => return Err(FeedError::Empty),
        Some(b'{' | b'[') => json::read(text, context, &mut repairs)?,
        Some(_) => match xml::read(text, context, &mut repairs) {
            Err(FeedError::NotAFeed(_)) if has_doctype_of_html(text) => return Err(FeedError::WebPage),
            read => read?,
        },
    };
    let (articles, passed_over) = apart::tell_apart(document.items, &mut repairs);
    let place = context.url.map_or("the feed", Url::as_str);
    Ok(ParsedFeed {
        info: document.info,
        articles,
        hints: document.wishes.hints(),
        repairs: repairs.report(place),
        passed_over,
        relations: document.relations,
    })
}

/// Whether a feed can be read in an encoding of this name.
#[must_use]
pub fn is_encoding(name: &str) -> bool {
    decode::for_label(name).is_some()
}

/// The text of another document of the web, decoded as a feed's is; its `meta` element counts, too.
pub(in crate::source) fn decoded<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, FeedError> {
    let labels = Labels { http: charset, meta: decode::of_meta(bytes), ..Labels::default() };
    text_of(bytes, labels, &mut Repairs::default())
}

/// The text that a document's author wrote, whatever encoded it on the way.
fn text_of<'a>(bytes: &'a [u8], labels: Labels<'_>, repairs: &mut Repairs) -> Result<Cow<'a, str>, FeedError> {
    let text = decode::decode(bytes, labels, repairs)?;
    Ok(halves::in_references(twice::undo(text, repairs), repairs))
}

/// Whether a document says that it is HTML, near its beginning.
fn has_doctype_of_html(text: &str) -> bool {
    text[..text.floor_char_boundary(1024)].to_ascii_lowercase().contains("<!doctype html")
}

/// Drops the control characters that XML forbids (2.2): they occur in the middle of tags too. Those from U+0080 on are
/// letters of windows-1252 that somebody took for ISO 8859-1.
fn without_controls<'a>(text: &'a str, repairs: &mut Repairs) -> Cow<'a, str> {
    let is_forbidden = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    let is_control = |c: char| is_forbidden(c) || ('\u{80}'..='\u{9f}').contains(&c);
    if text::is_clean(text) || !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    repairs.note(Repair::Controls);
    let bytes: Vec<u8> = (0x80..=0x9f).collect();
    let letters: Vec<char> = WINDOWS_1252.decode_without_bom_handling(&bytes).0.chars().collect();
    let letter = |c: char| u32::from(c).checked_sub(0x80).and_then(|place| letters.get(place as usize)).copied();
    Cow::Owned(text.chars().filter(|c| !is_forbidden(*c)).map(|c| letter(c).unwrap_or(c)).collect())
}

#[cfg(test)]
mod tests;
