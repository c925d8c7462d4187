//! The search: a full-text index of folded tokens (model/folding.rs) that follows the generation of the store in order,
//! behind the articles and never before them.

use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension};

use super::segments::{self, Place};
use super::{Sqlite, StoreError};
use crate::crew::give_way;
use crate::model::{Kind, Query, Token, Word, text, tokens};
use crate::store::postings::{Builder, Segment};
use crate::store::sets::Number;

/// How many of what was found are put in order by how well they fit: the newest, and the newest with the words in their
/// title or names.
const MAX_RANKED: usize = 150;
/// Articles that one step of the indexing takes in.
const CHUNK: usize = 1_000;
/// So many of them are worth a thread of their own.
const PART: usize = 100;

/// What a word is worth in the title, and among the names, in places in the body.
const IN_TITLE: f64 = 10.0;
const IN_NAMES: f64 = 4.0;

/// What of an article can be found, as it was written.
struct Text {
    title: String,
    names: String,
    body: String,
}

impl Text {
    fn of(connection: &Connection, article: Number) -> Result<Self, StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT json_extract(a.details, '$.title'), b.lead, b.summary, b.content FROM articles a JOIN bodies b ON b.article = a.id WHERE a.id = ?1",
        )?;
        let (title, body): (Option<String>, String) = statement.query_row([article], |row| {
            let mut body = String::new();
            for part in 1..4 {
                let html = row.get_ref(part)?.as_bytes_or_null()?.unwrap_or_default();
                body += &simdutf8::basic::from_utf8(html).map(text::plain).unwrap_or_default();
                body.push('\n');
            }
            Ok((row.get(0)?, body))
        })?;
        let mut statement = connection.prepare_cached(
            "SELECT t.name FROM memberships m JOIN terms t ON t.id = m.term WHERE m.article = ?1 AND m.gone = 0 AND (1 << t.kind) & ?2",
        )?;
        let kinds = [Kind::Author, Kind::Category, Kind::Tag].map(|kind| 1 << super::terms::kind_number(kind));
        let names = statement.query_map((article, kinds.iter().sum::<i64>()), |row| row.get(0))?;
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        Ok(Self { title: title.unwrap_or_default(), names: names.join("\n"), body })
    }

    /// Its title, names and body, cut into tokens.
    fn parts(&self) -> [Part<'_>; 3] {
        [&self.title, &self.names, &self.body].map(|text| Part { text, tokens: tokens(text) })
    }
}

/// A part of a text, cut into tokens.
struct Part<'a> {
    text: &'a str,
    tokens: Vec<Token>,
}

impl Part<'_> {
    /// How often a word stands in it.
    fn count(&self, word: &Word) -> usize {
        word.places(self.text, &self.tokens).len()
    }
}

