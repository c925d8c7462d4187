//! One polite GET: conditional, compressed, bounded in time, size and redirects, to public addresses only. It keeps no
//! state but open connections, sends no cookie, and knows nothing of feeds.

mod error;
mod guard;
mod headers;
mod names;
mod once;
mod own;
mod packed;
mod rests;
mod transport;
mod turns;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use reqwest::header::{ACCEPT, CONTENT_ENCODING, ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION};
use reqwest::{Response, StatusCode};
use url::Url;

use crate::model::private::public;
use crate::model::{Host, Network, SourceSettings, Time, is_web};
pub use error::FetchError;
use guard::{Guard, GuardError};
pub use once::Reply;
pub(super) use own::as_user_of;
pub use own::header;
use rests::Rests;
use transport::{Transport, Transports};
use turns::Turns;

const ACCEPTED: &str = "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, application/xml;q=0.9, \
                        text/xml;q=0.9, application/json;q=0.8, text/html;q=0.6, */*;q=0.2";

/// What one fetch may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body, decoded.
    pub body: usize,
    /// From the first connection to the last byte, redirects included; the waiting for others at a host is not.
    pub time: Duration,
    /// Of that waiting, in all: well within the time that a source is taken for.
    pub turn: Duration,
    /// Between two requests to a host, but those that a redirect within it leads to.
    pub pause: Duration,
    /// How many redirects are followed.
    pub redirects: usize,
    /// How many articles of a document are kept.
    pub articles: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 10 << 20,
            time: Duration::from_secs(30),
            turn: Duration::from_mins(2),
            pause: Duration::ZERO,
            redirects: 5,
            articles: 2000,
        }
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
    rests: Rests,
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
            rests: Rests::default(),
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
    pub async fn get(&self, first: &Url, validators: Validators<'_>, now: Time) -> Result<Answer, FetchError> {
        let (mut url, mut all_permanent) = (first.clone(), true);
        // What an answer says of time counts from when it came.
        let started = Instant::now();
        let clock = || TimeDelta::from_std(started.elapsed()).map_or(now, |passed| now + passed);
        let (mut time, mut patience, mut asked) = (self.limits.time, self.limits.turn, None);
        let mut passed = Vec::new();
        for hop in 0..=self.limits.redirects {
            let host = Host::of(&url);
            let is_led = hop > 0 && host != asked;
            asked.clone_from(&host);
            // Who was led to a source's own host before has left no word of it in the store.
            let has_pause = hop == 0 || is_led;
            let _turn = within(&mut patience, self.turns.at(host.clone(), self.limits.pause, has_pause))
                .await
                .ok_or_else(|| FetchError::Crowded { url: public(&url), limit: self.limits.turn })?;
            if let Some(host) = host.filter(|_| is_led)
                && let Some(until) = self.rests.of(host).await
            {
                return Err(FetchError::Resting { url: public(&url), until });
            }
            let step = within(&mut time, self.step(first, &url, validators, clock)).await;
            match step.unwrap_or_else(|| Err(FetchError::TimedOut { url: public(first), limit: self.limits.time })) {
                Ok(Step::Answer(answer)) => return Ok(Answer { is_moved: hop > 0 && all_permanent, ..answer }),
                Ok(Step::Redirect { to, is_permanent }) => {
                    all_permanent &= is_permanent && !own::is_downgrade(&url, &to);
                    let to = as_user_of(first, to);
                    // What redirects to set a cookie is never content with who has none.
                    if to == url || passed.contains(&to) {
                        return Err(FetchError::Circle(public(first)));
                    }
                    passed.push(std::mem::replace(&mut url, to));
                }
                // Where it leads for now is gone, and not the document itself.
                Err(FetchError::Gone(url)) if !all_permanent => {
                    return Err(FetchError::Status { url, status: StatusCode::GONE, retry_after: None });
                }
                Err(error) => return Err(error),
            }
        }
        Err(FetchError::TooManyRedirects { url: public(first), limit: self.limits.redirects })
    }

    async fn step(&self, first: &Url, url: &Url, validators: Validators<'_>, clock: impl Fn() -> Time) -> Result<Step, FetchError> {
        let headers = Some(&self.headers).filter(|_| own::is_of_one_host(first, url));
        let response = self.ask(url, validators, headers).await?;
        let is_permanent = matches!(response.status(), StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT);
        Ok(match redirect_target(url, &response)? {
            Some(to) => Step::Redirect { to, is_permanent },
            None => Step::Answer(self.answer(url.clone(), response, clock()).await?),
        })
    }

    async fn ask(&self, url: &Url, validators: Validators<'_>, headers: Option<&HeaderMap>) -> Result<Response, FetchError> {
        self.check(url)?;
        let mut request = self.transport.http(url).get(url.clone()).header(ACCEPT, ACCEPTED);
        if let Some(headers) = headers {
            request = request.headers(headers.clone());
        }
        for (name, value) in [(IF_NONE_MATCH, validators.etag), (IF_MODIFIED_SINCE, validators.last_modified)] {
            if let Some(value) = value.and_then(headers::sent) {
                request = request.header(name, value);
            }
        }
        request.send().await.map_err(|error| self.failure(url, &error))
    }

    async fn answer(&self, url: Url, response: Response, now: Time) -> Result<Answer, FetchError> {
        let status = response.status();
        let fresh_until = headers::fresh_until(response.headers(), now);
        match status {
            StatusCode::NOT_MODIFIED => Ok(Answer { body: None, url, is_moved: false, fresh_until }),
            StatusCode::GONE => Err(FetchError::Gone(public(&url))),
            status if status.is_success() => {
                let body = Some(self.body(&url, response).await?);
                Ok(Answer { body, url, is_moved: false, fresh_until })
            }
            _ => {
                let told = headers::retry_after(response.headers(), now);
                let untold = (status == StatusCode::TOO_MANY_REQUESTS).then(|| now + headers::UNTOLD);
                Err(FetchError::Status { url: public(&url), status, retry_after: told.or(untold) })
            }
        }
    }

    async fn body(&self, url: &Url, mut response: Response) -> Result<Body, FetchError> {
        let (media_type, charset) = headers::content_type(response.headers());
        let etag = headers::verbatim(response.headers(), &ETAG);
        let last_modified = headers::verbatim(response.headers(), &LAST_MODIFIED);
        let (hub, own) = (headers::link(response.headers(), url, "hub"), headers::link(response.headers(), url, "self"));
        let coding = headers::text(response.headers(), &CONTENT_ENCODING);
        let too_large = || FetchError::TooLarge { url: public(url), limit: self.limits.body };
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(url, &error))? {
            if bytes.len() + chunk.len() > self.limits.body {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        let is_deflated = coding.is_some_and(|coding| coding.eq_ignore_ascii_case("deflate"));
        let unpack = if is_deflated { packed::inflated } else { packed::unpacked };
        let bytes = unpack(bytes, self.limits.body).ok_or_else(too_large)?;
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
            if let Some(error) = cause.downcast_ref::<rustls::Error>() {
                let reason = if self.transport.trusts_nobody { NO_AUTHORITIES.to_owned() } else { error.to_string() };
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

/// What one request leads to.
enum Step {
    Answer(Answer),
    Redirect { to: Url, is_permanent: bool },
}

/// Does something within a time, which has less left then; `None`: it was too short.
async fn within<T>(left: &mut Duration, work: impl Future<Output = T>) -> Option<T> {
    let started = Instant::now();
    let done = tokio::time::timeout(*left, work).await.ok();
    *left = left.saturating_sub(started.elapsed());
    done
}

const NO_AUTHORITIES: &str = "this machine has no certificates of authorities; install its `ca-certificates` package";

/// The cause inside an error; that of an I/O error is what it wraps, which `source` passes over.
fn inner<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e (dyn std::error::Error + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// Where an answer redirects to. A fragment is the first URL's to keep; feeds have none.
fn redirect_target(from: &Url, response: &Response) -> Result<Option<Url>, FetchError> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = response.headers().get(LOCATION).filter(|_| is_redirect) else {
        return Ok(None);
    };
    let location = String::from_utf8_lossy(location.as_bytes());
    let mut target = from.join(location.trim()).map_err(|_| FetchError::NotWeb(location.into_owned()))?;
    target.set_fragment(None);
    if is_web(&target) { Ok(Some(target)) } else { Err(FetchError::NotWeb(public(&target).into())) }
}

#[cfg(test)]
pub(in crate::source) mod tests;
