//! Entries and pages that hurt, for the tests of the formats.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use url::Url;
use uuid::Uuid;

use crate::model::{
    Article, ArticleKey, Enclosure, Entry, Extension, Kind, Language, Origin, Origins, PLACEHOLDER, Page, Person, Picture, Site, Slug,
    Term, TermName, Time, Translation,
};

/// The id of a store.
pub(super) const STORE: Uuid = Uuid::from_u128(0x0f0e_0d0c_0b0a_4908_8706_0504_0302_0100);

/// A site below a path.
pub(super) fn site() -> Site {
    let url = Url::parse("https://feeds.example.org/mill/").unwrap();
    Site::new("My feeds & more".to_owned(), "What <I> read".to_owned(), &url, Tz::Asia__Shanghai)
}

/// A time, some minutes after a fixed one.
pub(super) fn time(minutes: i64) -> Time {
    DateTime::from_timestamp(1_739_324_000, 0).unwrap() + TimeDelta::minutes(minutes)
}

/// A category or a tag.
pub(super) fn term(kind: Kind, name: &str) -> Term {
    let name = TermName { kind, slug: Slug::from_name(name), name: name.to_owned() };
    Term { name, title: None, description: None, picture: None, articles: 3 }
}

/// A page of entries.
pub(super) fn page(entries: Vec<Entry>, terms: Vec<Term>) -> Page {
    Page { total: entries.len() as u64, entries, terms, modified: time(900), created: time(-900), ..Page::default() }
}

/// Every entry of this file, one page of them.
pub(super) fn all() -> Vec<Entry> {
    vec![rich(), chinese(), hostile(), bare(), only_summary(), only_link(), podcast(), right_to_left(), several_authors()]
}

fn entry(guid: &str, article: Article) -> Entry {
    let source = Origin {
        slug: Slug::from_name("A blog & co"),
        title: "A <blog> & co".to_owned(),
        feed: Some("https://user:secret@blog.example/feed.xml?a=1&b=2".to_owned()),
        home: Some("https://user:secret@blog.example/".to_owned()),
        id: None,
        authors: Vec::new(),
        rights: None,
        icon: None,
    };
    Entry {
        key: ArticleKey::new(&source.slug, guid),
        id: guid.to_owned(),
        link: Some(format!("https://blog.example/{}", guid.len())),
        article: Article { guid: guid.to_owned(), ..article },
        source: Arc::new(source),
        terms: vec![(term(Kind::Category, "qq").name, Origins::OWN)],
        translations: Vec::new(),
        related: Vec::new(),
        listed: time(0),
        published: time(0),
        updated: time(i64::try_from(guid.len()).unwrap()),
        changed: time(60),
        generation: 7,
    }
}

fn person(name: &str, email: Option<&str>, uri: Option<&str>) -> Person {
    Person { name: name.to_owned(), email: email.map(str::to_owned), uri: uri.map(str::to_owned) }
}

fn language(tag: &str) -> Vec<Language> {
    Language::parse(tag).into_iter().collect()
}

fn enclosure(url: &str) -> Enclosure {
    Enclosure { url: url.to_owned(), ..Enclosure::default() }
}

/// An entry with everything.
pub(super) fn rich() -> Entry {
    let article = Article {
        title: Some("AT&T <b>bold</b> &amp; ]]> \"quoted\"".to_owned()),
        summary: Some("A <em>short</em> one &amp; done".to_owned()),
        content: Some(format!(
            "<p>One &amp; two ]]&gt; <a href=\"{PLACEHOLDER}/tag/rust\">here</a> <img src=\"{PLACEHOLDER}./a.png\" alt=\"\"></p>"
        )),
        authors: vec![person("Ann (A.)", Some("ann@blog.example"), Some("https://blog.example/ann"))],
        contributors: vec![person("Bob & Co", None, None)],
        rights: Some("© 2025 <them>".to_owned()),
        languages: language("en"),
        thumbnail: Some(Picture { url: format!("{PLACEHOLDER}./a.png"), width: Some(640), height: Some(360) }),
        enclosures: vec![
            Enclosure {
                length: Some(1234),
                duration: Some(61),
                title: Some("One & only".to_owned()),
                ..enclosure("https://blog.example/a.mp3?x=1&y=2")
            },
            Enclosure { media_type: Some("application/pdf".to_owned()), ..enclosure("https://blog.example/b") },
            enclosure("/relative.mp3"),
        ],
        comments: Some("https://blog.example/1#comments".to_owned()),
        ..Article::default()
    };
    let names = ["C++", "C#", ".NET", "AI/ML", "<script>alert(1)</script>", "Ünïcode", "🦀", "qq"];
    let mut rich = entry("https://blog.example/1", article);
    rich.link = Some("https://blog.example/1".to_owned());
    rich.terms.extend(names.map(|name| (term(Kind::Tag, name).name, Origins::SOURCE)));
    rich.terms.push((term(Kind::Author, "Ann").name, Origins::OWN));
    let translation = |tag: &str, key: &ArticleKey| Translation { language: Language::parse(tag).unwrap(), key: key.clone(), title: None };
    rich.translations = vec![translation("zh-CN", &ArticleKey::new(&rich.source.slug, "zh")), translation("en", &rich.key)];
    rich
}

