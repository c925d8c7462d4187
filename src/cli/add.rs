//! `feedmill add`: a new source.

use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use clap::Args;
use serde_json::json;
use url::Url;

use super::console::{Console, summary};
use super::said::Said;
use super::subscriptions::{opml_file, subscribe};
use super::{Work, now};
use crate::config::proxy;
use crate::model::{Batch, Header, Host, NewSource, Slug, Source, SourceKind, SourceSettings, web_address};
use crate::poll::Outcome;
use crate::source::discover::Candidate;
use crate::source::feed::{Found, ReadError, find};
use crate::source::fetch::{Client, header};

/// How long adding waits for a host that is being asked or has its pause.
const PATIENCE: Duration = Duration::from_mins(1);

/// Add a source: a feed, a web page whose feed is found, a folder of Markdown files, or all feeds of an OPML file.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  feedmill add https://example.org/ --category news --tag daily
  feedmill add ~/articles --timezone Asia/Shanghai --language zh-CN
  feedmill add https://example.org/headlines.xml --full-text
  feedmill add https://example.org/private.xml --header X-Key:123
  feedmill add subscriptions.opml --tag imported")]
pub(super) struct Add {
    /// A feed's URL, a web page's URL, a folder, or an OPML file
    source: String,
    #[command(flatten)]
    said: Said,
    /// A proxy for this source alone, such as `socks5h://127.0.0.1:9050`
    #[arg(long, value_name = "URL", value_parser = proxy_url)]
    proxy: Option<String>,
    /// A header to ask with, such as `Authorization: Bearer …`; it makes the source private (repeatable)
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = own_header)]
    headers: Vec<Header>,
}

fn proxy_url(text: &str) -> Result<String, String> {
    proxy(text).ok_or_else(|| "it takes the URL of a proxy, http:// or socks5h://".to_owned())
}

fn own_header(text: &str) -> Result<Header, String> {
    header(text).ok_or_else(|| "it takes `Name: value`, and no header that every request has".to_owned())
}

impl Add {
    pub(super) async fn run(self, work: &Work, console: Console) -> anyhow::Result<bool> {
        let slug = self.said.slug();
        let given = Given { words: self.said.words(), is_asked_otherwise: self.proxy.is_some() || !self.headers.is_empty() };
        let asked = SourceSettings { proxy: self.proxy, headers: self.headers, ..SourceSettings::default() };
        let settings = self.said.over(asked);
        if let Some(bytes) = opml_file(&self.source) {
            let is_one = settings.title.is_some() || slug.is_some();
            anyhow::ensure!(!is_one, "{} has many feeds; --title and --slug are for one", self.source);
            return subscribe(work, &self.source, &bytes, &settings, console).await;
        }
        let spinner = console.spinner(format!("reading {}", self.source));
        let added = add(work, &self.source, slug, settings, console).await;
        spinner.finish_and_clear();
        report(work, &added?, &given, console).await
    }
}

/// What was said of a source; of one that is there already it changes nothing.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// As it is said to `edit`.
    words: String,
    /// Whether there is more, which `edit` does not take.
    is_asked_otherwise: bool,
}

impl Given {
    /// What becomes of it where a source was there already.
    fn left_out(&self, slug: &Slug) -> String {
        let mut left = String::new();
        if !self.words.is_empty() {
            left = format!("; its settings stay as they are: change them with `feedmill edit {slug} {}`", self.words);
        }
        if self.is_asked_otherwise {
            left += "; its proxy and its headers stay as they are: to change them, remove it and add it again";
        }
        left
    }
}

/// A source that was added, and how its first reading went; `None`: it was there before, or is back and was asked only
/// just now.
pub(super) struct Added {
    source: Source,
    was: Was,
    outcome: Option<Outcome>,
}

/// What a source was before it was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Was {
    Unknown,
    Removed,
    Known,
}

impl Was {
    /// By what the store says: one that is there now, and was not, and was read already, was removed.
    const fn of((source, is_new): &(Source, bool)) -> Self {
        match (is_new, source.status.first_read) {
            (false, _) => Self::Known,
            (true, None) => Self::Unknown,
            (true, Some(_)) => Self::Removed,
        }
    }

