//! The segments of the search's index: written when articles change, read when words are looked for, and merged, so that
//! few of them are to be read.

use std::ops::RangeInclusive;

use roaring::RoaringBitmap;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::{Sqlite, StoreError};
use crate::model::Word;
use crate::store::postings::{Block, Entries, Key, Merger, Posting, Segment};
use crate::store::sets::Number;

/// A level's segments are up to so many times as large as those of the one below.
const LEVEL: u64 = 16;
/// Blocks that one transaction of a merging writes, or deletes: about a megabyte.
const CHUNK: usize = 256;

/// Where in an article words are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Anywhere,
    /// In its title, and among the names of its authors, categories and tags.
    Headings,
}

/// Those that have all of some words, as far as tokens tell.
pub(super) fn with_all(connection: &Connection, words: &[&Word], place: Place) -> Result<RoaringBitmap, StoreError> {
    let tokens: Vec<Keys> = words.iter().flat_map(|word| keys(word)).collect();
    each_live(connection, |segment| common(tokens.iter().map(|keys| having(connection, segment, keys, place))))
}

/// Those that have any of some words, as far as tokens tell.
pub(super) fn with_any(connection: &Connection, words: &[&Word]) -> Result<RoaringBitmap, StoreError> {
    let words: Vec<Vec<Keys>> = words.iter().map(|word| keys(word)).collect();
    each_live(connection, |segment| {
        words.iter().try_fold(RoaringBitmap::new(), |found, tokens| {
            Ok(found | common(tokens.iter().map(|keys| having(connection, segment, keys, Place::Anywhere)))?)
        })
    })
}

/// One token, or all that begin so.
type Keys = RangeInclusive<Key>;

/// What a word is looked for by: all of these tokens.
fn keys(word: &Word) -> Vec<Keys> {
    let (tokens, is_open) = (word.tokens(), word.is_open());
    let mut keys: Vec<Keys> = tokens.iter().map(|token| Key::of(&token.folded)..=Key::of(&token.folded)).collect();
    if let (Some(last), Some(token)) = (keys.last_mut(), tokens.last().filter(|_| is_open)) {
        *last = Key::beginning(&token.folded);
    }
    keys
}

/// What all of some sets have; once that is nothing, no further one is looked for.
fn common(sets: impl Iterator<Item = Result<RoaringBitmap, StoreError>>) -> Result<RoaringBitmap, StoreError> {
    let mut common: Option<RoaringBitmap> = None;
    for set in sets {
        let set = set?;
        let both = match common {
            Some(common) => common & set,
            None => set,
        };
        if both.is_empty() {
            return Ok(both);
        }
        common = Some(both);
    }
    Ok(common.unwrap_or_default())
}

/// The articles found in each segment, but for those that it has no more.
fn each_live(connection: &Connection, find: impl Fn(i64) -> Result<RoaringBitmap, StoreError>) -> Result<RoaringBitmap, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id, gone FROM segments WHERE state = 1")?;
    let mut rows = statement.query([])?;
    let mut found = RoaringBitmap::new();
    while let Some(row) = rows.next()? {
        found |= find(row.get(0)?)? - set(row.get_ref(1)?)?;
    }
    Ok(found)
}

/// The articles of a segment that have any of some tokens in a row.
fn having(connection: &Connection, segment: i64, keys: &Keys, place: Place) -> Result<RoaringBitmap, StoreError> {
    // Where a block begins, the one before may end.
    let mut statement = connection.prepare_cached(
        "SELECT block FROM postings WHERE segment = ?1 AND first <= ?3 AND first >= coalesce(
            (SELECT first FROM postings WHERE segment = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1), x'')",
    )?;
    let mut rows = statement.query((segment, keys.start().to_vec(), keys.end().to_vec()))?;
    let mut numbers: Vec<Number> = Vec::new();
    while let Some(row) = rows.next()? {
        let entries = Entries::of(bytes(row.get_ref(0)?)?);
        let meant = entries.skip_while(|(key, _)| key < keys.start()).take_while(|(key, _)| key <= keys.end());
        let postings = meant.flat_map(|(_, postings)| postings);
        numbers.extend(postings.filter(|posting| place == Place::Anywhere || posting.is_heading()).map(Posting::article));
    }
    if keys.start() != keys.end() {
        numbers.sort_unstable();
    }
    Ok(numbers.into_iter().collect())
}

