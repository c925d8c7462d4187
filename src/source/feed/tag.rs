//! One tag as it stands in damaged markup: attributes without quotes, quotes without an end, `<` that begins nothing.
//! It knows no element by name.

use std::ops::Range;

/// Attributes of one tag beyond these are passed over.
const MAX_ATTRIBUTES: usize = 256;

/// A start tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source) struct Tag<'a> {
    /// As written.
    pub(in crate::source) name: &'a str,
    /// As written, not unescaped.
    pub(in crate::source) attributes: Vec<(&'a str, &'a str)>,
    /// Whether it ends in `/>`.
    pub(in crate::source) is_empty: bool,
}

impl<'a> Tag<'a> {
    /// The value of an attribute, its name in any case.
    pub(in crate::source) fn attribute(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// Reads tags of one text. It takes time linear in the text however often it is asked, since what it reads in vain is
/// counted, and too much of that ends it.
#[derive(Debug)]
pub(in crate::source) struct TagScanner<'a> {
    text: &'a str,
    patience: usize,
    quotes: [NextQuote; 2],
}

/// The next quote at or after a place that was asked for last; places only rise within a search.
#[derive(Debug, Default)]
struct NextQuote {
    valid: Range<usize>,
}

impl<'a> TagScanner<'a> {
    pub(in crate::source) fn new(text: &'a str) -> Self {
        Self { text, patience: text.len().saturating_mul(4) + 4096, quotes: Default::default() }
    }

    /// The start tag whose `<` stands at `at`, and where it ends; `None` if there is none.
    pub(in crate::source) fn start_tag(&mut self, at: usize) -> Option<(Tag<'a>, usize)> {
        let mut place = at + 1;
        let found = if self.patience == 0 { None } else { self.read_tag(&mut place) };
        if found.is_none() {
            self.patience = self.patience.saturating_sub(place - at);
        }
        found.map(|tag| (tag, place))
    }

    /// The name of the end tag whose `</` stands at `at`, and where it ends.
    pub(in crate::source) fn end_tag(&self, at: usize) -> Option<(&'a str, usize)> {
        let name = self.name(at + 2)?;
        let rest = &self.text[at + 2 + name.len()..];
        let close = rest.find(['>', '<'])?;
        // `</p <b>` has lost its `>`; it is an end tag all the same.
        let end = at + 2 + name.len() + close;
        Some((name, if rest[close..].starts_with('>') { end + 1 } else { end }))
    }

    fn read_tag(&mut self, place: &mut usize) -> Option<Tag<'a>> {
        let name = self.name(*place)?;
        *place += name.len();
        let mut attributes = Vec::new();
        loop {
            *place = self.skip_space(*place);
            match self.byte(*place)? {
                b'<' => return None,
                b'>' => {
                    *place += 1;
                    return Some(Tag { name, attributes, is_empty: false });
                }
                b'/' if self.byte(*place + 1) == Some(b'>') => {
                    *place += 2;
                    return Some(Tag { name, attributes, is_empty: true });
                }
                b'/' | b'"' | b'\'' | b'=' | b'?' => *place += 1,
                _ => {
                    let attribute = self.read_attribute(place);
                    if attributes.len() < MAX_ATTRIBUTES && !attributes.iter().any(|(known, _)| *known == attribute.0) {
                        attributes.push(attribute);
                    }
                }
            }
        }
    }

    fn read_attribute(&mut self, place: &mut usize) -> (&'a str, &'a str) {
        let name = self.until(*place, |byte| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'>' | b'/' | b'<' | b'"' | b'\''));
        *place += name.len();
        let sign = self.skip_space(*place);
        if self.byte(sign) != Some(b'=') {
            return (name, "");
        }
        *place = self.skip_space(sign + 1);
        (name, self.read_value(place))
    }

    fn read_value(&mut self, place: &mut usize) -> &'a str {
        if let Some(quote) = self.byte(*place).filter(|byte| matches!(byte, b'"' | b'\'')) {
            *place += 1;
            if let Some(close) = self.next_quote(*place, quote)
                && self.byte(close + 1).is_none_or(|after| after.is_ascii_whitespace() || matches!(after, b'/' | b'>' | b'?'))
            {
                let value = &self.text[*place..close];
                *place = close + 1;
                return value;
            }
        }
        let value = self.until(*place, |byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'<'));
        let value = if self.byte(*place + value.len()) == Some(b'>') { value.strip_suffix('/').unwrap_or(value) } else { value };
        *place += value.len();
        value.trim_end_matches(['"', '\''])
    }

    /// Where the next quote stands; what was found for an earlier place holds until it is passed.
    fn next_quote(&mut self, from: usize, quote: u8) -> Option<usize> {
        let known = &mut self.quotes[usize::from(quote == b'"')];
        if !known.valid.contains(&from) {
            let found = self.text.as_bytes()[from..].iter().position(|byte| *byte == quote);
            known.valid = from..found.map_or(self.text.len(), |at| from + at) + 1;
        }
        let close = known.valid.end - 1;
        (close < self.text.len()).then_some(close)
    }

    fn name(&self, at: usize) -> Option<&'a str> {
        let first = *self.text.as_bytes().get(at)?;
        if !(first.is_ascii_alphabetic() || first == b'_' || !first.is_ascii()) {
            return None;
        }
        let name = self.until(at, |byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/' | b'<' | b'=' | b'"' | b'\''));
        (name.len() <= 256 && !name.contains(is_sentence)).then_some(name)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn skip_space(&self, from: usize) -> usize {
        let rest = &self.text.as_bytes()[from.min(self.text.len())..];
        from + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    }

    /// What stands before the first byte that `stop` takes, which must be ASCII.
    fn until(&self, from: usize, stop: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.text.get(from..).unwrap_or_default();
        let end = rest.bytes().position(stop).unwrap_or(rest.len());
        &rest[..end]
    }
}

/// Signs that a text after a stray `<` has and a name of an element has not.
fn is_sentence(c: char) -> bool {
    matches!(c, ',' | ';' | '!' | '?' | '&' | '(' | ')' | '@' | '。' | '，')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_with_its_quotes_broken() {
        for (text, expected) in [
            ("<a href=\"x y\" b='z'>", vec![("href", "x y"), ("b", "z")]),
            ("<a href=x b = 'z' href=again>", vec![("href", "x"), ("b", "z")]),
            ("<a href=\"x>text</a><a href=\"y\">", vec![("href", "x")]),
            ("<a title=\"1 < 2\" />", vec![("title", "1 < 2")]),
            ("<a href=http://e.example/x/>", vec![("href", "http://e.example/x")]),
            ("<a checked>", vec![("checked", "")]),
        ] {
            let tag = TagScanner::new(text).start_tag(0).map(|(tag, _)| tag.attributes);
            assert_eq!(tag, Some(expected), "{text}");
        }
    }

    #[test]
    fn what_begins_no_tag_is_none() {
        for text in ["< b", "<3", "<", "<a href=\"x", "<b and <i>", "<me@example.org>", "<"] {
            assert_eq!(TagScanner::new(text).start_tag(0), None, "{text}");
        }
    }

    #[test]
    fn hostile_tags_take_linear_time() {
        for unit in ["<a x=\"<a\" ", "<a b='", "<a b=\"", "<a b=\"'", "<"] {
            let text = unit.repeat(400_000 / unit.len());
            let mut scanner = TagScanner::new(&text);
            let found = text.match_indices('<').filter(|(at, _)| scanner.start_tag(*at).is_some()).count();
            assert_eq!(found, 0, "{unit}");
        }
    }
}
