//! Full texts, with real pages of a real server: what is asked for, when, and what becomes of it.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use feedmill::model::{Entry, Header, Network, NewSource, Source, SourceKind, SourceSettings, Time};
use feedmill::poll::{Pace, Reader};
use feedmill::source::fetch::{Client, Limits, Options};

use crate::rules::{dropping, under};
use crate::store::{Fixture, day};
use crate::upstream::Upstream;

const WORDS: &str = "The mill stands in the valley, and nobody knows since when, though many have asked. ";

fn reader() -> Reader {
    let allow_addresses = vec![Network::parse("127.0.0.1").unwrap()];
    let client = Client::new(&Options { limits: Limits::default(), allow_addresses, ..Options::default() }).unwrap();
    let pace =
        Pace { min: Duration::from_mins(15), max: Duration::from_hours(24), every: Duration::from_mins(30), spacing: Duration::ZERO };
    Reader { client, zone: Tz::UTC, pace, max_file: 1 << 20, max_bundle_file: 1 << 20 }
}

fn settings() -> SourceSettings {
    SourceSettings { full_text: true, ..SourceSettings::default() }
}

/// A source with full texts, read once.
struct Reading {
    f: Fixture,
    up: Upstream,
    source: Source,
    reader: Reader,
}

impl Reading {
    async fn new(settings: SourceSettings) -> Self {
        let (f, up) = (Fixture::new().await, Upstream::new());
        let new = NewSource { kind: SourceKind::Feed, location: up.url("/feed"), slug: None, title: "Up".into(), settings };
        let source = f.store.add_source(new, day(0)).await.unwrap().0;
        Self { f, up, source, reader: reader() }
    }

    /// Reads the feed as the poller does; gives what was remarked.
    async fn read(&self, now: Time) -> Vec<String> {
        self.f.store.release(vec![self.source.id], now).await.unwrap();
        let source = self.f.store.claim(now, 1, self.reader.pace.lease()).await.unwrap().pop().unwrap();
        let (_, remarks) = self.reader.read(&self.f.store, source, now).await.result.unwrap();
        remarks.repairs.iter().map(ToString::to_string).collect()
    }

    async fn article(&self, title: &str) -> Entry {
        let entries = self.f.page("/feed?limit=500").await.entries;
        entries.into_iter().find(|entry| entry.article.title.as_deref() == Some(title)).unwrap()
    }

    async fn content(&self, title: &str) -> String {
        self.article(title).await.article.content.unwrap_or_default()
    }

    /// A feed with an item for each title, which leads to the page of that name.
    fn feed(&self, titles: &[&str]) -> String {
        feed(titles.iter().map(|title| (*title, self.up.url(&format!("/{title}")))))
    }
}

fn feed<'a>(items: impl Iterator<Item = (&'a str, String)>) -> String {
    let items: String = items
        .map(|(title, link)| {
            format!(
                "<item><title>{title}</title><guid>{title}</guid><link>{link}</link><description>Teaser of {title}.</description></item>"
            )
        })
        .collect();
    format!(
        "<rss version=\"2.0\"><channel><title>Up</title><link>https://up.example/</link><description>d</description>{items}</channel></rss>"
    )
}

fn page(words: &str) -> String {
    let paragraph = format!("<p>{}</p>", words.repeat(8));
    format!(
        "<!doctype html><html><head><title>t</title></head><body><nav><a href=/>Home</a></nav><article>{paragraph}<p><a href=more>more</a></p>{paragraph}</article></body></html>"
    )
}

const HTML: &str = "200 OK\r\nContent-Type: text/html";
const RSS: &str = "200 OK\r\nETag: \"1\"";

