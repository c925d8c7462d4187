//! What the formats share of an entry: which text stands where.

use std::borrow::Cow;

use crate::model::{ArticleForm, Content, Enclosure, Entry, Format, Kind, Selection, Site, Slug, Target, Term, text};

/// How long an excerpt is where a summary is needed and there is none, in graphemes.
const EXCERPT: usize = 300;
/// How long it is where a title is needed.
const TITLE: usize = 80;

/// The original, or the article's own page.
pub(super) fn link(entry: &Entry, site: &Site) -> String {
    entry.link.clone().unwrap_or_else(|| site.article(&entry.key))
}

/// The article's title, if it has one: plain text.
pub(super) fn title(entry: &Entry) -> Option<&str> {
    entry.article.title.as_deref().filter(|title| !title.is_empty())
}

/// The title, or the start of the text.
pub(super) fn title_or_start(entry: &Entry) -> String {
    title(entry).map_or_else(|| text::excerpt(&plain(entry), TITLE), str::to_owned)
}

/// The content, as sanitised HTML.
pub(super) fn content(entry: &Entry, site: &Site) -> Option<String> {
    entry.article.content.as_ref().map(|html| site.fill(html, &entry.key)).filter(|html| !html.is_empty())
}

/// The summary, as sanitised HTML.
pub(super) fn summary(entry: &Entry, site: &Site) -> Option<String> {
    entry.article.summary.as_ref().map(|html| site.fill(html, &entry.key)).filter(|html| !html.is_empty())
}

/// The start of the content, as HTML; the title where there is no text at all.
pub(super) fn excerpt(entry: &Entry) -> String {
    let start = text::excerpt(&plain(entry), EXCERPT);
    text::escape(if start.is_empty() { title(entry).unwrap_or_default() } else { &start })
}

fn plain(entry: &Entry) -> String {
    let html = entry.article.content.as_ref().or(entry.article.summary.as_ref());
    html.map(|html| text::plain(html)).unwrap_or_default()
}

/// The text of an entry in a feed, by what was asked for: a summary, and the content unless only summaries are wanted.
/// In a feed a link to a part of the article leads to its page.
pub(super) fn texts(entry: &Entry, site: &Site, wanted: Content) -> (Option<String>, Option<String>) {
    let absolute = |html: String| html.replace("href=\"#", &format!("href=\"{}#", site.article(&entry.key)));
    let summary = summary(entry, site).map(absolute);
    match wanted {
        Content::Full => (summary, content(entry, site).map(absolute)),
        Content::Summary => (Some(summary.unwrap_or_else(|| excerpt(entry))), None),
    }
}

/// A piece of HTML as plain text, if it is nothing more than that.
pub(super) fn as_plain(html: &str) -> Option<String> {
    (!html.contains('<')).then(|| text::unescape(html))
}

/// The URL that a category's or a tag's `domain` or `scheme` names.
pub(super) fn scheme(kind: Kind, site: &Site) -> String {
    site.url(&format!("/{kind}"))
}

/// Whether terms of a kind stand in feeds as categories.
pub(super) fn is_label(kind: Kind) -> bool {
    matches!(kind, Kind::Category | Kind::Tag)
}

/// The feed of an entry's source: the upstream one without user info, else our own.
pub(super) fn source_feed(entry: &Entry, site: &Site) -> String {
    let own = || site.link(&Target::feed(&source(&entry.source.slug), Format::Rss));
    entry.source.feed.as_deref().map_or_else(own, |url| without_user(url).into_owned())
}

/// The selection of a source.
pub(super) fn source(slug: &Slug) -> Selection {
    Selection::of(Kind::Source, slug.clone())
}

/// A URL without user info, which is a secret.
pub(super) fn without_user(url: &str) -> Cow<'_, str> {
    match url::Url::parse(url) {
        Ok(mut parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
            let is_free = parsed.set_username("").is_ok() && parsed.set_password(None).is_ok();
            if is_free { Cow::Owned(parsed.into()) } else { Cow::Borrowed("") }
        }
        _ => Cow::Borrowed(url),
    }
}

/// The media type of an enclosure: as stated, else by its extension.
pub(super) fn media_type(enclosure: &Enclosure) -> &str {
    if let Some(stated) = enclosure.media_type.as_deref().filter(|stated| stated.contains('/')) {
        return stated;
    }
    let path = enclosure.url.split(['?', '#']).next().unwrap_or_default();
    match path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "mp3" => "audio/mpeg",
        "m4a" | "m4b" | "aac" => "audio/mp4",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "flac" => "audio/flac",
        "wav" => "audio/wav",
        "mp4" | "m4v" => "video/mp4",
        "webm" => "video/webm",
        "mov" => "video/quicktime",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "pdf" => "application/pdf",
        "epub" => "application/epub+zip",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

/// The pages of an entry's translations, itself left out: language and URL.
pub(super) fn translations(entry: &Entry, site: &Site) -> impl Iterator<Item = (String, String)> {
    let others = entry.translations.iter().filter(|translation| translation.key != entry.key);
    others
        .map(|other| (other.language.to_string(), site.link(&Target::Article(other.key.clone(), ArticleForm::Page))))
        .collect::<Vec<_>>()
        .into_iter()
}

/// An entry in all its languages, itself last; nothing where there are no translations.
pub(super) fn alternates(entry: &Entry, site: &Site) -> impl Iterator<Item = (String, String)> {
    let own = entry.language().filter(|_| !entry.translations.is_empty()).map(|language| (language.to_string(), link(entry, site)));
    translations(entry, site).chain(own)
}

/// The page of a term.
pub(super) fn term_page(term: &Term, site: &Site) -> String {
    site.link(&Target::page(&Selection::of(term.name.kind, term.name.slug.clone())))
}

/// The page of a source.
pub(super) fn source_page(slug: &Slug, site: &Site) -> String {
    site.link(&Target::page(&source(slug)))
}
