//! What people do to categories and tags by hand, and what the rules do to stored articles.

use super::{Sqlite, Store, StoreError};
use crate::model::{ArticleKey, Kind, Slug, Source, SourceId, SourceSettings, Term, Time};

/// Why a term cannot be changed as asked.
#[derive(Debug, thiserror::Error)]
pub enum TermError {
    /// It was never seen.
    #[error("there is no {kind} {name:?}; {}", hint(*.kind, nearest))]
    Unknown {
        /// Category or tag.
        kind: Kind,
        /// As it was asked for.
        name: String,
        /// The nearest that there are.
        nearest: Vec<String>,
    },
    /// It was deleted on purpose.
    #[error("the {kind} {slug} was deleted; `feedmill {kind} restore {slug}` brings it back")]
    Deleted {
        /// Category or tag.
        kind: Kind,
        /// Its name in URLs.
        slug: Slug,
    },
    /// Another one has the name.
    #[error("the name belongs to the {kind} {slug}{}", join(*.kind, slug, by))]
    Taken {
        /// Category, tag or source.
        kind: Kind,
        /// The other one.
        slug: Slug,
        /// The one that shall have it.
        by: Slug,
    },
}

fn hint(kind: Kind, nearest: &[String]) -> String {
    match nearest {
        [] => format!("`feedmill {kind} list` lists those that there are"),
        names => format!("the nearest are {}", names.join(", ")),
    }
}

fn join(kind: Kind, slug: &Slug, by: &Slug) -> String {
    match kind {
        Kind::Category | Kind::Tag => format!("; `feedmill {kind} merge {by} {slug}` makes them one"),
        _ => "; choose another".to_owned(),
    }
}

/// A term with its other names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermRow {
    /// Itself.
    pub term: Term,
    /// The slugs that lead to it.
    pub aliases: Vec<String>,
    /// Whether it was deleted on purpose.
    pub is_deleted: bool,
}

/// What a term is to say of itself; `None`: as before, empty: nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TermWords {
    /// A title for its feed.
    pub title: Option<String>,
    /// Plain text.
    pub description: Option<String>,
    /// The URL of a picture.
    pub picture: Option<String>,
}

/// What the rules change of one stored article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// The article.
    pub key: ArticleKey,
    /// Its title.
    pub title: String,
    /// Terms that it gets.
    pub added: Vec<(Kind, String)>,
    /// Terms that it loses.
    pub removed: Vec<(Kind, String)>,
    /// Whether it is dropped, or comes back.
    pub drop: Option<bool>,
}

/// What the rules change of some stored articles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// One for each article that they change.
    pub rulings: Vec<Ruling>,
    /// How many were looked at.
    pub articles: usize,
    /// Where to go on; `None`: there are no more.
    pub next: Option<Reached>,
}

/// How far a walk over all articles came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reached(pub(super) i64);

/// Whether rules are applied, or only asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Nothing is written.
    Ask,
    /// What they say is done.
    Apply,
}

/// All of these can be repeated: what a killed one left undone is done by asking for the same again.
impl Store {
    /// All terms of a kind with their aliases, the largest first, those deleted among them.
    ///
    /// # Errors
    /// The database failed.
    pub async fn taxonomy(&self, kind: Kind) -> Result<Vec<TermRow>, StoreError> {
        self.read(move |sqlite| sqlite.taxonomy(kind)).await
    }

    /// Gives a term another name for people, and the slug that this folds to; the old slug becomes an alias. Gives it, and
    /// how many articles that changed.
    ///
    /// # Errors
    /// There is no such term, it was deleted, another has the name, or the database failed.
    pub async fn rename_term(&self, kind: Kind, name: &str, new: &str, now: Time) -> Result<(Term, usize), StoreError> {
        let (name, new, policy) = (name.to_owned(), new.to_owned(), self.policy());
        self.write(move |sqlite| sqlite.rename(kind, &name, Some(&new), &Slug::from_name(&new), &policy, now)).await
    }

