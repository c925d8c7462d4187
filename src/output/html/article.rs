//! The page of one article.

use maud::{Markup, html};

use super::layout::{self, Layout, article_link, article_path, day, host, language, safe, sanitised, term_path};
use super::{contents, list, math, sidebar};
use crate::model::{ArticleForm, Enclosure, Entry, Kind, Neighbours, Person, Sidebar, SidebarSide, Site, Slug, text};
use crate::output::entry as parts;

/// How much of it stands in the description of the page, in graphemes.
const DESCRIPTION: usize = 160;

/// What an article's page shows.
pub struct ArticleView<'a> {
    /// The site.
    pub site: &'a Site,
    /// The article.
    pub entry: &'a Entry,
    /// The ones beside it.
    pub neighbours: &'a Neighbours,
    /// What stands beside it.
    pub sidebar: &'a Sidebar,
}

/// The page of an article.
#[must_use]
pub fn article(view: &ArticleView<'_>) -> String {
    let ArticleView { site, entry, neighbours, .. } = *view;
    let options = &entry.article.page;
    let aside = sidebar::chosen(site, view.sidebar, options);
    let class = match (&aside, options.sidebar) {
        (None, _) => "single",
        (Some(_), SidebarSide::Left) => "columns left",
        (Some(_), _) => "columns",
    };
    let main = html! {
        div class=(class) {
            (body(view))
            @if let Some(aside) = aside { aside aria-label="More to read" { (aside) } }
        }
    };
    let start = parts::summary(entry, site).or_else(|| parts::content(entry, site)).map(|html| text::plain(&html));
    let beside = [("prev", &neighbours.previous), ("next", &neighbours.next)].into_iter().filter(|_| options.pager);
    let layout = Layout {
        title: &format!("{} · {}", parts::title_or_start(entry), site.title),
        description: &text::excerpt(&start.unwrap_or_default(), DESCRIPTION),
        canonical: Some(site.article(&entry.key)),
        sequence: beside.filter_map(|(relation, other)| Some((relation, site.article(&other.as_ref()?.0)))).collect(),
        alternates: parts::translations(entry, site).collect(),
        menus: &view.sidebar.menus,
        ..Layout::of(site)
    };
    layout::page(&layout, &main)
}

fn body(view: &ArticleView<'_>) -> Markup {
    let ArticleView { site, entry, .. } = *view;
    let options = &entry.article.page;
    let content = parts::content(entry, site).or_else(|| parts::summary(entry, site)).unwrap_or_default();
    let shown = if options.mathjax { math::with_formulas(&content) } else { content.clone() };
    html! {
        article.full {
            (heading(entry, site))
            (picture(entry, site, &content))
            @if let Some(lead) = &entry.article.lead {
                div.lead lang=(language(entry)) dir="auto" { (sanitised(&site.fill(lead, &entry.key))) }
            }
            @if options.toc { (contents::contents(&content, language(entry))) }
            div.content lang=(language(entry)) dir="auto" { (sanitised(&shown)) }
            @for enclosure in &entry.article.enclosures { (media(enclosure, entry, site)) }
            (ending(view))
        }
    }
}

fn heading(entry: &Entry, site: &Site) -> Markup {
    let title = parts::title_or_start(entry);
    html! {
        header {
            h1 lang=(language(entry)) dir="auto" { @if title.is_empty() { "Untitled" } @else { (title) } }
            p.meta {
                a href=(term_path(site, Kind::Source, &entry.source.slug)) lang="" dir="auto" { (entry.source.title) }
                @for author in entry.terms_of(Kind::Author) {
                    " "
                    a rel="author" href=(term_path(site, Kind::Author, &author.slug)) lang="" dir="auto" { (author.name) }
                }
                " " (day(site, entry.published))
                @if entry.updated > entry.published { " " span { "updated " (day(site, entry.updated)) } }
            }
            (translations(entry, site))
            @if let Some(link) = entry.link.as_deref().and_then(safe) {
                p.original { a href=(link) rel="noopener" { "Read the original" @if let Some(host) = host(link) { " at " (host) } } }
            }
        }
    }
}

