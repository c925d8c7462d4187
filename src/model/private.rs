//! What must not be told of a URL: who asks, and with which secret.

use std::borrow::Cow;

use url::Url;

/// Words in the names of parameters that carry secrets.
const SECRETS: [&str; 6] = ["token", "secret", "passw", "apikey", "api_key", "api-key"];

fn is_secret(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    SECRETS.iter().any(|secret| name.contains(secret)) || matches!(name.as_str(), "key" | "sig" | "auth" | "pw")
}

/// Whether a URL names a user, or has a parameter whose name says that it is a secret.
#[must_use]
pub fn has_secrets(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some() || url.query().is_some_and(|query| query.split('&').any(is_secret))
}

/// A URL without its user: user info goes, and so do parameters whose name says that they are a secret of theirs.
#[must_use]
pub fn without_user(url: &str) -> Cow<'_, str> {
    match Url::parse(url) {
        Ok(parsed) if has_secrets(&parsed) => Cow::Owned(public(&parsed).into()),
        _ => Cow::Borrowed(url),
    }
}

/// A URL as people may see it: [`without_user`].
#[must_use]
pub fn public(url: &Url) -> Url {
    let mut public = url.clone();
    // Both fail only for URLs that have no host, and so no user info.
    public.set_username("").ok();
    public.set_password(None).ok();
    if let Some(query) = url.query().filter(|query| query.split('&').any(is_secret)) {
        let rest = query.split('&').filter(|pair| !is_secret(pair)).collect::<Vec<_>>().join("&");
        public.set_query(Some(rest.as_str()).filter(|rest| !rest.is_empty()));
    }
    public
}

/// A text for everybody: each URL in it is only its host.
#[must_use]
pub fn hosts_only(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(sign) = rest.find("://") {
        let at = rest[..sign].rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |end| end + 1);
        let at = (at..=sign).find(|at| rest.is_char_boundary(*at)).unwrap_or(sign);
        shown.push_str(&rest[..at]);
        let end = rest[at..].find(|c: char| c.is_whitespace() || "\"'<>`|".contains(c)).map_or(rest.len(), |length| at + length);
        // The stop of a sentence, or of a part of it, is none of the URL's.
        let url = rest[at..end].trim_end_matches([',', ';', ':', '.', ')']);
        let parsed = Url::parse(url).ok();
        // What an address is to begin with is no address.
        let is_scheme = matches!(url, "http://" | "https://");
        shown.push_str(if is_scheme { url } else { parsed.as_ref().and_then(Url::host_str).unwrap_or("…") });
        rest = &rest[at + url.len()..];
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_addresses_carry_no_secret() {
        for (url, public) in [
            ("https://a.example/feed?tag=x&page=2", "https://a.example/feed?tag=x&page=2"),
            ("https://u:p@a.example/feed", "https://a.example/feed"),
            ("https://a.example/feed?Token=1", "https://a.example/feed"),
            ("https://a.example/feed?x=1&access_token=2&y=3", "https://a.example/feed?x=1&y=3"),
            ("https://a.example/feed?keyword=1", "https://a.example/feed?keyword=1"),
        ] {
            assert_eq!(without_user(url), public, "{url}");
        }
    }

    #[test]
    fn a_text_for_everybody_has_hosts_in_place_of_urls() {
        for (text, shown) in [
            ("https://u:p@a.example/feed?token=1 answered 404", "a.example answered 404"),
            ("https://a.example/x: this is OPML", "a.example: this is OPML"),
            ("moved to \"http://a.example:81/x\", then https://b.example/.", "moved to \"a.example\", then b.example."),
            (
                "\"ftp://u:p@a.example/\" is no web address; expected http:// or https://",
                "\"a.example\" is no web address; expected http:// or https://",
            ),
            ("http://:80/x", "…"),
            ("no address is known for a.example", "no address is known for a.example"),
        ] {
            assert_eq!(hosts_only(text), shown, "{text}");
        }
    }
}
