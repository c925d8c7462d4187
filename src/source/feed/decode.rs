//! From bytes to text: which encoding a document is in, whatever its labels say. It looks at no markup but the XML
//! declaration and a page's `meta` element.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, GBK, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::FeedError;
use super::guess::{errors, guess, is_damaged, likely_damaged};
use super::halves;
use super::repairs::{Repair, Repairs};

/// One foreign byte in these many that is no UTF-8 leaves a document UTF-8 with damage, such as half a character cut
/// off; in other encodings far more are none.
const TOLERATED_SHARE: usize = 3;

/// What says how the bytes are encoded.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Labels<'a> {
    /// The owner's word, which wins.
    pub(super) forced: Option<&'a str>,
    /// Of the `Content-Type` header.
    pub(super) http: Option<&'a str>,
    /// Of a `meta` element, which web pages alone have.
    pub(super) meta: Option<&'a str>,
    /// Where the document comes from, which tells of its region.
    pub(super) host: Option<&'a str>,
}

/// Decodes a document: the owner's word, a byte order mark, the shape of UTF-16 and UTF-32, valid UTF-8, a label that
/// fits without an error, UTF-8 with a little damage, a label of East Asia that fits but for some halves of characters,
/// detection; the first that holds.
pub(super) fn decode<'a>(bytes: &'a [u8], labels: Labels<'_>, repairs: &mut Repairs) -> Result<Cow<'a, str>, FeedError> {
    if let Some(label) = labels.forced {
        let encoding = for_label(label).ok_or_else(|| FeedError::Encoding(label.to_owned()))?;
        return Ok(lossy(encoding, bytes, repairs));
    }
    if let Some(text) = utf_32(bytes) {
        return Ok(Cow::Owned(text));
    }
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return Ok(lossy(encoding, bytes, repairs));
    }
    if let Some(encoding) = sniff_utf_16(bytes) {
        return Ok(lossy(encoding, bytes, repairs));
    }
    let declared = declared(bytes);
    refuse_unsafe(bytes, [declared, labels.http, labels.meta])?;
    let stated: Vec<_> = [declared, labels.http, labels.meta].into_iter().flatten().filter_map(for_label).collect();
    if bytes.contains(&0x1b) && (stated.contains(&ISO_2022_JP) || is_iso_2022_jp(bytes)) {
        return Ok(lossy(ISO_2022_JP, bytes, repairs));
    }
    if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
        if stated.first().is_some_and(|encoding| *encoding != UTF_8) && !bytes.is_ascii() {
            repairs.note(Repair::Encoding);
        }
        return Ok(Cow::Borrowed(text));
    }
    if let Some(text) = halves::in_bytes(bytes) {
        repairs.note(Repair::Halves);
        return Ok(Cow::Owned(text));
    }
    Ok(decode_legacy(bytes, &stated, labels.host, repairs))
}

/// Decodes what is not valid UTF-8.
fn decode_legacy<'a>(bytes: &'a [u8], stated: &[&'static Encoding], host: Option<&str>, repairs: &mut Repairs) -> Cow<'a, str> {
    for (position, encoding) in stated.iter().enumerate() {
        if *encoding != UTF_8
            && !is_utf_16(encoding)
            && let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes)
        {
            if position > 0 {
                repairs.note(Repair::Encoding);
            }
            return text;
        }
    }
    let damage = utf_8_damage(bytes);
    let multibyte = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    let is_little = damage * TOLERATED_SHARE <= multibyte;
    if is_little || (stated.contains(&UTF_8) && damage < multibyte) {
        let (text, lost) = damaged_utf_8(bytes);
        if is_little || lost == 0 {
            repairs.note(Repair::Characters);
            return Cow::Owned(text);
        }
    }
    if let Some(position) = stated.iter().position(|encoding| is_damaged(encoding, bytes)) {
        if position > 0 {
            repairs.note(Repair::Encoding);
        }
        return lossy(stated[position], bytes, repairs);
    }
    repairs.note(Repair::Encoding);
    let guess = guess(bytes, host);
    let guess = likely_damaged(guess, bytes).unwrap_or(guess);
    let candidates = stated.iter().copied().filter(|encoding| *encoding != UTF_8 && !is_utf_16(encoding)).chain([guess]);
    let best = candidates.min_by_key(|encoding| errors(encoding, bytes)).unwrap_or(guess);
    lossy(best, bytes, repairs)
}

