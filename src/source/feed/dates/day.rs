//! The day in a date, in numbers or with its month in words.

use std::sync::LazyLock;

use chrono::{Days, NaiveDate};
use regex::Regex;

use super::pattern;
use super::words::month;

/// The day of a text without time and zone; `is_croatian`: its words are.
pub(super) fn find(text: &str, is_croatian: bool) -> Option<NaiveDate> {
    numbered_day(text).or_else(|| named_day(text, is_croatian))
}

static NUMBERED: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"^\D*?(-?\d{4}|\d{1,2})\s*([-/.])\s*(0?\d{1,2})(?:\s*[-/.]\s*(\d{4}|\d{1,2}))?(?:\D|$)"));
static COMPACT: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^\s*(\d{4}|\d{2})(\d{2})(\d{2})\s*$"));
static ORDINAL: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^\s*(\d{4}|\d{2})-?(\d{3})\s*$"));
static WEEK: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^\s*(\d{4})-?w(\d{2})(?:-?(\d))?\s*$"));
static SHORT: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^\s*-(\d{2})-?(\d{2})\s*$"));
static YEAR: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^\s*(\d{4})\s*$"));

/// A day in numbers: `2024-05-06`, `2024/5/6`, `5/6/2024`, `6.5.2024`, `20240506`, `240506`, `2024-05`, `-2405`, `2024`,
/// `2024-127`, `2024-W19-1`.
fn numbered_day(text: &str) -> Option<NaiveDate> {
    let numbers = |pattern: &LazyLock<Option<Regex>>| -> Option<(i32, [Option<i32>; 2])> {
        let found = pattern.as_ref()?.captures(text)?;
        let number = |group: usize| found.get(group).and_then(|digits| digits.as_str().parse::<i32>().ok());
        let year = if found[1].len() == 2 { full_year(number(1)?) } else { number(1)? };
        Some((year, [number(2), number(3)]))
    };
    if let Some((year, [Some(month), Some(day)])) = numbers(&COMPACT) {
        return date(year, month, day);
    }
    if let Some((year, [Some(day), _])) = numbers(&ORDINAL) {
        return NaiveDate::from_yo_opt(year, u32::try_from(day).ok()?);
    }
    if let Some((year, [Some(week), day])) = numbers(&WEEK) {
        let weekday = chrono::Weekday::try_from(u8::try_from(day.unwrap_or(1).clamp(1, 7) - 1).ok()?).ok()?;
        return NaiveDate::from_isoywd_opt(year, u32::try_from(week).ok()?, weekday);
    }
    if let Some((year, [month, _])) = numbers(&SHORT).or_else(|| numbers(&YEAR)) {
        return date(year, month.unwrap_or(1), 1);
    }
    let found = NUMBERED.as_ref()?.captures(text)?;
    let number = |group: usize| found.get(group).and_then(|digits| digits.as_str().parse::<i32>().ok());
    let (first, second, third) = (number(1)?, number(3)?, number(4));
    match (found[1].trim_start_matches('-').len(), third) {
        (4, third) => date(first, second, third.unwrap_or(1)).or_else(|| date(first, third?, second)),
        (_, Some(third)) => day_of_three(first, second, third, found[4].len() == 4, &found[2]),
        (_, None) => None,
    }
}

/// Three numbers of which the year is last, or short: America writes the month first where slashes stand.
fn day_of_three(first: i32, second: i32, third: i32, has_long_year: bool, sign: &str) -> Option<NaiveDate> {
    if !has_long_year && sign == "-" {
        return date(full_year(first), second, third).or_else(|| date(full_year(third), second, first));
    }
    let year = if has_long_year { third } else { full_year(third) };
    let (day, month) = if sign == "/" && first <= 12 { (second, first) } else { (first, second) };
    date(year, month, day).or_else(|| date(year, day, month))
}

/// A day with a month in words: `Mon, 06 May 2024`, `May 6th, 2024`, `2024-május-6`.
fn named_day(text: &str, is_croatian: bool) -> Option<NaiveDate> {
    let mut months = Vec::new();
    let mut numbers: Vec<(i32, usize)> = Vec::new();
    for token in text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}'))).filter(|token| !token.is_empty()) {
        let digits = token.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            numbers.push((token[..digits].parse().ok()?, digits));
        }
        let word = &token[digits..];
        months.extend(month(word, is_croatian).map(|month| (word, month)));
    }
    let month = match months.as_slice() {
        [(tuesday, _), (_, month), ..] if numbers.len() > 1 && is_tuesday(tuesday) => *month,
        [(_, month), ..] => *month,
        [] => return None,
    };
    let year_at = numbers.iter().position(|(_, digits)| *digits >= 3).or_else(|| numbers.iter().position(|(number, _)| *number > 31));
    let (day, year) = match (numbers.as_slice(), year_at) {
        ([_, _, ..], Some(at)) => (numbers[usize::from(at == 0)].0, numbers[at]),
        ([day, year, ..], None) => (day.0, *year),
        ([only], Some(_)) => (1, *only),
        _ => return None,
    };
    let year = if year.1 <= 3 { full_year(year.0) } else { year.0 };
    date(year, month, day)
}

/// Whether a word that begins like March may be Tuesday, in Albanian, French, Italian, Romanian or Spanish: where another month
/// follows, it is.
fn is_tuesday(word: &str) -> bool {
    word == "mar" || word == "marti" || ["mardi", "marted", "martes", "marţ", "marț", "martë"].iter().any(|start| word.starts_with(start))
}

/// Two digits are of the years 1970 to 2069; three are years since 1900, as old Perl writes them.
fn full_year(short: i32) -> i32 {
    match short {
        0..=69 => short + 2000,
        70..=199 => short + 1900,
        _ => short,
    }
}

/// The year that is meant: those of the Buddhist era, as Thailand counts them, are 543 ahead.
pub(super) fn gregorian(year: i32) -> i32 {
    if (2500..2650).contains(&year) { year - 543 } else { year }
}

/// The day after a month's last, be it a 30th or a 32nd, is the first of the next.
fn date(year: i32, month: i32, day: i32) -> Option<NaiveDate> {
    let year = gregorian(year);
    let days = u64::try_from(day).ok().filter(|day| (1..=32).contains(day))?;
    let first = NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, 1)?;
    first.checked_add_days(Days::new(days - 1))
}
