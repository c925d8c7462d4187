//! A feed source, read once: one polite conditional GET, and what came of it as a batch. What to do about a failure is
//! the poller's to decide.

use std::sync::{Arc, LazyLock};

use chrono_tz::Tz;
use url::Url;

use super::{FeedContext, FeedError, FeedLimits, ParsedFeed, parse};
use crate::crew::Crew;
use crate::model::private::public;
use crate::model::websub::{HubLink, Pushed};
use crate::model::{Batch, Extent, Host, Memory, Source, Time};
use crate::source::discover::{self, Candidate};
use crate::source::fetch::{Answer, Body, Client, FetchError, Validators, as_user_of};

/// Why a feed could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The source's location is no URL.
    #[error("{0:?} is no web address; expected http:// or https://")]
    NotWeb(String),
    /// Nothing came.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What came is no feed.
    #[error("{url}")]
    Feed {
        /// Where it came from in the end.
        url: Url,
        /// What is wrong with it.
        #[source]
        error: FeedError,
    },
    /// The reader itself failed.
    #[error("reading {0} was broken off")]
    Aborted(Url),
}

impl ReadError {
    /// When the server wishes to be asked again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Time> {
        match self {
            Self::Fetch(error) => error.retry_after(),
            _ => None,
        }
    }

    /// The host that wishes to be left alone, and until when.
    #[must_use]
    pub fn busy_host(&self) -> Option<(Host, Time)> {
        match self {
            Self::Fetch(error) => error.busy_host(),
            _ => None,
        }
    }

    /// Whether no feed is there, by what the server answered.
    #[must_use]
    pub fn is_no_feed(&self) -> bool {
        match self {
            Self::Feed { .. } | Self::Fetch(FetchError::Gone(_)) => true,
            Self::Fetch(FetchError::Status { status, .. }) => status.is_client_error() && self.busy_host().is_none(),
            _ => false,
        }
    }

    /// Whether it was not asked, since others kept it from a host: that is nobody's failure.
    #[must_use]
    pub const fn is_crowded(&self) -> bool {
        matches!(self, Self::Fetch(error) if error.is_crowded())
    }

    /// Whether the server says that it is gone for good, so that it is not to be asked again.
    #[must_use]
    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::Fetch(FetchError::Gone(_)))
    }
}

/// Reads a feed source: nothing new is an empty batch with the memory as it was. `zone` is for dates that name none, if
/// the source has none of its own.
///
/// # Errors
///
/// Fails if nothing came or what came is no feed; [`ReadError::retry_after`] says when to ask again.
pub async fn read(source: &Source, memory: &Memory, client: &Client, zone: Tz, now: Time) -> Result<Batch, ReadError> {
    let url = Url::parse(&source.location).map_err(|_| ReadError::NotWeb(source.location.clone()))?;
    let validators = Validators { etag: memory.etag.as_deref(), last_modified: memory.last_modified.as_deref() };
    let answer = client.of(&source.settings)?.get(&url, validators, now).await?;
    let moved_to = answer.is_moved.then(|| answer.url.to_string());
    let Some(body) = answer.body else {
        return Ok(Batch { memory: memory.clone(), not_before: answer.fresh_until, moved_to, ..Batch::default() });
    };
    let zone = source.settings.timezone.unwrap_or(zone);
    let body = Arc::new(body);
    let feed = parse_aside(&body, &answer.url, source.settings.encoding.clone(), zone, client).await?;
    Ok(Batch { moved_to, ..batch(feed, &body, answer.fresh_until) })
}

/// Reads what a source's hub pushed as a reading of it: whole, or a part of the feed; the memory is the caller's to keep.
///
/// # Errors
///
/// Fails if it is no feed.
pub async fn read_pushed(source: &Source, pushed: Pushed, client: &Client, zone: Tz) -> Result<Batch, ReadError> {
    let url = Url::parse(&source.location).map_err(|_| ReadError::NotWeb(source.location.clone()))?;
    let body = Arc::new(Body { bytes: pushed.body, charset: pushed.charset, ..Body::default() });
    let zone = source.settings.timezone.unwrap_or(zone);
    let feed = parse_aside(&body, &url, source.settings.encoding.clone(), zone, client).await?;
    Ok(Batch { is_push: true, ..batch(feed, &body, None) })
}

/// What is at a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A feed, read at once.
    Feed {
        /// Where it was asked for: the URL given, or where a page that was there leads at once.
        url: Url,
        /// What was read.
        batch: Box<Batch>,
    },
    /// A web page.
    Page {
        /// Its feeds, best first.
        candidates: Vec<Candidate>,
    },
}

