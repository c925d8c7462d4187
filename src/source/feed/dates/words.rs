//! The words in dates: months, halves of the day and zones, in the languages that feeds use.

use std::sync::LazyLock;

use chrono_tz::Tz;
use regex::{Captures, Regex};

use super::pattern;

/// What a date says of its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// Minutes east of UTC.
    Offset(i32),
    /// By its IANA name.
    Named(Tz),
}

/// Whether a date is in Korean words, which are of one zone.
pub(super) fn is_korean(text: &str) -> bool {
    text.contains(|c: char| ('\u{ac00}'..='\u{d7a3}').contains(&c))
}

/// Writes a date of Asia as one of English words, all letters small, and drops what stands in parentheses.
pub(super) fn fold(text: &str) -> String {
    let mut folded = without_comments(text).to_lowercase();
    if !text.is_ascii() || folded.contains("thg") {
        for (word, sign) in SIGNS {
            folded = folded.replace(word, sign);
        }
        if folded.contains(|c| ('\u{e00}'..='\u{e7f}').contains(&c)) {
            for (number, sign) in (1..).zip(THAI) {
                folded = folded.replace(sign, english(number));
            }
        }
        folded = units(&in_digits(&folded));
    }
    folded.replace("a.m.", "am").replace("p.m.", "pm")
}

/// Writes the digits of other scripts as those of ASCII. Years that are counted from the Hijra stay as they are: they are
/// of another calendar.
fn in_digits(text: &str) -> String {
    let written = ascii_digits(text);
    let is_of_hijra = |number: &str| number.len() == 4 && (number.starts_with("13") || number.starts_with("14"));
    let has_hijra = written != text && written.split(|c: char| !c.is_ascii_digit()).any(is_of_hijra);
    if has_hijra { text.to_owned() } else { written }
}

/// The digits of other scripts as those of ASCII.
pub(super) fn ascii_digits(text: &str) -> String {
    let zero = |c: char| {
        let zeros = ['٠', '۰', '०', '০', '௦', '౦', '๐', '０'];
        zeros.into_iter().find(|zero| (0..10).contains(&(i64::from(c as u32) - i64::from(*zero as u32))))
    };
    text.chars().map(|c| zero(c).map_or(c, |zero| digit(c as u32 - zero as u32))).collect()
}

fn digit(number: u32) -> char {
    char::from_digit(number, 10).unwrap_or('0')
}

/// RFC 822 lets a comment stand anywhere (3.4.3), in another one too. One that names a zone stays.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut depth = 0_usize;
    let mut start = 0;
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' if depth > 0 => {
                characters.next();
            }
            '(' => {
                depth += 1;
                if depth == 1 {
                    start = at + 1;
                    kept.push(' ');
                }
            }
            ')' if depth > 0 => {
                depth -= 1;
                let comment = text.get(start..at).unwrap_or_default().to_lowercase();
                if depth == 0 && zone(comment.trim(), false).is_some() {
                    kept.push_str(&comment);
                }
            }
            c if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    if depth > 0 || kept.trim().is_empty() { text.to_owned() } else { kept }
}

static NUMERALS: LazyLock<Option<Regex>> = LazyLock::new(|| pattern("[〇○零一二三四五六七八九十廿卅]+([年月日号號时時点點分秒])"));
static ERA: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(令和|平成|昭和|民國|民国)\s*(元|\d{1,3})\s*年"));
static CLOCK: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"(\d{1,2})\s*[时時点點시]\s*(?:(\d{1,2})\s*[分분]?\s*(?:(\d{1,2})\s*[秒초])?)?"));
static MONTH: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(?:tháng|thg)\s*(\d{1,2})|(\d{1,2})\s*[月월]"));

