//! What the files of a folder are to each other: linked, translated, of one name, moved.

use super::*;

#[tokio::test]
async fn a_link_to_another_file_leads_to_its_article_whatever_its_guid() {
    let folder = Folder::new(&[("a.md", "---\ntitle: A\n---\n[b](b.md)\n"), ("b.md", &text("B", "guid: https://own.example/b"))]).await;
    folder.read(day(1)).await;
    let expected = format!("{PLACEHOLDER}/article/{}", folder.entry("B").await.key);
    let content = folder.entry("A").await.article.content.unwrap();
    assert!(content.contains(&expected), "{content} has no {expected}");
}

#[tokio::test]
async fn translations_know_each_other_by_name_bundle_or_key() {
    let folder = Folder::new(&[
        ("about.zh-CN.md", &text("关于", "date: 2024-01-01")),
        ("about.en.md", &text("About", "date: 2024-01-02")),
        ("mill/index.zh-tw.md", &text("磨坊", "")),
        ("mill/index.ja.md", &text("水車小屋", "")),
        ("one.md", &text("Eins", "lang: de\ntranslationKey: uno")),
        ("sub/two.md", &text("One", "lang: en\ntranslationKey: uno")),
        ("node.js.md", &text("Node", "lang: en")),
    ])
    .await;
    folder.read(day(1)).await;
    for (title, expected) in [
        ("About", vec!["zh-CN", "en"]),
        ("关于", vec!["zh-CN", "en"]),
        ("水車小屋", vec!["ja", "zh-TW"]),
        ("Eins", vec!["de", "en"]),
        ("Node", vec![]),
    ] {
        let mut languages: Vec<_> = folder.entry(title).await.translations.iter().map(|other| other.language.to_string()).collect();
        if title != "About" && title != "关于" {
            languages.sort();
        }
        assert_eq!(languages, expected, "{title}");
    }
    folder.remove("about.en.md");
    folder.read(day(2)).await;
    assert!(folder.entry("关于").await.translations.is_empty());
}

#[tokio::test]
async fn two_files_of_one_name_are_two_articles_for_ever() {
    let folder = Folder::new(&[("a.txt", &text("Text", ""))]).await;
    folder.read(day(1)).await;
    let first = folder.entry("Text").await.key;
    folder.write("a.md", text("Markdown", ""), 2);
    assert_eq!(folder.read(day(2)).await.0, changes(1, 0, 0));
    assert_eq!(folder.guids().await, ["a", "a.md"]);
    assert_eq!(folder.entry("Text").await.key, first, "who was there first keeps the name");
    let second = folder.entry("Markdown").await.key;
    folder.write("a.md", text("Markdown 2", ""), 3);
    folder.write("a.txt", text("Text 2", ""), 3);
    assert_eq!(folder.read(day(3)).await.0, changes(0, 2, 0));
    assert_eq!((folder.entry("Text 2").await.key, folder.entry("Markdown 2").await.key), (first, second.clone()));
    folder.remove("a.txt");
    assert_eq!(folder.read(day(4)).await.0, changes(0, 0, 1));
    folder.write("a.md", text("Markdown 3", ""), 4);
    assert_eq!(folder.read(day(5)).await.0, changes(0, 1, 0));
    assert_eq!(folder.entry("Markdown 3").await.key, second, "it does not inherit what the other was");
}

#[tokio::test]
async fn a_file_that_was_told_apart_stays_itself_when_its_folder_is_removed_and_added_again() {
    let folder = Folder::new(&[("g1.md", &text("G1", "guid: same")), ("g2.md", &text("G2", "guid: same"))]).await;
    folder.read(day(1)).await;
    let (first, second) = (folder.entry("G1").await.key, folder.entry("G2").await.key);
    folder.remove("g1.md");
    assert_eq!(folder.read(day(2)).await.0, changes(0, 0, 1));
    folder.f.store.remove_source(folder.source.id, day(3)).await.unwrap();
    folder.f.source(SourceKind::Folder, folder.root.to_str().unwrap()).await;
    let (applied, batch) = folder.read(day(4)).await;
    assert_eq!((applied.added, applied.withdrawn, batch.articles.len()), (0, 0, 1), "it is parsed again");
    assert_eq!(folder.entry("G2").await.key, second);
    let gone = folder.f.store.article(&first).await.unwrap();
    assert!(!matches!(gone, Lookup::Found(_)), "nobody inherits what the other was");
}

