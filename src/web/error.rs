//! What goes wrong with a request, as problem documents (RFC 9457) for programs and pages for people.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::Refusal;
use super::asked::header_text;
use crate::model::{AddressError, Kind, Selection, Site, Slug, Target, Term, text};
use crate::output::{OutputError, html};
use crate::store::StoreError;

/// Why a request gets no document.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL cannot be read.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// There is nothing; these are near it.
    #[error("nothing was ever published under this name")]
    Unknown(Vec<Term>),
    /// A name of this kind that was never published: what is near it is looked for once somebody is told.
    #[error("nothing was ever published under this name")]
    Unpublished(Kind, Slug),
    /// It was there once.
    #[error("this was withdrawn by its source or deleted on purpose; it will not come back at this address")]
    Gone,
    /// Only reading is offered.
    #[error("this method is not offered here; GET and HEAD are")]
    Method,
    /// The hub does not take a request.
    #[error(transparent)]
    Hub(#[from] Refusal),
    /// The store failed.
    #[error("the store failed; the log says more")]
    Store(#[from] StoreError),
    /// A document could not be compressed.
    #[error("the document could not be compressed; the log says more")]
    Compress(#[from] std::io::Error),
    /// A document could not be written.
    #[error("the document could not be written; the log says more")]
    Output(#[from] OutputError),
}

impl Error {
    /// Its status, and what that is called.
    const fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Address(AddressError::NotFound(_)) | Self::Unknown(_) | Self::Unpublished(..) => (StatusCode::NOT_FOUND, "Not found"),
            Self::Address(_) => (StatusCode::BAD_REQUEST, "Bad request"),
            Self::Gone => (StatusCode::GONE, "Gone"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::Hub(Refusal::Request(_)) => (StatusCode::BAD_REQUEST, "The hub does not take this"),
            Self::Hub(Refusal::Full(_)) => (StatusCode::SERVICE_UNAVAILABLE, "The hub does not take this"),
            Self::Store(_) | Self::Compress(_) | Self::Output(_) => (StatusCode::INTERNAL_SERVER_ERROR, "The server failed"),
        }
    }

    /// The answer: a page where a page is accepted, else a problem document.
    pub(super) fn respond(&self, request: &HttpRequest, site: &Site) -> HttpResponse {
        let (status, title) = self.status();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = %text::chain(self), "a request failed");
        }
        let mut response = HttpResponse::build(status);
        response.insert_header((header::CACHE_CONTROL, if status.is_server_error() { "no-store" } else { "public, max-age=60" }));
        response.insert_header((header::VARY, "Accept"));
        response.insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
        // Or a reader in a browser would not learn what is wrong.
        response.insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.insert_header((header::ALLOW, "GET, HEAD"));
        }
        if header_text(request, &header::ACCEPT).is_some_and(|accept| accept.contains("text/html")) {
            let nearest = if let Self::Unknown(nearest) = self { nearest.as_slice() } else { &[] };
            let page = html::error(site, status.as_u16(), title, &self.to_string(), nearest);
            response.insert_header((header::CONTENT_SECURITY_POLICY, html::CONTENT_SECURITY_POLICY));
            return response.content_type("text/html; charset=utf-8").body(page);
        }
        response.content_type("application/problem+json").body(self.problem(site).to_string())
    }

    fn problem(&self, site: &Site) -> serde_json::Value {
        let (status, title) = self.status();
        let mut problem = json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": self.to_string() });
        match self {
            Self::Address(AddressError::Parameter { name, value, expected }) => {
                problem["parameter"] = json!(name);
                if !value.is_empty() {
                    problem["value"] = json!(value);
                }
                problem["expected"] = json!(expected);
            }
            Self::Unknown(nearest) => {
                let link = |term: &Term| site.link(&Target::page(&Selection::of(term.name.kind, term.name.slug.clone())));
                problem["nearest"] = nearest.iter().map(|term| json!({ "name": term.name.name, "url": link(term) })).collect();
            }
            _ => {}
        }
        problem
    }
}
