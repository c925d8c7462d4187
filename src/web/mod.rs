//! The door: requests in, documents out. It reads the store and renders with `output`; all that it
//! changes is what requests of WebSub leave for others to do.

mod asked;
mod cache;
mod coding;
mod document;
mod error;
mod fill;
mod headers;
mod lane;
mod memory;
mod metrics;
mod pace;
mod publish;
mod route;
mod stitch;
mod websub;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, Protocol};
use actix_server::{GracefulShutdownSignal, Server};
use actix_service::{IntoServiceFactory as _, Service, ServiceFactory as _, ServiceFactoryExt as _, fn_factory, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::web::Bytes;
use actix_web::{App, web};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

pub use error::Error;
pub use websub::{Exchange, Refusal};

use crate::crew::Crew;
use crate::model::{Look, Site, Target};
use crate::output;
use crate::store::Store;
use cache::Cache;
use coding::Coding;
use metrics::Metrics;
use pace::Pace;
use route::Outcome;

/// How soon a change that another process made is noticed.
const FOLLOW: Duration = Duration::from_millis(500);

/// How much waits at most to be done aside: codings to be made, fragments to be kept. What is beyond that comes up again.
const MOST_ASIDE: usize = 32;

/// How long requests may go on once the server is told to stop, in seconds.
const SHUTDOWN: u64 = 5;

/// What every request needs.
#[derive(Debug)]
pub struct Door {
    store: Store,
    site: Site,
    look: Look,
    cache: Cache,
    /// Makes what nobody waits for, one thing at a time: a compressor takes megabytes in each thread that had one.
    making: Crew,
    /// Turns for what is done aside: under a load that leaves no core free what waits for that would become ever more.
    aside: Arc<Semaphore>,
    exchange: Option<Exchange>,
    pace: Pace,
    metrics: Metrics,
}

impl Door {
    /// A door to a store; `cache` is the memory for published documents, in bytes.
    #[must_use]
    pub fn new(store: Store, site: Site, cache: u64) -> Self {
        let look = Sha256::digest(format!("{} {} {}", env!("CARGO_PKG_VERSION"), output::LOOK, site.url("")));
        let look = Look(look.iter().take(8).fold(0, |number, byte| number << 8 | i64::from(*byte)));
        Self {
            store,
            site,
            look,
            cache: Cache::new(cache),
            making: Crew::computing("making", 1),
            aside: Arc::new(Semaphore::new(MOST_ASIDE)),
            exchange: None,
            pace: Pace::default(),
            metrics: Metrics::default(),
        }
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

    /// Does what nobody waits for; `false`: too much else waits to be done so.
    fn do_aside(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let Ok(turn) = Arc::clone(&self.aside).try_acquire_owned() else { return false };
        tokio::spawn(async move {
            work.await;
            drop(turn);
        });
        true
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
            Ok(Outcome::Moved(_)) | Err(Error::Unknown(_) | Error::Unpublished(..) | Error::Gone) => Ok(None),
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
    let server = Server::build().shutdown_timeout(SHUTDOWN);
    let server = match workers {
        Some(workers) => server.workers(workers),
        None => server,
    };
    let stop = server.graceful_shutdown_signal();
    let service = move || {
        let (door, stop, stopping) = (Arc::clone(&door), stop.clone(), stop.clone());
        let app = App::new().app_data(web::Data::from(Arc::clone(&door))).default_service(web::to(route::handle));
        let app = map_config(app.into_factory().map_err(|error: actix_web::Error| error.error_response()), |()| AppConfig::default());
        let stopped = move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        };
        let whole = Rc::new(HttpService::build().graceful_shutdown_signal(stopped).finish(app));
        fn_factory(move || {
            let (door, stop, whole) = (Arc::clone(&door), stop.clone(), Rc::clone(&whole));
            async move {
                let whole = Rc::new(whole.new_service(()).await?);
                Ok::<_, ()>(fn_service(move |stream: TcpStream| connection(Arc::clone(&door), stop.clone(), Rc::clone(&whole), stream)))
            }
        })
    };
    Ok(server.listen("web", listener, service)?.run())
}

/// Answers what comes in on one connection: what is at hand and feeds first, then, from the first request on that is about
/// anything else, all of it.
async fn connection<H>(door: Arc<Door>, stop: GracefulShutdownSignal, whole: Rc<H>, stream: TcpStream) -> Result<(), ()>
where
    H: Service<(lane::Rest, Protocol, Option<SocketAddr>)>,
{
    let peer = stream.peer_addr().ok();
    // An answer is one piece, so there is nothing to wait for.
    stream.set_nodelay(true).ok();
    match lane::run(&door, stream, stop.notified()).await {
        Ok(Some(rest)) => whole.call((rest, Protocol::Http1, peer)).await.map(drop).map_err(drop),
        Ok(None) | Err(_) => Ok(()),
    }
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
