//! What may happen to a few files, thrown by dice, beside a reading of the whole folder.

use super::*;

/// All that a store knows of its folder but the numbers of generations.
async fn contents(f: &Fixture, store: &Store, source: SourceId) -> Vec<String> {
    let mut entries = f.page("/?limit=500").await.entries;
    for entry in &mut entries {
        entry.generation = 0;
    }
    let status = store.sources().await.unwrap().remove(0).status;
    let files = store.memory(source).await.unwrap().files;
    let mut lines: Vec<String> = entries.iter().map(|entry| format!("{entry:?}")).collect();
    lines.extend(files.iter().map(|file| format!("{file:?}")));
    lines.push(format!("{:?}, {} articles", status.problems, status.articles));
    lines
}

/// A file as chance makes it.
fn thrown(dice: &mut Dice, now: Time) -> String {
    let at = |hours: i64| (now + TimeDelta::hours(hours)).format("%FT%TZ").to_string();
    let mut lines = vec![format!("title: {}", ["A", "B", "C", "drop me"][dice.roll(4)])];
    let more = match dice.roll(12) {
        0 => "draft: true".to_owned(),
        1 => format!("expiryDate: {}", at(2)),
        2 => format!("publishDate: {}", at(3)),
        3 => "guid: a".to_owned(),
        4 => "guid: own".to_owned(),
        5 => "date: 2025-01-02".to_owned(),
        6 => "translationKey: t".to_owned(),
        7 => "date: yesterday".to_owned(),
        _ => format!("tags: [t{}]", dice.roll(3)),
    };
    lines.push(more);
    lines.push(format!("lang: {}", ["de", "en"][dice.roll(2)]));
    let body = match dice.roll(8) {
        0 => "[b](b.md)",
        1 => "![x](x.png)",
        // The whole folder reads what a rule drops each time, so that the link of another file is one of two then.
        _ if lines[0].ends_with("drop me") => "Text.",
        2 => "Text.\n\n[more](https://a.example/1)",
        3 => "Text.\n\n[more](https://a.example/2)",
        4 => "Another text.",
        _ => "Text.",
    };
    match dice.roll(12) {
        0 => "no front matter".to_owned(),
        1 => format!("---\n{}\n---\n{body}\n", lines[1..].join("\n")),
        _ => format!("---\n{}\n---\n{body}\n", lines.join("\n")),
    }
}

#[tokio::test]
async fn a_few_files_give_the_same_as_the_whole_folder_whatever_happens_to_them() {
    const PATHS: [&str; 8] = ["a.md", "a.txt", "b.md", "c.en.md", "c.de.md", "sub/a.md", "sub/index.md", "x.png"];
    let (mut alone, mut steps) = (0, 0);
    for seed in 1..=12 {
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ seed);
        let folder = Folder::new(&[("a.md", &text("A", "")), ("b.md", &text("B", "")), ("sub/a.md", &text("C", ""))]).await;
        let whole = Fixture::new().await;
        let rules = if seed % 2 == 0 { vec![dropping("drop me")] } else { Vec::new() };
        let (store, other) = (under(&folder.f.store, rules.clone()), under(&whole.store, rules));
        let new = NewSource {
            kind: SourceKind::Folder,
            location: folder.root.to_str().unwrap().to_owned(),
            slug: None,
            title: "site".into(),
            settings: SourceSettings::default(),
        };
        let source = whole.store.add_source(new, day(0)).await.unwrap().0.id;
        read_whole(&other, source, &folder.reader, day(1)).await;
        for step in 1..=40 {
            let now = hour(step);
            let mut touched = BTreeSet::new();
            for _ in 0..=dice.roll(2) {
                let path = PATHS[dice.roll(PATHS.len())];
                let place = folder.root.join(path);
                match dice.roll(5) {
                    0 if place.exists() => fs::remove_file(place).unwrap(),
                    1 if place.exists() => {
                        let to = PATHS[dice.roll(PATHS.len())];
                        fs::rename(place, folder.root.join(to)).unwrap();
                        touched.insert(to.to_owned());
                    }
                    _ => folder.write(path, &thrown(&mut dice, now), 1 + u64::try_from(step).unwrap()),
                }
                touched.insert(path.to_owned());
            }
            let what = format!("seed {seed}, step {step}: {touched:?}");
            let touched = Touched { source: folder.source, root: folder.root.clone(), paths: touched };
            steps += 1;
            if folder.reader.read_files(&store, touched, now).await.unwrap().is_some() {
                alone += 1;
            } else {
                read_whole(&store, folder.source, &folder.reader, now).await;
            }
            for due in store.claim(now, 9, folder.reader.pace.lease()).await.unwrap() {
                folder.reader.read(&store, due, now).await.result.unwrap();
            }
            read_whole(&other, source, &folder.reader, now).await;
            let (few, all) = (contents(&folder.f, &store, folder.source).await, contents(&whole, &other, source).await);
            for (few, all) in few.iter().zip(&all) {
                assert_eq!(few, all, "{what}");
            }
            assert_eq!(few.len(), all.len(), "{what}");
        }
    }
    assert!(alone * 4 > steps, "{alone} of {steps}");
}
