//! `feedmill add`: a new source.

use std::path::Path;
use std::time::Duration;

use chrono_tz::Tz;
use clap::Args;
use serde_json::json;
use url::Url;

use super::console::{Console, summary};
use super::{Work, now};
use crate::config::duration;
use crate::model::{Language, NewSource, Slug, Source, SourceKind, SourceSettings};
use crate::poll::Outcome;
use crate::source::feed::{Found, find};

/// Add a source: a feed, a web page whose feed is found, or a folder of Markdown files.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  feedmill add https://example.org/ --category news --tag daily
  feedmill add ~/articles --timezone Asia/Shanghai --language zh-CN")]
pub(super) struct Add {
    /// A feed's URL, a web page's URL, or a folder
    source: String,
    /// The category of articles that name none (repeatable)
    #[arg(long = "category", value_name = "NAME")]
    categories: Vec<String>,
    /// A tag for all its articles (repeatable)
    #[arg(long = "tag", value_name = "NAME")]
    tags: Vec<String>,
    /// Shown in place of its own title
    #[arg(long)]
    title: Option<String>,
    /// Its name in URLs
    #[arg(long)]
    slug: Option<String>,
    /// The language of articles that name none, such as `zh-CN`
    #[arg(long, value_parser = language)]
    language: Option<Language>,
    /// The zone of dates that name none, such as `Asia/Shanghai`
    #[arg(long, value_parser = zone)]
    timezone: Option<Tz>,
    /// How often to ask, such as `30m`
    #[arg(long, value_parser = interval)]
    every: Option<Duration>,
    /// Where relative links of a folder lead
    #[arg(long, value_name = "URL")]
    base_url: Option<Url>,
}

pub(super) fn language(text: &str) -> Result<Language, String> {
    Language::parse(text).ok_or_else(|| "it takes a BCP 47 language, such as `zh-CN`".to_owned())
}

pub(super) fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "it takes an IANA time zone, such as `Asia/Shanghai`".to_owned())
}

pub(super) fn interval(text: &str) -> Result<Duration, String> {
    duration(text).ok_or_else(|| "it takes a duration, such as `30m`".to_owned())
}

impl Add {
    pub(super) async fn run(self, work: &Work, console: Console) -> anyhow::Result<bool> {
        let settings = SourceSettings {
            title: self.title,
            categories: self.categories,
            tags: self.tags,
            language: self.language,
            timezone: self.timezone,
            every: self.every,
            base_url: self.base_url.map(String::from),
            encoding: None,
        };
        let spinner = console.spinner(format!("reading {}", self.source));
        let added = add(work, &self.source, self.slug.as_deref().map(Slug::from_name), settings, console).await;
        spinner.finish_and_clear();
        report(work, &added?, console).await
    }
}

/// A source that was added, and how its first reading went; `None`: it was there before.
pub(super) struct Added {
    pub(super) source: Source,
    pub(super) outcome: Option<Outcome>,
}

/// Adds a source by what it is, and reads it.
pub(super) async fn add(
    work: &Work,
    source: &str,
    slug: Option<Slug>,
    settings: SourceSettings,
    console: Console,
) -> anyhow::Result<Added> {
    match Url::parse(source).ok().filter(|url| matches!(url.scheme(), "http" | "https")) {
        Some(url) => add_url(work, url, slug, settings, console).await,
        None => add_folder(work, Path::new(source), slug, settings).await,
    }
}

async fn add_folder(work: &Work, path: &Path, slug: Option<Slug>, settings: SourceSettings) -> anyhow::Result<Added> {
    let Ok(folder) = path.canonicalize() else {
        anyhow::bail!("{} is neither a folder that is there nor a URL; check its spelling, or begin a URL with https://", path.display());
    };
    anyhow::ensure!(folder.is_dir(), "{} is a file; `feedmill import` reads files once, `add` takes folders and URLs", path.display());
    let location = folder.to_str().ok_or_else(|| anyhow::anyhow!("the path {} is not UTF-8; rename it", folder.display()))?;
    let title = folder.file_name().map_or_else(|| "files".to_owned(), |name| name.to_string_lossy().into_owned());
    let new = NewSource { kind: SourceKind::Folder, location: location.to_owned(), slug, title, settings };
    let (source, is_new) = work.store.add_source(new, now()).await?;
    // One that was added by a process that died with it was never read.
    let outcome =
        if is_new || source.status.first_read.is_none() { Some(work.reader.read(&work.store, source.clone(), now()).await) } else { None };
    Ok(Added { source, outcome })
}

async fn add_url(work: &Work, url: Url, slug: Option<Slug>, settings: SourceSettings, console: Console) -> anyhow::Result<Added> {
    if let Some(source) = work.store.source(url.as_str()).await? {
        let outcome =
            if source.status.last_read.is_none() { Some(work.reader.read(&work.store, source.clone(), now()).await) } else { None };
        return Ok(Added { source, outcome });
    }
    let mut found = find(&url, &work.reader.client, work.reader.zone, now()).await?;
    if let Found::Page { candidates } = &found {
        let Some(best) = candidates.first() else {
            anyhow::bail!("{url} is a web page that names no feed; look for a feed's own address there, and add that");
        };
        console.say(&format!("{url} names {} feed(s); the best is {}", candidates.len(), best.url));
        if let Some(source) = work.store.source(best.url.as_str()).await? {
            return Ok(Added { source, outcome: None });
        }
        found = find(&best.url, &work.reader.client, work.reader.zone, now()).await?;
    }
    let Found::Feed { url, batch } = found else {
        anyhow::bail!("what {url} names as its feed is a web page; look for the feed's own address")
    };
    let host = url.host_str().unwrap_or("feed").trim_start_matches("www.").to_owned();
    let title = batch.info.as_ref().and_then(|info| info.title.clone()).unwrap_or(host);
    let new = NewSource { kind: SourceKind::Feed, location: url.into(), slug, title, settings };
    let (source, _) = work.store.add_source(new, now()).await?;
    let result = work.reader.apply(&work.store, &source, *batch, now()).await;
    Ok(Added { outcome: Some(Outcome { source: source.clone(), result }), source })
}

/// Says what was added.
pub(super) async fn report(work: &Work, added: &Added, console: Console) -> anyhow::Result<bool> {
    let source = work.store.source(&added.source.location).await?.unwrap_or_else(|| added.source.clone());
    let Some(outcome) = &added.outcome else {
        if console.json {
            console.print_json(&json!({ "source": source.slug, "new": false }));
        }
        console.say(&format!("{} is there already, as {}", source.location, source.slug));
        return Ok(true);
    };
    let (applied, remarks) = match &outcome.result {
        Ok(done) => done,
        Err(error) => {
            console.error(&format!("{} was added, but cannot be read yet: {error}", source.location));
            return Ok(false);
        }
    };
    console.problems(&remarks.problems);
    console.repairs(&remarks.repairs);
    if console.json {
        console.print_json(
            &json!({ "source": source.slug, "title": source.title, "new": true, "applied": applied, "problems": remarks.problems }),
        );
    }
    let often = match (source.kind, source.status.due) {
        (SourceKind::Feed, Some(due)) => format!("; it is asked again at {}", due.with_timezone(&work.config.timezone).format("%F %R")),
        _ => String::new(),
    };
    console.say(&format!(
        "added {} ({}) as {}: {}{often}",
        source.title,
        source.kind.name(),
        source.slug,
        summary(applied, remarks.problems.len())
    ));
    Ok(true)
}
