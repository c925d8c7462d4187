//! Which articles a selection takes in: its names are looked up, its sets are joined in memory, and the few articles
//! that come of it are read.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};

use chrono_tz::Tz;
use roaring::RoaringBitmap;
use rusqlite::{Connection, Row};

use super::articles::Loader;
use super::digest;
use super::history::{self, Cut};
use super::listed::listed;
use super::search::{self, Hits};
use super::terms::{self, Known, TermId};
use super::translation::MAX_TRANSLATIONS;
use super::{Sqlite, StoreError, story, time};
use crate::model::{
    Entry, Format, Issue, Kind, Language, Look, Options, Page, Period, Piece, Query, Selection, Slug, Time, Tombstone, Window, Word,
};
use crate::store::Lookup;
use crate::store::sets::{Choice, Number, Sets, State, Stretch};

/// How many articles are read in full to find those that have a phrase.
const MAX_READ: usize = 2_000;

/// The terms that a selection names, each looked up once.
struct Names<'a>(HashMap<(Kind, &'a Slug), Known>);

/// A selection whose names were looked up.
#[derive(Default)]
struct Resolved {
    choice: Choice,
    described: Vec<TermId>,
    modified: Option<i64>,
    created: Option<i64>,
    store: Whole,
    stamp: String,
}

/// What the store is like as a whole.
#[derive(Default)]
struct Whole {
    generation: u64,
    modified: i64,
    settings: i64,
    created: i64,
}

/// What a page shows, by number.
#[derive(Default)]
pub(super) struct Numbers {
    pub(super) articles: Vec<Number>,
    pub(super) more: bool,
    pub(super) total: u64,
    pub(super) tombstones: Vec<Number>,
    pub(super) issues: Vec<Issue>,
    pub(super) cut: Cut,
}

impl Sqlite {
    pub(in crate::store) fn select(&self, selection: &Selection, options: &Options, window: Window) -> Result<Lookup<Page>, StoreError> {
        self.choose(selection, options, window, |chosen| listed(chosen, selection, options), entry)
    }

    /// The same, as far as it was made for a format.
    pub(in crate::store) fn pieces(
        &self,
        selection: &Selection,
        options: &Options,
        window: Window,
        format: Format,
        look: Look,
    ) -> Result<Lookup<Page<Piece>>, StoreError> {
        let piece = |loader: &mut Loader<'_>, number| loader.piece(number, format, look);
        self.choose(selection, options, window, |chosen| listed(chosen, selection, options), piece)
    }

    /// The issues of a selection's digest whose period is over, with their articles.
    pub(in crate::store) fn digest(
        &self,
        selection: &Selection,
        options: &Options,
        window: Window,
        period: Period,
        zone: Tz,
        now: Time,
    ) -> Result<Lookup<Page>, StoreError> {
        self.choose(selection, options, window, |chosen| digest::issues(chosen, options, period, zone, now).map(Some), entry)
    }

    /// What changed in a selection since a generation: an empty page if nothing did, or too much.
    pub(in crate::store) fn delta(
        &self,
        selection: &Selection,
        options: &Options,
        window: Window,
        since: u64,
    ) -> Result<Lookup<Page>, StoreError> {
        self.choose(selection, options, window, |chosen| history::delta(chosen, options, since).map(Some), entry)
    }

