//! From a request to its document: the prefix goes, the URL is read, what is spelled otherwise is redirected.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;

use super::asked;
use super::cache::{Held, Stamp};
use super::coding::Coding;
use super::document::{self, Document};
use super::headers::Nature;
use super::publish::Failure;
use super::{Door, Error, metrics, publish, websub};
use crate::model::{Address, Document as Named, Kind, Target, Time, full_hour};
use crate::output::html;

/// What a URL gives.
pub(super) enum Outcome {
    /// A document.
    Document(Arc<Document>),
    /// An empty one, for a name that was never published.
    Empty(Arc<Document>),
    /// The same thing, elsewhere: our canonical path.
    Moved(String),
}

/// Answers a request.
pub(super) async fn handle(request: HttpRequest, payload: web::Payload, door: web::Data<Door>) -> HttpResponse {
    let door = door.into_inner();
    let response = match again(&request, &door) {
        Some(response) => response,
        None => respond(&request, payload, &door).await,
    };
    door.metrics.answered(response.status());
    response
}

async fn respond(request: &HttpRequest, payload: web::Payload, door: &Arc<Door>) -> HttpResponse {
    if let Some(response) = websub::answer(request, payload, door).await {
        return response;
    }
    match answer(request, door).await {
        Ok(response) => response,
        Err(Error::Unpublished(kind, slug)) => {
            let error = door.store.nearest(kind, &slug).await.map_or_else(Error::from, Error::Unknown);
            error.respond(request, &door.site)
        }
        Err(error) => error.respond(request, &door.site),
    }
}

/// Answers a request whose URL is the canonical path of a document at hand: there is nothing to read in it. Whoever sends
/// what may be answered otherwise is not answered so.
fn again(request: &HttpRequest, door: &Arc<Door>) -> Option<HttpResponse> {
    let is_special = ["sec-fetch-dest", "a-im"].iter().any(|name| request.headers().contains_key(*name));
    if is_special || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let target = without_prefix(request.uri().path_and_query()?.as_str(), door.site.prefix());
    let document = door.cache.current(&target, door.generation())?;
    Some(give(request, door, &target, &document))
}

/// Answers with a document, and sees to it that it is compressed aside if it is asked for often.
fn give(request: &HttpRequest, door: &Arc<Door>, path: &str, document: &Arc<Document>) -> HttpResponse {
    let (response, wanted) = document.respond(request, now());
    prepare(door, path, document, wanted);
    response
}

/// Weighs a document that has grown, and has the coding made that is wanted of it.
pub(super) fn prepare(door: &Arc<Door>, path: &str, document: &Arc<Document>, wanted: Option<Coding>) {
    if document.has_grown() {
        door.cache.weigh(path, document);
    }
    if let Some(coding) = wanted {
        // What leaves the cache before its turn comes is not compressed, nor kept for that.
        let (path, own, cached) = (path.to_owned(), Arc::clone(door), Arc::downgrade(document));
        let is_to_come = door.do_aside(async move {
            let make = move || cached.upgrade().inspect(|document| document.make(coding));
            if let Some(document) = own.making.run(make).await.flatten() {
                own.cache.weigh(&path, &document);
            }
        });
        if !is_to_come {
            document.put_off(coding);
        }
    }
}

async fn answer(request: &HttpRequest, door: &Arc<Door>) -> Result<HttpResponse, Error> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return preflight(request).ok_or(Error::Method);
    }
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let target = &*without_prefix(target, door.site.prefix());
    if let Some((bytes, media_type)) = html::asset(target) {
        let nature = if target == Named::Favicon.path() { Nature::Plain } else { Nature::Asset };
        return Ok(Document::new(bytes, media_type, nature, 0, None).respond(request, now()).0);
    }
    let address = Address::parse(target)?;
    let text = match address.target {
        Target::Document(Named::Liveness) => door.store.follow().await.map(|_| Some(("text/plain; charset=utf-8", "ok\n".to_owned())))?,
        Target::Document(Named::Metrics) => Some((metrics::TEXT, metrics::text(door, now()).await?)),
        _ => None,
    };
    if let Some((media_type, text)) = text {
        return Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).content_type(media_type).body(text));
    }
    if !address.exact {
        // In a query a name that was never published matches nothing; its own path would not be found.
        if address.by_query
            && let Outcome::Empty(document) = outcome(door, &address.target, true, door.generation()).await?
        {
            return Ok(document.respond(request, now()).0);
        }
        return Ok(moved(door, &address.canonical()));
    }
    if let Some(page) = page_for_a_person(request, &address) {
        let location = format!("{}{}", door.site.prefix(), page.path());
        return Ok(HttpResponse::SeeOther()
            .insert_header((header::LOCATION, location))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .finish());
    }
    match outcome(door, &address.target, false, door.generation()).await? {
        Outcome::Document(document) | Outcome::Empty(document) => {
            let response = give(request, door, &address.target.path(), &document);
            if response.status() == StatusCode::OK
                && let Some(delta) = delta(door, request, &address.target, &document).await?
            {
                return Ok(delta);
            }
            Ok(response)
        }
        Outcome::Moved(path) => Ok(moved(door, &address.spelt(path))),
    }
}

/// The feed that a path spells as it should, with its place in the cache. `None`: there is none, which [`handle`] says why.
pub(super) async fn feed(door: &Door, path: &str) -> Option<(String, Arc<Document>)> {
    let address = Address::parse(path).ok().filter(|address| address.exact)?;
    if !matches!(address.target, Target::List { format: Some(_), .. }) {
        return None;
    }
    match outcome(door, &address.target, false, door.generation()).await {
        Ok(Outcome::Document(document) | Outcome::Empty(document)) => Some((address.target.path(), document)),
        Ok(Outcome::Moved(_)) | Err(_) => None,
    }
}