/// Keeps a new segment.
pub(super) fn insert(transaction: &Transaction<'_>, segment: Segment) -> Result<(), StoreError> {
    let id = begin(transaction)?;
    append(transaction, id, &segment.blocks)?;
    publish(transaction, id, segment.articles, &RoaringBitmap::new())
}

/// A segment without anything, which is being made.
fn begin(transaction: &Transaction<'_>) -> Result<i64, StoreError> {
    let insert = "INSERT INTO segments (state, articles, gone, size, lowest, highest) VALUES (0, x'', x'', 0, 0, 0)";
    transaction.prepare_cached(insert)?.execute([])?;
    Ok(transaction.last_insert_rowid())
}

fn append(transaction: &Transaction<'_>, segment: i64, blocks: &[Block]) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached("INSERT INTO postings (segment, first, block) VALUES (?1, ?2, ?3)")?;
    for Block { first, bytes } in blocks {
        statement.execute((segment, first.to_vec(), bytes))?;
    }
    Ok(())
}

/// From here on a segment is read.
fn publish(transaction: &Transaction<'_>, id: i64, mut articles: RoaringBitmap, gone: &RoaringBitmap) -> Result<(), StoreError> {
    articles.optimize();
    let (size, ends) = (articles.len(), (articles.min(), articles.max()));
    transaction
        .prepare_cached("UPDATE segments SET state = 1, articles = ?3, gone = ?4, size = ?2, lowest = ?5, highest = ?6 WHERE id = ?1")?
        .execute((id, size, as_bytes(&articles)?, as_bytes(gone)?, ends.0.unwrap_or_default(), ends.1.unwrap_or_default()))?;
    Ok(())
}

/// Lets no segment speak for some articles any more.
pub(super) fn forget(transaction: &Transaction<'_>, changed: &RoaringBitmap) -> Result<(), StoreError> {
    let (Some(lowest), Some(highest)) = (changed.min(), changed.max()) else { return Ok(()) };
    let mut statement =
        transaction.prepare_cached("SELECT id, articles, gone FROM segments WHERE state = 1 AND highest >= ?1 AND lowest <= ?2")?;
    let known = statement.query_map((lowest, highest), |row| Ok((row.get(0)?, sets(row))))?;
    for (id, sets) in known.collect::<Result<Vec<(i64, _)>, _>>()? {
        let (articles, gone) = sets?;
        let all_gone = &gone | &(&articles & changed);
        if all_gone.len() > gone.len() {
            transaction
                .prepare_cached("UPDATE segments SET gone = ?2, state = CASE WHEN size > ?3 THEN 1 ELSE 2 END WHERE id = ?1")?
                .execute((id, as_bytes(&all_gone)?, all_gone.len()))?;
        }
    }
    Ok(())
}

/// A segment that is to be merged: its articles, and those that it had no more when that began.
struct Part {
    id: i64,
    articles: RoaringBitmap,
    gone: RoaringBitmap,
}

impl Sqlite {
    /// Makes one of several segments, if there are so many of about one size; says whether there were. Readers go on with the
    /// old ones until the new one is whole. A process that dies, or meets another that merges, leaves nothing but what the
    /// next one deletes.
    pub(in crate::store) fn merge_segments(&self, many: usize) -> Result<bool, StoreError> {
        let parts = self.read(|connection| mergeable(connection, many))?;
        if parts.is_empty() {
            return Ok(false);
        }
        let id = self.write_lazily(|transaction| {
            transaction.prepare_cached("UPDATE segments SET state = 2 WHERE state = 0")?.execute([])?;
            begin(transaction)
        })?;
        let base = parts.iter().filter_map(|part| part.articles.min()).min().unwrap_or_default();
        let mut merger = Merger::new(base, parts.iter().map(|part| part.gone.clone()).collect());
        loop {
            let blocks = self.read(|connection| merger.next(CHUNK, |place, after| block_after(connection, parts[place].id, after)))?;
            let is_whole = blocks.is_empty();
            let goes_on = self.write_lazily(|transaction| {
                if state(transaction, id)? != Some(0) {
                    return Ok(false);
                }
                if is_whole {
                    replace(transaction, id, &parts)?;
                }
                append(transaction, id, &blocks)?;
                Ok(!is_whole)
            })?;
            if !goes_on {
                break;
            }
        }
        while self.write_lazily(sweep)? {}
        Ok(true)
    }
}

