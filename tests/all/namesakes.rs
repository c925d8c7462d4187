//! Items of a feed that share an id, or have another one each time, reading after reading: each is an article, and stays it.

use feedmill::model::{Applied, Article, Batch, Link, Source, SourceKind, Time};
use feedmill::source::feed::{FeedContext, FeedLimits, parse};

use crate::server::Server;
use crate::store::{Fixture, article, day};

/// What is stored of a feed: titles with published ids and times of listing, the newest first.
async fn read(f: &Fixture, source: &Source, items: &[String], now: Time) -> Vec<(String, String, Time)> {
    let text = format!("<rss><channel>{}</channel></rss>", items.concat());
    let context = FeedContext { url: None, charset: None, encoding: None, zone: chrono_tz::Tz::UTC, limits: FeedLimits::default() };
    let articles = parse(text.as_bytes(), &context).unwrap().articles;
    f.store.apply(source.id, Batch { articles, ..Batch::default() }, None, now).await.unwrap();
    let entries = f.page("/").await.entries.into_iter();
    entries.map(|entry| (entry.article.title.clone().unwrap(), entry.id.clone(), entry.listed)).collect()
}

async fn keeps_all(item: impl Fn(i64) -> String) {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let mut before = Vec::new();
    for newest in 1..6 {
        let items: Vec<String> = (1..=newest).rev().map(&item).collect();
        let now = read(&f, &source, &items, day(newest)).await;
        assert_eq!((now.len(), &now[1..]), (before.len() + 1, before.as_slice()), "{items:?}");
        assert_eq!(read(&f, &source, &items, day(newest)).await, now);
        before = now;
    }
    // One that is left alone has the id for itself again.
    let last = read(&f, &source, &[item(5)], day(6)).await;
    assert_eq!(last, before);
}

#[tokio::test]
async fn articles_of_a_feed_whose_items_have_one_id_keep_their_ids_and_places() {
    let dated = |n: i64| format!("<pubDate>{}</pubDate>", day(n).to_rfc2822());
    keeps_all(|n| format!("<item><guid>g</guid><title>{n}</title><link>https://a.example/{n}</link></item>")).await;
    keeps_all(|n| format!("<item><guid>https://a.example/</guid><title>{n}</title><link>https://a.example/{n}</link>{}</item>", dated(n)))
        .await;
    keeps_all(|n| format!("<item><guid>g</guid><title>{n}</title>{}</item>", dated(n))).await;
    keeps_all(|n| format!("<item><link>https://a.example/</link><title>{n}</title>{}</item>", dated(n))).await;
}

#[tokio::test]
async fn an_item_that_says_no_more_than_its_words_stays_itself_when_others_take_its_id() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let item = |text: &str| format!("<item><title>Update</title><description>{text}</description></item>");
    let one = read(&f, &source, &[item("one")], day(1)).await;
    let two = read(&f, &source, &[item("two"), item("one")], day(2)).await;
    assert_eq!((two.len(), &two[1..]), (2, one.as_slice()));
    let three = read(&f, &source, &[item("three"), item("two"), item("one")], day(3)).await;
    assert_eq!((three.len(), &three[1..]), (3, two.as_slice()));
}

#[tokio::test]
async fn an_edit_of_the_text_leaves_an_item_itself_that_shares_its_id() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let item = |n: i64, text: &str| {
        format!("<item><guid>g</guid><title>{n}</title><pubDate>{}</pubDate><description>{text}</description></item>", day(n).to_rfc2822())
    };
    let before = read(&f, &source, &[item(2, "x"), item(1, "x")], day(3)).await;
    assert_eq!(read(&f, &source, &[item(2, "edited"), item(1, "edited")], day(4)).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_that_have_another_guid_each_time_change_nothing() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Feed, "https://a.example/feed").await;
    let items = |round: i64| {
        let link = |n: i64| Link::At(format!("https://a.example/{n}"));
        (0..3).map(|n| Article { guid: format!("{round}-{n}"), link: link(n), ..article(&n.to_string()) }).collect()
    };
    server.f.feed(&source, items(1), day(1)).await;
    let before = server.get("/feed.atom");
    for round in 2..5 {
        assert_eq!(server.f.feed(&source, items(round), day(round)).await, Applied { unchanged: 3, ..Applied::default() });
        let after = server.get("/feed.atom");
        assert_eq!((after.text(), after.header("etag")), (before.text(), before.header("etag")));
    }
}
