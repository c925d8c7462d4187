//! What readers learn of the past of a feed: archives, tombstones, deltas, digests.

use std::collections::HashSet;

use chrono::TimeDelta;
use feedmill::model::{Article, Language, Period, SourceKind, Time, Window};

use crate::server::{Server, texts};
use crate::store::{article, day, tagged};

fn dated(guid: &str, published: Time) -> Article {
    Article { published: Some(published), tags: vec!["t".into()], ..article(guid) }
}

/// The target of a link of an Atom or RSS feed, as a path.
fn link(document: &str, relation: &str) -> Option<String> {
    let at = document.find(&format!("rel=\"{relation}\""))?;
    let tag = &document[document[..at].rfind('<')?..];
    let url = tag.split("href=\"").nth(1)?.split('"').next()?.replace("&amp;", "&");
    Some(url.strip_prefix("https://feeds.example.org")?.to_owned())
}

fn atom_ids(document: &str) -> Vec<String> {
    texts(document, "entry", "id")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_through_the_archive_finds_each_article_once_while_new_ones_arrive() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Feed, "https://a.example/feed").await;
    // Dates in no order: the archive is in the order of discovery, the feed in that of listing.
    let articles = (0..430).map(|n| dated(&format!("g{n}"), day(-1 - (n * 37) % 200))).collect();
    server.f.feed(&source, articles, day(1)).await;

    for format in ["atom", "rss"] {
        let current = server.get(&format!("/tag/t.{format}"));
        assert_eq!(link(current.text(), "prev-archive").as_deref(), current.header_link("prev-archive").as_deref());
    }
    let before: HashSet<String> = walk(&server, "/tag/t.atom", 0).await.into_iter().collect();
    assert_eq!(before.len(), 430);

    // Each step brings new articles, withdraws some and changes some.
    let seen = walk(&server, "/tag/t.atom", 15).await;
    let unique: HashSet<&String> = seen.iter().collect();
    assert_eq!(unique.len(), seen.len(), "no article twice in the archive");
    assert!(before.iter().all(|id| unique.contains(id)), "none is missing");
}

