//! Front matter: YAML between `---`, TOML between `+++`, or a JSON object, into one tree in which every scalar is text.
//! Nothing is typed: a tag `1.10` stays `1.10`, and `no` stays `no`; the field that takes a value gives it its meaning.

use saphyr_parser::{Event, Parser, ScalarStyle};
use toml::de::{DeTable, DeValue};

use super::simple;
use crate::model::text;

/// The deepest nesting that front matter may have.
const MAX_DEPTH: usize = 16;
/// The most values that it may have.
const MAX_NODES: usize = 5_000;

/// A value of front matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing was written.
    Empty,
    /// A scalar as written, without its quotes.
    Text(String),
    /// In order.
    List(Vec<Value>),
    /// Keys in small letters, in order, each with its line in the file.
    Map(Vec<Pair>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) key: String,
    pub(super) line: u64,
    pub(super) value: Value,
}

/// What is wrong, at a line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: u64,
    pub(super) reason: String,
}

fn fault(line: usize, reason: impl Into<String>) -> Fault {
    Fault { line: line as u64, reason: reason.into() }
}

/// A file in its two parts.
pub(super) struct Parts<'a> {
    pub(super) fields: Vec<Pair>,
    pub(super) body: &'a str,
}

/// Parts a file; `None` if it has no front matter.
pub(super) fn split(file: &str) -> Result<Option<Parts<'_>>, Fault> {
    let file = file.trim_start_matches('\u{feff}');
    let start = file.len() - file.trim_start().len();
    let first = file[..start].matches('\n').count() + 1;
    let rest = &file[start..];
    // `{{< toc >}}` and `{% include %}` are no JSON.
    if rest.strip_prefix('{').is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '"' | '}'))) {
        return json(rest, first).map(Some);
    }
    let Some((fence, syntax)) = rest.lines().next().and_then(fence) else { return Ok(None) };
    let mut at = rest.find('\n').map_or(rest.len(), |end| end + 1);
    let opened = at;
    while at < rest.len() {
        let end = rest[at..].find('\n').map_or(rest.len(), |end| at + end + 1);
        if rest[at..end].trim_end() == fence {
            let text = &rest[opened..at];
            let fields = match syntax {
                Syntax::Yaml => yaml(text, first)?,
                Syntax::Toml => toml_fields(text, first)?,
                Syntax::Json => json(text, first + 1)?.fields,
            };
            return Ok(Some(Parts { fields, body: &rest[end..] }));
        }
        at = end;
    }
    Err(fault(first, format!("the front matter that `{fence}` opens is never closed; end it with a line `{fence}`")))
}

/// What front matter is written in.
enum Syntax {
    Yaml,
    Toml,
    Json,
}

/// The fence that a line is, and what it opens. Eleventy names another syntax behind it: `---json`.
fn fence(line: &str) -> Option<(&'static str, Syntax)> {
    let line = line.trim_end();
    match line.strip_prefix("---").map(|name| name.trim_start().to_ascii_lowercase()).as_deref() {
        Some("" | "yaml" | "yml") => Some(("---", Syntax::Yaml)),
        Some("toml") => Some(("---", Syntax::Toml)),
        Some("json") => Some(("---", Syntax::Json)),
        _ => (line == "+++").then_some(("+++", Syntax::Toml)),
    }
}

/// The fields of a whole file in one of the syntaxes, by its extension.
pub(super) fn settings(path: &str, text: &str) -> Result<Vec<Pair>, Fault> {
    match path.rsplit('.').next() {
        Some("toml") => toml_fields(text, 0),
        Some("json") => json(text, 1).map(|parts| parts.fields),
        _ => yaml(text, 0),
    }
}

fn yaml(source: &str, line: usize) -> Result<Vec<Pair>, Fault> {
    let pairs = simple::fields(source, line);
    debug_assert!(pairs.as_ref().is_none_or(|pairs| parsed(source, line).as_ref() == Ok(pairs)), "both read the same: {source}");
    pairs.map_or_else(|| parsed(source, line), Ok)
}

