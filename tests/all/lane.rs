//! Connections that stay open: what is at hand is answered on the short way, and nobody can tell.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use feedmill::model::SourceKind;

use crate::server::Server;
use crate::store::{article, day};

/// A connection that stays open.
struct Connection {
    stream: TcpStream,
    /// What was received and belongs to the next answer.
    ahead: Vec<u8>,
}

impl Connection {
    fn to(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, ahead: Vec::new() }
    }

    fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    fn take_until(&mut self, is_there: impl Fn(&[u8]) -> Option<usize>) -> Vec<u8> {
        loop {
            if let Some(end) = is_there(&self.ahead) {
                let rest = self.ahead.split_off(end);
                return std::mem::replace(&mut self.ahead, rest);
            }
            let mut buffer = [0; 4096];
            let count = self.stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the connection ended within an answer");
            self.ahead.extend_from_slice(&buffer[..count]);
        }
    }

    /// The next answer: its lines without the date, in order, and its body.
    fn receive(&mut self, is_head: bool) -> (Vec<String>, Vec<u8>) {
        let head = self.take_until(|bytes| bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4));
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        assert_eq!(head.matches("\r\ndate: ").count(), 1, "{head}");
        let mut lines: Vec<String> =
            head.lines().filter(|line| !line.is_empty() && !line.starts_with("date: ")).map(str::to_owned).collect();
        lines.sort();
        let length = lines.iter().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |length| length.parse().unwrap());
        let length = if is_head || head.starts_with("http/1.1 304") { 0 } else { length };
        (lines, self.take_until(|bytes| (bytes.len() >= length).then_some(length)))
    }

    fn has_ended(&mut self) -> bool {
        self.ahead.is_empty() && self.stream.read(&mut [0; 1]).unwrap() == 0
    }
}

fn request(method: &str, target: &str, headers: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: feeds.example.org\r\n{headers}\r\n")
}

