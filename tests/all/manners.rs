//! The poller as a guest, watched by real servers: what it asks, when, and what becomes of it. Days are simulated: `now`
//! is passed in, and what is due at it is read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Timelike};
use chrono_tz::Tz;
use feedmill::model::{EventKind, Network, NewSource, Site, Source, SourceKind, SourceSettings, Time};
use feedmill::poll::{Pace, Reader};
use feedmill::source::fetch::{Client, Limits, Options};
use feedmill::store::{Lease, Store};
use feedmill::web::Door;
use url::Url;

use crate::store::{Fixture, day, open};
use crate::upstream::Upstream;

pub(crate) const RSS: &str = "<rss version=\"2.0\"><channel><title>Up</title><link>https://up.example/</link><description>d</description>\
<item><title>One</title><link>https://up.example/1</link></item></channel></rss>";

pub(crate) const PACE: Pace =
    Pace { min: Duration::from_mins(15), max: Duration::from_hours(24), every: Duration::from_mins(30), spacing: Duration::from_secs(2) };

pub(crate) fn reader() -> Reader {
    with_limits(Limits::default())
}

pub(crate) fn with_limits(limits: Limits) -> Reader {
    let about = Url::parse("https://feeds.example.org/").ok();
    let client = Client::new(&Options { limits, allow_addresses: vec![Network::parse("127.0.0.1").unwrap()], about, proxy: None }).unwrap();
    Reader { client, zone: Tz::UTC, pace: PACE, max_file: 1 << 20, max_bundle_file: 1 << 20 }
}

pub(crate) async fn add(store: &Store, url: &str, settings: SourceSettings) -> Source {
    let new = NewSource { kind: SourceKind::Feed, location: url.to_owned(), slug: None, title: "Some feed".into(), settings };
    let source = store.add_source(new, day(0)).await.unwrap().0;
    store.release(vec![source.id], day(0)).await.unwrap();
    source
}

/// The last part of its address.
pub(crate) fn name(source: &Source) -> String {
    source.location.rsplit('/').next().unwrap().to_owned()
}

/// Reads what is due, minute by minute; gives when what was asked.
pub(crate) async fn live(store: &Store, reader: &Reader, from: Time, until: Time) -> Vec<(Time, String)> {
    let mut asked = Vec::new();
    let mut now = from;
    while now < until {
        for source in store.claim(now, 32, reader.pace.lease()).await.unwrap() {
            asked.push((now, name(&source)));
            reader.read(store, source, now).await;
        }
        now += TimeDelta::minutes(1);
    }
    asked
}

fn gaps(asked: &[(Time, String)]) -> Vec<TimeDelta> {
    asked.windows(2).map(|two| two[1].0 - two[0].0).collect()
}

pub(crate) async fn again(store: &Store, source: &Source) -> Source {
    store.sources().await.unwrap().into_iter().find(|other| other.id == source.id).unwrap()
}

pub(crate) async fn events(store: &Store) -> Vec<(EventKind, String)> {
    store.health(99).await.unwrap().events.into_iter().map(|event| (event.kind, event.words)).collect()
}

#[tokio::test]
async fn validators_go_back_verbatim_as_last_received_with_a_document() {
    let (up, f) = (Upstream::new(), Fixture::new().await);
    up.then("/a", "200 OK\r\nETag: W/\"a b\"\r\nLast-Modified: Yesterday, roughly\r\nSet-Cookie: id=1", RSS)
        .then("/a", "304 Not Modified\r\nETag: \"other\"\r\nLast-Modified: never\r\nSet-Cookie: id=2", "")
        .then("/a", "500 Oh", "")
        .then("/a", "200 OK\r\nETag: \"版本 2\"", RSS)
        .then("/a", "304 Not Modified", "");
    let source = add(&f.store, &up.url("/a"), SourceSettings::default()).await;
    let reader = reader();
    for number in 0..5 {
        f.store.release(vec![source.id], day(number)).await.unwrap();
        live(&f.store, &reader, day(number), day(number) + TimeDelta::minutes(1)).await;
    }
    let requests = up.requests();
    let sent: Vec<_> = requests.iter().map(|request| (request.header("if-none-match"), request.header("if-modified-since"))).collect();
    let first = (Some("W/\"a b\""), Some("Yesterday, roughly"));
    assert_eq!(sent, [(None, None), first, first, first, (Some("\"版本 2\""), None)]);
    for request in &requests {
        let agent = format!("Feedmill/{} (+https://feeds.example.org/)", env!("CARGO_PKG_VERSION"));
        assert_eq!(request.header("user-agent"), Some(agent.as_str()));
        assert_eq!(request.header("cookie"), None, "{request:?}");
        assert_eq!(request.header("referer"), None, "{request:?}");
        let codings = request.header("accept-encoding").unwrap();
        assert!(["gzip", "br", "zstd"].iter().all(|coding| codings.contains(coding)), "{codings}");
    }
}

