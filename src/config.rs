//! The configuration: read once, checked once, immutable. Flags win over `FEEDMILL_*` variables, these over the file,
//! the file over defaults; each value remembers where it came from.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use toml::de::{DeTable, DeValue};
use url::Url;

/// One key: its name, what it takes, its default as text, and what it is for.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// With its table: `poll.min`.
    pub name: &'static str,
    /// What a value looks like.
    pub takes: &'static str,
    /// As it would be written; empty: none.
    pub default: &'static str,
    /// One sentence.
    pub about: &'static str,
}

const fn key(name: &'static str, takes: &'static str, default: &'static str, about: &'static str) -> Key {
    Key { name, takes, default, about }
}

/// All keys there are.
pub const KEYS: [Key; 18] = [
    key("title", "a text", "Feedmill", "the site's name"),
    key("description", "a text", "Many feeds in; one feed per category, tag or question out", "one sentence about the site"),
    key("public_url", "an http or https URL", "", "where readers reach the site; every link is built from it"),
    key("bind", "an address and a port, such as `127.0.0.1:8080`", "127.0.0.1:8080", "where the server listens"),
    key("store", "`sqlite:` and a path", "sqlite:feedmill.db", "where articles are kept"),
    key("timezone", "an IANA time zone, such as `Asia/Shanghai`", "", "for dates that name none; the machine's by default"),
    key("cache.size", "a size, such as `32MiB`", "32MiB", "memory for published documents"),
    key("folder.rescan", "a duration, such as `2s`", "2s", "how often `serve` looks for changed files"),
    key("folder.max_file", "a size, such as `5MiB`", "5MiB", "the largest Markdown file"),
    key("folder.max_bundle_file", "a size, such as `10MiB`", "10MiB", "the largest file of a page bundle"),
    key("poll.min", "a duration, such as `15m`", "15m", "no feed is asked sooner again"),
    key("poll.every", "a duration, such as `30m`", "30m", "how often a feed is asked that names no interval"),
    key("poll.max", "a duration, such as `24h`", "24h", "no feed is left for longer"),
    key("poll.timeout", "a duration, such as `30s`", "30s", "how long one answer may take"),
    key("poll.max_body", "a size, such as `10MiB`", "10MiB", "the largest answer, decompressed"),
    key("poll.max_articles", "a whole number", "2000", "the most articles of one document"),
    key("poll.concurrency", "a whole number", "32", "how many sources are read at once"),
    key(
        "poll.allow_addresses",
        "IP addresses or networks, such as `[\"192.168.1.0/24\"]`",
        "",
        "private addresses that may be fetched from",
    ),
];

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
    /// How often a feed is asked that names no interval.
    pub poll_every: Duration,
    /// No feed is left for longer.
    pub poll_max: Duration,
    /// How long one answer may take.
    pub timeout: Duration,
    /// The largest answer, decompressed, in bytes.
    pub max_body: u64,
    /// The most articles of one document.
    pub max_articles: usize,
    /// How many sources are read at once.
    pub concurrency: usize,
    /// Private addresses that may be fetched from: IP addresses or networks.
    pub allow_addresses: Vec<String>,
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
    /// It is not TOML.
    #[error("{path}:{line}: {reason}")]
    Syntax {
        /// The file.
        path: String,
        /// From 1.
        line: usize,
        /// What the TOML reader says.
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
            let Some(name) = variable.strip_prefix("FEEDMILL_") else { continue };
            let known = KEYS.iter().find(|key| key.name.replace('.', "_").eq_ignore_ascii_case(name));
            let key = known.ok_or_else(|| unknown(&variable, &name.to_lowercase()))?;
            config.set(key, &value, &format!("the variable {variable}"))?;
        }
        for (name, value) in flags {
            let key = KEYS.iter().find(|key| key.name == *name).ok_or_else(|| unknown("a flag", name))?;
            config.set(key, value, "a flag")?;
        }
        Ok(config)
    }

    fn defaults() -> Self {
        let machine = iana_time_zone::get_timezone().ok().and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC);
        Self {
            title: KEYS[0].default.to_owned(),
            description: KEYS[1].default.to_owned(),
            public_url: None,
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            store: "sqlite:feedmill.db".to_owned(),
            timezone: machine,
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
            concurrency: 32,
            allow_addresses: Vec::new(),
            origins: BTreeMap::new(),
        }
    }

    fn read_file(&mut self, path: &str, text: &str) -> Result<(), ConfigError> {
        let line_of = |offset: usize| text[..text.floor_char_boundary(offset)].matches('\n').count() + 1;
        let table = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            line: line_of(error.span().map_or(0, |span| span.start)),
            reason: error.message().to_owned(),
        })?;
        let mut tables = vec![(String::new(), table.into_inner())];
        while let Some((prefix, table)) = tables.pop() {
            for (name, value) in table {
                let place = format!("{path}:{}", line_of(name.span().start));
                let full = format!("{prefix}{}", name.into_inner());
                let key = KEYS.iter().find(|key| key.name == full);
                match (key, value.into_inner()) {
                    (Some(key), value) => self.set(key, &as_text(&value), &place)?,
                    (None, DeValue::Table(inner)) if KEYS.iter().any(|key| key.name.starts_with(&format!("{full}."))) => {
                        tables.push((format!("{full}."), inner));
                    }
                    (None, _) => return Err(unknown(&place, &full)),
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, key: &'static Key, value: &str, place: &str) -> Result<(), ConfigError> {
        let error = || ConfigError::Value { place: place.to_owned(), name: key.name, value: value.to_owned(), takes: key.takes };
        self.assign(key.name, value.trim()).ok_or_else(error)?;
        self.origins.insert(key.name, (value.to_owned(), place.to_owned()));
        Ok(())
    }

    fn assign(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "title" => self.title = some(value)?,
            "description" => value.clone_into(&mut self.description),
            "public_url" if value.is_empty() => self.public_url = None,
            "public_url" => self.public_url = Some(public_url(value)?),
            "bind" => self.bind = value.parse().ok()?,
            "store" => self.store = some(value)?,
            "timezone" => self.timezone = value.parse().ok()?,
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
            "poll.concurrency" => self.concurrency = count(value)?,
            "poll.allow_addresses" => self.allow_addresses = networks(value)?,
            _ => return None,
        }
        Some(())
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
            let (value, origin) = match self.origins.get(key.name) {
                Some((value, origin)) => (value.clone(), origin.as_str()),
                None if key.name == "timezone" => (self.timezone.to_string(), "the machine"),
                None => (key.default.to_owned(), "default"),
            };
            let _ = writeln!(text, "{name} = {value:?}  # {origin}: {}", key.about);
        }
        text
    }
}

