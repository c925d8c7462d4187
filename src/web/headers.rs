//! What the headers of a document's answers say, by what it is and by the form that its bytes are sent in.

use std::sync::OnceLock;

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::Bytes;

use super::coding::Coding;
use crate::model::Time;

/// How long others may keep a document.
pub(super) const CACHE_CONTROL: &str = "public, max-age=300, stale-while-revalidate=3600";

/// The form that bytes are sent in; the tag of each differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    Identity,
    /// Gzip, put together of blocks.
    Stitched,
    Gzip,
    Zstd,
    Brotli,
}

impl Variant {
    const ALL: [Self; Self::COUNT] = [Self::Identity, Self::Stitched, Self::Gzip, Self::Zstd, Self::Brotli];
    pub(super) const COUNT: usize = 5;

    pub(super) const fn of(coding: Coding) -> Self {
        match coding {
            Coding::Identity => Self::Identity,
            Coding::Gzip => Self::Gzip,
            Coding::Zstd => Self::Zstd,
            Coding::Brotli => Self::Brotli,
        }
    }

    pub(super) const fn coding(self) -> Coding {
        match self {
            Self::Identity => Coding::Identity,
            Self::Stitched | Self::Gzip => Coding::Gzip,
            Self::Zstd => Coding::Zstd,
            Self::Brotli => Coding::Brotli,
        }
    }

    /// What stands at the end of the tag.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Stitched => "-blocks",
            Self::Gzip => "-gzip",
            Self::Zstd => "-zstd",
            Self::Brotli => "-br",
        }
    }
}

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

/// The headers of answers, made once.
#[derive(Debug)]
pub(super) struct Headers {
    /// The `ETag` of each variant.
    pub(super) tags: [HeaderValue; Variant::COUNT],
    /// What a 200 and a 304 share (RFC 9110 15.4.5).
    pub(super) shared: Vec<(HeaderName, HeaderValue)>,
    /// What says of which type a body is.
    pub(super) typed: Vec<(HeaderName, HeaderValue)>,
    /// What only a 200 has.
    pub(super) whole: Vec<(HeaderName, HeaderValue)>,
    /// As they are written, of each variant: those of a 304, and those of a 200.
    pub(super) known: [OnceLock<Bytes>; Variant::COUNT],
    pub(super) full: [OnceLock<Bytes>; Variant::COUNT],
}

impl Headers {
    pub(super) fn new(tag: &str, media_type: &str, nature: Nature, modified: Option<Time>) -> Self {
        let cache = match nature {
            Nature::Asset => "public, max-age=31536000, immutable",
            Nature::Archive => "public, max-age=86400, stale-while-revalidate=3600",
            _ => CACHE_CONTROL,
        };
        let mut shared =
            vec![(header::VARY, HeaderValue::from_static("Accept-Encoding")), (header::CACHE_CONTROL, HeaderValue::from_static(cache))];
        shared.extend(modified.map(|modified| (header::LAST_MODIFIED, value(&httpdate::fmt_http_date(modified.into())))));
        if matches!(nature, Nature::Feed | Nature::Archive) {
            let any = HeaderValue::from_static("*");
            // Or a reader in a page would see no tag to ask with, and no link to the archive.
            shared.extend([(header::ACCESS_CONTROL_ALLOW_ORIGIN, any.clone()), (header::ACCESS_CONTROL_EXPOSE_HEADERS, any)]);
        }
        let policy = match nature {
            Nature::Page => Some(crate::output::html::CONTENT_SECURITY_POLICY),
            Nature::File => Some("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
            _ => None,
        };
        let protection = policy.map(|policy| {
            let referrer = HeaderValue::from_static("strict-origin-when-cross-origin");
            [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)), (header::REFERRER_POLICY, referrer)]
        });
        Self {
            tags: Variant::ALL.map(|variant| value(&format!("\"{tag}{}\"", variant.suffix()))),
            shared,
            typed: vec![(header::CONTENT_TYPE, value(media_type)), (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))],
            whole: protection.into_iter().flatten().collect(),
            known: Default::default(),
            full: Default::default(),
        }
    }
}

/// A header's value; what cannot be one is left empty.
pub(super) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
