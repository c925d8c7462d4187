//! The configuration: read once, checked once, immutable. Flags win over `FEEDMILL_*` variables, these over the file,
//! the file over defaults; each value remembers where it came from. It does no I/O but reading that file.

mod feeds;
mod keys;
mod rules;
mod values;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use toml::de::{DeTable, DeValue};
use url::Url;

use crate::model::{NamedFeed, Network, Rule, is_web};
pub use feeds::FEED_KEYS;
pub use keys::{KEYS, Key};
use values::{bind, count, machine_zone, nearest, networks, pause, public_url, size, some, store, switch};
pub use values::{duration, proxy};

/// The values in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The site's name.
    pub title: String,
    /// One sentence about it.
    pub description: String,
    /// Where readers reach it.
    pub public_url: Option<Url>,
    /// Where the server listens.
    pub bind: SocketAddr,
    /// Where articles are kept.
    pub store: String,
    /// For dates that name none.
    pub timezone: Tz,
    /// Whether the language of an article is found out where nobody states it.
    pub detect_languages: bool,
    /// What is done with articles as they come in.
    pub rules: Vec<Rule>,
    /// Memory for published documents, in bytes.
    pub cache_size: u64,
    /// How often `serve` looks for changed files.
    pub rescan: Duration,
    /// The largest Markdown file, in bytes.
    pub max_file: u64,
    /// The largest file of a page bundle, in bytes.
    pub max_bundle_file: u64,
    /// No feed is asked sooner again.
    pub poll_min: Duration,
    /// How often a feed is asked whose posts have no dates.
    pub poll_every: Duration,
    /// No feed is left for longer.
    pub poll_max: Duration,
    /// Threads that answer requests; as many as there are cores by default.
    pub workers: Option<usize>,
    /// How long one answer may take.
    pub timeout: Duration,
    /// The largest answer, decompressed, in bytes.
    pub max_body: u64,
    /// The most articles of one document.
    pub max_articles: usize,
    /// How many redirects are followed for one answer.
    pub max_redirects: usize,
    /// How many sources are read at once.
    pub concurrency: usize,
    /// The pause between two requests to one host.
    pub spacing: Duration,
    /// What feeds are asked through.
    pub proxy: Option<String>,
    /// Private addresses that may be fetched from.
    pub allow_addresses: Vec<Network>,
    /// Selections with a name of their own.
    pub feeds: Vec<NamedFeed>,
    /// How many subscriptions our hub keeps; none: there is no hub.
    pub max_subscriptions: usize,
    /// Another hub that feeds name in place of our own.
    pub external_hub: Option<Url>,
    origins: BTreeMap<&'static str, (String, String)>,
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path:?}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// It is not TOML, or does not make sense.
    #[error("{place}: {reason}")]
    Syntax {
        /// A file and a line.
        place: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// There is no such key.
    #[error("{place}: there is no key `{name}`{hint}")]
    Unknown {
        /// A file and line, or a variable.
        place: String,
        /// As written.
        name: String,
        /// The nearest one that there is.
        hint: String,
    },
    /// A key does not take this value.
    #[error("{place}: `{name}` does not take {value:?}; it takes {takes}")]
    Value {
        /// A file and line, a variable, or a flag.
        place: String,
        /// The key.
        name: &'static str,
        /// As written.
        value: String,
        /// What it takes.
        takes: &'static str,
    },
    /// Two values that do not go together.
    #[error("`poll.min` ({min}) is longer than `poll.max` ({max}); make the one shorter or the other longer")]
    Bounds {
        /// As written, with where it came from.
        min: String,
        /// As written, with where it came from.
        max: String,
    },
}

