//! Text as feeds may carry it: no forbidden character, no markup where plain text is meant.

use std::borrow::Cow;
use std::iter;

use markup5ever::data::NAMED_ENTITIES;
use unicode_segmentation::UnicodeSegmentation;

/// Drops what XML 1.0 forbids (2.2) and Unicode's noncharacters, which our own placeholders use.
#[must_use]
pub fn clean(text: &str) -> String {
    cleaned(text).into_owned()
}

/// What [`clean`] gives; nearly every text is clean as it is.
#[must_use]
pub fn cleaned(text: &str) -> Cow<'_, str> {
    if is_clean(text) { Cow::Borrowed(text) } else { Cow::Owned(text.chars().filter(|c| is_allowed(*c)).collect()) }
}

/// So many bytes are looked at in one go.
const STEP: usize = 64;

/// Whether [`clean`] would give the text as it is.
#[must_use]
pub fn is_clean(text: &str) -> bool {
    // Each forbidden character begins with two such bytes, and few others do.
    let is_suspect = |byte: u8, next: u8| match byte {
        0xc2 => next < 0xa0,
        0xef => matches!(next, 0xb7 | 0xbf),
        _ => matches!(byte, 0..=0x1f | 0x7f | 0xf0..) && !matches!(byte, b'\t' | b'\n' | b'\r'),
    };
    let bytes = text.as_bytes();
    let Some((last, but_last)) = bytes.split_last() else { return true };
    // Without a branch for each byte many are looked at in one go.
    let steps = but_last.chunks(STEP).zip(bytes[1..].chunks(STEP)).enumerate();
    let mut suspects =
        steps.filter(|(_, (bytes, next))| bytes.iter().zip(*next).fold(false, |any, (byte, next)| any | is_suspect(*byte, *next)));
    let is_forbidden = |at: usize| text.get(at..).and_then(|rest| rest.chars().next()).is_some_and(|c| !is_allowed(c));
    !is_suspect(*last, 0) && !suspects.any(|(step, (bytes, _))| (0..bytes.len()).any(|at| is_forbidden(step * STEP + at)))
}

/// Whether a character may stand in a feed.
#[must_use]
pub fn is_allowed(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        '\u{7f}'..='\u{9f}' | '\u{fdd0}'..='\u{fdef}' => false,
        _ => c >= ' ' && (c as u32) & 0xfffe != 0xfffe,
    }
}

/// One line of plain text: white space folded, forbidden characters gone.
#[must_use]
pub fn line(text: &str) -> String {
    let mut line = Line::with_capacity(text.len());
    line.push(text);
    line.text
}

/// The text that a person reads in a piece of sanitised HTML, in one line.
#[must_use]
pub fn plain(html: &str) -> String {
    let mut line = Line::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        line.push_escaped(&rest[..at]);
        let tag = &rest[at..];
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        if !is_inline(&tag[1..end]) {
            line.is_parted = true;
        }
        rest = &tag[end..];
    }
    line.push_escaped(rest);
    line.text
}

/// A line of plain text that grows, read once.
struct Line {
    text: String,
    /// White space is to come before what comes next.
    is_parted: bool,
}

impl Line {
    fn with_capacity(capacity: usize) -> Self {
        Self { text: String::with_capacity(capacity), is_parted: false }
    }

    /// Appends a text, in stretches that may stay as they are.
    fn push(&mut self, text: &str) {
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let length = if goes(character) {
                // One of those that are forbidden is white space, too, and parts nothing.
                self.is_parted |= is_allowed(character);
                character.len_utf8()
            } else {
                let stretch = staying(rest);
                self.stretch(&rest[..stretch]);
                stretch
            };
            rest = &rest[length..];
        }
    }

    /// Appends a text in which character references stand for characters.
    fn push_escaped(&mut self, text: &str) {
        unescaped(text, |part| self.push(part));
    }

    fn stretch(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if std::mem::take(&mut self.is_parted) && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }
}

/// Whether a character does not stay in a line: white space becomes one space between words.
fn goes(character: char) -> bool {
    character.is_whitespace() || !is_allowed(character)
}

