//! Blocks: the postings of some tokens in a row, as they are written and read.

use std::ops::Range;

use super::{KEY, Key, Posting};
use crate::store::sets::Number;

/// About how large a block gets, in bytes: a few fill a page of the database.
const BLOCK: usize = 4_000;
/// What a token takes beside its list, at most.
const ROOM: usize = 32;

/// The postings of some tokens in a row.
#[derive(Debug)]
pub(in crate::store) struct Block {
    /// The first token's.
    pub(in crate::store) first: Key,
    pub(in crate::store) bytes: Vec<u8>,
}

/// Writes postings, token by token in order. A block is the lowest article's number and then, for each token: how many
/// bytes it shares with the one before and how many follow, in four bits each; these; the length of its list; its list,
/// each posting by its distance from the one before.
#[derive(Debug)]
pub(super) struct Writer {
    base: Number,
    blocks: Vec<Block>,
    last: Key,
    list: Vec<u8>,
}

impl Writer {
    /// `base`: no article has a lower number.
    pub(super) fn new(base: Number) -> Self {
        Self { base, blocks: Vec::new(), last: Key::default(), list: Vec::new() }
    }

    /// Writes who has a token: at least one article, in order.
    pub(super) fn push(&mut self, key: Key, postings: impl Iterator<Item = Posting>) {
        self.list.clear();
        let mut before = Posting::new(self.base, false);
        for posting in postings {
            put(&mut self.list, posting.0 - before.0);
            before = Posting::new(posting.article(), false);
        }
        let block = match self.blocks.last_mut() {
            Some(block) if block.bytes.len() + self.list.len() < BLOCK => block,
            _ => {
                let mut bytes = Vec::with_capacity(BLOCK.max(self.list.len()) + ROOM);
                put(&mut bytes, u64::from(self.base));
                self.last = Key::default();
                self.blocks.push_mut(Block { first: key, bytes })
            }
        };
        let shared = key.shared(self.last);
        let (fresh, length) = key.after(shared);
        #[expect(clippy::cast_possible_truncation, reason = "both are at most 14")]
        block.bytes.push((shared << 4 | length) as u8);
        // So many bytes as are known here are copied sooner than those that are meant.
        let end = block.bytes.len() + length;
        block.bytes.extend_from_slice(&fresh);
        block.bytes.truncate(end);
        put(&mut block.bytes, self.list.len() as u64);
        block.bytes.extend_from_slice(&self.list);
        self.last = key;
    }

    /// The blocks that are written, but for one that may go on.
    pub(super) fn take(&mut self) -> Vec<Block> {
        self.blocks.drain(..self.blocks.len().saturating_sub(1)).collect()
    }

    /// How many blocks are written.
    pub(super) const fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn finish(self) -> Vec<Block> {
        self.blocks
    }
}

/// What stands in a block, token by token; it ends where a block is damaged.
#[derive(Debug)]
pub(in crate::store) struct Entries<'a> {
    block: &'a [u8],
    place: Place,
}

impl<'a> Entries<'a> {
    pub(in crate::store) fn of(block: &'a [u8]) -> Self {
        Self { block, place: Place::start(block) }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Key, Postings<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, list) = self.place.next(self.block)?;
        Some((key, self.place.postings(self.block, list)))
    }
}

/// A place between two tokens of a block.
#[derive(Debug, Default)]
pub(super) struct Place {
    at: usize,
    base: Number,
    key: Key,
}

impl Place {
    pub(super) fn start(block: &[u8]) -> Self {
        let mut rest = block;
        let base = get(&mut rest).and_then(|base| Number::try_from(base).ok()).unwrap_or_default();
        Self { at: block.len() - rest.len(), base, key: Key::default() }
    }

    /// Goes on behind the next token: that, and where its list is.
    pub(super) fn next(&mut self, block: &[u8]) -> Option<(Key, Range<usize>)> {
        let (lengths, rest) = block.get(self.at..)?.split_first()?;
        let (shared, fresh) = (usize::from(lengths >> 4), usize::from(lengths & 15));
        let (tail, mut rest) = rest.split_at_checked(fresh)?;
        let mut bytes = self.key.bytes();
        bytes[..KEY].get_mut(shared..shared + fresh)?.copy_from_slice(tail);
        let length = usize::try_from(get(&mut rest)?).ok()?;
        let start = block.len() - rest.len();
        self.at = start.checked_add(length).filter(|end| *end <= block.len())?;
        self.key = Key::from_bytes(&bytes[..shared + fresh]);
        Some((self.key, start..self.at))
    }

    pub(super) fn postings<'a>(&self, block: &'a [u8], list: Range<usize>) -> Postings<'a> {
        Postings { rest: block.get(list).unwrap_or_default(), before: Posting::new(self.base, false) }
    }
}

/// The articles that have one token, in order.
#[derive(Debug)]
pub(in crate::store) struct Postings<'a> {
    rest: &'a [u8],
    before: Posting,
}

impl Iterator for Postings<'_> {
    type Item = Posting;

    fn next(&mut self) -> Option<Posting> {
        let posting = Posting(self.before.0.checked_add(get(&mut self.rest)?)?);
        self.before = Posting::new(posting.article(), false);
        Some(posting)
    }
}

/// Writes a number, seven bits a byte, the lowest first.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(0x80 | (number & 0x7f) as u8);
        number >>= 7;
    }
    bytes.push((number & 0x7f) as u8);
}

fn get(bytes: &mut &[u8]) -> Option<u64> {
    // Most are one byte.
    if let [byte @ ..0x80, rest @ ..] = *bytes {
        *bytes = rest;
        return Some(u64::from(*byte));
    }
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
