//! Rules, defaults of sources and found-out languages: what articles have from elsewhere than themselves.

use chrono::TimeDelta;
use feedmill::model::rule::{Field, Pattern};
use feedmill::model::{Applied, Article, Kind, Language, NewSource, Origins, Policy, Rule, Slug, SourceKind, SourceSettings, Verdict};
use feedmill::store::{Lookup, Ruling, Store, StoreError, TermError, Verb};

use crate::manners::{self, RSS};
use crate::store::{Fixture, article, day, tagged};
use crate::taxonomy::half_done;
use crate::upstream::Upstream;

fn rule(when: &[(&str, &str)], then: Verdict) -> Rule {
    let when = when.iter().map(|(field, text)| (Field::from_name(field).unwrap(), Pattern::parse(text).unwrap())).collect();
    Rule { place: "feedmill.toml:1".to_owned(), when, when_not: Vec::new(), then }
}

fn tags(names: &[&str]) -> Verdict {
    Verdict { add_tags: names.iter().map(|name| (*name).to_owned()).collect(), ..Verdict::default() }
}

pub(crate) fn dropping(title: &str) -> Rule {
    rule(&[("title", title)], Verdict { drop: true, ..Verdict::default() })
}

async fn with(rules: Vec<Rule>) -> Fixture {
    let Fixture { folder, store } = Fixture::new().await;
    Fixture { folder, store: under(&store, rules) }
}

pub(crate) fn under(store: &Store, rules: Vec<Rule>) -> Store {
    store.clone().with_policy(Policy { rules, detect_languages: true })
}

/// What the rules change of all stored articles.
async fn judge(store: &Store, verb: Verb) -> Vec<Ruling> {
    let (mut after, mut rulings) = (None, Vec::new());
    loop {
        let judged = store.judge(after, verb, day(9)).await.unwrap();
        rulings.extend(judged.rulings);
        after = judged.next;
        if after.is_none() {
            return rulings;
        }
    }
}

async fn origins(f: &Fixture, path: &str, kind: Kind, slug: &str) -> Origins {
    let entry = f.page(path).await.entries.remove(0);
    entry.terms.iter().find(|(name, _)| name.kind == kind && name.slug.as_str() == slug).unwrap().1
}

#[tokio::test]
async fn rules_sort_articles_as_they_come_in() {
    let moves = Verdict { set_categories: Some(vec!["科技".into()]), set_language: Language::parse("zh-Hant"), ..Verdict::default() };
    let f = with(vec![
        rule(&[("title", "(?i)deepseek")], tags(&["DeepSeek"])),
        rule(&[("tag", "deepseek")], moves),
        rule(&[("source", "^feed$"), ("tag", "ads")], Verdict { remove_tags: vec!["Ads".into()], ..Verdict::default() }),
    ])
    .await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let own = Article {
        title: Some("DEEPSEEK".into()),
        categories: vec!["qq".into()],
        languages: vec![Language::parse("en").unwrap()],
        ..tagged("1", &["ads", "deepseek"])
    };
    f.feed(&source, vec![own.clone(), tagged("2", &["x"])], day(1)).await;
    assert_eq!(f.guids("/tag/deepseek").await, ["1"]);
    assert_eq!(origins(&f, "/tag/deepseek", Kind::Tag, "deepseek").await, Origins::OWN.and(Origins::RULE));
    assert_eq!(
        (f.guids("/category/%E7%A7%91%E6%8A%80").await, f.guids("/language/zh-Hant").await),
        (vec!["1".to_owned()], vec!["1".to_owned()])
    );
    assert!(f.guids("/tag/ads").await.is_empty() && f.guids("/category/qq").await.is_empty() && f.guids("/language/en").await.is_empty());
    assert_eq!(f.page("/tag/deepseek").await.entries[0].language().unwrap().as_str(), "zh-Hant");
    // The fingerprint is of the article as it was read.
    let generation = f.store.generation();
    assert_eq!(f.feed(&source, vec![own], day(2)).await, Applied { unchanged: 1, ..Applied::default() });
    assert_eq!(f.store.generation(), generation);
    assert!(judge(&f.store, Verb::Apply).await.is_empty());
    assert_eq!(f.store.generation(), generation, "they were judged as they came in");
}

