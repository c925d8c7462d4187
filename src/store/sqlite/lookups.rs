//! What articles are looked up by: short hashes of their keys, of their published ids and of the pages that they lead to.
//! What is found has to be compared: two texts may have one hash.

use rusqlite::Transaction;

use super::{Change, StoreError};

/// The most articles of a hash that are looked at, the first ones. Only a link can have more: a page that so many articles
/// lead to tells nothing about them.
pub(super) const MAX_ALIKE: usize = 128;

/// The articles that have a hash, as a subquery; `hash` is its name in the statement.
pub(super) fn having(hash: &str) -> String {
    format!(
        "(SELECT article FROM lookups WHERE hash = {hash} UNION ALL SELECT article FROM new_lookups WHERE hash = {hash} LIMIT {MAX_ALIKE})"
    )
}

/// Notes the hashes of an article.
pub(super) fn note(change: &mut Change<'_>, article: i64, hashes: impl IntoIterator<Item = i64>) -> Result<(), StoreError> {
    for hash in hashes {
        change.add_lookup(hash, article);
    }
    change.write_rows_of_one()
}

/// Forgets one hash of an article.
pub(super) fn forget(transaction: &Transaction<'_>, article: i64, hash: i64) -> Result<(), StoreError> {
    for table in ["lookups", "new_lookups"] {
        transaction.prepare_cached(&format!("DELETE FROM {table} WHERE hash = ?1 AND article = ?2"))?.execute((hash, article))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::{Article, ArticleKey, Batch, Link, NewSource, Policy, SourceKind, SourceSettings};
    use crate::store::Lookup;
    use crate::store::sqlite::waiting::{self, FIRST, WAITING};
    use crate::store::sqlite::{Sqlite, time};

    fn store(folder: &tempfile::TempDir) -> Sqlite {
        let store = Sqlite::open(folder.path().join("t.db"), time(1_700_000_000)).unwrap();
        // The next article has this number and one.
        let new = NewSource {
            kind: SourceKind::Inbox,
            location: "inbox".to_owned(),
            slug: None,
            title: "Inbox".to_owned(),
            settings: SourceSettings::default(),
        };
        let source = store.add_source(&new, &Policy::default(), time(1_700_000_000)).unwrap().0;
        store
            .write(|transaction| {
                let last = "INSERT INTO articles (id, source, guid, key, public_id, listed, discovered, fingerprint, details, changed, generation, gone)
                     VALUES (?1, ?2, '', '', '', 0, 0, x'', '{}', 0, 1, 1)";
                Ok(transaction.execute(last, (FIRST, source.id.0))?)
            })
            .unwrap();
        store
    }

    #[test]
    fn a_hash_is_found_wherever_it_waits_until_it_is_forgotten() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = store(&folder);
        let hashes = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
        store
            .write(|transaction| {
                let mut change = Change::begin(transaction, time(1_700_000_000))?;
                note(&mut change, FIRST, hashes)?;
                note(&mut change, FIRST + 1, [0])?;
                note(&mut change, 1, [0])
            })
            .unwrap();
        let waiting = || store.numbers("SELECT count(*) FROM new_lookups", []).unwrap()[0];
        assert_eq!(waiting(), 8);
        let mut seen = BTreeSet::new();
        // One slice more, since two of them are cut short.
        for _ in 0..=15 {
            store.write(|transaction| waiting::settle(transaction, WAITING / 14)).unwrap();
            seen.insert(waiting());
            let found = |hash: i64| store.write(|transaction| Change::begin(transaction, time(1_700_000_000))?.having(hash)).unwrap();
            assert!(hashes.iter().all(|hash| found(*hash).contains(&FIRST)));
            assert_eq!(found(0).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([1, FIRST, FIRST + 1]));
        }
        assert!(waiting() == 0 && seen.len() > 2, "by slices, all once: {seen:?}");
        store.write(|transaction| forget(transaction, FIRST, 0)).unwrap();
        let left = store.write(|transaction| Change::begin(transaction, time(1_700_000_000))?.having(0)).unwrap();
        assert_eq!(left, [1, FIRST + 1]);
    }

    #[test]
    fn of_very_many_articles_of_a_hash_the_first_are_looked_at() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = store(&folder);
        let found = store.write(|transaction| {
            let mut change = Change::begin(transaction, time(1_700_000_000))?;
            for article in 1..=1_000 {
                note(&mut change, article, [7])?;
            }
            change.having(7)
        });
        assert_eq!(found.unwrap(), (1..=128).collect::<Vec<_>>());
        assert_eq!(store.numbers(&format!("SELECT article FROM {} ORDER BY article", having("7")), []).unwrap().len(), MAX_ALIKE);
    }

    #[test]
    fn articles_are_recognised_and_told_of_their_stories_while_their_hashes_wait_and_after() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = store(&folder);
        let (now, policy) = (time(1_700_000_000), std::sync::Arc::new(Policy::default()));
        let source = |name: &str| {
            let location = format!("https://{name}.example/feed");
            let new =
                NewSource { kind: SourceKind::Feed, location, slug: None, title: name.to_owned(), settings: SourceSettings::default() };
            store.add_source(&new, &Policy::default(), now).unwrap().0
        };
        let (one, two) = (source("one"), source("two"));
        let article = |guid: &str, title: &str| Article {
            guid: guid.to_owned(),
            title: Some(title.to_owned()),
            link: Link::At("https://one.example/post".to_owned()),
            ..Article::default()
        };
        let apply = |source: &crate::model::Source, article: Article| {
            let batch = Batch { articles: vec![article], ..Batch::default() };
            store.apply(store.prepare(source.id, batch, None, &policy, now).unwrap()).unwrap()
        };
        apply(&one, article("a", "A"));
        apply(&two, article("b", "B"));
        let has_related = |source: &crate::model::Source, guid: &str| {
            let Lookup::Found(entry) = store.article(&ArticleKey::new(&source.first_slug, guid)).unwrap() else { panic!("not found") };
            entry.related.len()
        };
        for _ in 0..2 {
            assert_eq!((has_related(&one, "a"), has_related(&two, "b")), (1, 1));
            // Another guid, the same page: the same article.
            let applied = apply(&one, article("a2", "A"));
            assert_eq!((applied.added, applied.unchanged), (0, 1));
            assert_eq!(apply(&one, article("a", "A")).unchanged, 1);
            store.write(|transaction| waiting::settle(transaction, WAITING)).unwrap();
            store.write(|transaction| waiting::settle(transaction, WAITING)).unwrap();
        }
        assert_eq!(store.numbers("SELECT count(*) FROM new_lookups", []).unwrap(), [0]);
    }
}
