//! The requests of WebSub: what subscribers ask of our hub, and what hubs of others say at our callbacks. What they say
//! is checked and stored; others do what follows from it.

use std::time::Duration;

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::TimeDelta;
use url::{Url, form_urlencoded};

use super::route::{self, Outcome};
use super::{Door, Error};
use crate::model::Address;
use crate::model::websub::{CALLBACK, HUB, HubLimits, Intent, LEASE, LEASES, Mode, Secret, Taken};
use crate::source::fetch::Client;

/// The longest request to the hub, in bytes.
const LONGEST: usize = 16 << 10;
/// The longest callback.
const LONGEST_CALLBACK: usize = 2048;
/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the door needs for WebSub.
#[derive(Debug)]
pub struct Exchange {
    /// Knows which addresses may be asked.
    pub client: Client,
    /// How many subscriptions our hub keeps.
    pub limits: HubLimits,
    /// The largest document that a hub may push, in bytes.
    pub max_body: usize,
}

/// Why the hub does not take a request.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Something is missing or wrong; in words.
    #[error("{0}")]
    Request(String),
    /// The hub is full, for now; in words.
    #[error("{0}")]
    Full(&'static str),
}

fn wrong(reason: impl Into<String>) -> Error {
    Error::Hub(Refusal::Request(reason.into()))
}

/// Answers a request of WebSub; `None`: it is none.
pub(super) async fn answer(request: &HttpRequest, payload: web::Payload, door: &Door) -> Option<HttpResponse> {
    let exchange = door.exchange.as_ref()?;
    let path = route::without_prefix(request.path(), door.site.prefix());
    let answered = if path == HUB && door.site.has_own_hub() {
        hub(request, payload, door, exchange).await
    } else {
        let token = path.strip_prefix(CALLBACK)?;
        match *request.method() {
            Method::GET => confirm(request, token, door).await,
            Method::POST => receive(request, payload, token, door, exchange).await,
            _ => Ok(not_offered("GET, POST")),
        }
    };
    Some(answered.unwrap_or_else(|error| error.respond(request, &door.site)))
}

/// The document at the URL of a feed of ours that can be subscribed to, with its type.
///
/// # Errors
/// Why it is none.
pub(super) async fn topic(door: &Door, url: &str) -> Result<(Vec<u8>, String), Error> {
    let refused = |reason: &str| wrong(format!("`hub.topic` {url:?} cannot be subscribed to: {reason}"));
    let base = door.site.url("");
    let path = url.strip_prefix(&base).filter(|path| path.starts_with('/'));
    let path = path.ok_or_else(|| refused(&format!("the feeds of this hub stand below {base}/")))?;
    let address = Address::parse(path).map_err(|error| refused(&error.to_string()))?;
    door.site.topic(&address.target).map_err(|reason| refused(&reason))?;
    let canonical = door.site.link(&address.target);
    if url != canonical {
        return Err(refused(&format!("its one spelling is {canonical}")));
    }
    match route::outcome(door, &address.target, address.by_query, door.store.generation()).await {
        Ok(Outcome::Document(document) | Outcome::Empty(document)) => Ok((document.body().to_vec(), document.media_type().to_owned())),
        Ok(Outcome::Moved(path)) => Err(refused(&format!("it is {} now", door.site.url(&path)))),
        Err(error @ (Error::Unknown(_) | Error::Unpublished(..) | Error::Gone)) => Err(refused(&error.to_string())),
        Err(error) => Err(error),
    }
}

async fn hub(request: &HttpRequest, payload: web::Payload, door: &Door, exchange: &Exchange) -> Result<HttpResponse, Error> {
    if request.method() != Method::POST {
        return Ok(not_offered("POST"));
    }
    let body = read(payload, LONGEST).await.ok_or_else(|| wrong(format!("a request to the hub has at most {LONGEST} bytes")))?;
    let pairs: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let intent = intent(&pairs, exchange)?;
    // Who goes may go, whatever became of the feed.
    if intent.mode == Mode::Subscribe {
        topic(door, &intent.topic).await?;
    }
    match door.store.ask_hub(intent, exchange.limits, route::now()).await? {
        Taken::Yes => Ok(HttpResponse::Accepted().finish()),
        Taken::Unknown => Err(wrong("nobody is subscribed to this `hub.topic` with this `hub.callback`")),
        Taken::Full => Err(Error::Hub(Refusal::Full("this hub has as many subscriptions as it takes; try again tomorrow"))),
        Taken::HostFull => Err(Error::Hub(Refusal::Full("this hub has as many subscriptions of the callback's host as it takes"))),
        Taken::Busy => Err(Error::Hub(Refusal::Full("too many requests wait to be confirmed; try again in a minute"))),
    }
}

