//! The feeds of a web page: those that it names, else links that look like feeds, else the usual places. It fetches
//! nothing.

use url::{Position, Url};

use super::feed::tag::{Tag, TagScanner};
use super::link::is_short;
use crate::model::{is_web, text};

/// Feeds of one page beyond these are passed over.
const MAX_CANDIDATES: usize = 50;

/// Where sites have their feed that do not say so.
const USUAL_PATHS: [&str; 6] = ["/feed", "/rss.xml", "/atom.xml", "/feed.xml", "/index.xml", "/feed.json"];

/// A feed that a page may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Absolute.
    pub url: Url,
    /// What the page calls it.
    pub title: Option<String>,
    /// How the page says it.
    pub evidence: Evidence,
}

/// How sure it is that a URL is a feed; the surer is the less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// The page names it as its feed.
    Stated,
    /// As before, but it is one of comments.
    Comments,
    /// The page links to it, and it looks like one.
    Linked,
    /// Others have theirs there.
    Usual,
}

/// The feeds of a page, best first; only if it names none and links to none, the usual places are guessed.
#[must_use]
pub fn feeds(html: &[u8], page: &Url) -> Vec<Candidate> {
    let html = String::from_utf8_lossy(html);
    let mut scanner = TagScanner::new(&html);
    let mut base = page.clone();
    let mut found: Vec<Candidate> = Vec::new();
    // A comment without an end hides nothing.
    let last_end = html.rfind("-->").unwrap_or(0);
    let mut behind_comment = 0;
    for (at, _) in html.match_indices('<') {
        if at < behind_comment {
            continue;
        }
        if html[at..].starts_with("<!--") && at + 2 <= last_end {
            behind_comment = html[at + 2..].find("-->").map_or(at, |end| at + 2 + end);
            continue;
        }
        let name = html[at + 1..].bytes().take(4).map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>();
        if !(name == b"link" || name == b"base" || name.starts_with(b"a") && name.get(1).is_some_and(u8::is_ascii_whitespace)) {
            continue;
        }
        let Some((tag, _)) = scanner.start_tag(at) else { continue };
        if tag.name.eq_ignore_ascii_case("base") {
            let stated = tag.attribute("href").and_then(|href| page.join(href.trim()).ok());
            base = stated.filter(is_short).unwrap_or(base);
        } else if let Some(candidate) = candidate(&tag, &base)
            && candidate.url[..Position::AfterQuery] != page[..Position::AfterQuery]
            && found.len() < MAX_CANDIDATES
            && !found.iter().any(|known| known.url == candidate.url)
        {
            found.push(candidate);
        }
    }
    found.sort_by_key(|candidate| candidate.evidence);
    if found.is_empty() { usual(page) } else { found }
}

fn candidate(tag: &Tag<'_>, base: &Url) -> Option<Candidate> {
    let href = tag.attribute("href").map(text::unescape).filter(|href| !href.trim().is_empty())?;
    let url = base.join(href.trim()).ok().filter(is_web)?;
    let title = tag.attribute("title").map(|title| text::line(&text::unescape(title))).filter(|title| !title.is_empty());
    let evidence = if tag.name.eq_ignore_ascii_case("link") {
        let is_alternate = tag
            .attribute("rel")?
            .split_ascii_whitespace()
            .any(|rel| rel.eq_ignore_ascii_case("alternate") || rel.eq_ignore_ascii_case("feed"));
        if !is_alternate || !is_feed_type(tag.attribute("type")?, &url) {
            return None;
        }
        let about_comments =
            url.path().to_ascii_lowercase().contains("comments") || title.as_deref().is_some_and(|title| title.contains("omments"));
        if about_comments { Evidence::Comments } else { Evidence::Stated }
    } else if tag.name.eq_ignore_ascii_case("a") && looks_like_feed(&url) {
        Evidence::Linked
    } else {
        return None;
    };
    Some(Candidate { url, title, evidence })
}

/// JSON is a feed only by its own type or name: pages name other documents of JSON too.
fn is_feed_type(media_type: &str, url: &Url) -> bool {
    match media_type.trim().to_ascii_lowercase().split(';').next().unwrap_or_default().trim() {
        "application/rss+xml"
        | "application/atom+xml"
        | "application/feed+json"
        | "application/rdf+xml"
        | "text/rss+xml"
        | "application/rss"
        | "application/atom" => true,
        "application/json" | "application/xml" | "text/xml" => looks_like_feed(url),
        _ => false,
    }
}

fn looks_like_feed(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase();
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    matches!(last, "feed" | "rss" | "atom" | "feed.xml" | "index.xml" | "feed.json" | "rss.php" | "feeds")
        || [".rss", ".atom", ".rdf", "rss.xml", "atom.xml"].iter().any(|end| last.ends_with(end))
}

fn usual(page: &Url) -> Vec<Candidate> {
    let candidate = |path: &&str| Some(Candidate { url: page.join(path).ok()?, title: None, evidence: Evidence::Usual });
    USUAL_PATHS.iter().filter_map(candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(html: &str) -> Vec<String> {
        let page = Url::parse("https://blog.example/posts/").unwrap();
        feeds(html.as_bytes(), &page).into_iter().map(|candidate| candidate.url.into()).collect()
    }

    #[test]
    fn a_page_yields_its_feeds_best_first() {
        let html = "<!doctype html><head><base href='/sub/'><LINK rel=alternate type=application/rss+xml title='Comments' href=comments/feed>\
            <link rel=\"alternate\" type=\"application/atom+xml\" href=\"atom.xml?a=1&amp;b=2\"><link rel='alternate' hreflang='de' href='/de'>\
            <link rel=alternate type='application/json+oembed' href='/oembed'><link rel='alternate home' type='application/feed+json' href='//cdn.example/f'>\
            <body><a href='/other/rss'>RSS</a><a href='javascript:feed'>x</a>";
        let expected = [
            "https://blog.example/sub/atom.xml?a=1&b=2",
            "https://cdn.example/f",
            "https://blog.example/sub/comments/feed",
            "https://blog.example/other/rss",
        ];
        assert_eq!(found(html), expected);
    }

    #[test]
    fn a_page_that_names_none_is_tried_at_the_usual_places() {
        assert_eq!(found("<p>1 < 2</p>").first().map(String::as_str), Some("https://blog.example/feed"));
    }

    #[test]
    fn neither_the_page_itself_nor_what_a_comment_holds_is_a_feed_of_it() {
        let link = |href: &str| format!("<link rel=alternate type=application/rss+xml href='{href}'>");
        for (before, after) in [("<!--", "-->"), ("<!-- a <!-- b ", "--!> -->"), ("<!--> <!---> <!--x", "--->")] {
            let html = format!("{}{}{before}{}{after}{}", link(" "), link("/posts/#top"), link("/old.rss"), link("/new.rss"));
            assert_eq!(found(&html), ["https://blog.example/new.rss"], "{html}");
        }
        assert_eq!(found(&format!("<!-- x {}", link("/new.rss"))), ["https://blog.example/new.rss"]);
    }

    #[test]
    fn comments_without_an_end_take_linear_time() {
        assert_eq!(found(&"<!--".repeat(500_000)).len(), USUAL_PATHS.len());
        assert_eq!(found(&format!("{}-->", "<!--".repeat(500_000))).len(), USUAL_PATHS.len());
    }
}
