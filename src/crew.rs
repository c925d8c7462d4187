//! Threads for work that blocks. The one that was at work last is the next: few of them do nearly all of the work, so that
//! few keep memory for it. Those that compute give way to those that others wait for, and work for a thread that gives way is
//! done by threads that do, too: what polling asks of the store holds no request up.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot};

type Work = Box<dyn FnOnce() -> Told + Send>;
/// Tells whoever asked, once the thread is free again.
type Told = Box<dyn FnOnce() + Send>;

/// How many cores there are.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How far the threads of a crew that computes give way: all that they make waits for the one that writes, and no request
/// is to wait for them.
const COMPUTING: i32 = 5;

/// How far the threads of a server give way that answer no request: fetching, writing, folders.
const BESIDE: i32 = 8;

/// How far this thread gives way to others, 19 at most; a new one as far as that which started it.
fn niceness() -> i32 {
    #[cfg(target_os = "linux")]
    return rustix::process::getpriority_process(None).unwrap_or_default();
    #[cfg(not(target_os = "linux"))]
    0
}

/// Leaves this thread what others leave of the machine, the more the higher, where the system does so for single threads. It
/// cannot be taken back.
pub(crate) fn give_way(by: i32) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(by) {
        tracing::debug!(%error, "a thread has the priority of all else");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = by;
}

/// What the threads of a server's runtime begin with: they give way to those that answer, as this one is to do.
pub(crate) fn beside() -> impl Fn() + Send + Sync + 'static {
    let niceness_beside = niceness() + BESIDE;
    // A thread that one of them started gives way already.
    move || give_way((niceness_beside - niceness()).max(0))
}

/// How long the end of a crew waits for the work that its threads are at.
const LAST_WORK: Duration = Duration::from_secs(2);

/// At most so many threads as there are places; they end with the crew.
#[derive(Debug)]
pub(crate) struct Crew {
    name: &'static str,
    gives_way: i32,
    places: Semaphore,
    idle: Arc<Mutex<Vec<Idle>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// A thread that has nothing to do.
#[derive(Debug)]
struct Idle {
    /// How far those give way that it works for.
    niceness: i32,
    tasks: Sender<Task>,
}

/// What a thread is to do, and how it is told of the next.
struct Task {
    work: Work,
    own: Idle,
}

impl Crew {
    pub(crate) fn new(name: &'static str, places: usize) -> Self {
        Self { name, gives_way: 0, places: Semaphore::new(places), idle: Arc::default(), threads: Mutex::default() }
    }

    /// One for work that keeps a core busy, and gives way.
    pub(crate) fn computing(name: &'static str, places: usize) -> Self {
        let mut crew = Self::new(name, places);
        crew.gives_way = COMPUTING;
        crew
    }

    /// One with as many threads as there are cores: more would not do it sooner.
    pub(crate) fn of_cores(name: &'static str) -> Self {
        Self::computing(name, cores())
    }

    /// Does work on one of the threads, when one is free; `None`: it panicked, or there was no thread to be had.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let _place = self.places.acquire().await.ok()?;
        let (give, given) = oneshot::channel();
        // Whoever asked may have gone.
        self.start(Box::new(move || {
            let result = work();
            Box::new(move || drop(give.send(result)))
        }))?;
        given.await.ok()
    }

    /// Begins work on one of the threads or on another, however many are at work; `None`: there was no thread to be had.
    pub(crate) fn begin(&self, work: impl FnOnce() + Send + 'static) -> Option<()> {
        self.start(Box::new(move || {
            work();
            Box::new(|| ())
        }))
    }

    fn start(&self, work: Work) -> Option<()> {
        let niceness = niceness();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let last = idle.iter().rposition(|idle| idle.niceness == niceness).map(|place| idle.remove(place));
        drop(idle);
        let own = match last {
            Some(own) => own,
            None => Idle { niceness, tasks: self.hire()? },
        };
        own.tasks.clone().send(Task { work, own }).ok()
    }

    fn hire(&self) -> Option<Sender<Task>> {
        let (own, tasks) = channel::<Task>();
        let idle: Weak<Mutex<Vec<Idle>>> = Arc::downgrade(&self.idle);
        let gives_way = self.gives_way;
        let live = move || {
            if gives_way > 0 {
                give_way(gives_way);
            }
            for Task { work, own } in tasks {
                let told = work();
                if let Some(idle) = idle.upgrade() {
                    idle.lock().unwrap_or_else(PoisonError::into_inner).push(own);
                }
                told();
            }
        };
        let thread = std::thread::Builder::new().name(self.name.to_owned()).spawn(live).ok()?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Some(own)
    }
}

impl Drop for Crew {
    /// Work that nobody waits for any more may hold what has to be closed before the process ends.
    fn drop(&mut self) {
        // Threads that cannot say that they are free end.
        drop(std::mem::take(&mut self.idle));
        let threads = self.threads.get_mut().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + LAST_WORK;
        while threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn work_for_a_thread_that_gives_way_gives_way_as_well_and_no_other_does() {
        let crew = Crew::computing("test", 2);
        let at_work = |crew: &Crew| {
            let (tell, told) = channel();
            crew.begin(move || tell.send((std::thread::current().id(), niceness())).unwrap()).unwrap();
            let told = told.recv().unwrap();
            // It is free again.
            while crew.idle.lock().unwrap().is_empty() {
                std::thread::yield_now();
            }
            told
        };
        let usual = niceness();
        let (first, is_nice) = at_work(&crew);
        assert_eq!(is_nice, (usual + COMPUTING).min(19));
        let beside = beside();
        let (other, is_nice) = std::thread::scope(|scope| {
            let asking = scope.spawn(|| {
                beside();
                beside();
                at_work(&crew)
            });
            asking.join().unwrap()
        });
        assert!(other != first && is_nice == (usual + BESIDE + COMPUTING).min(19), "{is_nice}");
        assert_eq!(at_work(&crew).0, first);
    }

    #[test]
    fn what_was_begun_is_done_before_a_crew_ends_and_its_threads_end_with_it() {
        let (crew, is_done) = (Crew::new("test", 2), Arc::new(AtomicBool::new(false)));
        let own = Arc::clone(&is_done);
        crew.begin(move || {
            std::thread::sleep(Duration::from_millis(100));
            own.store(true, Ordering::Relaxed);
        })
        .unwrap();
        crew.begin(|| ()).unwrap();
        let started = Instant::now();
        drop(crew);
        assert!(is_done.load(Ordering::Relaxed) && started.elapsed() < LAST_WORK);
        assert_eq!(Arc::strong_count(&is_done), 1);
    }
}
