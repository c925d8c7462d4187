//! What the headers of an answer say of time and text. It sends nothing.

use chrono::{DateTime, Duration};
use reqwest::header::{AGE, CACHE_CONTROL, CONTENT_TYPE, DATE, EXPIRES, HeaderMap, HeaderName, HeaderValue, LINK, RETRY_AFTER};
use url::Url;

use crate::model::{Time, is_web};

/// No wish of a server is followed for longer: a slip of its configuration would silence a source for ever.
const LONGEST: Duration = Duration::days(7);

/// How long a host is left alone that has been asked too often (429) and does not say for how long.
pub(super) const UNTOLD: Duration = Duration::minutes(15);

/// A header as text, which may have other letters than ASCII's (RFC 9110 5.5, 8.8.3).
pub(super) fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = std::str::from_utf8(headers.get(name)?.as_bytes()).ok()?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// A byte of a validator that is no UTF-8 is this far up among the characters, where Unicode has none of its own.
const STRAY: u32 = 0x10_f700;

/// A validator as it came, which may be in any encoding (`obs-text`, RFC 9110 8.8.3); see [`sent`].
pub(super) fn verbatim(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut text = String::new();
    for chunk in headers.get(name)?.as_bytes().trim_ascii().utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(STRAY + u32::from(*byte))));
    }
    (!text.is_empty()).then_some(text)
}

/// A validator as it goes back, to the byte.
pub(super) fn sent(validator: &str) -> Option<HeaderValue> {
    let mut bytes = Vec::with_capacity(validator.len());
    for letter in validator.chars() {
        match u32::from(letter).checked_sub(STRAY).and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    HeaderValue::from_bytes(&bytes).ok()
}

/// Until when the answer is fresh (RFC 9111 4.2.1): `max-age`, else `Expires`.
pub(super) fn fresh_until(headers: &HeaderMap, now: Time) -> Option<Time> {
    // It may stand in several lines, which are one list (RFC 9110 5.3).
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    let control = lines.collect::<Vec<_>>().join(",").to_ascii_lowercase();
    let directives = || control.split(',').map(str::trim);
    if directives().any(|directive| matches!(directive, "no-cache" | "no-store")) {
        return None;
    }
    let max_age = directives().find_map(|directive| seconds(directive.strip_prefix("max-age=")?.trim_matches('"')));
    if let Some(max_age) = max_age {
        let age = text(headers, &AGE).and_then(|age| age.parse::<i64>().ok()).unwrap_or(0);
        return later(now, max_age.saturating_sub(age.max(0)));
    }
    let date = text(headers, &DATE).and_then(|date| http_date(&date)).unwrap_or(now);
    later(now, (http_date(&text(headers, &EXPIRES)?)? - date).num_seconds())
}

/// `Retry-After`: seconds or a date (RFC 9110 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: Time) -> Option<Time> {
    let stated = text(headers, &RETRY_AFTER)?;
    match seconds(&stated) {
        Some(seconds) => later(now, seconds),
        None => later(now, (http_date(&stated)? - now).num_seconds()),
    }
}

/// A number of seconds; one too large to be counted is the largest (RFC 9111 1.2.2).
fn seconds(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().or(is_number.then_some(i64::MAX))
}

fn later(now: Time, seconds: i64) -> Option<Time> {
    (seconds > 0).then(|| now + Duration::seconds(seconds.min(LONGEST.num_seconds())))
}

/// A date of HTTP, or one of mail, which servers write as well: `1 Dec` for `01 Dec`, `+0000` for `GMT`.
fn http_date(text: &str) -> Option<Time> {
    let stated = httpdate::parse_http_date(text).ok().map(Time::from);
    stated.or_else(|| DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc()))
}

/// The media type without its parameters, in small letters, and the charset among them.
pub(super) fn content_type(headers: &HeaderMap) -> (Option<String>, Option<String>) {
    let Some(stated) = text(headers, &CONTENT_TYPE) else {
        return (None, None);
    };
    let mut parts = stated.split(';').map(str::trim);
    let media_type = parts.next().map(str::to_ascii_lowercase);
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    });
    (media_type, charset)
}

