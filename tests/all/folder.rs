//! Folders of Markdown, from the files to what is published.

mod away;
mod limits;
mod siblings;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use chrono::TimeDelta;
use chrono_tz::Tz;
use feedmill::model::{Applied, ArticleKey, Batch, Entry, Memory, PLACEHOLDER, Problem, Source, SourceKind, SourceSettings, Time};
use feedmill::source::folder::{self, Options};
use feedmill::store::Lookup;
use tempfile::TempDir;

use crate::store::{Fixture, day};

struct Folder {
    f: Fixture,
    source: Source,
    root: PathBuf,
    options: Options,
    _files: TempDir,
}

impl Folder {
    async fn new(files: &[(&str, &str)]) -> Self {
        let f = Fixture::new().await;
        let temporary = TempDir::new().unwrap();
        let root = temporary.path().canonicalize().unwrap().join("site");
        fs::create_dir(&root).unwrap();
        let source = f.source(SourceKind::Folder, root.to_str().unwrap()).await;
        let options = Options {
            first_slug: source.first_slug.clone(),
            timezone: None,
            default_zone: Tz::UTC,
            base_url: None,
            max_file: 100_000,
            max_bundle_file: 1_000,
        };
        let folder = Self { f, source, root, options, _files: temporary };
        for (path, text) in files {
            folder.write(path, text, 1);
        }
        folder
    }

    /// Writes a file and dates it, so that no clock decides whether it changed.
    fn write(&self, path: &str, text: impl AsRef<[u8]>, version: u64) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_000_000 + version);
        fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.root.join(path)).unwrap();
    }

    /// Reads without storing.
    async fn look(&self, now: Time) -> Batch {
        let memory: Memory = self.f.store.memory(self.source.id).await.unwrap();
        folder::read(&self.root, &memory, &self.options, now).unwrap()
    }

    async fn read(&self, now: Time) -> (Applied, Batch) {
        let batch = self.look(now).await;
        (self.f.store.apply(self.source.id, batch.clone(), None, now).await.unwrap(), batch)
    }

    async fn entries(&self) -> Vec<Entry> {
        self.f.page("/?limit=500").await.entries
    }

    async fn guids(&self) -> Vec<String> {
        let mut guids: Vec<_> = self.entries().await.into_iter().map(|entry| entry.article.guid).collect();
        guids.sort();
        guids
    }

    async fn entry(&self, title: &str) -> Entry {
        let entries = self.entries().await;
        let titles: Vec<_> = entries.iter().filter_map(|entry| entry.article.title.clone()).collect();
        entries.into_iter().find(|entry| entry.article.title.as_deref() == Some(title)).unwrap_or_else(|| panic!("{title}: {titles:?}"))
    }
}

fn text(title: &str, more: &str) -> String {
    format!("---\ntitle: {title}\n{more}\n---\nThe text of {title}.\n")
}

fn changes(added: usize, updated: usize, withdrawn: usize) -> Applied {
    Applied { added, updated, withdrawn, ..Applied::default() }
}

#[tokio::test]
async fn an_unchanged_folder_is_not_parsed_and_changes_nothing() {
    let folder = Folder::new(&[("a.md", &text("A", "tags: [x]")), ("deep/er/b.markdown", &text("B", "")), ("c.txt", &text("C", ""))]).await;
    folder.write("README.md", "# No front matter\n", 1);
    let (applied, batch) = folder.read(day(1)).await;
    assert_eq!((applied, batch.skipped, batch.problems), (changes(3, 0, 0), 1, vec![]));
    assert_eq!(folder.guids().await, ["a", "c", "deep/er/b"]);
    let generation = folder.f.store.generation();
    for file in ["a.md", "c.txt", "deep/er/b.markdown", "README.md"] {
        // Unreadable as it is now, it would be a problem if it were opened.
        let length = fs::metadata(folder.root.join(file)).unwrap().len();
        folder.write(file, vec![0xff; usize::try_from(length).unwrap()], 1);
    }
    let (applied, batch) = folder.read(day(2)).await;
    assert_eq!((applied, batch.articles.len(), batch.problems), (changes(0, 0, 0), 0, vec![]));
    assert_eq!(folder.f.store.generation(), generation);
    assert_eq!(folder.entries().await.len(), 3);
}