/// As the YAML parser has it.
pub(super) fn parsed(source: &str, line: usize) -> Result<Vec<Pair>, Fault> {
    let mut tree = Tree::default();
    for event in Parser::new_from_str(source) {
        let (event, span) = event.map_err(|error| fault(line + error.marker().line(), format!("this is not YAML: {}", error.info())))?;
        tree.take(event, line + span.start.line())?;
    }
    match tree.root {
        None | Some(Value::Empty) => Ok(Vec::new()),
        Some(Value::Map(pairs)) => Ok(pairs),
        Some(_) => Err(fault(line + 1, "front matter must be fields, such as `title: …`")),
    }
}

/// A tree that grows from events; an open list or map waits on the stack, so that no nesting can exhaust it.
#[derive(Default)]
struct Tree {
    root: Option<Value>,
    open: Vec<Open>,
    nodes: usize,
}

enum Open {
    List(Vec<Value>),
    Map(Vec<Pair>, Option<(String, usize)>),
}

impl Tree {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), Fault> {
        match event {
            Event::Scalar(scalar, style, _, _) => self.scalar(&scalar, style, line),
            Event::SequenceStart(..) => self.start(Open::List(Vec::new()), line),
            Event::MappingStart(..) => self.start(Open::Map(Vec::new(), None), line),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(values)) => self.put(Value::List(values), line),
                Some(Open::Map(pairs, _)) => self.put(Value::Map(pairs), line),
                None => Ok(()),
            },
            Event::Alias(_) => Err(fault(line, "front matter takes no aliases (`*name`); write the value out")),
            _ => Ok(()),
        }
    }

    fn start(&mut self, open: Open, line: usize) -> Result<(), Fault> {
        if matches!(self.open.last(), Some(Open::Map(_, None))) {
            return Err(fault(line, "a key must be a plain word"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(fault(line, format!("front matter is nested deeper than {MAX_DEPTH} levels")));
        }
        self.open.push(open);
        Ok(())
    }

    fn scalar(&mut self, scalar: &str, style: ScalarStyle, line: usize) -> Result<(), Fault> {
        if let Some(Open::Map(pairs, key @ None)) = self.open.last_mut() {
            let name = scalar.to_lowercase();
            if pairs.iter().any(|pair| pair.key == name) {
                return Err(fault(line, format!("the field `{scalar}` stands here a second time; keep one")));
            }
            *key = Some((name, line));
            return Ok(());
        }
        let is_null = style == ScalarStyle::Plain && matches!(scalar, "" | "~" | "null" | "Null" | "NULL");
        self.put(if is_null { Value::Empty } else { Value::Text(text::clean(scalar)) }, line)
    }

    fn put(&mut self, value: Value, line: usize) -> Result<(), Fault> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(too_many(line));
        }
        match self.open.last_mut() {
            Some(Open::List(values)) => values.push(value),
            Some(Open::Map(pairs, key)) => {
                if let Some((key, line)) = key.take() {
                    pairs.push(Pair { key, line: line as u64, value });
                }
            }
            None => self.root = Some(value),
        }
        Ok(())
    }
}

fn toml_fields(source: &str, line: usize) -> Result<Vec<Pair>, Fault> {
    let ends: Vec<usize> = source.match_indices('\n').map(|(at, _)| at).collect();
    let line_of = |offset: usize| line + ends.partition_point(|end| *end < offset) + 1;
    let table = DeTable::parse(source)
        .map_err(|error| fault(line_of(error.span().map_or(0, |span| span.start)), format!("this is not TOML: {}", error.message())))?;
    bounded(pairs_of_toml(table.get_ref(), &line_of), line)
}

/// Fields, if they are not too many.
fn bounded(pairs: Vec<Pair>, line: usize) -> Result<Vec<Pair>, Fault> {
    if count(&pairs) > MAX_NODES { Err(too_many(line)) } else { Ok(pairs) }
}

fn count(pairs: &[Pair]) -> usize {
    pairs.iter().map(|pair| nodes(&pair.value)).sum()
}

fn nodes(value: &Value) -> usize {
    let inner = match value {
        Value::List(values) => values.iter().map(nodes).sum(),
        Value::Map(pairs) => count(pairs),
        Value::Empty | Value::Text(_) => 0,
    };
    inner + 1
}

