//! The command line: reads it, joins the modules, and prints what people and programs want to know.

mod add;
mod build;
mod console;
mod edit;
mod export;
mod feed;
mod import;
mod preview;
mod refresh;
mod remove;
mod rules;
mod said;
mod serve;
mod sources;
mod subscriptions;
mod taxonomy;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::Utc;
use clap::{Args, Parser, Subcommand};
use url::Url;

use crate::config::Config;
use crate::crew::{beside, cores};
use crate::model::websub::{HUB, HubLimits};
use crate::model::{Kind, Policy, Site, Source, Time};
use crate::poll::{Pace, Reader};
use crate::source::fetch::{Client, Limits, Options};
use crate::store::{Store, StoreError};
use crate::web::Exchange;
use console::Console;

/// Many feeds in; one feed per category, tag or question out.
///
/// Feedmill reads folders of Markdown articles and RSS, Atom, RDF and JSON feeds, keeps their articles in one SQLite
/// file, and publishes every category, tag, language, source and author, and every combination of them, as RSS, Atom
/// and JSON Feed, beside a small HTML site.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  feedmill serve ~/articles                     publish a folder of Markdown files
  feedmill add https://example.org/             find the feed of a page and subscribe to it
  feedmill feed '/tag/rust.atom?limit=5'        print a feed without a server
  feedmill COMMAND --help                       say more about a command";

#[derive(Debug, Args)]
struct Global {
    /// The configuration file [default: feedmill.toml here, else in the user's configuration folder]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where articles are kept, such as `sqlite:/var/lib/feedmill/feedmill.db`
    #[arg(long, global = true, value_name = "URL")]
    store: Option<String>,
    /// Print JSON where a program may read it
    #[arg(long, global = true)]
    json: bool,
    /// Print errors only
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print more
    #[arg(long, short, global = true)]
    verbose: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Add(Box<add::Add>),
    Sources(sources::Sources),
    Edit(Box<edit::Edit>),
    Remove(remove::Remove),
    Refresh(refresh::Refresh),
    Import(import::Import),
    Export(export::Export),
    Preview(preview::Preview),
    Feed(feed::Feed),
    Build(build::Build),
    /// Put tags in order: list, rename, merge, delete, restore and describe them
    #[command(after_help = TAG_EXAMPLES)]
    Tag(taxonomy::Taxonomy),
    /// Put categories in order: list, rename, merge, delete, restore and describe them
    #[command(after_help = CATEGORY_EXAMPLES)]
    Category(taxonomy::Taxonomy),
    Rules(rules::Rules),
}

const TAG_EXAMPLES: &str = "Examples:
  feedmill tag list
  feedmill tag rename golang Go
  feedmill tag merge llm LLMs large-language-models
  feedmill tag delete ads
  feedmill tag slug 人工智能 ai
  feedmill tag describe rust --description Memory-safe --picture https://example.org/rust.png";

const CATEGORY_EXAMPLES: &str = "Examples:
  feedmill category list
  feedmill category rename tech Technology
  feedmill category merge tech it Technology
  feedmill category alias Technology 科技
  feedmill category restore misc";

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let is_server = matches!(cli.command, Command::Serve(_));
    if is_server {
        serve::with_few_heaps();
    }
    let console = Console::new(cli.global.json, cli.global.quiet, cli.global.verbose);
    console.start_log(is_server);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if is_server {
        runtime.on_thread_start(beside());
    }
    let result = runtime.enable_all().build().context("cannot start").and_then(|runtime| {
        let result = runtime.block_on(run(cli, console));
        runtime.shutdown_timeout(Duration::from_secs(2));
        result
    });
    let result = result.and_then(|is_good| match console.lost() {
        Some(error) => Err(anyhow::anyhow!("cannot print all of it: {error}")),
        None => Ok(is_good),
    });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            console.error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs a command; `false`: it did what it could, and something of it failed.
