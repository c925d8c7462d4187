//! When a source is asked again: pure arithmetic.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DurationRound, TimeDelta};

use crate::model::{Batch, Hints, Source, SourceKind, Time};

/// So many of a source's last posts say how often it posts.
pub(super) const POSTS: usize = 20;
/// No server's word is followed for longer: a slip of its configuration would silence a source for ever.
const LONGEST: TimeDelta = TimeDelta::days(31);

/// The bounds of the time between two readings of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// No feed is asked sooner.
    pub min: Duration,
    /// None is left for longer, but by its publisher's word or its owner's.
    pub max: Duration,
    /// For sources whose posts say nothing of their own.
    pub every: Duration,
    /// Between two requests to one host.
    pub spacing: Duration,
}

impl Pace {
    /// When a source that is pushed is due: polling it is but a safety net.
    pub(super) fn slowly(&self, due: Time, now: Time) -> Time {
        due.max(now + delta(self.max) / 2)
    }

    /// When a feed that was read is due at the latest, by its owner's new word; not before its publisher allows.
    #[must_use]
    pub fn hastened(&self, source: &Source, now: Time) -> Option<Time> {
        let (status, every) = (&source.status, source.settings.every.unwrap_or(self.every).clamp(self.min, self.max));
        let asked = status.last_read?;
        Some(allowed(&status.hints, status.not_before, now.max(asked + delta(every)), asked))
    }
}

/// When a source that answered is due again: after its interval, not before it allows, and at the latest when one of
/// its files is to appear or to expire. `posts`: when its last articles in the store were published.
pub(super) fn after_success(source: &Source, batch: &Batch, posts: &[Time], pace: &Pace, now: Time) -> Option<Time> {
    let interval = match source.kind {
        SourceKind::Inbox => return None,
        SourceKind::Folder => delta(pace.max),
        SourceKind::Feed => interval(source, batch, posts, pace, now),
    };
    let hints = batch.hints.as_ref().unwrap_or(&source.status.hints);
    let polite = allowed(hints, batch.not_before, now + spread(source, interval, pace), now);
    Some(batch.revisit.map_or(polite, |revisit| polite.min(revisit.max(now))))
}

/// When a source that failed is due again: twice as late with each failure, a day at the most, and not before it
/// allows.
pub(super) fn after_failure(source: &Source, not_before: Option<Time>, pace: &Pace, now: Time) -> Option<Time> {
    let doublings = source.status.failures.min(16);
    let interval = delta(pace.min).checked_mul(1 << doublings).unwrap_or(TimeDelta::days(1)).min(TimeDelta::days(1)).max(delta(pace.min));
    let planned = now + interval + jitter(source, interval);
    (source.kind != SourceKind::Inbox).then(|| allowed(&source.status.hints, not_before, planned, now))
}

/// The first time from `planned` on that the publisher allows, who was asked at `asked`.
fn allowed(hints: &Hints, not_before: Option<Time>, planned: Time, asked: Time) -> Time {
    whole(hints.allowed(asked, not_before.map_or(planned, |allowed| planned.max(allowed.min(asked + LONGEST)))))
}

/// The first whole second that is no sooner: times are stored in seconds, and nobody is to be asked before the time that is meant.
pub(super) fn whole(time: Time) -> Time {
    time.duration_trunc(TimeDelta::seconds(1)).ok().filter(|second| *second < time).map_or(time, |second| second + TimeDelta::seconds(1))
}

/// The owner's word, else half the mean gap between the last posts.
fn interval(source: &Source, batch: &Batch, posts: &[Time], pace: &Pace, now: Time) -> TimeDelta {
    if let Some(every) = source.settings.every {
        return delta(every.max(pace.min));
    }
    let read = batch.articles.iter().filter_map(|article| article.published).filter(|time| *time <= now);
    let all: BTreeSet<Time> = posts.iter().copied().chain(read).collect();
    let last: Vec<Time> = all.into_iter().rev().take(POSTS).collect();
    let half = mean_gap(&last, now).map_or(delta(pace.every), |gap| gap / 2);
    half.clamp(delta(pace.min), delta(pace.max))
}

