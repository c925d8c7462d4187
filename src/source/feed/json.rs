//! JSON Feed 1.0 and 1.1, read leniently: a field of a wrong type is as if it were not there.

mod mend;

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use url::Url;

use super::dates::{self, Habits};
use super::element::{absolute, is_affordable, web};
use super::item::{filled, html_of, made_guid};
use super::repairs::{Repair, Repairs};
use super::{Document, FeedContext, FeedError, Item, Relations, words};
use crate::model::{Article, Enclosure, Language, Link, Omission, Person, Picture, SourceInfo, Time, text};
use crate::source::link::is_short;
use mend::mend;

/// Files, people or tags of one article beyond these are passed over.
const MAX_OF_A_KIND: usize = 200;

/// What an object says, as it stands there: a document that is read at once takes several times its text's memory.
type Parts<'a> = BTreeMap<String, &'a RawValue>;

/// Reads a JSON Feed. One that is broken is mended, one that is cut read as far as it goes.
pub(super) fn read(text: &str, context: &FeedContext<'_>, repairs: &mut Repairs) -> Result<Document, FeedError> {
    let error = match serde_json::from_str(text) {
        Ok(parts) => return document(parts, context, repairs),
        Err(error) => error,
    };
    let mended = mend(text);
    if let Some(parts) = mended.whole().and_then(|json| serde_json::from_str(json).ok()) {
        repairs.note(Repair::Json);
        return document(parts, context, repairs);
    }
    repairs.note(Repair::Truncated);
    match mended.cut().as_deref().and_then(|json| serde_json::from_str(json).ok()) {
        Some(parts) => document(parts, context, repairs),
        None if error.is_data() => Err(no_items()),
        None => Err(FeedError::Json(error)),
    }
}

fn no_items() -> FeedError {
    FeedError::NotAFeed("JSON without `items`".to_owned())
}

fn document(mut parts: Parts<'_>, context: &FeedContext<'_>, repairs: &mut Repairs) -> Result<Document, FeedError> {
    let items: Option<Vec<&RawValue>> = parts.remove("items").and_then(|items| serde_json::from_str(items.get()).ok());
    let items = items.ok_or_else(no_items)?;
    let feed: Value = parts.into_iter().map(|(name, part)| (name, value(part, repairs))).collect::<Map<_, _>>().into();
    let mut document = Document { info: info(&feed, context.url), relations: relations(&feed, context.url), ..Document::default() };
    let home = document.info.home.as_deref().and_then(|home| Url::parse(home).ok()).filter(is_short);
    let reader = ItemReader {
        base: context.url.or(home.as_ref()),
        is_file: context.url.is_none(),
        habits: Habits::new(context.zone, document.info.language.as_ref()),
    };
    if items.len() > context.limits.articles {
        repairs.note(Repair::Limit);
    }
    for item in items.into_iter().take(context.limits.articles) {
        let item = reader.item(&value(item, repairs), repairs);
        if item.omission.is_some() {
            repairs.note(Repair::Item);
        }
        document.items.push(item);
    }
    Ok(document)
}

/// A part of a document. What is well-formed may still be no value: half of a character, a number that is too large.
fn value(part: &RawValue, repairs: &mut Repairs) -> Value {
    serde_json::from_str(part.get()).unwrap_or_else(|_| {
        repairs.note(Repair::Json);
        mend(part.get()).whole().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    })
}

fn relations(feed: &Value, base: Option<&Url>) -> Relations {
    let web = |url: &str| web(base, url);
    let hubs = feed.get("hubs").and_then(Value::as_array).into_iter().flatten();
    let mut websub = hubs.filter(|hub| string(hub, "type").is_some_and(|name| name.eq_ignore_ascii_case("websub")));
    Relations { hub: websub.find_map(|hub| web(string(hub, "url")?)), own: string(feed, "feed_url").and_then(web) }
}

fn info(feed: &Value, base: Option<&Url>) -> SourceInfo {
    SourceInfo {
        title: line(feed, "title"),
        home: string(feed, "home_page_url").and_then(|url| absolute(base, url)),
        description: line(feed, "description"),
        id: None,
        authors: people(feed, base),
        language: string(feed, "language").and_then(Language::parse),
        icon: string(feed, "icon").or_else(|| string(feed, "favicon")).and_then(|url| absolute(base, url)),
        rights: None,
    }
}

struct ItemReader<'a> {
    base: Option<&'a Url>,
    /// It may be an export of ours; in what is asked for on the web all labels are tags.
    is_file: bool,
    habits: Habits,
}

