//! One item, as it was read: before any default, rule or identity of ours.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Language;

/// A time, to the second.
pub type Time = DateTime<Utc>;

/// An article as its source gives it. Titles and names are plain text; `summary` and `content` are sanitised HTML with
/// absolute links, but for the placeholders of [`super::Site::fill`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Article {
    /// What its source calls it, unique within the source.
    #[serde(skip_serializing_if = "is_default")]
    pub guid: String,
    /// The original.
    #[serde(skip_serializing_if = "is_default")]
    pub link: Link,
    /// Plain text; an article may have none.
    #[serde(skip_serializing_if = "is_default")]
    pub title: Option<String>,
    /// A paragraph above the content, on the page only. Sanitised HTML.
    #[serde(skip_serializing_if = "is_default")]
    pub lead: Option<String>,
    /// Sanitised HTML.
    #[serde(skip_serializing_if = "is_default")]
    pub summary: Option<String>,
    /// Sanitised HTML.
    #[serde(skip_serializing_if = "is_default")]
    pub content: Option<String>,
    /// Who wrote it.
    #[serde(skip_serializing_if = "is_default")]
    pub authors: Vec<Person>,
    /// Who helped.
    #[serde(skip_serializing_if = "is_default")]
    pub contributors: Vec<Person>,
    /// The rights that its publisher states.
    #[serde(skip_serializing_if = "is_default")]
    pub rights: Option<String>,
    /// When it was published; unknown for many.
    #[serde(skip_serializing_if = "is_default")]
    pub published: Option<Time>,
    /// When its author last changed it.
    #[serde(skip_serializing_if = "is_default")]
    pub updated: Option<Time>,
    /// Its languages, the main one first.
    #[serde(skip_serializing_if = "is_default")]
    pub languages: Vec<Language>,
    /// The languages that its author says it exists in.
    #[serde(skip_serializing_if = "is_default")]
    pub translations: Vec<Language>,
    /// What it shares with its translations, and only with them, within its source.
    #[serde(skip)]
    pub translation_key: Option<String>,
    /// Broad groups, as written.
    #[serde(skip_serializing_if = "is_default")]
    pub categories: Vec<String>,
    /// Fine labels, as written.
    #[serde(skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
    /// Its picture.
    #[serde(skip_serializing_if = "is_default")]
    pub thumbnail: Option<Picture>,
    /// Files that belong to it, the main one first.
    #[serde(skip_serializing_if = "is_default")]
    pub enclosures: Vec<Enclosure>,
    /// `itunes:*` and `podcast:*` elements that came in with it.
    #[serde(skip_serializing_if = "is_default")]
    pub extensions: Vec<Extension>,
    /// The URL of its comments.
    #[serde(skip_serializing_if = "is_default")]
    pub comments: Option<String>,
    /// What its page shows.
    #[serde(skip_serializing_if = "is_default")]
    pub page: PageOptions,
    /// The text of its Markdown file, front matter and all, which export gives back.
    #[serde(skip_serializing_if = "is_default")]
    pub markdown: Option<String>,
    /// Files beside it that its content uses.
    #[serde(skip_serializing_if = "is_default")]
    pub files: Vec<BundleFile>,
    /// What its page says in full. It is no part of the article as read, and so none of what is compared.
    #[serde(skip)]
    pub full_text: FullText,
}

/// What says nothing is not written: it is as well not there.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A feed's own content that is longer, in bytes, is no summary.
const LONGEST_SUMMARY: usize = 2000;

impl Article {
    /// Puts the full text, if there is one, in the place of the content, which becomes the summary where there is none.
    /// Says whether there was one.
    pub fn fill(&mut self) -> bool {
        let FullText::Read(html) = std::mem::take(&mut self.full_text) else { return false };
        let own = self.content.replace(html).filter(|own| own.len() <= LONGEST_SUMMARY);
        self.summary = self.summary.take().or(own);
        true
    }
}

