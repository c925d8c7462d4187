//! What words find, through the whole store.

use feedmill::model::{Article, Person, SourceKind, Time};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::store::{Fixture, article, day, open};

async fn index(f: &Fixture) {
    f.store.index(|| 2).await.unwrap();
}

fn said(guid: &str, title: &str, content: &str) -> Article {
    Article { title: Some(title.to_owned()), content: Some(content.to_owned()), ..article(guid) }
}

async fn found(f: &Fixture, words: &str) -> Vec<String> {
    found_at(f, &format!("/?q={}", utf8_percent_encode(words, NON_ALPHANUMERIC))).await
}

async fn found_at(f: &Fixture, path: &str) -> Vec<String> {
    let mut guids: Vec<String> = f.page(path).await.entries.into_iter().map(|entry| entry.article.guid).collect();
    guids.sort();
    guids
}

async fn with(articles: Vec<Article>, now: Time) -> Fixture {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://x.example/a").await;
    f.feed(&source, articles, now).await;
    index(&f).await;
    f
}

#[tokio::test]
async fn words_of_every_script_are_found_wherever_they_stand() {
    let f = with(
        vec![
            said("zh", "北京大学发布大模型", "<p>研究人员用<b>GPT模</b>型翻译《红楼梦》，曹雪芹的名字也在其中。</p>"),
            said("tw", "電腦與資訊", "<p>我們討論臺灣的<code>c++</code>社群。</p>"),
            said("ja", "カメラの使い方", "<p>東京タワーで写真を撮りました。</p>"),
            said("ko", "한국어 문서", "<p>서울에서 만났습니다</p>"),
            said("fr", "Le Café", "<p>Où est l’élève? C&amp;A, naïve.</p>"),
            Article {
                authors: vec![Person { name: "鲁迅".into(), ..Person::default() }],
                tags: vec!["微服务".into()],
                summary: Some("<p>只有摘要里有这句话</p>".into()),
                ..said("names", "x", "")
            },
        ],
        day(1),
    )
    .await;
    for (words, expected) in [
        ("大模", vec!["zh"]),
        ("模型", vec!["zh"]),
        ("京大", vec!["zh"]),
        ("曹雪芹", vec!["zh"]),
        ("GPT", vec!["zh"]),
        ("gpt模型", vec!["zh"]),
        ("红", vec!["zh"]),
        ("紅樓夢", vec!["zh"]),
        ("电脑", vec!["tw"]),
        ("台湾", vec!["tw"]),
        ("c++", vec!["tw"]),
        ("カメ", vec!["ja"]),
        ("メラの", vec!["ja"]),
        ("タワー", vec!["ja"]),
        ("한국", vec!["ko"]),
        ("서울", vec!["ko"]),
        ("cafe eleve NAIVE", vec!["fr"]),
        ("caf*", vec!["fr"]),
        ("caf", vec![]),
        ("鲁迅", vec!["names"]),
        ("微服务", vec!["names"]),
        ("摘要", vec!["names"]),
        ("模大", vec![]),
        ("大型", vec![]),
        ("模型 -翻译", vec![]),
        ("-模型 -x", vec!["fr", "ja", "ko", "tw"]),
        ("北京 红楼梦", vec!["zh"]),
        ("\"电脑\"", vec![]),
        ("\"電腦與\"", vec!["tw"]),
        ("\"Le Cafe\"", vec![]),
        ("\"le café\"", vec!["fr"]),
        ("amp", vec![]),
    ] {
        assert_eq!(found(&f, words).await, expected, "{words}");
    }
}

