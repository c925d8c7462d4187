//! The words in dates: months, halves of the day and zones, in the languages that feeds use.

/// What a date says of its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// Minutes east of UTC.
    Offset(i32),
}

/// Writes the units of East Asian dates as signs, halves of the day as `am` and `pm`, all letters small.
pub(super) fn fold(text: &str) -> String {
    let mut folded = text.to_lowercase();
    if !text.is_ascii() {
        for (word, sign) in UNITS {
            folded = folded.replace(word, sign);
        }
    }
    folded.replace("a.m.", "am").replace("p.m.", "pm")
}

const UNITS: [(&str, &str); 33] = [
    ("上午", " am "),
    ("早上", " am "),
    ("凌晨", " am "),
    ("中午", " pm "),
    ("下午", " pm "),
    ("晚上", " pm "),
    ("午前", " am "),
    ("午後", " pm "),
    ("오전", " am "),
    ("오후", " pm "),
    ("年", "-"),
    ("月", "-"),
    ("日", " "),
    ("号", " "),
    ("號", " "),
    ("时", ":"),
    ("時", ":"),
    ("点", ":"),
    ("點", ":"),
    ("分", ":00"),
    ("秒", ""),
    ("년", "-"),
    ("월", "-"),
    ("일", " "),
    ("시", ":"),
    ("분", ":"),
    ("초", ""),
    ("：", ":"),
    ("／", "/"),
    ("－", "-"),
    ("−", "-"),
    ("\u{a0}", " "),
    ("\u{202f}", " "),
];

/// The month that a word names, by how it begins.
pub(super) fn month(word: &str) -> Option<i32> {
    MONTHS.iter().find(|(_, beginnings)| beginnings.iter().any(|beginning| word.starts_with(beginning))).map(|(month, _)| *month)
}

const MONTHS: [(i32, &[&str]); 12] = [
    (1, &["jan", "ene", "gen", "янв", "ιαν", "січ", "sty", "oca"]),
    (2, &["feb", "fev", "fév", "фев", "φεβ", "лют", "lut", "şub"]),
    (3, &["mar", "mär", "mrt", "már", "мар", "μάρ", "μαρ", "бер"]),
    (4, &["apr", "avr", "abr", "ápr", "апр", "απρ", "квіт", "kwi", "nis"]),
    (5, &["may", "mai", "mei", "mag", "máj", "maj", "май", "мая", "μάι", "μαι", "μαϊ", "μάϊ", "трав"]),
    (6, &["jun", "jún", "juin", "giu", "июн", "ιούν", "ιουν", "ιον", "черв", "cze", "haz"]),
    (7, &["jul", "júl", "juil", "lug", "июл", "ιούλ", "ιουλ", "ιολ", "лип", "lip", "tem"]),
    (8, &["aug", "aoû", "aou", "ago", "авг", "αύγ", "αυγ", "серп", "sie", "ağu"]),
    (9, &["sep", "set", "szep", "сен", "σεπ", "вер", "wrz", "eyl"]),
    (10, &["oct", "okt", "out", "ott", "окт", "οκτ", "жовт", "paź", "eki"]),
    (11, &["nov", "ноя", "νοέ", "νοε", "лист", "lis", "kas"]),
    (12, &["dec", "dez", "déc", "dic", "дек", "δεκ", "груд", "gru", "ara"]),
];

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
    (-240, &["edt", "ast", "clt"]),
    (-300, &["est", "cdt", "pet", "cot"]),
    (-360, &["cst", "mdt"]),
    (-420, &["mst", "pdt"]),
    (-480, &["pst", "akdt"]),
    (-540, &["akst"]),
    (-600, &["hst", "hast"]),
];