async fn run(cli: Cli, console: Console) -> anyhow::Result<bool> {
    let mut flags: Vec<(&'static str, String)> = cli.global.store.clone().map(|store| ("store", store)).into_iter().collect();
    match &cli.command {
        Command::Serve(serve) => flags.extend(serve.flags()),
        Command::Build(build) => flags.extend(build.flags()),
        _ => {}
    }
    let config = configuration(cli.global.config.as_deref(), &flags)?;
    if let Command::Serve(serve::Serve { print_config: true, .. }) = &cli.command {
        console.print(config.describe().trim_end());
        return Ok(true);
    }
    match cli.command {
        Command::Serve(command) => command.run(config, console).await,
        Command::Preview(command) => command.run(&config, console).await,
        command => {
            let work = Work::open(config).await?;
            match command {
                Command::Add(command) => Box::pin(indexing(&work.store, command.run(&work, console))).await,
                Command::Sources(command) => command.run(&work, console).await,
                Command::Edit(command) => command.run(&work, console).await,
                Command::Remove(command) => command.run(&work, console).await,
                Command::Refresh(command) => Box::pin(then_indexing(&work.store, command.run(&work, console))).await,
                Command::Import(command) => Box::pin(indexing(&work.store, command.run(&work, console))).await,
                Command::Export(command) => command.run(&work, console).await,
                Command::Feed(command) => command.run(&work, console).await,
                Command::Build(command) => command.run(&work, console).await,
                Command::Tag(command) => command.run(Kind::Tag, &work, console).await,
                Command::Category(command) => command.run(Kind::Category, &work, console).await,
                Command::Rules(command) => command.run(&work, console).await,
                Command::Serve(_) | Command::Preview(_) => Ok(true),
            }
        }
    }
}

/// How often the search looks for what work has stored meanwhile.
const BEHIND: Duration = Duration::from_millis(20);

/// Does work that stores articles, and takes them into the search behind it, so that no question has to wait for that: with
/// what it leaves of the machine, and the rest with all cores. For work that one thread writes while a core is idle.
async fn indexing(store: &Store, work: impl Future<Output = anyhow::Result<bool>>) -> anyhow::Result<bool> {
    let is_done = Cell::new(false);
    let work = async {
        let result = work.await;
        is_done.set(true);
        result
    };
    let search = async {
        loop {
            let is_last = is_done.get();
            store.follow().await?;
            store.index(|| if is_done.get() { cores() } else { 1 }).await?;
            if is_last {
                return Ok::<_, StoreError>(());
            }
            tokio::time::sleep(BEHIND).await;
        }
    };
    let (result, search) = tokio::join!(work, search);
    search?;
    result
}

/// The same, once work is done that needs all cores itself: what is new is in its feeds the sooner.
async fn then_indexing(store: &Store, work: impl Future<Output = anyhow::Result<bool>>) -> anyhow::Result<bool> {
    let result = work.await;
    indexing(store, std::future::ready(result)).await
}

fn configuration(path: Option<&Path>, flags: &[(&'static str, String)]) -> anyhow::Result<Config> {
    let home = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| std::env::home_dir().map(|home| home.join(".config")));
    let places: Vec<PathBuf> =
        [Some(PathBuf::from("feedmill.toml")), home.map(|home| home.join("feedmill/feedmill.toml"))].into_iter().flatten().collect();
    let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut flags = flags.to_vec();
    // What platforms that run containers set; a flag wins over it.
    if let Some(port) = std::env::var("PORT").ok().filter(|_| !flags.iter().any(|(name, _)| *name == "bind")) {
        flags.push(("bind", format!("0.0.0.0:{port}")));
    }
    Ok(Config::read(path, &places, variables, &flags)?)
}

fn policy(config: &Config) -> Policy {
    Policy { rules: config.rules.clone(), detect_languages: config.detect_languages }
}

/// What most commands work with.
struct Work {
    config: Config,
    store: Store,
    reader: Arc<Reader>,
}

impl Work {
    async fn open(config: Config) -> anyhow::Result<Self> {
        let store = Store::open(&config.store, now()).await?.with_policy(policy(&config));
        let reader = Arc::new(reader(&config)?);
        Ok(Self { config, store, reader })
    }

    /// The site at its public URL; without one, at `port` of this machine.
    fn site(&self, port: u16) -> anyhow::Result<Site> {
        let public_url = match &self.config.public_url {
            Some(url) => url.clone(),
            None => Url::parse(&format!("http://localhost:{port}"))?,
        };
        let mut site = Site::new(self.config.title.clone(), self.config.description.clone(), &public_url, self.config.timezone);
        site.feeds.clone_from(&self.config.feeds);
        site.hub = self.config.hub(site.url(HUB));
        Ok(site)
    }

    /// What the server needs for WebSub.
    fn exchange(&self) -> Exchange {
        Exchange {
            client: self.reader.client.clone(),
            limits: HubLimits::new(self.config.max_subscriptions),
            max_body: self.reader.client.limits().body,
        }
    }

    /// The source with this slug, URL or path.
    async fn source(&self, name: &str) -> anyhow::Result<Source> {
        by_name(name, async |name| self.store.source(name).await).await
    }

    /// The source with this slug, URL or path, be it one whose removal was broken off.
    async fn removable(&self, name: &str) -> anyhow::Result<Source> {
        by_name(name, async |name| self.store.removable(name).await).await
    }
}

async fn by_name(name: &str, look: impl AsyncFn(&str) -> Result<Option<Source>, StoreError>) -> anyhow::Result<Source> {
    let path = std::fs::canonicalize(name).ok().and_then(|path| path.to_str().map(str::to_owned));
    for name in [Some(name), path.as_deref()].into_iter().flatten() {
        if let Some(source) = look(name).await? {
            return Ok(source);
        }
    }
    anyhow::bail!("there is no source {name:?}; `feedmill sources` lists those that there are")
}

fn reader(config: &Config) -> anyhow::Result<Reader> {
    let body = usize::try_from(config.max_body).unwrap_or(usize::MAX);
    let limits = Limits {
        body,
        time: config.timeout,
        pause: config.spacing,
        redirects: config.max_redirects,
        articles: config.max_articles,
        ..Limits::default()
    };
    let (allow_addresses, about, proxy) = (config.allow_addresses.clone(), config.public_url.clone(), config.proxy.clone());
    Ok(Reader {
        client: Client::new(&Options { limits, allow_addresses, about, proxy })?,
        zone: config.timezone,
        pace: Pace { min: config.poll_min, max: config.poll_max, every: config.poll_every, spacing: config.spacing },
        max_file: config.max_file,
        max_bundle_file: config.max_bundle_file,
    })
}

/// The edge: commands read the clock, and pass it on.
#[expect(clippy::disallowed_methods, reason = "the command line is an edge: what it does, it does now")]
fn now() -> Time {
    Utc::now()
}
