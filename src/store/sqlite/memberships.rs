//! Memberships: which article has which term, and where that came from.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction};

use super::terms::{Named, TermId, Touched, kind_number};
use super::{Change, StoreError, members};
use crate::model::{Kind, Origins, Slug};
use crate::store::decide::{UNCATEGORIZED, Wanted};

/// A membership as it shall be.
struct Place {
    origins: Origins,
    position: usize,
    is_hidden: bool,
}

/// Sets the memberships of an article to those wanted: what is missing is added, what is not wanted leaves. Names that
/// became one term are one membership. Says whether anything changed.
pub(super) fn set(
    change: &mut Change<'_>,
    touched: &mut Touched,
    article: i64,
    is_public: bool,
    wanted: &BTreeMap<(Kind, Slug), Wanted>,
) -> Result<bool, StoreError> {
    let rows = memberships(change.transaction, article)?;
    set_from(change, touched, article, is_public, &rows, wanted)
}

/// Gives a new article the memberships wanted.
pub(super) fn start(
    change: &mut Change<'_>,
    touched: &mut Touched,
    article: i64,
    wanted: &BTreeMap<(Kind, Slug), Wanted>,
) -> Result<(), StoreError> {
    set_from(change, touched, article, true, &[], wanted).map(drop)
}

fn set_from(
    change: &mut Change<'_>,
    touched: &mut Touched,
    article: i64,
    is_public: bool,
    rows: &[Membership],
    wanted: &BTreeMap<(Kind, Slug), Wanted>,
) -> Result<bool, StoreError> {
    let mut places = places(change, touched, wanted)?;
    // What was given by hand stays, under the name that it has now.
    for row in rows.iter().filter(|row| row.origins.has(Origins::HAND)) {
        let place = Place { origins: Origins::default(), position: row.position, is_hidden: row.is_hidden };
        let place = places.entry(row.stands_for).or_insert(place);
        place.origins = place.origins.and(Origins::HAND);
    }
    let mut changed = false;
    for row in rows {
        let origins = places.remove(&row.term).map_or_else(Origins::default, |place| place.origins);
        let goes = origins == Origins::default() || row.is_hidden || !is_public;
        if origins != row.origins || goes != row.gone {
            row.update(change.transaction, article, goes, origins)?;
            touched.touch(row.term, i64::from(row.gone) - i64::from(goes));
            changed = true;
        }
    }
    for (term, place) in places {
        let gone = place.is_hidden || !is_public;
        change.add_membership(article, term, gone, place.origins, place.position);
        touched.touch(term, i64::from(!gone));
        changed = true;
    }
    change.write_rows_of_one()?;
    Ok(changed)
}

/// The terms that the wanted names lead to. An article all of whose categories were deleted is uncategorized.
fn places(
    change: &mut Change<'_>,
    touched: &mut Touched,
    wanted: &BTreeMap<(Kind, Slug), Wanted>,
) -> Result<BTreeMap<TermId, Place>, StoreError> {
    let mut places: BTreeMap<TermId, Place> = BTreeMap::new();
    let mut has_category = false;
    for ((kind, slug), term) in wanted {
        let Named { id, is_hidden } = touched.term(change, *kind, slug, &term.name)?;
        has_category |= *kind == Kind::Category && !is_hidden;
        let place = places.entry(id).or_insert(Place { origins: term.origins, position: term.position, is_hidden });
        place.origins = place.origins.and(term.origins);
    }
    if !has_category {
        let Named { id, is_hidden } = touched.term(change, Kind::Category, &Slug::from_name(UNCATEGORIZED), UNCATEGORIZED)?;
        places.entry(id).or_insert(Place { origins: Origins::SOURCE, position: 0, is_hidden });
    }
    Ok(places)
}

/// One membership as it is stored.
struct Membership {
    term: TermId,
    /// The term itself, or the one that it is an alias of.
    stands_for: TermId,
    is_hidden: bool,
    gone: bool,
    origins: Origins,
    position: usize,
}

impl Membership {
    fn update(&self, transaction: &Transaction<'_>, article: i64, gone: bool, origins: Origins) -> Result<(), StoreError> {
        transaction.prepare_cached("UPDATE memberships SET gone = ?3, origins = ?4 WHERE article = ?1 AND term = ?2")?.execute((
            article,
            self.term,
            gone,
            origins.bits(),
        ))?;
        members::change(transaction, self.term, article, (origins != Origins::default()).then_some(gone))
    }
}

fn memberships(connection: &Connection, article: i64) -> Result<Vec<Membership>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT m.term, ifnull(t.alias_of, t.id), t.deleted IS NOT NULL AND t.kind != ?2, m.gone, m.origins, m.position
         FROM memberships m JOIN terms t ON t.id = m.term WHERE m.article = ?1",
    )?;
    let rows = statement.query_map((article, kind_number(Kind::Source)), |row| {
        Ok(Membership {
            term: row.get(0)?,
            stands_for: row.get(1)?,
            is_hidden: row.get(2)?,
            gone: row.get(3)?,
            origins: Origins::from_bits(row.get(4)?),
            position: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Hides or shows all memberships that an article has not left, as it is withdrawn or revived.
pub(super) fn show(change: &mut Change<'_>, touched: &mut Touched, article: i64, is_public: bool) -> Result<(), StoreError> {
    for row in memberships(change.transaction, article)? {
        let gone = !is_public || row.is_hidden;
        if row.origins != Origins::default() && row.gone != gone {
            row.update(change.transaction, article, gone, row.origins)?;
            touched.touch(row.term, if gone { -1 } else { 1 });
        }
    }
    Ok(())
}
