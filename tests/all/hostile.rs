//! Hosts that mean harm, and the proxies between: what is refused, and that nobody else suffers.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use feedmill::model::SourceSettings;
use feedmill::source::fetch::Limits;

use crate::manners::{PACE, RSS, add, live, name, reader, with_limits};
use crate::store::{Fixture, day};
use crate::upstream::Upstream;

/// What a hostile server sends, without an end of its own.
fn endless(head: &'static str, piece: Vec<u8>) -> crate::upstream::Answer {
    Arc::new(move |stream: &mut TcpStream| {
        if stream.write_all(head.as_bytes()).is_ok() {
            while stream.write_all(&piece).is_ok() {}
        }
    })
}

/// The start of a gzip stream, and a piece of 16 MiB of zeros that can follow it any number of times.
fn bomb() -> (Vec<u8>, Vec<u8>) {
    use flate2::{Compress, Compression, FlushCompress};
    let mut compress = Compress::new(Compression::best(), false);
    let mut piece = Vec::with_capacity(1 << 20);
    compress.compress_vec(&vec![0; 16 << 20], &mut piece, FlushCompress::Full).unwrap();
    (vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], piece)
}

#[tokio::test]
async fn hostile_answers_are_refused_soon_and_harm_nobody_else() {
    let (up, good, f) = (Upstream::new(), Upstream::new(), Fixture::new().await);
    let (start, piece) = bomb();
    assert!(piece.len() < 20_000, "16 MiB of zeros are {} bytes", piece.len());
    up.then_with(
        "/bomb",
        Arc::new(move |stream: &mut TcpStream| {
            let head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(head).and_then(|()| stream.write_all(&start));
            // Ten gigabytes, if anybody read them.
            for _ in 0..640 {
                if stream.write_all(&piece).is_err() {
                    break;
                }
            }
        }),
    );
    up.then_with("/headers", endless("HTTP/1.1 200 OK\r\n", b"X-Flood: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".to_vec()));
    up.then_with("/header", endless("HTTP/1.1 200 OK\r\nX-Flood: ", vec![b'a'; 4096]));
    up.then_with("/body", endless("HTTP/1.1 200 OK\r\n\r\n<rss>", vec![b'x'; 65_536]));
    up.then("/loop", "302 Found\r\nLocation: /loop", "");
    up.then_with(
        "/slow",
        Arc::new(|stream: &mut TcpStream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n<rss>");
            // It never sends the rest, and waits until the reader has gone.
            let _ = stream.read(&mut [0; 16]);
        }),
    );
    let paths = ["/bomb", "/headers", "/header", "/body", "/loop", "/slow"];
    let reader = with_limits(Limits { time: Duration::from_secs(3), ..Limits::default() });
    for path in paths {
        add(&f.store, &up.url(path), SourceSettings::default()).await;
    }
    good.then("/good", "200 OK", RSS);
    add(&f.store, &good.url("/good"), SourceSettings::default()).await;
    let started = Instant::now();
    live(&f.store, &reader, day(1), day(1) + TimeDelta::minutes(10)).await;
    assert!(started.elapsed() < Duration::from_mins(1), "{:?}", started.elapsed());
    for source in f.store.sources().await.unwrap() {
        let error = source.status.error.clone().unwrap_or_default();
        let expected = match name(&source).as_str() {
            "bomb" | "body" => "sends more than 10485760 bytes",
            "loop" => "redirects in a circle",
            "slow" => "did not answer in full within 3 s",
            "good" => "",
            _ => "cannot be reached",
        };
        assert!(error.contains(expected) && (expected.is_empty() == error.is_empty()), "{}: {error}", source.location);
    }
    assert_eq!(up.asked("/loop"), 1);
}

/// A proxy of one connection: gives what it was asked for, and answers with a feed.
pub(crate) fn proxy(handshake: fn(&mut TcpStream) -> String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, asked) = (listener.local_addr().unwrap().to_string(), Arc::new(Mutex::new(Vec::new())));
    let noted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let name = handshake(&mut stream);
            noted.lock().unwrap().push(name);
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{RSS}", RSS.len());
        }
    });
    (address, asked)
}

pub(crate) fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned()
}

/// RFC 1928, as far as a client that names a host needs it.
fn socks(stream: &mut TcpStream) -> String {
    let mut greeting = [0; 2];
    stream.read_exact(&mut greeting).unwrap();
    stream.read_exact(&mut vec![0; greeting[1].into()]).unwrap();
    stream.write_all(&[5, 0]).unwrap();
    let mut request = [0; 5];
    stream.read_exact(&mut request).unwrap();
    assert_eq!(request[3], 3, "the name itself is asked for, not an address");
    let mut name = vec![0; usize::from(request[4]) + 2];
    stream.read_exact(&mut name).unwrap();
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
    head(stream);
    String::from_utf8_lossy(&name[..name.len() - 2]).into_owned()
}

#[tokio::test]
async fn through_a_proxy_names_are_asked_for_and_private_ones_are_not() {
    let f = Fixture::new().await;
    let ((http, http_asked), (socks5, socks_asked)) = (proxy(head), proxy(socks));
    for (proxy, url) in [
        (format!("http://{http}"), "http://one.example/feed"),
        (format!("socks5h://{socks5}"), "http://two.example/feed"),
        (format!("http://{http}"), "http://printer.local/feed"),
        (format!("socks5h://{socks5}"), "http://10.0.0.1/feed"),
    ] {
        let source = add(&f.store, url, SourceSettings { proxy: Some(proxy), ..SourceSettings::default() }).await;
        let taken = f.store.claim_of(vec![source.id], day(1), PACE.lease()).await.unwrap().remove(0);
        let outcome = reader().read(&f.store, taken, day(1)).await;
        assert_eq!(outcome.result.is_ok(), url.contains(".example"), "{url}: {:?}", outcome.result);
    }
    assert_eq!(*http_asked.lock().unwrap(), ["GET http://one.example/feed HTTP/1.1"]);
    assert_eq!(*socks_asked.lock().unwrap(), ["two.example"]);
}
