//! Sorting stored articles again: when a term, the defaults of a source or the rules change, their memberships follow.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;

use super::memberships::set;
use super::revive::{CHUNK, DROPPED, PUBLIC, turn};
use super::terms::{Touched, aliases, kind_number};
use super::{Change, Sqlite, StoreError, articles, sources, story, translation};
use crate::model::rule::Aliases;
use crate::model::{Article, ArticleKey, Kind, Language, Origins, Policy, Slug, Source, Time, Verdict};
use crate::store::decide::{Context, Wanted};
use crate::store::{Judged, Reached, Ruling};

/// What rules did with an article, as it is stored.
pub(super) fn ruled(verdict: &Verdict) -> Result<Option<String>, StoreError> {
    Ok(if *verdict == Verdict::default() { None } else { Some(serde_json::to_string(verdict)?) })
}

/// An article as far as sorting it needs.
struct Stored {
    id: i64,
    state: i64,
    source: i64,
    key: ArticleKey,
    title: String,
    article: Article,
    language: Option<String>,
    /// The language that was found out when it came in, or is now.
    found_out: Option<Language>,
    verdict: Verdict,
}

fn stored(connection: &Connection, id: i64) -> Result<Stored, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.gone, a.source, a.key, a.title, a.language, a.ruled, a.details, b.lead, b.summary, b.content,
                EXISTS (SELECT 1 FROM memberships m JOIN terms t ON t.id = m.term WHERE m.article = a.id AND t.kind = ?2 AND m.origins & ?3) AS found_out
         FROM articles a JOIN bodies b ON b.article = a.id WHERE a.id = ?1",
    )?;
    let mut rows = statement.query((id, kind_number(Kind::Language), Origins::DETECTED.bits()))?;
    let row = rows.next()?.ok_or_else(|| StoreError::Corrupt(format!("article {id} has no text")))?;
    let (key, title) = articles::key_and_title(row)?;
    let (language, ruled): (Option<String>, Option<String>) = (row.get("language")?, row.get("ruled")?);
    let was_found_out: bool = row.get("found_out")?;
    let mut article = articles::details(&row.get::<_, String>("details")?)?;
    (article.lead, article.summary, article.content) = (row.get("lead")?, row.get("summary")?, row.get("content")?);
    Ok(Stored {
        id,
        state: row.get("gone")?,
        source: row.get("source")?,
        key,
        title,
        article,
        found_out: language.as_deref().filter(|_| was_found_out).and_then(Language::parse),
        language,
        verdict: ruled.as_deref().map(serde_json::from_str).transpose()?.unwrap_or_default(),
    })
}

/// Sorts the articles of one transaction; each source is read once.
pub(super) struct Sorter<'p> {
    policy: &'p Policy,
    aliases: Option<Aliases>,
    sources: HashMap<i64, Source>,
}

impl<'p> Sorter<'p> {
    pub(super) fn new(policy: &'p Policy) -> Self {
        Self { policy, aliases: None, sources: HashMap::new() }
    }

    /// An article, with what decides on it.
    fn load(&mut self, connection: &Connection, id: i64) -> Result<(Stored, Context<'_>), StoreError> {
        let mut stored = stored(connection, id)?;
        let source = match self.sources.entry(stored.source) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(sources::by_id(connection, stored.source)?),
        };
        let aliases = match &mut self.aliases {
            Some(known) => known,
            none => none.insert(aliases(connection)?),
        };
        let context = Context { source: (&*source).into(), info: &source.info, policy: self.policy, aliases };
        stored.found_out = stored.found_out.or_else(|| context.found_out(&stored.article));
        Ok((stored, context))
    }

    /// Sorts an article again, by what rules said of it before; says whether anything changed.
    pub(super) fn again(&mut self, change: &mut Change<'_>, touched: &mut Touched, id: i64) -> Result<bool, StoreError> {
        let (stored, context) = self.load(change.transaction, id)?;
        settle(change, touched, &stored, context, &stored.verdict)
    }

    /// Sorts an article again, by what the rules say of it now; says whether anything changed.
    fn judge(&mut self, change: &mut Change<'_>, touched: &mut Touched, id: i64) -> Result<bool, StoreError> {
        let (mut stored, context) = self.load(change.transaction, id)?;
        let verdict = context.judge(&stored.article, stored.found_out.as_ref());
        let state = match (stored.state, verdict.drop) {
            (PUBLIC, true) => DROPPED,
            (DROPPED, false) => PUBLIC,
            (state, _) => state,
        };
        if state != stored.state {
            turn(change, touched, stored.id, state)?;
            stored.state = state;
        }
        settle(change, touched, &stored, context, &verdict)
    }

    /// What the rules would change of an article; `None`: they say of it what they said.
    fn ruling(&mut self, connection: &Connection, id: i64) -> Result<Option<Ruling>, StoreError> {
        let (stored, context) = self.load(connection, id)?;
        let sort = |verdict| context.sort(&stored.article, stored.found_out.as_ref(), verdict).terms;
        let verdict = context.judge(&stored.article, stored.found_out.as_ref());
        if verdict == stored.verdict && verdict.drop == (stored.state == DROPPED) {
            return Ok(None);
        }
        let (before, after) = (sort(&stored.verdict), sort(&verdict));
        Ok(Some(Ruling {
            added: missing(&after, &before),
            removed: missing(&before, &after),
            drop: (verdict.drop != (stored.state == DROPPED)).then_some(verdict.drop),
            key: stored.key,
            title: stored.title,
        }))
    }
}

