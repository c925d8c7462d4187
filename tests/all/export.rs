//! What comes in comes out again: subscriptions as OPML, articles as Markdown and JSON.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::cli::Home;
use crate::upstream::Upstream;

const CONFIGURATION: &str = "[poll]\nallow_addresses = [\"127.0.0.0/8\"]\nspacing = \"1s\"\n";

fn home() -> Home {
    let home = Home::new();
    home.write("feedmill.toml", CONFIGURATION);
    home
}

fn rss(title: &str) -> String {
    format!(
        "<rss version=\"2.0\"><channel><title>{title}</title><link>https://up.example/</link><description>d</description>\
         <item><title>One of {title}</title><link>https://up.example/{title}/1</link></item></channel></rss>"
    )
}

/// Of each source what OPML carries.
fn subscriptions(home: &Home) -> BTreeSet<(String, String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let sources = home.output(&["sources", "--json"]);
    let parsed = sources.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let categories = |source: &Value| source["settings"]["categories"].as_array().unwrap().iter().map(text).collect();
    parsed.map(|source| (text(&source["location"]), text(&source["title"]), categories(&source))).collect()
}

#[test]
fn subscriptions_come_in_once_without_a_request_and_go_out_again() {
    let (home, up) = (home(), Upstream::new());
    up.then("/a", "200 OK", &rss("a")).then("/b", "200 OK", &rss("b"));
    let opml = format!(
        "<opml version=\"2.0\"><body><outline text=\"Top\"><outline text=\"News & more\">\n<outline type=\"rss\" text=\"My A\" xmlUrl=\"{a}\"/>\
         </outline></outline>\n<outline text=\"AI/ML\"><outline text=\"again\" xmlUrl=\"{a}\"/><outline TEXT='B' XMLURL='{b}' category=\"/x,/AI-ML\"></outline>\
         </outline>\n<outline type=\"rss\" text=\"none\"/>\n<outline text=\"10\" xmlUrl=\"http://10.0.0.1/f\"/></body></opml>",
        a = up.url("/a"),
        b = up.url("/b")
    );
    let file = home.write("my.opml", &opml);
    let (code, out, err) = home.run(&["import", &file]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("2 added, 0 known, 2 refused"), "{out}");
    assert!(err.contains("my.opml:4: \"none\" has no xmlUrl") && err.contains("10.0.0.1"), "{err}");
    let json: Value = serde_json::from_str(home.run(&["add", &file, "--json"]).1.trim()).unwrap();
    assert_eq!((&json["added"], &json["known"]), (&0.into(), &2.into()));
    assert!(up.requests().is_empty(), "nobody is asked while a list is read");
    assert!(!home.output(&["sources"]).contains("inbox"), "a list of subscriptions makes no inbox");

    let all = subscriptions(&home);
    let categories = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let expected = [
        (up.url("/a"), "My A".to_owned(), categories(&["News & more", "AI/ML"])),
        (up.url("/b"), "B".to_owned(), categories(&["AI/ML", "x"])),
    ];
    assert_eq!(all, expected.into());
    assert!(home.output(&["refresh"]).contains("2 sources read, 0 failed: 2 new"));
    assert_eq!((up.asked("/a"), up.asked("/b")), (1, 1));
    for category in ["News-&-more", "ai-ml"] {
        assert!(home.output(&["feed", &format!("/category/{category}.rss")]).contains("One of a"), "{category}");
    }

    home.output(&["remove", "my-a"]);
    assert!(home.run(&["import", &file]).1.contains("1 added, 1 known, 2 refused"), "who was removed comes back");
    assert!(home.output(&["feed", "/source/my-a.rss"]).contains("One of a"));
    assert!(home.output(&["refresh"]).contains("my-a: not due before") && up.asked("/a") == 1, "and was asked only just now");

    let exported = home.output(&["export", "opml"]);
    assert_eq!(exported, home.output(&["feed", "/opml"]));
    assert_eq!(exported.matches(&up.url("/a")).count(), 1, "a source of two categories stands once: {exported}");
    let other = self::home();
    let file = other.write("exported.opml", &exported);
    assert!(other.output(&["add", &file, "--tag", "moved"]).contains("2 added, 0 known"));
    let here: BTreeSet<_> = subscriptions(&other).into_iter().map(|(url, title, names)| (url, title, slugs(&names))).collect();
    assert_eq!(here, all.into_iter().map(|(url, title, names)| (url, title, slugs(&names))).collect());
    assert!(other.output(&["sources", "my-a"]).contains("tags: moved"));
    assert!(other.failure(&["add", &file, "--slug", "x"], 1).contains("--title and --slug"));
}

