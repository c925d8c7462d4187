//! The name of a category, tag, source or author as it stands in a URL.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The longest slug in bytes; a longer one is cut and ends in a hash of the whole.
const MAX_BYTES: usize = 200;

/// Suffixes that a URL reads as a format, so that no slug may end in one.
const FORMAT_SUFFIXES: [&str; 6] = [".rss", ".atom", ".json", ".xml", ".md", ".html"];

/// A folded name: equal slugs are the same term, and folding a slug again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slug(String);

impl Slug {
    /// Folds a name: `NFKC_Casefold` (Unicode 3.13), separators to one `-`, and what the URL grammar needs.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let folded = fold(name);
        if matches!(folded.as_str(), "" | "." | "..") {
            return Self(short_hash(if folded.is_empty() { name } else { &folded }));
        }
        if folded.len() <= MAX_BYTES {
            return Self(folded);
        }
        let hash = short_hash(&folded);
        let cut = folded.floor_char_boundary(MAX_BYTES - hash.len() - 1);
        Self(format!("{}-{hash}", folded[..cut].trim_end_matches('-')))
    }

    /// Takes a text that already is a slug, such as a stored one or a language tag in its canonical case.
    #[must_use]
    pub(crate) fn from_canonical(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The slug as text, not percent-encoded.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One pass may make work for another (a cut dash uncovers a suffix), so passes repeat until nothing changes.
fn fold(name: &str) -> String {
    let mut text = name.to_owned();
    loop {
        let next = fold_once(&text);
        if next == text {
            return text;
        }
        text = next;
    }
}

fn fold_once(text: &str) -> String {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let folded = CaseMapper::new().fold_string(text);
    let kept: String = folded.chars().filter(|c| !ignorable.contains(*c)).collect();
    let normal = ComposingNormalizerBorrowed::new_nfkc().normalize(&kept);
    let mut slug = String::with_capacity(normal.len());
    let mut in_run = false;
    for c in normal.chars() {
        let separates = c.is_whitespace() || c.is_control() || matches!(c, '/' | '\\' | ',');
        if !separates {
            slug.push(c);
        } else if !in_run {
            slug.push('-');
        }
        in_run = separates;
    }
    let mut slug = slug.trim_matches('-').to_owned();
    if let Some(suffix) = FORMAT_SUFFIXES.iter().find(|suffix| slug.ends_with(**suffix)) {
        let dot = slug.len() - suffix.len();
        slug.replace_range(dot..=dot, "-");
    }
    slug
}

fn short_hash(text: &str) -> String {
    BASE32_NOPAD.encode(&Sha256::digest(text)[..5]).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slug(name: &str) -> String {
        Slug::from_name(name).0
    }

    #[test]
    fn names_that_hurt_have_the_documented_slugs() {
        for (name, expected) in [
            ("C++", "c++"),
            ("C#", "c#"),
            (".NET", ".net"),
            ("AI/ML", "ai-ml"),
            ("node.js", "node.js"),
            ("asp.rss", "asp-rss"),
            ("人工智能", "人工智能"),
            ("Ünïcode", "ünïcode"),
            ("U\u{308}ni\u{308}code", "ünïcode"),
            ("Straße", "strasse"),
            ("ＡＩ　大模型", "ai-大模型"),
            ("🦀", "🦀"),
            ("../../etc/passwd", "..-..-etc-passwd"),
            ("<script>", "<script>"),
            ("zero\u{200b}width", "zerowidth"),
            (" -a , b- ", "a-b"),
            ("a.rss-", "a-rss"),
            ("x.rss.atom", "x.rss-atom"),
        ] {
            assert_eq!(slug(name), expected, "{name:?}");
        }
    }

    #[test]
    fn names_that_fold_to_nothing_become_a_hash() {
        for name in ["", " ", "/", ".", "..", ",,", "\u{200b}"] {
            let slug = slug(name);
            assert_eq!(slug.len(), 8, "{name:?} became {slug:?}");
        }
        assert_ne!(slug("/"), slug(","));
    }

    #[test]
    fn a_long_name_is_cut_and_keeps_apart_from_its_neighbour() {
        let (a, b) = (slug(&"长".repeat(300)), slug(&"长".repeat(301)));
        assert!(a.len() <= MAX_BYTES && b.len() <= MAX_BYTES && a != b);
        assert_eq!(slug(&"A".repeat(300)), slug(&"a".repeat(300)));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(name in "\\PC*|[a-zA-Z./, \\-\u{200b}]{0,40}") {
            let once = slug(&name);
            prop_assert_eq!(slug(&once), once);
        }

        #[test]
        fn a_slug_is_a_safe_path_segment(name in any::<String>()) {
            let slug = slug(&name);
            prop_assert!(!slug.is_empty() && slug != "." && slug != ".." && slug.len() <= MAX_BYTES);
            prop_assert!(!slug.contains(['/', '\\', ',']) && !slug.starts_with('-'));
            prop_assert!(FORMAT_SUFFIXES.iter().all(|suffix| !slug.ends_with(suffix)));
        }
    }
}
