//! What the formats share of an entry: which text, person and address stands where, made fit to be published.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::{Position, Url};

pub(super) use super::media::media_type;
pub(super) use crate::model::private::without_user;
use crate::model::{Content, Entry, Format, Kind, Person, Selection, Site, Slug, Target, Term, Time, text};

/// How long an excerpt is where a summary is needed and there is none, in graphemes.
const EXCERPT: usize = 300;
/// How long it is where a title is needed.
const TITLE: usize = 80;
/// The schemes of links that may be published.
const SCHEMES: [&str; 8] = ["http", "https", "ftp", "mailto", "magnet", "gemini", "gopher", "xmpp"];

/// A time as RFC 3339 has it, in UTC and to the second.
pub(super) fn date(time: Time) -> String {
    time.format("%FT%TZ").to_string()
}

/// An address as an absolute URI; `None` where it is relative, of another scheme, or no address at all.
pub(super) fn absolute(address: &str) -> Option<Cow<'_, str>> {
    let url = Url::parse(address).ok().filter(|url| SCHEMES.contains(&url.scheme()))?;
    let is_uri = address.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}[]".contains(&byte));
    Some(if is_uri { Cow::Borrowed(address) } else { Cow::Owned(uri(&url)) })
}

/// A URL as RFC 3986 has it: browsers leave `[`, `|` and others as they are behind the host.
fn uri(url: &Url) -> String {
    const ENCODED: &AsciiSet =
        &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'[').add(b'\\').add(b']').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');
    format!("{}{}", &url[..Position::BeforePath], utf8_percent_encode(&url[Position::BeforePath..], ENCODED))
}

/// An address of a source as everybody may know it, if it can be published.
pub(super) fn public(address: Option<&str>) -> Option<String> {
    absolute(&without_user(address?)).map(Cow::into_owned)
}

/// The original, or the article's own page.
pub(super) fn link(entry: &Entry, site: &Site) -> String {
    entry.link.as_deref().and_then(absolute).map_or_else(|| site.article(&entry.key), Cow::into_owned)
}

/// The article's title, if it has one: plain text.
pub(super) fn title(entry: &Entry) -> Option<&str> {
    entry.article.title.as_deref().filter(|title| !title.trim().is_empty())
}

/// The title, or the start of the text, or where there is neither the link.
pub(super) fn title_or_start(entry: &Entry) -> String {
    title(entry).map_or_else(|| or_link(start(entry, TITLE), entry), str::to_owned)
}

/// The content, as sanitised HTML.
pub(super) fn content(entry: &Entry, site: &Site) -> Option<String> {
    html(entry.article.content.as_deref(), entry, site)
}

/// The summary, as sanitised HTML.
pub(super) fn summary(entry: &Entry, site: &Site) -> Option<String> {
    html(entry.article.summary.as_deref(), entry, site)
}

fn html(html: Option<&str>, entry: &Entry, site: &Site) -> Option<String> {
    Some(text::clean(&site.fill(html.filter(|html| !html.trim().is_empty())?, &entry.key)))
}

/// The start of the content, as HTML; the title or the link where there is no text at all.
pub(super) fn excerpt(entry: &Entry) -> String {
    let start = start(entry, EXCERPT);
    let start = if start.is_empty() { or_link(title(entry).unwrap_or_default().to_owned(), entry) } else { start };
    text::escape(&text::clean(&start))
}

fn or_link(text: String, entry: &Entry) -> String {
    if text.is_empty() { entry.link.clone().unwrap_or_default() } else { text }
}

/// The start of the text. Of a long content only the first part is read, if there is text enough in it: what a cut leaves of
/// a reference or a tag stands behind the excerpt.
fn start(entry: &Entry, limit: usize) -> String {
    let html = entry.article.content.as_deref().or(entry.article.summary.as_deref()).unwrap_or_default();
    let first = &html[..html.floor_char_boundary(limit * 40)];
    let text = text::plain(first);
    let is_enough = first.len() == html.len() || text::excerpt(&text, limit + 40) != text;
    if is_enough { text::excerpt(&text, limit) } else { text::excerpt(&text::plain(html), limit) }
}

