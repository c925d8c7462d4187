//! The real program's previews: what a feed or a file would give, with nothing stored.

use crate::asking::FEED;
use crate::cli::{Home, article};

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
fn a_feed_is_known_by_its_beginning_whatever_its_file_is_called() {
    let home = Home::new();
    let json = r#"{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","title":"One\u2028Two","content_text":"a\u2028b"}]}"#;
    for (name, text) in [("feed", FEED), ("index.php", FEED), ("rss_2.0", json)] {
        let out = home.output(&["preview", "--json", &home.write(name, text)]);
        assert!(out.contains("\"title\":\"One") && !out.contains('\u{2028}'), "{name}: {out}");
    }
    let note = home.write("note", "About https://jsonfeed.org/version/1.1");
    assert!(home.output(&["preview", &note]).contains("note: 1 articles"));
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
