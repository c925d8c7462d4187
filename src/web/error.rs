//! What goes wrong with a request, as problem documents (RFC 9457) for programs and pages for people.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::Refusal;
use crate::model::{AddressError, Kind, Site, Slug, Target, Term, text};
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
    const fn status(&self) -> StatusCode {
        match self {
            Self::Address(AddressError::NotFound(_)) | Self::Unknown(_) | Self::Unpublished(..) => StatusCode::NOT_FOUND,
            Self::Address(AddressError::Malformed | AddressError::Parameter { .. }) | Self::Hub(Refusal::Request(_)) => {
                StatusCode::BAD_REQUEST
            }
            Self::Gone => StatusCode::GONE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Hub(Refusal::Full(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Compress(_) | Self::Output(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer: a page where a page is accepted, else a problem document.
    pub(super) fn respond(&self, request: &HttpRequest, site: &Site) -> HttpResponse {
        let status = self.status();
        if matches!(self, Self::Store(_) | Self::Compress(_) | Self::Output(_)) {
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
        let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        if accept.contains("text/html") {
            response.insert_header((header::CONTENT_SECURITY_POLICY, html::CONTENT_SECURITY_POLICY));
            return response.content_type("text/html; charset=utf-8").body(self.page(site));
        }
        response.content_type("application/problem+json").body(self.problem(site).to_string())
    }

    fn page(&self, site: &Site) -> String {
        let nearest = if let Self::Unknown(nearest) = self { nearest.as_slice() } else { &[] };
        html::error(site, self.status().as_u16(), self.title(), &self.to_string(), nearest)
    }

    fn problem(&self, site: &Site) -> serde_json::Value {
        let mut problem =
            json!({ "type": "about:blank", "title": self.title(), "status": self.status().as_u16(), "detail": self.to_string() });
        match self {
            Self::Address(AddressError::Parameter { name, value, expected }) => {
                problem["parameter"] = json!(name);
                if !value.is_empty() {
                    problem["value"] = json!(value);
                }
                problem["expected"] = json!(expected);
            }
            Self::Unknown(nearest) => {
                let link = |term: &Term| site.link(&Target::page(&crate::model::Selection::of(term.name.kind, term.name.slug.clone())));
                problem["nearest"] = nearest.iter().map(|term| json!({ "name": term.name.name, "url": link(term) })).collect();
            }
            _ => {}
        }
        problem
    }

    const fn title(&self) -> &'static str {
        match self {
            Self::Address(AddressError::NotFound(_)) | Self::Unknown(_) | Self::Unpublished(..) => "Not found",
            Self::Address(_) => "Bad request",
            Self::Gone => "Gone",
            Self::Method => "Method not allowed",
            Self::Hub(_) => "The hub does not take this",
            Self::Store(_) | Self::Compress(_) | Self::Output(_) => "The server failed",
        }
    }
}
