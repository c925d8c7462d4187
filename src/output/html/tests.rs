//! Whole pages, of articles as the world has them.

use std::sync::Arc;

use chrono::{TimeZone, Utc};
use url::Url;
use uuid::Uuid;

use super::*;
use crate::model::{
    Article, ArticleKey, Enclosure, Entry, Format, Kind, Language, MenuLink, Neighbours, Options, Origin, Origins, Page, PageOptions,
    Person, Picture, Selection, Sidebar, SidebarSide, Slug, Source, SourceId, SourceInfo, SourceKind, SourceSettings, SourceStatus, Target,
    TermName, Time, Translation, Widget,
};
use crate::output::channel;

/// What people put into names to see what happens.
const HOSTILE: &str = "\"><script>alert(1)</script>&amp;'";

fn site() -> Site {
    let url = Url::parse("https://example.org/mill").unwrap();
    Site::new("磨坊 & Co".into(), "Many feeds in".into(), &url, chrono_tz::Asia::Shanghai)
}

fn day(day: u32) -> Time {
    Utc.with_ymd_and_hms(2025, 2, day, 20, 30, 0).unwrap()
}

fn key(guid: &str) -> ArticleKey {
    ArticleKey::new(&Slug::from_name("mill"), guid)
}

fn term_name(kind: Kind, name: &str) -> TermName {
    TermName { kind, slug: Slug::from_name(name), name: name.to_owned() }
}

fn term(kind: Kind, name: &str, articles: u64) -> Term {
    Term { name: term_name(kind, name), title: None, description: None, picture: None, articles }
}

fn entry(title: &str, language: Option<&str>) -> Entry {
    let origin = Origin {
        slug: Slug::from_name("mill"),
        title: "山谷通讯".into(),
        feed: None,
        home: None,
        id: None,
        authors: Vec::new(),
        rights: None,
        icon: None,
    };
    Entry {
        key: key(title),
        id: "urn:x".into(),
        link: None,
        article: Article {
            title: Some(title.to_owned()),
            languages: language.and_then(Language::parse).into_iter().collect(),
            content: Some("<p>清晨五点半，雾还压在河面上。</p>".into()),
            ..Article::default()
        },
        source: Arc::new(origin),
        terms: Vec::new(),
        related: Vec::new(),
        translations: Vec::new(),
        listed: day(12),
        published: day(12),
        updated: day(12),
        changed: day(12),
        generation: 1,
    }
}

/// An article with all that one can have.
fn rich() -> Entry {
    let mut entry = entry("山谷里的风车与面粉", Some("zh-CN"));
    entry.link = Some("https://www.news.example/a?b=1&c=2".into());
    entry.updated = day(13);
    entry.terms = [(Kind::Category, "旅行"), (Kind::Tag, "C++"), (Kind::Tag, "人工智能"), (Kind::Author, "林晚")]
        .map(|(kind, name)| (term_name(kind, name), Origins::OWN))
        .into();
    let to = |language, key: &ArticleKey, title: &str| Translation {
        language: Language::parse(language).unwrap(),
        key: key.clone(),
        title: Some(title.into()),
    };
    entry.translations = vec![to("zh-CN", &entry.key, "山谷里的风车与面粉"), to("en", &key("en"), "Notes from a mill")];
    let article = &mut entry.article;
    article.lead = Some("<p>三代人。</p>".into());
    article.content = Some(
        "<h2 id=\"水轮\">水轮</h2><p>水。<a href=\"\u{fdd0}/tag/x\">x</a><img src=\"\u{fdd0}./a.png\"></p><h3 id=\"b\">石磨</h3><p>粉。</p>"
            .into(),
    );
    article.authors = vec![Person { name: "林晚".into(), uri: Some("https://lin.example/".into()), email: None }];
    article.thumbnail = Some(Picture { url: "https://pic.example/1.jpg".into(), width: Some(640), height: Some(360) });
    article.enclosures = vec![
        Enclosure {
            url: "https://pod.example/1.mp3".into(), length: Some(12_345_678), title: Some("录音".into()), ..Enclosure::default()
        },
        Enclosure { url: "https://pod.example/2.webm".into(), ..Enclosure::default() },
        Enclosure { url: "https://pod.example/3.pdf".into(), ..Enclosure::default() },
    ];
    article.comments = Some("https://news.example/a#comments".into());
    article.page = PageOptions { toc: true, ..PageOptions::default() };
    entry
}

