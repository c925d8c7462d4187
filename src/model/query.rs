//! Words to search for, as a person types them.

use std::fmt;

use super::folding::{STEM, Token, tokens};

/// The longest question, in characters.
const MAX_LENGTH: usize = 256;
/// The most words in one.
const MAX_WORDS: usize = 16;
/// The shortest beginning of a word that is looked for, where it isn't written without spaces.
const MIN_PREFIX: usize = 2;

/// Words that all must stand in an article, but for those that may not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Query {
    /// In the order in which they were typed, none twice, at least one.
    pub words: Vec<Word>,
}

/// A word or a phrase.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Word {
    /// As typed, without its signs.
    pub text: String,
    /// In quotes: it must stand so, in the script and with the accents that were typed.
    pub is_quoted: bool,
    /// It may not stand in the article.
    pub is_excluded: bool,
    /// Longer words that begin so are meant as well.
    pub is_prefix: bool,
}

/// Why words cannot be searched for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Nothing but signs.
    #[error("it takes words to search for: letters, digits or characters")]
    NoWord,
    /// Too much of it.
    #[error("it takes at most {MAX_WORDS} words in {MAX_LENGTH} characters")]
    TooLong,
    /// A beginning that most words would have.
    #[error("it takes at least {MIN_PREFIX} letters before `*`")]
    ShortPrefix,
}

impl Query {
    /// Reads words, `"a phrase"`, `-word` and `word*`; `None` for nothing but white space.
    ///
    /// # Errors
    /// There is no word in it, or too many.
    pub fn parse(text: &str) -> Result<Option<Self>, QueryError> {
        if text.chars().count() > MAX_LENGTH {
            return Err(QueryError::TooLong);
        }
        let mut words: Vec<Word> = Vec::new();
        let mut rest = text.trim_start();
        if rest.is_empty() {
            return Ok(None);
        }
        while !rest.is_empty() {
            let (word, after) = next(rest);
            rest = after.trim_start();
            if word.tokens().is_empty() || words.contains(&word) {
                continue;
            }
            let is_short = word.is_prefix && word.text.chars().count() < MIN_PREFIX && word.text.is_ascii();
            if is_short {
                return Err(QueryError::ShortPrefix);
            }
            words.push(word);
        }
        match words.len() {
            0 => Err(QueryError::NoWord),
            1..=MAX_WORDS => Ok(Some(Self { words })),
            _ => Err(QueryError::TooLong),
        }
    }
}

/// The first word of a text that does not begin with white space, and what follows it.
fn next(text: &str) -> (Word, &str) {
    let (text, is_excluded) = text.strip_prefix('-').map_or((text, false), |text| (text, true));
    if let Some(quoted) = text.strip_prefix(is_quote) {
        let (phrase, rest) = quoted.split_once(is_quote).unwrap_or((quoted, ""));
        let text = phrase.split_whitespace().collect::<Vec<_>>().join(" ");
        return (Word { text, is_quoted: true, is_excluded, is_prefix: false }, rest);
    }
    let end = text.find(|c: char| c.is_whitespace() || is_quote(c)).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let stem = word.trim_end_matches('*');
    // A word that begins with a sign would be read otherwise when it is printed.
    let text = stem.trim_start_matches('-').to_owned();
    (Word { text, is_quoted: false, is_excluded, is_prefix: stem.len() < word.len() }, rest)
}

fn is_quote(character: char) -> bool {
    matches!(character, '"' | '“' | '”' | '＂')
}

impl Word {
    /// What of a text it is looked for by: these tokens in a row. The last character of a run is no token of its own
    /// here, since the run may go on.
    #[must_use]
    pub fn tokens(&self) -> Vec<Token> {
        let mut tokens = tokens(&self.text);
        if let [.., before, last] = tokens.as_slice()
            && last.is_character()
            && before.place.end == last.place.end
        {
            tokens.pop();
        }
        tokens
    }

    /// Whether an index of tokens alone cannot tell where it stands: it has several, or must stand as it was typed, or
    /// begins so with more than the index knows.
    #[must_use]
    pub fn needs_text(&self) -> bool {
        let tokens = self.tokens();
        let is_long = |token: &Token| self.is_prefix && token.folded.len() > STEM;
        self.is_quoted || tokens.len() > 1 || tokens.iter().any(is_long)
    }

