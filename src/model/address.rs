//! The grammar of our URLs: parse and print. One thing has one canonical spelling; every other one is told apart, so
//! that the server can redirect it and caches share one URL.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{ArticleKey, Kind, Language, Selection, Slug};

/// The articles on a page unless the URL says otherwise.
pub const DEFAULT_LIMIT: u16 = 50;
/// The most articles on a page.
pub const MAX_LIMIT: u16 = 500;
/// The most terms in one selection.
const MAX_TERMS: usize = 64;
/// The longest request target in bytes.
const MAX_TARGET: usize = 8192;

/// What stays as it is in a path segment or a query value: unreserved (RFC 3986 2.3) and signs that mean nothing here.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b':')
    .remove(b'@');

/// The feed formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// RSS 2.0.
    Rss,
    /// Atom 1.0 (RFC 4287).
    Atom,
    /// JSON Feed 1.1.
    Json,
}

impl Format {
    /// All of them, the one that most readers take first.
    pub const ALL: [Self; 3] = [Self::Rss, Self::Atom, Self::Json];

    /// Its suffix in URLs, without the dot.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Rss => "rss",
            Self::Atom => "atom",
            Self::Json => "json",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rss => "RSS",
            Self::Atom => "Atom",
            Self::Json => "JSON Feed",
        }
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml; charset=utf-8",
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Json => "application/feed+json",
        }
    }
}

/// How much of each article a feed carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Content {
    /// All that is there.
    #[default]
    Full,
    /// The summary alone.
    Summary,
}

/// How a selection is shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Options {
    /// Articles a page, 1 to [`MAX_LIMIT`].
    pub limit: u16,
    /// How much of each.
    pub content: Content,
    /// Only what is older than this article; pages only.
    pub before: Option<ArticleKey>,
}

impl Default for Options {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, content: Content::default(), before: None }
    }
}

/// What a URL asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// A selection, as a page (`format` is `None`) or as a feed.
    List {
        /// Which articles.
        selection: Selection,
        /// How they are shown.
        options: Options,
        /// The feed's format; `None`: the page.
        format: Option<Format>,
    },
    /// One article.
    Article(ArticleKey, ArticleForm),
    /// A file of an article's bundle.
    File(ArticleKey, String),
    /// All terms of a kind: categories, tags or sources.
    Directory(Kind),
    /// A document that stands by itself.
    Document(Document),
}

/// The forms of one article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArticleForm {
    /// The HTML page.
    Page,
    /// A JSON Feed of one item.
    Json,
    /// Markdown with its front matter.
    Markdown,
}

/// Documents that stand by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Document {
    /// OPML of the sources.
    Sources,
    /// OPML of the published feeds.
    Feeds,
    /// `/robots.txt`
    Robots,
    /// `/sitemap.xml`
    Sitemap,
    /// `/favicon.ico`
    Favicon,
    /// `/healthz`
    Liveness,
}

impl Document {
    const ALL: [Self; 6] = [Self::Sources, Self::Feeds, Self::Robots, Self::Sitemap, Self::Favicon, Self::Liveness];

    /// Its path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Sources => "/opml",
            Self::Feeds => "/opml/feeds",
            Self::Robots => "/robots.txt",
            Self::Sitemap => "/sitemap.xml",
            Self::Favicon => "/favicon.ico",
            Self::Liveness => "/healthz",
        }
    }
}

/// Why a URL cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The grammar has no such path.
    #[error("nothing is published at {0}")]
    NotFound(String),
    /// Not ASCII as sent, or not UTF-8 once decoded, or too long.
    #[error("the request target must be ASCII, percent-encoded UTF-8, and at most {MAX_TARGET} bytes")]
    Malformed,
    /// A parameter that nobody takes, or a value that it does not take.
    #[error("parameter {name:?}: {value:?} is not understood; {expected}")]
    Parameter {
        /// As sent.
        name: String,
        /// As sent.
        value: String,
        /// What would be understood.
        expected: String,
    },
}