/// What changed since the document that a client has, if it takes that and we can tell.
async fn delta(door: &Door, request: &HttpRequest, target: &Target, full: &Document) -> Result<Option<HttpResponse>, Error> {
    let Some((base, since)) = asked::delta_base(request) else { return Ok(None) };
    match publish::delta(door, target, since, now()).await {
        Ok(delta) => Ok(delta.map(|delta| document::respond_delta(&delta, full, &base, request))),
        Err(Failure::Error(error)) => Err(error),
        Err(Failure::Moved(_)) => Ok(None),
    }
}

/// The bytes at a URL, following our own redirects.
pub(super) async fn fetch(door: &Door, target: &str) -> Result<Vec<u8>, Error> {
    let mut address = Address::parse(&without_prefix(target, door.site.prefix()))?;
    loop {
        match outcome(door, &address.target, address.by_query, door.store.generation()).await? {
            Outcome::Document(document) | Outcome::Empty(document) => return Ok(document.body().to_vec()),
            Outcome::Moved(path) => address = Address::parse(&path)?,
        }
    }
}

/// Finds what stands at a target. A path that names a term which was never published is an error, a query is not.
pub(super) async fn outcome(door: &Door, target: &Target, by_query: bool, generation: u64) -> Result<Outcome, Error> {
    let now = now();
    let stamp = stamp(door, target, generation, now)?;
    let make = |old: Option<Held>| publish::held(door, target, stamp, now, old);
    let found = match target {
        // How reading goes and what is set of a source are nothing that the generation tells of.
        Target::Directory(Kind::Source) | Target::Document(Named::Sources) => make(None).await.map(|held| held.document),
        Target::Health(_) => {
            let path = format!("{} {}", target.path(), door.store.health_stamp().await?);
            door.cache.document(&path, stamp, make).await
        }
        _ => door.cache.document(&target.path(), stamp, make).await,
    };
    let found = match found {
        Err(Failure::Error(Error::Unknown(_) | Error::Unpublished(..))) if by_query => {
            publish::document(door, target, true, now).await.map(|document| Outcome::Empty(Arc::new(document)))
        }
        found => found.map(Outcome::Document),
    };
    match found {
        Err(Failure::Moved(path)) => Ok(Outcome::Moved(path)),
        Err(Failure::Error(error)) => Err(error),
        Ok(outcome) => Ok(outcome),
    }
}

/// What a target's document is made at.
fn stamp(door: &Door, target: &Target, generation: u64, now: Time) -> Result<Stamp, Error> {
    let mut stamp = Stamp { generation, indexed: None, hour: None };
    if let Target::List { selection, options, .. } = target {
        let meant = publish::meant(door, selection)?;
        if meant.words.is_some() {
            stamp.indexed = Some(door.store.indexed());
        }
        if meant.is_relative() || options.digest.is_some() {
            stamp.hour = Some(full_hour(now).timestamp());
        }
    }
    Ok(stamp)
}

/// The edge: the clock is read here, for what compares with the client's dates.
#[expect(clippy::disallowed_methods, reason = "the web is an edge: a response compares the client's dates with the clock")]
pub(super) fn now() -> Time {
    Utc::now()
}

/// A site below a path is asked with that path or, by a proxy that takes it away, without.
pub(super) fn without_prefix<'a>(target: &'a str, prefix: &str) -> Cow<'a, str> {
    match target.strip_prefix(prefix) {
        Some(rest) if rest.starts_with('/') => rest.into(),
        Some(rest) if rest.is_empty() || rest.starts_with('?') => format!("/{rest}").into(),
        _ => target.into(),
    }
}

fn moved(door: &Door, path: &str) -> HttpResponse {
    HttpResponse::MovedPermanently()
        .insert_header((header::LOCATION, format!("{}{path}", door.site.prefix())))
        .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .finish()
}

/// What a browser asks before a page of another site may send headers such as `If-None-Match`: whoever may read may send them.
fn preflight(request: &HttpRequest) -> Option<HttpResponse> {
    let wished = request.headers().get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    let is_one = *request.method() == Method::OPTIONS && (wished == "GET" || wished == "HEAD");
    is_one.then(|| {
        HttpResponse::NoContent()
            .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"))
            .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "*"))
            .insert_header((header::ACCESS_CONTROL_MAX_AGE, "86400"))
            .finish()
    })
}

/// A person who opens a feed in a browser wants its page.
fn page_for_a_person(request: &HttpRequest, address: &Address) -> Option<Target> {
    let is = |name: &str, value: &str| request.headers().get(name).is_some_and(|sent| sent == value);
    let is_person = is("sec-fetch-dest", "document") && is("sec-fetch-mode", "navigate") && !address.raw;
    match &address.target {
        Target::List { selection, options, format: Some(_) } if is_person => {
            Some(Target::List { selection: selection.clone(), options: options.elsewhere(), format: None })
        }
        Target::Health(Some(_)) if is_person => Some(Target::Health(None)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::without_prefix;

    #[test]
    fn a_site_below_a_path_is_asked_with_and_without_it() {
        for (target, expected) in [
            ("/feeds/tag/x", "/tag/x"),
            ("/feeds", "/"),
            ("/feeds?limit=5", "/?limit=5"),
            ("/feeds/", "/"),
            ("/tag/x", "/tag/x"),
            ("/feedsx", "/feedsx"),
        ] {
            assert_eq!(without_prefix(target, "/feeds"), expected);
        }
        assert_eq!(without_prefix("/tag/x", ""), "/tag/x");
    }
}
