//! What stands in a list, by number: the newest of a selection, those that fit its words best, or a part of its archive.

use std::borrow::Cow;

use super::StoreError;
use super::articles::find as find_article;
use super::history::{self, Cut};
use super::search;
use super::select::{Chosen, Numbers};
use crate::model::{Options, Query, Selection, Sort};
use crate::store::sets::{Choice, Number, State, Stretch};

/// The newest articles, or those of a part of the archive; `None`: there is no such part.
pub(super) fn listed(chosen: &Chosen<'_>, selection: &Selection, options: &Options) -> Result<Option<Numbers>, StoreError> {
    match &options.archive {
        Some(archive) => history::archive(chosen, options, archive),
        None => newest(chosen, selection, options).map(Some),
    }
}

fn newest(chosen: &Chosen<'_>, selection: &Selection, options: &Options) -> Result<Numbers, StoreError> {
    let limit = usize::from(options.limit);
    let stretch = stretch(chosen, options)?;
    let (set, words) = (chosen.set, selection.words.as_ref());
    let mut articles = match (options.sort, options.per_source, words) {
        (Sort::Rank, _, Some(words)) => best(chosen, options, words, stretch)?,
        (_, Some(each), _) => newest_of_each(chosen, options, stretch, each)?,
        _ => chosen.newest(set, stretch, limit + 1, options)?,
    };
    let more = articles.len() > limit && options.per_source.is_none();
    articles.truncate(limit);
    let mut numbers = Numbers { articles, more, total: chosen.sets.within(Cow::Borrowed(set), stretch).len(), ..Numbers::default() };
    let has_history = options.before.is_none() && options.per_source.is_none() && words.is_none() && !selection.is_relative();
    if has_history {
        let withdrawn = chosen.withdrawn();
        numbers.tombstones = history::tombstones(chosen, &withdrawn, limit)?;
        numbers.cut = if more { history::current(chosen, &withdrawn) } else { Cut::Complete };
    }
    Ok(numbers)
}

/// What is older than the last article of the page before.
fn stretch(chosen: &Chosen<'_>, options: &Options) -> Result<Stretch, StoreError> {
    let mut stretch = Stretch::default();
    if let Some(key) = options.before.as_ref().filter(|_| options.sort == Sort::Newest) {
        // What is older than nothing is nothing.
        let place = find_article(chosen.connection, key)?.map_or((i64::MIN, 0), |(id, _)| chosen.sets.place(id));
        stretch.before = place;
    }
    Ok(stretch)
}

/// Those that fit the words best, after a cursor.
fn best(chosen: &Chosen<'_>, options: &Options, words: &Query, stretch: Stretch) -> Result<Vec<Number>, StoreError> {
    let is_in = |number: &Number| stretch.holds(chosen.sets.place(*number));
    let ranked: Vec<Number> = search::ranked(chosen.connection, words, chosen.set)?.into_iter().filter(is_in).collect();
    let cursor = options.before.as_ref().map(|key| find_article(chosen.connection, key)).transpose()?.flatten();
    let start = cursor.map_or(0, |(id, _)| ranked.iter().position(|number| *number == id).map_or(ranked.len(), |at| at + 1));
    let mut best = Vec::new();
    for number in ranked.into_iter().skip(start) {
        if best.len() > usize::from(options.limit) {
            break;
        }
        if chosen.is_told_once(number, &options.prefer)? {
            best.push(number);
        }
    }
    Ok(best)
}

/// The newest of each source, merged.
fn newest_of_each(chosen: &Chosen<'_>, options: &Options, stretch: Stretch, each: u16) -> Result<Vec<Number>, StoreError> {
    let mut merged = Vec::new();
    for source in chosen.sources {
        let own = Choice { any: vec![vec![*source]], ..Choice::default() };
        let own = &*chosen.sets.chosen(&own, State::Public) & chosen.set;
        merged.extend(chosen.newest(&own, stretch, usize::from(each), options)?);
    }
    merged.sort_unstable_by_key(|number| std::cmp::Reverse(chosen.sets.place(*number)));
    Ok(merged)
}
