//! Damaged markup made such that it can be cut into tags and text without an error. It balances nothing and resolves
//! no reference: what an element is, and where it ends, is the reader's to know.

use std::ops::ControlFlow;

use super::repairs::{Repair, Repairs, line_of};
use super::tag::{Tag, TagScanner};

/// The longest tag that is taken for one when the end of the document cuts it.
const CUT_TAG: usize = 1024;

/// Writes a text anew: well-formed tags, CDATA sections and text. Comments, instructions and the DTD go.
pub(super) fn repair(text: &str, repairs: &mut Repairs) -> String {
    let mut mender = Mender {
        text,
        scanner: TagScanner::new(text),
        mended: String::with_capacity(text.len() + 64),
        missing: Vec::new(),
        cdata_end: None,
    };
    let mut place = 0;
    let mut first_damage = None;
    while let Some(found) = text[place..].find('<') {
        mender.mended.push_str(&text[place..place + found]);
        place += found;
        place = match mender.markup(place) {
            ControlFlow::Continue(next) => next,
            ControlFlow::Break(next) => {
                first_damage.get_or_insert(place);
                next
            }
        };
    }
    mender.mended.push_str(&text[place..]);
    if let Some(damage) = first_damage {
        repairs.note_at(Repair::Markup, || line_of(text, damage));
    }
    mender.mended
}

const CDATA: &str = "<![CDATA[";

/// The name in the tag that a text ends with; a name that no element has if it ends otherwise.
fn last_tag(text: &str) -> &str {
    let start = text.trim_end().strip_suffix('>').and_then(|text| text.rfind('<').map(|at| &text[at + 1..]));
    start.and_then(|tag| tag.split_ascii_whitespace().next()).unwrap_or("?")
}

struct Mender<'a> {
    text: &'a str,
    scanner: TagScanner<'a>,
    mended: String,
    /// Ends that do not occur any more, so that they are looked for once only.
    missing: Vec<&'static str>,
    /// The end of a CDATA section that was found last: one that lies behind many starts is looked for once only.
    cdata_end: Option<usize>,
}

