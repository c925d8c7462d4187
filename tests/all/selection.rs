//! Any selection, held against a plain model of the same articles: which they are, and in which order.

use std::collections::BTreeSet;

use feedmill::model::{Address, Article, Language, Link, Options, Person, Selection, SourceKind, Target, Time, Window};
use feedmill::store::Lookup;

use crate::dice::Dice;
use crate::store::{Fixture, article, day};

/// What the model knows of a stored article; its position is its number.
struct Fact {
    guid: String,
    source: &'static str,
    listed: Time,
    terms: BTreeSet<String>,
    link: Option<String>,
}

const TAGS: [&str; 7] = ["a", "b", "c", "d", "e", "大模型", "rare"];

fn article_of(dice: &mut Dice, guid: &str, now: i64) -> Article {
    let mut made = article(guid);
    for (position, tag) in TAGS.iter().enumerate() {
        if dice.roll(position + 2) == 0 {
            made.tags.push((*tag).to_owned());
        }
    }
    made.categories = vec![["x", "y"][dice.roll(2)].to_owned()];
    made.authors = vec![Person { name: ["Ann", "Bo"][dice.roll(2)].to_owned(), ..Person::default() }];
    made.languages = Language::parse(["zh-CN", "zh-TW", "en", "en-GB"][dice.roll(4)]).into_iter().collect();
    made.published = (dice.roll(9) > 0).then(|| day(now - i64::try_from(dice.roll(12)).unwrap() + 1));
    if dice.roll(3) == 0 {
        made.link = Link::At(format!("https://story.example/{}", dice.roll(25)));
    }
    made
}

/// What the contract says of its listing (the order of articles), and of its terms.
fn fact(article: &Article, source: &'static str, is_first: bool, now: Time) -> Fact {
    let listed = match article.published {
        Some(published) if published <= now && (is_first || published < now - chrono::TimeDelta::days(7)) => published,
        _ => now,
    };
    let mut terms: BTreeSet<String> = article.tags.iter().map(|tag| format!("tag={tag}")).collect();
    terms.extend(article.categories.iter().map(|category| format!("category={category}")));
    terms.extend(article.authors.iter().map(|author| format!("author={}", author.name.to_lowercase())));
    terms.extend(article.languages.iter().flat_map(Language::ranges).map(|range| format!("language={range}")));
    terms.insert(format!("source={source}"));
    let link = if let Link::At(link) = &article.link { Some(link.clone()) } else { None };
    Fact { guid: article.guid.clone(), source, listed, terms, link }
}

struct World {
    f: Fixture,
    facts: Vec<Fact>,
}

/// Three sources, each read four times.
async fn world(dice: &mut Dice) -> World {
    let f = Fixture::new().await;
    let mut facts = Vec::new();
    for reading in 0..4 {
        for name in ["one", "two", "three"] {
            let source = f.source(SourceKind::Feed, &format!("https://x.example/{name}")).await;
            let now = 20 + reading * 5;
            let mut articles: Vec<Article> = Vec::new();
            for position in 0..45 {
                let made = article_of(dice, &format!("{name}-{reading}-{position}"), now);
                // Of one source no two have one link: the second would be the first, moved.
                let has_link = |facts: &[Fact], link: &Link| matches!(link, Link::At(link) if facts.iter().any(|fact| fact.source == name && fact.link.as_ref() == Some(link)));
                let is_taken =
                    has_link(&facts, &made.link) || articles.iter().any(|other| other.link == made.link && made.link != Link::Own);
                articles.push(if is_taken { Article { link: Link::Own, ..made } } else { made });
            }
            f.feed(&source, articles.clone(), day(now)).await;
            articles.reverse();
            let now = day(now);
            articles.sort_by_key(|article| {
                let published = article.published.filter(|published| *published <= now).unwrap_or(now);
                (fact(article, name, reading == 0, now).listed, published)
            });
            facts.extend(articles.iter().map(|article| fact(article, name, reading == 0, now)));
        }
    }
    World { f, facts }
}

/// A selection in words of its URL, and whether it takes an article in.
type Clause = (String, Vec<Vec<String>>, BTreeSet<String>);

fn clauses(dice: &mut Dice) -> Clause {
    let mut pairs = Vec::new();
    let (mut any, mut none) = (Vec::new(), BTreeSet::new());
    for _ in 0..dice.roll(4) {
        let (kind, values): (&str, &[&str]) = match dice.roll(6) {
            0 => ("category", &["x", "y", "never"]),
            1 => ("language", &["zh", "zh-Hans", "zh-Hant", "en", "en-GB"]),
            2 => ("source", &["one", "two", "three"]),
            3 => ("author", &["ann", "bo"]),
            _ => ("tag", &TAGS),
        };
        let chosen: Vec<String> = (0..=dice.roll(3)).map(|_| values[dice.roll(values.len())].to_owned()).collect();
        let named: Vec<String> = chosen.iter().map(|value| format!("{kind}={value}")).collect();
        let minus = if dice.roll(4) == 0 { "-" } else { "" };
        if minus.is_empty() {
            any.push(named);
        } else {
            none.extend(named);
        }
        pairs.push(format!("{kind}={minus}{}", chosen.join(",").replace("大模型", "%E5%A4%A7%E6%A8%A1%E5%9E%8B")));
    }
    (pairs.join("&"), any, none)
}

