//! One request in flight a host, whoever leads there: sources of many hosts may redirect to one, which has its pause then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OwnedMutexGuard;

use crate::model::Host;

/// Whose turn it is at a host; in it when the last one's ended.
type Turn = Arc<tokio::sync::Mutex<Option<Instant>>>;

/// Whose turn it is at each host that is being asked, or was only just; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    hosts: HashMap<Host, Turn>,
    /// With so many it is looked for those that are of no interest any more: not each time, among thousands.
    many: usize,
}

impl Table {
    fn turn(&mut self, host: Host, pause: Duration) -> Turn {
        if self.hosts.len() >= self.many {
            // A turn that only this table knows of is nobody's, and after its pause of no interest.
            let rests = |turn: &Turn| turn.try_lock().is_ok_and(|last| last.is_some_and(|last| last.elapsed() < pause));
            self.hosts.retain(|_, turn| Arc::strong_count(turn) > 1 || rests(turn));
            self.many = FEW.max(2 * self.hosts.len());
        }
        Arc::clone(self.hosts.entry(host).or_default())
    }
}

/// So many hosts may always stay in the table.
const FEW: usize = 64;

/// The turn at a host, which ends when this is dropped.
pub(super) struct Held(OwnedMutexGuard<Option<Instant>>);

impl Drop for Held {
    fn drop(&mut self) {
        *self.0 = Some(Instant::now());
    }
}

impl Turns {
    /// Waits until nobody else asks a host, if there is one, and if it `has_pause` until `pause` is over since the last one; it
    /// is the caller's until what is given is dropped.
    pub(super) async fn at(&self, host: Option<Host>, pause: Duration, has_pause: bool) -> Option<Held> {
        let turn = self.table.lock().unwrap_or_else(PoisonError::into_inner).turn(host?, pause);
        let last = turn.lock_owned().await;
        let left = last.map_or(Duration::ZERO, |last| pause.saturating_sub(last.elapsed()));
        // To sleep for no time takes a millisecond.
        if has_pause && !left.is_zero() {
            tokio::time::sleep(left).await;
        }
        Some(Held(last))
    }
}
