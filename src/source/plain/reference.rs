//! Text and the values of attributes: character references are resolved, and what must be one is written so, in the way
//! that html5ever writes it.

use std::borrow::Cow;

use crate::model::text;

/// Where text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Text,
    Attribute,
}

/// Bytes that are not copied as they are: what is written as a reference (the two bytes of a no-break space begin with
/// `0xC2`), and what HTML's parser changes.
const STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let mut at = 0;
    while at < STOPPING.len() {
        stops[STOPPING[at] as usize] = true;
        at += 1;
    }
    stops
};
const STOPPING: &[u8] = b"&<>\"\0\r\xC2";

/// Copies text with its references resolved, and written anew; `None` where it is not sure what HTML makes of it.
pub(super) fn copy(text: &str, place: Place, output: &mut String) -> Option<()> {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        escape(&rest[..at], place, output)?;
        let (c, length) = reference(&rest[at..], place)?;
        push(c, place, output);
        rest = &rest[at + length..];
    }
    escape(rest, place, output)
}

/// Writes text that has no references.
pub(super) fn escape(text: &str, place: Place, output: &mut String) -> Option<()> {
    let bytes = text.as_bytes();
    let mut from = 0;
    let mut at = 0;
    while let Some(next) = bytes[at..].iter().position(|byte| STOPS[usize::from(*byte)]) {
        let stop = at + next;
        let (written, length) = match bytes[stop] {
            b'&' => ("&amp;", 1),
            b'<' => ("&lt;", 1),
            b'>' => ("&gt;", 1),
            b'"' if place == Place::Attribute => ("&quot;", 1),
            0xc2 if bytes.get(stop + 1) == Some(&0xa0) => ("&nbsp;", 2),
            b'\r' if bytes.get(stop + 1) == Some(&b'\n') => ("\n", 2),
            b'\0' | b'\r' => return None,
            _ => {
                at = stop + 1;
                continue;
            }
        };
        output.push_str(&text[from..stop]);
        output.push_str(written);
        from = stop + length;
        at = from;
    }
    output.push_str(&text[from..]);
    Some(())
}

/// The value of an attribute, its references resolved.
pub(super) fn decoded(value: &str) -> Option<Cow<'_, str>> {
    if value.bytes().any(|b| matches!(b, b'\0' | b'\r')) {
        return None;
    }
    if !value.contains('&') {
        return Some(Cow::Borrowed(value));
    }
    let mut decoded = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        let (c, length) = reference(&rest[at..], Place::Attribute)?;
        decoded.push(c);
        rest = &rest[at + length..];
    }
    decoded.push_str(rest);
    Some(Cow::Owned(decoded))
}

fn push(c: char, place: Place, output: &mut String) {
    match c {
        '&' => output.push_str("&amp;"),
        '<' => output.push_str("&lt;"),
        '>' => output.push_str("&gt;"),
        '"' if place == Place::Attribute => output.push_str("&quot;"),
        '\u{a0}' => output.push_str("&nbsp;"),
        c => output.push(c),
    }
}

/// The character that a reference stands for and its length, or an ampersand that begins none (WHATWG 13.2.5.72).
fn reference(text: &str, place: Place) -> Option<(char, usize)> {
    let next = *text.as_bytes().get(1)?;
    if next == b'#' {
        return number(&text[2..]).map(|(c, length)| (c, length + 2));
    }
    if !next.is_ascii_alphanumeric() {
        return Some(('&', 1));
    }
    let name = &text[1..];
    let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric())?];
    match text.as_bytes().get(1 + name.len())? {
        // No name has one letter.
        _ if name.len() == 1 => Some(('&', 1)),
        b';' => named(&text[1..name.len() + 2]).map(|c| (c, name.len() + 2)),
        // The next parameter of a query; a name without its semicolon is a reference only where none goes on.
        b'=' if place == Place::Attribute => Some(('&', 1)),
        b'_' if place == Place::Attribute && name == "utm" => Some(('&', 1)),
        _ => None,
    }
}

/// The character of a name, which goes up to its semicolon.
fn named(name: &str) -> Option<char> {
    let (c, second) = text::named(name)?;
    (second.is_none() && is_plain(c)).then_some(c)
}

/// The character of a number, from behind `&#`, and the length up to the semicolon.
fn number(text: &str) -> Option<(char, usize)> {
    let digits = &text[..text.bytes().take(10).position(|b| b == b';')?];
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16).ok()?,
        None if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
        _ => return None,
    };
    let c = char::from_u32(code).filter(|c| is_plain(*c))?;
    Some((c, digits.len() + 1))
}

/// Whether HTML's parser takes a character that is written as a reference for nothing but itself.
fn is_plain(c: char) -> bool {
    c >= ' ' && text::is_allowed(c)
}
