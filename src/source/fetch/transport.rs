//! The connections of the client: directly, every address checked, or through proxies, each with connections of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Proxy, redirect};

use super::ClientError;
use super::guard::Guard;

/// How long a connection waits for the next request: for the next feed of the same host. It takes memory as long.
const IDLE: Duration = Duration::from_secs(5);

/// Connections that a client keeps.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    pub(super) http: reqwest::Client,
    /// A proxy resolves names itself, so that no address can be checked here.
    pub(super) is_proxied: bool,
    /// The machine has no certificates of authorities.
    pub(super) trusts_nobody: bool,
}

impl Transport {
    fn new(agent: &str, guard: &Guard, proxy: Option<&str>) -> Result<Self, ClientError> {
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(agent)
                .redirect(redirect::Policy::none())
                .no_proxy()
                .referer(false)
                .connect_timeout(Duration::from_secs(10))
                .pool_max_idle_per_host(1)
                .pool_idle_timeout(IDLE)
                .http2_max_header_list_size(64 << 10);
            match proxy {
                Some(proxy) => Ok(builder.proxy(Proxy::all(proxy)?)),
                None => Ok(builder.dns_resolver(Arc::new(guard.clone()))),
            }
        };
        let (http, trusts_nobody) = match builder().and_then(reqwest::ClientBuilder::build) {
            Ok(http) => (http, false),
            Err(_) => (builder()?.tls_certs_only([]).build()?, true),
        };
        Ok(Self { http, is_proxied: proxy.is_some(), trusts_nobody })
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
