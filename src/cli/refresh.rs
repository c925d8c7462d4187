//! `feedmill refresh`: read what is due, now.

use clap::Args;
use serde_json::json;
use tokio::task::JoinSet;

use super::console::{Console, summary};
use super::{Work, now};
use crate::model::{Applied, Source, SourceKind};
use crate::poll::{LEASE, Outcome};

/// Read the sources that are due now, and say when the others are.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  feedmill refresh
  feedmill refresh example-blog --force")]
pub(super) struct Refresh {
    /// Only these: slugs, URLs or paths
    sources: Vec<String>,
    /// Read them though they are not due
    #[arg(long)]
    force: bool,
}

impl Refresh {
    pub(super) async fn run(self, work: &Work, console: Console) -> anyhow::Result<bool> {
        let mut wanted = Vec::new();
        for name in &self.sources {
            wanted.push(work.source(name).await?);
        }
        if self.sources.is_empty() {
            wanted = work.store.sources().await?;
        }
        if self.force {
            for source in wanted.iter().filter(|source| source.kind != SourceKind::Inbox) {
                work.store.release(source.id, now()).await?;
            }
        }
        let taken = work.store.claim_of(wanted.iter().map(|source| source.id).collect(), now(), LEASE).await?;
        let outcomes = read_all(work, taken, console).await;
        let is_good = print(&outcomes, console);
        if !self.force {
            for source in wanted.iter().filter(|source| !outcomes.iter().any(|outcome| outcome.source.id == source.id)) {
                if let Some(due) = source.status.due {
                    console.say(&format!("{}: not due before {}", source.slug, due.with_timezone(&work.config.timezone).format("%F %R")));
                }
            }
        }
        Ok(is_good)
    }
}

async fn read_all(work: &Work, sources: Vec<Source>, console: Console) -> Vec<Outcome> {
    let bar = console.bar(sources.len() as u64, "reading");
    let mut waiting = sources.into_iter();
    let (mut readings, mut outcomes) = (JoinSet::new(), Vec::new());
    loop {
        while readings.len() < work.config.concurrency {
            let Some(source) = waiting.next() else { break };
            let (store, reader) = (work.store.clone(), std::sync::Arc::clone(&work.reader));
            readings.spawn(async move { reader.read(&store, source, now()).await });
        }
        let Some(done) = readings.join_next().await else { break };
        outcomes.extend(done);
        bar.inc(1);
    }
    bar.finish_and_clear();
    outcomes
}

/// Prints each reading, then all together; `false`: at least one failed.
fn print(outcomes: &[Outcome], console: Console) -> bool {
    let (mut total, mut unreadable, mut failed) = (Applied::default(), 0, 0);
    for Outcome { source, result } in outcomes {
        match result {
            Ok((applied, remarks)) => {
                total += *applied;
                console.problems(&remarks.problems);
                console.repairs(&remarks.repairs);
                unreadable += remarks.problems.len();
                console.say(&format!("{}: {}", source.slug, summary(applied, remarks.problems.len())));
            }
            Err(error) => {
                failed += 1;
                console.error(&format!("{}: {error}", source.slug));
            }
        }
    }
    if console.json {
        console.print_json(&json!({ "read": outcomes.len(), "failed": failed, "applied": total }));
    }
    console.say(&format!("{} sources read, {failed} failed: {}", outcomes.len(), summary(&total, unreadable)));
    failed == 0
}
