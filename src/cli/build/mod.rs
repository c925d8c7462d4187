//! `feedmill build`: the whole site as files, for any web server.

mod folder;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix_web::web::Bytes;
use anyhow::Context as _;
use clap::Args;
use data_encoding::HEXLOWER;
use indicatif::ProgressBar;
use percent_encoding::percent_decode_str;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

use super::console::Console;
use super::{Work, cores, now};
use crate::model::{ArticleForm, Document, Format, Kind, Options, Selection, Site, SourceKind, Target, full_hour};
use crate::output::opml;
use crate::store::Reached;
use crate::web::{Door, compressed};
use folder::{Done, Folder};

/// How many articles are looked at at once.
const CHUNK: usize = 100;

/// Write every page and feed as files, for a CDN or any web server; what has not changed is not written again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  feedmill build /var/www/feeds --public-url https://feeds.example.org
  feedmill build public --brotli")]
pub(super) struct Build {
    /// The folder to write into: a new or an empty one, or that of an earlier build
    dir: PathBuf,
    /// Where readers will reach the site, such as `https://feeds.example.org`
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Write Brotli files, too, beside those in gzip; it takes longer
    #[arg(long)]
    brotli: bool,
}

/// What each file is made with.
struct Press {
    door: Door,
    folder: Folder,
    brotli: bool,
    bar: ProgressBar,
}

impl Build {
    /// The flags that are configuration.
    pub(super) fn flags(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.public_url.clone().map(|url| ("public_url", url)).into_iter()
    }

    pub(super) async fn run(self, work: &Work, console: Console) -> anyhow::Result<bool> {
        anyhow::ensure!(
            work.config.public_url.is_some(),
            "it is not known where the site will stand; give --public-url https://your.name, or set `public_url`"
        );
        let mut site = work.site(work.config.bind.port())?;
        site.is_static = true;
        apart_from_sources(work, &self.dir).await?;
        let folder = Folder::open(&self.dir)?;
        // No server may be at work that takes articles into the search, which named feeds may ask.
        work.store.index(cores).await?;
        let stamp = stamp(work, &site, self.brotli).await?;
        if let Some(unchanged) = folder.whole(&stamp) {
            return Ok(report(&Done { written: 0, unchanged, removed: 0 }, &[], &self, console));
        }
        let door = Door::new(work.store.clone(), site.clone(), work.config.cache_size);
        let press = Arc::new(Press { door, folder, brotli: self.brotli, bar: console.bar(0, "building") });
        let problems = build(work, &site, &press).await?;
        press.bar.finish_and_clear();
        let folder = Arc::into_inner(press).context("files are still being written")?.folder;
        let done = folder.finish(&stamp, problems.is_empty())?;
        Ok(report(&done, &problems, &self, console))
    }
}

/// A site in a folder that is read would be read as articles.
async fn apart_from_sources(work: &Work, dir: &Path) -> anyhow::Result<()> {
    let dir = std::path::absolute(dir).with_context(|| format!("cannot find {}", dir.display()))?;
    let sources = work.store.sources().await?;
    let around = sources.iter().find(|source| source.kind == SourceKind::Folder && dir.starts_with(&source.location));
    anyhow::ensure!(around.is_none(), "{} is in a folder that is read as a source; give another one", dir.display());
    Ok(())
}

/// All that the files depend on, in short.
async fn stamp(work: &Work, site: &Site, brotli: bool) -> anyhow::Result<String> {
    let moves = site.feeds.iter().any(|feed| feed.selection.is_relative());
    let hour = moves.then(|| full_hour(now()).timestamp());
    let (generation, health) = (work.store.follow().await?, work.store.health_stamp().await?);
    // What is set of a source need not be news.
    let sources = opml::sources(&work.store.sources().await?, opml::Addresses::Public, site);
    let all = format!("{} {site:?} {generation} {health} {hour:?} {brotli} {sources}", env!("CARGO_PKG_VERSION"));
    Ok(HEXLOWER.encode(&Sha256::digest(all)))
}

/// Makes all files; gives what went wrong with single ones.
async fn build(work: &Work, site: &Site, press: &Arc<Press>) -> anyhow::Result<Vec<String>> {
    let mut crew = Crew { press, making: JoinSet::new(), most: cores(), problems: Vec::new() };
    for (path, bytes) in crate::output::html::assets() {
        let state = HEXLOWER.encode(&Sha256::digest(bytes));
        let name = path.trim_start_matches('/');
        if !press.folder.has(name, &state) {
            press.folder.put(name, &state, &codings(Bytes::from_static(bytes), press.brotli))?;
        }
    }
    for target in lists(work, site).await? {
        crew.make(target).await;
    }
    let mut next = Some(Reached::default());
    while let Some(after) = next {
        let entries;
        (entries, next) = work.store.walk(after, CHUNK).await?;
        for entry in entries {
            for form in [ArticleForm::Page, ArticleForm::Json, ArticleForm::Markdown] {
                crew.make(Target::Article(entry.key.clone(), form)).await;
            }
            for file in entry.article.files {
                crew.make(Target::File(entry.key.clone(), file.name)).await;
            }
        }
    }
    crew.finish().await;
    Ok(crew.problems)
}

