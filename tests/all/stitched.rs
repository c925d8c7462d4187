//! Feeds are put together of what was made of their articles before: they are what rendering them anew would give.

use std::io::Read;

use chrono_tz::Tz;
use feedmill::model::{
    Address, Article, Batch, Format, Kind, Language, Link, Site, SourceInfo, SourceKind, SourceSettings, Target, Window,
};
use feedmill::output::{channel, feed};
use feedmill::store::Lookup;
use url::Url;

use crate::server::{Server, texts};
use crate::store::{article, day, tagged};

const FEEDS: [&str; 5] = ["/feed", "/tag/x", "/tag/y", "/source/feed", "/language/de"];

/// The feed as it is rendered of the articles that are stored.
async fn rendered(server: &Server, path: &str, format: Format) -> Vec<u8> {
    let Target::List { selection, options, .. } = Address::parse(&format!("{path}.{}", format.suffix())).unwrap().target else { panic!() };
    let site = Site::new("Mill".into(), "All of it".into(), &Url::parse("https://feeds.example.org").unwrap(), Tz::UTC);
    let store = &server.f.store;
    let Lookup::Found(page) = store.select(&selection, &options, Window::default()).await.unwrap() else { panic!("{path}") };
    let channel = channel(&selection, &options, &page, &site, store.id());
    feed(&channel, &page, &options, &site, format).unwrap().into_bytes()
}

async fn check(server: &Server, step: &str) {
    // What is in the cache, and what another server reads of what was kept.
    for server in [server, &Server::over(server.f.store.clone(), server)] {
        for (path, format) in FEEDS.iter().flat_map(|path| Format::ALL.map(|format| (path, format))) {
            let (url, expected) = (format!("{path}.{}", format.suffix()), rendered(server, path, format).await);
            let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert_eq!(shown(server.get(&url).bytes()), shown(&expected), "{step}: {url}");
            let coded = server.ask("GET", &url, &[("Accept-Encoding", "gzip")]);
            assert_eq!(coded.header("content-encoding"), "gzip");
            let (mut document, mut gzip) = (Vec::new(), flate2::bufread::GzDecoder::new(coded.bytes()));
            gzip.read_to_end(&mut document).unwrap();
            assert_eq!(shown(&document), shown(&expected), "{step}: {url}");
            assert!(gzip.into_inner().is_empty(), "one member, and nothing behind it");
        }
    }
}

