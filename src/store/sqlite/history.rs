//! What came before a selection's newest articles: its archive, cut from the oldest on; what was withdrawn; and what
//! changed since a generation.

use roaring::RoaringBitmap;
use rusqlite::Connection;

use super::articles::{article_key, find as find_article};
use super::select::{Chosen, Numbers};
use super::{Change, Sqlite, StoreError, time};
use crate::model::{Archive, ArticleKey, History, Options, Time, Tombstone};
use crate::store::sets::{Number, Stretch};

/// How many members of a selection a closed stretch of its archive has.
const LENGTH: u64 = 100;
/// The most that one may have come to have, by articles that became members later.
const MAX_LENGTH: u64 = 500;
/// The most articles of a delta; more are not worth one.
const MAX_DELTA: usize = 500;
/// The most changes that are looked through for one.
const MAX_CHANGES: usize = 20_000;

/// Where a document stands in the archive of its selection, by number.
#[derive(Debug, Default)]
pub(super) enum Cut {
    /// There is no archive of it.
    #[default]
    None,
    /// It holds all that there is.
    Complete,
    /// The newest articles, and the end of the last closed stretch.
    Current(Option<Number>),
    /// What is not closed yet, and the closed stretch before it.
    Open(Option<(Number, Number)>),
    /// A closed stretch: the one before it, and where it ends.
    Closed(Option<(Number, Number)>, Number),
    /// It was closed: these are its ends.
    Moved(Number, Number),
}

impl Sqlite {
    /// Takes the tombstones away that are older than a time; the terms that they stood under are modified by that. Where that
    /// was done by a clock that was ahead, those that are younger are there again: else there would be none until then.
    pub(in crate::store) fn retire(&self, before: Time, now: Time) -> Result<(), StoreError> {
        self.write(|transaction| {
            let since: i64 = transaction.query_row("SELECT tombstones_since FROM store", [], |row| row.get(0))?;
            let (before, was_ahead) = (before.timestamp(), since > now.timestamp());
            let stretch = if was_ahead { (before, since) } else { (since, before) };
            let retired = "SELECT id FROM articles INDEXED BY articles_withdrawn WHERE gone != 0 AND changed > ?1 AND changed <= ?2";
            if stretch.1 <= stretch.0 || !was_ahead && !transaction.prepare_cached(retired)?.exists(stretch)? {
                return Ok(());
            }
            let generation = Change::begin(transaction, now)?.generation()?;
            transaction.execute(
                &format!(
                    "UPDATE terms SET modified = max(modified, ?3), generation = ?4
                     WHERE id IN (SELECT term FROM memberships WHERE article IN ({retired}))"
                ),
                (stretch.0, stretch.1, now.timestamp(), generation),
            )?;
            transaction.execute("UPDATE store SET tombstones_since = ?1", [before])?;
            Ok(())
        })
    }
}

impl Cut {
    /// The same with names that may be published.
    pub(super) fn named(self, connection: &Connection) -> Result<History, StoreError> {
        let key = |number| key(connection, number);
        let closed = |(first, last): (Number, Number)| Ok::<_, StoreError>(Archive::Closed(key(first)?, key(last)?));
        Ok(match self {
            Self::None => History::None,
            Self::Complete => History::Complete,
            Self::Current(last) => History::Current { previous: Archive::After(last.map(key).transpose()?) },
            Self::Open(previous) => History::Open { previous: previous.map(closed).transpose()? },
            Self::Closed(previous, last) => {
                History::Closed { previous: previous.map(closed).transpose()?, next: Archive::After(Some(key(last)?)) }
            }
            Self::Moved(first, last) => History::Moved(closed((first, last))?),
        })
    }
}

fn key(connection: &Connection, number: Number) -> Result<ArticleKey, StoreError> {
    let key: String = connection.prepare_cached("SELECT key FROM articles WHERE id = ?1")?.query_row([number], |row| row.get(0))?;
    article_key(&key)
}

/// The archive as the document of the newest articles tells of it. What is `withdrawn` keeps its place, or every
/// stretch would move.
pub(super) fn current(chosen: &Chosen<'_>, withdrawn: &RoaringBitmap) -> Cut {
    let ever = chosen.set | withdrawn;
    let closed = ever.len() / LENGTH * LENGTH;
    Cut::Current(closed.checked_sub(1).and_then(|last| nth(&ever, last)))
}

/// The member at a place, counted from the oldest.
fn nth(ever: &RoaringBitmap, place: u64) -> Option<Number> {
    ever.select(u32::try_from(place).ok()?)
}

