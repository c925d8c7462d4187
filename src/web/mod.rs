//! The door: requests in, documents out. It reads the store and renders with `output`; all that it
//! changes is what requests of WebSub leave for others to do.

mod cache;
mod coding;
mod document;
mod error;
mod fill;
mod pace;
mod publish;
mod route;
mod stitch;
mod websub;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::Bytes;
use actix_web::{App, HttpServer, web};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

pub use error::Error;
pub use websub::{Exchange, Refusal};

use crate::model::{Look, Site, Target};
use crate::output;
use crate::store::Store;
use cache::Cache;
use coding::Coding;
use pace::Pace;
use route::Outcome;

/// How soon a change that another process made is noticed.
const FOLLOW: Duration = Duration::from_millis(500);

/// What every request needs.
#[derive(Debug)]
pub struct Door {
    store: Store,
    site: Site,
    look: Look,
    cache: Cache,
    compressing: Mutex<()>,
    exchange: Option<Exchange>,
    pace: Pace,
}

impl Door {
    /// A door to a store; `cache` is the memory for published documents, in bytes.
    #[must_use]
    pub fn new(store: Store, site: Site, cache: u64) -> Self {
        let look = Sha256::digest(format!("{} {} {}", env!("CARGO_PKG_VERSION"), output::LOOK, site.url("")));
        let look = Look(look.iter().take(8).fold(0, |number, byte| number << 8 | i64::from(*byte)));
        Self { store, site, look, cache: Cache::new(cache), compressing: Mutex::default(), exchange: None, pace: Pace::default() }
    }

    /// The same, which takes requests of WebSub, too.
    #[must_use]
    pub fn with_exchange(self, exchange: Exchange) -> Self {
        Self { exchange: Some(exchange), ..self }
    }

    /// The same, which lets at least so much time pass between two looks at what changed.
    #[must_use]
    pub fn with_pace(self, pace: Duration) -> Self {
        Self { pace: Pace::new(pace), ..self }
    }

    /// The generation that documents are given at.
    fn generation(&self) -> u64 {
        self.pace.follow(self.store.generation())
    }

    /// The document at the URL of a feed that can be subscribed to, and its type.
    ///
    /// # Errors
    /// It is no such feed, or making its document failed.
    pub async fn topic(&self, url: &str) -> Result<(Vec<u8>, String), Error> {
        websub::topic(self, url).await
    }

    /// The document at a URL path with its query, as `GET` gives it: its bytes.
    ///
    /// # Errors
    /// What a request would be answered.
    pub async fn fetch(&self, target: &str) -> Result<Vec<u8>, Error> {
        route::fetch(self, target).await
    }

    /// The document of a target: what names its bytes, and these; `None` if there is none at that address.
    ///
    /// # Errors
    /// Making it failed.
    pub async fn published(&self, target: &Target) -> Result<Option<(String, Bytes)>, Error> {
        match route::outcome(self, target, false, self.store.generation()).await {
            Ok(Outcome::Document(document) | Outcome::Empty(document)) => Ok(Some((document.tag().to_owned(), document.body().clone()))),
            Ok(Outcome::Moved(_)) | Err(Error::Unknown(_) | Error::Gone) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Serves with some threads, or one for each core, until the process is told to stop.
///
/// # Errors
/// The listener fails.
pub async fn serve(door: Arc<Door>, listener: TcpListener, workers: Option<usize>) -> io::Result<()> {
    let follower = tokio::spawn(follow(door.store.clone()));
    let filler = tokio::spawn({
        let door = Arc::clone(&door);
        async move { fill::fill(&door).await }
    });
    let result = server(door, listener, workers)?.await;
    follower.abort();
    filler.abort();
    result
}

fn server(door: Arc<Door>, listener: TcpListener, workers: Option<usize>) -> io::Result<Server> {
    let data = web::Data::from(door);
    let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(route::handle))).shutdown_timeout(5);
    let server = match workers {
        Some(workers) => server.workers(workers),
        None => server,
    };
    Ok(server.listen(listener)?.run())
}

/// A document's bytes as gzip or as Brotli, if that makes them fewer.
#[must_use]
pub fn compressed(bytes: &[u8], brotli: bool) -> Option<Bytes> {
    if brotli { Coding::Brotli } else { Coding::Gzip }.encode(bytes)
}

/// Asks again and again for changes that other processes made.
async fn follow(store: Store) {
    let mut ticks = tokio::time::interval(FOLLOW);
    loop {
        ticks.tick().await;
        if let Err(error) = store.follow().await {
            tracing::warn!(%error, "cannot ask the store for changes");
        }
    }
}