#[tokio::test]
async fn a_changed_file_updates_its_article_and_a_deleted_one_withdraws_it() {
    let folder = Folder::new(&[("a.md", &text("A", "")), ("b.md", &text("B", ""))]).await;
    folder.read(day(1)).await;
    let before = folder.entry("A").await;
    folder.write("a.md", text("A2", ""), 2);
    let (applied, batch) = folder.read(day(2)).await;
    assert_eq!((applied, batch.articles.len()), (changes(0, 1, 0), 1));
    let after = folder.entry("A2").await;
    assert_eq!((after.key, after.id, after.listed), (before.key, before.id, before.listed));
    let gone = folder.entry("B").await.key;
    folder.remove("b.md");
    assert_eq!(folder.read(day(3)).await.0, changes(0, 0, 1));
    assert_eq!(folder.f.store.article(&gone).await.unwrap(), Lookup::Gone);
    assert_eq!(folder.guids().await, ["a"]);
}

#[tokio::test]
async fn a_broken_file_is_reported_with_its_line_and_its_article_stays() {
    let folder = Folder::new(&[("a.md", &text("A", "")), ("b.md", &text("B", ""))]).await;
    folder.read(day(1)).await;
    folder.write("a.md", "---\ntitle: A\ntags: [x\n---\ntext\n", 2);
    folder.write("sub/untitled.md", "---\ndate: 2025-01-01\n---\ntext\n", 2);
    folder.write("latin.md", b"---\ntitle: t\n---\nna\xefve\n", 2);
    folder.write("date.md", text("D", "date: yesterday"), 2);
    folder.write("large.md", text("L", &"# x\n".repeat(40_000)), 2);
    folder.write("good.md", text("Good", ""), 2);
    let (applied, batch) = folder.read(day(2)).await;
    assert_eq!(applied, changes(1, 0, 0));
    assert_eq!(folder.guids().await, ["a", "b", "good"]);
    let problem = |place: &str| -> &Problem { batch.problems.iter().find(|problem| problem.place == place).unwrap() };
    assert_eq!(batch.problems.len(), 5, "{:?}", batch.problems);
    assert!(problem("a.md").line.is_some_and(|line| (2..=4).contains(&line)), "{}", problem("a.md"));
    assert!(problem("sub/untitled.md").reason.contains("no title"));
    assert_eq!(problem("latin.md").line, Some(4));
    assert!(problem("latin.md").reason.contains("UTF-8"));
    assert_eq!(problem("date.md").line, Some(3));
    assert!(problem("large.md").reason.contains("100000"));
    let again = folder.read(day(3)).await;
    assert_eq!((again.0, again.1.problems.len()), (changes(0, 0, 0), 5), "what stays broken stays reported");
    let stored = folder.f.store.sources().await.unwrap().remove(0).status.problems;
    assert_eq!(stored.len(), 5, "{stored:?}");
    folder.write("a.md", text("A mended", ""), 3);
    folder.remove("date.md");
    let (applied, batch) = folder.read(day(4)).await;
    assert_eq!((applied, batch.problems.len()), (changes(0, 1, 0), 3));
}

#[tokio::test]
async fn a_broken_file_that_is_deleted_withdraws_its_article() {
    let folder = Folder::new(&[("a.md", &text("A", "")), ("b.md", &text("B", ""))]).await;
    folder.read(day(1)).await;
    folder.write("a.md", "---\ntitle: [\n---\n", 2);
    folder.read(day(2)).await;
    folder.remove("a.md");
    assert_eq!(folder.read(day(3)).await.0, changes(0, 0, 1));
}

