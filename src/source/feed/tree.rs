//! From text to elements: cuts a document with `quick-xml`, finds out where each element ends, whatever its tags say,
//! and gives the children of the channel one by one. It bounds depth, so that what comes after may recurse.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::rc::Rc;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use url::Url;

use super::element::{Element, Part, VOID};
use super::names::{Namespaces, Vocabulary};
use super::places::{
    ends_soon, is_foreign, is_item, is_item_level, is_line, is_markup_name, is_of_channel_definition, is_part_of_item, is_person, is_prose,
    may_stand_in_person, may_stand_in_prose,
};
use super::repairs::{Repair, Repairs};
use crate::model::{Language, text};
use crate::source::link::LONGEST_BASE;

/// Elements deeper than this are not kept; their text is.
const MAX_DEPTH: usize = 100;

const CDATA: &str = "<![CDATA[";

/// Parts of one element of the channel beyond these are dropped.
const MAX_PARTS: usize = 200_000;

/// Markup that cannot be cut into tags: the text is to be mended first.
#[derive(Debug)]
pub(super) struct Broken;

/// What surrounds the channel's children.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// Where relative links lead.
    pub(super) base: Option<Rc<Url>>,
    /// `xml:lang` of the document.
    pub(super) language: Option<Language>,
}

/// The children of a document's containers (`rss`, `channel`, `feed`, `RDF`), each whole.
pub(super) struct Tree<'a> {
    reader: Reader<&'a [u8]>,
    trust: Trust,
    namespaces: Namespaces,
    /// The containers' scopes, the innermost last, below them the document's own.
    scopes: Vec<Scope>,
    containers: Vec<Element>,
    open: Vec<Element>,
    /// How many elements deeper than the limit are open.
    buried: usize,
    parts: usize,
    /// Children that have ended and are not given yet: two where one tag ends an item and is one.
    ready: VecDeque<Element>,
    /// The first element that is no container.
    foreign_root: Option<String>,
    has_root: bool,
    is_channel_definition: bool,
    pub(super) repairs: &'a mut Repairs,
}

/// Whether the text is known to be cut without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// As it came; doubtful tags are an error.
    Raw,
    /// As the mender wrote it.
    Mended,
}

impl<'a> Tree<'a> {
    pub(super) fn new(text: &'a str, trust: Trust, base: Option<&Url>, repairs: &'a mut Repairs) -> Self {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.allow_dangling_amp = true;
        config.allow_unmatched_ends = true;
        config.check_end_names = false;
        Self {
            reader,
            trust,
            namespaces: Namespaces::default(),
            scopes: vec![Scope { base: base.cloned().map(Rc::new), language: None }],
            containers: Vec::new(),
            open: Vec::new(),
            buried: 0,
            parts: 0,
            ready: VecDeque::new(),
            foreign_root: None,
            has_root: false,
            is_channel_definition: false,
            repairs,
        }
    }

    /// The root where it is none of a feed.
    pub(super) fn foreign_root(&self) -> Option<&str> {
        self.foreign_root.as_deref()
    }

    /// Whether there was a container.
    pub(super) fn has_root(&self) -> bool {
        self.has_root
    }

    /// Whether it is a document of the Channel Definition Format, whose elements are named like those of RSS.
    pub(super) fn is_channel_definition(&self) -> bool {
        self.is_channel_definition
    }

    /// What surrounds the child that was given last.
    pub(super) fn scope(&self) -> &Scope {
        &self.scopes[self.scopes.len() - 1]
    }

    /// The next child of a container, and whether the end of the document cuts it.
    pub(super) fn next(&mut self) -> Result<Option<(Element, Ending)>, Broken> {
        loop {
            if let Some(element) = self.ready.pop_front() {
                return Ok(Some((element, Ending::Whole)));
            }
            match self.reader.read_event() {
                Ok(Event::Eof) => return Ok(self.finish()),
                Ok(event) => self.take(event)?,
                Err(_) if self.trust == Trust::Raw => return Err(Broken),
                Err(_) => return Ok(self.finish()),
            }
        }
    }

    fn take(&mut self, event: Event<'_>) -> Result<(), Broken> {
        match event {
            Event::Start(tag) => self.start(&tag, false)?,
            Event::Empty(tag) => self.start(&tag, true)?,
            Event::End(tag) => {
                let name = tag.name();
                self.doubt(name.as_ref(), name.as_ref())?;
                self.end(name.as_ref().trim());
            }
            Event::Text(more) => self.text(&more.into_inner()),
            Event::CData(more) => {
                let more = more.into_inner();
                // A section in a section: the end of the outer one is missing.
                if self.trust == Trust::Raw && more.contains(CDATA) {
                    return Err(Broken);
                }
                self.text(&more);
            }
            Event::GeneralRef(name) => self.reference(&name.into_inner()),
            _ => {}
        }
        Ok(())
    }

