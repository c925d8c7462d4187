//! Several processes at one store, and readings that others come between: all of them publish the same.

use feedmill::model::{Applied, Article, Batch, Extent, Kind, Memory, Source, SourceInfo, SourceKind, SourceSettings};
use feedmill::store::Store;
use tokio::task::JoinHandle;

use crate::server::Server;
use crate::store::{Fixture, day, files_of, open, tagged};

/// How many articles it has.
const LARGE: i64 = 4_000;

/// A reading that takes several transactions; the articles of its first one have the tag `old`.
fn large() -> Vec<Article> {
    let article = |n: i64| tagged(&n.to_string(), &[if n < LARGE - 500 { "new" } else { "old" }]);
    (0..LARGE).map(|n| Article { published: Some(day(-n)), ..article(n) }).collect()
}

/// Begins to store it, and comes back when its first articles are there.
async fn begin(store: &Store, source: &Source, batch: Batch) -> JoinHandle<Applied> {
    let (own, id, generation) = (store.clone(), source.id, store.generation());
    let reading = tokio::spawn(async move { own.apply(id, batch, None, day(1)).await.unwrap() });
    while store.follow().await.unwrap() == generation {
        tokio::task::yield_now().await;
    }
    reading
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawn_articles_follow_their_terms_in_every_process() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Folder, "/a").await;
    let all = || vec![tagged("1", &["a"]), tagged("2", &["a"]), tagged("3", &["b"])];
    server.f.folder(&source, all(), day(1)).await;
    server.f.folder(&source, all().split_off(1), day(2)).await;
    for path in ["/tag/a.atom", "/tag/b.atom"] {
        assert_eq!(server.get(path).status, 200);
    }
    server.f.store.merge_terms(Kind::Tag, vec!["a".to_owned()], "b", day(3)).await.unwrap();
    let again = Server::over(open(&server.f.folder).await, &server);
    assert!(server.get("/tag/b.atom").text().contains("deleted-entry"));
    assert_eq!(server.get("/tag/b.atom").text(), again.get("/tag/b.atom").text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_source_says_of_itself_stands_in_its_feeds_whatever_the_clock_says() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Feed, "https://a.example/feed").await;
    // Twice in a second, then by a clock that went back.
    for (home, now) in [("one", day(1)), ("two", day(1)), ("three", day(0))] {
        let home = format!("https://a.example/{home}");
        let info = SourceInfo { home: Some(home.clone()), ..SourceInfo::default() };
        let batch = Batch { articles: vec![tagged("1", &["t"])], info: Some(info), ..Batch::default() };
        server.f.store.apply(source.id, batch, None, now).await.unwrap();
        assert!(server.get("/tag/t.atom").text().contains(&home), "{home}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn articles_that_were_seen_before_their_source_said_what_it_is_say_it_then() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Feed, "https://a.example/feed").await;
    let info = Some(SourceInfo { title: Some("Its own title".into()), ..SourceInfo::default() });
    let reading = begin(&server.f.store, &source, Batch { articles: large(), info, ..Batch::default() }).await;
    assert!(server.get("/tag/old.rss").text().contains(">feed</source>"));
    reading.await.unwrap();
    let answer = server.get("/tag/old.rss");
    assert!(answer.text().contains(">Its own title</source>") && !answer.text().contains(">feed</source>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_stands_for_what_a_reading_stores_after_it() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let info = Some(SourceInfo { title: Some("Its own title".into()), ..SourceInfo::default() });
    let memory = Memory { etag: Some("\"1\"".into()), ..Memory::default() };
    let reading = begin(&f.store, &source, Batch { articles: large(), info, memory, ..Batch::default() }).await;
    let settings = SourceSettings { categories: vec!["news".into()], title: Some("By hand".into()), ..SourceSettings::default() };
    f.store.edit_source(source.id, settings, None, day(1)).await.unwrap();
    reading.await.unwrap();
    assert_eq!(f.page("/category/news").await.total, LARGE as u64);
    assert_eq!(f.store.source("feed").await.unwrap().unwrap().title, "By hand");
    assert_eq!(f.store.memory(source.id).await.unwrap().etag, None, "it was read by the settings before");
}

#[tokio::test]
async fn a_feed_whose_encoding_changes_while_it_is_asked_is_read_whole_though_nothing_was_new() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let memory = Memory { etag: Some("\"1\"".into()), ..Memory::default() };
    let info = Some(SourceInfo::default());
    let first = Batch { articles: vec![tagged("1", &["t"])], info, memory: memory.clone(), ..Batch::default() };
    f.store.apply(source.id, first, None, day(1)).await.unwrap();
    let settings = SourceSettings { encoding: Some("gbk".into()), ..SourceSettings::default() };
    for (settings, kept) in [(SourceSettings::default(), Some("\"1\"".to_owned())), (settings, None)] {
        f.store.edit_source(source.id, settings, None, day(2)).await.unwrap();
        f.store.apply(source.id, Batch { memory: memory.clone(), ..Batch::default() }, None, day(2)).await.unwrap();
        assert_eq!(f.store.memory(source.id).await.unwrap().etag, kept);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_folder_that_was_removed_while_it_was_read_are_read_when_it_is_back() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Folder, "/a").await;
    let memory = files_of(&large());
    let reading = begin(&f.store, &source, Batch { articles: large(), extent: Extent::Complete, memory, ..Batch::default() }).await;
    f.store.remove_source(source.id, day(1)).await.unwrap();
    reading.await.unwrap();
    f.source(SourceKind::Folder, "/a").await;
    assert!(f.page("/source/a").await.total < LARGE as u64);
    assert!(f.store.memory(source.id).await.unwrap().files.iter().all(|file| file.modified != 1), "they are not taken as read");
}
