//! The index of the search as segments: which articles have a token. A segment is made once, of some articles; it is sorted
//! by token, cut into blocks, and never changes. Pure: the database code keeps the blocks and reads those that it needs.

use std::ops::{Range, RangeInclusive};

use roaring::RoaringBitmap;

use super::sets::Number;
use crate::model::{Cut, STEM, each_token};

/// The bytes of a token that are kept; of a longer one its stem and a checksum of it all.
const KEY: usize = 14;
/// About how large a block gets, in bytes: a few fill a page of the database.
const BLOCK: usize = 4_000;
/// How many tokens a segment is made of at once: 8 or 16 bytes each are in memory.
const FULL: usize = 1 << 19;
/// How many articles, counted in 15 bits.
const MAX_ARTICLES: usize = 1 << 15;

/// A token as segments have it: its bytes, the first one highest, zeros behind a shorter one.
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
        let free = 8 * (KEY - start.len());
        first..=Self(first.0 | ((1 << free) - 1))
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let mut all = [0; 16];
        all[16 - KEY..][..bytes.len()].copy_from_slice(bytes);
        Self(u128::from_be_bytes(all))
    }

    /// Its bytes, and how many there are without the zeros.
    fn bytes(self) -> ([u8; KEY], usize) {
        let mut bytes = [0; KEY];
        bytes.copy_from_slice(&self.0.to_be_bytes()[16 - KEY..]);
        (bytes, KEY.saturating_sub(self.0.trailing_zeros() as usize / 8))
    }

    /// As it is stored: in the same order as the keys.
    pub(super) fn to_vec(self) -> Vec<u8> {
        let (bytes, length) = self.bytes();
        bytes[..length].to_vec()
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

/// The postings of some tokens in a row.
#[derive(Debug)]
pub(super) struct Block {
    /// The first token's.
    pub(super) first: Key,
    pub(super) bytes: Vec<u8>,
}

/// Takes articles in, and makes a segment of them. All that it takes in are numbers that stand in the order of their tokens'
/// bytes, each with the article's place in 15 bits and, lowest, whether the token stands in a heading.
#[derive(Debug, Default)]
pub(super) struct Builder {
    articles: Vec<Number>,
    /// Characters of a script without spaces, with the next one: 21 bits each.
    pairs: Vec<u64>,
    /// Keys, in 112 bits.
    words: Vec<u128>,
}

impl Builder {
    /// Takes an article in; each has a higher number than the one before.
    pub(super) fn add(&mut self, article: Number, headings: [&str; 2], body: &str) {
        #[expect(clippy::cast_possible_truncation, reason = "a segment has at most 2^15 articles")]
        let place = (self.articles.len() as u16) << 1;
        self.articles.push(article);
        for (text, is_heading) in headings.map(|text| (text, 1)).into_iter().chain([(body, 0)]) {
            let posting = place | is_heading;
            each_token(text, |token, _| match token {
                Cut::Pair(first, second) => self.pairs.push(pair(first, second) << 16 | u64::from(posting)),
                Cut::Last(last) => self.pairs.push(pair(last, '\0') << 16 | u64::from(posting)),
                Cut::Word(word) => self.words.push(Key::of(word).0 << 16 | u128::from(posting)),
            });
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.pairs.len() + self.words.len() >= FULL || self.articles.len() >= MAX_ARTICLES
    }

    /// The segment of what was taken in since the last one, if anything was.
    pub(super) fn build(&mut self) -> Option<Segment> {
        let base = *self.articles.first()?;
        self.pairs.sort_unstable();
        self.words.sort_unstable();
        let mut writer = Writer::new(base);
        let mut pairs = self.pairs.chunk_by(|a, b| a >> 16 == b >> 16).map(|same| (of_pair(same[0] >> 16), same)).peekable();
        for words in self.words.chunk_by(|a, b| a >> 16 == b >> 16) {
            let key = Key(words[0] >> 16);
            while let Some((key, same)) = pairs.next_if(|pair| pair.0 < key) {
                writer.push(key, self.postings(same.iter().map(|pair| pair & 0xffff)));
            }
            #[expect(clippy::cast_possible_truncation, reason = "the lower bits are meant")]
            writer.push(key, self.postings(words.iter().map(|word| *word as u64 & 0xffff)));
        }
        for (key, same) in pairs {
            writer.push(key, self.postings(same.iter().map(|pair| pair & 0xffff)));
        }
        self.pairs.clear();
        self.words.clear();
        Some(Segment { articles: self.articles.drain(..).collect(), blocks: writer.finish() })
    }

    /// The postings of one token: each article once, in a heading if it is there too.
    fn postings(&self, tokens: impl Iterator<Item = u64>) -> impl Iterator<Item = Posting> {
        let mut tokens = tokens.peekable();
        std::iter::from_fn(move || {
            let mut last = tokens.next()?;
            // The headings' token comes last.
            while let Some(same) = tokens.next_if(|next| next >> 1 == last >> 1) {
                last = same;
            }
            Some(Posting::new(self.articles[(last >> 1) as usize], last & 1 == 1))
        })
    }
}

fn pair(first: char, second: char) -> u64 {
    u64::from(first) << 21 | u64::from(second)
}

/// The key of two characters; none follows the first if the second is zero.
fn of_pair(pair: u64) -> Key {
    let mut bytes = [0; 8];
    let character = |code: u64| u32::try_from(code).ok().and_then(char::from_u32).unwrap_or_default();
    let length = character(pair >> 21).encode_utf8(&mut bytes).len();
    character(pair & 0x1f_ffff).encode_utf8(&mut bytes[length..]);
    Key::from_bytes(&bytes)
}

/// Writes postings, token by token in order. A block is the lowest article's number and then, for each token: how many
/// bytes it shares with the one before and how many follow, in four bits each; these; the length of its list; its list,
/// each posting by its distance from the one before.
#[derive(Debug)]
pub(super) struct Writer {
    base: Number,
    blocks: Vec<Block>,
    last: ([u8; KEY], usize),
    list: Vec<u8>,
}

impl Writer {
    /// `base`: no article has a lower number.
    pub(super) const fn new(base: Number) -> Self {
        Self { base, blocks: Vec::new(), last: ([0; KEY], 0), list: Vec::new() }
    }

    /// Writes who has a token: at least one article, in order.
    pub(super) fn push(&mut self, key: Key, postings: impl Iterator<Item = Posting>) {
        self.list.clear();
        let mut before = Posting::new(self.base, false);
        for posting in postings {
            put(&mut self.list, posting.0 - before.0);
            before = Posting::new(posting.article(), false);
        }
        let (bytes, length) = key.bytes();
        let fits = self.blocks.last().is_some_and(|block| block.bytes.len() + self.list.len() < BLOCK);
        if !fits {
            let mut block = Block { first: key, bytes: Vec::with_capacity(BLOCK.max(self.list.len()) + 32) };
            put(&mut block.bytes, u64::from(self.base));
            self.blocks.push(block);
            self.last.1 = 0;
        }
        let shared = self.last.0[..self.last.1].iter().zip(&bytes[..length]).take_while(|(a, b)| a == b).count();
        if let Some(Block { bytes: block, .. }) = self.blocks.last_mut() {
            #[expect(clippy::cast_possible_truncation, reason = "both are at most 14")]
            block.push((shared << 4 | (length - shared)) as u8);
            block.extend_from_slice(&bytes[shared..length]);
            put(block, self.list.len() as u64);
            block.extend_from_slice(&self.list);
        }
        self.last = (bytes, length);
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
pub(super) struct Entries<'a> {
    block: &'a [u8],
    place: Place,
}

impl<'a> Entries<'a> {
    pub(super) fn of(block: &'a [u8]) -> Self {
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
struct Place {
    at: usize,
    base: Number,
    key: Key,
}

impl Place {
    fn start(block: &[u8]) -> Self {
        let mut rest = block;
        let base = get(&mut rest).and_then(|base| Number::try_from(base).ok()).unwrap_or_default();
        Self { at: block.len() - rest.len(), base, key: Key::default() }
    }

    /// Goes on behind the next token: that, and where its list is.
    fn next(&mut self, block: &[u8]) -> Option<(Key, Range<usize>)> {
        let (lengths, rest) = block.get(self.at..)?.split_first()?;
        let (shared, fresh) = (usize::from(lengths >> 4), usize::from(lengths & 15));
        let (tail, mut rest) = rest.split_at_checked(fresh)?;
        let (mut bytes, _) = self.key.bytes();
        bytes.get_mut(shared..shared + fresh)?.copy_from_slice(tail);
        let length = usize::try_from(get(&mut rest)?).ok()?;
        let start = block.len() - rest.len();
        self.at = start.checked_add(length).filter(|end| *end <= block.len())?;
        self.key = Key::from_bytes(&bytes[..shared + fresh]);
        Some((self.key, start..self.at))
    }

    fn postings<'a>(&self, block: &'a [u8], list: Range<usize>) -> Postings<'a> {
        Postings { rest: block.get(list).unwrap_or_default(), before: Posting::new(self.base, false) }
    }
}

/// The articles that have one token, in order.
#[derive(Debug)]
pub(super) struct Postings<'a> {
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

/// Makes one segment of several.
#[derive(Debug)]
pub(super) struct Merger {
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
    pub(super) fn new(base: Number, gone: Vec<RoaringBitmap>) -> Self {
        let input = |gone| Input { gone, block: None, place: Place::default(), next: None, is_read: false };
        Self { inputs: gone.into_iter().map(input).collect(), writer: Writer::new(base), postings: Vec::new() }
    }

    /// The next blocks, about `count`; none: all is merged. `read` gives the block of a segment, by its place among them,
    /// that follows the one with a first token.
    pub(super) fn next<E>(
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
