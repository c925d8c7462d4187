//! How often a feed asks to be read: `ttl`, `sy:update*`, `skipHours`, `skipDays`.

use chrono::{Datelike, Duration, DurationRound, Timelike};

use super::element::Element;
use crate::model::Time;

/// No wish is followed for longer: a slip of the pen would silence a source for ever.
const LONGEST: Duration = Duration::days(7);

/// A feed's own word on when to ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hints {
    /// The longest of the intervals that it asks for.
    pub interval: Option<Duration>,
    /// Bit n: not in hour n of the day, in GMT.
    pub skip_hours: u32,
    /// Bit n: not on day n of the week, Monday being 0, in GMT.
    pub skip_days: u8,
    period: Option<Duration>,
    frequency: Option<i32>,
}

impl Hints {
    /// No sooner than this may it be asked again, if it says so.
    #[must_use]
    pub fn not_before(&self, now: Time) -> Option<Time> {
        let period = self.period.map(|period| period / self.frequency.unwrap_or(1).max(1));
        let interval = self.interval.max(period).map(|interval| interval.min(LONGEST));
        let after = interval.map_or(now, |interval| now + interval);
        let open = self.next_open_hour(after);
        (open > now).then_some(open)
    }

    /// The first time from `after` on that is in no skipped hour or day; a feed that skips all skips none.
    fn next_open_hour(&self, after: Time) -> Time {
        let is_open =
            |time: &Time| self.skip_hours & (1 << time.hour()) == 0 && self.skip_days & (1 << time.weekday().num_days_from_monday()) == 0;
        let hour = after.duration_trunc(Duration::hours(1)).unwrap_or(after);
        let later = (1..=24 * 7).map(|hours| hour + Duration::hours(hours));
        std::iter::once(after).chain(later).find(is_open).unwrap_or(after)
    }

    pub(super) fn ttl(&mut self, element: &Element) {
        let minutes = element.line().parse().ok().filter(|minutes| (1..=1_000_000).contains(minutes));
        self.interval = self.interval.max(minutes.map(Duration::minutes));
    }

    pub(super) fn syndication(&mut self, element: &Element) {
        match element.name.as_str() {
            "updateperiod" => {
                self.period = match element.line().to_ascii_lowercase().as_str() {
                    "hourly" => Some(Duration::hours(1)),
                    "daily" => Some(Duration::days(1)),
                    "weekly" | "monthly" | "yearly" => Some(LONGEST),
                    _ => None,
                }
            }
            "updatefrequency" => self.frequency = element.line().parse().ok(),
            _ => {}
        }
    }

    pub(super) fn skip(&mut self, element: &Element) {
        for inner in element.children() {
            let line = inner.line().to_ascii_lowercase();
            if inner.name == "hour" {
                let hour = line.parse::<u32>().ok().filter(|hour| *hour <= 24);
                self.skip_hours |= hour.map_or(0, |hour| 1 << (hour % 24));
            } else if inner.name == "day" {
                let day = line.parse::<chrono::Weekday>().ok();
                self.skip_days |= day.map_or(0, |day| 1 << day.num_days_from_monday());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_is_left_alone_as_long_as_it_asks() {
        let now: Time = "2024-05-06T10:30:00Z".parse().unwrap();
        let after = |hints: Hints| hints.not_before(now).map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        assert_eq!(after(Hints::default()), None);
        let hour = Some(Duration::hours(1));
        assert_eq!(after(Hints { interval: hour, ..Hints::default() }).as_deref(), Some("2024-05-06T11:30:00Z"));
        let night = Hints { interval: hour, skip_hours: 0b11 << 11, ..Hints::default() };
        assert_eq!(after(night).as_deref(), Some("2024-05-06T13:00:00Z"));
        assert_eq!(after(Hints { skip_days: 1, ..Hints::default() }).as_deref(), Some("2024-05-07T00:00:00Z"));
        assert_eq!(after(Hints { skip_days: 127, ..Hints::default() }), None);
        assert_eq!(
            after(Hints { period: Some(Duration::days(1)), frequency: Some(2), ..Hints::default() }).as_deref(),
            Some("2024-05-06T22:30:00Z")
        );
    }
}