#[tokio::test]
async fn nobody_is_asked_before_the_time_that_answers_and_documents_name() {
    let (up, f) = (Upstream::new(), Fixture::new().await);
    up.then("/plain", "200 OK", RSS);
    up.then("/fresh", "200 OK\r\nCache-Control: max-age=3600", RSS).then("/fresh", "304 Not Modified\r\nCache-Control: max-age=14400", "");
    let quiet = RSS.replace("<item>", "<ttl>90</ttl><skipHours><hour>3</hour><hour>4</hour></skipHours><item>");
    up.then("/quiet", "200 OK\r\nETag: \"1\"", &quiet).then("/quiet", "304 Not Modified", "");
    let every = Some(Duration::from_secs(1));
    for path in ["/plain", "/fresh", "/quiet"] {
        add(&f.store, &up.url(path), SourceSettings { every, ..SourceSettings::default() }).await;
    }
    let asked = live(&f.store, &reader(), day(1), day(4)).await;
    let of = |name: &str| asked.iter().filter(|(_, title)| title == name).cloned().collect::<Vec<_>>();
    let least = |name: &str| gaps(&of(name)).into_iter().min().unwrap();
    // An answer is due again at the first simulated minute after its time.
    assert!(least("plain") >= TimeDelta::minutes(15) && of("plain").len() > 200, "{} of {}", least("plain"), of("plain").len());
    assert!(gaps(&of("fresh"))[0] >= TimeDelta::hours(1) && gaps(&of("fresh"))[1..].iter().all(|gap| *gap >= TimeDelta::hours(4)));
    assert!(least("quiet") >= TimeDelta::minutes(90));
    assert!(of("quiet").iter().skip(1).all(|(at, _)| ![3, 4].contains(&at.hour())), "{:?}", of("quiet"));
    assert!(of("quiet").len() > 30, "{}", of("quiet").len());
}

#[tokio::test]
async fn a_feed_is_asked_twice_as_often_as_it_posts_and_a_failing_one_ever_less() {
    let (up, f) = (Upstream::new(), Fixture::new().await);
    let items: String = (0..20)
        .map(|n| {
            format!("<item><title>{n}</title><guid>{n}</guid><pubDate>{}</pubDate></item>", (day(1) - TimeDelta::hours(6 * n)).to_rfc2822())
        })
        .collect();
    up.then("/posts", "200 OK\r\nETag: \"1\"", &RSS.replace("<item>", &format!("{items}<item>"))).then("/posts", "304 Not Modified", "");
    up.then("/broken", "500 Oh", "");
    for path in ["/posts", "/broken"] {
        add(&f.store, &up.url(path), SourceSettings::default()).await;
    }
    let asked = live(&f.store, &reader(), day(1), day(8)).await;
    let of = |name: &str| gaps(&asked.iter().filter(|(_, title)| title == name).cloned().collect::<Vec<_>>());
    let first = of("posts")[0];
    assert!((TimeDelta::hours(3)..=TimeDelta::minutes(200)).contains(&first), "half of six hours, with jitter: {first}");
    let broken = of("broken");
    assert!(broken.is_sorted() && *broken.last().unwrap() >= TimeDelta::hours(24) && broken.len() > 10, "{broken:?}");
    let (kind, words) = events(&f.store).await.pop().unwrap();
    let (error, since) = ("127.0.0.1 answered 500 Internal Server Error", day(1).format("%F %H"));
    assert!(
        words.starts_with(&format!("{error}; it has failed since {since}:")) && words.ends_with(" UTC; it never answered well"),
        "{words}"
    );
    assert_eq!(kind, EventKind::Failed);
    assert_eq!(events(&f.store).await.len(), 1, "a failure is told once");
}

