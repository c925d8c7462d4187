//! The door's documents, asked of a real server over a real store.

use std::time::{Duration, Instant};

use feedmill::model::{
    Article, BundleFile, Enclosure, Format, Kind, Language, PLACEHOLDER, Selection, Slug, SourceKind, SourceSettings, Target,
    TermDescription,
};

use crate::server::{Answer, Server, ask, start, texts};
use crate::store::{article, day, open, tagged};

const FEEDS: [(&str, &str); 3] =
    [("rss", "application/rss+xml; charset=utf-8"), ("atom", "application/atom+xml; charset=utf-8"), ("json", "application/feed+json")];

#[tokio::test(flavor = "multi_thread")]
async fn every_list_has_a_page_and_three_feeds_with_their_types() {
    let item = Article {
        categories: vec!["News".into()],
        languages: vec![Language::parse("zh-CN").unwrap()],
        authors: vec![feedmill::model::Person { name: "Ada L".into(), ..Default::default() }],
        ..tagged("1", &["rust"])
    };
    let (server, _) = Server::with(vec![item]).await;
    for path in ["/category/news", "/tag/rust", "/language/zh-CN", "/language/zh", "/source/feed", "/author/ada-l", "/feed"] {
        for (suffix, media_type) in FEEDS {
            let target = format!("{path}.{suffix}");
            let answer = server.get(&target);
            assert_eq!((answer.status, answer.header("content-type")), (200, media_type), "{target}");
            assert_eq!(server.ids(&target).len(), 1, "{target}");
            assert_eq!(answer.header("cache-control"), "public, max-age=300, stale-while-revalidate=3600");
            assert_eq!((answer.header("vary"), answer.header("access-control-allow-origin")), ("Accept-Encoding", "*"));
            assert!(answer.header("etag").starts_with('"') && !answer.header("last-modified").is_empty(), "{target}");
        }
        let page = if path == "/feed" { "/" } else { path };
        let answer = server.get(page);
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"), "{page}");
        assert!(answer.header("access-control-allow-origin").is_empty());
        assert!(answer.header("content-security-policy").contains("default-src"), "{page}");
        assert!(answer.text().contains("Title of 1"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ids_of_articles_are_one_in_all_formats_and_feeds() {
    let (server, _) = Server::with(vec![article("https://a.example/1"), tagged("two & <three>", &["x"]), article("三")]).await;
    let ids = server.ids("/feed.rss");
    assert_eq!(ids.len(), 3);
    assert_eq!(server.ids("/feed.atom"), ids);
    assert_eq!(server.ids("/feed.json"), ids);
    assert_eq!(ids[0], "https://a.example/1");
    assert_eq!(server.ids("/tag/x.rss"), ids[1..2]);
    let feed = |path: &str| texts(server.get(path).text(), "feed", "id");
    assert!(feed("/feed.atom")[0].starts_with("urn:uuid:"));
    assert_ne!(feed("/feed.atom"), feed("/tag/x.atom"));
    assert_eq!(feed("/feed.atom"), feed("/feed.atom?limit=1"), "the options are no part of a feed's id");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selection_that_matches_nothing_is_a_valid_empty_feed() {
    let (server, source) = Server::with(vec![tagged("1", &["x"])]).await;
    server.f.store.remove_source(source.id, day(2)).await.unwrap();
    for path in ["/feed.rss?tag=never&tag=x", "/feed.rss?category=-uncategorized", "/language/de.rss", "/tag/x.rss", "/feed.rss"] {
        for (suffix, _) in FEEDS {
            assert!(server.ids(&path.replace(".rss", &format!(".{suffix}"))).is_empty(), "{path}");
        }
        let feed = path.replace(".rss", ".atom");
        let updated = texts(server.get(&feed).text(), "feed", "updated");
        assert_eq!(updated.len(), 1, "{feed}");
        assert_ne!(updated[0], "1970-01-01T00:00:00Z", "{feed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_article_is_gone_in_all_its_forms() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Folder, "/a").await;
    server.f.folder(&source, vec![article("1"), article("2")], day(1)).await;
    let key = server.key("2").await;
    let forms = [format!("/article/{key}"), format!("/article/{key}.json"), format!("/article/{key}.md")];
    for target in &forms {
        assert_eq!(server.get(target).status, 200, "{target}");
    }
    server.f.folder(&source, vec![article("1")], day(2)).await;
    for target in forms.iter().chain([&format!("/article/{key}/a.png")]) {
        assert_eq!(server.get(target).status, 410, "{target}");
    }
    let page = server.ask("GET", &forms[0], &[("Accept", "text/html")]);
    assert_eq!((page.status, page.header("content-type")), (410, "text/html; charset=utf-8"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_has_a_page_json_and_markdown() {
    let text = "---\ntitle: Title of 1\n---\nText\n";
    let item = Article { markdown: Some(text.into()), ..tagged("1", &["x"]) };
    let (server, _) = Server::with(vec![item, article("https://a.example/2")]).await;
    let key = server.key("1").await;
    let json = server.get(&format!("/article/{key}.json"));
    assert_eq!(json.header("content-type"), "application/feed+json");
    assert_eq!(
        (&json.json()["items"][0]["title"], &json.json()["version"]),
        (&"Title of 1".into(), &"https://jsonfeed.org/version/1.1".into())
    );
    let markdown = server.get(&format!("/article/{key}.md"));
    assert_eq!(markdown.header("content-type"), "text/markdown; charset=utf-8");
    assert!(markdown.text().contains("Title of 1") && markdown.text().contains("Text"), "{}", markdown.text());
    let other = server.get(&format!("/article/{}.md", server.key("https://a.example/2").await));
    assert!(other.text().starts_with("---\n") && other.text().contains("Title of https://a.example/2"), "{}", other.text());
    let page = server.get(&format!("/article/{key}"));
    assert!(page.text().contains("<p>1</p>") && page.text().contains("Title of 1"));
    assert_eq!(server.get(&format!("/article/{}", key.as_str().to_uppercase())).header("location"), format!("/article/{key}"));
    assert_eq!(server.get(&format!("/article/{key}.html")).header("location"), format!("/article/{key}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_bundle_are_served_and_cannot_run() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Folder, "/a").await;
    let file = |name: &str, media_type: &str, bytes: &[u8]| BundleFile {
        name: name.into(),
        media_type: media_type.into(),
        bytes: bytes.into(),
        hash: format!("{:032x}", bytes.len()),
    };
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let item = Article {
        content: Some(format!("<img src=\"{PLACEHOLDER}./pictures/%E5%9B%BE%20a.svg\">")),
        files: vec![file("pictures/图 a.svg", "image/svg+xml", svg), file("b.png", "image/png", b"png")],
        ..article("1")
    };
    server.f.folder(&source, vec![item], day(1)).await;
    let key = server.key("1").await;
    let own = format!("https://feeds.example.org/article/{key}/pictures/%E5%9B%BE%20a.svg");
    for target in [format!("/article/{key}"), "/feed.rss".into(), "/feed.json".into(), "/feed.atom".into()] {
        assert!(server.get(&target).text().contains(&own), "{target}");
    }
    let answer = server.get(&format!("/article/{key}/pictures/%E5%9B%BE%20a.svg"));
    assert_eq!((answer.status, answer.header("content-type"), &answer.body[..]), (200, "image/svg+xml", &svg[..]));
    assert!(answer.header("content-security-policy").contains("sandbox"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(server.get(&format!("/article/{key}/b.png")).body, b"png");
    assert_eq!(server.get(&format!("/article/{key}/never.png")).status, 404);
    assert_eq!(server.get(&format!("/article/{key}/../../etc/passwd")).status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_opml_and_what_crawlers_and_watchers_ask_for() {
    let (server, source) = Server::with(vec![Article { categories: vec!["新 & old".into()], ..tagged("1", &["C++"]) }]).await;
    let describe = TermDescription {
        kind: Kind::Tag,
        name: "C++".into(),
        title: Some("All of C++".into()),
        description: Some("Words on it".into()),
        picture: None,
    };
    let batch = feedmill::model::Batch { terms: vec![describe], articles: vec![tagged("2", &["C++"])], ..Default::default() };
    server.f.store.apply(source.id, batch, None, day(2)).await.unwrap();
    assert!(server.get("/tag/c%2B%2B.atom").text().contains("All of C++"));
    for (target, expected) in [("/tags", "/tag/c%2B%2B"), ("/categories", "/category/%E6%96%B0-%26-old"), ("/sources", "/source/feed")] {
        let page = server.get(target);
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{target}");
        assert!(page.text().contains(expected), "{target} has no {expected}: {}", page.text());
    }
    let opml = server.get("/opml");
    assert!(opml.header("content-type").starts_with("text/x-opml"), "{}", opml.header("content-type"));
    assert!(texts(opml.text(), "head", "title").len() == 1 && opml.text().contains("xmlUrl=\"https://a.example/feed\""), "{}", opml.text());
    let empty = server.f.source(SourceKind::Feed, "https://b.example/feed").await;
    assert!(server.get("/opml").text().contains("https://b.example/feed"));
    let settings = SourceSettings { categories: vec!["Quiet".into()], ..SourceSettings::default() };
    server.f.store.edit_source(empty.id, settings, None, day(3)).await.unwrap();
    assert!(server.get("/opml").text().contains("Quiet"), "what is set of a source holds, though no article changes");
    let feeds = server.get("/opml/feeds");
    texts(feeds.text(), "head", "title");
    assert!(feeds.text().contains("xmlUrl=\"https://feeds.example.org/tag/c%2B%2B.atom\""), "{}", feeds.text());
    let sitemap = server.get("/sitemap.xml");
    let urls = texts(sitemap.text(), "url", "loc");
    assert!(urls.contains(&format!("https://feeds.example.org/article/{}", server.key("1").await)), "{urls:?}");
    assert!(urls.contains(&"https://feeds.example.org/tag/c%2B%2B".to_owned()), "{urls:?}");
    assert!(server.get("/robots.txt").text().contains("Sitemap: https://feeds.example.org/sitemap.xml"));
    let health = server.get("/healthz");
    assert_eq!((health.status, health.header("cache-control"), health.text()), (200, "no-store", "ok\n"));
    assert_eq!(server.get("/favicon.ico").header("content-type"), "image/x-icon");
    let page = server.get("/");
    let style = page.text().split('"').find(|part| part.contains("/static/style.")).unwrap().to_owned();
    let style = server.get(style.trim_start_matches("https://feeds.example.org"));
    assert_eq!((style.status, style.header("cache-control")), (200, "public, max-age=31536000, immutable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_stores_is_seen_within_a_second() {
    let (server, source) = Server::with(vec![tagged("1", &["x"])]).await;
    assert_eq!(server.ids("/tag/x.rss").len(), 1);
    let other = open(&server.f.folder).await;
    let batch = feedmill::model::Batch { articles: vec![tagged("2", &["x"])], ..Default::default() };
    other.apply(source.id, batch, None, day(2)).await.unwrap();
    let start = Instant::now();
    while server.ids("/tag/x.rss").len() < 2 {
        assert!(start.elapsed() < Duration::from_secs(10), "the change is never seen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn news_elsewhere_and_a_restart_change_no_document() {
    let (server, source) = Server::with(vec![tagged("1", &["x"]), tagged("2", &["y"])]).await;
    let paths = ["/tag/x.rss", "/tag/x.atom", "/tag/x.json"];
    let seen = |answer: Answer| (answer.header("etag").to_owned(), answer.header("last-modified").to_owned(), answer.body);
    let before: Vec<_> = paths.iter().map(|path| seen(server.get(path))).collect();
    let everything = server.get("/feed.rss").header("etag").to_owned();
    let edited = Article { title: Some("Edited".into()), ..tagged("2", &["y", "z"]) };
    server.f.feed(&source, vec![edited, tagged("3", &["y"])], day(2)).await;
    assert_ne!(server.get("/feed.rss").header("etag"), everything);
    let (again, task) = start(open(&server.f.folder).await, "https://feeds.example.org");
    for (path, before) in paths.iter().zip(before) {
        assert_eq!(seen(server.get(path)), before, "{path}");
        assert_eq!(seen(ask(again, "GET", path, &[])), before, "{path} of another process");
    }
    task.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_hurt_go_through_their_urls_and_back() {
    let long = "长".repeat(300);
    let names = [
        "C++",
        "C#",
        ".NET",
        "AI/ML",
        "node.js",
        "asp.rss",
        "人工智能",
        "Ünïcode",
        "🦀",
        &long,
        "../../etc/passwd",
        "<script>",
        "a?b=c&d",
        "100%",
        "a;b",
    ];
    let (server, _) = Server::with(vec![Article { enclosures: vec![Enclosure::default()], ..tagged("1", &names) }]).await;
    for name in names {
        let selection = Selection::of(Kind::Tag, Slug::from_name(name));
        for format in Format::ALL {
            assert_eq!(server.ids(&Target::feed(&selection, format).path()).len(), 1, "{name}");
        }
        let page = Target::page(&selection).path();
        assert_eq!(server.get(&page).status, 200, "{page}");
        let query: String = url::form_urlencoded::byte_serialize(name.replace(',', " ").as_bytes()).collect();
        let answer = server.get(&format!("/feed.rss?tag={query}"));
        let expected = Target::feed(&selection, Format::Rss).path();
        assert_eq!((answer.status, answer.header("location")), (301, expected.as_str()), "{name}");
    }
    let feeds = server.get("/opml/feeds");
    for name in names {
        let url = Target::feed(&Selection::of(Kind::Tag, Slug::from_name(name)), Format::Atom).path().replace('\'', "&#39;");
        assert!(feeds.text().contains(&url), "{url}");
    }
    assert!(!server.get("/tags").text().contains("<script>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_on_to_older_articles_until_the_end() {
    let (server, _) = Server::with((0..25).map(|n| article(&n.to_string())).collect()).await;
    let (mut target, mut pages) = ("/?limit=10".to_owned(), 0);
    let mut titles = std::collections::BTreeSet::new();
    loop {
        let page = server.get(&target);
        assert_eq!(page.status, 200, "{target}");
        pages += 1;
        titles.extend((0..25).filter(|n| page.text().contains(&format!(">Title of {n}</a></h2>"))));
        let next = page.text().split("rel=\"next\" href=\"").nth(1).map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"));
        let Some(next) = next else { break };
        target = next.trim_start_matches("https://feeds.example.org").to_owned();
        assert!(pages < 9, "the pages have no end");
    }
    assert_eq!((pages, titles.len()), (3, 25));
}

#[tokio::test]
async fn health_changes_with_its_events_and_with_nothing_else() {
    let (server, source) = Server::with(vec![article("1")]).await;
    let first = server.get("/health.atom");
    assert_eq!((first.status, first.header("content-type")), (200, "application/atom+xml; charset=utf-8"));
    let known = [("If-None-Match", first.header("etag"))];
    server.f.feed(&source, vec![article("2")], day(2)).await;
    assert_eq!(server.ask("GET", "/health.atom", &known).status, 304, "news change nothing here");
    let feed = server.get("/feed.atom");
    server.f.store.fail(source.id, "https://u:p@a.example/feed answered 410".into(), None, day(3)).await.unwrap();
    let second = server.ask("GET", "/health.atom", &known);
    assert_eq!((second.status, texts(second.text(), "entry", "title")), (200, vec!["feed is gone".to_owned()]));
    assert!(second.text().contains("a.example answered 410") && !second.text().contains("u:p"), "{}", second.text());
    assert_eq!(server.ask("GET", "/feed.atom", &[("If-None-Match", feed.header("etag"))]).status, 304, "health changes nothing there");
    assert!(server.get("/health").text().contains("feed is gone") && server.get("/sources").text().contains("Gone"));
    assert_eq!(server.get("/health.xml").header("location"), "/health.rss");
    assert_eq!(server.get("/health?tag=x").status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_feed_stands_for_its_selection() {
    let (server, _) = Server::with(vec![tagged("1", &["news"]), tagged("2", &["news", "ads"]), tagged("3", &["x"])]).await;
    for format in ["rss", "atom", "json"] {
        assert_eq!(server.ids(&format!("/feed/mine.{format}")), server.ids(&format!("/feed.{format}?tag=news&tag=-ads")), "{format}");
    }
    let feed = server.get("/feed/mine.json").json();
    assert_eq!((feed["title"].as_str(), feed["description"].as_str()), (Some("My own · Mill"), Some("Chosen")));
    assert_eq!(feed["feed_url"], "https://feeds.example.org/feed/mine.json");
    assert!(server.get("/feed/mine").text().contains("My own"));
    assert!(server.get("/opml/feeds").text().contains("/feed/mine.atom"));
    assert_eq!(server.get("/feed/other.rss").status, 404);
    assert_eq!(server.get("/feed/mine.rss?tag=x").status, 400);
    assert_eq!(server.get("/feed/Mine.rss?limit=5").header("location"), "/feed/mine.rss?limit=5");
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_dressed_as_a_reader_asks() {
    let (server, source) = Server::with(vec![tagged("1", &["a", "b"])]).await;
    let plain = server.ids("/tag/a.rss");
    assert_eq!(plain, server.ids("/tag/b.rss"));
    let (own, other) = (server.ids("/tag/a.rss?ids=feed"), server.ids("/tag/b.rss?ids=feed"));
    assert!(own != other && own != plain && own == server.ids("/tag/a.atom?ids=feed"), "{own:?} {other:?}");
    let items = |path: &str| server.get(path).json()["items"][0].clone();
    assert_eq!(items("/tag/a.json?via=title")["title"], "feed: Title of 1");
    assert!(
        items("/tag/a.json?via=body")["content_html"]
            .as_str()
            .unwrap()
            .starts_with("<p>via <a href=\"https://feeds.example.org/source/feed\">feed</a></p>")
    );
    server.f.store.remove_source(source.id, day(2)).await.unwrap();
    for (path, id) in [("/tag/a.atom", &plain[0]), ("/tag/a.atom?ids=feed", &own[0])] {
        assert!(server.get(path).text().contains(&format!("<at:deleted-entry ref=\"{id}\"")), "{path} {id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_a_page_and_three_feeds() {
    let (server, _) =
        Server::with(vec![Article { content: Some("<p>前面的话，然后是大模型。</p>".into()), ..tagged("1", &["a"]) }, tagged("2", &["a"])])
            .await;
    let query = "q=%E5%A4%A7%E6%A8%A1%E5%9E%8B";
    assert_eq!(server.ids(&format!("/feed.rss?{query}")).len(), 0, "not indexed yet");
    server.f.store.index(|| 1).await.unwrap();
    for format in ["rss", "atom", "json"] {
        assert_eq!(server.ids(&format!("/feed.{format}?{query}")).len(), 1, "{format}");
    }
    let page = server.get(&format!("/?{query}"));
    assert!(page.text().contains("<mark>大模型</mark>") && page.text().contains("noindex"), "{}", page.text());
    let page = server.get(&format!("/?explain=1&{query}&tag=a&tag=-never"));
    for told in ["Read as:", "tag <bdi>a</bdi>: its own", "Never published, so nothing has it: tag never"] {
        assert!(page.text().contains(told), "{told} in {}", page.text());
    }
    let description = server.get("/opensearch.xml");
    assert!(description.text().contains("template=\"https://feeds.example.org/?q={searchTerms}\""), "{}", description.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_is_a_feed_of_days() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Feed, "https://a.example/feed").await;
    server.f.feed(&source, vec![], day(0)).await;
    server.f.feed(&source, vec![article("1"), article("2")], day(1)).await;
    for format in ["rss", "atom", "json"] {
        assert_eq!(server.ids(&format!("/feed.{format}?digest=daily")).len(), 1, "{format}");
    }
    let item = server.get("/feed.json?digest=daily").json()["items"][0].clone();
    assert_eq!(item["title"], "2025-10-10: 2 articles");
    let content = item["content_html"].as_str().unwrap();
    assert!(content.contains(">Title of 1</a> (feed)") && content.contains(">Title of 2</a> (feed)"), "{content}");
    let path = item["url"].as_str().unwrap().strip_prefix("https://feeds.example.org").unwrap().to_owned();
    assert_eq!(server.get(&path).status, 200, "{path}");
    assert!(server.get("/?digest=daily").text().contains("2025-10-10: 2 articles"));
}