#[tokio::test]
async fn pages_appear_and_go_when_their_time_comes() {
    let date = |days: i64| day(days).format("%FT%TZ").to_string();
    let folder = Folder::new(&[
        ("draft.md", &text("Draft", "draft: true")),
        ("ahead.md", &text("Ahead", &format!("publishDate: {}", date(5)))),
        ("brief.md", &text("Brief", &format!("expiryDate: {}", date(8)))),
        ("both.md", &text("Both", &format!("publishDate: {}\nexpiryDate: {}", date(6), date(7)))),
        ("dated.md", &text("Dated", &format!("date: {}", date(9)))),
    ])
    .await;
    let (applied, batch) = folder.read(day(1)).await;
    assert_eq!((applied, batch.revisit, batch.skipped), (changes(2, 0, 0), Some(day(5)), 3));
    assert_eq!(folder.guids().await, ["brief", "dated"]);
    assert!(batch.repairs.iter().any(|repair| repair.place == "dated.md" && repair.reason.contains("future")), "{:?}", batch.repairs);
    let second = TimeDelta::seconds(1);
    for (now, expected, revisit, left) in [
        (day(5) - second, changes(0, 0, 0), Some(day(5)), vec!["brief", "dated"]),
        (day(5), changes(1, 0, 0), Some(day(6)), vec!["ahead", "brief", "dated"]),
        (day(6), changes(1, 0, 0), Some(day(7)), vec!["ahead", "both", "brief", "dated"]),
        (day(7), changes(0, 0, 1), Some(day(8)), vec!["ahead", "brief", "dated"]),
        (day(8), changes(0, 0, 1), None, vec!["ahead", "dated"]),
    ] {
        let (applied, batch) = folder.read(now).await;
        assert_eq!((applied, batch.revisit), (expected, revisit), "{now}");
        assert_eq!(folder.guids().await, left, "{now}");
    }
    folder.write("draft.md", text("Draft", "draft: false"), 2);
    folder.write("ahead.md", text("Ahead", "draft: true"), 2);
    assert_eq!(folder.read(day(9)).await.0, changes(1, 0, 1));
}

#[tokio::test]
async fn the_files_of_a_bundle_are_stored_with_it() {
    let body = "---\ntitle: Mill\nthumbnail: wheel.png\n---\n![Wheel](wheel.png) ![a](pictures/a%20b.svg) [other](../other.md) [out](../../secret.txt) [far](https://b.example/x.png)\n";
    let folder = Folder::new(&[("posts/mill/index.md", body), ("posts/other.md", &text("Other", ""))]).await;
    folder.write("posts/mill/wheel.png", b"wheel", 1);
    folder.write("posts/mill/pictures/a b.svg", b"<svg/>", 1);
    folder.write("posts/mill/unused.png", b"unused", 1);
    fs::write(folder.root.join("../secret.txt"), "secret").unwrap();
    let (_, batch) = folder.read(day(1)).await;
    assert_eq!(batch.problems, []);
    let (mill, other) = (folder.entry("Mill").await, folder.entry("Other").await);
    let names: Vec<_> = mill.article.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["pictures/a b.svg", "wheel.png"]);
    let store = &folder.f.store;
    assert_eq!(store.file(&mill.key, "wheel.png").await.unwrap(), Some(("image/png".into(), b"wheel".to_vec())));
    assert_eq!(store.file(&mill.key, "unused.png").await.unwrap(), None);
    let content = mill.article.content.unwrap();
    assert!(content.contains(&format!("src=\"{PLACEHOLDER}./wheel.png\"")), "{content}");
    assert!(content.contains(&format!("src=\"{PLACEHOLDER}./pictures/a%20b.svg\"")), "{content}");
    assert!(content.contains(&format!("href=\"{PLACEHOLDER}/article/{}\"", other.key)), "{content}");
    assert!(content.contains("https://b.example/x.png") && !content.contains("secret.txt"), "{content}");
    assert_eq!(mill.article.thumbnail.unwrap().url, format!("{PLACEHOLDER}./wheel.png"));
}

