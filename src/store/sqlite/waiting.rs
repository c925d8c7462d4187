//! Rows that wait. Where the rows of an article have their places all over a large table, a transaction changes a page of it
//! for nearly every row, so that in a large store ever more pages are written for an article. So new rows wait in a small
//! table, from where they go to the large one by slices, whose pages lie together. A row is in one of the two.

use rusqlite::{OptionalExtension, Transaction};

use super::StoreError;

/// The rows of so many articles wait.
pub(super) const WAITING: usize = 48_000;
/// The first articles' rows need not wait: the large tables are small.
pub(super) const FIRST: i64 = 50_000;

/// Takes the next slices of the rows that wait to the others, the larger the more articles came.
pub(super) fn settle(transaction: &Transaction<'_>, articles: usize) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT lookups_settled, members_settled, (SELECT ifnull(max(id), 0) FROM terms) FROM store
         WHERE EXISTS (SELECT 1 FROM new_lookups) OR EXISTS (SELECT 1 FROM new_members)",
    )?;
    let settled = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let Some((hash, term, terms)): Option<(i64, i64, u64)> = settled else { return Ok(()) };
    let (articles, waiting) = (articles as u64, WAITING as u64);
    let (hashes, width) = ((u64::MAX / waiting).saturating_mul(articles), terms.saturating_mul(articles).div_ceil(waiting));
    let hash = move_slice(transaction, "lookups", "hash", "hash, article", hash, hashes)?;
    let term = move_slice(transaction, "members", "term", "term, article, gone", term, width)?;
    // After the highest comes the lowest.
    let next = (hash.unwrap_or(i64::MIN), term.filter(|term| term.unsigned_abs() <= terms).unwrap_or_default());
    transaction.prepare_cached("UPDATE store SET lookups_settled = ?1, members_settled = ?2")?.execute(next)?;
    Ok(())
}

/// Takes the rows to a table that have one of some keys; says which key comes then, if there is one.
fn move_slice(
    transaction: &Transaction<'_>,
    table: &str,
    key: &str,
    columns: &str,
    first: i64,
    width: u64,
) -> Result<Option<i64>, StoreError> {
    let last = first.saturating_add_unsigned(width.saturating_sub(1));
    transaction
        .prepare_cached(&format!(
            "INSERT OR IGNORE INTO {table} ({columns}) SELECT {columns} FROM new_{table} WHERE {key} BETWEEN ?1 AND ?2 ORDER BY {key}, article"
        ))?
        .execute((first, last))?;
    transaction.prepare_cached(&format!("DELETE FROM new_{table} WHERE {key} BETWEEN ?1 AND ?2"))?.execute((first, last))?;
    Ok(last.checked_add(1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;

    use super::*;
    use crate::model::Kind;
    use crate::store::sqlite::{Change, Sqlite, members, terms};

    #[test]
    fn a_member_is_in_one_of_the_tables_wherever_its_term_is_until_it_leaves() {
        let folder = tempfile::TempDir::new().unwrap();
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let store = Sqlite::open(folder.path().join("t.db"), now).unwrap();
        let count = 700;
        store
            .write(|transaction| {
                let (mut change, mut touched) = (Change::begin(transaction, now)?, terms::Touched::default());
                for term in 1..=count {
                    let name = format!("t{term}");
                    touched.term(&mut change, Kind::Tag, &crate::model::Slug::from_name(&name), &name)?;
                    members::note(transaction, term, FIRST, false)?;
                    members::note(transaction, term, FIRST - 1, true)?;
                }
                Ok(())
            })
            .unwrap();
        let of = |term| {
            let mut found = BTreeMap::new();
            store
                .read(|connection| members::each(connection, term, |article, gone| assert!(found.insert(article, gone).is_none())))
                .unwrap();
            found.into_iter().map(|(article, gone)| (i64::from(article), gone)).collect::<Vec<_>>()
        };
        let waiting = || store.numbers("SELECT count(*) FROM new_members", []).unwrap()[0];
        let mut before = waiting();
        assert_eq!(before, count);
        while before > 0 {
            store.write(|transaction| settle(transaction, WAITING / 3)).unwrap();
            assert!(waiting() < before, "each slice takes some");
            before = waiting();
            assert!((1..=count).all(|term| of(term) == [(FIRST - 1, true), (FIRST, false)]));
        }
        store.write(|transaction| members::change(transaction, 5, FIRST, Some(true))).unwrap();
        store.write(|transaction| members::change(transaction, 6, FIRST, None)).unwrap();
        assert_eq!((of(5), of(6)), (vec![(FIRST - 1, true), (FIRST, true)], vec![(FIRST - 1, true)]));
    }
}
