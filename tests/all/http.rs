//! The door speaks HTTP: validators, heads, redirects, and errors that name what is wrong.

use feedmill::model::{Article, SourceKind};

use crate::server::{Server, decoded};
use crate::store::{day, tagged};

#[tokio::test(flavor = "multi_thread")]
async fn the_tag_of_any_coding_gets_a_304_with_the_validators() {
    let (server, _) = Server::with((0..30).map(|n| tagged(&n.to_string(), &["x"])).collect()).await;
    let plain = server.get("/tag/x.rss");
    assert!(plain.header("content-encoding").is_empty());
    for (accept, name) in [("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("gzip;q=0.1, br;q=0.5", "br")] {
        // A coding that is not ready comes in its time; until then another one is given, or none.
        let coded = loop {
            let coded = server.ask("GET", "/tag/x.rss", &[("Accept-Encoding", accept)]);
            assert_eq!(coded.header("vary"), "Accept-Encoding");
            assert_eq!(decoded(&coded), plain.body, "{name}");
            if coded.header("content-encoding") == name {
                break coded;
            }
        };
        let tag = coded.header("etag");
        assert_ne!(tag, plain.header("etag"), "a strong validator names the coding");
        for (sent, accepts) in [(tag, accept), (tag, "identity"), (plain.header("etag"), accept)] {
            let known = server.ask("GET", "/tag/x.rss", &[("If-None-Match", sent), ("Accept-Encoding", accepts)]);
            assert_eq!((known.status, known.body.len()), (304, 0), "{sent} {accepts}");
            for name in ["etag", "last-modified", "cache-control", "vary"] {
                assert!(!known.header(name).is_empty(), "{name}");
            }
        }
    }
    let weak = format!("W/{}", plain.header("etag"));
    assert_eq!(server.ask("HEAD", "/tag/x.rss", &[("If-None-Match", &weak)]).status, 304);
    assert_eq!(server.ask("GET", "/tag/x.rss", &[("If-None-Match", "\"other\"")]).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_date_gets_a_304_unless_a_tag_says_otherwise() {
    let (server, _) = Server::with(vec![tagged("1", &["x"])]).await;
    let date = server.get("/tag/x.atom").header("last-modified").to_owned();
    assert_eq!(server.ask("GET", "/tag/x.atom", &[("If-Modified-Since", &date)]).status, 304);
    assert_eq!(server.ask("GET", "/tag/x.atom", &[("If-Modified-Since", "Mon, 01 Jan 2024 00:00:00 GMT")]).status, 200);
    assert_eq!(server.ask("GET", "/tag/x.atom", &[("If-Modified-Since", "yesterday")]).status, 200);
    assert_eq!(server.ask("GET", "/tag/x.atom", &[("If-Modified-Since", &date), ("If-None-Match", "\"x\"")]).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_date_of_a_feed_never_goes_back_and_what_only_excludes_has_that_of_the_store() {
    let (server, source) = Server::with(vec![tagged("1", &["x"])]).await;
    server.f.feed(&source, vec![tagged("2", &["y"])], day(3)).await;
    let either = server.get("/feed.rss?tag=x,y").header("last-modified").to_owned();
    let others = server.get("/feed.rss?tag=-x").header("last-modified").to_owned();
    server.f.store.delete_term(feedmill::model::Kind::Tag, "y", day(3)).await.unwrap();
    assert_eq!(server.get("/feed.rss?tag=x,y").header("last-modified"), either);
    server.f.feed(&source, vec![tagged("3", &["z"])], day(4)).await;
    assert_eq!(server.ask("GET", "/feed.rss?tag=-x", &[("If-Modified-Since", &others)]).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_site_may_read_what_a_feed_answers_and_an_alias_shows_the_xml_as_asked() {
    let (server, _) = Server::with(vec![tagged("1", &["x"])]).await;
    for (target, status) in [("/tag/x.json", 200), ("/feed.json?tag=x", 301), ("/tag/none.json", 404), ("/tag/x.json?limit=0", 400)] {
        let answer = server.get(target);
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, "*"), "{target}");
    }
    server.f.store.rename_term(feedmill::model::Kind::Tag, "x", "y", day(3)).await.unwrap();
    for (target, location) in [("/tag/x.rss?_raw=1", "/tag/y.rss?_raw=1"), ("/tag/x.rss?limit=3&_raw=1", "/tag/y.rss?limit=3&_raw=1")] {
        assert_eq!(server.get(target).header("location"), location);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_links_of_a_long_selection_fit_a_proxy() {
    let (server, _) = Server::with(vec![tagged("1", &["x"])]).await;
    for tags in [1, 20, 60] {
        let names: Vec<String> = (0..tags).map(|n| format!("%E6%A0%87%E7%AD%BE{n:03}")).collect();
        let answer = server.get(&format!("/feed.rss?tag={}", names.join(",")));
        let links = answer.all("link");
        let length: usize = links.iter().map(|link| link.len()).sum();
        assert!(answer.status == 301 || (length < 3_000 && (length == 0 || links[0].contains("rel=\"self\""))), "{tags}: {length}");
        assert!(answer.status == 301 || answer.text().contains("rel=\"self\""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_a_get_without_its_body() {
    let (server, _) = Server::with(vec![tagged("1", &["x"])]).await;
    for target in ["/tag/x.json", "/", "/tag/nobody", "/opml"] {
        let (get, head) = (server.get(target), server.ask("HEAD", target, &[]));
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{target}");
        for name in ["etag", "content-type", "content-length", "last-modified", "link"] {
            assert_eq!(head.all(name), get.all(name), "{target} {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn links_name_the_document_itself_and_its_other_forms() {
    let (server, _) = Server::with(vec![tagged("1", &["x"])]).await;
    let expected = [
        "<https://feeds.example.org/tag/x.atom>; rel=\"self\"",
        "<https://feeds.example.org/tag/x>; rel=\"alternate\"; type=\"text/html\"",
        "<https://feeds.example.org/tag/x.rss>; rel=\"alternate\"; type=\"application/rss+xml\"",
        "<https://feeds.example.org/tag/x.json>; rel=\"alternate\"; type=\"application/feed+json\"",
    ];
    assert_eq!(server.get("/tag/x.atom").all("link"), expected);
    assert_eq!(server.get("/tag/x").all("link").len(), 4);
    for target in ["/", "/tag/x", "/feed.rss", "/feed.atom", "/feed.json", "/opml", "/opml/feeds", "/sitemap.xml", "/robots.txt"] {
        assert!(!server.get(target).text().contains("evil.example"), "{target} trusts the Host header");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_spelling_is_redirected_for_good_and_ours_is_not() {
    let (server, _) = Server::with(vec![tagged("1", &["rust", "a", "b", "c++"])]).await;
    for (target, canonical) in [
        ("/feed.rss?tag=rust", "/tag/rust.rss"),
        ("/?tag=rust", "/tag/rust"),
        ("/tag/Rust.rss", "/tag/rust.rss"),
        ("/tag/C++.atom", "/tag/c%2B%2B.atom"),
        ("/feed.rss?tag=b&tag=a", "/feed.rss?tag=a&tag=b"),
        ("/feed.rss?tag=b,a", "/feed.rss?tag=a,b"),
        ("/feed.rss?limit=50&tag=a&tag=a&q2=", ""),
        ("/feed.rss?limit=50", "/feed.rss"),
        ("/feed.rss?utm_source=x&fbclid=1", "/feed.rss"),
        ("/tag/a.rss?tag=b", "/feed.rss?tag=a&tag=b"),
        ("/tag/a.rss?content=full", "/tag/a.rss"),
        ("/feed", "/feed.rss"),
        ("/rss", "/feed.rss"),
        ("/rss.xml", "/feed.rss"),
        ("/feed.xml", "/feed.rss"),
        ("/index.xml", "/feed.rss"),
        ("/atom.xml", "/feed.atom"),
        ("/tag/rust.xml", "/tag/rust.rss"),
        ("/tag/rust.html", "/tag/rust"),
        ("/tags/ai/ml/index.xml", "/tag/ai-ml.rss"),
        ("/tags/ai/ml/", "/tag/ai-ml"),
        ("/categories/QQ/page/3/", "/category/qq"),
        ("/page/2/", "/"),
        ("/language/ZH_cn.rss", "/language/zh-CN.rss"),
    ] {
        let answer = server.get(target);
        if canonical.is_empty() {
            assert_eq!(answer.status, 400, "{target}");
            continue;
        }
        assert_eq!((answer.status, answer.header("location")), (301, canonical), "{target}");
        assert_eq!(answer.header("cache-control"), "public, max-age=86400", "{target}");
    }
    for (target, same) in [("/feed.rss?tag=a%2Cb", 200), ("/feed.rss/", 200), ("/feed%2Erss", 200), ("/feed.rss?tag=a,b&_raw=1", 200)] {
        assert_eq!(server.get(target).status, same, "{target}");
    }
    for start in ["/tags/x/page/2/?utm_medium=y", "/tag/C++.rss?tag=-B&tag=A", "/?language=ZH&limit=050"] {
        let location = server.get(start).header("location").to_owned();
        assert_ne!(server.get(&location).status, 301, "{start} leads to {location}, which leads on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_sent_to_the_page_unless_it_wants_the_feed_itself() {
    let (server, _) = Server::with(vec![tagged("1", &["x"])]).await;
    let browser = [("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Mode", "navigate")];
    let answer = server.ask("GET", "/tag/x.rss", &browser);
    assert_eq!((answer.status, answer.header("location"), answer.header("cache-control")), (303, "/tag/x", "no-store"));
    let answer = server.ask("GET", "/feed.json?limit=2&tag=x&tag=y", &browser);
    assert_eq!((answer.status, answer.header("location")), (303, "/?limit=2&tag=x&tag=y"));
    let raw = server.ask("GET", "/tag/x.rss?_raw=1", &browser);
    assert_eq!((raw.status, raw.header("content-type")), (200, "application/rss+xml; charset=utf-8"));
    assert_eq!(server.ask("GET", "/tag/x.rss", &[("Sec-Fetch-Dest", "empty"), ("Sec-Fetch-Mode", "cors")]).status, 200);
    assert_eq!(server.ask("GET", "/tag/x", &browser).status, 200);
    assert_eq!(server.ask("GET", "/tag/X.rss?_raw=1", &browser).header("location"), "/tag/x.rss?_raw=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_is_a_400_that_names_the_parameter() {
    let (server, _) = Server::with(vec![tagged("1", &["x"])]).await;
    for (target, parameter) in [
        ("/feed.rss?limit=0", "limit"),
        ("/feed.rss?limit=501", "limit"),
        ("/feed.rss?limit=x", "limit"),
        ("/feed.rss?limit=3&limit=4", "limit"),
        ("/tag/x?content=some", "content"),
        ("/feed.rss?frobnicate=1", "frobnicate"),
        ("/feed.rss?before=aaaaaaaaaaaaa", "before"),
        ("/?before=%F0%9F%A6%80", "before"),
        ("/feed.json?language=%21", "language"),
        ("/opml?x=1", "x"),
        ("/tags?limit=3", "limit"),
    ] {
        let answer = server.get(target);
        assert_eq!((answer.status, answer.header("content-type")), (400, "application/problem+json"), "{target}");
        let problem = answer.json();
        assert_eq!((&problem["status"], &problem["parameter"]), (&400.into(), &parameter.into()), "{target}");
        assert!(!problem["expected"].as_str().unwrap().is_empty(), "{target}");
    }
    let page = server.ask("GET", "/feed.rss?limit=<b>", &[("Accept", "text/html")]);
    assert_eq!(page.status, 400);
    let page = server.ask("GET", "/feed.rss?limit=%3Cb%3E", &[("Accept", "text/html")]);
    assert!(page.text().contains("&lt;b&gt;") && !page.text().contains("<b>"), "{}", page.text());
    for target in ["/tag/%FF.rss", "/tag/a%80b", "/feed.rss?tag=%C3"] {
        assert_eq!(server.get(target).status, 400, "{target}");
    }
    assert_eq!(server.get(&format!("/feed.rss?tag={}", "a,".repeat(5000))).status, 400);
    let many: String = (0..65).map(|n| format!("&tag=t{n:02}")).collect();
    assert_eq!(server.get(&format!("/feed.rss?{}", &many[1..])).status, 400, "a selection has a bound");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_very_many_names_the_largest_are_listed_and_the_nearest_begins_alike() {
    let tags = (0..5_000).map(|tag| format!("t{tag:04}")).chain(["zebra".to_owned()]).collect();
    let (server, _) = Server::with(vec![Article { guid: "a".to_owned(), tags, ..Article::default() }]).await;
    let nearest = |path: &str| server.get(path).json()["nearest"][0]["name"].as_str().map(str::to_owned);
    assert_eq!(nearest("/tag/zebr.rss").as_deref(), Some("zebra"));
    assert_eq!(nearest("/tag/t00055.rss").as_deref(), Some("t0005"));
    assert_eq!(nearest("/tag/qqqqq.rss"), None);
    let page = server.get("/tags");
    assert_eq!(page.text().matches("<div class=\"row\">").count(), 5_000);
    assert!(page.text().contains("These are the 5000 with most articles"), "{}", &page.text()[..3_000]);
    assert!(!server.get("/categories").text().contains("with most articles"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_never_seen_is_a_404_with_the_nearest_names() {
    let (server, _) = Server::with(vec![tagged("1", &["node.js", "rust"])]).await;
    let answer = server.get("/tag/nod.js.rss");
    assert_eq!((answer.status, answer.header("content-type")), (404, "application/problem+json"));
    let nearest = &answer.json()["nearest"][0];
    assert_eq!((&nearest["name"], &nearest["url"]), (&"node.js".into(), &"https://feeds.example.org/tag/node.js".into()));
    let page = server.ask("GET", "/tag/nod.js", &[("Accept", "text/html,*/*;q=0.8")]);
    assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"));
    assert!(page.text().contains("href=\"/tag/node.js\""), "{}", page.text());
    for target in [
        "/nowhere",
        "/tag",
        "/tag/",
        "/category/never.atom",
        "/source/x",
        "/author/x.json",
        "/article/0",
        "/article/aaaaaaaaaaaaa",
        "//",
        "/tag/a/b",
    ] {
        assert_eq!(server.get(target).status, 404, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_reading_is_offered() {
    let server = Server::new().await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = server.ask(method, "/feed.rss", &[]);
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"), "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_may_ask_with_a_tag_and_sees_the_next_one() {
    let server = Server::new().await;
    let answer = server.ask("OPTIONS", "/feed.json", &[("Access-Control-Request-Method", "GET"), ("Origin", "https://reader.example")]);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, "*"));
    assert_eq!((answer.header("access-control-allow-methods"), answer.header("access-control-allow-headers")), ("GET, HEAD", "*"));
    assert_eq!(server.ask("OPTIONS", "/feed.json", &[("Access-Control-Request-Method", "PUT")]).status, 405);
    let answer = server.get("/feed.json");
    assert_eq!(answer.header("access-control-expose-headers"), "*");
    let known = server.ask("GET", "/feed.json", &[("If-None-Match", answer.header("etag"))]);
    assert_eq!((known.status, known.header("access-control-expose-headers")), (304, "*"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_below_a_path_answers_with_it_and_without_it() {
    let server = Server::at("https://example.org/feeds/").await;
    let source = server.f.source(SourceKind::Feed, "https://a.example/feed").await;
    server.f.feed(&source, vec![tagged("1", &["x"])], day(1)).await;
    for prefix in ["", "/feeds"] {
        let answer = server.get(&format!("{prefix}/tag/x.atom"));
        assert_eq!(answer.status, 200);
        assert!(answer.text().contains("https://example.org/feeds/tag/x.atom"));
        assert_eq!(server.get(&format!("{prefix}/tag/X.rss")).header("location"), "/feeds/tag/x.rss");
        let browser = [("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Mode", "navigate")];
        assert_eq!(server.ask("GET", &format!("{prefix}/tag/x.rss"), &browser).header("location"), "/feeds/tag/x");
        assert_eq!(server.get(&format!("{prefix}/healthz")).status, 200);
        assert_eq!(server.get(&format!("{prefix}/favicon.ico")).status, 200);
        assert_eq!(server.get(&format!("{prefix}/?limit=5")).status, 200);
    }
    assert_eq!(server.get("/feeds").status, 200);
    assert_eq!(server.get("/feeds?limit=5").status, 200);
    assert!(server.get("/robots.txt").text().contains("Disallow: /feeds/"));
    let page = server.get("/feeds/");
    for part in page.text().split('"').filter(|part| part.starts_with('/')) {
        assert!(part.starts_with("/feeds"), "{part} leaves the site");
    }
}
