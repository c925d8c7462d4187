//! What stands beside the articles: terms with their feeds, and the widgets that an article asks for.

use maud::{Markup, html};

use super::layout::{article_link, feed_links, local, menu, term_feeds, term_path};
use crate::model::{Format, Kind, PageOptions, Selection, Sidebar, SidebarSide, Site, Target, Term, Widget};

/// The widgets of a page that asks for none in particular; every page has the search at its top.
const USUAL: [Widget; 4] = [Widget::Categories, Widget::Taglist, Widget::Languages, Widget::Recent];

/// The sidebar of the lists: what there is, with its feeds.
pub(super) fn usual(site: &Site, sidebar: &Sidebar) -> Markup {
    html! {
        (named(site))
        (directory(site, &sidebar.categories, Kind::Category))
        (directory(site, &sidebar.tags, Kind::Tag))
        (cloud(site, "Languages", &sidebar.languages))
        (side_menu(site, sidebar))
    }
}

/// The sidebar of an article, if it wants one: its widgets, in order.
pub(super) fn chosen(site: &Site, sidebar: &Sidebar, options: &PageOptions) -> Option<Markup> {
    let widgets = options.widgets.as_deref().unwrap_or(&USUAL);
    let shown = html! {
        @for shown in widgets { (widget(site, sidebar, *shown)) }
        (side_menu(site, sidebar))
    };
    (options.sidebar != SidebarSide::None && !shown.0.is_empty()).then_some(shown)
}

fn widget(site: &Site, sidebar: &Sidebar, widget: Widget) -> Markup {
    match widget {
        Widget::Search => super::layout::search_form(site, ""),
        Widget::Recent => recent(site, sidebar),
        Widget::Taglist => cloud(site, "Tags", &sidebar.tags),
        Widget::Categories => cloud(site, "Categories", &sidebar.categories),
        Widget::Languages => cloud(site, "Languages", &sidebar.languages),
    }
}

fn directory(site: &Site, terms: &[Term], kind: Kind) -> Markup {
    html! {
        @if !terms.is_empty() {
            section {
                h2 { (super::layout::capital(kind.plural())) }
                ul.directory { @for term in terms { li { (row(site, term)) } } }
                p.all { a href=(local(site, &Target::Directory(kind).path())) { "All " (kind.plural()) } }
            }
        }
    }
}

/// The selections that were given a name.
fn named(site: &Site) -> Markup {
    html! {
        @if !site.feeds.is_empty() {
            section {
                h2 { "Feeds" }
                ul.directory {
                    @for feed in &site.feeds {
                        @let selection = Selection::named(feed.slug.clone());
                        @let paths = Format::ALL.map(|format| local(site, &Target::feed(&selection, format).path()));
                        li { a href=(local(site, &Target::page(&selection).path())) dir="auto" { (feed.title) } " " (feed_links(&feed.title, &paths)) }
                    }
                }
            }
        }
    }
}

/// A term with its count and its feeds.
pub(super) fn row(site: &Site, term: &Term) -> Markup {
    let name = &term.name;
    html! {
        a href=(term_path(site, name.kind, &name.slug)) lang="" dir="auto" { (name.name) }
        " " span.count { (term.articles) } " "
        (feed_links(&name.name, &term_feeds(site, name.kind, &name.slug)))
    }
}

fn cloud(site: &Site, title: &str, terms: &[Term]) -> Markup {
    html! {
        @if !terms.is_empty() {
            section {
                h2 { (title) }
                ul.terms lang="" {
                    @for Term { name, articles, .. } in terms {
                        li { a.tag href=(term_path(site, name.kind, &name.slug)) { bdi { (name.name) } " " span.count { (articles) } } }
                    }
                }
            }
        }
    }
}

fn recent(site: &Site, sidebar: &Sidebar) -> Markup {
    html! {
        @if !sidebar.recent.is_empty() {
            section {
                h2 { "Recent" }
                ul { @for (key, title) in &sidebar.recent { li { (article_link(site, key, title)) } } }
            }
        }
    }
}

fn side_menu(site: &Site, sidebar: &Sidebar) -> Markup {
    let links = menu(&sidebar.menus, "side");
    html! {
        @if !links.is_empty() {
            section {
                h2 { "Pages" }
                ul { @for link in links { li { (article_link(site, &link.key, &link.title)) } } }
            }
        }
    }
}
