//! What stands beside the articles.

use maud::{Markup, html};

use super::layout::{article_path, feed_links, local, menu, path};
use crate::model::{Kind, PageOptions, Selection, Sidebar, SidebarSide, Site, Target, Term, Widget};

/// The widgets of a page that asks for none in particular; the search has none until there is a search.
const USUAL: [Widget; 4] = [Widget::Categories, Widget::Taglist, Widget::Languages, Widget::Recent];

/// The sidebar of the lists: what there is, with its feeds.
pub(super) fn usual(site: &Site, sidebar: &Sidebar) -> Markup {
    html! {
        (directory(site, "Categories", &sidebar.categories, Kind::Category))
        (directory(site, "Tags", &sidebar.tags, Kind::Tag))
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
        Widget::Search => html! {},
        Widget::Recent => recent(site, sidebar),
        Widget::Taglist => cloud(site, "Tags", &sidebar.tags),
        Widget::Categories => cloud(site, "Categories", &sidebar.categories),
        Widget::Languages => cloud(site, "Languages", &sidebar.languages),
    }
}

fn directory(site: &Site, title: &str, terms: &[Term], kind: Kind) -> Markup {
    html! {
        @if !terms.is_empty() {
            section {
                h2 { a href=(local(site, &Target::Directory(kind).path())) { (title) } }
                ul.directory {
                    @for term in terms {
                        li {
                            a href=(path(site, term)) dir="auto" { (term.name.name) }
                            " " span.count { (term.articles) } " "
                            (feed_links(site, &Selection::of(kind, term.name.slug.clone()), &term.name.name))
                        }
                    }
                }
            }
        }
    }
}

fn cloud(site: &Site, title: &str, terms: &[Term]) -> Markup {
    html! {
        @if !terms.is_empty() {
            section {
                h2 { (title) }
                p.terms { @for term in terms { a.tag href=(path(site, term)) { (term.name.name) " " span.count { (term.articles) } } " " } }
            }
        }
    }
}

fn recent(site: &Site, sidebar: &Sidebar) -> Markup {
    html! {
        @if !sidebar.recent.is_empty() {
            section {
                h2 { "Recent" }
                ul { @for (key, title) in &sidebar.recent { li { a href=(article_path(site, key)) dir="auto" { (title) } } } }
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
                ul { @for link in links { li { a href=(article_path(site, &link.key)) dir="auto" { (link.title) } } } }
            }
        }
    }
}
