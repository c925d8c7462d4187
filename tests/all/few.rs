//! A few files of a folder that are read alone: the store then has what a reading of the whole folder gives it.

mod chance;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use chrono::TimeDelta;
use feedmill::model::{Entry, FileState, NewSource, Problem, Source, SourceId, SourceKind, SourceSettings, Time};
use feedmill::poll::{Reader, Touched};
use feedmill::source::folder;
use feedmill::store::Store;
use tempfile::TempDir;

use crate::dice::Dice;
use crate::manners::reader;
use crate::rules::{dropping, under};
use crate::store::{Fixture, day};

/// A folder and a store that reads it.
struct Folder {
    f: Fixture,
    source: SourceId,
    root: PathBuf,
    reader: Reader,
    _files: TempDir,
}

impl Folder {
    /// With files that were read on the first day.
    async fn new(files: &[(&str, &str)]) -> Self {
        let files_of_it = TempDir::new().unwrap();
        let root = files_of_it.path().canonicalize().unwrap().join("site");
        fs::create_dir(&root).unwrap();
        for (path, text) in files {
            write(&root, path, text, 1);
        }
        let f = Fixture::new().await;
        let source = f.source(SourceKind::Folder, root.to_str().unwrap()).await.id;
        let folder = Self { f, source, root, reader: reader(), _files: files_of_it };
        folder.read_whole(day(1)).await;
        folder
    }

    fn write(&self, path: &str, text: &str, version: u64) {
        write(&self.root, path, text, version);
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.root.join(path)).unwrap();
    }

    async fn read_whole(&self, now: Time) {
        read_whole(&self.f.store, self.source, &self.reader, now).await;
    }

    /// Whether files told enough.
    async fn read(&self, paths: &[&str], now: Time) -> bool {
        self.added(paths, now).await.is_some()
    }

    async fn added(&self, paths: &[&str], now: Time) -> Option<u64> {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        let touched = Touched { source: self.source, root: self.root.clone(), paths };
        self.reader.read_files(&self.f.store, touched, now).await.unwrap()
    }

    async fn titles(&self) -> Vec<String> {
        let entries = self.f.page("/?limit=500").await.entries;
        let mut titles: Vec<_> = entries.into_iter().filter_map(|entry| entry.article.title).collect();
        titles.sort();
        titles
    }

    async fn entry(&self, title: &str) -> Entry {
        let entries = self.f.page("/?limit=500").await.entries;
        entries.into_iter().find(|entry| entry.article.title.as_deref() == Some(title)).unwrap()
    }

    async fn again(&self) -> Source {
        self.f.store.sources().await.unwrap().remove(0)
    }

    async fn states(&self) -> Vec<FileState> {
        self.f.store.memory(self.source).await.unwrap().files
    }
}

/// Writes a file and dates it, so that no clock decides whether it changed.
fn write(root: &std::path::Path, path: &str, text: &str, version: u64) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_000_000 + version);
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
}

async fn read_whole(store: &Store, source: SourceId, reader: &Reader, now: Time) {
    store.release(vec![source], now).await.unwrap();
    let source = store.claim_of(vec![source], now, reader.pace.lease()).await.unwrap().remove(0);
    reader.read(store, source, now).await.result.unwrap();
}

fn text(title: &str, more: &str) -> String {
    format!("---\ntitle: {title}\n{more}\n---\nThe text of {title}.\n")
}

fn hour(hours: i64) -> Time {
    day(1) + TimeDelta::hours(hours)
}

#[tokio::test]
async fn a_changed_file_among_many_is_in_its_feeds_and_no_other_is_looked_at() {
    let folder = Folder::new(&[("a.md", &text("A", "tags: [x]")), ("b.md", &text("B", "")), ("sub/c.md", &text("C", ""))]).await;
    let before = folder.entry("A").await;
    folder.write("b.md", "broken", 2);
    folder.write("a.md", &text("A2", "tags: [y]"), 2);
    assert!(folder.read(&["a.md"], hour(1)).await);
    let after = folder.entry("A2").await;
    assert_eq!((after.key, after.id, after.listed), (before.key, before.id, before.listed));
    assert_eq!(folder.f.guids("/tag/y").await, ["a"]);
    assert_eq!(folder.titles().await, ["A2", "B", "C"]);
    let generation = folder.f.store.generation();
    let states = folder.states().await;
    assert!(folder.read(&["a.md"], hour(2)).await);
    assert_eq!((folder.f.store.generation(), folder.states().await), (generation, states), "unchanged, it changes nothing");
}