    /// What was done with it.
    const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "added",
            Self::Removed => "brought back",
            Self::Known => "read",
        }
    }
}

/// Adds a source by what it is, and reads it.
pub(super) async fn add(
    work: &Work,
    source: &str,
    slug: Option<Slug>,
    settings: SourceSettings,
    console: Console,
) -> anyhow::Result<Added> {
    match web_address(source) {
        Some(url) => add_url(work, url, slug, settings, console).await,
        None => add_folder(work, Path::new(source), slug, settings).await,
    }
}

async fn add_folder(work: &Work, path: &Path, slug: Option<Slug>, settings: SourceSettings) -> anyhow::Result<Added> {
    let Ok(folder) = path.canonicalize() else {
        anyhow::bail!("{} is neither a folder that is there nor a URL; check its spelling, or begin a URL with https://", path.display());
    };
    anyhow::ensure!(!settings.full_text, "{} is a folder, and says all itself; --full-text is for feeds", path.display());
    anyhow::ensure!(settings.encoding.is_none(), "{} is a folder, whose files are UTF-8; --encoding is for feeds", path.display());
    anyhow::ensure!(folder.is_dir(), "{} is a file; `feedmill import` reads files once, `add` takes folders and URLs", path.display());
    let location = folder.to_str().ok_or_else(|| anyhow::anyhow!("the path {} is not UTF-8; rename it", folder.display()))?;
    let title = folder.file_name().map_or_else(|| "files".to_owned(), |name| name.to_string_lossy().into_owned());
    let new = NewSource { kind: SourceKind::Folder, location: location.to_owned(), slug, title, settings };
    let added = work.store.add_source(new, now()).await?;
    let (was, source) = (Was::of(&added), added.0);
    // One that was added by a process that died with it was never read.
    let outcome = if was != Was::Known || source.status.first_read.is_none() {
        Some(work.reader.read(&work.store, source.clone(), now()).await)
    } else {
        None
    };
    Ok(Added { source, was, outcome })
}

async fn add_url(work: &Work, url: Url, slug: Option<Slug>, settings: SourceSettings, console: Console) -> anyhow::Result<Added> {
    if let Some(added) = known(work, &url, slug.as_ref(), &settings).await? {
        return Ok(added);
    }
    let client = work.reader.client_of(&work.store, now()).of(&settings)?;
    let mut leading = vec![url.clone()];
    let (feed, batch) = match look(work, &url, &client, &settings).await? {
        Found::Feed { url, batch } => (url, batch),
        Found::Page { candidates } => {
            let tried = tried(&url, &candidates, console);
            for candidate in tried {
                if let Some(added) = known(work, &candidate.url, slug.as_ref(), &settings).await? {
                    work.store.also_known(added.source.id, url.as_str()).await?;
                    return Ok(added);
                }
            }
            let (named, feed, batch) = first_feed(work, &url, tried, &client, &settings).await?;
            leading.push(named);
            (feed, batch)
        }
    };
    leading.push(feed.clone());
    // A redirect for good changes an address the third time running, of which this is the first; but there may be a source already.
    // What it is asked with is not for another host that it leads to, now and later.
    let to = batch.moved_to.as_deref().and_then(|to| Url::parse(to).ok());
    let to = to.filter(|to| !settings.has_keys(&feed) || Host::of(to) == Host::of(&feed));
    let feed = match to.clone() {
        Some(to) if work.store.source(to.as_str()).await?.is_some() || work.store.removed(to.as_str()).await?.is_some() => to,
        _ => feed,
    };
    leading.extend(to);
    let title = batch.info.as_ref().and_then(|info| info.title.clone()).unwrap_or_else(|| host_title(&feed));
    let private = is_private(&feed, &settings);
    let new =
        NewSource { kind: SourceKind::Feed, location: feed.to_string(), slug, title, settings: SourceSettings { private, ..settings } };
    let added = work.store.add_source(new, now()).await?;
    let (was, source) = (Was::of(&added), added.0);
    for url in leading.into_iter().filter(|url| *url != feed) {
        work.store.also_known(source.id, url.as_str()).await?;
    }
    let result = work.reader.apply(&work.store, &source, *batch, now()).await;
    Ok(Added { outcome: Some(Outcome { source: source.clone(), result }), was, source })
}

