//! `feedmill remove`: a source goes.

use clap::Args;
use serde_json::json;

use super::console::Console;
use super::{Work, now};

/// Remove a source and withdraw its articles; adding it again brings both back.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  feedmill remove example-blog")]
pub(super) struct Remove {
    /// A source's slug, URL or path
    source: String,
}

impl Remove {
    pub(super) async fn run(self, work: &Work, console: Console) -> anyhow::Result<bool> {
        let source = work.removable(&self.source).await?;
        let withdrawn = work.store.remove_source(source.id, now()).await?;
        if console.json {
            console.print_json(&json!({ "source": source.slug, "withdrawn": withdrawn }));
        }
        console.say(&format!("removed {}; articles withdrawn: {withdrawn}", source.slug));
        Ok(true)
    }
}