/// The guids that a selection shows, newest first.
fn expected(facts: &[Fact], (_, any, none): &Clause, window: Window) -> Vec<String> {
    let is_in = |fact: &Fact| {
        any.iter().all(|set| set.iter().any(|term| fact.terms.contains(term))) && none.iter().all(|term| !fact.terms.contains(term))
    };
    let is_told = |number: usize, fact: &Fact| {
        let tells = |other: &Fact| other.source != fact.source && fact.link.is_some() && other.link == fact.link && is_in(other);
        facts[..number].iter().any(tells)
    };
    let in_window =
        |fact: &Fact| window.since.is_none_or(|since| fact.listed >= since) && window.until.is_none_or(|until| fact.listed < until);
    let mut found: Vec<(usize, &Fact)> =
        facts.iter().enumerate().filter(|(number, fact)| is_in(fact) && in_window(fact) && !is_told(*number, fact)).collect();
    found.sort_by_key(|(number, fact)| std::cmp::Reverse((fact.listed, *number)));
    found.into_iter().map(|(_, fact)| fact.guid.clone()).collect()
}

fn selection(query: &str) -> Selection {
    let Target::List { selection, .. } = Address::parse(&format!("/?{query}")).unwrap().target else { panic!("{query} is no list") };
    selection
}

async fn walked(f: &Fixture, selection: &Selection, limit: u16, window: Window) -> Vec<String> {
    let mut options = Options { limit, ..Options::default() };
    let mut guids = Vec::new();
    loop {
        let Lookup::Found(page) = f.store.select(selection, &options, window).await.unwrap() else { panic!("{selection:?}") };
        guids.extend(page.entries.iter().map(|entry| entry.article.guid.clone()));
        options.before = page.entries.last().map(|entry| entry.key.clone());
        if !page.more {
            return guids;
        }
    }
}

#[tokio::test]
async fn any_selection_is_the_plain_models_from_the_first_page_to_the_last() {
    let mut dice = Dice(0x5eed);
    let World { f, facts } = world(&mut dice).await;
    for _ in 0..250 {
        let clause = clauses(&mut dice);
        let bound = |dice: &mut Dice| (dice.roll(4) == 0).then(|| day(i64::try_from(dice.roll(45)).unwrap()));
        let window = Window { since: bound(&mut dice), until: bound(&mut dice) };
        let limit = [9, 23, 50, 500][dice.roll(4)];
        let found = walked(&f, &selection(&clause.0), limit, window).await;
        assert_eq!(found, expected(&facts, &clause, window), "{} {window:?}", clause.0);
    }
}

#[tokio::test]
async fn sets_follow_what_changes_and_what_goes() {
    let mut dice = Dice(0xface);
    let World { f, mut facts } = world(&mut dice).await;
    // Loaded once, and followed from here on.
    for tag in TAGS {
        f.page(&format!("/tag/{}", tag.replace("大模型", "%E5%A4%A7%E6%A8%A1%E5%9E%8B"))).await;
    }
    let one = f.source(SourceKind::Feed, "https://x.example/one").await;
    let edited: Vec<Article> = facts
        .iter()
        .filter(|fact| fact.source == "one")
        .take(30)
        .map(|fact| Article { tags: vec!["rare".into(), "new".into()], categories: vec!["x".into()], ..article(&fact.guid) })
        .collect();
    f.feed(&one, edited.clone(), day(60)).await;
    for article in &edited {
        let place = facts.iter().position(|fact| fact.guid == article.guid).unwrap();
        let listed = facts[place].listed;
        facts[place] = Fact { listed, ..fact(article, "one", false, day(60)) };
    }
    let two = f.source(SourceKind::Feed, "https://x.example/two").await;
    f.store.remove_source(two.id, day(61)).await.unwrap();
    let check = async |facts: &[Fact], dice: &mut Dice| {
        for _ in 0..60 {
            let clause = clauses(dice);
            if clause.0.contains("two") {
                continue;
            }
            let found = walked(&f, &selection(&clause.0), 100, Window::default()).await;
            assert_eq!(found, expected(facts, &clause, Window::default()), "{}", clause.0);
        }
    };
    let (gone, kept): (Vec<Fact>, Vec<Fact>) = facts.into_iter().partition(|fact| fact.source == "two");
    check(&kept, &mut dice).await;
    assert!(!gone.is_empty());
    // A second process over the same file sees the same, without having seen any of the changes.
    let second = Fixture { folder: tempfile::TempDir::new().unwrap(), store: crate::store::open(&f.folder).await };
    for _ in 0..20 {
        let clause = clauses(&mut dice);
        let own = walked(&f, &selection(&clause.0), 100, Window::default()).await;
        assert_eq!(walked(&second, &selection(&clause.0), 100, Window::default()).await, own, "{}", clause.0);
    }
}

