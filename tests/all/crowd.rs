//! A host that the sources of many others redirect to.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use feedmill::model::SourceSettings;
use feedmill::poll::Reader;
use feedmill::source::fetch::Limits;

use crate::manners::{PACE, RSS, add, with_limits};
use crate::store::{Fixture, day};
use crate::upstream::Upstream;

/// Six sources of as many hosts that redirect to one, which takes a moment for each answer, read at once.
async fn crowd(reader: Reader) -> (Upstream, Fixture, Vec<bool>) {
    let (goal, f) = (Upstream::new(), Fixture::new().await);
    let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{RSS}", RSS.len());
    goal.then_with(
        "/feed",
        Arc::new(move |stream| {
            std::thread::sleep(Duration::from_millis(300));
            stream.write_all(answer.as_bytes()).unwrap();
        }),
    );
    let fronts: Vec<Upstream> = (0..6).map(|_| Upstream::new()).collect();
    for front in &fronts {
        front.then("/a", &format!("302 Found\r\nLocation: {}", goal.url("/feed")), "");
        add(&f.store, &front.url("/a"), SourceSettings::default()).await;
    }
    let mut readings = tokio::task::JoinSet::new();
    for source in f.store.claim(day(1), 32, PACE.lease()).await.unwrap() {
        let (store, reader) = (f.store.clone(), reader.clone());
        readings.spawn(async move { reader.read(&store, source, day(1)).await.result.is_ok() });
    }
    let read = readings.join_all().await;
    (goal, f, read)
}

#[tokio::test]
async fn a_host_that_many_others_redirect_to_is_asked_once_at_a_time_and_to_wait_for_it_is_no_failure() {
    // All of them take longer than one may.
    let (goal, _f, read) = crowd(with_limits(Limits { time: Duration::from_millis(1_500), ..Limits::default() })).await;
    assert_eq!(read, [true; 6]);
    assert_eq!((goal.requests().len(), goal.most_at_once()), (6, 1));
}

#[tokio::test]
async fn a_host_that_others_redirect_to_has_its_pause() {
    let started = Instant::now();
    let (goal, _f, read) = crowd(with_limits(Limits { pause: Duration::from_millis(200), ..Limits::default() })).await;
    assert_eq!((read, goal.requests().len()), (vec![true; 6], 6));
    assert!(started.elapsed() >= Duration::from_millis(6 * 300 + 5 * 200), "{:?}", started.elapsed());
}

#[tokio::test]
async fn who_asks_a_host_that_others_were_led_to_just_before_lets_it_have_its_pause() {
    let reader = with_limits(Limits { pause: Duration::from_millis(500), ..Limits::default() });
    let (goal, f, _) = crowd(reader.clone()).await;
    goal.then("/own", "200 OK", RSS);
    let own = add(&f.store, &goal.url("/own"), SourceSettings::default()).await;
    let source = f.store.claim_of(vec![own.id], day(1), PACE.lease()).await.unwrap().remove(0);
    let started = Instant::now();
    assert!(reader.read(&f.store, source, day(1)).await.result.is_ok());
    assert!(started.elapsed() >= Duration::from_millis(400), "{:?}", started.elapsed());
}

#[tokio::test]
async fn who_waits_too_long_for_others_is_asked_later_and_has_not_failed() {
    let (goal, f, read) = crowd(with_limits(Limits { turn: Duration::from_millis(100), ..Limits::default() })).await;
    let sources = f.store.sources().await.unwrap();
    let waiting: Vec<_> = sources.iter().filter(|source| source.status.last_good.is_none()).collect();
    assert_eq!((waiting.len() + goal.requests().len(), read.iter().filter(|is_read| !**is_read).count()), (6, waiting.len()));
    assert!(!waiting.is_empty());
    for source in waiting {
        assert_eq!((source.status.failures, source.status.due), (0, Some(day(1) + TimeDelta::minutes(15))));
    }
}
