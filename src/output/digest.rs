//! A digest: one item for each closed day or week, that lists its articles.

use std::sync::Arc;

use maud::{Markup, html};

use super::channel::Channel;
use super::entry as parts;
use crate::model::{Article, ArticleKey, Entry, Format, Issue, Moment, Origin, Page, Period, Selection, Site, Slug, Target, identity};

/// The page of a digest: its issues as entries, in place of the articles that they list.
#[must_use]
pub fn digest(page: Page, period: Period, selection: &Selection, channel: &Channel, site: &Site) -> Page {
    let mut articles = page.entries.iter();
    let mut entries = Vec::new();
    for issue in &page.issues {
        let listed: Vec<&Entry> = articles.by_ref().take(issue.articles).collect();
        entries.push(item(issue, &listed, period, selection, channel, site));
    }
    Page { entries, more: false, ..page }
}

fn item(issue: &Issue, articles: &[&Entry], period: Period, selection: &Selection, channel: &Channel, site: &Site) -> Entry {
    let name = format!("{} {}", period.name(), issue.since.with_timezone(&site.zone).format("%F"));
    let whole = if issue.more { "more than " } else { "" };
    let plural = if articles.len() == 1 { "article" } else { "articles" };
    let title = format!("{}: {whole}{} {plural}", stretch(issue, period, site), articles.len());
    Entry {
        key: ArticleKey::new(&Slug::from_name(&channel.id), &name),
        id: identity::item_id(&channel.id, &name),
        link: Some(site.link(&Target::page(&of_issue(issue, selection)))),
        article: Article { title: Some(title), content: Some(list(articles, site).into_string()), ..Article::default() },
        source: Arc::new(Origin {
            slug: Slug::from_name(&channel.id),
            title: channel.title.clone(),
            feed: Some(channel.url(Format::Atom).to_owned()),
            home: Some(channel.page.clone()),
            id: Some(channel.id.clone()),
            authors: Vec::new(),
            rights: None,
            icon: None,
        }),
        terms: Vec::new(),
        translations: Vec::new(),
        related: Vec::new(),
        listed: issue.until,
        published: issue.until,
        updated: issue.until,
        changed: issue.until,
        generation: articles.iter().map(|entry| entry.generation).max().unwrap_or_default(),
    }
}

/// The days of an issue, for people.
fn stretch(issue: &Issue, period: Period, site: &Site) -> String {
    let first = issue.since.with_timezone(&site.zone).date_naive();
    match period {
        Period::Daily => first.to_string(),
        Period::Weekly => format!("{first} to {}", first + chrono::Days::new(6)),
    }
}

/// The selection of what an issue lists, as a page. A named feed and one with bounds of its own have none that is narrower.
fn of_issue(issue: &Issue, selection: &Selection) -> Selection {
    let is_free = selection.name.is_none() && selection.since.is_none() && selection.until.is_none();
    if !is_free {
        return selection.clone();
    }
    let mut narrowed = selection.clone();
    (narrowed.since, narrowed.until) = (Some(Moment::At(issue.since)), Some(Moment::At(issue.until)));
    narrowed
}

fn list(articles: &[&Entry], site: &Site) -> Markup {
    html! {
        ul {
            @for entry in articles {
                li { a href=(parts::link(entry, site)) { (parts::title_or_start(entry)) } " (" (entry.source.title) ")" }
            }
        }
    }
}