impl Mender<'_> {
    /// Takes the markup that begins at a `<`; gives where to go on, as a break if something was mended.
    fn markup(&mut self, at: usize) -> ControlFlow<usize, usize> {
        let rest = &self.text[at..];
        if rest.starts_with("<!--") {
            return self.skip(at, 4, "-->");
        }
        if rest.starts_with(CDATA) {
            return self.cdata(at);
        }
        if rest.starts_with("<?") {
            return self.skip(at, 2, ">");
        }
        if rest.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("<!doctype")) {
            return self.doctype(at);
        }
        if rest.starts_with("</") {
            if let Some((name, end)) = self.scanner.end_tag(at) {
                self.mended.extend(["</", name, ">"]);
                return ControlFlow::Continue(end);
            }
        } else if let Some((tag, end)) = self.scanner.start_tag(at) {
            self.write(&tag);
            return ControlFlow::Continue(end);
        }
        if self.is_cut(at) {
            return ControlFlow::Break(self.text.len());
        }
        self.mended.push_str("&lt;");
        ControlFlow::Break(at + 1)
    }

    /// Whether a tag begins here that the end of the document cuts.
    fn is_cut(&self, at: usize) -> bool {
        let rest = &self.text[at + 1..];
        rest.len() < CUT_TAG && rest.starts_with(|c: char| c == '/' || c.is_ascii_alphabetic()) && !rest.contains('>')
    }

    /// Passes over markup up to its end; without one its opening alone goes.
    fn skip(&mut self, at: usize, opening: usize, close: &'static str) -> ControlFlow<usize, usize> {
        match self.find(at + opening, close) {
            Some(found) => ControlFlow::Continue(found + close.len()),
            None => ControlFlow::Break(at + opening),
        }
    }

    /// A section whose end is missing, or stands only behind the start of another one, ends with the element that it is
    /// all of.
    fn cdata(&mut self, at: usize) -> ControlFlow<usize, usize> {
        let start = at + CDATA.len();
        let close = self.cdata_end.filter(|known| *known >= start).or_else(|| self.find(start, "]]>"));
        self.cdata_end = close;
        let inner = self.text[start..close.unwrap_or(self.text.len())].find(CDATA).map(|found| start + found);
        if let (Some(close), None) = (close, inner) {
            self.mended.push_str(&self.text[at..close + 3]);
            return ControlFlow::Continue(close + 3);
        }
        let element_end = format!("</{}", last_tag(&self.mended));
        let limit = inner.or(close).unwrap_or(self.text.len());
        let end = self.text[start..limit].find(&element_end).map(|found| start + found).or(close).unwrap_or(self.text.len());
        self.mended.push_str(&self.text[at..end]);
        self.mended.push_str("]]>");
        ControlFlow::Break(if close == Some(end) { end + 3 } else { end })
    }

    /// Passes over a DTD. Nothing in it is expanded.
    fn doctype(&mut self, at: usize) -> ControlFlow<usize, usize> {
        let head = self.text[at..].find(['>', '[']).map_or(self.text.len(), |found| at + found);
        if self.text[head..].starts_with('[') {
            let close = self.find(head, "]>").map(|found| found + 2);
            return close.or_else(|| self.find(head, ">").map(|found| found + 1)).map_or(ControlFlow::Break(head), ControlFlow::Continue);
        }
        ControlFlow::Continue((head + 1).min(self.text.len()))
    }

    fn find(&mut self, from: usize, close: &'static str) -> Option<usize> {
        if self.missing.contains(&close) {
            return None;
        }
        let found = self.text.get(from..).and_then(|rest| rest.find(close)).map(|found| from + found);
        if found.is_none() {
            self.missing.push(close);
        }
        found
    }

    fn write(&mut self, tag: &Tag<'_>) {
        self.mended.push('<');
        self.mended.push_str(tag.name);
        for (name, value) in &tag.attributes {
            self.mended.push(' ');
            self.mended.push_str(name);
            self.mended.push_str("=\"");
            for c in value.chars() {
                match c {
                    '"' => self.mended.push_str("&quot;"),
                    '<' => self.mended.push_str("&lt;"),
                    c => self.mended.push(c),
                }
            }
            self.mended.push('"');
        }
        self.mended.push_str(if tag.is_empty { "/>" } else { ">" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(text: &str) -> String {
        repair(text, &mut Repairs::default())
    }

    #[test]
    fn stray_signs_become_text_and_tags_well_formed() {
        for (text, expected) in [
            ("<a>1 < 2 <3</a>", "<a>1 &lt; 2 &lt;3</a>"),
            ("<a b=c d='e \"f\"'/>", "<a b=\"c\" d=\"e &quot;f&quot;\"/>"),
            ("<a><!-- x --><b>", "<a><b>"),
            ("<a><!-- never closed <b>", "<a> never closed <b>"),
            ("<![CDATA[ <b> & ", "<![CDATA[ <b> & ]]>"),
            ("<a><![CDATA[b </a><c>d</c>", "<a><![CDATA[b ]]></a><c>d</c>"),
            ("<a><![CDATA[b</a><c><![CDATA[d]]></c>", "<a><![CDATA[b]]></a><c><![CDATA[d]]></c>"),
            ("<a><![CDATA[b<![CDATA[c]]>", "<a><![CDATA[b<![CDATA[c]]>"),
            ("<!DOCTYPE rss [<!ENTITY a \"b\">]><rss>", "<rss>"),
            ("<a>x</a><item", "<a>x</a>"),
            ("<a>x</a <b>y</b>", "<a>x</a><b>y</b>"),
        ] {
            assert_eq!(mended(text), expected);
        }
    }

    #[test]
    fn unclosed_comments_take_linear_time() {
        for unit in ["<!--", "<![CDATA", "<![CDATA[", "<a><![CDATA[", "<a><![CDATA[</a>", "<?", "<!DOCTYPE [", "<", "</"] {
            let hostile = unit.repeat(1_000_000 / unit.len());
            assert!(mended(&hostile).len() <= hostile.len() * 4);
            let with_ends = hostile + "]]>-->";
            assert!(mended(&with_ends).len() <= with_ends.len() * 4);
        }
    }
}
