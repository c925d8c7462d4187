//! Whole feeds, one of each format, one damaged, and documents made to harm.

mod items;

use super::*;
use crate::model::{Link, Time, text};

fn context(url: Option<&Url>) -> FeedContext<'_> {
    FeedContext { url, charset: None, encoding: None, zone: Tz::Asia__Shanghai, limits: FeedLimits::default() }
}

fn fixture(name: &str) -> ParsedFeed {
    let path = format!("{}/tests/fixtures/feeds/{name}", env!("CARGO_MANIFEST_DIR"));
    parse(&std::fs::read(path).unwrap(), &context(None)).unwrap()
}

fn read(text: &str) -> ParsedFeed {
    parse(text.as_bytes(), &context(None)).unwrap()
}

fn at(time: &str) -> Option<Time> {
    time.parse().ok()
}

fn link(article: &Article) -> &str {
    match &article.link {
        Link::At(link) => link,
        _ => "",
    }
}

#[test]
fn rss_is_read_with_its_content_people_tags_and_files() {
    let feed = fixture("rss-zh.xml");
    assert_eq!(feed.info.title.as_deref(), Some("河边读书记"));
    assert_eq!(feed.info.home.as_deref(), Some("https://river.example/"));
    assert_eq!(feed.info.icon.as_deref(), Some("https://river.example/logo.png"));
    assert_eq!(feed.info.language.as_ref().map(crate::model::Language::as_str), Some("zh-CN"));
    assert_eq!(feed.hints.interval, Some(std::time::Duration::from_hours(2)));
    assert_eq!((feed.articles.len(), feed.passed_over.len()), (2, 1));
    let first = &feed.articles[0];
    assert_eq!(first.title.as_deref(), Some("雨后的桥 & 旧书店"));
    assert_eq!((first.guid.as_str(), link(first)), ("river-2", "https://river.example/posts/bridge"));
    assert_eq!(first.published, at("2024-05-07T00:30:00Z"));
    assert_eq!(first.authors[0].name, "林小舟");
    assert_eq!(first.tags, ["散步", "旧书"]);
    assert_eq!(first.summary.as_deref(), Some("桥边新开了一家旧书店。"));
    let content = first.content.as_deref().unwrap();
    assert!(content.contains("<b>旧书店</b>") && content.contains("https://river.example/map") && !content.contains("alert"), "{content}");
    assert_eq!(
        first.thumbnail.as_ref().map(|picture| (picture.url.as_str(), picture.width)),
        Some(("https://river.example/bridge.jpg", Some(640)))
    );
    assert_eq!(first.enclosures[0].length, Some(12345));
    assert_eq!(first.comments.as_deref(), Some("https://river.example/posts/bridge#comments"));
    let second = &feed.articles[1];
    assert_eq!((link(second), second.published), ("https://river.example/posts/short", at("2024-05-06T07:05:00Z")));
    assert_eq!((second.summary.as_deref(), second.content.as_deref()), (None, Some("<p>短短的一段话。</p>")));
    assert_eq!(second.authors[0].email.as_deref(), Some("lin@river.example"));
}

#[test]
fn rdf_is_read_with_dublin_core() {
    let feed = fixture("rdf.xml");
    let item = &feed.articles[0];
    assert_eq!((item.guid.as_str(), item.title.as_deref()), ("https://stones.example/grey", Some("Grey is a colour too")));
    assert_eq!((item.published, item.authors[0].name.as_str()), (at("2023-11-02T06:00:00Z"), "Ada Moss"));
    assert_eq!((item.tags.as_slice(), item.content.as_deref()), (["lichen".to_owned()].as_slice(), Some("On <em>Parmelia</em>.")));
}

