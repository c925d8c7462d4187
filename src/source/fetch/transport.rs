//! The connections of the client: directly, every address checked, or through proxies, each with connections of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Proxy, redirect};
use url::Url;

use super::ClientError;
use super::guard::Guard;
use crate::model::Host;

/// How long a connection waits for the next request: for the next feed of the same host.
const IDLE: Duration = Duration::from_secs(5);
/// Until then it is closed for sure, since those that waited for too long are looked for only so often.
const CLOSED: Duration = Duration::from_secs(10);
/// So many hosts' connections wait at once: each takes some 100 KB, and most of many hosts have no next feed.
const WAITING: usize = 64;

/// So many headers of one answer are read.
const HEADERS: usize = 512;

/// Connections that a client keeps.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    keeping: reqwest::Client,
    closing: reqwest::Client,
    waiting: Waiting,
    /// A proxy resolves names itself, so that no address can be checked here.
    pub(super) is_proxied: bool,
    /// The machine has no certificates of authorities.
    pub(super) trusts_nobody: bool,
}

impl Transport {
    fn new(agent: &str, guard: &Guard, proxy: Option<&str>) -> Result<Self, ClientError> {
        let builder = |most| {
            let builder = reqwest::Client::builder()
                .user_agent(agent)
                .redirect(redirect::Policy::none())
                .no_proxy()
                .referer(false)
                .connect_timeout(Duration::from_secs(10))
                .pool_max_idle_per_host(most)
                .pool_idle_timeout(IDLE)
                .http2_max_header_list_size(64 << 10)
                // Headers that are none are passed over, as browsers do: servers of feeds send them, and many more than usual.
                .http1_allow_spaces_after_header_name_in_responses(true)
                .http1_allow_obsolete_multiline_headers_in_responses(true)
                .http1_ignore_invalid_headers_in_responses(true)
                .http1_max_headers(HEADERS);
            match proxy {
                Some(proxy) => Ok(builder.proxy(Proxy::all(proxy)?)),
                None => Ok(builder.dns_resolver(Arc::new(guard.clone()))),
            }
        };
        let client = |most, trusts_nobody: bool| {
            let builder = builder(most)?;
            if trusts_nobody { builder.tls_certs_only([]) } else { builder }.build()
        };
        let (keeping, trusts_nobody) = match client(1, false) {
            Ok(keeping) => (keeping, false),
            Err(_) => (client(1, true)?, true),
        };
        Ok(Self { keeping, closing: client(0, trusts_nobody)?, waiting: Waiting::default(), is_proxied: proxy.is_some(), trusts_nobody })
    }

    /// What a URL is to be asked with: its connection waits for the next request to its host, if there is room for that.
    pub(super) fn http(&self, url: &Url) -> &reqwest::Client {
        let waits = Host::of(url).is_some_and(|host| self.waiting.has_room(host, Instant::now()));
        if waits { &self.keeping } else { &self.closing }
    }
}

/// The hosts whose connections may wait, and when each was last asked; clones share it.
#[derive(Debug, Clone, Default)]
struct Waiting(Arc<Mutex<HashMap<Host, Instant>>>);

impl Waiting {
    /// Whether a host that is asked now has a place, which it keeps as long as it is asked again and again.
    fn has_room(&self, host: Host, now: Instant) -> bool {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.retain(|_, asked| now.duration_since(*asked) < CLOSED);
        let has_room = hosts.len() < WAITING || hosts.contains_key(&host);
        if has_room {
            hosts.insert(host, now);
        }
        has_room
    }
}

/// The transports that are in use, by their proxy; each is made when it is first needed.
#[derive(Debug)]
pub(super) struct Transports {
    agent: String,
    guard: Guard,
    made: Mutex<HashMap<Option<String>, Transport>>,
}

impl Transports {
    pub(super) fn new(agent: String, guard: Guard) -> Self {
        Self { agent, guard, made: Mutex::default() }
    }

    /// The transport through a proxy; `None`: directly.
    pub(super) fn through(&self, proxy: Option<&str>) -> Result<Transport, ClientError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let key = proxy.map(str::to_owned);
        if let Some(transport) = made.get(&key) {
            return Ok(transport.clone());
        }
        let transport = Transport::new(&self.agent, &self.guard, proxy)?;
        made.insert(key, transport.clone());
        Ok(transport)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_connections_wait_and_those_that_are_used_stay_among_them() {
        let (waiting, start) = (Waiting::default(), Instant::now());
        let asked = |number: usize, seconds: u64| {
            let url = Url::parse(&format!("http://host-{number}.example/")).unwrap();
            waiting.has_room(Host::of(&url).unwrap(), start + Duration::from_secs(seconds))
        };
        assert!((0..WAITING).all(|number| asked(number, 0)));
        assert!(!asked(WAITING, 9) && asked(0, 9));
        assert!((WAITING..2 * WAITING - 1).all(|number| asked(number, 10)), "the others were closed");
        assert!(asked(0, 18) && !asked(1, 18));
    }
}
