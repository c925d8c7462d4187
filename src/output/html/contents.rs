//! An article's table of contents, read from the headings of its HTML.

use std::sync::LazyLock;

use maud::{Markup, html};
use regex::Regex;

use crate::model::text;

static HEADING: LazyLock<Regex> = LazyLock::new(headings);

#[expect(clippy::expect_used, reason = "the pattern is a constant, and a test compiles it")]
fn headings() -> Regex {
    Regex::new(r#"(?s)<h([23])\b[^>]*? id="([^"]+)"[^>]*>(.*?)</h[23]>"#).expect("a valid pattern")
}

/// The headings of a content that can be linked, where there are two or more.
pub(super) fn contents(content: &str, language: &str) -> Markup {
    let headings: Vec<_> = HEADING.captures_iter(content).map(|found| found.extract::<3>().1).collect();
    html! {
        @if headings.len() > 1 {
            nav.contents aria-label="Contents" {
                ul lang=(language) {
                    @for [level, id, title] in headings {
                        li.{ "level" (level) } { a href={ "#" (text::unescape(id)) } dir="auto" { (text::plain(title)) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::contents;

    #[test]
    fn the_contents_link_the_headings() {
        let html = contents("<h2 id=\"一\">一 <em>二</em></h2><p>x</p><h3 lang=\"en\" id=\"b&amp;c\">B</h3>", "zh").into_string();
        assert!(html.contains("<a href=\"#一\" dir=\"auto\">一 二</a>"), "{html}");
        assert!(html.contains("<li class=\"level3\"><a href=\"#b&amp;c\""), "{html}");
    }

    #[test]
    fn one_heading_needs_no_contents() {
        assert_eq!(contents("<h2 id=\"a\">A</h2>", "").into_string(), "");
    }
}
