//! Text that may or may not be markup: titles made plain, plain text made HTML.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::model::text;

/// Elements that are taken for markup in a title or an untyped text; other `<words>` are what they seem.
const ELEMENTS: [&str; 65] = [
    "a", "abbr", "acronym", "article", "aside", "audio", "b", "bdi", "bdo", "big", "blockquote", "body", "br", "center", "cite", "code",
    "dd", "head", "html", "link", "meta", "del", "div", "dl", "dt", "em", "figure", "font", "h1", "h2", "h3", "h4", "hr", "i", "iframe",
    "img", "ins", "kbd", "li", "mark", "nobr", "ol", "p", "picture", "pre", "q", "s", "samp", "script", "section", "small", "span",
    "strike", "strong", "style", "sub", "sup", "table", "td", "tr", "tt", "u", "ul", "video", "wbr",
];

/// Elements that titles have seldom and speak of as often, with their ends: markup where they have attributes or an end.
const SELDOM: [(&str, &str); 8] = [
    ("<applet", "</applet>"),
    ("<blink", "</blink>"),
    ("<embed", "</embed>"),
    ("<frame", "</frame>"),
    ("<frameset", "</frameset>"),
    ("<marquee", "</marquee>"),
    ("<object", "</object>"),
    ("<title", "</title>"),
];

static FORMULA: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?s)<(?:\w+:)?math\b[^>]*>(.*?)</(?:\w+:)?math>").ok());
static NOT_SEEN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?s)<(?:\w+:)?annotation\b.*?</(?:\w+:)?annotation>|</?(?:\w+:)?\w[^>]*>").ok());

/// Formulas in MathML, as in the titles of journals, have the words that stand in them.
fn without_mathml(html: &str) -> Cow<'_, str> {
    let (Some(formula), Some(not_seen)) = (FORMULA.as_ref(), NOT_SEEN.as_ref()) else { return Cow::Borrowed(html) };
    formula.replace_all(html, |found: &Captures<'_>| not_seen.replace_all(&found[1], "").into_owned())
}

/// The plain text of a title that may hold HTML.
pub(super) fn title(html: &str) -> String {
    let html = &*if html.contains("math>") { without_mathml(html) } else { Cow::Borrowed(html) };
    let mut kept = String::with_capacity(html.len());
    let mut ends = Ends::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(length) = unread(rest, &mut ends) else {
            if rest.starts_with("<!--") {
                // A comment without an end: nothing further can end one.
                break;
            }
            kept.push('<');
            rest = &rest[1..];
            continue;
        };
        rest = &rest[length..];
    }
    kept.push_str(rest);
    text::line(&text::unescape(&kept))
}

/// The plain text of a title that should be one already. Some write HTML all the same: then an element is around it, or
/// its references are escaped twice.
pub(super) fn untyped_title(stated: &str) -> String {
    let stated = stated.trim();
    let read = if is_one_element(stated) { title(stated) } else { String::new() };
    if read.is_empty() { text::line(&text::unescape(stated)) } else { read }
}

/// Whether an element begins and ends with a text. A tag that stands apart from its words is one of them.
fn is_one_element(text: &str) -> bool {
    let Some(length) = text.starts_with('<').then(|| tag(text)).flatten() else { return false };
    let text = text.to_ascii_lowercase();
    let name = text[1..].split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let inner = text[length..].strip_suffix(&format!("</{name}>"));
    inner.is_some_and(|inner| inner.trim().len() == inner.len())
}

/// Ends that do not occur any more, so that they are looked for once only.
#[derive(Default)]
struct Ends {
    missing: Vec<&'static str>,
}

impl Ends {
    /// Where the text behind the next `end` begins.
    fn behind(&mut self, end: &'static str, text: &str) -> Option<usize> {
        if self.missing.contains(&end) {
            return None;
        }
        let found = text.find(end).map(|at| at + end.len());
        if found.is_none() {
            self.missing.push(end);
        }
        found
    }
}