/// Reads the form of a request (W3C WebSub 5.1).
fn intent(pairs: &[(String, String)], exchange: &Exchange) -> Result<Intent, Error> {
    let value = |name: &str| pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    let needed = |name: &str| value(name).filter(|value| !value.is_empty()).ok_or_else(|| wrong(format!("the form has no `{name}`")));
    let mode = needed("hub.mode")?;
    let mode = Mode::from_name(mode)
        .ok_or_else(|| wrong(format!("`hub.mode` {mode:?} is not offered; it takes `subscribe` and `unsubscribe`")))?;
    let callback = needed("hub.callback")?;
    let url = Url::parse(callback).ok().filter(|url| url.fragment().is_none() && callback.len() <= LONGEST_CALLBACK);
    let url = url.ok_or_else(|| wrong(format!("`hub.callback` must be a URL without a fragment, of at most {LONGEST_CALLBACK} bytes")))?;
    exchange.client.check(&url).map_err(|error| wrong(format!("`hub.callback` cannot be called: {error}")))?;
    let secret = match value("hub.secret") {
        None | Some("") => None,
        Some(secret) => Some(Secret::new(secret.to_owned()).ok_or_else(|| wrong("`hub.secret` must have fewer than 200 bytes"))?),
    };
    let lease = match value("hub.lease_seconds") {
        None | Some("") => LEASE,
        Some(seconds) => lease(seconds).ok_or_else(|| wrong(format!("`hub.lease_seconds` {seconds:?} is no number of seconds")))?,
    };
    let (shortest, longest) = LEASES;
    let lease = lease.clamp(shortest, longest);
    Ok(Intent { mode, topic: needed("hub.topic")?.to_owned(), callback: callback.to_owned(), secret, lease })
}

/// A number of seconds as it may be, however large it is said to be.
fn lease(seconds: &str) -> Option<TimeDelta> {
    seconds.parse::<u64>().ok().map(|seconds| TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX).min(366 * 86_400)))
}

/// A hub asks whether it was us who asked it, or says that it refuses (W3C WebSub 5.2, 5.3).
async fn confirm(request: &HttpRequest, token: &str, door: &Door) -> Result<HttpResponse, Error> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
    let value = |name: &str| pairs.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value.as_str());
    let (mode, topic, now) = (value("hub.mode"), value("hub.topic"), route::now());
    if mode == "denied" {
        let is_ours = door.store.refuse_push(token, topic, now).await?;
        if is_ours {
            tracing::info!(topic, reason = value("hub.reason"), "a hub refuses to push");
        }
        return Ok(plain(if is_ours { StatusCode::OK } else { StatusCode::NOT_FOUND }, String::new()));
    }
    let lease = lease(value("hub.lease_seconds")).unwrap_or(LEASE);
    let is_ours = match Mode::from_name(mode) {
        Some(mode) => door.store.confirm_push(token, mode, topic, lease, now).await?,
        None => false,
    };
    if is_ours {
        tracing::info!(topic, mode, "a hub confirms");
    }
    Ok(if is_ours { plain(StatusCode::OK, value("hub.challenge").to_owned()) } else { plain(StatusCode::NOT_FOUND, String::new()) })
}

/// A hub pushes. A wrong signature is answered as a right one is, and what it signs is dropped (W3C WebSub 8).
async fn receive(
    request: &HttpRequest,
    payload: web::Payload,
    token: &str,
    door: &Door,
    exchange: &Exchange,
) -> Result<HttpResponse, Error> {
    let Some((source, secret)) = door.store.callback(token).await? else {
        return Ok(plain(StatusCode::GONE, String::new()));
    };
    let Some(body) = read(payload, exchange.max_body).await else {
        return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE, String::new()));
    };
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if !text("x-hub-signature").is_some_and(|signature| secret.signed(&body, signature)) {
        tracing::warn!("something was pushed with a wrong signature, and is ignored");
        return Ok(plain(StatusCode::ACCEPTED, String::new()));
    }
    let charset = text("content-type").and_then(|stated| stated.split(';').skip(1).find_map(charset));
    let is_kept = door.store.keep_pushed(source, body, charset).await?;
    let status = if is_kept { StatusCode::ACCEPTED } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok(plain(status, String::new()))
}

fn charset(parameter: &str) -> Option<String> {
    let (name, value) = parameter.split_once('=')?;
    name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_owned())
}

/// A body, if it is no longer than `limit` and comes in time.
async fn read(payload: web::Payload, limit: usize) -> Option<Vec<u8>> {
    let body = tokio::time::timeout(PATIENCE, payload.to_bytes_limited(limit)).await;
    body.ok()?.ok()?.ok().map(|body| body.to_vec())
}

fn plain(status: StatusCode, text: String) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .content_type("text/plain; charset=utf-8")
        .body(text)
}

fn not_offered(allowed: &'static str) -> HttpResponse {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, format!("this method is not offered here; {allowed} is\n"));
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allowed));
    response
}
