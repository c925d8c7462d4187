//! One polite GET: conditional, compressed, bounded in time, size and redirects, to public addresses only. It keeps no
//! state but open connections, sends no cookie, and knows nothing of feeds.

mod guard;
mod headers;
mod names;
mod once;
mod own;
mod packed;
mod transport;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION};
use reqwest::{Response, StatusCode};
use url::Url;

use crate::model::private::public;
use crate::model::{Host, SourceSettings, Time};
use guard::{Guard, GuardError};
pub use guard::{Network, NetworkError};
pub use once::Reply;
pub use own::header;
use transport::{Transport, Transports};
use turns::Turns;

const ACCEPTED: &str = "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, application/xml;q=0.9, \
                        text/xml;q=0.9, application/json;q=0.8, text/html;q=0.6, */*;q=0.2";

/// What one fetch may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body, decoded.
    pub body: usize,
    /// From the first connection to the last byte, redirects included.
    pub time: Duration,
    /// How many redirects are followed.
    pub redirects: usize,
    /// How many articles of a document are kept.
    pub articles: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 10 << 20, time: Duration::from_secs(30), redirects: 5, articles: 2000 }
    }
}

/// Who asks, and what it may ask.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What one fetch may cost.
    pub limits: Limits,
    /// Addresses that may be asked though they are not public.
    pub allow_addresses: Vec<Network>,
    /// A page about this server, which the `User-Agent` names.
    pub about: Option<Url>,
    /// What requests go through, but those of sources that name another.
    pub proxy: Option<String>,
}

/// The HTTP client; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    transports: Arc<Transports>,
    transport: Transport,
    guard: Guard,
    turns: Turns,
    limits: Limits,
    /// A source's own, for its host alone.
    headers: HeaderMap,
}

/// What was received with the last 200, sent back verbatim.
#[derive(Debug, Clone, Copy, Default)]
pub struct Validators<'a> {
    /// For `If-None-Match`.
    pub etag: Option<&'a str>,
    /// For `If-Modified-Since`.
    pub last_modified: Option<&'a str>,
}

/// A good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What came; `None`: nothing changed (304).
    pub body: Option<Body>,
    /// Where it came from in the end.
    pub url: Url,
    /// Whether it was redirected, and every redirect on the way was permanent.
    pub is_moved: bool,
    /// Until when the server says that it is fresh.
    pub fresh_until: Option<Time>,
}

/// A document as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Body {
    /// Decompressed.
    pub bytes: Vec<u8>,
    /// Without parameters, in small letters.
    pub media_type: Option<String>,
    /// As the header says.
    pub charset: Option<String>,
    /// Verbatim.
    pub etag: Option<String>,
    /// Verbatim.
    pub last_modified: Option<String>,
    /// What its `Link` header says of being pushed: the hub, and the document's own URL; absolute.
    pub hub: Option<String>,
    /// See `hub`.
    pub own: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server answered with something else.
    #[error("{url} answered {status}")]
    Status {
        /// What was asked for.
        url: Url,
        /// Its code and reason.
        status: StatusCode,
        /// When it wishes to be asked again.
        retry_after: Option<Time>,
    },
    /// 410: it will not come back.
    #[error("{0} is gone for good (410); it is not asked again")]
    Gone(Url),
    /// The body is larger than the limit.
    #[error("{url} sends more than {limit} bytes; `poll.max_body` can raise the limit")]
    TooLarge {
        /// What was asked for.
        url: Url,
        /// Bytes.
        limit: usize,
    },
    /// It took too long.
    #[error("{url} did not answer in full within {} s", .limit.as_secs())]
    TimedOut {
        /// What was asked for.
        url: Url,
        /// How long it may take.
        limit: Duration,
    },
    /// The address may not be connected to.
    #[error("{0}")]
    Refused(String),
    /// The name leads nowhere.
    #[error("{0}")]
    UnknownHost(String),
    /// The server's certificate or its TLS is not good.
    #[error("{url} cannot be trusted: {reason}")]
    Tls {
        /// What was asked for.
        url: Url,
        /// What TLS says.
        reason: String,
    },
    /// Redirects without an end.
    #[error("{url} redirects more than {limit} times")]
    TooManyRedirects {
        /// What was asked for first.
        url: Url,
        /// How many are followed.
        limit: usize,
    },
    /// A URL, asked for or redirected to, that is no web address.
    #[error("{0:?} is no web address; expected http:// or https://")]
    NotWeb(String),
    /// A source's proxy or header cannot be used.
    #[error("the source's settings cannot be used: {0}")]
    Settings(String),
    /// The connection failed or broke.
    #[error("{url} cannot be reached: {reason}")]
    Connection {
        /// What was asked for.
        url: Url,
        /// The innermost cause.
        reason: String,
    },
}