#[tokio::test]
async fn the_page_of_a_new_article_is_asked_for_once_and_that_of_a_changed_one_again() {
    let r = Reading::new(settings()).await;
    r.up.then("/feed", RSS, &r.feed(&["a", "b"])).then("/a", HTML, &page(WORDS)).then("/b", "301 Moved\r\nLocation: /c/", "").then(
        "/c/",
        HTML,
        &page(WORDS),
    );
    assert_eq!(r.read(day(1)).await, Vec::<String>::new());
    let (a, b) = (r.article("a").await, r.content("b").await);
    let content = a.article.content.as_deref().unwrap();
    assert!(content.contains(WORDS.trim()) && !content.contains("Home"), "{content}");
    assert!(content.contains(&format!("href=\"{}\"", r.up.url("/more"))), "links are absolute: {content}");
    assert!(b.contains(&format!("href=\"{}\"", r.up.url("/c/more"))), "where the page stands in the end: {b}");
    assert_eq!(a.article.summary.as_deref(), Some("Teaser of a."), "the feed's own words are the summary");
    r.read(day(2)).await;
    assert_eq!((r.up.asked("/a"), r.up.asked("/b"), r.up.most_at_once()), (1, 1, 1));
    assert_eq!((&r.article("a").await, r.article("a").await.generation), (&a, a.generation), "an unchanged article stays as it is");
    let requests = r.up.requests();
    assert_eq!(requests.last().unwrap().header("if-none-match"), Some("\"1\""));

    r.up.now("/feed").then("/feed", RSS, &r.feed(&["a", "b"]).replace("Teaser of a", "Other teaser of a"));
    r.up.now("/a").then("/a", HTML, &page("Now the mill is gone, and so are all who asked about it. "));
    r.read(day(3)).await;
    assert_eq!((r.up.asked("/a"), r.up.asked("/b")), (2, 1));
    assert!(r.content("a").await.contains("Now the mill is gone") && r.content("b").await.contains("The mill stands"));
}

#[tokio::test]
async fn what_a_page_does_not_say_the_feed_says() {
    let r = Reading::new(settings()).await;
    r.up.then("/feed", RSS, &r.feed(&["missing", "picture", "empty", "short", "gbk"]))
        .then("/picture", "200 OK\r\nContent-Type: image/png", "png")
        .then("/empty", HTML, "<html></html>")
        .then("/short", HTML, "<article><p>x</p></article>");
    let gbk = "<html><head><meta charset=gb2312></head><body><article>".to_owned()
        + &"<p>山谷里的磨坊已经站了很多年，没有人知道它是什么时候建的。</p>".repeat(9);
    let gbk = encoding_rs::GBK.encode(&gbk).0.into_owned();
    r.up.then_with(
        "/gbk",
        Arc::new(move |stream| {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", gbk.len());
            drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&gbk)));
        }),
    );
    let remarks = r.read(day(1)).await;
    assert_eq!(remarks.len(), 4, "{remarks:?}");
    for (remark, reason) in remarks.iter().zip(["404", "it is image/png", "no article is found", "less text than the feed"]) {
        assert!(remark.contains("the feed's own content is kept: ") && remark.contains(reason), "{remark}");
    }
    for title in ["missing", "picture", "empty", "short"] {
        assert_eq!(r.content(title).await, format!("Teaser of {title}."));
    }
    assert!(r.content("gbk").await.contains("山谷里的磨坊"), "the encoding is found as that of a feed is");
    let stored = r.f.store.sources().await.unwrap().remove(0);
    assert_eq!(stored.status.repairs.len(), 4, "they are shown with the source");
    r.read(day(2)).await;
    assert_eq!(r.up.asked("/missing"), 1, "a failure is not tried again");
}

#[tokio::test]
async fn one_reading_asks_for_some_pages_and_the_next_ones_go_on() {
    let r = Reading::new(settings()).await;
    let titles: Vec<String> = (0..45).map(|number| format!("p{number}")).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    r.up.then("/feed", RSS, &r.feed(&titles));
    for title in &titles {
        r.up.then(&format!("/{title}"), HTML, &page(WORDS));
    }
    let asked = || r.up.requests().len();
    r.read(day(1)).await;
    assert_eq!((asked(), r.up.asked("/p0"), r.up.asked("/p44")), (21, 1, 0));
    assert_eq!(r.content("p44").await, "Teaser of p44.", "articles do not wait for their pages");
    r.read(day(2)).await;
    assert_eq!(r.up.requests()[21].header("if-none-match"), None, "who is left is in the whole document alone");
    assert_eq!(asked(), 42);
    r.read(day(3)).await;
    r.read(day(4)).await;
    assert_eq!(asked(), 42 + 6 + 1);
    assert_eq!(r.up.requests().last().unwrap().header("if-none-match"), Some("\"1\""));
    for title in &titles {
        assert!(r.content(title).await.contains(WORDS.trim()), "{title}");
        assert_eq!(r.up.asked(&format!("/{title}")), 1);
    }
}

