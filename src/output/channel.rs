//! What a feed says of itself, whatever its format.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::dress;
use super::entry::absolute;
use crate::model::{
    Archive, Clauses, Dated, Format, History, Kind, Language, Options, Page, Selection, Site, Slug, Target, Term, Time, Tombstone,
    identity, text,
};

/// What a feed says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The store, whose id is part of the ids of feeds.
    pub store: Uuid,
    /// The same in every format, for ever.
    pub id: String,
    /// Names the selection.
    pub title: String,
    /// The selection in words, or the term's own.
    pub description: String,
    /// The HTML page.
    pub page: String,
    /// The document itself, by format.
    pub own: [String; 3],
    /// Its archive (RFC 5005), by format: relation and URL.
    pub archive: [Vec<(&'static str, String)>; 3],
    /// What it says of its own place in the archive.
    pub extent: Option<Extent>,
    /// What was withdrawn.
    pub tombstones: Vec<Tombstone>,
    /// When all articles share it.
    pub language: Option<Language>,
    /// The newest change among the articles.
    pub updated: Time,
    /// A picture of the term's own.
    pub picture: Option<String>,
    /// The site's icon.
    pub icon: String,
    /// The site, which publishes it.
    pub author: String,
    /// The hub that tells of its changes.
    pub hub: Option<String>,
}

/// What a document holds of its feed (RFC 5005), where it is not just the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All there is.
    Complete,
    /// A part that does not change any more.
    Archive,
}

impl Extent {
    /// The element's name without its prefix.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Archive => "archive",
        }
    }
}

impl Channel {
    /// Its URL in a format.
    #[must_use]
    pub fn url(&self, format: Format) -> &str {
        &self.own[format as usize]
    }
}

/// The channel of a selection.
#[must_use]
pub fn channel<E: Dated>(selection: &Selection, options: &Options, page: &Page<E>, site: &Site, store: Uuid) -> Channel {
    let term = own_term(selection, &page.terms);
    let link = |format| {
        let options = Options { before: None, ..options.clone() };
        site.link(&Target::List { selection: selection.clone(), options, format })
    };
    // An archive is asked for by parameters.
    let history = if site.is_static && page.history != History::Complete { &History::None } else { &page.history };
    let of_format = |format| archive(history, selection, options, site, format);
    let changes = page.entries.iter().map(Dated::changed).chain(page.tombstones.iter().map(|tombstone| tombstone.at));
    let named = site.named(selection);
    let picture = named.map_or(term.and_then(|term| term.picture.as_deref()), |named| named.picture.as_deref());
    let id = identity::feed_id(&store, selection, options);
    Channel {
        store,
        title: title(selection, &page.terms, site),
        description: description(selection, &page.terms, site),
        page: site.link(&Target::page(selection)),
        own: Format::ALL.map(|format| link(Some(format))),
        archive: Format::ALL.map(of_format),
        extent: match history {
            History::Complete => Some(Extent::Complete),
            History::Closed { .. } => Some(Extent::Archive),
            _ => None,
        },
        tombstones: page.tombstones.iter().map(|tombstone| dress::tombstone(tombstone, &id, options)).collect(),
        language: shared_language(&page.entries),
        updated: changes.max().unwrap_or(page.created),
        picture: picture.and_then(absolute).map(Into::into),
        icon: site.url("/favicon.ico"),
        author: text::line(&site.title),
        hub: site.hub_of(selection, options).map(Into::into),
        id,
    }
}

/// The links of a document to the archive of its feed, in one format.
fn archive(history: &History, selection: &Selection, options: &Options, site: &Site, format: Format) -> Vec<(&'static str, String)> {
    let url = |archive| {
        let options = Options { archive, limit: Options::default().limit, ..options.clone() };
        site.link(&Target::List { selection: selection.clone(), options, format: Some(format) })
    };
    let to = |relation, archive: &Archive| (relation, url(Some(archive.clone())));
    match history {
        History::None | History::Complete | History::Moved(_) => Vec::new(),
        History::Current { previous } => vec![to("prev-archive", previous)],
        History::Open { previous } => {
            std::iter::once(("current", url(None))).chain(previous.iter().map(|previous| to("prev-archive", previous))).collect()
        }
        History::Closed { previous, next } => {
            let links = [
                Some(("current", url(None))),
                previous.as_ref().map(|previous| to("prev-archive", previous)),
                Some(to("next-archive", next)),
            ];
            links.into_iter().flatten().collect()
        }
    }
}

/// The title of a selection: its own name or its term's, else the selection in words with the site's.
#[must_use]
pub fn title(selection: &Selection, terms: &[Term], site: &Site) -> String {
    if let Some(named) = site.named(selection) {
        return text::line(&format!("{} · {}", named.title, site.title));
    }
    if let Some(title) = own_term(selection, terms).and_then(|term| term.title.as_ref()) {
        return text::line(title);
    }
    let words = match selection.single() {
        None if selection.is_all() => return text::line(&site.title),
        Some((kind, slug)) => name(kind, slug, terms),
        None => words(selection, terms),
    };
    text::line(&format!("{words} · {}", site.title))
}

/// The description of a selection: its term's own, the site's for everything, else the selection in words.
fn description(selection: &Selection, terms: &[Term], site: &Site) -> String {
    let named = site.named(selection);
    let own = named.map_or(own_term(selection, terms).and_then(|term| term.description.as_ref()), |named| named.description.as_ref());
    match own {
        Some(description) => text::line(description),
        None if selection.is_all() && !site.description.is_empty() => text::line(&site.description),
        None if selection.is_all() => text::line(&site.title),
        None => text::line(&format!("{}: {}", site.title, words(site.meant(selection).unwrap_or(selection), terms))),
    }
}

