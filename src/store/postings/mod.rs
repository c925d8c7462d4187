//! The index of the search as segments: which articles have a token. A segment is made once, of some articles; it is sorted
//! by token, cut into blocks, and never changes. Pure: the database code keeps the blocks and reads those that it needs.

mod block;
mod build;
mod merge;

use std::ops::RangeInclusive;

use roaring::RoaringBitmap;

pub(super) use block::{Block, Entries};
pub(super) use build::Builder;
pub(super) use merge::Merger;

use super::sets::Number;
use crate::model::STEM;

/// The bytes of a token that are kept; of a longer one its stem and a checksum of it all.
const KEY: usize = 14;
/// The bits of a key's number that hold none of them.
const FREE: u128 = 0xffff;

/// A token as segments have it: its bytes, the first one highest, zeros behind them; the lowest two bytes are free.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u128);

impl Key {
    pub(super) fn of(token: &str) -> Self {
        let mut bytes = [0; KEY];
        if let Some(whole) = bytes.get_mut(..token.len()) {
            whole.copy_from_slice(token.as_bytes());
        } else {
            bytes[..STEM].copy_from_slice(&token.as_bytes()[..STEM]);
            bytes[STEM..].copy_from_slice(&crc32fast::hash(token.as_bytes()).to_be_bytes());
        }
        Self::from_bytes(&bytes)
    }

    /// The keys of all tokens that begin so; of a beginning longer than a stem, those with the same stem.
    pub(super) fn beginning(start: &str) -> RangeInclusive<Self> {
        let start = &start.as_bytes()[..start.len().min(STEM)];
        let first = Self::from_bytes(start);
        first..=Self((first.0 | u128::MAX >> (8 * start.len())) & !FREE)
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let mut all = [0; 16];
        all[..bytes.len()].copy_from_slice(bytes);
        Self(u128::from_be_bytes(all))
    }

    /// Its bytes and the zeros behind them.
    const fn bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// How many bytes there are before the zeros.
    const fn length(self) -> usize {
        16 - self.0.trailing_zeros() as usize / 8
    }

    /// How many of its bytes another begins with, too.
    fn shared(self, other: Self) -> usize {
        self.length().min((self.0 ^ other.0).leading_zeros() as usize / 8)
    }

    /// Its bytes after so many of them, zeros behind them, and how many there are before the zeros.
    const fn after(self, shared: usize) -> ([u8; 16], usize) {
        ((self.0 << (8 * shared)).to_be_bytes(), self.length() - shared)
    }

    /// As it is stored: in the same order as the keys.
    pub(super) fn to_vec(self) -> Vec<u8> {
        self.bytes()[..self.length()].to_vec()
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        (bytes.len() <= KEY).then(|| Self::from_bytes(bytes))
    }
}

/// An article that has a token, and whether it has it in its title or names: in the lowest bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Posting(u64);

impl Posting {
    fn new(article: Number, is_heading: bool) -> Self {
        Self(u64::from(article) << 1 | u64::from(is_heading))
    }

    pub(super) const fn article(self) -> Number {
        #[expect(clippy::cast_possible_truncation, reason = "it was made of a number")]
        let article = (self.0 >> 1) as Number;
        article
    }

    pub(super) const fn is_heading(self) -> bool {
        self.0 & 1 == 1
    }
}

/// Some articles' postings.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) articles: RoaringBitmap,
    pub(super) blocks: Vec<Block>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    type Model = BTreeMap<Key, BTreeMap<Number, bool>>;

    /// Articles by number, each the words of its title and of its body.
    fn words() -> impl Strategy<Value = Vec<(Vec<String>, Vec<String>)>> {
        let word = prop_oneof!["[a-c]{1,3}", "[a-c]{13,16}", "internationali[sz]ation", "[模型电脑]"];
        prop::collection::vec((prop::collection::vec(word.clone(), 0..3), prop::collection::vec(word, 0..60)), 1..40)
    }

    fn built(articles: &[(Vec<String>, Vec<String>)], first: Number) -> (Segment, Model) {
        let (mut builder, mut model) = (Builder::default(), Model::new());
        for (number, (title, body)) in (first..).step_by(300).zip(articles) {
            builder.add(number, [&title.join(" "), ""], &body.join(" "));
            for (word, is_heading) in body.iter().map(|word| (word, false)).chain(title.iter().map(|word| (word, true))) {
                *model.entry(Key::of(word)).or_default().entry(number).or_default() |= is_heading;
            }
        }
        (builder.build().unwrap(), model)
    }

    fn read(blocks: &[Block]) -> Model {
        let mut model = Model::new();
        for block in blocks {
            assert_eq!(Entries::of(&block.bytes).next().map(|(key, _)| key), Some(block.first));
            for (key, postings) in Entries::of(&block.bytes) {
                let last = model.insert(key, postings.map(|posting| (posting.article(), posting.is_heading())).collect());
                assert!(last.is_none(), "a token stands in one block");
            }
        }
        model
    }

    proptest! {
        #[test]
        fn a_segment_says_who_has_which_token(articles in words()) {
            let (segment, model) = built(&articles, 7);
            prop_assert_eq!(read(&segment.blocks), model);
            prop_assert!(segment.blocks.is_sorted_by_key(|block| block.first));
            prop_assert_eq!(segment.articles.len(), articles.len() as u64);
        }

        #[test]
        fn merged_segments_say_the_same_but_of_what_is_gone(one in words(), two in words(), gone in 0..40_u32, step in 1..5_usize) {
            let ((first, mut model), (second, more)) = (built(&one, 7), built(&two, 99));
            for (key, postings) in more {
                model.entry(key).or_default().extend(postings);
            }
            let gone = 7 + gone * 300;
            model.retain(|_, postings| {
                postings.remove(&gone);
                !postings.is_empty()
            });
            let mut merger = Merger::new(7, vec![RoaringBitmap::from([gone]), RoaringBitmap::new()]);
            let blocks = [first.blocks, second.blocks];
            let mut merged = Vec::new();
            loop {
                let next = merger.next(step, |place, after| {
                    let next = blocks[place].iter().find(|block| after.is_none_or(|after| block.first > after));
                    Ok::<_, Infallible>(next.map(|block| Block { first: block.first, bytes: block.bytes.clone() }))
                });
                let Ok(next) = next;
                if next.is_empty() {
                    break;
                }
                merged.extend(next);
            }
            prop_assert_eq!(read(&merged), model);
        }

        #[test]
        fn damaged_blocks_are_read_to_their_damage(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let read: usize = Entries::of(&bytes).map(|(_, postings)| postings.count()).sum();
            prop_assert!(read <= bytes.len());
        }
    }

    #[test]
    fn keys_stand_in_the_order_of_their_tokens() {
        let tokens = ["a", "ab", "abcdefghijklmn", "abcdefghijklmnop", "b", "模", "模型"];
        let keys = tokens.map(Key::of);
        assert!(keys.is_sorted());
        for key in keys {
            assert_eq!(Key::from_slice(&key.to_vec()), Some(key));
        }
        let beginning =
            |start: &str| tokens.iter().filter(|token| Key::beginning(start).contains(&Key::of(token))).copied().collect::<Vec<_>>();
        assert_eq!(beginning("a"), tokens[..4]);
        assert_eq!(beginning("模"), tokens[5..]);
        assert_eq!(beginning("abcdefghijkx"), tokens[2..4], "more than a stem is not known");
    }
}
