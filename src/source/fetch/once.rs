//! One request to one peer, as hubs and their subscribers make them: nothing is conditional, no redirect is followed,
//! and of the answer little is kept.

use std::time::Duration;

use reqwest::RequestBuilder;
use url::Url;
use url::form_urlencoded::Serializer;

use super::{Client, FetchError, is_web, public};

/// How long a peer may take; one that takes longer would keep others waiting.
const PATIENCE: Duration = Duration::from_secs(10);
/// So much of an answer is kept, in bytes.
const LONGEST: usize = 4096;

/// What a peer answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The start of its body.
    pub body: Vec<u8>,
}

impl Reply {
    /// Whether the peer took it (2xx).
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self.status, 200..300)
    }
}

impl Client {
    /// Whether a URL may be asked for, as far as it says itself: a name is looked up only when it is.
    ///
    /// # Errors
    ///
    /// It is no web address, or an address that is not public.
    pub fn check(&self, url: &Url) -> Result<(), FetchError> {
        if !is_web(url) {
            return Err(FetchError::NotWeb(public(url).into()));
        }
        // A proxy looks names up itself, so that they are all that can be checked here.
        let checked = if self.transport.is_proxied { self.guard.check_name(url) } else { self.guard.check(url) };
        checked.map_err(|error| FetchError::Refused(error.to_string()))
    }

    /// Asks a peer with `GET`.
    ///
    /// # Errors
    ///
    /// Fails if no answer comes; every answer is one.
    pub async fn get_once(&self, url: &Url) -> Result<Reply, FetchError> {
        self.once(url, self.transport.http(url).get(url.clone())).await
    }

    /// Sends a body to a peer with `POST`.
    ///
    /// # Errors
    ///
    /// Fails if no answer comes; every answer is one.
    pub async fn post_once(&self, url: &Url, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Reply, FetchError> {
        let request = self.transport.http(url).post(url.clone()).body(body);
        self.once(url, headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    }

    /// Sends a form to a peer with `POST`.
    ///
    /// # Errors
    ///
    /// Fails if no answer comes; every answer is one.
    pub async fn post_form(&self, url: &Url, pairs: &[(&str, &str)]) -> Result<Reply, FetchError> {
        let form = Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.post_once(url, &[("content-type", "application/x-www-form-urlencoded")], form.into_bytes()).await
    }

    async fn once(&self, url: &Url, request: RequestBuilder) -> Result<Reply, FetchError> {
        self.check(url)?;
        let limit = self.limits.time.min(PATIENCE);
        let exchange = async {
            let mut response = request.send().await.map_err(|error| self.failure(url, &error))?;
            let (status, mut body) = (response.status().as_u16(), Vec::new());
            while body.len() < LONGEST
                && let Some(chunk) = response.chunk().await.map_err(|error| self.failure(url, &error))?
            {
                body.extend_from_slice(&chunk[..chunk.len().min(LONGEST - body.len())]);
            }
            Ok(Reply { status, body })
        };
        tokio::time::timeout(limit, exchange).await.unwrap_or_else(|_| Err(FetchError::TimedOut { url: public(url), limit }))
    }
}
