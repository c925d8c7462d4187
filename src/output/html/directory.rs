//! The directories: all categories, tags or sources, with counts and every feed.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::layout::{self, Layout, capital, day, feed_links, host, local, minute, safe, term_feeds, term_path};
use super::sidebar;
use crate::model::private::without_user;
use crate::model::{Document, Kind, Sidebar, Site, Source, SourceKind, Target, Term};

/// How many rows a directory has: a page of a hundred thousand tags has fifty megabytes, one of ten thousand sources seven.
pub const LISTED: usize = 5_000;

/// What a directory lists.
pub enum Directory<'a> {
    /// Categories or tags.
    Terms {
        /// Which of both.
        kind: Kind,
        /// In their order.
        terms: &'a [Term],
        /// They are the largest: there are more.
        are_more: bool,
    },
    /// Sources, with how reading them goes. Of too many those that fail are listed, then those with most articles.
    Sources(&'a [Source]),
}

/// The page of a directory.
#[must_use]
pub fn directory(directory: &Directory<'_>, sidebar: &Sidebar, site: &Site) -> String {
    let (kind, rows) = match directory {
        Directory::Terms { kind, terms, .. } => (*kind, listed(terms, site)),
        Directory::Sources(list) => (Kind::Source, sources(&largest(list), site)),
    };
    let title = capital(kind.plural());
    let about = match kind {
        Kind::Source => "Where the articles come from. Each source has feeds of its own here.".to_owned(),
        _ => format!("Every {kind} is a feed: follow one in any feed reader, as RSS, Atom or JSON Feed."),
    };
    let main = html! {
        header.heading {
            h1 { (title) }
            p.about {
                (about)
                @if kind == Kind::Source { " What failed, moved or recovered is in the " a href=(local(site, &Target::Health(None).path())) { "health log" } "." }
                @if let Directory::Terms { terms, are_more: true, .. } = directory {
                    " These are the " (terms.len()) " with most articles; all are in the "
                    a href=(local(site, &Target::Document(Document::Feeds).path())) { "list of all feeds (OPML)" } "."
                }
                @if let Directory::Sources(list) = directory && list.len() > LISTED {
                    " These are " (LISTED) " of " (list.len()) ", those that fail and those with most articles; all are in the "
                    a href=(local(site, &Target::Document(Document::Sources).path())) { "list of sources (OPML)" } "."
                }
            }
        }
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

fn listed(terms: &[Term], site: &Site) -> Markup {
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

/// The sources that are listed, in their order.
fn largest(sources: &[Source]) -> Vec<&Source> {
    let mut places: Vec<usize> = (0..sources.len()).collect();
    places.sort_by_key(|place| (sources[*place].status.failures == 0, Reverse(sources[*place].status.articles)));
    places.truncate(LISTED);
    places.sort_unstable();
    places.into_iter().map(|place| &sources[place]).collect()
}

fn sources(sources: &[&Source], site: &Site) -> Markup {
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
            @if let Some(good) = source.status.last_good { " " span { "last read " (minute(site, good)) } }
            @if let Some(due) = source.status.next() { " " span { "next " (minute(site, due)) } }
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
                strong { @if status.is_gone() { "Gone" } @else { "Failing" } }
                @if let Some(since) = status.failing_since { " since " (day(site, since)) }
                @if let Some(error) = &status.error { ": " (source.without_secrets(error)) }
                @if status.last_good.is_none() { ". It never answered well" }
            }
        } @else if is_waiting {
            p.waiting { "Not read yet." }
        }
    }
}
