//! Markdown articles: front matter and body, as an `Article`. It reads texts, not files; `folder` knows about those.

mod body;
mod dates;
mod fields;
mod front_matter;
mod shortcodes;
mod simple;

use chrono_tz::Tz;
use serde_json::Value;
use url::Url;

use crate::model::{Article, Language, Link, PLACEHOLDER, Problem, Time, text};
use body::{Body, Links, Math};
use fields::{Fields, as_picture, web_url};
use front_matter::Fault;

/// What a file's place tells about its article.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// For messages.
    pub path: String,
    /// The guid, unless front matter has one.
    pub guid: String,
    /// The file's name without extension and language; a bundle's is its folder's.
    pub stem: String,
    /// The language that the name has: `name.zh-CN.md`.
    pub language: Option<Language>,
    /// What it shares with its translations, unless front matter has it.
    pub translation_key: Option<String>,
}

/// What reading a text needs to know beside it.
pub struct Context<'a> {
    /// For dates without an offset.
    pub zone: Tz,
    /// What relative links stand on.
    pub base: Option<&'a Url>,
    /// Where a link to another file leads: a placeholder, or nothing.
    pub resolve: &'a dyn Fn(&str) -> Option<String>,
    /// The present.
    pub now: Time,
}

/// A text that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// There is no front matter.
    Plain,
    /// An article, perhaps a hidden one.
    Article(Box<Page>),
}

/// An article with what decides when it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// As it is stored.
    pub article: Article,
    /// A draft, one that is not yet or no longer to be shown.
    pub is_hidden: bool,
    /// When that changes by itself.
    pub revisit: Option<Time>,
    /// What the author may want to know.
    pub repairs: Vec<Problem>,
}

/// Reads a file's text.
///
/// # Errors
/// What is wrong with it, with its line.
pub fn read(file: &str, place: &Place, context: &Context<'_>) -> Result<Reading, Problem> {
    let problem = |fault: Fault| Problem { place: place.path.clone(), line: Some(fault.line), reason: fault.reason };
    let Some(parts) = front_matter::split(file).map_err(problem)? else { return Ok(Reading::Plain) };
    let fields = Fields::new(parts.fields);
    page(&fields, parts.body, file, place, context).map(|page| Reading::Article(Box::new(page))).map_err(problem)
}

/// Reads a text without front matter that was named alone: the title is its first heading, else its name.
#[must_use]
pub fn read_plain(file: &str, place: &Place, context: &Context<'_>) -> Article {
    let (heading, rest) = match file.trim_start().strip_prefix("# ").and_then(|rest| rest.split_once('\n').or(Some((rest, "")))) {
        Some((heading, rest)) => (Some(text::plain(&body::inline(heading, &links(context)))), rest),
        None => (None, file),
    };
    let body = body::render(rest, Math::None, &links(context));
    Article {
        guid: place.guid.clone(),
        link: body.link.map_or(Link::Own, Link::Candidate),
        title: heading.or_else(|| Some(text::line(&place.stem))).filter(|title| !title.is_empty()),
        content: body.html,
        summary: body.summary,
        languages: place.language.clone().into_iter().collect(),
        markdown: Some(text::clean(file)),
        ..Article::default()
    }
}

/// What an `_index.md` says of a category or a tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description {
    /// Plain text.
    pub title: Option<String>,
    /// Plain text.
    pub description: Option<String>,
    /// An absolute URL.
    pub picture: Option<String>,
}

/// Reads an `_index.md`.
///
/// # Errors
/// What is wrong with it, with its line.
pub fn read_description(file: &str, path: &str, context: &Context<'_>) -> Result<Description, Problem> {
    let problem = |fault: Fault| Problem { place: path.to_owned(), line: Some(fault.line), reason: fault.reason };
    let Some(parts) = front_matter::split(file).map_err(problem)? else { return Ok(Description::default()) };
    let fields = Fields::new(parts.fields);
    let from_body =
        || body::render(parts.body, Math::None, &links(context)).html.map(|html| text::plain(&html)).filter(|text| !text.is_empty());
    Ok(Description {
        title: fields.text(&["title"]).map(text::line),
        description: fields.text(&["description", "summary"]).map(text::line).or_else(from_body),
        picture: fields.thumbnail().and_then(web_url),
    })
}