#[tokio::test]
async fn the_search_follows_what_changes_and_what_goes() {
    let f = with(vec![said("1", "苹果", ""), said("2", "苹果", "")], day(1)).await;
    assert_eq!(found(&f, "苹果").await, ["1", "2"]);
    let source = f.source(SourceKind::Feed, "https://x.example/a").await;
    f.feed(&source, vec![said("1", "香蕉", ""), said("3", "苹果", "")], day(2)).await;
    assert_eq!(found(&f, "苹果").await, ["1", "2"], "a new article is in its feeds at once, in the search when it is indexed");
    index(&f).await;
    assert_eq!((found(&f, "苹果").await, found(&f, "香蕉").await), (vec!["2".to_owned(), "3".to_owned()], vec!["1".to_owned()]));
    f.store.remove_source(source.id, day(3)).await.unwrap();
    assert_eq!(found(&f, "苹果").await, [""; 0], "what is withdrawn is not found, even before the index knows");
    index(&f).await;
    assert_eq!(found(&f, "苹果").await, [""; 0]);
    assert_eq!(f.store.indexed(), f.store.generation());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_processes_take_in_at_once_and_many_steps_follow_is_found_as_it_was_last() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://x.example/a").await;
    let articles = |word: &str, count: usize| (0..count).map(|n| said(&n.to_string(), &format!("{word}{n}"), "")).collect();
    f.feed(&source, articles("苹果", 4_200), day(1)).await;
    let other = open(&f.folder).await;
    let change = async {
        f.feed(&source, articles("香蕉", 600), day(2)).await;
        f.store.index(|| 2).await
    };
    let (own, others, changed) = tokio::join!(f.store.index(|| 2), other.index(|| 1), change);
    own.and(others).and(changed).unwrap();
    index(&f).await;
    assert_eq!(f.store.indexed(), f.store.generation());
    for (words, total) in [("苹果", 3_600), ("香蕉", 600)] {
        let path = format!("/?q={}", utf8_percent_encode(words, NON_ALPHANUMERIC));
        assert_eq!(f.page(&path).await.total, total, "{words}");
    }
}

#[tokio::test]
async fn words_narrow_a_selection_and_every_page_of_it() {
    let articles = (0..130)
        .map(|n| Article {
            tags: vec![["a", "b"][n % 2].to_owned()],
            published: Some(day(0) - chrono::TimeDelta::hours(i64::try_from(n).unwrap())),
            ..said(&format!("{n:03}"), "模型", "")
        })
        .collect();
    let f = with(articles, day(1)).await;
    let first = f.page("/?q=%E6%A8%A1%E5%9E%8B&tag=a").await;
    assert_eq!((first.entries.len(), first.more, first.total), (50, true, 65));
    let guids: Vec<_> = first.entries.iter().map(|entry| entry.article.guid.clone()).collect();
    assert_eq!(guids, (0..50).map(|n| format!("{:03}", n * 2)).collect::<Vec<_>>(), "newest first");
    let second = f.page(&format!("/?q=%E6%A8%A1%E5%9E%8B&tag=a&before={}", first.entries.last().unwrap().key)).await;
    assert_eq!((second.entries.len(), second.more), (15, false));
}

#[tokio::test]
async fn what_fits_best_comes_first_and_what_was_typed_before_what_is_folded() {
    let filler = "水".repeat(400);
    let f = with(
        vec![
            said("body", "其他", &format!("<p>{filler} 电脑</p>")),
            said("title", "电脑", "<p>短</p>"),
            said("folded", "電腦", "<p>短</p>"),
        ],
        day(1),
    )
    .await;
    let ranked: Vec<_> = f.page("/?q=%E7%94%B5%E8%84%91&sort=rank").await.entries.into_iter().map(|entry| entry.article.guid).collect();
    assert_eq!(ranked, ["title", "body", "folded"]);
    let rest = f.page("/?q=%E7%94%B5%E8%84%91&sort=rank&limit=1").await;
    let next = f.page(&format!("/?q=%E7%94%B5%E8%84%91&sort=rank&limit=1&before={}", rest.entries[0].key)).await;
    assert_eq!((next.entries[0].article.guid.as_str(), next.more), ("body", true));
}
