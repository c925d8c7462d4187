//! The configuration, read from files, variables and flags.

use super::*;

fn read(text: &str, variables: &[(&str, &str)], flags: &[(&'static str, String)]) -> Result<Config, String> {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("feedmill.toml");
    std::fs::write(&path, text).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::read(None, &[path], variables, flags).map_err(|error| error.to_string())
}

#[test]
fn flags_win_over_variables_over_the_file_over_defaults() {
    let file = "title = \"File\"\ndescription = \"d\"\n[poll]\nmin = \"20m\"\nmax_articles = 5\n";
    let config =
        read(file, &[("FEEDMILL_TITLE", "Variable"), ("FEEDMILL_POLL_MIN", "25m"), ("PATH", "x")], &[("title", "Flag".into())]).unwrap();
    assert_eq!((config.title.as_str(), config.description.as_str()), ("Flag", "d"));
    assert_eq!((config.poll_min, config.max_articles, config.concurrency), (Duration::from_mins(25), 5, 32));
    let description = config.describe();
    for line in ["title = \"Flag\"  # a flag:", "min = \"25m\"  # the variable FEEDMILL_POLL_MIN:", "every = \"30m\"  # default:"] {
        assert!(description.contains(line), "{line} is not in {description}");
    }
}

#[test]
fn a_mistake_is_named_with_its_line() {
    for (text, message) in [
        ("\ntitel = \"x\"", "feedmill.toml:2: there is no key `titel`; did you mean `title`?"),
        ("[poll]\n\nmin = \"soon\"", "feedmill.toml:3: `poll.min` does not take \"soon\"; it takes a duration, such as `15m`"),
        ("[pol]\nmin = 1", "there is no key `pol`"),
        ("title = ", "feedmill.toml:1: "),
        ("public_url = \"ftp://x\"", "it takes an http or https URL"),
        ("[poll]\nallow_addresses = [\"10.0.0.0/33\"]", "`poll.allow_addresses` does not take"),
        ("[[rules]]\nadd = 1", "feedmill.toml:1: there is no key `rules`; did you mean `rule`?"),
        ("[rule]\nadd_tags = ['x']", "feedmill.toml:1: a rule stands below `[[rule]]`"),
        (
            "[[rule]]\nwhen = { title = 'x' }\nadd_tag = ['x']",
            "feedmill.toml:3: there is no key `rule.add_tag`; did you mean `rule.add_tags`?",
        ),
        ("[[rule]]\nwhen = { titel = 'x' }", "feedmill.toml:2: there is no key `rule.when.titel`; did you mean `rule.when.title`?"),
        ("[[rule]]\nwhen.tag = 'x'\nwhen.title = '(x'", "feedmill.toml:3: \"(x\" is no regular expression: unclosed group"),
        ("title = 'a'\n\n[[rule]]\nadd_tags = ['x']", "feedmill.toml:3: the rule has no condition"),
        ("[[rule]]\nwhen = { title = 'x' }", "feedmill.toml:1: the rule does nothing"),
        ("[[rule]]\nwhen = 'x'", "feedmill.toml:2: `when` takes fields with regular expressions"),
        ("[[rule]]\nadd_tags = [1]", "feedmill.toml:2: `add_tags` takes a list of names"),
        ("[[rule]]\nset_language = '中文'", "feedmill.toml:2: `set_language` takes a BCP 47 language"),
        ("[[rule]]\ndrop = 1", "feedmill.toml:2: `drop` takes true or false"),
        ("detect_languages = 'perhaps'", "`detect_languages` does not take \"perhaps\"; it takes true or false"),
        ("[title]\nx = 1", "`title` does not take \"table\"; it takes a text"),
        ("description = [\"a\", \"b\"]", "`description` does not take \"array\""),
        ("store = \"postgres://x\"", "it takes `sqlite:` and a path"),
    ] {
        let error = read(text, &[], &[]).unwrap_err();
        assert!(error.contains(message), "{error}");
    }
    assert!(read("", &[("FEEDMILL_LOG", "debug"), ("FEEDMILL_PORT", "tcp://10.0.0.1:80"), ("FEEDMILL_SERVICE_HOST", "x")], &[]).is_ok());
    assert!(read("", &[("FEEDMILL_BND", "x")], &[]).unwrap_err().contains("did you mean `bind`?"));
}

#[test]
fn every_default_is_a_value_that_its_key_takes() {
    for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
        let mut config = Config::defaults();
        assert_eq!(config.assign(key.name, key.default), Some(()), "{}", key.name);
        assert_eq!(config, Config::defaults(), "{}", key.name);
    }
}

#[test]
fn what_is_printed_reads_back_as_the_same_configuration() {
    let file = "title = 'a \"b\" \\ c\u{301} 中文'\npublic_url = 'https://example.org/x'\n[poll]\nallow_addresses = ['10.0.0.0/8', '::1']
[[feed]]\nslug = 'AI weekly'\ntitle = 'a'\nselect = 'tag=人工智能,ai&q=\"a b\"'\n[[feed]]\nslug = 'b'\nselect = '/tag/b'";
    let mut first = read(file, &[], &[]).unwrap();
    let mut second = read(&first.describe(), &[], &[]).unwrap();
    assert_eq!(first.allow_addresses, ["10.0.0.0/8", "::1"].map(|network| Network::parse(network).unwrap()));
    assert_eq!(first.feeds.iter().map(|feed| feed.slug.as_str()).collect::<Vec<_>>(), ["ai-weekly", "b"]);
    first.origins.clear();
    second.origins.clear();
    assert_eq!(first, second);
}

#[test]
fn rules_are_printed_as_they_are_read() {
    let file = "title = 'x'\n[[rule]]\nwhen = { title = '(?i)\\bdeepseek\\b', language = 'zh' }\nwhen_not.tag = \"a\\\"'b\"\nadd_tags = 'deepseek'\n
        [[rule]]\nwhen = { source = 'x' }\nremove_tags = ['a', 'b']\nset_category = '科技'\nset_language = 'zh_cn'\ndrop = true\n";
    let first = read(file, &[], &[]).unwrap();
    assert_eq!(first.rules.len(), 2);
    assert!(first.rules[1].place.ends_with("feedmill.toml:7"), "{}", first.rules[1].place);
    let mut second = read(&first.describe(), &[], &[]).unwrap();
    for (rule, again) in first.rules.iter().zip(&mut second.rules) {
        again.place.clone_from(&rule.place);
    }
    assert_eq!(first.rules, second.rules);
}

#[test]
fn bounds_that_cross_are_refused_wherever_they_came_from() {
    let error = read("[poll]\nmin = \"48h\"", &[], &[]).unwrap_err();
    assert!(error.contains("feedmill.toml:2) is longer than `poll.max` (24h, default)"), "{error}");
    assert!(read("[poll]\nmin = \"48h\"", &[("FEEDMILL_POLL_MAX", "48h")], &[]).is_ok());
}
