//! What whoever watches the server asks for: what it has answered since it started, and how the store is, as Prometheus text.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::StatusCode;

use super::{Door, Error};
use crate::model::Time;

/// The type of the text (Prometheus exposition format).
pub(super) const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The statuses that HTTP has: from 100 on.
const STATUSES: usize = 500;

/// What is counted while requests are answered.
#[derive(Debug)]
pub(super) struct Metrics {
    answers: [AtomicU64; STATUSES],
    made: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { answers: [const { AtomicU64::new(0) }; STATUSES], made: AtomicU64::new(0) }
    }
}

impl Metrics {
    /// Counts an answer.
    pub(super) fn answered(&self, status: StatusCode) {
        if let Some(answers) = self.answers.get(usize::from(status.as_u16()) - 100) {
            answers.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a document that was not at hand.
    pub(super) fn made(&self) {
        self.made.fetch_add(1, Ordering::Relaxed);
    }
}

/// The text, as of now.
///
/// # Errors
/// The store cannot be asked.
pub(super) async fn text(door: &Door, now: Time) -> Result<String, Error> {
    let generation = door.store.follow().await?;
    let census = door.store.census(now).await?;
    let (documents, bytes) = door.cache.size();
    let codes = (100..).zip(&door.metrics.answers).map(|(code, count)| (code, count.load(Ordering::Relaxed)));
    let answers: Vec<(String, u64)> =
        codes.filter(|(_, count)| *count > 0).map(|(code, count)| (format!("code=\"{code}\""), count)).collect();
    let states = [("good", census.good), ("failing", census.failing), ("gone", census.gone), ("unread", census.unread)];
    let states = states.map(|(state, count)| (format!("state=\"{state}\""), count));
    let version = [(concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"").to_owned(), 1)];

    let mut text = Text::default();
    text.family("feedmill_build_info", "gauge", "The version that runs.", &version);
    text.family("feedmill_http_responses_total", "counter", "Answers since the start, by status.", &answers);
    text.one(
        "feedmill_documents_made_total",
        "counter",
        "Documents that were not at hand and were made.",
        door.metrics.made.load(Ordering::Relaxed),
    );
    text.one("feedmill_cache_documents", "gauge", "Documents at hand.", documents);
    text.one("feedmill_cache_bytes", "gauge", "Memory that they take.", bytes);
    text.one("feedmill_articles", "gauge", "Public articles.", census.articles);
    text.family("feedmill_sources", "gauge", "Sources, by how they do.", &states);
    text.one("feedmill_sources_due", "gauge", "Sources that are to be asked now.", census.due);
    text.one("feedmill_source_events_total", "counter", "What failed, moved, went or came back, ever.", census.events);
    text.one("feedmill_generation", "gauge", "Rises with each change of what is published.", generation);
    text.one("feedmill_search_generation", "gauge", "The generation up to which articles are in the search.", door.store.indexed());
    text.one("feedmill_hub_subscriptions", "gauge", "Subscriptions of the hub.", census.subscriptions);
    text.one("feedmill_hub_deliveries", "gauge", "Documents that the hub has not delivered yet.", census.deliveries);
    if let Some(bytes) = resident() {
        text.one("process_resident_memory_bytes", "gauge", "Memory of the process.", bytes);
    }
    Ok(text.0)
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.family(name, kind, help, &[(String::new(), value)]);
    }

    /// Writes a metric, a line for each value with its labels.
    fn family(&mut self, name: &str, kind: &str, help: &str, samples: &[(String, u64)]) {
        // A string takes all that is written.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }
}

/// The memory of this process in bytes, where the system says it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}
