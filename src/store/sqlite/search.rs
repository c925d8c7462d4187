//! The search: a full-text index of folded tokens (model/folding.rs) that follows the generation of the store in order,
//! behind the articles and never before them.

use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension};

use super::{Sqlite, StoreError};
use crate::model::{Kind, Query, Word, each_token, text};
use crate::store::sets::Number;

/// The most articles that one question takes in, those discovered last.
const MAX_HITS: usize = 100_000;
/// The most of these whose fit is looked at, those discovered last.
const MAX_SCORED: u64 = 10_000;
/// The most that are put in order by it.
const MAX_RANKED: usize = 1_000;
/// Of these, so many are read to find where the words stand as they were typed: they come first.
const MAX_EXACT: usize = 100;
/// Articles that one step of the indexing takes in.
const CHUNK: usize = 500;

/// The weights of title, names and body.
const RANK: &str = "bm25(words, 10.0, 4.0, 1.0)";

/// What of an article can be found, as it was written.
pub(super) struct Text {
    title: String,
    names: String,
    body: String,
}

impl Text {
    pub(super) fn of(connection: &Connection, article: Number) -> Result<Self, StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT json_extract(a.details, '$.title'), b.lead, b.summary, b.content FROM articles a JOIN bodies b ON b.article = a.id WHERE a.id = ?1",
        )?;
        let (title, parts): (Option<String>, [Option<String>; 3]) =
            statement.query_row([article], |row| Ok((row.get(0)?, [row.get(1)?, row.get(2)?, row.get(3)?])))?;
        let mut statement = connection.prepare_cached(
            "SELECT t.name FROM memberships m JOIN terms t ON t.id = m.term WHERE m.article = ?1 AND m.gone = 0 AND t.kind IN (?2, ?3, ?4)",
        )?;
        let kinds = [Kind::Author, Kind::Category, Kind::Tag].map(super::terms::kind_number);
        let names = statement.query_map((article, kinds[0], kinds[1], kinds[2]), |row| row.get(0))?;
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        let body: Vec<String> = parts.iter().flatten().map(|html| text::plain(html)).collect();
        Ok(Self { title: title.unwrap_or_default(), names: names.join("\n"), body: body.join("\n") })
    }

    /// Whether all that must stand in it does so as it was typed, but for its case.
    fn has(&self, words: &[&Word]) -> bool {
        let parts = [&self.title, &self.names, &self.body].map(|part| part.to_lowercase());
        words.iter().all(|word| {
            let wanted = word.text.to_lowercase();
            parts.iter().any(|part| part.contains(&wanted))
        })
    }
}

/// What words find.
pub(super) struct Hits {
    /// `None`: nothing but what may not be there was asked for.
    pub(super) found: Option<RoaringBitmap>,
    pub(super) excluded: Option<RoaringBitmap>,
}

/// The articles that have some words, as far as the index can tell: phrases are found whatever their script.
pub(super) fn hits(connection: &Connection, query: &Query) -> Result<Hits, StoreError> {
    let (excluded, wanted): (Vec<&Word>, Vec<&Word>) = query.words.iter().partition(|word| word.is_excluded);
    let find = |words: &[&Word], junction: &str| -> Result<Option<RoaringBitmap>, StoreError> {
        if words.is_empty() {
            return Ok(None);
        }
        let mut statement = connection.prepare_cached("SELECT rowid FROM words WHERE words MATCH ?1 ORDER BY rowid DESC LIMIT ?2")?;
        let rows = statement.query_map((expression(words, junction), MAX_HITS), |row| row.get::<_, Number>(0))?;
        let mut numbers = rows.collect::<Result<Vec<_>, _>>()?;
        numbers.reverse();
        Ok(Some(numbers.into_iter().collect()))
    };
    Ok(Hits { found: find(&wanted, " AND ")?, excluded: find(&excluded, " OR ")? })
}

/// Those of a set that have the words, the best first; those that have them as they were typed before the others.
pub(super) fn ranked(
    connection: &Connection,
    query: &Query,
    hits: &RoaringBitmap,
    is_in: impl Fn(Number) -> bool,
) -> Result<Vec<Number>, StoreError> {
    let wanted: Vec<&Word> = query.words.iter().filter(|word| !word.is_excluded).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let first = hits.len().checked_sub(MAX_SCORED).and_then(|position| hits.select(u32::try_from(position).ok()?)).unwrap_or_default();
    let mut statement =
        connection.prepare_cached(&format!("SELECT rowid FROM words WHERE words MATCH ?1 AND rowid >= ?2 ORDER BY {RANK}, rowid DESC"))?;
    let rows = statement.query_map((expression(&wanted, " AND "), first), |row| row.get::<_, Number>(0))?;
    let mut ranked = Vec::new();
    for number in rows {
        let number = number?;
        if is_in(number) {
            ranked.push(number);
        }
        if ranked.len() == MAX_RANKED {
            break;
        }
    }
    let rest = ranked.split_off(ranked.len().min(MAX_EXACT));
    let (mut exact, mut folded) = (Vec::new(), Vec::new());
    for number in ranked {
        if Text::of(connection, number)?.has(&wanted) { exact.push(number) } else { folded.push(number) }
    }
    exact.extend(folded);
    exact.extend(rest);
    Ok(exact)
}

