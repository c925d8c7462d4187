//! The whole site as files: what the server would answer, written once, and again only where it changed.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::cli::Home;

const URL: &str = "https://feeds.example.org/mill";

fn home() -> Home {
    let home = Home::new();
    home.write(
        "feedmill.toml",
        &format!(
            "public_url = \"{URL}\"\nhub.max_subscriptions = 0\n[[feed]]\nslug = \"mine\"\ntitle = \"Mine\"\nselect = \"tag=人工智能\"\n[[feed]]\nslug = \"found\"\ntitle = \"Found\"\nselect = \"q=words\"\n"
        ),
    );
    home.write("blog/one/index.md", "---\ntitle: One\ndate: 2025-01-01\ntags: [人工智能, C++]\n---\n![](p.png) first\n");
    home.write("blog/one/p.png", "picture");
    home.write(
        "blog/two.md",
        &format!("---\ntitle: Two\ndate: 2025-01-02\ntags: [other, 'std::fmt']\n---\n{}\n", "many words ".repeat(200)),
    );
    home.output(&["add", "blog", "--title", "Blog"]);
    home
}

fn build(home: &Home) -> (i32, String, String) {
    home.run(&["build", "site"])
}

/// The files below a folder with their last change, but not the builder's own list.
fn files(root: &Path) -> BTreeMap<String, SystemTime> {
    let mut files = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if !entry.file_name().to_str().unwrap().starts_with(".feedmill-build") {
                let name = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, entry.metadata().unwrap().modified().unwrap());
            }
        }
    }
    files
}

fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|own| own == ending)
}

#[test]
fn every_page_and_feed_is_a_file_with_the_bytes_that_are_served() {
    let home = home();
    let (code, out, err) = build(&home);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let root = home.path("site");
    let names = files(&root);
    for name in [
        "index.html",
        "feed.rss",
        "feed.rss.gz",
        "tag/人工智能/index.html",
        "tag/人工智能.atom",
        "tag/c++.json",
        "feed/mine.rss",
        "source/blog.atom",
        "tags/index.html",
        "opml/index.opml",
        "opml/feeds",
        "sitemap.xml",
        "robots.txt",
        "health.atom",
        "favicon.ico",
    ] {
        assert!(names.contains_key(name), "{name} is not among {:?}", names.keys());
    }
    assert!(names.keys().any(|name| name.starts_with("article/") && name.ends_with("/p.png")));
    assert!(names.keys().any(|name| name.starts_with("static/style.") && name.ends_with(".css.gz")));
    let read = |name: &str| fs::read(root.join(name)).unwrap();
    // Small feeds are the same as those of a server: there is no archive to leave out.
    for path in ["/tag/人工智能.atom", "/tag/c++.json", "/tag/std::fmt.rss", "/feed/mine.rss", "/feed/found.json"] {
        assert_eq!(read(&path[1..]), home.output(&["feed", path]).into_bytes(), "{path}");
    }
    for name in names.keys().filter(|name| has_ending(name, "gz")) {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&read(name)[..]).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, read(name.trim_end_matches(".gz")), "{name}");
        assert!(read(name).len() < plain.len());
    }
    for name in names.keys().filter(|name| has_ending(name, "html")) {
        let page = String::from_utf8(read(name)).unwrap();
        let links = page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        for link in links.filter(|link| link.starts_with("/mill") || link.starts_with(URL)) {
            let path = link.trim_start_matches(URL).trim_start_matches("/mill").split('#').next().unwrap().trim_start_matches('/');
            let path = percent_encoding::percent_decode_str(path).decode_utf8().unwrap().into_owned();
            let is_there =
                [path.clone(), format!("{path}/index.html"), format!("{path}/index.opml")].iter().any(|file| root.join(file).is_file());
            assert!(is_there || path.is_empty(), "{name} leads to {link}");
        }
        assert!(!page.contains("role=\"search\""), "nobody answers a search");
    }
}

#[test]
fn building_again_writes_what_changed_and_removes_what_is_gone() {
    let home = home();
    build(&home);
    let root = home.path("site");
    let before = files(&root);
    let (code, out, _) = build(&home);
    assert_eq!((code, files(&root)), (0, before.clone()), "{out}");
    assert!(out.contains(": 0 files written,") && out.contains(" 0 removed"), "{out}");
    home.output(&["edit", "blog", "--category", "uncategorized"]);
    build(&home);
    assert!(fs::read_to_string(root.join("opml/index.opml")).unwrap().contains("uncategorized"), "a setting that changes no article");

    fs::write(root.join("CNAME"), "feeds.example.org").unwrap();
    fs::write(root.join("tag/other/mine.txt"), "mine").unwrap();
    fs::remove_file(home.path("blog/two.md")).unwrap();
    home.output(&["refresh", "--force"]);
    let (code, out, err) = build(&home);
    assert_eq!(code, 0, "{out}{err}");
    let after = files(&root);
    assert_eq!(after["tag/c++.atom"], before["tag/c++.atom"], "what did not change is not written");
    assert_ne!(after["feed.atom"], before["feed.atom"]);
    assert!(!after.contains_key("tag/other.atom") && !after.contains_key("tag/other.atom.gz"));
    assert!(after.contains_key("CNAME") && after.contains_key("tag/other/mine.txt"), "what others put there stays");
    let parts = fs::read_dir(&root).unwrap().filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().contains("part"));
    assert_eq!(parts.count(), 0);
}

#[test]
fn an_interrupted_build_is_completed_and_foreign_folders_are_left_alone() {
    let home = home();
    build(&home);
    let root = home.path("site");
    let list = root.join(".feedmill-build");
    // As if the process had ended after it had begun a file.
    let text = fs::read_to_string(&list).unwrap();
    let (_, files_listed) = text.split_once('\n').unwrap();
    let begun = files_listed.lines().filter(|line| !line.ends_with("\tfeed.rss")).map(|line| format!("{line}\n")).collect::<String>();
    fs::write(&list, format!("\n{begun}\tfeed.rss\n")).unwrap();
    fs::write(root.join("feed.rss"), "half a fe").unwrap();
    let (code, out, err) = build(&home);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains(": 1 files written,"), "{out}");
    assert_eq!(fs::read(root.join("feed.rss")).unwrap(), home.output(&["feed", "/feed.rss"]).into_bytes());

    // A list that somebody else wrote leads nowhere else, and a file that was taken away comes back.
    let listed = fs::read_to_string(&list).unwrap();
    fs::write(&list, format!("{listed}x\t../feedmill.toml\nx\t/etc/passwd\n")).unwrap();
    fs::remove_file(root.join("robots.txt")).unwrap();
    let (code, out, err) = build(&home);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains(": 1 files written,") && out.contains(" 0 removed"), "{out}");
    assert!(home.path("feedmill.toml").is_file() && root.join("robots.txt").is_file());

    let err = home.failure(&["build", "blog/site"], 1);
    assert!(err.contains("read as a source"), "{err}");
    assert!(!home.path("blog/site").exists());
    home.write("other/notes.txt", "mine");
    let err = home.failure(&["build", "other"], 1);
    assert!(err.contains("files that feedmill did not build"), "{err}");
    let err = home.failure(&["build", "other/notes.txt"], 1);
    assert!(err.contains("cannot make the folder"), "{err}");
    home.write("feedmill.toml", "");
    let err = home.failure(&["build", "site"], 1);
    assert!(err.contains("--public-url"), "{err}");
}
