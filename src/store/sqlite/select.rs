//! A selection as SQL: the newest articles for which every clause holds.
//!
//! The clause with the fewest articles drives: each of its terms is walked newest first, in the order in which its rows
//! are clustered, and the other clauses are probed by their full keys. So no article is scanned, and nothing is sorted
//! but the few rows that the walks give.

use std::collections::BTreeSet;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::articles::{Loader, find as find_article};
use super::terms::{self, Known, TermId};
use super::{Sqlite, StoreError, time};
use crate::model::{Kind, Options, Page, Selection, Slug};
use crate::store::Lookup;

/// A selection whose names were looked up.
#[derive(Default)]
struct Resolved {
    any: Vec<(u64, Vec<TermId>)>,
    none: Vec<TermId>,
    described: Vec<TermId>,
    modified: Option<i64>,
    created: Option<i64>,
}

impl Sqlite {
    pub(in crate::store) fn select(&self, selection: &Selection, options: &Options) -> Result<Lookup<Page>, StoreError> {
        self.read(|connection| {
            let moved = follow_aliases(connection, selection)?;
            if moved != *selection {
                return Ok(Lookup::Moved(moved));
            }
            if let Some((kind, slug)) = selection.single()
                && terms::find(connection, kind, slug)?.is_some_and(|known| known.is_deleted)
            {
                return Ok(Lookup::Gone);
            }
            page(connection, selection, options).map(Lookup::Found)
        })
    }
}

fn follow_aliases(connection: &Connection, selection: &Selection) -> Result<Selection, StoreError> {
    let mut targets = std::collections::HashMap::new();
    for (kind, slug) in selection.terms() {
        if let Some(known) = terms::find(connection, kind, slug)?.filter(|known| known.slug != *slug) {
            targets.insert((kind, slug.clone()), known.slug);
        }
    }
    Ok(selection.renamed(|kind, slug| targets.get(&(kind, slug.clone())).unwrap_or(slug).clone()))
}

fn page(connection: &Connection, selection: &Selection, options: &Options) -> Result<Page, StoreError> {
    let resolved = resolve(connection, selection)?;
    let wanted = usize::from(options.limit);
    let cursor = match &options.before {
        Some(key) => cursor(connection, find_article(connection, key)?.map(|(id, _)| id))?,
        None => (i64::MAX, i64::MAX),
    };
    let mut numbers = numbers(connection, &resolved, cursor, wanted + 1)?;
    let more = numbers.len() > wanted;
    numbers.truncate(wanted);
    let mut loader = Loader::new(connection);
    let entries = numbers.into_iter().map(|id| loader.entry(id)).collect::<Result<_, _>>()?;
    let (modified, settings, created) = connection
        .prepare_cached("SELECT modified, settings_modified, created FROM store")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))?;
    let mut terms = Vec::new();
    for id in &resolved.described {
        terms.extend(terms::described(connection, *id)?);
    }
    Ok(Page {
        entries,
        more,
        terms,
        modified: time(resolved.modified.unwrap_or(modified).max(settings)),
        created: time(resolved.created.unwrap_or(created)),
    })
}

/// A cursor whose article is not there gives nothing: what is older than nothing.
fn cursor(connection: &Connection, id: Option<i64>) -> Result<(i64, i64), StoreError> {
    let Some(id) = id else { return Ok((i64::MIN, i64::MIN)) };
    let listed = connection.prepare_cached("SELECT listed FROM articles WHERE id = ?1")?.query_row([id], |row| row.get(0))?;
    Ok((listed, id))
}

fn resolve(connection: &Connection, selection: &Selection) -> Result<Resolved, StoreError> {
    let mut resolved = Resolved::default();
    for (kind, clauses) in selection.clauses() {
        for set in &clauses.any {
            let known = resolved.look_up(connection, kind, set)?;
            let articles = known.iter().map(|known| known.articles).sum();
            resolved.any.push((articles, known.iter().map(|known| known.id).collect()));
        }
        let excluded = resolved.look_up(connection, kind, &clauses.none)?;
        resolved.none.extend(excluded.iter().map(|known| known.id));
    }
    resolved.any.sort();
    Ok(resolved)
}

