//! How many entries of feeds are read in a second by one thread: decoded, mended, parsed and cleaned.
//!
//! `cargo bench --bench read -- FOLDER [ROUNDS]` takes all files below the folder; `benches/read.sh` compares it.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::print_stdout, reason = "its figures are its output")]
#![allow(clippy::cast_precision_loss, reason = "figures are rounded anyway")]

use std::time::Instant;

use chrono_tz::Tz;
use feedmill::source::feed::{FeedContext, FeedLimits, parse};
use url::Url;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let Some(folder) = words.first() else {
        println!("usage: cargo bench --bench read -- FOLDER [ROUNDS]");
        return;
    };
    let rounds: usize = words.get(1).map_or(20, |rounds| rounds.parse().unwrap());
    let files = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    let documents: Vec<Vec<u8>> = files.map(|entry| std::fs::read(entry.path()).unwrap()).collect();
    let url = Url::parse("https://feeds.example/feed").unwrap();
    let context =
        FeedContext { url: Some(&url), charset: None, encoding: None, zone: Tz::UTC, limits: FeedLimits { articles: usize::MAX } };
    let entries = || documents.iter().filter_map(|bytes| parse(bytes, &context).ok()).map(|feed| feed.articles.len()).sum::<usize>();
    let read = entries();
    let start = Instant::now();
    for _ in 0..rounds {
        assert_eq!(entries(), read);
    }
    let seconds = start.elapsed().as_secs_f64() / rounds as f64;
    println!("feedmill   {read} entries of {} documents, {:.0} entries a second", documents.len(), read as f64 / seconds);
}
