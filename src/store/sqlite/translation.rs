//! Articles of one source that are translations of each other name each other.

use std::collections::BTreeSet;

use super::sort::stamp;
use super::terms::Touched;
use super::{Change, StoreError};

/// Tells an article's translations, by the keys that it has or had, that it came, left, or has another language: what is
/// published of them changes.
pub(super) fn tell(change: &mut Change<'_>, touched: &mut Touched, article: i64, keys: &BTreeSet<&str>) -> Result<(), StoreError> {
    for key in keys {
        let others: Vec<i64> = {
            let mut statement = change.transaction.prepare_cached(
                "SELECT o.id FROM articles a JOIN articles o INDEXED BY articles_by_translation
                    ON o.source = a.source AND o.translation_key = ?2 AND o.gone = 0 AND o.id != a.id
                 WHERE a.id = ?1",
            )?;
            let rows = statement.query_map((article, key), |row| row.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        for other in others {
            stamp(change, touched, other)?;
        }
    }
    Ok(())
}

/// The same by the key that it has.
pub(super) fn tell_all(change: &mut Change<'_>, touched: &mut Touched, article: i64) -> Result<(), StoreError> {
    let key: Option<String> =
        change.transaction.prepare_cached("SELECT translation_key FROM articles WHERE id = ?1")?.query_row([article], |row| row.get(0))?;
    tell(change, touched, article, &key.as_deref().into_iter().collect())
}
