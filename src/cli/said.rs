//! What an owner may say of a source, when it is added and later.

use std::time::Duration;

use chrono_tz::Tz;
use clap::Args;
use url::Url;

use crate::config::duration;
use crate::model::{Language, Slug, SourceSettings};
use crate::source::feed::is_encoding;

/// The options that `add` and `edit` share.
#[derive(Debug, Args)]
pub(super) struct Said {
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
    /// The encoding of a feed that states a wrong one, such as `windows-1251`
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    encoding: Option<String>,
    /// Read the page of each new article of a feed for its whole text
    #[arg(long)]
    full_text: bool,
}

impl Said {
    /// Its name in URLs, if one was said.
    pub(super) fn slug(&self) -> Option<Slug> {
        self.slug.as_deref().map(Slug::from_name)
    }

    /// An option that was said and that only feeds take.
    pub(super) fn of_feeds(&self) -> Option<&'static str> {
        match (self.full_text, &self.encoding) {
            (true, _) => Some("--full-text"),
            (_, Some(_)) => Some("--encoding"),
            _ => None,
        }
    }

    /// What was said, as it is said to `edit`.
    pub(super) fn words(&self) -> String {
        let language = self.language.as_ref().map(|language| language.as_str().to_owned());
        let all = |option: &'static str, values: &[String]| values.iter().map(|value| (option, value.clone())).collect::<Vec<_>>();
        let one = |option: &'static str, value: Option<String>| value.map(|value| (option, value)).into_iter().collect();
        let said = [
            all("category", &self.categories),
            all("tag", &self.tags),
            one("title", self.title.clone()),
            one("slug", self.slug.clone()),
            one("language", language),
            one("timezone", self.timezone.map(|zone| zone.name().to_owned())),
            one("every", self.every.map(|every| format!("{}s", every.as_secs()))),
            one("encoding", self.encoding.clone()),
            one("base-url", self.base_url.as_ref().map(Url::to_string)),
        ];
        let mut words: Vec<String> = said.into_iter().flatten().map(|(option, value)| format!("--{option} {}", quoted(&value))).collect();
        words.extend(self.full_text.then(|| "--full-text".to_owned()));
        words.join(" ")
    }

    /// Settings with those changed that were named.
    pub(super) fn over(self, mut settings: SourceSettings) -> SourceSettings {
        if !self.categories.is_empty() {
            settings.categories = self.categories;
        }
        if !self.tags.is_empty() {
            settings.tags = self.tags;
        }
        settings.title = self.title.or(settings.title);
        settings.language = self.language.or(settings.language);
        settings.timezone = self.timezone.or(settings.timezone);
        settings.every = self.every.or(settings.every);
        settings.base_url = self.base_url.map(String::from).or(settings.base_url);
        settings.encoding = self.encoding.or(settings.encoding);
        settings.full_text |= self.full_text;
        settings
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |sign: char| sign.is_alphanumeric() || "-_./:@%+=".contains(sign);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

fn language(text: &str) -> Result<Language, String> {
    Language::parse(text).ok_or_else(|| "it takes a BCP 47 language, such as `zh-CN`".to_owned())
}

fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "it takes an IANA time zone, such as `Asia/Shanghai`".to_owned())
}

fn encoding(text: &str) -> Result<String, String> {
    if is_encoding(text) { Ok(text.to_owned()) } else { Err("it takes the name of an encoding, such as `windows-1251`".to_owned()) }
}

fn interval(text: &str) -> Result<Duration, String> {
    duration(text).ok_or_else(|| "it takes a duration, such as `30m`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(
            ["zz", "人工智能", "https://a.example/x", "a b", "it's", "", "a?b=$c"].map(quoted),
            ["zz", "人工智能", "https://a.example/x", "'a b'", r"'it'\''s'", "''", "'a?b=$c'"]
        );
    }
}