impl ItemReader<'_> {
    fn item(&self, item: &Value, repairs: &mut Repairs) -> Item {
        let links: usize = ["attachments", "authors", "author"].iter().map(|name| listed(item, name).len()).sum();
        let base = self.base.filter(|base| is_affordable(base, links));
        let url = |name| string(item, name).and_then(|url| absolute(base, url));
        let id = match item.get("id") {
            Some(Value::String(id)) => filled(text::line(id)),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let link = url("url").or_else(|| url("external_url")).or_else(|| web(None, id.as_deref()?));
        let title = line(item, "title");
        let content = string(item, "content_html").and_then(|html| html_of(html, base));
        let content = content.or_else(|| string(item, "content_text").and_then(|text| html_of(&words::paragraphs(text), base)));
        let summary = string(item, "summary").and_then(|text| html_of(&words::paragraphs(text), base));
        let enclosures = enclosures(item, base);
        let says_something = title.is_some() || link.is_some() || content.is_some() || summary.is_some() || !enclosures.is_empty();
        let habits = self.habits.of(string(item, "language").and_then(Language::parse).as_ref());
        let updated = date(item, "date_modified", habits, repairs);
        let published = date(item, "date_published", habits, repairs);
        let article = Article {
            guid: id.or_else(|| link.clone()).unwrap_or_else(|| {
                if !says_something {
                    return String::new();
                }
                let body = content.as_deref().or(summary.as_deref()).filter(|_| title.is_none());
                made_guid(&[title.as_deref(), body], published)
            }),
            link: link.map_or(Link::Own, Link::At),
            title,
            summary: summary.filter(|summary| content.as_ref() != Some(summary)),
            content,
            authors: people(item, base),
            published: published.or(updated),
            updated,
            languages: string(item, "language").and_then(Language::parse).into_iter().collect(),
            tags: tags(item),
            thumbnail: url("image").or_else(|| url("banner_image")).map(|url| Picture { url, ..Picture::default() }),
            enclosures,
            ..Article::default()
        };
        let article = match item.get("_feedmill").filter(|ours| self.is_file && ours.is_object()) {
            Some(ours) => Article { categories: terms(ours, "categories"), tags: terms(ours, "tags"), ..article },
            None => article,
        };
        Item { article, omission: (!says_something).then_some(Omission::Empty) }
    }
}

fn enclosures(item: &Value, base: Option<&Url>) -> Vec<Enclosure> {
    let files = listed(item, "attachments").iter();
    let enclosure = |file: &Value| {
        Some(Enclosure {
            url: absolute(base, string(file, "url")?)?,
            media_type: line(file, "mime_type"),
            length: file.get("size_in_bytes").and_then(whole_number),
            duration: file.get("duration_in_seconds").and_then(whole_number),
            title: line(file, "title"),
        })
    };
    files.filter_map(enclosure).take(MAX_OF_A_KIND).collect()
}

fn whole_number(value: &Value) -> Option<u64> {
    let digits = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    digits.split('.').next().and_then(|whole| whole.parse().ok()).filter(|number| *number > 0)
}

/// A list, or what stands alone where one is expected.
fn listed<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    match of.get(name) {
        None | Some(Value::Null) => &[],
        Some(Value::Array(many)) => many,
        Some(one) => std::slice::from_ref(one),
    }
}

/// Names in a list are taken as they are; in a text there are commas between them.
fn tags(item: &Value) -> Vec<String> {
    let in_list = item.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let in_text = string(item, "tags").into_iter().flat_map(|text| text.split(','));
    each_once(in_list.chain(in_text))
}

/// The terms of a kind that an export of ours names. Without a category an article is in none of its own.
fn terms(ours: &Value, kind: &str) -> Vec<String> {
    let own = listed(ours, kind).iter().filter(|term| kind == "tags" || string(term, "slug") != Some("uncategorized"));
    each_once(own.filter_map(|term| string(term, "name")))
}

fn each_once<'a>(stated: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in stated.take(MAX_OF_A_KIND).map(text::line) {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// `authors` of 1.1, else `author` of 1.0, each one or many, and each person once; a bare name is taken for one.
fn people(of: &Value, base: Option<&Url>) -> Vec<Person> {
    let (many, one) = (listed(of, "authors"), listed(of, "author"));
    let person = |value: &Value| {
        let name = value.as_str().map(text::line).or_else(|| line(value, "name")).and_then(filled);
        let uri = string(value, "url").and_then(|url| absolute(base, url));
        let email = uri.as_deref().and_then(|uri| uri.strip_prefix("mailto:")).map(str::to_owned);
        Some(Person { name: name.or_else(|| uri.clone())?, email, uri })
    };
    let mut people: Vec<Person> = Vec::new();
    for person in if many.is_empty() { one } else { many }.iter().filter_map(person).take(MAX_OF_A_KIND) {
        if !people.contains(&person) {
            people.push(person);
        }
    }
    people
}

fn string<'a>(of: &'a Value, name: &str) -> Option<&'a str> {
    of.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

fn line(of: &Value, name: &str) -> Option<String> {
    // Plain text by the specification; exporters leave references of HTML in it all the same.
    string(of, name).map(|stated| text::line(&text::unescape(stated))).and_then(filled)
}

fn date(item: &Value, name: &str, habits: Habits, repairs: &mut Repairs) -> Option<Time> {
    // Some write seconds since 1970.
    let number = item.get(name).filter(|value| value.is_number()).map(ToString::to_string);
    let time = dates::parse(number.as_deref().or_else(|| string(item, name))?, habits);
    if time.is_none() {
        repairs.note(Repair::Date);
    }
    time
}
