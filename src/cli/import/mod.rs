//! `feedmill import`: articles or subscriptions, once.

mod together;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::TimeDelta;
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;

use self::together::{Part, join};
use super::console::{Console, summary};
use super::subscriptions::subscribe;
use super::taxonomy::name;
use super::{Work, now};
use crate::config::Config;
use crate::model::{Applied, Batch, Memory, NewSource, Problem, Source, SourceKind, SourceSettings};
use crate::source::feed::{FeedContext, FeedLimits, parse};
use crate::source::{folder, opml};
use crate::store::{Lease, Store};

/// The most articles of one file: they are in memory at once.
const MOST: usize = 1_000_000;

/// How long an import may have an inbox for itself: longer than nearly all take, since after one that was killed the next waits
/// for it. How often others ask for it.
const TURN: TimeDelta = TimeDelta::seconds(20);
const AGAIN: Duration = Duration::from_millis(50);

/// Import once: Markdown files and folders, feed files, subscriptions (OPML), or standard input.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  feedmill import article.md drafts/
  feedmill import --into archive old-feed.xml
  feedmill import subscriptions.opml
  feedmill import - < article.md")]
pub(super) struct Import {
    /// Files and folders; `-` reads standard input
    #[arg(required = true)]
    paths: Vec<String>,
    /// The inbox that the articles come into; it is made if it is not there
    #[arg(long, value_name = "NAME", default_value = "inbox", value_parser = name)]
    into: String,
}

/// What came of all articles.
#[derive(Default)]
struct Imported {
    /// Where they go; a list of subscriptions alone makes no inbox.
    inbox: Option<Source>,
    /// What was read of each path, and where texts wait if that is much.
    parts: Vec<Part>,
    shelf: Arc<folder::Shelf>,
    total: Applied,
    skipped: usize,
    problems: Vec<Problem>,
}

impl Import {
    pub(super) async fn run(self, work: &Work, console: Console) -> anyhow::Result<bool> {
        let (mut is_good, mut imported) = (true, Imported::default());
        let spinner = console.spinner(format!("importing {}", self.paths.join(" ")));
        for path in &self.paths {
            let result = match Input::open(path) {
                Ok(Input::File(name, bytes)) if opml::is_opml(&bytes) => {
                    // A list has a bar of its own.
                    spinner.finish_and_clear();
                    subscribe(work, &name, &bytes, &SourceSettings::default(), console).await.map(|taken| is_good &= taken)
                }
                Ok(input) => imported.take(input, &self.into, work, console).await,
                Err(error) => Err(error),
            };
            if let Err(error) = result {
                is_good = false;
                console.error(&format!("{error:#}"));
            }
        }
        let stored = imported.store(work, &spinner).await;
        spinner.finish_and_clear();
        stored?;
        Ok(imported.report(console) && is_good)
    }
}

impl Imported {
    /// Reads the articles of one path.
    async fn take(&mut self, input: Input, into: &str, work: &Work, console: Console) -> anyhow::Result<()> {
        let inbox = match &self.inbox {
            Some(inbox) => inbox,
            None => self.inbox.insert(inbox(into, work).await?),
        };
        let root = input.root();
        let mut batch = input.read(&work.reader.folder_options(inbox), &work.config)?;
        console.repairs(&batch.repairs);
        self.shelf.put_reading(&mut batch);
        self.parts.push(Part { root, batch });
        Ok(())
    }

    /// Stores all of them as one reading, so that they are listed as they were published if they are the inbox's first.
    async fn store(&mut self, work: &Work, spinner: &ProgressBar) -> anyhow::Result<()> {
        let Some(inbox) = self.inbox.as_ref().filter(|_| !self.parts.is_empty()) else { return Ok(()) };
        let what = spinner.message();
        let inbox = turn(inbox, &work.store, spinner).await?;
        spinner.set_message(what);
        let stored = self.store_into(&inbox, work).await;
        if stored.is_err() {
            work.store.give_back(vec![(inbox.id, None)], now()).await?;
        }
        stored
    }

    async fn store_into(&mut self, inbox: &Source, work: &Work) -> anyhow::Result<()> {
        let batch = join(std::mem::take(&mut self.parts), inbox, &work.store).await?;
        (self.problems, self.skipped) = (batch.problems.clone(), batch.skipped);
        self.total = work.store.apply(inbox.id, batch, None, now()).await?;
        Ok(())
    }

    /// Says what came of them; `false`: some could not be read.
    fn report(&self, console: Console) -> bool {
        let Some(Source { slug, .. }) = &self.inbox else { return true };
        console.problems(&self.problems);
        if console.json {
            console.print_json(&json!({ "source": slug, "applied": self.total, "skipped": self.skipped, "problems": self.problems }));
        }
        let skipped = if self.skipped > 0 { format!(", {} skipped", self.skipped) } else { String::new() };
        console.say(&format!("imported into {slug}: {}{skipped}", summary(&self.total, self.problems.len())));
        self.problems.is_empty()
    }
}

