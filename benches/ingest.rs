//! How long a folder of Markdown articles takes from disk to a complete store, and which part of it takes how much.
//!
//! `cargo bench --bench ingest -- FOLDER [RUNS]`; `benches/articles.py` makes a folder. Prints medians.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::print_stdout, reason = "its figures are its output")]
#![allow(clippy::disallowed_methods, reason = "it stands outside the program, where the clock is read")]
#![allow(clippy::cast_precision_loss, reason = "figures are rounded anyway")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::Utc;
use feedmill::model::{Memory, NewSource, Slug, SourceKind, SourceSettings};
use feedmill::source::{clean, folder};
use feedmill::store::Store;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let Some(root) = words.first().map(PathBuf::from) else {
        println!("usage: cargo bench --bench ingest -- FOLDER [RUNS]");
        return;
    };
    let root = root.canonicalize().unwrap();
    let runs = words.get(1).map_or(5, |runs| runs.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let results: Vec<Run> = (0..runs).map(|_| runtime.block_on(run(&root))).collect();
    let median = |part: fn(&Run) -> Duration| {
        let mut times: Vec<Duration> = results.iter().map(part).collect();
        times.sort();
        times[times.len() / 2]
    };
    let (read, cleaned, stored, again) = (median(|r| r.read), median(|r| r.cleaned), median(|r| r.stored), median(|r| r.again));
    let total = read + stored;
    let count = results[0].count;
    let share = |part: Duration| 100.0 * part.as_secs_f64() / total.as_secs_f64();
    println!("{count} articles, median of {runs} runs, {:.0} articles a second", count as f64 / total.as_secs_f64());
    println!("reading, parsing and cleaning (all cores)  {:>6.0} ms  {:>4.1} %", read.as_secs_f64() * 1e3, share(read));
    println!("storing (SQLite, one writer)               {:>6.0} ms  {:>4.1} %", stored.as_secs_f64() * 1e3, share(stored));
    println!("of the first, cleaning the HTML alone      {:>6.0} ms of one core", cleaned.as_secs_f64() * 1e3);
    println!("the unchanged folder once more             {:>6.0} ms", again.as_secs_f64() * 1e3);
}

struct Run {
    count: usize,
    read: Duration,
    cleaned: Duration,
    stored: Duration,
    again: Duration,
}

async fn run(root: &std::path::Path) -> Run {
    let temporary = tempfile::TempDir::new().unwrap();
    let now = Utc::now();
    let store = Store::open(&format!("sqlite:{}", temporary.path().join("bench.db").display()), now).await.unwrap();
    let new = NewSource {
        kind: SourceKind::Folder,
        location: root.to_str().unwrap().to_owned(),
        slug: None,
        title: "bench".to_owned(),
        settings: SourceSettings::default(),
    };
    let source = store.add_source(new, now).await.unwrap().0;
    let options = folder::Options {
        first_slug: Slug::from_name("bench"),
        timezone: None,
        default_zone: chrono_tz::Tz::Asia__Shanghai,
        base_url: None,
        max_file: 5 << 20,
        max_bundle_file: 10 << 20,
    };

    let start = Instant::now();
    let batch = folder::read(root, &Memory::default(), &options, now).unwrap();
    let read = start.elapsed();
    let count = batch.articles.len();

    let start = Instant::now();
    let bytes: usize = batch.articles.iter().filter_map(|article| article.content.as_ref()).map(|html| clean::html(html, None).len()).sum();
    let cleaned = start.elapsed();
    assert!(bytes > 0, "the articles have text");

    let start = Instant::now();
    let applied = store.apply(source.id, batch, None, now).await.unwrap();
    let stored = start.elapsed();
    assert_eq!(applied.added, count);

    let start = Instant::now();
    let memory = store.memory(source.id).await.unwrap();
    let batch = folder::read(root, &memory, &options, now).unwrap();
    let applied = store.apply(source.id, batch, None, now).await.unwrap();
    assert!(!applied.changed(), "an unchanged folder changes nothing");
    Run { count, read, cleaned, stored, again: start.elapsed() }
}
