//! Rules of the configuration: which articles they mean, and what they do with them.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::{Article, Kind, Language, Slug, text};

/// The largest compiled expression, in bytes: a few hundred states of Unicode classes.
const MAX_COMPILED: usize = 1 << 20;

/// What the owner wants done with articles as they come in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// From top to bottom; each sees what those above it did.
    pub rules: Vec<Rule>,
    /// Whether the language of an article is found out where nobody states it.
    pub detect_languages: bool,
}

impl Policy {
    /// What decides which articles are kept out: equal for policies that keep out the same. Any rule may lead to a drop
    /// below it.
    #[must_use]
    pub fn drops(&self) -> String {
        let last = self.rules.iter().rposition(|rule| rule.then.drop).map_or(0, |last| last + 1);
        self.rules[..last].iter().map(|rule| format!("{rule}\n")).collect()
    }
}

/// One rule: what must hold of an article, and what is done with it then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Where it stands: a file and a line.
    pub place: String,
    /// All of these must match.
    pub when: Vec<(Field, Pattern)>,
    /// None of these may match.
    pub when_not: Vec<(Field, Pattern)>,
    /// What is done.
    pub then: Verdict,
}

/// What of an article an expression is matched against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Its title, as plain text.
    Title,
    /// Its summary, without markup.
    Summary,
    /// Its content, without markup.
    Content,
    /// Where it leads.
    Link,
    /// The name or the slug of any of its terms of a kind.
    Of(Kind),
}

impl Field {
    /// All fields there are.
    pub const ALL: [Self; 9] = [
        Self::Title,
        Self::Summary,
        Self::Content,
        Self::Link,
        Self::Of(Kind::Author),
        Self::Of(Kind::Source),
        Self::Of(Kind::Language),
        Self::Of(Kind::Category),
        Self::Of(Kind::Tag),
    ];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Summary => "summary",
            Self::Content => "content",
            Self::Link => "link",
            Self::Of(kind) => kind.name(),
        }
    }

    /// The field that a word names.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// A regular expression that is matched in linear time, anywhere in a text.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Reads an expression.
    ///
    /// # Errors
    /// It is none, or too large; the text says why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let built = RegexBuilder::new(text).size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED).build();
        built.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large; make it simpler".to_owned(),
            // The reader draws the place below the expression; its last line says what is wrong.
            error => error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

/// What rules do with one article; stored beside it, so that it can be told apart from the article's own word.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Verdict {
    /// Tags that it gets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_tags: Vec<String>,
    /// Tags that it loses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove_tags: Vec<String>,
    /// The categories that it has in place of all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_categories: Option<Vec<String>>,
    /// The language that it has in place of all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_language: Option<Language>,
    /// It is not published.
    #[serde(skip_serializing_if = "is_false")]
    pub drop: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// The names that tags and categories were merged into, by the slugs of those that they had: rules mean both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Aliases(BTreeMap<(Kind, Slug), (Slug, String)>);

impl FromIterator<((Kind, Slug), (Slug, String))> for Aliases {
    fn from_iter<I: IntoIterator<Item = ((Kind, Slug), (Slug, String))>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

impl Aliases {
    /// The slug of the tag that a name leads to.
    fn tag(&self, slug: Slug) -> Slug {
        if self.0.is_empty() {
            return slug;
        }
        match self.0.get(&(Kind::Tag, slug.clone())) {
            Some((of, _)) => of.clone(),
            None => slug,
        }
    }

    fn contains(&self, names: &[String], name: &str) -> bool {
        !names.is_empty() && self.has(names, &self.tag(Slug::from_name(name)))
    }

    /// Whether one of some names leads to a tag.
    fn has(&self, names: &[String], tag: &Slug) -> bool {
        names.iter().any(|other| self.tag(Slug::from_name(other)) == *tag)
    }
}

impl Verdict {
    /// Goes on with what a later rule does.
    fn extend(&mut self, later: &Self, aliases: &Aliases) {
        let contains = |names: &[String], name: &str| aliases.contains(names, name);
        self.add_tags.retain(|name| !contains(&later.remove_tags, name));
        self.remove_tags.retain(|name| !contains(&later.add_tags, name));
        self.remove_tags.extend(later.remove_tags.iter().filter(|name| !contains(&later.add_tags, name)).cloned());
        for name in &later.add_tags {
            if !contains(&self.add_tags, name) {
                self.add_tags.push(name.clone());
            }
        }
        self.set_categories = later.set_categories.clone().or(self.set_categories.take());
        self.set_language = later.set_language.clone().or(self.set_language.take());
        self.drop |= later.drop;
    }

