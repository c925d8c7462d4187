//! RSS 2.0, written item by item with the `rss` crate.

use std::collections::BTreeMap;

use rss::extension::atom::{AtomExtension, Link};
use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::{Extension, ExtensionMap};
use rss::{Category, Enclosure, Guid, Image, Item, Source};

use super::channel::Channel;
use super::{OutputError, cut, entry as parts, join};
use crate::model::{Content, Entry, Extension as Passing, Format, Person, Site, Time, text};

/// The namespaces of the elements that items may have.
const NAMESPACES: [(&str, &str); 6] = [
    ("atom", "http://www.w3.org/2005/Atom"),
    ("content", "http://purl.org/rss/1.0/modules/content/"),
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
    ("media", "http://search.yahoo.com/mrss/"),
    ("podcast", "https://podcastindex.org/namespace/1.0"),
];

/// Minutes for which a reader may keep the document.
const TTL: &str = "30";

/// A document of the channel with items that were written before.
pub(super) fn document(
    channel: &Channel,
    items: impl Iterator<Item = Result<String, OutputError>>,
    site: &Site,
) -> Result<String, OutputError> {
    let own = Link {
        href: channel.url(Format::Rss).to_owned(),
        rel: "self".to_owned(),
        mime_type: Some("application/rss+xml".to_owned()),
        ..Link::default()
    };
    let picture = |url: &String| Image { url: url.clone(), title: channel.title.clone(), link: channel.page.clone(), ..Image::default() };
    let empty = rss::Channel {
        title: channel.title.clone(),
        link: channel.page.clone(),
        description: channel.description.clone(),
        language: channel.language.as_ref().map(ToString::to_string),
        last_build_date: Some(date(channel.updated)),
        generator: Some(format!("Feedmill {} ({})", env!("CARGO_PKG_VERSION"), site.url("/"))),
        ttl: Some(TTL.to_owned()),
        image: channel.picture.as_ref().map(picture),
        atom_ext: Some(AtomExtension { links: vec![own] }),
        namespaces: NAMESPACES.iter().map(|(prefix, url)| ((*prefix).to_owned(), (*url).to_owned())).collect(),
        ..rss::Channel::default()
    };
    join(&with_plain_title(write(&empty)?), "</channel></rss>", items)
}

/// One item, cut from a document of its own.
pub(super) fn item(entry: &Entry, site: &Site, wanted: Content) -> Result<String, OutputError> {
    let (summary, content) = parts::texts(entry, site, wanted);
    let link = parts::link(entry, site);
    let mut enclosures = entry.article.enclosures.iter();
    let labels = entry.terms.iter().map(|(term, _)| term).filter(|term| parts::is_label(term.kind));
    let item = Item {
        title: parts::title(entry).map(str::to_owned),
        description: Some(summary.unwrap_or_else(|| parts::excerpt(entry))),
        author: only_address(&entry.article.authors),
        categories: labels.map(|term| Category { name: term.name.clone(), domain: Some(parts::scheme(term.kind, site)) }).collect(),
        comments: entry.article.comments.clone(),
        enclosure: enclosures.next().map(|enclosure| Enclosure {
            url: enclosure.url.clone(),
            length: enclosure.length.unwrap_or_default().to_string(),
            mime_type: parts::media_type(enclosure).to_owned(),
        }),
        guid: Some(Guid { value: entry.id.clone(), permalink: entry.id == link }),
        pub_date: Some(date(entry.published)),
        source: Some(Source { url: parts::source_feed(entry, site), title: Some(entry.source.title.clone()) }),
        content,
        extensions: extensions(entry, site, enclosures),
        atom_ext: alternates(entry, site),
        dublin_core_ext: dublin_core(entry),
        link: Some(link),
        ..Item::default()
    };
    let document = write(&rss::Channel { items: vec![item], ..rss::Channel::default() })?;
    Ok(with_plain_title(text::clean(&cut(&document, "<item>", "</item>"))))
}

