//! The body of a Markdown file: `CommonMark` with what Hugo adds, as sanitised HTML.

use std::sync::LazyLock;

use comrak::nodes::{Node, NodeValue};
use comrak::{Arena, Options};
use regex::{Captures, Regex};
use url::Url;

use super::shortcodes;
use crate::model::{is_web, text};
use crate::source::feed::tag::TagScanner;
use crate::source::{clean, link};

static OPTIONS: LazyLock<Options<'static>> = LazyLock::new(|| options(false));
static WITH_MATH: LazyLock<Options<'static>> = LazyLock::new(|| options(true));

fn options(math: bool) -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.description_lists = true;
    // Without it `**粗体。**后文` stays as stars: Chinese has no space where CommonMark asks for one.
    options.extension.cjk_friendly_emphasis = true;
    options.extension.header_id_prefix = Some(String::new());
    // Formulas are no Markdown: their underscores and backslashes stay.
    options.extension.math_dollars = math;
    options.render.r#unsafe = true;
    options
}

/// A formula in what comrak wrote.
static FORMULA: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?s)<span data-math-style="(inline|display)">(.*?)</span>"#));
/// The anchor that comrak puts into a heading; a list of contents links to the heading itself.
static ANCHOR: LazyLock<Regex> = LazyLock::new(|| pattern(r#"<a href="[^"]*"[^<>]*class="anchor"[^<>]*></a>"#));
/// What ends the summary of a text.
static MORE: LazyLock<Regex> = LazyLock::new(|| pattern("<!-- ?more ?-->"));

#[expect(clippy::expect_used, reason = "the patterns are constants, and tests compile them")]
pub(super) fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid pattern")
}

/// What a body gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Body {
    /// Sanitised HTML; `None` for an empty body.
    pub(super) html: Option<String>,
    /// The text before `<!--more-->`, as sanitised HTML.
    pub(super) summary: Option<String>,
    /// The URL of the last paragraph, when that is one link and nothing more.
    pub(super) link: Option<String>,
    /// The names of shortcodes of which only the inner text stayed.
    pub(super) unknown: Vec<String>,
}

/// How the links of a body are read.
pub(super) struct Links<'a> {
    /// What relative ones stand on.
    pub(super) base: Option<&'a Url>,
    /// Where a link to another file of the folder or to a file of the bundle leads: a placeholder, or nothing.
    pub(super) resolve: &'a dyn Fn(&str) -> Option<String>,
}

/// Whether a body holds formulas between dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Math {
    /// They stay as they are, and pages show them.
    TeX,
    /// A dollar is a dollar.
    None,
}

impl Math {
    fn options(self) -> &'static Options<'static> {
        match self {
            Self::TeX => &WITH_MATH,
            Self::None => &OPTIONS,
        }
    }
}

/// Renders a body.
pub(super) fn render(markdown: &str, math: Math, links: &Links<'_>) -> Body {
    let markdown = text::clean(markdown);
    let mut unknown = Vec::new();
    let plain = shortcodes::expand(&markdown, links.resolve, &mut unknown);
    let before_more = MORE.find(&plain).map(|more| &plain[..more.start()]);
    let summary = before_more.map(|before| html(before, math, links)).filter(|html| !html.is_empty());
    let arena = Arena::new();
    let document = comrak::parse_document(&arena, &plain, math.options());
    // Where a shortcode ends the text, what it holds or what stands before it is not the last paragraph.
    let link = lone_link(document).filter(|_| !markdown.trim_end().ends_with("}}"));
    let html = Some(written(document, math, links)).filter(|html| !html.is_empty());
    Body { html, summary, link, unknown }
}

/// One line of Markdown as sanitised HTML, without its paragraph.
pub(super) fn inline(markdown: &str, links: &Links<'_>) -> String {
    let html = html(&text::clean(markdown), Math::None, links);
    let inner = html.strip_prefix("<p>").and_then(|html| html.strip_suffix("</p>")).filter(|inner| !inner.contains("<p>"));
    inner.map_or(html.clone(), str::to_owned)
}

fn html(markdown: &str, math: Math, links: &Links<'_>) -> String {
    written(comrak::parse_document(&Arena::new(), markdown, math.options()), math, links)
}