/// Looks with one GET what is at a URL: a feed, which may be in an encoding that its owner names, or a page that may name some; a page
/// that leads on at once, within its host, costs another.
///
/// # Errors
///
/// Fails if nothing came, or if it is neither.
pub async fn find(url: &Url, client: &Client, encoding: Option<&str>, zone: Tz, now: Time) -> Result<Found, ReadError> {
    match find_at(url, client, encoding, zone, now).await? {
        // A page for browsers alone, in front of the one that is meant, such as that of a site's first language.
        (Found::Page { candidates }, Some(to)) if candidates.iter().all(Candidate::is_guess) => {
            Ok(find_at(&as_user_of(url, to), client, encoding, zone, now).await?.0)
        }
        (found, _) => Ok(found),
    }
}

/// What is at a URL, and where a page that is there leads at once.
async fn find_at(url: &Url, client: &Client, encoding: Option<&str>, zone: Tz, now: Time) -> Result<(Found, Option<Url>), ReadError> {
    let Answer { body, url: final_url, is_moved, fresh_until } = client.get(url, Validators::default(), now).await?;
    // A 304 answers no question that was asked here; it is as good as an empty document.
    let body = Arc::new(body.unwrap_or_default());
    match parse_aside(&body, &final_url, encoding.map(str::to_owned), zone, client).await {
        Ok(feed) => {
            let batch = Batch { moved_to: is_moved.then(|| final_url.to_string()), ..batch(feed, &body, fresh_until) };
            Ok((Found::Feed { url: url.clone(), batch: Box::new(batch) }, None))
        }
        Err(ReadError::Feed { error: FeedError::WebPage, .. }) => {
            let candidates = discover::feeds(&body.bytes, &final_url);
            Ok((Found::Page { candidates }, discover::refresh(&body.bytes, &final_url)))
        }
        Err(error) => Err(error),
    }
}

/// Where feeds are parsed.
static PARSING: LazyLock<Crew> = LazyLock::new(|| Crew::of_cores("parsing"));

/// Parses off the async threads: a large feed takes a second, and many may come at once.
async fn parse_aside(body: &Arc<Body>, url: &Url, encoding: Option<String>, zone: Tz, client: &Client) -> Result<ParsedFeed, ReadError> {
    // What it makes absolute is published.
    let (body, url) = (Arc::clone(body), public(url));
    let (base, limits) = (url.clone(), FeedLimits { articles: client.limits().articles });
    let parsing = PARSING.run(move || {
        let context = FeedContext { url: Some(&base), charset: body.charset.as_deref(), encoding: encoding.as_deref(), zone, limits };
        parse(&body.bytes, &context)
    });
    match parsing.await {
        Some(parsed) => parsed.map_err(|error| ReadError::Feed { url, error }),
        None => Err(ReadError::Aborted(url)),
    }
}

