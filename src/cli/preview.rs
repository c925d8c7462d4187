//! `feedmill preview`: what would be stored, without storing it.

use clap::Args;
use serde_json::{Value, json};

use super::console::Console;
use super::import::read_path;
use super::{now, policy, reader};
use crate::config::Config;
use crate::model::{Article, Batch, Omission, Policy, Slug, text, web_address};
use crate::output::JSON_FEED;
use crate::poll::Reader;
use crate::source::discover::Candidate;
use crate::source::feed::{Found, find};
use crate::source::folder;
use crate::store::{Foreseen, foresee};

/// Read sources and show what would be stored and what would be skipped; nothing is stored.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  feedmill preview https://example.org/feed.xml
  feedmill preview --json *.xml | jq .title")]
pub(super) struct Preview {
    /// URLs, files or folders; `-` reads standard input
    #[arg(required = true)]
    sources: Vec<String>,
}

impl Preview {
    pub(super) async fn run(self, config: &Config, console: Console) -> anyhow::Result<bool> {
        let (reader, policy) = (reader(config)?, policy(config));
        let mut is_good = true;
        for source in &self.sources {
            let read = read(source, &reader, config).await;
            is_good &= read.is_ok();
            match (console.json, read) {
                (true, Ok(batch)) => console.print_json(&as_json(source, &batch, &policy)),
                (true, Err(error)) => {
                    console.print_json(&json!({ "version": JSON_FEED, "title": source, "items": [], "_feedmill": { "source": source, "repairs": [], "error": format!("{error:#}") } }));
                }
                (false, Ok(batch)) => show(source, &batch, &policy, console),
                (false, Err(error)) => console.error(&format!("{source}: {error:#}")),
            }
        }
        Ok(is_good)
    }
}

async fn read(source: &str, reader: &Reader, config: &Config) -> anyhow::Result<Batch> {
    if let Some(url) = web_address(source) {
        return match find(&url, &reader.client, None, reader.zone, now()).await? {
            Found::Feed { batch, .. } => Ok(*batch),
            Found::Page { candidates } => {
                let feeds: Vec<&str> = candidates.iter().map(|candidate| candidate.url.as_str()).collect();
                let is_guess = candidates.iter().all(Candidate::is_guess);
                let named = if is_guess { "it names no feed; many have theirs at" } else { "the feeds that it names" };
                anyhow::bail!("this is a web page; {named}: {}", feeds.join(", "))
            }
        };
    }
    let options = folder::Options {
        first_slug: Slug::from_name("preview"),
        timezone: None,
        default_zone: reader.zone,
        base_url: None,
        max_file: reader.max_file,
        max_bundle_file: reader.max_bundle_file,
    };
    Ok(read_path(source, &options, config)?.whole()?)
}

fn as_json(source: &str, batch: &Batch, policy: &Policy) -> Value {
    let info = batch.info.clone().unwrap_or_default();
    let items: Vec<Value> = listed(source, batch, policy).map(|listed| item(&listed)).collect();
    json!({
        "version": JSON_FEED,
        "title": info.title.unwrap_or_else(|| source.to_owned()),
        "home_page_url": info.home,
        "items": items,
        "_feedmill": { "source": source, "repairs": batch.repairs, "problems": batch.problems, "skipped": batch.skipped, "error": null },
    })
}

/// The title of a source, as far as it says one.
fn title<'a>(source: &'a str, batch: &'a Batch) -> &'a str {
    batch.info.as_ref().and_then(|info| info.title.as_deref()).unwrap_or(source)
}

/// An item of a source, and what would become of it.
struct Listed<'a> {
    article: &'a Article,
    foreseen: Foreseen,
    /// Why it would be skipped.
    skipped: Option<Omission>,
}

/// All items as they stand in the document, those that are never stored, too.
fn listed<'a>(source: &'a str, batch: &'a Batch, policy: &'a Policy) -> impl Iterator<Item = Listed<'a>> {
    let info = batch.info.clone().unwrap_or_default();
    let mut passed_over = batch.passed_over.iter().map(|item| (item.before, (&item.article, Some(item.reason)))).peekable();
    let mut items = Vec::new();
    for (place, article) in batch.articles.iter().enumerate() {
        items.extend(std::iter::from_fn(|| passed_over.next_if(|(before, _)| *before <= place)).map(|(_, item)| item));
        items.push((article, None));
    }
    items.extend(passed_over.map(|(_, item)| item));
    items.into_iter().map(move |(article, skipped)| {
        let foreseen = foresee(article, title(source, batch), &info, policy);
        Listed { article, foreseen, skipped }
    })
}

fn item(Listed { article, foreseen, skipped }: &Listed<'_>) -> Value {
    let fate = match skipped {
        Some(reason) => json!({ "skipped": reason.to_string() }),
        None => json!({ "dropped": foreseen.is_dropped }),
    };
    json!({
        "id": Some(&article.guid).filter(|guid| !guid.is_empty()), "url": article.link.named(), "title": article.title, "summary": article.summary.as_deref().map(text::plain),
        "content_html": article.content.clone().unwrap_or_default(), "date_published": article.published, "date_modified": article.updated,
        "authors": article.authors, "tags": foreseen.labels,
        "language": foreseen.language, "image": article.thumbnail.as_ref().map(|picture| &picture.url),
        "attachments": article.enclosures.iter().map(|enclosure| json!({ "url": enclosure.url, "mime_type": enclosure.media_type, "size_in_bytes": enclosure.length })).collect::<Vec<_>>(),
        "_feedmill": fate,
    })
}

fn show(source: &str, batch: &Batch, policy: &Policy, console: Console) {
    console.print(&format!("{}: {} articles, {} skipped", title(source, batch), batch.articles.len(), batch.skipped));
    for Listed { article, foreseen, skipped } in listed(source, batch, policy) {
        let date = article.published.map_or_else(|| "undated".to_owned(), |time| time.format("%F").to_string());
        let fate = match skipped {
            Some(reason) => format!("  (skipped: {reason})"),
            None if foreseen.is_dropped => "  (dropped by a rule)".to_owned(),
            None => String::new(),
        };
        let title = article.title.as_deref().unwrap_or("(no title)");
        console.print(&format!("  {date}  {title}  [{}]{fate}", foreseen.labels.join(", ")));
    }
    console.problems(&batch.problems);
    for repair in &batch.repairs {
        console.print(&format!("  mended: {repair}"));
    }
}
