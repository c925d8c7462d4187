//! The log of events as a feed and as a page: what failed, moved, died and recovered. It names hosts, never addresses.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::channel::Channel;
use super::{OutputError, entry as parts, feed};
use crate::model::{
    Article, ArticleKey, Entry, Event, EventKind, Format, Health, Language, Options, Origin, Page, Site, Target, Time, identity, text,
};

/// The feed of the log in a format.
///
/// # Errors
/// The writer failed.
pub fn document(health: &Health, site: &Site, store: Uuid, format: Format) -> Result<String, OutputError> {
    let (channel, page) = (channel(health, site, store), page(health, site, store));
    let document = feed(&channel, &page, &Options::default(), site, format)?;
    if format == Format::Json { without_pages(&document) } else { Ok(document) }
}

/// An event has no page among the articles, so that no member may name one.
fn without_pages(document: &str) -> Result<String, OutputError> {
    let mut document: Value = serde_json::from_str(document).map_err(|error| OutputError::new(Format::Json, error))?;
    for item in document["items"].as_array_mut().into_iter().flatten() {
        item.as_object_mut().and_then(|item| item.remove("_feedmill"));
    }
    Ok(format!("{document:#}\n"))
}

/// What the log says of itself.
pub(super) fn channel(health: &Health, site: &Site, store: Uuid) -> Channel {
    let link = |format| site.link(&Target::Health(format));
    Channel {
        store,
        id: identity::health_id(&store, None),
        title: text::line(&format!("Health · {}", site.title)),
        description: "Which sources fail, have moved, are gone or answer again".to_owned(),
        page: link(None),
        own: Format::ALL.map(|format| link(Some(format))),
        archive: Default::default(),
        extent: None,
        hub: None,
        tombstones: Vec::new(),
        language: Language::parse("en"),
        updated: updated(health),
        picture: None,
        icon: site.url("/favicon.ico"),
        author: text::line(&site.title),
    }
}

/// When the log last changed.
#[must_use]
pub fn updated(health: &Health) -> Time {
    health.events.first().map_or(health.created, |event| event.at)
}

fn page(health: &Health, site: &Site, store: Uuid) -> Page {
    Page {
        entries: health.events.iter().map(|event| entry(event, site, &store)).collect(),
        modified: updated(health),
        created: health.created,
        ..Page::default()
    }
}

/// What happened, in a few words.
pub(super) fn title(event: &Event) -> String {
    let title = &event.title;
    match event.kind {
        EventKind::Failed => format!("{title} fails"),
        EventKind::Moved => format!("{title} has moved"),
        EventKind::Gone => format!("{title} is gone"),
        EventKind::Recovered => format!("{title} answers again"),
    }
}

/// An event as an article of its source. Its link is the source's page, with a fragment of its own: readers take one
/// link for one article.
fn entry(event: &Event, site: &Site, store: &Uuid) -> Entry {
    let id = identity::health_id(store, Some(event.id));
    let link = format!("{}#event-{}", site.link(&Target::Health(None)), event.id);
    let page = parts::source_page(&event.slug, site);
    let content = format!(
        "<p><a href=\"{}\">{}</a>: {}.</p>",
        text::escape(&page),
        text::escape(&event.title),
        text::escape(&text::line(&event.words))
    );
    let article = Article {
        guid: id.clone(),
        title: Some(title(event)),
        content: Some(content),
        languages: Language::parse("en").into_iter().collect(),
        ..Article::default()
    };
    let origin = Origin {
        slug: event.slug.clone(),
        title: event.title.clone(),
        feed: None,
        home: None,
        id: None,
        authors: Vec::new(),
        rights: None,
        icon: None,
    };
    Entry {
        key: ArticleKey::new(&event.slug, &id),
        id,
        link: Some(link),
        article,
        source: Arc::new(origin),
        terms: Vec::new(),
        translations: Vec::new(),
        related: Vec::new(),
        listed: event.at,
        published: event.at,
        updated: event.at,
        changed: event.at,
        generation: 0,
    }
}
