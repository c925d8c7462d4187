//! Which articles: a boolean over terms, in canonical form.

use std::collections::{BTreeMap, BTreeSet};

use super::{Kind, Moment, Query, Slug};

/// A set of articles: those for which every clause holds. Equal selections are the same feed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Selection {
    clauses: BTreeMap<Kind, Clauses>,
    /// The words that they must have.
    pub words: Option<Query>,
    /// Listed then or later.
    pub since: Option<Moment>,
    /// Listed earlier.
    pub until: Option<Moment>,
    /// The configured feed that stands for all of it; nothing else is set beside it.
    pub name: Option<Slug>,
}

/// What must hold of the terms of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Clauses {
    /// Of each of these sets, at least one.
    pub any: BTreeSet<BTreeSet<Slug>>,
    /// Of these, none.
    pub none: BTreeSet<Slug>,
}

impl Selection {
    /// The feed that the configuration has under a name.
    #[must_use]
    pub fn named(slug: Slug) -> Self {
        Self { name: Some(slug), ..Self::default() }
    }

    /// All articles of one term.
    #[must_use]
    pub fn of(kind: Kind, slug: Slug) -> Self {
        let mut selection = Self::default();
        selection.require(kind, [slug]);
        selection
    }

    /// At least one of these must hold, too.
    pub fn require(&mut self, kind: Kind, slugs: impl IntoIterator<Item = Slug>) {
        self.clauses.entry(kind).or_default().any.insert(slugs.into_iter().collect());
    }

    /// None of these may hold.
    pub fn exclude(&mut self, kind: Kind, slugs: impl IntoIterator<Item = Slug>) {
        self.clauses.entry(kind).or_default().none.extend(slugs);
    }

    /// Whether it is everything.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether what is in it moves with the clock.
    #[must_use]
    pub fn is_relative(&self) -> bool {
        [self.since, self.until].into_iter().flatten().any(Moment::is_relative)
    }

    /// Its term, if it is exactly one positive term and nothing else.
    #[must_use]
    pub fn single(&self) -> Option<(Kind, &Slug)> {
        let has_terms_alone = self.words.is_none() && self.since.is_none() && self.until.is_none();
        let (kind, clauses) = self.clauses.iter().next().filter(|_| self.clauses.len() == 1 && has_terms_alone)?;
        let one = clauses.any.first().filter(|set| clauses.any.len() == 1 && set.len() == 1 && clauses.none.is_empty())?;
        Some((*kind, one.first()?))
    }

    /// Its clauses by kind.
    pub fn clauses(&self) -> impl Iterator<Item = (Kind, &Clauses)> {
        self.clauses.iter().map(|(kind, clauses)| (*kind, clauses))
    }

    /// Every term that it names, positive or not.
    pub fn terms(&self) -> impl Iterator<Item = (Kind, &Slug)> {
        self.clauses().flat_map(|(kind, clauses)| clauses.any.iter().flatten().chain(&clauses.none).map(move |slug| (kind, slug)))
    }

    /// The same selection with other names for its terms: those that aliases stand for.
    #[must_use]
    pub fn renamed(&self, rename: impl Fn(Kind, &Slug) -> Slug) -> Self {
        let mut renamed = Self { clauses: BTreeMap::new(), ..self.clone() };
        for (kind, clauses) in self.clauses() {
            for set in &clauses.any {
                renamed.require(kind, set.iter().map(|slug| rename(kind, slug)));
            }
            if !clauses.none.is_empty() {
                renamed.exclude(kind, clauses.none.iter().map(|slug| rename(kind, slug)));
            }
        }
        renamed
    }

    /// Its query parameters, those of one name in canonical order: sets sorted by bytes, then the excluded.
    pub(super) fn values(&self) -> Vec<(&'static str, String)> {
        let mut values = Vec::new();
        for (kind, clauses) in self.clauses() {
            let mut any: Vec<String> = clauses.any.iter().map(join).collect();
            any.sort();
            values.extend(any.into_iter().map(|value| (kind.name(), value)));
            if !clauses.none.is_empty() {
                values.push((kind.name(), format!("-{}", join(&clauses.none))));
            }
        }
        values.extend(self.words.as_ref().map(|words| ("q", words.to_string())));
        values.extend(self.since.map(|since| ("since", since.to_string())));
        values.extend(self.until.map(|until| ("until", until.to_string())));
        values
    }
}

fn join(slugs: &BTreeSet<Slug>) -> String {
    slugs.iter().map(Slug::as_str).collect::<Vec<_>>().join(",")
}
