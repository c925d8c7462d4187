//! The short way of cleaning: well-formed HTML of elements that everybody uses needs no tree. One scan writes what the
//! long way ([`super::tame`], then ammonia on html5ever) would write, or gives up at the first thing that it is not sure
//! of. What the cleaner allows is said there; here is only what is certain to come out the same.

mod attribute;
mod element;
mod fate;
#[cfg(test)]
mod made_up;
mod reference;
#[cfg(test)]
mod tests;

use super::link::Links;
use super::tame;
use attribute::Tag;
use element::{Element, Kind};
use reference::Place;

/// What [`tame`] bounds is left to it, a little before its bounds.
const MAX_DEPTH: usize = 200;
const MAX_FORMATTING: usize = 12;
const MAX_TAGS: usize = tame::MAX_TAGS / 2;
const MAX_TAG: usize = tame::MAX_TAG / 2;

/// Cleans HTML, if it is plain.
pub(super) fn plain(html: &str, links: Links<'_>) -> Option<String> {
    let output = String::with_capacity(html.len() + html.len() / 8);
    let mut reader = Reader {
        html,
        at: 0,
        output,
        links,
        open: Vec::with_capacity(16),
        is_in_paragraph: false,
        is_in_anchor: false,
        formatting: 0,
        tags: 0,
        after_pre: usize::MAX,
        tag: Tag::default(),
    };
    loop {
        reader.text()?;
        if reader.at == html.len() {
            break;
        }
        reader.markup()?;
    }
    reader.open.is_empty().then_some(reader.output)
}

struct Reader<'a> {
    html: &'a str,
    at: usize,
    output: String,
    links: Links<'a>,
    open: Vec<Element<'a>>,
    is_in_paragraph: bool,
    is_in_anchor: bool,
    formatting: usize,
    tags: usize,
    /// The length of the output behind the last `<pre>`.
    after_pre: usize,
    tag: Tag<'a>,
}

impl<'a> Reader<'a> {
    /// Copies what stands before the next tag.
    fn text(&mut self) -> Option<()> {
        let rest = &self.html[self.at..];
        let text = &rest[..rest.find('<').unwrap_or(rest.len())];
        self.at += text.len();
        // The parser drops a byte order mark at the start, and a line feed behind `<pre>`.
        let is_dropped = |text: &str| {
            (self.output.is_empty() && text.starts_with('\u{feff}'))
                || (self.output.len() == self.after_pre && text.starts_with(['\n', '\r']))
        };
        let is_misplaced = |text: &str| self.open.last().is_some_and(|parent| parent.is_grid()) && !text.bytes().all(is_blank);
        if is_dropped(text) || is_misplaced(text) {
            return None;
        }
        reference::copy(text, Place::Text, &mut self.output)
    }

    /// Reads the markup that begins here.
    fn markup(&mut self) -> Option<()> {
        let rest = &self.html[self.at..];
        match rest.as_bytes().get(1)? {
            b'/' => self.end(),
            b'!' => {
                let comment = rest.strip_prefix("<!--")?;
                self.at += 4 + comment.find("-->")? + 3;
                Some(())
            }
            _ => self.start(),
        }
    }

