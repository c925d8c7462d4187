//! Dates as feeds write them: RFC 822 and RFC 3339, and all that the wild makes of them, in any order and in the
//! languages that occur. It never guesses a date from a text that has none.

mod words;

use std::sync::LazyLock;

use chrono::{DateTime, Duration, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use regex::Regex;

use crate::model::Time;
use words::{Zone, month, zone};

/// No date of a feed is longer; a longer text is none.
const MAX_BYTES: usize = 200;

/// What a date does not say of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    /// The zone of dates that name none.
    pub(super) zone: Tz,
    /// Whether `CST` is China's time rather than America's.
    pub(super) is_chinese: bool,
}

/// Reads a date. A day without a time is its midnight.
pub(super) fn parse(text: &str, habits: Habits) -> Option<Time> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_BYTES {
        return None;
    }
    if let Ok(date) = DateTime::parse_from_rfc3339(text) {
        return Some(to_the_second(date.to_utc()));
    }
    let folded = words::fold(text);
    let (rest, clock) = take_clock(&folded);
    let (rest, zone) = take_zone(&rest, clock.is_some(), habits);
    let day = numbered_day(&rest).or_else(|| named_day(&rest));
    match day {
        Some(day) => resolve(day, clock.unwrap_or_default(), zone, habits.zone),
        None => epoch(text),
    }
}

fn to_the_second(time: Time) -> Time {
    DateTime::from_timestamp(time.timestamp(), 0).unwrap_or(time)
}

/// Hours may be 24, and minutes and seconds 60: the time after.
fn resolve(day: NaiveDate, clock: Clock, zone: Option<Zone>, fallback: Tz) -> Option<Time> {
    let seconds = clock.hours * 3600 + clock.minutes * 60 + clock.seconds;
    let local = day.and_time(NaiveTime::MIN).checked_add_signed(Duration::seconds(seconds))?;
    match zone {
        Some(Zone::Offset(minutes)) => FixedOffset::east_opt(minutes * 60)?.from_local_datetime(&local).single().map(|date| date.to_utc()),
        None => in_zone(local, fallback),
    }
}

/// A local time that a change of the clocks leaves out is an hour later, one that it repeats the first of the two.
fn in_zone(local: NaiveDateTime, zone: Tz) -> Option<Time> {
    let found = zone.from_local_datetime(&local).earliest();
    let found = found.or_else(|| zone.from_local_datetime(&local.checked_add_signed(Duration::hours(1))?).earliest());
    found.map(|date| date.with_timezone(&Utc))
}

#[derive(Debug, Clone, Copy, Default)]
struct Clock {
    hours: i64,
    minutes: i64,
    seconds: i64,
}

fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static CLOCK: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"(am|pm)?\s*\b(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,:]\d+)?)?(?:\s*(am|pm)\b)?"));

/// Takes the time of day out of a text; gives the rest.
fn take_clock(text: &str) -> (String, Option<Clock>) {
    let separated = separate_t(text);
    let found = CLOCK.as_ref().and_then(|clock| clock.captures(&separated));
    let Some(found) = found else {
        return (separated, None);
    };
    let number = |group: usize| found.get(group).and_then(|digits| digits.as_str().parse::<i64>().ok());
    let half = found.get(1).or(found.get(5)).map(|half| half.as_str());
    let clock = Clock { hours: half_day(number(2).unwrap_or(0), half), minutes: number(3).unwrap_or(0), seconds: number(4).unwrap_or(0) };
    if clock.hours > 24 || clock.minutes > 60 || clock.seconds > 61 {
        return (separated, None);
    }
    let whole = found.get(0).map_or(0..0, |whole| whole.range());
    (format!("{} \u{1} {}", &separated[..whole.start], &separated[whole.end..]), Some(clock))
}

fn half_day(hours: i64, half: Option<&str>) -> i64 {
    match half {
        Some("am") if hours == 12 => 0,
        Some("pm") if hours < 12 => hours + 12,
        _ => hours,
    }
}

static BASIC: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(\d)t(\d{2})(\d{2})(\d{2})?"));
static BARE_T: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(\d)\s*t\s*(\d)"));

/// Writes ISO 8601's `T` as a space, and its time without colons with them.
fn separate_t(text: &str) -> String {
    let text = match BASIC.as_ref().and_then(|basic| Some((basic.captures(text)?, basic))) {
        Some((found, basic)) if found.get(4).is_some() => basic.replace(text, "$1 $2:$3:$4").into_owned(),
        Some((_, basic)) => basic.replace(text, "$1 $2:$3").into_owned(),
        None => text.to_owned(),
    };
    BARE_T.as_ref().map_or_else(|| text.clone(), |bare| bare.replace(&text, "$1 $2").into_owned())
}

