//! A list of articles: the start page, and the page of any selection.

use maud::{Markup, html};

use super::layout::{self, Layout, article_path, day, feed_links, local, term_path};
use super::sidebar;
use crate::model::{Entry, Kind, Options, Page, Selection, Sidebar, Site, Target, TermName, text};
use crate::output::Channel;

/// How much of an article a list shows, in graphemes.
const EXCERPT: usize = 180;

/// What a list page shows.
pub struct ListView<'a> {
    /// The site.
    pub site: &'a Site,
    /// Which articles.
    pub selection: &'a Selection,
    /// How many, and from where.
    pub options: &'a Options,
    /// The articles.
    pub page: &'a Page,
    /// Title, description and feeds.
    pub channel: &'a Channel,
    /// What stands beside the articles.
    pub sidebar: &'a Sidebar,
}

/// A list page.
#[must_use]
pub fn list(view: &ListView<'_>) -> String {
    let ListView { site, selection, options, page, channel, sidebar } = *view;
    let older = page.entries.last().filter(|_| page.more).map(|last| older(selection, options, last));
    let is_start = selection.is_all() && options.before.is_none();
    let main = html! {
        div.columns {
            div {
                div.heading {
                    h1 dir="auto" { @if is_start { "Latest articles" } @else { (heading(view)) } }
                    (feed_links(site, selection, &channel.title))
                }
                @if !selection.is_all() || !site.description.is_empty() { p.about dir="auto" { (channel.description) } }
                @if page.entries.is_empty() { (empty(view)) }
                @for entry in &page.entries { (item(entry, site, channel)) }
                @if let Some(older) = &older { nav.pager aria-label="Pages" { a rel="next" href=(local(site, older)) { "Older articles →" } } }
            }
            aside { (sidebar::usual(site, sidebar)) }
        }
    };
    let target = Target::List { selection: selection.clone(), options: options.clone(), format: None };
    let layout = Layout {
        title: &channel.title,
        description: &channel.description,
        language: channel.language.as_ref().map(crate::model::Language::as_str),
        canonical: Some(site.link(&target)),
        feeds: Some(channel),
        older: older.map(|path| site.url(&path)),
        menus: &sidebar.menus,
        ..Layout::of(site)
    };
    layout::page(&layout, &main)
}

/// The page's own title without the site's name.
fn heading(view: &ListView<'_>) -> String {
    let suffix = format!(" · {}", view.site.title);
    view.channel.title.strip_suffix(&suffix).unwrap_or(&view.channel.title).to_owned()
}

fn older(selection: &Selection, options: &Options, last: &Entry) -> String {
    let options = Options { before: Some(last.key.clone()), ..options.clone() };
    Target::List { selection: selection.clone(), options, format: None }.path()
}

fn empty(view: &ListView<'_>) -> Markup {
    html! {
        p.empty {
            @if view.options.before.is_some() { "There are no older articles." }
            @else if view.selection.is_all() { "There are no articles yet. Add a source: " code { "feedmill add https://example.org/" } " or a folder of Markdown files." }
            @else { "No article matches. Its feed is valid and empty; articles will appear here and there when they come." }
        }
    }
}

fn item(entry: &Entry, site: &Site, channel: &Channel) -> Markup {
    let language = entry.language().filter(|language| channel.language.as_ref() != Some(language)).map(crate::model::Language::as_str);
    let title = crate::output::entry::title_or_start(entry);
    let start = entry.article.summary.as_ref().or(entry.article.content.as_ref()).map(|html| text::excerpt(&text::plain(html), EXCERPT));
    html! {
        article.item {
            div {
                h2 lang=[language] dir="auto" { a href=(article_path(site, &entry.key)) { (title) } }
                p.meta {
                    a href=(term_path(site, Kind::Source, &entry.source.slug)) { (entry.source.title) }
                    " " (day(site, entry.published))
                    @if let Some(language) = language { " " span.language { (language) } }
                }
                @if let Some(start) = start { p.start lang=[language] dir="auto" { (start) } }
                (terms(entry, site))
            }
            @if let Some(picture) = &entry.article.thumbnail {
                img src=(site.fill(&picture.url, &entry.key)) alt="" loading="lazy" referrerpolicy="no-referrer" width="160" height="100";
            }
        }
    }
}

/// An article's categories and tags as links.
pub(super) fn terms(entry: &Entry, site: &Site) -> Markup {
    let link = |term: &TermName, class: &str| html! { a class=(class) href=(term_path(site, term.kind, &term.slug)) { (term.name) } };
    html! {
        p.terms {
            @for term in entry.terms_of(Kind::Category) { (link(term, "category")) " " }
            @for term in entry.terms_of(Kind::Tag) { (link(term, "tag")) " " }
        }
    }
}
