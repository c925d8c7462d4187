//! `feedmill import`: articles, once.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::console::{Console, summary};
use super::{Work, now};
use crate::config::Config;
use crate::model::{Applied, Batch, Extent, Memory, NewSource, Source, SourceKind, SourceSettings};
use crate::source::feed::{FeedContext, FeedLimits, parse};
use crate::source::folder;

/// Import articles once: Markdown files and folders, feed files, or standard input.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  feedmill import article.md drafts/
  feedmill import --into archive old-feed.xml
  feedmill import - < article.md")]
pub(super) struct Import {
    /// Files and folders; `-` reads standard input
    #[arg(required = true)]
    paths: Vec<String>,
    /// The inbox that the articles come into; it is made if it is not there
    #[arg(long, value_name = "NAME", default_value = "inbox")]
    into: String,
}

impl Import {
    pub(super) async fn run(self, work: &Work, console: Console) -> anyhow::Result<bool> {
        let name = self.into.clone();
        let new =
            NewSource { kind: SourceKind::Inbox, location: name.clone(), slug: None, title: name, settings: SourceSettings::default() };
        let (source, _) = work.store.add_source(new, now()).await?;
        let (mut is_good, mut total, mut skipped, mut problems) = (true, Applied::default(), 0, Vec::new());
        let spinner = console.spinner(format!("importing {}", self.paths.join(" ")));
        for path in &self.paths {
            match read(path, &source, work) {
                Ok(batch) => {
                    problems.extend(batch.problems.iter().cloned());
                    skipped += batch.skipped;
                    console.repairs(&batch.repairs);
                    total += work.store.apply(source.id, batch, None, now()).await?;
                }
                Err(error) => {
                    is_good = false;
                    console.error(&format!("{error:#}"));
                }
            }
        }
        spinner.finish_and_clear();
        console.problems(&problems);
        if console.json {
            console.print_json(&json!({ "source": source.slug, "applied": total, "skipped": skipped, "problems": problems }));
        }
        let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        console.say(&format!("imported into {}: {}{skipped}", source.slug, summary(&total, problems.len())));
        Ok(is_good && problems.is_empty())
    }
}

/// Reads one path for an inbox: what a folder lacks is not withdrawn, and a feed's title is not the inbox's.
fn read(path: &str, source: &Source, work: &Work) -> anyhow::Result<Batch> {
    let batch = read_path(path, &work.reader.folder_options(source), &work.config)?;
    Ok(Batch { extent: Extent::Partial, info: None, ..batch })
}

/// Reads a folder, a file or standard input by what it is.
pub(super) fn read_path(path: &str, options: &folder::Options, config: &Config) -> anyhow::Result<Batch> {
    if path != "-" && Path::new(path).is_dir() {
        let root = Path::new(path).canonicalize().with_context(|| format!("cannot find {path}"))?;
        return Ok(folder::read(&root, &Memory::default(), options, now())?);
    }
    let (name, bytes) = load(path)?;
    if looks_like_feed(&name, &bytes) {
        let limits = FeedLimits { articles: config.max_articles };
        let context = FeedContext { url: None, charset: None, encoding: None, zone: config.timezone, limits };
        let feed = parse(&bytes, &context).with_context(|| name.clone())?;
        let (info, repairs) = (Some(feed.info), feed.repairs);
        return Ok(Batch { articles: feed.articles, info, repairs, skipped: feed.skipped, ..Batch::default() });
    }
    folder::read_text(&name, &bytes, options, now()).map_err(|problem| anyhow::anyhow!("{problem}"))
}

/// A file's name and bytes; standard input is called `stdin`.
fn load(path: &str) -> anyhow::Result<(String, Vec<u8>)> {
    if path == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(("stdin.md".to_owned(), bytes));
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {path}; check that it is there"))?;
    Ok((path.to_owned(), bytes))
}

/// By the name, else by how it begins.
fn looks_like_feed(name: &str, bytes: &[u8]) -> bool {
    let extension = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(512)]);
    let start = start.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']);
    let is_feed =
        start.starts_with("<?xml") || start.starts_with("<rss") || start.starts_with("<feed") || start.contains("jsonfeed.org/version");
    matches!(extension.as_str(), "xml" | "rss" | "atom" | "rdf" | "json") || (name == "stdin.md" && is_feed)
}
