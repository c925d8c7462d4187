//! Reading URLs: paths of lists and of everything else, the habits of other software, parameters.

use percent_encoding::percent_decode_str;

use super::{AddressError, ArticleForm, Content, Document, Format, MAX_LIMIT, Options, Target};
use crate::model::{ArticleKey, Kind, Language, Selection, Slug};

/// The most terms in one selection.
const MAX_TERMS: usize = 64;

pub(super) fn pair(pair: &str) -> Result<(String, String), AddressError> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    Ok((decode(name, true)?, decode(value, true)?))
}

pub(super) fn decode(text: &str, is_query: bool) -> Result<String, AddressError> {
    let text = if is_query { text.replace('+', " ") } else { text.to_owned() };
    let decoded = percent_decode_str(&text).decode_utf8().map_err(|_| AddressError::Malformed)?;
    Ok(decoded.into_owned())
}

/// Reads the path of a list: its term, and its format. The old habits of other software are read here as well; as they
/// are printed otherwise, they are redirected.
pub(super) fn list(segments: &[&str]) -> Option<(Selection, Option<Format>)> {
    let segments = match segments {
        [rest @ .., "page", number] if number.bytes().all(|b| b.is_ascii_digit()) => rest,
        other => other,
    };
    match segments {
        [] | ["index.html" | "feed.html"] => Some((Selection::default(), None)),
        ["rss" | "feed" | "rss.xml" | "feed.xml" | "index.xml" | "feed.rss"] => Some((Selection::default(), Some(Format::Rss))),
        ["atom.xml" | "feed.atom"] => Some((Selection::default(), Some(Format::Atom))),
        ["feed.json"] => Some((Selection::default(), Some(Format::Json))),
        [plural @ ("categories" | "tags"), name @ ..] if !name.is_empty() => hugo(plural, name),
        [kind, name] => {
            let (name, format) = format_of(name)?;
            term(Kind::from_name(kind)?, name).map(|selection| (selection, format))
        }
        _ => None,
    }
}

/// Hugo's `/tags/{name}/`, `/tags/{name}/index.xml`; a slash in the name makes more segments.
fn hugo(plural: &str, name: &[&str]) -> Option<(Selection, Option<Format>)> {
    let kind = if plural == "tags" { Kind::Tag } else { Kind::Category };
    let (name, format) = match name {
        [name @ .., "index.xml"] => (name.join("/"), Some(Format::Rss)),
        [name @ .., "index.html"] => (name.join("/"), None),
        name => {
            let joined = name.join("/");
            let (name, format) = format_of(&joined)?;
            (name.to_owned(), format)
        }
    };
    if name.is_empty() { None } else { term(kind, &name).map(|selection| (selection, format)) }
}

fn term(kind: Kind, name: &str) -> Option<Selection> {
    let slug = if kind == Kind::Language { Language::parse(name)?.slug() } else { Slug::from_name(name) };
    (!name.is_empty()).then(|| Selection::of(kind, slug))
}

fn format_of(name: &str) -> Option<(&str, Option<Format>)> {
    let Some((stem, suffix)) = name.rsplit_once('.') else { return Some((name, None)) };
    match suffix {
        "rss" | "xml" => Some((stem, Some(Format::Rss))),
        "atom" => Some((stem, Some(Format::Atom))),
        "json" => Some((stem, Some(Format::Json))),
        "html" => Some((stem, None)),
        "md" => None,
        _ => Some((name, None)),
    }
}

