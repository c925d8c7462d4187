//! The client against a real server, one answer a connection.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use super::*;

/// Serves the answers in order, on a free port; gives its URL and the requests as they come.
pub(in crate::source) fn serve(answers: Vec<Vec<u8>>) -> (Url, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}/feed", listener.local_addr().unwrap())).unwrap();
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        let mut kept_open = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = String::new();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            while lines.read_line(&mut request).is_ok_and(|read| read > 2) {}
            sender.send(request.to_ascii_lowercase()).ok();
            stream.write_all(&answer).ok();
            if !answer.windows(5).any(|window| window == b"close") {
                kept_open.push(stream);
            }
        }
    });
    (url, requests)
}

/// An answer with a head and a body.
pub(in crate::source) fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn client(limits: Limits) -> Client {
    let allow_addresses = vec![Network::parse("127.0.0.1").unwrap()];
    Client::new(&Options { limits, allow_addresses, about: Url::parse("https://feeds.example/").ok(), proxy: None }).unwrap()
}

fn get(url: &Url, validators: Validators<'_>, limits: Limits) -> Result<Answer, FetchError> {
    let now = "2024-05-06T10:00:00Z".parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(client(limits).get(url, validators, now))
}

#[test]
fn an_unchanged_document_is_asked_for_with_what_it_came_with() {
    let (url, requests) = serve(vec![
        answer("200 OK\r\nETag: W/\"a b\"\r\nLast-Modified: yesterday, roughly\r\nContent-Type: text/xml; charset=GBK", b"<rss/>"),
        answer("304 Not Modified\r\nCache-Control: max-age=600", b""),
    ]);
    let first = get(&url, Validators::default(), Limits::default()).unwrap();
    let body = first.body.unwrap();
    assert_eq!((body.bytes.as_slice(), body.charset.as_deref()), (b"<rss/>".as_slice(), Some("GBK")));
    let request = requests.recv().unwrap();
    assert!(request.contains(&format!("user-agent: feedmill/{} (+https://feeds.example/)", env!("CARGO_PKG_VERSION"))), "{request}");
    assert!(request.contains("accept-encoding:") && !request.contains("cookie") && !request.contains("if-"), "{request}");
    let validators = Validators { etag: body.etag.as_deref(), last_modified: body.last_modified.as_deref() };
    let second = get(&url, validators, Limits::default()).unwrap();
    assert_eq!((second.body, second.fresh_until.map(|time| time.timestamp())), (None, Some(1_714_990_200)));
    let request = requests.recv().unwrap();
    assert!(request.contains("if-none-match: w/\"a b\"\r\n") && request.contains("if-modified-since: yesterday, roughly\r\n"), "{request}");
}

#[test]
fn redirects_are_followed_and_only_permanent_ones_move_a_source() {
    for (codes, moved) in [(vec!["301 M", "308 P"], true), (vec!["301 M", "302 F"], false), (vec![], false)] {
        let mut answers: Vec<_> = codes.iter().map(|code| answer(&format!("{code}\r\nLocation: /{}#top", &code[..3]), b"")).collect();
        answers.push(answer("200 OK", b"x"));
        let (url, _requests) = serve(answers);
        let answer = get(&url, Validators::default(), Limits::default()).unwrap();
        assert_eq!((answer.is_moved, answer.url.fragment()), (moved, None), "{codes:?}");
    }
    let (url, _requests) = serve((0..7).map(|number| answer(&format!("302 F\r\nLocation: /again/{number}"), b"")).collect());
    assert!(matches!(get(&url, Validators::default(), Limits::default()), Err(FetchError::TooManyRedirects { .. })));
    for circle in [&["/feed"][..], &[""], &["/a", "/b", "/a"], &["/a", "/feed#x"]] {
        let mut answers: Vec<_> = circle.iter().map(|to| answer(&format!("302 F\r\nLocation: {to}"), b"")).collect();
        answers.push(answer("200 OK", b"x"));
        let (url, requests) = serve(answers);
        assert!(matches!(get(&url, Validators::default(), Limits::default()), Err(FetchError::Circle(_))), "{circle:?}");
        assert_eq!(requests.try_iter().count(), circle.len(), "what is known is not asked again");
    }
}

