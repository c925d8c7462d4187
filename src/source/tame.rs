//! A first pass over hostile HTML, before the parser builds a tree of it: pictures that scripts would load get their
//! source, what shows nothing goes, and what would make the parser slow is bounded. It reads tags as HTML's tokenizer
//! does (WHATWG 13.2.5) and drops all that would put the tokenizer into another state, so that both see the same tags.

use crate::model::text;

/// Open elements, one inside the other; the parser walks them at most tags.
const MAX_DEPTH: usize = 256;
/// Formatting elements left open; the parser repeats each of them in every paragraph that follows.
const MAX_FORMATTING: usize = 16;
/// Tags of a document; past them only its text stays.
pub(super) const MAX_TAGS: usize = 50_000;
/// Attributes of a tag; the parser compares each with all others.
pub(super) const MAX_ATTRIBUTES: usize = 64;
/// The longest tag, in bytes; what writes the values of its attributes takes quadratic time. Beyond it stand pictures
/// that are all in their address, which are not shown anyway.
pub(super) const MAX_TAG: usize = 8 * 1024;
/// Text is cut into pieces of about these many bytes, for the same reason; tags may not part it, if the parser drops them.
const MAX_TEXT: usize = 4 * 1024;
/// What parts them: the cleaner drops it, and the pieces stay apart.
const CUT: &str = "<!---->";

/// Elements whose content is no markup, or is not to be shown: they go with all that is in them.
const RAW: [&str; 10] = ["script", "style", "iframe", "textarea", "title", "noembed", "noframes", "xmp", "plaintext", "object"];
/// Elements that change how the parser reads what is in them; the tags go, their content stays.
const MODES: [&str; 9] = ["svg", "math", "template", "select", "noscript", "form", "frameset", "button", "html"];
/// Elements without an end tag.
const VOID: [&str; 14] = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Elements that close their like, so that a row of them does not nest.
const SELF_CLOSING: [&str; 12] = ["p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "caption", "colgroup"];
/// Elements that the parser opens again where they were cut off (13.2.4.3); a second `a` closes the first.
const FORMATTING: [&str; 12] = ["b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u"];
/// Where loading scripts look for a picture's address.
pub(super) const LAZY: [&str; 6] = ["data-src", "data-original", "data-lazy-src", "data-actualsrc", "data-lazyload", "data-original-src"];

/// One tag, its name in small letters, its values as written.
struct Tag<'a> {
    name: String,
    is_end: bool,
    attributes: Vec<(&'a str, &'a str)>,
    source: &'a str,
}

impl<'a> Tag<'a> {
    fn value(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).filter(|v| !v.is_empty())
    }

    fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    }
}

#[derive(Default)]
struct Tamer {
    output: String,
    open: Vec<String>,
    formatting: Vec<String>,
    tags: usize,
    is_lazy: bool,
    /// How much text has been written since the last cut.
    text: usize,
}

/// Makes HTML fit for the parser, in time linear in its length.
pub(super) fn tame(html: &str) -> String {
    let html = without_forbidden_references(html);
    let mut tamer = Tamer { output: String::with_capacity(html.len()), ..Tamer::default() };
    let mut rest = html.as_str();
    while let Some(at) = rest.find('<') {
        tamer.text(&rest[..at]);
        rest = tamer.markup(&rest[at..]);
    }
    tamer.text(rest);
    tamer.output
}

/// Character references to what [`text::clean`] drops would come back once they are decoded. A space takes the place of
/// each, since dropping it could join its neighbours to a new one.
fn without_forbidden_references(html: &str) -> String {
    let mut kept = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find("&#") {
        kept.push_str(&rest[..at]);
        let (code, length) = reference(&rest[at + 2..]);
        let is_windows_1252 = (0x80..0xa0).contains(&code);
        if !is_windows_1252 && char::from_u32(code).is_some_and(|c| !text::is_allowed(c)) {
            kept.push(' ');
        } else {
            kept.push_str(&rest[at..at + 2 + length]);
        }
        rest = &rest[at + 2 + length..];
    }
    kept + rest
}