/// Whether a word stands in a text as it was typed, but for its case.
fn has_as_typed(parts: &[Part<'_>; 3], word: &Word) -> bool {
    let wanted = word.text.to_lowercase();
    parts.iter().any(|part| part.text.to_lowercase().contains(&wanted))
}

/// Whether what the index alone cannot tell of some words is true of a text: phrases stand in it, or do not.
fn has_phrases(parts: &[Part<'_>; 3], query: &Query) -> bool {
    query.words.iter().filter(|word| word.needs_text()).all(|word| {
        let stands = || parts.iter().any(|part| part.count(word) > 0);
        let is_there = if word.is_quoted { has_as_typed(parts, word) } else { stands() };
        is_there != word.is_excluded
    })
}

/// How well the words fit: what stands in the title counts most, what stands often counts ever less (as in BM25).
#[expect(clippy::cast_precision_loss, reason = "a text has some thousand words")]
fn score([title, names, body]: &[Part<'_>; 3], words: &[&Word]) -> f64 {
    let length = 1.0 + body.tokens.len() as f64 / 1_000.0;
    let of_word = |word: &&Word| {
        let [title, names, often] = [title, names, body].map(|part| part.count(word) as f64);
        IN_TITLE * title.min(2.0) + IN_NAMES * names.min(2.0) + 2.2 * often / (often + length)
    };
    words.iter().map(of_word).sum()
}

/// What words find.
pub(super) struct Hits {
    /// `None`: nothing but what may not be there was asked for.
    pub(super) found: Option<RoaringBitmap>,
    pub(super) excluded: Option<RoaringBitmap>,
}

/// The articles that have some words, as far as the index can tell: of a phrase it knows the pieces.
pub(super) fn hits(connection: &Connection, query: &Query) -> Result<Hits, StoreError> {
    let wanted: Vec<&Word> = query.words.iter().filter(|word| !word.is_excluded).collect();
    let excluded: Vec<&Word> = query.words.iter().filter(|word| word.is_excluded && !word.needs_text()).collect();
    Ok(Hits {
        found: (!wanted.is_empty()).then(|| segments::with_all(connection, &wanted, Place::Anywhere)).transpose()?,
        excluded: (!excluded.is_empty()).then(|| segments::with_any(connection, &excluded)).transpose()?,
    })
}

/// Those of a set that have the words, the best first; those that have them as they were typed before the others.
pub(super) fn ranked(connection: &Connection, query: &Query, set: &RoaringBitmap) -> Result<Vec<Number>, StoreError> {
    let wanted: Vec<&Word> = query.words.iter().filter(|word| !word.is_excluded).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let in_headings = segments::with_all(connection, &wanted, Place::Headings)? & set;
    let newest = |set: &RoaringBitmap| set.iter().rev().take(MAX_RANKED).collect::<RoaringBitmap>();
    let mut ranked = Vec::new();
    for number in newest(&in_headings) | newest(set) {
        let text = Text::of(connection, number)?;
        let parts = text.parts();
        if has_phrases(&parts, query) {
            ranked.push((wanted.iter().all(|word| has_as_typed(&parts, word)), score(&parts, &wanted), number));
        }
    }
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(b.2.cmp(&a.2)));
    Ok(ranked.into_iter().map(|(_, _, number)| number).collect())
}

/// Whether what the index cannot tell of some words is true of an article.
pub(super) fn fits(connection: &Connection, query: &Query, article: Number) -> Result<bool, StoreError> {
    Ok(has_phrases(&Text::of(connection, article)?.parts(), query))
}

/// A step of the indexing: what changed up to a generation.
pub(in crate::store) struct Step {
    from: u64,
    to: u64,
    changed: RoaringBitmap,
    /// Of those of them that are public, in order.
    segments: Vec<Segment>,
}

impl Step {
    /// The generation that it ends with.
    pub(in crate::store) const fn end(&self) -> u64 {
        self.to
    }
}

impl Sqlite {
    /// The step over the next articles that changed after a generation, none: after those that are in the index, worked on
    /// in so many threads.
    pub(in crate::store) fn next_step(&self, after: Option<u64>, threads: usize) -> Result<Option<Step>, StoreError> {
        let Some((mut step, public)) = self.read(|connection| next_step(connection, after))? else { return Ok(None) };
        step.segments = self.segments(&public, threads)?;
        Ok(Some(step))
    }

    /// Takes a step; `false`: another process was faster.
    pub(in crate::store) fn index(&self, step: Step) -> Result<bool, StoreError> {
        self.write_lazily(|transaction| {
            let indexed: u64 = transaction.prepare_cached("SELECT indexed FROM store")?.query_row([], |row| row.get(0))?;
            if indexed != step.from {
                return Ok(false);
            }
            segments::forget(transaction, &step.changed)?;
            for segment in step.segments {
                segments::insert(transaction, segment)?;
            }
            transaction.prepare_cached("UPDATE store SET indexed = ?1")?.execute([step.to])?;
            Ok(true)
        })
    }

    /// Segments of some articles, in order, made by threads that end with them and let all others go first: an article is to
    /// be in its feeds before it is in the search.
    fn segments(&self, articles: &[Number], threads: usize) -> Result<Vec<Segment>, StoreError> {
        let of = |articles: &[Number]| {
            give_way(19);
            self.read(|connection| segments_of(connection, articles))
        };
        std::thread::scope(|scope| {
            let parts = articles.chunks(articles.len().div_ceil(threads).max(PART));
            let made: Vec<_> = parts.map(|part| scope.spawn(move || of(part))).collect();
            let mut segments = Vec::new();
            for part in made {
                segments.extend(part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok(segments)
        })
    }
}

/// The end of a step over the articles that changed after a generation: whole generations, as many as fit into a chunk, at
/// least one.
pub(super) fn chunk_end(connection: &Connection, from: u64, generation: u64, chunk: usize) -> Result<u64, StoreError> {
    let full = "SELECT generation FROM articles WHERE generation > ?1 ORDER BY generation LIMIT 1 OFFSET ?2";
    let after: Option<u64> = connection.prepare_cached(full)?.query_row((from, chunk), |row| row.get(0)).optional()?;
    let first: Option<u64> =
        connection.prepare_cached("SELECT min(generation) FROM articles WHERE generation > ?1")?.query_row([from], |row| row.get(0))?;
    Ok(match (after, first) {
        (Some(after), Some(first)) => after.saturating_sub(1).max(first),
        _ => generation,
    })
}

/// The next step without its segments, and the articles that they are to be made of, in order.
fn next_step(connection: &Connection, after: Option<u64>) -> Result<Option<(Step, Vec<Number>)>, StoreError> {
    let (indexed, generation): (u64, u64) =
        connection.prepare_cached("SELECT indexed, generation FROM store")?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let from = after.unwrap_or(indexed);
    if from >= generation {
        return Ok(None);
    }
    let to = chunk_end(connection, from, generation, CHUNK)?;
    let (mut changed, mut public) = (RoaringBitmap::new(), Vec::new());
    let mut statement =
        connection.prepare_cached("SELECT id, gone != 0 FROM articles WHERE generation > ?1 AND generation <= ?2 ORDER BY id")?;
    let mut rows = statement.query((from, to))?;
    while let Some(row) = rows.next()? {
        let number: Number = row.get(0)?;
        changed.insert(number);
        if !row.get(1)? {
            public.push(number);
        }
    }
    Ok(Some((Step { from, to, changed, segments: Vec::new() }, public)))
}

fn segments_of(connection: &Connection, articles: &[Number]) -> Result<Vec<Segment>, StoreError> {
    let (mut segments, mut builder) = (Vec::new(), Builder::default());
    for number in articles {
        let Text { title, names, body } = Text::of(connection, *number)?;
        builder.add(*number, [&title, &names], &body);
        if builder.is_full() {
            segments.extend(builder.build());
        }
    }
    segments.extend(builder.build());
    Ok(segments)
}