fn written(document: Node<'_>, math: Math, links: &Links<'_>) -> String {
    let mut html = String::new();
    // Nothing that is written to a string fails.
    let _ = comrak::format_html(document, math.options(), &mut html);
    // The source of a formula is what feeds carry; the page makes it MathML.
    let html = FORMULA.replace_all(&html, |found: &Captures<'_>| {
        let dollars = if &found[1] == "display" { "$$" } else { "$" };
        format!("{dollars}{}{dollars}", &found[2])
    });
    let html = ANCHOR.replace_all(&html, "");
    let html = resolve_links(&html, links);
    clean::own_html(&html, links.base).trim().to_owned()
}

/// Gives relative links to files of the folder their places here, also in HTML that an author wrote with other quotes or none.
fn resolve_links(html: &str, links: &Links<'_>) -> String {
    let mut tags = TagScanner::new(html);
    let (mut resolved, mut done, mut tag_end) = (String::with_capacity(html.len()), 0, 0);
    for (at, _) in html.match_indices('<') {
        if at < tag_end {
            continue;
        }
        let Some((tag, end)) = tags.start_tag(at) else { continue };
        tag_end = end;
        for (name, value) in tag.attributes {
            // Scripts load pictures from `data-src` and the like.
            let last = name.rsplit(['-', ':', '.']).next().unwrap_or(name);
            let is_reference = ["href", "src", "poster"].iter().any(|known| last.eq_ignore_ascii_case(known));
            let Some(place) = is_reference.then(|| place(value, links)).flatten() else { continue };
            let start = value.as_ptr().addr() - html.as_ptr().addr();
            let quote = if html[..start].ends_with(['"', '\'']) { "" } else { "\"" };
            resolved.extend([&html[done..start], quote, &place, quote]);
            done = start + value.len();
        }
    }
    resolved + &html[done..]
}

/// Where a relative reference leads here.
fn place(reference: &str, links: &Links<'_>) -> Option<String> {
    let (path, rest) = reference.split_at(reference.find(['?', '#']).unwrap_or(reference.len()));
    if path.is_empty() || path.contains(':') {
        return None;
    }
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    (links.resolve)(&decoded).map(|place| place + rest)
}

