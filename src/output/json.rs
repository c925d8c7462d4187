//! JSON Feed 1.1.
//!
//! The extension `_feedmill` of an item: `source` (`title`, `url` of its feed, `page` here), `page` (the article's page
//! here), `categories` and `tags` (`name`, `slug`, `url` each), `translations` (`language`, `url` each).

use serde_json::{Map, Value, json};

use super::channel::Channel;
use super::{OutputError, entry as parts};
use crate::model::{Content, Entry, Format, Kind, Person, Selection, Site, Target, TermName, Time, text};

const VERSION: &str = "https://jsonfeed.org/version/1.1";

/// A document of the channel.
pub(super) fn document(channel: &Channel, entries: &[Entry], site: &Site, wanted: Content) -> Result<String, OutputError> {
    let mut feed = Map::new();
    let mut put = |name: &str, value: Value| put(&mut feed, name, value);
    put("version", json!(VERSION));
    put("title", json!(channel.title));
    put("home_page_url", json!(channel.page));
    put("feed_url", json!(channel.url(Format::Json)));
    put("description", json!(channel.description));
    put("icon", json!(channel.picture));
    put("favicon", json!(channel.icon));
    put("authors", json!([{ "name": channel.author, "url": site.url("/") }]));
    put("language", json!(channel.language));
    put("items", entries.iter().map(|entry| item(entry, site, wanted)).collect());
    let mut text = serde_json::to_string(&feed).map_err(|error| OutputError::new(Format::Json, error))?;
    text.push('\n');
    Ok(text)
}

/// One article as a feed of one item.
///
/// # Errors
/// The writer failed.
pub fn article(entry: &Entry, site: &Site) -> Result<String, OutputError> {
    let url = site.link(&Target::Article(entry.key.clone(), crate::model::ArticleForm::Json));
    let feed = json!({
        "version": VERSION,
        "title": parts::title_or_start(entry),
        "home_page_url": site.article(&entry.key),
        "feed_url": url,
        "items": [item(entry, site, Content::Full)],
    });
    serde_json::to_string(&feed).map_err(|error| OutputError::new(Format::Json, error))
}

/// One item.
fn item(entry: &Entry, site: &Site, wanted: Content) -> Value {
    let (summary, content) = parts::texts(entry, site, wanted);
    let clean = |html: String| text::clean(&html);
    let mut item = Map::new();
    let mut put = |name: &str, value: Value| put(&mut item, name, value);
    put("id", json!(entry.id));
    put("url", json!(parts::link(entry, site)));
    put("title", json!(parts::title(entry)));
    match content {
        Some(html) => put("content_html", json!(clean(html))),
        None => put("content_text", json!(text::plain(summary.as_deref().unwrap_or(&parts::excerpt(entry))))),
    }
    put("summary", json!(summary.map(|html| text::plain(&html)).filter(|summary| !summary.is_empty())));
    put("image", json!(entry.article.thumbnail.as_ref().map(|picture| site.fill(&picture.url, &entry.key))));
    put("date_published", json!(date(entry.published)));
    put("date_modified", json!(date(entry.updated)));
    put("authors", entry.article.authors.iter().map(author).collect());
    put("tags", json!(labels(entry)));
    put("language", json!(entry.language()));
    put("attachments", entry.article.enclosures.iter().map(attachment).collect());
    put("_feedmill", extension(entry, site));
    Value::Object(item)
}

/// Leaves out what is not there: JSON Feed has no nulls.
fn put(object: &mut Map<String, Value>, name: &str, value: Value) {
    let is_empty = value.is_null() || (name != "items" && value.as_array().is_some_and(Vec::is_empty));
    if !is_empty {
        object.insert(name.to_owned(), value);
    }
}

fn date(time: Time) -> String {
    time.format("%FT%TZ").to_string()
}

fn author(person: &Person) -> Value {
    let mut author = Map::new();
    put(&mut author, "name", json!(Some(&person.name).filter(|name| !name.is_empty())));
    put(&mut author, "url", json!(person.uri.clone().or_else(|| person.email.as_ref().map(|email| format!("mailto:{email}")))));
    Value::Object(author)
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

fn attachment(enclosure: &crate::model::Enclosure) -> Value {
    let mut attachment = Map::new();
    put(&mut attachment, "url", json!(enclosure.url));
    put(&mut attachment, "mime_type", json!(parts::media_type(enclosure)));
    put(&mut attachment, "title", json!(enclosure.title));
    put(&mut attachment, "size_in_bytes", json!(enclosure.length));
    put(&mut attachment, "duration_in_seconds", json!(enclosure.duration));
    Value::Object(attachment)
}

fn extension(entry: &Entry, site: &Site) -> Value {
    let term = |term: &TermName| json!({ "name": term.name, "slug": term.slug, "url": site.link(&Target::page(&Selection::of(term.kind, term.slug.clone()))) });
    let translations: Vec<Value> =
        parts::translations(entry, site).map(|(language, url)| json!({ "language": language, "url": url })).collect();
    let mut extension = Map::new();
    let source = json!({ "title": entry.source.title, "url": parts::source_feed(entry, site), "page": site.link(&Target::page(&parts::source(&entry.source.slug))) });
    put(&mut extension, "source", source);
    put(&mut extension, "page", json!(site.article(&entry.key)));
    put(&mut extension, "categories", entry.terms_of(Kind::Category).map(term).collect());
    put(&mut extension, "tags", entry.terms_of(Kind::Tag).map(term).collect());
    put(&mut extension, "translations", json!(translations));
    Value::Object(extension)
}