/// Reads the units of East Asian dates: years, months, hours.
fn units(text: &str) -> String {
    let replace = |text: &str, pattern: &LazyLock<Option<Regex>>, with: &dyn Fn(&Captures<'_>) -> String| match pattern.as_ref() {
        Some(pattern) => pattern.replace_all(text, with).into_owned(),
        None => text.to_owned(),
    };
    let text = replace(text, &NUMERALS, &|found| format!("{}{}", numeral(&found[0]), &found[1]));
    let text = replace(&text, &ERA, &|found| {
        let first = match &found[1] {
            "令和" => 2019,
            "平成" => 1989,
            "昭和" => 1926,
            _ => 1912,
        };
        format!("{}年", first - 1 + found[2].parse().unwrap_or(1))
    });
    let text = replace(&text, &CLOCK, &|found| {
        let part = |group: usize| found.get(group).map_or("00", |digits| digits.as_str());
        format!("{}:{}:{} ", &found[1], part(2), part(3))
    });
    let text = replace(&text, &MONTH, &|found| {
        let number = found.get(1).or_else(|| found.get(2)).map_or("", |digits| digits.as_str());
        format!(" {} ", number.parse().map_or("", english))
    });
    text.replace(['年', '日', '号', '號', '년', '일'], " ")
}

/// Chinese numerals as digits: those of a year one by one, `二十一` by its value.
fn numeral(text: &str) -> String {
    let digits: Vec<u32> = text
        .chars()
        .filter_map(|c| "〇一二三四五六七八九十".chars().position(|known| known == alike(c)))
        .filter_map(|at| u32::try_from(at).ok())
        .collect();
    match digits.as_slice() {
        [10] => "10".to_owned(),
        [10, ones] => format!("1{ones}"),
        [tens, 10] => format!("{tens}0"),
        [tens, 10, ones] => format!("{tens}{ones}"),
        _ => digits.iter().map(|number| digit(*number)).collect(),
    }
}

fn alike(c: char) -> char {
    if matches!(c, '零' | '○') { '〇' } else { c }
}

const SIGNS: [(&str, &str); 25] = [
    ("上午", " am "),
    ("早上", " am "),
    ("凌晨", " am "),
    ("中午", " noon "),
    ("下午", " pm "),
    ("晚上", " pm "),
    ("午前", " am "),
    ("午後", " pm "),
    ("오전", " am "),
    ("오후", " pm "),
    ("廿", "二十"),
    ("卅", "三十"),
    ("：", ":"),
    ("／", "/"),
    ("－", "-"),
    ("−", "-"),
    ("–", "-"),
    ("\u{2010}", "-"),
    ("\u{2011}", "-"),
    ("，", ","),
    ("\u{a0}", " "),
    ("\u{202f}", " "),
    ("\u{3000}", " "),
    ("\u{200e}", ""),
    ("\u{200f}", ""),
];

/// The month that a word names, by how it begins; the longest beginning counts. Hebrew writes `in` before it. `is_croatian`: the
/// names of Croatian come first, of which Czech, Polish and Ukrainian have some for other months.
pub(super) fn month(word: &str, is_croatian: bool) -> Option<i32> {
    let croatian = (1..).zip(CROATIAN).find(|(_, beginning)| is_croatian && word.starts_with(beginning));
    if let Some((month, _)) = croatian {
        return Some(month);
    }
    let word = word.strip_prefix('ב').unwrap_or(word);
    let known = MONTHS.iter().flat_map(|(month, beginnings)| beginnings.split(' ').map(move |beginning| (*month, beginning)));
    known.filter(|(_, beginning)| word.starts_with(beginning)).max_by_key(|(_, beginning)| beginning.len()).map(|(month, _)| month)
}