#[test]
fn atom_is_read_with_bases_languages_and_every_type_of_text() {
    let feed = fixture("atom.xml");
    assert_eq!(feed.info.title.as_deref(), Some("Kiln & Clay"));
    assert_eq!(
        (feed.info.home.as_deref(), feed.info.id.as_deref()),
        (Some("https://kiln.example/blog/"), Some("tag:kiln.example,2020:blog"))
    );
    assert_eq!(feed.info.authors[0].uri.as_deref(), Some("https://kiln.example/bo"));
    let first = &feed.articles[0];
    assert_eq!((first.title.as_deref(), link(first)), (Some("Cups <b> bowls"), "https://kiln.example/blog/cups"));
    assert_eq!((first.published, first.updated), (at("2024-02-01T00:00:00Z"), at("2024-02-02T10:00:00Z")));
    assert_eq!((first.languages[0].as_str(), first.tags[0].as_str()), ("ja", "Cups & mugs"));
    assert_eq!((first.summary.as_deref(), first.contributors[0].name.as_str()), (Some("Short."), "Cy"));
    let content = first.content.as_deref().unwrap();
    assert!(
        content.contains("https://kiln.example/blog/cups/two") && content.contains("two &amp; three") && !content.contains("<div"),
        "{content}"
    );
    assert_eq!((first.enclosures[0].url.as_str(), first.enclosures[0].length), ("https://kiln.example/blog/cups.mp4", Some(99)));
    let second = &feed.articles[1];
    assert_eq!((second.content.as_deref(), link(second)), (Some("<p>fired</p>"), "https://kiln.example/blog/coded"));
    assert_eq!(second.published, second.updated);
}

#[test]
fn atom_of_2004_is_read() {
    let feed = fixture("atom03.xml");
    let entry = &feed.articles[0];
    assert_eq!((entry.title.as_deref(), entry.content.as_deref()), (Some("Nets & ropes"), Some("<p>Tar.</p>")));
    assert_eq!((entry.published, feed.info.description.as_deref()), (at("2004-05-30T16:00:00Z"), Some("Since 2004")));
}

#[test]
fn json_feed_is_read_and_so_is_what_is_left_of_one() {
    let feed = fixture("feed.json");
    assert_eq!(feed.articles.len(), 2);
    let first = &feed.articles[0];
    assert_eq!((first.guid.as_str(), first.content.as_deref()), ("7", Some("<p>风声</p><p>鸟声 &lt;3</p>")));
    assert_eq!(first.tags, ["声音", "山"]);
    assert_eq!((first.enclosures[0].duration, first.enclosures[0].url.as_str()), (Some(61), "https://radio.example/7.mp3"));
    assert_eq!((link(&feed.articles[1]), feed.articles[1].published), ("https://other.example/x", at("2024-01-31T16:00:00Z")));
    let cut = read(r#"{"items": [{"id": "a", "title": "x}]"}, {"id": "b", "ti"#);
    assert_eq!((cut.articles.len(), cut.articles[0].guid.as_str()), (1, "a"));
    let broken = read(r#"{"items": [{"id": "a", "title": "half \ud83d",}]}"#);
    assert_eq!(broken.articles[0].title.as_deref(), Some("half"));
    assert!(matches!(parse(b"{\"a\": [", &context(None)), Err(FeedError::Json(_))));
}

#[test]
fn what_is_no_value_in_json_costs_its_own_place_alone() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let feed = read(&format!(
        r#"{{"items": "first", "title": "half \ud83d", "items": [{{"id": "a", "title": "half \ud83d"}}, {{"id": 1e999, "title": "b"}},
            {{"id": "c", "deep": {deep}}}, {{"id": "d", "title": "d"}}]}}"#
    ));
    assert_eq!(feed.info.title.as_deref(), Some("half"));
    let titles: Vec<_> = feed.articles.iter().map(|article| article.title.as_deref()).collect();
    assert_eq!((titles.as_slice(), feed.passed_over.len()), (&[Some("half"), Some("d")][..], 2));
    assert!(matches!(parse(b"[{\"items\": []}]", &context(None)), Err(FeedError::NotAFeed(_))));
    assert!(matches!(parse(b"{\"items\": 7}", &context(None)), Err(FeedError::NotAFeed(_))));
}

