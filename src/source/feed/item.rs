//! From an item's elements to an article: what each element of RSS, Atom, Dublin Core and Media RSS means, and which
//! wins where several say the same.

use std::borrow::Cow;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use url::Url;

use super::dates::{self, Habits};
use super::element::{Element, Kind, Meaning, absolute, web};
use super::media::{self, Media};
use super::names::Vocabulary;
use super::people;
use super::repairs::{Repair, Repairs};
use super::tree::Ending;
use super::{Item, words};
use crate::model::{Article, Language, Link, Omission, Person, Time, text};
use crate::source::clean;

/// Tags, links or people of one article beyond these are passed over.
const MAX_OF_A_KIND: usize = 200;

/// What an item has said so far.
#[derive(Default)]
pub(super) struct Draft {
    /// Whether it is Atom's, where a text is text unless its `type` says otherwise (RFC 4287 3.1.1).
    is_entry: bool,
    title: Choice<String>,
    guid: Option<String>,
    guid_is_link: bool,
    /// Whether the guid says itself that it is a link.
    guid_says_link: bool,
    id: Option<String>,
    about: Option<String>,
    links: Links,
    content: Choice<String>,
    summary: Choice<String>,
    published: Choice<Time>,
    updated: Option<Time>,
    people: people::People,
    contributors: Vec<Person>,
    rights: Option<String>,
    languages: Vec<Language>,
    tags: Vec<String>,
    /// What stands for tags where there are none: of podcasts they say all that somebody might search for.
    keywords: Vec<String>,
    comments: Option<String>,
    media: Media,
}

/// A value, and how well it stands: a lower rank wins; of equal ones the first, or the last where that is asked for.
struct Choice<T>(Option<(u8, T)>);

impl<T> Default for Choice<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Choice<T> {
    fn offer(&mut self, rank: u8, value: impl FnOnce() -> Option<T>) {
        if self.0.as_ref().is_none_or(|(known, _)| rank < *known) {
            self.put(rank, value());
        }
    }

    /// Of several links or dates of one kind readers take the last (feedparser does).
    fn offer_anew(&mut self, rank: u8, value: impl FnOnce() -> Option<T>) {
        if self.0.as_ref().is_none_or(|(known, _)| rank <= *known) {
            self.put(rank, value());
        }
    }

    fn put(&mut self, rank: u8, value: Option<T>) {
        self.0 = value.map(|value| (rank, value)).or(self.0.take());
    }

    fn into_value(self) -> Option<T> {
        self.0.map(|(_, value)| value)
    }
}

/// Where an item leads.
#[derive(Default)]
struct Links {
    /// RSS's `link` or Atom's first `alternate`, one to HTML before others.
    main: Choice<String>,
    /// What is left if there is none.
    other: Option<String>,
    /// One that leads nowhere, as it is written.
    blind: Option<String>,
}

impl Draft {
    pub(super) fn of(item: &Element) -> Self {
        Self { is_entry: item.name == "entry", ..Self::default() }
    }

    /// Takes one element of an item. `base` is where the item's relative links lead.
    pub(super) fn take(&mut self, element: &Element, base: Option<&Url>, habits: Habits, repairs: &mut Repairs) {
        let own_base = element.base(base);
        let base = own_base.as_deref();
        match element.vocabulary {
            Vocabulary::Core => self.core(element, base, habits, repairs),
            Vocabulary::Dublin => self.dublin(element, base, habits, repairs),
            Vocabulary::Content => self.content.offer(0, || prose(element, Kind::Html, base)),
            Vocabulary::Html if element.name == "body" => self.content.offer(2, || prose(element, Kind::Html, base)),
            Vocabulary::Media => self.media(element, base),
            Vocabulary::Itunes => self.itunes(element, base),
            Vocabulary::Podcast => self.media.extension("podcast", element),
            _ => {}
        }
    }

