//! Articles of different sources that say nearly the same within two days: a page shows the first with the names of the
//! others. Feeds never merge them.

use std::cell::OnceCell;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use chrono::TimeDelta;

use crate::model::{Entry, Token, text, tokens};

/// How far apart they may be published.
const APART: TimeDelta = TimeDelta::days(2);
/// How much of a text is compared, in bytes.
const COMPARED: usize = 4096;
/// How many of their tokens two titles must share, and how many of their token pairs two texts (Jaccard).
const TITLES: f64 = 0.8;
const TEXTS: f64 = 0.7;
/// A text with fewer pairs says too little to be compared.
const LEAST: usize = 8;
/// With how many texts of the same title one is compared: a column may have one title every day.
const MAX_COMPARED: usize = 16;

/// What an article says, as far as it is compared: hashes in order, each once.
struct Said<'a> {
    entry: &'a Entry,
    title: Vec<u64>,
    /// Made of the text where a title is alike.
    text: OnceCell<Vec<u64>>,
}

/// The entries of a page in their order, each with those that it speaks for.
pub(super) fn groups(entries: &[Entry]) -> Vec<(&Entry, Vec<&Entry>)> {
    let mut groups: Vec<(Said<'_>, Vec<&Entry>)> = Vec::new();
    for entry in entries {
        let said = Said::of(entry);
        let mut of_its_title = groups.iter_mut().filter(|(first, _)| first.may_speak_for(&said)).take(MAX_COMPARED);
        match of_its_title.find(|(first, _)| first.says_as_much(&said)) {
            Some((_, others)) => others.push(entry),
            None => groups.push((said, Vec::new())),
        }
    }
    groups.into_iter().map(|(first, others)| (first.entry, others)).collect()
}

impl<'a> Said<'a> {
    fn of(entry: &'a Entry) -> Self {
        let title = tokens(entry.article.title.as_deref().unwrap_or_default());
        Self { entry, title: hashes(title.windows(1)), text: OnceCell::new() }
    }

    fn text(&self) -> &[u64] {
        self.text.get_or_init(|| {
            let article = &self.entry.article;
            let html = article.content.as_deref().or(article.summary.as_deref()).unwrap_or_default();
            let text = text::plain(&html[..html.floor_char_boundary(COMPARED)]);
            hashes(tokens(&text).windows(2))
        })
    }

    fn may_speak_for(&self, other: &Said<'_>) -> bool {
        let (entry, later) = (self.entry, other.entry);
        entry.source.slug != later.source.slug
            && (entry.published - later.published).abs() <= APART
            && share(&self.title, &other.title) >= TITLES
    }

    fn says_as_much(&self, other: &Said<'_>) -> bool {
        let (a, b) = (self.text(), other.text());
        a.len() >= LEAST && b.len() >= LEAST && share(a, b) >= TEXTS
    }
}

fn hashes<'t>(parts: impl Iterator<Item = &'t [Token]>) -> Vec<u64> {
    let hash = |part: &[Token]| {
        let mut hasher = DefaultHasher::new();
        for token in part {
            token.folded.hash(&mut hasher);
        }
        hasher.finish()
    };
    let mut hashes: Vec<u64> = parts.map(hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// How many of all that two have both have.
#[expect(clippy::cast_precision_loss, reason = "a page's texts have some thousand tokens")]
fn share(a: &[u64], b: &[u64]) -> f64 {
    let (mut rest, mut both) = (b, 0_usize);
    for hash in a {
        while let [first, more @ ..] = rest
            && first < hash
        {
            rest = more;
        }
        both += usize::from(rest.first() == Some(hash));
    }
    let all = a.len() + b.len() - both;
    if all == 0 { 0.0 } else { both as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Slug;
    use crate::output::samples::{bare, time};

    fn told(source: &str, title: &str, text: &str, minutes: i64) -> Entry {
        let mut entry = bare();
        let mut origin = (*entry.source).clone();
        (origin.slug, origin.title) = (Slug::from_name(source), source.to_owned());
        entry.source = origin.into();
        (entry.article.title, entry.article.content) = (Some(title.to_owned()), Some(text.to_owned()));
        entry.published = time(minutes);
        entry
    }

    #[test]
    fn nearly_the_same_of_two_sources_within_two_days_is_one() {
        let text = "<p>河水在清晨漫过了旧桥，两岸的人把货物搬到磨坊的二楼，没有人受伤。</p>";
        let later = "<p>河水在清晨漫过了旧桥，两岸的人把货物搬到磨坊的二楼，没有人受伤！更多消息。</p>";
        let entries = [
            told("a", "河水漫过旧桥", text, 0),
            told("b", "河水漫过旧桥", later, 600),
            told("a", "河水漫过旧桥", text, 30),
            told("c", "河水漫过旧桥", text, 60 * 24 * 3),
            told("d", "别的标题", text, 0),
            told("e", "河水漫过旧桥", "<p>一段完全不同的文字，说的是面粉的价格和今年的小麦收成，以及别的事情。</p>", 0),
            told("f", "河水漫过旧桥", "<p>短</p>", 0),
        ];
        let groups: Vec<(&str, Vec<&str>)> = groups(&entries)
            .into_iter()
            .map(|(first, others)| (first.source.title.as_str(), others.into_iter().map(|other| other.source.title.as_str()).collect()))
            .collect();
        let alone = |source| (source, Vec::new());
        assert_eq!(groups, [("a", vec!["b"]), alone("a"), alone("c"), alone("d"), alone("e"), alone("f")]);
    }
}
