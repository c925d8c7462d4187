//! HTML from the world, made fit to be published: an allow-list, absolute links, no trackers, no forbidden character.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use url::Url;

use super::link::{self, Links};
use super::{plain, tame};
use crate::model::text;

/// A base may be so long, in bytes, whatever stands on it: a link takes a tenth of it to be written.
const USUAL_BASE: usize = 100;
/// What relative links may add to a document by what they stand on: so many times its own length, and so many bytes.
const MAX_GROWTH: (usize, usize) = (10, 4096);

/// Elements that ammonia's own list lacks.
const MORE_TAGS: [&str; 7] = ["audio", "video", "source", "track", "picture", "section", "main"];

thread_local! {
    /// What the links of the document in work stand on, and whether they may be placeholders of ours. The filter is
    /// called by ammonia, which passes nothing of the kind on; making a filter anew costs more than the cleaning.
    static WORK: RefCell<(Option<Url>, bool)> = const { RefCell::new((None, false)) };
}

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .add_tags(MORE_TAGS)
        .rm_tags(["map", "area"])
        .clean_content_tags(["script", "style", "iframe", "object", "template", "title"].into())
        .url_schemes(link::SCHEMES.into())
        .url_relative(UrlRelative::PassThrough)
        .generic_attributes(["lang", "title", "dir"].into())
        .add_tag_attributes("audio", ["src", "controls", "preload", "loop"])
        .add_tag_attributes("video", ["src", "controls", "preload", "loop", "poster", "width", "height"])
        .add_tag_attributes("source", ["src", "type"])
        .add_tag_attributes("track", ["src", "kind", "srclang", "label"])
        .add_tag_attributes("a", ["id"])
        .add_tag_attributes("li", ["id"])
        .add_tag_attributes("sup", ["id"])
        .attribute_filter(filter);
    for heading in ["h1", "h2", "h3", "h4", "h5", "h6"] {
        builder.add_tag_attributes(heading, ["id"]);
    }
    builder.add_tag_attributes("code", ["class"]).link_rel(None);
    builder
});

/// Sanitises HTML. Relative links and pictures are resolved against `base`; without one they go, and so they do if they
/// are many and it is long.
#[must_use]
pub fn html(raw: &str, base: Option<&Url>) -> String {
    let raw = text::cleaned(raw);
    let may_stand = |base: &&Url| base.as_str().len() <= USUAL_BASE || growth(&raw, base) <= raw.len() * MAX_GROWTH.0 + MAX_GROWTH.1;
    with(&raw, Links { base: base.filter(may_stand), is_own: false })
}

/// By how much a document grows at most if its links stand on a base. No link is written without one of these words.
fn growth(raw: &str, base: &Url) -> usize {
    let is_word = |at: &[u8]| {
        let begins = |word: &str| at.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()));
        ["href", "src", "poster", "cite", "longdesc", "original", "lazyload"].into_iter().any(begins)
    };
    let bytes = raw.as_bytes();
    let links = (0..bytes.len()).filter(|at| bytes[*at].is_ascii_alphabetic() && is_word(&bytes[*at..])).count();
    links.saturating_mul(text::escape(base.as_str()).len())
}

/// Sanitises HTML that our own Markdown reader made: links may be placeholders of ours ([`PLACEHOLDER`](crate::model::PLACEHOLDER)).
#[must_use]
pub(super) fn own_html(raw: &str, base: Option<&Url>) -> String {
    with(raw, Links { base, is_own: true })
}

/// What the short way gives, if it takes the HTML, and what the long one gives: they are the same, or one of them is wrong.
#[must_use]
pub fn both_ways(raw: &str, base: Option<&Url>, is_own: bool) -> (Option<String>, String) {
    let raw = if is_own { raw.to_owned() } else { text::clean(raw) };
    let links = Links { base, is_own };
    (plain::plain(&raw, links), by_tree(&raw, links))
}

fn with(raw: &str, links: Links<'_>) -> String {
    plain::plain(raw, links).unwrap_or_else(|| by_tree(raw, links))
}

fn by_tree(raw: &str, links: Links<'_>) -> String {
    WORK.with_borrow_mut(|work| *work = (links.base.cloned(), links.is_own));
    CLEANER.clean(&tame::tame(raw)).to_string()
}

