//! How choosing and searching grow with the store: `cargo bench --bench select -- [ARTICLES]… [--keep FOLDER]`.
//!
//! Makes a store of so many articles (four tags each of 5,000 by Zipf's law, 20 categories, 200 sources, 300 characters of
//! Chinese), asks for selections of every shape, and prints the median and the 99th percentile of each in microseconds,
//! with one row of fifty articles read (`page`) and with one alone (`set`). With `--keep` the store stays for the next run.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::print_stdout, reason = "its figures are its output")]

#[path = "../tests/all/dice.rs"]
mod dice;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};
use dice::Dice;
use feedmill::model::{Address, Article, Batch, Language, NewSource, SourceKind, SourceSettings, Target, Time, Window};
use feedmill::store::{Lookup, Store};

const TAGS: usize = 5_000;
const SOURCES: usize = 200;
const WORDS: usize = 20_000;

/// A number below `sides`, by Zipf's law.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
fn zipf(dice: &mut Dice, sides: usize) -> usize {
    let share = dice.roll(1 << 30) as f64 / f64::from(1 << 30);
    ((sides as f64).powf(share) - 1.0) as usize
}

fn now() -> Time {
    DateTime::from_timestamp(1_760_000_000, 0).unwrap()
}

/// A word of two or three characters.
fn word(number: usize) -> String {
    let character = |n: usize| char::from_u32(0x4e00 + u32::try_from(n % 3_000).unwrap()).unwrap();
    let mut word: String = [character(number * 7), character(number * 13 + 5)].into_iter().collect();
    if number.is_multiple_of(3) {
        word.push(character(number * 29 + 11));
    }
    word
}

fn article(dice: &mut Dice, number: usize, total: usize) -> Article {
    let mut content = String::from("<p>");
    while content.chars().count() < 300 {
        content.push_str(&word(zipf(dice, WORDS)));
        content.push(if dice.roll(8) == 0 { '，' } else { '的' });
    }
    content.push_str("</p>");
    let age = TimeDelta::seconds(i64::try_from((total - number) * 60).unwrap());
    Article {
        guid: number.to_string(),
        title: Some(format!("{}{} {number}", word(zipf(dice, WORDS)), word(zipf(dice, WORDS)))),
        content: Some(content),
        published: Some(now() - age),
        categories: vec![format!("c{}", dice.roll(20))],
        // Two popular tags that never meet.
        tags: (0..4).map(|_| zipf(dice, TAGS)).map(|tag| format!("t{tag}")).chain([format!("half{}", number % 2)]).collect(),
        languages: Language::parse(["zh-CN", "zh-TW", "en"][dice.roll(3)]).into_iter().collect(),
        ..Article::default()
    }
}

async fn fill(store: &Store, total: usize) {
    let mut dice = Dice(0x5eed_f00d);
    let started = Instant::now();
    let mut sources = Vec::new();
    for number in 0..SOURCES {
        let new = NewSource {
            kind: SourceKind::Feed,
            location: format!("https://s{number}.example/feed"),
            slug: None,
            title: format!("s{number}"),
            settings: SourceSettings::default(),
        };
        sources.push(store.add_source(new, now()).await.unwrap().0);
    }
    let mut number = 0;
    while number < total {
        let articles: Vec<Article> = (number..(number + 500).min(total)).map(|number| article(&mut dice, number, total)).collect();
        let source = &sources[(number / 500) % SOURCES];
        number += articles.len();
        store.apply(source.id, Batch { articles, ..Batch::default() }, None, now()).await.unwrap();
    }
    let stored = started.elapsed();
    let started = Instant::now();
    store.index(|| 1).await.unwrap();
    // As a server does.
    store.tidy().await.unwrap();
    let rate = |time: Duration| total as u128 * 1000 / time.as_millis().max(1);
    println!("stored {} articles/s, indexed {} articles/s", rate(stored), rate(started.elapsed()));
}

