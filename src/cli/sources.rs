//! `feedmill sources`: what there is, and how it does.

use clap::Args;
use serde_json::{Value, json};

use super::Work;
use super::console::Console;
use crate::model::private::without_user;
use crate::model::{Hints, Memory, Source, Time};

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
                (false, Some(_)) => {
                    detail(source, work, console);
                    if console.verbose {
                        manners(source, &work.store.memory(source.id).await?, work, console);
                    }
                }
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
        (Some(error), _) if source.status.is_gone() => format!("gone: {error}"),
        (Some(error), _) => format!("fails ({}x): {error}", source.status.failures),
        (None, Some(_)) => "ok".to_owned(),
        (None, None) => "not read yet".to_owned(),
    };
    format!("{}\t{}\t{} articles\t{}\t{health}", source.slug, source.kind.name(), source.status.articles, source.location)
}

fn detail(source: &Source, work: &Work, console: Console) {
    let when = |time| moment(time, work);
    let or_never = |time: Option<Time>| time.map_or_else(|| "never".to_owned(), when);
    let status = &source.status;
    print(
        console,
        &[
            ("title", source.title.clone()),
            ("kind", source.kind.name().to_owned()),
            ("location", source.location.clone()),
            ("private", if source.settings.private { "yes".to_owned() } else { String::new() }),
            ("full text", if source.settings.full_text { "yes".to_owned() } else { String::new() }),
            ("encoding", source.settings.encoding.clone().unwrap_or_default()),
            ("articles", status.articles.to_string()),
            ("categories", source.settings.categories.join(", ")),
            ("tags", source.settings.tags.join(", ")),
            ("added", when(status.created)),
            ("last read", or_never(status.last_read)),
            ("last good answer", or_never(status.last_good)),
            ("next reading", if status.is_gone() { "never: it is gone".to_owned() } else { or_never(status.next()) }),
            ("fails since", status.failing_since.map(when).unwrap_or_default()),
            ("error", status.error.clone().unwrap_or_default()),
        ],
    );
    console.problems(&status.problems);
}

/// What asking it politely goes by, and what was mended when it was last read.
fn manners(source: &Source, memory: &Memory, work: &Work, console: Console) {
    let status = &source.status;
    let when = |time: Option<Time>| time.map(|time| moment(time, work)).unwrap_or_default();
    let hidden: Vec<String> = source.settings.headers.iter().map(|header| format!("{}: …", header.name)).collect();
    print(
        console,
        &[
            ("ETag", memory.etag.clone().unwrap_or_default()),
            ("Last-Modified", memory.last_modified.clone().unwrap_or_default()),
            ("it asks for", hints(&status.hints)),
            ("not to be asked before", when(status.not_before)),
            ("its host is free", when(status.host_free)),
            ("it redirects to", status.redirect.as_ref().map(|(to, times)| format!("{to} ({times}x)")).unwrap_or_default()),
            ("proxy", source.settings.proxy.as_deref().map(|proxy| without_user(proxy).into_owned()).unwrap_or_default()),
            ("headers", hidden.join(", ")),
        ],
    );
    for repair in &status.repairs {
        console.print(&format!("mended: {repair}"));
    }
}

/// A feed's wishes in words.
fn hints(hints: &Hints) -> String {
    let hours: Vec<String> = (0..24).filter(|hour| hints.skip_hours & (1 << hour) != 0).map(|hour| hour.to_string()).collect();
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].into_iter().enumerate();
    let days: Vec<&str> = days.filter(|(day, _)| hints.skip_days & (1 << day) != 0).map(|(_, name)| name).collect();
    let interval = hints.interval.map(|interval| format!("{} min between readings", interval.as_secs() / 60));
    let hours = (!hours.is_empty()).then(|| format!("none in the hours {} (GMT)", hours.join(", ")));
    let days = (!days.is_empty()).then(|| format!("none on {} (GMT)", days.join(", ")));
    [interval, hours, days].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn moment(time: Time, work: &Work) -> String {
    time.with_timezone(&work.config.timezone).format("%F %R %Z").to_string()
}

fn print(console: Console, facts: &[(&str, String)]) {
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        console.print(&format!("{name}: {value}"));
    }
}

fn as_json(source: &Source) -> Value {
    let status = &source.status;
    // The values of headers are secrets, and so may be the user of a proxy.
    let mut settings = json!(source.settings);
    settings["headers"] = source.settings.headers.iter().map(|header| header.name.as_str()).collect();
    settings["proxy"] = json!(source.settings.proxy.as_deref().map(without_user));
    json!({
        "slug": source.slug, "kind": source.kind, "location": source.location, "title": source.title,
        "settings": settings, "articles": status.articles, "added": status.created, "last_read": status.last_read,
        "last_good": status.last_good, "due": status.due, "failures": status.failures, "failing_since": status.failing_since,
        "error": status.error, "gone": status.is_gone(), "problems": status.problems, "repairs": status.repairs, "hints": status.hints,
        "host_free": status.host_free, "not_before": status.not_before,
    })
}
