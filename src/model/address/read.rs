//! Reading URLs: paths of lists and of everything else, the habits of other software, parameters.

use percent_encoding::percent_decode_str;

use super::{AddressError, ArticleForm, Document, Format, Target};
use crate::model::{
    Archive, ArticleKey, Content, DEFAULT_LIMIT, Ids, Kind, Language, MAX_LIMIT, Moment, Options, Period, Query, Selection, Slug, Sort, Via,
};

/// The most terms in one selection.
const MAX_TERMS: usize = 64;
/// The most languages that are preferred in turn.
const MAX_PREFERRED: usize = 8;

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
    match first_page(segments) {
        [] | ["index.html" | "feed.html"] => Some((Selection::default(), None)),
        ["rss" | "feed" | "rss.xml" | "feed.xml" | "index.xml" | "feed.rss"] => Some((Selection::default(), Some(Format::Rss))),
        ["atom.xml" | "feed.atom"] => Some((Selection::default(), Some(Format::Atom))),
        ["feed.json"] => Some((Selection::default(), Some(Format::Json))),
        [plural @ ("categories" | "tags"), name @ ..] if !name.is_empty() => hugo(plural, name),
        ["feed", name] => {
            let (name, format) = format_of(name)?;
            (!name.is_empty()).then(|| (Selection::named(Slug::from_name(name)), format))
        }
        [kind, name] => {
            let (name, format) = format_of(name)?;
            term(Kind::from_name(kind)?, name).map(|selection| (selection, format))
        }
        _ => None,
    }
}

/// Of Hugo's `…/page/2/` what stands before it.
fn first_page<'a, 'b>(segments: &'a [&'b str]) -> &'a [&'b str] {
    match segments {
        [rest @ .., "page", number] if number.bytes().all(|b| b.is_ascii_digit()) => rest,
        other => other,
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
        [plural @ ("categories" | "tags"), rest @ ..] if matches!(first_page(segments), [_]) || rest == ["index.html"] => {
            Some(Target::Directory(if *plural == "tags" { Kind::Tag } else { Kind::Category }))
        }
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
        let narrows = Kind::from_name(name).is_some() || matches!(name.as_str(), "q" | "since" | "until");
        if narrows && !value.is_empty() && selection.name.is_some() {
            return Err(bad(
                name,
                value,
                "a named feed is not narrowed any further; ask for a selection of your own below /feed".to_owned(),
            ));
        }
        if let Some(kind) = Kind::from_name(name) {
            narrow(&mut selection, kind, value)?;
            continue;
        }
        if seen.contains(&name.as_str()) {
            return Err(bad(name, value, "it may be given once".to_owned()));
        }
        seen.push(name);
        if !value.is_empty() || !PARAMETERS.contains(&name.as_str()) {
            parameter(&mut selection, &mut options, name, value)?;
        }
    }
    check(&selection, &mut options, format)?;
    Ok(Target::List { selection, options, format })
}