fn own_term<'a>(selection: &Selection, terms: &'a [Term]) -> Option<&'a Term> {
    let (kind, slug) = selection.single()?;
    terms.iter().find(|term| term.name.kind == kind && term.name.slug == *slug)
}

fn name(kind: Kind, slug: &Slug, terms: &[Term]) -> String {
    let term = terms.iter().find(|term| term.name.kind == kind && term.name.slug == *slug);
    term.map_or_else(|| slug.to_string(), |term| term.name.name.clone())
}

/// A selection in words: `category qq, tag ai or llm, not tag ads, with the words 大模型, since 7d`.
pub(super) fn words(selection: &Selection, terms: &[Term]) -> String {
    let clauses = selection.clauses().flat_map(|(kind, Clauses { any, none })| {
        let join = |slugs: &BTreeSet<Slug>| slugs.iter().map(|slug| name(kind, slug, terms)).collect::<Vec<_>>().join(" or ");
        let excluded = (!none.is_empty()).then(|| format!("not {kind} {}", join(none)));
        any.iter().map(move |slugs| format!("{kind} {}", join(slugs))).chain(excluded).collect::<Vec<_>>()
    });
    let rest = [
        selection.words.as_ref().map(|words| format!("with the words {words}")),
        selection.since.map(|since| format!("since {since}")),
        selection.until.map(|until| format!("until {until}")),
    ];
    let clauses: Vec<String> = clauses.collect();
    let rest: Vec<String> = rest.into_iter().flatten().collect();
    match (clauses.is_empty(), rest.is_empty()) {
        (true, true) => "everything".to_owned(),
        (true, false) => format!("articles {}", rest.join(", ")),
        (false, _) => [clauses, rest].concat().join(", "),
    }
}

fn shared_language<E: Dated>(entries: &[E]) -> Option<Language> {
    let first = entries.first()?.language()?;
    entries.iter().all(|entry| entry.language() == Some(first)).then(|| first.clone())
}

#[cfg(test)]
mod tests {
    use super::super::samples::{STORE, all, page, site, term};
    use super::*;
    use crate::model::{Address, Target};

    fn of(url: &str, terms: Vec<Term>) -> Channel {
        let Target::List { selection, options, .. } = Address::parse(url).unwrap().target else { panic!("{url} is no list") };
        channel(&selection, &options, &page(Vec::new(), terms), &site(), STORE)
    }

    #[test]
    fn titles_and_descriptions_say_which_articles_these_are() {
        let terms = || vec![term(Kind::Tag, "AI/ML"), term(Kind::Tag, "LLM"), term(Kind::Category, "QQ")];
        for (url, title, description) in [
            ("/feed.rss", "My feeds & more", "What <I> read"),
            ("/tag/ai-ml.rss", "AI/ML · My feeds & more", "My feeds & more: tag AI/ML"),
            ("/language/zh.rss", "zh · My feeds & more", "My feeds & more: language zh"),
            (
                "/feed.rss?category=qq&tag=ai-ml,llm&tag=-ads",
                "category QQ, tag AI/ML or LLM, not tag ads · My feeds & more",
                "My feeds & more: category QQ, tag AI/ML or LLM, not tag ads",
            ),
        ] {
            let channel = of(url, terms());
            assert_eq!((channel.title.as_str(), channel.description.as_str()), (title, description), "{url}");
        }
    }

    #[test]
    fn a_terms_own_words_win() {
        let described = Term {
            title: Some("All\u{0} about\nC++".to_owned()),
            description: Some("Templates".to_owned()),
            picture: Some("https://feeds.example.org/c.png".to_owned()),
            ..term(Kind::Tag, "C++")
        };
        let channel = of("/tag/c%2B%2B.rss", vec![described.clone()]);
        assert_eq!((channel.title.as_str(), channel.description.as_str()), ("All about C++", "Templates"));
        assert_eq!(channel.picture.as_deref(), Some("https://feeds.example.org/c.png"));
        assert_eq!(of("/feed.rss?tag=c%2B%2B&tag=-x", vec![described]).title, "tag C++, not tag x · My feeds & more");
    }

    #[test]
    fn a_feed_keeps_its_id_over_formats_options_and_public_urls() {
        let ids = ["/tag/x", "/tag/x.rss", "/tag/x.json?limit=5", "/tag/x.atom?content=summary"].map(|url| of(url, Vec::new()).id);
        assert!(ids.iter().all(|id| *id == ids[0] && id.starts_with("urn:uuid:")), "{ids:?}");
        assert_ne!(of("/category/x", Vec::new()).id, ids[0]);
    }

    #[test]
    fn each_format_links_itself_with_the_options_and_the_page_without() {
        let channel = of("/tag/x.atom?content=summary&limit=5", Vec::new());
        assert_eq!(channel.url(Format::Atom), "https://feeds.example.org/mill/tag/x.atom?content=summary&limit=5");
        assert_eq!(channel.url(Format::Json), "https://feeds.example.org/mill/tag/x.json?content=summary&limit=5");
        assert_eq!(channel.page, "https://feeds.example.org/mill/tag/x");
    }

    #[test]
    fn a_feed_is_as_new_as_its_newest_change_and_an_empty_one_as_its_term() {
        let mut entries = all();
        entries[3].changed += chrono::TimeDelta::hours(5);
        let newest = entries[3].changed;
        let full = page(entries, Vec::new());
        let selection = Selection::default();
        assert_eq!(channel(&selection, &Options::default(), &full, &site(), STORE).updated, newest);
        let empty = page(Vec::new(), Vec::new());
        assert_eq!(channel(&selection, &Options::default(), &empty, &site(), STORE).updated, empty.created);
    }
}