    /// Looks a selection's names and words up, lets `find` choose among its articles, and `load` reads these, all in one
    /// snapshot that the sets have, too. What `find` does not find is missing.
    fn choose<E>(
        &self,
        selection: &Selection,
        options: &Options,
        window: Window,
        find: impl Fn(&Chosen<'_>) -> Result<Option<Numbers>, StoreError>,
        load: impl Fn(&mut Loader<'_>, i64) -> Result<E, StoreError>,
    ) -> Result<Lookup<Page<E>>, StoreError> {
        let window = Stretch {
            since: window.since.map_or(i64::MIN, |since| since.timestamp()),
            before: window.until.map_or(Stretch::default().before, |until| (until.timestamp(), 0)),
        };
        loop {
            let done = self.read(|connection| {
                let names = Names::of(connection, selection)?;
                if let Some(moved) = names.moved(selection) {
                    return Ok(Some(Lookup::Moved(moved)));
                }
                if selection.single().and_then(|(kind, slug)| names.get(kind, slug)).is_some_and(|known| known.is_deleted) {
                    return Ok(Some(Lookup::Gone));
                }
                let resolved = resolve(connection, &names, selection)?;
                let sources = if options.per_source.is_some() { source_terms(connection)? } else { Vec::new() };
                let choice = &resolved.choice;
                let needed: Vec<i64> = choice.terms().chain(sources.iter().copied()).collect();
                let numbers = self.with_sets(connection, &needed, |sets| {
                    let ever = sets.chosen(choice, State::Public);
                    let set = sets.within(Cow::Borrowed(&ever), window);
                    let words = selection.words.as_ref().filter(|words| words.words.iter().any(Word::needs_text));
                    let created = resolved.store.created;
                    find(&Chosen {
                        connection,
                        sets,
                        choice,
                        ever: &ever,
                        window,
                        set: &set,
                        words,
                        read: Cell::default(),
                        sources: &sources,
                        created,
                    })
                })?;
                Ok(match numbers {
                    None => None,
                    Some(None) => Some(Lookup::Missing),
                    Some(Some(numbers)) => Some(Lookup::Found(page(connection, resolved, numbers, &load)?)),
                })
            })?;
            if let Some(done) = done {
                return Ok(done);
            }
        }
    }

    pub(in crate::store) fn stamp(&self, selection: &Selection) -> Result<String, StoreError> {
        self.read(|connection| Ok(Names::of(connection, selection)?.stamp(selection, &Whole::of(connection)?)))
    }
}

/// The articles of a selection, as a set.
pub(super) struct Chosen<'a> {
    pub(super) connection: &'a Connection,
    pub(super) sets: &'a Sets,
    pub(super) choice: &'a Choice,
    /// Its members of all times: who speaks for a story does not change when a window moves.
    ever: &'a RoaringBitmap,
    window: Stretch,
    pub(super) set: &'a RoaringBitmap,
    /// Words of which the set has the pieces: the text must have them whole.
    words: Option<&'a Query>,
    /// How many texts were read for that.
    read: Cell<usize>,
    /// The terms of all sources, where each counts for itself.
    pub(super) sources: &'a [TermId],
    /// When the store was made.
    pub(super) created: i64,
}

impl Chosen<'_> {
    /// The members that were withdrawn.
    pub(super) fn withdrawn(&self) -> Cow<'_, RoaringBitmap> {
        self.sets.within(self.sets.chosen(self.choice, State::Withdrawn), self.window)
    }

    /// The newest of some of them in a stretch, a story and, with `prefer`, its translations once.
    pub(super) fn newest(&self, set: &RoaringBitmap, stretch: Stretch, limit: usize, options: &Options) -> Result<Vec<Number>, StoreError> {
        self.sets.newest(set, stretch, limit, |number| self.is_shown(number, &options.prefer))
    }

    /// Whether an article stands for itself: its text has the words, and no article that speaks for it is in the selection.
    pub(super) fn is_shown(&self, number: Number, prefer: &[Language]) -> Result<bool, StoreError> {
        if let Some(words) = self.words {
            self.read.update(|read| read + 1);
            if self.read.get() > MAX_READ || !search::fits(self.connection, words, number)? {
                return Ok(false);
            }
        }
        self.is_told_once(number, prefer)
    }

    pub(super) fn is_told_once(&self, number: Number, prefer: &[Language]) -> Result<bool, StoreError> {
        let is_in = |number| self.ever.contains(number);
        let is_spoken_for = self.sets.is_in_story(number) && story::is_spoken_for(self.connection, number, is_in)?;
        Ok(!is_spoken_for && (prefer.is_empty() || self.is_preferred(number, prefer)?))
    }

    /// Whether of the translations of each other in the selection this one is to be shown: the first in the order of
    /// languages; where none has one of these, the first stored.
    fn is_preferred(&self, number: Number, prefer: &[Language]) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT o.id, o.language FROM articles a JOIN articles o INDEXED BY articles_by_translation
                ON o.source = a.source AND o.translation_key = a.translation_key AND o.gone = 0
             WHERE a.id = ?1 ORDER BY o.id LIMIT ?2",
        )?;
        let rows =
            statement.query_map((number, MAX_TRANSLATIONS), |row| Ok((row.get::<_, Number>(0)?, row.get::<_, Option<String>>(1)?)))?;
        let mut best = (usize::MAX, number);
        for row in rows {
            let (other, language) = row?;
            let language = language.as_deref().and_then(Language::parse);
            let rank = prefer.iter().position(|range| language.as_ref().is_some_and(|language| language.is_in(range)));
            if self.set.contains(other) {
                best = best.min((rank.unwrap_or(usize::MAX), other));
            }
        }
        Ok(best.1 == number)
    }
}

impl<'a> Names<'a> {
    fn of(connection: &Connection, selection: &'a Selection) -> Result<Self, StoreError> {
        let mut known = HashMap::new();
        for (kind, slug) in selection.terms() {
            known.extend(terms::find(connection, kind, slug)?.map(|term| ((kind, slug), term)));
        }
        Ok(Self(known))
    }

    fn get(&self, kind: Kind, slug: &'a Slug) -> Option<&Known> {
        self.0.get(&(kind, slug))
    }

    /// The selection that is meant, where a name of it is an alias.
    fn moved(&self, selection: &'a Selection) -> Option<Selection> {
        let is_moved = self.0.iter().any(|((_, slug), known)| known.slug != **slug);
        is_moved.then(|| selection.renamed(|kind, slug| self.get(kind, slug).map_or(slug, |known| &known.slug).clone()))
    }

