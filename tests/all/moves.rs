//! Sources that come, move or go: what they are called, which redirects count, and when a source is asked no more.

use chrono::{DurationRound, TimeDelta, Timelike};
use feedmill::model::{EventKind, Header, NewSource, Slug, Source, SourceKind, SourceSettings};

use crate::manners::{RSS, add, again, events, live, reader};
use crate::store::{Fixture, article, day};
use crate::taxonomy::half_done;
use crate::upstream::Upstream;

#[tokio::test]
async fn sources_of_one_name_are_numbered_as_they_come() {
    let f = Fixture::new().await;
    let add = async |number: usize| f.source(SourceKind::Feed, &format!("https://a.example/{number}/news")).await.slug.to_string();
    assert_eq!(add(1).await, "news");
    for number in 2..40 {
        assert_eq!(add(number).await, format!("news-{number}"));
    }
    let by_hand = NewSource {
        kind: SourceKind::Feed,
        location: "https://b.example/".to_owned(),
        slug: Some(Slug::from_name("news-45")),
        title: "B".to_owned(),
        settings: SourceSettings::default(),
    };
    f.store.add_source(by_hand, day(0)).await.unwrap();
    for number in 40..80 {
        assert!(!add(number).await.ends_with("-45"), "it has its own already");
    }
}

async fn moved(code: &str, polls: i64) -> (Upstream, Fixture, Source) {
    let (up, f) = (Upstream::new(), Fixture::new().await);
    up.then("/old", &format!("{code}\r\nLocation: /new"), "");
    up.then("/new", "200 OK\r\nETag: \"1\"", RSS).then("/new", "304 Not Modified", "");
    let source = add(&f.store, &up.url("/old"), SourceSettings::default()).await;
    for number in 1..=polls {
        f.store.release(vec![source.id], day(number)).await.unwrap();
        live(&f.store, &reader(), day(number), day(number) + TimeDelta::minutes(1)).await;
    }
    let source = again(&f.store, &source).await;
    (up, f, source)
}

#[tokio::test]
async fn a_permanent_redirect_moves_a_source_the_third_time_running() {
    for code in ["301 Moved", "308 Permanent"] {
        let (up, f, source) = moved(code, 2).await;
        assert_eq!((source.location, source.status.redirect.unwrap().1), (up.url("/old"), 2), "{code}");
        assert_eq!(events(&f.store).await, []);
    }
    let (up, f, source) = moved("301 Moved", 6).await;
    assert_eq!((&source.location, up.asked("/old"), up.asked("/new")), (&up.url("/new"), 3, 6));
    let told = events(&f.store).await;
    let words = format!("its address has changed for good; it is now asked at {}", up.address);
    assert_eq!(told, [(EventKind::Moved, words)]);
    assert_eq!(f.store.source(&up.url("/old")).await.unwrap().unwrap().id, source.id, "its old address still leads to it");
    let (same, is_new) = f
        .store
        .add_source(
            NewSource {
                kind: SourceKind::Feed,
                location: up.url("/old"),
                slug: None,
                title: "x".into(),
                settings: SourceSettings::default(),
            },
            day(9),
        )
        .await
        .unwrap();
    assert!(!is_new && same.id == source.id);
}

#[tokio::test]
async fn no_other_redirect_moves_a_source() {
    for code in ["302 Found", "303 See", "307 Temporary"] {
        let (up, f, source) = moved(code, 8).await;
        assert_eq!((&source.location, up.asked("/old")), (&up.url("/old"), 8), "{code}");
        assert_eq!(events(&f.store).await, []);
    }
    let (up, f) = (Upstream::new(), Fixture::new().await);
    up.then("/old", "301 M\r\nLocation: /between", "");
    up.then("/between", "302 F\r\nLocation: /new", "");
    up.then("/new", "200 OK", RSS);
    let chain = add(&f.store, &up.url("/old"), SourceSettings::default()).await;
    live(&f.store, &reader(), day(1), day(4)).await;
    assert_eq!(again(&f.store, &chain).await.location, up.url("/old"), "one temporary redirect makes all of them so");
}

#[tokio::test]
async fn a_redirect_that_is_broken_off_is_counted_anew() {
    let (up, f) = (Upstream::new(), Fixture::new().await);
    for answer in ["301 M\r\nLocation: /new", "301 M\r\nLocation: /new", "500 Oh", "301 M\r\nLocation: /new"] {
        up.then("/old", answer, "");
    }
    up.then("/new", "200 OK", RSS);
    let source = add(&f.store, &up.url("/old"), SourceSettings::default()).await;
    for number in 1..=5 {
        f.store.release(vec![source.id], day(number)).await.unwrap();
        live(&f.store, &reader(), day(number), day(number) + TimeDelta::minutes(1)).await;
    }
    assert_eq!(again(&f.store, &source).await.location, up.url("/old"));
}

