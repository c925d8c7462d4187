//! Several processes at one store, and readings that others come between: all of them publish the same.

use feedmill::model::{Batch, Kind, SourceInfo, SourceKind};

use crate::server::Server;
use crate::store::{day, open, tagged};

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