    /// Whether the last of its tokens may be the beginning of one.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_prefix || self.tokens().last().is_some_and(Token::is_character)
    }

    /// Where in a text, of which these are the tokens, its own stand in a row; in bytes.
    #[must_use]
    pub fn places(&self, text: &str, tokens: &[Token]) -> Vec<std::ops::Range<usize>> {
        let wanted = self.tokens();
        let Some((last, first)) = wanted.split_last() else { return Vec::new() };
        let is_open = self.is_open();
        let fits = |tokens: &&[Token]| {
            let (end, start) = (&tokens[tokens.len() - 1], &tokens[..tokens.len() - 1]);
            let ends = if is_open { end.folded.starts_with(&last.folded) } else { end.folded == last.folded };
            ends && start.iter().zip(first).all(|(token, wanted)| token.folded == wanted.folded)
        };
        let place = |tokens: &[Token]| {
            let end = &tokens[tokens.len() - 1].place;
            // Of a pair only the first character was looked for.
            let first = text[end.start..].chars().next().map_or(0, char::len_utf8);
            tokens[0].place.start..if last.is_character() { end.start + first } else { end.end }
        };
        tokens.windows(wanted.len()).filter(fits).map(place).collect()
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (minus, quote, star) =
            (if self.is_excluded { "-" } else { "" }, if self.is_quoted { "\"" } else { "" }, if self.is_prefix { "*" } else { "" });
        write!(f, "{minus}{quote}{}{quote}{star}", self.text)
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, word) in self.words.iter().enumerate() {
            let space = if position == 0 { "" } else { " " };
            write!(f, "{space}{word}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_question_is_printed_in_one_way() {
        for (sent, printed) in [
            ("  rust   async ", "rust async"),
            ("“大模型” -广告", "\"大模型\" -广告"),
            ("rust rust -\"a  b", "rust -\"a b\""),
            ("wor* 大* --x", "wor* 大* -x"),
            ("a\u{3000}b", "a b"),
            ("x\"y z\"", "x \"y z\""),
            ("! rust ?", "rust"),
        ] {
            assert_eq!(Query::parse(sent).unwrap().unwrap().to_string(), printed, "{sent}");
        }
        assert_eq!(Query::parse(" "), Ok(None));
        assert_eq!(Query::parse("!!"), Err(QueryError::NoWord));
        assert_eq!(Query::parse("a*"), Err(QueryError::ShortPrefix));
        assert_eq!(Query::parse(&"a".repeat(257)), Err(QueryError::TooLong));
        assert_eq!(Query::parse(&(0..17).map(|n| format!("w{n} ")).collect::<String>()), Err(QueryError::TooLong));
    }

    #[test]
    fn a_word_is_found_where_it_stands() {
        for (word, text, found) in [
            ("模型", "大模型和小模型", vec!["模型", "模型"]),
            ("電腦", "我的电脑", vec!["电脑"]),
            ("gpt模型", "用GPT模型吧", vec!["GPT模型"]),
            ("型", "模型", vec!["型"]),
            ("模", "模型", vec!["模"]),
            ("cafe", "Le Café", vec!["Café"]),
            ("wor*", "Words at work", vec!["Words", "work"]),
            ("wor", "Words at work", vec![]),
            ("大型", "大模型", vec![]),
        ] {
            let query = Query::parse(word).unwrap().unwrap();
            let places = query.words[0].places(text, &tokens(text));
            assert_eq!(places.into_iter().map(|place| &text[place]).collect::<Vec<_>>(), found, "{word} in {text}");
        }
    }

    proptest! {
        #[test]
        fn reading_a_printed_question_gives_it_back(text in "[a-c中文*\"“ +-]{0,20}") {
            if let Ok(Some(query)) = Query::parse(&text) {
                prop_assert_eq!(Query::parse(&query.to_string()), Ok(Some(query)));
            }
        }

        #[test]
        fn every_run_of_two_or_more_characters_is_found(text in "[大模型發展a ]{1,12}", from in 0..12_usize, length in 2..5_usize) {
            let run: String = text.chars().skip(from).take(length).collect();
            if run.chars().count() >= 2 && run.chars().all(|c| c != ' ' && c != 'a') {
                let query = Query::parse(&run).unwrap().unwrap();
                prop_assert!(!query.words[0].places(&text, &tokens(&text)).is_empty());
            }
        }
    }
}
