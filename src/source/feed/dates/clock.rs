//! The time of day in a date, and the zone that stands behind it.

use std::sync::LazyLock;

use chrono_tz::Tz;
use regex::Regex;

use super::pattern;
use super::words::{Zone, zone};

/// Where the time of day was taken out.
const GAP: char = '\u{1}';

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    pub(super) hours: i64,
    pub(super) minutes: i64,
    pub(super) seconds: i64,
}

static CLOCK: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"(am|pm|noon)?\s*\b(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,:]\d*)?)?(?:\s*(am|pm)\b)?"));

/// Takes the time of day out of a text; gives the rest.
pub(super) fn take(text: &str) -> (String, Option<Clock>) {
    let text = spelt_alike(text);
    let found = CLOCK.as_ref().and_then(|clock| clock.captures(&text));
    let Some(found) = found else {
        return (text, None);
    };
    let number = |group: usize| found.get(group).and_then(|digits| digits.as_str().parse::<i64>().ok());
    let half = found.get(1).or(found.get(5)).map(|half| half.as_str());
    let clock = Clock { hours: half_day(number(2).unwrap_or(0), half), minutes: number(3).unwrap_or(0), seconds: number(4).unwrap_or(0) };
    if clock.hours > 30 {
        return (text, None);
    }
    let whole = found.get(0).map_or(0..0, |whole| whole.range());
    (format!("{} {GAP} {}", &text[..whole.start], &text[whole.end..]), Some(clock))
}

fn half_day(hours: i64, half: Option<&str>) -> i64 {
    match half {
        Some("am") if hours == 12 => 0,
        Some("pm") if hours < 12 => hours + 12,
        // Noon lasts from eleven to two.
        Some("noon") if hours < 10 => hours + 12,
        _ => hours,
    }
}

/// Times without colons, and what they become: the forms of ISO 8601, a day with a zone, digits alone, `10h11`, `10.11`.
/// Go adds the reading of a second clock.
const SPELLINGS: [(&str, &str); 12] = [
    (r"\sm=[+-][\d.]+$", ""),
    (r"\[([^\]]*)\]", " $1 "),
    (r"(\d)_(\d)", "$1 $2"),
    (r"(\d)t(\d{2})(\d{2})(\d{2})", "$1 $2:$3:$4"),
    (r"(\d)t(\d{2})(\d{2})", "$1 $2:$3"),
    (r"(\d)\s*t\s*(\d{2})\s*(z|[+-]|$)", "$1 $2:00 $3"),
    (r"(\d)\s*t\s*(\d)", "$1 $2"),
    (r"^(\d{4}-\d{2}-\d{2})\s*(z|[+-]\d{2}:?\d{2})$", "$1 0:00 $2"),
    (r"^(\d{8})(\d{2})(\d{2})(\d{2})$", "$1 $2:$3:$4"),
    (r"^(\d{8})(\d{2})(\d{2})$", "$1 $2:$3"),
    (r"\b(\d{1,2})h(\d{2})\b", "$1:$2"),
    (r"([a-z]\S* \d{4}) (\d{1,2})\.(\d{2})(?:\.(\d{2}))?\b", "$1 $2:$3:$4"),
];

static SPELT: LazyLock<Vec<(Regex, &str)>> =
    LazyLock::new(|| SPELLINGS.iter().filter_map(|(from, to)| Some((pattern(from)?, *to))).collect());

/// Writes all forms of a time with colons, parted from the day by a space.
fn spelt_alike(text: &str) -> String {
    let mut text = text.to_owned();
    for (from, to) in SPELT.iter() {
        if let std::borrow::Cow::Owned(changed) = from.replace(&text, *to) {
            text = changed;
        }
    }
    text
}

static OFFSET: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"(?:\b(?:utc|gmt|ut|z)\s*)?([+-])\s*(\d{1,2})(?::?(\d{2}))?(?::?\d{2})?\s*(?:\([^)]*\)?|[a-z/_]+)?\s*$"));

/// Takes the zone out of what stands after the time; gives the rest.
pub(super) fn take_zone(text: &str, has_clock: bool, is_chinese: bool) -> (String, Option<Zone>) {
    let Some((day, after)) = text.split_once(GAP).filter(|_| has_clock) else {
        return (text.to_owned(), None);
    };
    let (after, year) = take_year(after);
    if let Some(found) = OFFSET.as_ref().and_then(|offset| offset.captures(&after)) {
        let number = |group: usize| found.get(group).and_then(|digits| digits.as_str().parse::<i32>().ok()).unwrap_or(0);
        let minutes = number(2) * 60 + number(3);
        let signed = if &found[1] == "-" { -minutes } else { minutes };
        let before = found.get(0).map_or(0, |whole| whole.start());
        // An offset of more than a day is a mistake for none.
        let zone = if minutes < 24 * 60 { signed } else { 0 };
        return (format!("{day} {} {year}", &after[..before]), Some(Zone::Offset(zone)));
    }
    match named_zone(&after, is_chinese) {
        Some((name, zone)) => (format!("{day} {} {year}", after.replacen(name, " ", 1)), Some(zone)),
        None => (format!("{day} {after} {year}"), None),
    }
}

/// A zone by its letters (`EDT`), its place (`Asia/Shanghai`) or its name (`Eastern Standard Time`).
fn named_zone(after: &str, is_chinese: bool) -> Option<(&str, Zone)> {
    let place = after.split_whitespace().find_map(|word| Some((word, Zone::Named(place(word)?))));
    let words = || after.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    place.or_else(|| words().find_map(|word| Some((word, zone(word, is_chinese)?)))).or_else(|| {
        let name: Vec<&str> = words().take(5).collect();
        let end = name.iter().position(|word| *word == "time")?;
        let initials: String = name[..=end].iter().filter_map(|word| word.chars().next()).collect();
        Some(("time", zone(&initials, is_chinese || name.contains(&"china"))?))
    })
}

/// A zone by its IANA name, in small letters here.
fn place(word: &str) -> Option<Tz> {
    let mut name = String::with_capacity(word.len());
    for letter in word.split_once('/').map(|_| word)?.chars() {
        let is_first = name.chars().next_back().is_none_or(|before| matches!(before, '/' | '_' | '-'));
        name.push(if is_first { letter.to_ascii_uppercase() } else { letter });
    }
    name.parse().ok()
}

static YEAR_AFTER: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(?:^|[^+\d-])\s*\b(\d{4})\b\s*$"));

/// Takes the year off the end of a text, where Perl and `asctime` write it.
fn take_year(text: &str) -> (String, String) {
    match YEAR_AFTER.as_ref().and_then(|year| year.captures(text)).and_then(|found| found.get(1)) {
        Some(year) => (text[..year.start()].to_owned(), year.as_str().to_owned()),
        None => (text.to_owned(), String::new()),
    }
}