/// Deletes some of a segment that was replaced; says whether there was one.
fn sweep(transaction: &Transaction<'_>) -> Result<bool, StoreError> {
    let mut statement = transaction.prepare_cached("SELECT id FROM segments WHERE state = 2 LIMIT 1")?;
    let Some(old) = statement.query_row([], |row| row.get::<_, i64>(0)).optional()? else { return Ok(false) };
    let delete = "DELETE FROM postings WHERE id IN (SELECT id FROM postings WHERE segment = ?1 LIMIT ?2)";
    if transaction.prepare_cached(delete)?.execute((old, CHUNK))? == 0 {
        transaction.prepare_cached("DELETE FROM segments WHERE id = ?1")?.execute([old])?;
    }
    Ok(true)
}

fn state(connection: &Connection, segment: i64) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT state FROM segments WHERE id = ?1")?;
    Ok(statement.query_row([segment], |row| row.get(0)).optional()?)
}

/// The segments of the lowest level that has many.
fn mergeable(connection: &Connection, many: usize) -> Result<Vec<Part>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id, size FROM segments WHERE state = 1 ORDER BY id")?;
    let known = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<Vec<(i64, u64)>, _>>()?;
    let level = |size: u64| size.checked_ilog(LEVEL).unwrap_or_default();
    let of_level = |wanted| known.iter().filter(move |(_, size)| level(*size) == wanted).map(|(id, _)| *id);
    let Some(crowded) = (0..=level(u64::from(Number::MAX))).find(|level| of_level(*level).count() >= many) else { return Ok(Vec::new()) };
    of_level(crowded).map(|id| part(connection, id)).collect()
}

fn part(connection: &Connection, id: i64) -> Result<Part, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id, articles, gone FROM segments WHERE id = ?1")?;
    let (articles, gone) = statement.query_row([id], |row| Ok(sets(row)))??;
    Ok(Part { id, articles, gone })
}

fn block_after(connection: &Connection, segment: i64, after: Option<Key>) -> Result<Option<Block>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT first, block FROM postings WHERE segment = ?1 AND first > ?2 ORDER BY first LIMIT 1")?;
    let found: Option<(Vec<u8>, Vec<u8>)> =
        statement.query_row((segment, after.map(Key::to_vec).unwrap_or_default()), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let block = |(first, bytes): (Vec<u8>, _)| Key::from_slice(&first).map(|first| Block { first, bytes }).ok_or_else(damaged);
    found.map(block).transpose()
}

/// Publishes what was merged in place of its parts; if one of them is not live any more, it is given up.
fn replace(transaction: &Transaction<'_>, id: i64, parts: &[Part]) -> Result<(), StoreError> {
    let (mut articles, mut gone) = (RoaringBitmap::new(), RoaringBitmap::new());
    for old in parts {
        if state(transaction, old.id)? != Some(1) {
            transaction.prepare_cached("UPDATE segments SET state = 2 WHERE id = ?1")?.execute([id])?;
            return Ok(());
        }
        articles |= &old.articles - &old.gone;
        gone |= part(transaction, old.id)?.gone - &old.gone;
    }
    for part in parts {
        transaction.prepare_cached("UPDATE segments SET state = 2 WHERE id = ?1")?.execute([part.id])?;
    }
    publish(transaction, id, articles, &gone)
}

/// The sets of a row of `id`, `articles` and `gone`.
fn sets(row: &Row<'_>) -> Result<(RoaringBitmap, RoaringBitmap), StoreError> {
    Ok((set(row.get_ref(1)?)?, set(row.get_ref(2)?)?))
}

fn set(value: ValueRef<'_>) -> Result<RoaringBitmap, StoreError> {
    RoaringBitmap::deserialize_from(bytes(value)?).map_err(|_| damaged())
}

fn bytes(value: ValueRef<'_>) -> Result<&[u8], StoreError> {
    value.as_blob().map_err(|_| damaged())
}

fn as_bytes(set: &RoaringBitmap) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(set.serialized_size());
    set.serialize_into(&mut bytes).map_err(|_| damaged())?;
    Ok(bytes)
}