fn sidebar() -> Sidebar {
    let link = |title: &str| vec![MenuLink { key: key(title), title: title.into() }];
    Sidebar {
        categories: vec![term(Kind::Category, "旅行", 12), term(Kind::Category, "技术", 3)],
        tags: vec![term(Kind::Tag, "C++", 7), term(Kind::Tag, "ماء", 1)],
        languages: vec![term(Kind::Language, "zh-CN", 9)],
        menus: vec![("footer".into(), link("版权")), ("main".into(), link("关于")), ("side".into(), link("友链"))],
        recent: vec![(key("r"), "最近的一篇".into())],
    }
}

fn page_of(entries: Vec<Entry>, more: bool) -> Page {
    Page { total: entries.len() as u64, entries, more, modified: day(12), created: day(1), ..Page::default() }
}

fn list_of(selection: &Selection, options: &Options, page: &Page) -> String {
    let site = site();
    let channel = channel(selection, options, page, &site, Uuid::nil());
    list(&ListView { site: &site, selection, options, page, channel: &channel, sidebar: &sidebar() })
}

fn article_of(entry: &Entry) -> String {
    let neighbours = Neighbours { previous: Some((key("p"), "上一篇".into())), next: Some((key("n"), "下一篇".into())) };
    article(&ArticleView { site: &site(), entry, neighbours: &neighbours, sidebar: &sidebar() })
}

fn source(title: &str) -> Source {
    Source {
        id: SourceId(1),
        kind: SourceKind::Feed,
        location: "https://user:secret@feed.example/rss".into(),
        slug: Slug::from_name(title),
        first_slug: Slug::from_name(title),
        title: title.to_owned(),
        settings: SourceSettings::default(),
        info: SourceInfo { home: Some("https://user:secret@www.feed.example/".into()), ..SourceInfo::default() },
        status: SourceStatus { last_read: Some(day(3)), last_good: Some(day(2)), articles: 5, ..SourceStatus::default() },
    }
}

/// A page with a line for each tag, so that a change of it can be read.
fn in_lines(page: &str) -> String {
    let style = super::assets::STYLE_PATH.as_str();
    page.replace("><", ">\n<")
        .replace(style, "/static/style.{hash}.css")
        .replace(super::assets::ICON_PATH.as_str(), "/static/icon.{hash}.svg")
}

/// Holds that every element is closed in its turn, that no id stands twice, and that nothing in the page can run.
fn hold_sound(page: &str) {
    const VOID: [&str; 6] = ["!DOCTYPE", "meta", "link", "img", "br", "input"];
    let mut open = Vec::new();
    for tag in page.split('<').skip(1) {
        let name = tag.split([' ', '>']).next().unwrap();
        match name.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "in {page}"),
            None if VOID.contains(&name) => {}
            None => open.push(name),
        }
        assert!(!["script", "style", "iframe", "object"].contains(&name), "{tag}");
        let outside_values: String = tag.split('>').next().unwrap().split('"').step_by(2).collect();
        assert!(!outside_values.contains(" style=") && !outside_values.contains(" on"), "{tag}");
    }
    assert!(open.is_empty(), "{open:?} is left open in {page}");
    let mut ids: Vec<_> = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id stands twice in {page}");
}

#[test]
fn a_list_shows_its_articles_its_feeds_and_the_way_on() {
    let page = Page { terms: vec![term(Kind::Category, "旅行", 12)], ..page_of(vec![rich(), entry("Untagged", None)], true) };
    let selection = Selection::of(Kind::Category, Slug::from_name("旅行"));
    let html = list_of(&selection, &Options::default(), &page);
    hold_sound(&html);
    insta::assert_snapshot!("list", in_lines(&html));
}

#[test]
fn an_article_shows_all_that_it_has() {
    let html = article_of(&rich());
    hold_sound(&html);
    insta::assert_snapshot!("article", in_lines(&html));
}

#[test]
fn every_list_offers_its_own_feeds_in_all_formats() {
    let mut algebra = Selection::of(Kind::Tag, Slug::from_name("c++"));
    algebra.exclude(Kind::Category, [Slug::from_name("广告")]);
    for selection in [Selection::default(), Selection::of(Kind::Tag, Slug::from_name("人工智能")), algebra] {
        let options = Options { limit: 5, before: Some(key("x")), ..Options::default() };
        let html = list_of(&selection, &options, &page_of(vec![rich()], false));
        hold_sound(&html);
        for format in Format::ALL {
            let kind = format.media_type().split(';').next().unwrap();
            let target =
                Target::List { selection: selection.clone(), options: Options { before: None, ..options.clone() }, format: Some(format) };
            let path = target.path().replace('&', "&amp;");
            assert!(html.contains(&format!("<link rel=\"alternate\" type=\"{kind}\"")), "{html}");
            assert!(html.contains(&format!("href=\"https://example.org/mill{path}\"")), "no link to {path} in the head of {html}");
            assert!(html.contains(&format!("<a href=\"/mill{path}\" type=\"{kind}\"")), "no link to {path} in {html}");
        }
    }
}