fn lossy<'a>(encoding: &'static Encoding, bytes: &'a [u8], repairs: &mut Repairs) -> Cow<'a, str> {
    let (text, _, damaged) = encoding.decode(bytes);
    if damaged {
        repairs.note(Repair::Characters);
    }
    text
}

/// The encoding of a label; browsers' table (WHATWG), where gb2312 is gbk, and gbk decodes as gb18030. `None` for one
/// that nobody knows or that is unsafe to read.
pub(super) fn for_label(label: &str) -> Option<&'static Encoding> {
    let label = label.trim_matches(|c: char| c.is_ascii_whitespace() || c == '"' || c == '\'');
    let label = match label.to_ascii_lowercase().as_str() {
        "gb-2312" | "gb_2312" | "cp936" | "ms936" => "gbk",
        "gb-18030" => "gb18030",
        "cp950" | "ms950" | "cp951" | "big-5" | "big5hkscs" | "big5-hkscs:2004" | "hkscs" => "big5",
        "cp932" | "sjis-win" => "shift_jis",
        "utf8" | "utf-8n" => "utf-8",
        "cp949" | "uhc" => "euc-kr",
        "us" | "iso8859-1" | "latin-1" => "iso-8859-1",
        other => return Encoding::for_label_no_replacement(other.as_bytes()),
    };
    Encoding::for_label_no_replacement(label.as_bytes())
}

/// HZ, ISO-2022-CN and their like hide markup in ASCII bytes, so that no browser reads them; nor do we. They are known
/// by their signs even where no label names them.
fn refuse_unsafe(bytes: &[u8], labels: [Option<&str>; 3]) -> Result<(), FeedError> {
    if !bytes.is_ascii() {
        return Ok(());
    }
    let has_sign = |sign: &[u8]| bytes.windows(sign.len()).any(|window| window == sign);
    let shifted = SHIFTS.iter().find(|(_, sign)| bytes.contains(&0x1b) && has_sign(sign));
    if let Some((name, _)) = shifted {
        return Err(FeedError::Encoding((*name).to_owned()));
    }
    let labels = || labels.into_iter().flatten().map(str::trim);
    let is_hidden = |label: &&str| {
        Encoding::for_label(label.as_bytes()) == Some(REPLACEMENT) || label.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("hz"))
    };
    let label = labels().find(is_hidden);
    // Without a label, only in a document that says nothing of its encoding or names a Chinese one.
    let may_be_hz = labels().filter_map(for_label).all(|encoding| encoding == GBK || encoding == GB18030);
    if label.is_some() && has_sign(b"~{") || may_be_hz && has_hz(bytes) {
        return Err(FeedError::Encoding(label.unwrap_or("HZ-GB-2312").to_owned()));
    }
    Ok(())
}

/// Without the label by its signs: an escape, which no XML has, to JIS X 0208, and one back to ASCII or nearly so.
fn is_iso_2022_jp(bytes: &[u8]) -> bool {
    let has_one = |signs: [&[u8]; 2]| bytes.windows(3).any(|window| signs.contains(&window));
    bytes.is_ascii() && has_one([b"\x1b$B", b"\x1b$@"]) && has_one([b"\x1b(B", b"\x1b(J"])
}

/// The sequences that shift to the sets of ISO 2022 (RFC 1922, RFC 1557). Japan's are others.
const SHIFTS: [(&str, &[u8]); 4] =
    [("ISO-2022-CN", b"\x1b$)A"), ("ISO-2022-CN", b"\x1b$)G"), ("ISO-2022-CN", b"\x1b$*H"), ("ISO-2022-KR", b"\x1b$)C")];

/// Whether each `~{` begins two or more characters of GB 2312 and ends in `~}` (RFC 1843).
fn has_hz(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let mut found = false;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"~{") {
        rest = &rest[at + 2..];
        let length = rest.iter().take_while(|byte| (0x21..0x7e).contains(*byte)).count();
        let is_whole = length >= 4 && length.is_multiple_of(2) && rest[length..].starts_with(b"~}");
        if !is_whole || !rest[..length].iter().step_by(2).all(|byte| (0x21..0x78).contains(byte)) {
            return false;
        }
        found = true;
    }
    found
}