/// The text of an entry in a feed, by what was asked for: a summary, and the content unless only summaries are wanted.
/// In a feed a link to a part of the article leads to its page.
pub(super) fn texts(entry: &Entry, site: &Site, wanted: Content) -> (Option<String>, Option<String>) {
    let absolute = |html: String| to_page(html, &site.article(&entry.key));
    let summary = summary(entry, site).map(absolute);
    match wanted {
        Content::Full => (summary, content(entry, site).map(absolute)),
        Content::Summary => (Some(summary.unwrap_or_else(|| excerpt(entry))), None),
    }
}

/// Cleaned HTML whose links to parts of its page name the page.
fn to_page(html: String, page: &str) -> String {
    const TO_PART: &str = "href=\"#";
    if !html.contains(TO_PART) {
        return html;
    }
    let mut linked = String::with_capacity(html.len() + 2 * page.len());
    // A text may have such words, too; it has no `<` as it is.
    let mut parts = html.split('<');
    linked.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let mut is_quoted = false;
        let end = part.find(|c| {
            is_quoted ^= c == '"';
            c == '>' && !is_quoted
        });
        let (tag, text) = part.split_at(end.unwrap_or(part.len()));
        linked.push('<');
        linked.push_str(&tag.replace(TO_PART, &format!("href=\"{page}#")));
        linked.push_str(text);
    }
    linked
}

/// A piece of HTML as plain text, if it is nothing more than that.
pub(super) fn as_plain(html: &str) -> Option<String> {
    (!html.contains('<')).then(|| text::unescape(html))
}

/// A person's name, else what stands for it; `None` if nothing is known of them.
pub(super) fn person_name(person: &Person) -> Option<&str> {
    let names = [Some(person.name.as_str()), email(person), person.uri.as_deref()];
    names.into_iter().flatten().find(|name| !name.trim().is_empty())
}

/// A person's address, if it can be one (RFC 5322 3.4.1, its everyday part).
pub(super) fn email(person: &Person) -> Option<&str> {
    let is_made_of = |part: &str, signs: &[u8]| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || signs.contains(&b));
    let is_domain =
        |domain: &str| is_made_of(domain, b"-.") && domain.split('.').count() > 1 && domain.split('.').all(|label| !label.is_empty());
    let is_address =
        |address: &&str| address.split_once('@').is_some_and(|(local, domain)| is_made_of(local, b"._%+-") && is_domain(domain));
    person.email.as_deref().map(str::trim).filter(is_address)
}

/// The authors of an entry, else those of its source: a feed's authors are those of its entries (RFC 4287 4.2.1).
pub(super) fn authors(entry: &Entry) -> &[Person] {
    if entry.article.authors.is_empty() { &entry.source.authors } else { &entry.article.authors }
}

/// The URL that a category's or a tag's `domain` or `scheme` names.
pub(super) fn scheme(kind: Kind, site: &Site) -> String {
    site.url(&format!("/{kind}"))
}

/// Whether terms of a kind stand in feeds as categories.
pub(super) fn is_label(kind: Kind) -> bool {
    matches!(kind, Kind::Category | Kind::Tag)
}

/// The feed of an entry's source: the upstream one without secrets, else our own.
pub(super) fn source_feed(entry: &Entry, site: &Site) -> String {
    public(entry.source.feed.as_deref()).unwrap_or_else(|| site.link(&Target::feed(&source(&entry.source.slug), Format::Rss)))
}

/// The selection of a source.
pub(super) fn source(slug: &Slug) -> Selection {
    Selection::of(Kind::Source, slug.clone())
}

/// The pages of an entry in other languages: language and URL, one a language. Where there are any, the entry's own
/// link ends the list, since some readers take the first `alternate` and others the last.
pub(super) fn alternates(entry: &Entry, site: &Site) -> Vec<(Option<String>, String)> {
    let mut pages: Vec<(Option<String>, String)> = translations(entry, site).map(|(language, url)| (Some(language), url)).collect();
    if !pages.is_empty() {
        pages.push((entry.language().map(ToString::to_string), link(entry, site)));
    }
    pages
}