#[tokio::test]
async fn a_new_file_is_published_and_a_deleted_one_withdrawn() {
    let folder = Folder::new(&[("a.md", &text("A", ""))]).await;
    folder.write("new.md", &text("New", ""), 2);
    assert!(folder.read(&["new.md"], hour(1)).await);
    assert_eq!(folder.titles().await, ["A", "New"]);
    folder.remove("a.md");
    assert!(folder.read(&["a.md", "never.md"], hour(2)).await);
    assert_eq!(folder.titles().await, ["New"]);
    let paths: Vec<_> = folder.states().await.into_iter().map(|state| state.path).collect();
    assert_eq!(paths, ["new.md"]);
    folder.write("a.md", &text("A again", ""), 3);
    assert!(folder.read(&["a.md"], hour(3)).await, "what was withdrawn comes back under its name");
    assert_eq!(folder.titles().await, ["A again", "New"]);
}

#[tokio::test]
async fn what_a_few_files_do_not_tell_is_left_to_a_reading_of_all_and_nothing_is_stored() {
    let ends = |title: &str| format!("---\ntitle: {title}\n---\nText.\n\n[more](https://a.example/{title})\n");
    let files = [
        ("a.md", text("A", "")),
        ("b.md", text("B", "date: 2025-01-02")),
        ("l.md", ends("L")),
        ("p/index.md", "---\ntitle: P\n---\n![x](x.png)\n".into()),
    ];
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let folder = Folder::new(&files).await;
    let (states, titles) = (folder.states().await, folder.titles().await);
    let twin = |path: &str| fs::read_to_string(folder.root.join(path)).unwrap();
    for (path, text, why) in [
        ("sub/_index.md", text("Sub", ""), "a section"),
        ("tags/x/_index.md", text("X", ""), "the words of a tag"),
        ("p/x.png", "picture".to_owned(), "a file that an article uses"),
        ("a.txt", text("Other", ""), "the name of another file's article"),
        ("same-guid.md", text("Other", "guid: a"), "the guid of another file's article"),
        ("a.md", text("A", "guid: other"), "another guid"),
        ("links.md", "---\ntitle: Links\n---\n[b](b.md)\n".to_owned(), "a link to another article"),
        ("lonely.md", ends("L"), "the link of a stored article"),
        ("dated.md", twin("b.md"), "the title and date of a stored article"),
        ("hugo.toml", "baseURL = 'https://b.example/'".to_owned(), "a configuration"),
    ] {
        let before = fs::read(folder.root.join(path)).ok();
        folder.write(path, &text, 2);
        assert!(!folder.read(&[path], hour(1)).await, "{why}");
        assert_eq!((folder.states().await, folder.titles().await), (states.clone(), titles.clone()), "{why}");
        match before {
            Some(text) => folder.write(path, std::str::from_utf8(&text).unwrap(), 1),
            None => folder.remove(path),
        }
        folder.read_whole(hour(1)).await;
    }
    fs::rename(folder.root.join("a.md"), folder.root.join("moved.md")).unwrap();
    let key = folder.entry("A").await.key;
    assert!(!folder.read(&["a.md", "moved.md"], hour(2)).await, "a file that was moved");
    folder.read_whole(hour(2)).await;
    assert_eq!(folder.entry("A").await.key, key);
    fs::remove_file(folder.root.join("moved.md")).unwrap();
    assert!(folder.read(&["moved.md"], hour(3)).await);
    folder.write("late.md", &twin("b.md").replace('B', "A").replace("date: 2025-01-02", ""), 2);
    assert!(!folder.read(&["late.md"], hour(4)).await, "a file that was moved, told of late");
    folder.read_whole(hour(4)).await;
    assert_eq!(folder.entry("A").await.key, key);
    let many: Vec<String> = (0..501).map(|number| format!("many/{number}.md")).collect();
    for path in &many {
        folder.write(path, &text(path, ""), 2);
    }
    assert!(!folder.read(&many.iter().map(String::as_str).collect::<Vec<_>>(), hour(5)).await, "more than one transaction takes");
}

