//! Files that were compressed beforehand and sent without a word of it.

use std::io::Read;

use flate2::read::MultiGzDecoder;

/// How a gzip member begins: its two signs, and the one way of compressing (RFC 1952).
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// What a body stands for: a gzip file is read as far as it goes, where it is cut off or followed by something else; all
/// other bytes stay. `None`: it has more bytes than `limit`.
pub(super) fn unpacked(body: Vec<u8>, limit: usize) -> Option<Vec<u8>> {
    if !body.starts_with(&GZIP) {
        return Some(body);
    }
    let mut bytes = Vec::new();
    MultiGzDecoder::new(&body[..]).take(limit as u64 + 1).read_to_end(&mut bytes).ok();
    if bytes.is_empty() {
        return Some(body);
    }
    (bytes.len() <= limit).then_some(bytes)
}