fn too_many(line: usize) -> Fault {
    fault(line, format!("front matter has more than {MAX_NODES} values"))
}

/// The TOML reader bounds its own nesting, so walking its tree cannot run deep.
fn pairs_of_toml(table: &DeTable<'_>, line_of: &impl Fn(usize) -> usize) -> Vec<Pair> {
    table
        .iter()
        .map(|(key, value)| Pair {
            key: key.get_ref().to_lowercase(),
            line: line_of(key.span().start) as u64,
            value: value_of_toml(value.get_ref(), line_of),
        })
        .collect()
}

fn value_of_toml(value: &DeValue<'_>, line_of: &impl Fn(usize) -> usize) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text::clean(text)),
        DeValue::Integer(number) => Value::Text(number.to_string()),
        DeValue::Float(number) => Value::Text(number.to_string()),
        DeValue::Boolean(value) => Value::Text(value.to_string()),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(values) => Value::List(values.iter().map(|value| value_of_toml(value.get_ref(), line_of)).collect()),
        DeValue::Table(table) => Value::Map(pairs_of_toml(table, line_of)),
    }
}

fn json(source: &str, line: usize) -> Result<Parts<'_>, Fault> {
    let mut values = serde_json::Deserializer::from_str(source).into_iter::<serde_json::Map<String, serde_json::Value>>();
    let fields = match values.next() {
        Some(Ok(fields)) => fields,
        Some(Err(error)) => return Err(fault(line + error.line().saturating_sub(1), format!("this is not JSON: {error}"))),
        None => return Err(fault(line, "front matter must be a JSON object")),
    };
    let body = &source[values.byte_offset()..];
    let pair =
        |(key, value): (&String, &serde_json::Value)| Pair { key: key.to_lowercase(), line: line as u64, value: value_of_json(value) };
    Ok(Parts { fields: bounded(fields.iter().map(pair).collect(), line)?, body })
}

/// The JSON reader bounds its own nesting, so walking its tree cannot run deep.
fn value_of_json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Empty,
        serde_json::Value::String(text) => Value::Text(text::clean(text)),
        serde_json::Value::Bool(value) => Value::Text(value.to_string()),
        serde_json::Value::Number(number) => Value::Text(number.to_string()),
        serde_json::Value::Array(values) => Value::List(values.iter().map(value_of_json).collect()),
        serde_json::Value::Object(map) => {
            Value::Map(map.iter().map(|(key, value)| Pair { key: key.to_lowercase(), line: 0, value: value_of_json(value) }).collect())
        }
    }
}

/// A field as JSON; its scalars are text, as they were read. No nesting is deeper than when they were read.
pub(super) fn as_json(pair: &Pair) -> (String, serde_json::Value) {
    (pair.key.clone(), json_of_value(&pair.value))
}

