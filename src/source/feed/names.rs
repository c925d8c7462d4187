//! Which vocabulary an element belongs to: by the namespace that is declared, and where that is unknown or missing, by
//! the prefix that the field uses for it.

use std::collections::HashMap;

/// The vocabularies that mean something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vocabulary {
    /// RSS of any version and Atom of either: their elements do not contradict each other.
    Core,
    Html,
    Rdf,
    /// `content:encoded`.
    Content,
    /// Dublin Core, elements and terms.
    Dublin,
    Media,
    Itunes,
    Podcast,
    Syndication,
    FeedBurner,
    Opml,
    Other,
}

impl Vocabulary {
    /// By the namespace name, written with any scheme, case and ending.
    fn of_namespace(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        let name = name.split_once("://").map_or(name.as_str(), |(_, rest)| rest).trim_end_matches(['/', '#']);
        Some(match name {
            "www.w3.org/2005/atom"
            | "purl.org/atom/ns"
            | "purl.org/rss/1.0"
            | "my.netscape.com/rdf/simple/0.9"
            | "channel.netscape.com/rdf/simple/0.9"
            | "my.netscape.com/publish/formats/rss-0.91.dtd"
            | "backend.userland.com/rss"
            | "backend.userland.com/rss2"
            | "backend.userland.com/rss091"
            | "backend.userland.com/rss092"
            | "blogs.law.harvard.edu/tech/rss"
            | "cyber.law.harvard.edu/rss"
            | "cyber.law.harvard.edu/rss/rss.html"
            | "www.rssboard.org/rss-specification" => Self::Core,
            "www.w3.org/1999/xhtml" => Self::Html,
            "www.w3.org/1999/02/22-rdf-syntax-ns" => Self::Rdf,
            "purl.org/rss/1.0/modules/content" => Self::Content,
            "purl.org/dc/elements/1.1" | "purl.org/dc/elements/1.0" | "purl.org/dc/terms" => Self::Dublin,
            "search.yahoo.com/mrss" | "video.search.yahoo.com/mrss" | "www.rssboard.org/media-rss" | "tools.search.yahoo.com/mrss" => {
                Self::Media
            }
            "www.itunes.com/dtds/podcast-1.0.dtd" | "itunes.com/dtds/podcast-1.0.dtd" => Self::Itunes,
            "podcastindex.org/namespace/1.0" | "github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md" => Self::Podcast,
            "purl.org/rss/1.0/modules/syndication" => Self::Syndication,
            "rssnamespace.org/feedburner/ext/1.0" => Self::FeedBurner,
            "opml.org/spec2" | "www.opml.org/spec2" => Self::Opml,
            _ => return None,
        })
    }

    fn of_prefix(prefix: &str) -> Option<Self> {
        Some(match prefix {
            "" | "rss" | "atom" | "atom03" | "atom10" | "a10" => Self::Core,
            "html" | "xhtml" => Self::Html,
            "rdf" => Self::Rdf,
            "content" => Self::Content,
            "dc" | "dcterms" | "dct" => Self::Dublin,
            "media" => Self::Media,
            "itunes" => Self::Itunes,
            "podcast" => Self::Podcast,
            "sy" => Self::Syndication,
            "feedburner" => Self::FeedBurner,
            _ => return None,
        })
    }
}

/// The namespaces that are declared at a place of the document.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    bound: HashMap<Box<str>, Binding>,
    /// What to restore when an element closes: its depth, a prefix, what that was before.
    undo: Vec<(usize, Box<str>, Option<Binding>)>,
}

/// What a declared prefix stands for; `None`: a namespace that we don't know.
type Binding = Option<Vocabulary>;

impl Namespaces {
    /// Takes a declaration of an element at a depth.
    pub(super) fn declare(&mut self, depth: usize, prefix: &str, namespace: &str) {
        let before = self.bound.insert(prefix.into(), Vocabulary::of_namespace(namespace));
        self.undo.push((depth, prefix.into(), before));
    }

    /// Forgets what elements at this depth and below have declared.
    pub(super) fn leave(&mut self, depth: usize) {
        while let Some((_, prefix, before)) = self.undo.pop_if(|(declared, _, _)| *declared >= depth) {
            match before {
                Some(binding) => self.bound.insert(prefix, binding),
                None => self.bound.remove(&prefix),
            };
        }
    }

    /// The vocabulary of a prefix, and whether it was declared. A namespace that nobody knows is more often a known one
    /// misspelt than another one in disguise, so the usual meaning of its prefix holds.
    pub(super) fn resolve(&self, prefix: &str) -> (Vocabulary, bool) {
        let bound = self.bound.get(prefix);
        let vocabulary = bound.copied().flatten().or_else(|| Vocabulary::of_prefix(prefix)).unwrap_or(Vocabulary::Other);
        (vocabulary, bound.is_some() || matches!(prefix, "" | "xml" | "xmlns"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_namespace_wins_over_the_prefix_and_holds_within_its_element() {
        let mut namespaces = Namespaces::default();
        assert_eq!(namespaces.resolve("media"), (Vocabulary::Media, false));
        namespaces.declare(1, "m", "http://search.yahoo.com/mrss");
        namespaces.declare(1, "", "http://www.w3.org/2005/Atom");
        namespaces.declare(2, "", "http://www.w3.org/1999/xhtml");
        assert_eq!(namespaces.resolve("m"), (Vocabulary::Media, true));
        assert_eq!(namespaces.resolve("").0, Vocabulary::Html);
        namespaces.leave(2);
        assert_eq!(namespaces.resolve("").0, Vocabulary::Core);
        namespaces.leave(1);
        assert_eq!(namespaces.resolve("m"), (Vocabulary::Other, false));
    }
}
