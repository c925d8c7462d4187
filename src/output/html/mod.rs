//! The HTML site: plain pages that work without JavaScript.

mod article;
mod assets;
mod directory;
mod layout;
mod list;
mod sidebar;

use maud::html;

pub use article::{ArticleView, article};
pub use assets::asset;
pub use directory::{Directory, directory};
pub use list::{ListView, list};

use crate::model::{Site, Term};
use layout::{Layout, path};

/// What a page may load: pictures and media of the articles, and our own style sheet. Nothing may run.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; img-src http: https: data:; media-src http: https:; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The page of an error, with the nearest names where something was not found.
#[must_use]
pub fn error(site: &Site, status: u16, title: &str, detail: &str, nearest: &[Term]) -> String {
    let page = html! {
        h1 { (status) " " (title) }
        p { (detail) "." }
        @if !nearest.is_empty() {
            p { "Did you mean one of these?" }
            ul { @for term in nearest { li { a href=(path(site, term)) { (term.name.name) } " " span.count { (term.articles) } } } }
        }
        p { a href=(layout::local(site, "/")) { "Go to the latest articles" } }
    };
    layout::page(&Layout { title: &format!("{title} · {}", site.title), ..Layout::of(site) }, &page)
}
