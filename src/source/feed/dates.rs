//! Dates as feeds write them: RFC 822 and RFC 3339, and all that the wild makes of them, in any order and in the
//! languages that occur. It never guesses a date from a text that has none.

mod clock;
mod day;
mod persian;
mod words;

use chrono::{DateTime, Datelike, Duration, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use regex::Regex;

use crate::model::{Language, Time};
use clock::Clock;
use words::Zone;

/// No date of a feed is longer; a longer text is none.
const MAX_BYTES: usize = 200;

/// What a date does not say of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    /// The zone of dates that name none.
    zone: Tz,
    /// Whether `CST` is China's time rather than America's.
    is_chinese: bool,
    /// Whether `listopad` is October, which it is in Croatian alone.
    is_croatian: bool,
    /// Whether `1402/08/15` is a day of the Persian calendar.
    is_persian: bool,
}

impl Habits {
    /// Those of a source in a zone that is written in a language. `CST` is China's time in Asia, but for a feed that
    /// says to be of a country that has a central time of its own.
    pub(super) fn new(zone: Tz, language: Option<&Language>) -> Self {
        let language = language.map_or("", Language::as_str);
        let is_american = ["-US", "-CA", "-MX"].iter().any(|region| language.ends_with(region));
        let is_asian = zone.name().starts_with("Asia/") || ["PRC", "ROC", "Hongkong", "Singapore"].contains(&zone.name());
        let is = |code: &str| language.split('-').next() == Some(code);
        Self { zone, is_chinese: is("zh") || is_asian && !is_american, is_croatian: is("hr"), is_persian: is("fa") }
    }

    /// Those of what states a language of its own.
    pub(super) fn of(self, language: Option<&Language>) -> Self {
        language.map_or(self, |language| Self::new(self.zone, Some(language)))
    }
}

/// Reads a date. A day without a time is its midnight.
pub(super) fn parse(text: &str, habits: Habits) -> Option<Time> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_BYTES {
        return None;
    }
    let time = match DateTime::parse_from_rfc3339(text).ok().or_else(|| plain_mail_date(text)) {
        Some(date) => DateTime::from_timestamp(date.timestamp(), 0).and_then(|time| time.with_year(day::gregorian(time.year()))),
        None => free_form(text, habits),
    };
    // Years that RFC 3339 cannot write would be no date to a reader.
    time.filter(|time| (1..=9999).contains(&time.year()))
}

/// A date of RFC 822 that leaves nothing open, as most feeds write it; what any part leaves open is not its to settle.
fn plain_mail_date(text: &str) -> Option<DateTime<FixedOffset>> {
    let mut parts = text.rsplit(' ');
    let (zone, clock, year) = (parts.next()?, parts.next()?, parts.next()?);
    let has_offset = zone == "GMT" || zone.len() == 5 && zone.starts_with(['+', '-']);
    let is_plain = has_offset && clock.len() == 8 && !clock.ends_with("60") && year.len() == 4 && parts.count() <= 3;
    if is_plain { DateTime::parse_from_rfc2822(text).ok() } else { None }
}

fn free_form(text: &str, habits: Habits) -> Option<Time> {
    let folded = words::fold(&persian::in_our_calendar(text, habits.is_persian));
    let (rest, clock) = clock::take(&folded);
    let (rest, zone) = clock::take_zone(&rest, clock.is_some(), habits.is_chinese);
    let zone = zone.or_else(|| words::is_korean(text).then_some(Zone::Offset(540)));
    match day::find(&rest, habits.is_croatian) {
        Some(day) => resolve(day, clock.unwrap_or_default(), zone, habits.zone),
        None => epoch(text),
    }
}

/// Hours and minutes beyond the last are of the time after: `24:00`, and `25:30` of a night in Japan.
fn resolve(day: NaiveDate, clock: Clock, zone: Option<Zone>, fallback: Tz) -> Option<Time> {
    let seconds = clock.hours * 3600 + clock.minutes * 60 + clock.seconds;
    let local = day.and_time(NaiveTime::MIN).checked_add_signed(Duration::seconds(seconds))?;
    match zone {
        Some(Zone::Offset(minutes)) => FixedOffset::east_opt(minutes * 60)?.from_local_datetime(&local).single().map(|date| date.to_utc()),
        Some(Zone::Named(zone)) => in_zone(local, zone),
        None => in_zone(local, fallback),
    }
}

