//! One element of a feed with all that is in it, and what its text means: plain text, or markup. It knows no feed
//! element by name.

use std::borrow::Cow;

use data_encoding::BASE64;
use url::Url;

use super::names::Vocabulary;
use crate::model::{Language, is_web, text};
use crate::source::link::is_short;

/// A base may be so long in any number of links: a link takes a tenth of it to be written.
const USUAL_BASE: usize = 200;
/// What a longer one may add to one item, in bytes.
const MAX_GROWTH: usize = 16 << 10;

/// Elements of HTML that never have an end tag, those left out whose names mean something in a feed.
pub(super) const VOID: [&str; 11] = ["br", "img", "hr", "wbr", "input", "embed", "area", "col", "param", "track", "meta"];

/// An element, its name folded to small letters.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) vocabulary: Vocabulary,
    /// Its local name in small letters.
    pub(super) name: String,
    /// Its local name as written, where that differs.
    pub(super) written: Option<String>,
    /// Names as written, values unescaped.
    pub(super) attributes: Vec<(String, String)>,
    pub(super) parts: Vec<Part>,
}

/// What stands inside an element, in order.
#[derive(Debug)]
pub(super) enum Part {
    Text(String),
    Element(Element),
}

impl Element {
    pub(super) fn new(vocabulary: Vocabulary, local: &str) -> Self {
        let name = local.to_ascii_lowercase();
        let written = (name != local).then(|| local.to_owned());
        Self { vocabulary, name, written, attributes: Vec::new(), parts: Vec::new() }
    }

    /// Whether it is this element.
    pub(super) fn is(&self, vocabulary: Vocabulary, name: &str) -> bool {
        self.vocabulary == vocabulary && self.name == name
    }

    /// Its local name as its vocabulary writes it.
    pub(super) fn local(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.name)
    }

    /// An attribute that is not empty, by its name in any case, whatever prefix it has.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let local =
            |known: &str| known.split_once(':').is_some_and(|(prefix, local)| prefix != "xmlns" && local.eq_ignore_ascii_case(name));
        let found = found.or_else(|| self.attributes.iter().find(|(known, _)| local(known)));
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// The elements in it.
    pub(super) fn children(&self) -> impl Iterator<Item = &Self> {
        self.parts.iter().filter_map(|part| match part {
            Part::Element(element) => Some(element),
            Part::Text(_) => None,
        })
    }

    /// The first element in it of this name.
    pub(super) fn child(&self, vocabulary: Vocabulary, name: &str) -> Option<&Self> {
        self.children().find(|child| child.is(vocabulary, name))
    }

    /// Adds text at its end.
    pub(super) fn push_text(&mut self, more: &str) {
        match self.parts.last_mut() {
            Some(Part::Text(text)) => text.push_str(more),
            _ => self.parts.push(Part::Text(more.to_owned())),
        }
    }

    /// All its text, that of the elements in it too, in one line.
    pub(super) fn line(&self) -> String {
        text::line(&self.text())
    }

    /// All its text as it stands.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self.parts.as_slice() {
            [] => Cow::Borrowed(""),
            [Part::Text(text)] => Cow::Borrowed(text),
            _ => {
                let mut text = String::new();
                self.collect_text(&mut text);
                Cow::Owned(text)
            }
        }
    }

    /// Depth is limited where elements are made.
    fn collect_text(&self, into: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => into.push_str(text),
                Part::Element(element) => element.collect_text(into),
            }
        }
    }

    /// Where relative links in it lead.
    pub(super) fn base<'a>(&self, outer: Option<&'a Url>) -> Option<Cow<'a, Url>> {
        let stated = self.attributes.iter().find(|(name, _)| name == "xml:base").map(|(_, value)| value.trim());
        match stated.filter(|stated| !stated.is_empty()) {
            Some(stated) => join(outer, stated).filter(is_short).map(Cow::Owned).or(outer.map(Cow::Borrowed)),
            None => outer.map(Cow::Borrowed),
        }
    }

    /// The language that it states of itself.
    pub(super) fn language(&self) -> Option<Language> {
        self.attributes.iter().find(|(name, _)| name == "xml:lang").and_then(|(_, value)| Language::parse(value))
    }

    /// What it means, as text or as HTML source. Elements in it are markup whatever its `type` says.
    pub(super) fn meaning(&self, default: Kind) -> Meaning<'_> {
        let mode = self.attribute("mode").map(str::to_ascii_lowercase);
        let kind = match self.attribute("type") {
            _ if self.children().next().is_some() => return Meaning::Html(Cow::Owned(self.markup())),
            Some(stated) => Kind::of_type(stated).unwrap_or(default),
            None => match (mode.as_deref(), default) {
                (Some("escaped"), Kind::Text) => Kind::Html,
                _ => default,
            },
        };
        let is_base64 = mode.as_deref() == Some("base64") || kind == Kind::Base64;
        let text = if is_base64 { decode_base64(&self.text()).map(Cow::Owned) } else { Some(self.text()) };
        match (text, kind) {
            (None, _) => Meaning::Nothing,
            (Some(text), Kind::Text) => Meaning::Text(text),
            (Some(text), _) => Meaning::Html(text),
        }
    }

    /// What is in it as HTML source, without the `div` that Atom puts around XHTML (RFC 4287 3.1.1.3).
    fn markup(&self) -> String {
        let blank = |part: &Part| matches!(part, Part::Text(text) if text.trim().is_empty());
        let mut parts = self.parts.iter().filter(|part| !blank(part));
        let inner = match (parts.next(), parts.next()) {
            (Some(Part::Element(only)), None) if only.name == "div" => only,
            _ => self,
        };
        let mut html = String::new();
        inner.write_parts(&mut html);
        html
    }

    /// Depth is limited where elements are made.
    fn write_parts(&self, into: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => into.push_str(&text::escape(text)),
                Part::Element(element) => element.write(into),
            }
        }
    }

    fn write(&self, into: &mut String) {
        into.push('<');
        into.push_str(&self.name);
        for (name, value) in &self.attributes {
            into.extend([" ", name, "=\"", &text::escape(value), "\""]);
        }
        into.push('>');
        if !VOID.contains(&self.name.as_str()) {
            self.write_parts(into);
            into.extend(["</", &self.name, ">"]);
        }
    }
}

