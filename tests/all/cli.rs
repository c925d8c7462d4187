//! The real program: its commands, messages and exit codes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::upstream::Upstream;

const COMMANDS: [&str; 13] =
    ["serve", "add", "sources", "edit", "remove", "refresh", "import", "export", "preview", "feed", "tag", "category", "rules"];

/// A working directory of its own, with a store in it.
pub(crate) struct Home(pub(crate) TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn write(&self, path: &str, text: &str) -> String {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_feedmill"));
        command.args(arguments).env_clear().env("HOME", self.0.path()).env("TZ", "UTC").current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        told(self.command(arguments).output().unwrap())
    }

    /// What a command that must succeed prints.
    pub(crate) fn output(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
        out
    }

    /// What a command that must fail says.
    pub(crate) fn failure(&self, arguments: &[&str], expected: i32) -> String {
        let (code, out, err) = self.run(arguments);
        assert_eq!(code, expected, "{arguments:?}: {out}{err}");
        err
    }
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn article(title: &str, more: &str) -> String {
    format!("---\ntitle: {title}\n{more}\n---\nText.\n")
}

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

#[test]
fn every_command_has_help_with_examples_that_it_understands() {
    let home = Home::new();
    let help = home.output(&["--help"]);
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is not in: {help}");
        let help = home.output(&[command, "--help"]);
        let examples: Vec<_> = help.split("Example").nth(1).unwrap_or_default().lines().filter(|line| line.contains("feedmill ")).collect();
        assert!(!examples.is_empty(), "{command} has no example: {help}");
        for example in examples {
            let example = example.trim().split([';', '|', '<']).next().unwrap().replace('\'', "");
            let mut words: Vec<_> = example.split_whitespace().skip(1).collect();
            assert!(words.contains(&command), "{example}");
            words.push("--help");
            home.output(&words);
        }
    }
    assert!(home.output(&["--version"]).starts_with("feedmill "));
}

#[test]
fn wrong_usage_is_2_and_a_failure_is_1() {
    let home = Home::new();
    for arguments in [&["frobnicate"][..], &["add"], &["add", "x", "--every", "soon"], &["add", "x", "--timezone", "Moon"], &["import"]] {
        assert!(!home.failure(arguments, 2).is_empty());
    }
    for (arguments, reason) in [
        (&["add", "nowhere"][..], "neither a folder that is there nor a URL"),
        (&["remove", "nobody"], "there is no source \"nobody\""),
        (&["sources", "nobody"], "feedmill sources"),
        (&["refresh", "nobody"], "there is no source"),
        (&["feed", "/tag/never.rss"], "nothing was ever published"),
        (&["feed", "/feed.rss?limit=0"], "limit"),
        (&["feed", "no/slash"], "\"no/slash\""),
        (&["import", "nowhere.md"], "nowhere.md"),
        (&["preview", "nowhere.xml"], "nowhere.xml"),
        (&["sources", "--store", "postgres://x"], "`store` does not take"),
        (&["sources", "--config", "nowhere.toml"], "nowhere.toml"),
    ] {
        let err = home.failure(arguments, 1);
        assert!(err.starts_with("error: ") && err.contains(reason), "{arguments:?}: {err}");
        assert!(!err.contains("panicked"), "{err}");
    }
    home.write("feedmill.toml", "title = \"x\"\n\n[poll]\nmni = \"15m\"\n");
    let err = home.failure(&["sources"], 1);
    assert!(err.contains("feedmill.toml") && err.contains('4') && err.contains("poll.min"), "{err}");
}

