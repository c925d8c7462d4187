//! The addresses in what is published: absolute, without trackers, and of schemes that do no harm.

use std::borrow::Cow;

use url::{ParseError, Position, Url};

use crate::model::{PLACEHOLDER, identity, is_web};

/// What a link may lead to.
pub(super) const SCHEMES: [&str; 7] = ["http", "https", "mailto", "tel", "magnet", "xmpp", "geo"];
/// A longer base, in bytes, is none: each relative link repeats it.
pub(super) const LONGEST_BASE: usize = 2048;
/// Longer hosts are left to the parser, which knows the limits of names.
const MAX_HOST: usize = 63;

/// How the links of a document are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Links<'a> {
    /// What relative ones stand on; without it they go.
    pub(super) base: Option<&'a Url>,
    /// Whether our own Markdown reader made the document: links may be placeholders of ours ([`PLACEHOLDER`]).
    pub(super) is_own: bool,
}

impl<'a> Links<'a> {
    /// The address of a link as it is published: absolute, without trackers. Fragments of the same document stay.
    pub(super) fn address<'v>(&self, value: &'v str) -> Option<Cow<'v, str>> {
        let value = value.trim();
        if value.contains(PLACEHOLDER) {
            return self.is_own.then_some(Cow::Borrowed(value));
        }
        if value.starts_with('#') {
            return Some(Cow::Borrowed(value));
        }
        let mut url = match self.base {
            Some(base) => base.join(value).ok()?,
            None => Url::parse(value).ok()?,
        };
        strip_trackers(&mut url);
        Some(Cow::Owned(url.into()))
    }

    /// What [`Self::address`] gives, in two pieces, where it is known without parsing; most links of the world are so.
    pub(super) fn known<'v>(&self, value: &'v str) -> Option<(&'a str, &'v str)> {
        if let Some(fragment) = value.strip_prefix('#') {
            return fragment.bytes().all(is_plain).then_some(("", value));
        }
        if value.starts_with('/') && !value.starts_with("//") {
            let base = self.base.filter(|base| is_web(base) && base.username().is_empty())?;
            return (base.password().is_none() && is_plain_path(value)).then(|| (&base[..Position::BeforePath], value));
        }
        let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"))?;
        let (host, path) = rest.split_at(rest.find('/')?);
        (is_plain_host(host) && is_plain_path(path)).then_some(("", value))
    }
}

/// Whether relative links may stand on a base.
pub(super) fn is_short(base: &Url) -> bool {
    base.as_str().len() <= LONGEST_BASE
}

/// Whether an address may stand in a link: a relative one, or one whose scheme does no harm.
pub(super) fn is_harmless(value: &str) -> bool {
    match Url::parse(value) {
        Ok(url) => SCHEMES.contains(&url.scheme()),
        Err(error) => error == ParseError::RelativeUrlWithoutBase,
    }
}

/// A name that is neither a number nor an international one, and that stays as it is.
fn is_plain_host(host: &str) -> bool {
    let is_label = |label: &str| {
        let is_name = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        is_name && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && !label.contains("--")
    };
    let is_numeric = host.rsplit('.').next().is_none_or(|last| !last.starts_with(|c: char| c.is_ascii_lowercase()));
    host.len() <= MAX_HOST && !is_numeric && host.split('.').all(is_label)
}

/// A path, with its query and its fragment, that stays as it is: no segment of dots, no tracker, nothing to be escaped.
fn is_plain_path(path: &str) -> bool {
    let (rest, fragment) = path.split_once('#').unwrap_or((path, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    // A dot may be written `%2e`.
    let is_segment = |segment: &str| !segment.starts_with('.') && !segment.starts_with("%2") && segment.bytes().all(is_plain);
    let is_query = query.bytes().all(|b| is_plain(b) || b == b'?');
    is_query && fragment.bytes().all(is_plain) && path.split('/').all(is_segment) && !query.split('&').any(is_tracker)
}

/// Characters that a URL has as they are, wherever they stand behind the host.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_~.!$()*+,;=:@/%&".contains(&byte)
}

/// Whether a parameter of a query only tells who clicked.
fn is_tracker(parameter: &str) -> bool {
    identity::is_tracker(parameter.split('=').next().unwrap_or_default())
}

/// Takes the parameters that only tell who clicked out of a URL.
pub(super) fn strip_trackers(url: &mut Url) {
    let Some(query) = url.query().filter(|query| query.split('&').any(is_tracker)) else {
        return;
    };
    let kept: Vec<&str> = query.split('&').filter(|parameter| !is_tracker(parameter)).collect();
    let kept = kept.join("&");
    url.set_query((!kept.is_empty()).then_some(&kept));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASES: [&str; 5] =
        ["https://a.example/b/c?d#e", "http://a.example:8080", "https://u:p@a.example/", "file:///a/b", "mailto:a@b.example"];

    fn is_as_parsed(value: &str) -> bool {
        let bases: Vec<Url> = BASES.iter().filter_map(|base| Url::parse(base).ok()).collect();
        let mut is_known = false;
        for base in bases.iter().map(Some).chain([None]) {
            let links = Links { base, is_own: false };
            let Some((origin, rest)) = links.known(value) else { continue };
            assert_eq!(links.address(value).as_deref(), Some(format!("{origin}{rest}").as_str()), "{value} on {base:?}");
            assert!(is_harmless(value), "{value}");
            is_known = true;
        }
        is_known
    }

    #[test]
    fn usual_links_are_known_without_parsing() {
        for value in [
            "https://a.example/",
            "http://www.a-b.example/2025/10/08/a_b~c.html?p=1&q=a+b%20c#d",
            "https://xn.example/%E4%B8%AD/@user/a:b;c=(d)",
            "/a/b.c?d=e",
            "/",
            "#fn-1",
        ] {
            assert!(is_as_parsed(value), "{value}");
        }
        for value in [
            "https://a.example",
            "https://A.example/",
            "https://a.example./",
            "https://1.2.3.4/",
            "https://a.0x1/",
            "https://xn--a.example/",
            "https://a.example:443/",
            "https://a.example/a/../b",
            "https://a.example/%2e%2E/b",
            "https://a.example/?utm_source=a",
            "https://a.example/a b",
            "https://a.example/a'b",
            "https://a.example/中",
            "https://u@a.example/",
            "//a.example/",
            "/.",
            "/\\a",
        ] {
            assert!(!is_as_parsed(value), "{value}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn what_is_known_is_what_the_parser_gives(
            start in "(https?://|/|#|)",
            host in "([a-z0-9-]{1,4}|xn--[a-z0-9]{1,4}|[0-9]{1,3}|0x[0-9a-f]|[A-Z.])(\\.([a-z0-9-]{1,3}|[0-9]|)){0,3}",
            rest in "(/([ -~]{0,3}|\\.|\\.\\.|%2[eE]|[a-z%.]{1,4})){0,3}(\\?[ -~]{0,8})?(#[ -~]{0,4})?",
        ) {
            is_as_parsed(&format!("{start}{host}{rest}"));
            is_as_parsed(&format!("{start}{rest}"));
        }
    }
}