#[tokio::test]
async fn a_later_file_of_the_same_name_leaves_an_unchanged_one_as_it_is() {
    let folder = Folder::new(&[("a.md", &text("Markdown", ""))]).await;
    folder.read(day(1)).await;
    folder.write("a.txt", text("Text", ""), 2);
    folder.write("b.md", text("Claims the name", "guid: a"), 2);
    assert_eq!(folder.read(day(2)).await.0, changes(2, 0, 0));
    for (title, guid) in [("Markdown", "a"), ("Text", "a.txt"), ("Claims the name", "b.md")] {
        assert_eq!(folder.entry(title).await.article.guid, guid);
    }
}

#[tokio::test]
async fn a_link_that_two_files_end_with_is_nobodys() {
    let ends = |title: &str| format!("---\ntitle: {title}\n---\nText.\n\n[more](https://a.example/{})\n", &title[..1]);
    let folder = Folder::new(&[("1.md", &ends("x1")), ("2.md", &ends("x2")), ("3.md", &ends("y"))]).await;
    folder.read(day(1)).await;
    assert_eq!(folder.entry("x1").await.link, None);
    assert_eq!(folder.entry("x2").await.link, None);
    assert_eq!(folder.entry("y").await.link.as_deref(), Some("https://a.example/y"));
    folder.write("4.md", ends("y4"), 2);
    folder.read(day(2)).await;
    assert_eq!(folder.entry("y4").await.link, None, "it belongs to the article stored before");
    assert_eq!(folder.entry("y").await.link.as_deref(), Some("https://a.example/y"), "a later file revises nothing");
}

#[tokio::test]
async fn a_moved_file_stays_itself() {
    let folder = Folder::new(&[("drafts/a.md", &text("A", "")), ("b.md", &text("B", ""))]).await;
    folder.read(day(1)).await;
    let before = folder.entry("A").await;
    fs::create_dir(folder.root.join("posts")).unwrap();
    fs::rename(folder.root.join("drafts/a.md"), folder.root.join("posts/a.md")).unwrap();
    let applied = folder.read(day(2)).await.0;
    assert_eq!((applied.added, applied.withdrawn), (0, 0));
    let after = folder.entry("A").await;
    assert_eq!((&after.key, &after.id, after.listed), (&before.key, &before.id, before.listed));
    folder.write("posts/a.md", text("A2", ""), 2);
    assert_eq!(folder.read(day(3)).await.0, changes(0, 1, 0));
    assert_eq!(folder.entry("A2").await.key, before.key);
    let by_path = ArticleKey::new(&folder.source.first_slug, "posts/a");
    let Lookup::Found(linked) = folder.f.store.article(&by_path).await.unwrap() else { panic!("a link by its new path leads to it") };
    assert_eq!(linked.key, before.key);
}

#[tokio::test]
async fn a_renamed_file_with_a_guid_of_its_own_finds_its_new_translations() {
    let folder = Folder::new(&[("about.zh-CN.md", &text("关于", "")), ("old.en.md", &text("About", "guid: own"))]).await;
    folder.read(day(1)).await;
    assert!(folder.entry("About").await.translations.is_empty());
    fs::rename(folder.root.join("old.en.md"), folder.root.join("about.en.md")).unwrap();
    folder.read(day(2)).await;
    assert_eq!(folder.entry("关于").await.translations.len(), 2);
}