fn damaged() -> StoreError {
    StoreError::Corrupt("a segment of the search's index".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Query, Time};
    use crate::store::postings::Builder;

    fn sqlite() -> (tempfile::TempDir, Sqlite) {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = Sqlite::open(folder.path().join("x.db"), Time::UNIX_EPOCH).unwrap();
        (folder, sqlite)
    }

    fn add(sqlite: &Sqlite, article: Number, title: &str, body: &str) {
        let mut builder = Builder::default();
        builder.add(article, [title, ""], body);
        sqlite
            .write(|transaction| {
                forget(transaction, &[article].into())?;
                insert(transaction, builder.build().unwrap())
            })
            .unwrap();
    }

    fn found(sqlite: &Sqlite, words: &str, place: Place) -> Vec<Number> {
        let query = Query::parse(words).unwrap().unwrap();
        sqlite.read(|connection| with_all(connection, &query.words.iter().collect::<Vec<_>>(), place)).unwrap().iter().collect()
    }

    fn count(sqlite: &Sqlite, what: &str) -> i64 {
        sqlite.read(|connection| Ok(connection.query_row(&format!("SELECT count(*) FROM {what}"), [], |row| row.get(0))?)).unwrap()
    }

    #[test]
    fn many_segments_become_few_and_say_the_same() {
        let (_folder, sqlite) = sqlite();
        for round in 0..60 {
            add(&sqlite, round % 40, if round % 3 == 0 { "标题" } else { "x" }, &format!("n{round} 正文{}", "长".repeat(round as usize)));
            while sqlite.merge_segments(16).unwrap() {}
        }
        assert!(count(&sqlite, "segments WHERE state = 1") < 20);
        assert_eq!(count(&sqlite, "postings WHERE segment NOT IN (SELECT id FROM segments)"), 0);
        assert_eq!(found(&sqlite, "正文", Place::Anywhere), (0..40).collect::<Vec<_>>());
        let titled = |n: &Number| (if *n < 20 { n + 40 } else { *n }) % 3 == 0;
        assert_eq!(found(&sqlite, "标题", Place::Headings), (0..40).filter(titled).collect::<Vec<_>>());
        assert_eq!(found(&sqlite, "正文", Place::Headings), [0; 0]);
        assert_eq!((found(&sqlite, "n19", Place::Anywhere), found(&sqlite, "n59", Place::Anywhere)), (vec![], vec![19]));
        assert_eq!(found(&sqlite, "n3*", Place::Anywhere), (30..40).collect::<Vec<_>>());
    }

    #[test]
    fn a_merging_that_was_cut_off_leaves_all_as_it_was() {
        let (_folder, sqlite) = sqlite();
        for article in 0..16 {
            add(&sqlite, article, "x", "正文");
        }
        // What a process that died had written.
        sqlite
            .write(|transaction| {
                let id = begin(transaction)?;
                append(transaction, id, &[Block { first: Key::of("正文"), bytes: vec![0; 9] }])
            })
            .unwrap();
        let all: Vec<Number> = (0..16).collect();
        assert_eq!(found(&sqlite, "正文", Place::Anywhere), all);
        assert!(sqlite.merge_segments(16).unwrap());
        assert_eq!((count(&sqlite, "segments"), count(&sqlite, "postings")), (1, 1));
        assert_eq!(found(&sqlite, "正文", Place::Anywhere), all);
    }

    #[test]
    fn what_goes_while_segments_are_merged_is_gone_after_it() {
        let (_folder, sqlite) = sqlite();
        for article in 0..4 {
            add(&sqlite, article, "x", "正文");
        }
        let part = |id| sqlite.read(|connection| part(connection, id)).unwrap();
        let parts: Vec<Part> = (1..=4).map(part).collect();
        sqlite.write(|transaction| forget(transaction, &[2].into())).unwrap();
        let id = sqlite.write(begin).unwrap();
        sqlite.write(|transaction| replace(transaction, id, &parts)).unwrap();
        assert_eq!(sqlite.read(|connection| state(connection, id)).unwrap(), Some(2), "one of its parts went");

        let (_folder, sqlite) = self::sqlite();
        let mut builder = Builder::default();
        builder.add(1, ["x", ""], "正文");
        builder.add(2, ["x", ""], "正文");
        sqlite.write(|transaction| insert(transaction, builder.build().unwrap())).unwrap();
        let parts = vec![sqlite.read(|connection| super::part(connection, 1)).unwrap()];
        let id = sqlite.write(begin).unwrap();
        let block = sqlite.read(|connection| block_after(connection, 1, None)).unwrap().unwrap();
        sqlite.write(|transaction| append(transaction, id, &[block])).unwrap();
        sqlite.write(|transaction| forget(transaction, &[2].into())).unwrap();
        sqlite.write(|transaction| replace(transaction, id, &parts)).unwrap();
        assert_eq!(found(&sqlite, "正文", Place::Anywhere), [1]);
    }
}