#[test]
fn one_where_json_feed_has_many_and_many_where_it_has_one_are_taken() {
    let feed = read(
        r#"{"items": [{"id": 1, "title": "a", "authors": {"name": "Una"}, "tags": "salt, pepper", "attachments": {"url": "https://e.example/a.mp3"}},
        {"id": 2, "title": "b", "authors": [], "author": [{"name": "Bo"}, "Cy"], "tags": ["Salt, and pepper"]}]}"#,
    );
    let names = |place: usize| feed.articles[place].authors.iter().map(|person| person.name.as_str()).collect::<Vec<_>>();
    assert_eq!((names(0), names(1)), (vec!["Una"], vec!["Bo", "Cy"]));
    assert_eq!(
        (feed.articles[0].tags.as_slice(), feed.articles[1].tags.as_slice()),
        (&["salt".to_owned(), "pepper".to_owned()][..], &["Salt, and pepper".to_owned()][..])
    );
    assert_eq!(feed.articles[0].enclosures.len(), 1);
}

#[test]
fn a_podcast_keeps_its_file_its_length_and_its_elements() {
    let feed = fixture("podcast.xml");
    let episode = &feed.articles[0];
    assert_eq!((episode.title.as_deref(), episode.authors[0].name.as_str()), (Some("Sleeper to the coast"), "Noor Vale"));
    assert_eq!(episode.enclosures.len(), 1);
    assert_eq!((episode.enclosures[0].duration, episode.enclosures[0].length), (Some(3723), Some(1000)));
    assert_eq!(episode.content.as_deref(), Some("Four berths, no sleep."));
    assert_eq!(episode.thumbnail.as_ref().map(|picture| picture.url.as_str()), Some("https://trains.example/3.png"));
    let value = episode.extensions.iter().find(|extension| extension.name == "podcast:value").unwrap();
    assert_eq!(value.children[0].name, "podcast:valueRecipient");
    assert_eq!(value.children[0].attributes[1], ("split".to_owned(), "100".to_owned()));
}

#[test]
fn gbk_under_the_label_gb2312_is_read_and_its_dates_are_of_its_zone() {
    let item = fixture("rss-gbk.xml").articles.remove(0);
    assert_eq!((item.title.as_deref(), item.published), (Some("豆浆涨价了，囍字还在门上"), at("2024-05-07T22:00:00Z")));
}

#[test]
fn a_damaged_feed_yields_every_item_and_a_report() {
    let feed = fixture("damaged.xml");
    let titles: Vec<_> = feed.articles.iter().filter_map(|article| article.title.as_deref()).collect();
    assert_eq!(titles, ["Flour & water — 1 < 2", "The second, whose neighbour never ended", "The third"]);
    assert_eq!(link(&feed.articles[0]), "https://mill.example/flour?a=1&b=2");
    assert_eq!(feed.articles[0].published, at("2024-05-08T11:05:03Z"));
    assert!(feed.articles[0].content.as_deref().unwrap().contains("<b>bold text</b>"));
    assert_eq!(feed.articles[0].thumbnail.as_ref().map(|picture| picture.url.as_str()), Some("https://mill.example/flour.jpg"));
    assert_eq!((feed.articles[1].authors[0].name.as_str(), feed.articles[1].content.as_deref()), ("Una", Some("No end for the author")));
    assert_eq!(feed.articles[2].content.as_deref(), Some("cut off in the mid"));
    let report: Vec<_> = feed.repairs.iter().map(ToString::to_string).collect();
    for word in ["well formed", "closed", "too early", "'&'", "prefix"] {
        assert!(report.iter().any(|repair| repair.contains(word)), "{word}: {report:?}");
    }
}