static OFFSET: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"(?:\b(?:utc|gmt|ut|z)\s*)?([+-])\s*(\d{1,2})(?::?(\d{2}))?(?::?\d{2})?\s*(?:\([^)]*\)?|[a-z]+)?\s*$"));

/// Takes the zone out of what stands after the time; gives the rest.
fn take_zone(text: &str, has_clock: bool, habits: Habits) -> (String, Option<Zone>) {
    let Some((day, after)) = text.split_once('\u{1}').filter(|_| has_clock) else {
        return (text.to_owned(), None);
    };
    let (after, year) = take_year(after);
    if let Some(found) = OFFSET.as_ref().and_then(|offset| offset.captures(&after)) {
        let number = |group: usize| found.get(group).and_then(|digits| digits.as_str().parse::<i32>().ok()).unwrap_or(0);
        let minutes = number(2) * 60 + number(3);
        let signed = if &found[1] == "-" { -minutes } else { minutes };
        let before = found.get(0).map_or(0, |whole| whole.start());
        // An offset of more than a day is a mistake for none.
        let zone = (minutes < 24 * 60).then_some(Zone::Offset(signed)).or(Some(Zone::Offset(0)));
        return (format!("{day} {} {year}", &after[..before]), zone);
    }
    let words = after.split(|c: char| !c.is_ascii_alphabetic());
    match words.filter(|word| !word.is_empty()).find_map(|word| Some((word, zone(word, habits.is_chinese)?))) {
        Some((word, zone)) => (format!("{day} {} {year}", after.replacen(word, " ", 1)), Some(zone)),
        None => (format!("{day} {after} {year}"), None),
    }
}

static YEAR_AFTER: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(?:^|[^+\d-])\s*\b(\d{4})\b\s*$"));

/// Takes the year off the end of a text, where Perl and `asctime` write it.
fn take_year(text: &str) -> (String, String) {
    match YEAR_AFTER.as_ref().and_then(|year| year.captures(text)).and_then(|found| found.get(1)) {
        Some(year) => (text[..year.start()].to_owned(), year.as_str().to_owned()),
        None => (text.to_owned(), String::new()),
    }
}

static NUMBERED: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"^\D*?(-?\d{4}|\d{1,2})\s*([-/.])\s*(\d{1,2})(?:\s*[-/.]\s*(\d{4}|\d{1,2}))?\b"));
static COMPACT: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^\s*(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?\s*$"));
static ORDINAL: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^\s*(\d{4})-?(\d{3})\s*$"));
static WEEK: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^\s*(\d{4})-?w(\d{2})(?:-?(\d))?\s*$"));
static YEAR: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^\s*(\d{4})\s*$"));

/// A day in numbers: `2024-05-06`, `2024/5/6`, `5/6/2024`, `6.5.2024`, `20240506`, `2024-05`, `2024`, `2024-127`, `2024-W19-1`.
fn numbered_day(text: &str) -> Option<NaiveDate> {
    let numbers = |pattern: &LazyLock<Option<Regex>>| -> Option<[Option<i32>; 4]> {
        let found = pattern.as_ref()?.captures(text)?;
        Some([1, 2, 3, 4].map(|group| found.get(group).and_then(|digits| digits.as_str().parse().ok())))
    };
    if let Some([Some(year), Some(month), Some(day), _]) = numbers(&COMPACT) {
        return date(year, month, day);
    }
    if let Some([Some(year), Some(day), ..]) = numbers(&ORDINAL) {
        return NaiveDate::from_yo_opt(year, u32::try_from(day).ok()?);
    }
    if let Some([Some(year), Some(week), day, _]) = numbers(&WEEK) {
        let weekday = chrono::Weekday::try_from(u8::try_from(day.unwrap_or(1).clamp(1, 7) - 1).ok()?).ok()?;
        return NaiveDate::from_isoywd_opt(year, u32::try_from(week).ok()?, weekday);
    }
    if let Some([Some(year), ..]) = numbers(&YEAR) {
        return date(year, 1, 1);
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
fn named_day(text: &str) -> Option<NaiveDate> {
    let mut month_found = None;
    let mut numbers: Vec<(i32, usize)> = Vec::new();
    for token in text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}'))).filter(|token| !token.is_empty()) {
        let digits = token.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            numbers.push((token[..digits].parse().ok()?, digits));
        }
        let word = &token[digits..];
        if month_found.is_none() && !word.is_empty() {
            month_found = month(word);
        }
    }
    let month = month_found?;
    let year_at = numbers.iter().position(|(number, digits)| *digits >= 3 || *number > 31);
    let (day, year) = match (numbers.as_slice(), year_at) {
        ([_, _, ..], Some(at)) => (numbers[usize::from(at == 0)].0, numbers[at]),
        ([day, year, ..], None) => (day.0, *year),
        ([only], Some(_)) => (1, *only),
        _ => return None,
    };
    let year = if year.1 <= 3 { full_year(year.0) } else { year.0 };
    date(year, month, day).or_else(|| date(year, month, day.min(last_day(year, month))))
}

