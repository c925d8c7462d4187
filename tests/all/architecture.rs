//! The table of allowed imports, held against the sources.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Which of our modules each may use. `cli` joins them all, and `main` and `lib` name them.
const ALLOWED: [(&str, &[&str]); 9] = [
    ("model", &[]),
    ("config", &["model"]),
    ("crew", &[]),
    ("source", &["model", "crew"]),
    ("store", &["model", "crew"]),
    ("output", &["model"]),
    ("poll", &["model", "config", "source", "store"]),
    ("web", &["model", "config", "crew", "source", "store", "output"]),
    ("push", &["model", "config", "source", "store", "output"]),
];

/// Names that stand in some modules alone, and why.
const CONFINED: [(&str, &[&str], &str); 4] = [
    ("rusqlite", &["store"], "the database is the store's secret"),
    ("rss", &["output"], "vendor feed types stay at the edge"),
    ("atom_syndication", &["output"], "vendor feed types stay at the edge"),
    ("anyhow", &["cli"], "modules have error enums of their own"),
];

/// The edges, which alone may read the clock; everybody else is given `now`.
const EDGES: [&str; 4] = ["cli", "poll", "push", "web"];

/// The imports of a file that its module may not have: line and module.
fn forbidden(module: &str, source: &str) -> Vec<(usize, String)> {
    let code = without_comments_and_strings(source);
    let ours: Vec<&str> = ALLOWED.iter().map(|(name, _)| *name).chain(["cli"]).collect();
    let allowed = ALLOWED.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
    let mut found = Vec::new();
    for (line, path) in paths(&code) {
        let segments: Vec<&str> = path.split("::").collect();
        let first_of_ours = match segments.as_slice() {
            ["crate" | "feedmill", name, ..] => Some(*name),
            // A chain of `super` that leads to the root of the crate and on to a sibling.
            ["super", rest @ ..] => {
                rest.iter().find(|segment| **segment != "super").copied().filter(|name| ours.contains(name) && *name != module)
            }
            _ => None,
        };
        if let Some(name) = first_of_ours
            && ours.contains(&name)
            && name != module
            && allowed.is_some_and(|allowed| !allowed.contains(&name))
        {
            found.push((line, name.to_owned()));
        }
        if matches!(segments.as_slice(), [.., "Utc" | "Local" | "SystemTime", "now"]) && !EDGES.contains(&module) {
            found.push((line, "the clock".to_owned()));
        }
        for (name, modules, _) in CONFINED {
            if segments.first() == Some(&name) && !modules.contains(&module) {
                found.push((line, name.to_owned()));
            }
        }
    }
    found
}

/// Every path in the code with its line; what stands in braces is joined with what stands before them.
fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut line = 1;
    // The prefix that each open brace stands behind; a block of code has none.
    let mut open: Vec<String> = Vec::new();
    let mut path = String::new();
    for c in code.chars() {
        match c {
            c if c.is_alphanumeric() || c == '_' || c == ':' => path.push(c),
            '{' => {
                let prefix =
                    if path.ends_with("::") { format!("{}{path}", open.last().cloned().unwrap_or_default()) } else { String::new() };
                open.push(prefix);
                path.clear();
            }
            c => {
                if path.contains("::") || open.last().is_some_and(|prefix| !prefix.is_empty() && !path.is_empty()) {
                    let prefix = open.last().cloned().unwrap_or_default();
                    found.push((line, format!("{prefix}{path}").trim_matches(':').to_owned()));
                }
                path.clear();
                if c == '}' {
                    open.pop();
                }
                if c == '\n' {
                    line += 1;
                }
            }
        }
    }
    found
}

/// The code alone, with its lines where they were.
fn without_comments_and_strings(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(hashes) = raw_string(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = hashes + 2;
            rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len())
        } else if c == '"' {
            string(rest)
        } else if rest.starts_with("'\\\"'") {
            4
        } else if rest.starts_with("'\"'") || rest.starts_with("'{'") || rest.starts_with("'}'") {
            3
        } else {
            0
        };
        if skipped == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            code.push(' ');
            rest = &rest[skipped..];
        }
    }
    code.push('\n');
    code
}

fn raw_string(rest: &str) -> Option<usize> {
    let hashes = rest.strip_prefix('r')?.chars().take_while(|c| *c == '#').count();
    rest[1 + hashes..].starts_with('"').then_some(hashes)
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_module_uses_only_what_the_table_allows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 40, "the sources are read");
    let mut complaints = String::new();
    for file in files {
        let inside = file.strip_prefix(&root).unwrap();
        let module = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        if matches!(module, "main" | "lib") {
            continue;
        }
        for (line, name) in forbidden(module, &std::fs::read_to_string(&file).unwrap()) {
            let _ = writeln!(complaints, "src/{}:{line}: `{module}` may not use `{name}`", inside.display());
        }
    }
    assert!(complaints.is_empty(), "\n{complaints}");
}

#[test]
fn a_forbidden_import_is_found_in_every_spelling() {
    for (module, source) in [
        ("output", "use crate::store::Store;"),
        ("output", "use crate::{model::Site, store};"),
        ("output", "use crate::{\n    model::{Page, Site},\n    store::{Lookup, Store},\n};"),
        ("output", "fn a() -> crate::store::Store { b() }"),
        ("output", "use super::super::store::Store;"),
        ("output", "use feedmill::store;"),
        ("model", "use crate::config::Config;"),
        ("store", "use crate::source::clean;"),
        ("web", "use crate::poll::Reader;"),
        ("web", "use crate::push::Messenger;"),
        ("push", "use crate::web::Door;"),
        ("poll", "use crate::output;"),
        ("web", "use rusqlite::Connection;"),
        ("store", "fn a() -> anyhow::Result<()> { Ok(()) }"),
        ("store", "fn a() { let now = chrono::Utc::now(); }"),
        ("output", "fn a() -> bool { '\\\"' == b() }\nuse crate::store;\nconst A: &str = \"\";"),
    ] {
        assert!(!forbidden(module, source).is_empty(), "{module}: {source}");
    }
}

#[test]
fn what_is_allowed_or_only_spoken_of_is_no_import() {
    for (module, source) in [
        ("web", "use crate::output::{self, html};"),
        ("output", "//! Unlike crate::store, it is pure.\nconst A: &str = \"crate::store\";\nconst B: &str = r#\"crate::store\"#;"),
        ("output", "use super::store_page;\nuse super::entry as parts;"),
        ("store", "use rusqlite::{Connection, Row};\nuse crate::store::decide;"),
        ("web", "fn a() -> Time { Utc::now() }"),
        ("cli", "use anyhow::Context as _;\nuse crate::web::Door;"),
    ] {
        assert_eq!(forbidden(module, source), [], "{module}: {source}");
    }
}
