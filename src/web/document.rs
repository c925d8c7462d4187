//! A published document: bytes with their validators, compressed once, answered conditionally.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::asked::{Asked, header_text};
use super::coding::Coding;
use super::headers::{Headers, Nature, Variant, value};
use super::memory::kept;
use super::{lane, stitch};
use crate::model::Time;

/// How often a document is given before it is compressed as a whole.
const HOT: u32 = 3;

/// About how much memory the headers of a document take, as they are and as they are written.
const HEAD: usize = 4096;

/// A document with all that answering it needs; nothing in it comes from the clock or the process.
#[derive(Debug)]
pub(super) struct Document {
    /// Without a coding; a document that was put together has this only once it is asked for.
    body: OnceLock<Bytes>,
    /// As gzip, put together of blocks.
    stitched: Option<Bytes>,
    encoded: [OnceLock<Option<Bytes>>; 3],
    /// How often it was given in another coding than the best for who asked.
    missed: AtomicU32,
    /// The codings that somebody makes or has made, a bit each.
    in_work: AtomicU8,
    /// How heavy it was when that was last asked.
    weighed: AtomicU64,
    media_type: String,
    tag: String,
    modified: Option<Time>,
    headers: Headers,
}

/// An answer as it is written.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The head, without its date and end.
    pub(super) head: Bytes,
    pub(super) body: Bytes,
}

impl Document {
    /// A document; `generation` is the highest among the articles in it.
    pub(super) fn new(
        body: impl Into<Vec<u8>>,
        media_type: impl Into<String>,
        nature: Nature,
        generation: u64,
        modified: Option<Time>,
    ) -> Self {
        let body = kept(body.into());
        let tag = tag(generation, Sha256::digest(&body).as_slice());
        Self { body: body.into(), ..Self::bare(tag, media_type.into(), nature, modified) }
    }

    /// A document that was put together as gzip; `digest` is one of all that is in it.
    pub(super) fn stitched(gzip: Bytes, digest: &[u8], media_type: &str, nature: Nature, generation: u64, modified: Option<Time>) -> Self {
        Self { stitched: Some(gzip), ..Self::bare(tag(generation, digest), media_type.to_owned(), nature, modified) }
    }

    fn bare(tag: String, media_type: String, nature: Nature, modified: Option<Time>) -> Self {
        Self {
            headers: Headers::new(&tag, &media_type, nature, modified),
            body: OnceLock::new(),
            stitched: None,
            encoded: Default::default(),
            missed: AtomicU32::new(0),
            in_work: AtomicU8::new(0),
            weighed: AtomicU64::new(0),
            media_type,
            tag,
            modified,
        }
    }

    /// What names these bytes, in any coding.
    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    /// Adds `Link` headers (RFC 8288).
    pub(super) fn with_links(mut self, links: &[String]) -> Self {
        self.headers.whole.extend(links.iter().map(|link| (header::LINK, value(link))));
        self
    }

    /// Its bytes, not encoded.
    pub(super) fn body(&self) -> &Bytes {
        self.body.get_or_init(|| {
            // Our own blocks can only be damaged where the disk is; then there is nothing to give.
            self.stitched.as_deref().and_then(|gzip| stitch::inflated(gzip).ok()).unwrap_or_default()
        })
    }

    /// Its `Content-Type`.
    pub(super) fn media_type(&self) -> &str {
        &self.media_type
    }

    /// About how many bytes of memory it takes, in all codings that it has by now.
    pub(super) fn weight(&self) -> u64 {
        let codings = self.encoded.iter().filter_map(|encoded| encoded.get()?.as_ref());
        let all = codings.chain(self.body.get()).chain(&self.stitched);
        (all.map(Bytes::len).sum::<usize>() + HEAD) as u64
    }

    /// Whether it is heavier than when that was last asked.
    pub(super) fn has_grown(&self) -> bool {
        let weight = self.weight();
        self.weighed.load(Ordering::Relaxed) != weight && self.weighed.swap(weight, Ordering::Relaxed) != weight
    }

    /// The answer to a request that is written as it is: the same as [`Self::respond`] gives.
    pub(super) fn answer(&self, asked: &Asked<'_>, now: Time) -> (Answer, Option<Coding>) {
        let accept = asked.accept.unwrap_or_default();
        let (variant, body) = self.variant(accept);
        if asked.knows(&self.tag, self.modified, now) {
            let known = || lane::head("304 Not Modified", self.lines(variant).into_iter());
            let head = self.headers.known[variant as usize].get_or_init(known).clone();
            return (Answer { status: StatusCode::NOT_MODIFIED, head, body: Bytes::new() }, None);
        }
        let body = body.unwrap_or_else(|| self.body().clone());
        let whole = || {
            let length = body.len().to_string();
            let mut lines = vec![("content-length", length.as_bytes())];
            lines.extend(self.lines(variant));
            lines.extend(variant.coding().name().map(|name| ("content-encoding", name.as_bytes())));
            let more = self.headers.typed.iter().chain(&self.headers.whole);
            lines.extend(more.map(|(name, value)| (name.as_str(), value.as_bytes())));
            lane::head("200 OK", lines.into_iter())
        };
        let head = self.headers.full[variant as usize].get_or_init(whole).clone();
        let body = if asked.is_head { Bytes::new() } else { body };
        (Answer { status: StatusCode::OK, head, body }, self.wanted(accept, variant))
    }

