//! An article as Markdown with its front matter.

use std::fmt::Write as _;

use super::entry as parts;
use crate::model::{Entry, Kind, Site};

/// The file that an article came from, as it was; for any other article front matter with all that is known, and its
/// content as HTML, which Markdown allows.
#[must_use]
pub fn article(entry: &Entry, site: &Site) -> String {
    if let Some(markdown) = &entry.article.markdown {
        return markdown.clone();
    }
    let mut file = String::from("---\n");
    let mut put = |name: &str, value: &str| {
        let _ = writeln!(file, "{name}: {}", quoted(value));
    };
    put("title", &parts::title_or_start(entry));
    put("date", &entry.published.format("%FT%TZ").to_string());
    if entry.updated != entry.published {
        put("lastmod", &entry.updated.format("%FT%TZ").to_string());
    }
    put("link", &parts::link(entry, site));
    put("guid", &entry.article.guid);
    if let Some(summary) = parts::summary(entry, site) {
        put("summary", &crate::model::text::plain(&summary));
    }
    if let Some(picture) = &entry.article.thumbnail {
        put("thumbnail", &site.fill(&picture.url, &entry.key));
    }
    list(&mut file, "authors", entry.article.authors.iter().map(|author| author.name.as_str()));
    list(&mut file, "categories", entry.terms_of(Kind::Category).map(|term| term.name.as_str()));
    list(&mut file, "tags", entry.terms_of(Kind::Tag).map(|term| term.name.as_str()));
    list(&mut file, "lang", entry.article.languages.iter().map(crate::model::Language::as_str));
    let _ = write!(file, "---\n\n{}\n", parts::content(entry, site).unwrap_or_default());
    file
}

fn list<'a>(file: &mut String, name: &str, values: impl Iterator<Item = &'a str>) {
    let values: Vec<String> = values.map(|value| format!("  - {}\n", quoted(value))).collect();
    if !values.is_empty() {
        let _ = write!(file, "{name}:\n{}", values.concat());
    }
}

/// A YAML scalar in double quotes: a JSON string is one.
fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}
