//! The feeds of a web page: those that it names, else links that look like feeds, else the usual places. It fetches
//! nothing.

use std::borrow::Cow;

use url::{Position, Url};

use super::feed::tag::{Tag, TagScanner};
use super::link::is_short;
use crate::model::{Host, is_web, text, web_address};

/// Feeds of one page beyond these are passed over.
const MAX_CANDIDATES: usize = 50;

/// A page that leads elsewhere after more seconds has something to say itself.
const SOON: u32 = 5;

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

impl Candidate {
    /// Whether the page says nothing of it.
    #[must_use]
    pub fn is_guess(&self) -> bool {
        self.evidence == Evidence::Usual
    }
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
    for at in outside_comments(&html) {
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

/// Where a page of no content of its own leads at once (`meta` refresh), if that is at its own host.
#[must_use]
pub fn refresh(html: &[u8], page: &Url) -> Option<Url> {
    let html = String::from_utf8_lossy(html);
    let mut scanner = TagScanner::new(&html);
    let metas = outside_comments(&html).filter(|at| html.get(at + 1..at + 5).is_some_and(|name| name.eq_ignore_ascii_case("meta")));
    let mut contents = metas.filter_map(|at| {
        let (tag, _) = scanner.start_tag(at)?;
        let is_refresh = tag.attribute("http-equiv").is_some_and(|name| name.trim().eq_ignore_ascii_case("refresh"));
        tag.attribute("content").filter(|_| is_refresh).map(text::unescape)
    });
    contents.find_map(|content| refreshed(&content, page))
}

fn refreshed(content: &str, page: &Url) -> Option<Url> {
    let (delay, rest) = content.split_once([';', ','])?;
    let is_soon = delay.trim().split('.').next()?.parse::<u32>().is_ok_and(|seconds| seconds <= SOON);
    let rest = rest.trim();
    let named = rest.get(..3).filter(|name| name.eq_ignore_ascii_case("url")).and_then(|_| rest[3..].trim_start().strip_prefix('='));
    let mut to = page.join(named.unwrap_or(rest).trim().trim_matches(['"', '\''])).ok().filter(is_web)?;
    to.set_fragment(None);
    let is_other = to[..Position::AfterQuery] != page[..Position::AfterQuery];
    (is_soon && is_other && Host::of(&to) == Host::of(page)).then_some(to)
}

/// Where tags may begin. A comment without an end hides nothing.
fn outside_comments(html: &str) -> impl Iterator<Item = usize> {
    let last_end = html.rfind("-->").unwrap_or(0);
    let mut behind_comment = 0;
    html.match_indices('<').filter_map(move |(at, _)| {
        if at < behind_comment {
            return None;
        }
        if html[at..].starts_with("<!--") && at + 2 <= last_end {
            behind_comment = html[at + 2..].find("-->").map_or(at, |end| at + 2 + end);
            return None;
        }
        Some(at)
    })
}

fn candidate(tag: &Tag<'_>, base: &Url) -> Option<Candidate> {
    let attribute = |name| tag.attribute(name).map(text::unescape).filter(|value| !value.trim().is_empty());
    let href = attribute("href")?;
    let mut url = base.join(href.trim()).ok().filter(is_web).or_else(|| web_address(href.trim()))?;
    url.set_fragment(None);
    let title = attribute("title").map(|title| text::line(&title)).filter(|title| !title.is_empty());
    let media_type = attribute("type").map(|media_type| essence(&media_type));
    let evidence = if tag.name.eq_ignore_ascii_case("link") {
        let evidence = stated(&attribute("rel")?, media_type.as_deref(), &url)?;
        let about_comments =
            url.path().to_ascii_lowercase().contains("comments") || title.as_deref().is_some_and(|title| title.contains("omments"));
        if about_comments { evidence.max(Evidence::Comments) } else { evidence }
    } else if tag.name.eq_ignore_ascii_case("a") && (looks_like_feed(&url) || media_type.as_deref().is_some_and(is_feed_type)) {
        Evidence::Linked
    } else {
        return None;
    };
    Some(Candidate { url, title, evidence })
}

/// How a `link` states a feed; `None`: it is about something else.
fn stated(rel: &str, media_type: Option<&str>, url: &Url) -> Option<Evidence> {
    let is = |wanted: &str| rel.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case(wanted));
    let is_general = media_type.is_none_or(|media_type| ["application/json", "application/xml", "text/xml"].contains(&media_type));
    match media_type {
        _ if !is("alternate") && !is("feed") => None,
        Some(media_type) if is_feed_type(media_type) => Some(Evidence::Stated),
        _ if is_general && (is("feed") || media_type.is_some() && looks_like_feed(url)) => Some(Evidence::Stated),
        // Pages name other documents of JSON too, and their translations without a type.
        Some("application/xml" | "text/xml") => Some(Evidence::Linked),
        None if looks_like_feed(url) => Some(Evidence::Linked),
        _ => None,
    }
}

/// A media type without its parameters.
fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a media type is one of feeds, as it is, or as pages write it.
fn is_feed_type(media_type: &str) -> bool {
    let (kind, name) = media_type.split_once('/').unwrap_or_default();
    let name = name.strip_prefix("x-").unwrap_or(name);
    ["application", "text"].contains(&kind) && ["rss+xml", "atom+xml", "feed+json", "rdf+xml", "rss", "atom", "rss-xml"].contains(&name)
}

fn looks_like_feed(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase();
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let asks_for_one = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
        matches!(&*name, "feed" | "format" | "type") && matches!(&*value, "rss" | "rss2" | "atom" | "rdf")
    };
    matches!(last, "feed" | "rss" | "atom" | "feed.xml" | "index.xml" | "feed.json" | "rss.php" | "feeds")
        || [".rss", ".atom", ".rdf", "rss.xml", "atom.xml"].iter().any(|end| last.ends_with(end))
        || url.query_pairs().any(asks_for_one)
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
    fn a_feed_is_named_by_many_types_and_by_none() {
        for tag in [
            "<link rel=alternate type='application/rss&#43;xml' href=/x>",
            "<link rel=alternate type='application/x-rss+xml; charset=utf-8' href=/x>",
            "<link rel=alternate type=text/atom+xml href='feed://blog.example/x'>",
            "<link rel=alternate type=text/rss href='feed:https://blog.example/x#top'>",
            "<link rel=alternate type=text/xml title=RSS href=/x>",
            "<link rel=feed href=/x>",
            "<a type=application/rss+xml href=/x>RSS</a>",
        ] {
            let (https, http) = ("https://blog.example/x".to_owned(), "http://blog.example/x".to_owned());
            assert!([[https], [http]].contains(&found(tag).try_into().unwrap()), "{tag}");
        }
        for (tag, url) in [
            ("<link rel=alternate href=/feed.xml>", "/feed.xml"),
            ("<link rel=alternate type='' href=/a.rss>", "/a.rss"),
            ("<a href='/?feed=rss2'>", "/?feed=rss2"),
            ("<link rel=alternate type=text/xml href=/data><link rel=alternate type=application/rss+xml href=/x>", "/x"),
            ("<link rel=alternate href=/a/feed><link rel=alternate type=application/rss+xml href=/x>", "/x"),
        ] {
            assert_eq!(found(tag)[0], format!("https://blog.example{url}"), "{tag}");
        }
        for tag in [
            "<link rel=alternate hreflang=de href=/de/>",
            "<link rel=alternate type=application/json href=/wp-json/1>",
            "<link rel=alternate type=text/xml+oembed href=/o>",
            "<link rel=alternate type=text/html href=/feed>",
            "<link rel=stylesheet type=text/css href=/rss>",
        ] {
            assert_eq!(found(tag).len(), USUAL_PATHS.len(), "{tag}");
        }
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
    fn a_page_leads_elsewhere_at_once_within_its_host() {
        let page = Url::parse("https://blog.example/").unwrap();
        let to = |content: &str| refresh(format!("<!-- x --><META http-equiv=Refresh content=\"{content}\">").as_bytes(), &page);
        for content in
            ["0; url=/en/", "0;URL='https://blog.example/en/#top'", "1.5 , url = en/", "0; /en/", "0; url=https://blog.example/en&#47;"]
        {
            assert_eq!(to(content).as_ref().map(Url::as_str), Some("https://blog.example/en/"), "{content}");
        }
        for content in ["0", "300; url=/en/", "0; url=/", "0; url=https://other.example/en/", "0; url=javascript:x", "x; url=/en/"] {
            assert_eq!(to(content), None, "{content}");
        }
    }

    #[test]
    fn comments_without_an_end_take_linear_time() {
        assert_eq!(found(&"<!--".repeat(500_000)).len(), USUAL_PATHS.len());
        assert_eq!(found(&format!("{}-->", "<!--".repeat(500_000))).len(), USUAL_PATHS.len());
    }
}
