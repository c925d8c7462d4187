//! RSS 2.0, written item by item with the `rss` crate.

use std::collections::BTreeMap;

use rss::extension::atom::{AtomExtension, Link};
use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::{Extension, ExtensionMap};
use rss::{Category, Enclosure, Guid, Image, Item, Source};

use super::channel::Channel;
use super::media::{self, File};
use super::{HISTORY, OutputError, cut, entry as parts, passing, used_namespaces};
use crate::model::{Content, Entry, Extension as Passing, Format, Person, Site, Time, text};

/// The namespaces of the elements that items may have.
pub(super) const NAMESPACES: [(&str, &str); 5] = [
    ("content", "http://purl.org/rss/1.0/modules/content/"),
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
    ("media", "http://search.yahoo.com/mrss/"),
    ("podcast", "https://podcastindex.org/namespace/1.0"),
];

/// Minutes for which a reader may keep the document.
const TTL: &str = "30";

/// The document of a channel without its items.
pub(super) fn document(channel: &Channel, used: u8) -> Result<String, OutputError> {
    let own = Link {
        href: channel.url(Format::Rss).to_owned(),
        rel: "self".to_owned(),
        mime_type: Some("application/rss+xml".to_owned()),
        ..Link::default()
    };
    let archive = channel.archive[Format::Rss as usize].iter().map(|(rel, href)| Link {
        href: href.clone(),
        rel: (*rel).to_owned(),
        mime_type: Some("application/rss+xml".to_owned()),
        ..Link::default()
    });
    let mut namespaces = used_namespaces(&NAMESPACES, used);
    let mut extensions = ExtensionMap::new();
    if let Some(extent) = channel.extent {
        let (prefix, url) = HISTORY;
        namespaces.insert(prefix.to_owned(), url.to_owned());
        let extent = element(&format!("{prefix}:{}", extent.name()), Vec::new());
        extensions.insert(prefix.to_owned(), BTreeMap::from([(extent.name.clone(), vec![extent])]));
    }
    let hub = channel.hub.iter().map(|hub| Link { href: hub.clone(), rel: "hub".to_owned(), ..Link::default() });
    let picture = |url: &String| Image { url: url.clone(), title: channel.title.clone(), link: channel.page.clone(), ..Image::default() };
    let empty = rss::Channel {
        title: channel.title.clone(),
        link: channel.page.clone(),
        description: channel.description.clone(),
        language: channel.language.as_ref().map(ToString::to_string),
        last_build_date: Some(date(channel.updated)),
        generator: Some(format!("Feedmill {}", env!("CARGO_PKG_VERSION"))),
        ttl: Some(TTL.to_owned()),
        image: channel.picture.as_ref().map(picture),
        atom_ext: Some(AtomExtension { links: std::iter::once(own).chain(hub).chain(archive).collect() }),
        namespaces,
        extensions,
        ..rss::Channel::default()
    };
    let xml = text::clean(&write(&empty)?);
    Ok(plain_text(plain_text(xml, "<title"), "<description"))
}

/// One item, cut from a document of its own.
pub(super) fn item(entry: &Entry, site: &Site, wanted: Content) -> Result<String, OutputError> {
    let (summary, content) = parts::texts(entry, site, wanted);
    let link = parts::link(entry, site);
    let mut files = media::files(entry, site);
    let labels = entry.terms.iter().map(|(term, _)| term).filter(|term| parts::is_label(term.kind));
    let author = only_address(parts::authors(entry));
    let item = Item {
        title: parts::title(entry).map(str::to_owned),
        description: Some(summary.unwrap_or_else(|| parts::excerpt(entry))),
        dublin_core_ext: dublin_core(entry, author.is_some()),
        author,
        categories: labels.map(|term| Category { name: term.name.clone(), domain: Some(parts::scheme(term.kind, site)) }).collect(),
        comments: entry.article.comments.as_deref().and_then(parts::absolute).map(Into::into),
        enclosure: files.next().map(|file| Enclosure {
            url: file.url,
            length: file.enclosure.length.unwrap_or_default().to_string(),
            mime_type: file.media_type.to_owned(),
        }),
        guid: Some(Guid { value: entry.id.clone(), permalink: entry.id == link && link.starts_with("http") }),
        pub_date: Some(date(entry.published)),
        source: Some(Source { url: parts::source_feed(entry, site), title: Some(entry.source.title.clone()) }),
        content,
        extensions: extensions(entry, site, files),
        atom_ext: links(entry, site),
        link: Some(link),
        ..Item::default()
    };
    let document = write(&rss::Channel { items: vec![item], ..rss::Channel::default() })?;
    // What stands in CDATA was cleaned before: a character that goes afterwards could join the end of a section.
    let item = text::clean(&cut(document, "<item>", "</item>"));
    // Only here do the two tags meet: text is escaped, and no HTML that was sanitised has such tags.
    Ok(plain_text(plain_text(item, "<item><title"), "</pubDate><source"))
}

