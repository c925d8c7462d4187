//! JSON Feed 1.1.
//!
//! Items carry the extension `_feedmill`:
//!
//! | member | meaning |
//! | --- | --- |
//! | `source` | where the article came from: `title`, `url` of its feed, `page` of the source here |
//! | `page` | the article's page here |
//! | `categories`, `tags` | the article's terms: `name`, `slug`, `url` of the term's page each |
//! | `related` | the same story of other sources: `source` its title, `url` of the article's page here; left out if there is none |
//! | `translations` | the article's pages in other languages: `language`, `url` each; left out if there are none |

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};

use super::channel::Channel;
use super::media::{self, File};
use super::{Frame, OutputError, entry as parts, join};
use crate::model::{ArticleForm, Content, Entry, Format, Kind, Language, Person, Selection, Site, Target, TermName, text};

/// What a JSON Feed says of its format.
pub const VERSION: &str = "https://jsonfeed.org/version/1.1";

/// The top of a feed. It names no author: items without one would be taken to be by that one (JSON Feed 1.1, `authors`).
#[derive(Serialize)]
struct Head<'a> {
    version: &'static str,
    title: &'a str,
    home_page_url: &'a str,
    feed_url: &'a str,
    /// The next page of its archive, which every item stands on.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<&'a str>,
    favicon: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hubs: Vec<Hub<'a>>,
    /// The last, so that items can be put in: they are joined as text.
    items: [(); 0],
}

#[derive(Serialize)]
struct Hub<'a> {
    r#type: &'static str,
    url: &'a str,
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    date_published: String,
    date_modified: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Author<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment<'a>>,
    _feedmill: Extension<'a>,
}

#[derive(Serialize)]
struct Author<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Attachment<'a> {
    url: String,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_in_seconds: Option<u64>,
}

#[derive(Serialize)]
struct Extension<'a> {
    source: Source<'a>,
    page: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    categories: Vec<Label<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Label<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    translations: Vec<Translation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<Related<'a>>,
}

#[derive(Serialize)]
struct Source<'a> {
    title: &'a str,
    url: String,
    page: String,
}

#[derive(Serialize)]
struct Label<'a> {
    name: &'a str,
    slug: &'a str,
    url: String,
}

#[derive(Serialize)]
struct Related<'a> {
    source: &'a str,
    url: String,
}

#[derive(Serialize)]
struct Translation {
    language: String,
    url: String,
}

/// The document of a channel without its items.
pub(super) fn document(channel: &Channel) -> Result<String, OutputError> {
    write(&Head {
        version: VERSION,
        title: &channel.title,
        home_page_url: &channel.page,
        feed_url: channel.url(Format::Json),
        next_url: channel.archive[Format::Json as usize].iter().find(|(rel, _)| *rel == "prev-archive").map(|(_, url)| url.as_str()),
        description: Some(&channel.description),
        icon: channel.picture.as_deref(),
        favicon: &channel.icon,
        language: channel.language.as_ref().map(Language::as_str),
        hubs: channel.hub.iter().map(|url| Hub { r#type: "WebSub", url }).collect(),
        items: [],
    })
}

/// One article as a feed of one item.
///
/// # Errors
/// The writer failed.
pub fn article(entry: &Entry, site: &Site) -> Result<String, OutputError> {
    let head = write(&Head {
        version: VERSION,
        title: &parts::title_or_start(entry),
        home_page_url: &site.article(&entry.key),
        feed_url: &site.link(&Target::Article(entry.key.clone(), ArticleForm::Json)),
        next_url: None,
        description: None,
        icon: None,
        favicon: &site.url("/favicon.ico"),
        language: entry.language().map(Language::as_str),
        hubs: Vec::new(),
        items: [],
    })?;
    Ok(join(&Frame::of(head, Format::Json), &[item(entry, site, Content::Full)?]))
}

/// One item.
pub(super) fn item(entry: &Entry, site: &Site, wanted: Content) -> Result<String, OutputError> {
    let (summary, content) = parts::texts(entry, site, wanted);
    let summary = summary.map(|html| text::plain(&html)).filter(|summary| !summary.is_empty());
    let excerpt = if content.is_none() && summary.is_none() { text::unescape(&parts::excerpt(entry)) } else { String::new() };
    write(&Item {
        id: &entry.id,
        url: parts::link(entry, site),
        title: parts::title(entry),
        content_html: content.as_deref(),
        content_text: if content.is_some() { None } else { Some(summary.as_deref().unwrap_or(&excerpt)) },
        summary: summary.as_deref(),
        image: media::picture(entry, site).map(|picture| picture.url),
        date_published: parts::date(entry.published),
        date_modified: parts::date(entry.updated),
        authors: parts::authors(entry).iter().filter_map(author).collect(),
        tags: labels(entry),
        language: entry.language().map(Language::as_str),
        attachments: media::files(entry, site).map(attachment).collect(),
        _feedmill: extension(entry, site),
    })
}

fn author(person: &Person) -> Option<Author<'_>> {
    let address = || parts::email(person).map(|email| Cow::Owned(format!("mailto:{email}")));
    let url = person.uri.as_deref().and_then(parts::absolute).or_else(address);
    Some(Author { name: parts::person_name(person)?, url })
}

/// The names of categories and tags, each once.
fn labels(entry: &Entry) -> Vec<&str> {
    let mut labels: Vec<&str> = Vec::new();
    for (term, _) in entry.terms.iter().filter(|(term, _)| parts::is_label(term.kind)) {
        if !labels.contains(&term.name.as_str()) {
            labels.push(&term.name);
        }
    }
    labels
}

fn attachment(file: File<'_>) -> Attachment<'_> {
    Attachment {
        url: file.url,
        mime_type: file.media_type,
        title: file.enclosure.title.as_deref(),
        size_in_bytes: file.enclosure.length,
        duration_in_seconds: file.enclosure.duration,
    }
}

fn extension<'a>(entry: &'a Entry, site: &Site) -> Extension<'a> {
    let page = |term: &TermName| site.link(&Target::page(&Selection::of(term.kind, term.slug.clone())));
    let labels = |kind| entry.terms_of(kind).map(|term| Label { name: &term.name, slug: term.slug.as_str(), url: page(term) }).collect();
    Extension {
        source: Source {
            title: &entry.source.title,
            url: parts::source_feed(entry, site),
            page: parts::source_page(&entry.source.slug, site),
        },
        page: site.article(&entry.key),
        categories: labels(Kind::Category),
        tags: labels(Kind::Tag),
        translations: parts::translations(entry, site).map(|(language, url)| Translation { language, url }).collect(),
        related: entry.related.iter().map(|related| Related { source: &related.source, url: site.article(&related.key) }).collect(),
    }
}

fn write(value: &impl Serialize) -> Result<String, OutputError> {
    let mut bytes = Vec::new();
    value
        .serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Clean))
        .map_err(|error| OutputError::new(Format::Json, error))?;
    String::from_utf8(bytes).map_err(|error| OutputError::new(Format::Json, error))
}

/// Writes strings without the characters that XML forbids, so that an article is the same in every format.
struct Clean;

impl Formatter for Clean {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        writer.write_all(text::cleaned(fragment).as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::Backspace | CharEscape::FormFeed | CharEscape::AsciiControl(_) => Ok(()),
            other => CompactFormatter.write_char_escape(writer, other),
        }
    }
}
