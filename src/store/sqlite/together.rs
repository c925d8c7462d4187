//! Writing together: what several tasks wish to write at the same time becomes one transaction, whose cost is mostly that
//! of its end. One thread writes for all, for as long as anything waits. Each still gets an answer of its own, and none before
//! the transaction is written: on disk, where that matters.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Transaction, ffi};
use tokio::sync::oneshot::{self, Receiver, Sender};

use super::terms::Names;
use super::{Sqlite, StoreError, lock};

/// So many articles one transaction takes of several readings: those that have many pages in common write each once.
const TOGETHER: usize = 1_000;

/// What a failure of the machine's power may take from those who were answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Keep {
    /// What is asked for again: a reading, whose validators are lost with it.
    Lazily,
    /// Nothing: it is on disk.
    Surely,
}

/// So many wishes to write, or half as many articles as a transaction takes, are enough for one.
const ENOUGH: usize = 64;
/// Where one transaction follows the other the next waits for enough, at the most so long, unless somebody waits for the disk.
const GATHERING: Duration = Duration::from_millis(10);
/// If nothing comes for so long nothing is waited for.
const MOMENT: Duration = Duration::from_millis(1);

/// What waits to be written.
#[derive(Default)]
pub(super) struct Queue {
    lined: Mutex<Lined>,
}

#[derive(Default)]
struct Lined {
    /// In the order of their coming.
    jobs: VecDeque<Box<dyn Job>>,
    /// Somebody writes them.
    is_written: bool,
    /// When the last transaction ended.
    last: Option<Instant>,
}

impl Lined {
    fn is_enough(&self) -> bool {
        let weight = || self.jobs.iter().map(|job| job.weight()).sum::<usize>();
        self.jobs.len() >= ENOUGH || weight() >= TOGETHER / 2 || self.jobs.iter().any(|job| job.keep() == Keep::Surely)
    }

