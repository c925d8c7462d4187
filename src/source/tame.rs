//! A first pass over hostile HTML, before the parser builds a tree of it: pictures that scripts would load get their
//! source, what shows nothing goes, and what would make the parser slow is bounded. It reads tags as HTML's tokenizer
//! does (WHATWG 13.2.5) and drops all that would put the tokenizer into another state, so that both see the same tags.

use super::formula::{self, Formulas};
use super::names;
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
const MODES: [&str; 7] = ["template", "select", "noscript", "form", "frameset", "button", "html"];
/// Elements without an end tag.
const VOID: [&str; 14] = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Elements that close their like, so that a row of them does not nest.
const SELF_CLOSING: [&str; 12] = ["p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "caption", "colgroup"];
/// Elements that the parser opens again where they were cut off (13.2.4.3); a second `a` closes the first.
const FORMATTING: [&str; 12] = ["b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u"];
/// Where loading scripts look for a picture's address.
pub(super) const LAZY: [&str; 6] = ["data-src", "data-original", "data-lazy-src", "data-actualsrc", "data-lazyload", "data-original-src"];

/// One tag, its name in small letters, its values as written.
pub(super) struct Tag<'a> {
    pub(super) name: String,
    pub(super) is_end: bool,
    attributes: Vec<(&'a str, &'a str)>,
    source: &'a str,
}

impl<'a> Tag<'a> {
    /// The value of an attribute that is not empty.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
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
    formulas: Formulas,
    /// The element that is not shown, and how many of its name are open in it.
    hidden: Option<(&'static str, usize)>,
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
        if self.hidden.is_some() {
            return;
        }
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
            return if tag.is_end { rest } else { self.raw(tag, rest) };
        }
        if self.is_hidden(tag) || self.formulas.take(tag, &mut self.output) {
            return rest;
        }
        // The cleaner takes a name of other vocabularies for an attack, and drops all that follows in the paragraph.
        if MODES.contains(&name)
            || !names::is_of_html(name)
            || tag.attributes.len() >= MAX_ATTRIBUTES
            || tag.source.len() > MAX_TAG
            || self.tags >= MAX_TAGS
        {
            return rest;
        }
        self.tags += 1;
        self.formulas.leave();
        match (name, tag.is_end) {
            ("img", false) => self.picture(tag),
            ("input", false) => self.checkbox(tag),
            (_, true) => self.close(tag),
            (_, false) => self.open(tag),
        }
        rest
    }

    /// Passes over an element that is no markup; the TeX in some scripts is a text (`MathJax`).
    fn raw<'a>(&mut self, tag: &Tag<'_>, rest: &'a str) -> &'a str {
        let behind = after_end(rest, &tag.name);
        if let Some(kind) = tag.value("type").filter(|kind| self.hidden.is_none() && tag.name == "script" && kind.starts_with("math/tex")) {
            let tex = rest.split("</").next().unwrap_or_default().trim();
            formula::write(&text::escape(tex), formula::sign(kind.contains("display")), &mut self.output);
        }
        behind
    }

    /// Whether a tag is not to be shown: a drawing goes with all that is in it, until a block ends it.
    fn is_hidden(&mut self, tag: &Tag<'_>) -> bool {
        let name = tag.name.as_str();
        let Some((hidden, depth)) = &mut self.hidden else {
            self.hidden = match name {
                "svg" if !tag.is_end && !tag.source.ends_with("/>") => Some(("svg", 1)),
                "span" if self.formulas.is_drawn_by(tag, &self.output) => Some(("span", 1)),
                _ => return name == "svg",
            };
            return true;
        };
        if names::is_block(name) {
            self.hidden = None;
            return false;
        }
        if name == *hidden && !tag.source.ends_with("/>") {
            *depth = if tag.is_end { *depth - 1 } else { *depth + 1 };
            self.hidden = self.hidden.filter(|(_, depth)| *depth > 0);
        }
        true
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
mod tests;
