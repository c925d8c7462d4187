//! The site itself: what it is called, and where it stands.

use chrono_tz::Tz;
use url::Url;

use super::{ArticleForm, ArticleKey, Selection, Slug, Target};

/// A character that no article can hold ([`super::text::clean`]): it stands before a path of ours, until the public URL is known.
pub const PLACEHOLDER: char = '\u{fdd0}';

/// Title, public URL and zone; links are built from it alone, never from a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its name.
    pub title: String,
    /// One sentence about it.
    pub description: String,
    /// Without a trailing slash; it may have a path.
    base: String,
    /// For dates on pages and days in parameters.
    pub zone: Tz,
    /// The hub that its feeds name (WebSub); `None`: nobody is told of changes.
    pub hub: Option<String>,
    /// Selections that were given a name.
    pub feeds: Vec<NamedFeed>,
    /// Whether it is only files: nobody answers a question there, so that nothing is to lead to one.
    pub is_static: bool,
}

/// A selection with a name of its own: `/feed/{slug}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFeed {
    /// Its name in URLs.
    pub slug: Slug,
    /// Its name for people.
    pub title: String,
    /// A sentence about it.
    pub description: Option<String>,
    /// The URL of a picture.
    pub picture: Option<String>,
    /// What it stands for.
    pub selection: Selection,
}

impl Site {
    /// A site at a public URL.
    #[must_use]
    pub fn new(title: String, description: String, public_url: &Url, zone: Tz) -> Self {
        Self {
            title,
            description,
            base: public_url.as_str().trim_end_matches('/').to_owned(),
            zone,
            feeds: Vec::new(),
            hub: None,
            is_static: false,
        }
    }

    /// The absolute URL of a path of ours, which begins with `/`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The absolute URL of what a target names.
    #[must_use]
    pub fn link(&self, target: &Target) -> String {
        self.url(&target.path())
    }

    /// The feed that has a name, if there is one.
    #[must_use]
    pub fn named(&self, selection: &Selection) -> Option<&NamedFeed> {
        let name = selection.name.as_ref()?;
        self.feeds.iter().find(|feed| feed.slug == *name)
    }

    /// What a selection stands for: a named feed's own selection, else itself; `None` if there is no feed of its name.
    #[must_use]
    pub fn meant<'a>(&'a self, selection: &'a Selection) -> Option<&'a Selection> {
        if selection.name.is_none() { Some(selection) } else { self.named(selection).map(|named| &named.selection) }
    }

    /// The absolute URL of an article's page.
    #[must_use]
    pub fn article(&self, key: &ArticleKey) -> String {
        self.link(&Target::Article(key.clone(), ArticleForm::Page))
    }

    /// The path of the public URL, which every one of our paths follows; empty for a site at the root.
    #[must_use]
    pub fn prefix(&self) -> &str {
        let authority = self.base.find("://").map_or(0, |at| at + 3);
        self.base[authority..].find('/').map_or("", |at| &self.base[authority + at..])
    }

    /// Replaces the placeholders in an article's HTML: [`PLACEHOLDER`] and a path that begins with `/` is one of ours,
    /// one that begins with `./` a file of the article itself.
    #[must_use]
    pub fn fill(&self, html: &str, key: &ArticleKey) -> String {
        if !html.contains(PLACEHOLDER) {
            return html.to_owned();
        }
        html.replace(&format!("{PLACEHOLDER}./"), &format!("{}/", self.article(key))).replace(PLACEHOLDER, &self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stand_below_the_public_url_with_or_without_a_path() -> Result<(), url::ParseError> {
        let key = ArticleKey::new(&super::super::Slug::from_name("a"), "1");
        for (url, base, prefix) in [
            ("https://feeds.example.org", "https://feeds.example.org", ""),
            ("https://example.org:8443/feeds/", "https://example.org:8443/feeds", "/feeds"),
        ] {
            let site = Site::new(String::new(), String::new(), &Url::parse(url)?, Tz::UTC);
            assert_eq!(site.url("/opml"), format!("{base}/opml"));
            assert_eq!(site.prefix(), prefix);
            let html = format!("<img src=\"{PLACEHOLDER}./a.png\"><a href=\"{PLACEHOLDER}/tag/x\">");
            assert_eq!(site.fill(&html, &key), format!("<img src=\"{base}/article/{key}/a.png\"><a href=\"{base}/tag/x\">"));
        }
        Ok(())
    }
}
