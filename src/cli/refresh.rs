//! `feedmill refresh`: read what is due, now.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::console::{Console, summary};
use super::{Work, now};
use crate::model::{Applied, Source, SourceId, SourceKind, Time};
use crate::poll::{Outcome, STORING, Taken};

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

/// How long the command waits for a host that is being asked or has its pause.
const PATIENCE: TimeDelta = TimeDelta::minutes(1);
/// How many sources are taken at once.
const AT_ONCE: usize = 64;
/// How often it looks for hosts that are free again, while others answer.
const TICK: Duration = Duration::from_secs(1);

impl Refresh {
    pub(super) async fn run(self, work: &Work, console: Console) -> anyhow::Result<bool> {
        // Of a list of subscriptions each is due a little later than the one before; who refreshes does not wait for that.
        let mut wanted = self.wanted(work).await?;
        let unread: Vec<_> = wanted.iter().filter(|source| source.status.last_read.is_none()).map(|source| source.id).collect();
        if !unread.is_empty() {
            work.store.hasten(unread, now()).await?;
            wanted = self.wanted(work).await?;
        }
        if self.force {
            work.store.release(wanted.iter().map(|source| source.id).collect(), now()).await?;
        }
        let due = |source: &&Source| self.force || source.status.due.is_some_and(|due| due <= now());
        let mut reading = Reading::new(work, wanted.iter().filter(due).map(|source| source.id).collect(), console);
        let wanted: HashSet<SourceId> = wanted.into_iter().map(|source| source.id).collect();
        reading.run().await?;
        reading.bar.finish_and_clear();
        let is_good = reading.summary();
        let left: HashSet<SourceId> = wanted.difference(&reading.done).copied().collect();
        let sources = if left.is_empty() { Vec::new() } else { work.store.sources().await? };
        for source in sources {
            if left.contains(&source.id) {
                console.say(&format!("{}: {}", source.slug, later(&source, work)));
            }
        }
        Ok(is_good)
    }

    async fn wanted(&self, work: &Work) -> anyhow::Result<Vec<Source>> {
        let mut wanted = Vec::new();
        for name in &self.sources {
            wanted.push(work.source(name).await?);
        }
        if self.sources.is_empty() {
            wanted = work.store.sources().await?;
        }
        wanted.retain(|source| source.kind != SourceKind::Inbox);
        Ok(wanted)
    }
}

/// Why a source was not read, and when it will be.
fn later(source: &Source, work: &Work) -> String {
    let when = |time: Time| time.with_timezone(&work.config.timezone).format("%F %R");
    let rests = source.status.host_free.filter(|free| *free > now());
    match (source.status.due, rests) {
        (None, _) => "gone, it is not asked any more; --force asks once".to_owned(),
        (Some(due), Some(free)) if free > due => format!("its host is left alone until {}", when(free)),
        (Some(due), _) => format!("not due before {}", when(due)),
    }
}

/// What is being read, and what came of it.
struct Reading<'a> {
    work: &'a Work,
    console: Console,
    bar: ProgressBar,
    left: VecDeque<SourceId>,
    done: HashSet<SourceId>,
    total: Applied,
    unreadable: usize,
    failed: usize,
}

impl<'a> Reading<'a> {
    fn new(work: &'a Work, left: VecDeque<SourceId>, console: Console) -> Self {
        let bar = console.bar(left.len() as u64, "reading");
        Self { work, console, bar, left, done: HashSet::new(), total: Applied::default(), unreadable: 0, failed: 0 }
    }

    /// Reads what is left, one source of each host at once, and those of a host with a pause between them.
    async fn run(&mut self) -> anyhow::Result<()> {
        let (mut readings, mut taken) = (JoinSet::new(), VecDeque::new());
        let asking = Arc::new(Semaphore::new(self.work.config.concurrency));
        let most = self.work.config.concurrency + STORING;
        loop {
            for _ in 0..self.left.len().div_ceil(AT_ONCE) {
                if readings.len() + taken.len() < most {
                    taken.extend(self.take().await?);
                }
            }
            while readings.len() < most {
                let Some(source) = taken.pop_front() else { break };
                let (store, reader, asking) = (self.work.store.clone(), Arc::clone(&self.work.reader), Arc::clone(&asking));
                readings.spawn(async move { reader.read_among(&store, source, &asking, now()).await });
            }
            if readings.is_empty() {
                let Some(pause) = self.pause().await? else { return Ok(()) };
                tokio::time::sleep(pause).await;
            } else if let Ok(Some(done)) = tokio::time::timeout(TICK, readings.join_next()).await {
                self.note(&done?);
                while let Some(done) = readings.try_join_next() {
                    self.note(&done?);
                }
            }
        }
    }

    /// Takes some of those that are left; one whose host may not be asked now waits behind the others.
    async fn take(&mut self) -> anyhow::Result<Vec<Taken>> {
        let tried: Vec<SourceId> = self.left.drain(..self.left.len().min(AT_ONCE)).collect();
        let taken = self.work.store.claim_of(tried.clone(), now(), self.work.reader.pace.lease()).await?;
        self.left.extend(tried.into_iter().filter(|id| !taken.iter().any(|source| source.id == *id)));
        Ok(self.work.reader.recall(&self.work.store, taken, now()).await?)
    }

    /// How long it is until one of those left may be asked; `None`: too long, or somebody else asks them.
    async fn pause(&mut self) -> anyhow::Result<Option<Duration>> {
        let (sources, now) = (self.work.store.sources().await?, now());
        let left: HashSet<SourceId> = self.left.iter().copied().collect();
        let is_left = |source: &&Source| left.contains(&source.id) && source.status.due.is_some_and(|due| due <= now);
        let waits = sources.iter().filter(is_left).map(|source| source.status.host_free.unwrap_or(now).max(now) - now);
        let shortest = waits.min().filter(|wait| *wait <= PATIENCE);
        Ok(shortest.map(|wait| wait.to_std().unwrap_or_default().max(Duration::from_millis(100))))
    }

    fn note(&mut self, Outcome { source, result }: &Outcome) {
        self.done.insert(source.id);
        self.bar.inc(1);
        self.bar.suspend(|| match result {
            Ok((applied, remarks)) => {
                self.console.problems(&remarks.problems);
                self.console.repairs(&remarks.repairs);
                self.console.say(&format!("{}: {}", source.slug, summary(applied, remarks.problems.len())));
            }
            Err(error) => self.console.error(&format!("{}: {error}", source.slug)),
        });
        match result {
            Ok((applied, remarks)) => {
                self.total += *applied;
                self.unreadable += remarks.problems.len();
            }
            Err(_) => self.failed += 1,
        }
        self.bar.set_message(format!("reading: {} new, {} failed", self.total.added, self.failed));
    }

    /// Says what came of all; `false`: at least one failed.
    fn summary(&self) -> bool {
        let Self { console, failed, total, .. } = self;
        if console.json {
            console.print_json(&json!({ "read": self.done.len(), "failed": failed, "applied": total }));
        }
        console.say(&format!("{} sources read, {failed} failed: {}", self.done.len(), summary(total, self.unreadable)));
        *failed == 0
    }
}