/// So many bytes of a line are looked at in one go.
const STRIDE: usize = 16;

/// How much of a text may stay in a line as it is, if its first character does: white space is in it as single spaces.
fn staying(text: &str) -> usize {
    let (bytes, mut at) = (text.as_bytes(), 0);
    loop {
        // Without a branch for each byte many are looked at in one go.
        let is_plain = |some: &[u8; STRIDE + 2]| !(0..STRIDE).fold(false, |any, at| any | may_go(some[at], some[at + 1], some[at + 2]));
        while bytes[at..].first_chunk().is_some_and(is_plain) {
            at += STRIDE;
        }
        let next = |after: usize| bytes.get(at + after).copied().unwrap_or_default();
        if at >= bytes.len() {
            return at;
        }
        if !may_go(next(0), next(1), next(2)) {
            at += 1;
            continue;
        }
        match text[at..].chars().next().filter(|character| !goes(*character)) {
            Some(character) => at += character.len_utf8(),
            None => return at,
        }
    }
}

/// Whether a byte may begin a character that does not stay, by the two behind it; no other byte of one does.
#[expect(clippy::needless_bitwise_bool, reason = "without a branch many bytes are looked at in one go")]
const fn may_go(byte: u8, next: u8, third: u8) -> bool {
    let is_between_words = (byte == b' ') & !matches!(next, 0..=b' ' | 0x7f | 0xc2 | 0xe1..=0xe3 | 0xef..);
    matches!(byte, 0..=b' ' | 0x7f | 0xf0..) & !is_between_words
        | (byte == 0xc2) & (next <= 0xa0)
        | (byte == 0xe1) & (next == 0x9a)
        | (byte == 0xe2) & ((next == 0x81) | (next == 0x80) & matches!(third, 0..=0x8a | 0xa8 | 0xa9 | 0xaf))
        | (byte == 0xe3) & (next == 0x80) & (third == 0x80)
        | (byte == 0xef) & ((next == 0xb7) | (next == 0xbf))
}

/// Tags inside a word or a sentence, which part no words.
fn is_inline(tag: &str) -> bool {
    let name = tag.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    [
        "a", "abbr", "b", "bdi", "bdo", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "q", "rp", "rt", "ruby", "s",
        "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr",
    ]
    .iter()
    .any(|own| own.eq_ignore_ascii_case(name))
}

/// Resolves HTML's character references; what is not one stays as it is.
#[must_use]
pub fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    unescaped(text, |part| plain.push_str(part));
    plain
}

/// Gives a text part by part, with the characters that its references stand for.
fn unescaped(text: &str, mut give: impl FnMut(&str)) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        give(&rest[..at]);
        rest = &rest[at..];
        let length = if let Some((length, resolved)) = reference(rest) {
            give(&resolved);
            length
        } else {
            give("&");
            1
        };
        rest = &rest[length..];
    }
    give(rest);
}

/// The length of the character reference that a text begins with, and what it stands for.
fn reference(text: &str) -> Option<(usize, String)> {
    let end = text[1..].bytes().take(32).position(|byte| byte == b';')? + 2;
    Some((end, resolve(&text[1..end])?))
}

/// What a reference stands for, given without its `&` but with its `;`; nothing if that is a forbidden character.
fn resolve(reference: &str) -> Option<String> {
    let Some(number) = reference.strip_prefix('#') else {
        return named(reference).map(|(first, second)| iter::once(first).chain(second).collect());
    };
    let number = number.strip_suffix(';')?;
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    let windows_1252 = u8::try_from(code).ok().filter(|byte| (0x80..0xa0).contains(byte));
    match windows_1252 {
        Some(byte) => Some(encoding_rs::WINDOWS_1252.decode_without_bom_handling(&[byte]).0.into_owned()),
        None => Some(char::from_u32(code).filter(|c| is_allowed(*c)).map_or_else(String::new, String::from)),
    }
}

/// The one or two characters that HTML has a name for, given with its `;` (WHATWG 13.5).
#[must_use]
pub fn named(name: &str) -> Option<(char, Option<char>)> {
    // The table also has the beginnings of names, with zeros, and a zero where there is no second character.
    let character = |code: u32| char::from_u32(code).filter(|c| *c != '\0');
    let (first, second) = NAMED_ENTITIES.get(name)?;
    Some((character(*first)?, character(*second)))
}