    /// The headers that a 200 and a 304 share.
    fn lines(&self, variant: Variant) -> Vec<(&str, &[u8])> {
        let tag = ("etag", self.headers.tags[variant as usize].as_bytes());
        std::iter::once(tag).chain(self.headers.shared.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))).collect()
    }

    /// The answer to a request: the document in the best coding that is ready, or that the client has it already; and the
    /// coding that is worth making for those who ask as this client does.
    pub(super) fn respond(&self, request: &HttpRequest, now: Time) -> (HttpResponse, Option<Coding>) {
        let asked = Asked::of(request);
        let accept = asked.accept.unwrap_or_default();
        let (variant, body) = self.variant(accept);
        if asked.knows(&self.tag, self.modified, now) {
            let mut response = HttpResponse::new(StatusCode::NOT_MODIFIED);
            self.head(response.headers_mut(), variant);
            return (response, None);
        }
        let mut response = self.whole(StatusCode::OK, variant, body.unwrap_or_else(|| self.body().clone()));
        add(response.headers_mut(), &self.headers.whole);
        (response, self.wanted(accept, variant))
    }

    /// An answer with a body of a variant, and the validators of this document.
    fn whole(&self, status: StatusCode, variant: Variant, body: Bytes) -> HttpResponse {
        let mut response = HttpResponse::with_body(status, body).map_into_boxed_body();
        let headers = response.headers_mut();
        self.head(headers, variant);
        if let Some(name) = variant.coding().name() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        add(headers, &self.headers.typed);
        response
    }

    /// The headers that a 200 and a 304 share.
    fn head(&self, headers: &mut HeaderMap, variant: Variant) {
        headers.insert(header::ETAG, self.headers.tags[variant as usize].clone());
        add(headers, &self.headers.shared);
    }

    /// The bytes that a client gets, by its `Accept-Encoding`; without any it gets them as they are. A document that was put
    /// together comes in the best coding that is ready, another is compressed now, once.
    fn variant(&self, accept: &str) -> (Variant, Option<Bytes>) {
        for coding in Coding::accepted(accept) {
            let made = match &self.stitched {
                Some(_) => self.encoded[coding.place()].get(),
                None => Some(self.encoded[coding.place()].get_or_init(|| coding.encode(self.body()))),
            };
            match (made, &self.stitched) {
                (Some(Some(bytes)), _) => return (Variant::of(coding), Some(bytes.clone())),
                (None, Some(bytes)) if coding == Coding::Gzip => return (Variant::Stitched, Some(bytes.clone())),
                _ => {}
            }
        }
        (Variant::Identity, None)
    }

    /// The coding to be made: the best for a client that got this variant, if that is another one and was missed often.
    /// Each coding is given once.
    fn wanted(&self, accept: &str, variant: Variant) -> Option<Coding> {
        self.stitched.as_ref()?;
        let best = Coding::accepted(accept).next().filter(|best| Variant::of(*best) != variant)?;
        // Who takes no gzip gets it as it is until something smaller is made.
        let missed = self.missed.fetch_add(1, Ordering::Relaxed) + 1;
        if missed < HOT && variant != Variant::Identity {
            return None;
        }
        let bit = 1 << best.place();
        (self.in_work.fetch_or(bit, Ordering::Relaxed) & bit == 0).then_some(best)
    }

    /// A coding that was wanted is not made now: who asks next wants it again.
    pub(super) fn put_off(&self, coding: Coding) {
        self.in_work.fetch_and(!(1 << coding.place()), Ordering::Relaxed);
    }

    /// Compresses it as a whole.
    pub(super) fn make(&self, coding: Coding) {
        self.encoded[coding.place()].get_or_init(|| match (self.body.get(), &self.stitched) {
            // What nobody asked for is not kept.
            (None, Some(gzip)) => coding.encode(&stitch::inflated(gzip).ok()?),
            _ => coding.encode(self.body()),
        });
    }
}

fn add(headers: &mut HeaderMap, more: &[(HeaderName, HeaderValue)]) {
    for (name, value) in more {
        headers.append(name.clone(), value.clone());
    }
}

fn tag(generation: u64, digest: &[u8]) -> String {
    format!("{generation}-{}", HEXLOWER.encode(&digest[..8]))
}

/// The answer to `A-IM: feed` (RFC 3229): what changed since a document of ours that the client has. `full` is the whole
/// document of now.
pub(super) fn respond_delta(delta: &Document, full: &Document, base: &str, request: &HttpRequest) -> HttpResponse {
    let (variant, body) = delta.variant(header_text(request, &header::ACCEPT_ENCODING).unwrap_or_default());
    let mut response = full.whole(StatusCode::IM_USED, variant, body.unwrap_or_else(|| delta.body().clone()));
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("im"), HeaderValue::from_static("feed"));
    headers.insert(HeaderName::from_static("delta-base"), value(base));
    // Today's caches know no 226 and would keep it for the whole document.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
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
        document().respond(&request, at(now)).0.status().as_u16()
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
    fn a_coding_is_wanted_once_unless_it_is_put_off() {
        let blocks = Coding::Gzip.encode("条目 ".repeat(99).as_bytes()).unwrap();
        let document = Document::stitched(blocks, &[0; 32], "text/plain", Nature::Feed, 7, None);
        let wanted = || {
            let request = TestRequest::get().insert_header(("accept-encoding", "zstd")).to_http_request();
            document.respond(&request, at(99)).1
        };
        assert_eq!([wanted(), wanted()], [Some(Coding::Zstd), None]);
        document.put_off(Coding::Zstd);
        assert_eq!([wanted(), wanted()], [Some(Coding::Zstd), None]);
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
        assert_eq!(document().respond(&request, at(99)).0.status(), 200);
        let request = TestRequest::get().insert_header(("if-none-match", "*")).to_http_request();
        let (response, _) = document().respond(&request, at(99));
        for name in ["etag", "last-modified", "vary", "cache-control"] {
            assert!(response.headers().contains_key(name), "{name}");
        }
    }
}
