//! `feedmill tag` and `feedmill category`: names are put in order.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::console::Console;
use super::{Work, now};
use crate::model::{Kind, Slug, Term, is_web};
use crate::store::{Store, StoreError, TermRow, TermWords};

#[derive(Debug, Args)]
pub(super) struct Taxonomy {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List them with their counts and other names, the largest first
    List,
    /// Show another name; where it folds to another slug, the old URLs redirect
    Rename {
        #[arg(value_parser = name)]
        name: String,
        #[arg(value_parser = name)]
        new: String,
    },
    /// Make several one: the last named has the articles of all, and the URLs of the others redirect to it
    Merge {
        /// Those that go
        #[arg(required = true)]
        from: Vec<String>,
        /// The one that stays
        into: String,
    },
    /// Take it from all articles, also from those to come
    Delete { name: String },
    /// Bring a deleted one back, to all its articles
    Restore { name: String },
    /// Let another spelling lead to it
    Alias {
        name: String,
        #[arg(value_parser = name)]
        spelling: String,
    },
    /// Give it another name in URLs; the old URLs redirect
    Slug {
        name: String,
        #[arg(value_parser = name)]
        slug: String,
    },
    /// Give it a title, a description, a picture; an empty text takes one away
    Describe {
        name: String,
        /// The title of its page and feeds
        #[arg(long)]
        title: Option<String>,
        /// What it is about
        #[arg(long)]
        description: Option<String>,
        /// The URL of a picture
        #[arg(long, value_name = "URL", value_parser = picture)]
        picture: Option<String>,
    },
}

/// A name that is one.
pub(super) fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() { Err("it takes a name".to_owned()) } else { Ok(name.to_owned()) }
}

fn picture(text: &str) -> Result<String, String> {
    let is_url = url::Url::parse(text).is_ok_and(|url| is_web(&url));
    if is_url || text.is_empty() { Ok(text.to_owned()) } else { Err("it takes an http or https URL".to_owned()) }
}

impl Taxonomy {
    pub(super) async fn run(self, kind: Kind, work: &Work, console: Console) -> anyhow::Result<bool> {
        let store = &work.store;
        if matches!(self.action, Action::List) {
            list(kind, &store.taxonomy(kind).await?, console);
            return Ok(true);
        }
        let spinner = console.spinner(format!("changing {}", kind.plural()));
        let result = self.action.run(kind, store).await;
        spinner.finish_and_clear();
        let Some((term, changed, done)) = result? else { return Ok(true) };
        if console.json {
            let mut value = as_json(&term);
            value["changed"] = changed.into();
            console.print_json(&value);
        }
        console.say(&format!("{done} {kind} {} ({}): {} articles, {changed} changed", term.name.name, term.name.slug, term.articles));
        Ok(true)
    }
}

impl Action {
    /// The term, how many articles changed, and what was done; `None`: nothing.
    async fn run(self, kind: Kind, store: &Store) -> Result<Option<(Term, usize, &'static str)>, StoreError> {
        let (term, changed, done) = match self {
            Self::List => return Ok(None),
            Self::Rename { name, new } => said(store.rename_term(kind, &name, &new, now()).await, "renamed")?,
            Self::Slug { name, slug } => said(store.move_term(kind, &name, Slug::from_name(&slug), now()).await, "moved")?,
            Self::Merge { from, into } => said(store.merge_terms(kind, from, &into, now()).await, "merged")?,
            Self::Delete { name } => said(store.delete_term(kind, &name, now()).await, "deleted")?,
            Self::Restore { name } => said(store.restore_term(kind, &name, now()).await, "restored")?,
            Self::Alias { name, spelling } => (store.alias_term(kind, &name, &spelling, now()).await?, 0, "noted another spelling of"),
            Self::Describe { name, title, description, picture } => {
                let words = TermWords { title, description, picture };
                (store.describe_term(kind, &name, words, now()).await?, 0, "described")
            }
        };
        Ok(Some((term, changed, done)))
    }
}

fn said(result: Result<(Term, usize), StoreError>, done: &'static str) -> Result<(Term, usize, &'static str), StoreError> {
    result.map(|(term, changed)| (term, changed, done))
}

fn list(kind: Kind, rows: &[TermRow], console: Console) {
    for TermRow { term, aliases, is_deleted } in rows {
        if console.json {
            let mut value = as_json(term);
            value["aliases"] = json!(aliases);
            value["deleted"] = json!(is_deleted);
            console.print_json(&value);
            continue;
        }
        let aliases = if aliases.is_empty() { String::new() } else { format!("\talso {}", aliases.join(", ")) };
        let deleted = if *is_deleted { "\tdeleted" } else { "" };
        console.print(&format!("{}\t{}\t{} articles{aliases}{deleted}", term.name.slug, term.name.name, term.articles));
    }
    if rows.is_empty() {
        console.say(&format!("there are no {} yet; articles bring them", kind.plural()));
    }
}

fn as_json(term: &Term) -> Value {
    json!({
        "kind": term.name.kind, "slug": term.name.slug, "name": term.name.name, "articles": term.articles,
        "title": term.title, "description": term.description, "picture": term.picture,
    })
}
