//! The fields of front matter, each with its meaning here.

use chrono_tz::Tz;
use url::Url;

use super::dates;
use super::front_matter::{Fault, Pair, Value};
use crate::model::{Language, MenuEntry, PageOptions, Person, Picture, SidebarSide, Time, Widget, is_web, text};

/// What stands below these counts as if it stood at the top: Hugo's own fields, and Zola's terms and fields.
const BELOW: [&str; 3] = ["params", "taxonomies", "extra"];

/// Front matter that can be asked by name.
pub(super) struct Fields {
    pairs: Vec<Pair>,
}

impl Fields {
    pub(super) fn new(mut pairs: Vec<Pair>) -> Self {
        for below in BELOW {
            let at = pairs.iter().position(|pair| pair.key == below && matches!(pair.value, Value::Map(_)));
            if let Some(at) = at
                && let Value::Map(inner) = pairs.remove(at).value
            {
                pairs.extend(inner);
            }
        }
        Self { pairs }
    }

    fn pair(&self, name: &str) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.key == name && pair.value != Value::Empty)
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.pair(name).map(|pair| &pair.value)
    }

    /// The first of some fields that is a text with something in it.
    pub(super) fn text(&self, names: &[&str]) -> Option<&str> {
        names.iter().filter_map(|name| self.value(name)).find_map(as_text)
    }

    /// A list, or one text as a list of one; what is empty is passed over, and what lists in it hold stands in it.
    pub(super) fn list(&self, names: &[&str]) -> Vec<String> {
        let list = names.iter().find_map(|name| self.value(name)).map(items).unwrap_or_default();
        list.into_iter().filter_map(as_text).map(text::line).collect()
    }

    /// A switch: `true`, `yes`, `on`, `1` and their opposites.
    pub(super) fn switch(&self, name: &str) -> Option<bool> {
        match self.text(&[name])?.to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        }
    }

    /// A date; Jekyll's `published: false` is a switch.
    pub(super) fn date(&self, names: &[&str], zone: Tz) -> Result<Option<Time>, Fault> {
        let dates = names.iter().filter(|name| **name != "published" || self.switch(name).is_none());
        let written = dates.filter_map(|name| self.pair(name)).find_map(|pair| Some((pair, as_text(&pair.value)?)));
        let Some((pair, written)) = written else { return Ok(None) };
        match dates::parse(written, zone, self.languages(&["lang", "language"]).first()) {
            // Hugo's zero date means that there is none.
            Some(date) if date.timestamp() < -62_000_000_000 => Ok(None),
            Some(date) => Ok(Some(date)),
            None => Err(Fault {
                line: pair.line,
                reason: format!(
                    "`{}: {written}` is not a date; write it as `2025-02-12 09:30:02` or `2025-02-12T09:30:02+08:00`",
                    pair.key
                ),
            }),
        }
    }

    /// Languages, the main one first.
    pub(super) fn languages(&self, names: &[&str]) -> Vec<Language> {
        let mut languages: Vec<Language> = Vec::new();
        for language in self.list(names).iter().filter_map(|name| Language::parse(name)) {
            if !languages.contains(&language) {
                languages.push(language);
            }
        }
        languages
    }

    /// An absolute web address.
    pub(super) fn link(&self) -> Option<String> {
        let names = ["link", "canonical", "source", "url"];
        names.iter().filter_map(|name| self.value(name)).filter_map(as_text).find_map(web_url)
    }

    /// The comments' own page, where `comments` is an address.
    pub(super) fn comments(&self) -> Option<String> {
        self.text(&["comments"]).and_then(web_url)
    }

    /// The address of the picture, as written.
    pub(super) fn thumbnail(&self) -> Option<&str> {
        ["thumbnail", "images", "image", "cover", "featured_image"].iter().filter_map(|name| self.value(name)).find_map(picture)
    }

    pub(super) fn authors(&self) -> Vec<Person> {
        let people = ["authors", "author"].iter().find_map(|name| self.value(name)).map(items).unwrap_or_default();
        people.into_iter().filter_map(person).collect()
    }

    pub(super) fn page(&self) -> PageOptions {
        let usual = PageOptions::default();
        let switch = |name, usual| self.switch(name).unwrap_or(usual);
        PageOptions {
            menus: self.menus(),
            comments: switch("comments", usual.comments),
            authorbox: switch("authorbox", usual.authorbox),
            pager: switch("pager", usual.pager),
            toc: switch("toc", usual.toc),
            mathjax: switch("mathjax", usual.mathjax),
            sidebar: match self.text(&["sidebar"]) {
                Some("left") => SidebarSide::Left,
                Some("false" | "none" | "no") => SidebarSide::None,
                _ => SidebarSide::Right,
            },
            widgets: self.value("widgets").map(|_| self.list(&["widgets"]).iter().filter_map(|name| widget(name)).collect()),
        }
    }

    /// `menu` is a name, a list of names, or a map from names to what the entry says.
    fn menus(&self) -> Vec<MenuEntry> {
        let entry = |menu: &str| MenuEntry { menu: menu.to_owned(), ..MenuEntry::default() };
        match ["menu", "menus"].iter().find_map(|name| self.value(name)) {
            Some(Value::Map(pairs)) => pairs.iter().map(|pair| menu_entry(entry(&pair.key), &pair.value)).collect(),
            Some(value) => items(value).into_iter().filter_map(as_text).map(entry).collect(),
            None => Vec::new(),
        }
    }
}

fn menu_entry(mut entry: MenuEntry, value: &Value) -> MenuEntry {
    entry.name = field(value, "name").or_else(|| field(value, "title")).map(text::line);
    entry.weight = field(value, "weight").and_then(|weight| weight.parse().ok()).unwrap_or_default();
    entry
}

fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// The values of a list and of the lists in it, as Hexo nests categories.
fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::List(values) => values.iter().flat_map(items).collect(),
        value => vec![value],
    }
}

fn field<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    match value {
        Value::Map(pairs) => pairs.iter().find(|pair| pair.key == name).and_then(|pair| as_text(&pair.value)),
        _ => None,
    }
}

fn picture(value: &Value) -> Option<&str> {
    match value {
        Value::List(values) => values.iter().find_map(|value| as_text(value).or_else(|| field(value, "src"))),
        value => as_text(value).or_else(|| ["src", "image", "url", "path"].iter().find_map(|name| field(value, name))),
    }
}

fn person(value: &Value) -> Option<Person> {
    let name = as_text(value).or_else(|| field(value, "name"))?;
    let uri = field(value, "url").or_else(|| field(value, "uri")).and_then(web_url);
    Some(Person { name: text::line(name), uri, email: field(value, "email").map(str::to_owned) })
}

fn widget(name: &str) -> Option<Widget> {
    match name {
        "search" => Some(Widget::Search),
        "recent" => Some(Widget::Recent),
        "taglist" | "tags" => Some(Widget::Taglist),
        "categories" => Some(Widget::Categories),
        "languages" => Some(Widget::Languages),
        _ => None,
    }
}

/// An absolute web address in its usual spelling; `None` for anything else.
pub(super) fn web_url(text: &str) -> Option<String> {
    Url::parse(text).ok().filter(|url| is_web(url) && url.has_host()).map(String::from)
}

/// A picture of an absolute address or a placeholder of ours.
pub(super) fn as_picture(url: String) -> Picture {
    Picture { url, width: None, height: None }
}
