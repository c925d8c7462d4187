//! What to do with an article that was read: pure decisions, so that the database code only carries them out.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use url::Url;

use crate::model::rule::{Aliases, Facts, judge};
use crate::model::{
    Article, FullText, Kind, Language, Link, Origins, Policy, Slug, Source, SourceInfo, SourceSettings, Time, Verdict, detect, identity,
    is_web, text,
};

/// Dated further back than this, an article counts as old when it is discovered: it is listed by its own date.
const BACK_FILL: TimeDelta = TimeDelta::days(7);

/// The category of articles that have none.
pub(super) const UNCATEGORIZED: &str = "uncategorized";

/// Query parameters that make no other page, beside those that only tell who clicked.
const SAME_PAGE: [&str; 2] = ["ref", "spm"];

/// What of an article decides whether it changed; the first 16 bytes of a SHA-256.
pub(super) type Fingerprint = [u8; 16];

/// The fingerprint of an article as it was read, whatever its place is called: a file that moves stays itself. With it
/// comes the part of the article that is stored as JSON: all but its names and its long texts, without what is empty.
pub(super) fn fingerprint(article: &mut Article) -> Result<(Fingerprint, String), serde_json::Error> {
    // Taken out and put back: a copy of every article would cost more than its hash.
    let guid = std::mem::take(&mut article.guid);
    let texts = [&mut article.lead, &mut article.summary, &mut article.content, &mut article.markdown].map(Option::take);
    let details = serde_json::to_string(article);
    let mut hash = Sha256::new();
    for text in &texts {
        let length = text.as_ref().map_or(u64::MAX, |text| text.len() as u64);
        hash.update(length.to_le_bytes());
        hash.update(text.as_deref().unwrap_or_default());
    }
    article.guid = guid;
    [article.lead, article.summary, article.content, article.markdown] = texts;
    let details = details?;
    hash.update(&details);
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(&hash.finalize()[..16]);
    // An article whose page was asked for is another one than before, and so is one whose page is to be asked for.
    fingerprint[15] ^= match article.full_text {
        FullText::Unasked => 0,
        FullText::Later => 1,
        FullText::Settled | FullText::Read(_) => 2,
    };
    Ok((fingerprint, details))
}

/// The time that an article is ordered by, for ever: its discovery, but for a source's first reading and a back-fill
/// its published date. A future date counts as the discovery.
pub(super) fn listed(published: Option<Time>, is_first_reading: bool, now: Time) -> Time {
    match published {
        Some(published) if published <= now && (is_first_reading || published < now - BACK_FILL) => published,
        _ => now,
    }
}

/// The order in which the articles of one batch are numbered: as they are listed, then as they were published; of
/// undated ones the first in the document is the newest.
pub(super) fn in_order_of_listing(mut articles: Vec<Article>, is_first_reading: bool, now: Time) -> Vec<Article> {
    articles.reverse();
    articles.sort_by_key(|article| {
        let published = article.published.filter(|published| *published <= now).unwrap_or(now);
        (listed(article.published, is_first_reading, now), published)
    });
    articles
}

/// What two links share that lead to the same page: the first 8 bytes of the SHA-256 of [`page`].
pub(super) type LinkKey = i64;

/// The key of the page that a link leads to. `None`: a link that tells nothing, to the front page of a host.
pub(super) fn link_key(link: &str) -> Option<LinkKey> {
    page(link).map(|page| short_hash(&page))
}

/// A number that stands for a text, so that an index of it is small.
pub(super) fn short_hash(text: &str) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&Sha256::digest(text)[..8]);
    i64::from_be_bytes(first)
}

/// The page that a link leads to: host, path and query, without trackers, scheme and fragment.
fn page(link: &str) -> Option<String> {
    let url = Url::parse(link).ok().filter(is_web)?;
    let host = url.host_str()?.trim_start_matches("www.");
    let path = url.path().trim_end_matches('/');
    let query: Vec<_> = url.query_pairs().filter(|(name, _)| !identity::is_tracker(name) && !SAME_PAGE.contains(&name.as_ref())).collect();
    if path.is_empty() {
        return None;
    }
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let mut key = format!("{host}{port}{path}");
    for (position, (name, value)) in query.iter().enumerate() {
        key.push(if position == 0 { '?' } else { '&' });
        key.push_str(name);
        key.push('=');
        key.push_str(value);
    }
    // A fragment that is a path of a one-page application names another page.
    if let Some(fragment) = url.fragment().filter(|fragment| fragment.starts_with(['!', '/'])) {
        key.push('#');
        key.push_str(fragment);
    }
    Some(key)
}

