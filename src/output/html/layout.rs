//! What all pages share: the head, the header, the footer, and how links, dates and names are written.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::assets::{ICON_PATH, STYLE_PATH};
use crate::model::{ArticleForm, ArticleKey, Document, Entry, Format, Kind, Language, MenuLink, Selection, Site, Slug, Target, Time};

/// The id of what a page is about; a heading of an article gets none with a colon.
const MAIN: &str = "main:page";

/// What a page says of itself.
pub(super) struct Layout<'a> {
    pub(super) site: &'a Site,
    /// What a bookmark of it is called, the site's name included.
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    /// The path that it is linked with, which tells the header where the reader is.
    pub(super) place: Option<String>,
    /// The page's own URL; an error has none.
    pub(super) canonical: Option<String>,
    /// The name and the URLs of the feeds that a reader finds here.
    pub(super) feeds: (&'a str, [String; 3]),
    /// The pages before and after it: relation and URL.
    pub(super) sequence: Vec<(&'static str, String)>,
    /// The words that were searched for.
    pub(super) words: String,
    /// Pages in other languages: language and URL.
    pub(super) alternates: Vec<(String, String)>,
    /// The site's menus.
    pub(super) menus: &'a [(String, Vec<MenuLink>)],
}

impl<'a> Layout<'a> {
    /// A page that says nothing of itself, with the feeds of everything.
    pub(super) fn of(site: &'a Site) -> Self {
        let feeds = Format::ALL.map(|format| site.link(&Target::feed(&Selection::default(), format)));
        Self {
            site,
            title: &site.title,
            description: "",
            place: None,
            canonical: None,
            feeds: (&site.title, feeds),
            sequence: Vec::new(),
            words: String::new(),
            alternates: Vec::new(),
            menus: &[],
        }
    }
}

/// A path of ours below the site's prefix.
pub(super) fn local(site: &Site, path: &str) -> String {
    format!("{}{path}", site.prefix())
}

/// The path of a term's page.
pub(super) fn term_path(site: &Site, kind: Kind, slug: &Slug) -> String {
    local(site, &Target::page(&Selection::of(kind, slug.clone())).path())
}

/// The path of an article's page, or of another form of it.
pub(super) fn article_path(site: &Site, key: &ArticleKey, form: ArticleForm) -> String {
    local(site, &Target::Article(key.clone(), form).path())
}

/// A link to an article of which only the title is known: its language is not that of our own words.
pub(super) fn article_link(site: &Site, key: &ArticleKey, title: &str) -> Markup {
    html! { a href=(article_path(site, key, ArticleForm::Page)) lang="" dir="auto" { (title) } }
}

/// The language of an article's words; unknown is said as such (HTML 3.2.6.2), or they would be taken for English.
pub(super) fn language(entry: &Entry) -> &str {
    entry.language().map_or("", Language::as_str)
}

/// A URL of the world that a page may link or load: no scheme that could act. Everything was cleaned on the way in; this
/// is the second lock.
pub(super) fn safe(url: &str) -> Option<&str> {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https")).then_some(url)
}

/// The host of a URL, without the `www.` that nobody says.
pub(super) fn host(url: &str) -> Option<String> {
    let host = url::Url::parse(url).ok()?.host_str()?.to_owned();
    Some(host.strip_prefix("www.").map_or(host.clone(), str::to_owned))
}

/// A day in the site's zone, with the minute for those who point at it.
pub(super) fn day(site: &Site, time: Time) -> Markup {
    let local = time.with_timezone(&site.zone);
    html! { time datetime=(local.format("%FT%T%:z")) title=(local.format("%F %R %Z")) { (local.format("%F")) } }
}

/// A minute in the site's zone.
pub(super) fn minute(site: &Site, time: Time) -> Markup {
    let local = time.with_timezone(&site.zone);
    html! { time datetime=(local.format("%FT%T%:z")) { (local.format("%F %R %Z")) } }
}

/// Links to a selection's three feeds.
pub(super) fn feed_links(title: &str, urls: &[String; 3]) -> Markup {
    html! {
        span.feeds {
            @for (format, url) in Format::ALL.into_iter().zip(urls) {
                a href=(url) type=(format.plain_media_type()) aria-label={ (title) ": " (format.name()) } { (short(format)) }
                " "
            }
        }
    }
}

/// The paths of a term's three feeds.
pub(super) fn term_feeds(site: &Site, kind: Kind, slug: &Slug) -> [String; 3] {
    Format::ALL.map(|format| local(site, &Target::feed(&Selection::of(kind, slug.clone()), format).path()))
}

const fn short(format: Format) -> &'static str {
    match format {
        Format::Rss => "RSS",
        Format::Atom => "Atom",
        Format::Json => "JSON",
    }
}

