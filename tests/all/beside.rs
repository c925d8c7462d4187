//! Several processes at one store, and readings that others come between: all of them publish the same.

use feedmill::model::{Kind, SourceKind};

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
