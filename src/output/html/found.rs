//! What was searched for, in the text where it stands.

use std::ops::Range;

use maud::{Markup, html};
use unicode_segmentation::UnicodeSegmentation;

use crate::model::{Query, Token, tokens};

/// How much of a text is looked through, in bytes.
const MAX_TEXT: usize = 64 * 1024;
/// How much stands before the first word that was found, and how long the whole is, in graphemes.
const BEFORE: usize = 40;
const LENGTH: usize = 200;

/// A text with its found words marked.
pub(super) fn marked(text: &str, query: &Query) -> Markup {
    pieces(text, &places(text, query))
}

/// The part of a text around the first found word, with all that are in it marked; its start if there is none.
pub(super) fn snippet(text: &str, query: &Query) -> Markup {
    let text = &text[..text.floor_char_boundary(MAX_TEXT)];
    let places = places(text, query);
    let first = places.first().map_or(0, |place| place.start);
    let start = text[..first].grapheme_indices(true).rev().nth(BEFORE).map_or(0, |(at, _)| at);
    let end = text[start..].grapheme_indices(true).nth(LENGTH).map_or(text.len(), |(at, _)| start + at);
    let shown: Vec<Range<usize>> =
        places.into_iter().filter(|place| place.end <= end).map(|place| place.start - start..place.end - start).collect();
    html! {
        @if start > 0 { "…" }
        (pieces(&text[start..end], &shown))
        @if end < text.len() { "…" }
    }
}

/// Where the words stand, in order, none in another.
fn places(text: &str, query: &Query) -> Vec<Range<usize>> {
    let tokens: Vec<Token> = tokens(text);
    let wanted = query.words.iter().filter(|word| !word.is_excluded);
    let mut places: Vec<Range<usize>> = wanted.flat_map(|word| word.places(text, &tokens)).collect();
    places.sort_by_key(|place| (place.start, place.end));
    let mut apart: Vec<Range<usize>> = Vec::new();
    for place in places {
        match apart.last_mut() {
            Some(last) if place.start < last.end => last.end = last.end.max(place.end),
            _ => apart.push(place),
        }
    }
    apart
}

fn pieces(text: &str, places: &[Range<usize>]) -> Markup {
    let starts = std::iter::once(0).chain(places.iter().map(|place| place.end));
    html! {
        @for (start, place) in starts.clone().zip(places) { (text[start..place.start]) mark { (text[place.clone()]) } }
        (text[starts.last().unwrap_or_default()..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::parse(text).unwrap().unwrap()
    }

    #[test]
    fn found_words_are_marked_as_they_were_written() {
        assert_eq!(marked("我的電腦 & GPT", &query("电脑 gpt -我")).into_string(), "我的<mark>電腦</mark> &amp; <mark>GPT</mark>");
        assert_eq!(marked("大模型", &query("大模 模型")).into_string(), "<mark>大模型</mark>");
        assert_eq!(marked("nothing", &query("else")).into_string(), "nothing");
    }

    #[test]
    fn a_snippet_is_cut_around_the_first_word() {
        let text = format!("{}needle{}", "hay ".repeat(100), " straw".repeat(100));
        let snippet = snippet(&text, &query("needle")).into_string();
        assert!(snippet.starts_with('…') && snippet.ends_with('…') && snippet.contains(" <mark>needle</mark> straw"), "{snippet}");
        assert_eq!(super::snippet("short", &query("x")).into_string(), "short");
    }
}
