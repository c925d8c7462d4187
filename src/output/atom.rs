//! Atom 1.0 (RFC 4287), written entry by entry with the `atom_syndication` crate.

use std::collections::BTreeMap;

use atom_syndication::extension::{Extension, ExtensionMap};
use atom_syndication::{Category, Content as Body, Feed, Generator, Link, Person, Source, Text, TextType, WriteConfig};
use uuid::Uuid;

use super::channel::Channel;
use super::{HISTORY, OutputError, cut, entry as parts, media, passing, used_namespaces};
use crate::model::{Content, Entry, Extension as Passing, Format, Options, Person as Author, Site, Target, Tombstone, identity, text};

/// The namespaces of the elements that entries may have.
pub(super) const NAMESPACES: [(&str, &str); 3] = [
    ("itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
    ("media", "http://search.yahoo.com/mrss/"),
    ("podcast", "https://podcastindex.org/namespace/1.0"),
];

/// The namespace of tombstones.
const TOMBSTONES: (&str, &str) = ("at", "http://purl.org/atompub/tombstones/1.0");

const CONFIG: WriteConfig = WriteConfig { write_document_declaration: false, indent_size: None };

/// The document of a channel without its entries. Its one `alternate` is the page: some readers take the last one, so the
/// other formats are told by the page and by HTTP alone.
pub(super) fn document(channel: &Channel, used: u8, site: &Site) -> Result<String, OutputError> {
    let mut namespaces = used_namespaces(&NAMESPACES, used);
    let mut extensions = ExtensionMap::new();
    if let Some(extent) = channel.extent {
        let (prefix, url) = HISTORY;
        namespaces.insert(prefix.to_owned(), url.to_owned());
        let extent = Extension { name: format!("{prefix}:{}", extent.name()), ..Extension::default() };
        extensions.insert(prefix.to_owned(), BTreeMap::from([(extent.name.clone(), vec![extent])]));
    }
    if !channel.tombstones.is_empty() {
        let (prefix, url) = TOMBSTONES;
        namespaces.insert(prefix.to_owned(), url.to_owned());
        let deleted = channel.tombstones.iter().map(tombstone).collect();
        extensions.insert(prefix.to_owned(), BTreeMap::from([(format!("{prefix}:deleted-entry"), deleted)]));
    }
    let own = [("self", channel.url(Format::Atom))].into_iter();
    let archive = channel.archive[Format::Atom as usize].iter().map(|(rel, href)| (*rel, href.as_str()));
    let links = own.chain(archive).map(|(rel, href)| typed_link(href, rel, "application/atom+xml"));
    let feed = Feed {
        title: Text::plain(channel.title.clone()),
        id: channel.id.clone(),
        updated: channel.updated.fixed_offset(),
        authors: vec![Person { name: channel.author.clone(), uri: Some(site.url("/")), ..Person::default() }],
        generator: Some(Generator { value: "Feedmill".to_owned(), uri: None, version: Some(env!("CARGO_PKG_VERSION").to_owned()) }),
        icon: Some(channel.icon.clone()),
        logo: channel.picture.clone(),
        links: links
            .chain([typed_link(&channel.page, "alternate", "text/html")])
            .chain(channel.hub.iter().map(|hub| Link { href: hub.clone(), rel: "hub".to_owned(), ..Link::default() }))
            .collect(),
        subtitle: Some(Text::plain(channel.description.clone())),
        lang: channel.language.as_ref().map(ToString::to_string),
        namespaces,
        extensions,
        ..Feed::default()
    };
    let xml = written(feed.write_with_config(Vec::new(), CONFIG))?;
    Ok(format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{xml}"))
}

/// An entry that was withdrawn (RFC 6721).
fn tombstone(tombstone: &Tombstone) -> Extension {
    let attrs = BTreeMap::from([("ref".to_owned(), text::escape(&tombstone.id)), ("when".to_owned(), parts::date(tombstone.at))]);
    Extension { name: format!("{}:deleted-entry", TOMBSTONES.0), attrs, ..Extension::default() }
}

/// One entry, cut from a document of its own.
pub(super) fn entry(entry: &Entry, store: &Uuid, site: &Site, wanted: Content) -> Result<String, OutputError> {
    let (summary, content) = parts::texts(entry, site, wanted);
    // An entry without any text is not valid, and its title says what there is to say.
    let summary = summary.or_else(|| content.is_none().then(|| parts::excerpt(entry)));
    let language = entry.language().map(ToString::to_string);
    let labels = entry.terms.iter().map(|(term, _)| term).filter(|term| parts::is_label(term.kind));
    let written_entry = atom_syndication::Entry {
        title: Text { lang: language.clone(), ..Text::plain(parts::title_or_start(entry)) },
        id: entry.id.clone(),
        updated: entry.updated.fixed_offset(),
        authors: entry.article.authors.iter().filter_map(person).collect(),
        categories: labels
            .map(|term| Category {
                term: term.slug.to_string(),
                scheme: Some(parts::scheme(term.kind, site)),
                label: Some(term.name.clone()),
            })
            .collect(),
        contributors: entry.article.contributors.iter().filter_map(person).collect(),
        links: links(entry, site),
        published: Some(entry.published.fixed_offset()),
        rights: entry.article.rights.clone().map(Text::plain),
        source: Some(source(entry, store, site)),
        summary: summary.map(|html| text_of(html, language.as_ref())),
        content: content.map(|html| Body { value: Some(html), content_type: Some("html".to_owned()), lang: language, ..Body::default() }),
        extensions: extensions(entry, site),
        ..atom_syndication::Entry::default()
    };
    let xml = written(written_entry.write_with_config(Vec::new(), CONFIG))?;
    Ok(format!("<entry>{}", cut(xml, "<title", "</entry>")))
}

/// What the crate wrote, clean, with times in the short form of UTC. Only tags can end in `>`: all text is escaped.
fn written(bytes: Result<Vec<u8>, atom_syndication::Error>) -> Result<String, OutputError> {
    let bytes = bytes.map_err(|error| OutputError::new(Format::Atom, error))?;
    let xml = String::from_utf8(bytes).map_err(|error| OutputError::new(Format::Atom, error))?;
    Ok(text::cleaned(&xml).replace("+00:00</updated>", "Z</updated>").replace("+00:00</published>", "Z</published>"))
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

fn person(person: &Author) -> Option<Person> {
    Some(Person {
        name: parts::person_name(person)?.to_owned(),
        email: parts::email(person).map(str::to_owned),
        uri: person.uri.as_deref().and_then(parts::absolute).map(Into::into),
        ..Person::default()
    })
}

fn links(entry: &Entry, site: &Site) -> Vec<Link> {
    let mut links = vec![Link { href: parts::link(entry, site), rel: "alternate".to_owned(), ..Link::default() }];
    links.extend(
        parts::alternates(entry, site).into_iter().map(|(hreflang, href)| Link { hreflang, ..typed_link(&href, "alternate", "text/html") }),
    );
    links.extend(
        entry
            .related
            .iter()
            .map(|related| Link { title: Some(related.source.clone()), ..typed_link(&site.article(&related.key), "related", "text/html") }),
    );
    links.extend(media::files(entry, site).map(|file| Link {
        length: file.enclosure.length.map(|length| length.to_string()),
        title: file.enclosure.title.clone(),
        ..typed_link(&file.url, "enclosure", file.media_type)
    }));
    let comments = entry.article.comments.as_deref().and_then(parts::absolute);
    links.extend(comments.map(|comments| typed_link(&comments, "replies", "text/html")));
    links
}

/// The source as of the entry's own last change, so that news of the source do not change its older entries.
fn source(entry: &Entry, store: &Uuid, site: &Site) -> Source {
    let origin = &entry.source;
    let selection = parts::source(&origin.slug);
    let mut authors: Vec<Person> = origin.authors.iter().filter_map(person).collect();
    if authors.is_empty() && !entry.article.authors.iter().any(|author| parts::person_name(author).is_some()) {
        authors.push(Person { name: origin.title.clone(), ..Person::default() });
    }
    // An id with a secret in it cannot lose it and stay itself.
    let id = origin.id.clone().filter(|id| identity::is_iri(id) && parts::without_user(id) == id.as_str());
    let link = |href, rel: &str| Link { href, rel: rel.to_owned(), ..Link::default() };
    Source {
        title: Text::plain(origin.title.clone()),
        id: id.unwrap_or_else(|| identity::feed_id(store, &selection, &Options::default())),
        updated: entry.updated.fixed_offset(),
        authors,
        icon: parts::public(origin.icon.as_deref()),
        links: vec![
            link(parts::source_feed(entry, site), "self"),
            link(parts::public(origin.home.as_deref()).unwrap_or_else(|| site.link(&Target::page(&selection))), "alternate"),
        ],
        rights: origin.rights.clone().map(Text::plain),
        ..Source::default()
    }
}

fn extensions(entry: &Entry, site: &Site) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    for extension in media::thumbnail(entry, site).into_iter().chain(passing::elements(entry)).map(passed) {
        if let Some((prefix, name)) = extension.name.clone().split_once(':') {
            map.entry(prefix.to_owned()).or_default().entry(name.to_owned()).or_default().push(extension);
        }
    }
    map
}

/// The crate writes attributes of extensions as they are, so they are escaped here.
fn passed(extension: Passing) -> Extension {
    let mut children: BTreeMap<String, Vec<Extension>> = BTreeMap::new();
    for child in extension.children {
        children.entry(child.name.clone()).or_default().push(passed(child));
    }
    let attrs = extension.attributes.into_iter().map(|(name, value)| (name, text::escape(&value))).collect();
    Extension { name: extension.name, value: extension.value, attrs, children }
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