fn write(channel: &rss::Channel) -> Result<String, OutputError> {
    let bytes = channel.write_to(Vec::new()).map_err(|error| OutputError::new(Format::Rss, error))?;
    String::from_utf8(bytes).map_err(|error| OutputError::new(Format::Rss, error))
}

/// RFC 822 with a four-digit year, as RSS 2.0 wants it.
fn date(time: Time) -> String {
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Titles are plain text: hexadecimal references tell readers that do not know it that this is no markup (RSS Best
/// Practices Profile, on character data).
fn with_plain_title(xml: String) -> String {
    let Some((start, end)) = xml.find("<title>").and_then(|start| Some((start, xml.find("</title>")?))) else { return xml };
    let title = xml[start..end].replace("&amp;", "&#x26;").replace("&lt;", "&#x3C;");
    format!("{}{title}{}", &xml[..start], &xml[end..])
}

/// `<author>` must have an address, and an item has one of it.
fn only_address(authors: &[Person]) -> Option<String> {
    match authors {
        [Person { name, email: Some(email), .. }] if !name.is_empty() => Some(format!("{email} ({name})")),
        [Person { email: Some(email), .. }] => Some(email.clone()),
        _ => None,
    }
}

fn dublin_core(entry: &Entry) -> Option<DublinCoreExtension> {
    let authors = &entry.article.authors;
    let creators = if only_address(authors).is_some() {
        Vec::new()
    } else {
        authors.iter().map(|author| author.name.clone()).filter(|name| !name.is_empty()).collect()
    };
    let extension = DublinCoreExtension {
        creators,
        languages: entry.language().map(ToString::to_string).into_iter().collect(),
        rights: entry.article.rights.iter().cloned().collect(),
        ..DublinCoreExtension::default()
    };
    (extension != DublinCoreExtension::default()).then_some(extension)
}

/// The original comes last: some readers take the last alternate for the link.
fn alternates(entry: &Entry, site: &Site) -> Option<AtomExtension> {
    let links: Vec<Link> = parts::alternates(entry, site)
        .map(|(language, href)| Link {
            href,
            rel: "alternate".to_owned(),
            hreflang: Some(language),
            mime_type: Some("text/html".to_owned()),
            ..Link::default()
        })
        .collect();
    (!links.is_empty()).then_some(AtomExtension { links })
}

fn extensions<'a>(entry: &Entry, site: &Site, enclosures: impl Iterator<Item = &'a crate::model::Enclosure>) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    let mut add = |extension: Extension| {
        if let Some((prefix, name)) = extension.name.clone().split_once(':') {
            map.entry(prefix.to_owned()).or_default().entry(name.to_owned()).or_default().push(extension);
        }
    };
    for enclosure in enclosures {
        let mut attrs = vec![("url", enclosure.url.clone()), ("type", parts::media_type(enclosure).to_owned())];
        attrs.extend(enclosure.length.map(|length| ("fileSize", length.to_string())));
        attrs.extend(enclosure.duration.map(|duration| ("duration", duration.to_string())));
        add(element("media:content", attrs));
    }
    if let Some(picture) = &entry.article.thumbnail {
        let mut attrs = vec![("url", site.fill(&picture.url, &entry.key))];
        attrs.extend(picture.width.map(|width| ("width", width.to_string())));
        attrs.extend(picture.height.map(|height| ("height", height.to_string())));
        add(element("media:thumbnail", attrs));
    }
    entry.article.extensions.iter().map(passing).for_each(add);
    map
}

fn element(name: &str, attrs: Vec<(&str, String)>) -> Extension {
    Extension {
        name: name.to_owned(),
        attrs: attrs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..Extension::default()
    }
}

fn passing(extension: &Passing) -> Extension {
    let mut children: BTreeMap<String, Vec<Extension>> = BTreeMap::new();
    for child in &extension.children {
        children.entry(child.name.clone()).or_default().push(passing(child));
    }
    Extension {
        name: extension.name.clone(),
        value: extension.value.clone(),
        attrs: extension.attributes.iter().cloned().collect(),
        children,
    }
}