    fn core(&mut self, element: &Element, base: Option<&Url>, habits: Habits, repairs: &mut Repairs) {
        match element.name.as_str() {
            "title" if self.is_entry => self.title.offer(0, || title_of_entry(element)),
            "title" => self.title.offer(0, || title(element)),
            "link" => self.link(element, base),
            "guid" => {
                self.guid = self.guid.take().or_else(|| filled(element.line()));
                let stated = element.attribute("ispermalink");
                self.guid_is_link = stated.is_none_or(|word| !word.eq_ignore_ascii_case("false"));
                self.guid_says_link = stated.is_some_and(|word| word.eq_ignore_ascii_case("true"));
            }
            "id" => self.id = self.id.take().or_else(|| filled(element.line())),
            "description" => self.summary.offer(1, || prose(element, Kind::Html, base)),
            "summary" => self.summary.offer(0, || prose(element, Kind::Text, base)),
            "content" => self.atom_content(element, base),
            "fullitem" | "encoded" | "body" => self.content.offer(2, || prose(element, Kind::Html, base)),
            "pubdate" | "published" | "issued" => self.date(0, element, habits, repairs),
            "date" | "created" => self.date(2, element, habits, repairs),
            "updated" | "modified" => self.updated(element, habits, repairs),
            "author" => self.people.take(people::person(element, base)),
            // Where an entry of another feed names nobody, that feed's author wrote it (RFC 4287 4.2.1).
            "source" => {
                let author = element.child(Vocabulary::Core, "author");
                self.people.fallback(author.and_then(|author| people::person(author, base)));
            }
            "contributor" if self.contributors.len() < MAX_OF_A_KIND => self.contributors.extend(people::person(element, base)),
            "category" => self.tag(people::term(element)),
            // Macworld has its categories in a list.
            "categories" => element.children().filter(|inner| inner.name == "category").for_each(|inner| self.tag(people::term(inner))),
            "rights" | "copyright" => self.rights = self.rights.take().or_else(|| filled(title(element)?)),
            "language" => self.languages.extend(Language::parse(&element.line())),
            "comments" => self.comments = self.comments.take().or_else(|| absolute(base, &element.line())),
            "enclosure" => self.media.enclosure(element, base),
            "image" | "thumbnail" => self.media.picture(element, base),
            _ => {}
        }
    }

    fn dublin(&mut self, element: &Element, base: Option<&Url>, habits: Habits, repairs: &mut Repairs) {
        match element.name.as_str() {
            "title" => self.title.offer(1, || title(element)),
            "description" | "abstract" => self.summary.offer(2, || prose(element, Kind::Html, base)),
            "date" | "created" => self.date(2, element, habits, repairs),
            "issued" => self.date(1, element, habits, repairs),
            "modified" => self.updated(element, habits, repairs),
            "creator" | "author" => self.people.take(people::person(element, base)),
            "contributor" if self.contributors.len() < MAX_OF_A_KIND => self.contributors.extend(people::person(element, base)),
            "subject" => self.tag(people::term(element)),
            "rights" => self.rights = self.rights.take().or_else(|| filled(title(element)?)),
            "language" => self.languages.extend(Language::parse(&element.line())),
            "identifier" => self.about = self.about.take().or_else(|| filled(element.line())),
            _ => {}
        }
    }

    fn media(&mut self, element: &Element, base: Option<&Url>) {
        match element.name.as_str() {
            "title" => self.title.offer(2, || title(element)),
            "description" => self.summary.offer(4, || prose(element, Kind::Text, base)),
            "keywords" => self.keywords(element),
            _ => self.media.take(element, base),
        }
        if element.name == "group" {
            for inner in element.children().filter(|inner| matches!(inner.name.as_str(), "title" | "description" | "keywords")) {
                self.media(inner, base);
            }
        }
        // Pictures have captions, or their photographers' names.
        let is_played = |element: &&Element| element.is(Vocabulary::Media, "content") && !media::is_picture(element);
        for file in Some(element).into_iter().chain(element.children()).filter(is_played) {
            self.title.offer(4, || title(file.child(Vocabulary::Media, "title")?));
            self.summary.offer(5, || prose(file.child(Vocabulary::Media, "description")?, Kind::Text, base));
        }
    }

    fn itunes(&mut self, element: &Element, base: Option<&Url>) {
        match element.name.as_str() {
            "title" => self.title.offer(3, || title(element)),
            "summary" => self.summary.offer(3, || prose(element, Kind::Html, base)),
            "author" => self.people.fallback(people::person(element, base)),
            "image" => self.media.picture(element, base),
            "duration" => self.media.duration(&element.line()),
            "keywords" => self.keywords(element),
            _ => {}
        }
        self.media.extension("itunes", element);
    }