fn slugs(names: &[String]) -> BTreeSet<String> {
    names.iter().map(|name| feedmill::model::Slug::from_name(name).to_string()).collect()
}

#[test]
fn private_addresses_go_out_only_when_their_owner_says_so() {
    let (home, up) = (home(), Upstream::new());
    up.then("/f?token=hush", "200 OK", &rss("a"));
    home.output(&["add", &up.url("/f?token=hush")]);
    assert!(!home.output(&["export", "opml"]).contains("hush"));
    assert!(home.output(&["export", "opml", "--private"]).contains("token=hush"));
    assert!(!home.output(&["export", "json"]).contains("hush"));
}

const FEED: &str = "<rss version=\"2.0\"><channel><title>Up</title><link>https://up.example/</link><description>d</description><language>zh-CN</language>\
<item><title>Markup &amp;amp; *stars*</title><link>https://up.example/1</link><guid>../../1</guid><category>C++</category><category>1.10</category>\
<pubDate>Wed, 12 Feb 2025 09:30:02 +0800</pubDate><description><![CDATA[<p>a *b* &lt;c&gt; {{< d >}}</p>

<pre>1

    2</pre># no heading]]></description></item>\
<item><title>Text</title><link>https://up.example/2</link><pubDate>Wed, 12 Feb 2025 10:30:02 +0800</pubDate><description>1. a _b_ $c$ &amp;lt;x&amp;gt;</description></item>\
</channel></rss>";

/// Of each article what Markdown carries; keys of articles differ from place to place.
fn articles(home: &Home) -> Vec<String> {
    let feed: Value = serde_json::from_str(&home.output(&["export", "json"])).unwrap();
    let names = |terms: &Value| terms.as_array().map(|terms| terms.iter().map(|term| term["name"].to_string()).collect::<BTreeSet<_>>());
    let mut articles: Vec<String> = feed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let page = item["_feedmill"]["page"].as_str().unwrap();
            let content = item["content_html"].as_str().unwrap_or_default().replace(page, "PAGE");
            let ours = &item["_feedmill"];
            let parts = [&item["title"], &item["date_published"], &item["language"], &item["image"]]
                .map(ToString::to_string)
                .join(" ")
                .replace(page, "PAGE");
            format!("{parts} {:?} {:?} {content}", names(&ours["categories"]), names(&ours["tags"]))
        })
        .collect();
    articles.sort();
    articles
}

#[test]
fn an_exported_json_feed_comes_back_with_categories_that_are_no_tags() {
    let home = home();
    home.write("notes/a.md", "---\ntitle: A\nlang: en\ndate: 2025-01-01T00:00:00Z\ncategories: [c, both]\ntags: [t, both]\n---\nBody\n");
    home.write("notes/b.md", "---\ntitle: B\nlang: en\ndate: 2025-01-02T00:00:00Z\n---\nBody\n");
    home.output(&["add", "notes"]);
    home.output(&["export", "json", "--out", "out"]);
    let other = Home::new();
    other.output(&["import", home.path("out/articles.json").to_str().unwrap()]);
    assert_eq!(articles(&home), articles(&other));
}