fn begins(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// The length of what nobody reads at the start of a text: a comment, a script, a tag.
fn unread(text: &str, ends: &mut Ends) -> Option<usize> {
    if let Some(comment) = text.strip_prefix("<!--") {
        return comment.find("-->").map(|end| end + 7);
    }
    if begins(text, "<!doctype") {
        return ends.behind(">", text);
    }
    let length = tag(text).or_else(|| seldom(text, ends))?;
    for (start, end) in [("<script", "</script>"), ("<style", "</style>")] {
        if begins(text, start) {
            return ends.behind(end, text).or(Some(length));
        }
    }
    Some(length)
}

/// The length of the HTML tag at the start of a text.
fn tag(text: &str) -> Option<usize> {
    let inner = text[1..].trim_start_matches('/');
    let name = inner.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    if name.is_empty() || name.len() > 10 || !is_of_html(&name.to_ascii_lowercase()) {
        return None;
    }
    end_of_tag(text, &inner[name.len()..])
}

/// The length of a tag at the start of a text that is markup by its attributes or its end.
fn seldom(text: &str, ends: &mut Ends) -> Option<usize> {
    SELDOM.into_iter().find_map(|(start, end)| {
        if begins(text, end) {
            return Some(end.len());
        }
        let length = end_of_tag(text, text.get(start.len()..).filter(|_| begins(text, start))?)?;
        (text[..length].contains('=') || ends.behind(end, text).is_some()).then_some(length)
    })
}

/// The length of the tag at the start of a text, with what follows its name.
fn end_of_tag(text: &str, after: &str) -> Option<usize> {
    let is_tag = after.bytes().next().is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'));
    let limit = text.floor_char_boundary(512);
    text[..limit].find('>').filter(|_| is_tag).map(|end| end + 1)
}

/// Whether a name in small letters is one of HTML's elements.
pub(super) fn is_of_html(name: &str) -> bool {
    ELEMENTS.contains(&name)
}

/// Whether a text that nobody says is HTML is so all the same: it has HTML's tags, and an end tag or a lone one among them.
pub(super) fn is_markup(text: &str) -> bool {
    let mut tags = text.match_indices('<').filter(|(at, _)| tag(&text[*at..]).is_some()).take(50);
    tags.any(|(at, _)| {
        let inner = &text[at + 1..];
        let is_alone = |name: &&str| inner.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        inner.starts_with('/') || ["br", "img", "hr"].iter().any(is_alone)
    })
}

/// Plain text as HTML: paragraphs where blank lines are, breaks where lines end.
pub(super) fn paragraphs(text: &str) -> String {
    let text = text.trim().replace("\r\n", "\n");
    if !text.contains('\n') {
        return text::escape(&text);
    }
    let mut html = String::with_capacity(text.len() + 64);
    for paragraph in text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
        html.extend(["<p>", &text::escape(paragraph).replace('\n', "<br>"), "</p>"]);
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_loses_markup_and_keeps_what_only_looks_like_it() {
        for (html, expected) in [
            ("AT&amp;T &lt;b&gt; &nbsp;x", "AT&T <b> x"),
            ("<b>Bold</b> and Vec<T> and 1 < 2", "Bold and Vec<T> and 1 < 2"),
            ("a<!-- no -->b <a href=\"x\">c</a>", "ab c"),
            ("a <!-- open", "a <!-- open"),
            ("a<script>alert(1)</script>b", "ab"),
            ("<br/>x<", "x<"),
            ("the <blink> and <object> tags, Record<object>", "the <blink> and <object> tags, Record<object>"),
            ("<blink>a</blink><embed src=x><object data='y'>b</object>", "ab"),
            ("<nobr>2-й</nobr> дом на Пети<wbr>горской", "2-й дом на Петигорской"),
            ("In <math><msub><mi>X</mi> <mn>2</mn></msub></math>O and <mml:math x='y'><mml:mi>&lt;n</mml:mi></mml:math>", "In X 2O and <n"),
            ("a <math><mi>x</mi><annotation encoding='tex'>x^<b></annotation></math>, about <math>", "a x, about <math>"),
        ] {
            assert_eq!(title(html), expected, "{html}");
        }
    }

    #[test]
    fn an_untyped_title_is_text_unless_an_element_is_around_it() {
        for (stated, expected) in [
            ("Fix <a> handling in <b>x</b>", "Fix <a> handling in <b>x</b>"),
            ("<img> and <script> need an end", "<img> and <script> need an end"),
            ("<a> ends with </a>", "<a> ends with </a>"),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
            ("<img>", "<img>"),
            (" <B class='x'>Bold &amp; <i>brave</i></b>", "Bold & brave"),
            ("AT&amp;T &#8211; it&#8217;s", "AT&T – it’s"),
        ] {
            assert_eq!(untyped_title(stated), expected, "{stated}");
        }
    }

    #[test]
    fn titles_without_ends_take_linear_time() {
        for unit in ["<math>", "<math></math", "<m:math><annotation></math>", "<script>", "<style>", "<!doctype", "<!--", "<a", "<", "&"] {
            let hostile = unit.repeat(2_000_000 / unit.len());
            assert!(title(&hostile).len() <= hostile.len(), "{unit}");
        }
    }

    #[test]
    fn untyped_text_is_markup_only_with_tags_that_close() {
        assert!(is_markup("<p>one</p>") && is_markup("one<br>two"));
        assert!(!is_markup("a <b c") && !is_markup("Vec<T></T>") && !is_markup("if a < b"));
    }

    #[test]
    fn plain_text_keeps_its_lines() {
        assert_eq!(paragraphs("a & b"), "a &amp; b");
        assert_eq!(paragraphs("a\nb\n\nc"), "<p>a<br>b</p><p>c</p>");
    }
}
