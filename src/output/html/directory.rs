//! The directories: all categories, tags or sources, with counts and every feed.

use maud::{Markup, html};

use super::layout::{self, Layout, capital, day, feed_links, host, safe, term_feeds, term_path};
use super::sidebar;
use crate::model::{Kind, Sidebar, Site, Source, SourceKind, Target, Term};
use crate::output::entry::without_user;

/// What a directory lists.
pub enum Directory<'a> {
    /// Categories or tags.
    Terms(Kind, &'a [Term]),
    /// Sources, with how reading them goes.
    Sources(&'a [Source]),
}

/// The page of a directory.
#[must_use]
pub fn directory(directory: &Directory<'_>, sidebar: &Sidebar, site: &Site) -> String {
    let (kind, rows) = match directory {
        Directory::Terms(kind, list) => (*kind, terms(list, site)),
        Directory::Sources(list) => (Kind::Source, sources(list, site)),
    };
    let title = capital(kind.plural());
    let about = match kind {
        Kind::Source => "Where the articles come from. Each source has feeds of its own here.".to_owned(),
        _ => format!("Every {kind} is a feed: follow one in any feed reader, as RSS, Atom or JSON Feed."),
    };
    let main = html! {
        header.heading { h1 { (title) } p.about { (about) } }
        (rows)
    };
    let target = Target::Directory(kind);
    let layout = Layout {
        title: &format!("{title} · {}", site.title),
        description: &about,
        place: Some(target.path()),
        canonical: Some(site.link(&target)),
        menus: &sidebar.menus,
        ..Layout::of(site)
    };
    layout::page(&layout, &main)
}

fn terms(terms: &[Term], site: &Site) -> Markup {
    html! {
        @if terms.is_empty() { p.empty { "There are none yet. They come with the articles." } }
        ul.directory.wide {
            @for term in terms {
                li {
                    div.row { (sidebar::row(site, term)) }
                    @if let Some(description) = &term.description { p lang="" dir="auto" { (description) } }
                }
            }
        }
    }
}

fn sources(sources: &[Source], site: &Site) -> Markup {
    html! {
        @if sources.is_empty() { p.empty { "There are none yet. Add one: " code { "feedmill add https://example.org/" } } }
        ul.directory.wide {
            @for source in sources {
                li {
                    div.row {
                        a href=(term_path(site, Kind::Source, &source.slug)) lang="" dir="auto" { (source.title) }
                        " " span.count { (source.status.articles) } " "
                        (feed_links(&source.title, &term_feeds(site, Kind::Source, &source.slug)))
                    }
                    (facts(source, site))
                    (health(source, site))
                    @if let Some(description) = &source.info.description { p lang="" dir="auto" { (description) } }
                }
            }
        }
    }
}

fn facts(source: &Source, site: &Site) -> Markup {
    let home = source.info.home.as_deref().map(without_user);
    html! {
        p.meta {
            span { (source.kind.name()) }
            @if let Some(home) = home.as_deref().and_then(safe) { " " a href=(home) rel="noopener" { (host(home).unwrap_or_else(|| home.to_owned())) } }
            @if let Some(good) = source.status.last_good { " " span { "last read " (day(site, good)) } }
        }
    }
}

/// What goes wrong, for the owner and for readers who miss something.
fn health(source: &Source, site: &Site) -> Markup {
    let status = &source.status;
    let is_waiting = status.last_read.is_none() && source.kind != SourceKind::Inbox;
    html! {
        @if status.failures > 0 {
            p.failing {
                strong { "Failing" }
                @if let Some(since) = status.failing_since { " since " (day(site, since)) }
                @if let Some(error) = &status.error { ": " (without_secrets(source, error)) }
            }
        } @else if is_waiting {
            p.waiting { "Not read yet." }
        }
    }
}

/// What a source failed with, for everybody to read: a feed's URL without its secrets, a folder by its name alone.
fn without_secrets(source: &Source, error: &str) -> String {
    let shown = if source.kind == SourceKind::Feed { without_user(&source.location).into_owned() } else { source.title.clone() };
    error.replace(&source.location, &shown)
}
