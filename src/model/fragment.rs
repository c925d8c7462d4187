//! An article as it stands in every feed of a format, compressed once, so that feeds are put together of such blocks.

use bytes::Bytes;

use super::{Entry, Language, Time};

/// Bytes as DEFLATE blocks (RFC 1951) that end between two bytes: such blocks can follow each other in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The blocks, without a last one.
    pub bytes: Bytes,
    /// How many bytes they stand for.
    pub length: u32,
    /// The CRC-32 of these (RFC 1952 8).
    pub crc: u32,
}

/// One article in one format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// The article's generation when it was made.
    pub generation: u64,
    /// When the article last changed here.
    pub changed: Time,
    /// Its main language.
    pub language: Option<Language>,
    /// Which namespaces of the format it uses, a bit each.
    pub namespaces: u8,
    /// What stands in the feed.
    pub block: Block,
}

/// What is made of an article depends on the article and on this: the program's version and what its configuration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look(pub i64);

/// An article of a feed: made before, or to be made.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// It was made before, and has not changed since.
    Made(Fragment),
    /// Its number in the store, and all that making it needs.
    Unmade(i64, Box<Entry>),
}

/// What a feed says of its articles as a whole needs this of each.
pub trait Dated {
    /// The store's generation at its last change.
    fn generation(&self) -> u64;
    /// When that was.
    fn changed(&self) -> Time;
    /// Its main language, if it is known.
    fn language(&self) -> Option<&Language>;
}

impl Dated for Entry {
    fn generation(&self) -> u64 {
        self.generation
    }

    fn changed(&self) -> Time {
        self.changed
    }

    fn language(&self) -> Option<&Language> {
        self.language()
    }
}

impl Dated for Fragment {
    fn generation(&self) -> u64 {
        self.generation
    }

    fn changed(&self) -> Time {
        self.changed
    }

    fn language(&self) -> Option<&Language> {
        self.language.as_ref()
    }
}