    /// `content` of Atom, whose text may be elsewhere (RFC 4287 4.1.3.2).
    fn atom_content(&mut self, element: &Element, base: Option<&Url>) {
        match element.attribute("src") {
            Some(source) => self.links.other = self.links.other.take().or_else(|| absolute(base, source)),
            None => self.content.offer(1, || prose(element, Kind::Text, base)),
        }
    }

    fn link(&mut self, element: &Element, base: Option<&Url>) {
        let media_type = element.attribute("type").unwrap_or("text/html").to_ascii_lowercase();
        // A line that ends within an address is no part of it.
        let text: String = element.text().lines().map(str::trim).collect();
        let href = element.attribute("href").or_else(|| element.attribute("resource")).unwrap_or(&text);
        let is_page = matches!(media_type.split(';').next().unwrap_or_default().trim(), "text/html" | "application/xhtml+xml");
        match element.attribute("rel").unwrap_or("alternate").trim_start_matches("http://www.iana.org/assignments/relation/") {
            "alternate" => match absolute(base, href) {
                Some(url) => self.links.main.offer_anew(u8::from(!is_page), || Some(url)),
                None => self.links.blind = self.links.blind.take().or_else(|| filled(text::line(href))),
            },
            "enclosure" => self.media.enclosure(element, base),
            "replies" if is_page => self.comments = self.comments.take().or_else(|| absolute(base, href)),
            "license" | "replies" | "edit" => {}
            // It is the entry itself; only if it is said to be a page can a person read it there.
            "self" if !is_page || element.attribute("type").is_none() => {}
            _ => self.links.other = self.links.other.take().or_else(|| absolute(base, href)),
        }
    }

    fn date(&mut self, rank: u8, element: &Element, habits: Habits, repairs: &mut Repairs) {
        self.published.offer_anew(rank, || date(element, habits, repairs));
    }

    /// Of several changes the last is the one that counts, wherever it stands.
    fn updated(&mut self, element: &Element, habits: Habits, repairs: &mut Repairs) {
        self.updated = self.updated.max(date(element, habits, repairs));
    }

    fn tag(&mut self, name: Option<String>) {
        add(&mut self.tags, name);
    }

    fn keywords(&mut self, element: &Element) {
        for keyword in element.line().split(',') {
            add(&mut self.keywords, filled(keyword.trim().to_owned()));
        }
    }

    /// The item, and whether it is an article. `base` is where its relative links lead.
    pub(super) fn finish(mut self, item: &Element, base: Option<&Url>, ending: Ending) -> Item {
        self.about = item.attribute("about").map(text::line).or(self.about);
        let page_of = |id: Option<&str>| web(None, id?);
        let permalink = self.guid.as_deref().filter(|_| self.guid_is_link);
        // Numbers and names are no paths, whatever they say.
        let is_path = |guid: &&str| guid.starts_with('/') || self.guid_says_link && guid.contains('/');
        let permalink = page_of(permalink).or_else(|| web(base, permalink.filter(is_path)?));
        let link = self.links.main.into_value().or(permalink);
        let link = link.or_else(|| absolute(base, item.attribute("about")?)).or(self.links.other).or_else(|| page_of(self.id.as_deref()));
        let id = || self.guid.as_ref().filter(|_| self.guid_is_link).or(self.id.as_ref()).cloned();
        let named = if link.is_some() { None } else { self.links.blind.or_else(id) };
        let guid = self.guid.or(self.id).or(self.about);
        let title = self.title.into_value();
        let (summary, content) = bodies(self.summary, self.content);
        let has_media = self.media.has_enclosure();
        let says_something = title.is_some() || link.is_some() || content.is_some() || summary.is_some() || has_media;
        let published = self.published.into_value();
        let says_who_it_is = guid.is_some() || link.is_some() || title.is_some() && published.or(self.updated).is_some();
        let omission = match ending {
            _ if !says_something => Some(Omission::Empty),
            Ending::Cut if !says_who_it_is => Some(Omission::Cut),
            _ => None,
        };
        let mut languages: Vec<Language> = item.language().into_iter().chain(self.languages).collect();
        languages.truncate(1);
        let mut article = Article {
            guid: guid.or_else(|| link.clone()).unwrap_or_else(|| {
                if omission.is_some() {
                    return String::new();
                }
                let text = content.as_deref().or(summary.as_deref()).filter(|_| title.is_none() && published.is_none());
                made_guid(&[title.as_deref(), text], published)
            }),
            link: link.map(Link::At).or(named.map(Link::Named)).unwrap_or_default(),
            title,
            summary,
            content,
            authors: self.people.into_authors(),
            contributors: self.contributors,
            rights: self.rights,
            published: published.or(self.updated),
            updated: self.updated,
            languages,
            tags: if self.tags.is_empty() { self.keywords } else { self.tags },
            comments: self.comments,
            ..Article::default()
        };
        self.media.finish(&mut article);
        Item { article, omission }
    }
}