/// What is known of the page of an article whose source wishes for full texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum FullText {
    /// Its source wishes for none, or nobody looked yet.
    #[default]
    Unasked,
    /// It is to be asked at a later reading.
    Later,
    /// It was asked: what is stored stays, else the feed's own content.
    Settled,
    /// Its main content: sanitised HTML.
    Read(String),
}

/// Where an article leads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// To its own page here.
    #[default]
    Own,
    /// To its own page here, since nobody can follow what it names: an id that stands for a link, such as `urn:uuid:…`,
    /// or a relative link of a document without an address.
    Named(String),
    /// To the URL that it names.
    At(String),
    /// To the URL of its last paragraph, unless another article has it.
    Candidate(String),
}

impl Link {
    /// The URL that it names.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Own | Self::Named(_) => None,
            Self::At(url) | Self::Candidate(url) => Some(url),
        }
    }

    /// What it names, whether or not that can be followed.
    #[must_use]
    pub fn named(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            _ => self.url(),
        }
    }
}

/// An author or a contributor.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// Plain text.
    pub name: String,
    /// A page of theirs.
    pub uri: Option<String>,
    /// Their address.
    pub email: Option<String>,
}

/// A picture, with its size in pixels where it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Picture {
    /// Absolute.
    pub url: String,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
}

/// A file that belongs to an article.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Enclosure {
    /// Absolute.
    pub url: String,
    /// As its source states it.
    pub media_type: Option<String>,
    /// Bytes.
    pub length: Option<u64>,
    /// Seconds.
    pub duration: Option<u64>,
    /// Plain text.
    pub title: Option<String>,
}

/// An element of a namespace that passes through, in the field's usual prefix.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Extension {
    /// With its prefix: `itunes:duration`.
    pub name: String,
    /// Name and value of each attribute, unescaped.
    pub attributes: Vec<(String, String)>,
    /// Its text, unescaped.
    pub value: Option<String>,
    /// The elements inside it.
    pub children: Vec<Extension>,
}

/// A file of a page bundle, served at `/article/{id}/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BundleFile {
    /// Its path inside the bundle.
    pub name: String,
    /// Its media type, by its extension.
    pub media_type: String,
    /// What is in it; kept in a table of its own.
    #[serde(skip)]
    pub bytes: Vec<u8>,
    /// The first 16 bytes of the SHA-256 of its contents, in hexadecimal.
    pub hash: String,
}

/// What the page of an article shows; feeds know nothing of it.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the front matter, and none excludes another")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PageOptions {
    /// The menus that link it.
    pub menus: Vec<MenuEntry>,
    /// A link to its comments, where there is a URL for them.
    pub comments: bool,
    /// The author's box.
    pub authorbox: bool,
    /// Previous and next.
    pub pager: bool,
    /// A table of contents.
    pub toc: bool,
    /// TeX as MathML.
    pub mathjax: bool,
    /// Where the sidebar stands.
    pub sidebar: Sidebar,
    /// What the sidebar holds, in order; `None`: all.
    pub widgets: Option<Vec<Widget>>,
}

impl Default for PageOptions {
    fn default() -> Self {
        Self {
            menus: Vec::new(),
            comments: true,
            authorbox: true,
            pager: true,
            toc: false,
            mathjax: false,
            sidebar: Sidebar::Right,
            widgets: None,
        }
    }
}

/// An article's entry in a menu of the site.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MenuEntry {
    /// `main`, `side`, `footer`, or another name.
    pub menu: String,
    /// The words of the link; else the title.
    pub name: Option<String>,
    /// Lower ones come first.
    pub weight: i64,
}

/// Where the sidebar stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sidebar {
    /// Before the article.
    Left,
    /// After it.
    #[default]
    Right,
    /// There is none.
    None,
}

/// A box of the sidebar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Widget {
    /// A form for the search.
    Search,
    /// The newest articles.
    Recent,
    /// The most used tags.
    Taglist,
    /// The categories.
    Categories,
    /// The languages.
    Languages,
}
