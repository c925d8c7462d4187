//! Rows that are written together: the tables that have several rows for each article take those of many articles at once,
//! for a part of what they cost one by one.

use std::collections::HashMap;

use rusqlite::{Connection, Transaction, params_from_iter};

use super::lookups::MAX_ALIKE;
use super::terms::TermId;
use super::waiting::FIRST;
use super::{Change, StoreError};
use crate::model::Origins;

/// How many rows a statement takes, the most first: there is one for each of these.
const AT_ONCE: [usize; 3] = [32, 8, 1];

/// What waits to be written of a change's new articles.
#[derive(Default)]
pub(super) struct Rows {
    /// It waits until [`Change::write_rows`], else until the article is whole.
    waits: bool,
    /// The articles that have a hash, of the hashes that were asked for ahead, those included that wait.
    found: HashMap<i64, Vec<i64>>,
    /// Hash and article.
    lookups: Vec<[i64; 2]>,
    /// Term, article, and whether it is gone.
    members: Vec<[i64; 3]>,
    /// Article, term, whether it is gone, origins and position.
    memberships: Vec<[i64; 5]>,
}

impl Change<'_> {
    /// From now on rows of new articles wait, and what has one of these hashes is known.
    pub(super) fn gather(&mut self, hashes: &[i64]) -> Result<(), StoreError> {
        self.rows.waits = true;
        self.rows.found.extend(hashes.iter().map(|hash| (*hash, Vec::new())));
        for some in parts(hashes) {
            having(self.transaction, some, |hash, article| self.rows.found.entry(hash).or_default().push(article))?;
        }
        Ok(())
    }

    /// The articles that have a hash, [`MAX_ALIKE`] of them.
    pub(super) fn having(&self, hash: i64) -> Result<Vec<i64>, StoreError> {
        if let Some(found) = self.rows.found.get(&hash) {
            return Ok(found.iter().copied().take(MAX_ALIKE).collect());
        }
        let mut found: Vec<_> = self.rows.lookups.iter().filter(|row| row[0] == hash).map(|row| row[1]).collect();
        having(self.transaction, &[hash], |_, article| found.push(article))?;
        found.truncate(MAX_ALIKE);
        Ok(found)
    }

    /// Notes a hash of an article.
    pub(super) fn add_lookup(&mut self, hash: i64, article: i64) {
        if let Some(found) = self.rows.found.get_mut(&hash) {
            found.push(article);
        }
        self.rows.lookups.push([hash, article]);
    }

    /// Notes a term of an article that it had not.
    pub(super) fn add_membership(&mut self, article: i64, term: TermId, gone: bool, origins: Origins, position: usize) {
        let (gone, position) = (gone.into(), i64::try_from(position).unwrap_or(i64::MAX));
        self.rows.members.push([term, article, gone]);
        self.rows.memberships.push([article, term, gone, origins.bits().into(), position]);
    }

    /// Writes what waits, if it is not to wait for more.
    pub(super) fn write_rows_of_one(&mut self) -> Result<(), StoreError> {
        if self.rows.waits { Ok(()) } else { self.write_rows() }
    }

    /// Writes what waits.
    pub(super) fn write_rows(&mut self) -> Result<(), StoreError> {
        let rows = &mut self.rows;
        // Neighbours in a table one after the other; those of the first articles go to the large tables at once.
        rows.lookups.sort_unstable();
        rows.members.sort_unstable();
        let is_first = |article: i64| article < FIRST;
        for (waiting, table) in [(false, "lookups"), (true, "new_lookups")] {
            let some: Vec<_> = rows.lookups.iter().filter(|row| is_first(row[1]) != waiting).copied().collect();
            insert(self.transaction, &format!("INSERT OR IGNORE INTO {table} (hash, article)"), &some)?;
        }
        for (waiting, table) in [(false, "members"), (true, "new_members")] {
            let some: Vec<_> = rows.members.iter().filter(|row| is_first(row[1]) != waiting).copied().collect();
            insert(self.transaction, &format!("INSERT OR FAIL INTO {table} (term, article, gone)"), &some)?;
        }
        insert(self.transaction, "INSERT OR FAIL INTO memberships (article, term, gone, origins, position)", &rows.memberships)?;
        rows.lookups.clear();
        rows.members.clear();
        rows.memberships.clear();
        Ok(())
    }
}

