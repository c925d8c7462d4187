//! The README, held against the program: every key, parameter and command that there is, and none that there is not.

use std::process::Command;

use feedmill::config::{FEED_KEYS, KEYS};
use feedmill::model::Address;

const README: &str = include_str!("../../README.md");

/// The rows of the tables below a heading of the second level.
fn rows(heading: &str) -> impl Iterator<Item = &'static str> {
    let section = README.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
    section.lines().filter(|line| line.starts_with("| `"))
}

/// What stands in back-ticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_feedmill")).args(arguments).output().unwrap();
    assert!(output.status.success(), "feedmill {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_configuration_key_is_in_the_readme_with_its_default() {
    for key in &KEYS {
        let row = rows("Configure").find(|row| code(row).any(|name| name == key.name));
        let row = row.unwrap_or_else(|| panic!("the README does not explain `{}`", key.name));
        // A default with spaces is a sentence, which the table has no room for.
        let is_shown = key.default.is_empty() || key.default.contains(' ') || code(row).any(|value| value == key.default);
        assert!(is_shown, "the README gives `{}` another default than `{}`", key.name, key.default);
    }
}

#[test]
fn every_key_of_a_named_feed_is_in_the_readme() {
    for (key, _) in FEED_KEYS {
        assert!(README.contains(&format!("\n{key} = ")) || README.contains(&format!("`{key}`")), "{key}");
    }
}

#[test]
fn the_readme_explains_no_key_that_there_is_not() {
    for row in rows("Configure") {
        let names = row.split('|').nth(1).unwrap();
        for name in code(names) {
            assert!(KEYS.iter().any(|key| key.name == name), "there is no key `{name}`");
        }
    }
}

#[test]
fn every_parameter_of_a_list_is_in_the_readme() {
    let refusal = Address::parse("/feed.rss?nonsense=1").unwrap_err().to_string();
    let known = refusal.split_once("the parameters here are ").unwrap().1;
    let names: Vec<&str> = known.split([',', ' ']).filter(|word| !word.is_empty() && *word != "and").collect();
    assert!(names.contains(&"limit") && names.contains(&"tag"), "{refusal}");
    for name in names {
        let is_there = rows("Subscribe").any(|row| code(row.split('|').nth(1).unwrap()).any(|code| code == name));
        assert!(is_there, "the README does not explain the parameter `{name}`");
    }
}

#[test]
fn every_command_is_in_the_readme_and_helps_with_an_example() {
    let help = run(&["--help"]);
    let list = help.split_once("Commands:\n").unwrap().1.split("\n\n").next().unwrap();
    // A line that is indented deeper goes on with the description above it.
    let lines = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<&str> = lines.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    assert!(names.contains(&"serve") && names.contains(&"preview"), "{help}");
    for name in names {
        let is_there = README.contains(&format!("feedmill {name} ")) || README.contains(&format!("feedmill {name}\n"));
        assert!(is_there, "the README does not show `feedmill {name}`");
        let help = run(&[name, "--help"]);
        assert!(help.contains("Example") && help.contains(&format!("  feedmill {name}")), "`{name} --help` has no example: {help}");
    }
}