#[tokio::test]
async fn a_source_never_moves_onto_another_one_nor_takes_its_keys_elsewhere() {
    let (up, elsewhere, f) = (Upstream::new(), Upstream::new(), Fixture::new().await);
    up.then("/old", "301 M\r\nLocation: /new", "").then("/new", "200 OK", RSS);
    let old = add(&f.store, &up.url("/old"), SourceSettings::default()).await;
    add(&f.store, &up.url("/new"), SourceSettings::default()).await;
    up.then("/keys", &format!("301 M\r\nLocation: {}", elsewhere.url("/new")), "");
    elsewhere.then("/new", "200 OK", RSS);
    let headers = vec![Header { name: "X-Key".into(), value: "hush".into() }];
    let keys = add(&f.store, &up.url("/keys"), SourceSettings { headers, ..SourceSettings::default() }).await;
    live(&f.store, &reader(), day(1), day(4)).await;
    assert_eq!(again(&f.store, &old).await.location, up.url("/old"));
    let told = events(&f.store).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|(kind, _)| *kind == EventKind::Moved), "{told:?}");
    assert!(told.iter().any(|(_, words)| words.contains("which is another source; remove one of the two")), "{told:?}");
    assert!(up.requests().iter().filter(|request| request.target == "/keys").all(|request| request.header("x-key") == Some("hush")));
    assert!(elsewhere.requests().iter().all(|request| request.header("x-key").is_none()), "{:?}", elsewhere.requests());
    assert_eq!(again(&f.store, &keys).await.location, up.url("/keys"));
    assert!(!format!("{:?}", again(&f.store, &keys).await).contains("hush"), "no log shows it");
}

#[tokio::test]
async fn a_source_moves_to_the_address_of_another_one_once_that_was_removed() {
    let (up, f) = (Upstream::new(), Fixture::new().await);
    up.then("/old", "301 M\r\nLocation: /new", "").then("/new", "200 OK", RSS);
    let old = add(&f.store, &up.url("/old"), SourceSettings::default()).await;
    let new = add(&f.store, &up.url("/new"), SourceSettings::default()).await;
    f.store.also_known(new.id, &up.url("/page")).await.unwrap();
    live(&f.store, &reader(), day(1), day(4)).await;
    assert_eq!(events(&f.store).await.len(), 1, "why it cannot move is told once");
    f.store.remove_source(new.id, day(4)).await.unwrap();
    live(&f.store, &reader(), day(4), day(5)).await;
    assert_eq!(again(&f.store, &old).await.location, up.url("/new"));
    assert_eq!(events(&f.store).await.len(), 2);
    for path in ["/old", "/new", "/page"] {
        assert_eq!(f.store.source(&up.url(path)).await.unwrap().unwrap().id, old.id, "{path}");
        assert_eq!(f.source(SourceKind::Feed, &up.url(path)).await.id, old.id, "{path}");
    }
    f.store.remove_source(old.id, day(5)).await.unwrap();
    assert_eq!(f.source(SourceKind::Feed, &up.url("/new")).await.id, old.id, "who had the address last comes back");
}

#[tokio::test]
async fn a_source_that_is_gone_is_asked_no_more_until_its_owner_says_so() {
    let (up, f) = (Upstream::new(), Fixture::new().await);
    up.then("/a", "410 Gone", "").then("/a", "200 OK", RSS);
    let source = add(&f.store, &up.url("/a"), SourceSettings::default()).await;
    live(&f.store, &reader(), day(1), day(3)).await;
    assert_eq!(up.asked("/a"), 1);
    let gone = again(&f.store, &source).await;
    assert!(gone.status.is_gone());
    assert_eq!(events(&f.store).await[0].0, EventKind::Gone);
    f.store.release(vec![source.id], day(3)).await.unwrap();
    live(&f.store, &reader(), day(3), day(3) + TimeDelta::minutes(20)).await;
    assert_eq!(up.asked("/a"), 2);
    assert_eq!(events(&f.store).await[0], (EventKind::Recovered, format!("it had failed since {} UTC", day(1).format("%F %R"))));
    assert!(again(&f.store, &source).await.status.due.is_some());
}

