//! Members: which articles a term has, as the sets in memory and the care of terms ask for it. It says no more than the
//! memberships do, which stand by article, and is written with them.

use rusqlite::{Connection, Transaction};

use super::StoreError;
use super::terms::TermId;
use super::waiting::FIRST;

/// The articles that have a term and have not left it, as a subquery; `is` is a condition on the term, such as `= ?1`.
pub(super) fn having(is: &str) -> String {
    format!("(SELECT article FROM members WHERE term {is} UNION ALL SELECT article FROM new_members WHERE term {is})")
}

/// Calls `each` with every article that has a term and has not left it, and whether it is gone.
pub(super) fn each(connection: &Connection, term: TermId, mut each: impl FnMut(u32, bool)) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT article, gone FROM members WHERE term = ?1 UNION ALL SELECT article, gone FROM new_members WHERE term = ?1",
    )?;
    let mut rows = statement.query([term])?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, row.get(1)?);
    }
    Ok(())
}

/// Notes a member that is new.
pub(super) fn note(transaction: &Transaction<'_>, term: TermId, article: i64, gone: bool) -> Result<(), StoreError> {
    transaction
        .prepare_cached(if article < FIRST {
            "INSERT INTO members (term, article, gone) VALUES (?1, ?2, ?3)"
        } else {
            "INSERT INTO new_members (term, article, gone) VALUES (?1, ?2, ?3)"
        })?
        .execute((term, article, gone))?;
    Ok(())
}

/// Changes a member that may have left before; `None`: it leaves.
pub(super) fn change(transaction: &Transaction<'_>, term: TermId, article: i64, gone: Option<bool>) -> Result<(), StoreError> {
    for table in ["members", "new_members"] {
        transaction.prepare_cached(&format!("DELETE FROM {table} WHERE term = ?1 AND article = ?2"))?.execute((term, article))?;
    }
    gone.map_or(Ok(()), |gone| note(transaction, term, article, gone))
}
