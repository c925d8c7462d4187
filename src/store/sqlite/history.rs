//! What came before a selection's newest articles: its archive, cut from the oldest on; what was withdrawn; and what
//! changed since a generation.

use roaring::RoaringBitmap;
use rusqlite::Connection;

use super::articles::find as find_article;
use super::select::{Chosen, Numbers};
use super::{Change, Sqlite, StoreError, time};
use crate::model::{Archive, ArticleKey, History, Options, Time, Tombstone};
use crate::store::sets::{Number, State, Stretch};

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
    /// Takes the tombstones away that are older than a time; the terms that they stood under are modified by that.
    pub(in crate::store) fn retire(&self, before: Time, now: Time) -> Result<(), StoreError> {
        self.write(|transaction| {
            let since: i64 = transaction.query_row("SELECT tombstones_since FROM store", [], |row| row.get(0))?;
            let stretch = (since, before.timestamp());
            let retired = "SELECT id FROM articles INDEXED BY articles_withdrawn WHERE gone != 0 AND changed > ?1 AND changed <= ?2";
            if stretch.1 <= since || !transaction.prepare_cached(retired)?.exists(stretch)? {
                return Ok(());
            }
            Change::begin(transaction, now)?.generation()?;
            transaction.execute(
                &format!(
                    "UPDATE terms SET modified = max(modified, ?3) WHERE id IN (SELECT term FROM memberships WHERE article IN ({retired}))"
                ),
                (stretch.0, stretch.1, now.timestamp()),
            )?;
            transaction.execute("UPDATE store SET tombstones_since = ?1", [stretch.1])?;
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
    ArticleKey::parse(&key).ok_or_else(|| StoreError::Corrupt(format!("the key {key:?} of an article")))
}

/// All that ever were members and have not left: what is withdrawn keeps its place, or every stretch would move.
fn ever(chosen: &Chosen<'_>) -> RoaringBitmap {
    chosen.set | &*chosen.sets.chosen(chosen.choice, State::Withdrawn)
}

/// The archive as the document of the newest articles tells of it.
pub(super) fn current(chosen: &Chosen<'_>) -> Cut {
    let ever = ever(chosen);
    Cut::Current(ever_before(&ever, ever.len() / LENGTH * LENGTH))
}

/// The last of so many of the oldest.
fn ever_before(ever: &RoaringBitmap, count: u64) -> Option<Number> {
    ever.select(u32::try_from(count.checked_sub(1)?).ok()?)
}

/// The closed stretch that ends with so many of the oldest; the cuts are every [`LENGTH`] of them.
fn stretch_before(ever: &RoaringBitmap, count: u64) -> Option<(Number, Number)> {
    let start = count.checked_sub(1)? / LENGTH * LENGTH;
    Some((ever.select(u32::try_from(start).ok()?)?, ever_before(ever, count)?))
}

/// A stretch of the archive; `None` if there is none of that name.
pub(super) fn archive(chosen: &Chosen<'_>, archive: &Archive) -> Result<Option<Numbers>, StoreError> {
    let number = |key| Ok::<_, StoreError>(find_article(chosen.connection, key)?.map(|(number, _)| number));
    let ever = ever(chosen);
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
            let after = match after {
                Some(key) => match number(key)? {
                    Some(number) => Some(number),
                    None => return Ok(None),
                },
                None => None,
            };
            let (first, before) = after.map_or((0, 0), |after| (after.saturating_add(1), ever.rank(after)));
            if ever.len() >= before + LENGTH {
                let ends = (ever.select(index(before)), ever.select(index(before + LENGTH - 1)));
                let (Some(first), Some(last)) = ends else { return Ok(None) };
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
    let articles = chosen.newest(&set, Stretch::default(), usize::try_from(MAX_LENGTH).unwrap_or(usize::MAX), &Options::default())?;
    Ok(Some(Numbers { total: set.len(), articles, cut, ..Numbers::default() }))
}

fn index(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The members that were withdrawn last, the last first, until their tombstones are taken away.
pub(super) fn tombstones(chosen: &Chosen<'_>, limit: usize) -> Result<Vec<Number>, StoreError> {
    let since: i64 = chosen.connection.prepare_cached("SELECT tombstones_since FROM store")?.query_row([], |row| row.get(0))?;
    let withdrawn = chosen.sets.chosen(chosen.choice, State::Withdrawn);
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
pub(super) fn delta(chosen: &Chosen<'_>, options: &Options, since: u64) -> Result<Option<Numbers>, StoreError> {
    let mut statement =
        chosen.connection.prepare_cached("SELECT id FROM articles WHERE generation > ?1 ORDER BY generation DESC LIMIT ?2")?;
    let changes = statement.query_map((since, MAX_CHANGES + 1), |row| row.get(0))?.collect::<Result<Vec<Number>, _>>()?;
    if changes.len() > MAX_CHANGES {
        return Ok(Some(Numbers::default()));
    }
    let withdrawn = chosen.sets.chosen(chosen.choice, State::Withdrawn);
    let mut numbers = Numbers::default();
    for number in changes {
        if chosen.set.contains(number) && chosen.is_shown(number, &options.prefer)? {
            numbers.articles.push(number);
        } else if withdrawn.contains(number) {
            numbers.tombstones.push(number);
        }
    }
    if numbers.articles.len() + numbers.tombstones.len() > MAX_DELTA {
        return Ok(Some(Numbers::default()));
    }
    numbers.articles.sort_unstable_by_key(|number| std::cmp::Reverse(chosen.sets.place(*number)));
    Ok(Some(numbers))
}