#[tokio::test]
async fn the_newest_of_each_source_are_merged() {
    let mut dice = Dice(0xbeef);
    let World { f, facts } = world(&mut dice).await;
    let all = expected(&facts, &(String::new(), Vec::new(), BTreeSet::new()), Window::default());
    let source_of = |guid: &String| facts.iter().find(|fact| fact.guid == *guid).unwrap().source;
    let mut counts = std::collections::HashMap::new();
    let expected: Vec<String> = all
        .into_iter()
        .filter(|guid| {
            let count = counts.entry(source_of(guid)).or_insert(0);
            *count += 1;
            *count <= 4
        })
        .collect();
    let page = f.page("/?per_source=4").await;
    assert_eq!(page.entries.iter().map(|entry| entry.article.guid.clone()).collect::<Vec<_>>(), expected);
    assert_eq!(expected.len(), 12);
}

#[tokio::test]
async fn of_translations_the_preferred_one_is_shown() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Folder, "/a").await;
    let translated = |guid: &str, language: &str, key: &str| Article {
        languages: Language::parse(language).into_iter().collect(),
        translation_key: Some(key.to_owned()),
        ..article(guid)
    };
    let articles = vec![
        translated("t1-en", "en", "t1"),
        translated("t1-zh", "zh-CN", "t1"),
        translated("t2-en", "en", "t2"),
        translated("t2-fr", "fr", "t2"),
        translated("t3-ja", "ja", "t3"),
        translated("t3-ko", "ko", "t3"),
        article("alone"),
    ];
    f.folder(&source, articles, day(1)).await;
    let shown = async |path: &str| f.page(path).await.entries.into_iter().map(|entry| entry.article.guid).collect::<BTreeSet<_>>();
    let set = |guids: &[&str]| guids.iter().map(|guid| (*guid).to_owned()).collect::<BTreeSet<_>>();
    let first_of_t3 = shown("/?prefer=zh").await.into_iter().find(|guid| guid.starts_with("t3")).unwrap();
    assert_eq!(shown("/?prefer=zh,en").await, set(&["t1-zh", "t2-en", &first_of_t3, "alone"]));
    assert_eq!(shown("/?prefer=fr,zh").await, set(&["t1-zh", "t2-fr", &first_of_t3, "alone"]));
    assert_eq!(shown("/?language=en&prefer=zh,en").await, set(&["t1-en", "t2-en"]), "what is not in the selection speaks for nothing");
    assert_eq!(shown("/").await.len(), 7);
}

#[tokio::test]
async fn one_story_of_several_sources_is_told_once_and_tells_of_the_others() {
    let f = Fixture::new().await;
    let (a, b) = (f.source(SourceKind::Feed, "https://x.example/a").await, f.source(SourceKind::Feed, "https://x.example/b").await);
    let story = |guid: &str, link: &str, tag: &str| Article { link: Link::At(link.into()), tags: vec![tag.into()], ..article(guid) };
    f.feed(&a, vec![story("first", "https://n.example/story?utm_source=a", "x"), story("root", "https://n.example/", "x")], day(1)).await;
    let before = f.page("/tag/x").await.entries.iter().map(|entry| entry.generation).max().unwrap();
    f.feed(&b, vec![story("second", "http://www.n.example/story", "y"), story("root2", "https://n.example/", "y")], day(2)).await;

    let all = f.page("/").await;
    let guids: Vec<_> = all.entries.iter().map(|entry| entry.article.guid.as_str()).collect();
    assert_eq!(guids.iter().filter(|guid| ["first", "second"].contains(guid)).collect::<Vec<_>>(), [&"first"], "the first stored speaks");
    assert!(guids.contains(&"root") && guids.contains(&"root2"), "a front page makes no story");
    let first = all.entries.iter().find(|entry| entry.article.guid == "first").unwrap();
    assert_eq!(first.related.iter().map(|related| related.source.as_str()).collect::<Vec<_>>(), ["b"]);
    let tags: Vec<_> = first.terms_of(feedmill::model::Kind::Tag).map(|term| term.name.as_str()).collect();
    assert_eq!(tags, ["x", "y"], "categories and tags are joined");
    assert!(first.generation > before, "what it tells has changed");
    assert_eq!(
        f.page("/tag/y").await.entries.iter().filter(|entry| entry.article.guid == "second").count(),
        1,
        "membership is each article's own"
    );
    assert_eq!(f.page("/tag/x").await.total, 2, "counts count articles");

    f.store.remove_source(b.id, day(3)).await.unwrap();
    let alone = f.page("/tag/x").await.entries.into_iter().find(|entry| entry.article.guid == "first").unwrap();
    assert!(alone.related.is_empty() && alone.terms_of(feedmill::model::Kind::Tag).count() == 1);
}