/// A file with some fields of its front matter set; all others stay, with what nobody here knows. `None`: it has no
/// front matter that can be read.
#[must_use]
pub fn with_fields(file: &str, fields: &[(&str, Value)]) -> Option<String> {
    let parts = front_matter::split(file).ok()??;
    let kept = parts.fields.iter().filter(|pair| !fields.iter().any(|(name, _)| *name == pair.key));
    let all = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).chain(kept.map(front_matter::as_json));
    // JSON is YAML, but for two characters that older YAML takes for line breaks.
    let line = |(name, value): (String, Value)| format!("{}: {value}\n", Value::from(name)).replace('\u{2028}', "\\u2028");
    let lines: String = all.map(line).collect::<String>().replace('\u{2029}', "\\u2029");
    Some(format!("---\n{lines}---\n{}", parts.body))
}

/// The base URL and the time zone that a configuration of Hugo's names.
#[must_use]
pub fn hugo_settings(path: &str, text: &str) -> (Option<Url>, Option<Tz>) {
    let Ok(pairs) = front_matter::settings(path, text) else { return (None, None) };
    let fields = Fields::new(pairs);
    let base = fields.text(&["baseurl"]).and_then(web_url).and_then(|url| Url::parse(&url).ok());
    (base, fields.text(&["timezone"]).and_then(|zone| zone.parse().ok()))
}

fn links<'a>(context: &'a Context<'a>) -> Links<'a> {
    Links { base: context.base, resolve: context.resolve }
}

fn page(fields: &Fields, body: &str, file: &str, place: &Place, context: &Context<'_>) -> Result<Page, Fault> {
    let no_title = || Fault { line: 1, reason: "there is no title; add `title: …` to the front matter".to_owned() };
    let title = fields.text(&["title"]).map(text::line).ok_or_else(no_title)?;
    let shown_from = fields.date(&["publishdate"], context.zone)?;
    let shown_until = fields.date(&["expirydate"], context.zone)?;
    let dated = fields.date(&["date", "publishdate", "pubdate", "published"], context.zone)?;
    let published = dated.or_else(|| dates::of_name(&place.stem, context.zone));
    let options = fields.page();
    let body = body::render(body, if options.mathjax { Math::TeX } else { Math::None }, &links(context));
    let is_hidden = fields.switch("draft") == Some(true)
        || fields.switch("published") == Some(false)
        || shown_from.is_some_and(|from| from > context.now)
        || shown_until.is_some_and(|until| until <= context.now);
    let revisit = [shown_from, shown_until].into_iter().flatten().filter(|time| *time > context.now).min();
    let repairs = repairs(&body, published.filter(|_| shown_from.is_none()), place, context);
    let mut languages = fields.languages(&["lang", "language"]);
    if languages.is_empty() {
        languages.extend(place.language.clone());
    }
    let plain_text = |names: &[&str]| fields.text(names).map(|summary| text::escape(&text::clean(summary)));
    let article = Article {
        guid: fields.text(&["guid"]).unwrap_or(&place.guid).to_owned(),
        link: fields.link().map(Link::At).or(body.link.map(Link::Candidate)).unwrap_or_default(),
        title: Some(title),
        lead: fields.text(&["lead"]).map(|lead| body::inline(lead, &links(context))),
        summary: plain_text(&["summary"]).or_else(|| plain_text(&["description"])).or(body.summary),
        content: body.html,
        authors: fields.authors(),
        rights: fields.text(&["rights", "copyright"]).map(text::line),
        published,
        updated: fields.date(&["lastmod", "modified", "updated", "updateddate", "last_modified_at"], context.zone)?,
        languages,
        translations: fields.languages(&["translations"]),
        translation_key: fields.text(&["translationkey"]).map(str::to_owned).or_else(|| place.translation_key.clone()),
        categories: fields.list(&["categories", "category"]),
        tags: fields.list(&["tags", "tag"]),
        thumbnail: fields.thumbnail().and_then(|picture| absolute(picture, context)).map(as_picture),
        comments: fields.comments(),
        page: options,
        markdown: Some(text::clean(file)),
        ..Article::default()
    };
    Ok(Page { article, is_hidden, revisit, repairs })
}

