//! Taxonomy by hand: what people do to names, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use feedmill::model::{Article, Batch, Kind, Slug, SourceKind, TermDescription};
use feedmill::store::{Lookup, StoreError, TermError, TermRow, TermWords};
use proptest::prelude::*;

use crate::server::Server;
use crate::store::{Fixture, article, day, tagged};

const TAG: Kind = Kind::Tag;

async fn rows(f: &Fixture, kind: Kind) -> Vec<TermRow> {
    f.store.taxonomy(kind).await.unwrap()
}

async fn row(f: &Fixture, slug: &str) -> TermRow {
    rows(f, TAG).await.into_iter().find(|row| row.term.name.slug.as_str() == slug).unwrap()
}

fn names(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Every count of the store is what its selection gives.
async fn counts_are_true(f: &Fixture) {
    for kind in [Kind::Tag, Kind::Category] {
        for TermRow { term, is_deleted, .. } in rows(f, kind).await {
            let path = feedmill::model::Target::page(&feedmill::model::Selection::of(kind, term.name.slug.clone())).path();
            let shown = match f.lookup(&format!("{path}?limit=500")).await {
                Lookup::Found(page) => page.entries.len(),
                Lookup::Gone if is_deleted => 0,
                other => panic!("{path}: {other:?}"),
            };
            assert_eq!(term.articles, shown as u64, "{path}");
        }
    }
}

#[tokio::test]
async fn a_renamed_tag_keeps_its_articles_and_its_old_urls_redirect() {
    let (server, source) = Server::with(vec![tagged("1", &["golang"]), tagged("2", &["golang", "x"])]).await;
    let generation = server.f.store.generation();
    let before = server.f.page("/tag/golang").await.entries;
    let (term, changed) = server.f.store.rename_term(TAG, "GoLang", "Go", day(2)).await.unwrap();
    assert_eq!((term.name.slug.as_str(), term.name.name.as_str(), term.articles, changed), ("go", "Go", 2, 2));
    assert!(server.f.store.generation() > generation);
    for suffix in ["", ".rss", ".atom", ".json"] {
        let answer = server.get(&format!("/tag/golang{suffix}"));
        assert_eq!((answer.status, answer.header("location")), (301, format!("/tag/go{suffix}").as_str()));
    }
    let answer = server.get("/feed.atom?tag=golang&tag=x");
    assert_eq!((answer.status, answer.header("location")), (301, "/feed.atom?tag=go&tag=x"));
    assert!(server.get("/tag/go.json").text().contains("\"Go\""));
    for (old, new) in before.iter().zip(server.f.page("/tag/go").await.entries) {
        assert!(new.generation > old.generation && new.changed == day(2) && new.listed == old.listed);
    }

    // What comes in under the old name gets the new one.
    server.f.feed(&source, vec![tagged("3", &["Golang"])], day(3)).await;
    assert_eq!(row(&server.f, "go").await.term.articles, 3);
    let generation = server.f.store.generation();
    assert_eq!(server.f.store.rename_term(TAG, "golang", "Go", day(4)).await.unwrap().1, 0);
    assert_eq!(server.f.store.generation(), generation, "renaming twice changes nothing");

    // And back: the two slugs change places.
    server.f.store.rename_term(TAG, "go", "Golang", day(5)).await.unwrap();
    assert_eq!(server.get("/tag/go.rss").header("location"), "/tag/golang.rss");
    assert_eq!(row(&server.f, "golang").await.aliases, ["go"]);
    counts_are_true(&server.f).await;
}

#[tokio::test]
async fn a_name_alone_changes_without_another_url() {
    let (server, _) = Server::with(vec![tagged("1", &["rust"])]).await;
    let etag = server.get("/tag/rust.json").header("etag").to_owned();
    let (term, changed) = server.f.store.rename_term(TAG, "rust", "RUST", day(2)).await.unwrap();
    assert_eq!((term.name.slug.as_str(), changed), ("rust", 1));
    let answer = server.get("/tag/rust.json");
    assert!(answer.text().contains("\"RUST\"") && answer.header("etag") != etag);
    assert!(row(&server.f, "rust").await.aliases.is_empty());
}

#[tokio::test]
async fn merged_tags_are_one_and_stay_one() {
    let (server, source) = Server::with(vec![
        tagged("1", &["LLM"]),
        tagged("2", &["llm", "LLMs", "large language models"]),
        tagged("3", &["LLMs"]),
        tagged("4", &["other"]),
    ])
    .await;
    let f = &server.f;
    // An alias of what is merged leads on to where that goes.
    f.store.alias_term(TAG, "llm", "gpt", day(1)).await.unwrap();
    let (term, changed) = f.store.merge_terms(TAG, names(&["llm", "llms"]), "large language models", day(2)).await.unwrap();
    assert_eq!((term.articles, changed), (3, 3));
    let target = "/tag/large-language-models.atom";
    for name in ["llm", "llms", "gpt"] {
        let answer = server.get(&format!("/tag/{name}.atom"));
        assert_eq!((answer.status, answer.header("location")), (301, target), "{name}");
    }
    assert_eq!(server.ids("/tag/large-language-models.atom").len(), 3);
    let entry = f.page("/tag/large-language-models").await.entries.into_iter().find(|entry| entry.article.guid == "2").unwrap();
    assert_eq!(entry.terms_of(TAG).count(), 1, "its three tags are one");
    assert_eq!(row(f, "large-language-models").await.aliases, ["gpt", "llm", "llms"]);

    f.feed(&source, vec![tagged("5", &["GPT"]), tagged("1", &["llm", "new"])], day(3)).await;
    assert_eq!(row(f, "large-language-models").await.term.articles, 4);
    let generation = f.store.generation();
    assert_eq!(f.store.merge_terms(TAG, names(&["llm"]), "large language models", day(4)).await.unwrap().1, 0);
    assert_eq!(f.store.merge_terms(TAG, names(&["large language models"]), "gpt", day(4)).await.unwrap().1, 0, "no cycle");
    assert_eq!(f.store.generation(), generation, "merging twice changes nothing");

    // The target of aliases is merged itself: no alias leads to an alias.
    f.store.merge_terms(TAG, names(&["gpt"]), "other", day(5)).await.unwrap();
    assert_eq!(row(f, "other").await.aliases, ["gpt", "large-language-models", "llm", "llms"]);
    assert_eq!(server.get("/tag/llm.rss").header("location"), "/tag/other.rss");
    assert_eq!(row(f, "other").await.term.articles, 5);
    counts_are_true(f).await;
}

#[tokio::test]
async fn a_withdrawn_article_comes_back_under_the_merged_name() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Folder, "/a").await;
    f.folder(&source, vec![tagged("1", &["old"]), tagged("2", &["old"]), tagged("3", &["new"])], day(1)).await;
    f.folder(&source, vec![tagged("2", &["old"]), tagged("3", &["new"])], day(2)).await;
    f.store.merge_terms(TAG, names(&["old"]), "new", day(3)).await.unwrap();
    assert_eq!(row(&f, "new").await.term.articles, 2);
    f.store.remove_source(source.id, day(4)).await.unwrap();
    f.source(SourceKind::Folder, "/a").await;
    assert_eq!(row(&f, "new").await.term.articles, 2);
    f.folder(&source, vec![tagged("1", &["old"]), tagged("2", &["old"]), tagged("3", &["new"])], day(5)).await;
    assert_eq!(row(&f, "new").await.term.articles, 3);
    counts_are_true(&f).await;
}

