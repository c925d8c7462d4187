//! The laws of our URLs.

use super::*;
use crate::model::{Archive, Ids, MAX_LIMIT, Moment, Period, Query, Slug, Via};
use proptest::prelude::*;

fn canonical(target: &str) -> String {
    Address::parse(target).map_or_else(|error| format!("{error:?}"), |address| address.canonical())
}

fn is_exact(target: &str) -> bool {
    Address::parse(target).is_ok_and(|address| address.exact)
}

#[test]
fn one_selection_has_one_spelling() {
    for (sent, expected) in [
        ("/feed.rss?tag=rust", "/tag/rust.rss"),
        ("/?tag=Rust", "/tag/rust"),
        ("/tag/C%2B%2B.rss", "/tag/c%2B%2B.rss"),
        ("/tag/AI%2FML.atom", "/tag/ai-ml.atom"),
        ("/tag/rust.rss?category=qq", "/feed.rss?category=qq&tag=rust"),
        ("/feed.atom?tag=-ads&tag=llm,ai&category=qq", "/feed.atom?category=qq&tag=ai,llm&tag=-ads"),
        ("/feed.json?tag=-b&tag=-a", "/feed.json?tag=-a,b"),
        ("/feed.rss?tag=a&tag=a&limit=50&content=full&utm_source=x&source=", "/tag/a.rss"),
        ("/feed.rss?limit=5&content=summary", "/feed.rss?content=summary&limit=5"),
        ("/language/zh_cn.rss", "/language/zh-CN.rss"),
        ("/rss.xml", "/feed.rss"),
        ("/atom.xml", "/feed.atom"),
        ("/feed/", "/feed.rss"),
        ("/page/3/", "/"),
        ("/tags/ai/ml/index.xml", "/tag/ai-ml.rss"),
        ("/tags/rust/page/2/", "/tag/rust"),
        ("/tags/page/2/", "/tags"),
        ("/categories/page/12", "/categories"),
        ("/tags/index.html", "/tags"),
        ("/categories/QQ/", "/category/qq"),
        ("/category/qq.xml", "/category/qq.rss"),
        ("/tag/asp-rss.html", "/tag/asp-rss"),
        ("/tag/rust.rss?_=99", "/tag/rust.rss"),
        ("/health.xml", "/health.rss"),
        ("/health.html", "/health"),
        ("/article/ABCDEFGHIJ234.json", "/article/abcdefghij234.json"),
        ("/feed.rss?q=+rust++async+&tag=a", "/feed.rss?q=rust%20async&tag=a"),
        ("/tag/a?q=x&sort=newest", "/?q=x&tag=a"),
        ("/tag/a?sort=rank", "/tag/a"),
        ("/tag/a.rss?since=168h", "/feed.rss?since=7d&tag=a"),
        ("/feed.rss?until=2025-02-12T08:00:00%2B08:00", "/feed.rss?until=2025-02-12T00:00:00Z"),
        ("/tag/a.rss?prefer=zh_cn,en,zh-CN", "/tag/a.rss?prefer=zh-CN,en"),
        ("/tag/a.rss?limit=5&archive=start", "/tag/a.rss?archive=start"),
        ("/feed/AI%20Weekly.rss", "/feed/ai-weekly.rss"),
        ("/?q=", "/"),
    ] {
        assert_eq!(canonical(sent), expected, "{sent}");
        assert!(is_exact(expected), "{expected}");
        assert!(!is_exact(sent), "{sent}");
    }
}

#[test]
fn encoding_and_a_trailing_slash_are_no_other_spelling() {
    for target in [
        "/tag/%e4%b8%ad.rss",
        "/tag/%E4%B8%AD.rss",
        "/tag/c++.rss",
        "/tag/rust/",
        "/feed.rss?tag=a%2Cb",
        "/feed.rss?tag=a,b",
        "/tags/",
        "/tag/rust.rss?_raw=1",
        "/",
    ] {
        assert!(is_exact(target), "{target}");
    }
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    for (target, name) in [
        ("/feed.rss?limit=0", "limit"),
        ("/feed.rss?limit=501", "limit"),
        ("/feed.rss?limit=x", "limit"),
        ("/feed.rss?content=half", "content"),
        ("/feed.rss?q=%21", "q"),
        ("/feed.rss?since=soon", "since"),
        ("/feed.rss?per_source=0", "per_source"),
        ("/feed.rss?digest=hourly", "digest"),
        ("/feed.rss?digest=daily&per_source=3", "digest"),
        ("/?before=abcdefghij234&per_source=3", "per_source"),
        ("/feed.rss?prefer=%E4%B8%AD", "prefer"),
        ("/feed.rss?via=mail", "via"),
        ("/feed.rss?ids=own", "ids"),
        ("/feed.rss?q=rust&sort=rank", "sort"),
        ("/feed.rss?explain=1", "explain"),
        ("/?archive=start", "archive"),
        ("/feed.rss?archive=1", "archive"),
        ("/feed.rss?archive=start&since=7d", "archive"),
        ("/feed/mine.rss?tag=x", "tag"),
        ("/feed.rss?colour=red", "colour"),
        ("/feed.rss?before=abcdefghij234", "before"),
        ("/?limit=1&limit=2", "limit"),
        ("/feed.rss?language=%E4%B8%AD", "language"),
        ("/tags?limit=3", "limit"),
    ] {
        assert!(matches!(Address::parse(target), Err(AddressError::Parameter { name: n, .. }) if n == name), "{target}");
    }
    for target in ["/nothing", "/tag", "/tag/", "/language/%E4%B8%AD", "/article/short", "/tag/a/b", "/metrics.rss"] {
        assert!(matches!(Address::parse(target), Err(AddressError::NotFound(_))), "{target}");
    }
    for target in ["/tag/中", "/tag/%ff", "tag", "/feed.rss?tag=%c3"] {
        assert_eq!(Address::parse(target), Err(AddressError::Malformed), "{target}");
    }
}