#[tokio::test]
async fn rules_reach_stored_articles_only_when_they_are_applied_and_are_taken_back_so() {
    let mut f = with(Vec::new()).await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let many = (0..1_100).map(|n| tagged(&n.to_string(), if n % 2 == 0 { &["even"] } else { &["odd"] })).collect();
    f.feed(&source, many, day(1)).await;
    f.store = under(&f.store, vec![rule(&[("tag", "even")], tags(&["two"])), dropping("^Title of 7$")]);
    let generation = f.store.generation();
    let asked = judge(&f.store, Verb::Ask).await;
    assert_eq!((asked.len(), f.store.generation()), (551, generation), "asking changes nothing");
    let dropped = asked.iter().find(|ruling| ruling.drop == Some(true)).unwrap();
    assert_eq!(dropped.title, "Title of 7");
    assert_eq!(asked[0].added, [(Kind::Tag, "two".to_owned())]);

    assert_eq!(judge(&f.store, Verb::Apply).await, asked);
    assert_eq!(f.page("/tag/two").await.terms[0].articles, 550);
    assert_eq!(f.page("/tag/odd").await.terms[0].articles, 549);
    assert_eq!(f.store.article(&dropped.key).await.unwrap(), Lookup::Gone);
    let generation = f.store.generation();
    assert!(judge(&f.store, Verb::Apply).await.is_empty());
    assert_eq!(f.store.generation(), generation, "applying twice changes nothing");
    // A dropped article that is sent again stays away.
    assert_eq!(f.feed(&source, vec![tagged("7", &["odd"])], day(2)).await, Applied { dropped: 1, ..Applied::default() });
    assert_eq!(f.store.generation(), generation);

    f.store = under(&f.store, Vec::new());
    assert_eq!(judge(&f.store, Verb::Apply).await.len(), 551);
    assert!(f.guids("/tag/two").await.is_empty());
    assert_eq!(f.page("/tag/odd").await.terms[0].articles, 550);
    assert!(matches!(f.store.article(&dropped.key).await.unwrap(), Lookup::Found(_)));
}

#[tokio::test]
async fn rules_mean_a_tag_by_the_name_that_it_was_merged_into_and_by_those_that_it_had() {
    let f = with(vec![
        rule(&[("tag", "^Go$")], tags(&["by-new-name"])),
        rule(&[("tag", "^golang$")], tags(&["by-old-name"])),
        rule(&[("title", "^2$")], Verdict { remove_tags: vec!["Go".into()], ..Verdict::default() }),
        rule(&[("title", "^2$"), ("tag", "(?i)^go")], tags(&["not-taken-away"])),
        rule(&[("title", "^3$")], Verdict { remove_tags: vec!["Go".into()], ..Verdict::default() }),
        rule(&[("title", "^3$")], tags(&["golang"])),
        rule(&[("category", "^Technology$")], tags(&["by-category"])),
    ])
    .await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let titled = |guid: &str| Article { title: Some(guid.into()), categories: vec!["tech".into()], ..tagged(guid, &["golang"]) };
    f.feed(&source, vec![titled("1"), titled("2")], day(1)).await;
    f.store.rename_term(Kind::Tag, "golang", "Go", day(2)).await.unwrap();
    f.store.rename_term(Kind::Category, "tech", "Technology", day(2)).await.unwrap();
    judge(&f.store, Verb::Apply).await;
    f.feed(&source, vec![titled("1"), titled("2"), titled("3")], day(3)).await;
    assert_eq!(f.guids("/tag/go").await, ["3", "1"], "the tag is taken from one, and given to one again");
    for tag in ["by-new-name", "by-old-name", "by-category"] {
        assert_eq!(f.guids(&format!("/tag/{tag}")).await, ["3", "1", "2"], "{tag}");
    }
    assert!(f.guids("/tag/not-taken-away").await.is_empty());
}

#[tokio::test]
async fn a_dropped_article_is_not_stored_and_comes_in_when_its_rule_goes() {
    let mut f = with(vec![dropping("of 2")]).await;
    let source = f.source(SourceKind::Folder, "/a").await;
    let articles = vec![article("1"), article("2")];
    assert_eq!(f.folder(&source, articles.clone(), day(1)).await, Applied { added: 1, dropped: 1, ..Applied::default() });
    assert_eq!(f.guids("/").await, ["1"]);
    let remembered: Vec<_> = f.store.memory(source.id).await.unwrap().files.into_iter().map(|file| file.path).collect();
    assert_eq!(remembered, ["1.md"], "the file of a dropped article is read again");
    f.store = under(&f.store, Vec::new());
    assert_eq!(f.folder(&source, articles, day(2)).await, Applied { added: 1, unchanged: 1, ..Applied::default() });
    // A stored article that changes into one that is dropped goes, and stays away when its source was removed.
    f.store = under(&f.store, vec![dropping("^bad$")]);
    let bad = Article { title: Some("bad".into()), ..article("1") };
    assert_eq!(f.folder(&source, vec![bad, article("2")], day(3)).await, Applied { unchanged: 1, dropped: 1, ..Applied::default() });
    assert_eq!(f.guids("/").await, ["2"]);
    f.store.remove_source(source.id, day(4)).await.unwrap();
    f.store = under(&f.store, Vec::new());
    assert!(judge(&f.store, Verb::Apply).await.is_empty());
    assert!(f.guids("/").await.is_empty());
}

