//! `[[feed]]`: selections with a name of their own.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use toml::Spanned;
use toml::de::DeValue;

use super::ConfigError;
use crate::model::{Address, NamedFeed, Options, Selection, Slug, Target};

/// The keys of one, with what each takes.
pub const FEED_KEYS: [(&str, &str); 5] = [
    ("slug", "a name for its URL, such as `ai-weekly`"),
    ("title", "a text"),
    ("description", "a text"),
    ("picture", "an http or https URL"),
    ("select", "a selection as in a URL, such as `category=news&tag=-ads`"),
];

/// Beyond what is not ASCII: a space and signs that would end a URL.
const TYPED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#');

/// Reads the array; `place_of` says where in the file an offset is.
pub(super) fn read(value: &Spanned<DeValue<'_>>, place_of: &dyn Fn(usize) -> String) -> Result<Vec<NamedFeed>, ConfigError> {
    let no_table =
        |value: &Spanned<DeValue<'_>>| wrong(&place_of(value.span().start), ("feed", "tables: `[[feed]]`"), value.get_ref().type_str());
    let mut feeds: Vec<NamedFeed> = Vec::new();
    for table in value.get_ref().as_array().ok_or_else(|| no_table(value))? {
        let here = place_of(table.span().start);
        let keys = table.get_ref().as_table().ok_or_else(|| no_table(table))?;
        let mut texts = [const { None }; FEED_KEYS.len()];
        for (name, value) in keys {
            let place = place_of(name.span().start);
            let at = FEED_KEYS.iter().position(|(key, _)| key == name.get_ref());
            let at = at.ok_or_else(|| ConfigError::Unknown {
                name: format!("feed.{}", name.get_ref()),
                hint: super::nearest(FEED_KEYS.iter().map(|(key, _)| *key), name.get_ref()),
                place: place.clone(),
            })?;
            let text = value.get_ref().as_str().filter(|text| !text.trim().is_empty());
            texts[at] = Some(text.ok_or_else(|| wrong(&place, FEED_KEYS[at], value.get_ref().type_str()))?.to_owned());
        }
        let [slug, title, description, picture, select] = texts;
        let needed = |text: Option<String>, at: usize| text.ok_or_else(|| wrong(&here, FEED_KEYS[at], ""));
        let (slug, select) = (needed(slug, 0)?, needed(select, 4)?);
        let refused = |reason: String| ConfigError::Syntax { place: here.clone(), reason };
        let selection = selection(&select).map_err(|reason| refused(format!("`feed.select` is not understood: {reason}")))?;
        let title = title.unwrap_or_else(|| slug.clone());
        let slug = Slug::from_name(&slug);
        if feeds.iter().any(|other| other.slug == slug) {
            return Err(refused(format!("there are two feeds of the name {slug}; give one another `slug`")));
        }
        let picture = match picture.map(|picture| (super::values::public_url(&picture), picture)) {
            Some((None, picture)) => return Err(wrong(&here, FEED_KEYS[3], &picture)),
            Some((Some(_), picture)) => Some(picture),
            None => None,
        };
        feeds.push(NamedFeed { slug, title, description, picture, selection });
    }
    Ok(feeds)
}

fn wrong(place: &str, (name, takes): (&'static str, &'static str), value: &str) -> ConfigError {
    ConfigError::Value { place: place.to_owned(), name, value: value.to_owned(), takes }
}

fn selection(text: &str) -> Result<Selection, String> {
    let text = text.trim().trim_start_matches(['/', '?']);
    let target = if text.contains('=') && !text.contains('?') { format!("/?{text}") } else { format!("/{text}") };
    let address = Address::parse(&utf8_percent_encode(&target, TYPED).to_string()).map_err(|error| error.to_string())?;
    match address.target {
        Target::List { selection, .. } if selection.name.is_some() => Err("it may not name another feed".to_owned()),
        Target::List { selection, options, .. } if options == Options::default() => Ok(selection),
        Target::List { .. } => Err("it takes what chooses articles; `limit` and the like belong to the reader's URL".to_owned()),
        _ => Err("it takes what chooses articles, such as `category=news&tag=-ads`".to_owned()),
    }
}

/// The feeds as they stand in a file.
pub(super) fn describe(feeds: &[NamedFeed]) -> String {
    let mut text = String::new();
    for feed in feeds {
        let path = Target::page(&feed.selection).path();
        let values = [Some(feed.slug.to_string()), Some(feed.title.clone()), feed.description.clone(), feed.picture.clone(), Some(path)];
        text.push_str("\n[[feed]]\n");
        for ((name, _), value) in FEED_KEYS.iter().zip(values) {
            if let Some(value) = value {
                let _ = writeln!(text, "{name} = {}", toml::Value::String(value));
            }
        }
    }
    text
}