impl FetchError {
    /// When the server wishes to be asked again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Time> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The host that wishes to be left alone (429, 503), and until when.
    #[must_use]
    pub fn busy_host(&self) -> Option<(Host, Time)> {
        match self {
            Self::Status { url, status: StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, retry_after: Some(until) } => {
                Some((Host::of(url)?, *until))
            }
            _ => None,
        }
    }
}

/// A client that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot start")]
pub struct ClientError(#[from] reqwest::Error);

impl Client {
    /// Makes a client. On a machine without certificates of authorities it reaches `http` alone, and says so when asked
    /// for `https`.
    ///
    /// # Errors
    ///
    /// Fails if the TLS library refuses its settings.
    pub fn new(options: &Options) -> Result<Self, ClientError> {
        // One provider for the process, named here so that no C++ compiler is needed to build another; a second client
        // finds it installed, which is no failure.
        rustls::crypto::ring::default_provider().install_default().ok();
        let guard = Guard::new(&options.allow_addresses);
        let agent = match &options.about {
            Some(about) => format!("Feedmill/{} (+{about})", env!("CARGO_PKG_VERSION")),
            None => concat!("Feedmill/", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        let transports = Transports::new(agent, guard.clone());
        let transport = transports.through(options.proxy.as_deref())?;
        Ok(Self {
            transports: Arc::new(transports),
            transport,
            guard,
            turns: Turns::default(),
            limits: options.limits,
            headers: HeaderMap::new(),
        })
    }

    /// The client as a source wants it: through its proxy, with its headers.
    ///
    /// # Errors
    ///
    /// Fails if one of them cannot be used; the error tells no value.
    pub fn of(&self, settings: &SourceSettings) -> Result<Self, FetchError> {
        let mut client = self.clone();
        if let Some(proxy) = &settings.proxy {
            client.transport = self.transports.through(Some(proxy)).map_err(|error| FetchError::Settings(error.to_string()))?;
        }
        client.headers = own::headers(&settings.headers)?;
        Ok(client)
    }

    /// What one fetch may cost.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Asks for a document once, following redirects.
    ///
    /// # Errors
    ///
    /// Fails on every answer but a 2xx and a 304, and on whatever breaks a limit.
    pub async fn get(&self, url: &Url, validators: Validators<'_>, now: Time) -> Result<Answer, FetchError> {
        let limit = self.limits.time;
        let fetched = tokio::time::timeout(limit, self.follow(url, validators, now)).await;
        fetched.unwrap_or_else(|_| Err(FetchError::TimedOut { url: public(url), limit }))
    }

    async fn follow(&self, first: &Url, validators: Validators<'_>, now: Time) -> Result<Answer, FetchError> {
        let mut url = first.clone();
        let mut all_permanent = true;
        for hop in 0..=self.limits.redirects {
            let headers = Some(&self.headers).filter(|_| own::is_of_one_host(first, &url));
            let _turn = match Host::of(&url) {
                Some(host) => Some(self.turns.at(host).await),
                None => None,
            };
            let response = self.ask(&url, validators, headers).await?;
            let Some(next) = redirect_target(&url, &response)? else {
                return self.answer(url, response, hop > 0 && all_permanent, now).await;
            };
            let is_permanent = matches!(response.status(), StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT);
            all_permanent &= is_permanent && !own::is_downgrade(&url, &next);
            url = next;
        }
        Err(FetchError::TooManyRedirects { url: public(first), limit: self.limits.redirects })
    }

    async fn ask(&self, url: &Url, validators: Validators<'_>, headers: Option<&HeaderMap>) -> Result<Response, FetchError> {
        self.check(url)?;
        let mut request = self.transport.http(url).get(url.clone()).header(ACCEPT, ACCEPTED);
        if let Some(headers) = headers {
            request = request.headers(headers.clone());
        }
        for (name, value) in [(IF_NONE_MATCH, validators.etag), (IF_MODIFIED_SINCE, validators.last_modified)] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
                request = request.header(name, value);
            }
        }
        request.send().await.map_err(|error| self.failure(url, &error))
    }

    async fn answer(&self, url: Url, response: Response, is_moved: bool, now: Time) -> Result<Answer, FetchError> {
        let status = response.status();
        let fresh_until = headers::fresh_until(response.headers(), now);
        match status {
            StatusCode::NOT_MODIFIED => Ok(Answer { body: None, url, is_moved, fresh_until }),
            StatusCode::GONE => Err(FetchError::Gone(public(&url))),
            status if status.is_success() => {
                let body = Some(self.body(&url, response).await?);
                Ok(Answer { body, url, is_moved, fresh_until })
            }
            _ => Err(FetchError::Status { url: public(&url), status, retry_after: headers::retry_after(response.headers(), now) }),
        }
    }

    async fn body(&self, url: &Url, mut response: Response) -> Result<Body, FetchError> {
        let (media_type, charset) = headers::content_type(response.headers());
        let etag = headers::text(response.headers(), &ETAG);
        let last_modified = headers::text(response.headers(), &LAST_MODIFIED);
        let (hub, own) = (headers::link(response.headers(), url, "hub"), headers::link(response.headers(), url, "self"));
        let too_large = || FetchError::TooLarge { url: public(url), limit: self.limits.body };
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(url, &error))? {
            if bytes.len() + chunk.len() > self.limits.body {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        let bytes = packed::unpacked(bytes, self.limits.body).ok_or_else(too_large)?;
        Ok(Body { bytes, media_type, charset, etag, last_modified, hub, own })
    }

    /// What a failure of the HTTP library means.
    fn failure(&self, url: &Url, error: &reqwest::Error) -> FetchError {
        let mut cause: &(dyn std::error::Error + 'static) = error;
        loop {
            match cause.downcast_ref::<GuardError>() {
                Some(refused @ (GuardError::Refused { .. } | GuardError::PrivateName { .. })) => {
                    return FetchError::Refused(refused.to_string());
                }
                Some(unknown @ GuardError::Unknown { .. }) => return FetchError::UnknownHost(unknown.to_string()),
                None => {}
            }
            if let Some(reason) = tls_reason(cause) {
                let reason = if self.transport.trusts_nobody { NO_AUTHORITIES.to_owned() } else { reason };
                return FetchError::Tls { url: public(url), reason };
            }
            match inner(cause) {
                Some(deeper) => cause = deeper,
                None => break,
            }
        }
        if error.is_timeout() {
            return FetchError::TimedOut { url: public(url), limit: self.limits.time };
        }
        FetchError::Connection { url: public(url), reason: cause.to_string() }
    }
}

const NO_AUTHORITIES: &str = "this machine has no certificates of authorities; install its `ca-certificates` package";

/// The cause inside an error; that of an I/O error is what it wraps, which `source` passes over.
fn inner<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e (dyn std::error::Error + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

fn tls_reason(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    cause.downcast_ref::<rustls::Error>().map(ToString::to_string)
}

/// Where an answer redirects to. A fragment is the first URL's to keep; feeds have none.
fn redirect_target(from: &Url, response: &Response) -> Result<Option<Url>, FetchError> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = response.headers().get(LOCATION).filter(|_| is_redirect) else {
        return Ok(None);
    };
    let location = String::from_utf8_lossy(location.as_bytes());
    let target = from.join(location.trim()).map_err(|_| FetchError::NotWeb(location.into_owned()))?;
    if matches!(target.scheme(), "http" | "https") { Ok(Some(target)) } else { Err(FetchError::NotWeb(public(&target).into())) }
}

#[cfg(test)]
pub(in crate::source) mod tests;