/// The names that stand in one and not in the other.
fn missing(of: &BTreeMap<(Kind, Slug), Wanted>, from: &BTreeMap<(Kind, Slug), Wanted>) -> Vec<(Kind, String)> {
    of.iter().filter(|(key, _)| !from.contains_key(key)).map(|((kind, _), term)| (*kind, term.name.clone())).collect()
}

/// Writes what an article is sorted into, where that differs.
fn settle(
    change: &mut Change<'_>,
    touched: &mut Touched,
    stored: &Stored,
    context: Context<'_>,
    verdict: &Verdict,
) -> Result<bool, StoreError> {
    let sorted = context.sort(&stored.article, stored.found_out.as_ref(), verdict);
    let language = sorted.language.as_ref().map(Language::as_str);
    let is_same = language == stored.language.as_deref() && *verdict == stored.verdict;
    let changed = set(change, touched, stored.id, stored.state == PUBLIC, &sorted.terms)?;
    if is_same && !changed {
        return Ok(false);
    }
    change.transaction.prepare_cached("UPDATE articles SET language = ?2, ruled = ?3 WHERE id = ?1")?.execute((
        stored.id,
        language,
        ruled(verdict)?,
    ))?;
    if stored.state == PUBLIC {
        stamp(change, touched, stored.id)?;
        story::tell_all(change, touched, stored.id)?;
        if language != stored.language.as_deref() {
            translation::tell_all(change, touched, stored.id)?;
        }
    } else if changed {
        // The sets in memory follow it; its tombstone keeps its time.
        let generation = change.generation()?;
        change.transaction.prepare_cached("UPDATE articles SET generation = ?2 WHERE id = ?1")?.execute((stored.id, generation))?;
    }
    Ok(true)
}

/// Notes that what is published of an article changed, be it only the name of a term.
pub(super) fn stamp(change: &mut Change<'_>, touched: &mut Touched, article: i64) -> Result<(), StoreError> {
    change.write_rows()?;
    let generation = change.generation()?;
    change.transaction.prepare_cached("UPDATE articles SET changed = ?2, generation = ?3 WHERE id = ?1")?.execute((
        article,
        change.now.timestamp(),
        generation,
    ))?;
    touched.all_of(change.transaction, article)
}

impl Sqlite {
    /// Goes over articles in short transactions; gives for how many the work said that it changed something.
    pub(super) fn over<'p>(
        &self,
        articles: &[i64],
        policy: &'p Policy,
        now: Time,
        mut work: impl FnMut(&mut Sorter<'p>, &mut Change<'_>, &mut Touched, i64) -> Result<bool, StoreError>,
    ) -> Result<usize, StoreError> {
        let mut total = 0;
        for chunk in articles.chunks(CHUNK) {
            total += self.write(|transaction| {
                let mut change = Change::begin(transaction, now)?;
                let (mut sorter, mut touched, mut changed) = (Sorter::new(policy), Touched::default(), 0);
                for article in chunk {
                    changed += usize::from(work(&mut sorter, &mut change, &mut touched, *article)?);
                }
                touched.write(&mut change)?;
                Ok(changed)
            })?;
        }
        Ok(total)
    }

    /// The numbers that a statement gives.
    pub(super) fn numbers(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<Vec<i64>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(parameters, |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    pub(in crate::store) fn judge(&self, Reached(after): Reached, applies: bool, policy: &Policy, now: Time) -> Result<Judged, StoreError> {
        let of_interest = "SELECT a.id FROM articles a JOIN sources s ON s.id = a.source
                           WHERE a.id > ?1 AND a.gone IN (?2, ?3) AND s.removed IS NULL ORDER BY a.id LIMIT ?4";
        let articles = self.numbers(of_interest, (after, PUBLIC, DROPPED, CHUNK))?;
        let mut differ = Vec::new();
        let rulings = self.read(|connection| {
            let (mut sorter, mut rulings) = (Sorter::new(policy), Vec::new());
            for article in &articles {
                if let Some(ruling) = sorter.ruling(connection, *article)? {
                    differ.push(*article);
                    rulings.push(ruling);
                }
            }
            Ok(rulings)
        })?;
        if applies {
            self.over(&differ, policy, now, Sorter::judge)?;
        }
        Ok(Judged { rulings, articles: articles.len(), next: articles.last().copied().map(Reached) })
    }
}