#[tokio::test]
async fn a_host_that_wishes_to_be_left_alone_is_and_asked_later() {
    let r = Reading::new(settings()).await;
    r.up.then("/feed", RSS, &r.feed(&["a", "b"]));
    r.up.then("/a", "429 Slow\r\nRetry-After: 3600", "").then("/a", "429 Slow", "").then("/a", HTML, &page(WORDS));
    r.up.then("/b", HTML, &page(WORDS));
    for (time, asked) in [(TimeDelta::zero(), (1, 0)), (TimeDelta::hours(2), (2, 0)), (TimeDelta::hours(3), (3, 1))] {
        assert!(r.read(day(1) + time).await.is_empty());
        assert_eq!((r.up.asked("/a"), r.up.asked("/b")), asked);
    }
    assert!(r.content("a").await.contains(WORDS.trim()));
}

#[tokio::test]
async fn secrets_of_a_source_go_to_no_other_host_and_private_pages_are_not_asked_for() {
    let headers = vec![Header { name: "X-Key".into(), value: "hush".into() }];
    let r = Reading::new(SourceSettings { headers, ..settings() }).await;
    let other = Upstream::new();
    other.then("/b", HTML, &page(WORDS));
    r.up.then("/a", HTML, &page(WORDS));
    let items =
        [("a", r.up.url("/a")), ("b", other.url("/b")), ("c", "http://10.0.0.1/c".to_owned()), ("d", "https://up.example/".to_owned())];
    r.up.then("/feed", RSS, &feed(items.into_iter()));
    let remarks = r.read(day(1)).await;
    assert!(remarks.len() == 1 && remarks[0].starts_with("c: "), "a front page is no article's: {remarks:?}");
    assert_eq!(r.up.requests().iter().map(|request| request.header("x-key")).collect::<Vec<_>>(), [Some("hush"), Some("hush")]);
    assert_eq!(other.requests()[0].header("x-key"), None);
    assert!(r.content("b").await.contains(WORDS.trim()));
}

#[tokio::test]
async fn switching_it_on_reads_the_pages_and_off_gives_the_feeds_own_words_back() {
    let r = Reading::new(SourceSettings::default()).await;
    r.up.then("/feed", RSS, &r.feed(&["a"])).then("/a", HTML, &page(WORDS));
    r.read(day(1)).await;
    assert_eq!((r.content("a").await.as_str(), r.up.asked("/a")), ("Teaser of a.", 0));
    r.f.store.edit_source(r.source.id, settings(), None, day(2)).await.unwrap();
    r.read(day(2)).await;
    assert!(r.content("a").await.contains(WORDS.trim()));
    r.f.store.edit_source(r.source.id, SourceSettings::default(), None, day(3)).await.unwrap();
    r.read(day(3)).await;
    assert_eq!((r.content("a").await.as_str(), r.up.asked("/a")), ("Teaser of a.", 1));
}

#[tokio::test]
async fn what_a_rule_drops_is_not_asked_for() {
    let mut r = Reading::new(settings()).await;
    r.f.store = under(&r.f.store, vec![dropping("^a$")]);
    r.up.then("/feed", RSS, &r.feed(&["a", "b"])).then("/a", HTML, &page(WORDS)).then("/b", HTML, &page(WORDS));
    r.read(day(1)).await;
    r.read(day(2)).await;
    assert_eq!((r.up.asked("/a"), r.up.asked("/b")), (0, 1));
}
