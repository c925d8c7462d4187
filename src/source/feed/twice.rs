//! Text that was encoded twice: UTF-8 whose bytes somebody took for windows-1252, and wrote as UTF-8 once more, so that
//! `é` stands as `Ã©`. It knows no markup but where a text ends.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

use super::repairs::{Repair, Repairs};

/// Texts that were encoded once leave a document as it is, unless they are fewer than one in so many.
const SHARE: usize = 4;
/// So many characters encoded twice are no chance, if two of them differ.
const ENOUGH: usize = 3;
/// A document that begins with so many texts that were encoded once is not looked at further.
const LOOKED_AT: usize = 32;

/// Undoes the second encoding of a document, if it was encoded twice as a whole: single words such as `Spaß…` may look
/// as if they were.
pub(super) fn undo<'a>(text: Cow<'a, str>, repairs: &mut Repairs) -> Cow<'a, str> {
    if !is_encoded_twice(&text) {
        return text;
    }
    repairs.note(Repair::Twice);
    let mut undone = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find(|c: char| !c.is_ascii()) {
        let (before, foreign) = rest.split_at(at);
        let itself = || foreign.chars().next().map(|character| (character, character.len_utf8()));
        let Some((character, length)) = original(foreign).or_else(itself) else { break };
        undone.push_str(before);
        undone.push(character);
        rest = &foreign[length..];
    }
    undone.push_str(rest);
    Cow::Owned(undone)
}

/// With this byte begin the characters `À` to `ÿ`, and one of these each character that was encoded twice.
const LEAD: u8 = 0xc3;

/// Whether nearly all texts of a document, where they are more than ASCII, read as UTF-8 once more.
fn is_encoded_twice(text: &str) -> bool {
    if !text.as_bytes().contains(&LEAD) {
        return false;
    }
    let (mut once, mut twice, mut characters, mut first, mut differ) = (0, 0, 0, None, false);
    for text in text.split(['<', '>', '"']).filter(|text| !text.is_ascii()) {
        match characters_of(text) {
            Some(originals) => {
                twice += 1;
                for character in originals {
                    characters += 1;
                    differ |= *first.get_or_insert(character) != character;
                }
            }
            None => once += 1,
        }
        if once >= LOOKED_AT && once > twice {
            return false;
        }
    }
    differ && characters >= ENOUGH && once * SHARE <= twice
}

/// The characters that a text was made of, those of ASCII left out; `None`: it was encoded once.
fn characters_of(text: &str) -> Option<Vec<char>> {
    let (mut characters, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find(|c: char| !c.is_ascii()) {
        let (character, length) = original(&rest[at..])?;
        characters.push(character);
        rest = &rest[at + length..];
    }
    Some(characters)
}

/// The character whose bytes in UTF-8 a text begins with, each of them written as a character, and how long that is.
fn original(text: &str) -> Option<(char, usize)> {
    let mut bytes = [0; 4];
    let (mut count, mut length) = (0, 0);
    for character in text.chars().take(bytes.len()) {
        bytes[count] = byte_of(character)?;
        (count, length) = (count + 1, length + character.len_utf8());
        if let Ok(original) = std::str::from_utf8(&bytes[..count]) {
            let original = original.chars().next().filter(|original| !original.is_ascii())?;
            return Some((original, length));
        }
    }
    None
}

/// The byte that a character is in ISO 8859-1, or in windows-1252.
fn byte_of(character: char) -> Option<u8> {
    u8::try_from(character).ok().or_else(|| {
        let mut text = [0; 4];
        let (bytes, _, is_foreign) = WINDOWS_1252.encode(character.encode_utf8(&mut text));
        bytes.first().copied().filter(|_| !is_foreign)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a program makes that takes UTF-8 for windows-1252, or for ISO 8859-1.
    fn encoded_twice(text: &str, is_latin_1: bool) -> String {
        let windows = WINDOWS_1252.decode_without_bom_handling(text.as_bytes()).0;
        if is_latin_1 { text.bytes().map(char::from).collect() } else { windows.into_owned() }
    }

    fn undone(text: &str) -> String {
        undo(Cow::Borrowed(text), &mut Repairs::default()).into_owned()
    }

    #[test]
    fn a_document_that_was_encoded_twice_is_read() {
        for text in [
            "<title>Le cinéma, le théâtre</title><p>« œuvre » – l’été à 5 €…</p>",
            "<title>今天的新闻</title><p>天气很好，大家都在看。</p>",
            "<title>Новости дня</title>",
            "{\"title\": \"Größe\", \"text\": \"naïve 🙂\"}",
        ] {
            for is_latin_1 in [false, true] {
                let twice = encoded_twice(text, is_latin_1);
                assert_ne!(twice, text);
                assert_eq!(undone(&twice), text);
            }
        }
    }

    #[test]
    fn what_was_encoded_once_stays() {
        for text in [
            "<title>Le cinéma, le théâtre</title><p>« œuvre » – l’été à 5 €…</p>",
            "<title>Das macht Spaß…</title><p>Das macht Spaß…</p><p>Spaß…</p>",
            "<title>« La BEAUTÉ\u{a0}: <b>liberté\u{a0}»</b></title>",
            "<title>How Ã© came about</title>",
            "<title>今天的新闻</title><p>天气很好</p>",
            "plain",
            "",
        ] {
            assert_eq!(undone(text), text);
        }
    }

    #[test]
    fn most_of_a_document_decides() {
        let twice = encoded_twice("<p>é</p><p>ü</p><p>ä</p><p>ö</p>", false);
        let cut = "<p>fin\u{2026}</p>";
        assert_eq!(undone(&format!("{twice}{cut}")), format!("<p>é</p><p>ü</p><p>ä</p><p>ö</p>{cut}"));
        assert_eq!(undone(&format!("{twice}{cut}{cut}")), format!("{twice}{cut}{cut}"));
    }

    #[test]
    fn a_character_that_was_cut_stays_as_it_is() {
        let twice = encoded_twice("<p>Zürich, Köln, Düsseldorf und Größeres</p><p>M</p><p>ä</p><p>ö</p><p>ü</p>", false);
        assert_eq!(undone(&twice.replace('M', "MÃ")), "<p>Zürich, Köln, Düsseldorf und Größeres</p><p>MÃ</p><p>ä</p><p>ö</p><p>ü</p>");
    }
}