    /// A tag that holds another, or has no name, is text with a stray `<`.
    fn doubt(&self, name: &str, raw: &str) -> Result<(), Broken> {
        let starts_well = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if self.trust == Trust::Raw && (!starts_well || raw.contains('<')) { Err(Broken) } else { Ok(()) }
    }

    fn start(&mut self, tag: &BytesStart<'_>, is_empty: bool) -> Result<(), Broken> {
        let name = tag.name();
        self.doubt(name.as_ref(), tag)?;
        let (element, is_declared) = self.element(tag)?;
        self.is_channel_definition |= self.open.len() < 2 && is_of_channel_definition(&element, self.containers.first());
        if self.is_container(&element) {
            self.close_to(0);
            self.enter(element);
            return Ok(());
        }
        self.end_what_it_ends(&element);
        if self.open.is_empty() && !self.is_child(&element) {
            self.foreign_root.get_or_insert_with(|| element.local().to_owned());
            self.namespaces.leave(self.depth());
            return Ok(());
        }
        if !is_declared {
            self.repairs.note(Repair::Prefix);
        }
        if self.open.is_empty() {
            self.parts = 0;
        }
        self.parts += 1;
        let is_void = is_empty || (!self.open.is_empty() && VOID.contains(&element.name.as_str()));
        if self.open.len() >= MAX_DEPTH || self.parts > MAX_PARTS {
            self.repairs.note(Repair::Limit);
            self.buried += usize::from(!is_void);
            self.namespaces.leave(self.depth());
            return Ok(());
        }
        self.open.push(element);
        if is_void {
            self.close_to(self.open.len() - 1);
        }
        Ok(())
    }

    fn element(&mut self, tag: &BytesStart<'_>) -> Result<(Element, bool), Broken> {
        let depth = self.depth();
        let mut attributes = Vec::new();
        for attribute in tag.html_attributes().with_checks(false).take(256) {
            let Ok(attribute) = attribute else {
                if self.trust == Trust::Raw {
                    return Err(Broken);
                }
                continue;
            };
            let name: &str = attribute.key.as_ref();
            let value = text::unescape(&attribute.value);
            match name.strip_prefix("xmlns") {
                Some("") => self.namespaces.declare(depth, "", &value),
                Some(prefix) if prefix.starts_with(':') => self.namespaces.declare(depth, &prefix[1..], &value),
                None if name == "xml:base" && value.len() > LONGEST_BASE => self.repairs.note(Repair::Limit),
                _ if !attributes.iter().any(|(known, _)| known == name) => attributes.push((name.to_owned(), value)),
                _ => {}
            }
        }
        let name = tag.name();
        let (vocabulary, local, is_declared) = self.resolve(name.as_ref());
        let mut element = Element::new(vocabulary, local);
        element.attributes = attributes;
        Ok((element, is_declared))
    }

