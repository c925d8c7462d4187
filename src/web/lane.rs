//! The short way to what is asked for most: requests for documents in the cache, and for feeds that are to be made first, are
//! answered from a connection's own bytes, with heads that were made once and no copy of the document. The first request
//! that is about anything else goes to actix as it came, and with it the rest of its connection: whatever is odd, slow or
//! large is read there alone.

use std::borrow::Cow;
use std::cell::Cell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use actix_web::web::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::Door;
use super::asked::Asked;
use super::document::Answer;
use super::route::{self, now, without_prefix};

/// The largest head that is read here.
const MAX_HEAD: usize = 4 << 10;
/// The most headers in it.
const MAX_HEADERS: usize = 32;
/// How long a connection may be silent, at the least; at most twice as long.
const SILENCE: Duration = Duration::from_secs(5);
/// How long a client may take nothing of an answer.
const STALL: Duration = Duration::from_secs(30);

/// A connection with what was read of it already.
#[derive(Debug)]
pub(super) struct Rest {
    read: BytesMut,
    stream: TcpStream,
}

/// Answers requests for documents at hand and for feeds. Gives the connection back at the first request for anything else;
/// `None`: it ended. Once it is told to stop, it ends between two requests.
///
/// # Errors
/// The connection broke.
pub(super) async fn run(door: &Arc<Door>, mut stream: TcpStream, stop: impl Future<Output = ()>) -> io::Result<Option<Rest>> {
    let mut read = BytesMut::with_capacity(MAX_HEAD);
    let mut silence = pin!(sleep(SILENCE));
    let mut stop = pin!(stop);
    loop {
        while let Some(request) = Request::of(&read, door.site.prefix()) {
            let Some(answer) = request.answer(door).await else { break };
            door.metrics.answered(answer.status);
            write(&mut stream, &answer).await?;
            let length = request.length;
            read.advance(length);
        }
        if !read.is_empty() {
            return Ok(Some(Rest { read, stream }));
        }
        read.reserve(MAX_HEAD);
        if !more(&mut stream, &mut read, silence.as_mut(), stop.as_mut()).await? {
            return Ok(None);
        }
    }
}

/// Waits for more bytes; `false`: there are none to come. The timer is set once for many requests: it fires when nothing
/// came since it fired last.
async fn more(
    stream: &mut TcpStream,
    read: &mut BytesMut,
    mut silence: Pin<&mut Sleep>,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> io::Result<bool> {
    let mut was_silent = false;
    poll_fn(|context| {
        loop {
            if let Poll::Ready(count) = pin!(stream.read_buf(read)).poll(context) {
                return Poll::Ready(count.map(|count| count > 0));
            }
            if stop.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(false));
            }
            ready!(silence.as_mut().poll(context));
            if was_silent {
                return Poll::Ready(Ok(false));
            }
            was_silent = true;
            silence.as_mut().reset(Instant::now() + SILENCE);
        }
    })
    .await
}

/// A request that may be answered here.
struct Request<'a> {
    /// The bytes of its head; it has no body.
    length: usize,
    path: Cow<'a, str>,
    asked: Asked<'a>,
}

impl<'a> Request<'a> {
    /// The request that the bytes begin with. `None`: it is not there whole, or none for here.
    fn of(read: &'a [u8], prefix: &str) -> Option<Self> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(length) = request.parse(read).ok()? else { return None };
        let asked = asked(&request)?;
        Some(Self { length, path: without_prefix(request.path?, prefix), asked })
    }

    /// `None`: its path is none of a document at hand or of a feed that can be made.
    async fn answer(&self, door: &Arc<Door>) -> Option<Answer> {
        let (place, document) = match door.cache.current(&self.path, door.generation()) {
            Some(document) => (Cow::Borrowed(&*self.path), document),
            None => {
                // Apart: a connection that waits has no room for what this takes.
                let (place, document) = Box::pin(route::feed(door, &self.path)).await?;
                (Cow::Owned(place), document)
            }
        };
        let (answer, wanted) = document.answer(&self.asked, now());
        route::prepare(door, &place, &document, wanted);
        Some(answer)
    }
}

/// What a request asks, if nothing in it may have it answered otherwise.
fn asked<'a>(request: &httparse::Request<'_, 'a>) -> Option<Asked<'a>> {
    if request.version != Some(1) {
        return None;
    }
    let mut asked = Asked { is_head: request.method == Some("HEAD"), ..Asked::default() };
    if !asked.is_head && request.method != Some("GET") {
        return None;
    }
    let mut has_host = false;
    for header in &*request.headers {
        let value = std::str::from_utf8(header.value).ok().filter(|value| value.is_ascii());
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        let place = match header.name.len() {
            4 if is("host") => {
                if std::mem::replace(&mut has_host, true) {
                    return None;
                }
                continue;
            }
            4 if is("a-im") => return None,
            6 if is("expect") => return None,
            7 if is("upgrade") => return None,
            10 if is("connection") => {
                value.filter(|value| value.eq_ignore_ascii_case("keep-alive"))?;
                continue;
            }
            13 if is("if-none-match") => &mut asked.tags,
            14 if is("content-length") || is("sec-fetch-dest") => return None,
            15 if is("accept-encoding") => &mut asked.accept,
            17 if is("transfer-encoding") => return None,
            17 if is("if-modified-since") => &mut asked.since,
            _ => continue,
        };
        if place.replace(value?).is_some() {
            return None;
        }
    }
    has_host.then_some(asked)
}

/// Writes an answer whole.
async fn write(stream: &mut TcpStream, answer: &Answer) -> io::Result<()> {
    let date = date();
    let (mut head, mut date, mut body) = (&answer.head[..], &date[..], &answer.body[..]);
    loop {
        let parts = [IoSlice::new(head), IoSlice::new(date), IoSlice::new(body)];
        // What fits into the system's buffer goes at once, without a timer.
        let written = poll_fn(|context| Poll::Ready(Pin::new(&mut *stream).poll_write_vectored(context, &parts))).await;
        let written = match written {
            Poll::Ready(written) => written?,
            Poll::Pending => timeout(STALL, stream.write_vectored(&parts)).await??,
        };
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let mut left = written;
        for part in [&mut head, &mut date, &mut body] {
            let gone = left.min(part.len());
            part.advance(gone);
            left -= gone;
        }
        if head.is_empty() && date.is_empty() && body.is_empty() {
            return Ok(());
        }
    }
}

/// The length of the header `Date` with the empty line behind it.
const DATE: usize = 39;

thread_local! {
    static LAST_DATE: Cell<(u64, [u8; DATE])> = const { Cell::new((0, [b' '; DATE])) };
}

/// The header `Date`, made once a second, and the end of a head.
fn date() -> [u8; DATE] {
    let now = SystemTime::now();
    let second = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let (made, mut line) = LAST_DATE.get();
    if made != second {
        line.copy_from_slice(format!("date: {}\r\n\r\n", httpdate::fmt_http_date(now)).as_bytes());
        LAST_DATE.set((second, line));
    }
    line
}

impl AsyncRead for Rest {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.read.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let count = self.read.len().min(buffer.remaining());
        buffer.put_slice(&self.read.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Rest {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A head without its date and the empty line.
pub(super) fn head<'a>(status: &str, headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Bytes {
    let mut head = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for (name, value) in headers {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    }
    head.into()
}