/// The closed stretch that ends with so many of the oldest; the cuts are every [`LENGTH`] of them.
fn stretch_before(ever: &RoaringBitmap, count: u64) -> Option<(Number, Number)> {
    let last = count.checked_sub(1)?;
    Some((nth(ever, last / LENGTH * LENGTH)?, nth(ever, last)?))
}

/// A stretch of the archive; `None` if there is none of that name.
pub(super) fn archive(chosen: &Chosen<'_>, options: &Options, archive: &Archive) -> Result<Option<Numbers>, StoreError> {
    let number = |key| Ok::<_, StoreError>(find_article(chosen.connection, key)?.map(|(number, _)| number));
    let ever = chosen.set | &*chosen.withdrawn();
    let (first, last, cut) = match archive {
        Archive::Closed(first, last) => {
            let (Some(first), Some(last)) = (number(first)?, number(last)?) else { return Ok(None) };
            if first > last || ever.range_cardinality(first..=last) > MAX_LENGTH {
                return Ok(None);
            }
            let before = first.checked_sub(1).map_or(0, |before| ever.rank(before));
            (first, last, Cut::Closed(stretch_before(&ever, before), last))
        }
        Archive::After(after) => {
            let (first, before) = match after.as_ref().map(number).transpose()? {
                None => (0, 0),
                Some(None) => return Ok(None),
                Some(Some(after)) => (after.saturating_add(1), ever.rank(after)),
            };
            if let (Some(first), Some(last)) = (nth(&ever, before), nth(&ever, before + LENGTH - 1)) {
                return Ok(Some(Numbers { cut: Cut::Moved(first, last), ..Numbers::default() }));
            }
            (first, Number::MAX, Cut::Open(stretch_before(&ever, before)))
        }
    };
    let mut set = chosen.set.clone();
    set.remove_range(..first);
    if last < Number::MAX {
        set.remove_range(last + 1..);
    }
    let articles = chosen.newest(&set, Stretch::default(), usize::try_from(MAX_LENGTH).unwrap_or(usize::MAX), options)?;
    Ok(Some(Numbers { total: set.len(), articles, cut, ..Numbers::default() }))
}

/// The members that were withdrawn last, the last first, until their tombstones are taken away.
pub(super) fn tombstones(chosen: &Chosen<'_>, withdrawn: &RoaringBitmap, limit: usize) -> Result<Vec<Number>, StoreError> {
    let since: i64 = chosen.connection.prepare_cached("SELECT tombstones_since FROM store")?.query_row([], |row| row.get(0))?;
    let mut withdrawn: Vec<(i64, Number)> = withdrawn.iter().map(|number| (chosen.sets.withdrawn_at(number), number)).collect();
    withdrawn.retain(|(at, _)| *at > since);
    withdrawn.sort_unstable_by(|a, b| b.cmp(a));
    Ok(withdrawn.into_iter().take(limit).map(|(_, number)| number).collect())
}

pub(super) fn tombstone(connection: &Connection, number: Number) -> Result<Tombstone, StoreError> {
    let mut statement = connection.prepare_cached("SELECT public_id, changed, generation FROM articles WHERE id = ?1")?;
    Ok(statement.query_row([number], |row| Ok(Tombstone { id: row.get(0)?, at: time(row.get(1)?), generation: row.get(2)? }))?)
}

/// The members that were discovered, changed or withdrawn after a generation; nothing if they are too many.
pub(super) fn delta(chosen: &Chosen<'_>, options: &Options, since: u64) -> Result<Numbers, StoreError> {
    let mut statement =
        chosen.connection.prepare_cached("SELECT id FROM articles WHERE generation > ?1 ORDER BY generation DESC LIMIT ?2")?;
    let changes = statement.query_map((since, MAX_CHANGES + 1), |row| row.get(0))?.collect::<Result<Vec<Number>, _>>()?;
    if changes.len() > MAX_CHANGES {
        return Ok(Numbers::default());
    }
    let withdrawn = chosen.withdrawn();
    let mut numbers = Numbers::default();
    for number in changes {
        if chosen.set.contains(number) && chosen.is_shown(number, &options.prefer)? {
            numbers.articles.push(number);
        } else if withdrawn.contains(number) {
            numbers.tombstones.push(number);
        }
    }
    if numbers.articles.len() + numbers.tombstones.len() > MAX_DELTA {
        return Ok(Numbers::default());
    }
    numbers.articles.sort_unstable_by_key(|number| std::cmp::Reverse(chosen.sets.place(*number)));
    Ok(numbers)
}