/// The encoding that the XML declaration names, wherever junk before it has put it.
fn declared(bytes: &[u8]) -> Option<&str> {
    let head = &bytes[..bytes.len().min(4096)];
    let start = head.windows(5).position(|window| window == b"<?xml")?;
    let declaration = &head[start..];
    let end = declaration.iter().position(|byte| *byte == b'>')?;
    let declaration = &declaration[..end];
    let at = declaration.windows(8).position(|window| window.eq_ignore_ascii_case(b"encoding"))?;
    let value = declaration[at + 8..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let quote = *value.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let value = &value[1..];
    std::str::from_utf8(&value[..value.iter().position(|byte| *byte == quote)?]).ok()
}

/// The encoding that a web page names in its `meta` element (WHATWG 13.2.3.2), as `charset` or within `content`.
pub(super) fn of_meta(bytes: &[u8]) -> Option<&str> {
    let head = &bytes[..bytes.len().min(4096)];
    let meta = head.windows(5).position(|window| window.eq_ignore_ascii_case(b"<meta"))?;
    let at = meta + head[meta..].windows(7).position(|window| window.eq_ignore_ascii_case(b"charset"))?;
    let value = head[at + 7..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
    let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.');
    let end = value.iter().position(|byte| !is_label(byte)).unwrap_or(value.len());
    std::str::from_utf8(&value[..end]).ok().filter(|label| !label.is_empty())
}

fn is_utf_16(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

/// UTF-16 without a mark: markup is ASCII, so every second byte of its start is zero.
fn sniff_utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(64)];
    let zeros = |parity: usize| head.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    match (zeros(0), zeros(1), head.len() / 2) {
        (even, 0, half) if half > 1 && even * 2 > half => Some(UTF_16BE),
        (0, odd, half) if half > 1 && odd * 2 > half => Some(UTF_16LE),
        _ => None,
    }
}

/// UTF-32 with a mark or by the shape of its first character, which `encoding_rs` does not know.
fn utf_32(bytes: &[u8]) -> Option<String> {
    let big_endian = match bytes.first_chunk::<4>()? {
        [0, 0, 0xfe, 0xff] | [0, 0, 0, b'<' | b' ' | b'\n' | b'{'] => true,
        [0xff, 0xfe, 0, 0] | [b'<' | b' ' | b'\n' | b'{', 0, 0, 0] => false,
        _ => return None,
    };
    let code = |unit: &[u8; 4]| if big_endian { u32::from_be_bytes(*unit) } else { u32::from_le_bytes(*unit) };
    let (units, _) = bytes.as_chunks::<4>();
    let characters = units.iter().map(|unit| char::from_u32(code(unit)).unwrap_or(char::REPLACEMENT_CHARACTER));
    Some(characters.filter(|c| *c != '\u{feff}').collect())
}

/// UTF-8 with a little damage: a byte between letters of ASCII, as in `don\x92t`, is windows-1252's, and whatever else is
/// no UTF-8 is replaced, so many times.
fn damaged_utf_8(bytes: &[u8]) -> (String, usize) {
    let (mut text, mut lost) = (String::with_capacity(bytes.len()), 0);
    let mut chunks = bytes.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        text.push_str(chunk.valid());
        let next = chunks.peek().and_then(|chunk| chunk.valid().bytes().next());
        let is_between = text.ends_with(|c: char| c.is_ascii_alphabetic()) && next.is_some_and(|byte| byte.is_ascii_alphabetic());
        match chunk.invalid() {
            [] => {}
            [byte] if is_between => text.push_str(&WINDOWS_1252.decode_without_bom_handling(&[*byte]).0),
            _ => {
                text.push(char::REPLACEMENT_CHARACTER);
                lost += 1;
            }
        }
    }
    (text, lost)
}

/// How many bytes are no UTF-8.
fn utf_8_damage(bytes: &[u8]) -> usize {
    bytes.utf8_chunks().map(|chunk| chunk.invalid().len()).sum()
}

#[cfg(test)]
mod tests;