    /// What the terms that are asked for are like, and what those are called that may not hold; without terms that are asked
    /// for what the store is like.
    fn stamp(&self, selection: &'a Selection, store: &Whole) -> String {
        let Whole { generation, settings, .. } = store;
        let asked = || selection.clauses().flat_map(|(kind, clauses)| clauses.any.iter().flatten().map(move |slug| (kind, slug)));
        if asked().next().is_none() {
            return format!("{settings} {generation}");
        }
        let known = asked().filter_map(|(kind, slug)| self.get(kind, slug));
        let terms = known.map(|Known { id, generation, modified, .. }| format!(" {id}:{generation}:{modified}"));
        // News of an excluded term are none of the selection's, but it is told by that term's name.
        let excluded = selection.clauses().flat_map(|(kind, clauses)| clauses.none.iter().map(move |slug| (kind, slug)));
        let excluded = excluded.filter_map(|(kind, slug)| self.get(kind, slug));
        let named = excluded.map(|Known { slug, name, is_deleted, .. }| format!(" -{slug}:{is_deleted}:{name}"));
        settings.to_string() + &terms.chain(named).collect::<String>()
    }
}

impl Whole {
    fn of(connection: &Connection) -> Result<Self, StoreError> {
        let mut statement = connection.prepare_cached("SELECT generation, modified, settings_modified, created FROM store")?;
        let whole =
            |row: &Row<'_>| Ok(Self { generation: row.get(0)?, modified: row.get(1)?, settings: row.get(2)?, created: row.get(3)? });
        Ok(statement.query_row([], whole)?)
    }
}

fn source_terms(connection: &Connection) -> Result<Vec<TermId>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT term FROM sources WHERE removed IS NULL")?;
    let terms = statement.query_map([], |row| row.get(0))?;
    Ok(terms.collect::<Result<_, _>>()?)
}

fn entry(loader: &mut Loader<'_>, number: i64) -> Result<Entry, StoreError> {
    loader.entry(number)
}

fn page<E>(
    connection: &Connection,
    resolved: Resolved,
    numbers: Numbers,
    load: impl Fn(&mut Loader<'_>, i64) -> Result<E, StoreError>,
) -> Result<Page<E>, StoreError> {
    let mut loader = Loader::new(connection);
    let entries = numbers.articles.iter().map(|number| load(&mut loader, i64::from(*number))).collect::<Result<Vec<E>, _>>()?;
    let tombstones = numbers.tombstones.iter().map(|number| history::tombstone(connection, *number));
    let tombstones = tombstones.collect::<Result<Vec<Tombstone>, _>>()?;
    let mut terms = Vec::new();
    for id in &resolved.described {
        terms.extend(terms::described(connection, *id)?);
    }
    Ok(Page {
        entries,
        more: numbers.more,
        total: numbers.total,
        tombstones,
        issues: numbers.issues,
        history: numbers.cut.named(connection)?,
        terms,
        modified: time(resolved.modified.unwrap_or(resolved.store.modified).max(resolved.store.settings)),
        created: time(resolved.created.unwrap_or(resolved.store.created)),
        stamp: resolved.stamp,
    })
}

fn resolve<'a>(connection: &Connection, names: &Names<'a>, selection: &'a Selection) -> Result<Resolved, StoreError> {
    let store = Whole::of(connection)?;
    let mut resolved = Resolved { stamp: names.stamp(selection, &store), store, ..Resolved::default() };
    for (kind, clauses) in selection.clauses() {
        for set in &clauses.any {
            let terms = resolved.look_up(names, kind, set);
            resolved.choice.any.push(terms);
        }
        let excluded = resolved.look_up(names, kind, &clauses.none);
        resolved.choice.none.extend(excluded);
    }
    if resolved.choice.any.is_empty() {
        resolved.modified = None; // any news may be in it
    }
    if let Some(words) = &selection.words {
        let Hits { found, excluded } = search::hits(connection, words)?;
        (resolved.choice.hits, resolved.choice.misses) = (found, excluded);
    }
    Ok(resolved)
}

impl Resolved {
    /// The terms of some slugs; a name that is not there matches nothing.
    fn look_up<'a>(&mut self, names: &Names<'a>, kind: Kind, slugs: &'a BTreeSet<Slug>) -> Vec<TermId> {
        let all = || slugs.iter().filter_map(|slug| names.get(kind, slug));
        let known = || all().filter(|known| !known.is_deleted);
        let ids: Vec<_> = known().map(|known| known.id).collect();
        self.described.extend(&ids);
        self.modified = self.modified.max(all().map(|known| known.modified).max());
        self.created = self.created.max(known().map(|known| known.created).max());
        ids
    }
}
