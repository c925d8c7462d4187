//! OPML 2.0: what is aggregated, and what is published.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::entry::{source_page, term_page, without_user};
use crate::model::{Format, Kind, Selection, Site, Source, SourceKind, Target, Term, text};

/// Which addresses a list of sources names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// Those that everybody may know; a private source is its feed here.
    Public,
    /// All as they are, with their secrets: for the owner's eyes.
    All,
}

/// The sources as subscriptions, by their default category; one of several categories stands once and names them all.
#[must_use]
pub fn sources(sources: &[Source], addresses: Addresses, site: &Site) -> String {
    let mut groups: BTreeMap<Option<&str>, Vec<&Source>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.kind != SourceKind::Inbox) {
        groups.entry(source.settings.categories.first().map(String::as_str)).or_default().push(source);
    }
    let mut body = String::new();
    for (category, sources) in groups {
        let outlines: String = sources.into_iter().map(|source| source_outline(source, addresses, site)).collect();
        match category {
            Some(category) => {
                let name = attribute(category);
                let _ = write!(body, "    <outline text=\"{name}\" title=\"{name}\">\n{outlines}    </outline>\n");
            }
            None => body.push_str(&outlines),
        }
    }
    document(&format!("{}: sources", site.title), &body)
}

fn source_outline(source: &Source, addresses: Addresses, site: &Site) -> String {
    let own = || site.link(&Target::feed(&Selection::of(Kind::Source, source.slug.clone()), Format::Rss));
    let feed = match addresses {
        Addresses::All if source.kind == SourceKind::Feed => source.location.clone(),
        Addresses::Public if source.kind == SourceKind::Feed && !source.settings.private => without_user(&source.location).into_owned(),
        _ => own(),
    };
    let home = source.info.home.as_deref().map_or_else(|| source_page(&source.slug, site), |home| without_user(home).into_owned());
    let categories = &source.settings.categories;
    let category = if categories.is_empty() { String::new() } else { format!(" category=\"{}\"", attribute(&slashed(categories))) };
    outline(&source.title, &feed, &home, &category)
}

