//! Whom a URL asks: the unit of politeness.

use std::fmt;

use url::Url;

/// Whether a URL is one of the web.
#[must_use]
pub fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// A web address with a host, as people write it: `feed:` is an old spelling of one, and no fragment is ever asked for.
#[must_use]
pub fn web_address(text: &str) -> Option<Url> {
    let text = match text.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("feed") && rest.starts_with("//") => &format!("http:{rest}"),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("feed") => rest,
        _ => text,
    };
    let mut url = Url::parse(text).ok().filter(|url| is_web(url) && url.has_host())?;
    url.set_fragment(None);
    Some(url)
}

/// A host that sources are asked at, with its port where that is none of the usual ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host(String);

impl Host {
    /// The host of a URL; http and https are one.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        let name = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
        let port = url.port().filter(|port| ![80, 443].contains(port));
        Some(Self(port.map_or_else(|| name.clone(), |port| format!("{name}:{port}"))))
    }

    /// As it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_and_users_of_one_host_are_one() {
        for (url, host) in [
            ("https://u:p@Example.org/a", "example.org"),
            ("http://example.org./b", "example.org"),
            ("https://example.org:80/", "example.org"),
            ("http://example.org:8080/", "example.org:8080"),
            ("http://[::1]:9/", "[::1]:9"),
        ] {
            assert_eq!(Host::of(&Url::parse(url).unwrap()).unwrap().as_str(), host, "{url}");
        }
    }
}
