//! HTML from the world, made fit to be published: an allow-list, absolute links, no trackers, no forbidden character.

use ammonia::{Builder, UrlRelative};
use url::Url;

use crate::model::text;

/// Sanitises HTML. Relative links and pictures are resolved against `base`; without one they go.
#[must_use]
pub fn html(raw: &str, base: Option<&Url>) -> String {
    let mut builder = Builder::default();
    builder.url_relative(base.cloned().map_or(UrlRelative::Deny, UrlRelative::RewriteWithBase));
    builder.clean(&text::clean(raw)).to_string()
}
