//! The page of the log: what failed, moved, died and recovered.

use maud::html;
use uuid::Uuid;

use super::layout::{self, Layout, feed_links, local, term_path};
use crate::model::{Format, Health, Kind, Sidebar, Site, Target};
use crate::output::health as log;

/// The page of the log of events.
#[must_use]
pub fn health(health: &Health, sidebar: &Sidebar, site: &Site, store: Uuid) -> String {
    let channel = log::channel(health, site, store);
    let paths = Format::ALL.map(|format| local(site, &Target::Health(Some(format)).path()));
    let main = html! {
        header.heading {
            div { h1 { "Health" } }
            (feed_links(&channel.title, &paths))
            p.about { (channel.description) ". How each does now stands among the " a href=(local(site, &Target::Directory(Kind::Source).path())) { "sources" } "." }
        }
        @if health.events.is_empty() { p.empty { "Nothing has happened yet: every source answers, or failed too seldom to tell." } }
        ul.directory.wide {
            @for event in &health.events {
                li id={ "event-" (event.id) } {
                    div.row { a href=(term_path(site, Kind::Source, &event.slug)) dir="auto" { (log::title(event)) } }
                    p.meta { (layout::minute(site, event.at)) }
                    p dir="auto" { (event.words) "." }
                }
            }
        }
    };
    let target = Target::Health(None);
    let layout = Layout {
        title: &channel.title,
        description: &channel.description,
        place: Some(target.path()),
        canonical: Some(site.link(&target)),
        feeds: (&channel.title, channel.own.clone()),
        menus: &sidebar.menus,
        ..Layout::of(site)
    };
    layout::page(&layout, &main)
}