/// How an element's text is to be read where its `type` does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Html,
    Base64,
}

impl Kind {
    /// Atom's `type`: a word, or a media type (RFC 4287 4.1.3; Atom 0.3 has media types alone).
    fn of_type(stated: &str) -> Option<Self> {
        let stated = stated.to_ascii_lowercase();
        Some(match stated.split(';').next().unwrap_or_default().trim() {
            "text" | "plain" | "text/plain" => Self::Text,
            "html" | "xhtml" | "text/html" | "application/xhtml+xml" | "text/x-html" | "escaped" => Self::Html,
            media if media.starts_with("text/") || media.ends_with("xml") || !media.contains('/') => return None,
            _ => Self::Base64,
        })
    }
}

/// The text of an element, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// Each character is itself.
    Text(Cow<'a, str>),
    /// HTML source, not cleaned yet.
    Html(Cow<'a, str>),
    /// Something that no page can show.
    Nothing,
}

fn decode_base64(text: &str) -> Option<String> {
    let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let text = String::from_utf8(BASE64.decode(&compact).ok()?).ok()?;
    Some(text)
}

/// Whether an item of so many links may have a base.
pub(super) fn is_affordable(base: &Url, links: usize) -> bool {
    base.as_str().len().saturating_sub(USUAL_BASE).saturating_mul(links) <= MAX_GROWTH
}

/// What relative links of a document stand on that has this address: without its query, if it is long.
pub(super) fn base_of(address: &Url) -> Option<Cow<'_, Url>> {
    if is_short(address) {
        return Some(Cow::Borrowed(address));
    }
    let mut base = address.clone();
    base.set_query(None);
    base.set_fragment(None);
    Some(Cow::Owned(base)).filter(|base| is_short(base))
}

/// Resolves a link; nothing but what a person can follow comes back. Absolute links stay as they are written where they
/// are valid, since feeds are compared by them.
pub(super) fn join(base: Option<&Url>, link: &str) -> Option<Url> {
    let link = link.trim();
    if link.is_empty() {
        return None;
    }
    let url = match base {
        Some(base) if begins_with_host(base, link) => Url::parse(&format!("{}://{link}", base.scheme())),
        Some(base) => base.join(link),
        None => Url::parse(link),
    };
    url.ok().filter(|url| FOLLOWED.contains(&url.scheme()))
}

/// Whether a link has lost its scheme: `example.org/post` in a feed of `example.org` names no file of that name.
fn begins_with_host(base: &Url, link: &str) -> bool {
    let first = link.split(['/', '?', '#']).next().unwrap_or_default();
    let is_www = first.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www."));
    is_www || base.host_str().is_some_and(|host| first.eq_ignore_ascii_case(host))
}

const FOLLOWED: [&str; 8] = ["http", "https", "ftp", "mailto", "magnet", "gemini", "gopher", "news"];

/// As [`join`], as text. Escaped twice, `&` is itself still: no address is written with `&amp;` in it.
pub(super) fn absolute(base: Option<&Url>, link: &str) -> Option<String> {
    let link = link.trim();
    let unescaped = link.contains("&amp;").then(|| link.replace("&amp;", "&"));
    let link = unescaped.as_deref().unwrap_or(link);
    let url = join(base, link)?;
    let is_plain = link.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte));
    let is_absolute =
        is_plain && link.get(..url.scheme().len() + 1).is_some_and(|start| start.eq_ignore_ascii_case(&format!("{}:", url.scheme())));
    let has_host = is_web(&url) && link.contains("://");
    Some(if is_absolute && has_host { link.to_owned() } else { url.into() })
}

/// As [`absolute`], if it leads to the web.
pub(super) fn web(base: Option<&Url>, link: &str) -> Option<String> {
    absolute(base, link).filter(|url| url.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("http")))
}