#[tokio::test]
async fn a_feed_of_which_a_rule_kept_something_out_is_asked_as_if_for_the_first_time_when_rules_differ() {
    let (up, f) = (Upstream::new(), with(vec![dropping("One")]).await);
    up.then("/a", "200 OK\r\nETag: \"1\"", RSS);
    let source = manners::add(&f.store, &up.url("/a"), SourceSettings::default()).await;
    let ask = async |rules: Vec<Rule>, at: i64| {
        let store = under(&f.store, rules);
        store.release(vec![source.id], day(at)).await.unwrap();
        manners::live(&store, &manners::reader(), day(at), day(at) + TimeDelta::minutes(1)).await;
        up.requests().pop().unwrap().header("if-none-match").is_some()
    };
    assert!(!ask(vec![dropping("One")], 1).await && f.guids("/").await.is_empty());
    let sorting = rule(&[("title", "x")], tags(&["x"]));
    assert!(ask(vec![dropping("One"), sorting.clone()], 2).await, "what keeps out is as before");
    up.now("/a").then("/a", "304 Not Modified", "");
    assert!(ask(vec![dropping("One")], 3).await, "not modified is no other answer");
    up.now("/a").then("/a", "200 OK\r\nETag: \"1\"", RSS);
    assert!(!ask(vec![sorting], 4).await, "other rules, so all of it is wanted");
    assert_eq!(f.guids("/").await.len(), 1);
    assert!(ask(Vec::new(), 5).await, "once");
}

#[tokio::test]
async fn the_defaults_of_a_source_reach_its_stored_articles_at_once() {
    let f = with(vec![rule(&[("title", "of 1")], tags(&["ruled"]))]).await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let sorted = Article { categories: vec!["own".into()], ..tagged("2", &["daily"]) };
    f.feed(&source, vec![article("1"), sorted], day(1)).await;
    let settings = SourceSettings {
        title: Some("The Feed".into()),
        categories: vec!["news".into()],
        tags: vec!["Daily".into(), "all".into()],
        language: Language::parse("de"),
        ..SourceSettings::default()
    };
    let slug = Slug::from_name("the feed");
    let (edited, changed) = f.store.edit_source(source.id, settings.clone(), Some(slug.clone()), day(2)).await.unwrap();
    assert_eq!((edited.title.as_str(), edited.slug.as_str(), edited.first_slug, changed), ("The Feed", "the-feed", source.slug.clone(), 2));
    assert_eq!(f.guids("/tag/all").await.len(), 2);
    assert_eq!((f.guids("/category/news").await, f.guids("/category/own").await), (vec!["1".to_owned()], vec!["2".to_owned()]));
    assert_eq!((f.guids("/language/de").await.len(), f.guids("/tag/ruled").await.len()), (2, 1));
    assert_eq!(f.page("/source/the-feed").await.entries[0].source.title, "The Feed");
    assert!(matches!(f.lookup("/source/feed").await, Lookup::Moved(_)));
    assert_eq!(f.store.source("feed").await.unwrap().unwrap().id, source.id, "the old name still finds it");
    let generation = f.store.generation();
    assert_eq!(f.store.edit_source(source.id, settings, Some(slug), day(3)).await.unwrap().1, 0);
    assert_eq!(f.store.generation(), generation, "the same again changes nothing");

    let (plain, changed) = f.store.edit_source(source.id, SourceSettings::default(), None, day(4)).await.unwrap();
    assert_eq!((plain.title.as_str(), changed), ("feed", 2));
    assert_eq!((f.guids("/tag/all").await.len(), f.guids("/tag/daily").await), (0, vec!["2".to_owned()]));
    assert_eq!((f.guids("/category/news").await.len(), f.guids("/tag/ruled").await.len()), (0, 1));

    let other = f.source(SourceKind::Feed, "https://b.example/other").await;
    let error = f.store.edit_source(other.id, SourceSettings::default(), Some(Slug::from_name("feed")), day(5)).await.unwrap_err();
    assert!(matches!(error, StoreError::Term(TermError::Taken { .. })), "{error}");
}