/// The article's picture, unless its text shows it.
fn picture(entry: &Entry, site: &Site, content: &str) -> Markup {
    let url = entry.article.thumbnail.as_ref().map(|picture| site.fill(&picture.url, &entry.key));
    let url = url.as_deref().and_then(safe).filter(|url| !content.contains(&text::escape(url)));
    let pixels = entry.article.thumbnail.as_ref().and_then(|picture| picture.width.zip(picture.height));
    html! {
        @if let Some(url) = url {
            img.picture src=(url) alt="" decoding="async" referrerpolicy="no-referrer" width=[pixels.map(|pixels| pixels.0)] height=[pixels.map(|pixels| pixels.1)];
        }
    }
}

fn media(enclosure: &Enclosure, entry: &Entry, site: &Site) -> Markup {
    let url = site.fill(&enclosure.url, &entry.key);
    let kind = parts::media_type(enclosure);
    let name = enclosure.title.as_deref().unwrap_or_else(|| url.rsplit('/').next().unwrap_or(&url));
    html! {
        @if let Some(url) = safe(&url) {
            figure.media {
                @if kind.starts_with("audio/") { audio controls preload="none" src=(url) {} }
                @else if kind.starts_with("video/") { video controls preload="none" src=(url) {} }
                figcaption {
                    a href=(url) lang="" dir="auto" { (name) }
                    " " span.count { (kind) @if let Some(bytes) = enclosure.length.filter(|bytes| *bytes > 0) { ", " (size(bytes)) } }
                }
            }
        }
    }
}

/// A number of bytes as people read it, to a tenth.
fn size(bytes: u64) -> String {
    let unit = |divisor: u64, name: &str| format!("{}.{} {name}", bytes / divisor, bytes % divisor * 10 / divisor);
    match bytes {
        ..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => unit(1_000, "kB"),
        1_000_000..1_000_000_000 => unit(1_000_000, "MB"),
        _ => unit(1_000_000_000, "GB"),
    }
}

fn translations(entry: &Entry, site: &Site) -> Markup {
    let others: Vec<_> = entry.translations.iter().filter(|other| other.key != entry.key).collect();
    html! {
        @if !others.is_empty() {
            p.translations {
                "In other languages:"
                @for other in others {
                    " "
                    a href=(article_path(site, &other.key, ArticleForm::Page)) hreflang=(other.language) lang=(other.language) dir="auto" {
                        (other.title.as_deref().unwrap_or(other.language.as_str()))
                    }
                    " " span.language { (other.language) }
                }
            }
        }
    }
}

/// What follows the text: its terms, who wrote it, its other forms, and where to go on.
fn ending(view: &ArticleView<'_>) -> Markup {
    let ArticleView { site, entry, neighbours, .. } = *view;
    let options = &entry.article.page;
    let comments = entry.article.comments.as_deref().and_then(safe).filter(|_| options.comments);
    html! {
        footer {
            (list::terms(entry, site))
            @if options.authorbox && !entry.article.authors.is_empty() { (author_box(&entry.article.authors, site)) }
            p.forms {
                @if let Some(comments) = comments { a href=(comments) rel="noopener" { "Comments" } " " }
                a rel="alternate" type="application/feed+json" href=(article_path(site, &entry.key, ArticleForm::Json)) { "This article as JSON" }
                " "
                a rel="alternate" type="text/markdown" href=(article_path(site, &entry.key, ArticleForm::Markdown)) { "as Markdown" }
            }
        }
        @if options.pager && (neighbours.previous.is_some() || neighbours.next.is_some()) {
            nav.pager aria-label="Articles of this source" {
                @if let Some((key, title)) = &neighbours.previous { div { span.count { "← Older" } " " (article_link(site, key, title)) } }
                @if let Some((key, title)) = &neighbours.next { div.onward { span.count { "Newer →" } " " (article_link(site, key, title)) } }
            }
        }
    }
}

fn author_box(authors: &[Person], site: &Site) -> Markup {
    html! {
        section.authors {
            h2 { "Written by" }
            ul {
                @for Person { name, uri, .. } in authors {
                    li {
                        a href=(term_path(site, Kind::Author, &Slug::from_name(name))) lang="" dir="auto" { (name) }
                        @if let Some(uri) = uri.as_deref().and_then(safe) { " " a.count href=(uri) rel="noopener" { (host(uri).unwrap_or_else(|| uri.to_owned())) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_read_to_a_tenth() {
        let sizes = [0, 999, 1_000, 12_345_678, 1_990_000_000].map(size);
        assert_eq!(sizes, ["0 bytes", "999 bytes", "1.0 kB", "12.3 MB", "1.9 GB"]);
    }
}
