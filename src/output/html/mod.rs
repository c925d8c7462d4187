//! The HTML site: plain pages that work without JavaScript. Pure functions from the model's values to text; what comes
//! from the world is escaped here or was sanitised on the way in, and no page carries a script or a style of its own.

mod alike;
mod article;
mod assets;
mod contents;
mod directory;
mod found;
mod health;
mod layout;
mod list;
mod math;
mod sidebar;
#[cfg(test)]
mod tests;

use maud::html;

pub use article::{ArticleView, article};
pub use assets::{asset, assets};
pub use directory::{Directory, LISTED, directory};
pub use health::health;
pub use list::{ListView, list};

use crate::model::{Site, Term};
use layout::{Layout, local};

/// What a page may load: pictures and media of the articles, and our own style sheet. Nothing may run.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; img-src http: https: data:; media-src http: https:; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The page of an error, with the nearest names where something was not found. `detail` is a sentence without its stop.
#[must_use]
pub fn error(site: &Site, status: u16, title: &str, detail: &str, nearest: &[Term]) -> String {
    let page = html! {
        div.single {
            header.heading { div { p.kind { (status) } h1 { (title) } } }
            p { (layout::capital(detail)) "." }
            @if !nearest.is_empty() {
                p { "Did you mean one of these?" }
                ul.directory { @for term in nearest { li { div.row { (sidebar::row(site, term)) } } } }
            }
            p.forms {
                a href=(local(site, "/")) { "Latest articles" } " "
                a href=(local(site, "/categories")) { "All categories" } " "
                a href=(local(site, "/tags")) { "All tags" }
            }
        }
    };
    layout::page(&Layout { title: &format!("{title} · {}", site.title), ..Layout::of(site) }, &page)
}