/// Whether an article has every quoted phrase as it was typed.
pub(super) fn has_phrases(connection: &Connection, query: &Query, article: Number) -> Result<bool, StoreError> {
    let phrases: Vec<&Word> = query.words.iter().filter(|word| word.is_quoted && !word.is_excluded).collect();
    Ok(phrases.is_empty() || Text::of(connection, article)?.has(&phrases))
}

/// Words in the index's own grammar: each a phrase of tokens, which hold no sign of that grammar.
fn expression(words: &[&Word], junction: &str) -> String {
    let phrase = |word: &&Word| {
        let tokens: Vec<String> = word.tokens().into_iter().map(|token| format!("\"{}\"", token.folded)).collect();
        format!("({}{})", tokens.join(" + "), if word.is_open() { " *" } else { "" })
    };
    words.iter().map(phrase).collect::<Vec<_>>().join(junction)
}

/// The tokens of a text, as the index takes them.
fn tokenised(text: &str) -> String {
    let mut tokenised = String::with_capacity(text.len() * 2);
    each_token(text, |token, _| {
        tokenised.push_str(token);
        tokenised.push(' ');
    });
    tokenised
}

/// A step of the indexing: what changed up to a generation.
struct Step {
    from: u64,
    to: u64,
    present: Vec<(Number, [String; 3])>,
    gone: Vec<Number>,
}

impl Sqlite {
    /// Takes the next changed articles into the index; gives how many.
    pub(in crate::store) fn index(&self) -> Result<usize, StoreError> {
        let Some(step) = self.read(next_step)? else { return Ok(0) };
        self.write(|transaction| {
            let indexed: u64 = transaction.prepare_cached("SELECT indexed FROM store")?.query_row([], |row| row.get(0))?;
            if indexed != step.from {
                // Another process was faster.
                return Ok(());
            }
            for number in step.gone.iter().chain(step.present.iter().map(|(number, _)| number)) {
                transaction.prepare_cached("DELETE FROM words WHERE rowid = ?1")?.execute([number])?;
            }
            let mut statement = transaction.prepare_cached("INSERT INTO words (rowid, title, names, body) VALUES (?1, ?2, ?3, ?4)")?;
            for (number, [title, names, body]) in &step.present {
                statement.execute((number, title, names, body))?;
            }
            transaction.prepare_cached("UPDATE store SET indexed = ?1")?.execute([step.to])?;
            Ok(())
        })?;
        // A generation without articles is a step, too.
        Ok((step.present.len() + step.gone.len()).max(1))
    }
}

fn next_step(connection: &Connection) -> Result<Option<Step>, StoreError> {
    let (from, generation): (u64, u64) =
        connection.prepare_cached("SELECT indexed, generation FROM store")?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if from >= generation {
        return Ok(None);
    }
    // Whole generations, as many as fit into a chunk, at least one.
    let full = "SELECT generation FROM articles WHERE generation > ?1 ORDER BY generation LIMIT 1 OFFSET ?2";
    let after: Option<u64> = connection.prepare_cached(full)?.query_row((from, CHUNK), |row| row.get(0)).optional()?;
    let first: Option<u64> =
        connection.prepare_cached("SELECT min(generation) FROM articles WHERE generation > ?1")?.query_row([from], |row| row.get(0))?;
    let to = match (after, first) {
        (Some(after), Some(first)) => after.saturating_sub(1).max(first),
        _ => generation,
    };
    let mut step = Step { from, to, present: Vec::new(), gone: Vec::new() };
    let mut statement = connection.prepare_cached("SELECT id, gone != 0 FROM articles WHERE generation > ?1 AND generation <= ?2")?;
    let mut rows = statement.query((from, to))?;
    while let Some(row) = rows.next()? {
        let number: Number = row.get(0)?;
        if row.get(1)? {
            step.gone.push(number);
        } else {
            let Text { title, names, body } = Text::of(connection, number)?;
            step.present.push((number, [title, names, body].map(|text| tokenised(&text))));
        }
    }
    Ok(Some(step))
}
