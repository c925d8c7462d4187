//! The real program and the feeds that it asks.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cli::Home;
use crate::upstream::Upstream;

/// A server that gives one feed to whoever asks, and counts.
fn upstream(feed: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (url, asked) = (format!("http://{}/feed.xml", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            count.fetch_add(1, Ordering::SeqCst);
            let mut reader = BufReader::new(stream);
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                line.clear();
            }
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                feed.len()
            );
            let _ = reader.get_mut().write_all(format!("{head}{feed}").as_bytes());
        }
    });
    (url, asked)
}

pub(crate) const FEED: &str = "<rss version=\"2.0\"><channel><title>Up</title><link>https://up.example/</link><description>d</description>\
<item><title>One</title><link>https://up.example/1</link><guid>https://up.example/1</guid></item></channel></rss>";

#[test]
fn one_request_adds_a_feed_and_it_is_left_alone_until_it_is_due() {
    let home = Home::new();
    let (url, asked) = upstream(FEED);
    let err = home.failure(&["add", &url], 1);
    assert!(err.contains("allow_addresses"), "an address of this machine is refused: {err}");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    home.write("feedmill.toml", "[poll]\nallow_addresses = [\"127.0.0.0/8\"]\n");
    let out = home.output(&["add", &url, "--category", "news"]);
    assert!(out.contains("added Up (feed) as up: 1 new; it is asked again at "), "{out}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(home.output(&["add", &url]).contains("is there already, as up"));
    let out = home.output(&["add", &url, "--category", "so so", "--tag", "t", "--every", "1h", "--full-text"]);
    let hint = "; its settings stay as they are: change them with `feedmill edit up --category 'so so' --tag t --every 3600s --full-text`";
    assert!(out.trim().ends_with(hint), "{out}");
    assert!(home.output(&["add", &url, "--header", "X-Key: 1"]).contains("remove it and add it again"));
    assert!(home.output(&["add", &url, "--tag", "t", "--json"]).contains("\"ignored\":true"));
    let out = home.output(&["refresh"]);
    assert!(out.contains("up: not due before"), "{out}");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "what is not due is not asked");
    assert!(home.output(&["refresh", "--force"]).contains("1 sources read, 0 failed"));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert!(home.output(&["feed", "/category/news.rss"]).contains("<guid>https://up.example/1</guid>"));
    let preview: serde_json::Value = serde_json::from_str(home.output(&["preview", "--json", &url]).trim()).unwrap();
    assert_eq!(preview["items"][0]["title"], "One");
}

#[test]
fn what_was_asked_just_now_is_not_asked_again_when_it_is_added_again() {
    let home = Home::new();
    let up = Upstream::new();
    home.write("feedmill.toml", "[poll]\nallow_addresses = [\"127.0.0.0/8\"]\nspacing = \"1s\"\n");
    up.then("/", "200 OK", "<!doctype html><html><head><link rel=alternate type=application/rss+xml href=/moved></head></html>");
    up.then("/moved", "301 Moved\r\nLocation: /feed.xml", "").then("/feed.xml", "200 OK", FEED);
    let out = home.output(&["add", &up.url("/")]);
    assert!(out.contains("is a web page with 1 feed(s)") && out.contains("about every 3"), "{out}");
    assert_eq!(up.requests().len(), 3);
    for path in ["/", "/moved", "/feed.xml"] {
        assert!(home.output(&["add", &up.url(path)]).contains("is there already, as up"), "{path}");
    }
    home.output(&["remove", "up"]);
    let out = home.output(&["add", &up.url("/"), "--category", "later"]);
    assert!(out.contains("brought back Up as up; it is asked again at"), "{out}");
    assert!(home.output(&["feed", "/category/later.rss"]).contains("<item>"), "by what is said of it now");
    home.output(&["remove", "up"]);
    let out = home.output(&["add", &up.url("/"), "--json"]);
    assert!(out.contains("\"new\":true") && out.contains("\"back\":true"), "{out}");
    assert!(home.output(&["feed", "/source/up.rss"]).contains("<item>"), "its articles are back");
    assert!(home.output(&["refresh"]).contains("up: not due before"));
    assert_eq!(up.requests().len(), 3, "nothing was asked twice");
}

