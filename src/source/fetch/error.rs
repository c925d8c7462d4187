//! Why a fetch has no answer.

use std::time::Duration;

use reqwest::StatusCode;
use url::Url;

use crate::model::{Host, Time};

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
    /// Others kept it from a host for too long; it was not asked.
    #[error("{url} was not asked, since others were asking its host for {} s; it is asked later", .limit.as_secs())]
    Crowded {
        /// What was to be asked for.
        url: Url,
        /// How long it waits.
        limit: Duration,
    },
    /// A redirect leads to a host that wishes to be left alone; it was not asked.
    #[error("{url} was not asked: a redirect leads there, and its host wishes to be left alone until {}", .until.format("%F %R UTC"))]
    Resting {
        /// What was to be asked for.
        url: Url,
        /// When it may be asked.
        until: Time,
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
    /// Redirects that lead back to where they were.
    #[error("{0} redirects in a circle, as pages do that wish for a cookie or a login")]
    Circle(Url),
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
            Self::Resting { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// Whether it was not asked, since others kept it from a host.
    #[must_use]
    pub const fn is_crowded(&self) -> bool {
        matches!(self, Self::Crowded { .. })
    }

    /// The host that wishes to be left alone (429, or 503 with a time), and until when.
    #[must_use]
    pub fn busy_host(&self) -> Option<(Host, Time)> {
        match self {
            Self::Status { url, status: StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, retry_after: Some(until) } => {
                Some((Host::of(url)?, *until))
            }
            Self::Resting { url, until } => Some((Host::of(url)?, *until)),
            _ => None,
        }
    }
}