/// All ids of a feed's archive from the current document to the oldest; `news` articles arrive at every step.
async fn walk(server: &Server, feed: &str, news: i64) -> Vec<String> {
    let source = server.f.source(SourceKind::Feed, "https://a.example/feed").await;
    let mut next = link(server.get(feed).text(), "prev-archive");
    let mut ids = Vec::new();
    let mut step = 0;
    while let Some(path) = next {
        let answer = server.get(&path);
        if answer.status == 301 {
            next = Some(answer.header("location").to_owned());
            continue;
        }
        assert_eq!(answer.status, 200, "{path}");
        ids.extend(atom_ids(answer.text()));
        step += 1;
        if news > 0 {
            let fresh = (0..news).map(|n| dated(&format!("n{step}-{n}"), day(2 + step))).collect();
            server.f.feed(&source, fresh, day(2 + step)).await;
        }
        next = link(answer.text(), "prev-archive");
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_stands_still_has_an_archive_tombstones_deltas_and_digests_of_its_own() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Feed, "https://a.example/feed").await;
    server.f.feed(&source, (0..430).map(|n| dated(&format!("g{n}"), day(-1 - (n * 37) % 200))).collect(), day(1)).await;
    let window = format!("since={}&until={}", day(-100).format("%Y-%m-%d"), day(-11).format("%Y-%m-%d"));
    let feed = format!("/feed.atom?{window}");
    let all: HashSet<String> = walk(&server, "/tag/t.atom", 0).await.into_iter().collect();
    let seen = walk(&server, &feed, 0).await;
    let unique: HashSet<String> = seen.iter().cloned().collect();
    assert_eq!(unique.len(), seen.len());
    assert!(unique.is_subset(&all) && (150..250).contains(&unique.len()), "{}", unique.len());
    let archive = link(server.get("/feed.atom").text(), "prev-archive").unwrap();
    let after = archive.split_once('?').unwrap().1;
    assert_eq!(server.get(&format!("/feed.atom?{after}&since=2100-01-01")).text().matches("<entry").count(), 0);

    let first = server.get(&feed);
    server.f.feed(&source, vec![Article { title: Some("Edited".into()), ..dated("g0", day(-1)) }], day(2)).await;
    server.f.feed(&source, vec![dated("now", day(2))], day(2)).await;
    let after = |feed: &str, tag: &str| server.ask("GET", feed, &[("A-IM", "feed"), ("If-None-Match", tag)]);
    assert_eq!(after(&feed, first.header("etag")).status, 304, "nothing of it changed");
    server.f.feed(&source, vec![Article { title: Some("Edited".into()), ..dated("g130", day(-11)) }], day(3)).await;
    assert!(server.get(&feed).text().contains("Edited"));
    let delta = after(&feed, first.header("etag"));
    assert_eq!((delta.status, delta.text().matches("<entry").count()), (226, 1));

    let digest = server.get(&format!("/feed.json?digest=weekly&{window}")).json();
    assert_eq!(digest["items"].as_array().unwrap().len(), 0, "all of it is from before the store: {digest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_has_of_translations_the_preferred_one_alone() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Folder, "/a").await;
    let translated = |n: i64, code: &str| Article {
        languages: Language::parse(code).into_iter().collect(),
        translation_key: Some(format!("k{n}")),
        ..dated(&format!("{code}{n}"), day(-1 - n))
    };
    let articles = (0..120).flat_map(|n| [translated(n, "en"), translated(n, "de")]).collect();
    server.f.folder(&source, articles, day(1)).await;
    let all = walk(&server, "/tag/t.atom", 0).await;
    let preferred = walk(&server, "/tag/t.atom?prefer=de", 0).await;
    assert_eq!((all.len(), preferred.len()), (240, 120), "one of two");
    let whole = atom_ids(server.get("/tag/t.atom?limit=500&prefer=de").text());
    assert_eq!(HashSet::<String>::from_iter(preferred), HashSet::from_iter(whole), "as in the feed itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_part_never_changes_its_range() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Feed, "https://a.example/feed").await;
    server.f.feed(&source, (0..250).map(|n| dated(&format!("g{n}"), day(-1 - n))).collect(), day(1)).await;
    let open = link(server.get("/tag/t.atom").text(), "prev-archive").unwrap();
    let document = server.get(&open);
    assert!(!document.text().contains("fh:archive") && atom_ids(document.text()).len() == 50, "the open part");
    assert!(document.header("cache-control").contains("max-age=300"));
    let closed = link(document.text(), "prev-archive").unwrap();
    let first = server.get(&closed);
    assert!(first.text().contains("<fh:archive") && first.header("cache-control").contains("max-age=86400"));
    assert_eq!(atom_ids(first.text()).len(), 100);
    assert_eq!(link(first.text(), "current").as_deref(), Some("/tag/t.atom"));
    assert_eq!(link(first.text(), "next-archive").as_deref(), Some(open.as_str()));

    server.f.feed(&source, (0..70).map(|n| dated(&format!("later{n}"), day(5))).collect(), day(5)).await;
    let again = server.get(&closed);
    assert_eq!((again.text(), again.header("etag")), (first.text(), first.header("etag")), "news change nothing in it");
    let moved = server.get(&open);
    assert_eq!(moved.status, 301, "what was open is closed now");
    assert_eq!(atom_ids(server.get(moved.header("location")).text()).len(), 100);
    // An edit changes the document, not its range.
    server.f.feed(&source, vec![Article { title: Some("Edited".into()), ..dated("g200", day(-201)) }], day(6)).await;
    let oldest = link(first.text(), "prev-archive").unwrap();
    assert_eq!(atom_ids(server.get(&oldest).text()).len(), 100);
    assert!(server.get(&oldest).text().contains("Edited") || server.get(&closed).text().contains("Edited"));
    assert_eq!(link(server.get(&oldest).text(), "prev-archive"), None, "nothing is older");
    for wrong in ["/tag/t.atom?archive=aaaaaaaaaaaaa.aaaaaaaaaaaaa", "/tag/t.atom?archive=after.aaaaaaaaaaaaa"] {
        assert_eq!(server.get(wrong).status, 404, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_pages_lead_to_the_oldest_and_a_whole_feed_says_so() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Feed, "https://a.example/feed").await;
    server.f.feed(&source, (0..30).map(|n| dated(&format!("g{n}"), day(-1 - n))).collect(), day(1)).await;
    for path in ["/tag/t.atom", "/tag/t.rss"] {
        let answer = server.get(path);
        assert!(answer.text().contains("<fh:complete") && link(answer.text(), "prev-archive").is_none(), "{path}");
    }
    assert!(server.get("/tag/t.json").json().get("next_url").is_none());
    server.f.feed(&source, (30..330).map(|n| dated(&format!("g{n}"), day(-1 - n))).collect(), day(2)).await;
    let mut ids = HashSet::new();
    let mut next = Some("/tag/t.json".to_owned());
    while let Some(path) = next {
        let document = server.get(&path).json();
        ids.extend(document["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        next = document["next_url"].as_str().map(|url| url.strip_prefix("https://feeds.example.org").unwrap().to_owned());
    }
    assert_eq!(ids.len(), 330);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_withdrawn_has_a_tombstone_for_a_time() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Folder, "/a").await;
    server.f.folder(&source, vec![tagged("kept", &["t"]), tagged("gone", &["t"]), tagged("other", &["u"])], day(1)).await;
    let id = server.ids("/tag/t.atom").into_iter().find(|id| !server.ids("/tag/u.atom").contains(id)).unwrap();
    let before = server.get("/tag/t.atom");
    assert!(!before.text().contains("deleted-entry") && !before.text().contains("tombstones"), "the namespace only where it is used");
    server.f.folder(&source, vec![tagged("other", &["u"])], day(2)).await;
    let after = server.get("/tag/t.atom").text().to_owned();
    assert!(
        after.contains(&format!("ref=\"{id}\"")) && after.contains("when=\"") && after.matches("deleted-entry").count() >= 2,
        "{after}"
    );
    assert!(!server.get("/tag/u.atom").text().contains("deleted-entry"), "of its own feeds alone");
    server.f.store.retire(day(2) - TimeDelta::days(30), day(3)).await.unwrap();
    assert_eq!(server.get("/tag/t.atom").text(), after, "too early");
    server.f.store.retire(day(3), day(40)).await.unwrap();
    assert!(!server.get("/tag/t.atom").text().contains("deleted-entry"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delta_tells_what_is_new_changed_or_withdrawn_and_nothing_else() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Folder, "/a").await;
    let (kept, changed, gone) = (tagged("kept", &["t"]), tagged("changed", &["t"]), tagged("gone", &["t"]));
    server.f.folder(&source, vec![kept.clone(), changed.clone(), gone], day(1)).await;
    let base = server.get("/tag/t.atom");
    let tag = base.header("etag").to_owned();
    let delta = |headers: &[(&str, &str)]| server.ask("GET", "/tag/t.atom", headers);
    assert_eq!(delta(&[("a-im", "feed"), ("if-none-match", &tag)]).status, 304, "nothing is new");

    let changed = Article { title: Some("Changed".into()), ..changed };
    server.f.folder(&source, vec![kept, changed, tagged("new", &["t"]), tagged("elsewhere", &["u"])], day(2)).await;
    for accept in ["", "gzip"] {
        let answer = delta(&[("a-im", "feed, gzip"), ("if-none-match", &tag), ("accept-encoding", accept)]);
        assert_eq!(answer.status, 226);
        assert_eq!(
            (answer.header("im"), answer.header("delta-base"), answer.header("cache-control")),
            ("feed", tag.as_str(), "private, no-store")
        );
        let full = server.ask("GET", "/tag/t.atom", &[("accept-encoding", accept)]);
        assert_eq!(
            answer.header("etag").split('-').take(2).collect::<Vec<_>>(),
            full.header("etag").split('-').take(2).collect::<Vec<_>>()
        );
        if accept.is_empty() {
            assert_eq!(atom_ids(answer.text()).len(), 2, "the new and the changed: {}", answer.text());
            assert_eq!(answer.text().matches("<at:deleted-entry").count(), 1);
        }
    }
    // From a second server over the same store, which has seen nothing of it.
    let second = Server::over(crate::store::open(&server.f.folder).await, &server);
    assert_eq!(second.ask("GET", "/tag/t.atom", &[("a-im", "feed"), ("if-none-match", &tag)]).status, 226);
    for (headers, status) in [
        (vec![("if-none-match", tag.as_str())], 200),
        (vec![("a-im", "vcdiff"), ("if-none-match", &tag)], 200),
        (vec![("a-im", "vcdiff, feed;q=0"), ("if-none-match", &tag)], 200),
        (vec![("a-im", "feed"), ("if-none-match", "\"some-other\"")], 200),
        (vec![("a-im", "feed")], 200),
    ] {
        assert_eq!(delta(&headers).status, status, "{headers:?}");
    }
    assert_eq!(server.ask("GET", "/tag/t.atom?since=7d", &[("a-im", "feed"), ("if-none-match", &tag)]).status, 301);
    assert_eq!(server.ask("GET", "/feed.atom?since=7d&tag=t", &[("a-im", "feed"), ("if-none-match", &tag)]).status, 200);

    let many = (0..501).map(|n| tagged(&format!("m{n}"), &["t"])).collect();
    server.f.feed(&source, many, day(3)).await;
    assert_eq!(delta(&[("a-im", "feed"), ("if-none-match", &tag)]).status, 200, "too much for a delta");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_has_an_item_for_each_day_that_is_over_and_late_arrivals_do_not_change_it() {
    let f = crate::store::Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    f.feed(&source, vec![dated("first", day(0))], day(0)).await;
    f.feed(&source, vec![dated("a", day(3)), dated("b", day(3))], day(3)).await;
    f.feed(&source, vec![dated("c", day(4))], day(4)).await;
    let selection = feedmill::model::Selection::default();
    let issues = async |period, now| {
        let options = feedmill::model::Options { digest: Some(period), ..Default::default() };
        let found = f.store.digest(&selection, &options, Window::default(), period, chrono_tz::Tz::UTC, now).await.unwrap();
        let feedmill::store::Lookup::Found(page) = found else { panic!("a digest") };
        let mut entries = page.entries.iter();
        page.issues
            .iter()
            .map(|issue| entries.by_ref().take(issue.articles).map(|entry| entry.article.guid.clone()).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    assert_eq!(issues(Period::Daily, day(4)).await, [vec!["a", "b"], vec!["first"]], "the day that is not over has none");
    assert_eq!(issues(Period::Daily, day(5)).await, [vec!["c"], vec!["a", "b"], vec!["first"]]);
    f.feed(&source, vec![dated("late", day(3) - TimeDelta::days(40)), dated("late2", day(4))], day(20)).await;
    assert_eq!(issues(Period::Daily, day(5)).await, [vec!["c"], vec!["a", "b"], vec!["first"]], "a back-fill does not change an issue");
    assert_eq!(issues(Period::Weekly, day(30)).await.iter().flatten().count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn tombstones_come_back_that_a_clock_took_away_that_was_ahead() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Folder, "/a").await;
    let all = || vec![tagged("1", &["t"]), tagged("2", &["t"]), tagged("3", &["t"])];
    let tombstones = || server.get("/tag/t.atom").text().matches("<at:deleted-entry ").count();
    server.f.folder(&source, all(), day(1)).await;
    server.f.folder(&source, all().split_off(1), day(2)).await;
    assert_eq!(tombstones(), 1);
    server.f.store.retire(day(400), day(430)).await.unwrap();
    server.f.folder(&source, all().split_off(2), day(3)).await;
    assert_eq!(tombstones(), 0);
    server.f.store.retire(day(-26), day(4)).await.unwrap();
    assert_eq!(tombstones(), 2);
    server.f.store.retire(day(2), day(32)).await.unwrap();
    assert_eq!(tombstones(), 1);
}
