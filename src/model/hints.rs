//! What a feed says of when it may be asked: `ttl`, `sy:update*`, `skipHours`, `skipDays`.

use std::time::Duration;

use chrono::{Datelike, DurationRound, TimeDelta, Timelike};
use serde::{Deserialize, Serialize};

use super::Time;

/// A feed's own word on when to ask again; it is kept with its source, since a 304 does not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hints {
    /// The longest of the intervals that it asks for.
    pub interval: Option<Duration>,
    /// Bit n: not in hour n of the day, in GMT.
    pub skip_hours: u32,
    /// Bit n: not on day n of the week, Monday being 0, in GMT.
    pub skip_days: u8,
}

impl Hints {
    /// The first time from `planned` on at which a feed that was asked at `asked` may be asked again.
    #[must_use]
    pub fn allowed(&self, asked: Time, planned: Time) -> Time {
        let interval = self.interval.and_then(|interval| TimeDelta::from_std(interval).ok()).unwrap_or_default();
        self.open_from(planned.max(asked + interval))
    }

    /// The first time from `after` on that is in no skipped hour or day; a feed that skips all skips none.
    #[must_use]
    pub fn open_from(&self, after: Time) -> Time {
        let is_open =
            |time: &Time| self.skip_hours & (1 << time.hour()) == 0 && self.skip_days & (1 << time.weekday().num_days_from_monday()) == 0;
        if is_open(&after) {
            return after;
        }
        let hour = after.duration_trunc(TimeDelta::hours(1)).unwrap_or(after);
        // Its minute and second stay, or all that wait for the hour would be due in its first second.
        let within = after - hour;
        (1..=24 * 7).map(|hours| hour + TimeDelta::hours(hours)).find(is_open).map_or(after, |open| open + within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_is_left_alone_as_long_as_it_asks() {
        let now: Time = "2024-05-06T10:30:00Z".parse().unwrap();
        let after = |hints: Hints| hints.allowed(now, now).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        assert_eq!(after(Hints::default()), "2024-05-06T10:30:00Z");
        let hour = Some(Duration::from_hours(1));
        assert_eq!(after(Hints { interval: hour, ..Hints::default() }), "2024-05-06T11:30:00Z");
        let night = Hints { interval: hour, skip_hours: 0b11 << 11, ..Hints::default() };
        assert_eq!(after(night), "2024-05-06T13:30:00Z");
        assert_eq!(after(Hints { skip_days: 1, ..Hints::default() }), "2024-05-07T00:30:00Z");
        assert_eq!(after(Hints { skip_days: 127, ..Hints::default() }), "2024-05-06T10:30:00Z");
        assert_eq!(night.allowed(now, now + TimeDelta::hours(5)), now + TimeDelta::hours(5), "what is planned for later is not moved up");
    }
}