/// Reads the path of anything but a list.
pub(super) fn other(segments: &[&str]) -> Option<Target> {
    match segments {
        ["article", name] => {
            let (key, form) = match name.rsplit_once('.') {
                Some((key, "json")) => (key, ArticleForm::Json),
                Some((key, "md")) => (key, ArticleForm::Markdown),
                Some((key, "html")) => (key, ArticleForm::Page),
                _ => (*name, ArticleForm::Page),
            };
            Some(Target::Article(ArticleKey::parse(key)?, form))
        }
        ["article", key, name @ ..] => Some(Target::File(ArticleKey::parse(key)?, name.join("/"))),
        ["categories"] => Some(Target::Directory(Kind::Category)),
        ["tags"] => Some(Target::Directory(Kind::Tag)),
        ["sources"] => Some(Target::Directory(Kind::Source)),
        [name] if format_of(name).is_some_and(|(stem, _)| stem == "health") => Some(Target::Health(format_of(name)?.1)),
        segments => {
            let path = format!("/{}", segments.join("/"));
            Document::ALL.into_iter().find(|document| document.path() == path).map(Target::Document)
        }
    }
}

/// Parameters that trackers and caches add; they mean nothing here.
fn is_ignored(name: &str) -> bool {
    name.starts_with(['_']) || name.starts_with("utm_") || name.starts_with("mc_") || matches!(name, "fbclid" | "gclid" | "ref")
}

pub(super) fn without_parameters(target: Target, pairs: &[(String, String)]) -> Result<Target, AddressError> {
    match pairs.iter().find(|(name, _)| !is_ignored(name)) {
        Some((name, value)) => Err(bad(name, value, "this URL takes no parameters".to_owned())),
        None => Ok(target),
    }
}

fn bad(name: &str, value: &str, expected: String) -> AddressError {
    AddressError::Parameter { name: name.to_owned(), value: value.to_owned(), expected }
}

pub(super) fn parameters(mut selection: Selection, format: Option<Format>, pairs: &[(String, String)]) -> Result<Target, AddressError> {
    let mut options = Options::default();
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in pairs.iter().filter(|(name, _)| !is_ignored(name)) {
        if let Some(kind) = Kind::from_name(name) {
            narrow(&mut selection, kind, value)?;
            continue;
        }
        if seen.contains(&name.as_str()) {
            return Err(bad(name, value, "it may be given once".to_owned()));
        }
        seen.push(name);
        option(&mut options, format, name, value)?;
    }
    match selection.terms().count() {
        ..=MAX_TERMS => Ok(Target::List { selection, options, format }),
        count => Err(bad("selection", &count.to_string(), format!("a selection names at most {MAX_TERMS} terms"))),
    }
}

fn narrow(selection: &mut Selection, kind: Kind, value: &str) -> Result<(), AddressError> {
    let (names, is_negative) = value.strip_prefix('-').map_or((value, false), |names| (names, true));
    let mut slugs = Vec::new();
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        slugs.push(match kind {
            Kind::Language => Language::parse(name)
                .ok_or_else(|| bad(kind.name(), value, "it takes BCP 47 languages, such as `zh-CN` or `en,fr`".to_owned()))?
                .slug(),
            _ => Slug::from_name(name),
        });
    }
    match (slugs.is_empty(), is_negative) {
        (true, _) => {}
        (false, true) => selection.exclude(kind, slugs),
        (false, false) => selection.require(kind, slugs),
    }
    Ok(())
}

fn option(options: &mut Options, format: Option<Format>, name: &str, value: &str) -> Result<(), AddressError> {
    match name {
        "limit" | "content" | "before" if value.is_empty() => {}
        "limit" => {
            options.limit = value
                .parse()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or_else(|| bad(name, value, format!("it takes a whole number from 1 to {MAX_LIMIT}")))?;
        }
        "content" => {
            options.content = match value {
                "full" => Content::Full,
                "summary" => Content::Summary,
                _ => return Err(bad(name, value, "it takes `full` or `summary`".to_owned())),
            }
        }
        "before" if format.is_some() => return Err(bad(name, value, "only pages take it; leave it away".to_owned())),
        "before" => {
            let cursor = ArticleKey::parse(value);
            options.before = Some(cursor.ok_or_else(|| bad(name, value, "follow the link to older articles on a page".to_owned()))?);
        }
        _ => {
            let known = "author, before, category, content, language, limit, source and tag";
            return Err(bad(name, value, format!("the parameters here are {known}")));
        }
    }
    Ok(())
}