#[tokio::test]
async fn one_host_is_asked_once_at_a_time_with_a_pause_and_other_hosts_meanwhile() {
    let (one, two, f) = (Upstream::new(), Upstream::new(), Fixture::new().await);
    for number in 0..5 {
        let path = format!("/{number}");
        one.then(&path, "200 OK", RSS);
        add(&f.store, &one.url(&path), SourceSettings::default()).await;
    }
    two.then("/a", "200 OK", RSS);
    add(&f.store, &two.url("/a"), SourceSettings::default()).await;
    let (reader, start) = (reader(), day(30));
    let first = f.store.claim(start, 32, PACE.lease()).await.unwrap();
    assert_eq!(first.len(), 2, "one of each host, however long all are overdue");
    assert!(f.store.claim(start + TimeDelta::seconds(5), 32, PACE.lease()).await.unwrap().is_empty(), "their hosts are being asked");
    for source in first {
        reader.read(&f.store, source, start).await;
    }
    let other = open(&f.folder).await;
    let mut times = Vec::new();
    for second in 0..20 {
        let now = start + TimeDelta::seconds(second);
        for source in other.claim(now, 32, PACE.lease()).await.unwrap() {
            times.push(second);
            reader.read(&other, source, now).await;
        }
    }
    assert_eq!((times.len(), one.most_at_once()), (4, 1));
    assert!(times[0] >= 2 && times.windows(2).all(|two| two[1] - two[0] >= 2), "{times:?}");
}

