//! The real program: its commands, messages and exit codes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::asking::FEED;

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

pub(crate) fn article(title: &str, more: &str) -> String {
    format!("---\ntitle: {title}\n{more}\n---\nText.\n")
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

/// What is stored, newest first: the titles.
fn titles(home: &Home) -> Vec<String> {
    let feed: serde_json::Value = serde_json::from_str(&home.output(&["feed", "/feed.json"])).unwrap();
    feed["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn files_of_one_name_are_articles_of_their_own_and_stay_themselves() {
    let home = Home::new();
    for (path, title, date) in [
        ("2023/hello.md", "One", "2023-01-01"),
        ("2024/hello.md", "Two", "2024-01-01"),
        ("a/2024/hello.md", "Three", "2025-01-01"),
        ("b/2024/hello.md", "Three", "2025-01-01"),
    ] {
        home.write(path, &article(title, &format!("date: {date}")));
    }
    let paths = ["2023/hello.md", "2024/hello.md", "a/2024/hello.md", "b/2024/hello.md"];
    let all = [&["import"], &paths[..]].concat();
    assert_eq!(home.output(&all), "imported into inbox: 4 new\n");
    assert_eq!(home.output(&all), "imported into inbox: 4 unchanged\n");
    assert_eq!(home.output(&["import", "2023", "2024", "a", "b"]), "imported into inbox: 4 unchanged\n");
    for path in paths {
        assert_eq!(home.output(&["import", path]), "imported into inbox: 1 unchanged\n", "{path}");
    }
    home.write("a/2024/hello.md", &article("Three", "date: 2026-02-02"));
    assert_eq!(home.output(&["import", "a/2024/hello.md", "a/../a/2024/hello.md"]), "imported into inbox: 1 changed\n");
    home.write("c/hello.md", &article("Four", "date: 2022-01-01"));
    assert_eq!(home.output(&["import", "c/hello.md"]), "imported into inbox: 1 new\n");
    home.write("e/d.md", &article("D", "date: 2021-01-01"));
    assert_eq!(home.output(&["import", "e/d.md"]), "imported into inbox: 1 new\n");
    fs::rename(home.path("e"), home.path("f")).unwrap();
    assert_eq!(home.output(&["import", "f"]), "imported into inbox: 1 unchanged\n", "it may come from elsewhere");
    assert_eq!(titles(&home).len(), 6);
}

#[test]
fn files_of_one_name_that_are_imported_at_once_are_articles_of_their_own() {
    let home = Home::new();
    let paths: Vec<String> = (0..12).map(|n| home.write(&format!("p{n}/index.md"), &article(&format!("T{n}"), ""))).collect();
    let imports: Vec<Child> = paths.iter().map(|path| home.command(&["import", path]).stdout(Stdio::null()).spawn().unwrap()).collect();
    assert!(imports.into_iter().all(|mut import| import.wait().unwrap().success()));
    assert_eq!(titles(&home).len(), 12);
}

#[test]
fn the_files_of_a_first_import_are_listed_as_they_were_published() {
    let home = Home::new();
    let ago = |hours: u64| {
        chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now() - std::time::Duration::from_secs(hours * 3_600))
            .format("date: %FT%TZ")
            .to_string()
    };
    for (name, hours) in [("p0", 5), ("p1", 4), ("p2", 3), ("p3", 2)] {
        home.write(&format!("{name}.md"), &article(name, &ago(hours)));
    }
    home.output(&["import", "p0.md", "p1.md", "p2.md", "p3.md"]);
    assert_eq!(titles(&home), ["p3", "p2", "p1", "p0"]);
}

#[test]
fn each_standard_input_is_an_article_of_its_own_unless_it_is_as_before() {
    let home = Home::new();
    let import = |text: &str| {
        let mut child = home.command(&["import", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        told(child.wait_with_output().unwrap()).1
    };
    let named = |title| article(title, "guid: mine");
    for (text, said) in [
        ("# One\n\ntext\n".to_owned(), "1 new"),
        ("# One\n\nother text\n".to_owned(), "1 new"),
        ("# One\n\ntext\n".to_owned(), "1 unchanged"),
        (named("Named"), "1 new"),
        (named("Named otherwise"), "1 changed"),
    ] {
        assert_eq!(import(&text), format!("imported into inbox: {said}\n"), "{text}");
    }
}

/// A server of a folder with one article, and its address, as it says it.
fn serving(home: &Home) -> (Child, String) {
    home.write("articles/a.md", &article("A", ""));
    let mut child =
        home.command(&["serve", "articles", "--bind", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines().map(Result::unwrap);
    let address = lines.find_map(|line| Some(line[line.find("127.0.0.1:")?..].trim().trim_end_matches('/').to_owned()));
    (child, address.unwrap())
}

fn stop(mut child: Child) {
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    child.wait().unwrap();
}

#[test]
fn the_server_says_where_it_is_and_publishes_its_folder() {
    let home = Home::new();
    let (child, address) = serving(&home);
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /feed.rss HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    stop(child);
    assert!(answer.contains("<title>A</title>"), "{answer}");
    assert!(!home.path("feedmill.db-wal").exists(), "after a stop all is in the one file");
}

#[test]
fn a_store_that_was_taken_away_from_a_server_is_told_and_there_again_after_it() {
    let home = Home::new();
    let (child, _) = serving(&home);
    fs::remove_file(home.path("feedmill.db")).unwrap();
    let said = home.failure(&["import", "articles"], 1);
    assert!(said.contains("removed or replaced while another process used it"), "{said}");
    stop(child);
    assert!(home.output(&["import", "articles"]).contains("1 new"));
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
    let said = home
        .output(&["edit", "a", "--category", "news", "--clear", "tag", "--slug", "blog", "--title", "Blog", "--timezone", "Asia/Tokyo"]);
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
