//! Subscriptions of an OPML file: each becomes a source, which the poller asks in its time. Nobody is asked here.

use std::path::Path;

use anyhow::Context as _;
use chrono::TimeDelta;
use serde_json::json;

use super::add::{host_title, is_private};
use super::console::Console;
use super::{Work, now};
use crate::model::{NewSource, Problem, SourceKind, SourceSettings, Time};
use crate::source::opml::{self, Subscription};

/// New feeds become due one after the other, four a second, so that a long list does not fire at once.
const APART: TimeDelta = TimeDelta::milliseconds(250);
/// So many are added at once.
const AT_ONCE: usize = 256;

/// What became of a list.
#[derive(Debug, Default)]
struct Subscribed {
    added: usize,
    known: usize,
    refused: Vec<Problem>,
}

/// The bytes of a file that is OPML; `None`: it is something else.
pub(super) fn opml_file(path: &str) -> Option<Vec<u8>> {
    let bytes = Some(Path::new(path)).filter(|path| path.is_file()).and_then(|path| std::fs::read(path).ok())?;
    opml::is_opml(&bytes).then_some(bytes)
}

/// Adds the feeds of a list, each with `settings`, and says what became of them. `false`: some were refused.
pub(super) async fn subscribe(work: &Work, name: &str, bytes: &[u8], settings: &SourceSettings, console: Console) -> anyhow::Result<bool> {
    let list = opml::read(bytes, name).with_context(|| name.to_owned())?;
    let bar = console.bar(list.feeds.len() as u64, "adding");
    let mut done = Subscribed { refused: list.problems, ..Subscribed::default() };
    let mut feeds = list.feeds.into_iter();
    while feeds.len() > 0 {
        let (mut new, count) = (Vec::new(), feeds.len().min(AT_ONCE));
        for feed in feeds.by_ref().take(count) {
            let position = done.added + new.len();
            new.extend(checked(work, feed, settings, name, position, &mut done).await?);
        }
        let offered = new.len();
        let added = work.store.add_sources(new, now()).await?;
        done.added += added;
        // Two addresses may lead to one source.
        done.known += offered - added;
        bar.inc(count as u64);
    }
    bar.finish_and_clear();
    console.problems(&done.refused);
    if console.json {
        console.print_json(&json!({ "added": done.added, "known": done.known, "refused": done.refused }));
    }
    let refused = if done.refused.is_empty() { String::new() } else { format!(", {} refused", done.refused.len()) };
    let next = match done.added {
        0 => "",
        _ => "; they are read by `feedmill serve` as they become due, or now by `feedmill refresh`",
    };
    console.say(&format!("{name}: {} added, {} known{refused}{next}", done.added, done.known));
    Ok(done.refused.is_empty())
}

/// The source that a subscription becomes, and when it is due; `None`: it is known, or refused.
async fn checked(
    work: &Work,
    feed: Subscription,
    settings: &SourceSettings,
    name: &str,
    position: usize,
    done: &mut Subscribed,
) -> anyhow::Result<Option<(NewSource, Time)>> {
    let location = feed.url.to_string();
    if work.store.source(&location).await?.is_some_and(|source| source.kind == SourceKind::Feed) {
        done.known += 1;
        return Ok(None);
    }
    if let Err(reason) = allowed(work, &feed) {
        done.refused.push(Problem { place: name.to_owned(), line: None, reason });
        return Ok(None);
    }
    let due = due(work, &location, position).await?;
    let categories = if settings.categories.is_empty() { feed.categories } else { settings.categories.clone() };
    let private = is_private(&feed.url, settings);
    let settings = SourceSettings { title: feed.title, categories, private, ..settings.clone() };
    let new = NewSource { kind: SourceKind::Feed, location, slug: None, title: host_title(&feed.url), settings };
    Ok(Some((new, due)))
}

/// Whether a feed may be a source: none of our own, at no address that is refused anyway.
fn allowed(work: &Work, feed: &Subscription) -> Result<(), String> {
    let own = work.config.public_url.as_ref().map(|own| own.as_str().trim_end_matches('/'));
    if own.and_then(|own| feed.url.as_str().strip_prefix(own)).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?'])) {
        return Err(format!("{} is a feed of this server itself", feed.url));
    }
    work.reader.client.check(&feed.url).map_err(|error| format!("{}: {error}", feed.url))
}

/// When a new feed is due. One that was removed and asked just now has its pause first.
async fn due(work: &Work, location: &str, position: usize) -> anyhow::Result<Time> {
    let next = now() + APART * i32::try_from(position).unwrap_or(i32::MAX);
    let Some((_, asked)) = work.store.removed(location).await? else { return Ok(next) };
    Ok(next.max(asked + TimeDelta::from_std(work.reader.pace.min)?))
}