impl Config {
    /// Reads the configuration: the file at `path` (an error if it is not there), else the first that is there of
    /// `places`; then `FEEDMILL_*` among `variables`; then `flags`, by key.
    ///
    /// # Errors
    /// The file cannot be read, or a key or a value is not understood.
    pub fn read(
        path: Option<&Path>,
        places: &[PathBuf],
        variables: impl IntoIterator<Item = (String, String)>,
        flags: &[(&'static str, String)],
    ) -> Result<Self, ConfigError> {
        let mut config = Self::defaults();
        if let Some(path) = path.or_else(|| places.iter().map(PathBuf::as_path).find(|place| place.is_file())) {
            let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::Read { path: path.to_owned(), cause })?;
            config.read_file(&path.display().to_string(), &text)?;
        }
        for (variable, value) in variables {
            let Some(name) = variable.strip_prefix("FEEDMILL_").filter(|name| !is_of_others(name)) else { continue };
            let known = KEYS.iter().find(|key| key.name.replace('.', "_").eq_ignore_ascii_case(name));
            let key = known.ok_or_else(|| unknown(&variable, &name.to_lowercase()))?;
            config.set(key, &value, &format!("the variable {variable}"))?;
        }
        for (name, value) in flags {
            let key = KEYS.iter().find(|key| key.name == *name).ok_or_else(|| unknown("a flag", name))?;
            config.set(key, value, "a flag")?;
        }
        if config.poll_min > config.poll_max {
            let said = |name| config.said(name).map_or_else(String::new, |(value, origin)| format!("{value}, {origin}"));
            return Err(ConfigError::Bounds { min: said("poll.min"), max: said("poll.max") });
        }
        Ok(config)
    }

    fn defaults() -> Self {
        Self {
            title: KEYS[0].default.to_owned(),
            description: KEYS[1].default.to_owned(),
            public_url: None,
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            store: "sqlite:feedmill.db".to_owned(),
            timezone: machine_zone(),
            detect_languages: true,
            rules: Vec::new(),
            cache_size: 32 << 20,
            rescan: Duration::from_secs(2),
            max_file: 5 << 20,
            max_bundle_file: 10 << 20,
            poll_min: Duration::from_mins(15),
            poll_every: Duration::from_mins(30),
            poll_max: Duration::from_hours(24),
            timeout: Duration::from_secs(30),
            max_body: 10 << 20,
            max_articles: 2_000,
            max_redirects: 5,
            workers: None,
            concurrency: 32,
            spacing: Duration::from_secs(2),
            proxy: None,
            allow_addresses: Vec::new(),
            feeds: Vec::new(),
            max_subscriptions: 10_000,
            external_hub: None,
            origins: BTreeMap::new(),
        }
    }

    fn read_file(&mut self, path: &str, text: &str) -> Result<(), ConfigError> {
        let place_of = |offset: usize| format!("{path}:{}", text[..text.floor_char_boundary(offset)].matches('\n').count() + 1);
        let table = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
            place: place_of(error.span().map_or(0, |span| span.start)),
            reason: error.message().to_owned(),
        })?;
        let mut tables = vec![(String::new(), table.into_inner())];
        while let Some((prefix, table)) = tables.pop() {
            for (name, value) in table {
                let place = place_of(name.span().start);
                let full = format!("{prefix}{}", name.into_inner());
                match (full.as_str(), KEYS.iter().find(|key| key.name == full)) {
                    ("rule", _) => self.rules = rules::read(&value, &place_of)?,
                    ("feed", _) => self.feeds = feeds::read(&value, &place_of)?,
                    (_, Some(key)) => {
                        let value = value.get_ref();
                        let text = as_text(key, value).ok_or_else(|| refused(key, value.type_str(), &place))?;
                        self.set(key, &text, &place)?;
                    }
                    (_, None) => match value.into_inner() {
                        DeValue::Table(inner) if KEYS.iter().any(|key| key.name.starts_with(&format!("{full}."))) => {
                            tables.push((format!("{full}."), inner));
                        }
                        _ => return Err(unknown(&place, &full)),
                    },
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, key: &'static Key, value: &str, place: &str) -> Result<(), ConfigError> {
        self.assign(key.name, value.trim()).ok_or_else(|| refused(key, value, place))?;
        self.origins.insert(key.name, (value.to_owned(), place.to_owned()));
        Ok(())
    }

    fn assign(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "title" => self.title = some(value)?,
            "description" => value.clone_into(&mut self.description),
            "public_url" if value.is_empty() => self.public_url = None,
            "public_url" => self.public_url = Some(public_url(value)?),
            "bind" => self.bind = bind(value)?,
            "store" => self.store = store(value)?,
            "timezone" => self.timezone = value.parse().ok()?,
            "detect_languages" => self.detect_languages = switch(value)?,
            "cache.size" => self.cache_size = size(value)?,
            "folder.rescan" => self.rescan = duration(value)?,
            "folder.max_file" => self.max_file = size(value)?,
            "folder.max_bundle_file" => self.max_bundle_file = size(value)?,
            "poll.min" => self.poll_min = duration(value)?,
            "poll.every" => self.poll_every = duration(value)?,
            "poll.max" => self.poll_max = duration(value)?,
            "poll.timeout" => self.timeout = duration(value)?,
            "poll.max_body" => self.max_body = size(value)?,
            "poll.max_articles" => self.max_articles = count(value)?,
            // None is a number of redirects, too.
            "poll.max_redirects" => self.max_redirects = value.parse().ok()?,
            "workers" if value.is_empty() => self.workers = None,
            "workers" => self.workers = Some(count(value)?),
            "poll.concurrency" => self.concurrency = count(value)?,
            "poll.spacing" => self.spacing = pause(value)?,
            "poll.proxy" if value.is_empty() => self.proxy = None,
            "poll.proxy" => self.proxy = Some(proxy(value)?),
            "hub.max_subscriptions" => self.max_subscriptions = value.parse().ok()?,
            "hub.external" if value.is_empty() => self.external_hub = None,
            "hub.external" => self.external_hub = Some(Url::parse(value).ok().filter(is_web)?),
            "poll.allow_addresses" => self.allow_addresses = networks(value)?,
            _ => return None,
        }
        Some(())
    }

    /// The hub that feeds name: another one, or our own at `own`; only where readers elsewhere reach us.
    #[must_use]
    pub fn hub(&self, own: String) -> Option<String> {
        let external = self.external_hub.as_ref().map(Url::to_string);
        self.public_url.as_ref()?;
        external.or((self.max_subscriptions > 0).then_some(own))
    }

    /// The values in force as a configuration file, each with where it came from.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = String::new();
        let mut table = "";
        for key in &KEYS {
            let (prefix, name) = key.name.split_once('.').unwrap_or(("", key.name));
            if prefix != table {
                table = prefix;
                let _ = writeln!(text, "\n[{table}]");
            }
            if let Some((value, origin)) = self.said(key.name) {
                let _ = writeln!(text, "{name} = {}  # {origin}: {}", toml::Value::String(value), key.about);
            }
        }
        text + &feeds::describe(&self.feeds) + &self.rules.iter().map(rules::describe).collect::<String>()
    }

