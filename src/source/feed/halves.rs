//! Characters beyond U+FFFF that were written as two halves, the surrogates of UTF-16, as programs do that know nothing
//! else: each half in three bytes as if it were a character (CESU-8), or as a reference of its own.

use std::borrow::Cow;

use super::repairs::{Repair, Repairs};

/// A document in UTF-8 but for such halves; `None`: there are none, or there is other damage.
pub(super) fn in_bytes(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        let valid = match std::str::from_utf8(rest) {
            Ok(valid) => {
                text.push_str(valid);
                return (rest.len() < bytes.len()).then_some(text);
            }
            Err(error) => error.valid_up_to(),
        };
        text.push_str(std::str::from_utf8(&rest[..valid]).ok()?);
        let (high, low) = rest[valid..].first_chunk::<6>()?.split_at(3);
        text.push(whole(half(high)?, half(low)?)?);
        rest = &rest[valid + 6..];
    }
}

/// What three bytes stand for that begin as those of a surrogate do.
fn half(bytes: &[u8]) -> Option<u16> {
    let [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf] = bytes else { return None };
    Some(0xd000 | u16::from(second & 0x3f) << 6 | u16::from(third & 0x3f))
}

/// The character that two surrogates are, in this order.
fn whole(high: u16, low: u16) -> Option<char> {
    char::decode_utf16([high, low]).next()?.ok()
}

/// Puts pairs of references together, such as `&#55357;&#56832;`; in escaped HTML the `&` of each is a reference, too.
pub(super) fn in_references<'a>(text: Cow<'a, str>, repairs: &mut Repairs) -> Cow<'a, str> {
    let (mut joined, mut done) = (String::new(), 0);
    for (at, _) in text.match_indices('#') {
        let before = |sign| text.get(done..at)?.strip_suffix(sign).map(str::len);
        let Some(start) = ["&amp;", "&"].into_iter().find_map(before).map(|length| done + length) else { continue };
        let sign = &text[start..at];
        let Some((high, end)) = number(&text[at..]) else { continue };
        let next = &text[at + end..];
        let Some((low, length)) = next.strip_prefix(sign).and_then(number) else { continue };
        let Some(character) = whole(high, low) else { continue };
        joined.push_str(&text[done..start]);
        joined.push(character);
        done = at + end + sign.len() + length;
    }
    if done == 0 {
        return text;
    }
    repairs.note(Repair::Halves);
    joined.push_str(&text[done..]);
    Cow::Owned(joined)
}

/// The number of the reference that a text begins with, from its `#` on, if it is a surrogate's, and how long that is.
fn number(text: &str) -> Option<(u16, usize)> {
    let digits = text.strip_prefix('#')?;
    let end = digits.bytes().take(8).position(|byte| byte == b';')?;
    let number = match digits[..end].strip_prefix(['x', 'X']) {
        Some(hex) => u16::from_str_radix(hex, 16).ok()?,
        None => digits[..end].parse().ok()?,
    };
    Some((number, end + 2)).filter(|_| (0xd800..0xe000).contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_in_bytes_are_one_character() {
        let smile = b"\xed\xa0\xbd\xed\xb8\x80";
        let document = |parts: &[&[u8]]| in_bytes(&parts.concat());
        assert_eq!(document(&["今天 ".as_bytes(), smile, smile, b" end"]).as_deref(), Some("今天 😀😀 end"));
        assert_eq!(document(&[b"plain"]), None);
        assert_eq!(document(&[smile, b"\x92"]), None, "other damage");
        for broken in [b"\xed\xb8\x80\xed\xa0\xbd".as_slice(), &smile[..5], &smile[..3]] {
            assert_eq!(document(&[b"a", broken]), None, "{broken:?}");
        }
    }

    #[test]
    fn halves_in_references_are_one_character() {
        for (text, expected) in [
            ("a &#55357;&#56832;&#xD83D;&#xde00; b", "a 😀😀 b"),
            ("&amp;#55357;&amp;#56832;", "😀"),
            ("&#55357; &#56832;", "&#55357; &#56832;"),
            ("&#56832;&#55357;&#56832;", "&#56832;😀"),
            ("&#55357;&amp;#56832; #55357; &#8217; &#; &#x;#", "&#55357;&amp;#56832; #55357; &#8217; &#; &#x;#"),
            ("&#55357;", "&#55357;"),
        ] {
            assert_eq!(in_references(Cow::Borrowed(text), &mut Repairs::default()), expected);
        }
    }
}
