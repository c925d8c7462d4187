//! The files and pictures of an item: enclosures, Media RSS, and the elements of podcasts that pass through.

use url::Url;

use super::element::{Element, Part, absolute, web};
use super::item::{filled, title};
use super::names::Vocabulary;
use crate::model::{Article, Enclosure, Extension, Picture, text};

/// Files, pictures or extensions of one article beyond these are passed over.
const MAX_OF_A_KIND: usize = 100;

/// What an item has said of its files.
#[derive(Default)]
pub(super) struct Media {
    enclosures: Vec<Enclosure>,
    /// Each with how well it stands: thumbnails before pictures that are media themselves.
    pictures: Vec<(u8, Picture)>,
    extensions: Vec<Extension>,
    duration: Option<u64>,
}

impl Media {
    /// RSS's `enclosure` and Atom's link of that relation.
    pub(super) fn enclosure(&mut self, element: &Element, base: Option<&Url>) {
        let url = element.attribute("url").or_else(|| element.attribute("href")).map(str::to_owned).or_else(|| filled(element.line()));
        let Some(url) = url.and_then(|url| absolute(base, &url)) else { return };
        self.add(Enclosure {
            media_type: media_type(element),
            length: number(element, "length"),
            duration: None,
            title: element.attribute("title").map(text::line),
            url,
        });
    }

    /// A picture named by an attribute, an element or a text.
    pub(super) fn picture(&mut self, element: &Element, base: Option<&Url>) {
        let inner = || element.child(Vocabulary::Core, "url").map(Element::line);
        let url = element.attribute("url").or_else(|| element.attribute("href")).map(str::to_owned).or_else(inner);
        self.add_picture(1, url.or_else(|| filled(element.line())).as_deref(), element, base);
    }

    /// A Media RSS element.
    pub(super) fn take(&mut self, element: &Element, base: Option<&Url>) {
        match element.name.as_str() {
            "thumbnail" => self.add_picture(0, element.attribute("url"), element, base),
            "content" => self.content(element, base),
            "group" => {
                for inner in element.children().filter(|inner| inner.vocabulary == Vocabulary::Media && inner.name != "content") {
                    if inner.name != "group" {
                        self.take(inner, base);
                    }
                }
                self.best_of_group(element, base);
            }
            _ => {}
        }
    }

    /// A group holds one thing in several forms (Media RSS, `media:group`): the one that is said to be its default, else
    /// the first. Its pictures are offered all.
    fn best_of_group(&mut self, group: &Element, base: Option<&Url>) {
        let forms = || group.children().filter(|inner| inner.is(Vocabulary::Media, "content"));
        let best = forms().find(|form| form.attribute("isdefault") == Some("true")).or_else(|| forms().find(|form| !is_picture(form)));
        for form in forms().filter(|form| is_picture(form)).take(MAX_OF_A_KIND).chain(best.filter(|best| !is_picture(best))) {
            self.content(form, base);
        }
    }

    fn content(&mut self, element: &Element, base: Option<&Url>) {
        for thumbnail in element.children().filter(|inner| inner.is(Vocabulary::Media, "thumbnail")) {
            self.add_picture(0, thumbnail.attribute("url"), thumbnail, base);
        }
        let Some(url) = element.attribute("url").and_then(|url| absolute(base, url)) else { return };
        if is_picture(element) {
            return self.add_picture(2, Some(&url), element, base);
        }
        let media_type = media_type(element);
        if media_type.as_deref() == Some("application/x-shockwave-flash") {
            return;
        }
        self.add(Enclosure {
            url,
            media_type: media_type.or_else(|| {
                element.attribute("medium").filter(|medium| matches!(*medium, "audio" | "video")).map(|medium| format!("{medium}/*"))
            }),
            length: number(element, "filesize"),
            duration: number(element, "duration"),
            title: element.child(Vocabulary::Media, "title").and_then(title),
        });
    }

    /// Adds a file; one that is known already only gains what was not said of it.
    pub(super) fn add(&mut self, file: Enclosure) {
        let is_full = self.enclosures.len() >= MAX_OF_A_KIND;
        match self.enclosures.iter_mut().find(|known| known.url == file.url) {
            Some(known) => {
                known.media_type = known.media_type.take().or(file.media_type);
                known.length = known.length.or(file.length);
                known.duration = known.duration.or(file.duration);
                known.title = known.title.take().or(file.title);
            }
            None if is_full => {}
            None => self.enclosures.push(file),
        }
    }