/// The number and the length of a reference, from behind its `&#`; no number gives one that is no character.
fn reference(text: &str) -> (u32, usize) {
    let (radix, start) = if text.starts_with(['x', 'X']) { (16, 1) } else { (10, 0) };
    let digits = text[start..].bytes().take_while(|b| char::from(*b).is_digit(radix)).count();
    let number = u32::from_str_radix(&text[start..start + digits], radix).unwrap_or(u32::MAX);
    let end = start + digits;
    (number, end + usize::from(digits > 0 && text[end..].starts_with(';')))
}

impl Tamer {
    /// Writes text, cut where no character reference can go on.
    fn text(&mut self, mut text: &str) {
        while self.text + text.len() > MAX_TEXT {
            let from = text.floor_char_boundary(MAX_TEXT.saturating_sub(self.text));
            let Some(at) = text[from..].find(|c: char| c == '&' || !c.is_ascii()) else { break };
            self.output.extend([&text[..from + at], CUT]);
            self.text = 0;
            text = &text[from + at..];
        }
        self.output.push_str(text);
        self.text += text.len();
    }

    /// Takes one piece of markup that begins with `<`, and gives what follows it.
    fn markup<'a>(&mut self, text: &'a str) -> &'a str {
        if let Some(comment) = text.strip_prefix("<!--") {
            return comment.find("-->").map_or("", |end| &comment[end + 3..]);
        }
        let name_at = if text.starts_with("</") { 2 } else { 1 };
        match text.as_bytes().get(name_at) {
            Some(b) if b.is_ascii_alphabetic() => match tag(text) {
                Some(tag) => self.tag(&tag, &text[tag.source.len()..]),
                // A tag without an end: HTML drops it, with all that follows.
                None => "",
            },
            Some(b'!' | b'?') if name_at == 1 => text.find('>').map_or("", |end| &text[end + 1..]),
            _ if name_at == 2 => text.find('>').map_or("", |end| &text[end + 1..]),
            _ => {
                self.text("&lt;");
                &text[1..]
            }
        }
    }

    fn tag<'a>(&mut self, tag: &Tag<'_>, rest: &'a str) -> &'a str {
        let name = tag.name.as_str();
        // Behind a lazily loaded picture, `noscript` holds the same one again, for readers without scripts.
        let is_raw = RAW.contains(&name) || (name == "noscript" && self.is_lazy);
        if is_raw {
            return if tag.is_end { rest } else { after_end(rest, name) };
        }
        if MODES.contains(&name) || tag.attributes.len() >= MAX_ATTRIBUTES || tag.source.len() > MAX_TAG || self.tags >= MAX_TAGS {
            return rest;
        }
        self.tags += 1;
        match (name, tag.is_end) {
            ("img", false) => self.picture(tag),
            ("input", false) => self.checkbox(tag),
            (_, true) => self.close(tag),
            (_, false) => self.open(tag),
        }
        rest
    }

    fn open(&mut self, tag: &Tag<'_>) {
        let name = tag.name.as_str();
        if FORMATTING.contains(&name) {
            if self.formatting.len() >= MAX_FORMATTING {
                return;
            }
            self.formatting.push(name.to_owned());
        }
        if !VOID.contains(&name) && !SELF_CLOSING.contains(&name) {
            if self.open.len() >= MAX_DEPTH {
                return;
            }
            self.open.push(name.to_owned());
        }
        self.output.push_str(tag.source);
    }

    fn close(&mut self, tag: &Tag<'_>) {
        let name = tag.name.as_str();
        // An end tag does not reach out of a table or the like (13.2.4.2, "in scope").
        let is_border = |open: &String| matches!(open.as_str(), "table" | "marquee" | "applet");
        let reach = self.open.iter().rposition(is_border).unwrap_or(0);
        if let Some(at) = self.open[reach..].iter().rposition(|open| open == name) {
            self.open.truncate(reach + at);
        }
        if let Some(at) = self.formatting.iter().rposition(|open| open == name) {
            self.formatting.remove(at);
        }
        self.output.push_str(tag.source);
    }

    /// A picture that is to be seen: tracking pixels are not, and one that a script would load gets its own address.
    fn picture(&mut self, tag: &Tag<'_>) {
        let is_pixel = |name| tag.value(name).is_some_and(|size| matches!(size.trim_end_matches("px"), "0" | "1"));
        if is_pixel("width") && is_pixel("height") {
            return;
        }
        let lazy = LAZY.iter().find_map(|name| tag.value(name));
        let shows_nothing = tag.value("src").is_none_or(|src| src.starts_with("data:"));
        let source = lazy.or_else(|| {
            let candidates = tag.value("data-srcset").or_else(|| tag.value("srcset")).filter(|_| shows_nothing)?;
            candidates.split_ascii_whitespace().map(|url| url.trim_matches(',')).find(|url| !url.is_empty())
        });
        self.is_lazy = source.is_some();
        let Some(source) = source else {
            self.output.push_str(tag.source);
            return;
        };
        self.attribute("<img src", source);
        for name in ["alt", "title", "width", "height", "align"] {
            if let Some(value) = tag.value(name) {
                self.attribute(&format!(" {name}"), value);
            }
        }
        self.output.push('>');
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.output.push_str(name);
        self.output.push_str("=\"");
        self.output.push_str(&value.replace('"', "&quot;"));
        self.output.push('"');
    }

    /// A task list's boxes are signs: feeds carry no forms.
    fn checkbox(&mut self, tag: &Tag<'_>) {
        if tag.value("type").is_some_and(|kind| kind.eq_ignore_ascii_case("checkbox")) {
            self.output.push(if tag.has("checked") { '☑' } else { '☐' });
        }
    }
}

