//! Damaged input against all that reads what strangers write: no panic, and no input that costs far more than its length.
//!
//! `cargo bench --bench fuzz -- SECONDS [TARGET [SEED [NUMBER]]]` runs each target for so long; with a number, that one
//! input alone. `cargo test --bench fuzz -- …` does the same with overflow checks, slower. An input that ends the
//! process (a stack overflow cannot be caught) is left in the folder that is printed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "it fails by panicking")]
#![allow(clippy::print_stdout, reason = "what it finds is its output")]
#![allow(clippy::cast_precision_loss, reason = "figures are rounded anyway")]
#![allow(clippy::disallowed_methods, reason = "it stands outside the program, where the clock is read")]

mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use encoding_rs::Encoding;
use feedmill::source::feed::{self, FeedContext, FeedLimits};
use feedmill::source::{clean, markdown};
use mutate::Random;
use url::Url;

/// What a thread of the poller has, where feeds are read.
const STACK: usize = 2 << 20;
/// No input may take longer, whatever the machine.
const TOO_LONG: Duration = Duration::from_secs(5);
/// Shorter inputs say nothing of the time a byte takes.
const MEASURED_BYTES: usize = 4096;

const ENCODINGS: [&str; 12] = [
    "gb18030", "big5", "shift_jis", "euc-jp", "iso-2022-jp", "euc-kr", "koi8-r", "windows-1252", "utf-16le", "utf-16be", "utf-8",
    "hz-gb-2312",
];

/// What feeds and Markdown readers write, element by element.
const CONTENTS: [&str; 6] = [
    "<h2 id=\"a\">b</h2>\n<p>c <a href=\"/d?e=1&amp;f=2#g\" title='h' rel=nofollow>i</a>, <em>j</em> &#8212; <b><i>k</i></b><br />\n&nbsp;l&hellip;</p>\n<hr>",
    "<p><img src=\"https://a.example/b.jpg\" srcset=\"/c.jpg 2x\" alt=\"&quot;d&quot;\" width=\"1\" height=\"100px\"></p><img width=1 height=1 src=/e>",
    "<ul>\n<li>a<ol start=\"2\"><li><p>b</p></li></ol></li>\n<li><input type=\"checkbox\" checked=\"\"> c</li></ul><dl><dt>d</dt><dd>e</dd></dl>",
    "<table><thead><tr><th align=\"left\">a</th></tr></thead><tbody>\n<tr><td>b</td></tr></tbody></table><table><tr><td><pre>c</pre></td></tr></table>",
    "<pre><code class=\"language-rust\">a &lt; b\n</code></pre><blockquote cite=\"c\">d<!-- e --></blockquote><iframe src='f'></iframe><font>g</font>",
    "<figure><picture><source type='a/b'><img src='//c/d'></picture><figcaption>e</figcaption></figure><svg></svg><video src=\"f\" controls></video>",
];

struct Target {
    name: &'static str,
    corpus: Vec<Vec<u8>>,
    read: fn(&[u8], &mut Random),
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let Some(seconds) = words.first().and_then(|word| word.parse().ok()) else {
        println!("usage: cargo bench --bench fuzz -- SECONDS [TARGET [SEED [NUMBER]]]");
        return;
    };
    let seed = words.get(2).map_or_else(|| u64::from(std::process::id()), |word| word.parse().unwrap());
    let number = words.get(3).map(|word| word.parse().unwrap());
    let chosen = |target: &Target| words.get(1).is_none_or(|name| name == target.name || name == "all");
    let run = move |target: &Target| match number {
        Some(number) => once(target, seed, number),
        None => fuzz(target, seed, Duration::from_secs(seconds)),
    };
    let targets: Vec<Target> = targets().into_iter().filter(chosen).collect();
    let thread = std::thread::Builder::new().stack_size(STACK);
    let failures = thread.spawn(move || targets.iter().map(run).sum::<usize>()).unwrap().join().unwrap();
    assert_eq!(failures, 0, "inputs that make reading fail");
}

fn targets() -> Vec<Target> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let feeds = files(&fixtures.join("feeds"));
    let dates = std::fs::read_to_string(fixtures.join("dates.txt")).unwrap();
    let encoded = feeds.iter().flat_map(|feed| ENCODINGS.iter().map(|label| encode(&String::from_utf8_lossy(feed), label)));
    let read = |bytes: &Vec<u8>| feed::parse(bytes, &context(None)).map(|feed| feed.articles).unwrap_or_default();
    let contents = feeds.iter().flat_map(read).filter_map(|article| article.content).map(String::into_bytes);
    let contents = contents.chain(CONTENTS.map(|html| html.as_bytes().to_vec()));
    vec![
        Target { name: "clean", corpus: contents.collect(), read: compare },
        Target { name: "decoder", corpus: encoded.collect(), read: decode },
        Target { name: "dates", corpus: dates.lines().map(|line| line.as_bytes().to_vec()).collect(), read: read_dates },
        Target { name: "front-matter", corpus: files(&fixtures.join("articles/posts")), read: read_article },
        Target { name: "feed", corpus: feeds, read: read_feed },
    ]
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// `encoding_rs` writes no UTF-16, as the web does not.
fn encode(text: &str, label: &str) -> Vec<u8> {
    match label {
        "utf-16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf-16be" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => Encoding::for_label(label.as_bytes()).unwrap().encode(text).0.into_owned(),
    }
}

