//! For crawlers: the sitemap (sitemaps.org 0.9) and `robots.txt` (RFC 9309).

use std::fmt::Write as _;

use super::entry::{date, term_page};
use crate::model::{ArticleKey, Document, Kind, Site, Target, Term, Time, text};

/// The most URLs that one sitemap may have.
pub const MAX_URLS: usize = 50_000;

/// The pages of terms, then the newest articles with their last change.
#[must_use]
pub fn sitemap(terms: &[Term], articles: &[(ArticleKey, Time)], site: &Site) -> String {
    let mut xml =
        String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
    let directories = [Kind::Category, Kind::Tag, Kind::Source].map(|kind| site.link(&Target::Directory(kind)));
    let pages = [site.url("/")].into_iter().chain(directories).chain(terms.iter().map(|term| term_page(term, site)));
    let pages = pages.map(|url| (url, None)).chain(articles.iter().map(|(key, changed)| (site.article(key), Some(changed))));
    for (url, changed) in pages.take(MAX_URLS) {
        let changed = changed.map_or_else(String::new, |time| format!("<lastmod>{}</lastmod>", date(*time)));
        let _ = writeln!(xml, "<url><loc>{}</loc>{changed}</url>", text::escape(&url));
    }
    xml + "</urlset>\n"
}

/// All may be read; combinations of terms are too many to crawl.
#[must_use]
pub fn robots(site: &Site) -> String {
    let prefix = site.prefix();
    format!("User-agent: *\nDisallow: {prefix}/*?*\nSitemap: {}\n", site.link(&Target::Document(Document::Sitemap)))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{site, term, time};
    use super::*;
    use crate::model::Slug;

    #[test]
    fn the_sitemap_names_pages_and_articles_with_their_last_change() {
        let key = ArticleKey::new(&Slug::from_name("a"), "1");
        let xml = sitemap(&[term(Kind::Tag, "C++"), term(Kind::Tag, "a'b&c")], &[(key.clone(), time(0))], &site());
        for line in [
            "<url><loc>https://feeds.example.org/mill/</loc></url>",
            "<url><loc>https://feeds.example.org/mill/tags</loc></url>",
            "<url><loc>https://feeds.example.org/mill/tag/c%2B%2B</loc></url>",
            "<url><loc>https://feeds.example.org/mill/tag/a&apos;b%26c</loc></url>",
            &format!("<url><loc>https://feeds.example.org/mill/article/{key}</loc><lastmod>2025-02-12T01:33:20Z</lastmod></url>"),
        ] {
            assert!(xml.lines().any(|other| other == line), "{line} is not in {xml}");
        }
    }

    #[test]
    fn a_sitemap_never_names_more_than_it_may() {
        let articles = vec![(ArticleKey::new(&Slug::from_name("a"), "1"), time(0)); MAX_URLS + 10];
        assert_eq!(sitemap(&[], &articles, &site()).matches("<url>").count(), MAX_URLS);
    }

    #[test]
    fn crawlers_may_read_all_but_combinations() {
        assert_eq!(robots(&site()), "User-agent: *\nDisallow: /mill/*?*\nSitemap: https://feeds.example.org/mill/sitemap.xml\n");
    }
}