/// A URL that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// What it asks for.
    pub target: Target,
    /// Whether it is spelled as [`Address::canonical`]; else it is to be redirected there.
    pub exact: bool,
    /// `_raw=1`: a browser gets the feed itself, not the page.
    pub raw: bool,
    /// Whether its terms stand in the query: one that was never published matches nothing there.
    pub by_query: bool,
}

impl Address {
    /// Reads a path with its query, such as `/tag/rust.rss?limit=5`, without scheme, host and the site's own prefix.
    ///
    /// # Errors
    /// What is wrong with it, naming the parameter and what it takes.
    pub fn parse(target: &str) -> Result<Self, AddressError> {
        if !target.is_ascii() || target.len() > MAX_TARGET || !target.starts_with('/') {
            return Err(AddressError::Malformed);
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut segments = path[1..].split('/').map(|s| decode(s, false)).collect::<Result<Vec<_>, _>>()?;
        if segments.last().is_some_and(String::is_empty) {
            segments.pop();
        }
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<&str> = segments.iter().map(String::as_str).collect();
        let target = match list(&names) {
            Some((selection, format)) => parameters(selection, format, &pairs)?,
            None => other(&names)
                .ok_or_else(|| AddressError::NotFound(path.to_owned()))
                .and_then(|target| without_parameters(target, &pairs))?,
        };
        let raw = pairs.iter().any(|(name, value)| name == "_raw" && value == "1");
        let sent: Vec<_> = pairs.iter().filter(|(name, _)| name != "_raw").map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let exact = print(&names, &sent) == target.path();
        let by_query = pairs.iter().any(|(name, _)| Kind::from_name(name).is_some());
        Ok(Self { target, exact, raw, by_query })
    }

    /// The one spelling of it, path and query.
    #[must_use]
    pub fn canonical(&self) -> String {
        let path = self.target.path();
        match (self.raw, path.contains('?')) {
            (false, _) => path,
            (true, false) => path + "?_raw=1",
            (true, true) => path + "&_raw=1",
        }
    }
}

impl Target {
    /// The page of a selection, from its top.
    #[must_use]
    pub fn page(selection: &Selection) -> Self {
        Self::List { selection: selection.clone(), options: Options::default(), format: None }
    }

    /// A feed of a selection, with the default options.
    #[must_use]
    pub fn feed(selection: &Selection, format: Format) -> Self {
        Self::List { selection: selection.clone(), options: Options::default(), format: Some(format) }
    }

    /// Its canonical path and query.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::List { selection, options, format } => list_path(selection, options, *format),
            Self::Article(key, form) => {
                let suffix = match form {
                    ArticleForm::Page => "",
                    ArticleForm::Json => ".json",
                    ArticleForm::Markdown => ".md",
                };
                format!("/article/{key}{suffix}")
            }
            Self::File(key, name) => {
                let segments: Vec<_> = ["article", key.as_str()].into_iter().chain(name.split('/')).collect();
                print(&segments, &[])
            }
            Self::Directory(kind) => format!("/{}", kind.plural()),
            Self::Document(document) => document.path().to_owned(),
        }
    }
}

fn list_path(selection: &Selection, options: &Options, format: Option<Format>) -> String {
    let suffix = format.map_or_else(String::new, |format| format!(".{}", format.suffix()));
    let mut pairs: Vec<(&str, String)> = Vec::new();
    let limit = options.limit.to_string();
    if let Some(before) = &options.before {
        pairs.push(("before", before.to_string()));
    }
    if options.content == Content::Summary {
        pairs.push(("content", "summary".to_owned()));
    }
    if options.limit != DEFAULT_LIMIT {
        pairs.push(("limit", limit));
    }
    let name;
    let segments = if let Some((kind, slug)) = selection.single() {
        name = format!("{slug}{suffix}");
        vec![kind.name(), name.as_str()]
    } else {
        pairs.extend(selection.values().into_iter().map(|(kind, value)| (kind.name(), value)));
        name = format!("feed{suffix}");
        if format.is_some() { vec![name.as_str()] } else { Vec::new() }
    };
    pairs.sort_by_key(|(name, _)| *name);
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    print(&segments, &pairs)
}

