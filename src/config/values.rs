//! Values as people write them: durations, sizes, addresses, URLs. Each function gives `None` for what its key does not
//! take; who asked says so.

use std::net::SocketAddr;
use std::time::Duration;

use chrono_tz::Tz;
use url::Url;

use crate::model::{Network, is_web};

/// Reads `90s`, `15m`, `24h`, `7d`, or `1h30m`.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let mut total = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit = match tail.chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = &tail[1..];
    }
    (total > 0 && total <= 366 * 86_400).then(|| Duration::from_secs(total))
}

/// Reads a duration that may be none: `0s`.
pub(super) fn pause(text: &str) -> Option<Duration> {
    if text == "0s" { Some(Duration::ZERO) } else { duration(text) }
}

/// Reads `500`, `64KiB`, `10MiB`, `1GiB`: bytes.
pub(super) fn size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "kib" | "kb" | "k" => 10,
        "mib" | "mb" | "m" => 20,
        "gib" | "gb" | "g" => 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift).filter(|size| *size > 0)
}

/// A switch.
pub(super) fn switch(text: &str) -> Option<bool> {
    match text {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// The name that is most like one that is not there, as the end of a message.
pub(super) fn nearest<'a>(known: impl Iterator<Item = &'a str>, name: &str) -> String {
    let likeness = |other: &str| strsim::jaro_winkler(other, name);
    let nearest = known.filter(|other| likeness(other) > 0.7).max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    nearest.map_or_else(String::new, |key| format!("; did you mean `{key}`?"))
}

pub(super) fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

pub(super) fn count(text: &str) -> Option<usize> {
    text.parse().ok().filter(|count| *count > 0)
}

/// Reads `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, or a port alone, which stays on this machine.
pub(super) fn bind(text: &str) -> Option<SocketAddr> {
    let port = text.strip_prefix("localhost:").unwrap_or(text);
    text.parse().ok().or_else(|| Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?))))
}

/// The URL of a store that there is a backend for.
pub(super) fn store(text: &str) -> Option<String> {
    text.strip_prefix("sqlite:").filter(|path| !path.trim_start_matches("//").is_empty()).map(|_| text.to_owned())
}

/// A site's own URL: what would not survive having paths added to it is refused.
pub(super) fn public_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    (is_web(&url) && url.has_host() && is_plain).then_some(url)
}

/// The URL of a proxy: one that is given the name asked for, and resolves it itself.
#[must_use]
pub fn proxy(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "socks5h") && url.host_str().is_some_and(|host| !host.is_empty())).then(|| text.to_owned())
}

/// The machine's own time zone, the default for dates that name none.
pub(super) fn machine_zone() -> Tz {
    iana_time_zone::get_timezone().ok().and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC)
}

/// Reads IP addresses and networks with commas between them: `10.0.0.1, fd00::/8`.
pub(super) fn networks(text: &str) -> Option<Vec<Network>> {
    text.split(',').filter(|network| !network.trim().is_empty()).map(Network::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_read_as_people_write_them() {
        assert_eq!(duration("1h30m"), Some(Duration::from_mins(90)));
        assert_eq!((pause("0s"), pause("1s"), pause("0")), (Some(Duration::ZERO), Some(Duration::from_secs(1)), None));
        assert_eq!((duration("5"), duration(""), duration("0s"), duration("9999999999999999d")), (None, None, None, None));
        assert_eq!(
            (size("10MiB"), size("64k"), size("7"), size("x"), size("99999999999999GiB")),
            (Some(10 << 20), Some(64 << 10), Some(7), None, None)
        );
    }

    #[test]
    fn a_port_alone_stays_on_this_machine() {
        for (text, expected) in [
            ("0", Some("127.0.0.1:0")),
            ("9000", Some("127.0.0.1:9000")),
            ("localhost:9000", Some("127.0.0.1:9000")),
            ("0.0.0.0:80", Some("0.0.0.0:80")),
            ("[::]:80", Some("[::]:80")),
            ("70000", None),
            ("feeds.example.org:80", None),
            (":80", None),
        ] {
            assert_eq!(bind(text).map(|address| address.to_string()).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_proxy_resolves_names_itself() {
        for (text, is_taken) in [
            ("http://127.0.0.1:3128", true),
            ("socks5h://user:pw@proxy.example:1080", true),
            ("socks5://proxy.example:1080", false),
            ("proxy.example:3128", false),
            ("socks5h://", false),
        ] {
            assert_eq!(proxy(text).is_some(), is_taken, "{text:?}");
        }
    }

    #[test]
    fn a_public_url_has_nothing_that_paths_could_not_follow() {
        for (text, is_taken) in [
            ("https://feeds.example.org", true),
            ("http://example.org:8080/feeds/", true),
            ("https://:secret@example.org", false),
            ("https://example.org/?a=b", false),
            ("ftp://example.org", false),
            ("feeds.example.org", false),
        ] {
            assert_eq!(public_url(text).is_some(), is_taken, "{text:?}");
        }
    }
}
