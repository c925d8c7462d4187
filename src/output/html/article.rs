//! The page of one article.

use std::sync::LazyLock;

use maud::{Markup, html};
use regex::Regex;

use super::layout::{self, Layout, article_path, day, sanitised, term_path};
use super::{list, sidebar};
use crate::model::{Enclosure, Entry, Kind, Neighbours, Sidebar, SidebarSide, Site, text};
use crate::output::entry as parts;

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

static HEADING: LazyLock<Regex> = LazyLock::new(headings);

#[expect(clippy::expect_used, reason = "the pattern is a constant, and a test compiles it")]
fn headings() -> Regex {
    Regex::new(r#"(?s)<h([23]) id="([^"]+)"[^>]*>(.*?)</h[23]>"#).expect("a valid pattern")
}

/// The page of an article.
#[must_use]
pub fn article(view: &ArticleView<'_>) -> String {
    let ArticleView { site, entry, .. } = *view;
    let options = &entry.article.page;
    let aside = sidebar::chosen(site, view.sidebar, options);
    let side = match (&aside, options.sidebar) {
        (None, _) => "single",
        (Some(_), SidebarSide::Left) => "columns left",
        (Some(_), _) => "columns",
    };
    let main = html! {
        div class=(side) {
            (body(view))
            @if let Some(aside) = aside { aside { (aside) } }
        }
    };
    let title = parts::title_or_start(entry);
    let start = parts::summary(entry, site).or_else(|| parts::content(entry, site)).map(|html| text::excerpt(&text::plain(&html), 160));
    let layout = Layout {
        title: &format!("{title} · {}", site.title),
        description: start.as_deref().unwrap_or_default(),
        language: entry.language().map(crate::model::Language::as_str),
        canonical: Some(site.article(&entry.key)),
        alternates: parts::translations(entry, site).collect(),
        menus: &view.sidebar.menus,
        ..Layout::of(site)
    };
    layout::page(&layout, &main)
}

fn body(view: &ArticleView<'_>) -> Markup {
    let ArticleView { site, entry, neighbours, .. } = *view;
    let options = &entry.article.page;
    let content = parts::content(entry, site).or_else(|| parts::summary(entry, site)).unwrap_or_default();
    html! {
        article.full lang=[entry.language()] {
            header {
                h1 dir="auto" { (parts::title_or_start(entry)) }
                (byline(entry, site))
                @if let Some(link) = &entry.link { p.original { a href=(link) rel="noopener" { "Read the original" @if let Some(host) = host(link) { " at " (host) } } } }
            }
            @if let Some(lead) = &entry.article.lead { p.lead dir="auto" { (sanitised(&site.fill(lead, &entry.key))) } }
            @if options.toc { (contents(&content)) }
            div.content dir="auto" { (sanitised(&content)) }
            @for enclosure in &entry.article.enclosures { (media(enclosure)) }
            (list::terms(entry, site))
            (translations(entry, site))
            @if options.authorbox && !entry.article.authors.is_empty() { (author_box(entry, site)) }
            @if options.comments { @if let Some(comments) = &entry.article.comments { p { a href=(comments) { "Comments" } } } }
            @if options.pager {
                nav.pager aria-label="Articles" {
                    @if let Some((key, title)) = &neighbours.previous { a rel="prev" href=(article_path(site, key)) dir="auto" { "← " (title) } }
                    @if let Some((key, title)) = &neighbours.next { a rel="next" href=(article_path(site, key)) dir="auto" { (title) " →" } }
                }
            }
        }
    }
}

fn byline(entry: &Entry, site: &Site) -> Markup {
    html! {
        p.meta {
            a href=(term_path(site, Kind::Source, &entry.source.slug)) { (entry.source.title) }
            " " (day(site, entry.published))
            @if entry.updated > entry.published { " (updated " (day(site, entry.updated)) ")" }
            @for author in entry.terms_of(Kind::Author) { " " a href=(term_path(site, Kind::Author, &author.slug)) { (author.name) } }
        }
    }
}

fn host(link: &str) -> Option<String> {
    url::Url::parse(link).ok().and_then(|url| url.host_str().map(str::to_owned))
}

/// The headings of the content that can be linked.
fn contents(content: &str) -> Markup {
    let headings: Vec<_> =
        HEADING.captures_iter(content).map(|found| (found[1].to_owned(), found[2].to_owned(), text::plain(&found[3]))).collect();
    html! {
        @if headings.len() > 1 {
            nav.contents aria-label="Contents" {
                ol { @for (level, id, title) in &headings { li.{ "level" (level) } { a href={ "#" (text::unescape(id)) } dir="auto" { (title) } } } }
            }
        }
    }
}

fn media(enclosure: &Enclosure) -> Markup {
    let kind = parts::media_type(enclosure);
    let name = enclosure.title.as_deref().unwrap_or_else(|| enclosure.url.rsplit('/').next().unwrap_or(&enclosure.url));
    html! {
        figure.media {
            @if kind.starts_with("audio/") { audio controls preload="none" src=(enclosure.url) {} }
            @else if kind.starts_with("video/") { video controls preload="none" src=(enclosure.url) {} }
            figcaption { a href=(enclosure.url) { (name) } " " span.count { (kind) } }
        }
    }
}

fn translations(entry: &Entry, site: &Site) -> Markup {
    let others: Vec<_> = entry.translations.iter().filter(|other| other.key != entry.key).collect();
    html! {
        @if !others.is_empty() {
            p.translations {
                "In other languages: "
                @for other in others {
                    a href=(article_path(site, &other.key)) hreflang=(other.language) lang=(other.language) { (other.title.as_deref().unwrap_or(other.language.as_str())) } " "
                }
            }
        }
    }
}

fn author_box(entry: &Entry, site: &Site) -> Markup {
    html! {
        section.authors {
            h2 { "Written by" }
            @for person in &entry.article.authors {
                p {
                    a href=(term_path(site, Kind::Author, &crate::model::Slug::from_name(&person.name))) { (person.name) }
                    @if let Some(uri) = &person.uri { " · " a href=(uri) rel="noopener" { (host(uri).unwrap_or_else(|| uri.clone())) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::contents;

    #[test]
    fn the_contents_link_the_headings() {
        let html = contents("<h2 id=\"一\">一 <em>二</em></h2><p>x</p><h3 id=\"b\">B</h3>").into_string();
        assert!(html.contains("<a href=\"#一\" dir=\"auto\">一 二</a>") && html.contains("class=\"level3\""), "{html}");
        assert_eq!(contents("<h2 id=\"a\">A</h2>").into_string(), "");
    }
}
