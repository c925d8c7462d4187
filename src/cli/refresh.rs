//! `feedmill refresh`: read what is due, now.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::console::{Console, summary};
use super::{Work, now};
use crate::model::{Applied, Host, Source, SourceId, SourceKind, Time};
use crate::poll::{Outcome, Room, Run};
use crate::store::Lease;

/// Read the sources that are due now, and say when the others are.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  feedmill refresh
  feedmill refresh example-blog --force")]
pub(super) struct Refresh {
    /// Only these: slugs, URLs or paths
    sources: Vec<String>,
    /// Read them though they are not due; one that is gone (410) only if it is named
    #[arg(long)]
    force: bool,
}

/// How long the command waits for a host that is being asked or has its pause.
const PATIENCE: TimeDelta = TimeDelta::minutes(1);
/// About how many sources are taken at once.
const AT_ONCE: usize = 64;
/// How often it looks for hosts that are free again, while others answer.
const TICK: Duration = Duration::from_secs(1);

impl Refresh {
    pub(super) async fn run(self, work: &Work, console: Console) -> anyhow::Result<bool> {
        work.store.forget_times_ahead(now()).await?;
        // Of a list of subscriptions each is due a little later than the one before; who refreshes does not wait for that.
        let mut wanted = self.wanted(work).await?;
        let unread: Vec<_> = wanted.iter().filter(|source| source.status.last_read.is_none()).map(|source| source.id).collect();
        if !unread.is_empty() {
            work.store.hasten(unread, now()).await?;
            wanted = self.wanted(work).await?;
        }
        // What is gone is asked by its name alone.
        let is_forced = |source: &Source| self.force && !(self.sources.is_empty() && source.status.is_gone());
        let due = |source: &&Source| is_forced(source) || source.status.due.is_some_and(|due| due <= now());
        let lease = Lease { is_forced: self.force, ..work.reader.pace.lease() };
        let mut reading = Reading::new(work, wanted.iter().filter(due), lease, console);
        let wanted: HashSet<SourceId> = wanted.into_iter().map(|source| source.id).collect();
        reading.run().await?;
        reading.bar.finish_and_clear();
        let is_good = reading.summary();
        let left: HashSet<SourceId> = wanted.difference(&reading.done).copied().collect();
        let sources = if left.is_empty() { Vec::new() } else { work.store.sources().await? };
        for source in sources {
            if left.contains(&source.id) {
                console.say(&format!("{}: {}", source.slug, self.later(&source, work)));
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

    /// Why a source was not read, and when it will be.
    fn later(&self, source: &Source, work: &Work) -> String {
        let when = |time: Time| time.with_timezone(&work.config.timezone).format("%F %R");
        let rests = source.status.host_free.filter(|free| *free > now());
        match (source.status.due, rests) {
            _ if source.status.taken_until > now() => {
                format!("another process is reading it, until {} at the longest", when(source.status.taken_until))
            }
            (due, Some(free)) if self.force || due.is_some_and(|due| free > due) => format!("its host is left alone until {}", when(free)),
            (None, _) => format!("gone, it is not asked any more; `feedmill refresh {} --force` asks once", source.slug),
            (Some(due), _) => format!("not due before {}", when(due)),
        }
    }
}

/// What is being read, and what came of it.
struct Reading<'a> {
    work: &'a Work,
    lease: Lease,
    console: Console,
    bar: ProgressBar,
    /// By host; whose host is being asked now wait for that.
    left: VecDeque<(Option<Host>, VecDeque<SourceId>)>,
    asked: HashSet<Host>,
    done: HashSet<SourceId>,
    total: Applied,
    unreadable: usize,
    failed: usize,
}

impl<'a> Reading<'a> {
    fn new<'s>(work: &'a Work, sources: impl Iterator<Item = &'s Source>, lease: Lease, console: Console) -> Self {
        let (mut left, mut places, mut count) = (VecDeque::<(_, VecDeque<_>)>::new(), HashMap::new(), 0);
        for source in sources {
            let host = source.host();
            let place = host.clone().map_or(left.len(), |host| *places.entry(host).or_insert(left.len()));
            match left.get_mut(place) {
                Some((_, sources)) => sources.push_back(source.id),
                None => left.push_back((host, VecDeque::from([source.id]))),
            }
            count += 1;
        }
        let bar = console.bar(count, "reading");
        let (asked, done, total) = (HashSet::new(), HashSet::new(), Applied::default());
        Self { work, lease, console, bar, left, asked, done, total, unreadable: 0, failed: 0 }
    }

    /// Reads what is left, the sources of a host one after another, with a pause between them.
    async fn run(&mut self) -> anyhow::Result<()> {
        let (mut readings, mut taken) = (JoinSet::new(), VecDeque::new());
        let room = Arc::new(Room::new(self.work.config.concurrency));
        let (tell, mut told) = mpsc::unbounded_channel();
        let mut may_take = true;
        loop {
            for _ in 0..self.left.len().div_ceil(AT_ONCE) {
                if may_take && readings.len() + taken.len() < room.readings() {
                    taken.extend(self.take().await?);
                }
            }
            while readings.len() < room.readings() {
                let Some(run): Option<Run> = taken.pop_front() else { break };
                let (store, reader, room, tell) = (self.work.store.clone(), Arc::clone(&self.work.reader), Arc::clone(&room), tell.clone());
                readings.spawn(async move {
                    let host = run.host().cloned();
                    // Who listens ends when all are read.
                    (host, reader.read_run(&store, run, &room, now(), |outcome| drop(tell.send(outcome))).await)
                });
            }
            may_take = true;
            if readings.is_empty() {
                let Some(pause) = self.pause().await? else { return Ok(()) };
                tokio::time::sleep(pause).await;
                continue;
            }
            tokio::select! {
                Some(outcome) = told.recv() => {
                    self.note(&outcome);
                    may_take = false;
                }
                Some(ended) = readings.join_next() => self.leave(ended?),
                () = tokio::time::sleep(TICK) => {}
            }
            // What has ended has told all of its outcomes: they are noted after that.
            while let Some(ended) = readings.try_join_next() {
                self.leave(ended?);
                may_take = true;
            }
            while let Ok(outcome) = told.try_recv() {
                self.note(&outcome);
            }
        }
    }

    /// Notes that a host is asked no more, and what of its sources was given back.
    fn leave(&mut self, (host, mut given_back): (Option<Host>, VecDeque<SourceId>)) {
        if let Some(host) = &host {
            self.asked.remove(host);
        }
        if given_back.is_empty() {
            return;
        }
        match self.left.iter_mut().find(|(other, _)| host.is_some() && *other == host) {
            Some((_, others)) => others.append(&mut given_back),
            None => self.left.push_back((host, given_back)),
        }
    }

    /// Takes a run of each of some hosts; those whose host may not be asked now wait behind the others.
    async fn take(&mut self) -> anyhow::Result<Vec<Run>> {
        let lease = self.lease;
        let (mut ids, mut tried) = (Vec::new(), Vec::new());
        for _ in 0..self.left.len() {
            if ids.len() >= AT_ONCE {
                break;
            }
            let Some((host, mut sources)) = self.left.pop_front() else { break };
            if host.as_ref().is_none_or(|host| !self.asked.contains(host)) {
                let first: Vec<_> = sources.drain(..sources.len().min(lease.run)).collect();
                ids.extend(first.iter().copied());
                tried.push((host, first, sources));
            } else {
                self.left.push_back((host, sources));
            }
        }
        let taken = self.work.store.claim_of(ids, now(), lease).await?;
        let is_taken: HashSet<SourceId> = taken.iter().map(|source| source.id).collect();
        for (host, first, mut sources) in tried {
            sources.extend(first.into_iter().filter(|id| !is_taken.contains(id)));
            if !sources.is_empty() {
                self.left.push_back((host, sources));
            }
        }
        let reader = &self.work.reader;
        let open = if lease.is_forced { taken } else { reader.open(&self.work.store, taken, now()).await? };
        let runs = Run::of(reader.recall(&self.work.store, open, now()).await?);
        self.asked.extend(runs.iter().filter_map(|run| run.host().cloned()));
        Ok(runs)
    }

    /// How long it is until one of those left may be asked; `None`: too long, or somebody else asks them.
    async fn pause(&mut self) -> anyhow::Result<Option<Duration>> {
        let (sources, now) = (self.work.store.sources().await?, now());
        let left: HashSet<SourceId> = self.left.iter().flat_map(|(_, sources)| sources).copied().collect();
        let is_left = |source: &&Source| {
            let is_due = self.lease.is_forced || source.status.due.is_some_and(|due| due <= now);
            left.contains(&source.id) && is_due && source.status.taken_until <= now
        };
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
