//! A published document: bytes with their validators, compressed once, answered conditionally.

use std::sync::OnceLock;

use actix_web::http::{Method, StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use chrono::TimeDelta;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::coding::Coding;
use crate::model::Time;

/// How long others may keep a document.
pub(super) const CACHE_CONTROL: &str = "public, max-age=300, stale-while-revalidate=3600";

/// What a document is, apart from its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// Readers in other sites' pages may fetch it.
    Feed,
    /// A closed part of a feed's archive.
    Archive,
    /// An HTML page: it may load nothing but pictures, media and our style sheet.
    Page,
    /// A file of an article: nothing in it may run.
    File,
    /// One of our own files at a URL that names its contents.
    Asset,
    /// OPML, robots.txt and the like.
    Plain,
}

/// A document with all that answering it needs; nothing in it comes from the clock or the process.
#[derive(Debug)]
pub(super) struct Document {
    body: Bytes,
    encoded: [OnceLock<Option<Bytes>>; 3],
    media_type: String,
    nature: Nature,
    tag: String,
    modified: Option<Time>,
    links: Vec<String>,
}

impl Document {
    /// A document; `generation` is the highest among the articles in it.
    pub(super) fn new(
        body: impl Into<Bytes>,
        media_type: impl Into<String>,
        nature: Nature,
        generation: u64,
        modified: Option<Time>,
    ) -> Self {
        let body = body.into();
        let hash = HEXLOWER.encode(&Sha256::digest(&body)[..8]);
        Self {
            tag: format!("{generation}-{hash}"),
            body,
            encoded: Default::default(),
            media_type: media_type.into(),
            nature,
            modified,
            links: Vec::new(),
        }
    }

    /// Adds `Link` headers (RFC 8288).
    pub(super) fn with_links(mut self, links: Vec<String>) -> Self {
        self.links = links;
        self
    }

    /// Its bytes, not encoded.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Its `Content-Type`.
    pub(super) fn media_type(&self) -> &str {
        &self.media_type
    }

    /// About how many bytes of memory it takes, its codings counted before they are made.
    pub(super) fn weight(&self) -> u64 {
        (self.body.len() * 2 + 1024) as u64
    }

    /// The answer to a request: the document in the best coding, or that the client has it already.
    pub(super) fn respond(&self, request: &HttpRequest, now: Time) -> HttpResponse {
        let wanted = Coding::negotiate(header_text(request, &header::ACCEPT_ENCODING));
        let (coding, body) = self.encoded(wanted);
        if self.is_known(request, now) {
            let mut response = HttpResponse::NotModified();
            self.head(&mut response, coding);
            return response.finish();
        }
        let mut response = self.whole(StatusCode::OK, coding);
        for link in &self.links {
            response.append_header((header::LINK, link.as_str()));
        }
        self.protect(&mut response);
        response.body(body)
    }

    /// The head of an answer that has a body in a coding, with the validators of this document.
    fn whole(&self, status: StatusCode, coding: Coding) -> HttpResponseBuilder {
        let mut response = HttpResponse::build(status);
        self.head(&mut response, coding);
        if let Some(name) = coding.name() {
            response.insert_header((header::CONTENT_ENCODING, name));
        }
        response.insert_header((header::CONTENT_TYPE, self.media_type.as_str()));
        response.insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
        response
    }

    /// The headers that a 200 and a 304 share (RFC 9110 15.4.5).
    fn head(&self, response: &mut HttpResponseBuilder, coding: Coding) {
        let suffix = coding.name().map_or_else(String::new, |name| format!("-{name}"));
        response.insert_header((header::ETAG, format!("\"{}{suffix}\"", self.tag)));
        response.insert_header((header::VARY, "Accept-Encoding"));
        let cache = match self.nature {
            Nature::Asset => "public, max-age=31536000, immutable",
            Nature::Archive => "public, max-age=86400, stale-while-revalidate=3600",
            _ => CACHE_CONTROL,
        };
        response.insert_header((header::CACHE_CONTROL, cache));
        if let Some(modified) = self.modified {
            response.insert_header((header::LAST_MODIFIED, httpdate::fmt_http_date(modified.into())));
        }
        if matches!(self.nature, Nature::Feed | Nature::Archive) {
            response.insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
        }
    }

    fn protect(&self, response: &mut HttpResponseBuilder) {
        let policy = match self.nature {
            Nature::Page => crate::output::html::CONTENT_SECURITY_POLICY,
            Nature::File => "default-src 'none'; style-src 'unsafe-inline'; sandbox",
            _ => return,
        };
        response.insert_header((header::CONTENT_SECURITY_POLICY, policy));
        response.insert_header((header::REFERRER_POLICY, "strict-origin-when-cross-origin"));
    }

