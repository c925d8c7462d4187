//! WebSub as a hub: who may subscribe, what is delivered, and what outlives the process.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use chrono::TimeDelta;
use feedmill::model::websub::{HubLimits, Secret};
use feedmill::model::{Address, NamedFeed, Slug, SourceKind, Target};
use feedmill::store::Store;
use url::form_urlencoded;

use crate::peers::{Hub, Subscriber, client, now, start, text};
use crate::store::{Fixture, day, open, tagged};

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
    for (slug, tag) in [("mine", "/tag/rust"), ("lately", "/?since=7d")] {
        let Target::List { selection, .. } = Address::parse(tag).unwrap().target else { panic!("{tag} is a list") };
        let named = NamedFeed { slug: Slug::from_name(slug), title: slug.into(), description: None, picture: None, selection };
        messenger.site.feeds.push(named);
    }
    messenger.round(now()).await.unwrap();
    assert_eq!(other.rest(), [""; 0], "what was there before is no news");
    hub.f.feed(&source, vec![tagged("2", &["c++"])], day(2)).await;
    messenger.round(now()).await.unwrap();
    let told = other.next();
    let pairs: Vec<(String, String)> = form_urlencoded::parse(&told.body).into_owned().collect();
    assert_eq!((told.method.as_str(), &pairs[0]), ("POST", &("hub.mode".to_owned(), "publish".to_owned())));
    for path in ["/feed.rss", "/tag/c%2B%2B.atom", "/source/feed.json", "/feed/mine.rss"] {
        assert!(pairs.contains(&("hub.url".to_owned(), hub.topic(path))), "{path}: {pairs:?}");
    }
    assert!(!pairs.iter().any(|(_, url)| url.contains("rust") || url.contains("lately")), "{pairs:?}");
    messenger.round(now()).await.unwrap();
    assert_eq!(other.rest(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_writes_while_changes_are_looked_for_is_sent() {
    let (hub, source) = Hub::with_article().await;
    let subscriber = Subscriber::new();
    hub.subscribe(&subscriber, "/tag/rust.rss", &[]).await;
    let other = Fixture { folder: tempfile::TempDir::new().unwrap(), store: open(&hub.f.folder).await };
    other.feed(&source, vec![tagged("2", &["rust"])], day(2)).await;
    hub.f.store.follow().await.unwrap();
    // A reader has it made, and what comes next this process does not know of yet.
    assert!(text(&hub.get("/tag/rust.rss").await).contains("Title of 2"));
    other.feed(&source, vec![tagged("3", &["rust"])], day(3)).await;
    hub.messenger.round(now()).await.unwrap();
    hub.f.store.follow().await.unwrap();
    hub.messenger.round(now()).await.unwrap();
    let sent = subscriber.requests.try_iter().last().unwrap();
    assert!(String::from_utf8_lossy(&sent.body).contains("Title of 3"));
}
