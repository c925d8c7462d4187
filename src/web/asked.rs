//! What of a request decides how a document is given: the codings that the client takes, and what it has already.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use actix_web::http::{Method, header};
use chrono::TimeDelta;

use super::coding::quality;
use crate::model::Time;

/// What of a request for a document decides its answer.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// `Accept-Encoding`.
    pub(super) accept: Option<&'a str>,
    /// `If-None-Match`.
    pub(super) tags: Option<&'a str>,
    /// `If-Modified-Since`.
    pub(super) since: Option<&'a str>,
    pub(super) is_head: bool,
}

impl<'a> Asked<'a> {
    pub(super) fn of(request: &'a HttpRequest) -> Self {
        let is_head = *request.method() == Method::HEAD;
        let may_be_known = is_head || *request.method() == Method::GET;
        let conditional = |name| header_text(request, name).filter(|_| may_be_known);
        Self {
            accept: header_text(request, &header::ACCEPT_ENCODING),
            tags: conditional(&header::IF_NONE_MATCH),
            since: conditional(&header::IF_MODIFIED_SINCE),
            is_head,
        }
    }

    /// Whether the client has a document with this tag, changed then (RFC 9110 13.2.2): `If-None-Match` wins over
    /// `If-Modified-Since`.
    pub(super) fn knows(&self, own: &str, modified: Option<Time>, now: Time) -> bool {
        if let Some(tags) = self.tags {
            return matches_tag(tags, own);
        }
        let since = self.since.and_then(|date| httpdate::parse_http_date(date).ok());
        // A date of this very second may hide a second change within it (RFC 9110 8.8.2.2).
        let modified = modified.filter(|modified| now - *modified > TimeDelta::seconds(1));
        since.zip(modified).is_some_and(|(since, modified)| modified <= Time::from(since))
    }
}

/// The tag of ours, and its generation, that a client which takes deltas of feeds names.
pub(super) fn delta_base(request: &HttpRequest) -> Option<(String, u64)> {
    let manipulations = header_text(request, &HeaderName::from_static("a-im"))?;
    let takes_feeds = manipulations.split(',').any(|item| {
        let mut parts = item.split(';');
        parts.next().is_some_and(|name| name.trim().eq_ignore_ascii_case("feed")) && quality(parts) > 0.0
    });
    if !takes_feeds || *request.method() != Method::GET {
        return None;
    }
    let tags = header_text(request, &header::IF_NONE_MATCH)?.split(',').map(str::trim);
    tags.filter_map(|tag| {
        let (generation, hash) = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"').split_once('-')?;
        let is_ours = hash.len() >= 16 && hash.bytes().take(16).all(|b| b.is_ascii_hexdigit());
        Some((tag.to_owned(), generation.parse().ok().filter(|_| is_ours)?))
    })
    .max_by_key(|(_, generation)| *generation)
}

pub(super) fn header_text<'a>(request: &'a HttpRequest, name: &HeaderName) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// Compares weakly and ignores the coding, ours or one that a proxy noted: any coding's tag names the same document.
fn matches_tag(tags: &str, own: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| {
        let mut tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
        while let Some(rest) = ["-gzip", "-blocks", "-zstd", "-br", ";gzip"].iter().find_map(|suffix| tag.strip_suffix(suffix)) {
            tag = rest;
        }
        tag == "*" || tag == own
    })
}
