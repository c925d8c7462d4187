//! Whole feed documents, and what holds for every one of them.

use chrono_tz::Tz;
use feedmill::model::{
    Article, Enclosure, Extension, Format, Kind, Language, Link, Options, Page, Person, Picture, Selection, Site, Slug, SourceKind,
};
use feedmill::output::{channel, feed};
use feedmill::source::feed::{FeedContext, FeedLimits, ParsedFeed, parse};
use proptest::prelude::*;
use url::Url;
use uuid::Uuid;

use crate::server::texts;
use crate::store::{Fixture, day};

/// An upstream feed with what hurts: markup, signs, control characters, a section end, several authors and files.
const UPSTREAM: &str = "<?xml version=\"1.0\"?>
<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"
 xmlns:media=\"http://search.yahoo.com/mrss/\" xmlns:itunes=\"http://www.itunes.com/dtds/podcast-1.0.dtd\">
<channel><title>Signs &amp; wonders</title><link>https://a.example/</link><description>d</description>
<item><title>1 &lt; 2 &amp;amp; \u{8}3 ]]&gt; \u{c}&lt;b&gt;bold&lt;/b&gt; \u{200f}\u{fffe}</title>
<link>https://a.example/1?a=b&amp;c=d</link><guid isPermaLink=\"false\">tag:a.example,2025:1</guid>
<pubDate>Wed, 08 Oct 2025 08:00:00 +0800</pubDate><dc:creator>Ada &amp; Co</dc:creator><dc:creator>人工智能</dc:creator>
<category>C++</category><category>AI/ML</category><category>&lt;script&gt;</category>
<description>Short &lt;i&gt;words&lt;/i&gt; &amp;amp; more</description>
<content:encoded><![CDATA[<p onclick=\"x()\">Text ]]]]><![CDATA[> with <script>alert(1)</script> &amp; <img src=\"/p.png\"> <a href=\"javascript:x\">j</a></p>]]></content:encoded>
<enclosure url=\"https://a.example/1.mp3?x=1&amp;y=2\" length=\"123\" type=\"audio/mpeg\"/>
<media:content url=\"https://a.example/1.mp4\" type=\"video/mp4\" duration=\"9\"/>
<media:thumbnail url=\"https://a.example/1.jpg?a&amp;b\" width=\"640\" height=\"360\"/>
<itunes:duration>1:02</itunes:duration></item></channel></rss>";

fn parsed(text: &str) -> ParsedFeed {
    let url = Url::parse("https://a.example/feed").unwrap();
    let context = FeedContext { url: Some(&url), charset: None, encoding: None, zone: Tz::UTC, limits: FeedLimits::default() };
    parse(text.as_bytes(), &context).unwrap()
}

fn site() -> Site {
    Site::new("Mill & Co <b>".into(), "All ]]> of it".into(), &Url::parse("https://feeds.example.org/a").unwrap(), Tz::UTC)
}

fn languages(names: &[&str]) -> Vec<Language> {
    names.iter().map(|name| Language::parse(name).unwrap()).collect()
}

/// Three articles that hurt: one from a feed, one from right to left that is a translation, one with hardly anything.
async fn page() -> (Selection, Page) {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://user:secret@a.example/feed").await;
    let mut articles = parsed(UPSTREAM).articles;
    articles[0].tags.push("all".into());
    articles.push(Article {
        guid: "https://a.example/ar".into(),
        link: Link::At("https://a.example/ar".into()),
        title: Some("شاي & خبز \u{202b}<أهلا>".into()),
        content: Some("<p dir=\"rtl\">نص قصير &amp; طويل</p>".into()),
        authors: vec![Person { name: "ليلى".into(), email: Some("layla@a.example".into()), ..Person::default() }],
        contributors: vec![Person { name: "Bo".into(), ..Person::default() }],
        rights: Some("© A & B".into()),
        published: Some(day(-3)),
        updated: Some(day(-1)),
        languages: languages(&["ar"]),
        translation_key: Some("tea".into()),
        categories: vec!["旅行".into()],
        tags: vec!["all".into()],
        thumbnail: Some(Picture { url: "https://a.example/tea.png".into(), ..Picture::default() }),
        comments: Some("https://a.example/ar#comments".into()),
        ..Article::default()
    });
    articles.push(Article {
        guid: "no title".into(),
        content: Some(format!("<p>{}</p>", "👩‍👩‍👧 字 ".repeat(120))),
        languages: languages(&["zh-TW"]),
        published: Some(day(-2)),
        translation_key: Some("tea".into()),
        tags: vec!["all".into()],
        enclosures: vec![Enclosure { url: "https://a.example/a.ogg".into(), ..Enclosure::default() }],
        extensions: vec![Extension {
            name: "podcast:person".into(),
            attributes: vec![("role".into(), "\"guest\" & <host>".into())],
            value: Some("Ada <&>".into()),
            ..Extension::default()
        }],
        ..Article::default()
    });
    f.feed(&source, articles, day(1)).await;
    let selection = Selection::of(Kind::Tag, Slug::from_name("all"));
    (selection, f.page("/tag/all").await)
}

fn document(selection: &Selection, page: &Page, format: Format) -> String {
    let (site, options) = (site(), Options::default());
    let channel = channel(selection, &options, page, &site, Uuid::nil());
    feed(&channel, page, &options, &site, format).unwrap()
}

fn snapshot(document: &str) -> String {
    document.replace(env!("CARGO_PKG_VERSION"), "[version]")
}

#[tokio::test]
async fn articles_that_hurt_as_rss() {
    let (selection, page) = page().await;
    insta::assert_snapshot!("rss", snapshot(&document(&selection, &page, Format::Rss)));
}

#[tokio::test]
async fn articles_that_hurt_as_atom() {
    let (selection, page) = page().await;
    insta::assert_snapshot!("atom", snapshot(&document(&selection, &page, Format::Atom)));
}

#[tokio::test]
async fn articles_that_hurt_as_a_json_feed() {
    let (selection, page) = page().await;
    let value: serde_json::Value = serde_json::from_str(&document(&selection, &page, Format::Json)).unwrap();
    insta::assert_snapshot!("json", snapshot(&serde_json::to_string_pretty(&value).unwrap()));
}

/// The ids of a document's articles.
fn ids(document: &str, format: Format) -> Vec<String> {
    match format {
        Format::Json => {
            let value: serde_json::Value = serde_json::from_str(document).unwrap();
            value["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
        }
        Format::Rss => texts(document, "item", "guid"),
        Format::Atom => texts(document, "entry", "id"),
    }
}

#[tokio::test]
async fn what_is_published_can_be_read_again() {
    let (selection, page) = page().await;
    for format in Format::ALL {
        let text = document(&selection, &page, format);
        let again = parsed(&text);
        assert_eq!(again.repairs, [], "{format:?} needed mending");
        let read = |read: fn(&Article) -> &str| again.articles.iter().map(read).collect::<Vec<_>>();
        assert_eq!(read(|article| &article.guid), page.entries.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), "{format:?}");
        for (article, entry) in again.articles.iter().zip(&page.entries) {
            if entry.article.title.is_some() {
                assert_eq!(article.title, entry.article.title, "{format:?}");
            }
            assert_eq!(article.content.as_deref().map(str::trim), entry.article.content.as_deref().map(str::trim), "{format:?}");
            assert_eq!(article.published, Some(entry.published), "{format:?}");
            assert_eq!(article.enclosures.len(), entry.article.enclosures.len(), "{format:?}");
        }
        for secret in ["user:secret", "<script>alert", "onclick", "javascript:"] {
            assert!(!text.contains(secret), "{format:?} has {secret}");
        }
    }
}

#[tokio::test]
async fn a_document_is_the_same_each_time() {
    let (selection, page) = page().await;
    for format in Format::ALL {
        assert_eq!(document(&selection, &page, format), document(&selection, &page, format));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever text an article has, the documents parse, with the same ids in each.
    #[test]
    fn documents_parse_and_carry_the_same_ids(
        title in any::<Option<String>>(), text in any::<String>(), guid in "\\PC{1,40}", name in any::<String>(), url in any::<String>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let page = runtime.block_on(async {
            let f = Fixture::new().await;
            let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
            let article = Article {
                guid,
                title: title.map(|title| feedmill::model::text::line(&title)),
                content: Some(feedmill::model::text::escape(&feedmill::model::text::clean(&text))),
                authors: vec![Person { name: feedmill::model::text::line(&name), uri: Some(url.clone()), ..Person::default() }],
                tags: vec![name],
                comments: Some(url.clone()),
                thumbnail: Some(Picture { url: url.clone(), ..Picture::default() }),
                enclosures: vec![Enclosure { url: url.clone(), title: Some(url), ..Enclosure::default() }; 2],
                ..Article::default()
            };
            f.feed(&source, vec![article, Article { guid: "2".into(), title: Some("t".into()), ..Article::default() }], day(1)).await;
            f.page("/").await
        });
        let expected: Vec<_> = page.entries.iter().map(|entry| entry.id.clone()).collect();
        for format in Format::ALL {
            let document = document(&Selection::default(), &page, format);
            prop_assert_eq!(&ids(&document, format), &expected, "{:?}", format);
            prop_assert!(!document.contains(|c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r')), "{:?}", format);
        }
    }
}
