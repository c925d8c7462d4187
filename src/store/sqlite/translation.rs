//! Articles of one source that are translations of each other name each other.

use std::collections::BTreeSet;

use super::sort::stamp;
use super::terms::Touched;
use super::{Change, StoreError};

/// The most articles that are translations of each other, the first stored: more of one key are no translations.
pub(super) const MAX_TRANSLATIONS: usize = 100;

/// Tells an article's translations, by the keys that it has or had, that it came, left, or has another language: what is
/// published of them changes.
pub(super) fn tell(change: &mut Change<'_>, touched: &mut Touched, article: i64, keys: &BTreeSet<&str>) -> Result<(), StoreError> {
    for key in keys {
        let translations: Vec<i64> = {
            let mut statement = change.transaction.prepare_cached(
                "SELECT o.id FROM articles a JOIN articles o INDEXED BY articles_by_translation
                    ON o.source = a.source AND o.translation_key = ?2 AND o.gone = 0
                 WHERE a.id = ?1 ORDER BY o.id LIMIT ?3",
            )?;
            let rows = statement.query_map((article, key, MAX_TRANSLATIONS), |row| row.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        if translations.len() == MAX_TRANSLATIONS && translations.iter().all(|first| *first < article) {
            continue; // none of them names it
        }
        for other in translations {
            if other != article {
                stamp(change, touched, other)?;
            }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Article, ArticleKey, Batch, Language, NewSource, Policy, SourceKind, SourceSettings};
    use crate::store::Lookup;
    use crate::store::sqlite::{Sqlite, time};

    #[test]
    fn the_first_of_a_key_are_translations_of_each_other_and_more_of_it_change_nothing() {
        let folder = tempfile::TempDir::new().unwrap();
        let now = time(1_700_000_000);
        let store = Sqlite::open(folder.path().join("t.db"), now).unwrap();
        let new = NewSource {
            kind: SourceKind::Folder,
            location: "/posts".to_owned(),
            slug: None,
            title: "Posts".to_owned(),
            settings: SourceSettings::default(),
        };
        let source = store.add_source(&new, &Policy::default(), now).unwrap().0;
        let add = |numbers: std::ops::RangeInclusive<usize>| {
            let article = |number: usize| Article {
                guid: number.to_string(),
                title: Some(number.to_string()),
                languages: Language::parse(["en", "zh", "de"][number.min(2)]).into_iter().collect(),
                translation_key: Some("post".to_owned()),
                ..Article::default()
            };
            let batch = Batch { articles: numbers.map(article).collect(), ..Batch::default() };
            store.apply(store.prepare(source.id, batch, None, &Arc::new(Policy::default()), now).unwrap()).unwrap();
        };
        let entry = |guid: usize| {
            let Lookup::Found(entry) = store.article(&ArticleKey::new(&source.first_slug, &guid.to_string())).unwrap() else {
                panic!("not found")
            };
            entry
        };
        add(0..=0);
        let alone = entry(0);
        assert!(alone.translations.is_empty());
        add(1..=MAX_TRANSLATIONS - 1);
        let first = entry(0);
        assert!(first.generation > alone.generation && first.translations.len() == 3, "{:?}", first.translations);
        add(MAX_TRANSLATIONS..=MAX_TRANSLATIONS + 20);
        assert_eq!(entry(0).generation, first.generation);
        assert_eq!(entry(MAX_TRANSLATIONS + 20).translations.len(), 3);
    }
}