/// The first web address that the `Link` headers (RFC 8288) give a relation.
pub(super) fn link(headers: &HeaderMap, base: &Url, relation: &str) -> Option<String> {
    let values = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    // A comma or a semicolon may stand within a URL, so links are cut at what opens and closes one.
    let links = values.flat_map(|value| value.split('<').skip(1)).filter_map(|link| link.split_once('>'));
    let relations = |parameters: &str| {
        let rel = parameters
            .split([';', ','])
            .find_map(|part| part.trim().split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("rel")));
        rel.is_some_and(|(_, names)| names.trim().trim_matches('"').split_whitespace().any(|name| name.eq_ignore_ascii_case(relation)))
    };
    let mut found = links.filter(|(_, parameters)| relations(parameters)).filter_map(|(url, _)| base.join(url.trim()).ok());
    found.find(is_web).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::ETAG;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    fn minutes(until: Option<Time>, now: Time) -> Option<i64> {
        until.map(|until| (until - now).num_minutes())
    }

    #[test]
    fn freshness_is_what_the_server_says() {
        let now: Time = "2024-05-06T10:00:00Z".parse().unwrap();
        for (pairs, expected) in [
            (vec![], None),
            (vec![(CACHE_CONTROL, "public, Max-Age=3600")], Some(60)),
            (vec![(CACHE_CONTROL, "max-age=3600"), (AGE, "1800")], Some(30)),
            (vec![(CACHE_CONTROL, "no-cache, max-age=3600")], None),
            (vec![(CACHE_CONTROL, "public"), (CACHE_CONTROL, "max-age=3600")], Some(60)),
            (vec![(CACHE_CONTROL, "max-age=3600"), (CACHE_CONTROL, "no-cache")], None),
            (vec![(CACHE_CONTROL, "max-age=99999999999999999999")], Some(7 * 24 * 60)),
            (vec![(CACHE_CONTROL, "max-age=99999999999")], Some(7 * 24 * 60)),
            (vec![(EXPIRES, "Mon, 06 May 2024 11:00:00 GMT")], Some(60)),
            (vec![(EXPIRES, "Mon, 06 May 2024 11:00:00 GMT"), (DATE, "Mon, 06 May 2024 10:30:00 GMT")], Some(30)),
            (vec![(EXPIRES, "Mon, 6 May 2024 13:00:00 +0200")], Some(60)),
            (vec![(EXPIRES, "0")], None),
        ] {
            assert_eq!(minutes(fresh_until(&headers(&pairs), now), now), expected, "{pairs:?}");
        }
        assert_eq!(minutes(retry_after(&headers(&[(RETRY_AFTER, "600")]), now), now), Some(10));
        assert_eq!(minutes(retry_after(&headers(&[(RETRY_AFTER, "Mon, 06 May 2024 10:20:00 GMT")]), now), now), Some(20));
        assert_eq!(retry_after(&headers(&[(RETRY_AFTER, "soon")]), now), None);
    }

    #[test]
    fn a_validator_goes_back_to_the_byte() {
        for bytes in [&b"W/\"a b\""[..], "\"\u{7248}\u{672c}\"".as_bytes(), b"\"caf\xe9\"", b"\x80\xff\xe4\xb8"] {
            let value = HeaderValue::from_bytes(bytes).unwrap();
            let kept = verbatim(&HeaderMap::from_iter([(ETAG, value.clone())]), &ETAG).unwrap();
            assert_eq!(sent(&kept), Some(value), "{kept}");
        }
        assert_eq!(verbatim(&headers(&[(ETAG, " ")]), &ETAG), None);
    }

    #[test]
    fn links_are_found_by_their_relation() {
        let base = Url::parse("https://a.example/feed").unwrap();
        let links =
            headers(&[(LINK, "<https://hub.example/?a=b,c;d>; type=x; rel=\"hub preload\", </own>; Rel=self, <ftp://x/>; rel=hub")]);
        assert_eq!(link(&links, &base, "hub").as_deref(), Some("https://hub.example/?a=b,c;d"));
        assert_eq!(link(&links, &base, "self").as_deref(), Some("https://a.example/own"));
        assert_eq!(link(&links, &base, "next"), None);
    }

    #[test]
    fn a_charset_is_read_with_and_without_quotes() {
        let read = |value| content_type(&headers(&[(CONTENT_TYPE, value)]));
        assert_eq!(read("Text/XML; Charset=\"gb2312\""), (Some("text/xml".to_owned()), Some("gb2312".to_owned())));
        assert_eq!(read("application/rss+xml"), (Some("application/rss+xml".to_owned()), None));
    }
}