#[test]
fn what_redirects_for_good_when_it_is_added_moves_the_third_time_running_too() {
    let (home, up) = (Home::new(), Upstream::new());
    home.write("feedmill.toml", "[poll]\nallow_addresses = [\"127.0.0.0/8\"]\nspacing = \"0s\"\n");
    up.then("/old", "301 Moved\r\nLocation: /new", "").then("/other", "308 Moved\r\nLocation: /new", "").then("/new", "200 OK", FEED);
    home.output(&["add", &up.url("/old")]);
    for (asked, at) in [(2, "/old"), (3, "/new"), (3, "/new")] {
        home.output(&["refresh", "--force"]);
        assert_eq!(up.asked("/old"), asked);
        assert!(home.output(&["sources"]).contains(&up.url(at)), "{at}");
    }
    assert!(home.output(&["add", &up.url("/other")]).contains("read Up (feed) as up"), "what leads to a known source is that");
    assert_eq!(home.output(&["sources"]).trim().lines().count(), 1);
    assert!(home.output(&["add", &up.url("/other")]).contains("is there already, as up"));
}

#[test]
fn a_page_that_names_no_feed_has_it_at_one_of_the_usual_places() {
    const PAGE: &str = "<!doctype html><html><body><p>Welcome.</p></body></html>";
    let (home, up) = (Home::new(), Upstream::new());
    home.write("feedmill.toml", "[poll]\nallow_addresses = [\"127.0.0.0/8\"]\nspacing = \"0s\"\n");
    up.then("/", "200 OK", PAGE).then("/feed", "302 Found\r\nLocation: /", "").then("/rss.xml", "404 Not Found", PAGE);
    up.then("/atom.xml", "200 OK", FEED);
    let out = home.output(&["add", &up.url("/")]);
    assert!(out.contains("names no feed; the usual places are tried") && out.contains("added Up (feed) as up: 1 new"), "{out}");
    assert!(home.output(&["add", &up.url("/")]).contains("/atom.xml is there already, as up"));
    up.then("/front", "200 OK", "<!doctype html><title>x</title><meta http-equiv=refresh content='0; url=/en/'>");
    up.then("/en/", "200 OK", "<!doctype html><link rel=alternate type=application/rss+xml href=/en/index.xml>");
    up.then("/en/index.xml", "200 OK", &FEED.replace("Up", "English"));
    assert!(home.output(&["add", &up.url("/front")]).contains("added English (feed) as english: 1 new"));
    assert_eq!((up.asked("/rss.xml"), up.asked("/atom.xml"), up.asked("/feed.xml")), (1, 1, 0));
    let other = Upstream::new();
    other.then("/", "200 OK", PAGE);
    assert!(home.failure(&["preview", &other.url("/")], 1).contains("it names no feed; many have theirs at: "));
    assert!(home.failure(&["add", &other.url("/")], 1).contains("names no feed, and none is at the usual places"));
    let busy = Upstream::new();
    busy.then("/", "200 OK", PAGE).then("/feed", "429 Slow", "").then("/rss.xml", "200 OK", FEED);
    assert!(home.failure(&["add", &busy.url("/")], 1).contains("429"));
    assert_eq!(busy.asked("/rss.xml"), 0, "a host that has enough is left alone");
}