/// The selections of one shape, as queries of a page's URL.
fn shapes(dice: &mut Dice, store_size: usize) -> Vec<(&'static str, Vec<String>)> {
    let mut tag = || format!("t{}", zipf(dice, TAGS));
    let mut many = |make: &mut dyn FnMut(&mut dyn FnMut() -> String) -> String| (0..200).map(|_| make(&mut tag)).collect::<Vec<_>>();
    let half = "tag=half0&tag=half1".to_owned();
    let mut shapes = vec![
        ("everything", vec![String::new(); 200]),
        ("a tag", many(&mut |tag| format!("tag={}", tag()))),
        ("the most popular tag", vec!["tag=t0".to_owned(); 200]),
        ("a tag and a tag", many(&mut |tag| format!("tag={}&tag={}", tag(), tag()))),
        ("two halves that never meet", vec![half.clone(); 200]),
        ("half without its superset", vec!["tag=half0&language=-zh,en&tag=-half0".to_owned(); 200]),
        ("one of eight tags", many(&mut |tag| format!("tag={}", (0..8).map(|_| tag()).collect::<Vec<_>>().join(",")))),
        ("eight clauses", many(&mut |tag| format!("tag={},half0&tag={},half0&category=c1,c2,c3&tag=-{}&language=zh", tag(), tag(), tag()))),
        ("nothing of eight popular", vec!["tag=-t0,t1,t2,t3,t4,t5,half1&language=-en".to_owned(); 200]),
        ("two halves or", vec!["tag=half0,half1".to_owned(); 200]),
        ("since a day, a tag", many(&mut |tag| format!("since=2025-10-01&tag={}", tag()))),
        ("five of each source", vec!["per_source=5".to_owned(); 20]),
    ];
    let mut words = |count: usize| {
        (0..200).map(|_| (0..count).map(|_| word(zipf(dice, WORDS))).collect::<Vec<_>>().join("%20")).collect::<Vec<String>>()
    };
    let quoted = |words: Vec<String>| words.into_iter().map(|words| format!("q={words}")).collect::<Vec<_>>();
    shapes.push(("one word", quoted(words(1))));
    shapes.push(("two words", quoted(words(2))));
    shapes.push(("two words of a tag", quoted(words(2)).into_iter().map(|q| format!("{q}&tag=t7")).collect()));
    shapes.push(("two words by rank", quoted(words(2)).into_iter().map(|q| format!("{q}&sort=rank")).collect()));
    if store_size == 0 { Vec::new() } else { shapes }
}

async fn ask(store: &Store, query: &str, limit: u16) -> Duration {
    let encoded: String = query
        .chars()
        .map(|c| {
            if c.is_ascii() {
                c.to_string()
            } else {
                percent_encoding::utf8_percent_encode(&c.to_string(), percent_encoding::NON_ALPHANUMERIC).to_string()
            }
        })
        .collect();
    let Target::List { selection, mut options, .. } = Address::parse(&format!("/?{encoded}")).unwrap().target else { unreachable!() };
    options.limit = limit;
    let window = Window::between(selection.since, selection.until, chrono_tz::Tz::UTC, now());
    let started = Instant::now();
    let found = store.select(&selection, &options, window).await.unwrap();
    let took = started.elapsed();
    assert!(matches!(found, Lookup::Found(_)), "{query}");
    took
}

fn quantiles(mut times: Vec<Duration>) -> (u128, u128) {
    times.sort();
    (times[times.len() / 2].as_micros(), times[times.len() * 99 / 100].as_micros())
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(", ")
}

async fn deep(store: &Store, query: &str) -> Duration {
    let Target::List { selection, mut options, .. } = Address::parse(&format!("/?{query}")).unwrap().target else { unreachable!() };
    options.limit = 500;
    for _ in 0..100 {
        let Lookup::Found(page) = store.select(&selection, &options, Window::default()).await.unwrap() else { unreachable!() };
        options.before = page.entries.last().map(|entry| entry.key.clone());
    }
    options.limit = 50;
    let started = Instant::now();
    store.select(&selection, &options, Window::default()).await.unwrap();
    started.elapsed()
}

async fn measure(path: &Path, total: usize) {
    println!("\n## {total} articles");
    let url = format!("sqlite:{}", path.display());
    if !path.exists() {
        fill(&Store::open(&url, now()).await.unwrap(), total).await;
    }
    println!("{} MiB on disk, {} bytes an article", path.metadata().unwrap().len() >> 20, path.metadata().unwrap().len() / total as u64);
    let started = Instant::now();
    let store = Store::open(&url, now()).await.unwrap();
    let first = ask(&store, "tag=t1000", 50).await;
    println!("opened and answered in {} ms ({} ms the first question)", started.elapsed().as_millis(), first.as_millis());
    let started = Instant::now();
    store.warm().await.unwrap();
    println!("warm after {} ms; {}", started.elapsed().as_millis(), resident());
    println!("{:<28} {:>18} {:>18}", "", "set p50/p99 µs", "page p50/p99 µs");
    for (name, queries) in shapes(&mut Dice(0xdead_beef), total) {
        let mut columns = Vec::new();
        for limit in [1, 50] {
            let mut times = Vec::new();
            for query in &queries {
                times.push(ask(&store, query, limit).await);
            }
            // The second round: what one question loads, the next one has.
            times.clear();
            for query in &queries {
                times.push(ask(&store, query, limit).await);
            }
            let (median, worst) = quantiles(times);
            columns.push(format!("{median}/{worst}"));
        }
        println!("{name:<28} {:>18} {:>18}", columns[0], columns[1]);
    }
    println!("{:<28} {:>37}", "page 1,000 of a half", format!("{}", deep(&store, "tag=half0").await.as_micros()));
    println!("{}", resident());
}

#[tokio::main]
async fn main() {
    let mut sizes = Vec::new();
    let mut keep = None;
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--keep" => keep = arguments.next().map(PathBuf::from),
            number => sizes.push(number.parse().unwrap()),
        }
    }
    if sizes.is_empty() {
        sizes = vec![10_000, 100_000];
    }
    let folder = tempfile::TempDir::new().unwrap();
    let folder = keep.as_deref().unwrap_or(folder.path());
    for size in sizes {
        measure(&folder.join(format!("{size}.db")), size).await;
    }
}
