//! The sample articles that a first start publishes: what they are there to show, they show.

use std::path::Path;

use chrono_tz::Tz;
use feedmill::model::{Batch, Entry, Format, Kind, Memory, Options, PLACEHOLDER, Page, Selection, Site, Slug, SourceKind};
use feedmill::output::{channel, feed};
use feedmill::source::folder;
use url::Url;

use crate::store::{Fixture, day};

fn read(f: &feedmill::model::Source, memory: &Memory) -> Batch {
    let root = Path::new(&f.location);
    let options = folder::Options {
        first_slug: f.first_slug.clone(),
        timezone: None,
        default_zone: Tz::America__New_York,
        base_url: None,
        max_file: 5 << 20,
        max_bundle_file: 10 << 20,
    };
    folder::read(root, memory, &options, day(1)).unwrap()
}

async fn samples() -> (Fixture, feedmill::model::Source, Batch) {
    let f = Fixture::new().await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/articles").canonicalize().unwrap();
    let source = f.source(SourceKind::Folder, root.to_str().unwrap()).await;
    let batch = read(&source, &Memory::default());
    f.store.apply(source.id, batch.clone(), None, day(1)).await.unwrap();
    (f, source, batch)
}

async fn entries(f: &Fixture) -> Vec<Entry> {
    f.page("/?limit=500").await.entries
}

#[tokio::test]
async fn every_sample_is_read_and_what_must_not_show_does_not() {
    let (f, source, batch) = samples().await;
    assert_eq!(batch.problems, []);
    let entries = entries(&f).await;
    assert_eq!(entries.len(), batch.articles.len());
    assert!(entries.len() >= 36, "{}", entries.len());
    for guid in ["posts/draft", "posts/expired", "posts/scheduled", "README", "posts/_index"] {
        assert!(!entries.iter().any(|entry| entry.article.guid == guid), "{guid}");
    }
    let memory = f.store.memory(source.id).await.unwrap();
    let again = read(&source, &memory);
    assert_eq!(again.articles.len(), 0, "nothing changed, nothing is parsed");
    assert!(!f.store.apply(source.id, again, None, day(2)).await.unwrap().changed());
}

#[tokio::test]
async fn samples_are_mostly_chinese_and_dated_in_their_own_zone() {
    let (f, ..) = samples().await;
    let entries = entries(&f).await;
    let chinese = entries.iter().filter(|entry| entry.language().is_some_and(|language| language.as_str().starts_with("zh"))).count();
    assert!(chinese * 3 >= entries.len() * 2, "{chinese} of {}", entries.len());
    for language in ["en", "ja", "de", "ar", "zh-TW"] {
        assert!(!f.page(&format!("/language/{language}")).await.entries.is_empty(), "{language}");
    }
    let about = entries.iter().find(|entry| entry.article.guid == "about").unwrap();
    assert_eq!(about.published.to_rfc3339(), "2023-10-01T01:00:00+00:00", "09:00 in Shanghai, on every machine");
    assert!(entries.iter().all(|entry| entry.article.published.is_some() && entry.listed == entry.published));
}

#[tokio::test]
async fn samples_have_tags_that_hurt_described_terms_and_a_menu() {
    let (f, ..) = samples().await;
    for name in ["C++", "C#", ".NET", "AI/ML", "node.js", "asp.rss", "人工智能", "Ünïcode", "🦀"] {
        let path = feedmill::model::Target::page(&Selection::of(Kind::Tag, Slug::from_name(name))).path();
        let page = f.page(&path).await;
        assert!(!page.entries.is_empty() && page.terms[0].name.name == name, "{name}");
    }
    assert!(f.store.directory(Kind::Category).await.unwrap().len() >= 6);
    assert!(f.store.directory(Kind::Tag).await.unwrap().len() >= 26);
    assert!(f.page("/tag/rust").await.terms[0].description.is_some());
    assert!(f.store.sidebar().await.unwrap().menus.iter().any(|(menu, links)| menu == "main" && !links.is_empty()));
}

#[tokio::test]
async fn samples_that_are_translations_name_each_other() {
    let (f, ..) = samples().await;
    let entries = entries(&f).await;
    for (guid, count) in [("travel/old-mill.ja", 3), ("posts/compilers.en", 2)] {
        let entry = entries.iter().find(|entry| entry.article.guid == guid).unwrap();
        assert_eq!(entry.translations.len(), count, "{guid}");
    }
}

#[tokio::test]
async fn every_picture_of_the_samples_is_stored_and_every_link_is_whole() {
    let (f, ..) = samples().await;
    let entries = entries(&f).await;
    let mut pictures = 0;
    for entry in &entries {
        let html = entry.article.content.iter().chain(&entry.article.lead).chain(&entry.article.summary).cloned().collect::<String>();
        let thumbnail = entry.article.thumbnail.iter().map(|picture| picture.url.clone());
        for url in html.split('"').filter(|part| part.starts_with(PLACEHOLDER)).map(str::to_owned).chain(thumbnail) {
            if let Some(name) = url.strip_prefix(&format!("{PLACEHOLDER}./")) {
                let name = percent_encoding::percent_decode_str(name).decode_utf8().unwrap();
                assert!(f.store.file(&entry.key, &name).await.unwrap().is_some(), "{}: {name}", entry.article.guid);
                pictures += 1;
            } else if let Some(key) = url.strip_prefix(&format!("{PLACEHOLDER}/article/")) {
                assert!(entries.iter().any(|entry| entry.key.as_str() == key), "{}: {key}", entry.article.guid);
            } else {
                assert!(url.starts_with("https://"), "{}: {url}", entry.article.guid);
            }
        }
        for part in html.split("src=\"").skip(1).chain(html.split("href=\"").skip(1)) {
            let is_whole =
                part.starts_with("https://") || part.starts_with("mailto:") || part.starts_with('#') || part.starts_with(PLACEHOLDER);
            assert!(is_whole, "{}: {}", entry.article.guid, part.chars().take(60).collect::<String>());
        }
    }
    assert!(pictures >= 3, "{pictures}");
}

#[tokio::test]
async fn feeds_of_the_samples_are_read_again_without_mending() {
    let (f, ..) = samples().await;
    let page: Page = f.page("/?limit=500").await;
    let site = Site::new("Samples".into(), String::new(), &Url::parse("https://feeds.example.org").unwrap(), Tz::UTC);
    let (selection, options) = (Selection::default(), Options::default());
    let channel = channel(&selection, &options, &page, &site, f.store.id());
    for format in Format::ALL {
        let document = feed(&channel, &page, &options, &site, format).unwrap();
        let context = feedmill::source::feed::FeedContext {
            url: None,
            charset: None,
            encoding: None,
            zone: Tz::UTC,
            limits: feedmill::source::feed::FeedLimits::default(),
        };
        let read = feedmill::source::feed::parse(document.as_bytes(), &context).unwrap();
        assert_eq!((read.repairs, read.passed_over), (vec![], vec![]), "{format:?}");
        for (article, entry) in read.articles.iter().zip(&page.entries) {
            assert_eq!(article.guid, entry.id, "{format:?}");
            // What looks like markup in an untyped title is taken for it, as too many feeds have it there.
            if format == Format::Json || !entry.article.title.as_deref().is_some_and(|title| title.contains('<')) {
                assert_eq!(article.title, entry.article.title, "{format:?}");
            }
        }
        assert_eq!(read.articles.len(), page.entries.len(), "{format:?}");
        assert!(!document.contains(PLACEHOLDER), "{format:?}");
    }
}
