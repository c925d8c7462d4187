//! Threads for work that blocks. The one that was at work last is the next: few of them do nearly all of the work, so that
//! few keep memory for it.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Semaphore, oneshot};

use super::StoreError;

type Work = Box<dyn FnOnce() -> Told + Send>;
/// Tells whoever asked, once the thread is free again.
type Told = Box<dyn FnOnce() + Send>;

/// At most so many threads as there are places; they end with the crew.
#[derive(Debug)]
pub(super) struct Crew {
    places: Semaphore,
    idle: Arc<Mutex<Vec<Sender<Task>>>>,
}

/// What a thread is to do, and how it is told of the next.
struct Task {
    work: Work,
    own: Sender<Self>,
}

impl Crew {
    pub(super) fn new(places: usize) -> Self {
        Self { places: Semaphore::new(places), idle: Arc::default() }
    }

    /// Does work on one of the threads, when one is free.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _place = self.places.acquire().await.map_err(|_| StoreError::Interrupted)?;
        let (give, given) = oneshot::channel();
        // Whoever asked may have gone.
        self.start(Box::new(move || {
            let result = work();
            Box::new(move || drop(give.send(result)))
        }))?;
        given.await.map_err(|_| StoreError::Interrupted)?
    }

    fn start(&self, work: Work) -> Result<(), StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let own = match idle {
            Some(own) => own,
            None => self.hire()?,
        };
        let task = Task { work, own: own.clone() };
        own.send(task).map_err(|_| StoreError::Interrupted)
    }

    fn hire(&self) -> Result<Sender<Task>, StoreError> {
        let (own, tasks) = channel::<Task>();
        let idle: Weak<Mutex<Vec<Sender<Task>>>> = Arc::downgrade(&self.idle);
        let live = move || {
            for Task { work, own } in tasks {
                let told = work();
                if let Some(idle) = idle.upgrade() {
                    idle.lock().unwrap_or_else(PoisonError::into_inner).push(own);
                }
                told();
            }
        };
        std::thread::Builder::new().name("store".to_owned()).spawn(live).map_err(|_| StoreError::Interrupted)?;
        Ok(own)
    }
}
