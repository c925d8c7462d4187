//! Atom 1.0 (RFC 4287), written entry by entry with the `atom_syndication` crate.

use std::collections::BTreeMap;

use atom_syndication::extension::{Extension, ExtensionMap};
use atom_syndication::{Category, Content as Body, Feed, Generator, Link, Person, Source, Text, TextType, WriteConfig};

use super::channel::Channel;
use super::{OutputError, cut, entry as parts, join};
use crate::model::{Content, Entry, Extension as Passing, Format, Person as Author, Site, identity, text};

/// The namespaces of the elements that entries may have.
const NAMESPACES: [(&str, &str); 3] = [
    ("itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
    ("media", "http://search.yahoo.com/mrss/"),
    ("podcast", "https://podcastindex.org/namespace/1.0"),
];

const CONFIG: WriteConfig = WriteConfig { write_document_declaration: false, indent_size: None };

/// A document of the channel with entries that were written before.
pub(super) fn document(
    channel: &Channel,
    entries: impl Iterator<Item = Result<String, OutputError>>,
    site: &Site,
) -> Result<String, OutputError> {
    let feed = Feed {
        title: Text::plain(channel.title.clone()),
        id: channel.id.clone(),
        updated: channel.updated.fixed_offset(),
        authors: vec![Person { name: channel.author.clone(), uri: Some(site.url("/")), ..Person::default() }],
        generator: Some(Generator { value: "Feedmill".to_owned(), uri: None, version: Some(env!("CARGO_PKG_VERSION").to_owned()) }),
        icon: Some(channel.icon.clone()),
        logo: channel.picture.clone(),
        links: vec![
            typed_link(channel.url(Format::Atom), "self", "application/atom+xml"),
            typed_link(&channel.page, "alternate", "text/html"),
        ],
        subtitle: Some(Text::plain(channel.description.clone())),
        lang: channel.language.as_ref().map(ToString::to_string),
        namespaces: NAMESPACES.iter().map(|(prefix, url)| ((*prefix).to_owned(), (*url).to_owned())).collect(),
        ..Feed::default()
    };
    let bytes = feed.write_with_config(Vec::new(), CONFIG).map_err(|error| OutputError::new(Format::Atom, error))?;
    let xml = String::from_utf8(bytes).map_err(|error| OutputError::new(Format::Atom, error))?;
    join(&format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{}", text::clean(&xml)), "</feed>", entries)
}

/// One entry, cut from a document of its own.
pub(super) fn entry(entry: &Entry, channel: &Channel, site: &Site, wanted: Content) -> Result<String, OutputError> {
    let (summary, content) = parts::texts(entry, site, wanted);
    let language = entry.language().map(ToString::to_string);
    let labels = entry.terms.iter().map(|(term, _)| term).filter(|term| parts::is_label(term.kind));
    let written = atom_syndication::Entry {
        title: Text { lang: language.clone(), ..Text::plain(parts::title_or_start(entry)) },
        id: entry.id.clone(),
        updated: entry.updated.fixed_offset(),
        authors: entry.article.authors.iter().map(person).collect(),
        categories: labels
            .map(|term| Category {
                term: term.slug.to_string(),
                scheme: Some(parts::scheme(term.kind, site)),
                label: Some(term.name.clone()),
            })
            .collect(),
        contributors: entry.article.contributors.iter().map(person).collect(),
        links: links(entry, site),
        published: Some(entry.published.fixed_offset()),
        rights: entry.article.rights.clone().map(Text::plain),
        source: Some(source(entry, channel, site)),
        summary: summary.map(|html| text_of(html, language.as_ref())),
        content: content.map(|html| Body {
            value: Some(html),
            content_type: Some("html".to_owned()),
            lang: language.clone(),
            ..Body::default()
        }),
        extensions: extensions(entry, site),
        ..atom_syndication::Entry::default()
    };
    let bytes = written.write_with_config(Vec::new(), CONFIG).map_err(|error| OutputError::new(Format::Atom, error))?;
    let xml = String::from_utf8(bytes).map_err(|error| OutputError::new(Format::Atom, error))?;
    Ok(text::clean(&cut(&xml, "<entry", "</entry>")).replacen(" xmlns=\"http://www.w3.org/2005/Atom\"", "", 1))
}

fn typed_link(href: &str, rel: &str, media_type: &str) -> Link {
    Link { href: href.to_owned(), rel: rel.to_owned(), mime_type: Some(media_type.to_owned()), ..Link::default() }
}

/// A summary: plain text where it is no more than that.
fn text_of(html: String, language: Option<&String>) -> Text {
    let (value, r#type) = match parts::as_plain(&html) {
        Some(plain) => (plain, TextType::Text),
        None => (html, TextType::Html),
    };
    Text { value, r#type, lang: language.cloned(), base: None }
}

fn person(person: &Author) -> Person {
    let name = if person.name.is_empty() { person.email.clone().or(person.uri.clone()).unwrap_or_default() } else { person.name.clone() };
    Person { name, email: person.email.clone().filter(|email| email.contains('@')), uri: person.uri.clone(), ..Person::default() }
}

/// The original comes first, for readers that take the first alternate, and last, for those that take the last.
fn links(entry: &Entry, site: &Site) -> Vec<Link> {
    let mut links = vec![Link { href: parts::link(entry, site), rel: "alternate".to_owned(), ..Link::default() }];
    links.extend(
        parts::alternates(entry, site)
            .map(|(language, href)| Link { hreflang: Some(language), ..typed_link(&href, "alternate", "text/html") }),
    );
    links.extend(entry.article.enclosures.iter().map(|enclosure| Link {
        length: enclosure.length.map(|length| length.to_string()),
        title: enclosure.title.clone(),
        ..typed_link(&enclosure.url, "enclosure", parts::media_type(enclosure))
    }));
    links.extend(entry.article.comments.as_ref().map(|comments| typed_link(comments, "replies", "text/html")));
    links
}

/// The source as of the entry's own last change, so that news of the source do not change its older entries.
fn source(entry: &Entry, channel: &Channel, site: &Site) -> Source {
    let origin = &entry.source;
    let selection = parts::source(&origin.slug);
    let authors = match (entry.article.authors.is_empty(), origin.authors.is_empty()) {
        (true, true) => vec![Person { name: origin.title.clone(), ..Person::default() }],
        (_, false) => origin.authors.iter().map(person).collect(),
        (false, true) => Vec::new(),
    };
    let home = origin.home.clone().unwrap_or_else(|| site.link(&crate::model::Target::page(&selection)));
    let feed = parts::source_feed(entry, site);
    Source {
        title: Text::plain(origin.title.clone()),
        id: origin.id.clone().filter(|id| is_iri(id)).unwrap_or_else(|| identity::feed_id(&channel.store, &selection)),
        updated: entry.updated.fixed_offset(),
        authors,
        icon: origin.icon.clone(),
        links: vec![
            Link { href: feed, rel: "self".to_owned(), ..Link::default() },
            Link { href: home, rel: "alternate".to_owned(), ..Link::default() },
        ],
        rights: origin.rights.clone().map(Text::plain),
        ..Source::default()
    }
}

fn is_iri(id: &str) -> bool {
    url::Url::parse(id).is_ok() && !id.contains(char::is_whitespace)
}

fn extensions(entry: &Entry, site: &Site) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    let mut add = |extension: Extension| {
        if let Some((prefix, name)) = extension.name.clone().split_once(':') {
            map.entry(prefix.to_owned()).or_default().entry(name.to_owned()).or_default().push(extension);
        }
    };
    if let Some(picture) = &entry.article.thumbnail {
        let mut attributes = vec![("url".to_owned(), site.fill(&picture.url, &entry.key))];
        attributes.extend(picture.width.map(|width| ("width".to_owned(), width.to_string())));
        attributes.extend(picture.height.map(|height| ("height".to_owned(), height.to_string())));
        add(passing(&Passing { name: "media:thumbnail".to_owned(), attributes, ..Passing::default() }));
    }
    entry.article.extensions.iter().map(passing).for_each(add);
    map
}

/// The crate writes attributes of extensions as they are, so they are escaped here.
fn passing(extension: &Passing) -> Extension {
    let mut children: BTreeMap<String, Vec<Extension>> = BTreeMap::new();
    for child in &extension.children {
        children.entry(child.name.clone()).or_default().push(passing(child));
    }
    let attrs = extension.attributes.iter().map(|(name, value)| (name.clone(), text::escape(value))).collect();
    Extension { name: extension.name.clone(), value: extension.value.clone(), attrs, children }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_still_leaves_attributes_of_extensions_as_they_are() {
        let extension = Extension { name: "x:y".into(), attrs: BTreeMap::from([("a".into(), "<&".into())]), ..Extension::default() };
        let mut entry = atom_syndication::Entry::default();
        entry.extensions.entry("x".into()).or_default().insert("y".into(), vec![extension]);
        let xml = String::from_utf8(entry.write_with_config(Vec::new(), CONFIG).unwrap()).unwrap();
        assert!(xml.contains("a=\"<&\""), "the crate escapes now; do not escape twice: {xml}");
    }
}