/// Which of a page's candidates are looked at, as it is said: what the page names is its word, and the first is taken; where it
/// names nothing others have theirs in one of several places.
fn tried<'a>(page: &Url, candidates: &'a [Candidate], console: Console) -> &'a [Candidate] {
    let names: Vec<&str> = candidates.iter().map(|candidate| candidate.url.as_str()).collect();
    if candidates.iter().all(Candidate::is_guess) {
        console.say(&format!("{page} is a web page that names no feed; the usual places are tried: {}", names.join(", ")));
        return candidates;
    }
    console.say(&format!("{page} is a web page with {} feed(s): {}; the first is taken", names.len(), names.join(", ")));
    &candidates[..1]
}

/// The first of a page's candidates that is a feed: by its own URL, where it is to be asked for, and what was read.
async fn first_feed(
    work: &Work,
    page: &Url,
    tried: &[Candidate],
    client: &Client,
    settings: &SourceSettings,
) -> anyhow::Result<(Url, Url, Box<Batch>)> {
    for candidate in tried {
        let url = &candidate.url;
        let is_elsewhere = Host::of(url) != Host::of(page);
        anyhow::ensure!(
            settings.headers.is_empty() || !is_elsewhere,
            "{page} names a feed of another host, which is not given its headers: add {url} itself"
        );
        match look(work, url, client, settings).await {
            Ok(Found::Feed { url: feed, batch }) => return Ok((url.clone(), feed, batch)),
            Ok(Found::Page { .. }) if candidate.is_guess() => {}
            Ok(Found::Page { .. }) => anyhow::bail!("what {page} names as its feed is a web page; look for the feed's own address"),
            Err(error) if candidate.is_guess() && error.downcast_ref().is_some_and(ReadError::is_no_feed) => {}
            Err(error) => return Err(error),
        }
    }
    anyhow::bail!(
        "{page} is a web page that names no feed, and none is at the usual places; look for a feed's own address there, and add that"
    )
}

/// The source that a URL leads to already. One that was removed comes back; nothing is asked that was asked just now.
async fn known(work: &Work, url: &Url, slug: Option<&Slug>, settings: &SourceSettings) -> anyhow::Result<Option<Added>> {
    if let Some(source) = work.store.source(url.as_str()).await?.filter(|source| source.kind == SourceKind::Feed) {
        let unread = Some(source.id).filter(|_| source.status.last_read.is_none()).into_iter().collect();
        let outcome = match work.store.claim_of(unread, now(), work.reader.pace.lease()).await?.pop() {
            Some(taken) => Some(work.reader.read(&work.store, taken, now()).await),
            None => None,
        };
        return Ok(Some(Added { source, was: Was::Known, outcome }));
    }
    let Some((location, asked)) = work.store.removed(url.as_str()).await? else { return Ok(None) };
    let again = asked + TimeDelta::from_std(work.reader.pace.min)?;
    if again <= now() {
        return Ok(None);
    }
    let settings = SourceSettings { private: is_private(&Url::parse(&location)?, settings), ..settings.clone() };
    let new = NewSource { kind: SourceKind::Feed, title: location.clone(), location, slug: slug.cloned(), settings };
    let (source, _) = work.store.add_source(new, now()).await?;
    let allowed = work.reader.pace.hastened(&source, now()).unwrap_or(again);
    work.store.put_off(source.id, allowed.max(again)).await?;
    Ok(Some(Added { source, was: Was::Removed, outcome: None }))
}

