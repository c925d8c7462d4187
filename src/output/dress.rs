//! What a reader asked to have otherwise in each item: another id, its source in words.

use std::borrow::Cow;

use super::entry as parts;
use crate::model::{Entry, Ids, Options, Site, Tombstone, Via, identity, text};

/// An entry as it stands in a feed with these options; untouched unless they ask for it.
pub(super) fn dressed<'a>(entry: &'a Entry, feed: &str, options: &Options, site: &Site) -> Cow<'a, Entry> {
    let mut dressed = Cow::Borrowed(entry);
    if options.ids == Ids::Feed {
        dressed.to_mut().id = identity::item_id(feed, &entry.id);
    }
    match options.via {
        None => {}
        Some(Via::Title) => {
            let title = parts::title(entry).map_or_else(|| entry.source.title.clone(), |title| format!("{}: {title}", entry.source.title));
            dressed.to_mut().article.title = Some(title);
        }
        Some(Via::Body) => {
            let article = &mut dressed.to_mut().article;
            let (page, title) = (parts::source_page(&entry.source.slug, site), text::escape(&entry.source.title));
            let line = format!("<p>via <a href=\"{}\">{title}</a></p>", text::escape(&page));
            let body = if article.content.is_some() { &mut article.content } else { &mut article.summary };
            *body = Some(line + body.as_deref().unwrap_or_default());
        }
    }
    dressed
}

/// A tombstone by the id that its entry had in a feed with these options.
pub(super) fn tombstone(tombstone: &Tombstone, feed: &str, options: &Options) -> Tombstone {
    let mut tombstone = tombstone.clone();
    if options.ids == Ids::Feed {
        tombstone.id = identity::item_id(feed, &tombstone.id);
    }
    tombstone
}
