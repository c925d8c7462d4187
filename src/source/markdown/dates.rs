//! Dates as people write them in front matter and file names.

use chrono::{DateTime, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::model::{Language, Time};
use crate::source::feed;

/// Reads a date, with or without time and offset; without an offset it is in `zone`. Fractions of a second go. What other
/// programs write is read as in a feed.
pub(super) fn parse(text: &str, zone: Tz, language: Option<&Language>) -> Option<Time> {
    let text = text.trim();
    usual(text, zone).or_else(|| feed::date(text, zone, language).filter(|_| !is_no_day(text)))
}

/// Whether a text begins as we ask for, but with a day that no calendar has: its author can mend that, where a feed's
/// reader must guess.
fn is_no_day(text: &str) -> bool {
    let day = text.split(['T', 't', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split(['-', '/', '.']).collect();
    let is_numbers = parts.concat().bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && parts[0].len() == 4 && is_numbers && date_of(day).is_none()
}

/// A date in the form that we ask for.
fn usual(text: &str, zone: Tz) -> Option<Time> {
    let text = text
        .strip_suffix("UTC")
        .or(text.strip_suffix(['Z', 'z']))
        .map_or_else(|| text.to_owned(), |text| format!("{}+00:00", text.trim_end()));
    let date_end = text.char_indices().nth(10).map_or(text.len(), |(at, _)| at);
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(at) if at <= date_end => (&text[..at], text[at + 1..].trim()),
        _ => (text.as_str(), ""),
    };
    let date = date_of(date)?;
    let (time, offset) = match rest.rfind(['+', '-']) {
        Some(at) => (rest[..at].trim_end(), Some(offset_of(&rest[at..])?)),
        None => (rest, None),
    };
    let local = date.and_time(time_of(time)?);
    match offset {
        Some(offset) => offset.from_local_datetime(&local).single().map(|time| time.with_timezone(&Utc)),
        None => Some(in_zone(local, zone)),
    }
}

/// The date that a file name begins with: `2025-02-12-title`.
pub(super) fn of_name(name: &str, zone: Tz) -> Option<Time> {
    let date = name.get(..10).filter(|date| date.is_ascii())?;
    let is_date_alone = name[10..].chars().next().is_none_or(|c| !c.is_ascii_digit());
    date_of(date).filter(|_| is_date_alone && date.contains('-')).map(|date| in_zone(date.and_time(NaiveTime::MIN), zone))
}

/// A local time that a change of clocks skipped is read by the clock before it; one that comes twice is the first.
fn in_zone(local: NaiveDateTime, zone: Tz) -> Time {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time.with_timezone(&Utc),
        LocalResult::None => {
            let before = local - TimeDelta::hours(3);
            let earlier: DateTime<Tz> = match zone.from_local_datetime(&before) {
                LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time,
                LocalResult::None => zone.from_utc_datetime(&before),
            };
            earlier.with_timezone(&Utc) + TimeDelta::hours(3)
        }
    }
}

fn date_of(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split(['-', '/', '.']).map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let is_year = (1..=9_999).contains(&year) && text.find(['-', '/', '.']) == Some(4);
    if parts.next().is_some() || !is_year {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

fn time_of(text: &str) -> Option<NaiveTime> {
    if text.is_empty() {
        return Some(NaiveTime::MIN);
    }
    let whole = text.split('.').next().unwrap_or_default();
    let mut parts = whole.split(':').map(|part| part.parse::<u32>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().map_or(Some(0), |second| second)?;
    if parts.next().is_some() { None } else { NaiveTime::from_hms_opt(hour, minute, second.min(59)) }
}

fn offset_of(text: &str) -> Option<FixedOffset> {
    let (sign, digits) = (text.starts_with('-'), text[1..].replace(':', ""));
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.parse::<i32>().ok()?, 0),
        4 => (digits[..2].parse().ok()?, digits[2..].parse::<i32>().ok()?),
        _ => return None,
    };
    let seconds = hours * 3_600 + minutes * 60;
    FixedOffset::east_opt(if sign { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        parse(text, Tz::Asia__Shanghai, None).map(|time| time.format("%FT%TZ").to_string())
    }

    #[test]
    fn dates_are_read_as_people_write_them() {
        for (text, expected) in [
            ("2025-02-12 09:30:02", "2025-02-12T01:30:02Z"),
            ("2025-02-12T09:30:02+08:00", "2025-02-12T01:30:02Z"),
            ("2025-02-12 09:30:02 +0800", "2025-02-12T01:30:02Z"),
            ("2025-02-12T01:30:02.123Z", "2025-02-12T01:30:02Z"),
            ("2025-02-12 01:30:02 UTC", "2025-02-12T01:30:02Z"),
            ("2025-02-12", "2025-02-11T16:00:00Z"),
            ("2025/2/12 9:30", "2025-02-12T01:30:00Z"),
            ("2025-02-12 01:30:00-05:00", "2025-02-12T06:30:00Z"),
            // Shanghai had summer time from 1986 to 1991; on 1986-05-04 the clock went from 2:00 to 3:00.
            ("1988-07-01 08:00:00", "1988-06-30T23:00:00Z"),
            ("1986-05-04 02:30:00", "1986-05-03T18:30:00Z"),
            ("Jul 08 2022", "2022-07-07T16:00:00Z"),
            ("Mon, 02 Jan 2006 15:04:05 +0800", "2006-01-02T07:04:05Z"),
            ("2025-02-12 09:30:02 +0800 CST", "2025-02-12T01:30:02Z"),
            ("2025-02-12 09:30:02 EST", "2025-02-12T14:30:02Z"),
            ("2025-02-12 09:30:02 CST", "2025-02-12T01:30:02Z"),
            ("2025-02-12 9:30 PM", "2025-02-12T13:30:00Z"),
            ("2025年2月12日", "2025-02-11T16:00:00Z"),
            ("20250212T093002Z", "2025-02-12T09:30:02Z"),
            ("12.02.2025", "2025-02-11T16:00:00Z"),
            ("2025-02-12 25:00", "2025-02-12T17:00:00Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "soon", "2025-13-01", "2025-02-30 10:00", "二〇二五"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_file_name_can_hold_the_date() {
        assert_eq!(of_name("2025-02-12-title", Tz::UTC).map(|time| time.timestamp()), Some(1_739_318_400));
        assert_eq!(of_name("2025-02-120", Tz::UTC), None);
        assert_eq!(of_name("标题标题标题标题", Tz::UTC), None);
    }
}