/// The address of the last paragraph, when that is one link and nothing more; a picture that leads somewhere is a picture.
fn lone_link(document: Node<'_>) -> Option<String> {
    // Footnotes stand at the end wherever they were written.
    let is_text = |node: &Node<'_>| !matches!(node.data().value, NodeValue::FootnoteDefinition(_));
    let last = document.reverse_children().find(is_text).filter(|node| matches!(node.data().value, NodeValue::Paragraph))?;
    let only = last.first_child().filter(|child| child.next_sibling().is_none())?;
    if only.descendants().any(|node| matches!(node.data().value, NodeValue::Image(_))) {
        return None;
    }
    let mut url = match &only.data().value {
        NodeValue::Link(link) => Url::parse(&link.url).ok()?,
        _ => return None,
    };
    let is_page = is_web(&url) && url.has_host();
    is_page.then(|| {
        link::strip_trackers(&mut url);
        url.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(markdown: &str) -> Body {
        let resolve = |path: &str| (path == "other.md").then(|| "PLACE".to_owned());
        let base = Url::parse("https://a.example/blog/").unwrap();
        render(markdown, Math::TeX, &Links { base: Some(&base), resolve: &resolve })
    }

    fn rendered(markdown: &str) -> String {
        body(markdown).html.unwrap_or_default()
    }

    #[test]
    fn emphasis_works_beside_chinese() {
        assert_eq!(rendered("**粗体。**后文"), "<p><strong>粗体。</strong>后文</p>");
        assert_eq!(rendered("**你好（世界）**然后 ~~删~~"), "<p><strong>你好（世界）</strong>然后 <del>删</del></p>");
    }

    #[test]
    fn formulas_stay_tex() {
        assert_eq!(rendered("静止：$a_1 + b_2 = \\frac{1}{2}$，一共 $5。"), "<p>静止：$a_1 + b_2 = \\frac{1}{2}$，一共 $5。</p>");
        assert_eq!(rendered("$$\nx < *y*\n$$"), "<p>$$\nx &lt; *y*\n$$</p>");
    }

    #[test]
    fn headings_tables_tasks_footnotes_and_code_are_html() {
        assert_eq!(rendered("## 标题 One"), "<h2 id=\"标题-one\">标题 One</h2>");
        assert!(rendered("|a|b|\n|-|-|\n|1|2|").contains("<td>2</td>"));
        assert!(rendered("- [x] done\n- [ ] not").contains("<li>☑ done</li>"));
        let note = rendered("text[^1]\n\n[^1]: note");
        assert!(note.contains("<a href=\"#fn-1\" id=\"fnref-1\"") || note.contains("href=\"#fn-1\""), "{note}");
        assert_eq!(rendered("```rust\nfn a() {}\n```"), "<pre><code class=\"language-rust\">fn a() {}\n</code></pre>");
        assert_eq!(rendered("<b onclick=x>raw</b><script>x</script>"), "<p><b>raw</b></p>");
    }

    #[test]
    fn shortcodes_are_expanded_before_markdown_is_read() {
        let note = body("a {{% notice tip %}}*inner*{{% /notice %}} b");
        assert_eq!((note.html.as_deref(), note.unknown), (Some("<p>a <em>inner</em> b</p>"), vec!["notice".to_owned()]));
        let figure = rendered("{{< figure src=\"/a.png\" >}}");
        assert_eq!(figure, "<figure><img src=\"https://a.example/a.png\" alt=\"\"></figure>");
        assert_eq!(rendered("```\n{{</* x */>}}\n```"), "<pre><code>{{&lt; x &gt;}}\n</code></pre>");
    }

    #[test]
    fn links_are_resolved_here_or_at_the_base() {
        let html = rendered("[a]({{< relref \"other.md\" >}}) [b](other.md#x) [c](pic.png)");
        assert!(
            html.contains("href=\"https://a.example/blog/PLACE\">a")
                && html.contains("PLACE#x\">b")
                && html.contains("https://a.example/blog/pic.png"),
            "{html}"
        );
    }

    #[test]
    fn references_are_resolved_in_any_quotes_and_only_in_tags() {
        for (markdown, expected) in [
            ("<img src='other.md'>", "<img src=\"https://a.example/blog/PLACE\">"),
            ("<img alt='src=other.md' src=other.md>", "<img alt=\"src=other.md\" src=\"https://a.example/blog/PLACE\">"),
            ("a <a href = other.md#x>b</a>", "<p>a <a href=\"https://a.example/blog/PLACE#x\">b</a></p>"),
            ("`<img src=other.md>` src=other.md", "<p><code>&lt;img src=other.md&gt;</code> src=other.md</p>"),
            (
                "<video poster=\"other.md\" src='b.mp4'></video>",
                "<p><video poster=\"https://a.example/blog/PLACE\" src=\"https://a.example/blog/b.mp4\"></video></p>",
            ),
        ] {
            assert_eq!(rendered(markdown), expected, "{markdown}");
        }
    }

    #[test]
    fn the_last_paragraph_can_be_the_link() {
        for (markdown, expected) in [
            ("text\n\n[qq](https://new.example/rain/a/1)\n", Some("https://new.example/rain/a/1")),
            ("text\r\n\r\n<https://a.example/?utm_source=x>\r\n", Some("https://a.example/")),
            ("[only](https://a.example/1)", Some("https://a.example/1")),
            ("text\n\nsee [qq](https://a.example/1)", None),
            ("text\n\n[qq](/relative)", None),
            ("[a](https://a.example/1)\n\ntext", None),
            ("[a](https://a.example/wiki/X_(y))", Some("https://a.example/wiki/X_(y)")),
            ("text\n \n[qq](https://a.example/1 \"title\")", Some("https://a.example/1")),
            ("text\n\n[阅读 [原文]](https://a.example/1)", Some("https://a.example/1")),
            ("text\n\n[a \\[b\\]](https://a.example/1)", Some("https://a.example/1")),
            ("## 原文\n[qq](https://a.example/1)", Some("https://a.example/1")),
            ("[qq][1]\n\n[1]: https://a.example/1", Some("https://a.example/1")),
            ("text[^1]\n\n[^1]: note\n\nhttps://a.example/1", Some("https://a.example/1")),
            ("text\n\n    https://a.example/1", None),
            ("text\n\n```\n\nhttps://a.example/1\n```", None),
            ("text\nhttps://a.example/1", None),
            ("- https://a.example/1", None),
            ("[![a](a.png)](https://a.example/1)", None),
            ("{{< ad >}}\n\nhttps://a.example/1\n\n{{< /ad >}}", None),
            ("{{< ref \"x\" >}}\n\nhttps://a.example/1", Some("https://a.example/1")),
        ] {
            assert_eq!(body(markdown).link.as_deref(), expected, "{markdown}");
        }
    }

    #[test]
    fn the_text_before_more_is_the_summary() {
        let body = body("first\n\n<!--more-->\n\nsecond");
        assert_eq!(body.summary.as_deref(), Some("<p>first</p>"));
        assert!(body.html.is_some_and(|html| html.contains("second") && !html.contains("more")));
    }
}