/// Writes a text so that HTML and XML read it as text.
#[must_use]
pub fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// The start of a plain text: at most `limit` graphemes, cut between words, with an ellipsis where something is cut.
#[must_use]
pub fn excerpt(text: &str, limit: usize) -> String {
    let Some((cut, _)) = text.grapheme_indices(true).nth(limit) else {
        return text.to_owned();
    };
    let between_words = text.split_word_bound_indices().map(|(at, _)| at).take_while(|at| *at <= cut).last();
    let end = between_words.filter(|end| *end > cut / 2).unwrap_or(cut);
    format!("{}…", text[..end].trim_end())
}

/// An error with its causes, in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_characters_go_and_all_others_stay() {
        assert_eq!(clean("a\u{0}\u{1f}\u{b}b\u{fffe}\u{fdd0}\t中\u{202e}文🦀"), "ab\t中\u{202e}文🦀");
    }

    #[test]
    fn a_text_is_clean_if_cleaning_leaves_it() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            assert_eq!(is_clean(c.encode_utf8(&mut [0; 4])), is_allowed(c), "{c:?}");
        }
        assert!(is_clean("a\t中，文🦀") && !is_clean("中，\u{1}") && !is_clean("é🦀\u{1fffe}a"));
    }

    #[test]
    fn plain_text_is_what_a_person_reads() {
        assert_eq!(plain("<p>AT&amp;T &lt;b&gt;</p><p>a<b>b</b>c<br>d&nbsp;e &#x2014; &#151; &bogus; &"), "AT&T <b> abc d e — — &bogus; &");
    }

    #[test]
    fn a_line_is_folded_as_its_words_are_joined() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32).filter(|c| c.is_whitespace() || !is_allowed(*c)) {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes);
            assert!(may_go(bytes[0], bytes[1], bytes[2]), "{c:?}");
        }
        let joined = |text: &str| cleaned(text).split_whitespace().collect::<Vec<_>>().join(" ");
        for text in [
            "",
            " ",
            "a",
            " a  b ",
            "a b\u{a0}\u{3000}，。c\u{2028}",
            "\u{0}a \u{1} b\u{fffe} c\u{7f}\t\u{85}d",
            "é ü\u{2003}—x",
            "中 文 \u{feff}字",
        ] {
            assert_eq!(line(text), joined(text), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_folded_as_its_words_are_joined(text in "[a-c “。\t\u{0}\u{85}\u{a0}é中，\u{3000}\u{2028}\u{fffe}🦀]{0,24}([a-e]{1,9} ?){0,5}([中文，。]| ){0,24}") {
            proptest::prop_assert_eq!(line(&text), cleaned(&text).split_whitespace().collect::<Vec<_>>().join(" "));
            proptest::prop_assert_eq!(plain(&text), line(&text));
        }
    }

    #[test]
    fn names_of_characters_are_those_of_html() {
        assert_eq!(unescape("&Alpha;&amacr;&bsim;&bsime;&eacute;&hellip;&yuml;"), "Αā∽⋍é…ÿ");
        assert_eq!(unescape("&Amacr;&Aopf;&NotEqualTilde;&CounterClockwiseContourIntegral;"), "Ā𝔸≂̸∳");
        assert_eq!(unescape("&; &am; &amp &CounterClockwise; &alpha beta;"), "&; &am; &amp &CounterClockwise; &alpha beta;");
    }

    #[test]
    fn an_excerpt_is_cut_between_words_and_never_inside_a_grapheme() {
        assert_eq!(excerpt("one two three", 9), "one two…");
        assert_eq!(excerpt("一二三四五", 3), "一二三…");
        assert_eq!(excerpt("👨‍👩‍👧👨‍👩‍👧", 1), "👨‍👩‍👧…");
        assert_eq!(excerpt("short", 9), "short");
        assert_eq!(excerpt(&"x".repeat(20), 9), "xxxxxxxxx…");
    }
}