/// A local time that a change of the clocks leaves out is an hour later, or a day where a country has crossed the date
/// line; one that it repeats is the first of the two.
fn in_zone(local: NaiveDateTime, zone: Tz) -> Option<Time> {
    let later = |hours| zone.from_local_datetime(&local.checked_add_signed(Duration::hours(hours))?).earliest();
    [0, 1, 24].into_iter().find_map(later).map(|date| date.with_timezone(&Utc))
}

/// Seconds since 1970, or as many digits more as there are milliseconds or microseconds; .NET writes `/Date(…)/`.
fn epoch(text: &str) -> Option<Time> {
    let net = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/"));
    let number = net.map_or(text.trim_start_matches('@'), |net| net.split(['+', '-']).next().unwrap_or(net));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if !(whole.bytes().chain(fraction.bytes())).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = match whole.len() {
        9 | 10 => whole,
        13 | 16 => &whole[..10],
        _ => return None,
    };
    DateTime::from_timestamp(seconds.parse().ok()?, 0)
}

fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTC: Habits = Habits { zone: Tz::UTC, is_chinese: false, is_croatian: false, is_persian: false };

    fn written(text: &str, habits: Habits) -> Option<String> {
        parse(text, habits).map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
    }

    #[test]
    fn dates_of_the_wild_are_read() {
        for (text, expected) in [
            ("Mon, 06 May 2024 10:11:12 GMT", "2024-05-06T10:11:12Z"),
            ("Mon, 06 May 2024 10:11:12 +0800", "2024-05-06T02:11:12Z"),
            ("6 May 24 10:11 EST", "2024-05-06T15:11:00Z"),
            ("Montag, 6. Mai 2024 10:11:12 +0200", "2024-05-06T08:11:12Z"),
            ("Mon, 06 May 2024 24:00:00 GMT", "2024-05-07T00:00:00Z"),
            ("Mon, 06 May 2024 10:11:12 GMT+08:00", "2024-05-06T02:11:12Z"),
            ("Mon May  6 10:11:12 2024", "2024-05-06T10:11:12Z"),
            ("Mon May  6 10:11:12 PDT 2024", "2024-05-06T17:11:12Z"),
            ("May 6, 2024 1:02 pm", "2024-05-06T13:02:00Z"),
            ("2024-05-06", "2024-05-06T00:00:00Z"),
            ("2024-05", "2024-05-01T00:00:00Z"),
            ("2024", "2024-01-01T00:00:00Z"),
            ("2024-05-06T10:11:12.345Z", "2024-05-06T10:11:12Z"),
            ("2024-05-06T10:11+08:00", "2024-05-06T02:11:00Z"),
            ("2024-05-06 10:11:12 +0800", "2024-05-06T02:11:12Z"),
            ("20240506T101112Z", "2024-05-06T10:11:12Z"),
            ("20240506", "2024-05-06T00:00:00Z"),
            ("2024-127", "2024-05-06T00:00:00Z"),
            ("2024-W19-1", "2024-05-06T00:00:00Z"),
            ("5/6/2024 10:11:12 AM", "2024-05-06T10:11:12Z"),
            ("2024/5/6 14:03", "2024-05-06T14:03:00Z"),
            ("06.05.2024 10:11", "2024-05-06T10:11:00Z"),
            ("2024년 05월 06일 오후 01:31:15", "2024-05-06T04:31:15Z"),
            ("2024年5月6日 下午1点02分", "2024-05-06T13:02:00Z"),
            ("2004-július-13T9:15-05:00", "2004-07-13T14:15:00Z"),
            ("Κυρ, 11 Ιούλ 2004 12:00:00 EST", "2004-07-11T17:00:00Z"),
            ("Δευ, 06 Μαΐ 2024 10:11:12 EEST", "2024-05-06T07:11:12Z"),
            ("2024. május 6. 10:11", "2024-05-06T10:11:00Z"),
            ("mar, 15 nov 2022 00:38:15 +0100", "2022-11-14T23:38:15Z"),
            ("martes, 7 de mayo de 2024", "2024-05-07T00:00:00Z"),
            ("mardi 7 mai 2024 10:11", "2024-05-07T10:11:00Z"),
            ("martedì 7 maggio 2024", "2024-05-07T00:00:00Z"),
            ("Marți, 7 mai 2024", "2024-05-07T00:00:00Z"),
            ("Marti, 12 martie 2024", "2024-03-12T00:00:00Z"),
            ("mar, 17 sept 2024", "2024-09-17T00:00:00Z"),
            ("mar nov 15 00:38:15 2022", "2022-11-15T00:38:15Z"),
            ("mar. 12 mars 2024", "2024-03-12T00:00:00Z"),
            ("Mar 7 2024", "2024-03-07T00:00:00Z"),
            ("Mon, 11 Mar 2024", "2024-03-11T00:00:00Z"),
            ("7 mars 2024", "2024-03-07T00:00:00Z"),
            ("Mar/Apr 2024", "2024-03-01T00:00:00Z"),
            ("2004-05-25 오후 11:23:17", "2004-05-25T14:23:17Z"),
            ("월, 06 5월 2024 10:11:12 +0900", "2024-05-06T01:11:12Z"),
            ("2024年05月06日 10时11分12秒", "2024-05-06T10:11:12Z"),
            ("2024年5月6日 晚上11点", "2024-05-06T23:00:00Z"),
            ("2024年5月6日 中午11:30", "2024-05-06T11:30:00Z"),
            ("周五, 06 十二月 2024 10:11:12 +0800", "2024-12-06T02:11:12Z"),
            ("二〇二四年十二月二十一日", "2024-12-21T00:00:00Z"),
            ("二零一〇年五月三十日 十点", "2010-05-30T10:00:00Z"),
            ("民國113年5月6日", "2024-05-06T00:00:00Z"),
            ("令和6年5月6日(月) 25:30", "2024-05-07T01:30:00Z"),
            ("２０２４年５月６日　１０：１１", "2024-05-06T10:11:00Z"),
            ("Fri, 2006/09/15 08:19:53 EDT", "2006-09-15T12:19:53Z"),
            ("2004-07-08 23:56:58.0", "2004-07-08T23:56:58Z"),
            ("Mon, 06 May 124 10:11:12 GMT", "2024-05-06T10:11:12Z"),
            ("Sun Jul 15 01:16:00 +0000 2012", "2012-07-15T01:16:00Z"),
            ("Mon, 06 May 2024 10:11:12 +800", "2024-05-06T02:11:12Z"),
            ("Mon, 06 May 2024 10:11:12 +8000", "2024-05-06T10:11:12Z"),
            ("Mon, 06 May 2024 10:11:12 0000", "2024-05-06T10:11:12Z"),
            ("Mon, 06 May 2024 10:11:12 ET", "2024-05-06T15:11:12Z"),
            ("Mon, 06 May 2024 10:11:12 Eastern Standard Time", "2024-05-06T15:11:12Z"),
            ("Mon, 06 May 2024 10:11:12 America/New_York", "2024-05-06T14:11:12Z"),
            ("Mon May 06 2024 10:11:12 GMT+0800 (中国标准时间)", "2024-05-06T02:11:12Z"),
            ("Mon, 06 May 2024 10:11:12 (PST)", "2024-05-06T18:11:12Z"),
            ("Thu, 09 (nested (comment) Mar)Feb(escaped \\) 2005) 2006()23:59:45 +0000", "2006-02-09T23:59:45Z"),
            ("Sat, 31 Jun 2006 23:08:26 GMT", "2006-07-01T23:08:26Z"),
            ("2003-06-31T25:61:30Z", "2003-07-02T02:01:30Z"),
            ("2003-07-32T15:51:30-05:00", "2003-08-01T20:51:30Z"),
            ("2024-05-06T10:11:12+08:00[Asia/Shanghai]", "2024-05-06T02:11:12Z"),
            ("2024-05-06T10+08", "2024-05-06T02:00:00Z"),
            ("2024-05-06+08:00", "2024-05-05T16:00:00Z"),
            ("2024-05-06Z", "2024-05-06T00:00:00Z"),
            ("2024-05-06_10:11:12", "2024-05-06T10:11:12Z"),
            ("20240506101112", "2024-05-06T10:11:12Z"),
            ("2003-012-31T10:14:55+00:00", "2003-12-31T10:14:55Z"),
            ("031231", "2003-12-31T00:00:00Z"),
            ("03335", "2003-12-01T00:00:00Z"),
            ("-03-12", "2003-12-01T00:00:00Z"),
            ("Mon, 06 May 2024 10.11.12 GMT", "2024-05-06T10:11:12Z"),
            ("2024-05-06 10:11:12.123456789 +0800 CST m=+0.000000001", "2024-05-06T02:11:12Z"),
            ("2024\u{2011}05\u{2011}06", "2024-05-06T00:00:00Z"),
            ("6. Jänner 2024 10:11", "2024-01-06T10:11:00Z"),
            ("6 Desember 2024", "2024-12-06T00:00:00Z"),
            ("1714990272", "2024-05-06T10:11:12Z"),
            ("/Date(1714990272123+0800)/", "2024-05-06T10:11:12Z"),
        ] {
            assert_eq!(written(text, UTC).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn dates_in_words_of_many_languages_are_read() {
        for (text, expected) in [
            ("pondělí 6. května 2024 10:11", "2024-05-06T10:11:00Z"),
            ("1. července 2024", "2024-07-01T00:00:00Z"),
            ("maanantai 6. toukokuuta 2024 10.11", "2024-05-06T10:11:00Z"),
            ("6. marraskuuta 2024", "2024-11-06T00:00:00Z"),
            ("maandag 4 maart 2024", "2024-03-04T00:00:00Z"),
            ("понеделник, 6 юни 2024 г.", "2024-06-06T00:00:00Z"),
            ("יום שני, 6 במאי 2024", "2024-05-06T00:00:00Z"),
            ("الاثنين ٦ مايو ٢٠٢٤ ١٠:١١", "2024-05-06T10:11:00Z"),
            ("सोमवार, ६ मई २०२४", "2024-05-06T00:00:00Z"),
            ("วันจันทร์ที่ 6 พฤษภาคม พ.ศ. 2567", "2024-05-06T00:00:00Z"),
            ("Thứ hai, 6 tháng 5, 2024", "2024-05-06T00:00:00Z"),
            ("14 พ.ย. 2567", "2024-11-14T00:00:00Z"),
            ("14 thg 3, 2024", "2024-03-14T00:00:00Z"),
            ("14\u{200f}/03\u{200f}/2024", "2024-03-14T00:00:00Z"),
            ("dissabte, 14 de setembre del 2024", "2024-09-14T00:00:00Z"),
            ("14. lipnja 2024.", "2024-06-14T00:00:00Z"),
            ("১৫ নভেম্বর, ২০২৪", "2024-11-15T00:00:00Z"),
            ("শুক্রবার, ১ মার্চ ২০২৪ ১০:১১", "2024-03-01T10:11:00Z"),
            ("15 ஆகஸ்ட், 2024", "2024-08-15T00:00:00Z"),
            ("திங்கள், 6 மே 2024", "2024-05-06T00:00:00Z"),
            ("15 సెప్టెంబర్ 2024", "2024-09-15T00:00:00Z"),
            ("6 జులై, 2024", "2024-07-06T00:00:00Z"),
            ("15 ნოემბერი 2024", "2024-11-15T00:00:00Z"),
            ("6 მაი. 2024", "2024-05-06T00:00:00Z"),
            ("15 फ़रवरी 2024", "2024-02-15T00:00:00Z"),
            ("۱۵ آبان ۱۴۰۲", "2023-11-06T00:00:00Z"),
            ("دوشنبه 15 آبان\u{200c}ماه 1402 - ۱۲:۳۰", "2023-11-06T12:30:00Z"),
            ("سه شنبه ۳۰ اسفند ۱۴۰۳ ساعت 10:11 +0330", "2025-03-20T06:41:00Z"),
            ("6 مه 2024", "2024-05-06T00:00:00Z"),
            ("e martë, 14 maj 2024", "2024-05-14T00:00:00Z"),
            ("2567-05-06", "2024-05-06T00:00:00Z"),
            ("2567-02-29T10:11:12+07:00", "2024-02-29T03:11:12Z"),
            ("2567-05-06T10:11:12+07:00", "2024-05-06T03:11:12Z"),
        ] {
            assert_eq!(written(text, UTC).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_one_word_in_two_languages_is_read_in_that_of_the_feed() {
        for (tag, text, expected) in [
            ("hr", "15. listopada 2024.", "2024-10-15T00:00:00Z"),
            ("hr-HR", "uto, 15 lis 2024 10:11:12 +0200", "2024-10-15T08:11:12Z"),
            ("hr", "15. lip 2024.", "2024-06-15T00:00:00Z"),
            ("hr", "15. srp 2024.", "2024-07-15T00:00:00Z"),
            ("hr", "15. stu 2024.", "2024-11-15T00:00:00Z"),
            ("hr", "15 Nov 2024", "2024-11-15T00:00:00Z"),
            ("pl", "15 listopada 2024", "2024-11-15T00:00:00Z"),
            ("pl", "15 lip 2024", "2024-07-15T00:00:00Z"),
            ("cs", "15. srp 2024", "2024-08-15T00:00:00Z"),
            ("fa", "۱۴۰۲/۰۸/۱۵ ۱۲:۳۰", "2023-11-06T12:30:00Z"),
            ("fa-IR", "1402-8-15", "2023-11-06T00:00:00Z"),
            ("fa", "2024-05-06", "2024-05-06T00:00:00Z"),
        ] {
            let habits = Habits::new(Tz::UTC, Language::parse(tag).as_ref());
            assert_eq!(written(text, habits).as_deref(), Some(expected), "{tag}: {text}");
        }
    }

    #[test]
    fn a_zone_that_is_not_named_is_the_sources() {
        let habits = |zone| Habits::new(zone, None);
        for (text, zone, expected) in [
            ("2024-05-06 10:11:12", Tz::Asia__Shanghai, "2024-05-06T02:11:12Z"),
            // China had summer time from 1986 to 1991: an hour left out in spring, one twice in autumn.
            ("1986-05-04 01:30:00", Tz::Asia__Shanghai, "1986-05-03T17:30:00Z"),
            ("1986-05-04 02:30:00", Tz::Asia__Shanghai, "1986-05-03T18:30:00Z"),
            ("1986-09-14 01:30:00", Tz::Asia__Shanghai, "1986-09-13T16:30:00Z"),
            ("1991年7月1日", Tz::Asia__Shanghai, "1991-06-30T15:00:00Z"),
            // Samoa had no 30th of December in 2011.
            ("2011-12-30 10:00", Tz::Pacific__Apia, "2011-12-30T20:00:00Z"),
        ] {
            assert_eq!(written(text, habits(zone)).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn cst_is_chinas_time_for_a_source_of_asia() {
        let language = |tag| Language::parse(tag);
        let (chinese, american) = (Some("2024-05-06T02:11:12Z".to_owned()), Some("2024-05-06T16:11:12Z".to_owned()));
        for (zone, tag, expected) in [
            (Tz::Asia__Shanghai, "", &chinese),
            (Tz::Asia__Taipei, "en", &chinese),
            (Tz::UTC, "zh-TW", &chinese),
            (Tz::Asia__Shanghai, "en-US", &american),
            (Tz::UTC, "en", &american),
            (Tz::America__Chicago, "", &american),
        ] {
            for text in ["Mon, 06 May 2024 10:11:12 CST", "Mon May 06 10:11:12 CST 2024"] {
                assert_eq!(&written(text, Habits::new(zone, language(tag).as_ref())), expected, "{zone} {tag}");
            }
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "yesterday",
            "May",
            "13/13/2024",
            "2024-13-45",
            "99:99",
            "0",
            "-",
            "\u{1}\u{1}10:10",
            "Sun, 99 Jun 2009",
            "5551234567 calls",
            "2 days ago",
            "昨天 10:11",
            "9999-12-31T23:59:59-09:00",
            "月",
            "۱۴۰۳-۰۲-۱۷",
            "٢٧ رمضان ١٤٤٥",
            "۳۰ اسفند ۱۴۰۲",
            &"1".repeat(500),
            &"(".repeat(99),
        ] {
            assert_eq!(parse(text, UTC), None, "{text}");
        }
    }
}