#[test]
fn one_feed_is_one_source_with_a_fragment_and_as_feed_readers_spell_it() {
    let home = Home::new();
    let (url, asked) = upstream(FEED);
    home.write("feedmill.toml", "[poll]\nallow_addresses = [\"127.0.0.0/8\"]\n");
    assert!(home.output(&["add", &format!("{url}#new")]).contains("added Up (feed) as up: 1 new"));
    for spelling in [url.clone(), url.replace("http:", "feed:"), format!("feed:{url}"), format!("{url}#"), url.replace("http:", "HTTP:")] {
        let out = home.output(&["add", &spelling]);
        assert!(out.contains(&format!("{url} is there already, as up")), "{spelling}: {out}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn what_an_owner_hastens_is_asked_no_sooner_than_its_publisher_allows() {
    let home = Home::new();
    let up = Upstream::new();
    home.write("feedmill.toml", "[poll]\nallow_addresses = [\"127.0.0.0/8\"]\n");
    up.then("/a", "200 OK\r\nCache-Control: max-age=36000", FEED);
    home.output(&["add", &up.url("/a")]);
    let at =
        |what: &str| serde_json::from_str::<serde_json::Value>(home.output(&["sources", "up", "--json"]).trim()).unwrap()[what].clone();
    let due = || at("due");
    let before = due();
    home.output(&["edit", "up", "--every", "15m"]);
    assert_eq!(due(), before);
    assert!(home.output(&["sources", "up", "--verbose"]).contains("not to be asked before: "));
    home.output(&["remove", "up"]);
    home.output(&["add", &up.url("/a"), "--every", "15m"]);
    assert_eq!((due(), up.asked("/a")), (at("not_before"), 1), "nor when it comes back");
}

#[test]
fn one_source_is_shown_with_its_manners_and_without_its_secrets() {
    let home = Home::new();
    let up = Upstream::new();
    home.write("feedmill.toml", "[poll]\nallow_addresses = [\"127.0.0.0/8\"]\n");
    let damaged = FEED.replace("<item>", "<ttl>90</ttl><skipDays><day>Sunday</day></skipDays><item><pubDate>whenever</pubDate>");
    up.then("/feed.xml", "200 OK\r\nETag: \"v1\"", &damaged);
    let out = home.output(&["add", &up.url("/feed.xml"), "--header", "Authorization: Bearer hush"]);
    assert!(out.contains("it is private"), "{out}");
    assert_eq!(up.requests()[0].header("authorization"), Some("Bearer hush"));
    let out = home.output(&["sources", "up", "--verbose"]);
    for shown in
        ["ETag: \"v1\"", "90 min between readings; none on Sun (GMT)", "Authorization: …", "mended: ", "next reading: ", "private: yes"]
    {
        assert!(out.contains(shown), "{shown} in {out}");
    }
    for arguments in [&["sources", "up", "--verbose"][..], &["sources", "--json"], &["feed", "/opml"], &["feed", "/feed.atom"]] {
        let out = home.output(arguments);
        assert!(!out.contains("hush"), "{arguments:?}: {out}");
        assert!(!(arguments[0] == "feed" && out.contains("/feed.xml")), "{arguments:?}: {out}");
    }
    home.output(&["edit", "up", "--private", "no"]);
    let (opml, feed) = (home.output(&["feed", "/opml"]), home.output(&["feed", "/feed.atom"]));
    assert!(opml.contains("/feed.xml") && feed.contains("/feed.xml") && !(opml + &feed).contains("hush"), "its owner says who sees it");
    home.output(&["edit", "up", "--private", "yes"]);
    assert!(!home.output(&["feed", "/opml"]).contains("/feed.xml") && !home.output(&["feed", "/feed.atom"]).contains("/feed.xml"));
    let help = home.failure(&["add", "https://x.example/", "--header", "Host: y"], 2);
    assert!(help.contains("it takes `Name: value`"), "{help}");
    assert!(home.failure(&["add", "https://x.example/", "--proxy", "ftp://y"], 2).contains("socks5h://"));
}

#[test]
fn refresh_waits_for_the_pauses_of_a_host_and_says_what_came_of_all() {
    let home = Home::new();
    let up = Upstream::new();
    home.write("feedmill.toml", "[poll]\nallow_addresses = [\"127.0.0.0/8\"]\nspacing = \"1s\"\n");
    for path in ["/a", "/b", "/c"] {
        up.then(path, "200 OK", FEED);
        home.output(&["add", &up.url(path), "--slug", &path[1..]]);
    }
    up.now("/c").then("/c", "503 Busy\r\nRetry-After: 3600", "");
    let (code, out, err) = home.run(&["refresh", "a", "b", "c", "--force"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("3 sources read, 1 failed: 2 unchanged") && err.contains("c: "), "{out}{err}");
    assert_eq!((up.requests().len(), up.most_at_once()), (6, 1));
    let due = || {
        home.output(&["sources", "--json"]).lines().map(|line| line.split("\"due\":").nth(1).unwrap()[..22].to_owned()).collect::<Vec<_>>()
    };
    let before = due();
    let out = home.output(&["refresh", "--force"]);
    assert_eq!(out.matches("its host is left alone until").count(), 3, "{out}");
    assert_eq!(due(), before, "who asks nobody changes nothing");
    assert!(home.failure(&["add", &up.url("/d")], 1).contains("is left alone until"));
    assert_eq!(up.requests().len(), 6);
}

#[test]
fn what_is_gone_is_asked_by_its_name_alone() {
    let home = Home::new();
    let up = Upstream::new();
    home.write("feedmill.toml", "[poll]\nallow_addresses = [\"127.0.0.0/8\"]\nspacing = \"0s\"\n");
    up.then("/a", "200 OK", FEED).then("/a", "410 Gone", "");
    home.output(&["add", &up.url("/a")]);
    home.failure(&["refresh", "--force"], 1);
    let out = home.output(&["refresh", "--force"]);
    assert!(out.contains("`feedmill refresh up --force` asks once") && up.asked("/a") == 2, "{out}");
    home.failure(&["refresh", "up", "--force"], 1);
    assert_eq!(up.asked("/a"), 3);
}

#[test]
fn without_a_pause_the_sources_of_a_host_are_read_one_after_another_until_it_has_enough() {
    let home = Home::new();
    let up = Upstream::new();
    home.write("feedmill.toml", "[poll]\nallow_addresses = [\"127.0.0.0/8\"]\nspacing = \"0s\"\n");
    let paths: Vec<_> = (0..20).map(|number| format!("/{number:02}")).collect();
    for path in &paths {
        up.then(path, "200 OK", &FEED.replace("/1", path));
    }
    let outlines: String = paths.iter().map(|path| format!("<outline text=\"{path}\" xmlUrl=\"{}\"/>", up.url(path))).collect();
    let list = home.write("some.opml", &format!("<opml version=\"2.0\"><body>{outlines}</body></opml>"));
    home.output(&["import", &list]);
    assert!(home.output(&["refresh"]).contains("20 sources read, 0 failed: 20 new"));
    assert!(paths.iter().all(|path| up.asked(path) == 1) && up.most_at_once() == 1);
    up.now("/05").then("/05", "503 Busy\r\nRetry-After: 3600", "");
    let (code, out, err) = home.run(&["refresh", "--force"]);
    assert!(code == 1 && out.contains("6 sources read, 1 failed: 5 unchanged"), "{out}{err}");
    assert_eq!((out.matches("its host is left alone until").count(), up.requests().len(), up.most_at_once()), (14, 26, 1), "{out}");
}

#[test]
fn the_first_reading_of_a_feed_goes_by_the_zone_that_it_is_added_with() {
    let (home, up) = (Home::new(), Upstream::new());
    home.write("feedmill.toml", "[poll]\nallow_addresses = [\"127.0.0.0/8\"]\n");
    let feed = FEED.replace("</item>", "<pubDate>2025-01-06 12:00:00</pubDate></item>");
    up.then("/a", "200 OK\r\nETag: \"1\"", &feed).then("/a", "304 Not Modified", "");
    home.output(&["add", &up.url("/a"), "--timezone", "Asia/Shanghai"]);
    let published = home.output(&["feed", "/feed.json"]);
    assert!(published.contains("\"date_published\":\"2025-01-06T04:00:00Z\""), "{published}");
}

#[test]
fn a_feed_that_states_a_wrong_encoding_is_read_in_the_one_that_its_owner_names() {
    let (home, up) = (Home::new(), Upstream::new());
    home.write("feedmill.toml", "[poll]\nallow_addresses = [\"127.0.0.0/8\"]\nspacing = \"1s\"\n");
    // These letters of windows-1251 are UTF-8 of others, by chance.
    let feed = FEED.replace("One", "Ж");
    for path in ["/a", "/b"] {
        up.then(path, "200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nETag: \"1\"", &feed);
    }
    let title = |path: &str| {
        let feed: serde_json::Value = serde_json::from_str(&home.output(&["feed", path])).unwrap();
        feed["items"][0]["title"].as_str().unwrap().to_owned()
    };
    home.output(&["add", &up.url("/a"), "--encoding", "cp1251", "--slug", "a"]);
    assert_eq!(title("/source/a.json"), "Р–");
    home.output(&["add", &up.url("/b"), "--slug", "b"]);
    assert_eq!(title("/source/b.json"), "Ж");
    home.output(&["edit", "b", "--encoding", "windows-1251"]);
    home.output(&["refresh", "b", "--force"]);
    assert_eq!(title("/source/b.json"), "Р–");
    home.output(&["edit", "b", "--clear", "encoding"]);
    home.output(&["refresh", "b", "--force"]);
    assert_eq!(title("/source/b.json"), "Ж");
    assert!(home.failure(&["edit", "b", "--encoding", "nonsense"], 2).contains("windows-1251"));
    home.write("folder/a.md", &crate::cli::article("A", ""));
    assert!(home.failure(&["add", "folder", "--encoding", "gbk"], 1).contains("--encoding is for feeds"));
}

#[test]
fn a_feed_is_added_once_others_of_its_host_were_read() {
    let (home, up) = (Home::new(), Upstream::new());
    home.write("feedmill.toml", "[poll]\nallow_addresses = [\"127.0.0.0/8\"]\nspacing = \"1s\"\n");
    up.then("/fast", "200 OK", FEED);
    up.then_with(
        "/slow",
        Arc::new(|stream| {
            std::thread::sleep(std::time::Duration::from_millis(1_500));
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }),
    );
    let list = home.write("list.opml", &format!("<opml><body><outline type=\"rss\" xmlUrl=\"{}\"/></body></opml>", up.url("/slow")));
    home.output(&["import", &list]);
    let mut reading = home.command(&["refresh"]).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    while up.asked("/slow") == 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let started = std::time::Instant::now();
    assert!(home.output(&["add", &up.url("/fast")]).contains("1 new"));
    assert!(started.elapsed().as_secs() < 30 && up.most_at_once() == 1, "{:?}", started.elapsed());
    assert_eq!(reading.wait().unwrap().code(), Some(1), "an empty document is no feed");
}

#[test]
fn headers_are_given_to_the_host_that_they_are_added_for_and_to_no_other() {
    let (home, up, other) = (Home::new(), Upstream::new(), Upstream::new());
    home.write("feedmill.toml", "[poll]\nallow_addresses = [\"127.0.0.0/8\"]\nspacing = \"1s\"\n");
    up.then("/moved", &format!("301 M\r\nLocation: {}", other.url("/feed")), "");
    up.then("/page", "200 OK", &format!("<!doctype html><html><link rel=alternate type=application/rss+xml href={}>", other.url("/feed")));
    up.then("/own", "200 OK", "<!doctype html><html><link rel=alternate type=application/rss+xml href=/feed>")
        .then("/feed", "200 OK", FEED);
    other.then("/feed", "200 OK", FEED);
    let add = |path: &str| home.run(&["add", &up.url(path), "--header", "X-Key: hush"]);
    assert_eq!(add("/moved").0, 0);
    home.output(&["refresh", "--force"]);
    let (code, _, err) = add("/page");
    assert!(code == 1 && err.contains("is not given its headers"), "{err}");
    assert_eq!(add("/own").0, 0);
    assert_eq!(other.asked("/feed"), 2, "the redirect is followed each time");
    assert!(other.requests().iter().all(|request| !request.head.contains("hush")), "{:?}", other.requests());
    assert!(up.requests().iter().all(|request| request.head.contains("hush")), "{:?}", up.requests());
}
