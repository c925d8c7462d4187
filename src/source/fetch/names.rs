//! The addresses of names that were looked up lately, so that many sources of one host ask the resolver once. Whether an
//! address may be connected to is not decided here.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer of the resolver, which tells no lifetime, is believed.
const LIFETIME: Duration = Duration::from_mins(1);
/// Names beyond these are looked up each time.
const MOST: usize = 1_000;

/// Until when an answer is believed, and what it was, by name.
type Known = HashMap<String, (Instant, Vec<SocketAddr>)>;

/// Names with their addresses; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    known: Arc<Mutex<Known>>,
}

impl Names {
    /// The addresses of a name, if they were looked up lately.
    pub(super) fn addresses(&self, name: &str, now: Instant) -> Option<Vec<SocketAddr>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, addresses) = known.get(name)?;
        (now < *until).then(|| addresses.clone())
    }

    /// Remembers what the resolver said.
    pub(super) fn keep(&self, name: &str, addresses: &[SocketAddr], now: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, (until, _)| now < *until);
        }
        if known.len() < MOST {
            known.insert(name.to_owned(), (now + LIFETIME, addresses.to_vec()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_remembered_for_a_minute_and_no_more_names_than_there_is_room_for() {
        let (names, start, addresses) = (Names::default(), Instant::now(), ["127.0.0.1:0".parse().unwrap()]);
        for number in 0..=MOST {
            names.keep(&number.to_string(), &addresses, start);
        }
        assert_eq!(names.addresses("0", start).as_deref(), Some(&addresses[..]));
        assert_eq!(names.addresses(&MOST.to_string(), start), None);
        let later = start + LIFETIME;
        assert_eq!(names.addresses("0", later), None);
        names.keep("late", &addresses, later);
        assert!(names.addresses("late", later).is_some());
    }
}
