//! Folders that are away: nothing is withdrawn of them.

use feedmill::source::folder::FolderError;

use super::*;

#[tokio::test]
async fn a_folder_that_is_not_there_withdraws_nothing() {
    let folder = Folder::new(&[("a.md", &text("A", ""))]).await;
    folder.read(day(1)).await;
    let memory = folder.f.store.memory(folder.source.id).await.unwrap();
    let away = folder.root.with_file_name("away");
    fs::rename(&folder.root, &away).unwrap();
    let read = || folder::read(&folder.root, &memory, &folder.options, day(2));
    assert!(matches!(read().unwrap_err(), FolderError::Unreadable(path, _) if path == folder.root));
    folder.f.store.fail(folder.source.id, "it is away".into(), None, day(2)).await.unwrap();
    assert_eq!(folder.guids().await, ["a"]);
    fs::write(&folder.root, "a file").unwrap();
    assert!(read().is_err());
    fs::remove_file(&folder.root).unwrap();
    fs::rename(&away, &folder.root).unwrap();
    assert_eq!(folder.read(day(3)).await.0, changes(0, 0, 0));
}

#[tokio::test]
async fn a_folder_whose_disk_is_not_mounted_withdraws_nothing() {
    let files: Vec<(String, String)> = (0..10).map(|n| (format!("{n}.md"), text(&format!("A{n}"), ""))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let folder = Folder::new(&files).await;
    folder.read(day(1)).await;
    let memory = folder.f.store.memory(folder.source.id).await.unwrap();
    let away = folder.root.with_file_name("away");
    fs::rename(&folder.root, &away).unwrap();
    fs::create_dir(&folder.root).unwrap();
    let error = folder::read(&folder.root, &memory, &folder.options, day(2)).unwrap_err();
    assert!(matches!(error, FolderError::Empty(_, 10)), "{error}");
    // Who keeps anything in it has emptied it of the rest.
    fs::write(folder.root.join("README"), "").unwrap();
    assert_eq!(folder.read(day(2)).await.0, changes(0, 0, 10));
}
