//! The store's promises, on a real SQLite file.

use chrono::{DateTime, TimeDelta};
use feedmill::model::{
    Applied, Article, Batch, Extent, FileState, Format, Kind, Language, Link, Memory, NewSource, Options, Origins, Page, Person, Selection,
    Slug, Source, SourceKind, SourceSettings, Target, Time, Window,
};
use feedmill::store::{Lookup, Store};
use tempfile::TempDir;

pub(crate) fn day(day: i64) -> Time {
    DateTime::from_timestamp(1_760_000_000 + day * 86_400, 0).unwrap()
}

pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
}

/// What a folder remembers of the files of these articles.
pub(crate) fn files_of(articles: &[Article]) -> Memory {
    let state = |article: &Article| FileState {
        path: format!("{}.md", article.guid),
        modified: 1,
        size: 1,
        guid: Some(article.guid.clone()),
        revisit: None,
        uses: Vec::new(),
        problem: None,
    };
    Memory { files: articles.iter().map(state).collect(), ..Memory::default() }
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = open(&folder).await;
        Self { folder, store }
    }

    pub(crate) async fn source(&self, kind: SourceKind, location: &str) -> Source {
        let title = location.rsplit('/').next().unwrap().to_owned();
        let new = NewSource { kind, location: location.to_owned(), slug: None, title, settings: SourceSettings::default() };
        self.store.add_source(new, day(0)).await.unwrap().0
    }

    pub(crate) async fn feed(&self, source: &Source, articles: Vec<Article>, now: Time) -> Applied {
        let batch = Batch { articles, ..Batch::default() };
        self.store.apply(source.id, batch, None, now).await.unwrap()
    }

    pub(crate) async fn folder(&self, source: &Source, articles: Vec<Article>, now: Time) -> Applied {
        let memory = files_of(&articles);
        let batch = Batch { articles, extent: Extent::Complete, memory, ..Batch::default() };
        self.store.apply(source.id, batch, None, now).await.unwrap()
    }

    pub(crate) async fn page(&self, path: &str) -> Page {
        match self.lookup(path).await {
            Lookup::Found(page) => page,
            other => panic!("{path}: {other:?}"),
        }
    }

    pub(crate) async fn lookup(&self, path: &str) -> Lookup<Page> {
        let Target::List { selection, options, .. } = feedmill::model::Address::parse(path).unwrap().target else {
            panic!("{path} is no list")
        };
        self.store.select(&selection, &options, Window::default()).await.unwrap()
    }

    pub(crate) async fn guids(&self, path: &str) -> Vec<String> {
        self.page(path).await.entries.into_iter().map(|entry| entry.article.guid).collect()
    }
}

pub(crate) async fn open(folder: &TempDir) -> Store {
    Store::open(&format!("sqlite:{}", folder.path().join("test.db").display()), day(0)).await.unwrap()
}

pub(crate) fn article(guid: &str) -> Article {
    Article {
        guid: guid.to_owned(),
        title: Some(format!("Title of {guid}")),
        content: Some(format!("<p>{guid}</p>")),
        ..Article::default()
    }
}

fn dated(guid: &str, published: Time) -> Article {
    Article { published: Some(published), ..article(guid) }
}

pub(crate) fn tagged(guid: &str, tags: &[&str]) -> Article {
    Article { tags: tags.iter().map(|tag| (*tag).to_owned()).collect(), ..article(guid) }
}

fn linked(guid: &str, link: &str) -> Article {
    Article { link: Link::At(link.to_owned()), ..article(guid) }
}

#[tokio::test]
async fn applying_a_batch_twice_changes_nothing() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Folder, "/a").await;
    let articles = vec![tagged("1", &["rust"]), tagged("2", &["rust", "中文"])];
    assert_eq!(f.folder(&source, articles.clone(), day(1)).await, Applied { added: 2, ..Applied::default() });
    let generation = f.store.generation();
    let before = f.page("/tag/rust").await;
    assert_eq!(f.folder(&source, articles, day(2)).await, Applied { unchanged: 2, ..Applied::default() });
    assert_eq!(f.store.generation(), generation);
    assert_eq!(f.page("/tag/rust").await, before);
}

#[tokio::test]
async fn an_edit_changes_the_article_and_never_moves_it() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    f.feed(&source, vec![dated("old", day(-3)), dated("new", day(-2))], day(1)).await;
    let generation = f.store.generation();
    let edited = Article { title: Some("Edited".into()), ..tagged("old", &["late"]) };
    let applied = f.feed(&source, vec![Article { published: Some(day(2)), ..edited }], day(2)).await;
    assert_eq!(applied, Applied { updated: 1, ..Applied::default() });
    assert!(f.store.generation() > generation);
    assert_eq!(f.guids("/").await, ["new", "old"]);
    let entry = f.page("/tag/late").await.entries.remove(0);
    assert_eq!((entry.article.title.as_deref(), entry.listed, entry.published), (Some("Edited"), day(-3), day(2)));
}

