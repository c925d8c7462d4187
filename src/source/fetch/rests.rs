//! Hosts that wish to be left alone, as whoever asks knows of them: a redirect may lead there.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use super::Client;
use crate::model::{Host, Time};

/// Until when a host wishes to be left alone; `None`: it may be asked.
type Answer = Pin<Box<dyn Future<Output = Option<Time>> + Send>>;

/// Whom a client asks of hosts; by itself it knows of none.
#[derive(Clone, Default)]
pub(super) struct Rests(Option<Arc<dyn Fn(Host) -> Answer + Send + Sync>>);

impl fmt::Debug for Rests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rests").field(&self.0.is_some()).finish()
    }
}

impl Rests {
    pub(super) async fn of(&self, host: Host) -> Option<Time> {
        match &self.0 {
            Some(known) => known(host).await,
            None => None,
        }
    }
}

impl Client {
    /// The client that goes nowhere a redirect leads it where `known` gives a time until which the host is left alone.
    #[must_use]
    pub fn minding<F>(&self, known: impl Fn(Host) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Option<Time>> + Send + 'static,
    {
        Self { rests: Rests(Some(Arc::new(move |host| Box::pin(known(host)) as Answer))), ..self.clone() }
    }
}
