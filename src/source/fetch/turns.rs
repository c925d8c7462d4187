//! One request in flight a host, whoever leads there: sources of many hosts may redirect to one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::model::Host;

type Turn = Arc<tokio::sync::Mutex<()>>;

/// Whose turn it is at each host that is being asked; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns {
    hosts: Arc<Mutex<HashMap<Host, Turn>>>,
}

impl Turns {
    /// Waits until nobody else asks a host, if there is one; it is the caller's until the guard is dropped.
    pub(super) async fn at(&self, host: Option<Host>) -> Option<OwnedMutexGuard<()>> {
        let turn = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            // A turn that only this table knows of is nobody's.
            hosts.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(hosts.entry(host?).or_default())
        };
        Some(turn.lock_owned().await)
    }
}
