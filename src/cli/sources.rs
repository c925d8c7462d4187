//! `feedmill sources`: what there is, and how it does.

use clap::Args;
use serde_json::{Value, json};

use super::Work;
use super::console::Console;
use crate::model::{Source, Time};

/// List the sources with their health, or say all about one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  feedmill sources
  feedmill sources example-blog --verbose")]
pub(super) struct Sources {
    /// A source's slug, URL or path
    source: Option<String>,
}

impl Sources {
    pub(super) async fn run(self, work: &Work, console: Console) -> anyhow::Result<bool> {
        let sources = match &self.source {
            Some(name) => vec![work.source(name).await?],
            None => work.store.sources().await?,
        };
        for source in &sources {
            match (console.json, &self.source) {
                (true, _) => console.print_json(&as_json(source)),
                (false, None) => console.print(&line(source)),
                (false, Some(_)) => detail(source, work, console),
            }
        }
        if sources.is_empty() {
            console.say("there are no sources yet; add one: feedmill add https://example.org/");
        }
        Ok(true)
    }
}

fn line(source: &Source) -> String {
    let health = match (&source.status.error, source.status.last_good) {
        (Some(error), _) => format!("fails ({}x): {error}", source.status.failures),
        (None, Some(_)) => "ok".to_owned(),
        (None, None) => "not read yet".to_owned(),
    };
    format!("{}\t{}\t{} articles\t{}\t{health}", source.slug, source.kind.name(), source.status.articles, source.location)
}

fn detail(source: &Source, work: &Work, console: Console) {
    let when = |time: Option<Time>| {
        time.map_or_else(|| "never".to_owned(), |time| time.with_timezone(&work.config.timezone).format("%F %R %Z").to_string())
    };
    let status = &source.status;
    for (name, value) in [
        ("title", source.title.clone()),
        ("kind", source.kind.name().to_owned()),
        ("location", source.location.clone()),
        ("articles", status.articles.to_string()),
        ("categories", source.settings.categories.join(", ")),
        ("tags", source.settings.tags.join(", ")),
        ("added", when(Some(status.created))),
        ("last read", when(status.last_read)),
        ("last good answer", when(status.last_good)),
        ("next reading", when(status.due)),
        ("fails since", status.failing_since.map(|since| when(Some(since))).unwrap_or_default()),
        ("error", status.error.clone().unwrap_or_default()),
    ] {
        if !value.is_empty() {
            console.print(&format!("{name}: {value}"));
        }
    }
    console.problems(&status.problems);
}

fn as_json(source: &Source) -> Value {
    let status = &source.status;
    json!({
        "slug": source.slug, "kind": source.kind, "location": source.location, "title": source.title,
        "settings": source.settings, "articles": status.articles, "added": status.created, "last_read": status.last_read,
        "last_good": status.last_good, "due": status.due, "failures": status.failures, "failing_since": status.failing_since,
        "error": status.error, "problems": status.problems,
    })
}