/// The address of a picture: as it is where it is absolute, else a file of the bundle, else on the base.
fn absolute(picture: &str, context: &Context<'_>) -> Option<String> {
    let placed = || (context.resolve)(picture).filter(|place| place.starts_with(PLACEHOLDER));
    let joined = || context.base.and_then(|base| base.join(picture).ok()).map(String::from);
    web_url(picture).or_else(placed).or_else(joined)
}

fn repairs(body: &Body, published: Option<Time>, place: &Place, context: &Context<'_>) -> Vec<Problem> {
    let repair = |reason: String| Problem { place: place.path.clone(), line: None, reason };
    let mut unknown = body.unknown.clone();
    unknown.sort();
    unknown.dedup();
    let shortcodes = unknown.into_iter().map(|name| repair(format!("of the shortcode `{name}` only the inner text is kept")));
    let ahead = published.filter(|published| *published > context.now).map(|_| {
        repair(format!(
            "the date lies in the future; without an offset it is read in {}: is that the zone it was written in?",
            context.zone
        ))
    });
    shortcodes.chain(ahead).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MenuEntry, SidebarSide, Widget};
    use chrono::DateTime;

    fn now() -> Time {
        DateTime::from_timestamp(1_760_000_000, 0).unwrap()
    }

    fn try_page(file: &str) -> Result<Page, Problem> {
        let base = Url::parse("https://a.example/").unwrap();
        let context = Context { zone: Tz::Asia__Shanghai, base: Some(&base), resolve: &|_| None, now: now() };
        let place = Place { path: "a/b.md".into(), guid: "a/b".into(), stem: "2024-05-01-b".into(), ..Place::default() };
        match read(file, &place, &context)? {
            Reading::Article(page) => Ok(*page),
            Reading::Plain => panic!("no front matter: {file}"),
        }
    }

    fn page(front_matter: &str) -> Page {
        try_page(&format!("---\ntitle: t\n{front_matter}\n---\nbody\n")).unwrap()
    }

    #[test]
    fn an_article_in_the_usual_form_is_read_whole() {
        let file = "---\ntitle: \"山谷里的风车 & 面粉\"\ndate: \"2025-02-12 09:30:02\"\nsummary: \"一座<老>磨坊...\"\ncategories:\n  - \"旅行\"\nlang:\n  - \"zh_CN\"\ntranslations:\n  - \"zh-CN\"\ntags:\n  - \"1.10\"\n  - on\nmenu: \"\"\nthumbnail: \"https://pic.example/640360/0\"\nlead: \"\"\ncomments: false\nauthorbox: false\npager: true\ntoc: false\nmathjax: false\nsidebar: \"right\"\nwidgets:\n  - \"search\"\n  - \"nonsense\"\n  - \"taglist\"\n---\n\n正文。\n\n[原文](https://mill.example/a/20250212)\n";
        let Page { article, is_hidden, repairs, .. } = try_page(file).unwrap();
        assert!(!is_hidden && repairs.is_empty());
        assert_eq!(article.title.as_deref(), Some("山谷里的风车 & 面粉"));
        assert_eq!(article.summary.as_deref(), Some("一座&lt;老&gt;磨坊..."));
        assert_eq!(article.published.map(|time| time.to_rfc3339()).as_deref(), Some("2025-02-12T01:30:02+00:00"));
        assert_eq!(article.link, Link::Candidate("https://mill.example/a/20250212".into()));
        assert_eq!(
            (article.categories.as_slice(), article.tags.as_slice()),
            (&["旅行".to_owned()][..], &["1.10".to_owned(), "on".to_owned()][..])
        );
        assert_eq!(article.languages[0].as_str(), "zh-CN");
        assert_eq!(article.thumbnail.map(|picture| picture.url).as_deref(), Some("https://pic.example/640360/0"));
        assert!(article.lead.is_none() && article.page.menus.is_empty() && !article.page.comments && !article.page.authorbox);
        assert_eq!(article.page.widgets, Some(vec![Widget::Search, Widget::Taglist]));
        assert!(article.content.is_some_and(|content| content.ends_with("<a href=\"https://mill.example/a/20250212\">原文</a></p>")));
        assert_eq!(article.markdown.as_deref(), Some(file));
    }

    #[test]
    fn other_spellings_of_fields_are_known() {
        let article =
            page("Author: Ada\nCategory: x\nmodified: 2024-06-01\nparams:\n  Description: d\n  cover:\n    image: /p.png\n  sidebar: left")
                .article;
        assert_eq!((article.authors[0].name.as_str(), article.categories[0].as_str()), ("Ada", "x"));
        assert_eq!(article.summary.as_deref(), Some("d"));
        assert_eq!(article.thumbnail.map(|picture| picture.url).as_deref(), Some("https://a.example/p.png"));
        assert_eq!(article.page.sidebar, SidebarSide::Left);
        assert_eq!(
            article.published.map(|time| time.to_rfc3339()).as_deref(),
            Some("2024-04-30T16:00:00+00:00"),
            "the file name has the date"
        );
        let article = page("thumbnail:\n  src: https://p.example/1.png\n  visibility: [list]\nlink: https://o.example/1\nauthors:\n  - name: Bo\n    email: bo@o.example\ncomments: https://o.example/1#c").article;
        assert_eq!(article.thumbnail.map(|picture| picture.url).as_deref(), Some("https://p.example/1.png"));
        assert_eq!((article.link, article.authors[0].email.as_deref()), (Link::At("https://o.example/1".into()), Some("bo@o.example")));
        assert_eq!(article.comments.as_deref(), Some("https://o.example/1#c"));
        let zola = try_page(
            "+++\ntitle = 't'\ndate = 2024-01-02\n[taxonomies]\ntags = ['a', '1.10']\ncategories = ['c']\n[extra]\nimage = '/z.png'\n+++\n",
        )
        .unwrap();
        assert_eq!((zola.article.tags.join(" "), zola.article.categories.join(" ")), ("a 1.10".to_owned(), "c".to_owned()));
        assert_eq!(zola.article.thumbnail.map(|picture| picture.url).as_deref(), Some("https://a.example/z.png"));
        for map in ["image:\n  url: /p.png\n  alt: x\nupdatedDate: 2024-06-01", "image:\n  path: /p.png\nlast_modified_at: 2024-06-01"] {
            let article = page(map).article;
            assert_eq!(article.thumbnail.map(|picture| picture.url).as_deref(), Some("https://a.example/p.png"), "{map}");
            assert_eq!(article.updated.map(|time| time.to_rfc3339()).as_deref(), Some("2024-05-31T16:00:00+00:00"), "{map}");
        }
        let nested = page("categories:\n- [Sports, Baseball]\n- News\ntags: [[a, [b]], c]").article;
        assert_eq!((nested.categories.join(" "), nested.tags.join(" ")), ("Sports Baseball News".to_owned(), "a b c".to_owned()));
    }

    #[test]
    fn a_menu_is_a_name_a_list_or_a_map() {
        let entry = |menu: &str, name: Option<&str>, weight| MenuEntry { menu: menu.into(), name: name.map(str::to_owned), weight };
        assert_eq!(page("menu: main").article.page.menus, [entry("main", None, 0)]);
        assert_eq!(page("menu: [main, footer]").article.page.menus, [entry("main", None, 0), entry("footer", None, 0)]);
        assert_eq!(page("menu:\n  side:\n    name: 关于\n    weight: 3").article.page.menus, [entry("side", Some("关于"), 3)]);
    }

    #[test]
    fn drafts_and_dates_hide_a_page_and_a_future_date_alone_does_not() {
        let day = |days: i64| (now() + chrono::TimeDelta::days(days)).format("%FT%TZ").to_string();
        assert!(page("draft: yes").is_hidden && page("published: false").is_hidden);
        let shown = page("published: true");
        assert_eq!((shown.is_hidden, shown.article.published), (false, page("x: y").article.published), "a switch is no date");
        let ahead = page(&format!("publishDate: {}", day(2)));
        assert!(ahead.is_hidden && ahead.repairs.is_empty());
        assert_eq!(ahead.revisit, Some(now() + chrono::TimeDelta::days(2)));
        let running = page(&format!("publishDate: {}\nexpiryDate: {}", day(-2), day(3)));
        assert_eq!((running.is_hidden, running.revisit), (false, Some(now() + chrono::TimeDelta::days(3))));
        assert!(page(&format!("expiryDate: {}", day(-1))).is_hidden);
        let future = page(&format!("date: {}", day(1)));
        assert!(!future.is_hidden && future.repairs[0].reason.contains("Asia/Shanghai"));
    }

    #[test]
    fn what_cannot_be_read_is_reported_with_its_line() {
        for (file, line, reason) in [
            ("---\ndate: 2025-01-01\n---\n", 1, "there is no title"),
            ("---\ntitle: t\n\ndate: soon\n---\n", 4, "`date: soon` is not a date"),
        ] {
            let problem = try_page(file).unwrap_err();
            assert_eq!((problem.place.as_str(), problem.line), ("a/b.md", Some(line)));
            assert!(problem.reason.contains(reason), "{problem}");
        }
    }

    #[test]
    fn fields_are_set_and_all_others_stay() {
        for file in [
            "---\nTitle: 标题 \"x\"\ntags: [a, 1.10]\ncustom:\n  deep: [on, {b: c}]\ndate: 2025-02-12 09:30:02\n---\n\nBody *b*.\n",
            "+++\ntitle = '标题 \"x\"'\ntags = ['a', '1.10']\ndate = '2025-02-12 09:30:02'\n[custom]\ndeep = ['on', {b = 'c'}]\n+++\n\nBody *b*.\n",
            "{\"title\": \"标题 \\\"x\\\"\", \"tags\": [\"a\"], \"custom\": {\"deep\": [\"on\", {\"b\": \"c\"}]}}\n\nBody *b*.\n",
        ] {
            let date = Value::from("2025-02-12T01:30:02Z");
            let set = with_fields(file, &[("date", date), ("tags", Value::from(vec!["b\u{2028}", "---"]))]).unwrap();
            let article = try_page(&set).unwrap().article;
            assert_eq!(article.title.as_deref(), Some("标题 \"x\""), "{set}");
            assert_eq!(article.published.map(|time| time.to_rfc3339()).as_deref(), Some("2025-02-12T01:30:02+00:00"));
            assert_eq!(article.tags, ["b", "---"]);
            assert!(set.contains("\"custom\": {\"deep\":[\"on\",{\"b\":\"c\"}]}"), "{set}");
            assert_eq!(article.content.as_deref(), Some("<p>Body <em>b</em>.</p>"));
        }
        assert_eq!(with_fields("plain", &[]), None);
    }

    #[test]
    fn a_plain_text_takes_its_title_from_its_heading_or_its_name() {
        let context = Context { zone: Tz::UTC, base: None, resolve: &|_| None, now: now() };
        let place = Place { stem: "note".into(), guid: "note".into(), ..Place::default() };
        let titled = read_plain("# 一个 *标题*\n\n文。", &place, &context);
        assert_eq!((titled.title.as_deref(), titled.content.as_deref()), (Some("一个 标题"), Some("<p>文。</p>")));
        assert_eq!(read_plain("文。", &place, &context).title.as_deref(), Some("note"));
    }
}
