//! WebSub, both sides: a real hub, real subscribers, and two real servers between which an article travels unasked.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use chrono::TimeDelta;
use chrono_tz::Tz;
use feedmill::model::websub::{HubLimits, HubLink, Mode, Secret};
use feedmill::model::{Batch, Site, Source, SourceInfo, SourceKind, Time};
use feedmill::poll::{Pace, Reader};
use feedmill::push::{Document, Messenger, Unpublished};
use feedmill::source::fetch::{Client, Options, Reply};
use feedmill::store::Store;
use feedmill::web::{Door, Error, Exchange, serve};
use tempfile::TempDir;
use url::Url;
use url::form_urlencoded;

use crate::store::{Fixture, article, day, open, tagged};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

fn now() -> Time {
    SystemTime::now().into()
}

fn client(allowed: &[&str]) -> Client {
    let allow_addresses = allowed.iter().map(|network| network.parse().unwrap()).collect();
    Client::new(&Options { allow_addresses, ..Options::default() }).unwrap()
}

/// One request as a subscriber gets it.
#[derive(Debug)]
struct Request {
    method: String,
    target: String,
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let mut request = Self { method: String::new(), target: String::new(), head, body: Vec::new() };
        let mut words = request.head.split(' ').map(str::to_owned);
        (request.method, request.target) = (words.next()?, words.next()?);
        let length = request.header("content-length").parse().unwrap_or(0);
        request.body = vec![0; length];
        reader.read_exact(&mut request.body).ok()?;
        Some(request)
    }

    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    fn parameter(&self, name: &str) -> String {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        form_urlencoded::parse(query.as_bytes()).find(|(other, _)| other == name).map_or_else(String::new, |(_, value)| value.into_owned())
    }
}

