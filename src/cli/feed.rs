//! `feedmill feed`: a document without a server.

use anyhow::Context as _;
use clap::Args;
use percent_encoding::{AsciiSet, utf8_percent_encode};

use super::console::Console;
use super::{Work, cores};
use crate::web::Door;

/// Print what the server would publish at a URL path.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  feedmill feed '/tag/rust.atom?limit=5'
  feedmill feed /category/news.json | jq .items[0]")]
pub(super) struct Feed {
    /// A path as in a URL, such as `/tag/rust.rss`
    path: String,
}

impl Feed {
    pub(super) async fn run(self, work: &Work, console: Console) -> anyhow::Result<bool> {
        let door = Door::new(work.store.clone(), work.site(work.config.bind.port())?, work.config.cache_size);
        // No server may be at work that takes articles into the search.
        work.store.index(cores).await?;
        let path = format!("/{}", self.path.trim_start_matches('/'));
        // People type `/tag/人工智能.rss` as they read it.
        let path = utf8_percent_encode(&path, &AsciiSet::EMPTY).to_string();
        let bytes = door.fetch(&path).await.with_context(|| format!("cannot print {:?}", self.path))?;
        console.print_bytes(&bytes);
        Ok(true)
    }
}
