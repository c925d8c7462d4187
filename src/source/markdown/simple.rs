//! YAML as most front matter has it: fields with a scalar or a list of scalars each, one on a line. It is read in one scan; what
//! has anything else is left to the YAML parser, which gives the same for these, in eight times the time.

use super::front_matter::{Pair, Value};
use crate::model::text;

/// The longest text that is read here, in bytes: it cannot hold too many values. The parser counts those of a longer one.
const MAX_LENGTH: usize = 8 << 10;

/// The longest key.
const MAX_KEY: usize = 100;

/// The fields of a text that begins after so many lines; `None` if it has anything that is not known here, mistakes included.
pub(super) fn fields(source: &str, line: usize) -> Option<Vec<Pair>> {
    let is_known = |c: char| c == '\n' || !(c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}'));
    if source.len() > MAX_LENGTH || !source.chars().all(is_known) {
        return None;
    }
    let (mut pairs, mut indent) = (Vec::<Pair>::new(), None);
    for (number, text) in source.lines().enumerate() {
        let text = text.trim_end_matches(' ');
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if let Some((spaces, item)) = item(text) {
            let list = &mut pairs.last_mut()?.value;
            match list {
                Value::Empty if indent.is_none() => *list = Value::List(vec![scalar(item)?]),
                Value::List(values) if indent == Some(spaces) => values.push(scalar(item)?),
                _ => return None,
            }
            indent = Some(spaces);
            continue;
        }
        let (key, rest) = text.split_once(':')?;
        // A key of more than 1,024 characters is a mistake.
        let is_key = key.len() <= MAX_KEY
            && key.starts_with(|c: char| c.is_ascii_alphabetic())
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        let key = key.to_ascii_lowercase();
        if !is_key || pairs.iter().any(|pair| pair.key == key) {
            return None;
        }
        let value = match rest.strip_prefix(' ') {
            _ if rest.is_empty() => Value::Empty,
            Some(rest) => value(rest.trim_start_matches(' '))?,
            None => return None,
        };
        // A list may follow where there is no value yet.
        indent = (!rest.is_empty()).then_some(usize::MAX);
        pairs.push(Pair { key, line: (line + number + 1) as u64, value });
    }
    Some(pairs)
}

/// What stands behind `- `, and behind how many spaces that does.
fn item(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches(' ');
    Some((line.len() - text.len(), text.strip_prefix("- ")?.trim_start_matches(' ')))
}

fn value(text: &str) -> Option<Value> {
    let Some(list) = text.strip_prefix('[') else { return scalar(text) };
    let list = list.strip_suffix(']')?;
    // A comma in quotes leaves half of them in an item, which is none that is known.
    let known = |item: &str| scalar(item.trim_matches(' ')).filter(|_| !item.contains(['[', ']', '{', '}']));
    let is_empty = list.trim_matches(' ').is_empty();
    if is_empty { Some(Value::List(Vec::new())) } else { list.split(',').map(known).collect::<Option<_>>().map(Value::List) }
}

fn scalar(text: &str) -> Option<Value> {
    let quoted = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains([quote, '\\']));
    if let Some(inner) = quoted('"').or_else(|| quoted('\'')) {
        return Some(Value::Text(text::clean(inner)));
    }
    let begins = text.starts_with(|c: char| c.is_alphanumeric() || c >= '\u{a0}' || matches!(c, '/' | '.' | '(' | '~'));
    if !begins || text.contains('#') || text.contains(": ") || text.ends_with(':') {
        return None;
    }
    Some(if matches!(text, "~" | "null" | "Null" | "NULL") { Value::Empty } else { Value::Text(text::clean(text)) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::front_matter::parsed;
    use super::*;

    /// Lines as people write them, and such that have something else in them.
    fn source() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            "[a-z0-9]{1,6}",
            "[ -~]{0,12}",
            "\"[ -~é模]{0,8}\"",
            "'[ -~é模]{0,8}'",
            "[模型é、“: #/.~-]{0,8}",
            Just("2025-02-12 09:30:02 +0800".to_owned()),
            Just("https://a.example/b?c=d&e=f".to_owned()),
            Just("null".to_owned()),
        ];
        let list = prop::collection::vec(scalar.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", ")));
        let value = prop_oneof![scalar.clone(), scalar.clone(), list, Just(String::new())];
        let field = ("[a-zA-Z_-]{1,3}", "(: |:  |:|: ?)", value).prop_map(|(key, colon, value)| format!("{key}{colon}{value}"));
        let item = ("( |  |    )?- ", scalar).prop_map(|(dash, value)| format!("{dash}{value}"));
        let line = prop_oneof![3 => field, 3 => item, 1 => "[ -~]{0,10}", 1 => Just(String::new()), 1 => Just("# c".to_owned())];
        prop::collection::vec(line, 0..9).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn what_is_read_here_is_what_the_parser_gives(source in source()) {
            if let Some(pairs) = fields(&source, 1) {
                prop_assert_eq!(parsed(&source, 1), Ok(pairs));
            }
        }
    }

    #[test]
    fn usual_front_matter_is_read_here() {
        let source = "title: \"标题: a\"\ndate: 2025-02-12 09:30:02\n# of theme\ntags:\n  - a b\n  - '模型'\nCategories: [x, \"y\"]\n\nmenu: ~\ndraft:\nlang:\n- zh-CN\nnone: []";
        let pairs = fields(source, 1).unwrap();
        assert_eq!(parsed(source, 1), Ok(pairs.clone()));
        assert_eq!(pairs.iter().map(|pair| pair.line).collect::<Vec<_>>(), [2, 3, 5, 8, 10, 11, 12, 14]);
        for other in
            ["a: b\n  c", "a: |\n b", "a:\n  b: c", "a: &x b", "a: b # c", "a: \"b\\n\"", "a: b\na: c", "a: b\r\n", "- a", "a: [b, [c]]"]
        {
            assert_eq!(fields(other, 1), None, "{other}");
        }
        for long in [format!("{}: b", "a".repeat(1_025)), format!("a: [{}b]", "b,".repeat(5_000)), format!("a:\n{}", "- b\n".repeat(5_000))]
        {
            assert!(parsed(&long, 1).is_err() && fields(&long, 1).is_none(), "{long:.20}");
        }
    }
}