async fn server() -> Server {
    let mut long = article("long");
    long.content = Some("<p>条目 and more</p>".repeat(9000));
    let (server, _) = Server::with(vec![article("x"), long]).await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_at_hand_is_answered_as_all_else_is() {
    let server = server().await;
    for target in ["/feed.rss?via=body", "/feed.atom", "/", "/opml"] {
        // Its coding is made at once, or not asked for.
        let codings = if target == "/feed.atom" { ["", "", ""] } else { ["gzip", "br;q=1, gzip;q=0.5", "zstd"] };
        for (method, coding) in ["GET", "HEAD"].into_iter().flat_map(|method| codings.map(|coding| (method, coding))) {
            let accept = format!("Accept-Encoding: {coding}\r\n");
            let mut connection = Connection::to(&server);
            let mut ask = |headers: &str| {
                connection.send(&request(method, target, headers));
                connection.receive(method == "HEAD")
            };
            let usual = format!("{accept}A-IM: nothing\r\n");
            ask(&usual);
            let elsewhere = ask(&usual);
            let tag = elsewhere.0.iter().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
            let known = ask(&format!("{usual}If-None-Match: {tag}\r\n"));
            assert!(known.0.contains(&"http/1.1 304 not modified".to_owned()) && known.1.is_empty(), "{known:?}");
            let mut connection = Connection::to(&server);
            let mut ask = |headers: &str| {
                connection.send(&request(method, target, headers));
                connection.receive(method == "HEAD")
            };
            for _ in 0..3 {
                assert_eq!(ask(&accept), elsewhere, "{method} {target} {coding}");
                assert_eq!(ask(&format!("{accept}If-None-Match: {tag}\r\n")), known, "{method} {target} {coding}");
                assert_eq!(ask(&format!("{accept}If-None-Match: \"other\"\r\nConnection: Keep-Alive\r\n")), elsewhere);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_nobody_asked_for_is_made_on_the_way_and_what_is_none_is_told() {
    let server = server().await;
    let ask = |connection: &mut Connection, target: &str, headers: &str| {
        connection.send(&request("GET", target, headers));
        connection.receive(false)
    };
    let mut connection = Connection::to(&server);
    for target in ["/feed.rss", "/feed.atom?limit=1", "/feed.json?via=body", "/feed.rss?limit=1"] {
        let first = ask(&mut connection, target, "");
        assert!(first.0.contains(&"http/1.1 200 ok".to_owned()), "{target}: {first:?}");
        assert_eq!(ask(&mut Connection::to(&server), target, "A-IM: nothing\r\n"), first, "{target}");
    }
    let whole = ask(&mut connection, "/feed.rss", "");
    for (target, status) in [("/tag/none.rss", "404"), ("/feed.rss?limit=0", "400"), ("/feed.rss?limit=01", "301")] {
        let mut connection = Connection::to(&server);
        assert_eq!(ask(&mut connection, "/feed.rss", ""), whole);
        let (lines, _) = ask(&mut connection, target, "");
        assert!(lines.iter().any(|line| line.starts_with(&format!("http/1.1 {status}"))), "{target}: {lines:?}");
        assert_eq!(ask(&mut connection, "/feed.rss", ""), whole);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_come_together_are_answered_in_order_whoever_answers_them() {
    let server = server().await;
    let mut connection = Connection::to(&server);
    connection.send(&request("GET", "/feed.rss", ""));
    let whole = connection.receive(false);
    let mut connection = Connection::to(&server);
    let (get, post) = (request("GET", "/feed.rss", ""), request("POST", "/feed.rss", "Content-Length: 0\r\n"));
    connection.send(&format!("{get}{get}{}{post}{get}", request("HEAD", "/feed.rss", "")));
    assert_eq!((connection.receive(false), connection.receive(false)), (whole.clone(), whole.clone()));
    assert_eq!(connection.receive(true).0, whole.0);
    assert!(connection.receive(false).0.iter().any(|line| line.starts_with("http/1.1 405")));
    assert_eq!(connection.receive(false), whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_more_than_fits_into_the_way_gets_it_once_there_is_room() {
    let server = server().await;
    // As it is, and as a whole in a coding: large and small.
    for (target, accept) in [("/feed.rss", ""), ("/feed.rss?via=body", "Accept-Encoding: gzip\r\n")] {
        let get = request("GET", target, accept);
        let mut connection = Connection::to(&server);
        connection.send(&get);
        let whole = connection.receive(false);
        let mut connection = Connection::to(&server);
        for _ in 0..2 {
            connection.send(&get.repeat(60));
            for _ in 0..60 {
                assert_eq!(connection.receive(false), whole, "{target}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_may_come_in_pieces_be_large_or_odd() {
    let server = server().await;
    let ask = |connection: &mut Connection, headers: &str| {
        connection.send(&request("GET", "/feed.rss", headers));
        connection.receive(false)
    };
    let whole = ask(&mut Connection::to(&server), "");
    let mut connection = Connection::to(&server);
    for _ in 0..2 {
        assert_eq!(ask(&mut connection, ""), whole);
    }
    for byte in request("GET", "/feed.rss", "").chars() {
        connection.send(&byte.to_string());
    }
    assert_eq!(connection.receive(false), whole);
    let large = format!("X-Long: {}\r\n", "x".repeat(9000));
    assert_eq!(ask(&mut Connection::to(&server), &large), whole);
    assert_eq!(ask(&mut Connection::to(&server), &"X-Many: x\r\n".repeat(60)), whole);
    let chunked = ask(&mut Connection::to(&server), "Transfer-Encoding: chunked\r\n\r\n0\r\n");
    assert!(chunked.0.contains(&"http/1.1 200 ok".to_owned()) && chunked.1 == whole.1);
    let mut connection = Connection::to(&server);
    assert!(ask(&mut connection, "Connection: close\r\n").0.contains(&"connection: close".to_owned()) && connection.has_ended());
    let mut connection = Connection::to(&server);
    connection.send("GARBAGE\r\n\r\n");
    assert!(connection.receive(false).0.iter().any(|line| line.starts_with("http/1.1 400")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_is_not_waited_for() {
    let server = server().await;
    let mut connection = Connection::to(&server);
    connection.send(&request("GET", "/feed.rss", ""));
    connection.receive(false);
    let mut again = Connection::to(&server);
    again.send(&request("GET", "/feed.rss", ""));
    again.receive(false);
    let mut never = Connection::to(&server);
    assert!(connection.has_ended() && again.has_ended() && never.has_ended());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_is_counted_whichever_way_it_goes() {
    let (server, source) = Server::with(vec![article("x"), article("y")]).await;
    let mut connection = Connection::to(&server);
    for (target, headers) in [("/feed.rss", ""), ("/feed.rss", ""), ("/feed.rss", "If-None-Match: *\r\n"), ("/tag/none.rss", "")] {
        connection.send(&request("GET", target, headers));
        connection.receive(false);
    }
    assert_eq!((server.get("/feed.rss").status, server.get("/feed").status), (200, 301));
    server.f.store.fail(source.id, "no answer".into(), Some(day(2)), day(1)).await.unwrap();
    server.f.source(SourceKind::Feed, "https://b.example/feed").await;
    let answer = server.get("/metrics");
    let metrics = answer.text();
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), "no-store");
    for line in [
        "http_responses_total{code=\"200\"} 3",
        "http_responses_total{code=\"301\"} 1",
        "http_responses_total{code=\"304\"} 1",
        "http_responses_total{code=\"404\"} 1",
        "documents_made_total 1",
        "cache_documents 1",
        "articles 2",
        "sources{state=\"good\"} 0",
        "sources{state=\"failing\"} 1",
        "sources{state=\"unread\"} 1",
    ] {
        assert!(metrics.contains(&format!("\nfeedmill_{line}\n")), "{line} is not in {metrics}");
    }
    for line in metrics.lines().filter(|line| !line.starts_with("# HELP ") && !line.starts_with("# TYPE ")) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let family = name.split('{').next().unwrap();
        assert!(value.parse::<u64>().is_ok() && metrics.contains(&format!("# TYPE {family} ")), "{line}");
    }
}