#[tokio::test]
async fn a_source_that_leads_for_now_to_what_is_gone_is_asked_on() {
    for (code, is_gone) in [("302 Found", false), ("301 Moved", true)] {
        let (up, f) = (Upstream::new(), Fixture::new().await);
        up.then("/a", &format!("{code}\r\nLocation: /b"), "").then("/b", "410 Gone", "").then("/b", "200 OK", RSS);
        let source = add(&f.store, &up.url("/a"), SourceSettings::default()).await;
        live(&f.store, &reader(), day(1), day(2)).await;
        let status = again(&f.store, &source).await.status;
        assert_eq!((up.asked("/a") > 1, status.is_gone(), status.first_read.is_none()), (!is_gone, is_gone, is_gone), "{code}");
    }
}

#[tokio::test]
async fn a_source_that_was_removed_comes_back_once_from_a_list_of_its_addresses() {
    let f = Fixture::new().await;
    let source = f.source(SourceKind::Feed, "https://a.example/new").await;
    f.store.also_known(source.id, "https://a.example/old").await.unwrap();
    f.store.remove_source(source.id, day(1)).await.unwrap();
    let new = |location: &str| NewSource {
        kind: SourceKind::Feed,
        location: location.to_owned(),
        slug: None,
        title: "A".into(),
        settings: SourceSettings::default(),
    };
    let list = ["https://a.example/old", "https://a.example/new", "https://b.example/"].map(|location| (new(location), day(3)));
    assert_eq!(f.store.add_sources(list.to_vec(), day(2)).await.unwrap(), 2);
    let due: Vec<_> = f.store.sources().await.unwrap().into_iter().map(|source| (source.location, source.status.due)).collect();
    assert_eq!(due.len(), 2, "{due:?}");
    assert!(due.iter().all(|(_, due)| *due == Some(day(3))), "{due:?}");
    assert_eq!(f.store.add_sources(list.to_vec(), day(2)).await.unwrap(), 0, "all are known");
}

#[tokio::test]
async fn a_removal_that_was_broken_off_is_ended_by_the_same_command_and_by_the_poller() {
    for by_poller in [false, true] {
        let f = Fixture::new().await;
        let source = f.source(SourceKind::Feed, "https://a.example/feed").await;
        f.feed(&source, vec![article("1"), article("2")], day(1)).await;
        half_done(&f, "UPDATE sources SET removed = 1");
        assert_eq!(f.store.source("feed").await.unwrap(), None);
        if by_poller {
            assert_eq!(f.store.finish_removals(day(2)).await.unwrap(), 2);
        } else {
            let left = f.store.removable("feed").await.unwrap().unwrap();
            assert_eq!(f.store.remove_source(left.id, day(2)).await.unwrap(), 2);
        }
        assert!(f.guids("/").await.is_empty());
        assert_eq!(f.store.removable("feed").await.unwrap(), None, "now it is gone");
        assert_eq!(f.store.finish_removals(day(3)).await.unwrap(), 0);
        let back = f.source(SourceKind::Feed, "https://a.example/feed").await;
        assert_eq!((back.id, f.guids("/").await.len()), (source.id, 2));
    }
}

#[tokio::test]
async fn what_a_clock_that_was_ahead_read_is_read_again_once_it_is_right() {
    let (up, f) = (Upstream::new(), Fixture::new().await);
    up.then("/a", "200 OK", RSS).then("/gone", "200 OK", RSS).then("/gone", "410 Gone", "").then(
        "/busy",
        "429 Slow\r\nRetry-After: 600",
        "",
    );
    for path in ["/a", "/gone", "/busy"] {
        add(&f.store, &up.url(path), SourceSettings::default()).await;
    }
    live(&f.store, &reader(), day(400), day(401)).await;
    let asked = up.asked("/gone");
    assert!(live(&f.store, &reader(), day(1), day(2)).await.is_empty());
    f.store.forget_times_ahead(day(2)).await.unwrap();
    let after = live(&f.store, &reader(), day(2), day(2) + TimeDelta::minutes(20)).await;
    assert!(after.iter().filter(|(_, name)| name == "a").count() == 1 && after.iter().any(|(_, name)| name == "busy"), "{after:?}");
    assert_eq!(up.asked("/gone"), asked, "what is gone is asked no more");
    let source = f.store.source(&up.url("/a")).await.unwrap().unwrap();
    f.store.forget_times_ahead(day(2) + TimeDelta::minutes(20)).await.unwrap();
    assert_eq!(again(&f.store, &source).await, source, "what was read since is due as it was");
}

