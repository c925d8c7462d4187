//! `feedmill edit`: what the owner says of a source changes, and with it its articles.

use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use clap::Args;
use serde_json::json;
use url::Url;

use super::add::{interval, language, zone};
use super::console::Console;
use super::{Work, now};
use crate::model::{Language, Slug, Source, SourceKind, SourceSettings};

/// Change a source; what its articles have from it follows at once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  feedmill edit example-blog --category tech --tag daily --tag weekly
  feedmill edit example-blog --slug blog --every 1h
  feedmill edit example-blog --clear tag,language")]
pub(super) struct Edit {
    /// A source's slug, URL or path
    source: String,
    /// The category of articles that name none, in place of those before (repeatable)
    #[arg(long = "category", value_name = "NAME")]
    categories: Vec<String>,
    /// A tag for all its articles, in place of those before (repeatable)
    #[arg(long = "tag", value_name = "NAME")]
    tags: Vec<String>,
    /// Shown in place of its own title
    #[arg(long)]
    title: Option<String>,
    /// Its name in URLs; the old one redirects
    #[arg(long)]
    slug: Option<String>,
    /// The language of articles that name none, such as `zh-CN`
    #[arg(long, value_parser = language)]
    language: Option<Language>,
    /// The zone of dates that name none, such as `Asia/Shanghai`; all is read anew
    #[arg(long, value_parser = zone)]
    timezone: Option<Tz>,
    /// How often to ask, such as `30m`
    #[arg(long, value_parser = interval)]
    every: Option<Duration>,
    /// Where relative links of a folder lead; all is read anew
    #[arg(long, value_name = "URL")]
    base_url: Option<Url>,
    /// Take back what was said before of these
    #[arg(long, value_name = "SETTING", value_delimiter = ',')]
    clear: Vec<Setting>,
}

/// What can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Setting {
    Category,
    Tag,
    Title,
    Language,
    Timezone,
    Every,
    BaseUrl,
}

impl Edit {
    pub(super) async fn run(self, work: &Work, console: Console) -> anyhow::Result<bool> {
        let source = work.source(&self.source).await?;
        let slug = self.slug.as_deref().map(Slug::from_name);
        let settings = self.settings(source.settings.clone());
        let spinner = console.spinner(format!("changing {}", source.slug));
        let edited = work.store.edit_source(source.id, settings, slug, now()).await;
        spinner.finish_and_clear();
        let (after, changed) = edited?;
        hasten(work, &source, &after).await?;
        if console.json {
            console.print_json(&json!({ "source": after.slug, "title": after.title, "settings": after.settings, "changed": changed }));
        }
        console.say(&format!("changed {} ({}): {changed} of its articles changed", after.title, after.slug));
        Ok(true)
    }

    /// The settings with those changed that were named.
    fn settings(self, mut settings: SourceSettings) -> SourceSettings {
        for setting in self.clear {
            match setting {
                Setting::Category => settings.categories.clear(),
                Setting::Tag => settings.tags.clear(),
                Setting::Title => settings.title = None,
                Setting::Language => settings.language = None,
                Setting::Timezone => settings.timezone = None,
                Setting::Every => settings.every = None,
                Setting::BaseUrl => settings.base_url = None,
            }
        }
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
        settings
    }
}

/// A feed that is to be asked more often is due sooner, but never sooner than it may be asked.
async fn hasten(work: &Work, before: &Source, after: &Source) -> anyhow::Result<()> {
    let Some(read) = after.status.last_read.filter(|_| after.kind == SourceKind::Feed && before.settings.every != after.settings.every)
    else {
        return Ok(());
    };
    let pace = &work.reader.pace;
    let every = after.settings.every.unwrap_or(pace.every).clamp(pace.min, pace.max);
    let due = (read + TimeDelta::from_std(every)?).max(now());
    if after.status.due.is_some_and(|planned| planned > due) && after.status.failures == 0 {
        work.store.mark_due(after.id, due).await?;
    }
    Ok(())
}
