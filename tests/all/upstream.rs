//! A tiny real HTTP server that answers by a script, and notes every request.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What answers a request: it writes what it likes.
pub(crate) type Answer = Arc<dyn Fn(&mut TcpStream) + Send + Sync>;

/// A request as it came: its target, and its head in small letters.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) target: String,
    pub(crate) head: String,
}

impl Request {
    /// The value of a header, verbatim but for its case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// The server. The last answer of a path's script is given again and again.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    scripts: Arc<Mutex<HashMap<String, VecDeque<Answer>>>>,
    requests: Arc<Mutex<Vec<Request>>>,
    most_at_once: Arc<AtomicUsize>,
}

impl Upstream {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            scripts: Arc::default(),
            requests: Arc::default(),
            most_at_once: Arc::default(),
        };
        let (scripts, requests, most) = (Arc::clone(&server.scripts), Arc::clone(&server.requests), Arc::clone(&server.most_at_once));
        let open = Arc::new(AtomicUsize::new(0));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (scripts, requests, open, most) = (Arc::clone(&scripts), Arc::clone(&requests), Arc::clone(&open), Arc::clone(&most));
                std::thread::spawn(move || {
                    most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    serve(stream, &scripts, &requests, &open);
                });
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Puts an answer at the end of a path's script.
    pub(crate) fn then(&self, path: &str, head: &str, body: &str) -> &Self {
        let answer = format!("HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        self.then_with(path, Arc::new(move |stream: &mut TcpStream| drop(stream.write_all(answer.as_bytes()))))
    }

    pub(crate) fn then_with(&self, path: &str, answer: Answer) -> &Self {
        self.scripts.lock().unwrap().entry(path.to_owned()).or_default().push_back(answer);
        self
    }

    /// Forgets a path's script, for another.
    pub(crate) fn now(&self, path: &str) -> &Self {
        self.scripts.lock().unwrap().remove(path);
        self
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.requests().iter().filter(|request| request.target == path).count()
    }

    /// The most requests that were waiting for an answer at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.most_at_once.load(Ordering::SeqCst)
    }
}

fn serve(stream: TcpStream, scripts: &Mutex<HashMap<String, VecDeque<Answer>>>, requests: &Mutex<Vec<Request>>, open: &AtomicUsize) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
    // Whoever asks at the same time comes now, while no answer has begun: after one, the next may follow at once. On a machine
    // that has much else to do each of these takes long, and whoever asks would not wait for all of them.
    let begun = Instant::now();
    (0..2_000).take_while(|_| begun.elapsed() < Duration::from_millis(50)).for_each(|_| std::thread::yield_now());
    open.fetch_sub(1, Ordering::SeqCst);
    let Some(target) = head.split(' ').nth(1).map(str::to_owned) else { return };
    let head =
        head.lines().map(|line| line.split_once(": ").map_or(line.into(), |(name, value)| format!("{}: {value}\n", name.to_lowercase())));
    requests.lock().unwrap().push(Request { target: target.clone(), head: head.collect() });
    let answer = match scripts.lock().unwrap().get_mut(&target) {
        Some(script) if script.len() > 1 => script.pop_front(),
        Some(script) => script.front().cloned(),
        None => None,
    };
    let stream = reader.get_mut();
    match answer {
        Some(answer) => answer(stream),
        None => drop(stream.write_all(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")),
    }
}