#[tokio::test]
async fn what_a_feed_no_longer_lists_stays_and_what_a_folder_no_longer_has_is_withdrawn() {
    let f = Fixture::new().await;
    let feed = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let folder = f.source(SourceKind::Folder, "/a").await;
    f.feed(&feed, vec![tagged("f1", &["x"]), tagged("f2", &["x"])], day(1)).await;
    f.folder(&folder, vec![tagged("d1", &["x"]), tagged("d2", &["x"])], day(1)).await;
    let withdrawn = f.page("/source/a").await.entries.into_iter().find(|entry| entry.article.guid == "d2").unwrap();
    f.feed(&feed, vec![tagged("f1", &["x"])], day(2)).await;
    assert_eq!(f.folder(&folder, vec![tagged("d1", &["x"])], day(2)).await.withdrawn, 1);
    let mut left = f.guids("/tag/x").await;
    left.sort();
    assert_eq!(left, ["d1", "f1", "f2"]);
    assert_eq!(f.page("/tag/x").await.terms[0].articles, 3);
    assert_eq!(f.store.article(&withdrawn.key).await.unwrap(), Lookup::Gone);

    f.folder(&folder, vec![tagged("d1", &["x"]), tagged("d2", &["x"])], day(3)).await;
    let Lookup::Found(again) = f.store.article(&withdrawn.key).await.unwrap() else { panic!("it is back") };
    assert_eq!((again.id, again.listed), (withdrawn.id, withdrawn.listed));
    assert_eq!(f.page("/tag/x").await.terms[0].articles, 4);
}

#[tokio::test]
async fn a_term_that_an_article_leaves_stays_as_an_empty_feed() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Folder, "/a").await;
    f.folder(&source, vec![tagged("1", &["gone"])], day(1)).await;
    f.folder(&source, vec![tagged("1", &["here"])], day(2)).await;
    assert!(f.guids("/tag/gone").await.is_empty());
    assert_eq!(f.guids("/tag/here").await, ["1"]);
    assert_eq!(f.page("/tag/gone").await.terms.len(), 1, "a term that was once published is known");
    assert!(f.page("/tag/never").await.terms.is_empty());
    assert!(f.guids("/language/zh-CN").await.is_empty(), "a well-formed language never seen is an empty feed");
}

#[tokio::test]
async fn no_source_can_overwrite_or_claim_anothers_article() {
    let f = Fixture::new().await;
    let guid = "https://a.example/1";
    let one = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let two = f.source(SourceKind::Feed, "https://b.example/feed").await;
    f.feed(&one, vec![article(guid)], day(1)).await;
    f.feed(&two, vec![Article { title: Some("Stolen".into()), ..linked(guid, "https://a.example/2") }], day(1)).await;
    let entries = f.page("/").await.entries;
    assert_eq!(entries.len(), 2);
    let own = entries.iter().find(|entry| entry.source.slug == one.slug).unwrap();
    let other = entries.iter().find(|entry| entry.source.slug == two.slug).unwrap();
    assert_eq!(own.id, guid);
    assert!(other.id.starts_with("urn:uuid:"), "{}", other.id);
    assert_eq!(own.article.title.as_deref(), Some("Title of https://a.example/1"));
}

#[tokio::test]
async fn a_renamed_guid_is_recognised_by_link_then_by_title_and_date() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    f.feed(
        &source,
        vec![linked("1", "https://a.example/post?utm_source=x"), dated("2", day(0)), linked("3", "https://a.example/")],
        day(1),
    )
    .await;
    let ids = |page: Page| page.entries.into_iter().map(|entry| entry.id).collect::<std::collections::BTreeSet<_>>();
    let before = ids(f.page("/").await);
    let renamed = Article { title: Some("Title of 2".into()), ..dated("2b", day(0)) };
    let applied = f.feed(&source, vec![linked("1b", "https://www.a.example/post/"), renamed], day(2)).await;
    assert_eq!(applied, Applied { updated: 2, ..Applied::default() });
    assert_eq!(ids(f.page("/").await), before);
    let applied = f.feed(&source, vec![linked("4", "https://a.example/")], day(3)).await;
    assert_eq!(applied.added, 1, "a link to the host alone tells nothing");
}

#[tokio::test]
async fn two_items_of_one_document_are_never_merged() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let items = vec![linked("1", "https://a.example/same"), linked("2", "https://a.example/same"), linked("3", "https://a.example/log#a")];
    assert_eq!(f.feed(&source, items.clone(), day(1)).await.added, 3);
    assert_eq!(f.feed(&source, items, day(2)).await.unchanged, 3);
    assert_eq!(
        f.feed(&source, vec![linked("4", "https://a.example/log#b")], day(3)).await.added,
        1,
        "another part of a page is another article"
    );
}