#[test]
fn the_raw_wish_survives_a_redirect_and_causes_none() {
    assert_eq!(canonical("/feed.rss?tag=a&_raw=1"), "/tag/a.rss?_raw=1");
    assert!(is_exact("/tag/a.rss?_raw=1"));
}

fn slugs() -> impl Strategy<Value = Vec<Slug>> {
    prop::collection::vec("[a-zA-Z+#&=%?中文.,/ -]{1,8}", 1..4).prop_map(|names| names.iter().map(|name| Slug::from_name(name)).collect())
}

fn selection() -> impl Strategy<Value = Selection> {
    let kind = prop::sample::select(vec![Kind::Author, Kind::Category, Kind::Source, Kind::Tag]);
    let clauses = prop::collection::vec((kind, slugs(), any::<bool>()), 0..6);
    let words = prop::option::of("[a-z中文\" -]{1,9}");
    let moment = prop::option::of(prop::sample::select(vec!["2025-02-12", "36h", "7d", "2025-02-12T01:02:03Z"]));
    (clauses, words, moment.clone(), moment).prop_map(|(clauses, words, since, until)| {
        let mut selection = Selection::default();
        for (kind, slugs, is_positive) in clauses {
            if is_positive { selection.require(kind, slugs) } else { selection.exclude(kind, slugs) }
        }
        selection.words = words.and_then(|words| Query::parse(&words).ok().flatten());
        selection.since = since.and_then(Moment::parse);
        selection.until = until.and_then(Moment::parse);
        selection
    })
}

fn options() -> impl Strategy<Value = Options> {
    let key = "[a-z2-7]{13}".prop_map(|key| ArticleKey::parse(&key).unwrap());
    let archive = prop_oneof![
        (key.clone(), key.clone()).prop_map(|(first, last)| Archive::Closed(first, last)),
        prop::option::of(key).prop_map(Archive::After),
    ];
    (1..=MAX_LIMIT, any::<bool>(), any::<bool>(), any::<u8>(), prop::option::of(1..=MAX_LIMIT), archive).prop_map(
        |(limit, is_summary, is_own, which, per_source, archive)| {
            let plain = Options {
                limit,
                content: if is_summary { Content::Summary } else { Content::Full },
                ids: if is_own { Ids::Feed } else { Ids::Shared },
                via: [None, Some(Via::Title), Some(Via::Body)][usize::from(which % 3)],
                ..Options::default()
            };
            match which % 4 {
                0 => Options { per_source, ..plain },
                1 => Options { digest: Some(Period::Weekly), ..plain },
                2 => Options { archive: Some(archive), limit: DEFAULT_LIMIT, ..plain },
                _ => Options { prefer: ["zh", "en-US"].iter().filter_map(|text| crate::model::Language::parse(text)).collect(), ..plain },
            }
        },
    )
}

proptest! {
    #[test]
    fn parsing_a_printed_selection_gives_it_back(
        selection in selection(),
        format in prop::sample::select(vec![Format::Rss, Format::Atom, Format::Json]),
        options in options(),
    ) {
        prop_assume!(!(selection.is_relative() && options.archive.is_some()));
        let target = Target::List { selection, format: Some(format), options };
        let path = target.path();
        let address = Address::parse(&path);
        prop_assert!(address.as_ref().is_ok_and(|address| address.target == target && address.exact), "{}: {:?}", path, address);
    }

    #[test]
    fn parsing_a_printed_page_gives_it_back(selection in selection(), limit in 1..=MAX_LIMIT, key in prop::option::of("[a-z2-7]{13}"), explain: bool) {
        let sort = if selection.words.is_some() { Sort::Rank } else { Sort::Newest };
        let before = key.and_then(|key| ArticleKey::parse(&key));
        let target = Target::List { selection, format: None, options: Options { sort, limit, before, explain, ..Options::default() } };
        let path = target.path();
        let address = Address::parse(&path);
        prop_assert!(address.as_ref().is_ok_and(|address| address.target == target && address.exact), "{}: {:?}", path, address);
    }

    #[test]
    fn a_canonical_url_is_spelled_exactly(path in "/(feed|tag|category)?[a-zA-Z0-9/.%+-]{0,20}(\\?[a-z]{0,5}=[a-z,%0-9-]{0,9})?") {
        if let Ok(address) = Address::parse(&path) {
            let again = Address::parse(&address.canonical());
            prop_assert!(again.is_ok_and(|again| again.exact && again.target == address.target));
        }
    }
}