impl Resolved {
    /// The terms of some slugs; a name that is not there matches nothing.
    fn look_up(&mut self, connection: &Connection, kind: Kind, slugs: &BTreeSet<Slug>) -> Result<Vec<Known>, StoreError> {
        let mut known = Vec::new();
        for slug in slugs {
            known.extend(terms::find(connection, kind, slug)?.filter(|known| !known.is_deleted));
        }
        self.described.extend(known.iter().map(|known| known.id));
        self.modified = self.modified.max(known.iter().map(|known| known.modified).max());
        self.created = self.created.max(known.iter().map(|known| known.created).max());
        Ok(known)
    }
}

/// The numbers of the articles, newest first.
fn numbers(connection: &Connection, resolved: &Resolved, (listed, article): (i64, i64), limit: usize) -> Result<Vec<i64>, StoreError> {
    if resolved.any.iter().any(|(_, terms)| terms.is_empty()) {
        return Ok(Vec::new());
    }
    let mut values = vec![Value::from(listed), Value::from(article), Value::from(i64::try_from(limit).unwrap_or(i64::MAX))];
    let sql = statement(resolved, &mut values);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn statement(resolved: &Resolved, values: &mut Vec<Value>) -> String {
    let Some(((_, driver), others)) = resolved.any.split_first() else {
        let conditions = probes(&[], &resolved.none, "a.listed", "a.id", values);
        return format!(
            "SELECT a.id FROM articles a WHERE a.gone = 0 AND (a.listed, a.id) < (?1, ?2){conditions} ORDER BY a.listed DESC, a.id DESC LIMIT ?3"
        );
    };
    let conditions = probes(others, &resolved.none, "m.listed", "m.article", values);
    let walks: Vec<String> = driver
        .iter()
        .map(|term| {
            values.push(Value::from(*term));
            let term = values.len();
            format!(
                "SELECT * FROM (SELECT m.listed, m.article FROM memberships m WHERE m.term = ?{term} AND m.gone = 0
                 AND (m.listed, m.article) < (?1, ?2){conditions} ORDER BY m.listed DESC, m.article DESC LIMIT ?3)"
            )
        })
        .collect();
    format!("SELECT article FROM ({}) ORDER BY listed DESC, article DESC LIMIT ?3", walks.join(" UNION "))
}

/// The conditions of the other clauses; each looks at one key of the clustered rows for each of its terms.
fn probes(any: &[(u64, Vec<TermId>)], none: &[TermId], listed: &str, article: &str, values: &mut Vec<Value>) -> String {
    let mut probe = |negation: &str, terms: &[TermId]| {
        let places: Vec<String> = terms
            .iter()
            .map(|term| {
                values.push(Value::from(*term));
                format!("?{}", values.len())
            })
            .collect();
        let places = places.join(", ");
        format!(
            " AND {negation}EXISTS (SELECT 1 FROM memberships p WHERE p.term IN ({places}) AND p.gone = 0 AND p.listed = {listed} AND p.article = {article})"
        )
    };
    let mut conditions: String = any.iter().map(|(_, terms)| probe("", terms)).collect();
    if !none.is_empty() {
        conditions.push_str(&probe("NOT ", none));
    }
    conditions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(resolved: &Resolved) -> String {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(super::super::MIGRATIONS[0]).unwrap();
        let mut values = vec![Value::from(1), Value::from(1), Value::from(50)];
        let sql = statement(resolved, &mut values);
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
        steps.collect::<Result<Vec<_>, _>>().unwrap().join("\n")
    }

    #[test]
    fn the_newest_of_a_term_are_walked_and_not_sorted() {
        let plan = plan(&Resolved { any: vec![(9, vec![7])], ..Resolved::default() });
        assert!(plan.contains("SEARCH m USING PRIMARY KEY (term=? AND gone=?"), "{plan}");
        assert!(!plan.contains("SCAN m") && !plan.contains("articles"), "{plan}");
    }

    #[test]
    fn everything_is_walked_by_its_index() {
        let plan = plan(&Resolved::default());
        assert!(plan.contains("USING COVERING INDEX articles_newest"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }

    #[test]
    fn other_clauses_are_probed_by_their_full_key() {
        let plan = plan(&Resolved { any: vec![(1, vec![1]), (9, vec![2, 3])], none: vec![4], ..Resolved::default() });
        assert_eq!(plan.matches("(article=? AND term=? AND gone=? AND listed=?)").count(), 2, "{plan}");
        assert!(!plan.contains("SCAN p"), "{plan}");
    }
}