/// Where an article leads: `is_taken` says whether another article has a link, asked for a candidate alone.
pub(super) fn link<E>(link: &Link, is_taken: impl FnOnce(&str) -> Result<bool, E>) -> Result<Option<String>, E> {
    Ok(match link {
        Link::Own | Link::Named(_) => None,
        Link::At(url) => Some(url.clone()),
        Link::Candidate(url) => (!is_taken(url)?).then(|| url.clone()),
    })
}

/// A term that an article shall have: its name for people, where that came from, its place among those of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) origins: Origins,
    pub(super) position: usize,
}

/// What of a source decides on the terms of its articles.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) slug: &'a Slug,
    pub(super) title: &'a str,
    pub(super) settings: &'a SourceSettings,
}

impl<'a> From<&'a Source> for Named<'a> {
    fn from(source: &'a Source) -> Self {
        Self { slug: &source.slug, title: &source.title, settings: &source.settings }
    }
}

/// What would become of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreseen {
    /// A rule keeps it out.
    pub is_dropped: bool,
    /// Its categories, then its tags.
    pub labels: Vec<String>,
    /// Its main language.
    pub language: Option<Language>,
}

/// What would become of an article of a source of some title that nothing is set for.
#[must_use]
pub fn foresee(article: &Article, title: &str, info: &SourceInfo, policy: &Policy) -> Foreseen {
    let (slug, settings) = (Slug::from_name(title), SourceSettings::default());
    let aliases = Aliases::default();
    let context = Context { source: Named { slug: &slug, title, settings: &settings }, info, policy, aliases: &aliases };
    let found_out = context.found_out(article);
    let verdict = context.judge(article, found_out.as_ref());
    let sorted = context.sort(article, found_out.as_ref(), &verdict);
    let uncategorized = Slug::from_name(UNCATEGORIZED);
    let is_label = |kind, slug: &Slug| kind == Kind::Tag || kind == Kind::Category && *slug != uncategorized;
    let mut labels: Vec<_> = sorted.terms.into_iter().filter(|((kind, slug), _)| is_label(*kind, slug)).collect();
    labels.sort_by_key(|((kind, _), term)| (*kind != Kind::Category, term.position));
    let labels = labels.into_iter().map(|(_, term)| term.name).collect();
    Foreseen { is_dropped: verdict.drop, labels, language: sorted.language }
}

/// What decides on the terms of an article besides itself.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) source: Named<'a>,
    /// The source's own word, which may be newer than the stored one.
    pub(super) info: &'a SourceInfo,
    pub(super) policy: &'a Policy,
    pub(super) aliases: &'a Aliases,
}

/// What an article is sorted into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sorted {
    /// Its terms, that of its source among them.
    pub(super) terms: BTreeMap<(Kind, Slug), Wanted>,
    /// Its main language.
    pub(super) language: Option<Language>,
}

impl Context<'_> {
    /// The language of an article that nobody names, by its words.
    pub(super) fn found_out(&self, article: &Article) -> Option<Language> {
        let is_named = !article.languages.is_empty() || self.default_language().is_some();
        if is_named || !self.policy.detect_languages { None } else { detected(article) }
    }

    /// What the rules say of an article.
    pub(super) fn judge(&self, article: &Article, found_out: Option<&Language>) -> Verdict {
        if self.policy.rules.is_empty() {
            return Verdict::default();
        }
        let terms = self.sort(article, found_out, &Verdict::default()).terms;
        judge(&self.policy.rules, Facts::new(article, terms.into_iter().map(|((kind, slug), term)| (kind, slug, term.name)), self.aliases))
    }

    /// Sorts an article by its own word, then by its source's defaults, and by what rules said of it.
    pub(super) fn sort(&self, article: &Article, found_out: Option<&Language>, verdict: &Verdict) -> Sorted {
        let (languages, origins) = match (&verdict.set_language, self.default_language()) {
            (Some(language), _) => (std::slice::from_ref(language), Origins::RULE),
            (None, _) if !article.languages.is_empty() => (article.languages.as_slice(), Origins::OWN),
            (None, Some(default)) => (std::slice::from_ref(default), Origins::SOURCE),
            (None, None) => (found_out.map(std::slice::from_ref).unwrap_or_default(), Origins::DETECTED),
        };
        let mut terms = terms(article, self.source.settings, verdict, self.aliases);
        for range in languages.iter().flat_map(Language::ranges) {
            add(&mut terms, Kind::Language, range.slug(), range.as_str(), origins);
        }
        add(&mut terms, Kind::Source, self.source.slug.clone(), self.source.title, Origins::OWN);
        Sorted { terms, language: languages.first().cloned() }
    }

    fn default_language(&self) -> Option<&Language> {
        self.source.settings.language.as_ref().or(self.info.language.as_ref())
    }
}