#[test]
fn what_is_no_feed_is_named() {
    for (text, expected) in [
        ("", "empty"),
        ("<!doctype html><html><head><title>x</title></head><body><p>hello</body></html>", "web page"),
        ("<!DOCTYPE HTML><x><b>hello", "web page"),
        ("<!doctype html>hello", "web page"),
        ("<h1>x</h1>", "web page"),
        ("<style>a { b }</style>", "web page"),
        ("<main>x</main>", "web page"),
        ("<my-app></my-app>", "web page"),
        ("<opml version='2.0'><body/></opml>", "OPML"),
        ("<CHANNEL HREF='http://e.example/'><ITEM HREF='/x'><TITLE>x</TITLE></ITEM></CHANNEL>", "CDF"),
        ("<?xml version='1.0'?><Channel><Title>t</Title><Item Href='/x'><Abstract>b</Abstract></Item></Channel>", "CDF"),
        ("\u{feff}<!-- c --><!DOCTYPE OPML><OPML version='1.1'><head><title>t</title></head><body/></OPML>", "OPML"),
        ("<svg xmlns='http://www.w3.org/2000/svg'/>", "<svg>"),
        ("{\"a\": 1}", "`items`"),
        ("hello", "not a feed"),
    ] {
        let error = parse(text.as_bytes(), &context(None)).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

/// Reads a document made to harm, within a time that quadratic work would miss on any machine.
fn soon(text: &str) -> ParsedFeed {
    let start = std::time::Instant::now();
    let feed = read(text);
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{} took {:?}", text::excerpt(text, 99), start.elapsed());
    feed
}

#[test]
fn documents_made_to_harm_are_read_in_little_time_and_depth() {
    let inside = |body: &str| {
        format!(
            "<rss><channel><item><title>t</title><link>https://e.example/</link>{body}</item><item><title>u</title></item></channel></rss>"
        )
    };
    let attributes = (0..100_000).map(|n| format!("a{n}='1' ")).collect::<String>();
    for body in [
        "<x:y>".repeat(100_000),
        format!("<podcast:a>{}", "<podcast:a>".repeat(100_000)),
        format!("<media:group>{}", "<media:group><media:title>".repeat(50_000)),
        format!("{}x{}", "<podcast:a>".repeat(100_000), "</podcast:a>".repeat(100_000)),
        format!("<description>{}</description>", "<b>".repeat(200_000)),
        format!("<description>{}</description>", "<p>".repeat(200)),
        format!("<description>{}</description>", "&".repeat(1_000_000)),
        format!("<description><![CDATA[{}]]></description>", "&amp;".repeat(300_000)),
        format!("<category><![CDATA[{}]]></category>", "<script>".repeat(200_000)),
        "<!--".repeat(200_000),
        "<a b='".repeat(100_000),
        "</x>".repeat(200_000),
        "&".repeat(1_000_000),
        "&a".repeat(300_000),
        format!("<y {}/>", "a='1' ".repeat(100_000)),
        format!("<podcast:y {attributes}/>"),
    ] {
        let feed = soon(&inside(&body));
        assert_eq!(feed.articles[0].title.as_deref(), Some("t"), "{}", &body[..20]);
    }
    let unclosed_paragraphs = soon(&inside(&format!("<description>{}</description>", "<p>x".repeat(200))));
    assert_eq!(unclosed_paragraphs.articles.len(), 2);
    let same = "<item><title>t</title><guid>g</guid></item>".repeat(30);
    assert_eq!(soon(&format!("<rss><channel>{same}</channel></rss>")).articles.len(), 1);
    let many = (0..3000).map(|n| format!("<item><guid>{n}</guid><title>t</title></item>")).collect::<Vec<_>>().join(" ");
    assert_eq!(soon(&format!("<rss><channel>{many}</channel></rss>")).articles.len(), 2000);
}

#[test]
fn twenty_thousand_prefixes_are_declared_and_used() {
    let declared = (0..20_000).map(|n| format!(" xmlns:p{n}='http://purl.org/dc/elements/1.1/'")).collect::<String>();
    let used = (0..20_000).map(|n| format!("<p{n}:subject>tag {n}</p{n}:subject>")).collect::<String>();
    let feed = soon(&format!("<rss{declared}><channel><item><title>t</title>{used}</item></channel></rss>"));
    assert_eq!((feed.articles.len(), feed.articles[0].title.as_deref()), (1, Some("t")));
    let each = (0..20_000).map(|n| format!("<x xmlns:p{n}='http://e.example/{n}'>")).collect::<String>();
    assert_eq!(soon(&format!("<rss><channel><item><title>t</title>{each}</item></channel></rss>")).articles.len(), 1);
}

#[test]
fn a_small_document_does_not_grow_by_what_its_links_stand_on() {
    let size = |feed: &ParsedFeed| format!("{feed:?}").len();
    for length in [1 << 20, 2000, 150] {
        let base = format!("https://e.example/{}/", "b".repeat(length));
        let links = "<a href=x>l</a>".repeat(10_000);
        let (files, authors) = ("<enclosure url='N'/>".repeat(100), "<author><name>N</name><uri>N</uri></author>".repeat(100));
        let numbered = |text: &str| text.split('N').enumerate().map(|(n, part)| format!("{part}{n}")).collect::<String>();
        let many = format!("<item>{}{}</item>", numbered(&files), numbered(&authors));
        for body in [
            "<item><link>i</link><description>i</description></item>".repeat(1000),
            format!("<link>{base}</link>{}", "<item><link href='i'/></item>".repeat(1000)),
            format!("<item><title>t</title><description><![CDATA[{links}]]></description></item>"),
            many.repeat(20),
            format!("<item><title>t</title>{}</item>", "<div xml:base='b/'>".repeat(90)),
        ] {
            let numbered: Vec<_> = body.split("<item>").enumerate().map(|(n, part)| format!("<item><guid>{n}</guid>{part}")).collect();
            let text = format!("<rss xml:base='{base}'><channel>{}</channel></rss>", numbered.concat());
            let feed = soon(&text);
            assert!(size(&feed) < 25 * text.len() + (4 << 20), "{length}: {} became {}", text.len(), size(&feed));
        }
    }
    let url = Url::parse(&format!("https://e.example/a/?{}", "q".repeat(5000))).unwrap();
    let feed = parse(b"<rss><channel><item><link>i</link></item></channel></rss>", &context(Some(&url))).unwrap();
    assert_eq!(link(&feed.articles[0]), "https://e.example/a/i");
}

#[test]
fn no_entity_of_a_document_is_expanded() {
    let laughs = (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect::<String>();
    let feed = soon(&format!(
        "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY l0 \"laugh\"><!ENTITY f SYSTEM \"file:///etc/passwd\">{laughs}]>\
         <rss><channel><item><title>ha &l9; &f;</title><link>https://e.example/</link></item></channel></rss>"
    ));
    assert_eq!(feed.articles[0].title.as_deref(), Some("ha &l9; &f;"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        parse(&bytes, &context(None)).ok();
    }

    #[test]
    fn no_cut_and_no_changed_byte_makes_reading_panic(cut in 0_usize..2400, at in 0_usize..2400, byte in proptest::num::u8::ANY) {
        let mut bytes = include_bytes!("../../../tests/fixtures/feeds/rss-zh.xml").to_vec();
        let place = at % bytes.len();
        bytes[place] = byte;
        bytes.truncate(cut);
        parse(&bytes, &context(None)).ok();
    }
}

#[test]
fn a_feed_names_its_hub_and_itself() {
    let own = "https://a.example/own";
    for text in [
        "<rss xmlns:atom='http://www.w3.org/2005/Atom'><channel><atom:link rel='hub' href='https://hub.example/'/>\
         <atom:link rel='self' href='https://a.example/own'/><item><title>x</title></item></channel></rss>",
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://a.example/'><link rel='hub' href='ftp://hub.example/'/>\
         <link rel='Hub' href='https://hub.example/'/><link rel='self' href='own'/><entry><title>x</title></entry></feed>",
        r#"{"version":"https://jsonfeed.org/version/1.1","feed_url":"https://a.example/own","items":[],
            "hubs":[{"type":"rssCloud","url":"https://x/"},{"type":"WebSub","url":"https://hub.example/"}]}"#,
    ] {
        let relations = read(text).relations;
        assert_eq!((relations.hub.as_deref(), relations.own.as_deref()), (Some("https://hub.example/"), Some(own)), "{text}");
    }
    assert_eq!(fixture("rss-zh.xml").relations.hub, None);
}