fn json_of_value(value: &Value) -> serde_json::Value {
    match value {
        Value::Empty => serde_json::Value::Null,
        Value::Text(text) => text.as_str().into(),
        Value::List(values) => values.iter().map(json_of_value).collect(),
        Value::Map(pairs) => serde_json::Value::Object(pairs.iter().map(as_json).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(file: &str) -> Vec<(String, Value)> {
        let fields = split(file).map(|parts| parts.unwrap().fields).unwrap();
        fields.into_iter().map(|pair| (pair.key, pair.value)).collect()
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn scalars_are_text_in_every_syntax() {
        let yaml =
            fields("---\nTitle: 标题\ntags: [1.10, on, no, \"\"]\ndraft: no\nmenu: \"\"\nempty:\ndate: 2025-02-12 09:30:02\n---\nbody");
        assert_eq!(yaml[0], ("title".to_owned(), text("标题")));
        assert_eq!(yaml[1].1, Value::List(vec![text("1.10"), text("on"), text("no"), text("")]));
        assert_eq!((&yaml[2].1, &yaml[3].1, &yaml[4].1, &yaml[5].1), (&text("no"), &text(""), &Value::Empty, &text("2025-02-12 09:30:02")));
        let toml = fields("+++\ntitle = \"t\"\nversion = 1.10\ndate = 2025-02-12T09:30:02+08:00\n[params]\nTOC = true\n+++\n");
        let value = |name: &str| toml.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        assert_eq!((value("version"), value("date")), (Some(&text("1.10")), Some(&text("2025-02-12T09:30:02+08:00"))));
        assert!(matches!(value("params"), Some(Value::Map(pairs)) if pairs[0].key == "toc" && pairs[0].value == text("true")));
        let json = split("{\"title\": \"t\", \"n\": 7, \"draft\": false}\n\nbody").unwrap().unwrap();
        assert_eq!((&json.fields[1].value, &json.fields[2].value, json.body), (&text("7"), &text("false"), "\n\nbody"));
    }

    #[test]
    fn a_fence_may_name_its_syntax() {
        for file in [
            "---json\n{\n  \"title\": \"---\",\n  \"n\": 7\n}\n---\nbody",
            "--- JSON\n{\"title\": \"---\", \"n\": 7}\n---\nbody",
            "---toml\ntitle = \"---\"\nn = 7\n---\r\nbody",
            "---yaml\ntitle: '---'\nn: 7\n---\nbody",
        ] {
            let parts = split(file).unwrap().unwrap();
            let mut values: Vec<_> = parts.fields.iter().map(|pair| (pair.key.as_str(), &pair.value)).collect();
            values.sort_unstable_by_key(|(key, _)| *key);
            assert_eq!((values.as_slice(), parts.body), (&[("n", &text("7")), ("title", &text("---"))][..], "body"), "{file}");
        }
        assert!(split("---json5\n{}\n---\n").unwrap().is_none());
    }

    #[test]
    fn a_mistake_is_found_at_its_line() {
        for (file, line, reason) in [
            ("---\ntitle: a\ntitle: b\n---\n", 3, "a second time"),
            ("---\ntitle: [a\n---\n", 3, "not YAML"),
            ("\n---\ntitle: a\n", 2, "never closed"),
            ("+++\na = 1\nb = = 2\n+++\n", 3, "not TOML"),
            ("{\"a\": }", 1, "not JSON"),
            ("---json\n{\"a\": 1,\n}\n---\n", 3, "not JSON"),
            ("---toml\na = 1\nb = = 2\n---\n", 3, "not TOML"),
            ("---\na: &x 1\nb: *x\n---\n", 3, "no aliases"),
            ("---\n- a\n---\n", 2, "must be fields"),
        ] {
            let error = split(file).err().unwrap();
            assert!(error.reason.contains(reason), "{file}: {error:?}");
            assert_eq!(error.line, line, "{file}: {error:?}");
        }
        let deep = format!("---\na: {}{}\n---\n", "[".repeat(5_000), "]".repeat(5_000));
        assert!(split(&deep).is_err());
    }

    #[test]
    fn values_without_number_are_refused_in_every_syntax() {
        let lines = |form: fn(usize) -> String| (0..60_000).map(form).collect::<String>();
        for file in [
            format!("---\n{}---\n", lines(|at| format!("k{at}: 1\n"))),
            format!("+++\n{}+++\n", lines(|at| format!("k{at} = 1\n"))),
            format!("{{{}\"k\": 1}}\n", lines(|at| format!("\"k{at}\": 1,\n"))),
        ] {
            let started = std::time::Instant::now();
            assert!(split(&file).err().unwrap().reason.contains("more than 5000 values"));
            assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
        }
    }

    #[test]
    fn a_file_without_front_matter_is_told_apart() {
        assert!(split("# Title\n\ntext").unwrap().is_none());
        assert!(split("--- not\n").unwrap().is_none());
        assert!(split("{{< toc >}}\n\ntext").unwrap().is_none() && split("{% include x %}\n").unwrap().is_none());
        assert!(split("{}\nbody").unwrap().unwrap().fields.is_empty());
        assert!(split("---\n---\nbody").unwrap().unwrap().fields.is_empty());
        assert_eq!(split("\u{feff}---\r\ntitle: a\r\n---\r\nbody\r\n").unwrap().unwrap().body, "body\r\n");
    }
}
