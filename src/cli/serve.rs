//! `feedmill serve`: the server.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use super::add::{Given, add, report};
use super::console::Console;
use super::subscriptions::{opml_file, subscribe};
use super::{Work, now};
use crate::config::Config;
use crate::model::{self, Format, Selection, Site, SourceSettings, Target};
use crate::poll;
use crate::push::{Document, Messenger, Publisher, Unpublished};
use crate::web::{self, Door};

/// How long the address waits for the first readings, so that what is shown is there.
const PATIENCE: Duration = Duration::from_millis(600);

/// How long a published document may be behind the store, so that a flood of news makes no flood of looks at it.
const PACE: Duration = Duration::from_secs(1);

/// Starts the program once more, in its own place, with two heaps of glibc, unless somebody said how many it may have. Else each
/// thread has one, up to eight a core; what was let go in one no other takes, and the server grows by a third.
pub(super) fn with_few_heaps() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if std::env::var_os("MALLOC_ARENA_MAX").is_none()
        && let Ok(program) = std::env::current_exe()
    {
        use std::os::unix::process::CommandExt as _;
        let mut arguments = std::env::args_os();
        let own = arguments.next().unwrap_or_default();
        // It comes back only if it failed: then the server has more heaps.
        let _failure = std::process::Command::new(program).arg0(own).args(arguments).env("MALLOC_ARENA_MAX", "2").exec();
    }
}

/// Publish what there is, and read sources as they become due.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  feedmill serve ~/articles
  feedmill serve --bind 0.0.0.0:8080 --public-url https://feeds.example.org https://example.org/feed.xml")]
pub(super) struct Serve {
    /// Feeds, web pages, folders or OPML files to add first, where they are new
    sources: Vec<String>,
    /// Where to listen, such as `127.0.0.1:8080`; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<String>,
    /// Where readers reach the site, such as `https://feeds.example.org`
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Print the configuration in force, with where each value came from, and end
    #[arg(long)]
    pub(super) print_config: bool,
}

impl Serve {
    /// The flags that are configuration.
    pub(super) fn flags(&self) -> impl Iterator<Item = (&'static str, String)> {
        let bind = self.bind.clone().map(|bind| ("bind", bind));
        bind.into_iter().chain(self.public_url.clone().map(|url| ("public_url", url)))
    }

    pub(super) async fn run(self, config: Config, console: Console) -> anyhow::Result<bool> {
        let bind = config.bind;
        let listener = TcpListener::bind(bind)
            .with_context(|| format!("cannot listen at {bind}; stop the other program there, or choose another with --bind"))?;
        let address = listener.local_addr()?;
        let work = Arc::new(Work::open(config).await?);
        let adding = tokio::spawn(add_all(Arc::clone(&work), self.sources, console));
        // A sleep that is not waited out goes on adding beside the server.
        tokio::pin!(adding);
        let _ = tokio::time::timeout(PATIENCE, &mut adding).await;

        let site = work.site(address.port())?;
        let (named, hub) = (format!("{:?}", site.feeds), site.hub.as_deref().unwrap_or_default());
        let settings = [env!("CARGO_PKG_VERSION"), &site.title, &site.description, &site.url(""), site.zone.name(), &named, hub].join("\n");
        work.store.note_settings(settings, now()).await?;
        let host = if address.ip().is_unspecified() { format!("127.0.0.1:{}", address.port()) } else { address.to_string() };
        console.print(&format!("Feedmill {} at http://{host}{}/", env!("CARGO_PKG_VERSION"), site.prefix()));
        let examples =
            [Target::feed(&Selection::default(), Format::Rss), Target::Document(model::Document::Feeds)].map(|target| site.link(&target));
        console.say(&format!("feeds: {}, all of them: {}", examples[0], examples[1]));
        if work.config.public_url.is_none() {
            console.say("links use http://localhost; give readers elsewhere --public-url https://your.name");
        }

        let (stop, stopped) = tokio::sync::watch::channel(false);
        let door = Door::new(work.store.clone(), site.clone(), work.config.cache_size);
        let door = Arc::new(door.with_exchange(work.exchange()).with_pace(PACE));
        let poller = tokio::spawn(poll::run(
            work.store.clone(),
            Arc::clone(&work.reader),
            work.config.rescan,
            work.config.concurrency,
            stopped.clone(),
        ));
        let reached = work.config.public_url.is_some().then(|| site.clone());
        let pushes = tokio::spawn(poll::pushes(work.store.clone(), Arc::clone(&work.reader), reached, stopped.clone()));
        let messenger = tokio::spawn(messenger(&work, site, &door).run(stopped));
        let served = web::serve(door, listener, work.config.workers).await.context("the server failed");
        let _ = stop.send(true);
        poller.await.context("the poller failed")?;
        pushes.await.context("the reader of what is pushed failed")?;
        messenger.await.context("the hub failed")?;
        served.map(|()| true)
    }
}

/// Our hub: it sends what the door publishes, so that both are the same bytes.
fn messenger(work: &Work, site: Site, door: &Arc<Door>) -> Messenger {
    let door = Arc::clone(door);
    let publisher: Publisher = Arc::new(move |url| {
        let door = Arc::clone(&door);
        Box::pin(async move {
            match door.topic(&url).await {
                Ok((body, media_type)) => Ok(Document { body, media_type }),
                Err(error @ web::Error::Hub(_)) => Err(Unpublished::Refused(error.to_string())),
                Err(error) => Err(Unpublished::Failed(error.to_string())),
            }
        })
    });
    Messenger { store: work.store.clone(), site, client: work.reader.client.clone(), publisher }
}

/// Adds sources one by one; what fails is said, and the server goes on.
async fn add_all(work: Arc<Work>, sources: Vec<String>, console: Console) {
    for source in sources {
        let settings = SourceSettings::default();
        let result = match opml_file(&source) {
            Some(bytes) => subscribe(&work, &source, &bytes, &settings, console).await.map(drop),
            None => match add(&work, &source, None, settings, console).await {
                Ok(added) => report(&work, &added, &Given::default(), console).await.map(drop),
                Err(error) => Err(error),
            },
        };
        if let Err(error) = result {
            console.error(&format!("{source}: {error:#}"));
        }
    }
}
