//! Gzip documents put together of blocks that were compressed before: nothing is compressed twice (RFC 1951, RFC 1952).

use std::array;
use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::LazyLock;

use actix_web::web::Bytes;
use crc32fast::Hasher;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use sha2::{Digest, Sha256};

use super::memory::filled;
use crate::model::{Block, Fragment};
use crate::output::Frame;

thread_local! {
    static ARTICLES: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(6), false));
}

/// A member without a name or a time, by an unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Its checksum and its length stand at its end.
const TRAILER: usize = 8;

/// So many bytes at most stand in one block as they are.
const PART: usize = u16::MAX as usize;

/// A byte that is compressed stands for no more bytes than these: two bits for 258.
const MOST: usize = 1032;

/// An article's fragment as a block. A flush ends at a byte's boundary, and a compressor that begins anew refers to nothing
/// before it.
///
/// # Errors
/// The compressor failed, or there are more than 4 GiB.
pub(super) fn block(text: &str) -> io::Result<Block> {
    let bytes = text.as_bytes();
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    let mut blocks = Vec::with_capacity(bytes.len() / 2 + 64);
    ARTICLES.with_borrow_mut(|compress| {
        compress.reset();
        loop {
            let read = usize::try_from(compress.total_in()).map_err(io::Error::other)?;
            compress.compress_vec(&bytes[read..], &mut blocks, FlushCompress::Sync)?;
            // Room that was left says that all is written.
            if blocks.len() < blocks.capacity() {
                return Ok::<_, io::Error>(());
            }
            blocks.reserve(bytes.len() / 2 + 64);
        }
    })?;
    blocks.shrink_to_fit();
    Ok(Block { bytes: blocks.into(), length, crc: crc32fast::hash(bytes) })
}

/// A document of fragments in their frame, as one gzip member. What is its own is a hundredth of it, and stands as it is: to
/// compress that took a fifth of the time of putting all together.
///
/// # Errors
/// There is no memory.
pub(super) fn gzip(frame: &Frame, fragments: &[Fragment]) -> io::Result<Bytes> {
    let own: usize = (0..fragments.len()).map(|position| stored(frame.before(position))).sum();
    let blocks: usize = fragments.iter().map(|fragment| fragment.block.bytes.len()).sum();
    let length = HEADER.len() + stored(&frame.head) + own + blocks + stored(frame.end) + TRAILER;
    filled(length, |bytes| {
        let mut member = Member { bytes, sum: 0, length: 0 };
        member.bytes.write_all(&HEADER)?;
        member.stored(&frame.head, false)?;
        for (position, fragment) in fragments.iter().enumerate() {
            member.stored(frame.before(position), false)?;
            member.block(&fragment.block)?;
        }
        member.stored(frame.end, true)?;
        member.end()?;
        if member.bytes.is_empty() { Ok(()) } else { Err(io::Error::other("a document is shorter than it was to be")) }
    })
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

/// How many bytes a text takes that stands as it is.
fn stored(text: &str) -> usize {
    text.len() + 5 * text.len().div_ceil(PART)
}

struct Member<W> {
    bytes: W,
    sum: u32,
    length: usize,
}

impl<W: Write> Member<W> {
    fn block(&mut self, block: &Block) -> io::Result<()> {
        self.bytes.write_all(&block.bytes)?;
        self.sum = behind(self.sum, block.length) ^ block.crc;
        self.length = self.length.wrapping_add(block.length as usize);
        Ok(())
    }

    /// A text as it is.
    fn stored(&mut self, text: &str, is_last: bool) -> io::Result<()> {
        for part in text.as_bytes().chunks(PART) {
            let [low, high, ..] = part.len().to_le_bytes();
            self.bytes.write_all(&[is_last.into(), low, high, !low, !high])?;
            self.bytes.write_all(part)?;
        }
        let mut sum = Hasher::new_with_initial(self.sum);
        sum.update(text.as_bytes());
        self.sum = sum.finalize();
        self.length = self.length.wrapping_add(text.len());
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.bytes.write_all(&self.sum.to_le_bytes())?;
        // Modulo 2^32.
        self.bytes.write_all(&self.length.to_le_bytes()[..4])
    }
}

/// The polynomial of CRC-32, its bits in reverse as everywhere here: the highest is that of x^0.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// For each byte of a length, the least first, the power of x that so many bytes are, modulo the polynomial.
static POWERS: LazyLock<[[u32; 256]; 4]> = LazyLock::new(|| {
    let mut byte = 1 << 23;
    array::from_fn(|_| {
        let mut power = 1 << 31;
        let powers = array::from_fn(|_| {
            let next = product(power, byte);
            std::mem::replace(&mut power, next)
        });
        byte = power;
        powers
    })
});

/// What a checksum is to that of a text with so many bytes more, beside the checksum of these.
fn behind(sum: u32, length: u32) -> u32 {
    let bytes = length.to_le_bytes().into_iter().zip(&*POWERS).filter(|(byte, _)| *byte > 0);
    bytes.fold(sum, |sum, (byte, powers)| product(sum, powers[usize::from(byte)]))
}

/// The product of two polynomials over two elements, modulo that of CRC-32.
fn product(a: u32, mut b: u32) -> u32 {
    (0..32).rev().fold(0, |product, bit| {
        let next = product ^ b & (a >> bit & 1).wrapping_neg();
        b = b >> 1 ^ POLYNOMIAL & (b & 1).wrapping_neg();
        next
    })
}

/// What a member made here stands for, read in one step: it says itself how long that is.
///
/// # Errors
/// It is damaged.
pub(super) fn inflated(gzip: &[u8]) -> io::Result<Bytes> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a damaged gzip document");
    let (rest, length) = gzip.split_last_chunk().ok_or_else(damaged)?;
    let (rest, sum) = rest.split_last_chunk().ok_or_else(damaged)?;
    let length = u32::from_le_bytes(*length) as usize;
    let blocks = rest.strip_prefix(&HEADER).filter(|blocks| length / MOST < blocks.len()).ok_or_else(damaged)?;
    filled(length, |document| {
        let mut decompress = Decompress::new(false);
        let status = decompress.decompress(blocks, document, FlushDecompress::Finish)?;
        let is_all = status == Status::StreamEnd && decompress.total_out() == length as u64;
        if is_all && crc32fast::hash(document) == u32::from_le_bytes(*sum) { Ok(()) } else { Err(damaged()) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_joined_as_those_of_one_text() {
        let text = vec![b'x'; 20_000_000];
        for (first, second) in [(0, 1), (1, 0), (3, 255), (9, 256), (70_000, 65_537), (1, 19_999_999)] {
            let (one, other) = (&text[..first], &text[first..first + second]);
            let joined = behind(crc32fast::hash(one), u32::try_from(second).unwrap()) ^ crc32fast::hash(other);
            assert_eq!(joined, crc32fast::hash(&text[..first + second]), "{first} and {second}");
        }
    }

    #[test]
    fn a_member_is_read_as_it_was_made_and_a_damaged_one_is_an_error() {
        let text = "多源聚合, one feed a tag. ".repeat(400);
        let mut member = Member { bytes: HEADER.to_vec(), sum: 0, length: 0 };
        member.block(&block(&text).unwrap()).unwrap();
        member.stored("the end", true).unwrap();
        member.end().unwrap();
        let made = member.bytes;
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
