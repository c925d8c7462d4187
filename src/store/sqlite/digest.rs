//! The issues of a digest: the closed days or weeks of a selection, each with what it listed.

use chrono_tz::Tz;

use super::select::{Chosen, Numbers};
use super::{StoreError, time};
use crate::model::{Issue, Options, Period, Time};
use crate::store::sets::{Number, Stretch};

/// The most articles that an issue names.
const MAX_ARTICLES: usize = 200;
/// The most that all issues of a document name; the oldest go.
const MAX_IN_ALL: usize = 2_000;

/// The newest issues whose period was over at a time. An issue names what was discovered while its period lasted, so that
/// old articles that are found later do not change it.
pub(super) fn issues(chosen: &Chosen<'_>, options: &Options, period: Period, zone: Tz, now: Time) -> Result<Numbers, StoreError> {
    let mut numbers = Numbers::default();
    let mut end = period.containing(now, zone).0;
    while numbers.issues.len() < usize::from(options.limit) && numbers.articles.len() < MAX_IN_ALL {
        let before = Stretch { before: (end.timestamp(), 0), ..Stretch::default() };
        let Some(last) = chosen.newest(chosen.set, before, 1, options)?.pop() else { break };
        let (since, until) = period.containing(time(chosen.sets.place(last).0), zone);
        // Nothing was discovered before there was a store, however old the articles are that it began with.
        if until.timestamp() <= chosen.created {
            break;
        }
        let stretch = Stretch { since: since.timestamp(), before: (until.timestamp(), 0) };
        let articles = chosen.sets.newest(chosen.set, stretch, MAX_ARTICLES + 1, |number| {
            Ok::<_, StoreError>(was_discovered(chosen, number, until)? && chosen.is_shown(number, &options.prefer)?)
        })?;
        if !articles.is_empty() {
            numbers.issues.push(Issue { since, until, articles: articles.len().min(MAX_ARTICLES), more: articles.len() > MAX_ARTICLES });
            numbers.articles.extend(articles.into_iter().take(MAX_ARTICLES));
        }
        end = since;
    }
    Ok(numbers)
}

fn was_discovered(chosen: &Chosen<'_>, number: Number, before: Time) -> Result<bool, StoreError> {
    let mut statement = chosen.connection.prepare_cached("SELECT discovered < ?2 FROM articles WHERE id = ?1")?;
    Ok(statement.query_row((number, before.timestamp()), |row| row.get(0))?)
}