/// The pages of an entry's translations, itself left out: language and URL.
pub(super) fn translations<'a>(entry: &'a Entry, site: &'a Site) -> impl Iterator<Item = (String, String)> + 'a {
    let others = entry.translations.iter().filter(|other| other.key != entry.key && Some(&other.language) != entry.language());
    others.map(|other| (other.language.to_string(), site.article(&other.key)))
}

/// The page of a term.
pub(super) fn term_page(term: &Term, site: &Site) -> String {
    site.link(&Target::page(&Selection::of(term.name.kind, term.name.slug.clone())))
}

/// The page of a source.
pub(super) fn source_page(slug: &Slug, site: &Site) -> String {
    site.link(&Target::page(&source(slug)))
}

#[cfg(test)]
mod tests {
    use super::super::samples::bare;
    use super::*;

    #[test]
    fn links_to_parts_name_their_page_and_words_that_look_so_stay() {
        for (html, linked) in [
            ("<a title=\"a > b\" href=\"#x\">c</a> href=\"#y\"", "<a title=\"a > b\" href=\"PAGE#x\">c</a> href=\"#y\""),
            ("<code>&lt;a href=\"#top\"&gt;</code>", "<code>&lt;a href=\"#top\"&gt;</code>"),
            ("href=\"#a\"<a href=\"#b\"", "href=\"#a\"<a href=\"PAGE#b\""),
        ] {
            assert_eq!(to_page(html.to_owned(), "PAGE"), linked);
        }
    }

    #[test]
    fn an_excerpt_of_a_long_content_is_that_of_the_whole() {
        let long = |html: String| {
            let mut entry = bare();
            entry.article.content = Some(html);
            entry
        };
        for html in [
            "<p>words &amp; more</p>".repeat(2000),
            format!("{}<p>{}</p>", "<br>".repeat(5000), "late &amp; ".repeat(100)),
            "<b>&amp;</b>".repeat(1300),
        ] {
            let entry = long(html);
            let expected = text::excerpt(&text::plain(entry.article.content.as_ref().unwrap()), EXCERPT);
            assert_eq!(start(&entry, EXCERPT), expected);
        }
    }

    #[test]
    fn only_absolute_addresses_of_known_schemes_are_published_and_as_uris() {
        for (address, expected) in [
            ("https://a.example/x?y=1#z", Some("https://a.example/x?y=1#z")),
            ("https://a.example", Some("https://a.example")),
            ("https://例子.example/一 二", Some("https://xn--fsqu00a.example/%E4%B8%80%20%E4%BA%8C")),
            ("https://a.example/[x]?id[0]={1}|^#[`]", Some("https://a.example/%5Bx%5D?id%5B0%5D=%7B1%7D%7C%5E#%5B%60%5D")),
            ("http://[::1]:8/x", Some("http://[::1]:8/x")),
            (
                "magnet:?xt=urn:btih:c12fe1c06bba254a9dc9f519b335aa7c1367a88a",
                Some("magnet:?xt=urn:btih:c12fe1c06bba254a9dc9f519b335aa7c1367a88a"),
            ),
            ("/relative", None),
            ("a.png", None),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("https://", None),
            ("", None),
        ] {
            assert_eq!(absolute(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn addresses_of_people_are_published_only_if_they_can_be_ones() {
        for (email, is_address) in [
            ("a.b+c@mail.example", true),
            (" a@b.example ", true),
            ("a@b", false),
            ("a b@c.example", false),
            ("@c.example", false),
            ("a@b@c.example", false),
            ("a@.example", false),
            ("", false),
        ] {
            let person = Person { email: Some(email.to_owned()), ..Person::default() };
            assert_eq!(super::email(&person), is_address.then_some(email.trim()), "{email:?}");
        }
    }
}