/// What cannot stand together, or not on a page, or not in a feed; what has no effect goes.
fn check(selection: &Selection, options: &mut Options, format: Option<Format>) -> Result<(), AddressError> {
    let count = selection.terms().count();
    if count > MAX_TERMS {
        return Err(bad("selection", &count.to_string(), format!("a selection names at most {MAX_TERMS} terms")));
    }
    let refused = |name, is_set: bool, expected: &str| if is_set { Err(bad(name, "", expected.to_owned())) } else { Ok(()) };
    let is_feed = format.is_some();
    refused("before", is_feed && options.before.is_some(), "only pages take it; leave it away")?;
    refused("explain", is_feed && options.explain, "only pages take it; leave it away")?;
    refused("sort", is_feed && options.sort == Sort::Rank, "feeds are always newest first; leave it away")?;
    refused("archive", !is_feed && options.archive.is_some(), "only feeds take it; leave it away")?;
    let is_cut = options.before.is_some() || options.archive.is_some();
    refused("per_source", is_cut && options.per_source.is_some(), "it is for first pages only")?;
    refused("digest", is_cut && options.digest.is_some(), "a digest has one page")?;
    refused("digest", options.per_source.is_some() && options.digest.is_some(), "it does not stand together with `per_source`")?;
    if options.archive.is_some() {
        refused("archive", selection.is_relative(), "what moves with the clock has no archive")?;
        options.limit = DEFAULT_LIMIT;
    }
    if selection.words.is_none() {
        options.sort = Sort::Newest;
    }
    Ok(())
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

/// The parameters of lists, but for the kinds of terms.
const PARAMETERS: [&str; 14] =
    ["q", "sort", "since", "until", "limit", "per_source", "digest", "prefer", "content", "via", "ids", "before", "archive", "explain"];

fn parameter(selection: &mut Selection, options: &mut Options, name: &str, value: &str) -> Result<(), AddressError> {
    match name {
        "q" => selection.words = Query::parse(value).map_err(|error| bad(name, value, error.to_string()))?,
        "sort" => options.sort = one_of(name, value, &[("newest", Sort::Newest), ("rank", Sort::Rank)])?,
        "since" => selection.since = Some(moment(name, value)?),
        "until" => selection.until = Some(moment(name, value)?),
        "limit" => options.limit = number(name, value)?,
        "per_source" => options.per_source = Some(number(name, value)?),
        "digest" => options.digest = Some(one_of(name, value, &[("daily", Period::Daily), ("weekly", Period::Weekly)])?),
        "prefer" => options.prefer = preferred(name, value)?,
        "content" => options.content = one_of(name, value, &[("full", Content::Full), ("summary", Content::Summary)])?,
        "via" => options.via = Some(one_of(name, value, &[("title", Via::Title), ("body", Via::Body)])?),
        "ids" => options.ids = one_of(name, value, &[("feed", Ids::Feed)])?,
        "before" => options.before = Some(ArticleKey::parse(value).ok_or_else(|| bad(name, value, followed("older articles on a page")))?),
        "archive" => options.archive = Some(Archive::parse(value).ok_or_else(|| bad(name, value, followed("`prev-archive` in a feed")))?),
        "explain" => options.explain = one_of(name, value, &[("1", true)])?,
        _ => {
            let mut known: Vec<&str> = PARAMETERS.into_iter().chain(Kind::ALL.map(Kind::name)).collect();
            known.sort_unstable();
            return Err(bad(name, value, format!("the parameters here are {}", known.join(", "))));
        }
    }
    Ok(())
}

fn followed(link: &str) -> String {
    format!("follow the link to {link}")
}

fn number(name: &str, value: &str) -> Result<u16, AddressError> {
    let number = value.parse().ok().filter(|number| (1..=MAX_LIMIT).contains(number));
    number.ok_or_else(|| bad(name, value, format!("it takes a whole number from 1 to {MAX_LIMIT}")))
}

fn moment(name: &str, value: &str) -> Result<Moment, AddressError> {
    let expected = "it takes a date such as `2025-02-12`, an RFC 3339 time, or an age such as `36h`, `7d` or `2w`";
    Moment::parse(value).ok_or_else(|| bad(name, value, expected.to_owned()))
}

fn one_of<T: Copy>(name: &str, value: &str, known: &[(&str, T)]) -> Result<T, AddressError> {
    let found = known.iter().find(|(word, _)| *word == value).map(|(_, found)| *found);
    let words: Vec<String> = known.iter().map(|(word, _)| format!("`{word}`")).collect();
    found.ok_or_else(|| bad(name, value, format!("it takes {}", words.join(" or "))))
}

fn preferred(name: &str, value: &str) -> Result<Vec<Language>, AddressError> {
    let mut languages: Vec<Language> = Vec::new();
    for text in value.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let language = Language::parse(text);
        let language = language.ok_or_else(|| bad(name, value, "it takes BCP 47 languages in order, such as `zh,en`".to_owned()))?;
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    if languages.len() > MAX_PREFERRED {
        return Err(bad(name, value, format!("it takes at most {MAX_PREFERRED} languages")));
    }
    Ok(languages)
}
