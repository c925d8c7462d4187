//! The site itself: what it is called, and where it stands.

use chrono_tz::Tz;
use url::Url;

use super::websub::HUB;
use super::{ArticleForm, ArticleKey, Format, Options, Selection, Slug, Target};

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

    /// Whether its feeds name our own hub, not another one.
    #[must_use]
    pub fn has_own_hub(&self) -> bool {
        self.hub.as_deref() == Some(self.url(HUB).as_str())
    }

    /// Whether a target is a feed that can be subscribed to, a named one as what it stands for; otherwise what it is instead.
    ///
    /// # Errors
    /// What stands in the way, in words.
    pub fn topic(&self, target: &Target) -> Result<(), String> {
        let Target::List { selection, options, format } = target else { return target.topic() };
        let selection = self.meant(selection).unwrap_or(selection).clone();
        Target::List { selection, options: options.clone(), format: *format }.topic()
    }

    /// The hub that tells of the changes of a feed: ours of any that can be subscribed to, another one of what it is told of
    /// itself, which is everything, whole terms and named feeds.
    #[must_use]
    pub fn hub_of(&self, selection: &Selection, options: &Options) -> Option<&str> {
        let is_whole = || selection.is_all() || selection.name.is_some() || selection.single().is_some();
        let is_told = self.has_own_hub() || (*options == Options::default() && is_whole());
        let feed = || Target::List { selection: selection.clone(), options: options.clone(), format: Some(Format::Atom) };
        self.hub.as_deref().filter(|_| !self.is_static && is_told && self.topic(&feed()).is_ok())
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

    #[test]
    fn a_hub_stands_in_the_feeds_that_it_is_told_of() -> Result<(), url::ParseError> {
        let mut site = Site::new(String::new(), String::new(), &Url::parse("https://a.example/x")?, Tz::UTC);
        let list = |path: &str| match super::super::Address::parse(path).map(|address| address.target) {
            Ok(Target::List { selection, options, .. }) => (selection, options),
            other => panic!("{path} is {other:?}"),
        };
        for (slug, query) in [("words", "/?q=zebra"), ("week", "/?since=7d&tag=a"), ("plain", "/?tag=a&tag=-b")] {
            let (slug, selection) = (Slug::from_name(slug), list(query).0);
            site.feeds.push(NamedFeed { slug, title: String::new(), description: None, picture: None, selection });
        }
        for (path, own, other) in [
            ("/feed.rss", true, true),
            ("/tag/a.rss", true, true),
            ("/feed/plain.rss", true, true),
            ("/feed.rss?tag=a&tag=b", true, false),
            ("/tag/a.rss?limit=5", true, false),
            ("/feed/words.rss", false, false),
            ("/feed/week.rss", false, false),
            ("/feed.rss?q=zebra", false, false),
        ] {
            let (selection, options) = list(path);
            for (hub, is_named) in [("https://a.example/x/hub", own), ("https://hub.example/", other)] {
                site.hub = Some(hub.to_owned());
                assert_eq!(site.hub_of(&selection, &options), is_named.then_some(hub), "{path}");
            }
        }
        Ok(())
    }
}