/// A whole page. Its own words are English, so that is its language; the articles' words say theirs.
pub(super) fn page(layout: &Layout<'_>, main: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(layout))
            body {
                a.skip href={ "#" (MAIN) } { "Skip to the content" }
                (header(layout))
                main id=(MAIN) { (main) }
                (footer(layout))
            }
        }
    }
    .into_string()
}

fn head(layout: &Layout<'_>) -> Markup {
    let site = layout.site;
    let (title, urls) = &layout.feeds;
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (layout.title) }
            @if !layout.description.is_empty() { meta name="description" content=(layout.description); }
            link rel="stylesheet" href=(local(site, &STYLE_PATH));
            @if !site.is_static {
                link rel="search" type="application/opensearchdescription+xml" title=(site.title) href=(local(site, Document::OpenSearch.path()));
            }
            link rel="icon" href=(local(site, &ICON_PATH)) type="image/svg+xml";
            @match &layout.canonical {
                Some(canonical) => { link rel="canonical" href=(canonical); }
                None => { meta name="robots" content="noindex"; }
            }
            @for (relation, url) in &layout.sequence { link rel=(relation) href=(url); }
            @for (format, url) in Format::ALL.into_iter().zip(urls) {
                link rel="alternate" type=(format.plain_media_type()) title={ (title) " (" (format.name()) ")" } href=(url);
            }
            @for (language, url) in &layout.alternates { link rel="alternate" hreflang=(language) href=(url); }
        }
    }
}

fn header(layout: &Layout<'_>) -> Markup {
    let site = layout.site;
    let places = [Kind::Category, Kind::Tag, Kind::Source].map(|kind| (Target::Directory(kind).path(), capital(kind.plural())));
    let latest = ("/".to_owned(), "Latest".to_owned());
    html! {
        header.site {
            a.name href=(local(site, "/")) dir="auto" { (site.title) }
            nav aria-label="Site" {
                @for (path, name) in std::iter::once(&latest).chain(&places) {
                    a href=(local(site, path)) aria-current=[(layout.place.as_ref() == Some(path)).then_some("page")] { (name) }
                    " "
                }
                @for link in menu(layout.menus, "main") { (article_link(site, &link.key, &link.title)) " " }
            }
            @if !site.is_static { (search_form(site, &layout.words)) }
        }
    }
}

/// The form that searches all articles.
pub(super) fn search_form(site: &Site, words: &str) -> Markup {
    html! {
        form.search role="search" action=(local(site, "/")) {
            input type="search" name="q" value=(words) aria-label="Words to search for" placeholder="Search" maxlength="256" required;
            button { "Search" }
        }
    }
}

fn footer(layout: &Layout<'_>) -> Markup {
    let site = layout.site;
    html! {
        footer.site {
            @for link in menu(layout.menus, "footer") { (article_link(site, &link.key, &link.title)) " " }
            a href=(local(site, Document::Feeds.path())) { "All feeds (OPML)" }
            " "
            a href=(local(site, Document::Sources.path())) { "All sources (OPML)" }
            " "
            span { "Made with Feedmill" }
        }
    }
}

/// The links of a menu.
pub(super) fn menu<'a>(menus: &'a [(String, Vec<MenuLink>)], name: &str) -> &'a [MenuLink] {
    menus.iter().find(|(menu, _)| menu == name).map_or(&[], |(_, links)| links)
}

/// A word with a capital.
pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// HTML that was sanitised on the way in.
pub(super) fn sanitised(html: &str) -> PreEscaped<&str> {
    PreEscaped(html)
}
