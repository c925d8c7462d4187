//! Taxonomy by hand: terms are renamed, merged, deleted, restored, described.
//!
//! The first transaction of each says what shall be, so that URLs and later articles follow at once; the articles follow
//! in chunks. What a killed process left undone is found by what is still as before, and done when the same is asked again.

use rusqlite::{Connection, OptionalExtension};

use super::sort::{Sorter, stamp};
use super::terms::{self, Known, TermId, described, find, kind_number};
use super::{Change, Sqlite, StoreError, members, story};
use crate::model::{Kind, Policy, Slug, Term, TermDescription, Time};
use crate::store::{TermError, TermRow, TermWords};

impl Sqlite {
    pub(in crate::store) fn taxonomy(&self, kind: Kind) -> Result<Vec<TermRow>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT slug FROM terms WHERE alias_of = ?1 ORDER BY slug")?;
            let mut rows = Vec::new();
            for (id, is_deleted) in all(connection, kind)? {
                let aliases = statement.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
                rows.extend(described(connection, id)?.map(|term| TermRow { term, aliases, is_deleted }));
            }
            Ok(rows)
        })
    }

    pub(in crate::store) fn rename(
        &self,
        kind: Kind,
        name: &str,
        new: Option<&str>,
        slug: &Slug,
        policy: &Policy,
        now: Time,
    ) -> Result<(Term, usize), StoreError> {
        let id = self.write(|transaction| {
            let known = live(transaction, kind, name)?;
            let mut change = Change::begin(transaction, now)?;
            let is_moved = move_slug(&mut change, kind, &known, slug)?;
            let new = new.map(str::trim);
            let is_other: bool = transaction
                .prepare_cached("SELECT ifnull(?2 != name, 0) FROM terms WHERE id = ?1")?
                .query_row((known.id, new), |row| row.get(0))?;
            if is_moved || is_other {
                let generation = change.generation()?;
                transaction
                    .prepare_cached("UPDATE terms SET name = ifnull(?2, name), restamp = ?3 WHERE id = ?1")?
                    .execute((known.id, new, generation))?;
                touch(&mut change, known.id)?;
            }
            Ok(known.id)
        })?;
        let changed = self.restamp(id, policy, now)?;
        self.term(id).map(|term| (term, changed))
    }

    /// Gives the articles of a term that was renamed the generation of that.
    pub(super) fn restamp(&self, id: TermId, policy: &Policy, now: Time) -> Result<usize, StoreError> {
        let Some(generation) = self.numbers("SELECT restamp FROM terms WHERE id = ?1 AND restamp IS NOT NULL", [id])?.pop() else {
            return Ok(0);
        };
        let due = format!("SELECT id FROM articles WHERE id IN {} AND gone = 0 AND generation < ?2", members::having("= ?1"));
        let articles = self.numbers(&due, (id, generation))?;
        let changed = self.over(&articles, policy, now, |_, change, touched, article| {
            stamp(change, touched, article)?;
            story::tell_all(change, touched, article).map(|()| true)
        })?;
        self.write(|transaction| {
            // Another process may have renamed it once more meanwhile.
            let done = "UPDATE terms SET restamp = NULL WHERE id = ?1 AND restamp = ?2";
            transaction.prepare_cached(done)?.execute((id, generation))?;
            Ok(())
        })?;
        Ok(changed)
    }

    pub(in crate::store) fn merge(
        &self,
        kind: Kind,
        from: &[String],
        into: &str,
        policy: &Policy,
        now: Time,
    ) -> Result<(Term, usize), StoreError> {
        let id = self.write(|transaction| {
            let into = live(transaction, kind, into)?;
            let mut change = Change::begin(transaction, now)?;
            for name in from {
                let from = live(transaction, kind, name)?;
                if from.id == into.id {
                    continue;
                }
                // The names that it had lead to the new one at once: an alias never leads to an alias.
                let generation = change.generation()?;
                transaction
                    .prepare_cached(
                        "UPDATE terms SET alias_of = ?2, modified = max(modified, ?3), generation = ?4 WHERE id = ?1 OR alias_of = ?1",
                    )?
                    .execute((from.id, into.id, now.timestamp(), generation))?;
                touch(&mut change, into.id)?;
            }
            Ok(into.id)
        })?;
        let left = format!("SELECT DISTINCT article FROM {}", members::having("IN (SELECT id FROM terms WHERE alias_of = ?1)"));
        let changed = self.sort_again(&self.numbers(&left, [id])?, policy, now)?;
        self.term(id).map(|term| (term, changed))
    }

    pub(in crate::store) fn delete(&self, kind: Kind, name: &str, policy: &Policy, now: Time) -> Result<(Term, usize), StoreError> {
        self.set_deleted(kind, name, true, policy, now)
    }

    pub(in crate::store) fn restore(&self, kind: Kind, name: &str, policy: &Policy, now: Time) -> Result<(Term, usize), StoreError> {
        self.set_deleted(kind, name, false, policy, now)
    }

    fn set_deleted(&self, kind: Kind, name: &str, is_deleted: bool, policy: &Policy, now: Time) -> Result<(Term, usize), StoreError> {
        let id = self.write(|transaction| {
            let known = named(transaction, kind, name)?;
            if known.is_deleted != is_deleted {
                transaction
                    .prepare_cached("UPDATE terms SET deleted = ?2 WHERE id = ?1")?
                    .execute((known.id, is_deleted.then(|| now.timestamp())))?;
                touch(&mut Change::begin(transaction, now)?, known.id)?;
            }
            Ok(known.id)
        })?;
        // Those that have it, shown there or not.
        let having = format!("SELECT id FROM articles WHERE id IN {} AND gone = 0", members::having("= ?1"));
        let changed = self.sort_again(&self.numbers(&having, [id])?, policy, now)?;
        self.term(id).map(|term| (term, changed))
    }

    pub(in crate::store) fn add_alias(&self, kind: Kind, name: &str, other: &str, now: Time) -> Result<Term, StoreError> {
        let id = self.write(|transaction| {
            let known = live(transaction, kind, name)?;
            let slug = Slug::from_name(other);
            match find(transaction, kind, &slug)? {
                Some(found) if found.id == known.id => {}
                Some(found) => return Err(TermError::Taken { kind, slug: found.slug, by: known.slug }.into()),
                None => {
                    let mut change = Change::begin(transaction, now)?;
                    make_alias(&mut change, kind, &slug, other, known.id)?;
                    touch(&mut change, known.id)?;
                }
            }
            Ok(known.id)
        })?;
        self.term(id)
    }

    pub(in crate::store) fn describe(&self, kind: Kind, name: &str, words: &TermWords, now: Time) -> Result<Term, StoreError> {
        let id = self.write(|transaction| {
            let known = live(transaction, kind, name)?;
            let before = described(transaction, known.id)?;
            let before = before.ok_or_else(|| StoreError::Corrupt(format!("the term {}", known.slug)))?;
            let said = |new: &Option<String>, old: Option<String>| match new {
                Some(new) => Some(new.trim().to_owned()).filter(|new| !new.is_empty()),
                None => old,
            };
            let description = TermDescription {
                kind,
                name: known.slug.to_string(),
                title: said(&words.title, before.title),
                description: said(&words.description, before.description),
                picture: said(&words.picture, before.picture),
            };
            terms::write_words(&mut Change::begin(transaction, now)?, known.id, &description)?;
            // Who takes all words back lets an `_index.md` speak again.
            let by_hand = description.title.is_some() || description.description.is_some() || description.picture.is_some();
            transaction.prepare_cached("UPDATE terms SET by_hand = ?2 WHERE id = ?1")?.execute((known.id, by_hand))?;
            Ok(known.id)
        })?;
        self.term(id)
    }

    /// Sorts articles again by names, defaults and what rules said of them.
    pub(super) fn sort_again(&self, articles: &[i64], policy: &Policy, now: Time) -> Result<usize, StoreError> {
        self.over(articles, policy, now, Sorter::again)
    }

    fn term(&self, id: TermId) -> Result<Term, StoreError> {
        self.read(|connection| described(connection, id)?.ok_or_else(|| StoreError::Corrupt(format!("the term {id}"))))
    }
}

