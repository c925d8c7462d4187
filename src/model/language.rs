//! Languages as BCP 47 names them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Slug;

/// A well-formed language tag in its usual case: `zh-CN`, `zh-Hant-TW`, `en`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Language(String);

impl Language {
    /// Reads a tag as people write it: `zh_CN`, `ZH-cn` and `cn` are `zh-CN`. `None` if it is not well formed (RFC 5646 2.1),
    /// or begins with more than three letters: no language is registered so, and feeds say `null` and `English`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().split('.').next().unwrap_or_default();
        if let Some((_, tag)) =
            [("cn", "zh-CN"), ("tw", "zh-TW"), ("jp", "ja")].iter().find(|(country, _)| text.eq_ignore_ascii_case(country))
        {
            return Some(Self((*tag).to_owned()));
        }
        let mut tag = String::with_capacity(16);
        for (position, part) in text.split(['-', '_']).enumerate() {
            let well_formed = part.len() <= 8
                && part.bytes().all(|b| b.is_ascii_alphanumeric())
                && if position == 0 {
                    matches!(part.len(), 2 | 3) && part.bytes().all(|b| b.is_ascii_alphabetic())
                } else {
                    !part.is_empty()
                };
            if !well_formed || position > 7 {
                return None;
            }
            if position > 0 {
                tag.push('-');
            }
            let capitals = capitals(position, part);
            let in_usual_case =
                |(place, letter): (usize, char)| if place < capitals { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
            tag.extend(part.chars().enumerate().map(in_usual_case));
        }
        Some(Self(tag))
    }

    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Every range that takes this language in, widest first: `zh-Hant-TW` gives `zh`, `zh-Hant`, `zh-Hant-TW`. Where
    /// Chinese names no script, its region does; without either it is simplified.
    pub fn ranges(&self) -> impl Iterator<Item = Self> + '_ {
        let cuts = self.0.match_indices('-').map(|(at, _)| at);
        let script = match self.0.as_str() {
            "zh" | "zh-CN" | "zh-SG" => Some("zh-Hans"),
            "zh-TW" | "zh-HK" | "zh-MO" => Some("zh-Hant"),
            _ => None,
        };
        let ranges = cuts.chain([self.0.len()]).map(|end| Self(self.0[..end].to_owned()));
        ranges.chain(script.map(|script| Self(script.to_owned())))
    }

    /// Whether a range takes this language in.
    #[must_use]
    pub fn is_in(&self, range: &Self) -> bool {
        self.ranges().any(|own| own == *range)
    }

    /// The slug of the term that stands for this language: the tag itself, in its usual case.
    #[must_use]
    pub fn slug(&self) -> Slug {
        Slug::from_canonical(self.0.clone())
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// With how many capitals a part of a tag begins: regions are in capitals, scripts have one (RFC 5646 2.1.1).
fn capitals(position: usize, part: &str) -> usize {
    match (position, part.len()) {
        (0, _) => 0,
        (_, 2) => 2,
        (1, 4) if part.bytes().all(|b| b.is_ascii_alphabetic()) => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_language_become_one() {
        for (text, expected) in [
            ("zh_CN", Some("zh-CN")),
            ("cn", Some("zh-CN")),
            ("ZH-hant-tw", Some("zh-Hant-TW")),
            ("en", Some("en")),
            ("en_US.UTF-8", Some("en-US")),
            ("", None),
            ("x", None),
            ("中文", None),
            ("en-", None),
            ("../../x", None),
            ("null", None),
            ("none", None),
            ("English", None),
            ("yue-HK", Some("yue-HK")),
        ] {
            assert_eq!(Language::parse(text).as_ref().map(Language::as_str), expected, "{text:?}");
        }
    }

    #[test]
    fn a_wide_range_takes_a_narrow_language_in() {
        let ranges: Vec<_> = Language::parse("zh-Hant-TW").into_iter().flat_map(|l| l.ranges().collect::<Vec<_>>()).collect();
        assert_eq!(ranges.iter().map(Language::as_str).collect::<Vec<_>>(), ["zh", "zh-Hant", "zh-Hant-TW"]);
    }
}
