//! Where the elements of a feed may stand, by their names: what the tree knows to find the ends that are missing.

use super::element::{Element, Part};
use super::names::Vocabulary;

/// Whether it is an item of a feed.
pub(super) fn is_item(element: &Element) -> bool {
    element.vocabulary == Vocabulary::Core && matches!(element.name.as_str(), "item" | "entry")
}

/// Whether it holds one line of text, so that no other element of an item can be in it.
pub(super) fn is_line(element: &Element) -> bool {
    match element.vocabulary {
        Vocabulary::Core => LINES.contains(&element.name.as_str()),
        Vocabulary::Dublin => element.name != "description",
        _ => false,
    }
}

/// Whether it holds text with markup.
pub(super) fn is_prose(element: &Element) -> bool {
    match element.vocabulary {
        Vocabulary::Core => matches!(element.name.as_str(), "description" | "summary" | "content" | "subtitle" | "tagline"),
        Vocabulary::Dublin => element.name == "description",
        Vocabulary::Content => true,
        _ => false,
    }
}

/// Whether it is an element that the Channel Definition Format alone has, in a document with this root: a root `channel`
/// with a link, or in one an item with a link, or an `abstract`.
pub(super) fn is_of_channel_definition(element: &Element, root: Option<&Element>) -> bool {
    let has = |name| element.attribute(name).is_some();
    match root {
        None => element.name == "channel" && ["href", "base", "self", "lastmod"].into_iter().any(has),
        Some(root) if root.name == "channel" && element.vocabulary == Vocabulary::Core => match element.name.as_str() {
            "item" | "channel" => has("href"),
            "abstract" | "usage" | "schedule" => true,
            _ => false,
        },
        Some(_) => false,
    }
}

/// Whether it names a person, in parts or in a line.
pub(super) fn is_person(element: &Element) -> bool {
    element.vocabulary == Vocabulary::Core && matches!(element.name.as_str(), "author" | "contributor")
}

/// Whether it may be a part of a person, though elements of an item have that name too.
pub(super) fn may_stand_in_person(element: &Element) -> bool {
    element.vocabulary == Vocabulary::Core && matches!(element.name.as_str(), "id" | "link")
}

/// Whether a person that is written in parts ends soon, by what follows in the document: until then all is a part of it.
pub(super) fn ends_soon(person: &Element, rest: &[u8]) -> bool {
    let has_words = person.parts.iter().any(|part| matches!(part, Part::Text(text) if !text.trim().is_empty()));
    let mut tags = rest[..rest.len().min(512)].split(|byte| *byte == b'<').skip(1);
    let ends = |tag: &[u8]| {
        let name = tag.split(|byte| byte.is_ascii_whitespace() || *byte == b'>').next()?;
        let local = name.rsplit(|byte| matches!(byte, b':' | b'/')).next()?;
        let is = |known: &str| local.eq_ignore_ascii_case(known.as_bytes());
        if is(&person.name) { Some(name.starts_with(b"/")) } else { (is("item") || is("entry")).then_some(false) }
    };
    !has_words && tags.find_map(ends) == Some(true)
}

/// Whether it is of a vocabulary of its own inside of HTML.
pub(super) fn is_foreign(element: &Element) -> bool {
    matches!(element.vocabulary, Vocabulary::Other | Vocabulary::Rdf) || matches!(element.name.as_str(), "svg" | "math")
}

/// Whether it is one of the elements that stand right in an item.
pub(super) fn is_part_of_item(element: &Element) -> bool {
    match element.vocabulary {
        Vocabulary::Core => is_item_level(&element.name) && !matches!(element.name.as_str(), "item" | "entry"),
        Vocabulary::Dublin | Vocabulary::Content | Vocabulary::Itunes => true,
        _ => false,
    }
}

/// Whether a name is of those that stand right in an item, or are one.
pub(super) fn is_item_level(name: &str) -> bool {
    LINES.contains(&name)
        || ["description", "summary", "content", "author", "enclosure", "source", "item", "entry", "encoded"].contains(&name)
}

/// Whether it may be HTML, though elements of an item have that name too.
pub(super) fn may_stand_in_prose(element: &Element) -> bool {
    element.vocabulary == Vocabulary::Core && matches!(element.name.as_str(), "title" | "link" | "source" | "summary" | "content")
}

/// Elements that mean formatting, whose stray end tags end nothing.
pub(super) fn is_markup_name(name: &str) -> bool {
    const MARKUP: [&str; 24] = [
        "a", "b", "i", "u", "p", "em", "strong", "span", "div", "font", "br", "img", "sub", "sup", "code", "small", "big", "li", "ul",
        "ol", "td", "tr", "table", "center",
    ];
    MARKUP.contains(&name)
}

const LINES: [&str; 14] = [
    "title", "link", "guid", "id", "pubdate", "published", "updated", "issued", "modified", "created", "category", "comments",
    "lastbuilddate", "managingeditor",
];