    /// A key's value as it was written, and where it came from.
    fn said(&self, name: &str) -> Option<(String, &str)> {
        if let Some((value, origin)) = self.origins.get(name) {
            return Some((value.clone(), origin));
        }
        let key = KEYS.iter().find(|key| key.name == name)?;
        Some(if name == "timezone" { (self.timezone.to_string(), "the machine") } else { (key.default.to_owned(), "default") })
    }
}

fn refused(key: &'static Key, value: &str, place: &str) -> ConfigError {
    ConfigError::Value { place: place.to_owned(), name: key.name, value: value.to_owned(), takes: key.takes }
}

/// The log reads its own variable; orchestrators set others for a service that is called feedmill.
fn is_of_others(name: &str) -> bool {
    name == "LOG" || name.starts_with("SERVICE_") || name.starts_with("PORT")
}

fn unknown(place: &str, name: &str) -> ConfigError {
    let hint = nearest(KEYS.iter().map(|key| key.name).chain(["rule", "feed"]), name);
    ConfigError::Unknown { place: place.to_owned(), name: name.to_owned(), hint }
}

/// A value as a variable would have it: lists, where the key takes one, with commas. A table is no value.
fn as_text(key: &Key, value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(value) => Some(value.to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Array(values) if key.is_list() => {
            let texts: Option<Vec<_>> = values.iter().map(|value| value.get_ref().as_str().map(str::to_owned)).collect();
            texts.map(|texts| texts.join(","))
        }
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

#[cfg(test)]
mod tests;
