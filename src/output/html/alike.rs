//! Articles of different sources that say nearly the same within two days: a page shows the first with the names of the
//! others. Feeds never merge them.

use std::collections::HashSet;

use chrono::TimeDelta;

use crate::model::{Entry, Token, text, tokens};

/// How far apart they may be published.
const APART: TimeDelta = TimeDelta::days(2);
/// How much of a text is compared, in bytes.
const COMPARED: usize = 4096;
/// How many of their token pairs two titles, and two texts, must share (Jaccard).
const TITLES: f64 = 0.8;
const TEXTS: f64 = 0.7;
/// A text with fewer tokens says too little to be compared.
const LEAST: usize = 8;

/// What an article says, as far as it is compared.
struct Said {
    title: HashSet<String>,
    text: HashSet<String>,
}

/// The entries of a page in their order, each with those that it speaks for.
pub(super) fn groups(entries: &[Entry]) -> Vec<(&Entry, Vec<&Entry>)> {
    let said: Vec<Said> = entries.iter().map(said).collect();
    let mut groups: Vec<(usize, Vec<&Entry>)> = Vec::new();
    for (position, entry) in entries.iter().enumerate() {
        let speaks = |first: &usize| {
            let other = &entries[*first];
            other.source.slug != entry.source.slug
                && (other.published - entry.published).abs() <= APART
                && are_alike(&said[*first], &said[position])
        };
        match groups.iter_mut().find(|(first, _)| speaks(first)) {
            Some((_, others)) => others.push(entry),
            None => groups.push((position, Vec::new())),
        }
    }
    groups.into_iter().map(|(first, others)| (&entries[first], others)).collect()
}

fn said(entry: &Entry) -> Said {
    let html = entry.article.content.as_deref().or(entry.article.summary.as_deref()).unwrap_or_default();
    let text = text::plain(&html[..html.floor_char_boundary(COMPARED)]);
    let title = entry.article.title.as_deref().unwrap_or_default();
    Said { title: tokens(title).into_iter().map(|token| token.folded).collect(), text: pairs(&tokens(&text)) }
}

fn pairs(tokens: &[Token]) -> HashSet<String> {
    tokens.windows(2).map(|pair| format!("{} {}", pair[0].folded, pair[1].folded)).collect()
}

fn are_alike(a: &Said, b: &Said) -> bool {
    let is_enough = a.text.len() >= LEAST && b.text.len() >= LEAST;
    is_enough && share(&a.title, &b.title) >= TITLES && share(&a.text, &b.text) >= TEXTS
}

#[expect(clippy::cast_precision_loss, reason = "a page's texts have some thousand tokens")]
fn share(a: &HashSet<String>, b: &HashSet<String>) -> f64 {
    let both = a.intersection(b).count();
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