/// All terms of a kind that are no aliases, and whether they were deleted.
fn all(connection: &Connection, kind: Kind) -> Result<Vec<(TermId, bool)>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT id, deleted IS NOT NULL FROM terms WHERE kind = ?1 AND alias_of IS NULL ORDER BY articles DESC, slug")?;
    let rows = statement.query_map([kind_number(kind)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The term that people call so; aliases are followed.
fn named(connection: &Connection, kind: Kind, name: &str) -> Result<Known, StoreError> {
    let slug = Slug::from_name(name);
    match find(connection, kind, &slug)? {
        Some(known) => Ok(known),
        None => {
            let nearest = terms::nearest(connection, kind, &slug)?.into_iter().map(|term| term.name.name).collect();
            Err(TermError::Unknown { kind, name: name.to_owned(), nearest }.into())
        }
    }
}

/// The same, unless it was deleted.
fn live(connection: &Connection, kind: Kind, name: &str) -> Result<Known, StoreError> {
    let known = named(connection, kind, name)?;
    if known.is_deleted { Err(TermError::Deleted { kind, slug: known.slug }.into()) } else { Ok(known) }
}

fn touch(change: &mut Change<'_>, id: TermId) -> Result<(), StoreError> {
    let generation = change.generation()?;
    change.transaction.prepare_cached("UPDATE terms SET modified = max(modified, ?2), generation = ?3 WHERE id = ?1")?.execute((
        id,
        change.now.timestamp(),
        generation,
    ))?;
    Ok(())
}

fn make_alias(change: &mut Change<'_>, kind: Kind, slug: &Slug, name: &str, of: TermId) -> Result<(), StoreError> {
    let alias = terms::make(change, kind, slug, name)?;
    change.transaction.prepare_cached("UPDATE terms SET alias_of = ?2 WHERE id = ?1")?.execute((alias, of))?;
    Ok(())
}

/// Gives a term another slug; the one that it had becomes an alias. Says whether it is another.
pub(super) fn move_slug(change: &mut Change<'_>, kind: Kind, known: &Known, slug: &Slug) -> Result<bool, StoreError> {
    if known.slug == *slug {
        return Ok(false);
    }
    let transaction = change.transaction;
    let set =
        |id: TermId, slug: &str| transaction.prepare_cached("UPDATE terms SET slug = ?2 WHERE id = ?1")?.execute((id, slug)).map(drop);
    let taken = transaction
        .prepare_cached("SELECT id, ifnull(alias_of, id) FROM terms WHERE kind = ?1 AND slug = ?2")?
        .query_row((kind_number(kind), slug.as_str()), |row| Ok((row.get::<_, TermId>(0)?, row.get::<_, TermId>(1)?)))
        .optional()?;
    match taken {
        Some((alias, of)) if of == known.id => {
            // Its own alias: the two change places, by way of a slug that no name folds to.
            set(alias, "")?;
            set(known.id, slug.as_str())?;
            set(alias, known.slug.as_str())?;
            touch(change, alias)?;
        }
        Some((_, of)) => {
            let of = described(transaction, of)?.map_or_else(|| slug.clone(), |term| term.name.slug);
            return Err(TermError::Taken { kind, slug: of, by: known.slug.clone() }.into());
        }
        None => {
            set(known.id, slug.as_str())?;
            make_alias(change, kind, &known.slug, known.slug.as_str(), known.id)?;
        }
    }
    Ok(true)
}