/// So many bytes of HTML have all the text that is looked at for its language, but where markup is most of it.
const LOOKED_AT: usize = 16 * detect::LOOKED_AT;

/// The language of an article that names none, by its words.
fn detected(article: &Article) -> Option<Language> {
    let mut sample = article.title.clone().unwrap_or_default();
    for html in [&article.lead, &article.summary, &article.content].into_iter().flatten() {
        if sample.chars().nth(detect::LOOKED_AT).is_some() {
            break;
        }
        sample.push('\n');
        sample.push_str(&text::plain(&html[..html.floor_char_boundary(LOOKED_AT)]));
    }
    detect::language(&sample)
}

/// The categories, tags and authors that an article shall have.
fn terms(article: &Article, settings: &SourceSettings, verdict: &Verdict, aliases: &Aliases) -> BTreeMap<(Kind, Slug), Wanted> {
    let mut wanted = BTreeMap::new();
    let mut want = |kind, names: &[String], origins| {
        let mut is_any = false;
        for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
            is_any = true;
            add(&mut wanted, kind, Slug::from_name(name), name, origins);
        }
        is_any
    };
    let _ = match &verdict.set_categories {
        Some(names) => want(Kind::Category, names, Origins::RULE),
        None => want(Kind::Category, &article.categories, Origins::OWN) || want(Kind::Category, &settings.categories, Origins::SOURCE),
    } || want(Kind::Category, &[UNCATEGORIZED.to_owned()], Origins::SOURCE);
    want(Kind::Tag, &article.tags, Origins::OWN);
    want(Kind::Tag, &settings.tags, Origins::SOURCE);
    want(Kind::Tag, &verdict.add_tags, Origins::RULE);
    for person in &article.authors {
        want(Kind::Author, std::slice::from_ref(&person.name), Origins::OWN);
    }
    wanted.retain(|(kind, slug), _| *kind != Kind::Tag || !verdict.removes(slug, aliases));
    wanted
}