    /// Whether more is likely to come soon, for who waits since then.
    fn is_worth_waiting(&self, since: Instant) -> bool {
        let follows = self.last.is_some_and(|last| since.duration_since(last) < GATHERING);
        follows && since.elapsed() < GATHERING && !self.is_enough()
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

/// One wish to write. It can be run again, if the transaction that it was a part of failed.
trait Job: Send {
    /// How many articles it writes, about.
    fn weight(&self) -> usize;
    fn keep(&self) -> Keep;
    fn run(&mut self, transaction: &Transaction<'_>, names: &mut Names) -> Result<(), StoreError>;
    /// Gives what came of it to whoever waits.
    fn answer(self: Box<Self>, failure: Option<StoreError>);
}

struct Waiting<T, W> {
    weight: usize,
    keep: Keep,
    work: W,
    value: Option<T>,
    answer: Sender<Result<T, StoreError>>,
}

impl<T: Send, W: FnMut(&Transaction<'_>, &mut Names) -> Result<T, StoreError> + Send> Job for Waiting<T, W> {
    fn weight(&self) -> usize {
        self.weight
    }

    fn keep(&self) -> Keep {
        self.keep
    }

    fn run(&mut self, transaction: &Transaction<'_>, names: &mut Names) -> Result<(), StoreError> {
        self.value = Some((self.work)(transaction, names)?);
        Ok(())
    }

    fn answer(self: Box<Self>, failure: Option<StoreError>) {
        let Self { value, answer, .. } = *self;
        let value = failure.map_or_else(|| value.ok_or(StoreError::Interrupted), Err);
        // Who does not wait any more needs no answer.
        answer.send(value).ok();
    }
}

/// What a transaction wrote, or failed to.
struct Written {
    jobs: Vec<(Box<dyn Job>, Option<StoreError>)>,
    /// Nothing else waits.
    is_all: bool,
}

impl Written {
    fn tell(self) {
        for (job, failure) in self.jobs {
            job.answer(failure);
        }
    }
}

impl Sqlite {
    /// Lines up what is to be written; the answer comes once somebody writes what waits. The work is told of the terms that
    /// others found before it, and leaves those that it found.
    pub(super) fn queue<T: Send + 'static>(
        &self,
        weight: usize,
        keep: Keep,
        work: impl FnMut(&Transaction<'_>, &mut Names) -> Result<T, StoreError> + Send + 'static,
    ) -> Receiver<Result<T, StoreError>> {
        let (answer, receiver) = oneshot::channel();
        lock(&self.queue.lined).jobs.push_back(Box::new(Waiting { weight, keep, work, value: None, answer }));
        receiver
    }

    /// Has what waits written: where nobody does, `begin` is to have [`Sqlite::write_queued`] called elsewhere; `None`: it cannot.
    pub(in crate::store) fn have_written(&self, begin: impl FnOnce() -> Option<()>) -> Result<(), StoreError> {
        let mut queue = lock(&self.queue.lined);
        if !queue.jobs.is_empty() && !queue.is_written {
            begin().ok_or(StoreError::Interrupted)?;
            queue.is_written = true;
        }
        Ok(())
    }

    /// Writes until nothing waits any more. `note` is told of each generation before those who wait for it. When the last are
    /// told the store is given up here, so that who waited for them can close it.
    pub(in crate::store) fn write_queued(self: Arc<Self>, note: impl Fn((u64, u64))) {
        loop {
            // A job that panics fails with those of its transaction; those behind it are written.
            match catch_unwind(AssertUnwindSafe(|| self.write_some(&note))) {
                Ok(Some(written)) if written.is_all => {
                    drop((self, note));
                    return written.tell();
                }
                Ok(Some(written)) => written.tell(),
                Ok(None) => return,
                Err(_) => {}
            }
        }
    }

    /// Writes what waits, as much as a transaction takes; `None`: nothing. If that fails each is written for itself, so that
    /// nobody fails by another's fault.
    fn write_some(&self, note: impl Fn((u64, u64))) -> Option<Written> {
        let mut jobs = self.next_jobs();
        if jobs.is_empty() {
            return None;
        }
        let keep = jobs.iter().map(|job| job.keep()).max().unwrap_or(Keep::Lazily);
        let busy = || StoreError::Busy(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None));
        // What a transaction found that failed is not there.
        let mut names = std::mem::take(&mut *lock(&self.names));
        let written = self.write_keeping(keep, |transaction| jobs.iter_mut().try_for_each(|job| job.run(transaction, &mut names)));
        let failures: Vec<_> = match written {
            Ok(()) => {
                *lock(&self.names) = names;
                jobs.iter().map(|_| None).collect()
            }
            Err(StoreError::Busy(_)) => jobs.iter().map(|_| Some(busy())).collect(),
            Err(_) => {
                let alone =
                    |job: &mut Box<dyn Job>| self.write_keeping(job.keep(), |transaction| job.run(transaction, &mut Names::default()));
                jobs.iter_mut().map(|job| alone(job).err()).collect()
            }
        };
        // Where it cannot be read now it is with the next.
        if let Ok(generations) = self.generations() {
            note(generations);
        }
        let mut queue = lock(&self.queue.lined);
        queue.last = Some(Instant::now());
        queue.is_written = !queue.jobs.is_empty();
        Some(Written { jobs: jobs.into_iter().zip(failures).collect(), is_all: queue.jobs.is_empty() })
    }

    fn write_keeping(&self, keep: Keep, work: impl FnOnce(&Transaction<'_>) -> Result<(), StoreError>) -> Result<(), StoreError> {
        match keep {
            Keep::Lazily => self.write_lazily(work),
            Keep::Surely => self.write(work),
        }
    }

    /// The next that one transaction takes; none: nobody writes any more.
    fn next_jobs(&self) -> Vec<Box<dyn Job>> {
        let mut queue = lock(&self.queue.lined);
        let (since, mut seen) = (Instant::now(), 0);
        while seen < queue.jobs.len() && queue.is_worth_waiting(since) {
            seen = queue.jobs.len();
            drop(queue);
            // Not until an instant, but for a time: a clock that is made to run faster, as tests do, would never come to it.
            thread::sleep(MOMENT);
            queue = lock(&self.queue.lined);
        }
        let (mut jobs, mut weight) = (Vec::new(), 0);
        while let Some(job) = queue.jobs.pop_front_if(|job| weight == 0 || weight + job.weight() <= TOGETHER) {
            weight += job.weight();
            jobs.push(job);
        }
        queue.is_written = !jobs.is_empty();
        jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn what_is_written_together_is_one_transaction_and_nobody_fails_by_anothers_fault() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = Arc::new(Sqlite::open(folder.path().join("t.db"), DateTime::from_timestamp(1_700_000_000, 0).unwrap()).unwrap());
        let add = |store: &Sqlite, name: &'static str| {
            store.queue(0, Keep::Surely, move |transaction, _| Ok(transaction.execute("INSERT INTO hosts (name) VALUES (?1)", [name])?))
        };
        let hosts = |store: &Sqlite| store.numbers("SELECT count(*) FROM hosts", []).unwrap()[0];
        let (mut one, mut two) = (add(&store, "one"), add(&store, "two"));
        assert_eq!(hosts(&store), 0);
        assert!(one.try_recv().is_err() && two.try_recv().is_err(), "nobody is told before it is written");
        Arc::clone(&store).write_queued(|_| ());
        assert_eq!((one.try_recv().unwrap().unwrap(), two.try_recv().unwrap().unwrap(), hosts(&store)), (1, 1, 2));
        let (mut again, mut three) = (add(&store, "one"), add(&store, "three"));
        Arc::clone(&store).write_queued(|_| ());
        assert!(again.try_recv().unwrap().is_err(), "a host has one row");
        assert_eq!((three.try_recv().unwrap().unwrap(), hosts(&store)), (1, 3));
        Arc::clone(&store).write_queued(|_| ());
        let mut broken = store.queue::<()>(0, Keep::Surely, |_, _| panic!("a job's own fault"));
        Arc::clone(&store).write_queued(|_| ());
        let mut four = add(&store, "four");
        let writers = std::cell::Cell::new(0);
        let begin = || {
            writers.set(writers.get() + 1);
            Some(())
        };
        (0..2).for_each(|_| store.have_written(begin).unwrap());
        assert_eq!(writers.get(), 1, "one writes");
        Arc::clone(&store).write_queued(|_| ());
        store.have_written(begin).unwrap();
        assert_eq!((four.try_recv().unwrap().unwrap(), hosts(&store), writers.get()), (1, 4, 1));
        assert!(broken.try_recv().is_err());
    }
}