#[tokio::test]
async fn a_redirect_within_a_host_is_followed_as_the_user_of_the_source_and_one_to_another_is_not() {
    let (up, elsewhere, f) = (Upstream::new(), Upstream::new(), Fixture::new().await);
    up.then("/a", &format!("301 M\r\nLocation: {}", up.url("/b")), "").then("/b", "200 OK", RSS);
    up.then("/c", &format!("302 F\r\nLocation: {}", elsewhere.url("/d")), "");
    elsewhere.then("/d", "200 OK", RSS);
    let as_ann = |path: &str| up.url(path).replace("http://", "http://ann:pw@");
    let kept = add(&f.store, &as_ann("/a"), SourceSettings::default()).await;
    add(&f.store, &as_ann("/c"), SourceSettings::default()).await;
    for number in 1..=3 {
        live(&f.store, &reader(), day(number), day(number) + TimeDelta::minutes(5)).await;
    }
    assert!(up.requests().iter().all(|request| request.head.contains("authorization: Basic YW5uOnB3")), "{:?}", up.requests());
    assert!(elsewhere.requests().iter().all(|request| !request.head.contains("authorization")), "{:?}", elsewhere.requests());
    assert_eq!((up.asked("/b"), elsewhere.asked("/d")), (3, 3));
    assert_eq!(again(&f.store, &kept).await.location, as_ann("/b"), "it moves with its user");
}

#[tokio::test]
async fn a_fraction_of_a_second_makes_nobody_asked_too_soon() {
    let (up, f) = (Upstream::new(), Fixture::new().await);
    let slow = std::time::Duration::from_millis(200);
    up.then_with(
        "/a",
        std::sync::Arc::new(move |stream: &mut std::net::TcpStream| {
            std::thread::sleep(slow);
            let _ =
                std::io::Write::write_all(stream, b"HTTP/1.1 429 Slow\r\nRetry-After: 2\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        }),
    );
    up.then("/b", "200 OK", RSS).then("/c", "200 OK", RSS);
    for path in ["/b", "/c"] {
        add(&f.store, &up.url(path), SourceSettings::default()).await;
    }
    let (reader, start) = (reader(), day(1) + TimeDelta::milliseconds(900));
    let claimed = async |millis: i64| f.store.claim(start + TimeDelta::milliseconds(millis), 9, reader.pace.lease()).await.unwrap();
    reader.read(&f.store, claimed(0).await.remove(0), start).await;
    assert!(claimed(1_100).await.is_empty() && claimed(1_900).await.is_empty(), "the pause of two seconds is not over");
    let last = start + TimeDelta::milliseconds(2_200);
    reader.read(&f.store, claimed(2_200).await.remove(0), last).await;
    let busy = add(&f.store, &up.url("/a"), SourceSettings::default()).await;
    let later = start + TimeDelta::seconds(60);
    reader.read(&f.store, claimed(60_000).await.remove(0), later).await;
    let free = again(&f.store, &busy).await.status.host_free.unwrap();
    assert!(free >= later + TimeDelta::seconds(2) + TimeDelta::from_std(slow).unwrap(), "it counts from the answer: {}", free - later);
}

#[tokio::test]
async fn what_was_due_before_an_hour_that_it_skips_is_not_asked_in_it() {
    let (up, f, reader) = (Upstream::new(), Fixture::new().await, reader());
    let hour = day(1).hour();
    let skips = format!("<skipHours><hour>{}</hour></skipHours><item>", (hour + 1) % 24);
    up.then("/a", "200 OK", &RSS.replace("<item>", &skips));
    let source = add(&f.store, &up.url("/a"), SourceSettings::default()).await;
    let read = async |now| {
        let open = reader.open(&f.store, f.store.claim(now, 9, reader.pace.lease()).await.unwrap(), now).await.unwrap();
        for source in &open {
            reader.read(&f.store, source.clone(), now).await;
        }
        open.len()
    };
    assert_eq!(read(day(1)).await, 1);
    let late = day(1).duration_trunc(TimeDelta::hours(1)).unwrap() + TimeDelta::minutes(90);
    f.store.release(vec![source.id], day(1) + TimeDelta::minutes(1)).await.unwrap();
    assert_eq!((read(late).await, again(&f.store, &source).await.status.due), (0, Some(late + TimeDelta::hours(1))));
    assert_eq!(read(late + TimeDelta::hours(1)).await, 1, "nor does its host stay taken");
}
