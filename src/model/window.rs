//! Bounds of time in a URL: days, times and ages.

use std::fmt;

use chrono::{DateTime, DurationRound, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

use super::{Period, Time};

/// The longest age, in hours: a hundred years.
const MAX_AGE: u32 = 100 * 366 * 24;

/// A bound of time as a URL names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// A whole day in the site's zone.
    Day(NaiveDate),
    /// A time, to the second.
    At(Time),
    /// So many hours before the full hour that it is now.
    Age(u32),
}

impl Moment {
    /// Reads `2025-02-12`, an RFC 3339 time, or an age: `36h`, `7d`, `2w`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(day) = text.parse() {
            return Some(Self::Day(day));
        }
        // A `+` that was not encoded is a space by now.
        if let Ok(time) = DateTime::parse_from_rfc3339(&text.replace(' ', "+")) {
            return DateTime::from_timestamp(time.timestamp(), 0).map(Self::At);
        }
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let hours = match unit {
            "h" => 1,
            "d" => 24,
            "w" => 7 * 24,
            _ => return None,
        };
        let age = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse::<u32>().ok()?.checked_mul(hours))??;
        (1..=MAX_AGE).contains(&age).then_some(Self::Age(age))
    }

    /// Whether it moves with the clock.
    #[must_use]
    pub const fn is_relative(self) -> bool {
        matches!(self, Self::Age(_))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => write!(f, "{day}"),
            Self::At(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Secs, true)),
            Self::Age(hours) if hours % 24 == 0 => write!(f, "{}d", hours / 24),
            Self::Age(hours) => write!(f, "{hours}h"),
        }
    }
}

/// A stretch of time: `since` is in it, `until` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Window {
    /// Nothing before.
    pub since: Option<Time>,
    /// Nothing from here on.
    pub until: Option<Time>,
}

impl Window {
    /// The stretch between two bounds; a day that ends it is in it.
    #[must_use]
    pub fn between(since: Option<Moment>, until: Option<Moment>, zone: Tz, now: Time) -> Self {
        let start = |moment| match moment {
            Moment::Day(day) => midnight(day, zone),
            Moment::At(time) => time,
            Moment::Age(hours) => full_hour(now) - TimeDelta::hours(hours.into()),
        };
        let end = |moment| match moment {
            Moment::Day(day) => midnight(day.succ_opt().unwrap_or(day), zone),
            other => start(other),
        };
        Self { since: since.map(start), until: until.map(end) }
    }
}

impl Period {
    /// The day or the week that a time is in: its first moment, and the first one after it.
    #[must_use]
    pub fn containing(self, time: Time, zone: Tz) -> (Time, Time) {
        let day = time.with_timezone(&zone).date_naive();
        let (first, days) = match self {
            Self::Daily => (day, 1),
            Self::Weekly => (day.week(Weekday::Mon).first_day(), 7),
        };
        (midnight(first, zone), midnight(first + TimeDelta::days(days), zone))
    }
}

/// The hour that it is, from which ages are counted.
#[must_use]
pub fn full_hour(now: Time) -> Time {
    now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now)
}

/// The first moment of a day in a zone; where summer time skips it, the first one after.
#[must_use]
pub fn midnight(day: NaiveDate, zone: Tz) -> Time {
    let naive = day.and_time(NaiveTime::MIN);
    let local = zone.from_local_datetime(&naive).earliest();
    let local = local.or_else(|| zone.from_local_datetime(&(naive + TimeDelta::hours(1))).earliest());
    local.map_or_else(|| Utc.from_utc_datetime(&naive), |local| local.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_printed_in_one_way() {
        for (sent, printed) in [
            ("2025-02-12", Some("2025-02-12")),
            ("2025-02-12T08:00:00+08:00", Some("2025-02-12T00:00:00Z")),
            ("2025-02-12T08:00:00 08:00", Some("2025-02-12T00:00:00Z")),
            ("2025-02-12T00:00:00.5Z", Some("2025-02-12T00:00:00Z")),
            ("168h", Some("7d")),
            ("1w", Some("7d")),
            ("36h", Some("36h")),
            ("0d", None),
            ("7", None),
            ("d", None),
            ("-7d", None),
            ("99999999w", None),
            ("2025-13-01", None),
            ("é", None),
            ("", None),
        ] {
            assert_eq!(Moment::parse(sent).map(|moment| moment.to_string()).as_deref(), printed, "{sent}");
        }
    }

    #[test]
    fn a_day_is_whole_in_its_zone_and_an_age_counts_from_the_full_hour() {
        let now = DateTime::from_timestamp(1_739_327_400, 0).unwrap();
        assert_eq!(now.to_rfc3339(), "2025-02-12T02:30:00+00:00");
        let window = |since, until| Window::between(Moment::parse(since), Moment::parse(until), Tz::Asia__Shanghai, now);
        let day = window("2025-02-12", "2025-02-12");
        assert_eq!(day.since.unwrap().to_rfc3339(), "2025-02-11T16:00:00+00:00");
        assert_eq!(day.until.unwrap() - day.since.unwrap(), TimeDelta::days(1));
        assert_eq!(window("1d", "").since.unwrap().to_rfc3339(), "2025-02-11T02:00:00+00:00");
        // Midnight of this day was skipped in Shanghai.
        let skipped = midnight(NaiveDate::from_ymd_opt(1940, 6, 1).unwrap(), Tz::Asia__Shanghai);
        assert_eq!(skipped.to_rfc3339(), "1940-05-31T16:00:00+00:00");
    }
}
