//! Making one segment of several.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::ops::Range;

use roaring::RoaringBitmap;

use super::block::{Block, Place, Writer};
use super::{Key, Posting};
use crate::store::sets::Number;

/// Makes one segment of several.
#[derive(Debug)]
pub(in crate::store) struct Merger {
    inputs: Vec<Input>,
    /// The next token of each and its place among them, the lowest first: of many segments few have a token.
    heads: BinaryHeap<Reverse<(Key, usize)>>,
    /// The places of those whose next block is to be read.
    unread: Vec<usize>,
    writer: Writer,
    postings: Vec<Posting>,
}

/// A segment that is merged.
#[derive(Debug)]
struct Input {
    /// Articles that are in it no more.
    gone: RoaringBitmap,
    /// The block that was read last; `None`: none yet.
    block: Option<Block>,
    /// Behind the next token.
    place: Place,
    /// The next token's.
    list: Range<usize>,
}

impl Merger {
    /// `base`: no article has a lower number. `gone`: of each segment, the articles that it has no more.
    pub(in crate::store) fn new(base: Number, gone: Vec<RoaringBitmap>) -> Self {
        let unread = (0..gone.len()).collect();
        let input = |gone| Input { gone, block: None, place: Place::default(), list: 0..0 };
        Self {
            inputs: gone.into_iter().map(input).collect(),
            heads: BinaryHeap::new(),
            unread,
            writer: Writer::new(base),
            postings: Vec::new(),
        }
    }

    /// The next blocks, about `count`; none: all is merged. `read` gives the block of a segment, by its place among them,
    /// that follows the one with a first token.
    pub(in crate::store) fn next<E>(
        &mut self,
        count: usize,
        mut read: impl FnMut(usize, Option<Key>) -> Result<Option<Block>, E>,
    ) -> Result<Vec<Block>, E> {
        while self.writer.len() <= count {
            self.read(&mut read)?;
            let Some(Reverse((key, _))) = self.heads.peek().copied() else {
                return Ok(std::mem::replace(&mut self.writer, Writer::new(0)).finish());
            };
            self.postings.clear();
            while let Some(mut head) = self.heads.peek_mut().filter(|head| head.0.0 == key) {
                let place = head.0.1;
                match self.inputs[place].take(&mut self.postings) {
                    Some(next) => *head = Reverse((next, place)),
                    None => {
                        PeekMut::pop(head);
                        self.unread.push(place);
                    }
                }
            }
            if !self.postings.is_empty() {
                if !self.postings.is_sorted() {
                    self.postings.sort_unstable();
                }
                self.writer.push(key, self.postings.iter().copied());
            }
        }
        Ok(self.writer.take())
    }

    /// Reads the blocks that are to be read.
    fn read<E>(&mut self, mut read: impl FnMut(usize, Option<Key>) -> Result<Option<Block>, E>) -> Result<(), E> {
        while let Some(place) = self.unread.last().copied() {
            let input = &mut self.inputs[place];
            if let Some(block) = read(place, input.block.as_ref().map(|block| block.first))? {
                // Behind a damaged block without a token the next is read.
                let Some(key) = input.begin(block) else { continue };
                self.heads.push(Reverse((key, place)));
            }
            self.unread.pop();
        }
        Ok(())
    }
}

impl Input {
    /// Goes on in a block: its first token.
    fn begin(&mut self, block: Block) -> Option<Key> {
        self.place = Place::start(&block.bytes);
        self.block = Some(block);
        self.next()
    }

    /// Goes on behind its next token, if its block has one more.
    fn next(&mut self) -> Option<Key> {
        let (key, list) = self.place.next(&self.block.as_ref()?.bytes)?;
        self.list = list;
        Some(key)
    }

    /// Gives its postings of its next token, and goes on.
    fn take(&mut self, postings: &mut Vec<Posting>) -> Option<Key> {
        let own = self.place.postings(&self.block.as_ref()?.bytes, self.list.clone());
        if self.gone.is_empty() {
            postings.extend(own);
        } else {
            postings.extend(own.filter(|posting| !self.gone.contains(posting.article())));
        }
        self.next()
    }
}
