//! Our own files, embedded; a URL names their contents, so that they can be kept for ever.

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

const STYLE: &[u8] = include_bytes!("../../../static/style.css");
const ICON: &[u8] = include_bytes!("../../../static/icon.svg");
const FAVICON: &[u8] = include_bytes!("../../../static/favicon.ico");

/// The path of the style sheet.
pub(super) static STYLE_PATH: LazyLock<String> = LazyLock::new(|| hashed("style", "css", STYLE));
/// The path of the icon.
pub(super) static ICON_PATH: LazyLock<String> = LazyLock::new(|| hashed("icon", "svg", ICON));

fn hashed(name: &str, extension: &str, bytes: &[u8]) -> String {
    format!("/static/{name}.{}.{extension}", HEXLOWER.encode(&Sha256::digest(bytes)[..4]))
}

/// All of them: path, bytes, media type.
fn all() -> [(&'static str, &'static [u8], &'static str); 3] {
    [("/favicon.ico", FAVICON, "image/x-icon"), (&STYLE_PATH, STYLE, "text/css; charset=utf-8"), (&ICON_PATH, ICON, "image/svg+xml")]
}

/// All of them: path and bytes.
pub fn assets() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    all().into_iter().map(|(path, bytes, _)| (path, bytes))
}

/// The bytes and the media type at a path.
#[must_use]
pub fn asset(path: &str) -> Option<(&'static [u8], &'static str)> {
    all().into_iter().find(|(other, ..)| *other == path).map(|(_, bytes, media_type)| (bytes, media_type))
}
