//! `feedmill export`: everything out again.

mod folder;
mod markdown;

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;

use super::Work;
use super::console::Console;
use crate::model::{Content, Entry, Format, History, Options, Page, Selection, Site};
use crate::output::{self, opml};
use crate::store::Reached;
use folder::Folder;

/// How many articles are in memory at once.
const CHUNK: usize = 100;

/// Export the sources as OPML, or all public articles as Markdown files or as one JSON Feed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  feedmill export opml --out backup
  feedmill export markdown --out backup
  feedmill export json --out backup
  feedmill export json | jq .items[].title")]
pub(super) struct Export {
    /// What to write
    #[arg(value_enum)]
    what: What,
    /// The folder to write into: a new one, an empty one, or that of an earlier export
    #[arg(long, value_name = "DIR", required_if_eq("what", "markdown"))]
    out: Option<PathBuf>,
    /// Write into any folder, over whatever differs there
    #[arg(long, requires = "out")]
    force: bool,
    /// Name the addresses of private sources, too, with their secrets (OPML)
    #[arg(long)]
    private: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// The sources, for any reader
    Opml,
    /// A file for each article, with front matter and the files that belong to it
    Markdown,
    /// One JSON Feed of all articles
    Json,
}

impl Export {
    pub(super) async fn run(self, work: &Work, console: Console) -> anyhow::Result<bool> {
        let site = work.site(work.config.bind.port())?;
        let folder = self.out.as_deref().map(|out| Folder::open(out, self.force)).transpose()?;
        match (self.what, folder) {
            (What::Opml, folder) => {
                let addresses = if self.private { opml::Addresses::All } else { opml::Addresses::Public };
                let sources = work.store.sources().await?;
                let text = opml::sources(&sources, addresses, &site);
                match folder {
                    Some(mut folder) => {
                        folder.put("sources.opml", text.as_bytes())?;
                        report(&folder, sources.len(), "sources", console);
                    }
                    None => console.print_bytes(text.as_bytes()),
                }
            }
            (What::Json, Some(mut folder)) => {
                let mut file = folder.begin("articles.json")?;
                let count = json_feed(work, &site, console, &mut |text| Ok(file.write_all(text.as_bytes())?)).await?;
                folder.finish(file)?;
                report(&folder, count, "articles", console);
            }
            (What::Json, None) => {
                json_feed(work, &site, console, &mut |text| {
                    console.print_bytes(text.as_bytes());
                    Ok(())
                })
                .await?;
            }
            (What::Markdown, Some(mut folder)) => {
                let mut walk = Walk::new(work, console).await?;
                while let Some(entries) = walk.next(work).await? {
                    markdown::write(&entries, work, &site, &mut folder).await?;
                }
                folder.sweep()?;
                walk.bar.finish_and_clear();
                report(&folder, walk.count, "articles", console);
            }
            (What::Markdown, None) => anyhow::bail!("Markdown is many files; name a folder for them with --out"),
        }
        Ok(true)
    }
}

/// All public articles, a chunk at once.
struct Walk {
    bar: ProgressBar,
    next: Option<Reached>,
    count: usize,
}

impl Walk {
    async fn new(work: &Work, console: Console) -> anyhow::Result<Self> {
        let total = work.store.sources().await?.iter().map(|source| source.status.articles).sum();
        Ok(Self { bar: console.bar(total, "exporting"), next: Some(Reached::default()), count: 0 })
    }

    async fn next(&mut self, work: &Work) -> anyhow::Result<Option<Vec<Entry>>> {
        let Some(after) = self.next else { return Ok(None) };
        let (entries, next) = work.store.walk(after, CHUNK).await?;
        self.next = next;
        self.count += entries.len();
        self.bar.inc(entries.len() as u64);
        Ok(Some(entries).filter(|entries| !entries.is_empty()))
    }
}

/// Writes one JSON Feed of all articles; gives how many.
async fn json_feed(
    work: &Work,
    site: &Site,
    console: Console,
    write: &mut (dyn FnMut(&str) -> anyhow::Result<()> + Send),
) -> anyhow::Result<usize> {
    let (store, everything) = (work.store.id(), Selection::default());
    let page = Page::<Entry> { history: History::Complete, ..Page::default() };
    let channel = output::channel(&everything, &Options::default(), &page, site, store);
    let frame = output::frame(&channel, 0, site, Format::Json)?;
    write(&frame.head)?;
    let mut walk = Walk::new(work, console).await?;
    let mut position = 0;
    while let Some(entries) = walk.next(work).await? {
        for entry in &entries {
            write(frame.before(position))?;
            position += 1;
            write(&output::fragment(entry, &store, site, Content::Full, Format::Json)?)?;
        }
    }
    walk.bar.finish_and_clear();
    write(frame.end)?;
    Ok(walk.count)
}

/// Says what was written, and what of an earlier export it replaced.
fn report(folder: &Folder, count: usize, what: &str, console: Console) {
    let Folder { new, replaced, unchanged, removed, .. } = folder;
    if console.json {
        let replaced = replaced.len();
        let done =
            json!({ "folder": folder.root, what: count, "new": new, "replaced": replaced, "unchanged": unchanged, "removed": removed });
        console.print_json(&done);
    }
    if console.verbose {
        for path in replaced {
            console.say(&format!("replaced, since it differed: {path}"));
        }
    }
    let place = folder.root.display();
    let gone = if *removed > 0 { format!(", {removed} removed") } else { String::new() };
    console.say(&format!("{count} {what} in {place}: {new} files new, {} replaced, {unchanged} as they were{gone}", replaced.len()));
}