/// Takes an inbox until something is stored in it: which names are free there is for one import at a time to see. Who keeps it
/// for longer may have been killed.
async fn turn(inbox: &Source, store: &Store, spinner: &ProgressBar) -> anyhow::Result<Source> {
    let (mut since, lease) = (Instant::now(), Lease { is_forced: true, ..TURN.into() });
    loop {
        if let Some(inbox) = store.claim_of(vec![inbox.id], now(), lease).await?.pop() {
            return Ok(inbox);
        }
        let is_there = store.source(&inbox.location).await?.is_some_and(|known| known.id == inbox.id);
        anyhow::ensure!(is_there, "{} was removed meanwhile; nothing was imported into it", inbox.slug);
        if since.elapsed() > TURN.to_std()? {
            store.give_back(vec![(inbox.id, None)], now()).await?;
            since = Instant::now();
        }
        spinner.set_message(format!(
            "waiting for another import into {}, up to {} s after one that was broken off",
            inbox.slug,
            TURN.num_seconds()
        ));
        tokio::time::sleep(AGAIN).await;
    }
}

async fn inbox(name: &str, work: &Work) -> anyhow::Result<Source> {
    let (title, location) = (name.to_owned(), name.to_owned());
    let new = NewSource { kind: SourceKind::Inbox, location, slug: None, title, settings: SourceSettings::default() };
    Ok(work.store.add_source(new, now()).await?.0)
}

/// Reads a folder, a file or standard input by what it is.
pub(super) fn read_path(path: &str, options: &folder::Options, config: &Config) -> anyhow::Result<Batch> {
    Input::open(path)?.read(options, config)
}

/// What a path names.
enum Input {
    Folder(PathBuf),
    /// A name and bytes; standard input is called `-`.
    File(String, Vec<u8>),
}

/// What names standard input.
const STDIN: &str = "-";

impl Input {
    fn open(path: &str) -> anyhow::Result<Self> {
        if path == STDIN {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
            return Ok(Self::File(path.to_owned(), bytes));
        }
        if Path::new(path).is_dir() {
            return Ok(Self::Folder(Path::new(path).canonicalize().with_context(|| format!("cannot find {path}"))?));
        }
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {path}; check that it is there"))?;
        Ok(Self::File(path.to_owned(), bytes))
    }

    /// The folder that it is, or that it is in.
    fn root(&self) -> PathBuf {
        match self {
            Self::Folder(root) => root.clone(),
            Self::File(name, _) => std::path::absolute(name).ok().and_then(|path| path.parent()?.canonicalize().ok()).unwrap_or_default(),
        }
    }

    fn read(self, options: &folder::Options, config: &Config) -> anyhow::Result<Batch> {
        let (name, bytes) = match self {
            Self::Folder(root) => return Ok(folder::read(&root, &Memory::default(), options, now())?),
            Self::File(name, bytes) => (name, bytes),
        };
        if looks_like_feed(&name, &bytes) {
            let limits = FeedLimits { articles: MOST + 1 };
            let context = FeedContext { url: None, charset: None, encoding: None, zone: config.timezone, limits };
            let feed = parse(&bytes, &context).with_context(|| name.clone())?;
            let (info, repairs) = (Some(feed.info), feed.repairs);
            let (articles, passed_over) = (feed.articles, feed.passed_over);
            // What is one's own is taken in whole, as a folder is, or not at all.
            anyhow::ensure!(articles.len() + passed_over.len() <= MOST, "{name} has more than {MOST} articles; part it into several files");
            return Ok(Batch { articles, info, repairs, skipped: passed_over.len(), passed_over, ..Batch::default() });
        }
        let read =
            if name == STDIN { folder::read_nameless(&bytes, options, now()) } else { folder::read_text(&name, &bytes, options, now()) };
        read.map_err(|problem| anyhow::anyhow!("{problem}"))
    }
}

/// By the name, else by how it begins.
fn looks_like_feed(name: &str, bytes: &[u8]) -> bool {
    let extension = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(512)]);
    let start = start.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']);
    let begins = ["<?xml", "<rss", "<feed", "<rdf:RDF"].iter().any(|begin| start.starts_with(begin));
    match extension.as_str() {
        "xml" | "rss" | "atom" | "rdf" | "json" | "opml" => true,
        "md" | "markdown" => false,
        _ => begins || (start.starts_with('{') && start.contains("jsonfeed.org/version")),
    }
}
