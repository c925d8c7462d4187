//! Text as search sees it: folded, and cut into tokens. Of a run of Han, Kana or Hangul every two neighbours are a token,
//! and so is its last character; elsewhere words are. So every run of two characters or more is found as a phrase, and
//! one character as the beginning of a token. Folding lives here alone: no slug, tag or shown text is folded so.

use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use hanconv::RawDictionary;
use icu_casemap::CaseMapper;
use icu_normalizer::DecomposingNormalizerBorrowed;

/// The longest word, in bytes; what follows is left out.
const MAX_WORD: usize = 64;

/// An index may know no more of a longer word's beginning than these bytes.
pub const STEM: usize = 10;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As it is compared.
    pub folded: String,
    /// Where it stands in the text, in bytes.
    pub place: Range<usize>,
}

impl Token {
    /// Whether it is one character of a script without spaces: a word of its own that longer ones begin with.
    #[must_use]
    pub fn is_character(&self) -> bool {
        let mut characters = self.folded.chars();
        characters.next().is_some_and(is_cjk) && characters.next().is_none()
    }
}

/// A token as it is cut from a text.
#[derive(Debug, Clone, Copy)]
pub enum Cut<'a> {
    /// A folded word.
    Word(&'a str),
    /// Two neighbours of a run of characters that no spaces part.
    Pair(char, char),
    /// The last character of a run.
    Last(char),
}

impl fmt::Display for Cut<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => out.write_str(word),
            Self::Pair(first, second) => write!(out, "{first}{second}"),
            Self::Last(last) => write!(out, "{last}"),
        }
    }
}

/// The tokens of a text, in order.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    each_token(text, |cut, place| tokens.push(Token { folded: cut.to_string(), place }));
    tokens
}

/// Gives each token of a text and its place to `emit`.
pub fn each_token(text: &str, emit: impl FnMut(Cut<'_>, Range<usize>)) {
    let mut cutter = Cutter { word: String::new(), word_place: 0..0, last: None, emit };
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let end = text.len() - rest.as_str().len();
        let place = end - character.len_utf8()..end;
        match character {
            // Most words are of such letters alone.
            c if c.is_ascii_alphanumeric() => {
                let more = rest.as_str();
                let run = more.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(more.len());
                rest = more[run..].chars();
                let place = place.start..end + run;
                cutter.take_letters(&text[place.clone()], place);
            }
            c if c.is_ascii() => cutter.take(c, place),
            c if is_cjk(c) => cutter.take_cjk(simplified(c), place),
            c => fold(c, |folded| cutter.take(folded, place.clone())),
        }
    }
    cutter.end_word();
    cutter.end_run();
}

struct Cutter<F> {
    word: String,
    word_place: Range<usize>,
    /// The last character of a run of characters that no spaces part, and its place.
    last: Option<(char, Range<usize>)>,
    emit: F,
}

impl<F: FnMut(Cut<'_>, Range<usize>)> Cutter<F> {
    fn take(&mut self, character: char, place: Range<usize>) {
        if is_cjk(character) {
            return self.take_cjk(character, place);
        }
        self.end_run();
        // `c++` and `c#` are words; a sign that follows nothing is none.
        if character.is_alphanumeric() || (matches!(character, '+' | '#') && !self.word.is_empty()) {
            if self.word.is_empty() {
                self.word_place.start = place.start;
            }
            if self.word.len() < MAX_WORD {
                self.word.push(character);
            }
            self.word_place.end = place.end;
        } else {
            self.end_word();
        }
    }

    /// Takes a character of a script without spaces.
    fn take_cjk(&mut self, character: char, place: Range<usize>) {
        self.end_word();
        if let Some((before, start)) = self.last.replace((character, place.clone())) {
            (self.emit)(Cut::Pair(before, character), start.start..place.end);
        }
    }

    /// Takes ASCII letters and digits.
    fn take_letters(&mut self, letters: &str, place: Range<usize>) {
        self.end_run();
        if self.word.is_empty() {
            self.word_place.start = place.start;
        }
        let (start, room) = (self.word.len(), MAX_WORD.saturating_sub(self.word.len()));
        self.word.push_str(&letters[..letters.len().min(room)]);
        self.word[start..].make_ascii_lowercase();
        self.word_place.end = place.end;
    }

    fn end_word(&mut self) {
        if !self.word.is_empty() {
            (self.emit)(Cut::Word(&self.word), self.word_place.clone());
            self.word.clear();
        }
    }

    fn end_run(&mut self) {
        if let Some((character, place)) = self.last.take() {
            (self.emit)(Cut::Last(character), place);
        }
    }
}