#[test]
fn exported_markdown_says_elsewhere_what_it_said_here() {
    let home = home();
    home.write(
        "notes/plain.md",
        "---\ntitle: As it is # kept\ndate: 2025-01-01T00:00:00Z\nlang: de\ncategories: c\ntags: [t, mine]\n---\nBody\n",
    );
    home.write("notes/deep/local.zh-TW.md", "+++\ntitle = '當地'\ndate = '2025-01-02 08:00:00'\ncustom = 'kept'\n+++\nBody *b*.\n");
    home.write(
        "notes/bundle/index.md",
        "---\ntitle: Bundle\ndate: 2025-01-03T00:00:00Z\ntags: t\nthumbnail: p.png\n---\n![p](p.png) [other](../plain.md)\n",
    );
    home.write("notes/bundle/p.png", "picture");
    home.write("notes/undated.md", "---\ntitle: Undated\nlang: en\ntags: [mine]\ncategories: news\n---\nBody\n");
    home.output(&["add", "notes", "--timezone", "Asia/Shanghai", "--category", "news", "--tag", "mine"]);
    let feed = home.write("old.xml", FEED);
    home.output(&["import", &feed]);
    home.output(&["tag", "rename", "t", "Tee"]);

    let out = home.output(&["export", "markdown", "--out", "out"]);
    assert!(out.contains("6 articles in out: 7 files new, 0 replaced"), "{out}");
    let file = |path: &str| fs::read_to_string(home.0.path().join("out").join(path)).unwrap();
    assert_eq!(file("notes/bundle/p.png"), "picture");
    assert!(file("notes/deep/local.zh-TW.md").contains("\"custom\": \"kept\"\n"), "what nobody here knows is kept");
    let other = self::home();
    std::thread::sleep(std::time::Duration::from_secs(1));
    other.output(&["add", home.0.path().join("out").to_str().unwrap(), "--timezone", "America/New_York"]);
    let (here, there) = (articles(&home), articles(&other));
    assert_eq!(here.len(), 6);
    for (here, there) in here.iter().zip(&there) {
        // The file of a bundle links to an article that has another key there.
        let shown = |text: &str| text.split("other</a>").next().unwrap().split("\">").next().unwrap().to_owned();
        if here.contains("Bundle") { assert_eq!(shown(here), shown(there)) } else { assert_eq!(here, there) }
    }
}

#[test]
fn a_file_is_taken_in_whole_however_few_articles_of_a_polled_document_are() {
    let home = Home::new();
    home.write("feedmill.toml", "[poll]\nmax_articles = 2\n");
    for name in ["a", "b", "c"] {
        home.write(&format!("notes/{name}.md"), &crate::cli::article(name, ""));
    }
    home.output(&["add", "notes"]);
    home.output(&["export", "json", "--out", "out"]);
    let file = home.path("out/articles.json");
    let file = file.to_str().unwrap();
    assert!(home.output(&["preview", file]).contains("3 articles"));
    let other = Home::new();
    other.write("feedmill.toml", "[poll]\nmax_articles = 2\n");
    assert_eq!(other.output(&["import", file]), "imported into inbox: 3 new\n");
}

#[test]
fn a_file_that_needs_nothing_is_given_back_as_it_was() {
    let home = home();
    let text = "---\n# a comment\ntitle: x\ndate: 2025-01-01T00:00:00Z\nlang: en\ntags: t\n---\n\nBody\n";
    home.write("notes/a.md", text);
    home.output(&["add", "notes"]);
    home.output(&["export", "markdown", "--out", "out"]);
    assert_eq!(fs::read_to_string(home.0.path().join("out/notes/a.md")).unwrap(), text);
}

