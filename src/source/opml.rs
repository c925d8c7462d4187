//! OPML, a list of subscriptions, read as tolerantly as feeds are: outlines are all that counts, wherever they stand. It
//! adds no source and asks nobody.

use std::collections::HashMap;

use url::Url;

use super::feed::tag::{Tag, TagScanner};
use super::feed::{FeedError, decoded};
use crate::model::{Problem, Slug, text, web_address};

/// Folders inside each other; deeper ones are no categories, their subscriptions stay.
const MAX_DEPTH: usize = 64;
/// Subscriptions of one file; those beyond are refused in one word.
const MAX_SUBSCRIPTIONS: usize = 20_000;
/// Categories of one subscription.
const MAX_CATEGORIES: usize = 32;
/// Bad outlines that are named.
const MAX_PROBLEMS: usize = 1000;
/// What no outline stands in, and where it ends.
const SECTIONS: [(&str, &str); 2] = [("<!--", "-->"), ("<![CDATA[", "]]>")];
/// How far into a file its first element is looked for.
const HEAD: usize = 4096;
/// How much of an address a message shows, in graphemes.
const SHOWN: usize = 80;

/// A feed that is subscribed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Where it is; its host is known.
    pub url: Url,
    /// What its subscriber calls it.
    pub title: Option<String>,
    /// The nearest folder of each place where it stands, and what its `category` attributes name.
    pub categories: Vec<String>,
}

/// A list of subscriptions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subscriptions {
    /// Each feed once, in the order of the file.
    pub feeds: Vec<Subscription>,
    /// Outlines that are no feed, though they should be.
    pub problems: Vec<Problem>,
}

/// Whether a file is OPML: by its first element.
#[must_use]
pub fn is_opml(bytes: &[u8]) -> bool {
    let Ok(head) = decoded(&bytes[..bytes.len().min(HEAD)], None) else { return false };
    let mut elements = head.match_indices('<').map(|(at, _)| &head[at + 1..]).filter(|rest| rest.starts_with(char::is_alphabetic));
    elements.next().and_then(|rest| rest.get(..4)).is_some_and(|name| name.eq_ignore_ascii_case("opml"))
}

/// Reads a list of subscriptions; `place` names it in problems.
///
/// # Errors
/// Its encoding is one that is not read.
pub fn read(bytes: &[u8], place: &str) -> Result<Subscriptions, FeedError> {
    let text = decoded(bytes, None)?;
    let mut outlines = Outlines { place, line: 1, ..Outlines::default() };
    let mut scanner = TagScanner::new(&text);
    let (mut at, mut counted, mut missing) = (0, 0, Vec::new());
    while let Some(found) = text[at..].find('<').map(|found| at + found) {
        outlines.line += text[counted..found].bytes().filter(|byte| *byte == b'\n').count() as u64;
        counted = found;
        let rest = &text[found..];
        at = found + 1;
        let section = SECTIONS.iter().find(|(start, _)| rest.starts_with(start)).map(|(_, end)| *end);
        if let Some(end) = section.filter(|end| !missing.contains(end)) {
            match rest.find(end) {
                Some(length) => at = found + length,
                // It is looked for once only, or a file of openings would take quadratic time.
                None => missing.push(end),
            }
        } else if named(rest, "</") {
            outlines.leave();
        } else if named(rest, "<") {
            match scanner.start_tag(found) {
                Some((tag, end)) => {
                    outlines.enter(&tag);
                    at = end;
                }
                None => outlines.refuse("an outline that has no end; close its quotes and its tag".to_owned()),
            }
        }
    }
    Ok(outlines.read)
}

/// Whether a text begins with the tag of an outline.
fn named(rest: &str, sign: &str) -> bool {
    let name = rest.strip_prefix(sign).and_then(|rest| rest.get(..8));
    let ends = rest.as_bytes().get(sign.len() + 7).is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'));
    name.is_some_and(|name| name[..7].eq_ignore_ascii_case("outline")) && ends
}

#[derive(Default)]
struct Outlines<'a> {
    place: &'a str,
    line: u64,
    /// The open outlines: the names of folders.
    open: Vec<Option<String>>,
    /// Open outlines beyond those.
    deeper: usize,
    places: HashMap<String, usize>,
    is_full: bool,
    read: Subscriptions,
}

