//! What WebSub is tested with: a server with a hub, and a subscriber that does as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use chrono_tz::Tz;
use feedmill::model::websub::HubLimits;
use feedmill::model::{Network, Site, Source, SourceKind, Time};
use feedmill::push::{Document, Messenger, Unpublished};
use feedmill::source::fetch::{Client, Options, Reply};
use feedmill::store::Store;
use feedmill::web::{Door, Error, Exchange, serve};
use url::Url;
use url::form_urlencoded;

use crate::store::{Fixture, day, tagged};

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn now() -> Time {
    SystemTime::now().into()
}

pub(crate) fn client(allowed: &[&str]) -> Client {
    let allow_addresses = allowed.iter().map(|network| Network::parse(network).unwrap()).collect();
    Client::new(&Options { allow_addresses, ..Options::default() }).unwrap()
}

/// One request as a subscriber gets it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn read(stream: &TcpStream) -> Option<Self> {
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

    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    pub(crate) fn parameter(&self, name: &str) -> String {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        form_urlencoded::parse(query.as_bytes()).find(|(other, _)| other == name).map_or_else(String::new, |(_, value)| value.into_owned())
    }
}

/// A server that confirms what it is asked, but for the answers that it is told to give first.
pub(crate) struct Subscriber {
    pub(crate) callback: String,
    pub(crate) requests: Receiver<Request>,
    pub(crate) answers: Arc<Mutex<Vec<(u16, &'static str)>>>,
}

impl Subscriber {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn will_answer(&self, answers: &[(u16, &'static str)]) {
        self.answers.lock().unwrap().extend(answers);
    }

    pub(crate) fn next(&self) -> Request {
        self.requests.recv_timeout(PATIENCE).unwrap()
    }

    /// What came so far, when nothing is under way any more.
    pub(crate) fn rest(&self) -> Vec<String> {
        self.requests.try_iter().map(|request| format!("{} {}", request.method, request.target)).collect()
    }
}

/// A server with a hub, whose messenger works when it is told to.
pub(crate) struct Hub {
    pub(crate) f: Fixture,
    pub(crate) base: String,
    pub(crate) messenger: Messenger,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn start(
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
    pub(crate) async fn new() -> Self {
        Self::with(&["127.0.0.1"], HubLimits::new(100)).await
    }

    pub(crate) async fn with(allowed: &[&str], limits: HubLimits) -> Self {
        let f = Fixture::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (messenger, task) = start(f.store.clone(), listener, client(allowed), limits);
        Self { f, base, messenger, task }
    }

    /// A hub with one source and an article of the tag `rust`.
    pub(crate) async fn with_article() -> (Self, Source) {
        let hub = Self::new().await;
        let source = hub.f.source(SourceKind::Feed, "https://a.example/feed").await;
        hub.f.feed(&source, vec![tagged("1", &["rust"])], day(1)).await;
        (hub, source)
    }

    pub(crate) async fn ask(&self, mode: &str, topic: &str, callback: &str, others: &[(&str, &str)]) -> Reply {
        let mut pairs = vec![("hub.mode", mode), ("hub.topic", topic), ("hub.callback", callback)];
        pairs.extend(others);
        let url = Url::parse(&format!("{}/hub", self.base)).unwrap();
        client(&["127.0.0.1"]).post_form(&url, &pairs).await.unwrap()
    }

    pub(crate) fn topic(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Subscribes, and sees it confirmed.
    pub(crate) async fn subscribe(&self, subscriber: &Subscriber, path: &str, more: &[(&str, &str)]) {
        let reply = self.ask("subscribe", &self.topic(path), &subscriber.callback, more).await;
        assert_eq!((reply.status, reply.body.as_slice()), (202, b"".as_slice()));
        self.messenger.round(now()).await.unwrap();
        assert_eq!(subscriber.next().parameter("hub.mode"), "subscribe");
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        client(&["127.0.0.1"]).get_once(&Url::parse(&self.topic(path)).unwrap()).await.unwrap()
    }
}

pub(crate) fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}