#[test]
fn an_export_writes_over_nothing_that_is_not_its_own_unasked() {
    let home = home();
    home.write("notes/a.md", "---\ntitle: A\nlang: en\ndate: 2025-01-01T00:00:00Z\n---\nBody\n");
    home.output(&["add", "notes"]);
    let own = home.write("mine/notes/a.md", "mine");
    assert!(home.failure(&["export", "markdown", "--out", "mine"], 1).contains("--force"));
    assert_eq!(fs::read_to_string(&own).unwrap(), "mine");
    let out = home.output(&["export", "markdown", "--out", "mine", "--force", "--verbose"]);
    assert!(out.contains("0 files new, 1 replaced") && out.contains("replaced, since it differed: notes/a.md"), "{out}");
    assert!(home.output(&["export", "markdown", "--out", "mine"]).contains("0 replaced, 1 as they were"));
    home.write("mine/notes/a.md", "edited");
    assert!(home.output(&["export", "markdown", "--out", "mine"]).contains("1 replaced"));
    for (what, name) in [("json", "articles.json"), ("opml", "sources.opml")] {
        let out = home.output(&["export", what, "--out", "mine"]);
        assert!(out.contains("1 files new"), "{out}");
        assert_eq!(fs::read_to_string(home.0.path().join("mine").join(name)).unwrap(), home.output(&["export", what]));
        assert!(home.output(&["export", what, "--out", "mine"]).contains("1 as they were"));
    }
    assert!(home.failure(&["export", "markdown"], 2).contains("--out"));
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_a_failure_and_a_closed_pipe_is_none() {
    let home = home();
    home.write("a/one.md", &crate::cli::article("One", "date: 2025-01-01"));
    home.output(&["add", "a"]);
    for arguments in [&["export", "json"][..], &["feed", "/feed.rss"], &["tag", "list", "--json"]] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = home.command(arguments).stdout(full).output().unwrap();
        // There is no tag: nothing is printed of what has none.
        let expected = i32::from(arguments[0] != "tag");
        assert_eq!(output.status.code(), Some(expected), "{arguments:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap().contains("cannot print"), expected == 1, "{arguments:?}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(home.command(&["export", "json"]).stdout(writer).status().unwrap().code(), Some(0));
}

#[test]
fn what_is_empty_is_no_article_and_a_feed_is_one_whatever_its_file_is_called() {
    let home = home();
    let (empty, feed) = (home.write("empty.md", "\u{feff}\n \n"), home.write("feed", &rss("a")));
    for path in ["-", &empty] {
        assert!(home.failure(&["import", path], 1).contains("there is nothing in it"), "{path}");
    }
    assert!(home.failure(&["import", &feed, "--into", " "], 2).contains("it takes a name"));
    assert!(home.output(&["import", &feed]).contains("imported into inbox: 1 new"));
    let json: Value = serde_json::from_str(&home.output(&["export", "json"])).unwrap();
    let titles: Vec<&Value> = json["items"].as_array().unwrap().iter().map(|item| &item["title"]).collect();
    assert_eq!(titles, ["One of a"]);
}

#[test]
fn an_article_whose_file_has_another_name_by_now_has_one_file_and_what_was_withdrawn_stays() {
    let home = home();
    let feed = home.write("old.xml", FEED);
    home.output(&["import", &feed]);
    home.write("notes/a.md", &crate::cli::article("A", ""));
    home.write("notes/b.md", &crate::cli::article("B", ""));
    home.output(&["add", "notes"]);
    let export = || home.output(&["export", "markdown", "--out", "out"]);
    let files = || {
        let walk = walkdir::WalkDir::new(home.path("out")).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
        walk.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<BTreeSet<_>>()
    };
    export();
    let before = files();
    home.write("old.xml", &FEED.replace("<title>", "<title>Anew "));
    home.output(&["import", &feed]);
    fs::rename(home.path("notes/a.md"), home.path("notes/c.md")).unwrap();
    fs::remove_file(home.path("notes/b.md")).unwrap();
    home.output(&["refresh", "notes", "--force"]);
    let out = export();
    assert!(out.contains(&format!("{} removed", before.len() - 2)), "{out}");
    let after = files();
    assert!(after.len() == before.len() && after.contains("b.md") && after.contains("c.md") && !after.contains("a.md"), "{after:?}");
    assert!(!export().contains("removed"));
}