    /// Whether it takes this tag away.
    #[must_use]
    pub fn removes(&self, tag: &Slug, aliases: &Aliases) -> bool {
        !self.remove_tags.is_empty() && aliases.has(&self.remove_tags, &aliases.tag(tag.clone()))
    }
}

/// What rules can see of one article.
pub struct Facts<'a> {
    article: &'a Article,
    summary: OnceCell<String>,
    content: OnceCell<String>,
    terms: BTreeMap<Kind, BTreeMap<Slug, String>>,
    aliases: &'a Aliases,
}

impl<'a> Facts<'a> {
    /// An article with the slugs and names of all terms that it has without rules; what they were merged into counts, too.
    pub fn new(article: &'a Article, terms: impl IntoIterator<Item = (Kind, Slug, String)>, aliases: &'a Aliases) -> Self {
        let mut facts = Self { article, summary: OnceCell::new(), content: OnceCell::new(), terms: BTreeMap::new(), aliases };
        for (kind, slug, name) in terms {
            facts.add(kind, slug, name);
        }
        facts
    }

    fn add(&mut self, kind: Kind, slug: Slug, name: String) {
        let terms = self.terms.entry(kind).or_default();
        let named = (kind, slug);
        if let Some((of, shown)) = self.aliases.0.get(&named) {
            terms.insert(of.clone(), shown.clone());
        }
        terms.insert(named.1, name);
    }

    fn match_of(&self, field: Field, Pattern(expression): &Pattern) -> bool {
        let plain = |html: &Option<String>| text::plain(html.as_deref().unwrap_or_default());
        match field {
            Field::Title => expression.is_match(self.article.title.as_deref().unwrap_or_default()),
            Field::Summary => expression.is_match(self.summary.get_or_init(|| plain(&self.article.summary))),
            Field::Content => expression.is_match(self.content.get_or_init(|| plain(&self.article.content))),
            Field::Link => expression.is_match(self.article.link.url().unwrap_or_default()),
            Field::Of(kind) => self
                .terms
                .get(&kind)
                .is_some_and(|terms| terms.iter().any(|(slug, name)| expression.is_match(name) || expression.is_match(slug.as_str()))),
        }
    }

    /// What the article is after a rule, for the rules below it.
    fn follow(&mut self, then: &Verdict) {
        let aliases = self.aliases;
        self.terms.entry(Kind::Tag).or_default().retain(|slug, _| !then.removes(slug, aliases));
        let mut names: Vec<_> = then.add_tags.iter().map(|name| (Kind::Tag, name)).collect();
        if let Some(categories) = &then.set_categories {
            self.terms.remove(&Kind::Category);
            names.extend(categories.iter().map(|name| (Kind::Category, name)));
        }
        for (kind, name) in names {
            self.add(kind, Slug::from_name(name), name.clone());
        }
        if let Some(language) = &then.set_language {
            let ranges = language.ranges().map(|range| (range.slug(), range.as_str().to_owned())).collect();
            self.terms.insert(Kind::Language, ranges);
        }
    }
}