/// All that is not of one article.
async fn lists(work: &Work, site: &Site) -> anyhow::Result<Vec<Target>> {
    let mut selections = vec![Selection::default()];
    for feed in &site.feeds {
        let mut named = Selection::default();
        named.name = Some(feed.slug.clone());
        selections.push(named);
    }
    for kind in Kind::ALL {
        let terms = work.store.directory(kind).await?;
        selections.extend(terms.into_iter().map(|term| Selection::of(kind, term.name.slug)));
    }
    let formats = || [None].into_iter().chain(Format::ALL.map(Some));
    let list = |selection: &Selection, format| Target::List { selection: selection.clone(), options: Options::default(), format };
    let mut targets: Vec<Target> = selections.iter().flat_map(|selection| formats().map(|format| list(selection, format))).collect();
    targets.extend([Kind::Category, Kind::Tag, Kind::Source].map(Target::Directory));
    targets.extend(formats().map(Target::Health));
    targets.extend([Document::Sources, Document::Feeds, Document::Robots, Document::Sitemap].map(Target::Document));
    Ok(targets)
}

/// Makes files, as many at once as there are cores.
struct Crew<'a> {
    press: &'a Arc<Press>,
    making: JoinSet<Result<(), String>>,
    most: usize,
    problems: Vec<String>,
}

impl Crew<'_> {
    async fn make(&mut self, target: Target) {
        while self.making.len() >= self.most {
            self.take().await;
        }
        self.press.bar.inc_length(1);
        let press = Arc::clone(self.press);
        self.making.spawn(async move {
            let made = Arc::clone(&press).make(&target).await.map_err(|error| format!("{}: {error:#}", target.path()));
            press.bar.inc(1);
            made
        });
    }

    async fn take(&mut self) {
        match self.making.join_next().await {
            Some(Ok(Err(problem))) => self.problems.push(problem),
            Some(Err(error)) => self.problems.push(error.to_string()),
            _ => {}
        }
    }

    async fn finish(&mut self) {
        while !self.making.is_empty() {
            self.take().await;
        }
    }
}

impl Press {
    async fn make(self: Arc<Self>, target: &Target) -> anyhow::Result<()> {
        // What is no longer there, or elsewhere, has no file.
        let Some((tag, bytes)) = self.door.published(target).await? else { return Ok(()) };
        let (name, state) = (file_name(target)?, if self.brotli { format!("{tag}+br") } else { tag });
        anyhow::ensure!(folder::is_safe(&name), "{name:?} cannot be the name of a file");
        if self.folder.has(&name, &state) {
            return Ok(());
        }
        // Pictures are small already, and a file of an article may have the name that its coding would have.
        let is_own = matches!(target, Target::File(..));
        let write = move || {
            let codings = if is_own { [Some(bytes), None, None] } else { codings(bytes, self.brotli) };
            self.folder.put(&name, &state, &codings)
        };
        tokio::task::spawn_blocking(write).await?
    }
}

/// A file as it is, as gzip, and as Brotli if that is wanted; without a coding that gains nothing.
fn codings(bytes: Bytes, brotli: bool) -> [Option<Bytes>; 3] {
    let (gzip, brotli) = (compressed(&bytes, false), brotli.then(|| compressed(&bytes, true)));
    [Some(bytes), gzip, brotli.flatten()]
}

/// Where a target's file stands: at its path, a page as the index of a folder, so that any server gives it there.
fn file_name(target: &Target) -> anyhow::Result<String> {
    let path = target.path();
    let path = percent_decode_str(path.trim_start_matches('/')).decode_utf8().context("its path is no text")?;
    let is_page = matches!(
        target,
        Target::List { format: None, .. } | Target::Article(_, ArticleForm::Page) | Target::Directory(_) | Target::Health(None)
    );
    Ok(match target {
        _ if is_page && path.is_empty() => "index.html".to_owned(),
        _ if is_page => format!("{path}/index.html"),
        // `/opml/feeds` stands below it.
        Target::Document(Document::Sources) => format!("{path}/index.opml"),
        _ => path.into_owned(),
    })
}

/// Says what was done, and whether all went well.
fn report(done: &Done, problems: &[String], build: &Build, console: Console) -> bool {
    let Done { written, unchanged, removed } = done;
    if console.json {
        console.print_json(&json!({ "written": written, "unchanged": unchanged, "removed": removed, "problems": problems }));
    }
    for problem in problems {
        console.error(problem);
    }
    console.say(&format!("{}: {written} files written, {unchanged} unchanged, {removed} removed", build.dir.display()));
    problems.is_empty()
}
