//! When a source is asked again: pure arithmetic.

use std::time::Duration;

use chrono::TimeDelta;

use crate::model::{Batch, Source, SourceKind, Time};

/// The bounds of the time between two readings of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// No feed is asked sooner.
    pub min: Duration,
    /// None is left for longer.
    pub max: Duration,
    /// For sources that name none of their own.
    pub every: Duration,
}

impl Pace {
    /// When a source that is pushed is due: polling it is but a safety net.
    pub(super) fn slowly(&self, due: Time, now: Time) -> Time {
        due.max(now + delta(self.max) / 2)
    }
}

/// When a source that answered is due again: after its interval, not before it allows, and at the latest when one of
/// its files is to appear or to expire.
pub(super) fn after_success(source: &Source, batch: &Batch, pace: &Pace, now: Time) -> Option<Time> {
    let interval = match source.kind {
        SourceKind::Inbox => return None,
        SourceKind::Folder => delta(pace.max),
        SourceKind::Feed => delta(source.settings.every.unwrap_or(pace.every).clamp(pace.min, pace.max)),
    };
    let planned = now + interval + jitter(source, interval);
    let polite = batch.not_before.map_or(planned, |allowed| planned.max(allowed.min(now + TimeDelta::days(31))));
    Some(batch.revisit.map_or(polite, |revisit| polite.min(revisit.max(now))))
}

/// When a source that failed is due again: twice as late with each failure, a day at the most, and not before it
/// allows.
pub(super) fn after_failure(source: &Source, not_before: Option<Time>, pace: &Pace, now: Time) -> Option<Time> {
    let doublings = source.status.failures.min(16);
    let interval = delta(pace.min).checked_mul(1 << doublings).unwrap_or(TimeDelta::days(1)).min(TimeDelta::days(1));
    let planned = now + interval + jitter(source, interval);
    (source.kind != SourceKind::Inbox).then(|| not_before.map_or(planned, |allowed| planned.max(allowed.min(now + TimeDelta::days(31)))))
}

/// Up to a tenth of the interval, by the source, so that many sources added at once do not stay together.
fn jitter(source: &Source, interval: TimeDelta) -> TimeDelta {
    let spread = source.id.0.wrapping_mul(7_919).rem_euclid(1_000);
    TimeDelta::milliseconds(interval.num_milliseconds() / 10_000 * spread)
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::days(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Slug, SourceId, SourceInfo, SourceSettings, SourceStatus};
    use chrono::DateTime;

    const PACE: Pace = Pace { min: Duration::from_mins(15), max: Duration::from_hours(24), every: Duration::from_mins(30) };

    fn now() -> Time {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    fn source(kind: SourceKind, failures: u32, every: Option<Duration>) -> Source {
        Source {
            id: SourceId(1000),
            kind,
            location: String::new(),
            slug: Slug::from_name("a"),
            first_slug: Slug::from_name("a"),
            title: String::new(),
            settings: SourceSettings { every, ..SourceSettings::default() },
            info: SourceInfo::default(),
            status: SourceStatus { failures, ..SourceStatus::default() },
        }
    }

    #[test]
    fn a_feed_is_asked_every_half_hour_and_never_sooner_than_it_allows() {
        let after = |source: &Source, batch: &Batch| after_success(source, batch, &PACE, now()).unwrap() - now();
        let feed = |every| source(SourceKind::Feed, 0, every);
        assert_eq!(after(&feed(None), &Batch::default()), TimeDelta::minutes(30));
        assert_eq!(after(&feed(Some(Duration::from_secs(1))), &Batch::default()), TimeDelta::minutes(15));
        let polite = Batch { not_before: Some(now() + TimeDelta::hours(3)), ..Batch::default() };
        assert_eq!(after(&feed(None), &polite), TimeDelta::hours(3));
        assert_eq!(after_success(&source(SourceKind::Inbox, 0, None), &Batch::default(), &PACE, now()), None);
    }

    #[test]
    fn a_file_that_is_to_appear_makes_its_folder_due() {
        let batch = Batch { revisit: Some(now() + TimeDelta::seconds(5)), ..Batch::default() };
        let due = after_success(&source(SourceKind::Folder, 0, None), &batch, &PACE, now());
        assert_eq!(due, batch.revisit);
    }

    #[test]
    fn failures_back_off_to_a_day_and_are_never_given_up() {
        let after = |failures| after_failure(&source(SourceKind::Feed, failures, None), None, &PACE, now()).unwrap() - now();
        assert_eq!((after(0), after(1), after(2)), (TimeDelta::minutes(15), TimeDelta::minutes(30), TimeDelta::hours(1)));
        assert_eq!((after(10), after(4_000_000_000)), (TimeDelta::days(1), TimeDelta::days(1)));
    }
}