/// Adds a name to others, once.
fn add(names: &mut Vec<String>, name: Option<String>) {
    names.extend(name.filter(|name| names.len() < MAX_OF_A_KIND && !names.contains(name)));
}

/// An RSS item has often only a `description`, which then is all its text: content, not a summary of it. Atom's
/// `summary` stays one. A summary that repeats the content is none.
fn bodies(summary: Choice<String>, content: Choice<String>) -> (Option<String>, Option<String>) {
    match (summary.0, content.0) {
        (Some((0, summary)), None) => (Some(summary), None),
        (Some((_, only)), None) => (None, Some(only)),
        (Some((_, summary)), Some((_, content))) if summary.trim() == content.trim() => (None, Some(content)),
        (summary, content) => (summary.map(|(_, html)| html), content.map(|(_, html)| html)),
    }
}

/// A guid for an item that has neither an id nor a link, the same as long as its words are.
pub(super) fn made_guid(words: &[Option<&str>], published: Option<Time>) -> String {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(word.unwrap_or_default());
        hash.update([0]);
    }
    hash.update(published.map_or(0, |time| time.timestamp()).to_be_bytes());
    BASE32_NOPAD.encode(&hash.finalize()[..15]).to_ascii_lowercase()
}

pub(super) fn filled(line: String) -> Option<String> {
    Some(line).filter(|line| !line.is_empty())
}

/// A title is plain text: markup in it goes, unless it is said to be text already.
pub(super) fn title(element: &Element) -> Option<String> {
    filled(match element.meaning(Kind::Html) {
        Meaning::Text(text) => text::line(&text),
        Meaning::Html(html) => words::title(&html),
        // Of a type that nobody knows.
        Meaning::Nothing => element.line(),
    })
}

fn title_of_entry(element: &Element) -> Option<String> {
    match element.meaning(Kind::Text) {
        Meaning::Text(text) if element.attribute("type").is_none() => filled(words::untyped_title(&text)),
        _ => title(element),
    }
}

/// Text with markup, cleaned; `None` if nothing is left.
pub(super) fn prose(element: &Element, default: Kind, base: Option<&Url>) -> Option<String> {
    let inner = element.children().next().filter(|only| only.name == "div").and_then(|div| div.base(base));
    let base = inner.as_deref().or(base);
    let html = match element.meaning(default) {
        Meaning::Text(text) if element.attribute("type").is_none() && words::is_markup(&text) => text,
        Meaning::Text(text) => Cow::Owned(words::paragraphs(&text)),
        Meaning::Html(html) => html,
        Meaning::Nothing => return None,
    };
    html_of(&html, base)
}

/// Cleans HTML; `None` if nothing is left.
pub(super) fn html_of(html: &str, base: Option<&Url>) -> Option<String> {
    if html.trim().is_empty() {
        return None;
    }
    let cleaned = clean::html(html, base);
    let trimmed = cleaned.trim();
    if trimmed.is_empty() { None } else { Some(if trimmed.len() == cleaned.len() { cleaned } else { trimmed.to_owned() }) }
}

fn date(element: &Element, habits: Habits, repairs: &mut Repairs) -> Option<Time> {
    let line = element.line();
    let time = dates::parse(&line, habits);
    if time.is_none() && !line.is_empty() {
        repairs.note(Repair::Date);
    }
    time
}
