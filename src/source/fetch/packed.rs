//! What the HTTP library leaves compressed: files that were so beforehand, sent without a word of it, and `deflate`, which nobody
//! asked for.

use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// How a gzip member begins: its two signs, and the one way of compressing (RFC 1952).
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// What a body in the coding `deflate` stands for, as far as it goes: a zlib stream (RFC 9110 8.4.1.2), or one without the frame,
/// as some servers send. `None`: it has more bytes than `limit`.
pub(super) fn inflated(body: Vec<u8>, limit: usize) -> Option<Vec<u8>> {
    let is_framed = matches!(body[..], [first, second, ..] if first & 15 == 8 && u16::from_be_bytes([first, second]) % 31 == 0);
    let bytes = if is_framed { read(ZlibDecoder::new(&body[..]), limit) } else { read(DeflateDecoder::new(&body[..]), limit) };
    instead_of(body, bytes, limit)
}

/// What a body stands for: a gzip file is read as far as it goes, where it is cut off or followed by something else; all
/// other bytes stay. `None`: it has more bytes than `limit`.
pub(super) fn unpacked(body: Vec<u8>, limit: usize) -> Option<Vec<u8>> {
    if !body.starts_with(&GZIP) {
        return Some(body);
    }
    let bytes = read(MultiGzDecoder::new(&body[..]), limit);
    instead_of(body, bytes, limit)
}

/// What can be read, one byte more than the limit at the most.
fn read(decoder: impl Read, limit: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    decoder.take(limit as u64 + 1).read_to_end(&mut bytes).ok();
    bytes
}

/// What was read of a body, or itself where that was nothing.
fn instead_of(body: Vec<u8>, bytes: Vec<u8>, limit: usize) -> Option<Vec<u8>> {
    if bytes.is_empty() {
        return Some(body);
    }
    (bytes.len() <= limit).then_some(bytes)
}