/// OPML's own form of several categories: `/a,/b`. A name with one of these signs keeps its slug without them.
fn slashed(categories: &[String]) -> String {
    let plain = |category: &String| category.split(['/', ',']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    categories.iter().map(|category| format!("/{}", plain(category))).collect::<Vec<_>>().join(",")
}

/// One outline for the feed of everything, and one for each named feed, category and tag.
#[must_use]
pub fn feeds(categories: &[Term], tags: &[Term], site: &Site) -> String {
    let everything = site.link(&Target::feed(&Selection::default(), Format::Atom));
    let mut body = outline(&site.title, &everything, &site.url("/"), "").replacen("  ", "", 1);
    for named in &site.feeds {
        let selection = Selection::named(named.slug.clone());
        let (feed, page) = (Target::feed(&selection, Format::Atom), Target::page(&selection));
        body += &outline(&named.title, &site.link(&feed), &site.link(&page), "").replacen("  ", "", 1);
    }
    for (title, terms) in [("Categories", categories), ("Tags", tags)] {
        if terms.is_empty() {
            continue;
        }
        let _ = writeln!(body, "    <outline text=\"{title}\" title=\"{title}\">");
        for term in terms {
            let selection = Selection::of(term.name.kind, term.name.slug.clone());
            let title = term.title.as_ref().unwrap_or(&term.name.name);
            body.push_str(&outline(title, &site.link(&Target::feed(&selection, Format::Atom)), &term_page(term, site), ""));
        }
        body.push_str("    </outline>\n");
    }
    document(&format!("{}: feeds", site.title), &body)
}

fn outline(title: &str, feed: &str, home: &str, more: &str) -> String {
    let (title, feed, home) = (attribute(title), attribute(feed), attribute(home));
    format!("      <outline type=\"rss\" text=\"{title}\" title=\"{title}\" xmlUrl=\"{feed}\" htmlUrl=\"{home}\"{more}/>\n")
}

fn attribute(value: &str) -> String {
    text::escape(&text::line(value))
}

fn document(title: &str, body: &str) -> String {
    let title = attribute(title);
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<opml version=\"2.0\">\n  <head>\n    <title>{title}</title>\n  </head>\n  <body>\n{body}  </body>\n</opml>\n"
    )
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;
    use quick_xml::XmlVersion;
    use quick_xml::events::Event;

    use super::super::samples::{site, term};
    use super::*;
    use crate::model::{Slug, SourceId, SourceInfo, SourceSettings, SourceStatus};

    fn source(kind: SourceKind, title: &str, location: &str, categories: &[&str]) -> Source {
        let settings = SourceSettings { categories: categories.iter().map(|&name| name.to_owned()).collect(), ..SourceSettings::default() };
        Source {
            id: SourceId(1),
            kind,
            location: location.to_owned(),
            slug: Slug::from_name(title),
            first_slug: Slug::from_name(title),
            title: title.to_owned(),
            settings,
            info: SourceInfo { home: Some("https://blog.example/?a=1&b=2".to_owned()), ..SourceInfo::default() },
            status: SourceStatus::default(),
        }
    }

    /// The attributes of every outline, those of groups too.
    fn outlines(xml: &str) -> Vec<BTreeMap<String, String>> {
        let mut reader = Reader::from_str(xml);
        let mut found = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Start(element) | Event::Empty(element) if element.name().as_ref() == "outline" => {
                    let attributes = element.attributes().map(Result::unwrap).map(|attribute| {
                        let value = attribute.normalized_value(XmlVersion::Explicit1_0).unwrap().into_owned();
                        (attribute.key.as_ref().to_owned(), value)
                    });
                    found.push(attributes.collect());
                }
                Event::Eof => return found,
                _ => {}
            }
        }
    }

    #[test]
    fn sources_stand_in_their_category_without_user() {
        let all = [
            source(SourceKind::Feed, "A & <b>", "https://me:pass@blog.example/feed?a=1&api_key=k", &["AI/ML", "x, y"]),
            source(SourceKind::Folder, "Notes", "/srv/notes", &[]),
            source(SourceKind::Inbox, "inbox", "inbox", &[]),
        ];
        let opml = sources(&all, Addresses::Public, &site());
        let outlines = outlines(&opml);
        assert_eq!(outlines.len(), 3, "{opml}");
        let (notes, group, blog) = (&outlines[0], &outlines[1], &outlines[2]);
        assert_eq!(notes["xmlUrl"], "https://feeds.example.org/mill/source/notes.rss");
        assert_eq!(group["text"], "AI/ML");
        assert_eq!((blog["type"].as_str(), blog["text"].as_str(), blog["title"].as_str()), ("rss", "A & <b>", "A & <b>"));
        assert_eq!(blog["xmlUrl"], "https://blog.example/feed?a=1");
        assert_eq!(blog["htmlUrl"], "https://blog.example/?a=1&b=2");
        assert_eq!(blog["category"], "/AI-ML,/x-y");
        for secret in ["pass", "me:", "api_key", "/srv"] {
            assert!(!opml.contains(secret), "{opml}");
        }
        let opml = sources(&all, Addresses::All, &site());
        assert!(opml.contains("xmlUrl=\"https://me:pass@blog.example/feed?a=1&amp;api_key=k\""), "{opml}");
    }

    #[test]
    fn every_category_and_tag_is_a_feed_to_subscribe_to() {
        let opml = feeds(&[term(Kind::Category, "qq")], &[term(Kind::Tag, "C++"), term(Kind::Tag, "\u{b}<a>")], &site());
        let titles: Vec<(String, Option<String>)> =
            outlines(&opml).into_iter().map(|outline| (outline["text"].clone(), outline.get("xmlUrl").cloned())).collect();
        let feed = |path: &str| Some(format!("https://feeds.example.org/mill{path}"));
        let expected = [
            ("My feeds & more", feed("/feed.atom")),
            ("Categories", None),
            ("qq", feed("/category/qq.atom")),
            ("Tags", None),
            ("C++", feed("/tag/c%2B%2B.atom")),
            ("<a>", feed("/tag/%3Ca%3E.atom")),
        ];
        assert_eq!(titles, expected.map(|(title, url)| (title.to_owned(), url)));
    }
}
