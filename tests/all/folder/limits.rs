//! Files that could not be loaded, or that were left empty: they come in, or on, once they can.

use std::fs::File;
use std::time::{Duration, SystemTime};

use super::{Folder, changes, text};
use crate::store::day;

#[tokio::test]
async fn a_file_that_was_too_large_comes_in_when_the_limit_is_raised() {
    let mut folder =
        Folder::new(&[("large.md", &format!("---\ntitle: large\n---\n{}\n", "x".repeat(2_000))), ("small.md", &text("small", ""))]).await;
    folder.options.max_file = 1_000;
    let (applied, batch) = folder.read(day(1)).await;
    assert_eq!((applied, batch.problems.len()), (changes(1, 0, 0), 1));
    assert_eq!(folder.look(day(2)).await.problems.len(), 1, "it is named again");
    folder.options.max_file = 10_000;
    let (applied, batch) = folder.read(day(3)).await;
    assert_eq!((applied, batch.problems.len()), (changes(1, 0, 0), 0));
    assert!(folder.look(day(4)).await.articles.is_empty(), "from then on it is unchanged");
}

#[tokio::test]
async fn a_picture_that_was_too_large_comes_in_when_the_limit_is_raised() {
    let mut folder = Folder::new(&[("a.md", "---\ntitle: a\n---\n![](p.png)\n"), ("p.png", &"x".repeat(2_000))]).await;
    folder.read(day(1)).await;
    assert!(folder.entries().await[0].article.files.is_empty());
    folder.options.max_bundle_file = 10_000;
    assert_eq!(folder.read(day(2)).await.0, changes(0, 1, 0));
    assert_eq!(folder.entries().await[0].article.files[0].name, "p.png");
}

#[tokio::test]
async fn a_file_that_was_left_empty_keeps_its_article_and_one_that_never_had_any_is_none() {
    let folder = Folder::new(&[("a.md", &text("A", "")), ("b.md", "")]).await;
    assert_eq!(folder.read(day(1)).await.0, changes(1, 0, 0));
    folder.write("a.md", "", 2);
    let (applied, batch) = folder.read(day(2)).await;
    assert_eq!((applied, batch.problems.len(), folder.guids().await), (changes(0, 0, 0), 1, vec!["a".to_owned()]));
    assert_eq!(folder.look(day(3)).await.problems.len(), 1, "it is named again");
    folder.write("a.md", text("A again", ""), 3);
    assert_eq!(folder.read(day(4)).await.0, changes(0, 1, 0));
    folder.write("a.md", "no front matter", 4);
    assert_eq!(folder.read(day(5)).await.0, changes(0, 0, 1));
}

#[tokio::test]
async fn a_file_from_before_the_epoch_is_read_again_when_it_changes() {
    let folder = Folder::new(&[("a.md", "")]).await;
    for (title, ago) in [("A", 5), ("B", 9)] {
        folder.write("a.md", text(title, ""), 1);
        let modified = SystemTime::UNIX_EPOCH - Duration::from_secs(ago);
        File::options().write(true).open(folder.root.join("a.md")).unwrap().set_modified(modified).unwrap();
        folder.read(day(1)).await;
        assert_eq!(folder.entries().await[0].article.title.as_deref(), Some(title));
    }
}