/// What follows an element's end tag; nothing, if it has none.
pub(super) fn after_end<'a>(text: &'a str, name: &str) -> &'a str {
    let is_end = |at: &usize| {
        let end = text.as_bytes().get(at + 2..at + 2 + name.len()).is_some_and(|own| own.eq_ignore_ascii_case(name.as_bytes()));
        end && text.as_bytes().get(at + 2 + name.len()).is_none_or(|b| !b.is_ascii_alphanumeric())
    };
    let end = text.match_indices("</").map(|(at, _)| at).find(is_end);
    end.and_then(|at| text[at..].find('>').map(|close| &text[at + close + 1..])).unwrap_or("")
}

/// Reads the tag that `text` begins with; `None` if it has no end.
fn tag(text: &str) -> Option<Tag<'_>> {
    let is_end = text.starts_with("</");
    let start = if is_end { 2 } else { 1 };
    let ends_name = |c: char| c.is_ascii_whitespace() || c == '/' || c == '>';
    let name_end = start + text[start..].find(ends_name)?;
    let mut attributes = Vec::new();
    let mut at = name_end;
    loop {
        at += text[at..].find(|c: char| !c.is_ascii_whitespace() && c != '/')?;
        if text[at..].starts_with('>') {
            let name = text[start..name_end].to_ascii_lowercase();
            return Some(Tag { name, is_end, attributes, source: &text[..=at] });
        }
        let (name, value, end) = attribute(text, at)?;
        at = end;
        if attributes.len() < MAX_ATTRIBUTES {
            attributes.push((name, value));
        }
    }
}