#[tokio::test]
async fn a_moved_file_stays_itself_and_a_second_copy_is_new() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Folder, "/a").await;
    let text = |guid: &str| Article { guid: guid.to_owned(), ..article("text") };
    f.folder(&source, vec![text("drafts/a")], day(1)).await;
    let before = f.page("/").await.entries.remove(0);
    assert_eq!(f.folder(&source, vec![text("posts/a")], day(2)).await, Applied { updated: 1, ..Applied::default() });
    let after = f.page("/").await.entries.remove(0);
    assert_eq!((after.key, after.id), (before.key, before.id));
    assert_eq!(f.folder(&source, vec![text("posts/a"), text("posts/b")], day(3)).await.added, 1);
    assert_eq!(
        f.folder(&source, vec![text("posts/a"), text("posts/b"), text("drafts/a")], day(4)).await.added,
        1,
        "the first name can be used again"
    );
    assert_eq!(f.guids("/").await.len(), 3);
}

#[tokio::test]
async fn a_link_of_the_last_paragraph_belongs_to_the_first_article_that_has_it() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Folder, "/a").await;
    let candidate = |guid: &str| Article { link: Link::Candidate("https://a.example/1".into()), ..article(guid) };
    f.folder(&source, vec![candidate("1")], day(1)).await;
    f.folder(&source, vec![candidate("1"), candidate("2")], day(2)).await;
    let edited = Article { title: Some("Edited".into()), ..candidate("1") };
    f.folder(&source, vec![edited, candidate("2")], day(3)).await;
    let links: Vec<_> = f.page("/").await.entries.into_iter().map(|entry| (entry.article.guid, entry.link)).collect();
    assert_eq!(links, [("2".to_owned(), None), ("1".to_owned(), Some("https://a.example/1".to_owned()))]);
}

#[tokio::test]
async fn removing_a_source_withdraws_its_articles_and_adding_it_again_revives_them() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    f.feed(&source, (0..1200).map(|n| tagged(&n.to_string(), &["x"])).collect(), day(1)).await;
    let before = f.page("/tag/x").await;
    assert_eq!(f.store.remove_source(source.id, day(2)).await.unwrap(), 1200);
    assert!(f.guids("/tag/x").await.is_empty());
    assert!(f.store.sources().await.unwrap().is_empty());
    let again = f.source(SourceKind::Feed, "https://a.example/feed").await;
    assert_eq!((again.slug, again.status.articles), (source.slug, 1200));
    let ids = |page: &Page| page.entries.iter().map(|entry| (entry.id.clone(), entry.listed)).collect::<Vec<_>>();
    assert_eq!(ids(&f.page("/tag/x").await), ids(&before));
}

#[tokio::test]
async fn selections_combine_and_or_and_not() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let mut batch =
        vec![tagged("ab", &["a", "b"]), tagged("a", &["a"]), tagged("b", &["b"]), tagged("c", &["c"]), tagged("abc", &["a", "b", "c"])];
    for (n, article) in batch.iter_mut().enumerate() {
        article.published = Some(day(i64::try_from(n).unwrap() - 10));
        article.languages = vec![Language::parse(if n % 2 == 0 { "zh-CN" } else { "en" }).unwrap()];
        article.authors = vec![Person { name: "Ada".into(), ..Person::default() }];
    }
    f.feed(&source, batch, day(1)).await;
    for (path, expected) in [
        ("/?tag=a&tag=b", vec!["abc", "ab"]),
        ("/?tag=a,b", vec!["abc", "b", "a", "ab"]),
        ("/?tag=a&tag=-c", vec!["a", "ab"]),
        ("/?tag=-a", vec!["c", "b"]),
        ("/?tag=-a,b", vec!["c"]),
        ("/?tag=a,b&tag=c", vec!["abc"]),
        ("/?tag=a&language=zh", vec!["abc", "ab"]),
        ("/?language=en&author=ada&category=uncategorized&source=feed", vec!["c", "a"]),
        ("/?tag=nobody,c", vec!["abc", "c"]),
        ("/?tag=a&tag=nobody", vec![]),
        ("/?tag=a&tag=-nobody", vec!["abc", "a", "ab"]),
        ("/author/ada?limit=2", vec!["abc", "c"]),
    ] {
        assert_eq!(f.guids(path).await, expected, "{path}");
    }
}

