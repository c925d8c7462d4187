//! `feedmill edit`: what the owner says of a source changes, and with it its articles.

use clap::Args;
use clap::builder::BoolishValueParser;
use serde_json::json;

use super::console::Console;
use super::said::Said;
use super::{Work, now};
use crate::model::{Source, SourceKind, SourceSettings};

/// Change a source; what its articles have from it follows at once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  feedmill edit example-blog --category tech --tag daily --tag weekly
  feedmill edit example-blog --slug blog --every 1h
  feedmill edit example-blog --private no
  feedmill edit example-blog --clear tag,language")]
#[command(mut_arg("categories", |arg| arg.help("The category of articles that name none, in place of those before (repeatable)")))]
#[command(mut_arg("tags", |arg| arg.help("A tag for all its articles, in place of those before (repeatable)")))]
#[command(mut_arg("slug", |arg| arg.help("Its name in URLs; the old one redirects")))]
#[command(mut_arg("timezone", |arg| arg.help("The zone of dates that name none, such as `Asia/Shanghai`; all is read anew")))]
#[command(mut_arg("base_url", |arg| arg.help("Where relative links of a folder lead; all is read anew")))]
pub(super) struct Edit {
    /// A source's slug, URL or path
    source: String,
    #[command(flatten)]
    said: Said,
    /// Whether a feed's address is kept from others; what was found at its adding holds no more
    #[arg(long, value_name = "yes|no", value_parser = BoolishValueParser::new())]
    private: Option<bool>,
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
    Encoding,
    FullText,
}

impl Edit {
    pub(super) async fn run(self, work: &Work, console: Console) -> anyhow::Result<bool> {
        let source = work.source(&self.source).await?;
        if let Some(option) = self.said.of_feeds() {
            anyhow::ensure!(source.kind == SourceKind::Feed, "{} is no feed; {option} is for feeds", source.slug);
        }
        anyhow::ensure!(self.private.is_none() || source.kind == SourceKind::Feed, "{} is no feed; --private is for feeds", source.slug);
        let slug = self.said.slug();
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
                Setting::Encoding => settings.encoding = None,
                Setting::FullText => settings.full_text = false,
            }
        }
        settings.private = self.private.unwrap_or(settings.private);
        self.said.over(settings)
    }
}

/// A feed that is to be asked more often is due sooner, but never sooner than it may be asked.
async fn hasten(work: &Work, before: &Source, after: &Source) -> anyhow::Result<()> {
    let is_other = after.kind == SourceKind::Feed && before.settings.every != after.settings.every;
    let due = work.reader.pace.hastened(after, now()).filter(|_| is_other && after.status.failures == 0);
    if let Some(due) = due.filter(|due| after.status.due.is_some_and(|planned| planned > *due)) {
        work.store.mark_due(after.id, due).await?;
    }
    Ok(())
}