/// The mean gap between posts, the newest first. The silence since the last one counts once it is longer: who fell
/// silent posts less often.
fn mean_gap(posts: &[Time], now: Time) -> Option<TimeDelta> {
    let (newest, oldest) = (*posts.first()?, *posts.last()?);
    let gaps = i32::try_from(posts.len() - 1).ok().filter(|gaps| *gaps > 0)?;
    let mean = (newest - oldest) / gaps;
    Some(if now - newest > mean { (now - oldest) / (gaps + 1) } else { mean })
}

/// An interval with its jitter, which leads to neither side of the bounds: at the upper one it is taken away.
fn spread(source: &Source, interval: TimeDelta, pace: &Pace) -> TimeDelta {
    let jitter = jitter(source, interval);
    if interval + jitter <= delta(pace.max) || source.settings.every.is_some() {
        return interval + jitter;
    }
    (interval - jitter).max(delta(pace.min))
}

/// Up to a tenth of the interval, by the source, so that many sources added at once do not stay together.
fn jitter(source: &Source, interval: TimeDelta) -> TimeDelta {
    let spread = source.id.0.wrapping_mul(7_919).rem_euclid(1_000);
    TimeDelta::milliseconds(interval.num_milliseconds() / 10_000 * spread)
}

pub(super) fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::days(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Article, Slug, SourceId, SourceInfo, SourceSettings, SourceStatus};
    use chrono::{DateTime, Timelike};

    const PACE: Pace = Pace {
        min: Duration::from_mins(15),
        max: Duration::from_hours(24),
        every: Duration::from_mins(30),
        spacing: Duration::from_secs(2),
    };

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
        let after = |source: &Source, batch: &Batch| after_success(source, batch, &[], &PACE, now()).unwrap() - now();
        let feed = |every| source(SourceKind::Feed, 0, every);
        assert_eq!(after(&feed(None), &Batch::default()), TimeDelta::minutes(30));
        assert_eq!(after(&feed(Some(Duration::from_secs(1))), &Batch::default()), TimeDelta::minutes(15));
        let polite = Batch { not_before: Some(now() + TimeDelta::hours(3)), ..Batch::default() };
        assert_eq!(after(&feed(None), &polite), TimeDelta::hours(3));
        assert_eq!(after_success(&source(SourceKind::Inbox, 0, None), &Batch::default(), &[], &PACE, now()), None);
    }

    #[test]
    fn what_is_stored_in_seconds_is_never_sooner_than_it_is_meant() {
        let (half, second) = (now() + TimeDelta::milliseconds(500), TimeDelta::seconds(1));
        assert_eq!((whole(now()), whole(half)), (now(), now() + second));
        let (feed, polite) =
            (source(SourceKind::Feed, 0, None), Batch { not_before: Some(half + TimeDelta::hours(3)), ..Batch::default() });
        assert_eq!(after_success(&feed, &polite, &[], &PACE, half), Some(now() + TimeDelta::hours(3) + second));
        assert_eq!(after_failure(&feed, None, &PACE, half), Some(now() + TimeDelta::minutes(15) + second));
    }

    #[test]
    fn a_file_that_is_to_appear_makes_its_folder_due() {
        let batch = Batch { revisit: Some(now() + TimeDelta::seconds(5)), ..Batch::default() };
        let due = after_success(&source(SourceKind::Folder, 0, None), &batch, &[], &PACE, now());
        assert_eq!(due, batch.revisit);
    }

    #[test]
    fn failures_back_off_to_a_day_and_are_never_given_up() {
        let after = |failures| after_failure(&source(SourceKind::Feed, failures, None), None, &PACE, now()).unwrap() - now();
        assert_eq!((after(0), after(1), after(2)), (TimeDelta::minutes(15), TimeDelta::minutes(30), TimeDelta::hours(1)));
        assert_eq!((after(10), after(4_000_000_000)), (TimeDelta::days(1), TimeDelta::days(1)));
    }

    #[test]
    fn a_feed_is_asked_twice_as_often_as_it_posts() {
        let every = |hours: i64| (0..30).map(|n| now() - TimeDelta::hours(n * hours)).collect::<Vec<_>>();
        let after =
            |posts: &[Time]| after_success(&source(SourceKind::Feed, 0, None), &Batch::default(), posts, &PACE, now()).unwrap() - now();
        assert_eq!(
            (after(&every(4)), after(&every(1)), after(&every(100))),
            (TimeDelta::hours(2), TimeDelta::minutes(30), TimeDelta::hours(24))
        );
        assert_eq!(after(&[]), TimeDelta::minutes(30), "without posts as configured");
        assert_eq!(after(&every(4)[..1]), TimeDelta::minutes(30), "one post says nothing");
        let silent: Vec<Time> = every(1).iter().map(|time| *time - TimeDelta::days(20)).collect();
        assert!(after(&silent) > TimeDelta::hours(11), "who fell silent is asked less often: {}", after(&silent));
        let articles = every(8).into_iter().map(|time| Article { published: Some(time), ..Article::default() }).collect();
        let first = Batch { articles, ..Batch::default() };
        assert_eq!(after_success(&source(SourceKind::Feed, 0, None), &first, &[], &PACE, now()), Some(now() + TimeDelta::hours(4)));
        let named = source(SourceKind::Feed, 0, Some(Duration::from_hours(48)));
        assert_eq!(after_success(&named, &Batch::default(), &every(4), &PACE, now()), Some(now() + TimeDelta::hours(48)));
    }

    #[test]
    fn what_a_feed_asked_for_counts_for_answers_without_a_document_and_for_failures() {
        let mut feed = source(SourceKind::Feed, 0, None);
        feed.status.hints = Hints { interval: Some(Duration::from_hours(3)), ..Hints::default() };
        let three = Some(now() + TimeDelta::hours(3));
        assert_eq!(after_success(&feed, &Batch::default(), &[], &PACE, now()), three);
        assert_eq!(after_failure(&feed, None, &PACE, now()), three);
        let forgotten = Batch { hints: Some(Hints::default()), ..Batch::default() };
        assert_eq!(after_success(&feed, &forgotten, &[], &PACE, now()), Some(now() + TimeDelta::minutes(30)));
    }

    #[test]
    fn an_owner_hastens_a_feed_no_more_than_its_publisher_allows() {
        let hastened = |hints: Hints, not_before: Option<TimeDelta>| {
            let mut feed = source(SourceKind::Feed, 0, Some(Duration::from_hours(1)));
            feed.status =
                SourceStatus { last_read: Some(now()), hints, not_before: not_before.map(|time| now() + time), ..SourceStatus::default() };
            PACE.hastened(&feed, now() + TimeDelta::minutes(5)).unwrap() - now()
        };
        assert_eq!(hastened(Hints::default(), None), TimeDelta::hours(1));
        assert_eq!(hastened(Hints::default(), Some(TimeDelta::hours(10))), TimeDelta::hours(10));
        assert_eq!(hastened(Hints { interval: Some(Duration::from_hours(5)), ..Hints::default() }, None), TimeDelta::hours(5));
        let skipped = Hints { skip_hours: 1 << (now() + TimeDelta::hours(1)).hour(), ..Hints::default() };
        assert_eq!(hastened(skipped, None), TimeDelta::hours(2));
    }

    #[test]
    fn jitter_spreads_sources_within_the_bounds() {
        let posts: Vec<Time> = (0..20).map(|n| now() - TimeDelta::days(n * 30)).collect();
        let due = |id, posts: &[Time]| {
            let feed = Source { id: SourceId(id), ..source(SourceKind::Feed, 0, None) };
            after_success(&feed, &Batch::default(), posts, &PACE, now()).unwrap() - now()
        };
        let spread: BTreeSet<TimeDelta> = (0..100).map(|id| due(id, &posts)).collect();
        assert!(spread.len() > 90 && *spread.last().unwrap() <= TimeDelta::hours(24), "{spread:?}");
        assert!((0..100).all(|id| (TimeDelta::minutes(30)..=TimeDelta::minutes(33)).contains(&due(id, &[]))));
    }
}
