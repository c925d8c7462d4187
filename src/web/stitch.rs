//! Gzip documents put together of blocks that were compressed before: nothing is compressed twice (RFC 1951, RFC 1952).

use std::cell::RefCell;
use std::io;

use crc32fast::Hasher;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use sha2::{Digest, Sha256};

use crate::model::{Block, Fragment};
use crate::output::Frame;

thread_local! {
    /// For articles, which are compressed once for all feeds.
    static ARTICLES: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(6), false));
    /// For the heads of documents, which are compressed each time.
    static HEADS: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(1), false));
}

/// A member without a name or a time, by an unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// A byte that is compressed stands for no more bytes than these: two bits for 258.
const MOST: usize = 1032;

/// An article's fragment as a block.
///
/// # Errors
/// The compressor failed, or there are more than 4 GiB.
pub(super) fn block(text: &str) -> io::Result<Block> {
    ARTICLES.with_borrow_mut(|compress| compressed(text.as_bytes(), compress))
}

/// A flush ends at a byte's boundary, and a compressor that begins anew refers to nothing before it.
fn compressed(bytes: &[u8], compress: &mut Compress) -> io::Result<Block> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    compress.reset();
    let mut blocks = Vec::with_capacity(bytes.len() / 2 + 64);
    loop {
        let read = usize::try_from(compress.total_in()).map_err(io::Error::other)?;
        compress.compress_vec(&bytes[read..], &mut blocks, FlushCompress::Sync)?;
        // Room that was left says that all is written.
        if blocks.len() < blocks.capacity() {
            break;
        }
        blocks.reserve(bytes.len() / 2 + 64);
    }
    blocks.shrink_to_fit();
    Ok(Block { bytes: blocks.into(), length, crc: crc32fast::hash(bytes) })
}

/// A document of fragments in their frame, as one gzip member.
///
/// # Errors
/// The compressor failed.
pub(super) fn gzip(frame: &Frame, fragments: &[Fragment]) -> io::Result<Vec<u8>> {
    let length: usize = fragments.iter().map(|fragment| fragment.block.bytes.len() + 8).sum();
    let mut member = Member { bytes: Vec::with_capacity(length + frame.head.len() + 64), sum: Hasher::new(), length: 0 };
    member.bytes.extend_from_slice(&HEADER);
    member.block(&HEADS.with_borrow_mut(|compress| compressed(frame.head.as_bytes(), compress))?);
    for (position, fragment) in fragments.iter().enumerate() {
        member.stored(frame.before(position), false);
        member.block(&fragment.block);
    }
    member.stored(frame.end, true);
    Ok(member.ended())
}

/// Names what a document is put together of, whatever level it was compressed at.
pub(super) fn digest(frame: &Frame, fragments: &[Fragment]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(frame.head.as_bytes());
    for (position, Fragment { generation, block, .. }) in fragments.iter().enumerate() {
        digest.update(frame.before(position));
        digest.update(generation.to_le_bytes());
        digest.update(block.length.to_le_bytes());
        digest.update(block.crc.to_le_bytes());
    }
    digest.update(frame.end);
    digest.finalize().into()
}

struct Member {
    bytes: Vec<u8>,
    sum: Hasher,
    length: usize,
}

impl Member {
    fn block(&mut self, block: &Block) {
        self.bytes.extend_from_slice(&block.bytes);
        self.sum.combine(&Hasher::new_with_initial_len(block.crc, block.length.into()));
        self.length = self.length.wrapping_add(block.length as usize);
    }

    /// A text as it is.
    fn stored(&mut self, text: &str, is_last: bool) {
        for part in text.as_bytes().chunks(usize::from(u16::MAX)) {
            let [low, high, ..] = part.len().to_le_bytes();
            self.bytes.extend_from_slice(&[is_last.into(), low, high, !low, !high]);
            self.bytes.extend_from_slice(part);
        }
        self.sum.update(text.as_bytes());
        self.length = self.length.wrapping_add(text.len());
    }

    fn ended(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&self.sum.finalize().to_le_bytes());
        // Modulo 2^32.
        self.bytes.extend_from_slice(&self.length.to_le_bytes()[..4]);
        self.bytes
    }
}

/// What a member made here stands for, read in one step: it says itself how long that is.
///
/// # Errors
/// It is damaged.
pub(super) fn inflated(gzip: &[u8]) -> io::Result<Vec<u8>> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a damaged gzip document");
    let (rest, length) = gzip.split_last_chunk().ok_or_else(damaged)?;
    let (rest, sum) = rest.split_last_chunk().ok_or_else(damaged)?;
    let length = u32::from_le_bytes(*length) as usize;
    let blocks = rest.strip_prefix(&HEADER).filter(|blocks| length / MOST < blocks.len()).ok_or_else(damaged)?;
    let mut document = Vec::with_capacity(length);
    let status = Decompress::new(false).decompress_vec(blocks, &mut document, FlushDecompress::Finish)?;
    let is_whole = status == Status::StreamEnd && document.len() == length && crc32fast::hash(&document) == u32::from_le_bytes(*sum);
    if is_whole { Ok(document) } else { Err(damaged()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_read_as_it_was_made_and_a_damaged_one_is_an_error() {
        let text = "多源聚合, one feed a tag. ".repeat(400);
        let mut member = Member { bytes: HEADER.to_vec(), sum: Hasher::new(), length: 0 };
        member.block(&block(&text).unwrap());
        member.stored("the end", true);
        let made = member.ended();
        let whole = format!("{text}the end").into_bytes();
        assert_eq!(inflated(&made).unwrap(), whole);
        for cut in 0..made.len() {
            assert!(inflated(&made[..cut]).is_err(), "cut at {cut}");
        }
        for place in 0..made.len() {
            let mut damaged = made.clone();
            damaged[place] ^= 0x40;
            // Some bits mean nothing.
            assert!(inflated(&damaged).map_or(true, |read| read == whole), "a bit at {place}");
        }
    }
}
