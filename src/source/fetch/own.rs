//! What a source adds to its requests, and whom it may be told.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::{Client, FetchError};
use crate::model::{Header, Source};

/// Headers that are this client's own business: what is accepted, whether it changed, and the connection.
const RESERVED: [&str; 10] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "upgrade",
    "te",
    "accept-encoding",
    "if-none-match",
    "if-modified-since",
    "range",
];

/// Reads a header as `Name: value`; `None` if it is none that a source may have.
#[must_use]
pub fn header(text: &str) -> Option<Header> {
    let (name, value) = text.split_once(':')?;
    let header = Header { name: name.trim().to_owned(), value: value.trim().to_owned() };
    parsed(&header).map(|_| header)
}

fn parsed(header: &Header) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(header.name.as_bytes()).ok().filter(|name| !RESERVED.contains(&name.as_str()))?;
    let mut value = HeaderValue::from_str(&header.value).ok().filter(|value| !value.is_empty())?;
    value.set_sensitive(true);
    Some((name, value))
}

/// The headers of a source as they are sent.
pub(super) fn headers(headers: &[Header]) -> Result<HeaderMap, FetchError> {
    let refused = |header: &Header| FetchError::Settings(format!("the header {:?} cannot be sent", header.name));
    headers.iter().map(|header| parsed(header).ok_or_else(|| refused(header))).collect()
}

impl Client {
    /// The client for a page that a source names: through the source's proxy, with its headers on its own host alone.
    ///
    /// # Errors
    ///
    /// Fails if one of them cannot be used; the error tells no value.
    pub fn beside(&self, source: &Source, page: &Url) -> Result<Self, FetchError> {
        let mut client = self.of(&source.settings)?;
        if !Url::parse(&source.location).is_ok_and(|own| is_of_one_host(&own, page)) {
            client.headers.clear();
        }
        Ok(client)
    }
}

/// Whether two URLs are of one host, the second at least as safe on the way: what is meant for the first may go there.
pub(super) fn is_of_one_host(first: &Url, second: &Url) -> bool {
    let is_upgrade = first.scheme() == "http" && second.scheme() == "https" && first.port().is_none() && second.port().is_none();
    first.origin() == second.origin() || (is_upgrade && first.host() == second.host())
}

/// A URL of the host of another one, as the user that the other names: redirects and links do not name users.
pub(in crate::source) fn as_user_of(first: &Url, mut url: Url) -> Url {
    if is_of_one_host(first, &url) && url.username().is_empty() && url.password().is_none() {
        // Both fail only for URLs without a host.
        url.set_username(first.username()).ok();
        url.set_password(first.password()).ok();
    }
    url
}

/// Whether a redirect gives up TLS: what it says is nothing for good.
pub(super) fn is_downgrade(from: &Url, to: &Url) -> bool {
    from.scheme() == "https" && to.scheme() == "http"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_to_their_host_alone_and_never_from_https_to_http() {
        let urls = |first: &str, second: &str| (Url::parse(first).unwrap(), Url::parse(second).unwrap());
        for (first, second, is_one, is_down) in [
            ("https://a.example/x", "https://a.example/y", true, false),
            ("http://a.example/x", "https://a.example/x", true, false),
            ("https://a.example/x", "http://a.example/x", false, true),
            ("https://a.example/x", "https://b.example/x", false, false),
            ("https://a.example/x", "https://a.example:8443/x", false, false),
            ("http://a.example:8080/x", "https://a.example/x", false, false),
        ] {
            let (from, to) = urls(first, second);
            assert_eq!((is_of_one_host(&from, &to), is_downgrade(&from, &to)), (is_one, is_down), "{first} to {second}");
        }
    }

    #[test]
    fn a_header_is_a_name_and_a_value_that_are_not_ours() {
        for (text, is_taken) in [
            ("Authorization: Bearer x", true),
            ("x-key:y", true),
            ("Cookie: a=b", true),
            ("Host: x", false),
            ("If-None-Match: \"x\"", false),
            ("a b: c", false),
            ("X-Key: a\r\nHost: b", false),
            ("X-Key:", false),
            ("X-Key", false),
        ] {
            assert_eq!(header(text).is_some(), is_taken, "{text}");
        }
    }
}
