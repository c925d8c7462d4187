//! A list of articles: the start page, and the page of any selection.

use maud::{Markup, html};

use super::layout::{self, Layout, article_path, day, feed_links, language, local, safe, term_path};
use super::sidebar;
use crate::model::{ArticleForm, Entry, Format, Kind, Options, Page, Selection, Sidebar, Site, Target, TermName, text};
use crate::output::{Channel, entry as parts};

/// How much of an article a list shows, in graphemes.
const EXCERPT: usize = 200;

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
    let is_start = selection.is_all() && options.before.is_none();
    let older = page.entries.last().filter(|_| page.more).map(|last| path_before(view, Some(last)));
    let main = html! {
        div.columns {
            div {
                (heading(view))
                @if page.entries.is_empty() { (empty(view)) }
                @for entry in &page.entries { (item(entry, site, channel)) }
                (pager(view, older.as_deref()))
            }
            aside aria-label="More to read" { (sidebar::usual(site, sidebar)) }
        }
    };
    let target = Target::List { selection: selection.clone(), options: options.clone(), format: None };
    let layout = Layout {
        title: &channel.title,
        description: &channel.description,
        place: is_start.then(|| "/".to_owned()),
        canonical: Some(site.link(&target)),
        feeds: (&channel.title, Format::ALL.map(|format| channel.url(format).to_owned())),
        sequence: older.iter().map(|path| ("next", site.url(path))).collect(),
        menus: &sidebar.menus,
        ..Layout::of(site)
    };
    layout::page(&layout, &main)
}

fn heading(view: &ListView<'_>) -> Markup {
    let ListView { site, selection, options, channel, .. } = *view;
    let kind = selection.single().map(|(kind, _)| kind.name());
    let paths = Format::ALL.map(|format| local(site, &feed_path(selection, options, format)));
    html! {
        header.heading {
            div {
                @if let Some(kind) = kind { p.kind { (kind) } }
                h1 dir="auto" lang=[kind.map(|_| "")] {
                    @if selection.is_all() { "Latest articles" } @else { (own_title(&channel.title, site)) }
                }
            }
            (feed_links(&channel.title, &paths))
            @if has_own_words(view) { p.about dir="auto" lang="" { (channel.description) } }
        }
    }
}

/// A description that only repeats the title is for feeds, not for this page.
fn has_own_words(view: &ListView<'_>) -> bool {
    let is_own = view.page.terms.first().is_some_and(|term| term.description.is_some());
    !view.channel.description.is_empty() && (view.selection.is_all() || (view.selection.single().is_some() && is_own))
}

/// The title of a selection without the site's, which stands above it.
fn own_title<'a>(title: &'a str, site: &Site) -> &'a str {
    title.strip_suffix(site.title.as_str()).and_then(|title| title.strip_suffix(" · ")).unwrap_or(title)
}

fn feed_path(selection: &Selection, options: &Options, format: Format) -> String {
    let options = Options { before: None, ..options.clone() };
    Target::List { selection: selection.clone(), options, format: Some(format) }.path()
}

/// The page of what is older than an article; from the top without one.
fn path_before(view: &ListView<'_>, last: Option<&Entry>) -> String {
    let options = Options { before: last.map(|last| last.key.clone()), ..view.options.clone() };
    Target::List { selection: view.selection.clone(), options, format: None }.path()
}

fn pager(view: &ListView<'_>, older: Option<&str>) -> Markup {
    let is_first = view.options.before.is_none();
    html! {
        @if !is_first || older.is_some() {
            nav.pager aria-label="Pages" {
                @if !is_first { a href=(local(view.site, &path_before(view, None))) { "← Newest articles" } }
                @if let Some(older) = older { a.onward rel="next" href=(local(view.site, older)) { "Older articles →" } }
            }
        }
    }
}

fn empty(view: &ListView<'_>) -> Markup {
    html! {
        p.empty {
            @if view.options.before.is_some() {
                "There are no older articles."
            } @else if view.selection.is_all() {
                "There are no articles yet. Add a feed, a web page or a folder of Markdown files: " code { "feedmill add https://example.org/" }
            } @else {
                "No article is in this selection now. Its feeds are valid: subscribe, and articles appear as they come. Or go to the "
                a href=(local(view.site, "/")) { "latest articles" } "."
            }
        }
    }
}

fn item(entry: &Entry, site: &Site, channel: &Channel) -> Markup {
    let title = parts::title_or_start(entry);
    let html = parts::summary(entry, site).or_else(|| parts::content(entry, site));
    let start = html.map(|html| text::excerpt(&text::plain(&html), EXCERPT)).filter(|start| !start.is_empty() && *start != title);
    let other = entry.language().filter(|language| channel.language.as_ref() != Some(language));
    html! {
        article.item {
            div {
                h2 lang=(language(entry)) dir="auto" {
                    a href=(article_path(site, &entry.key, ArticleForm::Page)) { @if title.is_empty() { "Untitled" } @else { (title) } }
                }
                p.meta {
                    a href=(term_path(site, Kind::Source, &entry.source.slug)) lang="" dir="auto" { (entry.source.title) }
                    " " (day(site, entry.published))
                    @if let Some(other) = other { " " a.language href=(term_path(site, Kind::Language, &other.slug())) { (other) } }
                }
                @if let Some(start) = start { p.start lang=(language(entry)) dir="auto" { (start) } }
                (terms(entry, site))
            }
            (thumbnail(entry, site))
        }
    }
}

/// The picture beside an article: it says nothing that the title does not, and its server learns nothing of the reader.
fn thumbnail(entry: &Entry, site: &Site) -> Markup {
    let url = entry.article.thumbnail.as_ref().map(|picture| site.fill(&picture.url, &entry.key));
    html! {
        @if let Some(url) = url.as_deref().and_then(safe) {
            img src=(url) alt="" loading="lazy" decoding="async" referrerpolicy="no-referrer" width="160" height="100";
        }
    }
}

/// An article's categories and tags as links.
pub(super) fn terms(entry: &Entry, site: &Site) -> Markup {
    let link = |term: &TermName, class: &str| html! { li { a class=(class) href=(term_path(site, term.kind, &term.slug)) dir="auto" { (term.name) } } };
    let has_any = entry.terms_of(Kind::Category).chain(entry.terms_of(Kind::Tag)).next().is_some();
    html! {
        @if has_any {
            ul.terms lang="" aria-label="Categories and tags" {
                @for term in entry.terms_of(Kind::Category) { (link(term, "category")) }
                @for term in entry.terms_of(Kind::Tag) { (link(term, "tag")) }
            }
        }
    }
}
