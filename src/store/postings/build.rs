//! Making a segment of articles.

use super::block::Writer;
use super::{FREE, Key, Posting, Segment};
use crate::model::{Cut, each_token};
use crate::store::sets::Number;

/// How many tokens a segment is made of at once: 8 or 16 bytes each are in memory.
const FULL: usize = 1 << 19;
/// How many articles, counted in 15 bits.
const MAX_ARTICLES: usize = 1 << 15;

/// Takes articles in, and makes a segment of them. All that it takes in are numbers that stand in the order of their tokens'
/// bytes, each with the article's place in 15 bits and, lowest, whether the token stands in a heading.
#[derive(Debug, Default)]
pub(in crate::store) struct Builder {
    articles: Vec<Number>,
    /// Characters of a script without spaces, with the next one: 21 bits each.
    pairs: Vec<u64>,
    /// Keys.
    words: Vec<u128>,
}

impl Builder {
    /// Takes an article in; each has a higher number than the one before.
    pub(in crate::store) fn add(&mut self, article: Number, headings: [&str; 2], body: &str) {
        #[expect(clippy::cast_possible_truncation, reason = "a segment has at most 2^15 articles")]
        let place = (self.articles.len() as u16) << 1;
        self.articles.push(article);
        for (text, is_heading) in headings.map(|text| (text, 1)).into_iter().chain([(body, 0)]) {
            let posting = place | is_heading;
            each_token(text, |token, _| match token {
                Cut::Pair(first, second) => self.pairs.push(pair(first, second) << 16 | u64::from(posting)),
                Cut::Last(last) => self.pairs.push(pair(last, '\0') << 16 | u64::from(posting)),
                Cut::Word(word) => self.words.push(Key::of(word).0 | u128::from(posting)),
            });
        }
    }

    pub(in crate::store) fn is_full(&self) -> bool {
        self.pairs.len() + self.words.len() >= FULL || self.articles.len() >= MAX_ARTICLES
    }

    /// The segment of what was taken in since the last one, if anything was.
    pub(in crate::store) fn build(&mut self) -> Option<Segment> {
        let base = *self.articles.first()?;
        self.pairs.sort_unstable();
        self.words.sort_unstable();
        let mut writer = Writer::new(base);
        let mut pairs = self.pairs.chunk_by(|a, b| a >> 16 == b >> 16).map(|same| (of_pair(same[0] >> 16), same)).peekable();
        for words in self.words.chunk_by(|a, b| a & !FREE == b & !FREE) {
            let key = Key(words[0] & !FREE);
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
    let ((first, length), (second, more)) = (utf8(pair >> 21), utf8(pair & 0x1f_ffff));
    Key(u128::from(first << more | second) << (128 - length - more))
}

/// The bytes of a character as one number, and how many bits they are; of a zero, none.
fn utf8(code: u64) -> (u64, u32) {
    let tail = |shift: u32| 0x80 | code >> shift & 0x3f;
    match code {
        0 => (0, 0),
        1..0x80 => (code, 8),
        0x80..0x800 => ((0xc0 | code >> 6) << 8 | tail(0), 16),
        0x800..0x1_0000 => ((0xe0 | code >> 12) << 16 | tail(6) << 8 | tail(0), 24),
        _ => ((0xf0 | code >> 18) << 24 | tail(12) << 16 | tail(6) << 8 | tail(0), 32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_two_characters_is_that_of_their_text() {
        let characters = ['a', 'é', '々', '模', '한', '\u{ffff}', '𠀀', char::MAX];
        for first in characters {
            assert_eq!(of_pair(pair(first, '\0')), Key::of(&first.to_string()));
            for second in characters {
                assert_eq!(of_pair(pair(first, second)), Key::of(&format!("{first}{second}")));
            }
        }
    }
}
