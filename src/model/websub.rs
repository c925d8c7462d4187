//! WebSub (W3C Recommendation of 2018): what subscribers and hubs agree on. Pure values; nothing here sends anything.

use std::fmt;

use chrono::TimeDelta;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::{SourceId, Target, Time};

/// Where our hub takes requests.
pub const HUB: &str = "/hub";
/// Where hubs of others reach us; an unguessable token follows.
pub const CALLBACK: &str = "/subscribe/callback/";
/// The longest secret in bytes is one less (W3C WebSub 5.1).
const SECRET: usize = 200;
/// How long a subscription lasts if nobody says otherwise.
pub const LEASE: TimeDelta = TimeDelta::days(10);
/// Leases are no shorter and no longer.
pub const LEASES: (TimeDelta, TimeDelta) = (TimeDelta::minutes(1), TimeDelta::days(30));

/// Parameters that make of a feed no topic: what moves with the clock or lags behind, what is a part of a feed, what
/// is not public.
const UNFIT: [&str; 9] = ["archive", "before", "digest", "per_source", "q", "since", "sort", "token", "until"];

impl Target {
    /// Whether it is a feed that can be subscribed to; otherwise what it is instead.
    ///
    /// # Errors
    /// What stands in the way, in words.
    pub fn topic(&self) -> Result<(), String> {
        if !matches!(self, Self::List { format: Some(_), .. }) {
            return Err("it is no feed of articles; those end in `.rss`, `.atom` or `.json`".to_owned());
        }
        let path = self.path();
        let pairs = path.split_once('?').map_or("", |(_, query)| query).split('&');
        match pairs.filter_map(|pair| pair.split('=').next()).find(|name| UNFIT.contains(name)) {
            Some(name) => Err(format!("feeds with the parameter `{name}` are not pushed; leave it out")),
            None => Ok(()),
        }
    }
}

/// A secret that signs what is pushed. It shows itself to nobody who prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// A secret of a length that the recommendation allows.
    #[must_use]
    pub fn new(text: String) -> Option<Self> {
        (!text.is_empty() && text.len() < SECRET).then_some(Self(text))
    }

    /// Itself, to be stored or told to the hub.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The value of `X-Hub-Signature` for a body (W3C WebSub 7.1); `None` never happens: HMAC takes keys of any length.
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> Option<String> {
        let mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).ok()?;
        Some(format!("sha256={}", HEXLOWER.encode(&mac.chain_update(body).finalize().into_bytes())))
    }

    /// Whether a body was signed with it. All methods that the recommendation names are taken, SHA-1 too.
    #[must_use]
    pub fn signed(&self, body: &[u8], signature: &str) -> bool {
        let Some((method, tag)) = signature.trim().split_once('=') else { return false };
        let Ok(tag) = HEXLOWER.decode(tag.to_ascii_lowercase().as_bytes()) else { return false };
        match method.to_ascii_lowercase().as_str() {
            "sha1" => holds::<Hmac<Sha1>>(&self.0, body, &tag),
            "sha256" => holds::<Hmac<Sha256>>(&self.0, body, &tag),
            "sha384" => holds::<Hmac<Sha384>>(&self.0, body, &tag),
            "sha512" => holds::<Hmac<Sha512>>(&self.0, body, &tag),
            _ => false,
        }
    }
}

/// Compares in a time that tells nothing of how much agrees.
fn holds<M: Mac + KeyInit>(secret: &str, body: &[u8], tag: &[u8]) -> bool {
    M::new_from_slice(secret.as_bytes()).is_ok_and(|mac| mac.chain_update(body).verify_slice(tag).is_ok())
}

/// What a subscriber wants, or a hub is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To be told of changes.
    Subscribe,
    /// To be told no more.
    Unsubscribe,
}

impl Mode {
    /// Its name in `hub.mode`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
        }
    }

    /// The mode that a `hub.mode` names.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Subscribe, Self::Unsubscribe].into_iter().find(|mode| mode.name() == name)
    }
}

/// A request to our hub that the subscriber has not confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// What is wanted.
    pub mode: Mode,
    /// The URL of one of our feeds.
    pub topic: String,
    /// Where the subscriber is reached.
    pub callback: String,
    /// Signs what is sent there.
    pub secret: Option<Secret>,
    /// How long it is to last.
    pub lease: TimeDelta,
}

