//! The files and the picture of an entry, and their media types.

use std::borrow::Cow;

use super::entry::absolute;
use crate::model::{Enclosure, Entry, Extension, Picture, Site};

/// What a file is whose type nobody tells.
const UNKNOWN: &str = "application/octet-stream";

/// A file of an entry with an address that can be published.
pub(super) struct File<'a> {
    /// Absolute.
    pub(super) url: String,
    /// As stated, else by its extension.
    pub(super) media_type: &'a str,
    /// All else that is known of it.
    pub(super) enclosure: &'a Enclosure,
}

/// The files of an entry, the main one first.
pub(super) fn files<'a>(entry: &'a Entry, site: &'a Site) -> impl Iterator<Item = File<'a>> {
    entry.article.enclosures.iter().filter_map(|enclosure| {
        let url = address(&enclosure.url, entry, site)?;
        Some(File { url, media_type: media_type(enclosure), enclosure })
    })
}

/// The picture of an entry, its address filled in.
pub(super) fn picture(entry: &Entry, site: &Site) -> Option<Picture> {
    let picture = entry.article.thumbnail.as_ref()?;
    Some(Picture { url: address(&picture.url, entry, site)?, ..picture.clone() })
}

/// The picture as an element of Media RSS.
pub(super) fn thumbnail(entry: &Entry, site: &Site) -> Option<Extension> {
    let Picture { url, width, height } = picture(entry, site)?;
    let mut attributes = vec![("url".to_owned(), url)];
    attributes.extend(width.map(|width| ("width".to_owned(), width.to_string())));
    attributes.extend(height.map(|height| ("height".to_owned(), height.to_string())));
    Some(Extension { name: "media:thumbnail".to_owned(), attributes, ..Extension::default() })
}

fn address(url: &str, entry: &Entry, site: &Site) -> Option<String> {
    absolute(&site.fill(url, &entry.key)).map(Cow::into_owned)
}

/// The media type of an enclosure: as stated, if that is one (RFC 6838 4.2), else by its extension.
pub(super) fn media_type(enclosure: &Enclosure) -> &str {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    let stated = enclosure.media_type.as_deref().and_then(|stated| stated.split(';').next()).map(str::trim);
    let is_type = |stated: &&str| stated.split_once('/').is_some_and(|(kind, name)| is_name(kind) && is_name(name));
    stated.filter(is_type).unwrap_or_else(|| by_extension(&enclosure.url))
}

fn by_extension(url: &str) -> &'static str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    match path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "mp3" => "audio/mpeg",
        "m4a" | "m4b" => "audio/mp4",
        "aac" => "audio/aac",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "flac" => "audio/flac",
        "wav" => "audio/wav",
        "mp4" | "m4v" => "video/mp4",
        "webm" => "video/webm",
        "mov" => "video/quicktime",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "svg" => "image/svg+xml",
        "pdf" => "application/pdf",
        "epub" => "application/epub+zip",
        "zip" => "application/zip",
        "torrent" => "application/x-bittorrent",
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_as_stated_if_it_is_one_and_else_by_the_extension() {
        for (stated, url, expected) in [
            (Some("audio/mpeg"), "https://a.example/x", "audio/mpeg"),
            (Some("audio/ogg; codecs=opus"), "https://a.example/x", "audio/ogg"),
            (Some("mp3"), "https://a.example/x.MP3?y=1#z", "audio/mpeg"),
            (Some("a b/c"), "https://a.example/x.pdf", "application/pdf"),
            (None, "https://a.example/x.png", "image/png"),
            (None, "https://a.example/", UNKNOWN),
        ] {
            let enclosure = Enclosure { url: url.to_owned(), media_type: stated.map(str::to_owned), ..Enclosure::default() };
            assert_eq!(media_type(&enclosure), expected, "{stated:?} {url}");
        }
    }
}