impl Outlines<'_> {
    fn enter(&mut self, tag: &Tag<'_>) {
        let value = |name: &str| tag.attribute(name).map(|value| text::line(&text::unescape(value))).filter(|value| !value.is_empty());
        let title = value("text").or_else(|| value("title"));
        let address = address(tag);
        if let Some(address) = &address {
            self.subscribe(address, title.clone(), value("category").as_deref());
        } else if is_feed_type(tag) == Some(true) {
            self.refuse(format!("{:?} has no xmlUrl", title.as_deref().unwrap_or("an outline")));
        }
        if tag.is_empty {
            return;
        }
        if self.open.len() < MAX_DEPTH {
            self.open.push(title.filter(|_| address.is_none()));
        } else {
            self.deeper += 1;
        }
    }

    fn leave(&mut self) {
        if self.deeper > 0 {
            self.deeper -= 1;
        } else {
            self.open.pop();
        }
    }

    fn subscribe(&mut self, address: &str, title: Option<String>, category: Option<&str>) {
        let Some(url) = web_address(address) else {
            let shown = text::excerpt(address, SHOWN);
            return self.refuse(format!("{shown:?} is no web address; it takes http:// or https://"));
        };
        let folder = self.open.iter().rev().flatten().next().cloned();
        let named = category.into_iter().flat_map(|category| category.split(',')).filter_map(last_part);
        let categories = folder.into_iter().chain(named);
        let feeds = &mut self.read.feeds;
        let at = match self.places.get(url.as_str()) {
            Some(at) => *at,
            None if feeds.len() >= MAX_SUBSCRIPTIONS => {
                if !std::mem::replace(&mut self.is_full, true) {
                    self.refuse(format!("of one file {MAX_SUBSCRIPTIONS} subscriptions are read; part it"));
                }
                return;
            }
            None => {
                self.places.insert(url.to_string(), feeds.len());
                let title = title.filter(|title| web_address(title).is_none());
                feeds.push(Subscription { url, title, categories: Vec::new() });
                feeds.len() - 1
            }
        };
        for category in categories {
            let slug = Slug::from_name(&category);
            let known = &mut feeds[at].categories;
            if known.len() < MAX_CATEGORIES && !known.iter().any(|known| Slug::from_name(known) == slug) {
                known.push(category);
            }
        }
    }

    fn refuse(&mut self, reason: String) {
        if self.read.problems.len() < MAX_PROBLEMS {
            self.read.problems.push(Problem { place: self.place.to_owned(), line: Some(self.line), reason });
        }
    }
}

/// The address that an outline names, as written: `xmlUrl`, else the `url` of one that is no mere link.
fn address(tag: &Tag<'_>) -> Option<String> {
    let url = || tag.attribute("url").filter(|_| is_feed_type(tag) != Some(false));
    let written = tag.attribute("xmlUrl").filter(|url| !url.trim().is_empty()).or_else(url)?;
    Some(text::unescape(written).trim().to_owned()).filter(|url| !url.is_empty())
}

/// Whether the type of an outline is that of a feed; `None`: it has none.
fn is_feed_type(tag: &Tag<'_>) -> Option<bool> {
    let kind = tag.attribute("type").map(|kind| kind.trim().to_ascii_lowercase()).filter(|kind| !kind.is_empty())?;
    Some(["rss", "atom", "rdf", "feed", "json"].iter().any(|feed| kind.contains(feed)))
}