/// Parts of a list, each as long as there is a statement for.
fn parts<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let (some, others) = AT_ONCE.into_iter().find_map(|size| rest.split_at_checked(size))?;
        rest = others;
        Some(some)
    })
}

/// Inserts rows; `into` is the statement up to its values. It is to leave what it did when it fails, which costs a copy of
/// each page otherwise: the transaction goes as a whole.
fn insert<const N: usize>(transaction: &Transaction<'_>, into: &str, rows: &[[i64; N]]) -> Result<(), StoreError> {
    let row = format!("({})", ["?"; N].join(","));
    for some in parts(rows) {
        let statement = format!("{into} VALUES {}", vec![row.as_str(); some.len()].join(","));
        transaction.prepare_cached(&statement)?.execute(params_from_iter(some.iter().flatten()))?;
    }
    Ok(())
}

/// Calls `each` with every article that has one of some hashes.
fn having(connection: &Connection, hashes: &[i64], mut each: impl FnMut(i64, i64)) -> Result<(), StoreError> {
    // A list for `IN` would become a table of its own, made for each question.
    let wanted: Vec<_> = (1..=hashes.len()).map(|place| format!("(?{place})")).collect();
    let of = |table: &str| {
        format!("SELECT t.hash, t.article FROM (VALUES {}) wanted CROSS JOIN {table} t ON t.hash = wanted.column1", wanted.join(","))
    };
    let mut statement = connection.prepare_cached(&format!("{} UNION ALL {}", of("lookups"), of("new_lookups")))?;
    let mut rows = statement.query(params_from_iter(hashes))?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, row.get(1)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::sqlite::{Sqlite, time};

    #[test]
    fn rows_are_found_while_they_wait_and_stand_in_their_tables_then() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = Sqlite::open(folder.path().join("t.db"), time(1_700_000_000)).unwrap();
        let count = |table: &str| store.numbers(&format!("SELECT count(*) FROM {table}"), []).unwrap()[0];
        // Some of the hashes are asked for ahead, some of those are there, and articles are on both sides of the first ones.
        let articles = FIRST - 40..FIRST + 33;
        let expected = |hash: i64| articles.clone().chain([3]).filter(|article| article % 11 == hash).collect::<BTreeSet<_>>();
        let found =
            |change: &Change<'_>| (0..12).map(|hash| change.having(hash).unwrap().into_iter().collect()).collect::<Vec<BTreeSet<_>>>();
        let all: Vec<_> = (0..12).map(expected).collect();
        store
            .write(|transaction| {
                let mut change = Change::begin(transaction, time(1_700_000_000))?;
                change.add_lookup(3, 3);
                change.write_rows_of_one()?;
                change.gather(&[3, 5, 7, 11])?;
                for article in articles.clone() {
                    change.add_lookup(article % 11, article);
                    change.add_membership(article, article % 5, article % 3 == 0, Origins::SOURCE, 0);
                    change.write_rows_of_one()?;
                }
                assert_eq!(found(&change), all);
                assert_eq!(transaction.query_row("SELECT count(*) FROM memberships", [], |row| row.get::<_, i64>(0))?, 0);
                change.write_rows()?;
                assert_eq!(found(&change), all);
                Ok(())
            })
            .unwrap();
        store.write(|transaction| Change::begin(transaction, time(1_700_000_000)).map(|change| assert_eq!(found(&change), all))).unwrap();
        let counts = ["lookups", "new_lookups", "members", "new_members", "memberships"].map(count);
        assert_eq!(counts, [41, 33, 40, 33, 73]);
        let differ = "SELECT count(*) FROM memberships m WHERE NOT EXISTS
            (SELECT 1 FROM (SELECT * FROM members UNION ALL SELECT * FROM new_members) n WHERE n.term = m.term AND n.article = m.article AND n.gone = m.gone)";
        assert_eq!(store.numbers(differ, []).unwrap(), [0]);
    }
}