/// What rules do with an article.
#[must_use]
pub fn judge(rules: &[Rule], mut facts: Facts<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    for rule in rules {
        let holds = |conditions: &[(Field, Pattern)], wanted: bool| {
            conditions.iter().all(|(field, pattern)| facts.match_of(*field, pattern) == wanted)
        };
        if holds(&rule.when, true) && holds(&rule.when_not, false) {
            verdict.extend(&rule.then, facts.aliases);
            facts.follow(&rule.then);
        }
    }
    verdict
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conditions = |word: &'static str, all: &[(Field, Pattern)]| {
            all.iter().map(|(field, pattern)| format!("{} {word} {:?}", field.name(), pattern.as_str())).collect::<Vec<_>>()
        };
        let all = [conditions("matches", &self.when), conditions("does not match", &self.when_not)].concat();
        write!(f, "when {}: {}", all.join(" and "), self.then)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |what: &str, names: &[String]| (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")));
        let parts = [
            list("add tags", &self.add_tags),
            list("remove tags", &self.remove_tags),
            self.set_categories.as_ref().and_then(|names| list("set categories", names)),
            self.set_language.as_ref().map(|language| format!("set language {language}")),
            self.drop.then(|| "drop".to_owned()),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Link;

    fn rule(when: &[(&str, &str)], when_not: &[(&str, &str)], then: Verdict) -> Rule {
        let conditions = |all: &[(&str, &str)]| {
            all.iter().map(|(field, pattern)| (Field::from_name(field).unwrap(), Pattern::parse(pattern).unwrap())).collect()
        };
        Rule { place: "test:1".to_owned(), when: conditions(when), when_not: conditions(when_not), then }
    }

    fn tags(names: &[&str]) -> Verdict {
        Verdict { add_tags: names.iter().map(|name| (*name).to_owned()).collect(), ..Verdict::default() }
    }

    fn verdict(rules: &[Rule]) -> Verdict {
        let article = Article {
            title: Some("DeepSeek & co".to_owned()),
            content: Some("<p>a <b>b</b>old claim</p><script>".to_owned()),
            link: Link::At("https://example.org/x".to_owned()),
            ..Article::default()
        };
        let term = |kind, name: &str| (kind, Slug::from_name(name), name.to_owned());
        judge(
            rules,
            Facts::new(&article, [term(Kind::Tag, "AI News"), term(Kind::Language, "zh"), term(Kind::Source, "Blog")], &Aliases::default()),
        )
    }

    #[test]
    fn all_conditions_must_match_and_none_of_the_others_may() {
        for (when, when_not, holds) in [
            (&[("title", "(?i)\\bdeepseek\\b"), ("language", "zh")][..], &[][..], true),
            (&[("title", "deepseek")], &[], false),
            (&[("title", "DeepSeek"), ("language", "en")], &[], false),
            (&[("title", "DeepSeek")], &[("tag", "news")], false),
            (&[("tag", "^ai-news$")], &[("tag", "rust"), ("author", "")], true),
            (&[("tag", "^AI News$"), ("source", "blog"), ("link", "^https://example")], &[], true),
            (&[("content", "^a bold claim$")], &[("content", "<")], true),
            (&[("summary", "^$")], &[], true),
        ] {
            assert_eq!(!verdict(&[rule(when, when_not, tags(&["x"]))]).add_tags.is_empty(), holds, "{when:?} {when_not:?}");
        }
    }

    #[test]
    fn a_rule_sees_what_those_above_it_did_and_the_last_word_counts() {
        let chain = [rule(&[("title", "Deep")], &[], tags(&["llm"])), rule(&[("tag", "llm")], &[], tags(&["ai"]))];
        assert_eq!(verdict(&chain).add_tags, ["llm", "ai"]);
        let takes = Verdict { remove_tags: vec!["LLM".to_owned()], set_categories: Some(vec!["tech".to_owned()]), ..Verdict::default() };
        let undone = [chain[0].clone(), rule(&[("tag", "llm")], &[], takes), rule(&[("category", "tech")], &[], tags(&["last"]))];
        let verdict = verdict(&undone);
        assert_eq!((verdict.add_tags, verdict.remove_tags), (vec!["last".to_owned()], vec!["LLM".to_owned()]));
    }

    #[test]
    fn an_expression_that_is_wrong_or_too_large_is_refused() {
        assert!(Pattern::parse("(").unwrap_err().contains("unclosed group"));
        assert!(Pattern::parse("(?=x)").unwrap_err().contains("look-around"));
        assert!(Pattern::parse(&"\\w{1000}".repeat(20)).unwrap_err().contains("too large"));
    }

    #[test]
    fn a_verdict_that_says_nothing_is_stored_as_nothing() {
        assert_eq!(serde_json::to_string(&Verdict::default()).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<Verdict>("{}").unwrap(), Verdict::default());
    }
}
