//! The grammar of our URLs: parse and print. One thing has one canonical spelling; every other one is told apart, so
//! that the server can redirect it and caches share one URL.

mod read;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{ArticleKey, Content, DEFAULT_LIMIT, Ids, Kind, Options, Selection, Sort};

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

    /// Its media type without parameters, as links name it.
    #[must_use]
    pub fn plain_media_type(self) -> &'static str {
        self.media_type().split(';').next().unwrap_or_default()
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
    /// The log of what failed, moved, died and recovered; as a page or as a feed.
    Health(Option<Format>),
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
    /// How a browser searches here (OpenSearch 1.1).
    OpenSearch,
    /// `/healthz`
    Liveness,
    /// `/metrics`
    Metrics,
}

impl Document {
    const ALL: [Self; 8] =
        [Self::Sources, Self::Feeds, Self::Robots, Self::Sitemap, Self::Favicon, Self::OpenSearch, Self::Liveness, Self::Metrics];

    /// Its path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Sources => "/opml",
            Self::Feeds => "/opml/feeds",
            Self::Robots => "/robots.txt",
            Self::Sitemap => "/sitemap.xml",
            Self::Favicon => "/favicon.ico",
            Self::OpenSearch => "/opensearch.xml",
            Self::Liveness => "/healthz",
            Self::Metrics => "/metrics",
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
        let mut segments = path[1..].split('/').map(|s| read::decode(s, false)).collect::<Result<Vec<_>, _>>()?;
        if segments.last().is_some_and(String::is_empty) {
            segments.pop();
        }
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(read::pair).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<&str> = segments.iter().map(String::as_str).collect();
        let target = match read::list(&names) {
            Some((selection, format)) => read::parameters(selection, format, &pairs)?,
            None => read::other(&names)
                .ok_or_else(|| AddressError::NotFound(path.to_owned()))
                .and_then(|target| read::without_parameters(target, &pairs))?,
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
        self.spelt(self.target.path())
    }

    /// Another path asked for in the way that this one was.
    #[must_use]
    pub fn spelt(&self, path: String) -> String {
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
            Self::Health(None) => "/health".to_owned(),
            Self::Health(Some(format)) => format!("/health.{}", format.suffix()),
            Self::Document(document) => document.path().to_owned(),
        }
    }
}

fn list_path(selection: &Selection, options: &Options, format: Option<Format>) -> String {
    let suffix = format.map_or_else(String::new, |format| format!(".{}", format.suffix()));
    let mut pairs = values(options);
    let name;
    let segments = if let Some(slug) = &selection.name {
        name = format!("{slug}{suffix}");
        vec!["feed", name.as_str()]
    } else if let Some((kind, slug)) = selection.single() {
        name = format!("{slug}{suffix}");
        vec![kind.name(), name.as_str()]
    } else {
        pairs.extend(selection.values());
        name = format!("feed{suffix}");
        if format.is_some() { vec![name.as_str()] } else { Vec::new() }
    };
    pairs.sort_by_key(|(name, _)| *name);
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    print(&segments, &pairs)
}

/// The query parameters of what is not as it is by default.
fn values(options: &Options) -> Vec<(&'static str, String)> {
    let when = |is_set: bool, name, value: &str| is_set.then(|| (name, value.to_owned()));
    let prefer = options.prefer.iter().map(super::Language::as_str).collect::<Vec<_>>().join(",");
    [
        options.archive.as_ref().map(|archive| ("archive", archive.to_string())),
        options.before.as_ref().map(|before| ("before", before.to_string())),
        when(options.content == Content::Summary, "content", "summary"),
        options.digest.map(|digest| ("digest", digest.name().to_owned())),
        when(options.explain, "explain", "1"),
        when(options.ids == Ids::Feed, "ids", "feed"),
        when(options.limit != DEFAULT_LIMIT, "limit", &options.limit.to_string()),
        options.per_source.map(|number| ("per_source", number.to_string())),
        when(!options.prefer.is_empty(), "prefer", &prefer),
        when(options.sort == Sort::Rank, "sort", "rank"),
        options.via.map(|via| ("via", via.name().to_owned())),
    ]
    .into_iter()
    .flatten()
    .collect()
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