#[tokio::test]
async fn a_setting_that_files_are_read_with_is_for_all_of_them() {
    let mut folder = Folder::new(&[("a.md", &text("A", ""))]).await;
    folder.reader.zone = chrono_tz::Tz::Asia__Tokyo;
    folder.write("a.md", &text("A2", ""), 2);
    assert!(!folder.read(&["a.md"], hour(1)).await);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_of_two_names_is_left_to_a_reading_of_all() {
    let folder = Folder::new(&[("a.md", &text("A", ""))]).await;
    fs::hard_link(folder.root.join("a.md"), folder.root.join("b.md")).unwrap();
    assert!(!folder.read(&["a.md"], hour(1)).await);
    fs::remove_file(folder.root.join("b.md")).unwrap();
    std::os::unix::fs::symlink(folder.root.join("a.md"), folder.root.join("b.md")).unwrap();
    assert!(!folder.read(&["b.md"], hour(1)).await);
    assert!(folder::look(&folder.root).has_links);
}

#[tokio::test]
async fn a_passing_file_is_nothing_unless_an_article_uses_it() {
    let folder = Folder::new(&[("a.md", "---\ntitle: A\n---\n![x](x\"1.png)\n"), ("b.md", "---\ntitle: B\n---\n![x](gone.png)\n")]).await;
    let due = folder.again().await.status.due;
    assert!(folder.read(&["4913", "a.md~", "sub.tmp"], hour(1)).await, "as editors leave them for a moment");
    assert_eq!(folder.again().await.status.due, due);
    assert!(!folder.read(&["gone.png"], hour(1)).await);
    assert!(folder.read(&["gone.pn"], hour(1)).await);
}

#[tokio::test]
async fn a_broken_file_withdraws_nothing_and_is_reported_beside_what_was_broken_before() {
    let folder = Folder::new(&[("a.md", &text("A", "")), ("b.md", &text("B", "")), ("z.md", "---\ntitle: [\n---\n")]).await;
    let places = async || folder.again().await.status.problems.into_iter().map(|problem: Problem| problem.place).collect::<Vec<_>>();
    folder.write("a.md", "---\ntags: x\n---\n", 2);
    assert!(folder.read(&["a.md"], hour(1)).await);
    assert_eq!((folder.titles().await, places().await), (vec!["A".to_owned(), "B".to_owned()], vec!["a.md".to_owned(), "z.md".to_owned()]));
    folder.write("z.md", &text("Z", ""), 3);
    assert!(folder.read(&["z.md"], hour(2)).await);
    assert_eq!((folder.titles().await.len(), places().await), (3, vec!["a.md".to_owned()]));
    folder.remove("a.md");
    assert!(folder.read(&["a.md"], hour(3)).await);
    assert_eq!((folder.titles().await.len(), places().await), (2, vec![]));
}

#[tokio::test]
async fn the_folder_is_due_as_it_was_or_when_one_of_the_files_is() {
    let at = |hours: i64| hour(hours).format("%FT%TZ").to_string();
    let folder = Folder::new(&[("a.md", &text("A", &format!("expiryDate: {}", at(9)))), ("b.md", &text("B", ""))]).await;
    assert_eq!(folder.again().await.status.due, Some(hour(9)));
    folder.write("b.md", &text("B2", ""), 2);
    assert!(folder.read(&["b.md"], hour(1)).await);
    assert_eq!(folder.again().await.status.due, Some(hour(9)), "the other one's time stays");
    folder.write("b.md", &text("B3", &format!("publishDate: {}", at(5))), 3);
    assert!(folder.read(&["b.md"], hour(2)).await);
    assert_eq!((folder.titles().await, folder.again().await.status.due), (vec!["A".to_owned()], Some(hour(5))));
    folder.write("b.md", &text("B4", ""), 4);
    assert!(!folder.read(&["b.md"], hour(5)).await, "what is due is read whole");
}

#[tokio::test]
async fn a_folder_that_somebody_reads_is_left_to_them_and_one_that_was_taken_is_due_when_it_is_left() {
    let folder = Folder::new(&[("a.md", &text("A", ""))]).await;
    let (store, id, lease) = (&folder.f.store, folder.source, folder.reader.pace.lease());
    let paths = BTreeSet::from(["a.md".to_owned()]);
    let (taken, memory) = store.claim_files(id, paths.clone(), hour(1), lease.time).await.unwrap().unwrap();
    assert_eq!((taken.id, memory.files.len()), (id, 1));
    folder.write("a.md", &text("A2", ""), 2);
    assert!(!folder.read(&["a.md"], hour(1)).await);
    store.mark_due(id, hour(1)).await.unwrap();
    assert!(store.claim(hour(1), 9, lease).await.unwrap().is_empty(), "nobody else gets it");
    assert_eq!(store.claim(hour(1) + lease.time, 9, lease).await.unwrap().len(), 1, "a process that died leaves it due");
    store.fail(id, "it is away".into(), Some(hour(30)), hour(2)).await.unwrap();
    assert!(store.claim_files(id, paths, hour(3), lease.time).await.unwrap().is_none(), "what fails is read whole");
}

#[tokio::test]
async fn what_is_read_alone_is_known_to_the_next_look_at_the_folder() {
    let folder = Folder::new(&[("a.md", &text("A", "")), ("b.md", &text("B", ""))]).await;
    let mut signature = folder::look(&folder.root).signature;
    folder.write("a.md", &text("A, longer", ""), 2);
    folder.write("new.md", &text("New", ""), 2);
    folder.remove("b.md");
    for path in ["a.md", "new.md", "b.md"] {
        signature = signature.wrapping_add(folder.added(&[path], hour(1)).await.unwrap());
    }
    assert_eq!(folder::look(&folder.root).signature, signature);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_running_poller_reads_what_the_system_tells_of_and_nothing_else() {
    let folder = Folder::new(&[("a.md", &text("A", "")), ("sub/b.md", &text("B", ""))]).await;
    // What is written by another name, from outside, nobody is told of.
    let outside = folder.root.with_file_name("outside.md");
    fs::hard_link(folder.root.join("sub/b.md"), &outside).unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let reader = std::sync::Arc::new(folder.reader.clone());
    let poller = tokio::spawn(feedmill::poll::run(folder.f.store.clone(), reader, Duration::from_hours(1), 32, stopped));
    let until = async |title: &str, count: usize| {
        let started = std::time::Instant::now();
        loop {
            let titles = folder.titles().await;
            if titles.len() == count && titles.iter().any(|other| other == title) {
                return;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "{title}: {titles:?}");
            tokio::task::yield_now().await;
        }
    };
    // Its first look has the folder read whole, perhaps while the first files change.
    for attempt in 1.. {
        fs::write(&outside, text(&format!("B{attempt}"), "")).unwrap();
        folder.write("a.md", &text(&format!("A{attempt}"), ""), 1 + attempt);
        until(&format!("A{attempt}"), 2).await;
        if !folder.titles().await.contains(&format!("B{attempt}")) {
            break;
        }
        assert!(attempt < 30, "the folder is read whole each time");
    }
    folder.write("new.md", &text("New", ""), 1);
    until("New", 3).await;
    folder.remove("a.md");
    folder.write("sub/picture.png", "p", 1);
    folder.write("last.md", &text("Last", ""), 1);
    until("Last", 3).await;
    stop.send(true).unwrap();
    poller.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_nothing_can_be_written_is_read_once_it_can() {
    let folder = Folder::new(&[("a.md", &text("A", ""))]).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let reader = std::sync::Arc::new(folder.reader.clone());
    let poller = tokio::spawn(feedmill::poll::run(folder.f.store.clone(), reader, Duration::from_millis(20), 32, stopped));
    let until = async |title: &str| {
        let started = std::time::Instant::now();
        while folder.titles().await != [title] {
            assert!(started.elapsed() < Duration::from_secs(30), "{title}");
            tokio::task::yield_now().await;
        }
    };
    until("A").await;
    let database = rusqlite::Connection::open(folder.f.folder.path().join("test.db")).unwrap();
    // As while the disk is full: before the folder is taken, and after.
    for (title, when) in [("B", ""), ("C", "WHEN NEW.leased_until = 0")] {
        let full = format!("CREATE TRIGGER full BEFORE UPDATE ON sources {when} BEGIN SELECT RAISE(ABORT, 'full'); END");
        database.execute_batch(&full).unwrap();
        folder.write("a.md", &text(title, ""), u64::from(title.as_bytes()[0]));
        tokio::time::sleep(Duration::from_secs(1)).await;
        database.execute_batch("DROP TRIGGER full").unwrap();
        until(title).await;
    }
    stop.send(true).unwrap();
    poller.await.unwrap();
}
