//! What all pages share: the head, the header, the footer.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::assets::{ICON_PATH, STYLE_PATH};
use crate::model::{ArticleForm, ArticleKey, Document, Format, Kind, MenuLink, Selection, Site, Target, Term, Time};
use crate::output::Channel;

/// What a page says of itself.
pub(super) struct Layout<'a> {
    pub(super) site: &'a Site,
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    pub(super) language: Option<&'a str>,
    /// The page's own URL.
    pub(super) canonical: Option<String>,
    /// The feeds of what it shows.
    pub(super) feeds: Option<&'a Channel>,
    /// The page of older articles.
    pub(super) older: Option<String>,
    /// Pages in other languages: language and URL.
    pub(super) alternates: Vec<(String, String)>,
    /// The site's menus.
    pub(super) menus: &'a [(String, Vec<MenuLink>)],
}

impl<'a> Layout<'a> {
    pub(super) fn of(site: &'a Site) -> Self {
        let (title, description) = (site.title.as_str(), site.description.as_str());
        Self { site, title, description, language: None, canonical: None, feeds: None, older: None, alternates: Vec::new(), menus: &[] }
    }
}

/// A path of ours below the site's prefix.
pub(super) fn local(site: &Site, path: &str) -> String {
    format!("{}{path}", site.prefix())
}

/// The path of a term's page.
pub(super) fn path(site: &Site, term: &Term) -> String {
    term_path(site, term.name.kind, &term.name.slug)
}

pub(super) fn term_path(site: &Site, kind: Kind, slug: &crate::model::Slug) -> String {
    local(site, &Target::page(&Selection::of(kind, slug.clone())).path())
}

pub(super) fn article_path(site: &Site, key: &ArticleKey) -> String {
    local(site, &Target::Article(key.clone(), ArticleForm::Page).path())
}

/// A day in the site's zone.
pub(super) fn day(site: &Site, time: Time) -> Markup {
    let local = time.with_timezone(&site.zone);
    html! { time datetime=(local.format("%FT%T%:z")) title=(local.format("%F %R %Z")) { (local.format("%F")) } }
}

/// Links to a selection's three feeds.
pub(super) fn feed_links(site: &Site, selection: &Selection, title: &str) -> Markup {
    html! {
        span.feeds {
            @for format in Format::ALL {
                a href=(local(site, &Target::feed(selection, format).path())) type=(format.media_type()) aria-label={ (title) ": " (format.name()) } { (short(format)) }
            }
        }
    }
}

const fn short(format: Format) -> &'static str {
    match format {
        Format::Rss => "RSS",
        Format::Atom => "Atom",
        Format::Json => "JSON",
    }
}

/// A whole page.
pub(super) fn page(layout: &Layout<'_>, main: &Markup) -> String {
    let site = layout.site;
    html! {
        (DOCTYPE)
        html lang=[layout.language] {
            (head(layout))
            body {
                a.skip href="#main" { "Skip to the articles" }
                (header(layout))
                main #main { (main) }
                footer {
                    @for link in menu(layout.menus, "footer") { a href=(article_path(site, &link.key)) { (link.title) } }
                    a href=(local(site, Document::Feeds.path())) { "All feeds (OPML)" }
                    a href=(local(site, Document::Sources.path())) { "All sources (OPML)" }
                    span { "Made with Feedmill" }
                }
            }
        }
    }
    .into_string()
}

fn head(layout: &Layout<'_>) -> Markup {
    let site = layout.site;
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (layout.title) }
            meta name="description" content=(layout.description);
            link rel="stylesheet" href=(local(site, &STYLE_PATH));
            link rel="icon" href=(local(site, &ICON_PATH)) type="image/svg+xml";
            @if let Some(canonical) = &layout.canonical { link rel="canonical" href=(canonical); }
            @if let Some(older) = &layout.older { link rel="next" href=(older); }
            @if let Some(channel) = layout.feeds {
                @for format in Format::ALL {
                    link rel="alternate" type=(format.media_type().split(';').next().unwrap_or_default()) title={ (channel.title) " (" (format.name()) ")" } href=(channel.url(format));
                }
            }
            @for (language, url) in &layout.alternates { link rel="alternate" hreflang=(language) href=(url); }
        }
    }
}

fn header(layout: &Layout<'_>) -> Markup {
    let site = layout.site;
    html! {
        header.site {
            a.name href=(local(site, "/")) { (site.title) }
            nav aria-label="Site" {
                @for kind in [Kind::Category, Kind::Tag, Kind::Source] {
                    a href=(local(site, &Target::Directory(kind).path())) { (capital(kind.plural())) }
                }
                @for link in menu(layout.menus, "main") { a href=(article_path(site, &link.key)) { (link.title) } }
            }
        }
    }
}

/// The links of a menu.
pub(super) fn menu<'a>(menus: &'a [(String, Vec<MenuLink>)], name: &str) -> &'a [MenuLink] {
    menus.iter().find(|(menu, _)| menu == name).map_or(&[], |(_, links)| links)
}

/// A word with a capital.
pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// HTML that was sanitised on the way in.
pub(super) fn sanitised(html: &str) -> PreEscaped<&str> {
    PreEscaped(html)
}
