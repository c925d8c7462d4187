//! The door: requests in, documents out. It reads the store and renders with `output`; it changes nothing.

mod cache;
mod coding;
mod document;
mod error;
mod publish;
mod route;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, HttpServer, web};

pub use error::Error;

use crate::model::Site;
use crate::store::Store;
use cache::Cache;

/// How soon a change that another process made is noticed.
const FOLLOW: Duration = Duration::from_millis(500);

/// What every request needs.
#[derive(Debug)]
pub struct Door {
    store: Store,
    site: Site,
    cache: Cache,
}

impl Door {
    /// A door to a store; `cache` is the memory for published documents, in bytes.
    #[must_use]
    pub fn new(store: Store, site: Site, cache: u64) -> Arc<Self> {
        Arc::new(Self { store, site, cache: Cache::new(cache) })
    }

    /// The document at a URL path with its query, as `GET` gives it: its bytes.
    ///
    /// # Errors
    /// What a request would be answered.
    pub async fn fetch(&self, target: &str) -> Result<Vec<u8>, Error> {
        route::fetch(self, target).await
    }
}

/// Serves until the process is told to stop.
///
/// # Errors
/// The listener fails.
pub async fn serve(door: Arc<Door>, listener: TcpListener) -> io::Result<()> {
    let follower = tokio::spawn(follow(door.store.clone()));
    let data = web::Data::from(door);
    let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(route::handle)))
        .shutdown_timeout(5)
        .listen(listener)?
        .run();
    let result = server.await;
    follower.abort();
    result
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