#[tokio::test]
async fn a_running_poller_asks_every_source_of_a_host_in_turn() {
    let (up, f) = (Upstream::new(), Fixture::new().await);
    for number in 0..8 {
        let path = format!("/{number}");
        up.then(&path, "200 OK", RSS);
        add(&f.store, &up.url(&path), SourceSettings::default()).await;
    }
    let mut reader = reader();
    reader.pace.spacing = Duration::ZERO;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let poller = tokio::spawn(feedmill::poll::run(f.store.clone(), Arc::new(reader), Duration::from_secs(9), 32, stopped));
    let started = Instant::now();
    while f.store.sources().await.unwrap().iter().any(|source| source.status.last_good.is_none()) {
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", up.requests());
        tokio::task::yield_now().await;
    }
    stop.send(true).unwrap();
    poller.await.unwrap();
    assert_eq!((up.requests().len(), up.most_at_once()), (8, 1));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_running_poller_is_told_of_changed_files() {
    let f = Fixture::new().await;
    let files = tempfile::TempDir::new().unwrap();
    let root = files.path().canonicalize().unwrap();
    f.source(SourceKind::Folder, root.to_str().unwrap()).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let hour = Duration::from_hours(1);
    let poller = tokio::spawn(feedmill::poll::run(f.store.clone(), Arc::new(reader()), hour, 32, stopped));
    let until = async |articles: u64, title: &str| {
        let started = Instant::now();
        loop {
            let source = f.store.sources().await.unwrap().remove(0);
            let first = f.page("/").await.entries.first().and_then(|entry| entry.article.title.clone());
            if source.status.last_good.is_some() && source.status.articles == articles && (articles == 0 || first.as_deref() == Some(title))
            {
                return;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "{title}: {:?}, {first:?}", source.status);
            tokio::task::yield_now().await;
        }
    };
    let write = |path: &str, title: &str| std::fs::write(root.join(path), format!("---\ntitle: {title}\n---\nx\n")).unwrap();
    until(0, "the first look").await;
    write("a.md", "written");
    until(1, "written").await;
    write("a.md", "written anew");
    until(1, "written anew").await;
    std::fs::create_dir(root.join("new")).unwrap();
    std::fs::rename(root.join("a.md"), root.join("new/b.md")).unwrap();
    write("new/b.md", "in a new folder");
    until(1, "in a new folder").await;
    std::fs::remove_file(root.join("new/b.md")).unwrap();
    until(0, "removed").await;
    stop.send(true).unwrap();
    poller.await.unwrap();
}

#[tokio::test]
async fn a_host_that_wishes_to_be_left_alone_is_over_a_restart_too() {
    for head in ["429 Too Many Requests\r\nRetry-After: 7200", "503 Unavailable\r\nRetry-After: 7200"] {
        let (up, f) = (Upstream::new(), Fixture::new().await);
        up.then("/a", head, "").then("/a", "200 OK", RSS);
        up.then("/b", "200 OK", RSS);
        let busy = add(&f.store, &up.url("/a"), SourceSettings::default()).await;
        let other = add(&f.store, &up.url("/b"), SourceSettings::default()).await;
        let (reader, start) = (reader(), day(1));
        let asked = live(&f.store, &reader, start, start + TimeDelta::minutes(60)).await;
        assert_eq!(asked.len(), 1, "{head}");
        let waits = again(&f.store, &other).await.status.host_free;
        let seconds = waits.map_or(0, |free| (free - start).num_seconds());
        assert!((7200..7210).contains(&seconds), "who waits can see it: {seconds}");
        let restarted = open(&f.folder).await;
        let asked = live(&restarted, &reader, start + TimeDelta::minutes(60), start + TimeDelta::hours(3)).await;
        assert!(asked.iter().all(|(at, _)| *at >= start + TimeDelta::hours(2)) && asked.len() >= 2, "{asked:?}");
        assert_eq!(again(&restarted, &busy).await.status.failures, 0);
        // Force reads what is not due, and does not wake a host.
        up.now("/b").then("/b", head, "");
        let lease = Lease { is_forced: true, ..PACE.lease() };
        let forced = f.store.claim_of(vec![other.id], day(2), lease).await.unwrap().remove(0);
        assert!(reader.read(&f.store, forced, day(2)).await.result.is_err());
        let soon = day(2) + TimeDelta::minutes(1);
        assert!(f.store.claim_of(vec![busy.id, other.id], soon, lease).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_host_that_is_asked_too_often_rests_though_it_does_not_say_how_long() {
    for head in ["429 Too Many Requests", "429 Too Many Requests\r\nRetry-After: soon", "429 Too Many Requests\r\nRetry-After: 0"] {
        let (up, f) = (Upstream::new(), Fixture::new().await);
        for path in ["/a", "/b", "/c"] {
            up.then(path, head, "");
            add(&f.store, &up.url(path), SourceSettings::default()).await;
        }
        let asked = live(&f.store, &reader(), day(1), day(1) + TimeDelta::minutes(40)).await;
        assert!(asked.len() == 3 && gaps(&asked).iter().all(|gap| *gap >= TimeDelta::minutes(15)), "{head}: {asked:?}");
    }
}

#[tokio::test]
async fn a_host_that_wishes_to_be_left_alone_is_not_asked_where_another_one_leads_there() {
    let (up, other, f) = (Upstream::new(), Upstream::new(), Fixture::new().await);
    up.then("/a", "429 Too Many Requests\r\nRetry-After: 7200", "").then("/a", "200 OK", RSS).then("/b", "200 OK", RSS);
    other.then("/led", &format!("302 Found\r\nLocation: {}", up.url("/b")), "");
    add(&f.store, &up.url("/a"), SourceSettings::default()).await;
    let (reader, start) = (reader(), day(1));
    live(&f.store, &reader, start, start + TimeDelta::minutes(1)).await;
    let led = add(&f.store, &other.url("/led"), SourceSettings::default()).await;
    let restarted = open(&f.folder).await;
    let asked = live(&restarted, &reader, start + TimeDelta::minutes(1), start + TimeDelta::minutes(119)).await;
    assert_eq!((asked.len(), other.asked("/led"), up.asked("/b")), (1, 1, 0), "{asked:?}");
    let status = again(&restarted, &led).await.status;
    assert!(status.error.as_ref().is_some_and(|error| error.contains("wishes to be left alone until")), "{status:?}");
    live(&restarted, &reader, start + TimeDelta::minutes(119), start + TimeDelta::minutes(180)).await;
    assert!(up.asked("/b") >= 1 && again(&restarted, &led).await.status.failures == 0);
}

#[tokio::test]
async fn a_feed_that_is_read_when_the_process_dies_is_not_asked_again_within_the_least_interval() {
    let f = Fixture::new().await;
    let source = add(&f.store, "http://127.0.0.1:9/a", SourceSettings::default()).await;
    assert_eq!(f.store.claim(day(1), 9, PACE.lease()).await.unwrap().len(), 1);
    let restarted = open(&f.folder).await;
    let free = |minutes| day(1) + TimeDelta::minutes(minutes);
    assert!(restarted.claim(free(14), 9, PACE.lease()).await.unwrap().is_empty());
    assert_eq!(restarted.claim(free(15), 9, PACE.lease()).await.unwrap()[0].id, source.id);
}

#[tokio::test]
async fn what_is_forced_is_due_as_it_was_until_it_was_read_and_is_taken_from_nobody() {
    let f = Fixture::new().await;
    let mut ids = Vec::new();
    for (host, due) in [("a", Some(day(5))), ("b", Some(day(0))), ("c", None)] {
        let source = add(&f.store, &format!("http://{host}.example/"), SourceSettings::default()).await;
        f.store.fail(source.id, "oh".to_owned(), due, day(0)).await.unwrap();
        ids.push(source.id);
    }
    let lease = Lease { is_forced: true, ..PACE.lease() };
    let later = f.store.sources().await.unwrap().into_iter().filter(|source| source.id != ids[1]).map(|source| source.status.due);
    let later: Vec<_> = later.collect();
    let taken = f.store.claim_of(ids.clone(), day(1), lease).await.unwrap();
    assert_eq!(taken.iter().map(|source| source.status.due).collect::<Vec<_>>(), [Some(day(5)), Some(day(0)), None]);
    let due = async |id: usize| f.store.sources().await.unwrap().into_iter().find(|source| source.id == ids[id]).unwrap().status.due;
    assert_eq!([due(0).await, due(2).await].to_vec(), later, "its process may be killed now");
    assert_eq!(due(1).await, Some(day(1) + TimeDelta::minutes(15)), "it may have been asked");
    assert!(f.store.claim_of(ids.clone(), day(1), lease).await.unwrap().is_empty(), "they are taken");
    f.store.give_back(taken.iter().map(|source| (source.id, source.status.due)).collect(), day(1)).await.unwrap();
    assert_eq!([due(0).await, due(1).await, due(2).await], [Some(day(5)), Some(day(0)), None]);
    assert_eq!(f.store.claim_of(ids, day(1), lease).await.unwrap().len(), 3);
}

#[tokio::test]
async fn health_is_a_feed_of_its_own_which_names_no_address() {
    let (up, f) = (Upstream::new(), Fixture::new().await);
    up.then("/feed?token=hush", "500 Oh", "");
    let url = up.url("/feed?token=hush").replace("http://", "http://me:secret@");
    add(&f.store, &url, SourceSettings { private: true, ..SourceSettings::default() }).await;
    let generation = f.store.follow().await.unwrap();
    let site = Site::new("Mill".into(), String::new(), &Url::parse("https://feeds.example.org").unwrap(), Tz::UTC);
    let door = Door::new(f.store.clone(), site, 1 << 20);
    let get = async |path: &str| String::from_utf8(door.fetch(path).await.unwrap()).unwrap();
    let before = get("/health.atom").await;
    assert!(!before.contains("<entry>"), "{before}");
    live(&f.store, &reader(), day(1), day(2)).await;
    assert_eq!(f.store.follow().await.unwrap(), generation, "other feeds have not changed");
    for path in ["/health", "/health.rss", "/health.atom", "/health.json", "/sources", "/opml"] {
        let document = get(path).await;
        for secret in ["hush", "secret", "me:", "/feed?"] {
            assert!(!document.contains(secret), "{path} tells {secret}: {document}");
        }
        if path.starts_with("/health") {
            assert!(document.contains("Some feed fails"), "{path}: {document}");
            assert!(document.contains("127.0.0.1 answered 500"), "{path}: {document}");
        }
    }
    let sources = get("/sources").await;
    assert!(sources.contains("Failing") && sources.contains("It never answered well") && sources.contains("next "), "{sources}");
    let json: serde_json::Value = serde_json::from_str(&get("/health.json").await).unwrap();
    assert_eq!(json["items"].as_array().unwrap().len(), 1);
    assert!(
        json["items"][0]["_feedmill"].is_null()
            && json["items"][0]["url"].as_str().unwrap().starts_with("https://feeds.example.org/health#event-")
    );
}

#[tokio::test]
async fn the_log_keeps_its_newest_thousand_events() {
    let f = Fixture::new().await;
    let source = add(&f.store, "http://a.example/feed", SourceSettings::default()).await;
    let database = rusqlite::Connection::open(f.folder.path().join("test.db")).unwrap();
    let many =
        "INSERT INTO events (source, at, kind, words) WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1200)
         SELECT id, n, 'failed', '' FROM n, sources";
    assert_eq!(database.execute(many, []).unwrap(), 1200);
    f.store.fail(source.id, "it is gone".into(), None, day(1)).await.unwrap();
    let health = f.store.health(9_999).await.unwrap();
    assert_eq!((health.events.len(), health.stamp, health.events[0].words.as_str()), (1000, 1201, "it is gone; it never answered well"));
    f.store.remove_source(source.id, day(2)).await.unwrap();
    let health = f.store.health(9_999).await.unwrap();
    assert_eq!((health.events.len(), health.stamp), (0, 1201), "nobody is told of a source that was removed");
}
