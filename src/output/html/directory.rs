//! The directories: all categories, tags or sources, with counts and every feed.

use maud::{Markup, html};

use super::layout::{self, Layout, capital, day, feed_links, path};
use crate::model::{Kind, Selection, Sidebar, Site, Source, Target, Term};
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
    let main = html! { div.heading { h1 { (title) } } (rows) };
    let target = Target::Directory(kind);
    let layout = Layout {
        title: &format!("{title} · {}", site.title),
        canonical: Some(site.link(&target)),
        menus: &sidebar.menus,
        ..Layout::of(site)
    };
    layout::page(&layout, &main)
}

fn terms(terms: &[Term], site: &Site) -> Markup {
    html! {
        @if terms.is_empty() { p.empty { "There are none yet." } }
        ul.directory.wide {
            @for term in terms {
                li {
                    a href=(path(site, term)) dir="auto" { (term.name.name) }
                    " " span.count { (term.articles) } " "
                    (feed_links(site, &Selection::of(term.name.kind, term.name.slug.clone()), &term.name.name))
                    @if let Some(description) = &term.description { p dir="auto" { (description) } }
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
                @let selection = Selection::of(Kind::Source, source.slug.clone());
                li {
                    a href=(layout::local(site, &Target::page(&selection).path())) dir="auto" { (source.title) }
                    " " span.count { (source.status.articles) } " "
                    (feed_links(site, &selection, &source.title))
                    p.meta {
                        (source.kind.name())
                        @if let Some(home) = &source.info.home { " · " a href=(without_user(home)) { "home page" } }
                        @if let Some(good) = source.status.last_good { " · last good answer " (day(site, good)) }
                    }
                    @if source.status.failures > 0 {
                        p.failing {
                            "Fails"
                            @if let Some(since) = source.status.failing_since { " since " (day(site, since)) }
                            @if let Some(error) = &source.status.error { ": " (error) }
                        }
                    }
                }
            }
        }
    }
}