    fn resolve<'n>(&self, name: &'n str) -> (Vocabulary, &'n str, bool) {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let (vocabulary, is_declared) = self.namespaces.resolve(prefix);
        (vocabulary, local, is_declared)
    }

    fn depth(&self) -> usize {
        self.containers.len() + self.open.len() + 1
    }

    /// Whether it is a container where it stands: outside any other element.
    fn is_container(&self, element: &Element) -> bool {
        let named = match element.vocabulary {
            Vocabulary::Core => matches!(element.name.as_str(), "rss" | "channel" | "feed" | "rdf"),
            Vocabulary::Rdf => element.name == "rdf",
            _ => false,
        };
        let may_begin = self.open.is_empty() || matches!(element.name.as_str(), "rss" | "channel") && !self.is_in_markup();
        named && may_begin && self.containers.len() < 4
    }

    fn is_in_markup(&self) -> bool {
        self.open.iter().any(|open| is_prose(open) || open.vocabulary == Vocabulary::Html)
    }

    /// Whether it may stand where no element is open: in a container, or an item that lost its container.
    fn is_child(&self, element: &Element) -> bool {
        !self.containers.is_empty() || (is_item(element) && self.foreign_root.as_deref() != Some("html"))
    }

    fn enter(&mut self, element: Element) {
        self.has_root = true;
        let outer = self.scope();
        let base = match element.base(outer.base.as_deref()) {
            Some(Cow::Owned(own)) => Some(Rc::new(own)),
            Some(Cow::Borrowed(_)) | None => outer.base.clone(),
        };
        let scope = Scope { base, language: element.language().or_else(|| outer.language.clone()) };
        self.scopes.push(scope);
        self.containers.push(element);
    }

    /// What a start tag ends though its end tag is missing: an item another item, a title what cannot stand in a title.
    fn end_what_it_ends(&mut self, element: &Element) {
        if is_item(element) && !self.open.is_empty() {
            self.repairs.note(Repair::Nesting);
            self.close_to(0);
            return;
        }
        let level = usize::from(self.open.first().is_some_and(is_item));
        let Some(open) = self.open.get(level) else {
            return;
        };
        let cannot_hold = is_line(open)
            || is_prose(open) && !may_stand_in_prose(element)
            || is_person(open) && !may_stand_in_person(element) && !ends_soon(open, self.reader.get_ref());
        // Inside a picture of SVG or the like, elements of Dublin Core speak of the picture.
        let is_elsewhere = self.open[level + 1..].iter().any(is_foreign);
        if cannot_hold && is_part_of_item(element) && !is_elsewhere {
            self.repairs.note(Repair::Nesting);
            self.close_to(level);
        }
    }

    fn end(&mut self, name: &str) {
        let (vocabulary, local, _) = self.resolve(name);
        let local = local.to_ascii_lowercase();
        if self.buried > 0 {
            let level = self.open.iter().take(2).position(|open| open.is(vocabulary, &local));
            match level.filter(|_| is_item_level(&local)) {
                Some(level) => self.close_to(level),
                None => self.buried -= 1,
            }
            return;
        }
        if let Some(level) = self.open.iter().rposition(|open| open.is(vocabulary, &local)) {
            if level + 1 < self.open.len() {
                self.repairs.note(Repair::Nesting);
            }
            return self.close_to(level);
        }
        if let Some(level) = self.containers.iter().rposition(|container| container.is(vocabulary, &local)) {
            return self.leave(level);
        }
        if self.open.is_empty() {
            return;
        }
        self.repairs.note(Repair::Nesting);
        let level = self.open.len() - 1;
        if level == usize::from(is_item(&self.open[0])) && is_line(&self.open[level]) && !is_markup_name(&local) {
            self.close_to(level);
        }
    }

    /// Ends all elements at a level and above. There is at most one element of a container among them.
    fn close_to(&mut self, level: usize) {
        self.buried = 0;
        while self.open.len() > level {
            let Some(element) = self.open.pop() else { return };
            self.namespaces.leave(self.depth());
            match self.open.last_mut() {
                Some(outer) => outer.parts.push(Part::Element(element)),
                None => self.ready.push_back(element),
            }
        }
    }

    fn leave(&mut self, level: usize) {
        self.close_to(0);
        if !self.ready.is_empty() {
            self.repairs.note(Repair::Nesting);
        }
        self.containers.truncate(level);
        self.scopes.truncate(level + 1);
        self.namespaces.leave(self.depth());
    }

    fn text(&mut self, more: &str) {
        if let Some(open) = self.open.last_mut() {
            open.push_text(more);
        }
    }

    fn reference(&mut self, name: &str) {
        let Some(open) = self.open.last_mut() else { return };
        match name {
            "lt" => open.push_text("<"),
            "gt" => open.push_text(">"),
            "amp" => open.push_text("&"),
            "quot" => open.push_text("\""),
            "apos" => open.push_text("'"),
            _ => {
                open.push_text(&text::unescape(&format!("&{name};")));
                if !name.starts_with('#') {
                    self.repairs.note(Repair::Entities);
                }
            }
        }
    }

    /// What is still open at the end of the document.
    fn finish(&mut self) -> Option<(Element, Ending)> {
        if self.open.is_empty() {
            if !self.containers.is_empty() {
                self.repairs.note(Repair::Truncated);
                self.containers.clear();
            }
            return None;
        }
        self.repairs.note(Repair::Truncated);
        let level = usize::from(self.open.first().is_some_and(is_item));
        let cut = self.open.get(level).is_some_and(is_line);
        self.close_to(level);
        if cut && level == 1 {
            self.open[0].parts.pop();
        }
        self.close_to(0);
        let ending = if self.containers.is_empty() { Ending::Whole } else { Ending::Cut };
        self.ready.pop_front().map(|element| (element, ending))
    }
}

/// How a child ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Whole,
    /// With the document, so that its last parts are missing.
    Cut,
}
