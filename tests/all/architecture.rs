//! Who may use whom: the table of allowed imports, held against the sources themselves.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Each module and the modules of ours that it may use, itself aside.
const TABLE: [(&str, &[&str]); 9] = [
    ("cli", &["config", "model", "source", "store", "output", "poll", "web", "push"]),
    ("config", &["model"]),
    ("model", &[]),
    ("source", &["model"]),
    ("store", &["model"]),
    ("output", &["model"]),
    ("poll", &["model", "config", "source", "store"]),
    ("web", &["model", "config", "source", "store", "output"]),
    ("push", &["model", "config", "source", "store", "output"]),
];

/// Names that stay in some modules: the tokens, and the modules that may hold them.
const KEPT: [(&[&str], &[&str]); 6] = [
    (&["rusqlite"], &["store"]),
    (&["rss", "::"], &["source", "output"]),
    (&["atom_syndication"], &["source", "output"]),
    (&["Utc", "::", "now"], &["cli", "poll", "web"]),
    (&["Local", "::", "now"], &["cli", "poll", "web"]),
    (&["SystemTime", "::", "now"], &["cli", "poll", "web"]),
];

#[test]
fn every_module_uses_only_what_the_table_allows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut faults, mut seen) = (Vec::new(), BTreeSet::new());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                faults.extend(check(&inside, &fs::read_to_string(&path).unwrap()));
                seen.insert(modules(&inside).into_iter().next());
            }
        }
    }
    assert!(seen.len() > 7, "the sources were found: {seen:?}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What a file does that it must not, a line each: `output/rss.rs:3: output must not use store`.
fn check(file: &str, text: &str) -> Vec<String> {
    let path = modules(file);
    let Some(own) = path.first().cloned() else { return Vec::new() };
    let Some((_, allowed)) = TABLE.iter().find(|(module, _)| *module == own) else {
        return vec![format!("{file}:1: the module {own} is not in the table")];
    };
    let tokens = tokens(text);
    let mut faults = Vec::new();
    for (line, used) in uses(&tokens, &path) {
        if used != own && !allowed.contains(&used.as_str()) {
            faults.push(format!("{file}:{line}: {own} must not use {used}"));
        }
    }
    for (at, token) in tokens.iter().enumerate() {
        for (name, places) in KEPT {
            let is_it = name.iter().enumerate().all(|(n, part)| tokens.get(at + n).is_some_and(|token| token.text == *part));
            // `output::rss::feed` is a module of ours, `rss::Item` is not.
            let is_ours = at > 0 && tokens[at - 1].text == "::" && tokens[at.saturating_sub(2)].text != ";";
            if is_it && !(is_ours && name[0] == "rss") && !places.contains(&own.as_str()) {
                faults.push(format!("{file}:{}: {own} must not name {}", token.line, name.concat()));
            }
        }
    }
    faults
}

/// The modules that a file is, from the root; none for the roots themselves.
fn modules(file: &str) -> Vec<String> {
    let mut path: Vec<String> = file.trim_end_matches(".rs").split('/').map(ToOwned::to_owned).collect();
    if path.last().is_some_and(|last| last == "mod") || ["lib.rs", "main.rs"].contains(&file) {
        path.pop();
    }
    path
}

/// The top modules of ours that are named, with lines, following `crate`, `feedmill` and every `super`.
fn uses(tokens: &[Token], path: &[String]) -> Vec<(usize, String)> {
    let (mut found, mut braces, mut here) = (Vec::new(), Vec::new(), path.to_vec());
    let mut at = 0;
    while at < tokens.len() {
        let text = tokens[at].text.as_str();
        let follows_path = at > 0 && tokens[at - 1].text == "::";
        match text {
            "mod" if tokens.get(at + 2).is_some_and(|token| token.text == "{") => {
                here.push(tokens[at + 1].text.clone());
                braces.push(true);
                at += 2;
            }
            "{" => braces.push(false),
            "}" if braces.pop() == Some(true) => drop(here.pop()),
            "crate" | "feedmill" | "super" if !follows_path || tokens.get(at.saturating_sub(2)).is_none_or(|t| !t.is_word()) => {
                at = follow(tokens, at, &here, &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Follows one path, or tree of paths, from the module `base`; gives where it ends.
fn follow(tokens: &[Token], mut at: usize, base: &[String], found: &mut Vec<(usize, String)>) -> usize {
    let mut base = base.to_vec();
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    loop {
        match text(at) {
            "crate" | "feedmill" => base.clear(),
            "super" => drop(base.pop()),
            "{" => {
                at += 1;
                while !matches!(text(at), "}" | "") {
                    let before = at;
                    at = follow(tokens, at, &base, found);
                    at += usize::from(text(at) == "," || at == before);
                }
                return at + 1;
            }
            word if base.is_empty() => {
                let is_name = tokens.get(at).is_some_and(Token::is_word) && word != "as";
                let used = if (is_name && word != "self") || word == "*" { word } else { "crate" };
                found.push((tokens.get(at).map_or(0, |token| token.line), used.to_owned()));
                return past(tokens, at);
            }
            _ => return past(tokens, at),
        }
        if text(at + 1) != "::" {
            // `pub(crate)` names no module; `use crate as x` and `{self}` name all of them.
            if base.is_empty() && !(text(at) == "crate" && text(at + 1) == ")") {
                found.push((tokens[at].line, "crate".to_owned()));
            }
            return at + 1;
        }
        at += 2;
    }
}

/// Where a path ends whose module is known, its groups included.
fn past(tokens: &[Token], mut at: usize) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    while text(at + 1) == "::" {
        at += 2;
        if text(at) == "{" {
            let mut depth = 0;
            while at < tokens.len() {
                depth += i32::from(text(at) == "{") - i32::from(text(at) == "}");
                if depth == 0 {
                    break;
                }
                at += 1;
            }
        }
    }
    at + if text(at + 1) == "as" { 3 } else { 1 }
}

struct Token {
    text: String,
    line: usize,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
    }
}

/// The words and signs of a text, without comments, strings and characters.
fn tokens(text: &str) -> Vec<Token> {
    let without = regex::Regex::new(concat!(
        r"(?s)//[^\n]*",                                             // a comment
        r"|/\*.*?\*/",                                               // a comment in stars; ours hold no others
        r####"|\b[bc]?r##".*?"##|\b[bc]?r#".*?"#|\b[bc]?r".*?""####, // a raw string
        r####"|"(?:\\.|[^"\\])*""####,                               // a string
        r"|'(?:\\u\{[0-9A-Fa-f]+\}|\\x..|\\.|[^'\\])'",              // a character, not a lifetime
    ))
    .unwrap();
    let blank = |matched: &regex::Captures| format!(" {}", "\n".repeat(matched[0].matches('\n').count()));
    let text = without.replace_all(text, blank);
    let words = regex::Regex::new(r"\w+|::|\S").unwrap();
    let (mut line, mut end) = (1, 0);
    let mut tokens = Vec::new();
    for word in words.find_iter(&text) {
        line += text[end..word.start()].matches('\n').count();
        end = word.start();
        tokens.push(Token { text: word.as_str().to_owned(), line });
    }
    tokens
}

#[test]
fn a_forbidden_import_is_found_however_it_is_written() {
    for (file, text, expected) in [
        ("output/rss.rs", "use crate::store::Store;", "output/rss.rs:1: output must not use store"),
        ("output/rss.rs", "//! Docs.\n\nuse crate::{model, store};", "output/rss.rs:3: output must not use store"),
        (
            "output/rss.rs",
            "use crate::{\n    model::{Article, Page},\n    source::{feed::{self}, clean},\n};",
            "output/rss.rs:3: output must not use source",
        ),
        ("output/html/list.rs", "use super::super::super::store;", "output/html/list.rs:1: output must not use store"),
        ("output/html/list.rs", "fn f() { super::super::super::web::serve() }", "output/html/list.rs:1: output must not use web"),
        ("output/mod.rs", "use super::{model::Page, poll::{self}};", "output/mod.rs:1: output must not use poll"),
        ("output/mod.rs", "use super::*;", "output/mod.rs:1: output must not use *"),
        ("output/mod.rs", "mod tests {\n    use super::super::{super::output, store};\n}", "output/mod.rs:2: output must not use store"),
        ("output/mod.rs", "use crate as us;", "output/mod.rs:1: output must not use crate"),
        ("output/mod.rs", "use crate::{self as us};", "output/mod.rs:1: output must not use crate"),
        ("output/mod.rs", "use {std::io, crate::cli};", "output/mod.rs:1: output must not use cli"),
        ("output/mod.rs", "fn f(x: &crate::config::Config) {}", "output/mod.rs:1: output must not use config"),
        ("output/mod.rs", "type A = ::feedmill::store::Store;", "output/mod.rs:1: output must not use store"),
        (
            "output/mod.rs",
            "const A: &str = \"\\\"\"; use crate::store; const B: char = '\"';",
            "output/mod.rs:1: output must not use store",
        ),
        ("poll/mod.rs", "use crate::web;", "poll/mod.rs:1: poll must not use web"),
        ("web/mod.rs", "use crate::poll;", "web/mod.rs:1: web must not use poll"),
        ("config.rs", "use super::source;", "config.rs:1: config must not use source"),
        ("model/slug.rs", "use crate::config::Config;", "model/slug.rs:1: model must not use config"),
        ("misc.rs", "", "misc.rs:1: the module misc is not in the table"),
        ("web/route.rs", "fn f() -> rusqlite::Result<()> {}", "web/route.rs:1: web must not name rusqlite"),
        ("web/route.rs", "use rss::Channel;", "web/route.rs:1: web must not name rss::"),
        ("store/mod.rs", "use atom_syndication as atom;", "store/mod.rs:1: store must not name atom_syndication"),
        ("model/site.rs", "fn f() {\n    chrono::Utc::now()\n}", "model/site.rs:2: model must not name Utc::now"),
    ] {
        assert_eq!(check(file, text), [expected], "{text}");
    }
}

#[test]
fn what_the_table_allows_is_not_found_fault_with() {
    for (file, text) in [
        ("main.rs", "use crate::store; use rusqlite as r; fn main() { Utc::now(); }"),
        ("lib.rs", "pub mod store;"),
        ("cli/add.rs", "use crate::{config, store, web::{self}}; use super::console; fn f() { Utc::now(); }"),
        ("output/rss.rs", "use super::channel; use crate::model::{Article, Store}; use rss::Channel; pub(crate) fn f() {}"),
        (
            "output/rss.rs",
            "// use crate::store;\n/* crate::web */ const A: &str = \"use crate::store\"; const B: &str = r#\"crate::\"web\"#;",
        ),
        ("output/html/list.rs", "use super::super::channel; use super::super::super::model; pub(in super::super) fn f<'a>(a: &'a str) {}"),
        ("output/mod.rs", "mod tests { use super::*; } mod a { mod b { use super::super::entry; } } use self::rss::feed;"),
        ("store/sqlite/mod.rs", "use rusqlite::Connection; use crate::{model::{a, store}, store};"),
        ("web/publish.rs", "use crate::output::{self, opml}; fn f() { output::rss::feed(); super::Door; }"),
    ] {
        assert_eq!(check(file, text), Vec::<String>::new(), "{text}");
    }
}