#[tokio::test]
async fn pages_joined_are_the_whole_list_once() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    f.feed(&source, (0..137).map(|n| tagged(&n.to_string(), &["x"])).collect(), day(1)).await;
    let whole = f.guids("/tag/x?limit=500").await;
    assert_eq!(whole.len(), 137);
    assert_eq!(whole[0], "0", "of undated articles the first in the document is the newest");
    let (mut walked, mut options) = (Vec::new(), Options { limit: 20, ..Options::default() });
    loop {
        let selection = Selection::of(Kind::Tag, Slug::from_name("x"));
        let Lookup::Found(page) = f.store.select(&selection, &options, Window::default()).await.unwrap() else {
            panic!("the tag is there")
        };
        options.before = page.entries.last().map(|entry| entry.key.clone());
        walked.extend(page.entries.into_iter().map(|entry| entry.article.guid));
        if !page.more {
            break;
        }
    }
    assert_eq!(walked, whole);
}

#[tokio::test]
async fn another_process_sees_the_change_by_asking() {
    let f = Fixture::new().await;
    let other = open(&f.folder).await;
    let before = other.generation();
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    f.feed(&source, vec![article("1")], day(1)).await;
    assert_eq!(other.generation(), before);
    assert_eq!(other.follow().await.unwrap(), f.store.generation());
    assert_eq!(other.id(), f.store.id());
}

#[tokio::test]
async fn a_source_is_claimed_by_one_and_comes_back_when_the_lease_is_over() {
    let f = Fixture::new().await;
    let other = open(&f.folder).await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let lease = TimeDelta::minutes(5);
    assert_eq!(f.store.claim(day(1), 9, lease).await.unwrap().len(), 1);
    assert!(other.claim(day(1), 9, lease).await.unwrap().is_empty());
    assert_eq!(other.claim(day(1) + lease, 9, lease).await.unwrap().len(), 1);
    f.store.fail(source.id, "no answer".into(), Some(day(3)), day(2)).await.unwrap();
    let failed = f.store.source("https://a.example/feed").await.unwrap().unwrap().status;
    assert_eq!((failed.failures, failed.error.as_deref(), failed.due), (1, Some("no answer"), Some(day(3))));
    assert!(f.store.claim(day(2), 9, lease).await.unwrap().is_empty());
    assert_eq!(f.store.claim(day(3), 9, lease).await.unwrap().len(), 1);
}

#[tokio::test]
async fn memberships_know_where_they_came_from() {
    let f = Fixture::new().await;
    let settings = SourceSettings { tags: vec!["Daily".into()], categories: vec!["News".into()], ..SourceSettings::default() };
    let new = NewSource { kind: SourceKind::Inbox, location: "inbox".into(), slug: None, title: "inbox".into(), settings };
    let source = f.store.add_source(new, day(0)).await.unwrap().0;
    f.feed(&source, vec![tagged("1", &["rust", "Rust", "daily"])], day(1)).await;
    let entry = f.page("/category/news").await.entries.remove(0);
    let terms: Vec<_> = entry.terms.iter().map(|(term, origins)| (term.kind, term.name.as_str(), *origins)).collect();
    let both = Origins::OWN.and(Origins::SOURCE);
    let expected = [
        (Kind::Category, "News", Origins::SOURCE),
        (Kind::Source, "inbox", Origins::OWN),
        (Kind::Tag, "rust", Origins::OWN),
        (Kind::Tag, "daily", both),
    ];
    assert_eq!(terms, expected);
}

#[tokio::test]
async fn names_that_hurt_are_terms_like_any_other() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let long = "长".repeat(300);
    let names = ["C++", "C#", ".NET", "AI/ML", "node.js", "asp.rss", "人工智能", "Ünïcode", "🦀", &long, "../../etc/passwd", "<script>"];
    f.feed(&source, vec![tagged("1", &names)], day(1)).await;
    for name in names {
        let path = Target::feed(&Selection::of(Kind::Tag, Slug::from_name(name)), Format::Rss).path();
        assert_eq!(f.guids(&path).await, ["1"], "{path}");
    }
    assert_eq!(f.store.directory(Kind::Tag).await.unwrap().len(), names.len());
    let nearest = f.store.nearest(Kind::Tag, &Slug::from_name("nod.js")).await.unwrap();
    assert_eq!(nearest[0].name.name, "node.js");
}

#[tokio::test]
async fn a_newer_or_foreign_store_is_refused_with_a_reason() {
    let folder = TempDir::new().unwrap();
    for (url, reason) in [("postgres://x", "is not understood"), ("sqlite:/nowhere/at/all.db", "cannot open the store")] {
        let error = Store::open(url, day(0)).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    let path = folder.path().join("new.db");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 999).unwrap();
    let error = Store::open(&format!("sqlite:{}", path.display()), day(0)).await.unwrap_err().to_string();
    assert!(error.contains("newer feedmill"), "{error}");
}