fn unknown(place: &str, name: &str) -> ConfigError {
    let nearest = KEYS.iter().max_by(|a, b| strsim::jaro_winkler(a.name, name).total_cmp(&strsim::jaro_winkler(b.name, name)));
    let hint = nearest
        .filter(|key| strsim::jaro_winkler(key.name, name) > 0.7)
        .map_or_else(String::new, |key| format!("; did you mean `{}`?", key.name));
    ConfigError::Unknown { place: place.to_owned(), name: name.to_owned(), hint }
}

/// A value as a variable would have it: lists with commas.
fn as_text(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(values) => values.iter().map(|value| as_text(value.get_ref())).collect::<Vec<_>>().join(","),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

fn some(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

fn count(value: &str) -> Option<usize> {
    value.parse().ok().filter(|count| *count > 0)
}

fn public_url(value: &str) -> Option<Url> {
    let url = Url::parse(value).ok()?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain).then_some(url)
}

/// Reads `90s`, `15m`, `24h`, `7d`, or `1h30m`.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let mut total = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit = match tail.chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = &tail[1..];
    }
    (total > 0 && total <= 366 * 86_400).then(|| Duration::from_secs(total))
}

/// Reads `500`, `64KiB`, `10MiB`, `1GiB`: bytes.
fn size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "kib" | "kb" | "k" => 10,
        "mib" | "mb" | "m" => 20,
        "gib" | "gb" | "g" => 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift).filter(|size| *size > 0)
}

fn networks(value: &str) -> Option<Vec<String>> {
    let mut networks = Vec::new();
    for network in value.split(',').map(str::trim).filter(|network| !network.is_empty()) {
        let (address, length) = network.split_once('/').map_or((network, None), |(address, length)| (address, Some(length)));
        let address: std::net::IpAddr = address.parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        if length.is_some_and(|length| length.parse::<u8>().map_or(true, |length| length > longest)) {
            return None;
        }
        networks.push(network.to_owned());
    }
    Some(networks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, variables: &[(&str, &str)], flags: &[(&'static str, String)]) -> Result<Config, String> {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("feedmill.toml");
        std::fs::write(&path, text).unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(None, &[path], variables, flags).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_win_over_variables_over_the_file_over_defaults() {
        let file = "title = \"File\"\ndescription = \"d\"\n[poll]\nmin = \"20m\"\nmax_articles = 5\n";
        let config =
            read(file, &[("FEEDMILL_TITLE", "Variable"), ("FEEDMILL_POLL_MIN", "25m"), ("PATH", "x")], &[("title", "Flag".into())])
                .unwrap();
        assert_eq!((config.title.as_str(), config.description.as_str()), ("Flag", "d"));
        assert_eq!((config.poll_min, config.max_articles, config.concurrency), (Duration::from_mins(25), 5, 32));
        let description = config.describe();
        for line in ["title = \"Flag\"  # a flag:", "min = \"25m\"  # the variable FEEDMILL_POLL_MIN:", "every = \"30m\"  # default:"] {
            assert!(description.contains(line), "{line} is not in {description}");
        }
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        for (text, message) in [
            ("\ntitel = \"x\"", "feedmill.toml:2: there is no key `titel`; did you mean `title`?"),
            ("[poll]\n\nmin = \"soon\"", "feedmill.toml:3: `poll.min` does not take \"soon\"; it takes a duration, such as `15m`"),
            ("[pol]\nmin = 1", "there is no key `pol`"),
            ("title = ", "feedmill.toml:1: "),
            ("public_url = \"ftp://x\"", "it takes an http or https URL"),
            ("[poll]\nallow_addresses = [\"10.0.0.0/33\"]", "`poll.allow_addresses` does not take"),
            ("[[rule]]\nadd = 1", "there is no key `rule`"),
        ] {
            let error = read(text, &[], &[]).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
        assert!(read("", &[("FEEDMILL_BND", "x")], &[]).unwrap_err().contains("did you mean `bind`?"));
    }

    #[test]
    fn every_default_is_a_value_that_its_key_takes() {
        for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
            let mut config = Config::defaults();
            assert_eq!(config.assign(key.name, key.default), Some(()), "{}", key.name);
            assert_eq!(config, Config::defaults(), "{}", key.name);
        }
    }

    #[test]
    fn durations_and_sizes_are_read_as_people_write_them() {
        assert_eq!(duration("1h30m"), Some(Duration::from_mins(90)));
        assert_eq!((duration("5"), duration(""), duration("0s"), duration("9999999999999999d")), (None, None, None, None));
        assert_eq!(
            (size("10MiB"), size("64k"), size("7"), size("x"), size("99999999999999GiB")),
            (Some(10 << 20), Some(64 << 10), Some(7), None, None)
        );
    }
}
