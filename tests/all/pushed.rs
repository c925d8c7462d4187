//! WebSub as a subscriber: what another hub confirms and pushes, and two servers between which an article travels unasked.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use chrono_tz::Tz;
use feedmill::model::websub::{HubLink, Mode, Secret};
use feedmill::model::{Batch, NewSource, Site, Source, SourceInfo, SourceKind, SourceSettings};
use feedmill::poll::{Pace, Reader};
use tempfile::TempDir;
use url::Url;
use url::form_urlencoded;

use crate::hostile;
use crate::peers::{Hub, PATIENCE, Subscriber, client, now, text};
use crate::store::{Fixture, article};

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
    let is_pushed = async |seconds| hub.f.store.habits(source.id, now() + TimeDelta::seconds(seconds), 1).await.unwrap().is_pushed;
    assert!(!is_pushed(0).await);
    assert_eq!(confirm(&token, "subscribe", &link.topic).await, (200, "<c>".to_owned()));
    assert!(is_pushed(900).await && !is_pushed(1001).await);
    let later = |seconds| hub.f.store.claim_hub_requests(&hub.base, now() + TimeDelta::seconds(seconds), 9);
    assert_eq!(later(800).await.unwrap(), []);
    assert_eq!(later(901).await.unwrap()[0].mode, Mode::Subscribe, "it is renewed before it ends");
    assert_eq!(hub.f.store.claim_hub_requests("https://moved.example", now(), 9).await.unwrap().len(), 1, "or when our callback moves");

    hub.f.store.remove_source(source.id, now()).await.unwrap();
    assert!(!is_pushed(0).await);
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

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_of_a_source_is_asked_through_the_proxy_of_the_source() {
    let f = Fixture::new().await;
    let (proxy, asked) = hostile::proxy(hostile::head);
    let settings = SourceSettings { proxy: Some(format!("http://{proxy}")), ..SourceSettings::default() };
    let new = NewSource { kind: SourceKind::Feed, location: "http://up.example/feed".into(), slug: None, title: "Up".into(), settings };
    let source = f.store.add_source(new, now()).await.unwrap().0;
    let link = HubLink { hub: "http://hub.example/".into(), topic: source.location.clone() };
    f.store.apply(source.id, Batch { info: Some(SourceInfo::default()), hub: Some(link), ..Batch::default() }, None, now()).await.unwrap();
    let site = Site::new("Mill".into(), String::new(), &Url::parse("https://feeds.example/").unwrap(), Tz::UTC);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let pushes = tokio::spawn(feedmill::poll::pushes(f.store.clone(), Arc::new(crate::manners::reader()), Some(site), stopped));
    let started = Instant::now();
    while asked.lock().unwrap().is_empty() {
        assert!(started.elapsed() < PATIENCE, "the proxy is not asked");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.send(true).unwrap();
    pushes.await.unwrap();
    assert_eq!(*asked.lock().unwrap(), ["POST http://hub.example/ HTTP/1.1"]);
}
