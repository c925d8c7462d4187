//! Reading how often a feed asks to be read: `ttl`, `sy:update*`, `skipHours`, `skipDays`.

use std::time::Duration;

use super::element::Element;
use crate::model::Hints;

/// No wish is followed for longer: a slip of the pen would silence a source for ever.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// A feed's wishes as its elements state them.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    stated: Hints,
    period: Option<Duration>,
    frequency: Option<u32>,
}

impl Wishes {
    /// All of them together.
    pub(super) fn hints(&self) -> Hints {
        let period = self.period.map(|period| period / self.frequency.unwrap_or(1).max(1));
        let interval = self.stated.interval.max(period).map(|interval| interval.min(LONGEST));
        Hints { interval, ..self.stated }
    }

    pub(super) fn ttl(&mut self, element: &Element) {
        let minutes = element.line().parse().ok().filter(|minutes| (1..=1_000_000).contains(minutes));
        self.stated.interval = self.stated.interval.max(minutes.map(Duration::from_mins));
    }

    pub(super) fn syndication(&mut self, element: &Element) {
        match element.name.as_str() {
            "updateperiod" => {
                self.period = match element.line().to_ascii_lowercase().as_str() {
                    "hourly" => Some(Duration::from_hours(1)),
                    "daily" => Some(Duration::from_hours(24)),
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
                self.stated.skip_hours |= hour.map_or(0, |hour| 1 << (hour % 24));
            } else if inner.name == "day" {
                let day = line.parse::<chrono::Weekday>().ok();
                self.stated.skip_days |= day.map_or(0, |day| 1 << day.num_days_from_monday());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_of_the_wishes_counts_up_to_a_week() {
        let day = Some(Duration::from_hours(24));
        let wishes =
            |ttl, period, frequency| Wishes { stated: Hints { interval: ttl, ..Hints::default() }, period, frequency }.hints().interval;
        assert_eq!(wishes(None, None, Some(2)), None);
        assert_eq!(wishes(None, day, Some(2)), Some(Duration::from_hours(12)));
        assert_eq!(wishes(day, day, Some(2)), day);
        assert_eq!(wishes(Some(Duration::from_hours(1_000_000)), None, None), Some(LONGEST));
    }
}