    fn add_picture(&mut self, rank: u8, url: Option<&str>, element: &Element, base: Option<&Url>) {
        let url = url.and_then(|url| web(base, url));
        if let Some(url) = url.filter(|_| self.pictures.len() < MAX_OF_A_KIND) {
            let size = |name| number(element, name).and_then(|pixels| u32::try_from(pixels).ok());
            self.pictures.push((rank, Picture { url, width: size("width"), height: size("height") }));
        }
    }

    /// The length of the sound or film: `1:02:03`, `62:03` or seconds.
    pub(super) fn duration(&mut self, line: &str) {
        let seconds = |sum: u64, part: &str| {
            let part = part.trim().split('.').next().unwrap_or_default().parse::<u64>().ok()?;
            sum.checked_mul(60)?.checked_add(part)
        };
        self.duration = self.duration.or_else(|| line.split(':').try_fold(0, seconds).filter(|seconds| *seconds > 0));
    }

    /// An element that passes through.
    pub(super) fn extension(&mut self, prefix: &str, element: &Element) {
        if self.extensions.len() < MAX_OF_A_KIND
            && let Some(extension) = extension(prefix, element)
        {
            self.extensions.push(extension);
        }
    }

    pub(super) fn has_enclosure(&self) -> bool {
        !self.enclosures.is_empty()
    }

    /// Gives all to the article.
    pub(super) fn finish(mut self, article: &mut Article) {
        if let Some(first) = self.enclosures.first_mut() {
            first.duration = first.duration.or(self.duration);
        }
        // Of pictures that stand equally well the widest, of equally wide ones the first.
        let best = self.pictures.iter().min_by_key(|(rank, picture)| (*rank, u32::MAX - picture.width.unwrap_or(0)));
        let enclosed = || {
            let is_picture = |file: &&Enclosure| file.media_type.as_deref().is_some_and(|media_type| media_type.starts_with("image/"));
            self.enclosures.iter().find(is_picture).map(|file| Picture { url: file.url.clone(), ..Picture::default() })
        };
        article.thumbnail = best.map(|(_, picture)| picture.clone()).or_else(enclosed);
        article.enclosures = self.enclosures;
        article.extensions = self.extensions;
    }
}

/// Whether a file is a picture. What its type says wins: Mastodon calls a film without sound an image.
pub(super) fn is_picture(element: &Element) -> bool {
    let media_type = element.attribute("type");
    match element.attribute("medium") {
        _ if media_type.is_some_and(|stated| stated.starts_with("video/") || stated.starts_with("audio/")) => false,
        Some(medium) => medium == "image",
        None => match media_type {
            Some(media_type) => media_type.starts_with("image"),
            None => element.attribute("url").is_some_and(|url| {
                let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
                [".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif"].iter().any(|end| path.ends_with(end))
            }),
        },
    }
}

fn media_type(element: &Element) -> Option<String> {
    element.attribute("type").map(text::line).filter(|stated| stated.contains('/') && !stated.contains(' '))
}

/// A number greater than zero; fractions of it go.
fn number(element: &Element, name: &str) -> Option<u64> {
    let digits = element.attribute(name)?.split('.').next()?.trim().replace(',', "");
    digits.parse().ok().filter(|number| *number > 0)
}

/// Depth is limited where elements are made.
fn extension(prefix: &str, element: &Element) -> Option<Extension> {
    let is_name = |name: &str| {
        let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        begins_well && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if !is_name(element.local()) {
        return None;
    }
    let own_text: String =
        element.parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None }).collect();
    let attributes = element.attributes.iter().filter(|(name, _)| is_name(name));
    Some(Extension {
        name: format!("{prefix}:{}", element.local()),
        attributes: attributes.map(|(name, value)| (name.clone(), text::clean(value))).collect(),
        value: filled(text::clean(own_text.trim())),
        children: element
            .children()
            .filter(|inner| inner.vocabulary == element.vocabulary)
            .filter_map(|inner| extension(prefix, inner))
            .collect(),
    })
}