#[test]
fn an_empty_selection_says_what_to_do() {
    let empty = page_of(Vec::new(), false);
    let start = list_of(&Selection::default(), &Options::default(), &empty);
    assert!(start.contains("feedmill add") && !start.contains("class=\"pager\""), "{start}");
    let tag = list_of(&Selection::of(Kind::Tag, Slug::from_name("x")), &Options::default(), &empty);
    assert!(tag.contains("No article is in this selection now"), "{tag}");
    let end = list_of(&Selection::default(), &Options { before: Some(key("x")), ..Options::default() }, &empty);
    assert!(end.contains("There are no older articles") && end.contains("<a href=\"/mill/\">← Newest articles</a>"), "{end}");
}

#[test]
fn words_say_their_language_and_an_unknown_one_is_not_taken_for_english() {
    let page = page_of(vec![entry("风", Some("zh-TW")), entry("?", None)], false);
    let html = list_of(&Selection::default(), &Options::default(), &page);
    assert!(
        html.contains("<html lang=\"en\">")
            && html.contains("<h2 lang=\"zh-TW\" dir=\"auto\">")
            && html.contains("<h2 lang=\"\" dir=\"auto\">")
    );
    assert!(html.contains("href=\"/mill/language/zh-TW\">zh-TW</a>"), "a list of several languages names them: {html}");
    let one = list_of(&Selection::default(), &Options::default(), &page_of(vec![entry("风", Some("zh-TW"))], false));
    assert!(!one.contains("class=\"language\""), "a list of one language does not: {one}");
}

#[test]
fn dates_are_those_of_the_sites_zone() {
    let html = list_of(&Selection::default(), &Options::default(), &page_of(vec![entry("x", None)], false));
    assert!(html.contains("<time datetime=\"2025-02-13T04:30:00+08:00\" title=\"2025-02-13 04:30 CST\">2025-02-13</time>"), "{html}");
}