#[tokio::test]
async fn a_changed_or_late_picture_updates_the_article_that_shows_it() {
    let folder = Folder::new(&[("mill/index.md", "---\ntitle: Mill\n---\n![w](wheel.png) ![l](late.png)\n")]).await;
    folder.write("mill/wheel.png", b"one", 1);
    folder.read(day(1)).await;
    folder.write("mill/wheel.png", b"another", 2);
    assert_eq!(folder.read(day(2)).await.0, changes(0, 1, 0));
    let mill = folder.entry("Mill").await;
    assert_eq!(folder.f.store.file(&mill.key, "wheel.png").await.unwrap().unwrap().1, b"another");
    folder.write("mill/late.png", b"late", 3);
    assert_eq!(folder.read(day(3)).await.0, changes(0, 1, 0));
    assert_eq!(folder.f.store.file(&mill.key, "late.png").await.unwrap().unwrap().1, b"late");
    assert_eq!(folder.read(day(4)).await.1.articles.len(), 0, "nothing changed, nothing is parsed");
}

#[tokio::test]
async fn an_index_describes_its_term_and_is_no_article() {
    let folder = Folder::new(&[
        ("categories/旅行/_index.md", "---\ntitle: 旅行与徒步\ndescription: 在路上\n---\n"),
        ("tags/C++/_index.md", "---\ntitle: The C++ shelf\n---\nOn *C++*.\n"),
        ("posts/_index.md", &text("Posts", "")),
        ("_index.md", &text("Home", "")),
        ("posts/a.md", &text("A", "categories: 旅行\ntags: [C++]")),
    ])
    .await;
    folder.read(day(1)).await;
    assert_eq!(folder.guids().await, ["posts/a"]);
    let term = folder.f.page("/category/旅行".replace("旅行", "%E6%97%85%E8%A1%8C").as_str()).await.terms.remove(0);
    assert_eq!((term.name.name.as_str(), term.title.as_deref(), term.description.as_deref()), ("旅行", Some("旅行与徒步"), Some("在路上")));
    let term = folder.f.page("/tag/c%2B%2B").await.terms.remove(0);
    assert_eq!((term.title.as_deref(), term.description.as_deref()), (Some("The C++ shelf"), Some("On C++.")));
    let generation = folder.f.store.generation();
    folder.read(day(2)).await;
    assert_eq!(folder.f.store.generation(), generation, "described again, unchanged");
    folder.write("tags/C++/_index.md", "---\ntitle: Another shelf\n---\n", 2);
    folder.read(day(3)).await;
    assert!(folder.f.store.generation() > generation);
    assert_eq!(folder.f.page("/tag/c%2B%2B").await.terms.remove(0).title.as_deref(), Some("Another shelf"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_symbolic_link_is_followed_only_inside_the_folder() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new(&[("real/a.md", &text("A", "")), ("b.md", "---\ntitle: B\n---\n![s](secret.png)\n")]).await;
    let outside = folder.root.with_file_name("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret.md"), text("Secret", "")).unwrap();
    fs::write(outside.join("secret.png"), "secret").unwrap();
    symlink(&outside, folder.root.join("out")).unwrap();
    symlink(outside.join("secret.md"), folder.root.join("secret.md")).unwrap();
    symlink(outside.join("secret.png"), folder.root.join("secret.png")).unwrap();
    symlink(&folder.root, folder.root.join("real/loop")).unwrap();
    symlink("nowhere", folder.root.join("dangling.md")).unwrap();
    symlink(folder.root.join("b.md"), folder.root.join("copy.md")).unwrap();
    folder.write(".hidden/x.md", text("Hidden", ""), 1);
    folder.read(day(1)).await;
    assert_eq!(folder.guids().await, ["b", "copy", "real/a"]);
    assert!(folder.entry("B").await.article.files.is_empty());
    folder.write("c.md", text("C", ""), 2);
    assert_eq!(folder.read(day(2)).await.0, changes(1, 0, 0));
}

#[tokio::test]
async fn hugos_configuration_names_the_zone_and_the_base() {
    let dated = "---\ntitle: Dated\ndate: 2025-02-12 09:30:00\nthumbnail: /p.png\n---\n![x](x.png) [y](/y/)\n";
    let mut folder = Folder::new(&[
        ("content/dated.md", dated),
        ("hugo.toml", "baseURL = \"https://old.example/blog/\"\ntimeZone = \"Asia/Shanghai\"\n"),
    ])
    .await;
    folder.read(day(1)).await;
    let entry = folder.entry("Dated").await;
    assert_eq!(entry.published.to_rfc3339(), "2025-02-12T01:30:00+00:00");
    let content = entry.article.content.unwrap();
    assert!(content.contains("src=\"https://old.example/blog/x.png\"") && content.contains("href=\"https://old.example/y/\""), "{content}");
    assert_eq!(entry.article.thumbnail.unwrap().url, "https://old.example/p.png");
    folder.options.timezone = Some(Tz::Europe__Berlin);
    assert_eq!(folder.read(day(2)).await.0, changes(0, 1, 0), "what decides how files are read has changed");
    assert_eq!(folder.read(day(2)).await.1.articles.len(), 0, "once");
    assert_eq!(folder.entry("Dated").await.published.to_rfc3339(), "2025-02-12T08:30:00+00:00", "the source's own zone wins");
}

#[tokio::test]
async fn front_matter_is_read_in_any_case_and_in_three_languages() {
    let folder = Folder::new(&[
        ("yaml.md", "\u{feff}---\r\nTITLE: Yaml\r\nTags:\r\n  - '1.10'\r\n  - on\r\nLastMod: 2025-02-03\r\nParams:\r\n  Lead: A *lead*\r\n---\r\nText.\r\n"),
        ("toml.md", "+++\nTitle = \"Toml\"\nCategories = [\"C\"]\ndate = 2025-02-03T04:05:06Z\n+++\nText.\n"),
        ("json.md", "{\n  \"Title\": \"Json\",\n  \"tags\": \"one\",\n  \"Author\": {\"name\": \"Ada\"}\n}\nText.\n"),
    ])
    .await;
    assert_eq!(folder.read(day(1)).await.1.problems, []);
    let yaml = folder.entry("Yaml").await.article;
    assert_eq!(yaml.tags, ["1.10", "on"]);
    assert!(yaml.updated.is_some() && yaml.lead.as_deref().is_some_and(|lead| lead.contains("<em>lead</em>")), "{:?}", yaml.lead);
    let toml = folder.entry("Toml").await;
    assert_eq!((toml.published.to_rfc3339().as_str(), toml.article.categories[0].as_str()), ("2025-02-03T04:05:06+00:00", "C"));
    let json = folder.entry("Json").await.article;
    assert_eq!((json.tags[0].as_str(), json.authors[0].name.as_str()), ("one", "Ada"));
    for entry in folder.entries().await {
        assert_eq!(entry.article.content.as_deref().map(str::trim), Some("<p>Text.</p>"));
    }
}

#[tokio::test]
async fn a_folders_own_categories_hold_for_articles_without_one() {
    let folder = Folder::new(&[("a.md", &text("A", "")), ("b.md", &text("B", "category: Own"))]).await;
    let settings = SourceSettings { categories: vec!["Usual".into()], tags: vec!["all".into()], ..SourceSettings::default() };
    let new = feedmill::model::NewSource {
        kind: SourceKind::Folder,
        location: format!("{}/", folder.root.display()),
        slug: None,
        title: "second".into(),
        settings,
    };
    let second = folder.f.store.add_source(new, day(0)).await.unwrap().0;
    let options = Options { first_slug: second.first_slug.clone(), ..folder.options.clone() };
    let batch = folder::read(&folder.root, &Memory::default(), &options, day(1)).unwrap();
    folder.f.store.apply(second.id, batch, None, day(1)).await.unwrap();
    let titles = |page: feedmill::model::Page| page.entries.into_iter().filter_map(|entry| entry.article.title).collect::<Vec<_>>();
    assert_eq!(titles(folder.f.page("/category/usual").await), ["A"]);
    assert_eq!(titles(folder.f.page("/category/own").await), ["B"]);
    assert_eq!(folder.f.page("/tag/all").await.entries.len(), 2);
}

#[test]
fn a_database_in_the_folder_is_no_change_of_it() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("a.md", "x");
    let before = folder::look(folder.path()).signature;
    for name in ["feedmill.db", "feedmill.db-wal", "feedmill.db-shm", ".hidden"] {
        write(name, "x");
    }
    assert_eq!(folder::look(folder.path()).signature, before);
    write("a.png", "x");
    assert_ne!(folder::look(folder.path()).signature, before);
}
