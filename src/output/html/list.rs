//! A list of articles: the start page, and the page of any selection.

use maud::{Markup, html};

use super::layout::{self, Layout, article_path, day, feed_links, language, local, safe, term_path};
use super::{alike, found, sidebar};
use crate::model::{
    ArticleForm, Entry, Format, Kind, Options, Origins, Page, Query, Selection, Sidebar, Site, Sort, Target, TermName, Word, text,
};
use crate::output::{Channel, channel, entry as parts};

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
    let is_start = selection.is_all() && *options == Options::default();
    let older = page.entries.last().filter(|_| page.more && !view.site.is_static).map(|last| path_before(view, Some(last)));
    let main = html! {
        div.columns {
            div {
                (heading(view))
                @if let Some(words) = &selection.words { (orders(view, words)) }
                @if options.explain { (explanation(view)) }
                @if page.entries.is_empty() { (empty(view)) }
                @for (entry, others) in alike::groups(&page.entries) { (item(view, entry, &others)) }
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
        canonical: (selection.words.is_none() && !options.explain).then(|| site.link(&target)),
        feeds: (&channel.title, channel.own.clone()),
        sequence: older.iter().map(|path| ("next", site.url(path))).collect(),
        words: selection.words.as_ref().map(ToString::to_string).unwrap_or_default(),
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
    Target::List { selection: selection.clone(), options: options.elsewhere(), format: Some(format) }.path()
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

/// How many articles have the words that were searched for, and the two orders.
fn orders(view: &ListView<'_>, words: &Query) -> Markup {
    let order = |sort, name: &str| {
        let options = Options { sort, before: None, ..view.options.clone() };
        let path = Target::List { selection: view.selection.clone(), options, format: None }.path();
        html! { a href=(local(view.site, &path)) aria-current=[(view.options.sort == sort).then_some("true")] { (name) } }
    };
    html! {
        p.orders {
            // Of a phrase its pieces are counted.
            span.count { @if words.words.iter().any(Word::needs_text) { "up to " } (view.page.total) @if view.page.total == 1 { " article" } @else { " articles" } } " "
            (order(Sort::Newest, "Newest first")) " " (order(Sort::Rank, "Best first"))
        }
    }
}

/// How the selection was read.
fn explanation(view: &ListView<'_>) -> Markup {
    let selection = view.site.meant(view.selection).unwrap_or(view.selection);
    let unknown: Vec<String> = selection
        .terms()
        .filter(|(kind, slug)| !view.page.terms.iter().any(|term| term.name.kind == *kind && term.name.slug == **slug))
        .map(|(kind, slug)| format!("{kind} {slug}"))
        .collect();
    html! {
        section.explain aria-label="How this was read" {
            p { "Read as: " strong dir="auto" { (channel::words(selection, &view.page.terms)) } ". " (view.page.total) " in all." }
            @if !unknown.is_empty() { p { "Never published, so nothing has it: " (unknown.join(", ")) "." } }
            ul { @for term in &view.page.terms { li { (term.name.kind) " " bdi { (term.name.name) } ": " (term.articles) } } }
        }
    }
}

/// Why an article is in the selection: each of its terms that the selection names, with where it has that from.
fn reasons(view: &ListView<'_>, entry: &Entry) -> Markup {
    let selection = view.site.meant(view.selection).unwrap_or(view.selection);
    let named = |name: &TermName| selection.terms().any(|(kind, slug)| kind == name.kind && *slug == name.slug);
    let origin = |origins: Origins| {
        let words = [
            (Origins::OWN, "its own"),
            (Origins::SOURCE, "its source's default"),
            (Origins::RULE, "a rule"),
            (Origins::DETECTED, "found out from its text"),
            (Origins::HAND, "by hand"),
        ];
        let of: Vec<&str> = words.into_iter().filter(|(origin, _)| origins.has(*origin)).map(|(_, word)| word).collect();
        if of.is_empty() { "another article of the story".to_owned() } else { of.join(" and ") }
    };
    html! {
        ul.explain aria-label="Why this is here" {
            @for (name, origins) in entry.terms.iter().filter(|(name, _)| named(name)) {
                li { (name.kind) " " bdi { (name.name) } ": " (origin(*origins)) }
            }
            @if let Some(words) = &selection.words { li { "has the words " (words) } }
            li { "listed " (day(view.site, entry.listed)) }
        }
    }
}

fn empty(view: &ListView<'_>) -> Markup {
    html! {
        p.empty {
            @if view.options.before.is_some() {
                "There are no older articles."
            } @else if view.options.digest.is_some() {
                "There is no issue yet: one comes when a day or week is over in which articles came."
            } @else if view.selection.is_all() {
                "There are no articles yet. Add a feed, a web page or a folder of Markdown files: " code { "feedmill add https://example.org/" }
            } @else {
                "No article is in this selection now. Its feeds are valid: subscribe, and articles appear as they come. Or go to the "
                a href=(local(view.site, "/")) { "latest articles" } "."
            }
        }
    }
}

fn item(view: &ListView<'_>, entry: &Entry, others: &[&Entry]) -> Markup {
    let ListView { site, selection, options, channel, .. } = *view;
    let title = parts::title_or_start(entry);
    let other = entry.language().filter(|language| channel.language.as_ref() != Some(language));
    // An issue of a digest is no article: it has no page of its own, and its list is all there is.
    let is_issue = options.digest.is_some();
    let page = if is_issue { parts::link(entry, site) } else { article_path(site, &entry.key, ArticleForm::Page) };
    html! {
        article.item {
            div {
                h2 lang=(language(entry)) dir="auto" {
                    a href=(page) {
                        @if title.is_empty() { "Untitled" } @else if let Some(words) = &selection.words { (found::marked(&title, words)) } @else { (title) }
                    }
                }
                @if is_issue {
                    div.issue { (layout::sanitised(entry.article.content.as_deref().unwrap_or_default())) }
                } @else {
                    p.meta {
                        a href=(term_path(site, Kind::Source, &entry.source.slug)) lang="" dir="auto" { (entry.source.title) }
                        " " (day(site, entry.published))
                        @if let Some(other) = other { " " a.language href=(term_path(site, Kind::Language, &other.slug())) { (other) } }
                    }
                    @if let Some(start) = start(view, entry, &title) { p.start lang=(language(entry)) dir="auto" { (start) } }
                    (also_at(entry, others, site))
                    (terms(entry, site))
                    @if options.explain { (reasons(view, entry)) }
                }
            }
            (thumbnail(entry, site))
        }
    }
}

/// The start of an article, or what of it was searched for.
fn start(view: &ListView<'_>, entry: &Entry, title: &str) -> Option<Markup> {
    let (summary, content) = (parts::summary(entry, view.site), parts::content(entry, view.site));
    if let Some(words) = &view.selection.words {
        let whole = text::plain(&[summary, content].into_iter().flatten().collect::<String>());
        return (!whole.is_empty()).then(|| found::snippet(&whole, words));
    }
    let start = text::excerpt(&text::plain(&summary.or(content)?), EXCERPT);
    (!start.is_empty() && start != title).then(|| html! { (start) })
}

/// Where the same story stands, too: articles that lead to the same page, and those that say nearly the same.
fn also_at(entry: &Entry, others: &[&Entry], site: &Site) -> Markup {
    let related = entry.related.iter().map(|related| (&related.key, related.source.as_str()));
    let also: Vec<_> = related.chain(others.iter().map(|other| (&other.key, other.source.title.as_str()))).collect();
    html! {
        @if !also.is_empty() {
            p.meta.also { "Also at " @for (position, (key, source)) in also.iter().enumerate() { @if position > 0 { ", " } (layout::article_link(site, key, source)) } }
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