fn add(wanted: &mut BTreeMap<(Kind, Slug), Wanted>, kind: Kind, slug: Slug, name: &str, origins: Origins) {
    let position = wanted.keys().filter(|(other, _)| *other == kind).count();
    let term = wanted.entry((kind, slug)).or_insert_with(|| Wanted { name: name.to_owned(), origins, position });
    term.origins = term.origins.and(origins);
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn at(day: i64) -> Time {
        DateTime::from_timestamp(1_700_000_000 + day * 86_400, 0).unwrap()
    }

    #[test]
    fn a_late_arrival_is_seen_and_a_back_fill_does_not_flood() {
        let now = at(100);
        assert_eq!(listed(Some(at(99)), false, now), now, "a late arrival is listed when it is discovered");
        assert_eq!(listed(Some(at(10)), false, now), at(10), "a back-fill keeps its date");
        assert_eq!(listed(Some(at(99)), true, now), at(99), "a first reading keeps all dates");
        assert_eq!(listed(Some(at(101)), true, now), now, "a future date pins nothing to the top");
        assert_eq!(listed(None, true, now), now);
    }

    #[test]
    fn a_batch_is_numbered_from_the_oldest_and_undated_articles_keep_their_order() {
        let article = |guid: &str, published| Article { guid: guid.to_owned(), published, ..Article::default() };
        let batch = vec![article("first", None), article("second", None), article("old", Some(at(1))), article("new", Some(at(2)))];
        let order: Vec<_> = in_order_of_listing(batch, true, at(100)).into_iter().map(|article| article.guid).collect();
        assert_eq!(order, ["old", "new", "second", "first"]);
    }

    #[test]
    fn links_are_compared_without_what_does_not_make_another_page() {
        let link = "https://www.example.org/a/?id=1&utm_source=x#top";
        assert_eq!(page(link).as_deref(), Some("example.org/a?id=1"));
        let key = link_key(link);
        assert_eq!(key, link_key("http://example.org/a?id=1&fbclid=2"));
        assert_ne!(key, link_key("https://example.org/a?id=2"));
        assert_eq!(link_key("https://example.org/"), None);
        assert_eq!(link_key("mailto:a@example.org"), None);
        assert!(
            link_key("https://example.org/#/post/1") != link_key("https://example.org/#/post/2")
                || link_key("https://example.org/#/post/1").is_none()
        );
    }

    fn origins(terms: &BTreeMap<(Kind, Slug), Wanted>, kind: Kind, name: &str) -> Option<Origins> {
        terms.get(&(kind, Slug::from_name(name))).map(|term| term.origins)
    }

    #[test]
    fn defaults_add_tags_and_stand_in_for_categories() {
        let settings =
            SourceSettings { categories: vec!["news".into()], tags: vec!["Rust".into(), "daily".into()], ..SourceSettings::default() };
        let article = Article { tags: vec!["rust".into(), " ".into()], ..Article::default() };
        let both = terms(&article, &settings, &Verdict::default(), &Aliases::default());
        assert_eq!(origins(&both, Kind::Tag, "rust"), Some(Origins::OWN.and(Origins::SOURCE)));
        assert_eq!(origins(&both, Kind::Tag, "daily"), Some(Origins::SOURCE));
        assert_eq!(origins(&both, Kind::Category, "news"), Some(Origins::SOURCE));
        let own = Article { categories: vec!["qq".into()], ..Article::default() };
        assert_eq!(origins(&terms(&own, &settings, &Verdict::default(), &Aliases::default()), Kind::Category, "news"), None);
        assert_eq!(terms(&own, &SourceSettings::default(), &Verdict::default(), &Aliases::default()).len(), 1);
        let none = terms(&article, &SourceSettings::default(), &Verdict::default(), &Aliases::default());
        assert_eq!(origins(&none, Kind::Category, UNCATEGORIZED), Some(Origins::SOURCE));
    }

    #[test]
    fn rules_add_and_take_tags_and_replace_categories() {
        let settings = SourceSettings { tags: vec!["daily".into()], ..SourceSettings::default() };
        let article = Article { categories: vec!["qq".into()], tags: vec!["Ads".into(), "rust".into()], ..Article::default() };
        let verdict = Verdict {
            add_tags: vec!["RUST".into(), "new".into()],
            remove_tags: vec!["ads".into(), "daily".into()],
            set_categories: Some(vec!["tech".into()]),
            ..Verdict::default()
        };
        let terms = terms(&article, &settings, &verdict, &Aliases::default());
        let of = |kind, name| origins(&terms, kind, name);
        assert_eq!((of(Kind::Tag, "ads"), of(Kind::Tag, "daily"), of(Kind::Category, "qq")), (None, None, None));
        assert_eq!((of(Kind::Tag, "rust"), of(Kind::Tag, "new")), (Some(Origins::OWN.and(Origins::RULE)), Some(Origins::RULE)));
        assert_eq!(of(Kind::Category, "tech"), Some(Origins::RULE));
    }

    #[test]
    fn the_name_of_a_file_is_no_part_of_its_fingerprint() {
        let mut article = Article { guid: "a".into(), title: Some("t".into()), ..Article::default() };
        let mut moved = Article { guid: "b".into(), ..article.clone() };
        let mut changed = Article { title: Some("u".into()), ..article.clone() };
        let mut later = Article { translation_key: Some("c".into()), ..article.clone() };
        let mut summed_up = Article { summary: Some("s".into()), ..article.clone() };
        let mut filled = Article { content: Some("s".into()), ..article.clone() };
        let print = |article: &mut Article| fingerprint(article).unwrap().0;
        assert_eq!(print(&mut article), print(&mut moved));
        assert_eq!(print(&mut article), print(&mut later));
        assert_ne!(print(&mut article), print(&mut changed));
        assert!(print(&mut article) != print(&mut filled) && print(&mut summed_up) != print(&mut filled));
        assert_eq!(summed_up.summary.as_deref(), Some("s"), "the article stays as it is");
    }
}