fn translated(guid: &str, language: &str) -> Article {
    Article { translation_key: Some("tea".into()), languages: Language::parse(language).into_iter().collect(), ..tagged(guid, &["x"]) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_at_every_time_what_rendering_it_gives() {
    let told = |guid: &str, of: &str, tags: &[&str]| Article { link: Link::At(format!("https://n.example/{of}")), ..tagged(guid, tags) };
    let (server, source) = Server::with(vec![told("1", "1", &["x"]), told("2", "2", &["x", "y"]), translated("3", "de")]).await;
    let f = &server.f;
    check(&server, "at first").await;
    f.feed(&source, vec![Article { content: Some("<p>other &amp; longer</p>".into()), ..told("2", "2", &["x", "y"]) }], day(2)).await;
    check(&server, "an article changed").await;
    f.feed(&source, vec![translated("4", "fr")], day(3)).await;
    check(&server, "a translation came").await;
    f.feed(&source, vec![translated("4", "it")], day(4)).await;
    check(&server, "its language changed").await;
    let other = f.source(SourceKind::Feed, "https://b.example/feed").await;
    f.feed(&other, vec![told("b", "1", &["x"])], day(5)).await;
    check(&server, "another source tells the same").await;
    f.store.rename_term(Kind::Tag, "x", "X", day(6)).await.unwrap();
    check(&server, "a term has another name").await;
    f.feed(&other, vec![told("b2", "2", &["theirs"])], day(6)).await;
    check(&server, "another source gives a story a term").await;
    f.store.rename_term(Kind::Tag, "theirs", "Theirs", day(6)).await.unwrap();
    check(&server, "a term that only another source gives a story has another name").await;
    f.store.delete_term(Kind::Tag, "theirs", day(6)).await.unwrap();
    check(&server, "that term was deleted").await;
    let settings = SourceSettings { title: Some("The other".into()), ..SourceSettings::default() };
    f.store.edit_source(other.id, settings, None, day(6)).await.unwrap();
    check(&server, "that source has another title").await;
    let settings = SourceSettings::default();
    f.store.edit_source(other.id, settings, None, day(6)).await.unwrap();
    check(&server, "that source has its own title again").await;
    let info = SourceInfo { title: Some("As it says".into()), rights: Some("Mine".into()), ..SourceInfo::default() };
    f.store.apply(other.id, Batch { info: Some(info), ..Batch::default() }, None, day(6)).await.unwrap();
    check(&server, "a source says other things of itself").await;
    f.store.remove_source(other.id, day(7)).await.unwrap();
    check(&server, "a source was removed").await;
    f.folder(&source, vec![told("1", "1", &["x"]), told("2", "2", &["y"])], day(8)).await;
    check(&server, "articles were withdrawn, and one has lost a tag").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn news_elsewhere_leave_a_feed_and_its_validators_as_they_are() {
    let (server, source) = Server::with(vec![tagged("1", &["x"]), tagged("2", &["y"])]).await;
    let validators = || {
        let answer = server.get("/tag/x.atom");
        (answer.header("etag").to_owned(), answer.header("last-modified").to_owned())
    };
    let before = validators();
    server.f.feed(&source, vec![tagged("3", &["y"])], day(9)).await;
    assert_eq!(validators(), before);
    server.f.feed(&source, vec![tagged("4", &["x"])], day(9)).await;
    assert_ne!(validators(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_at_hand_follows_the_names_of_what_it_excludes() {
    let (server, source) = Server::with(vec![tagged("1", &["x"]), tagged("2", &["ads"])]).await;
    let (f, url) = (&server.f, "/feed.atom?tag=x&tag=-ads,late");
    let title = || texts(server.get(url).text(), "feed", "title").remove(0);
    assert_eq!(title(), "tag x, not tag ads or late · Mill");
    f.feed(&source, vec![tagged("3", &["Late"])], day(2)).await;
    assert_eq!(title(), "tag x, not tag ads or Late · Mill");
    let before = server.get(url).header("etag").to_owned();
    f.feed(&source, vec![tagged("4", &["ads"])], day(3)).await;
    assert_eq!(server.get(url).header("etag"), before, "news of what is excluded");
    f.store.rename_term(Kind::Tag, "ads", "Ads", day(4)).await.unwrap();
    assert_eq!(title(), "tag x, not tag Ads or Late · Mill");
    f.store.rename_term(Kind::Tag, "ads", "Adverts", day(5)).await.unwrap();
    assert_eq!(server.get(url).header("location"), "/feed.atom?tag=x&tag=-adverts,late");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_names_its_translations_in_the_order_of_their_dates_as_they_are_now() {
    let server = Server::new().await;
    let source = server.f.source(SourceKind::Folder, "/a").await;
    let post = |language: &str, published| Article {
        languages: Language::parse(language).into_iter().collect(),
        translation_key: Some("post".into()),
        published: Some(day(published)),
        ..article(language)
    };
    let named = || {
        let feed = server.get("/language/en.json").json();
        let translations = feed["items"][0]["_feedmill"]["translations"].as_array().unwrap().clone();
        translations.iter().map(|translation| translation["language"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    server.f.folder(&source, vec![post("en", -9), post("zh", -8), post("de", -7)], day(1)).await;
    assert_eq!(named(), ["zh", "de"]);
    server.f.folder(&source, vec![post("en", -9), post("zh", -6), post("de", -7)], day(2)).await;
    assert_eq!(named(), ["de", "zh"]);
}