/// Reads an attribute at `at`: its name, its value, and where it ends.
fn attribute(text: &str, at: usize) -> Option<(&str, &str, usize)> {
    // A `=` where a name begins is part of the name.
    let first = text[at..].chars().next().map_or(1, char::len_utf8);
    let ends_name = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '=');
    let name_end = at + first + text[at + first..].find(ends_name)?;
    let name = &text[at..name_end];
    let sign = name_end + text[name_end..].find(|c: char| !c.is_ascii_whitespace())?;
    if !text[sign..].starts_with('=') {
        return Some((name, "", sign));
    }
    let start = sign + 1 + text[sign + 1..].find(|c: char| !c.is_ascii_whitespace())?;
    let quote = text[start..].chars().next()?;
    match quote {
        '"' | '\'' => {
            let end = start + 1 + text[start + 1..].find(quote)?;
            Some((name, &text[start + 1..end], end + 1))
        }
        '>' => Some((name, "", start)),
        _ => {
            let end = start + text[start..].find(|c: char| c.is_ascii_whitespace() || c == '>')?;
            Some((name, &text[start..end], end))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::source::clean;

    #[test]
    fn tags_are_read_as_html_reads_them() {
        for (html, expected) in [
            ("<p title='a > b' id=x/y>c</p>", "<p title='a > b' id=x/y>c</p>"),
            ("1 < 2 <3 </ x>y <", "1 &lt; 2 &lt;3 y &lt;"),
            ("a<!-- <b> -->c<![CDATA[d]]>e<?php f ?>g<!--h", "aceg"),
            ("a<script>'</p>'</SCRIPT >b<style>c", "ab"),
            ("<svg><title><img src=x></title>a</svg>b", "ab"),
            ("a<img alt=\"no end", "a"),
        ] {
            assert_eq!(tame(html), expected, "{html}");
        }
    }

    #[test]
    fn a_picture_that_a_script_would_load_gets_its_address() {
        let expected = "<img src=\"/a.png?x=1&amp;y=2\" alt=\"b > c\">";
        for html in [
            "<img alt=\"b > c\" src='data:image/gif,x' data-src='/a.png?x=1&amp;y=2'>",
            "<IMG ALT='b > c' DATA-ORIGINAL=/a.png?x=1&amp;y=2 SRC=blank.gif />",
            "<img alt='b > c' srcset=\"/a.png?x=1&amp;y=2 1x, /c.png 2x\">",
            "<noscript><img src=\"/a.png?x=1&amp;y=2\" alt=\"b > c\"></noscript>",
            "<img data-src='/a.png?x=1&amp;y=2' alt='b > c'><noscript><img src=/a.png></noscript>",
        ] {
            assert_eq!(tame(html), expected, "{html}");
        }
    }

    #[test]
    fn text_that_is_cut_comes_out_whole() {
        let text = "AT&amp;T &lt; 5 \u{b0}C, &eacute;t&eacute; 天氣 & x".repeat(1000);
        assert!(tame(&text).contains(CUT));
        let plain = |html: &str| text::plain(html).replace('\u{a0}', " ");
        assert_eq!(plain(&clean::html(&text, None)), plain(&text));
        assert!(!clean::html(&text, None).contains(CUT));
    }

    #[test]
    fn no_reference_brings_back_a_forbidden_character() {
        for html in ["<a href=\"&#xFDD0;/tag/x\">&#64976;/tag/x &#xfdd0 &#1;</a>", "&#xFD&#x1;D0; &#xFD&#xFDD0;D0; &#00000000064976;"] {
            for cleaned in [clean::html(html, None), clean::own_html(html, None)] {
                assert!(cleaned.chars().all(text::is_allowed), "{html} became {cleaned:?}");
            }
        }
        assert_eq!(tame("&#151; &#x4e2d; &# &#x; &#99999999999;"), "&#151; &#x4e2d; &# &#x; &#99999999999;");
    }

    #[test]
    fn hostile_markup_costs_no_more_than_its_length() {
        let many = 100_000;
        let bold: String = (0..many).map(|number| format!("<b id={number}>")).collect();
        for html in [
            "<div>".repeat(many),
            format!("<p>{bold}{}", "</p><p>x".repeat(many)),
            format!("{bold}{}", "</p><p>x</p>".repeat(many)),
            format!("<p {}>", (0..many).map(|number| format!("a{number} ")).collect::<String>()),
            "<table>".to_owned() + &"<br>".repeat(many),
            "<div><table><td></div>".repeat(many),
            "<rt>".repeat(many) + &"</x>".repeat(many),
            "<a<a".repeat(many),
            "<noscript><script>".repeat(many),
            "<!--".repeat(many),
            "&#".repeat(many),
            "&".repeat(20 * many),
            "\u{b0}".repeat(10 * many),
            "<form>&".repeat(3 * many),
            "<b>&</x>&".repeat(3 * many),
            format!("<p title='{}'>", "&".repeat(20 * many)),
            format!("<p title='{}'>", "&".repeat(8000)).repeat(250),
        ] {
            let start = Instant::now();
            let cleaned = clean::html(&html, None);
            assert!(cleaned.len() <= 12 * html.len(), "{} grew to {}", &html[..16], cleaned.len());
            assert!(start.elapsed() < Duration::from_secs(20), "{} took {:?}", &html[..16], start.elapsed());
        }
    }
}