/// Case, width, compatibility forms and diacritics go.
fn fold(character: char, mut give: impl FnMut(char)) {
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(std::iter::once(character));
    for part in decomposed.filter(|part| !('\u{300}'..='\u{36f}').contains(part)) {
        match part {
            'ß' => ['s', 's'].into_iter().for_each(&mut give),
            part => give(simplified(CaseMapper::new().simple_fold(part))),
        }
    }
}

/// Whether a character is of a script that parts no words with spaces, and is no punctuation.
fn is_cjk(character: char) -> bool {
    // Most are these.
    matches!(character, '\u{4e00}'..='\u{9fff}')
        || matches!(character,
        '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3041}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..='\u{3ffff}')
            && !matches!(character, '\u{3099}'..='\u{309c}')
}

/// The plane in which nearly all Han characters stand.
pub(super) const HAN: Range<u32> = 0x3400..0xa000;

/// For each character of [`HAN`] its simplified form, as `OpenCC` has it.
static SIMPLIFIED: LazyLock<Vec<char>> = LazyLock::new(|| {
    let mut forms: Vec<char> = HAN.map(|code| char::from_u32(code).unwrap_or_default()).collect();
    for (traditional, simplified) in RawDictionary::TSCharacters.iter() {
        let (Some(traditional), Some(simplified)) = (traditional.chars().next(), simplified.chars().next()) else { continue };
        if let Some(form) = position(traditional).and_then(|position| forms.get_mut(position)) {
            *form = simplified;
        }
    }
    forms
});

/// Where a character stands in a table of [`HAN`], if it is not behind its end.
pub(super) fn position(character: char) -> Option<usize> {
    usize::try_from(u32::from(character).checked_sub(HAN.start)?).ok()
}

fn simplified(character: char) -> char {
    position(character).and_then(|position| SIMPLIFIED.get(position)).copied().unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.folded).collect()
    }

    #[test]
    fn neighbours_and_words_are_tokens() {
        for (text, expected) in [
            ("大模型", vec!["大模", "模型", "型"]),
            ("用GPT模型。", vec!["用", "gpt", "模型", "型"]),
            ("C++ & c#, a-b", vec!["c++", "c#", "a", "b"]),
            ("Éclair ΑΘΉΝΑ Straße ﬁn Ｆｕｌｌ", vec!["eclair", "αθηνα", "strasse", "fin", "full"]),
            ("e\u{301}t", vec!["et"]),
            ("カメラ・한국어", vec!["カメ", "メラ", "ラ", "한국", "국어", "어"]),
            ("ｶﾒﾗ", vec!["カメ", "メラ", "ラ"]),
            ("хлеб й", vec!["хлеб", "и"]),
            ("", vec![]),
            ("—！？\u{200b}", vec![]),
        ] {
            assert_eq!(folded(text), expected, "{text}");
        }
    }

    #[test]
    fn traditional_and_simplified_are_one() {
        assert_eq!(folded("資訊與電腦發佈"), folded("资讯与电脑发布"));
        assert_eq!(folded("臺灣"), folded("台湾"));
        assert_eq!(folded("頭髮後來"), folded("头发后来"));
    }

    #[test]
    fn a_token_knows_its_place() {
        let text = "x 電腦Ａb";
        let places: Vec<_> = tokens(text).iter().map(|token| &text[token.place.clone()]).collect();
        assert_eq!(places, ["x", "電腦", "腦", "Ａb"]);
    }

    #[test]
    fn a_long_word_is_cut_and_its_place_is_whole() {
        let text = "a".repeat(500);
        let token = &tokens(&text)[0];
        assert_eq!((token.folded.len(), token.place.clone()), (MAX_WORD, 0..500));
    }
}