    fn encoded(&self, coding: Coding) -> (Coding, Bytes) {
        let place = match coding {
            Coding::Identity => return (coding, self.body.clone()),
            Coding::Gzip => &self.encoded[0],
            Coding::Zstd => &self.encoded[1],
            Coding::Brotli => &self.encoded[2],
        };
        match place.get_or_init(|| coding.encode(&self.body)) {
            Some(bytes) => (coding, bytes.clone()),
            None => (Coding::Identity, self.body.clone()),
        }
    }

    /// Whether the client has this document (RFC 9110 13.2.2): `If-None-Match` wins over `If-Modified-Since`.
    fn is_known(&self, request: &HttpRequest, now: Time) -> bool {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return false;
        }
        if let Some(tags) = header_text(request, &header::IF_NONE_MATCH) {
            return matches_tag(tags, &self.tag);
        }
        let since = header_text(request, &header::IF_MODIFIED_SINCE).and_then(|date| httpdate::parse_http_date(date).ok());
        // A date of this very second may hide a second change within it (RFC 9110 8.8.2.2).
        let modified = self.modified.filter(|modified| now - *modified > TimeDelta::seconds(1));
        since.zip(modified).is_some_and(|(since, modified)| modified <= Time::from(since))
    }
}

/// The answer to `A-IM: feed` (RFC 3229): what changed since a document of ours that the client has. `full` is the whole
/// document of now.
pub(super) fn respond_delta(delta: &Document, full: &Document, base: &str, request: &HttpRequest) -> HttpResponse {
    let wanted = Coding::negotiate(header_text(request, &header::ACCEPT_ENCODING));
    let (coding, body) = delta.encoded(wanted);
    let mut response = full.whole(StatusCode::IM_USED, coding);
    response.insert_header(("IM", "feed"));
    response.insert_header(("Delta-Base", base));
    // Today's caches know no 226 and would keep it for the whole document.
    response.insert_header((header::CACHE_CONTROL, "private, no-store"));
    response.body(body)
}

/// The tag of ours, and its generation, that a client which takes deltas of feeds names.
pub(super) fn delta_base(request: &HttpRequest) -> Option<(String, u64)> {
    let manipulations = header_text(request, &header::HeaderName::from_static("a-im"))?;
    let takes_feeds =
        manipulations.split(',').any(|item| item.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("feed")));
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

fn header_text<'a>(request: &'a HttpRequest, name: &header::HeaderName) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// Compares weakly and ignores the coding, ours or one that a proxy noted: any coding's tag names the same document.
fn matches_tag(tags: &str, own: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| {
        let mut tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
        while let Some(rest) = ["-gzip", "-zstd", "-br", ";gzip"].iter().find_map(|suffix| tag.strip_suffix(suffix)) {
            tag = rest;
        }
        tag == "*" || tag == own
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use chrono::DateTime;

    fn at(second: i64) -> Time {
        DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
    }

    fn document() -> Document {
        Document::new("条目 ".repeat(99), "text/plain", Nature::Feed, 7, Some(at(0)))
    }

    fn status(name: &str, value: &str, now: i64) -> u16 {
        let request = TestRequest::get().insert_header((name, value)).to_http_request();
        document().respond(&request, at(now)).status().as_u16()
    }

    #[test]
    fn any_codings_tag_of_the_same_document_is_known() {
        let tag = document().tag;
        for sent in
            [format!("\"{tag}\""), format!("W/\"{tag}-gzip\""), format!("\"x\", \"{tag}-br\""), format!("\"{tag}-gzip-gzip\""), "*".into()]
        {
            assert_eq!(status("if-none-match", &sent, 99), 304, "{sent}");
        }
        for sent in ["\"7-0\"".to_owned(), format!("\"{tag}x\""), String::new()] {
            assert_eq!(status("if-none-match", &sent, 99), 200, "{sent}");
        }
    }

    #[test]
    fn a_date_is_believed_only_once_its_second_is_over() {
        let (exact, before) = (httpdate::fmt_http_date(at(0).into()), httpdate::fmt_http_date(at(-1).into()));
        assert_eq!(status("if-modified-since", &exact, 99), 304);
        assert_eq!(status("if-modified-since", &exact, 0), 200);
        assert_eq!(status("if-modified-since", &before, 99), 200);
    }

    #[test]
    fn the_tag_wins_over_the_date_and_a_304_carries_the_validators() {
        let request = TestRequest::get()
            .insert_header(("if-none-match", "\"other\""))
            .insert_header(("if-modified-since", httpdate::fmt_http_date(at(9).into())))
            .to_http_request();
        assert_eq!(document().respond(&request, at(99)).status(), 200);
        let request = TestRequest::get().insert_header(("if-none-match", "*")).to_http_request();
        let response = document().respond(&request, at(99));
        for name in ["etag", "last-modified", "vary", "cache-control"] {
            assert!(response.headers().contains_key(name), "{name}");
        }
    }
}