fn batch(feed: ParsedFeed, body: &Body, fresh_until: Option<Time>) -> Batch {
    // The header is the server's own word, which the recommendation places first (W3C WebSub 4).
    let hub = body.hub.clone().or(feed.relations.hub).zip(body.own.clone().or(feed.relations.own));
    Batch {
        not_before: fresh_until,
        hints: Some(feed.hints),
        articles: feed.articles,
        info: Some(feed.info),
        extent: Extent::Partial,
        memory: Memory { etag: body.etag.clone(), last_modified: body.last_modified.clone(), ..Memory::default() },
        repairs: feed.repairs,
        skipped: feed.passed_over.len(),
        passed_over: feed.passed_over,
        hub: hub.map(|(hub, topic)| HubLink { hub, topic }),
        ..Batch::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Link, Network, Slug, SourceId, SourceInfo, SourceKind, SourceSettings, SourceStatus, text};
    use crate::source::fetch::tests::{answer, serve};
    use crate::source::fetch::{Limits, Options};

    const FEED: &[u8] = include_bytes!("../../../tests/fixtures/feeds/rss-zh.xml");

    fn client() -> Client {
        let allow_addresses = vec![Network::parse("127.0.0.0/8").unwrap()];
        Client::new(&Options { limits: Limits::default(), allow_addresses, ..Options::default() }).unwrap()
    }

    fn now() -> Time {
        "2024-05-07T00:00:00Z".parse().unwrap()
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    fn source(url: &Url) -> Source {
        Source {
            id: SourceId(1),
            kind: SourceKind::Feed,
            location: url.to_string(),
            slug: Slug::from_name("river"),
            first_slug: Slug::from_name("river"),
            title: String::new(),
            settings: SourceSettings::default(),
            info: SourceInfo::default(),
            status: SourceStatus::default(),
        }
    }

    #[test]
    fn a_first_reading_remembers_the_validators_and_the_second_finds_nothing_new() {
        let (url, _requests) = serve(vec![
            answer("200 OK\r\nETag: \"v1\"\r\nCache-Control: max-age=60", FEED),
            answer("304 Not Modified\r\nCache-Control: max-age=600", b""),
        ]);
        let first = run(read(&source(&url), &Memory::default(), &client(), Tz::UTC, now())).unwrap();
        assert_eq!((first.articles.len(), first.skipped, first.extent), (2, 1, Extent::Partial));
        assert_eq!(first.memory.etag.as_deref(), Some("\"v1\""));
        let minutes = |until: Option<Time>| until.map(|time| (time - now()).num_minutes());
        assert_eq!(minutes(first.not_before), Some(1));
        assert_eq!(first.hints.unwrap().interval, Some(std::time::Duration::from_hours(2)));
        let second = run(read(&source(&url), &first.memory, &client(), Tz::UTC, now())).unwrap();
        assert_eq!(minutes(second.not_before), Some(10));
        assert_eq!(second, Batch { memory: first.memory, not_before: second.not_before, ..Batch::default() });
    }

    #[test]
    fn what_a_feed_names_by_relative_links_does_not_name_its_user() {
        const FEED: &[u8] =
            b"<rss><channel><link>/home</link><item><link>/1</link><description>&lt;img src=a.png&gt;</description></item></channel></rss>";
        let (mut url, _requests) = serve(vec![answer("200 OK", FEED)]);
        url.set_username("ann").unwrap();
        url.set_password(Some("pw")).unwrap();
        url.set_query(Some("token=t"));
        let batch = run(read(&source(&url), &Memory::default(), &client(), Tz::UTC, now())).unwrap();
        let site = format!("http://127.0.0.1:{}", url.port().unwrap());
        assert_eq!(batch.info.unwrap().home, Some(format!("{site}/home")));
        let article = &batch.articles[0];
        assert_eq!(article.link, Link::At(format!("{site}/1")));
        assert_eq!(article.content.as_deref(), Some(format!("<img src=\"{site}/a.png\">").as_str()));
    }

    #[test]
    fn a_reading_keeps_no_more_articles_than_the_client_is_told() {
        let (url, _requests) = serve(vec![answer("200 OK", FEED), answer("200 OK", FEED)]);
        let allow_addresses = vec![Network::parse("127.0.0.0/8").unwrap()];
        let limits = Limits { articles: 1, ..Limits::default() };
        let client = Client::new(&Options { limits, allow_addresses, ..Options::default() }).unwrap();
        let batch = run(read(&source(&url), &Memory::default(), &client, Tz::UTC, now())).unwrap();
        assert_eq!(batch.articles.len(), 1);
        match run(find(&url, &client, None, Tz::UTC, now())).unwrap() {
            Found::Feed { batch, .. } => assert_eq!(batch.articles.len(), 1),
            page @ Found::Page { .. } => panic!("{page:?}"),
        }
    }

    #[test]
    fn what_is_found_is_a_feed_or_a_page_with_its_feeds() {
        let page = b"<!doctype html><html><head><link rel=alternate type=application/rss+xml href=/rss></head></html>";
        let (url, requests) = serve(vec![answer("301 Moved\r\nLocation: /new", b""), answer("200 OK", FEED), answer("200 OK", page)]);
        match run(find(&url, &client(), None, Tz::UTC, now())).unwrap() {
            Found::Feed { url: asked, batch } => {
                assert_eq!((asked.path(), batch.articles.len()), (url.path(), 2));
                assert_eq!(batch.moved_to, Some(url.join("/new").unwrap().to_string()));
            }
            page @ Found::Page { .. } => panic!("{page:?}"),
        }
        match run(find(&url, &client(), None, Tz::UTC, now())).unwrap() {
            Found::Page { candidates } => assert_eq!(candidates[0].url.path(), "/rss"),
            feed @ Found::Feed { .. } => panic!("{feed:?}"),
        }
        assert_eq!(requests.iter().count(), 3);
    }

    #[test]
    fn a_source_that_is_gone_or_no_feed_says_so() {
        let (url, _requests) =
            serve(vec![answer("410 Gone", b""), answer("200 OK", b"<opml/>"), answer("429 Slow\r\nRetry-After: 60", b"")]);
        let error = || run(read(&source(&url), &Memory::default(), &client(), Tz::UTC, now())).unwrap_err();
        assert!(error().is_gone());
        assert!(text::chain(&error()).contains("OPML"));
        assert_eq!(error().retry_after().map(|time| (time - now()).num_minutes()), Some(1));
    }
}