fn print(segments: &[&str], pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for segment in segments {
        let _ = write!(text, "/{}", utf8_percent_encode(segment, ENCODED));
    }
    if text.is_empty() {
        text.push('/');
    }
    for (position, (name, value)) in pairs.iter().enumerate() {
        text.push(if position == 0 { '?' } else { '&' });
        let _ = write!(text, "{}=", utf8_percent_encode(name, ENCODED));
        let parts: Vec<String> = value.split(',').map(|part| utf8_percent_encode(part, ENCODED).to_string()).collect();
        text.push_str(&parts.join(","));
    }
    text
}

fn pair(pair: &str) -> Result<(String, String), AddressError> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    Ok((decode(name, true)?, decode(value, true)?))
}

fn decode(text: &str, is_query: bool) -> Result<String, AddressError> {
    let text = if is_query { text.replace('+', " ") } else { text.to_owned() };
    let decoded = percent_decode_str(&text).decode_utf8().map_err(|_| AddressError::Malformed)?;
    Ok(decoded.into_owned())
}

/// Reads the path of a list: its term, and its format. The old habits of other software are read here as well; as they
/// are printed otherwise, they are redirected.
fn list(segments: &[&str]) -> Option<(Selection, Option<Format>)> {
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
fn other(segments: &[&str]) -> Option<Target> {
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

fn without_parameters(target: Target, pairs: &[(String, String)]) -> Result<Target, AddressError> {
    match pairs.iter().find(|(name, _)| !is_ignored(name)) {
        Some((name, value)) => Err(bad(name, value, "this URL takes no parameters".to_owned())),
        None => Ok(target),
    }
}

fn bad(name: &str, value: &str, expected: String) -> AddressError {
    AddressError::Parameter { name: name.to_owned(), value: value.to_owned(), expected }
}

fn parameters(mut selection: Selection, format: Option<Format>, pairs: &[(String, String)]) -> Result<Target, AddressError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(target: &str) -> String {
        Address::parse(target).map_or_else(|error| format!("{error:?}"), |address| address.canonical())
    }

    fn is_exact(target: &str) -> bool {
        Address::parse(target).is_ok_and(|address| address.exact)
    }

    #[test]
    fn one_selection_has_one_spelling() {
        for (sent, expected) in [
            ("/feed.rss?tag=rust", "/tag/rust.rss"),
            ("/?tag=Rust", "/tag/rust"),
            ("/tag/C%2B%2B.rss", "/tag/c%2B%2B.rss"),
            ("/tag/AI%2FML.atom", "/tag/ai-ml.atom"),
            ("/tag/rust.rss?category=qq", "/feed.rss?category=qq&tag=rust"),
            ("/feed.atom?tag=-ads&tag=llm,ai&category=qq", "/feed.atom?category=qq&tag=ai,llm&tag=-ads"),
            ("/feed.json?tag=-b&tag=-a", "/feed.json?tag=-a,b"),
            ("/feed.rss?tag=a&tag=a&limit=50&content=full&utm_source=x&source=", "/tag/a.rss"),
            ("/feed.rss?limit=5&content=summary", "/feed.rss?content=summary&limit=5"),
            ("/language/zh_cn.rss", "/language/zh-CN.rss"),
            ("/rss.xml", "/feed.rss"),
            ("/atom.xml", "/feed.atom"),
            ("/feed/", "/feed.rss"),
            ("/page/3/", "/"),
            ("/tags/ai/ml/index.xml", "/tag/ai-ml.rss"),
            ("/tags/rust/page/2/", "/tag/rust"),
            ("/categories/QQ/", "/category/qq"),
            ("/category/qq.xml", "/category/qq.rss"),
            ("/tag/asp-rss.html", "/tag/asp-rss"),
            ("/tag/rust.rss?_=99", "/tag/rust.rss"),
            ("/article/ABCDEFGHIJ234.json", "/article/abcdefghij234.json"),
        ] {
            assert_eq!(canonical(sent), expected, "{sent}");
            assert!(is_exact(expected), "{expected}");
            assert!(!is_exact(sent), "{sent}");
        }
    }

    #[test]
    fn encoding_and_a_trailing_slash_are_no_other_spelling() {
        for target in [
            "/tag/%e4%b8%ad.rss",
            "/tag/%E4%B8%AD.rss",
            "/tag/c++.rss",
            "/tag/rust/",
            "/feed.rss?tag=a%2Cb",
            "/feed.rss?tag=a,b",
            "/tags/",
            "/tag/rust.rss?_raw=1",
            "/",
        ] {
            assert!(is_exact(target), "{target}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (target, name) in [
            ("/feed.rss?limit=0", "limit"),
            ("/feed.rss?limit=501", "limit"),
            ("/feed.rss?limit=x", "limit"),
            ("/feed.rss?content=half", "content"),
            ("/feed.rss?q=rust", "q"),
            ("/feed.rss?since=7d", "since"),
            ("/feed.rss?before=abcdefghij234", "before"),
            ("/?limit=1&limit=2", "limit"),
            ("/feed.rss?language=%E4%B8%AD", "language"),
            ("/tags?limit=3", "limit"),
        ] {
            assert!(matches!(Address::parse(target), Err(AddressError::Parameter { name: n, .. }) if n == name), "{target}");
        }
        for target in ["/nothing", "/tag", "/tag/", "/language/%E4%B8%AD", "/article/short", "/tag/a/b", "/metrics.rss"] {
            assert!(matches!(Address::parse(target), Err(AddressError::NotFound(_))), "{target}");
        }
        for target in ["/tag/中", "/tag/%ff", "tag", "/feed.rss?tag=%c3"] {
            assert_eq!(Address::parse(target), Err(AddressError::Malformed), "{target}");
        }
    }

    #[test]
    fn the_raw_wish_survives_a_redirect_and_causes_none() {
        assert_eq!(canonical("/feed.rss?tag=a&_raw=1"), "/tag/a.rss?_raw=1");
        assert!(is_exact("/tag/a.rss?_raw=1"));
    }

    fn slugs() -> impl Strategy<Value = Vec<Slug>> {
        prop::collection::vec("[a-zA-Z+#&=%?中文.,/ -]{1,8}", 1..4)
            .prop_map(|names| names.iter().map(|name| Slug::from_name(name)).collect())
    }

    fn selection() -> impl Strategy<Value = Selection> {
        let kind = prop::sample::select(vec![Kind::Author, Kind::Category, Kind::Source, Kind::Tag]);
        prop::collection::vec((kind, slugs(), any::<bool>()), 0..6).prop_map(|clauses| {
            let mut selection = Selection::default();
            for (kind, slugs, is_positive) in clauses {
                if is_positive { selection.require(kind, slugs) } else { selection.exclude(kind, slugs) }
            }
            selection
        })
    }

    proptest! {
        #[test]
        fn parsing_a_printed_selection_gives_it_back(
            selection in selection(),
            format in prop::sample::select(vec![None, Some(Format::Rss), Some(Format::Atom), Some(Format::Json)]),
            limit in 1..=MAX_LIMIT,
        ) {
            let target = Target::List { selection, format, options: Options { limit, ..Options::default() } };
            let path = target.path();
            let address = Address::parse(&path);
            prop_assert!(address.as_ref().is_ok_and(|address| address.target == target && address.exact), "{}: {:?}", path, address);
        }

        #[test]
        fn a_canonical_url_is_spelled_exactly(path in "/(feed|tag|category)?[a-zA-Z0-9/.%+-]{0,20}(\\?[a-z]{0,5}=[a-z,%0-9-]{0,9})?") {
            if let Ok(address) = Address::parse(&path) {
                let again = Address::parse(&address.canonical());
                prop_assert!(again.is_ok_and(|again| again.exact && again.target == address.target));
            }
        }
    }
}
