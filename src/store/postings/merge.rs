//! Making one segment of several.

use std::ops::Range;

use roaring::RoaringBitmap;

use super::block::{Block, Place, Writer};
use super::{Key, Posting};
use crate::store::sets::Number;

/// Makes one segment of several.
#[derive(Debug)]
pub(in crate::store) struct Merger {
    inputs: Vec<Input>,
    writer: Writer,
    postings: Vec<Posting>,
}

/// A segment that is merged, from its next token on.
#[derive(Debug)]
struct Input {
    /// Articles that are in it no more.
    gone: RoaringBitmap,
    /// The block that was read last; `None`: none yet.
    block: Option<Block>,
    place: Place,
    /// The next token and its list; `None`: the next block is to be read.
    next: Option<(Key, Range<usize>)>,
    is_read: bool,
}

impl Merger {
    /// `base`: no article has a lower number. `gone`: of each segment, the articles that it has no more.
    pub(in crate::store) fn new(base: Number, gone: Vec<RoaringBitmap>) -> Self {
        let input = |gone| Input { gone, block: None, place: Place::default(), next: None, is_read: false };
        Self { inputs: gone.into_iter().map(input).collect(), writer: Writer::new(base), postings: Vec::new() }
    }

    /// The next blocks, about `count`; none: all is merged. `read` gives the block of a segment, by its place among them,
    /// that follows the one with a first token.
    pub(in crate::store) fn next<E>(
        &mut self,
        count: usize,
        mut read: impl FnMut(usize, Option<Key>) -> Result<Option<Block>, E>,
    ) -> Result<Vec<Block>, E> {
        while self.writer.len() <= count {
            let mut lowest: Option<Key> = None;
            for (place, input) in self.inputs.iter_mut().enumerate() {
                let next = input.key(|after| read(place, after))?;
                lowest = next.map(|key| lowest.map_or(key, |lowest| lowest.min(key))).or(lowest);
            }
            let Some(key) = lowest else {
                return Ok(std::mem::replace(&mut self.writer, Writer::new(0)).finish());
            };
            self.postings.clear();
            self.inputs.iter_mut().for_each(|input| input.take(key, &mut self.postings));
            if !self.postings.is_empty() {
                if !self.postings.is_sorted() {
                    self.postings.sort_unstable();
                }
                self.writer.push(key, self.postings.iter().copied());
            }
        }
        Ok(self.writer.take())
    }
}

impl Input {
    /// Its next token, if there is one.
    fn key<E>(&mut self, mut read: impl FnMut(Option<Key>) -> Result<Option<Block>, E>) -> Result<Option<Key>, E> {
        while self.next.is_none() && !self.is_read {
            match read(self.block.as_ref().map(|block| block.first))? {
                Some(block) => {
                    self.place = Place::start(&block.bytes);
                    self.next = self.place.next(&block.bytes);
                    self.block = Some(block);
                }
                None => self.is_read = true,
            }
        }
        Ok(self.next.as_ref().map(|(key, _)| *key))
    }

    /// Gives its postings of a token, if that is its next.
    fn take(&mut self, key: Key, postings: &mut Vec<Posting>) {
        let Some(Block { bytes, .. }) = &self.block else { return };
        let Some((_, list)) = self.next.take_if(|(next, _)| *next == key) else { return };
        let own = self.place.postings(bytes, list);
        if self.gone.is_empty() {
            postings.extend(own);
        } else {
            postings.extend(own.filter(|posting| !self.gone.contains(posting.article())));
        }
        self.next = self.place.next(bytes);
    }
}