/// The last part of one category of an outline, such as `/Boston/Weather` (OPML 2.0).
fn last_part(category: &str) -> Option<String> {
    category.rsplit('/').map(text::line).find(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(opml: &str) -> Subscriptions {
        read(opml.as_bytes(), "my.opml").unwrap()
    }

    /// Each subscription in one line.
    fn feeds(opml: &str) -> Vec<String> {
        let shown = |feed: Subscription| format!("{} {} [{}]", feed.url, feed.title.unwrap_or_default(), feed.categories.join("|"));
        lists(opml).feeds.into_iter().map(shown).collect()
    }

    #[test]
    fn the_nearest_folder_and_the_attribute_are_the_categories() {
        let opml = "<?xml version='1.0'?><opml version='2.0'><head><title>My</title></head><body>
            <outline text='Top'><outline text='News'><outline type='rss' text='A' xmlUrl='https://a.example/f'/></outline>
            <outline text='B' title='b' xmlUrl='https://b.example/f?x=1&amp;y=2' category='/Boston/Weather,ai, /top'/></outline>
            <outline text='Other'><outline text='A again' xmlUrl='https://a.example/f'></outline><outline xmlUrl='https://c.example/' text='https://c.example/'/></outline>
            <outline xmlUrl='https://d.example/' title='D'/></body></opml>";
        let expected = [
            "https://a.example/f A [News|Other]",
            "https://b.example/f?x=1&y=2 B [Top|Weather|ai]",
            "https://c.example/  [Other]",
            "https://d.example/ D []",
        ];
        assert_eq!(feeds(opml), expected);
    }

    #[test]
    fn a_damaged_list_is_read_as_far_as_a_person_could() {
        for (opml, expected) in [
            ("<OPML><OUTLINE TEXT='A' XMLURL='http://a.example/'/>", "http://a.example/ A []"),
            ("<opml><outline text=A xmlurl=http://a.example/f>", "http://a.example/f A []"),
            ("<opml><outline text=\"Foo xmlUrl=\"http://a.example/\"/>", "http://a.example/ Foo []"),
            (
                "<opml><outline text='caf&eacute; & &undeclared; <b>' xmlUrl='http://a.example/?a=1&b=2'/>",
                "http://a.example/?a=1&b=2 café & &undeclared; <b> []",
            ),
            ("<opml><outline type=rss text='A' url='http://a.example/'/>", "http://a.example/ A []"),
            (
                "<opml><outline text='A' xmlUrl='feed://a.example/'/><outline text='B' type='link' url='http://b.example/'/>",
                "http://a.example/ A []",
            ),
            ("<opml><outline text='A' xmlUrl='feed:https://a.example/'/>", "https://a.example/ A []"),
            (
                "<opml><!-- <outline xmlUrl='http://no.example/'/> --><outline text='A' xmlUrl='http://a.example/'/>",
                "http://a.example/ A []",
            ),
            ("<opml><outline text='A'><outline xmlUrl='http://a.example/' text='cut", ""),
        ] {
            assert_eq!(feeds(opml).join(", "), expected, "{opml}");
        }
    }

    #[test]
    fn the_encoding_is_found_as_that_of_a_feed_is() {
        let opml = "<?xml version=\"1.0\" encoding=\"utf-8\"?><opml><outline text='新闻'><outline text='今天的消息很多，大家都在看' xmlUrl='http://a.example/'/></outline></opml>";
        let wrong = encoding_rs::GBK.encode(opml).0;
        let list = read(&wrong, "my.opml").unwrap();
        assert_eq!((list.feeds[0].title.as_deref(), list.feeds[0].categories[0].as_str()), (Some("今天的消息很多，大家都在看"), "新闻"));
        assert!(is_opml(&wrong));
        let wide: Vec<u8> = "\u{feff}<opml/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(is_opml(&wide) && !is_opml(b"<rss><opml>") && !is_opml(b"---\ntitle: opml\n---\n") && !is_opml(b""));
    }

    #[test]
    fn a_bad_outline_is_named_with_its_line() {
        let list = lists(
            "<opml>\n<outline type='rss' text='A'/>\n\n<outline text='B' xmlUrl='/feed'/>\n<outline text='C' xmlUrl='file:///etc/passwd'/>",
        );
        let said: Vec<String> = list.problems.iter().map(ToString::to_string).collect();
        let no_address = |url: &str| format!("{url:?} is no web address; it takes http:// or https://");
        let expected = [
            "my.opml:2: \"A\" has no xmlUrl",
            &format!("my.opml:4: {}", no_address("/feed")),
            &format!("my.opml:5: {}", no_address("file:///etc/passwd")),
        ];
        assert_eq!(said, expected);
        assert!(list.feeds.is_empty());
    }

    #[test]
    fn hostile_lists_are_bounded() {
        let deep = "<outline text='x'>".repeat(100_000) + "<outline xmlUrl='http://a.example/'/>" + &"</outline>".repeat(100_000);
        let list = lists(&format!("<opml>{deep}<outline text='y'><outline xmlUrl='http://b.example/'/></outline>"));
        assert_eq!(list.feeds.iter().map(|feed| feed.categories[0].as_str()).collect::<Vec<_>>(), ["x", "y"]);
        let many: String = (0..MAX_SUBSCRIPTIONS + 10).map(|n| format!("<outline xmlUrl='http://{n}.example/'/>\n")).collect();
        let list = lists(&many);
        assert_eq!((list.feeds.len(), list.problems.len()), (MAX_SUBSCRIPTIONS, 1));
        for unit in ["<outline ", "<outline text='", "<!--", "<![CDATA[", "<", "</outline"] {
            lists(&unit.repeat(1_000_000 / unit.len()));
        }
    }
}