/// How many subscriptions our hub keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubLimits {
    /// In all.
    pub subscriptions: usize,
    /// Of one host of callbacks.
    pub of_host: usize,
    /// Requests that wait for their confirmation.
    pub intents: usize,
}

impl HubLimits {
    /// The limits of a hub with so many subscriptions: a host may have a tenth of them.
    #[must_use]
    pub fn new(subscriptions: usize) -> Self {
        Self { subscriptions, of_host: subscriptions.div_ceil(10), intents: 200 }
    }
}

/// What became of a request to our hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It will be confirmed.
    Yes,
    /// There are too many subscriptions.
    Full,
    /// There are too many of this callback's host.
    HostFull,
    /// Too many requests wait to be confirmed.
    Busy,
    /// Who wants to go is not subscribed; nobody is called for that.
    Unknown,
}

/// A feed of ours that somebody is subscribed to, as it was last looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its URL.
    pub url: String,
    /// What its terms were like then: as long as that is so, it has no news.
    pub stamp: String,
    /// The hash of its document.
    pub document: String,
}

/// A document that a subscriber is to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The subscription's number.
    pub subscription: i64,
    /// The feed.
    pub topic: String,
    /// Where to.
    pub callback: String,
    /// Signs it.
    pub secret: Option<Secret>,
    /// The hash of the document that is wanted.
    pub document: String,
    /// The hash of the document that the subscriber got last.
    pub sent: Option<String>,
    /// How often it failed.
    pub tries: u32,
    /// Since when the subscriber fails.
    pub failing_since: Option<Time>,
}

/// What a source says of being pushed: its hub, and the URL by which that knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubLink {
    /// `rel=hub`, absolute.
    pub hub: String,
    /// `rel=self`, absolute.
    pub topic: String,
}

/// What we ask of a source's hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubRequest {
    /// What is wanted.
    pub mode: Mode,
    /// The hub and the topic.
    pub link: HubLink,
    /// The proxy of the source, where it has one of its own.
    pub proxy: Option<String>,
    /// The end of our callback's URL.
    pub token: String,
    /// What the hub is to sign with.
    pub secret: Secret,
}

/// What a hub pushed, waiting to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub source: SourceId,
    /// As it came.
    pub body: Vec<u8>,
    /// The charset of its `Content-Type`.
    pub charset: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::super::Address;
    use super::*;

    #[test]
    fn a_signature_holds_for_its_body_and_secret_alone() {
        // RFC 4231, test case 2.
        let secret = Secret::new("Jefe".to_owned()).unwrap();
        let body = b"what do ya want for nothing?";
        let signature = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(secret.sign(body).as_deref(), Some(signature));
        for good in [
            signature,
            "SHA256=5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843",
            "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        ] {
            assert!(secret.signed(body, good), "{good}");
        }
        for bad in ["", "sha256=", "sha256=5bdc", "sha512=00", "md5=750c783e6ab0b503eaa86e310a5db738", &signature.replace('5', "6")] {
            assert!(!secret.signed(body, bad), "{bad}");
        }
        assert!(!secret.signed(b"forged", signature));
        assert!(!Secret::new("other".to_owned()).unwrap().signed(body, signature));
    }

    #[test]
    fn a_secret_is_shorter_than_200_bytes_and_never_printed() {
        assert!(Secret::new("x".repeat(199)).is_some() && Secret::new("x".repeat(200)).is_none() && Secret::new(String::new()).is_none());
        assert!(!format!("{:?}", Secret::new("hush".to_owned())).contains("hush"));
    }

    #[test]
    fn topics_are_feeds_and_whole() {
        for (path, is_topic) in [
            ("/tag/x.rss", true),
            ("/feed.json?limit=5&tag=a,b", true),
            ("/tag/x", false),
            ("/tag/x.rss?digest=daily", false),
            ("/opml", false),
            ("/tag/x?before=aaaaaaaaaaaaa", false),
        ] {
            assert_eq!(Address::parse(path).unwrap().target.topic().is_ok(), is_topic, "{path}");
        }
    }
}