#[tokio::test]
async fn more_than_a_chunk_is_merged_whole() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let articles = (0..1_200).map(|n| tagged(&n.to_string(), if n % 3 == 0 { &["a", "b"] } else { &["a"] })).collect();
    f.feed(&source, articles, day(1)).await;
    let (term, changed) = f.store.merge_terms(TAG, names(&["a"]), "b", day(2)).await.unwrap();
    assert_eq!((term.articles, changed), (1_200, 1_200));
    let (term, changed) = f.store.delete_term(TAG, "a", day(3)).await.unwrap();
    assert_eq!((term.name.slug.as_str(), term.articles, changed), ("b", 0, 1_200), "an alias is followed");
    assert_eq!(f.store.restore_term(TAG, "b", day(4)).await.unwrap().0.articles, 1_200);
}

#[tokio::test]
async fn a_deleted_tag_stays_deleted_until_it_is_restored() {
    let (server, source) = Server::with(vec![tagged("1", &["ads", "x"]), tagged("2", &["x"])]).await;
    let f = &server.f;
    f.store.alias_term(TAG, "ads", "sponsored", day(1)).await.unwrap();
    let (term, changed) = f.store.delete_term(TAG, "ads", day(2)).await.unwrap();
    assert_eq!((term.articles, changed), (0, 1));
    assert_eq!((server.get("/tag/ads").status, server.get("/tag/ads.rss").status), (410, 410));
    assert_eq!(server.get("/tag/sponsored.rss").header("location"), "/tag/ads.rss");
    assert!(server.ids("/feed.rss?tag=ads&tag=x").is_empty());
    assert!(!server.get("/feed.json").text().contains("ads"));
    assert!(!server.get("/tags").text().contains("ads"));
    // Sent again, by a changed article and by a new one.
    f.feed(&source, vec![tagged("1", &["ads", "y"]), tagged("3", &["Ads"])], day(3)).await;
    assert_eq!((server.get("/tag/ads").status, row(f, "ads").await.is_deleted), (410, true));
    let generation = f.store.generation();
    assert_eq!(f.store.delete_term(TAG, "sponsored", day(4)).await.unwrap().1, 0);
    assert_eq!(f.store.generation(), generation, "deleting twice changes nothing");

    assert_eq!(f.store.restore_term(TAG, "Ads", day(5)).await.unwrap().0.articles, 2, "those that came in meanwhile, too");
    assert_eq!(server.ids("/tag/ads.rss").len(), 2);
    assert_eq!(f.store.restore_term(TAG, "ads", day(6)).await.unwrap().1, 0);
    counts_are_true(f).await;
}