const MONTHS: [(i32, &str); 12] = [
    (
        1,
        "jan ene gen янв ιαν січ sty oca jän ian leden ledn tammi jaan яну јан sausi ינו يناير جانف जन มกรา xan yan сту sij қаңт ژانوی জানু ஜன జన იან",
    ),
    (2, "feb fev fév фев φεβ лют lut şub únor helmi veeb peb vasar פבר فبراير فيفر फ กุมภา феб velj shk ақп فوری ফেব பிப ఫిబ თებ"),
    (3, "mar mär mrt már мар μάρ μαρ μάώ μαώ бер maar maalis mac břez сак kovo מרץ מרס مارس मार มีนา ožuj нау মার மார మార მარ"),
    (
        4,
        "apr avr abr ápr апр απρ квіт kwi nis dubn duben huhti balan אפר أبريل ابريل أفريل अप เมษา кра travanj travnj prill сәу آوریل এপ ஏப ఏప აპრ",
    ),
    (5, "may mai mei mag máj máu maj май мая μάι μαι μαϊ μάϊ μαΐ трав maí květ touko мај gegu מאי ماي मई พฤษภา svib мам মে மே మే მაი مه"),
    (
        6,
        "jun jún juin giu июн ιούν ιουν ιον черв cze haz iun jūn červ juun kesä юни јун birž hun יונ يوني جوان जून มิถุ чэр xuñ lipanj lipnj qersh iyun маус meith ژوئن জুন ஜூன జూన ივნ",
    ),
    (
        7,
        "jul júl juil lug июл ιούλ ιουλ ιολ лип lip tem iul jūl červenec července juul heinä юли јул ліп liepo hul יול يولي جويل जुल กรกฎ xul srpanj srpnj korr iyul шіл ژوئی ژوییه জুলাই ஜூலை జులై జూలై ივლ",
    ),
    (
        8,
        "aug aoû aou ago авг αύγ αυγ серп sie ağu agu srp elok ágú жні ogo rugpj אוג أغسطس اغسطس أوت สิงห avg avq kolov gusht там اوت अग আগ ஆக ఆగ აგვ",
    ),
    (9, "sep set szep сен σεπ вер wrz eyl září syys сеп rugs ספט سبتمبر सित กันยา rujan rujn shtat қырк سپتامبر সেপ செப సెప სექ"),
    (10, "oct okt out ott окт οκτ жовт paź eki říj loka spali אוק أكتوبر اكتوبر अक ตุลา кас tetor қаз اکتبر অক அக అక ოქტ"),
    (11, "nov ноя νοέ νοε лист lis kas marras ное нов ліст lapkr nob nóv נוב نوفمبر नव พฤศจิ noi studen nënt қара نوامبر নভে நவ నవ ნოე"),
    (
        12,
        "dec dez déc dic дек δεκ груд gru ara des prosin joulu дец сне det דצמ ديسمبر दिस ธันวา disem disy dhjet желт دسامبر ডিসে டிச డిసె დეკ",
    ),
];

/// The months of Croatian, by how each begins.
const CROATIAN: [&str; 12] = ["sij", "velj", "ožu", "tra", "svi", "lip", "srp", "kol", "ruj", "lis", "stu", "pro"];

/// A month's English name, shortened: the first of its row. Empty: there is no such month.
fn english(number: i32) -> &'static str {
    let row = MONTHS.iter().find(|(month, _)| *month == number);
    row.and_then(|(_, names)| names.split(' ').next()).unwrap_or_default()
}

/// The months as Thailand shortens them.
const THAI: [&str; 12] = ["ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค."];

/// The zone that a word names; `CST` is China's where the feed is Chinese.
pub(super) fn zone(word: &str, is_chinese: bool) -> Option<Zone> {
    if word == "cst" && is_chinese {
        return Some(Zone::Offset(480));
    }
    ZONES.iter().find(|(_, names)| names.contains(&word)).map(|(minutes, _)| Zone::Offset(*minutes))
}

const ZONES: [(i32, &[&str]); 30] = [
    (0, &["gmt", "utc", "ut", "z", "wet", "zulu", "uct"]),
    (60, &["cet", "met", "mez", "bst", "west", "wat"]),
    (120, &["cest", "mest", "mesz", "eet", "sast", "cat"]),
    (180, &["msk", "eest", "trt", "eat", "idt"]),
    (210, &["irst"]),
    (240, &["msd", "gst"]),
    (300, &["pkt", "yekt"]),
    (330, &["ist"]),
    (345, &["npt"]),
    (360, &["bdt"]),
    (390, &["mmt"]),
    (420, &["ict", "wib", "krat"]),
    (480, &["hkt", "sgt", "awst", "pht", "myt", "irkt", "wita", "bjt"]),
    (540, &["jst", "kst", "yakt"]),
    (570, &["acst"]),
    (600, &["aest", "vlat"]),
    (630, &["acdt"]),
    (660, &["aedt"]),
    (720, &["nzst"]),
    (780, &["nzdt"]),
    (-150, &["ndt"]),
    (-180, &["adt", "brt", "art"]),
    (-210, &["nst"]),
    (-240, &["edt", "ast", "at", "clt"]),
    (-300, &["est", "et", "cdt", "pet", "cot"]),
    (-360, &["cst", "ct", "mdt"]),
    (-420, &["mst", "mt", "pdt"]),
    (-480, &["pst", "pt", "akdt"]),
    (-540, &["akst"]),
    (-600, &["hst", "hast"]),
];
