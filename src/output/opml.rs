//! OPML 2.0: what is aggregated, and what is published.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::entry::{source_page, term_page, without_user};
use crate::model::{Format, Kind, Selection, Site, Source, SourceKind, Target, Term, text};

/// The sources as subscriptions, by their default category; one of several categories stands once and names them all.
#[must_use]
pub fn sources(sources: &[Source], site: &Site) -> String {
    let mut groups: BTreeMap<Option<&str>, Vec<&Source>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.kind != SourceKind::Inbox) {
        groups.entry(source.settings.categories.first().map(String::as_str)).or_default().push(source);
    }
    let mut body = String::new();
    for (category, sources) in groups {
        let outlines: String = sources.into_iter().map(|source| source_outline(source, site)).collect();
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

fn source_outline(source: &Source, site: &Site) -> String {
    let own = || site.link(&Target::feed(&Selection::of(Kind::Source, source.slug.clone()), Format::Rss));
    let feed = if source.kind == SourceKind::Feed { without_user(&source.location).into_owned() } else { own() };
    let home = source.info.home.clone().unwrap_or_else(|| source_page(&source.slug, site));
    let categories = &source.settings.categories;
    let category = if categories.is_empty() { String::new() } else { format!(" category=\"{}\"", attribute(&slashed(categories))) };
    outline(&source.title, &feed, &home, &category)
}

/// OPML's own form of several categories: `/a,/b`.
fn slashed(categories: &[String]) -> String {
    categories.iter().map(|category| format!("/{}", category.replace(['/', ','], "-"))).collect::<Vec<_>>().join(",")
}

/// One outline for the feed of everything, and one for each category and tag.
#[must_use]
pub fn feeds(categories: &[Term], tags: &[Term], site: &Site) -> String {
    let everything = site.link(&Target::feed(&Selection::default(), Format::Atom));
    let mut body = outline(&site.title, &everything, &site.url("/"), "").replacen("  ", "", 1);
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
