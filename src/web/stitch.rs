//! Gzip documents put together of blocks that were compressed before: nothing is compressed twice (RFC 1951, RFC 1952).

use std::io::{self, Read, Write};

use crc32fast::Hasher;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use sha2::{Digest, Sha256};

use crate::model::{Block, Fragment};
use crate::output::Frame;

/// How hard an article is compressed, once for all feeds.
const ARTICLE: u32 = 6;
/// How hard the head of a document is, each time.
const HEAD: u32 = 1;

/// A member without a name or a time, by an unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// An article's fragment as a block.
///
/// # Errors
/// The compressor failed, or there are more than 4 GiB.
pub(super) fn block(text: &str) -> io::Result<Block> {
    compressed(text.as_bytes(), ARTICLE)
}

fn compressed(bytes: &[u8], level: u32) -> io::Result<Block> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::new(level));
    encoder.write_all(bytes)?;
    // A flush ends at a byte's boundary, and the next block refers to nothing before it: each has an encoder of its own.
    encoder.flush()?;
    Ok(Block { bytes: std::mem::take(encoder.get_mut()), length, crc: crc32fast::hash(bytes) })
}

/// A document of fragments in their frame, as one gzip member.
///
/// # Errors
/// The compressor failed.
pub(super) fn gzip(frame: &Frame, fragments: &[Fragment]) -> io::Result<Vec<u8>> {
    let length: usize = fragments.iter().map(|fragment| fragment.block.bytes.len() + 8).sum();
    let mut member = Member { bytes: Vec::with_capacity(length + frame.head.len() + 64), sum: Hasher::new(), length: 0 };
    member.bytes.extend_from_slice(&HEADER);
    member.block(&compressed(frame.head.as_bytes(), HEAD)?);
    for (position, fragment) in fragments.iter().enumerate() {
        member.stored(frame.before(position), false);
        member.block(&fragment.block);
    }
    member.stored(frame.end, true);
    let (sum, length) = (member.sum.finalize(), member.length);
    member.bytes.extend_from_slice(&sum.to_le_bytes());
    // Modulo 2^32.
    member.bytes.extend_from_slice(&length.to_le_bytes()[..4]);
    Ok(member.bytes)
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
}

/// What a gzip document stands for.
///
/// # Errors
/// It is damaged.
pub(super) fn inflated(gzip: &[u8]) -> io::Result<Vec<u8>> {
    let mut document = Vec::with_capacity(gzip.len() * 4);
    flate2::read::GzDecoder::new(gzip).read_to_end(&mut document)?;
    Ok(document)
}