#[test]
fn a_folder_is_added_read_again_published_and_removed() {
    let home = Home::new();
    home.write("articles/a.md", &article("A & B", "tags: [C++]"));
    home.write("articles/人.md", &article("人", "categories: 生活"));
    home.write("articles/broken.md", "---\ntitle: [\n---\n");
    let (code, out, err) = home.run(&["add", "articles", "--tag", "mine", "--language", "zh-CN"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("added articles (folder) as articles: 2 new"), "{out}");
    assert!(err.contains("broken.md:"), "{err}");
    assert!(home.output(&["add", "./articles/"]).contains("is there already, as articles"));
    assert!(home.output(&["sources"]).contains("articles\tfolder\t2 articles"));
    let detail = home.output(&["sources", "articles"]);
    assert!(detail.contains("tags: mine"), "{detail}");

    let atom = home.output(&["feed", "/tag/c++.atom"]);
    assert!(atom.contains("<title xml:lang=\"zh-CN\">A &amp; B</title>") || atom.contains("A &amp; B"), "{atom}");
    assert!(home.output(&["feed", "/category/生活.rss"]).contains("<title>人</title>"));
    let json: serde_json::Value = serde_json::from_str(&home.output(&["feed", "/feed.json?tag=mine&limit=1"])).unwrap();
    assert_eq!(json["items"].as_array().unwrap().len(), 1);

    home.write("articles/c.md", &article("C", ""));
    fs::remove_file(home.0.path().join("articles/a.md")).unwrap();
    let out = home.output(&["refresh", "--force"]);
    assert!(out.contains("articles: 1 new, 1 withdrawn"), "{out}");
    let json: serde_json::Value = serde_json::from_str(home.output(&["refresh", "articles", "--force", "--json"]).trim()).unwrap();
    assert_eq!((&json["read"], &json["failed"], &json["applied"]["added"]), (&1.into(), &0.into(), &0.into()));

    let out = home.output(&["remove", "articles"]);
    assert!(out.contains("removed articles; articles withdrawn: 2"), "{out}");
    assert!(home.output(&["sources"]).contains("there are no sources yet"));
    assert!(!home.output(&["feed", "/feed.rss"]).contains("<item>"));
    home.failure(&["remove", "articles"], 1);
    assert!(home.output(&["add", "articles"]).contains("as articles"));
    assert!(home.output(&["feed", "/feed.rss"]).contains("<title>C</title>"));
}

const FEED: &str = "<rss version=\"2.0\"><channel><title>Up</title><link>https://up.example/</link><description>d</description>\
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
    assert!(home.output(&["add", &up.url("/")]).contains("is there already, as up"));
    assert!(home.output(&["feed", "/source/up.rss"]).contains("<item>"), "its articles are back");
    assert!(home.output(&["refresh"]).contains("up: not due before"));
    assert_eq!(up.requests().len(), 3, "nothing was asked twice");
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
    let out = home.output(&["refresh", "a", "--force"]);
    assert!(out.contains("a: its host is left alone until"), "{out}");
    assert!(home.failure(&["add", &up.url("/d")], 1).contains("is left alone until"));
    assert_eq!(up.requests().len(), 6);
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
fn articles_and_feeds_are_imported_once() {
    let home = Home::new();
    let feed = home.write("old.xml", FEED);
    let file = home.write("a.md", &article("A", "date: 2025-01-01"));
    home.write("folder/b.md", &article("B", ""));
    let out = home.output(&["import", &feed, &file, "folder", "--into", "Archive"]);
    assert!(out.contains("imported into archive: 3 new"), "{out}");
    let out = home.output(&["import", &feed, &file, "folder", "--into", "Archive"]);
    assert!(out.contains("3 unchanged"), "{out}");
    let out = home.output(&["feed", "/source/archive.rss"]);
    assert!(["One", "A", "B"].iter().all(|title| out.contains(&format!("<title>{title}</title>"))), "{out}");
    let mut child = home.command(&["import", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all("# Heard\n\nOn standard input.\n".as_bytes()).unwrap();
    let (code, out, _) = told(child.wait_with_output().unwrap());
    assert_eq!((code, out.trim()), (0, "imported into inbox: 1 new"));
    let broken = home.write("broken.md", "---\ntitle: [\n---\n");
    let (code, out, err) = home.run(&["import", &broken, &file, "--into", "Archive"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("1 unchanged") && err.contains("broken.md:"), "{out}{err}");
    for path in ["/feed.rss", "/feed.atom", "/feed.json", "/source/archive.atom", "/source/archive.json"] {
        home.output(&["feed", path]);
        assert!(home.path("feedmill.db").exists() && !home.path("feedmill.db-wal").exists(), "after {path} all is in the one file");
    }
}

#[test]
fn a_preview_stores_nothing() {
    let home = Home::new();
    let feed = home.write("old.xml", FEED);
    let file = home.write("a.md", &article("A", "tags: x"));
    let out = home.output(&["preview", &feed, &file]);
    assert!(out.contains("Up: 1 articles") && out.contains("A  [x]"), "{out}");
    let (code, out, _) = home.run(&["preview", "--json", &feed, "nowhere.xml", &file]);
    assert_eq!(code, 1);
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "one line a source, in order");
    assert_eq!(lines[0]["items"][0]["title"], "One");
    assert!(lines[1]["_feedmill"]["error"].as_str().unwrap().contains("nowhere.xml"));
    assert_eq!(lines[2]["items"][0]["title"], "A");
    assert!(!home.0.path().join("feedmill.db").exists());
}

#[test]
fn a_preview_shows_where_items_stand_that_are_skipped() {
    let home = Home::new();
    let (one, nothing) = ("<item><title>One</title><guid>1</guid></item>", "<item><author>Una</author><category>x</category></item>");
    let feed = home.write("a.xml", &format!("<rss><channel><title>Up</title>{nothing}{one}{one}</channel></rss>"));
    let out = home.output(&["preview", &feed]);
    let lines: Vec<&str> = out.lines().take(4).collect();
    let expected = [
        "Up: 1 articles, 2 skipped",
        "  undated  (no title)  [x]  (skipped: neither title, link nor content)",
        "  undated  One  []",
        "  undated  One  []  (skipped: repeats an item before it)",
    ];
    assert_eq!(lines, expected, "{out}");
    let out = home.output(&["preview", "--json", &feed]);
    let items = &serde_json::from_str::<serde_json::Value>(&out).unwrap()["items"];
    assert_eq!(items[0]["_feedmill"], serde_json::json!({ "skipped": "neither title, link nor content" }));
    assert_eq!((&items[0]["id"], &items[0]["content_html"]), (&serde_json::Value::Null, &serde_json::json!("")));
    assert_eq!((&items[0]["authors"][0]["name"], &items[0]["tags"][0]), (&serde_json::json!("Una"), &serde_json::json!("x")));
    assert_eq!((&items[1]["id"], &items[1]["_feedmill"]), (&serde_json::json!("1"), &serde_json::json!({ "dropped": false })));
    assert_eq!(items[2]["_feedmill"]["skipped"], "repeats an item before it");
}

#[test]
fn a_preview_shows_what_rules_would_do() {
    let home = Home::new();
    home.write(
        "feedmill.toml",
        "[[rule]]\nwhen = { title = \"^A\" }\nadd_tags = [\"seen\"]\nremove_tags = [\"x\"]\nset_language = \"de\"\n\n[[rule]]\nwhen = { title = \"^B\" }\ndrop = true\n",
    );
    let (a, b) = (home.write("a.md", &article("A", "tags: [x, y]")), home.write("b.md", &article("B", "")));
    let out = home.output(&["preview", &a, &b]);
    assert!(out.contains("A  [y, seen]\n") && out.contains("B  []  (dropped by a rule)"), "{out}");
    let out = home.output(&["preview", "--json", &a]);
    let item = &serde_json::from_str::<serde_json::Value>(&out).unwrap()["items"][0];
    assert_eq!((&item["tags"], &item["language"]), (&serde_json::json!(["y", "seen"]), &serde_json::json!("de")));
    assert_eq!(item["_feedmill"]["dropped"], false);
}

#[test]
fn the_server_says_where_it_is_and_publishes_its_folder() {
    let home = Home::new();
    home.write("articles/a.md", &article("A", ""));
    let mut child =
        home.command(&["serve", "articles", "--bind", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    let mut address = None;
    while address.is_none() && out.read_line(&mut line).unwrap() > 0 {
        address = line.split_once("http://127.0.0.1:").map(|(_, rest)| format!("127.0.0.1:{}", rest.trim().trim_end_matches('/')));
        line.clear();
    }
    let mut stream = std::net::TcpStream::connect(address.unwrap()).unwrap();
    stream.write_all(b"GET /feed.rss HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    child.wait().unwrap();
    assert!(answer.contains("<title>A</title>"), "{answer}");
    assert!(!home.path("feedmill.db-wal").exists(), "after a stop all is in the one file");
}

#[test]
fn the_configuration_in_force_is_printed_with_where_each_value_came_from() {
    let home = Home::new();
    home.write("feedmill.toml", "title = \"From the file\"\n");
    let out = told(home.command(&["serve", "--print-config", "--bind", "127.0.0.1:1"]).env("FEEDMILL_POLL_MIN", "20m").output().unwrap()).1;
    for (value, place) in [("From the file", "feedmill.toml"), ("20m", "FEEDMILL_POLL_MIN"), ("127.0.0.1:1", "flag")] {
        assert!(out.lines().any(|line| line.contains(value) && line.contains(place)), "{value} from {place}: {out}");
    }
    for key in feedmill::config::KEYS {
        assert!(out.contains(key.name.rsplit('.').next().unwrap()), "{}", key.name);
    }
}

#[test]
fn every_command_and_configuration_key_stands_in_the_readme() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let missing_keys = feedmill::config::KEYS.iter().map(|key| key.name).filter(|name| {
        let last = name.rsplit('.').next().unwrap();
        !readme.contains(&format!("`{name}`")) && !readme.contains(&format!("`{last}`")) && !readme.contains(&format!("\n{last} = "))
    });
    let missing_commands = COMMANDS.into_iter().filter(|command| !readme.contains(&format!("feedmill {command}")));
    let missing: Vec<_> = missing_keys.chain(missing_commands).collect();
    assert!(missing.is_empty(), "README.md does not tell of {missing:?}");
}

#[test]
fn tags_and_categories_are_put_in_order() {
    let home = Home::new();
    home.write("a/one.md", &article("One", "tags: [golang, AI]\ncategories: tech"));
    home.write("a/two.md", &article("Two", "tags: [go-lang, 人工智能]\ncategories: misc"));
    home.output(&["add", "a"]);
    assert_eq!(home.output(&["tag", "rename", "golang", "Go"]), "renamed tag Go (go): 1 articles, 1 changed\n");
    assert_eq!(home.output(&["tag", "merge", "go-lang", "golang"]), "merged tag Go (go): 2 articles, 1 changed\n");
    assert_eq!(home.output(&["tag", "slug", "人工智能", "rengong"]), "moved tag 人工智能 (rengong): 1 articles, 1 changed\n");
    let list = home.output(&["tag", "list"]);
    assert!(list.starts_with("go\tGo\t2 articles\talso go-lang, golang\n"), "{list}");
    home.output(&["tag", "alias", "rengong", "machine minds"]);
    home.output(&["tag", "describe", "machine minds", "--title", "AI, in Chinese"]);
    let row = home.output(&["tag", "list", "--json"]);
    let row = row.lines().find(|line| line.contains("rengong")).unwrap();
    assert!(row.contains("\"title\":\"AI, in Chinese\"") && row.contains("machine-minds"), "{row}");
    assert!(home.output(&["category", "delete", "misc"]).starts_with("deleted category misc (misc): 0 articles, 1 changed"));
    assert!(home.output(&["category", "list"]).contains("misc\tmisc\t0 articles\tdeleted"));
    assert!(home.output(&["category", "restore", "misc", "--json"]).contains("\"changed\":1"));
    let error = home.failure(&["tag", "merge", "ai", "goo"], 1);
    assert_eq!(error, "error: there is no tag \"goo\"; the nearest are Go\n");
    home.failure(&["tag", "merge", "ai"], 2);
    home.failure(&["tag", "rename", "ai", " "], 2);
    home.failure(&["tag", "describe", "ai", "--picture", "x"], 2);
}

#[test]
fn a_source_is_edited_and_its_articles_follow() {
    let home = Home::new();
    home.write("a/one.md", &article("One", "date: 2024-01-01 00:30"));
    home.output(&["add", "a", "--tag", "daily"]);
    let said = home.output(&[
        "edit",
        "a",
        "--category",
        "news",
        "--clear",
        "tag",
        "--slug",
        "blog",
        "--title",
        "Blog",
        "--timezone",
        "Asia/Tokyo",
    ]);
    assert_eq!(said, "changed Blog (blog): 1 of its articles changed\n");
    let feed = home.output(&["feed", "/category/news.json"]);
    assert!(feed.contains("\"Blog\"") && !feed.contains("daily"), "{feed}");
    assert!(home.output(&["refresh", "a"]).contains("1 changed"), "its file is read anew");
    assert!(home.output(&["feed", "/source/blog.json"]).contains("2023-12-31T15:30:00"), "in the new zone");
    assert!(home.output(&["sources", "blog", "--json"]).contains("\"timezone\":\"Asia/Tokyo\""));
    home.failure(&["edit", "nonsense"], 1);
}

#[test]
fn rules_of_the_configuration_are_shown_and_applied() {
    let home = Home::new();
    home.write("a/one.md", &article("DeepSeek", ""));
    home.write("a/two.md", &article("Spam", ""));
    home.output(&["add", "a"]);
    assert_eq!(home.output(&["rules"]), "there are no rules; the configuration takes them as [[rule]] tables\n");
    let file =
        "[[rule]]\nwhen = { title = \"(?i)deepseek\" }\nadd_tags = [\"deepseek\"]\n\n[[rule]]\nwhen = { title = \"Spam\" }\ndrop = true\n";
    home.write("feedmill.toml", file);
    assert_eq!(
        home.output(&["rules", "list"]),
        "feedmill.toml:1: when title matches \"(?i)deepseek\": add tags deepseek\nfeedmill.toml:5: when title matches \"Spam\": drop\n"
    );
    let asked = home.output(&["rules", "apply", "--dry-run"]);
    assert!(asked.contains("  DeepSeek +tag:deepseek\n") && asked.contains("  Spam dropped\n"), "{asked}");
    assert!(asked.ends_with("2 articles judged by 2 rules, 2 would change\n"), "{asked}");
    assert!(home.output(&["rules", "apply", "--json"]).contains("{\"articles\":2,\"changed\":2,\"applied\":true}"));
    assert!(home.output(&["feed", "/tag/deepseek.json"]).contains("\"DeepSeek\""));
    assert!(!home.output(&["feed", "/feed.json"]).contains("Spam"));
    home.write("b/three.md", &article("More Spam", ""));
    assert!(home.output(&["add", "b"]).contains("1 dropped by rules"));
    home.write("feedmill.toml", "\n[[rule]]\nwhen = { title = \"(\" }\ndrop = true\n");
    assert_eq!(home.failure(&["rules"], 1), "error: feedmill.toml:3: \"(\" is no regular expression: unclosed group\n");
}