#[tokio::test]
async fn an_article_all_of_whose_categories_were_deleted_is_uncategorized() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let sorted = |guid: &str, categories: &[&str]| Article { categories: names(categories), ..article(guid) };
    f.feed(&source, vec![sorted("1", &["a"]), sorted("2", &["a", "b"])], day(1)).await;
    f.store.delete_term(Kind::Category, "a", day(2)).await.unwrap();
    assert_eq!(f.guids("/category/uncategorized").await, ["1"]);
    counts_are_true(&f).await;
    f.store.restore_term(Kind::Category, "a", day(3)).await.unwrap();
    assert!(f.guids("/category/uncategorized").await.is_empty());
    assert_eq!(f.guids("/category/a").await.len(), 2);
    counts_are_true(&f).await;
}

#[tokio::test]
async fn a_slug_is_short_under_the_same_name() {
    let (server, _) = Server::with(vec![tagged("1", &["人工智能"])]).await;
    let (term, changed) = server.f.store.move_term(TAG, "人工智能", Slug::from_name("ai"), day(2)).await.unwrap();
    assert_eq!((term.name.slug.as_str(), term.name.name.as_str(), changed), ("ai", "人工智能", 1));
    let old = "/tag/%E4%BA%BA%E5%B7%A5%E6%99%BA%E8%83%BD.rss";
    assert_eq!((server.get(old).status, server.get(old).header("location")), (301, "/tag/ai.rss"));
    assert_eq!(server.ids("/tag/ai.rss").len(), 1);
}

#[tokio::test]
async fn a_term_is_described_in_its_feeds() {
    let (server, _) = Server::with(vec![tagged("1", &["rust"])]).await;
    let words = TermWords {
        title: Some("All Rust".into()),
        description: Some("Memory-safe".into()),
        picture: Some("https://example.org/rust.png".into()),
    };
    server.f.store.describe_term(TAG, "rust", words.clone(), day(2)).await.unwrap();
    let feed = server.get("/tag/rust.rss");
    for word in ["All Rust", "Memory-safe", "https://example.org/rust.png"] {
        assert!(feed.text().contains(word), "{word}");
    }
    let generation = server.f.store.generation();
    server.f.store.describe_term(TAG, "rust", words, day(3)).await.unwrap();
    assert_eq!(server.f.store.generation(), generation);
    let less = TermWords { title: Some(String::new()), ..TermWords::default() };
    let term = server.f.store.describe_term(TAG, "rust", less, day(3)).await.unwrap();
    assert_eq!((term.title, term.description.as_deref()), (None, Some("Memory-safe")));
}

