//! A real server over a real store, and a client that sees every byte of its answers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use chrono_tz::Tz;
use feedmill::model::{Article, ArticleKey, NamedFeed, Site, Slug, Source, SourceKind, Target, Window};
use feedmill::store::Store;
use feedmill::web::{Door, serve};
use quick_xml::events::Event;
use url::Url;

use crate::store::{Fixture, day};

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect()
    }

    /// The path of a link in the headers.
    pub(crate) fn header_link(&self, relation: &str) -> Option<String> {
        let value = self.all("link").into_iter().find(|value| value.contains(&format!("rel=\"{relation}\"")))?;
        let url = value.strip_prefix('<')?.split('>').next()?;
        Some(url.strip_prefix("https://feeds.example.org")?.to_owned())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) struct Server {
    pub(crate) f: Fixture,
    address: SocketAddr,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn new() -> Self {
        Self::at("https://feeds.example.org").await
    }

    pub(crate) async fn at(public_url: &str) -> Self {
        let f = Fixture::new().await;
        let (address, task) = start(f.store.clone(), public_url);
        Self { f, address, task }
    }

    /// Another server over the store of one, opened anew.
    pub(crate) fn over(store: Store, other: &Self) -> Self {
        let (address, task) = start(store.clone(), "https://feeds.example.org");
        let folder = tempfile::TempDir::new_in(other.f.folder.path()).unwrap();
        Self { f: Fixture { folder, store }, address, task }
    }

    /// A server over one feed source with these articles.
    pub(crate) async fn with(articles: Vec<Article>) -> (Self, Source) {
        let server = Self::new().await;
        let source = server.f.source(SourceKind::Feed, "https://a.example/feed").await;
        server.f.feed(&source, articles, day(1)).await;
        (server, source)
    }

    pub(crate) fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
        ask(self.address, method, target, headers)
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, &[])
    }

    /// The ids of a feed in document order.
    pub(crate) fn ids(&self, target: &str) -> Vec<String> {
        let answer = self.get(target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        if target.contains(".json") {
            return answer.json()["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
        }
        let (parent, child) = if target.contains(".rss") { ("item", "guid") } else { ("entry", "id") };
        texts(answer.text(), parent, child)
    }

    pub(crate) async fn key(&self, guid: &str) -> ArticleKey {
        let Target::List { selection, options, .. } = feedmill::model::Address::parse("/").unwrap().target else { panic!("a list") };
        let feedmill::store::Lookup::Found(page) = self.f.store.select(&selection, &options, Window::default()).await.unwrap() else {
            panic!("everything")
        };
        page.entries.into_iter().find(|entry| entry.article.guid == guid).unwrap().key
    }
}

pub(crate) fn start(store: Store, public_url: &str) -> (SocketAddr, tokio::task::JoinHandle<std::io::Result<()>>) {
    let mut site = Site::new("Mill".into(), "All of it".into(), &Url::parse(public_url).unwrap(), Tz::UTC);
    let Target::List { selection, .. } = feedmill::model::Address::parse("/?tag=news&tag=-ads").unwrap().target else { panic!("a list") };
    site.feeds.push(NamedFeed {
        slug: Slug::from_name("mine"),
        title: "My own".into(),
        description: Some("Chosen".into()),
        picture: None,
        selection,
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (address, tokio::spawn(serve(Door::new(store, site, 1 << 20).into(), listener, None)))
}

/// One request, its target sent as it is.
pub(crate) fn ask(address: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(stream, "{method} {target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nContent-Length: 0\r\n{headers}\r\n").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| panic!("{method} {target}: no answer"));
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Answer { status, headers, body: bytes[end + 4..].to_vec() }
}

/// The text of each `child` that stands right in a `parent`; the document must be well-formed.
pub(crate) fn texts(xml: &str, parent: &str, child: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut open, mut found) = (Vec::<String>::new(), Vec::new());
    let mut current: Option<String> = None;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error} in {xml}")) {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                if name == child && open.last().is_some_and(|last| last == parent) {
                    current = Some(String::new());
                }
                open.push(name);
            }
            Event::Text(text) => current = current.map(|current| current + &text),
            Event::CData(text) => current = current.map(|current| current + &text),
            Event::GeneralRef(name) => {
                let value = quick_xml::escape::unescape(&format!("&{};", &*name)).unwrap().into_owned();
                current = current.map(|current| current + &value);
            }
            Event::End(_) if open.pop().as_deref() == Some(child) => found.extend(current.take()),
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?} stay open in {xml}");
    found
}

pub(crate) fn decoded(answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    match answer.header("content-encoding") {
        "" => bytes.clone_from(&answer.body),
        "gzip" => drop(flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut bytes).unwrap()),
        "br" => brotli::BrotliDecompress(&mut &answer.body[..], &mut bytes).unwrap(),
        "zstd" => bytes = zstd::decode_all(&answer.body[..]).unwrap(),
        other => panic!("the coding is {other:?}"),
    }
    bytes
}