fn last_day(year: i32, month: i32) -> i32 {
    (28..=31).rev().find(|day| date(year, month, *day).is_some()).unwrap_or(28)
}

/// Two digits are of the years 1970 to 2069; three are years since 1900, as old Perl writes them.
fn full_year(short: i32) -> i32 {
    match short {
        0..=69 => short + 2000,
        70..=199 => short + 1900,
        _ => short,
    }
}

fn date(year: i32, month: i32, day: i32) -> Option<NaiveDate> {
    let date = NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    date.filter(|_| (1..=9999).contains(&year))
}

/// Seconds or milliseconds since 1970.
fn epoch(text: &str) -> Option<Time> {
    let number: i64 = text.parse().ok()?;
    match text.len() {
        9..=10 => DateTime::from_timestamp(number, 0),
        13 => DateTime::from_timestamp(number / 1000, 0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHANGHAI: Habits = Habits { zone: Tz::Asia__Shanghai, is_chinese: true };
    const UTC: Habits = Habits { zone: Tz::UTC, is_chinese: false };

    #[test]
    fn dates_of_the_wild_are_read() {
        for (text, expected) in [
            ("Mon, 06 May 2024 10:11:12 GMT", "2024-05-06T10:11:12Z"),
            ("Mon, 06 May 2024 10:11:12 +0800", "2024-05-06T02:11:12Z"),
            ("6 May 24 10:11 EST", "2024-05-06T15:11:00Z"),
            ("Montag, 6. Mai 2024 10:11:12 +0200", "2024-05-06T08:11:12Z"),
            ("Mon, 06 May 2024 24:00:00 GMT", "2024-05-07T00:00:00Z"),
            ("Mon, 06 May 2024 10:11:12 GMT+08:00", "2024-05-06T02:11:12Z"),
            ("Mon May  6 10:11:12 2024", "2024-05-06T10:11:12Z"),
            ("Mon May  6 10:11:12 PDT 2024", "2024-05-06T17:11:12Z"),
            ("May 6, 2024 1:02 pm", "2024-05-06T13:02:00Z"),
            ("2024-05-06", "2024-05-06T00:00:00Z"),
            ("2024-05", "2024-05-01T00:00:00Z"),
            ("2024", "2024-01-01T00:00:00Z"),
            ("2024-05-06T10:11:12.345Z", "2024-05-06T10:11:12Z"),
            ("2024-05-06T10:11+08:00", "2024-05-06T02:11:00Z"),
            ("2024-05-06 10:11:12 +0800", "2024-05-06T02:11:12Z"),
            ("20240506T101112Z", "2024-05-06T10:11:12Z"),
            ("20240506", "2024-05-06T00:00:00Z"),
            ("2024-127", "2024-05-06T00:00:00Z"),
            ("2024-W19-1", "2024-05-06T00:00:00Z"),
            ("5/6/2024 10:11:12 AM", "2024-05-06T10:11:12Z"),
            ("2024/5/6 14:03", "2024-05-06T14:03:00Z"),
            ("06.05.2024 10:11", "2024-05-06T10:11:00Z"),
            ("2024년 05월 06일 오후 01:31:15", "2024-05-06T13:31:15Z"),
            ("2024年5月6日 下午1点02分", "2024-05-06T13:02:00Z"),
            ("2004-július-13T9:15-05:00", "2004-07-13T14:15:00Z"),
            ("Κυρ, 11 Ιούλ 2004 12:00:00 EST", "2004-07-11T17:00:00Z"),
            ("1714990272", "2024-05-06T10:11:12Z"),
        ] {
            let read = parse(text, UTC).map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
            assert_eq!(read.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_zone_that_is_not_named_is_the_sources() {
        for (text, expected) in [
            ("2024-05-06 10:11:12", "2024-05-06T02:11:12Z"),
            ("Mon, 06 May 2024 10:11:12 CST", "2024-05-06T02:11:12Z"),
            ("1986-05-04 02:30:00", "1986-05-03T18:30:00Z"),
        ] {
            let read = parse(text, SHANGHAI).map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
            assert_eq!(read.as_deref(), Some(expected), "{text}");
        }
        let american = parse("Mon, 06 May 2024 10:11:12 CST", UTC).map(|time| time.timestamp());
        assert_eq!(american, Some(1_715_011_872));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "yesterday", "May", "13/13/2024", "2024-13-45", "99:99", "0", "-", "\u{1}\u{1}10:10", &"1".repeat(500)] {
            assert_eq!(parse(text, UTC), None, "{text}");
        }
    }
}
