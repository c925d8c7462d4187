//! What the single steps cost: `cargo bench --bench micro`. How choosing and searching grow is what `select` says.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::sync::LazyLock;

use chrono_tz::Tz;
use divan::{Bencher, black_box};
use feedmill::model::{
    Address, Article, Batch, Content, Entry, Format, NewSource, Page, Policy, Site, SourceKind, SourceSettings, Target, Time, Window,
};
use feedmill::output;
use feedmill::source::feed::{FeedContext, FeedLimits, parse};
use feedmill::source::{clean, markdown};
use feedmill::store::{Lookup, Store};
use tokio::runtime::Runtime;
use url::Url;

/// The articles of the store; fifty of them have the tag `t1`.
const ARTICLES: usize = 1000;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::TempDir::new().unwrap());
static STORE: LazyLock<Store> = LazyLock::new(|| RUNTIME.block_on(filled()));
static SITE: LazyLock<Site> =
    LazyLock::new(|| Site::new("Mill".into(), "All".into(), &Url::parse("https://feeds.example.org").unwrap(), Tz::UTC));

fn main() {
    divan::main();
}

/// About three kilobytes, half of them Chinese.
fn body(number: usize) -> String {
    let paragraph = "<p>Words of an article that somebody wrote, with <a href=\"/more?a=1&amp;b=2\">a link</a> and <em>stress</em>. \
                     大模型是一种在大量文本上训练的程序，它能够续写和回答问题。</p>\n";
    format!("<h2>{number}</h2>{}", paragraph.repeat(14))
}

fn rss() -> String {
    let item = |number: usize| {
        format!(
            "<item><title>Title {number}</title><link>https://a.example/{number}</link><pubDate>Wed, 08 Oct 2025 08:00:00 +0800</pubDate>\
             <category>news</category><description><![CDATA[{}]]></description></item>",
            body(number)
        )
    };
    format!("<rss version=\"2.0\"><channel><title>A</title>{}</channel></rss>", (0..20).map(item).collect::<String>())
}

async fn filled() -> Store {
    let now = Time::from_timestamp(1_760_000_000, 0).unwrap();
    let store =
        Store::open(&format!("sqlite:{}", FOLDER.path().join("micro.db").display()), now).await.unwrap().with_policy(Policy::default());
    let settings = SourceSettings::default();
    let source = NewSource { kind: SourceKind::Feed, location: "https://a.example/feed".into(), slug: None, title: "A".into(), settings };
    let source = store.add_source(source, now).await.unwrap().0;
    let article = |number: usize| Article {
        guid: number.to_string(),
        title: Some(format!("Title {number} 大模型")),
        tags: vec![format!("t{}", number % 20)],
        content: Some(clean::html(&body(number), None)),
        published: Some(now),
        ..Article::default()
    };
    let batch = Batch { articles: (0..ARTICLES).map(article).collect(), ..Batch::default() };
    store.apply(source.id, batch, None, now).await.unwrap();
    store.index(|| 1).await.unwrap();
    store
}

fn page(path: &str) -> Page {
    let Target::List { selection, options, .. } = Address::parse(path).unwrap().target else { unreachable!("{path} is a list") };
    let Lookup::Found(page) = RUNTIME.block_on(STORE.select(&selection, &options, Window::default())).unwrap() else { unreachable!() };
    page
}

#[divan::bench]
fn parse_20_entries(bencher: Bencher<'_, '_>) {
    let (document, url) = (rss(), Url::parse("https://a.example/feed").unwrap());
    let context = FeedContext { url: Some(&url), charset: None, encoding: None, zone: Tz::UTC, limits: FeedLimits::default() };
    bencher.bench(|| parse(black_box(document.as_bytes()), &context).unwrap());
}

/// What is well-formed needs no tree; one paragraph that is not closed makes all of it go the long way.
#[divan::bench(args = ["", "<p>"])]
fn clean_3_kb(bencher: Bencher<'_, '_>, end: &str) {
    let (html, base) = (body(1) + end, Url::parse("https://a.example/1").unwrap());
    bencher.bench(|| clean::html(black_box(&html), Some(&base)));
}

#[divan::bench]
fn front_matter(bencher: Bencher<'_, '_>) {
    let file = format!("---\ntitle: One\ndate: 2025-01-01\ntags: [a, b]\n---\n{}", "Some *words* and 一些汉字。\n\n".repeat(60));
    bencher.bench(|| markdown::with_fields(black_box(&file), &[]));
}

#[divan::bench(args = ["RSS", "Atom", "JSON Feed"])]
fn render_50_entries(bencher: Bencher<'_, '_>, format: &str) {
    let format = Format::ALL.into_iter().find(|other| other.name() == format).unwrap();
    let (entries, store): (Vec<Entry>, _) = (page("/feed.rss").entries, STORE.id());
    bencher.bench(|| {
        let fragment = |entry| output::fragment(entry, &store, &SITE, Content::Full, format).unwrap().len();
        entries.iter().map(fragment).sum::<usize>()
    });
}

#[divan::bench(args = ["/tag/t1.rss", "/feed.rss?tag=t1,t2&tag=-t3", "/feed.rss?q=%E6%A8%A1%E5%9E%8B"])]
fn choose_and_read(path: &str) -> usize {
    page(path).entries.len()
}
