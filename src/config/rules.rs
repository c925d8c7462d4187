//! `[[rule]]`: read with their lines, and printed as they are read.

use toml::Value;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::values::nearest;
use crate::model::rule::{Field, Pattern};
use crate::model::{Language, Rule, Verdict};

/// What a rule may hold.
const KEYS: [&str; 8] = ["when", "when_not", "add_tags", "remove_tags", "set_category", "set_categories", "set_language", "drop"];

type Spanned<'a> = toml::Spanned<DeValue<'a>>;

/// Reads all rules of a file; `place_of` says where an offset is.
pub(super) fn read(value: &Spanned<'_>, place_of: &dyn Fn(usize) -> String) -> Result<Vec<Rule>, ConfigError> {
    let Some(rules) = value.get_ref().as_array() else {
        return Err(wrong(place_of(value.span().start), "a rule stands below `[[rule]]`, with two brackets"));
    };
    rules.iter().map(|rule| read_one(rule, place_of)).collect()
}

fn read_one(value: &Spanned<'_>, place_of: &dyn Fn(usize) -> String) -> Result<Rule, ConfigError> {
    let place = place_of(value.span().start);
    let table = value.get_ref().as_table().ok_or_else(|| wrong(place.clone(), "a rule is a table: `[[rule]]`"))?;
    let (mut when, mut when_not, mut then) = (Vec::new(), Vec::new(), Verdict::default());
    for (name, value) in table {
        let place = place_of(name.span().start);
        let name = name.get_ref().as_ref();
        match name {
            "when" => when = conditions(name, value, place_of)?,
            "when_not" => when_not = conditions(name, value, place_of)?,
            "add_tags" => then.add_tags = names(name, value, place)?,
            "remove_tags" => then.remove_tags = names(name, value, place)?,
            "set_category" | "set_categories" => then.set_categories = Some(names(name, value, place)?),
            "set_language" => {
                let language = value.get_ref().as_str().and_then(Language::parse);
                then.set_language = Some(language.ok_or_else(|| wrong(place, "`set_language` takes a BCP 47 language, such as `zh-CN`"))?);
            }
            "drop" => then.drop = value.get_ref().as_bool().ok_or_else(|| wrong(place, "`drop` takes true or false"))?,
            other => return Err(unknown(place, &format!("rule.{other}"), &KEYS.map(|key| format!("rule.{key}")))),
        }
    }
    if when.is_empty() && when_not.is_empty() {
        return Err(wrong(place, "the rule has no condition; give it one, such as `when = { title = \"rust\" }`"));
    }
    if then == Verdict::default() {
        return Err(wrong(place, "the rule does nothing; give it something to do, such as `add_tags = [\"rust\"]`"));
    }
    Ok(Rule { place, when, when_not, then })
}

/// A table of fields and expressions.
fn conditions(key: &str, value: &Spanned<'_>, place_of: &dyn Fn(usize) -> String) -> Result<Vec<(Field, Pattern)>, ConfigError> {
    let place = place_of(value.span().start);
    let example = format!("`{key}` takes fields with regular expressions, such as `{{ title = \"(?i)rust\" }}`");
    let table: &DeTable<'_> = value.get_ref().as_table().ok_or_else(|| wrong(place, &example))?;
    let mut conditions = Vec::new();
    for (name, value) in table {
        let place = place_of(name.span().start);
        let fields = Field::ALL.map(|field| format!("rule.{key}.{}", field.name()));
        let full = format!("rule.{key}.{}", name.get_ref());
        let field = Field::from_name(name.get_ref()).ok_or_else(|| unknown(place.clone(), &full, &fields))?;
        let text = value.get_ref().as_str().ok_or_else(|| wrong(place.clone(), &example))?;
        let pattern = Pattern::parse(text).map_err(|reason| wrong(place, &format!("{text:?} is no regular expression: {reason}")))?;
        conditions.push((field, pattern));
    }
    Ok(conditions)
}

/// A list of names, or one alone.
fn names(key: &str, value: &Spanned<'_>, place: String) -> Result<Vec<String>, ConfigError> {
    let one = |value: &DeValue<'_>| value.as_str().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let names: Option<Vec<String>> = match value.get_ref() {
        DeValue::Array(names) if !names.is_empty() => names.iter().map(|name| one(name.get_ref())).collect(),
        single => one(single).map(|name| vec![name]),
    };
    names.ok_or_else(|| wrong(place, &format!("`{key}` takes a list of names, such as `[\"rust\"]`")))
}

fn wrong(place: String, reason: &str) -> ConfigError {
    ConfigError::Syntax { place, reason: reason.to_owned() }
}

fn unknown(place: String, name: &str, known: &[String]) -> ConfigError {
    ConfigError::Unknown { place, name: name.to_owned(), hint: nearest(known.iter().map(String::as_str), name) }
}

/// A rule as it stands in a file.
pub(super) fn describe(rule: &Rule) -> String {
    let list = |names: &[String]| Value::from(names.to_vec());
    let table = |conditions: &[(Field, Pattern)]| {
        let parts: Vec<String> =
            conditions.iter().map(|(field, pattern)| format!("{} = {}", field.name(), Value::from(pattern.as_str()))).collect();
        format!("{{ {} }}", parts.join(", "))
    };
    let then = &rule.then;
    let lines = [
        (!rule.when.is_empty()).then(|| format!("when = {}", table(&rule.when))),
        (!rule.when_not.is_empty()).then(|| format!("when_not = {}", table(&rule.when_not))),
        (!then.add_tags.is_empty()).then(|| format!("add_tags = {}", list(&then.add_tags))),
        (!then.remove_tags.is_empty()).then(|| format!("remove_tags = {}", list(&then.remove_tags))),
        then.set_categories.as_ref().map(|names| format!("set_categories = {}", list(names))),
        then.set_language.as_ref().map(|language| format!("set_language = \"{language}\"")),
        then.drop.then(|| "drop = true".to_owned()),
    ];
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    format!("\n[[rule]]  # {}\n{}\n", rule.place, lines.join("\n"))
}