fn context(url: Option<&Url>) -> FeedContext<'_> {
    FeedContext { url, charset: None, encoding: None, zone: Tz::Asia__Shanghai, limits: FeedLimits::default() }
}

fn read_feed(bytes: &[u8], random: &mut Random) {
    let url = Url::parse("https://a.example/b/feed.xml").unwrap();
    let read = feed::parse(bytes, &context(Some(&url).filter(|_| random.below(2) == 0)));
    for article in read.map(|feed| feed.articles).unwrap_or_default() {
        assert!(!article.guid.is_empty(), "an article has an id");
    }
}

/// Both ways of cleaning are to give the same.
fn compare(bytes: &[u8], random: &mut Random) {
    let url = Url::parse("https://a.example/b/c").unwrap();
    let (short, long) =
        clean::both_ways(&String::from_utf8_lossy(bytes), Some(&url).filter(|_| random.below(2) == 0), random.below(2) == 0);
    assert_eq!(short.as_ref().unwrap_or(&long), &long, "the short way of cleaning gives what the long one gives");
}

/// The decoder has no door of its own; what it decodes is read on.
fn decode(bytes: &[u8], random: &mut Random) {
    let label = Some(*random.one_of(&ENCODINGS));
    let (charset, encoding) = match random.below(3) {
        0 => (None, None),
        1 => (label, None),
        _ => (None, label),
    };
    feed::parse(bytes, &FeedContext { charset, encoding, ..context(None) }).ok();
}

/// Each line of the input is the date of an item.
fn read_dates(bytes: &[u8], _: &mut Random) {
    let text = String::from_utf8_lossy(bytes);
    let items: Vec<_> = text.lines().map(|line| serde_json::json!({ "title": "t", "date_published": line })).collect();
    let document = serde_json::json!({ "items": items }).to_string();
    for article in feed::parse(document.as_bytes(), &context(None)).unwrap().articles {
        let written = article.published.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        assert!(written.is_none_or(|date| date.len() == 20), "a date is one that RFC 3339 can write");
    }
}

fn read_article(bytes: &[u8], _: &mut Random) {
    let text = String::from_utf8_lossy(bytes);
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let context = markdown::Context { zone: Tz::Asia__Shanghai, base: None, resolve: &|_| None, now };
    let place = markdown::Place { path: "a.md".to_owned(), guid: "a".to_owned(), stem: "a".to_owned(), ..markdown::Place::default() };
    markdown::read(&text, &place, &context).ok();
    markdown::read_description(&text, "a.md", &context).ok();
    for path in ["hugo.toml", "hugo.yaml", "hugo.json"] {
        drop(markdown::hugo_settings(path, &text));
    }
}

fn fuzz(target: &Target, seed: u64, time: Duration) -> usize {
    let end = Instant::now() + time;
    let last = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{}", target.name));
    println!("{}: seed {seed}; the last input is in {}", target.name, last.display());
    let (mut failures, mut number) = (0, 0);
    let mut slowest = (0.0, 0, 0);
    while Instant::now() < end && failures < 20 {
        let (bytes, mut random) = input(target, seed, number);
        std::fs::write(&last, &bytes).unwrap();
        let start = Instant::now();
        let read = catch_unwind(AssertUnwindSafe(|| (target.read)(&bytes, &mut random)));
        let took = start.elapsed();
        if read.is_err() || took > TOO_LONG {
            let what = if read.is_err() { "panicked" } else { "took too long" };
            println!("{} {what}: cargo bench --bench fuzz -- 0 {} {seed} {number}", target.name, target.name);
            failures += 1;
        }
        let each = took.as_secs_f64() * 1e9 / bytes.len().max(1) as f64;
        if bytes.len() >= MEASURED_BYTES && each > slowest.0 {
            slowest = (each, number, bytes.len());
        }
        number += 1;
    }
    let (each, at, length) = slowest;
    println!(
        "{}: {number} inputs, {failures} failed; the slowest a byte, number {at}, took {each:.0} ns for each of {length}",
        target.name
    );
    failures
}

fn input(target: &Target, seed: u64, number: u64) -> (Vec<u8>, Random) {
    let mut random = Random::new(seed, number);
    (mutate::input(&target.corpus, &mut random), random)
}

/// Reads one input again, and shows how it begins.
fn once(target: &Target, seed: u64, number: u64) -> usize {
    let (bytes, mut random) = input(target, seed, number);
    println!("{}\n… {} bytes", String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]), bytes.len());
    let start = Instant::now();
    (target.read)(&bytes, &mut random);
    println!("took {:?}", start.elapsed());
    0
}