/// A server that confirms what it is asked, but for the answers that it is told to give first.
struct Subscriber {
    callback: String,
    requests: Receiver<Request>,
    answers: Arc<Mutex<Vec<(u16, &'static str)>>>,
}

impl Subscriber {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let callback = format!("http://{}/call?me=1", listener.local_addr().unwrap());
        let (sender, requests) = channel();
        let answers: Arc<Mutex<Vec<(u16, &'static str)>>> = Arc::default();
        let told = Arc::clone(&answers);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let Some(request) = Request::read(&stream) else { continue };
                let challenge = request.parameter("hub.challenge");
                let mut told = told.lock().unwrap();
                let (status, body) =
                    if told.is_empty() { (200, challenge) } else { Some(told.remove(0)).map(|(s, b)| (s, b.to_owned())).unwrap() };
                drop(told);
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nLocation: /elsewhere\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).unwrap();
                if sender.send(request).is_err() {
                    return;
                }
            }
        });
        Self { callback, requests, answers }
    }

    fn will_answer(&self, answers: &[(u16, &'static str)]) {
        self.answers.lock().unwrap().extend(answers);
    }

    fn next(&self) -> Request {
        self.requests.recv_timeout(PATIENCE).unwrap()
    }

    /// What came so far, when nothing is under way any more.
    fn rest(&self) -> Vec<String> {
        self.requests.try_iter().map(|request| format!("{} {}", request.method, request.target)).collect()
    }
}

/// A server with a hub, whose messenger works when it is told to.
struct Hub {
    f: Fixture,
    base: String,
    messenger: Messenger,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn start(
    store: Store,
    listener: TcpListener,
    client: Client,
    limits: HubLimits,
) -> (Messenger, tokio::task::JoinHandle<std::io::Result<()>>) {
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mut site = Site::new("Mill".into(), "All of it".into(), &Url::parse(&base).unwrap(), Tz::UTC);
    site.hub = Some(site.url("/hub"));
    let exchange = Exchange { client: client.clone(), limits, max_body: 1 << 20 };
    let door = std::sync::Arc::new(Door::new(store.clone(), site.clone(), 1 << 20).with_exchange(exchange));
    let task = tokio::spawn(serve(Arc::clone(&door), listener, None));
    let messenger = Messenger {
        store,
        site,
        client,
        publisher: Arc::new(move |url| {
            let door = Arc::clone(&door);
            Box::pin(async move {
                match door.topic(&url).await {
                    Ok((body, media_type)) => Ok(Document { body, media_type }),
                    Err(error @ Error::Hub(_)) => Err(Unpublished::Refused(error.to_string())),
                    Err(error) => Err(Unpublished::Failed(error.to_string())),
                }
            })
        }),
    };
    (messenger, task)
}

impl Hub {
    async fn new() -> Self {
        Self::with(&["127.0.0.1"], HubLimits::new(100)).await
    }

    async fn with(allowed: &[&str], limits: HubLimits) -> Self {
        let f = Fixture::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (messenger, task) = start(f.store.clone(), listener, client(allowed), limits);
        Self { f, base, messenger, task }
    }

    /// A hub with one source and an article of the tag `rust`.
    async fn with_article() -> (Self, Source) {
        let hub = Self::new().await;
        let source = hub.f.source(SourceKind::Feed, "https://a.example/feed").await;
        hub.f.feed(&source, vec![tagged("1", &["rust"])], day(1)).await;
        (hub, source)
    }

    async fn ask(&self, mode: &str, topic: &str, callback: &str, others: &[(&str, &str)]) -> Reply {
        let mut pairs = vec![("hub.mode", mode), ("hub.topic", topic), ("hub.callback", callback)];
        pairs.extend(others);
        let url = Url::parse(&format!("{}/hub", self.base)).unwrap();
        client(&["127.0.0.1"]).post_form(&url, &pairs).await.unwrap()
    }

    fn topic(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Subscribes, and sees it confirmed.
    async fn subscribe(&self, subscriber: &Subscriber, path: &str, more: &[(&str, &str)]) {
        let reply = self.ask("subscribe", &self.topic(path), &subscriber.callback, more).await;
        assert_eq!((reply.status, reply.body.as_slice()), (202, b"".as_slice()));
        self.messenger.round(now()).await.unwrap();
        assert_eq!(subscriber.next().parameter("hub.mode"), "subscribe");
    }

    async fn get(&self, path: &str) -> Reply {
        client(&["127.0.0.1"]).get_once(&Url::parse(&self.topic(path)).unwrap()).await.unwrap()
    }
}

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_confirms_is_sent_the_document_that_is_published_signed() {
    let (hub, source) = Hub::with_article().await;
    let subscriber = Subscriber::new();
    let topic = hub.topic("/tag/rust.rss?limit=1");
    let more = [("hub.secret", "hush"), ("hub.lease_seconds", "86400")];
    let reply = hub.ask("subscribe", &topic, &subscriber.callback, &more).await;
    assert_eq!(reply.status, 202);
    hub.messenger.round(now()).await.unwrap();
    let asked = subscriber.next();
    assert_eq!((asked.method.as_str(), asked.parameter("me").as_str()), ("GET", "1"));
    assert_eq!((asked.parameter("hub.topic"), asked.parameter("hub.lease_seconds")), (topic.clone(), "86400".into()));
    assert!(asked.parameter("hub.challenge").len() >= 32);
    hub.messenger.round(now()).await.unwrap();
    assert_eq!(subscriber.rest(), [""; 0], "nothing changed, nothing is sent");

    hub.f.feed(&source, vec![tagged("2", &["rust"])], day(2)).await;
    hub.messenger.round(now()).await.unwrap();
    let sent = subscriber.next();
    let published = hub.get("/tag/rust.rss?limit=1").await;
    assert!(sent.body.starts_with(&published.body) && String::from_utf8_lossy(&sent.body).contains("Title of 2"));
    assert_eq!((sent.method.as_str(), sent.header("content-type")), ("POST", "application/rss+xml; charset=utf-8"));
    assert_eq!(sent.header("link"), format!("<{}/hub>; rel=\"hub\", <{topic}>; rel=\"self\"", hub.base));
    let secret = Secret::new("hush".into()).unwrap();
    assert!(secret.signed(&sent.body, sent.header("x-hub-signature")), "{}", sent.head);
    hub.messenger.round(now()).await.unwrap();
    assert_eq!(subscriber.rest(), [""; 0], "it is sent once");

    hub.f.feed(&source, vec![tagged("3", &["other"])], day(3)).await;
    hub.messenger.round(now()).await.unwrap();
    assert_eq!(subscriber.rest(), [""; 0], "news elsewhere are none of its business");

    assert_eq!(hub.ask("unsubscribe", &topic, &subscriber.callback, &[]).await.status, 202);
    hub.messenger.round(now()).await.unwrap();
    assert_eq!(subscriber.next().parameter("hub.mode"), "unsubscribe");
    hub.f.feed(&source, vec![tagged("5", &["rust"])], day(5)).await;
    hub.messenger.round(now()).await.unwrap();
    assert_eq!(subscriber.rest(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_name_the_hub_and_pages_do_not() {
    let (hub, _) = Hub::with_article().await;
    for (path, words) in [
        ("/tag/rust.rss", format!("<atom:link href=\"{}/hub\" rel=\"hub\"", hub.base)),
        ("/tag/rust.atom", format!("<link href=\"{}/hub\" rel=\"hub\"", hub.base)),
        ("/tag/rust.json", format!("\"hubs\":[{{\"type\":\"WebSub\",\"url\":\"{}/hub\"}}]", hub.base)),
    ] {
        let document = text(&hub.get(path).await);
        assert!(document.contains(&words), "{words} is not in {document}");
        let mut stream = TcpStream::connect(hub.base.trim_start_matches("http://")).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(&format!("link: <{}/hub>; rel=\"hub\"", hub.base)), "{answer}");
    }
    let page = text(&hub.get("/tag/rust").await);
    assert!(!page.contains("/hub"), "{page}");
    assert_eq!(hub.get("/hub").await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_subscribed_to_is_refused_with_the_reason() {
    let (hub, _) = Hub::with_article().await;
    let good = (hub.topic("/tag/rust.rss"), "http://127.0.0.1:1/".to_owned());
    for (topic, reason) in [
        ("https://elsewhere.example/feed.rss".to_owned(), "the feeds of this hub stand below"),
        (hub.topic("/tag/Rust.rss"), "its one spelling is http"),
        (hub.topic("/tag/rust.rss?_raw=1"), "/tag/rust.rss"),
        (hub.topic("/feed.rss?tag=rust"), "/tag/rust.rss"),
        (hub.topic("/tag/rust"), "it is no feed of articles"),
        (hub.topic("/opml"), "it is no feed of articles"),
        (hub.topic("/tag/rust.rss?before=aaaaaaaaaaaaa"), "before"),
        (hub.topic("/tag/rust.rss?nonsense=1"), "nonsense"),
        (hub.topic("/tag/never.rss"), "nothing was ever published"),
        (String::new(), "the form has no `hub.topic`"),
    ] {
        let reply = hub.ask("subscribe", &topic, &good.1, &[]).await;
        assert!(reply.status == 400 && text(&reply).contains(reason), "{topic}: {} {}", reply.status, text(&reply));
    }
    for (mode, callback, more, reason) in [
        ("unsubscribe", "http://127.0.0.1:1/", ("x", ""), "nobody is subscribed"),
        ("publish", "http://127.0.0.1:1/", ("x", ""), "`subscribe` and `unsubscribe`"),
        ("subscribe", "not a url", ("x", ""), "`hub.callback` must be a URL"),
        ("subscribe", "ftp://example.org/", ("x", ""), "no web address"),
        ("subscribe", "http://127.0.0.2/", ("x", ""), "no public address"),
        ("subscribe", "http://[::1]/", ("x", ""), "no public address"),
        ("subscribe", "http://169.254.169.254/", ("x", ""), "no public address"),
        ("subscribe", "http://127.0.0.1:1/", ("hub.secret", &*"x".repeat(200)), "fewer than 200 bytes"),
        ("subscribe", "http://127.0.0.1:1/", ("hub.lease_seconds", "soon"), "no number of seconds"),
    ] {
        let reply = hub.ask(mode, &good.0, callback, &[more]).await;
        assert!(reply.status == 400 && text(&reply).contains(reason), "{mode} {callback}: {} {}", reply.status, text(&reply));
    }
    let long = "x".repeat(20_000);
    assert!(text(&hub.ask("subscribe", &good.0, &long, &[]).await).contains("at most 16384 bytes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_to_a_private_address_is_never_called() {
    let hub = Hub::with(&[], HubLimits::new(100)).await;
    let subscriber = Subscriber::new();
    let source = hub.f.source(SourceKind::Feed, "https://a.example/feed").await;
    hub.f.feed(&source, vec![tagged("1", &["rust"])], day(1)).await;
    let callback = subscriber.callback.replace("127.0.0.1", "localhost");
    assert_eq!(hub.ask("subscribe", &hub.topic("/tag/rust.rss"), &callback, &[]).await.status, 202);
    hub.messenger.round(now()).await.unwrap();
    hub.f.feed(&source, vec![tagged("2", &["rust"])], day(2)).await;
    hub.messenger.round(now() + TimeDelta::hours(1)).await.unwrap();
    assert_eq!(subscriber.rest(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_give_the_challenge_back_is_not_subscribed() {
    let (hub, source) = Hub::with_article().await;
    let subscriber = Subscriber::new();
    for (position, answer) in [(200, "another"), (404, ""), (302, "")].into_iter().enumerate() {
        subscriber.will_answer(&[answer]);
        hub.subscribe(&subscriber, "/tag/rust.rss", &[]).await;
        hub.f.feed(&source, vec![tagged(&format!("n{position}"), &["rust"])], day(2)).await;
        hub.messenger.round(now() + TimeDelta::hours(1)).await.unwrap();
        assert_eq!(subscriber.rest(), [""; 0], "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_ended_ends_the_deliveries() {
    let (hub, source) = Hub::with_article().await;
    let subscriber = Subscriber::new();
    hub.subscribe(&subscriber, "/tag/rust.rss", &[("hub.lease_seconds", "3600")]).await;
    hub.f.feed(&source, vec![tagged("2", &["rust"])], day(2)).await;
    hub.messenger.round(now() + TimeDelta::minutes(50)).await.unwrap();
    assert_eq!(subscriber.next().method, "POST");
    hub.f.feed(&source, vec![tagged("3", &["rust"])], day(3)).await;
    hub.messenger.round(now() + TimeDelta::minutes(61)).await.unwrap();
    assert_eq!(subscriber.rest(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_fails_is_tried_again_later_and_one_that_is_gone_is_dropped() {
    let (hub, source) = Hub::with_article().await;
    let subscriber = Subscriber::new();
    hub.subscribe(&subscriber, "/tag/rust.rss", &[]).await;
    hub.f.feed(&source, vec![tagged("2", &["rust"])], day(2)).await;
    subscriber.will_answer(&[(500, ""), (302, "")]);
    let start = now();
    let round = async |seconds| {
        hub.messenger.round(start + TimeDelta::seconds(seconds)).await.unwrap();
        subscriber.rest().len()
    };
    assert_eq!(round(1).await, 1);
    assert_eq!(round(5).await, 0, "not at once");
    assert_eq!(round(12).await, 1, "a redirect is not followed");
    assert_eq!(round(25).await, 0, "the second time later");
    assert_eq!(round(40).await, 1);
    assert_eq!(round(9_000).await, 0, "it has it now");
    hub.f.feed(&source, vec![tagged("3", &["rust"])], day(3)).await;
    subscriber.will_answer(&[(410, "")]);
    assert_eq!(round(9_001).await, 1);
    hub.f.feed(&source, vec![tagged("4", &["rust"])], day(4)).await;
    assert_eq!(round(9_900).await, 0, "410 ends it at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_and_what_is_to_be_sent_outlive_the_process() {
    let (hub, source) = Hub::with_article().await;
    let subscriber = Subscriber::new();
    let (topic, more) = (hub.topic("/tag/rust.rss"), [("hub.secret", "hush")]);
    assert_eq!(hub.ask("subscribe", &topic, &subscriber.callback, &more).await.status, 202);
    let address: std::net::SocketAddr = hub.base.trim_start_matches("http://").parse().unwrap();
    // A store opened anew, and the site where it was: all that the hub knows comes from there.
    let restarted = |store: Store| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut messenger, task) = start(store, listener, client(&["127.0.0.1"]), HubLimits::new(100));
        task.abort();
        assert_ne!(messenger.site.url(""), format!("http://{address}"));
        messenger.publisher = Arc::clone(&hub.messenger.publisher);
        messenger.site = hub.messenger.site.clone();
        messenger
    };
    restarted(open(&hub.f.folder).await).round(now()).await.unwrap();
    assert_eq!(subscriber.next().parameter("hub.mode"), "subscribe", "a request is confirmed by the next process");
    hub.f.feed(&source, vec![tagged("2", &["rust"])], day(2)).await;
    subscriber.will_answer(&[(503, "")]);
    restarted(open(&hub.f.folder).await).round(now()).await.unwrap();
    assert_eq!(subscriber.next().method, "POST");
    restarted(open(&hub.f.folder).await).round(now() + TimeDelta::minutes(1)).await.unwrap();
    let sent = subscriber.next();
    assert!(Secret::new("hush".into()).unwrap().signed(&sent.body, sent.header("x-hub-signature")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_subscribed_to_a_feed_that_goes_is_told_so() {
    let (hub, source) = Hub::with_article().await;
    let subscriber = Subscriber::new();
    hub.subscribe(&subscriber, "/source/feed.atom", &[]).await;
    hub.f.store.remove_source(source.id, day(2)).await.unwrap();
    hub.messenger.round(now()).await.unwrap();
    let told = subscriber.next();
    assert_eq!((told.parameter("hub.mode"), told.parameter("hub.topic")), ("denied".into(), hub.topic("/source/feed.atom")));
    assert!(told.parameter("hub.reason").contains("withdrawn"), "{}", told.target);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_takes_so_many_subscriptions_and_no_more() {
    let limits = HubLimits { subscriptions: 3, of_host: 2, intents: 2 };
    let hub = Hub::with(&["127.0.0.0/8"], limits).await;
    let source = hub.f.source(SourceKind::Feed, "https://a.example/feed").await;
    hub.f.feed(&source, vec![tagged("1", &["rust"])], day(1)).await;
    let subscriber = Subscriber::new();
    let ask =
        async |path: &str, host: &str| hub.ask("subscribe", &hub.topic(path), &subscriber.callback.replace("127.0.0.1", host), &[]).await;
    assert_eq!((ask("/feed.rss", "127.0.0.1").await.status, ask("/feed.atom", "127.0.0.1").await.status), (202, 202));
    assert!(text(&ask("/feed.json", "127.0.0.2").await).contains("wait to be confirmed"));
    hub.messenger.round(now()).await.unwrap();
    let full = ask("/feed.json", "127.0.0.1").await;
    assert!(full.status == 503 && text(&full).contains("of the callback's host"), "{}", text(&full));
    assert_eq!(ask("/feed.rss", "127.0.0.1").await.status, 202, "who is subscribed may renew it");
    assert_eq!(ask("/feed.json", "127.0.0.2").await.status, 503, "what waits counts, too");
    hub.messenger.round(now()).await.unwrap();
    assert_eq!(ask("/feed.json", "127.0.0.2").await.status, 202);
    assert!(text(&ask("/tag/rust.rss", "127.0.0.3").await).contains("as many subscriptions as it takes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_hub_is_told_which_feeds_changed() {
    let (hub, source) = Hub::with_article().await;
    let other = Subscriber::new();
    let mut messenger = hub.messenger.clone();
    messenger.site.hub = Some(other.callback.clone());
    messenger.round(now()).await.unwrap();
    assert_eq!(other.rest(), [""; 0], "what was there before is no news");
    hub.f.feed(&source, vec![tagged("2", &["c++"])], day(2)).await;
    messenger.round(now()).await.unwrap();
    let told = other.next();
    let pairs: Vec<(String, String)> = form_urlencoded::parse(&told.body).into_owned().collect();
    assert_eq!((told.method.as_str(), &pairs[0]), ("POST", &("hub.mode".to_owned(), "publish".to_owned())));
    for path in ["/feed.rss", "/tag/c%2B%2B.atom", "/source/feed.json"] {
        assert!(pairs.contains(&("hub.url".to_owned(), hub.topic(path))), "{path}: {pairs:?}");
    }
    assert!(!pairs.iter().any(|(_, url)| url.contains("rust")), "{pairs:?}");
    messenger.round(now()).await.unwrap();
    assert_eq!(other.rest(), [""; 0]);
}

/// A source that names a hub, and what that hub is asked.
async fn pushed_source(hub: &Hub) -> (Source, HubLink, String, Secret) {
    let source = hub.f.source(SourceKind::Feed, "https://up.example/feed").await;
    let link = HubLink { hub: "https://hub.example/".into(), topic: "https://up.example/feed".into() };
    let batch = Batch { info: Some(SourceInfo::default()), hub: Some(link.clone()), ..Batch::default() };
    hub.f.store.apply(source.id, batch, None, now()).await.unwrap();
    let request = hub.f.store.claim_hub_requests(&hub.base, now(), 9).await.unwrap().remove(0);
    assert_eq!((request.mode, &request.link), (Mode::Subscribe, &link));
    (source, link, request.token, request.secret)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_is_confirmed_what_we_asked_and_nothing_else() {
    let hub = Hub::new().await;
    let (source, link, token, _) = pushed_source(&hub).await;
    let confirm = async |token: &str, mode: &str, topic: &str| {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("hub.mode", mode), ("hub.topic", topic), ("hub.challenge", "<c>"), ("hub.lease_seconds", "1000")])
            .finish();
        let reply = hub.get(&format!("/subscribe/callback/{token}?{query}")).await;
        (reply.status, text(&reply))
    };
    for (token, mode, topic) in [
        ("guess", "subscribe", link.topic.as_str()),
        (&token, "unsubscribe", &link.topic),
        (&token, "subscribe", "https://x/"),
        (&token, "", ""),
    ] {
        assert_eq!(confirm(token, mode, topic).await.0, 404, "{token} {mode} {topic}");
    }
    assert_eq!(hub.f.store.pushed_until(source.id, now()).await.unwrap(), None);
    assert_eq!(confirm(&token, "subscribe", &link.topic).await, (200, "<c>".to_owned()));
    let until = hub.f.store.pushed_until(source.id, now()).await.unwrap().unwrap();
    assert!((until - now()).num_seconds() > 900);
    let later = |seconds| hub.f.store.claim_hub_requests(&hub.base, now() + TimeDelta::seconds(seconds), 9);
    assert_eq!(later(800).await.unwrap(), []);
    assert_eq!(later(901).await.unwrap()[0].mode, Mode::Subscribe, "it is renewed before it ends");
    assert_eq!(hub.f.store.claim_hub_requests("https://moved.example", now(), 9).await.unwrap().len(), 1, "or when our callback moves");

    hub.f.store.remove_source(source.id, now()).await.unwrap();
    assert_eq!(hub.f.store.pushed_until(source.id, now()).await.unwrap(), None);
    assert_eq!(later(1).await.unwrap()[0].mode, Mode::Unsubscribe, "a source that is removed is pushed no more");
    assert_eq!(confirm(&token, "subscribe", &link.topic).await.0, 404);
    assert_eq!(confirm(&token, "unsubscribe", &link.topic).await.0, 200);
    assert_eq!(later(99_999).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_is_taken_with_the_right_signature_alone() {
    let hub = Hub::new().await;
    let (source, _, token, secret) = pushed_source(&hub).await;
    let body = b"<rss><channel><item><title>Pushed</title><guid>p</guid></item></channel></rss>";
    let push = async |token: &str, signature: &str, body: &[u8]| {
        let url = Url::parse(&hub.topic(&format!("/subscribe/callback/{token}"))).unwrap();
        let headers = [("x-hub-signature", signature), ("content-type", "application/rss+xml; charset=\"gb2312\"")];
        client(&["127.0.0.1"]).post_once(&url, &headers, body.to_vec()).await.unwrap().status
    };
    let signature = secret.sign(body).unwrap();
    let forged = Secret::new("forged".into()).unwrap().sign(body).unwrap();
    for wrong in [forged.as_str(), "", "sha256=00", "md5=00"] {
        assert_eq!(push(&token, wrong, body).await, 202, "who forges is not told so");
    }
    assert_eq!(push("guess", &signature, body).await, 410);
    assert_eq!(push(&token, &signature, &vec![b' '; (1 << 20) + 1]).await, 413);
    let claim = || hub.f.store.claim_pushed(now(), 9, TimeDelta::minutes(1));
    assert_eq!(claim().await.unwrap(), []);
    assert_eq!(push(&token, &signature, body).await, 202);
    let (whose, pushed) = claim().await.unwrap().remove(0);
    assert_eq!((whose.id, pushed.body.as_slice(), pushed.charset.as_deref()), (source.id, body.as_slice(), Some("gb2312")));
    assert_eq!(claim().await.unwrap(), [], "while it is read nobody else gets it");
    for _ in 0..3 {
        assert_eq!(push(&token, &signature, body).await, 202);
    }
    assert_eq!(push(&token, &signature, body).await, 503, "so much waits and no more");
}

/// Servers run as processes, each behind a gate that notes what it is asked: its public address.
struct Gate {
    url: String,
    leads_to: Arc<Mutex<Option<String>>>,
    asked: Receiver<String>,
}

impl Gate {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, asked) = channel();
        let leads_to: Arc<Mutex<Option<String>>> = Arc::default();
        let server = Arc::clone(&leads_to);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (sender, server) = (sender.clone(), server.lock().unwrap().clone().unwrap());
                std::thread::spawn(move || pass(&stream, &TcpStream::connect(server).unwrap(), &sender));
            }
        });
        Self { url, leads_to, asked }
    }

    /// The next request that begins so, and those before it.
    fn until(&self, start: &str) -> Vec<String> {
        let mut seen = Vec::new();
        while !seen.last().is_some_and(|line: &String| line.starts_with(start)) {
            seen.push(self.asked.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {start} but {seen:?}")));
        }
        seen
    }
}

/// Passes bytes both ways, and tells of each request's first line.
fn pass(mut client: &TcpStream, server: &TcpStream, sender: &Sender<String>) {
    let (mut back, mut answers) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let (mut bytes, mut server) = ([0; 16_384], server);
    while let Ok(length @ 1..) = client.read(&mut bytes) {
        if bytes.starts_with(b"GET ") || bytes.starts_with(b"POST ") {
            let line = String::from_utf8_lossy(&bytes[..length]).lines().next().unwrap_or_default().to_owned();
            let _ = sender.send(line);
        }
        if server.write_all(&bytes[..length]).is_err() {
            return;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
}

struct Process {
    child: Child,
    gate: Gate,
    home: TempDir,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    fn serve(source: &str, prepare: impl FnOnce(&TempDir)) -> Self {
        let (home, gate) = (TempDir::new().unwrap(), Gate::new());
        prepare(&home);
        fs::write(home.path().join("feedmill.toml"), "[folder]\nrescan = \"1s\"\n[poll]\nallow_addresses = [\"127.0.0.0/8\"]\n").unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_feedmill"))
            .args(["serve", source, "--bind", "127.0.0.1:0", "--public-url", &gate.url])
            .env_clear()
            .env("HOME", home.path())
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains(" at http://")).unwrap();
        let address = line.split_once("http://").unwrap().1.trim_end_matches('/').to_owned();
        *gate.leads_to.lock().unwrap() = Some(address);
        Self { child, gate, home }
    }

    fn get(&self, target: &str) -> String {
        let address = self.gate.leads_to.lock().unwrap().clone().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[test]
fn an_article_is_at_another_server_within_five_seconds_and_unasked() {
    let write = |home: &TempDir, name: &str| {
        fs::create_dir_all(home.path().join("articles")).unwrap();
        fs::write(home.path().join("articles").join(name), format!("---\ntitle: Title {name}\ntags: [rust]\n---\nText.\n")).unwrap();
    };
    let first = Process::serve("articles", |home| write(home, "old.md"));
    assert!(first.get("/tag/rust.rss").contains("Title old.md"));
    let second = Process::serve(&format!("{}/tag/rust.rss", first.gate.url), |_| {});
    let asked = first.gate.until("POST /hub ");
    assert_eq!(asked.iter().filter(|line| line.starts_with("GET /tag/rust.rss ")).count(), 1, "{asked:?}");
    second.gate.until("GET /subscribe/callback/");

    let started = Instant::now();
    write(&first.home, "new.md");
    second.gate.until("POST /subscribe/callback/");
    while !second.get("/tag/rust.rss").contains("Title new.md") {
        assert!(started.elapsed() < PATIENCE, "it does not come");
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(first.gate.asked.try_iter().collect::<Vec<_>>(), [""; 0], "nobody asked for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_pushed_is_polled_slowly() {
    let f = Fixture::new().await;
    let feed = "<rss xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel><title>T</title>\
                <atom:link rel=\"hub\" href=\"https://hub.example/\"/><atom:link rel=\"self\" href=\"https://up.example/own\"/>\
                <item><title>One</title><guid>1</guid></item></channel></rss>";
    let upstream = Subscriber::new();
    upstream.will_answer(&[(200, feed), (200, feed)]);
    let source = f.source(SourceKind::Feed, &upstream.callback).await;
    let (hour, day) = (Duration::from_hours(1), Duration::from_hours(24));
    let pace = Pace { min: hour, max: day, every: hour, spacing: Duration::ZERO };
    let reader = Reader { client: client(&["127.0.0.1"]), zone: Tz::UTC, pace, max_file: 1, max_bundle_file: 1 };
    let due = async || {
        reader.read(&f.store, source.clone(), now()).await.result.unwrap();
        (f.store.source(source.slug.as_str()).await.unwrap().unwrap().status.due.unwrap() - now()).num_minutes()
    };
    assert!((59..70).contains(&due().await));
    let request = f.store.claim_hub_requests("https://b.example", now(), 9).await.unwrap().remove(0);
    assert_eq!(request.link, HubLink { hub: "https://hub.example/".into(), topic: "https://up.example/own".into() });
    let lease = TimeDelta::days(10);
    assert!(f.store.confirm_push(&request.token, Mode::Subscribe, "https://up.example/own", lease, now()).await.unwrap());
    assert!((719..=720).contains(&due().await), "half of the longest interval");
    assert_eq!(f.feed(&source, vec![article("x")], now()).await.added, 1);
}
