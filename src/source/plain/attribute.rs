//! The attributes of a start tag, read and written.

use std::ops::Range;

use super::element::{Element, Kind};
use super::fate::{self, Fate};
use super::reference::{self, Place};
use super::{Reader, is_blank};
use crate::source::{link, tame};

/// Left to [`tame`], a little before its bound.
const MAX_ATTRIBUTES: usize = tame::MAX_ATTRIBUTES / 2;

/// What the attributes of a start tag say, as written.
#[derive(Default)]
pub(super) struct Tag<'a> {
    /// Those that are not dropped, since of two with one name the second does not count.
    names: Vec<&'a str>,
    count: usize,
    /// Where those stand that the cleaner's list allows; nothing for one that the cleaner's filter takes out.
    written: Vec<Option<Range<usize>>>,
    pub(super) width: &'a str,
    pub(super) height: &'a str,
    pub(super) source: &'a str,
    /// Other addresses of a picture.
    pub(super) candidates: &'a str,
    /// The kind of an input.
    pub(super) kind: &'a str,
    pub(super) is_checked: bool,
}

impl<'a> Reader<'a> {
    /// Reads attributes up to the end of the tag, and writes those that are kept.
    pub(super) fn attributes(&mut self, element: Element<'a>) -> Option<()> {
        let (mut names, mut written) = (std::mem::take(&mut self.tag.names), std::mem::take(&mut self.tag.written));
        names.clear();
        written.clear();
        self.tag = Tag { names, written, ..Tag::default() };
        loop {
            let from = self.at;
            while self.byte().is_some_and(is_blank) {
                self.at += 1;
            }
            match self.byte()? {
                b'>' => {
                    self.at += 1;
                    break;
                }
                b'/' if self.html.as_bytes().get(self.at + 1) == Some(&b'>') => {
                    self.at += 2;
                    break;
                }
                b if b.is_ascii_alphabetic() && self.at > from => self.attribute(element)?,
                _ => return None,
            }
            self.tag.count += 1;
            if self.tag.count > MAX_ATTRIBUTES {
                return None;
            }
        }
        self.close_gaps();
        Some(())
    }

    /// In the place of an attribute that its filter takes out, the cleaner puts the last one.
    fn close_gaps(&mut self) {
        let written = &mut self.tag.written;
        if written.iter().all(Option::is_some) {
            return;
        }
        let start = written.iter().flatten().next().map_or(self.output.len(), |first| first.start);
        for at in (0..written.len()).rev() {
            if written[at].is_none() {
                written.swap_remove(at);
            }
        }
        let attributes: String = written.iter().flatten().map(|place| &self.output[place.clone()]).collect();
        self.output.truncate(start);
        self.output.push_str(&attributes);
    }

    fn attribute(&mut self, element: Element<'a>) -> Option<()> {
        let rest = &self.html[self.at..];
        let name = &rest[..rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':')))?];
        self.at += name.len();
        let value = self.value()?;
        if matches!(element.kind, Kind::Gone | Kind::Unseen) {
            // A script may hold a formula.
            return (!value.trim_start().starts_with("math/")).then_some(());
        }
        if name.bytes().any(|b| b.is_ascii_uppercase()) {
            return None;
        }
        let fate = fate::fate(element.name, name);
        if fate == Fate::Dropped {
            return Some(());
        }
        if self.tag.names.contains(&name) {
            return None;
        }
        self.tag.names.push(name);
        self.write(name, value, fate)
    }

    /// The value of an attribute, as written, from behind its name.
    fn value(&mut self) -> Option<&'a str> {
        if self.byte()? != b'=' {
            return Some("");
        }
        let rest = &self.html[self.at + 1..];
        let quote = *rest.as_bytes().first()?;
        if matches!(quote, b'"' | b'\'') {
            let length = rest[1..].find(char::from(quote))?;
            self.at += length + 3;
            return Some(&rest[1..=length]);
        }
        // An ampersand is not usual: before the tag is read, the long way takes references out.
        let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.#%/:?=,+~@".contains(&byte);
        let value = &rest[..rest.bytes().position(|byte| !is_usual(byte))?];
        self.at += 1 + value.len();
        let is_whole = !value.is_empty() && self.byte().is_some_and(|b| is_blank(b) || b == b'>');
        is_whole.then_some(value)
    }

    fn write(&mut self, name: &str, value: &'a str, fate: Fate) -> Option<()> {
        let trimmed = value.trim();
        match fate {
            Fate::Dropped => return Some(()),
            Fate::Unsure => return None,
            Fate::Type => {
                self.tag.kind = trimmed;
                // A reference to a forbidden character is a space to the long way.
                return (!value.contains('&')).then_some(());
            }
            Fate::Checked => {
                self.tag.is_checked = true;
                return Some(());
            }
            Fate::Candidates => {
                self.tag.candidates = if trimmed.is_empty() { self.tag.candidates } else { trimmed };
                return Some(());
            }
            Fate::Prefixed(prefix) if !value.starts_with(prefix) => {
                self.tag.written.push(None);
                // A reference may hide the prefix.
                return (!value.contains('&')).then_some(());
            }
            Fate::Source => {
                self.tag.source = trimmed;
                return self.link(name, value, true);
            }
            Fate::Link => return self.link(name, value, true),
            Fate::Citation => return self.link(name, value, false),
            Fate::Width => self.tag.width = trimmed,
            Fate::Height => self.tag.height = trimmed,
            Fate::Kept | Fate::Prefixed(_) => {}
        }
        self.keep(name, |output| reference::copy(value, Place::Attribute, output))
    }

    fn link(&mut self, name: &str, value: &str, is_followed: bool) -> Option<()> {
        let value = reference::decoded(value)?;
        if let Some((origin, rest)) = self.links.known(&value) {
            return self.keep(name, |output| {
                output.push_str(origin);
                reference::escape(rest, Place::Attribute, output)
            });
        }
        if is_followed && !link::is_harmless(&value) {
            return Some(());
        }
        let Some(address) = self.links.address(&value) else {
            self.tag.written.push(None);
            return Some(());
        };
        self.keep(name, |output| reference::escape(&address, Place::Attribute, output))
    }

    fn keep(&mut self, name: &str, write: impl FnOnce(&mut String) -> Option<()>) -> Option<()> {
        let start = self.output.len();
        self.output.push(' ');
        self.output.push_str(name);
        self.output.push_str("=\"");
        write(&mut self.output)?;
        self.output.push('"');
        self.tag.written.push(Some(start..self.output.len()));
        Some(())
    }
}
