//! Days of the Persian calendar (Solar Hijri), which people of Iran write in its own words.

use std::borrow::Cow;
use std::sync::LazyLock;

use chrono::NaiveDate;
use regex::{Captures, Regex};

use super::pattern;
use super::words::ascii_digits;

/// The months in order, in each spelling.
const MONTHS: [&str; 12] = [
    "فروردین|فروردين",
    "اردیبهشت|ارديبهشت",
    "خرداد",
    "تیر|تير",
    "مرداد|امرداد",
    "شهریور|شهريور",
    "مهر",
    "آبان|ابان",
    "آذر|اذر",
    "دی|دي",
    "بهمن",
    "اسفند",
];

/// A day, a month and a year, as `۱۵ آبان ۱۴۰۲` and `15 آبان‌ماه 1402`.
static NAMED: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(&format!(r"\b(\d{{1,2}})\s+({})(?:[\s\x{{200c}}]*ماه)?[\s،,]+(\d{{4}})\b", MONTHS.join("|"))));
/// The same in numbers: `۱۴۰۲/۰۸/۱۵`.
static NUMBERED: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"\b(\d{4})([/-])(\d{1,2})[/-](\d{1,2})\b"));

/// Writes a day of the Persian calendar in a text as one of ours; `is_persian`: the text is, so that numbers are read so, too.
pub(super) fn in_our_calendar(text: &str, is_persian: bool) -> Cow<'_, str> {
    if text.is_ascii() && !is_persian {
        return Cow::Borrowed(text);
    }
    let number = |found: &Captures<'_>, group: usize| ascii_digits(&found[group]).parse::<i32>().ok();
    let named = |found: &Captures<'_>| {
        let month = MONTHS.iter().position(|names| names.split('|').any(|name| name == &found[2]))?;
        day(number(found, 3)?, i32::try_from(month).ok()? + 1, number(found, 1)?)
    };
    let numbered = |found: &Captures<'_>| day(number(found, 1)?, number(found, 3)?, number(found, 4)?);
    let found = NAMED.as_ref().and_then(|pattern| pattern.captures(text)).and_then(|found| Some((found.get(0)?.range(), named(&found)?)));
    let found = found.or_else(|| {
        let found = NUMBERED.as_ref().filter(|_| is_persian)?.captures(text)?;
        Some((found.get(0)?.range(), numbered(&found)?))
    });
    match found {
        Some((place, day)) => {
            let (before, after) = (ascii_digits(&text[..place.start]), ascii_digits(&text[place.end..]));
            Cow::Owned(format!("{before}{day}{after}"))
        }
        None => Cow::Borrowed(text),
    }
}

/// A day of our calendar. Eight years of 33 are leap years, which is what is seen in the sky from 1178 to 1501; other years are
/// none that are meant.
fn day(year: i32, month: i32, day: i32) -> Option<NaiveDate> {
    let is_leap = (25 * year + 11) % 33 < 8;
    let length = match month {
        1..=6 => 31,
        7..=11 => 30,
        12 if is_leap => 30,
        12 => 29,
        _ => return None,
    };
    if !(1200..=1500).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    // The last day before the first of the year 1 was the 226894th of ours.
    let years = 226_894 + 365 * (year - 1) + (8 * year + 21) / 33;
    let months = if month <= 7 { 31 * (month - 1) } else { 30 * (month - 1) + 6 };
    NaiveDate::from_num_days_from_ce_opt(years + months + day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leap_years_are_those_of_the_sky() {
        for ((year, month, of_month), expected) in [
            ((1300, 1, 1), "1921-03-21"),
            ((1357, 11, 22), "1979-02-11"),
            ((1370, 12, 30), "1992-03-20"),
            ((1375, 1, 1), "1996-03-20"),
            ((1375, 12, 30), "1997-03-20"),
            ((1399, 12, 30), "2021-03-20"),
            ((1400, 1, 1), "2021-03-21"),
            ((1402, 6, 31), "2023-09-22"),
            ((1402, 8, 15), "2023-11-06"),
            ((1402, 12, 29), "2024-03-19"),
            ((1403, 1, 1), "2024-03-20"),
            ((1403, 12, 30), "2025-03-20"),
            ((1404, 1, 1), "2025-03-21"),
            ((1408, 12, 30), "2030-03-20"),
        ] {
            assert_eq!(day(year, month, of_month).map(|day| day.to_string()).as_deref(), Some(expected), "{year}-{month}-{of_month}");
        }
        let leap: Vec<i32> = (1370..1413).filter(|year| day(*year, 12, 30).is_some()).collect();
        assert_eq!(leap, [1370, 1375, 1379, 1383, 1387, 1391, 1395, 1399, 1403, 1408, 1412]);
        let ends: Vec<_> = (1200..1500)
            .filter(|year| day(*year, 12, 29 + i32::from((25 * year + 11) % 33 < 8)).unwrap().succ_opt() != day(year + 1, 1, 1))
            .collect();
        assert_eq!(ends, [0; 0], "each year begins where the last one ends");
        for (year, month, of_month) in [(1402, 12, 30), (1402, 7, 31), (1402, 13, 1), (1402, 0, 1), (1402, 1, 0), (2023, 1, 1)] {
            assert_eq!(day(year, month, of_month), None, "{year}-{month}-{of_month}");
        }
    }
}
