//! Elements of podcasts that pass through from an entry's source: which of them may, and in what form.

use std::borrow::Cow;

use crate::model::{Entry, Extension, text};

/// How deep they may be nested; what is deeper goes.
const MAX_DEPTH: usize = 4;
/// The longest `itunes:subtitle` and the like.
const SHORT: usize = 250;
/// The longest `itunes:summary`.
const LONG: usize = 3900;

/// The elements of an entry that may stand in its item, in the two namespaces that documents declare for them. Apple knows
/// each of its elements once an item; of Podcasting 2.0 anything well-formed may come.
pub(super) fn elements(entry: &Entry) -> Vec<Extension> {
    let mut elements: Vec<Extension> = Vec::new();
    for element in entry.article.extensions.iter().filter_map(|extension| element(extension, MAX_DEPTH)) {
        let is_repeated = element.name.starts_with("itunes:") && elements.iter().any(|other| other.name == element.name);
        if !is_repeated {
            elements.push(element);
        }
    }
    elements
}

fn element(extension: &Extension, depth: usize) -> Option<Extension> {
    let value = extension.value.as_deref().map(str::trim).filter(|value| !value.is_empty());
    let (value, children) = match extension.name.split_once(':')? {
        ("itunes", "image") => (None, Vec::new()),
        ("itunes", name) => (Some(itunes(name, value?)?), Vec::new()),
        ("podcast", name) if is_xml_name(name) => {
            let children = extension.children.iter().filter(|_| depth > 1).filter_map(|child| element(child, depth - 1));
            (value.map(Cow::Borrowed), children.collect())
        }
        _ => return None,
    };
    let attributes = extension.attributes.iter().filter(|(name, _)| is_xml_name(name) && name != "xmlns").cloned();
    Some(Extension { name: extension.name.clone(), attributes: attributes.collect(), value: value.map(Cow::into_owned), children })
}

/// The value of one of Apple's elements in the form that Apple wants; `None` where it has none or the element is unknown.
fn itunes<'a>(name: &str, value: &'a str) -> Option<Cow<'a, str>> {
    let is_number = |part: &str| !part.is_empty() && part.len() < 10 && part.bytes().all(|b| b.is_ascii_digit());
    let plain = |limit| Some(Cow::Owned(text::excerpt(&text::plain(value), limit)));
    match name {
        "author" | "title" | "subtitle" => plain(SHORT),
        "summary" => plain(LONG),
        "keywords" => Some(Cow::Borrowed(value)).filter(|value| value.len() < SHORT && (value.contains(',') || !value.contains(' '))),
        "episode" | "season" => Some(Cow::Borrowed(value)).filter(|value| is_number(value) && value.contains(|c| c != '0')),
        "duration" => Some(Cow::Borrowed(value)).filter(|value| {
            let parts: Vec<&str> = value.splitn(4, ':').collect();
            let is_sixtieth = |part: &&str| part.len() == 2 && **part < *"60" && is_number(part);
            is_number(parts[0]) && parts.len() <= 3 && parts[1..].iter().all(is_sixtieth)
        }),
        "episodeType" => one_of(value, &[("full", "full"), ("trailer", "trailer"), ("bonus", "bonus")]),
        "block" => one_of(value, &[("yes", "yes"), ("true", "yes"), ("no", "no"), ("false", "no")]),
        "explicit" => one_of(
            value,
            &[("true", "true"), ("yes", "true"), ("explicit", "true"), ("false", "false"), ("no", "false"), ("clean", "false")],
        ),
        _ => None,
    }
}

fn one_of(value: &str, forms: &[(&str, &'static str)]) -> Option<Cow<'static, str>> {
    forms.iter().find(|(form, _)| form.eq_ignore_ascii_case(value)).map(|(_, canonical)| Cow::Borrowed(*canonical))
}

fn is_xml_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_the_form_that_apple_wants_or_go() {
        for (name, value, expected) in [
            ("explicit", "No", Some("false")),
            ("explicit", "maybe", None),
            ("duration", "1:02:03", Some("1:02:03")),
            ("duration", "3723", Some("3723")),
            ("duration", "1:2:3", None),
            ("duration", "02:60", None),
            ("duration", "1:00:00:00", None),
            ("duration", "1 hour", None),
            ("episode", "7", Some("7")),
            ("episode", "0", None),
            ("season", "one", None),
            ("subtitle", "<p>Fish &amp; chips</p>", Some("Fish & chips")),
            ("unheard-of", "x", None),
        ] {
            assert_eq!(itunes(name, value).as_deref(), expected, "{name}: {value}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_goes() {
        let deep = (0..100_000).fold(Extension::default(), |child, _| Extension {
            name: "podcast:x".to_owned(),
            children: vec![child],
            ..Extension::default()
        });
        let mut element = element(&deep, MAX_DEPTH).unwrap();
        for _ in 1..MAX_DEPTH {
            element = element.children.remove(0);
        }
        assert!(element.children.is_empty());
        unnest(deep);
    }

    /// Drops it level by level, which its own way of dropping does not.
    fn unnest(mut element: Extension) {
        while let Some(child) = element.children.pop() {
            element = child;
        }
    }
}