    /// Gives a term another slug, and leaves its name; the old slug becomes an alias.
    ///
    /// # Errors
    /// As for [`Store::rename_term`].
    pub async fn move_term(&self, kind: Kind, name: &str, slug: Slug, now: Time) -> Result<(Term, usize), StoreError> {
        let (name, policy) = (name.to_owned(), self.policy());
        self.write(move |sqlite| sqlite.rename(kind, &name, None, &slug, &policy, now)).await
    }

    /// Makes terms aliases of another, and moves their articles there; gives it, and how many articles that changed.
    ///
    /// # Errors
    /// There is no such term, it was deleted, or the database failed.
    pub async fn merge_terms(&self, kind: Kind, from: Vec<String>, into: &str, now: Time) -> Result<(Term, usize), StoreError> {
        let (into, policy) = (into.to_owned(), self.policy());
        self.write(move |sqlite| sqlite.merge(kind, &from, &into, &policy, now)).await
    }

    /// Takes a term from all articles, for good: also where their source says it again.
    ///
    /// # Errors
    /// There is no such term, or the database failed.
    pub async fn delete_term(&self, kind: Kind, name: &str, now: Time) -> Result<(Term, usize), StoreError> {
        let (name, policy) = (name.to_owned(), self.policy());
        self.write(move |sqlite| sqlite.delete(kind, &name, &policy, now)).await
    }

    /// Brings a deleted term back, to all articles whose word it is.
    ///
    /// # Errors
    /// There is no such term, or the database failed.
    pub async fn restore_term(&self, kind: Kind, name: &str, now: Time) -> Result<(Term, usize), StoreError> {
        let (name, policy) = (name.to_owned(), self.policy());
        self.write(move |sqlite| sqlite.restore(kind, &name, &policy, now)).await
    }

    /// Makes another spelling lead to a term.
    ///
    /// # Errors
    /// There is no such term, it was deleted, the spelling is another's, or the database failed.
    pub async fn alias_term(&self, kind: Kind, name: &str, other: &str, now: Time) -> Result<Term, StoreError> {
        let (name, other) = (name.to_owned(), other.to_owned());
        self.write(move |sqlite| sqlite.add_alias(kind, &name, &other, now)).await
    }

    /// Gives a term words of its own.
    ///
    /// # Errors
    /// There is no such term, it was deleted, or the database failed.
    pub async fn describe_term(&self, kind: Kind, name: &str, words: TermWords, now: Time) -> Result<Term, StoreError> {
        let name = name.to_owned();
        self.write(move |sqlite| sqlite.describe(kind, &name, &words, now)).await
    }

    /// Changes what the owner says of a source, and what its articles have from that; gives it, and how many articles that
    /// changed. A slug that it had becomes an alias; a setting that files are read with makes them be read anew.
    ///
    /// # Errors
    /// The slug is another source's, or the database failed.
    pub async fn edit_source(
        &self,
        source: SourceId,
        settings: SourceSettings,
        slug: Option<Slug>,
        now: Time,
    ) -> Result<(Source, usize), StoreError> {
        let policy = self.policy();
        self.write(move |sqlite| sqlite.edit_source(source, &settings, slug.as_ref(), &policy, now)).await
    }

    /// Asks the rules about a chunk of stored articles, from the start or from where the last one ended, and does what they
    /// say.
    ///
    /// # Errors
    /// The database failed.
    pub async fn judge(&self, after: Option<Reached>, verb: Verb, now: Time) -> Result<Judged, StoreError> {
        let policy = self.policy();
        let work = move |sqlite: &Sqlite| sqlite.judge(after.unwrap_or_default(), verb == Verb::Apply, &policy, now);
        match verb {
            Verb::Ask => self.read(work).await,
            Verb::Apply => self.write(work).await,
        }
    }
}