fn filter<'a>(element: &str, attribute: &str, value: &'a str) -> Option<Cow<'a, str>> {
    match attribute {
        "href" | "src" | "poster" | "cite" | "longdesc" => address(value),
        // Only what Markdown needs: the language of a code block.
        "class" => value.starts_with("language-").then_some(Cow::Borrowed(value)),
        "id" if element == "a" || element == "li" || element == "sup" => value.starts_with("fn").then_some(Cow::Borrowed(value)),
        _ => Some(Cow::Borrowed(value)),
    }
}

fn address(value: &str) -> Option<Cow<'_, str>> {
    WORK.with_borrow(|(base, is_own)| Links { base: base.as_ref(), is_own: *is_own }.address(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PLACEHOLDER;

    fn clean(raw: &str) -> String {
        html(raw, Url::parse("https://a.example/posts/1").ok().as_ref())
    }

    #[test]
    fn what_could_act_goes_and_what_is_read_stays() {
        for (raw, expected) in [
            ("<p onclick=x>a<script>alert(1)</script><style>b{}</style></p>", "<p>a</p>"),
            ("<a href='javascript:alert(1)'>a</a>", "<a>a</a>"),
            ("<iframe src=x>i</iframe><form><input type=text></form>b", "b"),
            (
                "<h2 id=top>t</h2><table><tr><td>c</td></tr></table>",
                "<h2 id=\"top\">t</h2><table><tbody><tr><td>c</td></tr></tbody></table>",
            ),
            ("<pre><code class=\"language-rust evil\">x</code></pre>", "<pre><code class=\"language-rust evil\">x</code></pre>"),
            ("<p class=big style=x>y</p>", "<p>y</p>"),
            ("a\u{0}\u{b}b&#x1;&#xFDD0;", "ab  "),
            // Words that only look like tags, some of which other vocabularies have.
            ("<p>Rename <path> or List<int> or <g:x> first.</p><p>Then <set> it.</p>", "<p>Rename  or List or  first.</p><p>Then  it.</p>"),
            ("<p>a<svg viewBox=x><title>t</title><text>b</text><path d=x /></svg>c</p><svg/>d<svg><text>e<p>f</p>", "<p>ac</p>d<p>f</p>"),
        ] {
            assert_eq!(clean(raw), expected, "{raw}");
        }
    }

    #[test]
    fn links_become_absolute_and_lose_their_trackers() {
        for (raw, expected) in [
            ("<a href=../x?utm_source=a&id=1>l</a>", "<a href=\"https://a.example/x?id=1\">l</a>"),
            ("<a href=\"https://b.example/?fbclid=1\">l</a>", "<a href=\"https://b.example/\">l</a>"),
            ("<a href=#fn1>l</a>", "<a href=\"#fn1\">l</a>"),
            ("<img src=p.png>", "<img src=\"https://a.example/posts/p.png\">"),
        ] {
            assert_eq!(clean(raw), expected, "{raw}");
        }
        assert_eq!(html("<a href=/x>l</a><img src=y.png>", None), "<a>l</a><img>");
    }

    #[test]
    fn a_long_base_is_not_repeated_in_many_links() {
        let long = Url::parse(&format!("https://a.example/{}/", "x".repeat(2000))).unwrap();
        let link = "<A HREF = x>l</A>";
        assert!(html(link, Some(&long)).contains("a.example"));
        for links in [link.repeat(10_000), "<img src=x>".repeat(10_000)] {
            assert!(html(&links, Some(&long)).len() < links.len() * 11);
        }
        assert!(html(&link.repeat(10_000), Url::parse("https://a.example/posts/").ok().as_ref()).contains("https://a.example/posts/x"));
    }

    #[test]
    fn lazily_loaded_pictures_are_found_and_pixels_go() {
        let expected = "<img src=\"https://a.example/real.jpg\" alt=\"t\">";
        assert_eq!(clean("<img src='data:image/gif;base64,x' data-src=/real.jpg alt=t>"), expected);
        assert_eq!(clean("<img alt=\"t\" srcset=\"/real.jpg 1x, /large.jpg 2x\">"), expected);
        assert_eq!(clean("a<img src=/pixel width=1 height=\"1\">b"), "ab");
        assert_eq!(clean("<img src=/a.jpg srcset='/b.jpg 2x'>"), "<img src=\"https://a.example/a.jpg\">");
    }

    #[test]
    fn only_our_own_reader_can_make_a_placeholder() {
        let link = format!("<a href=\"{PLACEHOLDER}/tag/x\">l</a>");
        assert_eq!(own_html(&link, None), link);
        assert_eq!(html(&link, None), "<a>l</a>");
        assert_eq!(html("<a href=\"&#xFDD0;/tag/x\">l &#xFDD0;</a>", None), "<a>l  </a>");
    }
}
