//! `feedmill rules`: what is done with articles as they come in, and with those that are there.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::console::Console;
use super::{Work, now};
use crate::model::rule::{Field, Pattern};
use crate::model::{Kind, Rule};
use crate::store::{Ruling, Verb};

/// Show the rules of the configuration, or apply them to stored articles.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  feedmill rules
  feedmill rules apply --dry-run
  feedmill rules apply")]
pub(super) struct Rules {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Action {
    /// Show them
    List,
    /// Do to stored articles what the rules say now, and take back what earlier rules did
    Apply {
        /// Only say what would change
        #[arg(long)]
        dry_run: bool,
    },
}

impl Rules {
    pub(super) async fn run(self, work: &Work, console: Console) -> anyhow::Result<bool> {
        match self.action.unwrap_or(Action::List) {
            Action::List => list(&work.config.rules, console),
            Action::Apply { dry_run } => apply(work, if dry_run { Verb::Ask } else { Verb::Apply }, console).await?,
        }
        Ok(true)
    }
}

fn list(rules: &[Rule], console: Console) {
    for rule in rules {
        if console.json {
            let conditions = |all: &[(Field, Pattern)]| -> Value {
                all.iter().map(|(field, pattern)| (field.name().to_owned(), Value::from(pattern.as_str()))).collect()
            };
            console.print_json(
                &json!({ "place": rule.place, "when": conditions(&rule.when), "when_not": conditions(&rule.when_not), "then": rule.then }),
            );
        } else {
            console.print(&format!("{}: {rule}", rule.place));
        }
    }
    if rules.is_empty() {
        console.say("there are no rules; the configuration takes them as [[rule]] tables");
    }
}

async fn apply(work: &Work, verb: Verb, console: Console) -> anyhow::Result<()> {
    let total: u64 = work.store.sources().await?.iter().map(|source| source.status.articles).sum();
    let bar = console.bar(total, "judging");
    let (mut after, mut articles, mut changed) = (None, 0, 0);
    loop {
        let judged = work.store.judge(after, verb, now()).await?;
        articles += judged.articles;
        changed += judged.rulings.len();
        bar.inc(judged.articles as u64);
        for ruling in &judged.rulings {
            match (console.json, verb) {
                (true, _) => console.print_json(&as_json(ruling)),
                (false, Verb::Ask) => bar.suspend(|| console.print(&line(ruling))),
                (false, Verb::Apply) => {}
            }
        }
        after = judged.next;
        if after.is_none() {
            break;
        }
    }
    bar.finish_and_clear();
    if console.json {
        console.print_json(&json!({ "articles": articles, "changed": changed, "applied": verb == Verb::Apply }));
    }
    let would = if verb == Verb::Ask { "would change" } else { "changed" };
    console.say(&format!("{articles} articles judged by {} rules, {changed} {would}", work.config.rules.len()));
    Ok(())
}

/// An article in one line, with what it gets and what it loses.
fn line(ruling: &Ruling) -> String {
    let signed =
        |sign: char, terms: &[(Kind, String)]| terms.iter().map(|(kind, name)| format!(" {sign}{kind}:{name}")).collect::<String>();
    let drop = match ruling.drop {
        Some(true) => " dropped",
        Some(false) => " back",
        None => "",
    };
    format!("{}  {}{}{}{drop}", ruling.key, ruling.title, signed('+', &ruling.added), signed('-', &ruling.removed))
}

fn as_json(ruling: &Ruling) -> Value {
    let terms = |terms: &[(Kind, String)]| terms.iter().map(|(kind, name)| json!({ "kind": kind, "name": name })).collect::<Value>();
    json!({
        "article": ruling.key.as_str(), "title": ruling.title, "added": terms(&ruling.added), "removed": terms(&ruling.removed),
        "drop": ruling.drop,
    })
}
