//! Ids that outlive everything: chosen once, the same in every feed and format.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use url::Url;
use uuid::Uuid;

use super::{Options, Selection, Slug, Target};

/// The namespace of our version 5 UUIDs, drawn once at random.
const NAMESPACE: Uuid = Uuid::from_u128(0x8a4e_6a5c_3f6b_4d0e_9c1d_52f0_b7e3_1a94);

/// An article's name in our URLs: the first 64 bits of the SHA-256 of its source and guid, in base32.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArticleKey(String);

impl ArticleKey {
    /// How many characters it has.
    pub const LENGTH: usize = 13;

    /// The key of an article of a source, by the slug that the source had first.
    #[must_use]
    pub fn new(first_slug: &Slug, guid: &str) -> Self {
        let digest = Sha256::new().chain_update(first_slug.as_str()).chain_update([0]).chain_update(guid).finalize();
        Self(BASE32_NOPAD.encode(&digest[..8]).to_lowercase())
    }

    /// Reads a key in either case; `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let key = text.to_ascii_lowercase();
        let is_base32 = key.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
        (key.len() == Self::LENGTH && is_base32).then_some(Self(key))
    }

    /// As it stands in a URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ArticleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Query parameters that tell a publisher who clicked, and nothing else; `utm_*` beside them.
const TRACKERS: [&str; 7] = ["fbclid", "gclid", "mc_cid", "mc_eid", "igshid", "yclid", "msclkid"];

/// Whether a parameter of a query only tells who clicked.
#[must_use]
pub fn is_tracker(name: &str) -> bool {
    name.starts_with("utm_") || TRACKERS.contains(&name)
}

/// The id that an article is published with, if no other article has it: the guid itself where it is a global name that
/// its source may give, else a UUID of ours. `hosts` are those of the source and of the article's link.
#[must_use]
pub fn published_id(first_slug: &Slug, guid: &str, hosts: &[String]) -> String {
    if is_own_iri(guid, hosts) { guid.to_owned() } else { own_id(first_slug, guid) }
}

/// The `urn:uuid` of an article, for guids that cannot be published as they are.
#[must_use]
pub fn own_id(first_slug: &Slug, guid: &str) -> String {
    let name = format!("article\0{first_slug}\0{guid}");
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).urn().to_string()
}

/// The `urn:uuid` of a feed: of its store, its selection and what makes it another feed, whatever its format, its other
/// options and the public URL.
#[must_use]
pub fn feed_id(store: &Uuid, selection: &Selection, options: &Options) -> String {
    let page = Target::List { selection: selection.clone(), options: options.of_identity(), format: None };
    Uuid::new_v5(store, page.path().as_bytes()).urn().to_string()
}

/// The `urn:uuid` of an item that one feed alone has: of the feed's id and a name in it.
#[must_use]
pub fn item_id(feed: &str, name: &str) -> String {
    Uuid::new_v5(&NAMESPACE, format!("item\0{feed}\0{name}").as_bytes()).urn().to_string()
}

/// The `urn:uuid` of a store's log of events, or of one event in it.
#[must_use]
pub fn health_id(store: &Uuid, event: Option<i64>) -> String {
    let name = event.map_or_else(|| "health".to_owned(), |number| format!("health\0{number}"));
    Uuid::new_v5(store, name.as_bytes()).urn().to_string()
}

fn is_own_iri(guid: &str, hosts: &[String]) -> bool {
    let Some(url) = Url::parse(guid).ok().filter(|_| guid.len() <= 2048 && is_iri(guid)) else { return false };
    match url.scheme() {
        "http" | "https" => url.host_str().is_some_and(|host| hosts.iter().any(|own| own == host)),
        scheme => matches!(scheme, "urn" | "tag"),
    }
}

/// Whether a text can be the id of a feed or of an entry: an IRI (RFC 3987) that is made as its scheme wants. Sources give
/// UUIDs of 31 digits.
#[must_use]
pub fn is_iri(text: &str) -> bool {
    let is_clean = !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"{}|\\^`[]".contains(c));
    let is_made_well = match text.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("urn") => is_urn(rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tag") => is_tag(rest),
        _ => true,
    };
    is_clean && is_made_well && Url::parse(text).is_ok()
}

/// What follows `urn:` (RFC 2141 2; RFC 8141 allows more, which validators do not know).
fn is_urn(rest: &str) -> bool {
    let Some((namespace, name)) = rest.split_once(':') else { return false };
    if namespace.eq_ignore_ascii_case("uuid") {
        return name.len() == 36 && Uuid::try_parse(name).is_ok();
    }
    let is_namespace = (2..=32).contains(&namespace.len()) && namespace.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b"()+,-.:=@;$_!*'%".contains(&b);
    is_namespace && !namespace.starts_with('-') && !name.is_empty() && name.bytes().all(is_name)
}

/// What follows `tag:` (RFC 4151 2.1, its authority in lower case as it should be).
fn is_tag(rest: &str) -> bool {
    let Some((authority, (date, name))) = rest.split_once(',').and_then(|(authority, rest)| Some((authority, rest.split_once(':')?)))
    else {
        return false;
    };
    let is_domain =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b));
    let is_date = matches!(date.len(), 4 | 7 | 10)
        && date.bytes().enumerate().all(|(place, b)| if matches!(place, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
    authority.splitn(3, '@').count() < 3 && authority.split('@').all(is_domain) && is_date && name.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_published_only_where_its_source_may_give_it() {
        let slug = Slug::from_name("blog");
        let hosts = ["blog.example".to_owned()];
        for (guid, kept) in [
            ("https://blog.example/?p=1", true),
            ("https://other.example/?p=1", false),
            ("urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a", true),
            ("tag:blog.example,2020:1", true),
            ("42", false),
            ("posts/2024/hello", false),
            ("https://blog.example/a b", false),
            ("javascript:alert(1)", false),
            ("https://blog.example/?id[0]=1", false),
            ("urn:uuid:988EF5C55CDEA24EDE1251744888912", false),
            ("urn:x:1", false),
            ("urn:isbn:", false),
            ("urn:isbn:3-16-148410-0", true),
            ("tag:blog.example:1", false),
            ("tag:blog.example,2020-1-2:1", false),
            ("tag:me@blog.example,2020-01-02:/a b", false),
            ("tag:me@blog.example,2020-01-02:/a?b#c", true),
            ("tag:blog.example,2020:é", false),
        ] {
            let id = published_id(&slug, guid, &hosts);
            assert_eq!(id == guid, kept, "{guid} became {id}");
        }
    }

    #[test]
    fn keys_differ_by_source_and_guid_and_read_back() {
        let (a, b) = (Slug::from_name("a"), Slug::from_name("b"));
        assert_ne!(ArticleKey::new(&a, "1"), ArticleKey::new(&b, "1"));
        assert_ne!(own_id(&a, "1"), own_id(&b, "1"));
        let key = ArticleKey::new(&a, "1");
        assert_eq!(ArticleKey::parse(&key.as_str().to_uppercase()), Some(key));
        assert_eq!(ArticleKey::parse("../../../etc/"), None);
    }
}