/// An article of a folder: Chinese, long, with a link that is no URI.
pub(super) fn chinese() -> Entry {
    let article = Article {
        title: Some("苹果与阿里合作，已进入备案流程".to_owned()),
        content: Some(format!("<p>{}</p>", "据报道，双方的合作已经取得进展。".repeat(40))),
        languages: language("zh-CN"),
        ..Article::default()
    };
    let mut chinese = entry("urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a", article);
    chinese.link = Some("https://例子.example/文章/一?问=答".to_owned());
    chinese.terms.push((term(Kind::Tag, &"长".repeat(300)).name, Origins::OWN));
    chinese
}

/// Forbidden characters everywhere, also inside the end of a CDATA section, and addresses that may not be published.
pub(super) fn hostile() -> Entry {
    let bad = "a\u{0}b\u{b}c\u{fffe}d\u{85}]]\u{1}>e";
    let article = Article {
        title: Some(bad.to_owned()),
        summary: Some(bad.to_owned()),
        content: Some(format!("<p>{bad}</p>")),
        authors: vec![person(bad, Some("not an address"), Some("javascript:alert(1)")), person("", None, None)],
        rights: Some(bad.to_owned()),
        thumbnail: Some(Picture { url: "a.png".to_owned(), width: None, height: None }),
        enclosures: vec![enclosure("data:text/html,x")],
        extensions: vec![
            Extension { name: "itunes:a b".to_owned(), ..Extension::default() },
            Extension { name: "evil:x".to_owned(), ..Extension::default() },
        ],
        comments: Some("javascript:alert(1)".to_owned()),
        ..Article::default()
    };
    let mut hostile = entry("tag:blog.example,2020:1", article);
    hostile.link = Some("javascript:alert(1)".to_owned());
    hostile.terms = vec![(term(Kind::Tag, bad).name, Origins::OWN)];
    hostile
}

/// No title, no author, no link of its own, no language.
pub(super) fn bare() -> Entry {
    let article = Article { content: Some("<p>Only <b>words</b> &lt;here&gt; &amp; there.</p>".to_owned()), ..Article::default() };
    Entry { link: None, ..entry("urn:uuid:2225c695-cfb8-4ebb-aaaa-80da344efa6a", article) }
}

/// A summary in plain text and nothing more.
pub(super) fn only_summary() -> Entry {
    let article = Article {
        title: Some("  ".to_owned()),
        summary: Some("Fish &amp; chips &lt;3".to_owned()),
        authors: vec![person("Ann", Some("ann@blog.example"), None)],
        ..Article::default()
    };
    entry("https://blog.example/?p=3", article)
}

/// A link with a title.
pub(super) fn only_link() -> Entry {
    entry("https://blog.example/?p=4&q=5", Article { title: Some("Just a <link>".to_owned()), ..Article::default() })
}

/// Elements that pass through.
pub(super) fn podcast() -> Entry {
    let element = |name: &str, value: &str| Extension { name: name.to_owned(), value: Some(value.to_owned()), ..Extension::default() };
    let transcript = Extension {
        name: "podcast:transcript".to_owned(),
        attributes: vec![
            ("url".to_owned(), "https://pod.example/t.vtt?a=1&b=\"2\"".to_owned()),
            ("type".to_owned(), "text/vtt".to_owned()),
            ("xmlns:x".to_owned(), "urn:x".to_owned()),
        ],
        ..Extension::default()
    };
    let article = Article {
        title: Some("Episode 1".to_owned()),
        content: Some("<p>Listen.</p>".to_owned()),
        enclosures: vec![Enclosure {
            length: Some(99),
            media_type: Some("audio/mpeg".to_owned()),
            ..enclosure("https://pod.example/1.mp3")
        }],
        extensions: vec![
            element("itunes:duration", "1:02:03"),
            element("itunes:explicit", "no"),
            element("itunes:subtitle", "A & B"),
            transcript,
        ],
        languages: language("en"),
        ..Article::default()
    };
    entry("https://pod.example/episodes/1", article)
}

/// Arabic and Hebrew, with marks of direction.
pub(super) fn right_to_left() -> Entry {
    let article = Article {
        title: Some("\u{202b}مرحبا بالعالم\u{202c} & שלום".to_owned()),
        content: Some("<p dir=\"rtl\">مرحبا</p>".to_owned()),
        languages: language("ar"),
        ..Article::default()
    };
    entry("https://blog.example/ar", article)
}

/// Authors with and without addresses.
pub(super) fn several_authors() -> Entry {
    let article = Article {
        title: Some("Together".to_owned()),
        content: Some("<p>x</p>".to_owned()),
        authors: vec![
            person("Ann", Some("ann@blog.example"), None),
            person("", Some("bob@blog.example"), None),
            person("李雷", None, None),
        ],
        ..Article::default()
    };
    entry("https://blog.example/together", article)
}