    fn end(&mut self) -> Option<()> {
        let rest = &self.html[self.at + 2..];
        let name = &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric())?];
        self.at += 2 + name.len();
        while self.byte().is_some_and(is_blank) {
            self.at += 1;
        }
        if self.byte()? != b'>' {
            return None;
        }
        self.at += 1;
        self.count()?;
        if name == "table" && self.open.last().is_some_and(|element| element.kind == Kind::ImpliedRows) {
            self.close();
        }
        if self.open.last().is_some_and(|element| element.name == name) {
            self.close();
            return Some(());
        }
        // What closes nothing is dropped; but `</br>` is read as `<br>`.
        matches!(element::kind(name)?, Kind::Unseen | Kind::Gone | Kind::Void | Kind::Rule | Kind::Picture | Kind::Input if name != "br")
            .then_some(())
    }

    /// Closes the innermost element.
    fn close(&mut self) {
        let Some(element) = self.open.pop() else { return };
        match element.kind {
            Kind::Paragraph => self.is_in_paragraph = false,
            Kind::Anchor => self.is_in_anchor = false,
            Kind::Formatting | Kind::HiddenFormatting => self.formatting -= 1,
            _ => {}
        }
        if !element.is_hidden() {
            self.output.push_str("</");
            self.output.push_str(element.name);
            self.output.push('>');
        }
    }

    fn start(&mut self) -> Option<()> {
        let from = self.at;
        let rest = &self.html[from + 1..];
        let name = &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric())?];
        let element = Element { name, kind: element::kind(name)? };
        self.imply(element.kind);
        if !element::nests(element.kind, self.open.last().map(|parent| parent.kind), self.is_in_paragraph, self.is_in_anchor) {
            return None;
        }
        let written = self.output.len();
        self.output.push('<');
        self.output.push_str(name);
        self.at += 1 + name.len();
        self.attributes(element)?;
        self.output.push('>');
        if self.at - from > MAX_TAG {
            return None;
        }
        self.count()?;
        self.open(element, written)
    }

    /// The rows that the parser puts around a row in the table itself, until other rows begin.
    fn imply(&mut self, kind: Kind) {
        let parent = self.open.last().map(|parent| parent.kind);
        if kind == Kind::Row && parent == Some(Kind::Table) {
            self.output.push_str("<tbody>");
            self.open.push(Element { name: "tbody", kind: Kind::ImpliedRows });
        }
        if kind == Kind::Rows && parent == Some(Kind::ImpliedRows) {
            self.close();
        }
    }

    /// Does what a start tag asks for; the tag itself has been written, from `written` on.
    fn open(&mut self, element: Element<'a>, written: usize) -> Option<()> {
        match element.kind {
            Kind::Void | Kind::Rule => return Some(()),
            Kind::Picture => return self.picture(written),
            Kind::Input | Kind::Unseen | Kind::Gone => {
                self.output.truncate(written);
                if element.kind == Kind::Gone {
                    self.at = self.html.len() - tame::after_end(&self.html[self.at..], element.name).len();
                }
                if self.tag.kind.eq_ignore_ascii_case("checkbox") {
                    self.output.push(if self.tag.is_checked { '☑' } else { '☐' });
                }
                return Some(());
            }
            Kind::Paragraph => self.is_in_paragraph = true,
            Kind::Anchor => self.is_in_anchor = true,
            Kind::Formatting | Kind::HiddenFormatting => self.formatting += 1,
            Kind::Preformatted => self.after_pre = self.output.len(),
            _ => {}
        }
        if element.is_hidden() {
            self.output.truncate(written);
        }
        self.open.push(element);
        (self.open.len() <= MAX_DEPTH && self.formatting <= MAX_FORMATTING).then_some(())
    }

    /// Tracking pixels go; a picture without a source may have another address, which the long way looks for.
    fn picture(&mut self, written: usize) -> Option<()> {
        let is_pixel = |size: &str| matches!(size.trim_end_matches("px"), "0" | "1");
        if is_pixel(self.tag.width) && is_pixel(self.tag.height) {
            self.output.truncate(written);
        }
        let shows_nothing = self.tag.source.is_empty() || self.tag.source.starts_with("data:");
        (self.tag.candidates.is_empty() || !shows_nothing).then_some(())
    }

    fn count(&mut self) -> Option<()> {
        self.tags += 1;
        (self.tags < MAX_TAGS).then_some(())
    }

    fn byte(&self) -> Option<u8> {
        self.html.as_bytes().get(self.at).copied()
    }
}

/// White space that is the same to every reader of HTML.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\t' | b'\r')
}