#[tokio::test]
async fn a_source_that_is_added_again_is_sorted_by_what_is_said_of_it_now() {
    let f = with(vec![rule(&[("title", "of 1")], tags(&["ruled"]))]).await;
    let new = |title: &str, category: &str, tag: &str, language: &str| NewSource {
        kind: SourceKind::Feed,
        location: "https://a.example/feed".into(),
        slug: None,
        title: "feed".into(),
        settings: SourceSettings {
            title: Some(title.into()),
            categories: vec![category.into()],
            tags: vec![tag.into()],
            language: Language::parse(language),
            ..SourceSettings::default()
        },
    };
    let (source, _) = f.store.add_source(new("First", "old", "t1", "de"), day(0)).await.unwrap();
    f.feed(&source, (1..=600).map(|number| article(&number.to_string())).collect(), day(1)).await;
    f.store.remove_source(source.id, day(2)).await.unwrap();
    f.store.delete_term(Kind::Category, "old", day(2)).await.unwrap();
    // A revival that was broken off has made some of them public.
    f.store.add_source(new("Second", "old", "t2", "fr"), day(3)).await.unwrap();
    assert_eq!(f.page("/category/uncategorized?limit=500").await.entries.len(), 500, "no article is without a category");
    half_done(&f, "UPDATE sources SET removed = 1");
    let (back, is_new) = f.store.add_source(new("Third", "new", "t3", "en"), day(4)).await.unwrap();
    assert_eq!((back.id, is_new, back.title.as_str(), back.status.articles), (source.id, true, "Third", 600));
    for (path, count) in
        [("/category/new", 600), ("/tag/t3", 600), ("/language/en", 600), ("/tag/t1", 0), ("/tag/t2", 0), ("/tag/ruled", 111)]
    {
        let shown = f.page(&format!("{path}?limit=500")).await.entries.len();
        assert_eq!(shown, count.min(500), "{path}");
    }
    assert_eq!(f.page("/source/first?limit=1").await.entries[0].source.title, "Third");
}

#[tokio::test]
async fn a_changed_zone_makes_files_be_read_anew() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Folder, "/a").await;
    f.folder(&source, vec![article("1")], day(1)).await;
    let settings = SourceSettings { timezone: Some(chrono_tz::Tz::Asia__Tokyo), ..SourceSettings::default() };
    f.store.edit_source(source.id, settings, None, day(2)).await.unwrap();
    assert_eq!(f.store.memory(source.id).await.unwrap().read_with, None);
}

const ENGLISH: &str = "<p>The committee said on Tuesday that it would publish the report before the end of the year, although several of its \
    members had asked for more time to study what the government wants to do with the money that was left over.</p>";
const SIMPLIFIED: &str = "<p>这是一个关于软件开发的博客，我们会在这里讨论各种编程语言和数据库的问题，希望大家喜欢这些文章。</p>";

#[tokio::test]
async fn the_language_of_an_article_is_found_out_where_nobody_states_it() {
    let mut f = with(Vec::new()).await;
    let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
    let said = |guid: &str, content: &str, language: Option<&str>| Article {
        content: Some(content.into()),
        languages: language.and_then(Language::parse).into_iter().collect(),
        ..article(guid)
    };
    f.feed(
        &source,
        vec![said("en", ENGLISH, None), said("zh", SIMPLIFIED, None), said("fr", ENGLISH, Some("fr")), article("short")],
        day(1),
    )
    .await;
    assert_eq!((f.guids("/language/en").await, f.guids("/language/zh").await), (vec!["en".to_owned()], vec!["zh".to_owned()]));
    assert_eq!((f.guids("/language/zh-Hans").await, f.guids("/language/fr").await), (vec!["zh".to_owned()], vec!["fr".to_owned()]));
    assert_eq!(origins(&f, "/language/en", Kind::Language, "en").await, Origins::DETECTED);
    assert_eq!(f.page("/language/zh").await.entries[0].language().unwrap().as_str(), "zh-Hans");

    f.store = f.store.clone().with_policy(Policy::default());
    f.feed(&source, vec![said("more", ENGLISH, None)], day(2)).await;
    assert_eq!(f.guids("/language/en").await, ["en"], "unless that is off");
    let german = SourceSettings { language: Language::parse("de"), ..SourceSettings::default() };
    f.store.edit_source(source.id, german, None, day(3)).await.unwrap();
    assert_eq!((f.guids("/language/en").await.len(), f.guids("/language/de").await.len()), (0, 4), "the owner knows better");
}