#[tokio::test]
async fn words_by_hand_win_over_a_file_until_they_are_taken_back() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Folder, "/a").await;
    f.folder(&source, vec![tagged("1", &["rust"])], day(1)).await;
    let title_after = async |at| {
        let of_file = TermDescription { kind: TAG, name: "rust".into(), title: Some("File".into()), description: None, picture: None };
        let batch = Batch { terms: vec![of_file], ..Batch::default() };
        f.store.apply(source.id, batch, None, day(at)).await.unwrap();
        row(&f, "rust").await.term.title.unwrap()
    };
    assert_eq!(title_after(2).await, "File");
    let said = |title: &str| TermWords { title: Some(title.to_owned()), ..TermWords::default() };
    f.store.describe_term(TAG, "rust", said("Hand"), day(3)).await.unwrap();
    assert_eq!(title_after(4).await, "Hand");
    f.store.describe_term(TAG, "rust", said(""), day(5)).await.unwrap();
    assert_eq!(title_after(6).await, "File");
}

#[tokio::test]
async fn a_name_that_is_not_there_or_not_free_is_refused_with_what_to_do() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    f.feed(&source, vec![tagged("1", &["rust", "golang", "ads"])], day(1)).await;
    f.store.delete_term(TAG, "ads", day(1)).await.unwrap();
    f.store.alias_term(TAG, "golang", "go", day(1)).await.unwrap();
    let generation = f.store.generation();
    let error = f.store.rename_term(TAG, "rsut", "x", day(2)).await.unwrap_err();
    assert!(matches!(&error, StoreError::Term(TermError::Unknown { nearest, .. }) if nearest == &["rust"]), "{error}");
    assert_eq!(error.to_string(), "there is no tag \"rsut\"; the nearest are rust");
    let error = f.store.rename_term(TAG, "rust", "Go", day(2)).await.unwrap_err();
    assert_eq!(error.to_string(), "the name belongs to the tag golang; `feedmill tag merge rust golang` makes them one");
    let error = f.store.alias_term(TAG, "rust", "golang", day(2)).await.unwrap_err();
    assert!(matches!(error, StoreError::Term(TermError::Taken { .. })), "{error}");
    let error = f.store.merge_terms(TAG, names(&["rust"]), "ads", day(2)).await.unwrap_err();
    assert_eq!(error.to_string(), "the tag ads was deleted; `feedmill tag restore ads` brings it back");
    let error = f.store.merge_terms(TAG, names(&["rust", "nonsense"]), "golang", day(2)).await.unwrap_err();
    assert!(matches!(error, StoreError::Term(TermError::Unknown { .. })), "{error}");
    assert_eq!(f.store.generation(), generation, "what is refused changes nothing");
}

/// Does to the database what a process did that was killed thereafter.
pub(crate) fn half_done(f: &Fixture, sql: &str) {
    let connection = rusqlite::Connection::open(f.folder.path().join("test.db")).unwrap();
    assert!(connection.execute(sql, []).unwrap() > 0);
    connection.execute("UPDATE store SET generation = generation + 1", []).unwrap();
}

#[tokio::test]
async fn what_a_killed_command_left_undone_is_done_by_the_same_command() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    f.feed(&source, vec![tagged("1", &["a"]), tagged("2", &["a", "b"]), tagged("3", &["c"])], day(1)).await;
    half_done(&f, "UPDATE terms SET alias_of = (SELECT id FROM terms WHERE slug = 'b') WHERE slug = 'a'");
    assert_eq!(f.store.merge_terms(TAG, names(&["a"]), "b", day(2)).await.unwrap().1, 2);
    assert_eq!(f.guids("/tag/b").await.len(), 2);

    half_done(&f, "UPDATE terms SET deleted = 1 WHERE slug = 'b'");
    assert_eq!(f.store.delete_term(TAG, "b", day(3)).await.unwrap().1, 2);
    half_done(&f, "UPDATE terms SET deleted = NULL WHERE slug = 'b'");
    assert_eq!(f.store.restore_term(TAG, "b", day(4)).await.unwrap().1, 2);

    half_done(&f, "UPDATE terms SET name = 'C', restamp = (SELECT generation FROM store) WHERE slug = 'c'");
    assert_eq!(f.store.rename_term(TAG, "c", "C", day(5)).await.unwrap().1, 1);
    assert_eq!(f.store.rename_term(TAG, "c", "C", day(6)).await.unwrap().1, 0);
    counts_are_true(&f).await;
}