#[test]
fn a_redirect_to_a_private_address_or_to_no_web_address_is_refused() {
    for location in ["http://127.0.0.2/", "http://[::1]/", "http://169.254.169.254/latest", "http://2130706434/"] {
        let (url, _requests) = serve(vec![answer(&format!("301 M\r\nLocation: {location}"), b"")]);
        let result = get(&url, Validators::default(), Limits::default());
        assert!(matches!(result, Err(FetchError::Refused(_))), "{location}: {result:?}");
    }
    let (url, _requests) = serve(vec![answer("301 M\r\nLocation: file:///etc/passwd", b"")]);
    assert!(matches!(get(&url, Validators::default(), Limits::default()), Err(FetchError::NotWeb(_))));
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_compressed_bomb_is_cut_off_at_the_limit_named_or_not() {
    for head in ["200 OK\r\nContent-Encoding: gzip", "200 OK\r\nContent-Type: application/gzip"] {
        let (url, _requests) = serve(vec![answer(head, &packed(&vec![b' '; 30 << 20]))]);
        assert!(
            matches!(get(&url, Validators::default(), Limits::default()), Err(FetchError::TooLarge { limit: 10_485_760, .. })),
            "{head}"
        );
    }
}

#[test]
fn deflate_is_read_framed_or_not_though_nobody_asked_for_it() {
    let deflated = |bytes: &[u8], is_framed: bool| {
        let level = flate2::Compression::best();
        let mut sent = Vec::new();
        if is_framed {
            flate2::write::ZlibEncoder::new(&mut sent, level).write_all(bytes).unwrap();
        } else {
            flate2::write::DeflateEncoder::new(&mut sent, level).write_all(bytes).unwrap();
        }
        sent
    };
    let head = "200 OK\r\nContent-Encoding: Deflate";
    let feed = "<rss><channel><title>多源</title></channel></rss>".repeat(50);
    for is_framed in [true, false] {
        let (url, requests) = serve(vec![
            answer(head, &deflated(feed.as_bytes(), is_framed)),
            answer(head, &deflated(&vec![b' '; 30 << 20], is_framed)),
            answer(head, feed.as_bytes()),
        ]);
        let read = || get(&url, Validators::default(), Limits::default());
        assert_eq!(read().unwrap().body.unwrap().bytes, feed.as_bytes(), "{is_framed}");
        assert!(!requests.recv().unwrap().contains("deflate"));
        assert!(matches!(read(), Err(FetchError::TooLarge { limit: 10_485_760, .. })), "{is_framed}");
        assert_eq!(read().unwrap().body.unwrap().bytes, feed.as_bytes(), "a wrong word");
    }
}

#[test]
fn a_compressed_file_that_is_sent_as_it_is_is_unpacked_as_far_as_it_goes() {
    let feed = "<rss><channel><title>多源</title></channel></rss>".repeat(50);
    let whole = packed(feed.as_bytes());
    let cut = &whole[..whole.len() - 9];
    let trailed = [&whole[..], b"<!-- made in 0.1 s -->"].concat();
    for (sent, least) in [(&whole[..], feed.len()), (cut, 1000), (&trailed[..], feed.len())] {
        let (url, _requests) = serve(vec![answer("200 OK\r\nContent-Type: application/x-gzip", sent)]);
        let bytes = get(&url, Validators::default(), Limits::default()).unwrap().body.unwrap().bytes;
        assert!(bytes.len() >= least && feed.as_bytes().starts_with(&bytes), "{} of {}", bytes.len(), feed.len());
    }
    let (url, _requests) = serve(vec![answer("200 OK", b"\x1f\x8b\x08 and no more")]);
    let bytes = get(&url, Validators::default(), Limits::default()).unwrap().body.unwrap().bytes;
    assert_eq!(bytes, b"\x1f\x8b\x08 and no more");
}

#[test]
fn headers_that_are_none_and_very_many_hinder_no_answer() {
    let many: String = (0..300).map(|number| format!("\r\nX-{number}: {number}")).collect();
    for odd in ["X-Thing : 1", "X Thing: 1", "no header at all", ": 1", "X-Policy: a;\r\n\tb;\r\n  c", "X-A: a\u{1}b", &many[2..]] {
        let (url, _requests) = serve(vec![answer(&format!("200 OK\r\n{odd}\r\nETag: \"v1\""), b"<rss/>")]);
        let body = get(&url, Validators::default(), Limits::default()).unwrap().body.unwrap();
        assert_eq!((body.bytes.as_slice(), body.etag.as_deref()), (b"<rss/>".as_slice(), Some("\"v1\"")), "{odd}");
    }
}

#[test]
fn an_answer_without_an_end_times_out() {
    let (url, _requests) = serve(vec![b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx".to_vec(), Vec::new()]);
    let patience = Limits { time: Duration::from_millis(200), ..Limits::default() };
    let result = get(&url, Validators::default(), patience);
    assert!(matches!(result, Err(FetchError::TimedOut { .. })), "{result:?}");
}

#[test]
fn errors_say_what_the_server_said() {
    let (url, _requests) = serve(vec![answer("503 Busy\r\nRetry-After: 120", b""), answer("410 Gone", b"")]);
    let busy = get(&url, Validators::default(), Limits::default()).unwrap_err();
    assert_eq!(busy.retry_after().map(|time| time.timestamp()), Some(1_714_989_720));
    assert!(busy.to_string().ends_with("answered 503 Service Unavailable"), "{busy}");
    assert!(matches!(get(&url, Validators::default(), Limits::default()), Err(FetchError::Gone(_))));
    let nowhere = Url::parse("http://no-such-host.invalid/").unwrap();
    assert!(matches!(get(&nowhere, Validators::default(), Limits::default()), Err(FetchError::UnknownHost(_))));
}
