//! Broken JSON made such that it can be read: what stands in strings that JSON forbids there, commas too many,
//! numbers that are none, and an end that is missing.

/// A document, written anew.
pub(super) struct Mended {
    json: String,
    /// Where the last whole item ends.
    last: Option<usize>,
    is_whole: bool,
}

impl Mended {
    /// All of it; `None`: it ends too early.
    pub(super) fn whole(&self) -> Option<&str> {
        self.is_whole.then_some(&self.json)
    }

    /// It cut after its last whole item, and closed.
    pub(super) fn cut(&self) -> Option<String> {
        Some(format!("{}]}}", &self.json[..self.last?]))
    }
}

/// Mends a document; whether it can be read then is for its reader to say. What stands behind it goes. In time linear in it.
pub(super) fn mend(text: &str) -> Mended {
    let mut mender = Mender { rest: text, json: String::with_capacity(text.len() + 64), open: Vec::new(), last: None };
    while let Some(sign) = mender.take() {
        mender.sign(sign);
    }
    Mended { is_whole: mender.open.is_empty(), json: mender.json, last: mender.last }
}

struct Mender<'a> {
    rest: &'a str,
    json: String,
    /// What closes what is open.
    open: Vec<char>,
    /// Where the last whole item ends.
    last: Option<usize>,
}

impl Mender<'_> {
    fn take(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }

    /// What comes next but for space; `None`: nothing does.
    fn coming(&self) -> Option<char> {
        self.rest.trim_start().chars().next()
    }

    fn sign(&mut self, sign: char) {
        match sign {
            '"' => self.string(),
            ',' if matches!(self.coming(), Some('}' | ']')) => {}
            '{' | '[' => {
                self.open.push(if sign == '{' { '}' } else { ']' });
                self.json.push(sign);
            }
            '}' | ']' if self.open.last() == Some(&sign) => {
                self.open.pop();
                self.json.push(sign);
                if self.open == ['}', ']'] && sign == '}' {
                    self.last = Some(self.json.len());
                }
                if self.open.is_empty() {
                    self.rest = "";
                }
            }
            letter if letter.is_ascii_alphabetic() => self.word(letter),
            _ => self.json.push(sign),
        }
    }

    /// `NaN`, `undefined` and their like are nothing.
    fn word(&mut self, first: char) {
        let length = self.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(length);
        match (first, word) {
            // Of a number.
            ('e' | 'E', "") => self.json.push(first),
            ('t', "rue") => self.json.push_str("true"),
            ('f', "alse") => self.json.push_str("false"),
            _ => self.json.push_str("null"),
        }
        self.rest = rest;
    }

    fn string(&mut self) {
        self.json.push('"');
        while let Some(sign) = self.take() {
            match sign {
                // One that nothing follows which may stand behind a string is a part of it.
                '"' if matches!(self.coming(), None | Some(',' | ':' | ']' | '}')) => {
                    self.json.push('"');
                    return;
                }
                '"' => self.json.push_str("\\\""),
                '\\' => self.escape(),
                '\n' => self.json.push_str("\\n"),
                control if control < ' ' => self.json.push(' '),
                _ => self.json.push(sign),
            }
        }
    }

    /// Half of a character, cut from the other, is none; a sign that needs no escape stands for itself.
    fn escape(&mut self) {
        match self.take() {
            Some('u') => {
                let next = |behind: usize| self.rest.get(behind..)?.strip_prefix("\\u").and_then(unit);
                let kept = match unit(self.rest) {
                    None => return self.json.push('u'),
                    Some(0xd800..0xdc00) if next(4).is_some_and(|low| (0xdc00..0xe000).contains(&low)) => 10,
                    Some(0xd800..0xe000) => {
                        self.rest = &self.rest[4..];
                        return;
                    }
                    Some(_) => 4,
                };
                self.json.extend(["\\u", &self.rest[..kept]]);
                self.rest = &self.rest[kept..];
            }
            Some(sign @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => self.json.extend(['\\', sign]),
            Some(control) if control < ' ' => {}
            Some(sign) => self.json.push(sign),
            None => {}
        }
    }
}

/// The four digits that a text begins with.
fn unit(text: &str) -> Option<u16> {
    text.get(..4)
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .and_then(|digits| u16::from_str_radix(digits, 16).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> serde_json::Value {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    #[test]
    fn broken_json_is_mended() {
        for (text, expected) in [
            (r#"["cut \ud83d", "low \ude00 x", "\ud83d\ud83d\ude00"]"#, r#"["cut ", "low  x", "😀"]"#),
            (r#"["\x41 it\'s \u12 \q", "\\", "\u00e9"]"#, r#"["x41 it's u12 q", "\\", "é"]"#),
            ("[\"a\ttab\nline\\\nend\"]", r#"["a tab\nlineend"]"#),
            (
                r#"{"a": [1, 2, ], "b": NaN, "c": undefined, "d": [true, false, null, 1e5],}"#,
                r#"{"a": [1, 2], "b": null, "c": null, "d": [true, false, null, 1e5]}"#,
            ),
            ("{\"a\": [1]}\n<script>{\"b\": 2}</script>", r#"{"a": [1]}"#),
            (r#"{"a": "<a href="b">c</a>", "d": 1}"#, r#"{"a": "<a href=\"b\">c</a>", "d": 1}"#),
        ] {
            assert_eq!(value(mend(text).whole().unwrap()), value(expected), "{text}");
        }
    }

    #[test]
    fn a_document_that_is_cut_keeps_its_whole_items() {
        let whole = serde_json::json!({ "items": [{ "id": "a", "of": [{}] }] });
        for cut in [
            r#"{"items": [{"id": "a", "of": [{}]}, {"id": "b", "of": [{}"#,
            r#"{"items": [{"id": "a", "of": [{}]}, {"id": "b\"#,
            r#"{"items": [{"id": "a", "of": [{}]}"#,
        ] {
            let mended = mend(cut);
            assert_eq!((value(&mended.cut().unwrap()), mended.whole()), (whole.clone(), None), "{cut}");
        }
    }

    #[test]
    fn broken_json_takes_linear_time() {
        for part in ["\"", "[", ", ", "\\u", "{\"a\" ", "\" "] {
            let start = std::time::Instant::now();
            mend(&part.repeat(1 << 20));
            assert!(start.elapsed() < std::time::Duration::from_secs(5), "{part}");
        }
    }
}