/// One thing that happens to a store.
#[derive(Debug, Clone)]
enum Event {
    Read(usize, Vec<usize>),
    Withdraw(usize),
    Rename(usize, usize),
    Merge(usize, usize),
    Delete(usize),
    Restore(usize),
    Alias(usize, usize),
}

const NAMES: [&str; 7] = ["a", "B", "c c", "中文", "e", "F", "g"];

fn event() -> impl Strategy<Value = Event> {
    let name = || 0..NAMES.len();
    prop_oneof![
        4 => (0..6_usize, prop::collection::vec(name(), 0..4)).prop_map(|(guid, tags)| Event::Read(guid, tags)),
        1 => (0..6_usize).prop_map(Event::Withdraw),
        2 => (name(), name()).prop_map(|(a, b)| Event::Rename(a, b)),
        2 => (name(), name()).prop_map(|(a, b)| Event::Merge(a, b)),
        2 => name().prop_map(Event::Delete),
        2 => name().prop_map(Event::Restore),
        1 => (name(), name()).prop_map(|(a, b)| Event::Alias(a, b)),
    ]
}

async fn happen(f: &Fixture, source: &feedmill::model::Source, present: &mut BTreeMap<usize, Vec<usize>>, event: &Event, at: i64) {
    let now = day(at);
    let ignore = |result: Result<_, StoreError>| match result {
        Ok(_) | Err(StoreError::Term(_)) => {}
        Err(error) => panic!("{error}"),
    };
    match event {
        Event::Read(guid, tags) => {
            present.insert(*guid, tags.clone());
        }
        Event::Withdraw(guid) => {
            present.remove(guid);
        }
        Event::Rename(a, b) => ignore(f.store.rename_term(TAG, NAMES[*a], NAMES[*b], now).await),
        Event::Merge(a, b) => ignore(f.store.merge_terms(TAG, names(&[NAMES[*a]]), NAMES[*b], now).await),
        Event::Delete(a) => ignore(f.store.delete_term(TAG, NAMES[*a], now).await),
        Event::Restore(a) => ignore(f.store.restore_term(TAG, NAMES[*a], now).await),
        Event::Alias(a, b) => ignore(f.store.alias_term(TAG, NAMES[*a], NAMES[*b], now).await.map(|term| (term, 0))),
    }
    if matches!(event, Event::Read(..) | Event::Withdraw(_)) {
        let articles =
            present.iter().map(|(guid, tags)| tagged(&guid.to_string(), &tags.iter().map(|tag| NAMES[*tag]).collect::<Vec<_>>()));
        f.folder(source, articles.collect(), now).await;
    }
}

/// What an article has is what its own words lead to now, but for what was deleted.
async fn memberships_are_true(f: &Fixture, present: &BTreeMap<usize, Vec<usize>>) {
    let rows = rows(f, TAG).await;
    let mut targets = BTreeMap::new();
    for row in &rows {
        for slug in row.aliases.iter().map(String::as_str).chain([row.term.name.slug.as_str()]) {
            assert!(targets.insert(slug.to_owned(), row).is_none(), "{slug} leads to two");
        }
    }
    for entry in f.page("/?limit=500").await.entries {
        let own = &present[&entry.article.guid.parse().unwrap()];
        let led = own.iter().map(|tag| targets[Slug::from_name(NAMES[*tag]).as_str()]).filter(|row| !row.is_deleted);
        let wanted: BTreeSet<Slug> = led.map(|row| row.term.name.slug.clone()).collect();
        let has: BTreeSet<Slug> = entry.terms_of(TAG).map(|name| name.slug.clone()).collect();
        assert_eq!(has, wanted, "{}", entry.article.guid);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn counts_and_memberships_are_true_whatever_happens(events in prop::collection::vec(event(), 1..24)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            let f = Fixture::new().await;
            let source = f.source(SourceKind::Folder, "/a").await;
            let mut present = BTreeMap::new();
            for (at, event) in events.iter().enumerate() {
                happen(&f, &source, &mut present, event, i64::try_from(at).unwrap()).await;
            }
            counts_are_true(&f).await;
            memberships_are_true(&f, &present).await;
        });
    }
}