/// Looks what is at a URL, in its host's turn; it is read as a source with such settings.
async fn look(work: &Work, url: &Url, client: &Client, settings: &SourceSettings) -> anyhow::Result<Found> {
    let host = Host::of(url).ok_or_else(|| anyhow::anyhow!("{url} names no host"))?;
    if let Some(busy) = work.reader.take_host(&work.store, &host, PATIENCE, now()).await? {
        let when = busy.until.with_timezone(&work.config.timezone).format("%F %R");
        anyhow::ensure!(!busy.rests, "{host} is left alone until {when}, as it wishes; add it after that");
        anyhow::bail!("others of {host} are being read, until {when} at the longest; add it after that");
    }
    let zone = settings.timezone.unwrap_or(work.reader.zone);
    let found = find(url, client, settings.encoding.as_deref(), zone, now()).await;
    work.reader.leave_host(&work.store, host, found.as_ref().err().and_then(ReadError::busy_host), now()).await;
    Ok(found?)
}

/// Whether a source is its owner's own business, by how it is asked.
pub(super) fn is_private(url: &Url, settings: &SourceSettings) -> bool {
    settings.private || settings.has_keys(url)
}

/// What a feed is called that has not said its title yet.
pub(super) fn host_title(url: &Url) -> String {
    url.host_str().unwrap_or("feed").trim_start_matches("www.").to_owned()
}

/// Says what was added.
pub(super) async fn report(work: &Work, added: &Added, given: &Given, console: Console) -> anyhow::Result<bool> {
    let source = work.store.source(&added.source.location).await?.unwrap_or_else(|| added.source.clone());
    let (was, done) = (added.was, added.was.word());
    let left = if was == Was::Known { given.left_out(&source.slug) } else { String::new() };
    let mut said = json!({ "source": source.slug, "new": was != Was::Known, "back": was == Was::Removed, "ignored": !left.is_empty() });
    let Some(outcome) = &added.outcome else {
        if console.json {
            console.print_json(&said);
        }
        console.say(&match was {
            Was::Known => format!("{} is there already, as {}{left}", source.location, source.slug),
            _ => format!("{done} {} as {}{}", source.title, source.slug, next(work, &source)),
        });
        return Ok(true);
    };
    let (applied, remarks) = match &outcome.result {
        Ok(read) => read,
        Err(error) => {
            let is_there = if was == Was::Known { "is there already".to_owned() } else { format!("was {done}") };
            console.error(&format!("{} {is_there}, but cannot be read yet: {error}{left}", source.location));
            return Ok(false);
        }
    };
    console.problems(&remarks.problems);
    console.repairs(&remarks.repairs);
    if console.json {
        said["title"] = json!(source.title);
        said["applied"] = json!(applied);
        said["problems"] = json!(remarks.problems);
        console.print_json(&said);
    }
    let private = if source.settings.private { "; it is private: its address is published nowhere" } else { "" };
    console.say(&format!(
        "{done} {} ({}) as {}: {}{}{private}{left}",
        source.title,
        source.kind.name(),
        source.slug,
        summary(applied, remarks.problems.len()),
        often(work, &source)
    ));
    Ok(true)
}

/// When a feed is asked again.
fn next(work: &Work, source: &Source) -> String {
    let due = source.status.due.filter(|_| source.kind == SourceKind::Feed);
    due.map_or_else(String::new, |due| format!("; it is asked again at {}", due.with_timezone(&work.config.timezone).format("%F %R")))
}

/// When a feed that was just asked is asked again, and how often then.
fn often(work: &Work, source: &Source) -> String {
    match (source.kind, source.status.due, source.status.last_read) {
        (SourceKind::Feed, Some(due), Some(asked)) => {
            format!("{}, and about every {} from then on", next(work, source), rough(due - asked))
        }
        _ => String::new(),
    }
}

/// A duration as people say it.
fn rough(time: TimeDelta) -> String {
    match time.num_minutes() {
        minutes @ ..90 => format!("{minutes} min"),
        minutes @ 90..2880 => format!("{} h", (minutes + 30) / 60),
        minutes => format!("{} days", (minutes + 720) / 1440),
    }
}
