//! Articles as Markdown files, in a folder for each source.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Work;
use super::folder::Folder;
use crate::cli::now;
use crate::model::{Article, Entry, Kind, Language, Site, Slug, Time};
use crate::output;
use crate::source::{folder, markdown};

/// How much of a title a file's name has, in bytes.
const NAME: usize = 80;
/// A date without an offset is another day in this zone than nearly everywhere, so that a file that has one is noticed.
const ELSEWHERE: chrono_tz::Tz = chrono_tz::Pacific::Kiritimati;

/// Writes some articles, with the files of their bundles.
pub(super) async fn write(entries: &[Entry], work: &Work, site: &Site, folder: &mut Folder) -> anyhow::Result<()> {
    for entry in entries {
        let path = path(entry);
        folder.put_of(&entry.key, &path, text(entry, &path, site).as_bytes())?;
        let beside = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        for file in entry.article.files.iter().filter(|file| is_safe(&file.name)) {
            if let Some((_, bytes)) = work.store.file(&entry.key, &file.name).await? {
                folder.put_of(&entry.key, &format!("{beside}/{}", file.name), &bytes)?;
            }
        }
    }
    Ok(())
}

/// The file of an article: a Markdown file where it was in its folder, any other by its date, title and key.
fn path(entry: &Entry) -> String {
    let slug = entry.source.slug.as_str();
    let source = if slug.starts_with('.') { format!("_{slug}") } else { slug.to_owned() };
    let guid = entry.article.guid.as_str();
    if entry.article.markdown.is_some() && is_safe(guid) {
        return format!("{source}/{guid}.md");
    }
    let title = Slug::from_name(entry.article.title.as_deref().unwrap_or_default());
    let plain = title.as_str().replace(|c: char| !c.is_alphanumeric() && c != '-', "-");
    let title = plain[..plain.floor_char_boundary(NAME)].trim_matches('-');
    format!("{source}/{}-{title}-{}.md", entry.published.format("%F"), entry.key)
}

/// Whether a name is a path that stays inside its folder, is not hidden, and may stand in any file system.
fn is_safe(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.len() <= 200 && !part.starts_with('.') && !part.ends_with([' ', '.']);
    name.split('/').all(is_part) && !name.contains(|c: char| c.is_control() || "\\:*?\"<>|".contains(c)) && name.len() <= 1000
}

/// The text of the file: as it was written, if it says all by itself; else with what it has from its source, its rules
/// and its owner in its front matter.
fn text(entry: &Entry, path: &str, site: &Site) -> String {
    let Some(file) = &entry.article.markdown else { return output::markdown::article(entry, site) };
    let said = read(file, path);
    if said.as_ref().is_some_and(|said| says_all(said, entry)) {
        return file.clone();
    }
    let terms = |kind| entry.terms_of(kind).map(|term| term.name.as_str()).collect::<Value>();
    let date = |time: Time| Value::from(time.format("%FT%TZ").to_string());
    let mut fields = vec![
        ("categories", terms(Kind::Category)),
        ("tags", terms(Kind::Tag)),
        ("lang", entry.article.languages.iter().map(Language::as_str).collect()),
    ];
    // Of a file without a date that of its discovery: elsewhere it would be discovered later.
    fields.push(("date", date(entry.published)));
    fields.extend(entry.article.updated.map(|updated| ("lastmod", date(updated))));
    markdown::with_fields(file, &fields).unwrap_or_else(|| {
        let mut alone = entry.clone();
        alone.article.markdown = None;
        output::markdown::article(&alone, site)
    })
}

/// What a file says where nothing is known of its source.
fn read(file: &str, path: &str) -> Option<Article> {
    let options = folder::Options {
        first_slug: Slug::from_name("elsewhere"),
        timezone: Some(ELSEWHERE),
        default_zone: ELSEWHERE,
        base_url: None,
        max_file: u64::MAX,
        max_bundle_file: 0,
    };
    folder::read_text(path, file.as_bytes(), &options, now()).ok()?.articles.pop()
}

/// Whether a file says by itself what its article is here. One without front matter does not: a folder passes it over.
fn says_all(said: &Article, entry: &Entry) -> bool {
    let own = &entry.article;
    let has_front_matter = own.markdown.as_deref().is_some_and(|file| markdown::with_fields(file, &[]).is_some());
    let slugs = |names: &mut dyn Iterator<Item = &str>| names.map(Slug::from_name).collect::<BTreeSet<_>>();
    let terms = |kind| slugs(&mut entry.terms_of(kind).map(|term| term.name.as_str()));
    let uncategorized = || slugs(&mut ["uncategorized"].into_iter());
    let categories = Some(slugs(&mut said.categories.iter().map(String::as_str))).filter(|own| !own.is_empty());
    has_front_matter
        && own.published.is_some()
        && (&said.title, said.published, said.updated) == (&own.title, own.published, own.updated)
        && said.languages == own.languages
        && slugs(&mut said.tags.iter().map(String::as_str)) == terms(Kind::Tag)
        && categories.unwrap_or_else(uncategorized) == terms(Kind::Category)
}