fn write(channel: &rss::Channel) -> Result<String, OutputError> {
    let bytes = channel.write_to(Vec::new()).map_err(|error| OutputError::new(Format::Rss, error))?;
    String::from_utf8(bytes).map_err(|error| OutputError::new(Format::Rss, error))
}

/// RFC 822 with a four-digit year, as RSS 2.0 wants it.
fn date(time: Time) -> String {
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Marks the text of the first element that opens so as plain: hexadecimal references tell readers that take it for HTML
/// that this is no markup (RSS Best Practices Profile, on character data).
fn plain_text(xml: String, open: &str) -> String {
    let Some(start) = xml.find(open).and_then(|at| Some(at + open.len() + xml[at + open.len()..].find('>')?)) else { return xml };
    let end = start + xml[start..].find("</").unwrap_or_default();
    let text = &xml[start..end];
    if !text.contains("&amp;") && !text.contains("&lt;") {
        return xml;
    }
    let text = text.replace("&amp;", "&#x26;").replace("&lt;", "&#x3C;");
    format!("{}{text}{}", &xml[..start], &xml[end..])
}

/// `<author>` must have an address, and an item has one of it.
fn only_address(authors: &[Person]) -> Option<String> {
    let [author] = authors else { return None };
    let email = parts::email(author)?;
    let name = author.name.replace(['(', ')'], "");
    Some(if name.trim().is_empty() { email.to_owned() } else { format!("{email} ({})", name.trim()) })
}

fn dublin_core(entry: &Entry, has_author: bool) -> Option<DublinCoreExtension> {
    let names = |persons: &[Person]| persons.iter().filter_map(parts::person_name).map(str::to_owned).collect();
    let extension = DublinCoreExtension {
        creators: if has_author { Vec::new() } else { names(parts::authors(entry)) },
        contributors: names(&entry.article.contributors),
        languages: entry.language().map(ToString::to_string).into_iter().collect(),
        rights: entry.article.rights.iter().cloned().collect(),
        ..DublinCoreExtension::default()
    };
    (extension != DublinCoreExtension::default()).then_some(extension)
}

/// The article in other languages, and where other sources tell the same story.
fn links(entry: &Entry, site: &Site) -> Option<AtomExtension> {
    let alternates = parts::alternates(entry, site).into_iter().map(|(hreflang, href)| Link {
        href,
        rel: "alternate".to_owned(),
        hreflang,
        mime_type: Some("text/html".to_owned()),
        ..Link::default()
    });
    let related = entry.related.iter().map(|related| Link {
        href: site.article(&related.key),
        rel: "related".to_owned(),
        title: Some(related.source.clone()),
        ..Link::default()
    });
    Some(AtomExtension { links: alternates.chain(related).collect() }).filter(|extension| !extension.links.is_empty())
}

fn extensions<'a>(entry: &Entry, site: &Site, files: impl Iterator<Item = File<'a>>) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    let mut add = |extension: Extension| {
        if let Some((prefix, name)) = extension.name.clone().split_once(':') {
            map.entry(prefix.to_owned()).or_default().entry(name.to_owned()).or_default().push(extension);
        }
    };
    for file in files {
        let mut attrs = vec![("url", file.url), ("type", file.media_type.to_owned())];
        attrs.extend(file.enclosure.length.map(|length| ("fileSize", length.to_string())));
        attrs.extend(file.enclosure.duration.map(|duration| ("duration", duration.to_string())));
        add(element("media:content", attrs));
    }
    media::thumbnail(entry, site).into_iter().chain(passing::elements(entry)).map(passed).for_each(add);
    map
}

fn element(name: &str, attrs: Vec<(&str, String)>) -> Extension {
    Extension {
        name: name.to_owned(),
        attrs: attrs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..Extension::default()
    }
}

fn passed(extension: Passing) -> Extension {
    let mut children: BTreeMap<String, Vec<Extension>> = BTreeMap::new();
    for child in extension.children {
        children.entry(child.name.clone()).or_default().push(passed(child));
    }
    Extension { name: extension.name, value: extension.value, attrs: extension.attributes.into_iter().collect(), children }
}
