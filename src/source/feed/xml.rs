//! Documents of RSS, RDF and Atom: what the channel says of itself, and its items one by one.

use std::rc::Rc;

use url::Url;

use super::dates::Habits;
use super::element::{Element, Kind, absolute, is_affordable, web};
use super::item::{Draft, filled, prose, title};
use super::names::Vocabulary;
use super::places::is_item;
use super::repair::repair;
use super::repairs::{Repair, Repairs};
use super::tree::{Broken, Ending, Tree, Trust};
use super::{Document, FeedContext, FeedError, people};
use crate::model::{Language, text};
use crate::source::link::is_short;

/// Reads a document, mending its markup if it cannot be cut into tags as it is.
pub(super) fn read(text: &str, context: &FeedContext<'_>, repairs: &mut Repairs) -> Result<Document, FeedError> {
    let mut first = Repairs::default();
    let read = Channel::read(text, Trust::Raw, context, &mut first);
    if let Ok(document) = read {
        repairs.merge(first);
        return document;
    }
    let mended = repair(text, repairs);
    Channel::read(&mended, Trust::Mended, context, repairs).unwrap_or(Err(FeedError::NotAFeed("nothing that can be read".to_owned())))
}

/// What has been read of a document.
struct Channel<'a> {
    context: &'a FeedContext<'a>,
    document: Document,
    /// The language of what surrounds the items, where the channel states none.
    surrounding: Option<Language>,
    /// The channel's page, which stands in for the base that a file has not.
    base: Option<Rc<Url>>,
    items: usize,
}

impl<'a> Channel<'a> {
    fn read(text: &str, trust: Trust, context: &'a FeedContext<'a>, repairs: &mut Repairs) -> Result<Result<Document, FeedError>, Broken> {
        let mut channel = Self { context, document: Document::default(), surrounding: None, base: None, items: 0 };
        let mut tree = Tree::new(text, trust, context.url, repairs);
        while let Some((element, ending)) = tree.next()? {
            let base = tree.scope().base.clone().or_else(|| channel.base.clone());
            if channel.surrounding.is_none() {
                channel.surrounding.clone_from(&tree.scope().language);
            }
            if is_item(&element) {
                if channel.items >= context.limits.articles {
                    tree.repairs.note(Repair::Limit);
                    break;
                }
                channel.items += 1;
                channel.item(&element, ending, base.as_deref(), tree.repairs);
            } else {
                channel.note(&element, base.as_deref());
            }
        }
        let was_feed = channel.items > 0 || tree.has_root();
        if tree.is_channel_definition() {
            return Ok(Err(FeedError::ChannelDefinition));
        }
        if !was_feed {
            return Ok(Err(FeedError::of_root(tree.foreign_root())));
        }
        channel.document.info.language = channel.document.info.language.or(channel.surrounding);
        Ok(Ok(channel.document))
    }

    fn habits(&self) -> Habits {
        Habits::new(self.context.zone, self.document.info.language.as_ref().or(self.surrounding.as_ref()))
    }

    fn item(&mut self, element: &Element, ending: Ending, outer: Option<&Url>, repairs: &mut Repairs) {
        let own_base = element.base(outer);
        let base = own_base.as_deref().filter(|base| is_affordable(base, element.children().count()));
        let habits = self.habits().of(element.language().as_ref());
        let mut draft = Draft::of(element);
        for part in element.children() {
            draft.take(part, base, habits, repairs);
        }
        let item = draft.finish(element, base, ending);
        if item.omission.is_some() {
            repairs.note(Repair::Item);
        }
        self.document.items.push(item);
    }

    /// Takes what the channel says of itself; of several the first.
    fn note(&mut self, element: &Element, outer: Option<&Url>) {
        let own_base = element.base(outer);
        let base = own_base.as_deref();
        let info = &mut self.document.info;
        match (element.vocabulary, element.name.as_str()) {
            (Vocabulary::Core | Vocabulary::Dublin, "title") => info.title = info.title.take().or_else(|| title(element)),
            (Vocabulary::Core, "link") => self.link(element, base),
            (Vocabulary::Core, "description" | "subtitle" | "tagline") | (Vocabulary::Dublin, "description") => {
                let plain = || filled(text::plain(&prose(element, Kind::Html, base)?));
                info.description = info.description.take().or_else(plain);
            }
            (Vocabulary::Core, "id") => info.id = info.id.take().or_else(|| filled(element.line())),
            (Vocabulary::Core, "author" | "managingeditor") | (Vocabulary::Dublin, "creator") if info.authors.is_empty() => {
                info.authors.extend(people::person(element, base));
            }
            (Vocabulary::Itunes, "author") if info.authors.is_empty() => info.authors.extend(people::person(element, base)),
            (Vocabulary::Core | Vocabulary::Dublin, "language") => self.language(Language::parse(&element.line())),
            (Vocabulary::Core | Vocabulary::Dublin, "rights" | "copyright") => info.rights = info.rights.take().or_else(|| title(element)),
            (Vocabulary::Core, "icon" | "logo" | "image") | (Vocabulary::Itunes, "image") => {
                let url = element.child(Vocabulary::Core, "url").map(Element::line).and_then(filled);
                let url = url.or_else(|| element.attribute("href").map(str::to_owned)).or_else(|| filled(element.line()));
                info.icon = info.icon.take().or_else(|| web(base, &url?));
            }
            (Vocabulary::Core, "ttl") => self.document.wishes.ttl(element),
            (Vocabulary::Core, "skiphours" | "skipdays") => self.document.wishes.skip(element),
            (Vocabulary::Syndication, _) => self.document.wishes.syndication(element),
            // Some feeds of RSS 0.90 to 1.0 have their items inside a list.
            (Vocabulary::Core, "items") => self.listed_items(element, base),
            _ => {}
        }
    }

    fn listed_items(&mut self, list: &Element, base: Option<&Url>) {
        let mut unheard = Repairs::default();
        for item in list.children().filter(|inner| is_item(inner)) {
            self.items += 1;
            self.item(item, Ending::Whole, base, &mut unheard);
        }
    }

    fn link(&mut self, element: &Element, base: Option<&Url>) {
        let is_alternate = element.attribute("rel").is_none_or(|rel| rel.eq_ignore_ascii_case("alternate"));
        let is_page = element.attribute("type").is_none_or(|media_type| media_type.contains("html"));
        let href = element.attribute("href").map(str::to_owned).or_else(|| filled(element.line()));
        let url = || web(base, href.as_deref()?);
        let relations = &mut self.document.relations;
        match element.attribute("rel").map(str::to_ascii_lowercase).as_deref() {
            Some("hub") => relations.hub = relations.hub.take().or_else(url),
            Some("self") => relations.own = relations.own.take().or_else(url),
            _ => {}
        }
        if !is_alternate || !is_page || self.document.info.home.is_some() {
            return;
        }
        self.document.info.home = href.and_then(|href| absolute(base, &href));
        self.base = self.document.info.home.as_deref().and_then(|home| Url::parse(home).ok()).filter(is_short).map(Rc::new);
    }

    fn language(&mut self, language: Option<Language>) {
        let info = &mut self.document.info;
        info.language = info.language.take().or(language);
    }
}
