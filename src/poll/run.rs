//! Runs: sources of one host that are read one after another, each while those before it are stored. Where hosts have their
//! pause (`poll.spacing`) a run is one source.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};

use super::read::{Outcome, Reader, Taken};
use super::schedule;
use crate::model::{Host, SourceId, Time, text};
use crate::store::Store;

/// So many readings may wait to be stored beside those that are being asked.
const STORING: usize = 96;
/// So many sources of one host are taken at once, where no pause parts them.
const LONGEST: usize = 256;
/// How long a run goes on; its sources are taken for longer.
const PATIENCE: Duration = Duration::from_mins(5);

/// How many sources are read at once.
#[derive(Debug)]
pub struct Room {
    asked: usize,
    asking: Arc<Semaphore>,
    storing: Arc<Semaphore>,
    is_closed: AtomicBool,
}

impl Room {
    /// So many are asked at once, and some more may wait to be stored.
    #[must_use]
    pub fn new(asked: usize) -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        Self { asked, asking: places(asked), storing: places(asked + STORING), is_closed: AtomicBool::new(false) }
    }

    /// How many readings may be at work at once.
    #[must_use]
    pub const fn readings(&self) -> usize {
        self.asked + STORING
    }

    /// Lets runs end with what is being asked now.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }
}

/// How many sources of one host are taken at once.
pub(super) const fn length(spacing: Duration) -> usize {
    if spacing.is_zero() { LONGEST } else { 1 }
}

/// Sources of one host.
#[derive(Debug)]
pub struct Run {
    host: Option<Host>,
    sources: VecDeque<Taken>,
}

impl Run {
    /// Who is asked; none: a folder.
    #[must_use]
    pub const fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// Parts sources that were taken by their hosts.
    #[must_use]
    pub fn of(taken: Vec<Taken>) -> Vec<Self> {
        let mut runs: Vec<Self> = Vec::new();
        for source in taken {
            let host = source.host();
            match runs.iter_mut().find(|run| host.is_some() && run.host == host) {
                Some(run) => run.sources.push_back(source),
                None => runs.push(Self { host, sources: VecDeque::from([source]) }),
            }
        }
        runs
    }
}

impl Reader {
    /// Reads the sources of a run one after another, while others are stored, and tells of each. What the host does not wish
    /// to be asked for now, or what comes too late, is given back, and returned.
    pub async fn read_run(
        self: &Arc<Self>,
        store: &Store,
        mut run: Run,
        room: &Room,
        now: Time,
        told: impl Fn(Outcome),
    ) -> VecDeque<SourceId> {
        let (started, mut keeping, mut given_back) = (Instant::now(), JoinSet::new(), Vec::new());
        let clock = || now + schedule::delta(started.elapsed());
        let tell = |kept: Result<Outcome, JoinError>| match kept {
            Ok(outcome) => told(outcome),
            Err(error) => tracing::error!(%error, "storing what was read was broken off"),
        };
        while let Some(taken) = run.sources.pop_front() {
            let stored = Arc::clone(&room.storing).acquire_owned().await;
            let permit = Arc::clone(&room.asking).acquire_owned().await;
            let asked = self.ask(store, taken, clock()).await;
            // What waits to be stored has to be small, or keeps its place among those that are asked.
            let places = (stored, permit.ok().filter(|_| asked.is_large()));
            let is_over = asked.busy_host().is_some() || started.elapsed() > PATIENCE || room.is_closed.load(Ordering::Relaxed);
            if is_over || run.sources.is_empty() {
                given_back.extend(run.sources.drain(..).map(|taken| (taken.id(), taken.due())));
                told(self.keep(store, asked, clock()).await);
                drop(places);
                break;
            }
            let (reader, store, at) = (Arc::clone(self), store.clone(), clock());
            keeping.spawn(async move {
                let _places = places;
                reader.keep_amid(&store, asked, at).await
            });
            while let Some(kept) = keeping.try_join_next() {
                tell(kept);
            }
        }
        while let Some(kept) = keeping.join_next().await {
            tell(kept);
        }
        if !given_back.is_empty()
            && let Err(error) = store.give_back(given_back.clone(), clock()).await
        {
            tracing::error!(error = %text::chain(&error), "cannot give back the sources of a host");
        }
        given_back.into_iter().map(|(source, _)| source).collect()
    }
}
