//! How often the door looks at what changed: however many sources are read, a document is checked so often at most.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The generation that is given out: of those that follow each other faster than the pace, some are passed over.
#[derive(Debug)]
pub(super) struct Pace {
    gap: Duration,
    start: Instant,
    generation: AtomicU64,
    /// When that generation was taken up, in milliseconds since the start, plus the gap: when the next may be.
    next: AtomicU64,
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(Duration::ZERO)
    }
}

impl Pace {
    pub(super) fn new(gap: Duration) -> Self {
        Self { gap, start: Instant::now(), generation: AtomicU64::new(0), next: AtomicU64::new(0) }
    }

    /// The generation to give out, when this is the newest.
    pub(super) fn follow(&self, newest: u64) -> u64 {
        let given = self.generation.load(Ordering::Acquire);
        if newest <= given {
            return given;
        }
        let passed = self.start.elapsed();
        let (now, next) = (milliseconds(passed), self.next.load(Ordering::Acquire));
        let is_taken =
            now >= next && self.next.compare_exchange(next, milliseconds(passed + self.gap), Ordering::AcqRel, Ordering::Acquire).is_ok();
        if is_taken { self.generation.fetch_max(newest, Ordering::AcqRel).max(newest) } else { given }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_many_changes_is_given_at_once_and_the_others_wait() {
        let pace = Pace::new(Duration::from_hours(1));
        assert_eq!([3, 4, 9].map(|newest| pace.follow(newest)), [3, 3, 3]);
        let unpaced = Pace::default();
        assert_eq!([3, 4, 9].map(|newest| unpaced.follow(newest)), [3, 4, 9]);
    }
}