#[test]
fn names_of_the_world_are_text_and_nothing_more() {
    let mut entry = entry(HOSTILE, None);
    entry.terms = Kind::ALL.map(|kind| (term_name(kind, HOSTILE), Origins::OWN)).into();
    entry.article.authors = vec![Person { name: HOSTILE.into(), uri: Some("javascript:alert(1)".into()), email: None }];
    entry.article.summary = Some("&lt;script&gt;alert(1)&lt;/script&gt;".into());
    entry.article.thumbnail = Some(Picture { url: "javascript:alert(1)".into(), ..Picture::default() });
    entry.article.enclosures = vec![Enclosure { url: "data:text/html,x".into(), title: Some(HOSTILE.into()), ..Enclosure::default() }];
    entry.article.comments = Some("JavaScript:alert(1)".into());
    entry.link = Some("javascript:alert(1)".into());
    let terms = [Term { description: Some(HOSTILE.into()), ..term(Kind::Tag, HOSTILE, 1) }];
    let mut broken = source(HOSTILE);
    broken.status = SourceStatus { failures: 3, error: Some(HOSTILE.into()), failing_since: Some(day(1)), ..broken.status };
    broken.info.home = Some("javascript:alert(1)".into());
    for html in [
        article_of(&entry),
        list_of(&Selection::of(Kind::Tag, Slug::from_name(HOSTILE)), &Options::default(), &page_of(vec![entry.clone()], true)),
        directory(&Directory::Terms { kind: Kind::Tag, terms: &terms, are_more: true }, &sidebar(), &site()),
        directory(&Directory::Sources(&[broken]), &sidebar(), &site()),
        error(&site(), 404, HOSTILE, HOSTILE, &terms),
    ] {
        hold_sound(&html);
        assert!(!html.to_lowercase().contains("=\"javascript:") && !html.contains("=\"data:"), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
    }
}

#[test]
fn an_articles_page_holds_what_its_front_matter_asks_for() {
    let mut entry = rich();
    entry.article.page = PageOptions { comments: false, authorbox: false, pager: false, toc: false, ..PageOptions::default() };
    let html = article_of(&entry);
    for absent in ["Written by", "Comments", "class=\"pager\"", "rel=\"prev\"", "class=\"contents\""] {
        assert!(!html.contains(absent), "{absent} in {html}");
    }
    entry.article.page.sidebar = SidebarSide::None;
    assert!(!article_of(&entry).contains("<aside"));
    entry.article.page.sidebar = SidebarSide::Left;
    entry.article.page.widgets = Some(vec![Widget::Search, Widget::Recent, Widget::Taglist]);
    let html = article_of(&entry);
    let aside = html.split("<aside").nth(1).unwrap();
    let places: Vec<_> = ["role=\"search\"", "<h2>Recent", "<h2>Tags", "<h2>Pages"].iter().map(|title| aside.find(title)).collect();
    assert!(html.contains("class=\"columns left\"") && places.is_sorted() && places[0].is_some(), "{aside}");
    assert!(!aside.contains("<h2>Categories"), "{aside}");
}

#[test]
fn a_picture_that_the_text_shows_is_not_shown_twice() {
    let mut entry = rich();
    assert!(article_of(&entry).contains("<img class=\"picture\""));
    entry.article.content = Some("<p><img src=\"https://pic.example/1.jpg?a=1&amp;b=2\"></p>".into());
    entry.article.thumbnail = Some(Picture { url: "https://pic.example/1.jpg?a=1&b=2".into(), ..Picture::default() });
    assert!(!article_of(&entry).contains("<img class=\"picture\""));
}

#[test]
fn an_article_without_any_words_can_still_be_opened() {
    let mut entry = entry("x", None);
    (entry.article.title, entry.article.content) = (None, None);
    let html = list_of(&Selection::default(), &Options::default(), &page_of(vec![entry.clone()], false));
    assert!(html.contains(">Untitled</a>") && article_of(&entry).contains(">Untitled</h1>"), "{html}");
}

#[test]
fn the_directory_of_sources_tells_their_health_and_no_secret() {
    let mut failing = source("Failing");
    failing.status =
        SourceStatus { failures: 4, failing_since: Some(day(4)), error: Some("the server answers 500".into()), ..failing.status };
    let waiting = Source { status: SourceStatus::default(), ..source("New") };
    let html = directory(&Directory::Sources(&[source("Good"), failing, waiting]), &sidebar(), &site());
    hold_sound(&html);
    assert!(html.contains(">feed.example</a>") && !html.contains("secret"), "{html}");
    assert!(html.contains("the server answers 500") && html.matches("class=\"failing\"").count() == 1, "{html}");
    assert_eq!(html.matches("Not read yet").count(), 1, "{html}");
    assert!(html.contains("<a href=\"/mill/sources\" aria-current=\"page\">"), "{html}");
}

#[test]
fn of_too_many_sources_those_that_fail_are_listed_and_the_largest() {
    let mut sources = vec![source("Good"); LISTED + 2];
    sources[2].status.articles = 0;
    sources[3].status = SourceStatus { articles: 0, failures: 4, ..SourceStatus::default() };
    sources[LISTED + 1].status.articles = 0;
    let html = directory(&Directory::Sources(&sources), &sidebar(), &site());
    assert_eq!((html.matches("class=\"row\"").count(), html.matches("class=\"failing\"").count()), (LISTED, 1));
    assert!(html.contains("These are 5000 of 5002") && html.contains("href=\"/mill/opml\""));
    assert!(!directory(&Directory::Sources(&sources[1..=LISTED]), &sidebar(), &site()).contains("These are"));
}

#[test]
fn an_error_offers_the_nearest_names_and_is_not_indexed() {
    let html = error(&site(), 404, "Not found", "nothing was ever published under this name", &[term(Kind::Tag, "C++", 7)]);
    hold_sound(&html);
    assert!(html.contains("<a href=\"/mill/tag/c%2B%2B\" lang=\"\" dir=\"auto\">C++</a>"), "{html}");
    assert!(html.contains("<meta name=\"robots\" content=\"noindex\">") && !html.contains("rel=\"canonical\""), "{html}");
}

#[test]
fn every_file_of_ours_is_served_where_the_pages_link_it() {
    let html = error(&site(), 404, "x", "x", &[]);
    let paths: Vec<_> = html.split("href=\"/mill").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let files: Vec<_> = paths.iter().filter(|path| path.starts_with("/static/")).collect();
    assert_eq!(files.len(), 2, "{paths:?}");
    for file in files.into_iter().chain([&"/favicon.ico"]) {
        assert!(asset(file).is_some_and(|(bytes, _)| !bytes.is_empty()), "{file}");
    }
    assert_eq!(asset("/static/style.00000000.css"), None);
    assert_eq!(&asset("/favicon.ico").unwrap().0[..4], [0, 0, 1, 0]);
}
