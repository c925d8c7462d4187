//! Documents in the encodings of the world, under right labels, wrong ones and none.

use super::*;

fn decoded(bytes: &[u8], http: Option<&str>) -> String {
    decode(bytes, Labels { http, ..Labels::default() }, &mut Repairs::default()).unwrap().into_owned()
}

#[test]
fn a_page_names_its_encoding_in_a_meta_element() {
    for (page, label) in [
        ("<!doctype html><meta charset=gb2312><title>", Some("gb2312")),
        ("<META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset=Big5'>", Some("Big5")),
        ("<meta name=a content=b><meta charset = \"euc-kr\" />", Some("euc-kr")),
        ("<meta name=a><p>no charset here", None),
        ("<p charset=x>", None),
    ] {
        assert_eq!(of_meta(page.as_bytes()), label, "{page}");
    }
}

const CHINESE: &str = "<?xml version=\"1.0\"?><rss><title>今天的新闻很多，大家都在看手机上的消息，天气也很好</title></rss>";

#[test]
fn a_chinese_document_is_read_whatever_its_label_says() {
    let gbk = encoding_rs::GBK.encode(CHINESE).0;
    for label in [None, Some("gb2312"), Some("utf-8"), Some("nonsense")] {
        assert_eq!(decoded(&gbk, label), CHINESE, "{label:?}");
    }
    let declared = CHINESE.replace("\"1.0\"", "\"1.0\" encoding='gb2312'");
    assert_eq!(decoded(&encoding_rs::GBK.encode(&declared).0, Some("utf-8")), declared);
    let wrong = CHINESE.replace("\"1.0\"", "\"1.0\" encoding=\"iso-8859-1\"");
    assert_eq!(decoded(wrong.as_bytes(), Some("gbk")), wrong);
}

#[test]
fn wide_encodings_are_read_with_and_without_a_mark() {
    for big in [true, false] {
        let unit = |u: u16| if big { u.to_be_bytes() } else { u.to_le_bytes() };
        let plain: Vec<u8> = CHINESE.encode_utf16().flat_map(unit).collect();
        let marked: Vec<u8> = unit(0xfeff).into_iter().chain(plain.iter().copied()).collect();
        assert_eq!(decoded(&plain, None), CHINESE);
        assert_eq!(decoded(&marked, None), CHINESE);
        let wide = |c: char| if big { (c as u32).to_be_bytes() } else { (c as u32).to_le_bytes() };
        assert_eq!(decoded(&CHINESE.chars().flat_map(wide).collect::<Vec<_>>(), None), CHINESE);
    }
}

#[test]
fn half_a_character_leaves_the_rest_in_utf_8() {
    let mut bytes = CHINESE.as_bytes().to_vec();
    let at = CHINESE.find('天').unwrap();
    bytes.remove(at);
    let text = decoded(&bytes, None);
    assert!(text.contains("今") && text.contains("大家都在看手机上的消息"), "{text}");
}

const KOREAN: &str = "<rss><title>오늘은 날씨가 좋아서 사람들이 공원에서 산책을 하고 있습니다. 내일은 비가 온다고 합니다</title></rss>";
const JAPANESE: &str = "<rss><title>今日は天気がいいので、公園で散歩をしています。明日は雨が降るそうです。カメラを買った</title></rss>";
const TAIWANESE: &str = "<rss><title>今天的新聞很多，大家都在看手機上的消息，天氣也很好，我們明天再說</title></rss>";

#[test]
fn half_a_character_leaves_the_rest_in_the_encodings_of_east_asia() {
    use encoding_rs::{BIG5, EUC_JP, EUC_KR, SHIFT_JIS};
    let encodings = [(GBK, CHINESE), (BIG5, TAIWANESE), (SHIFT_JIS, JAPANESE), (EUC_JP, JAPANESE), (EUC_KR, KOREAN)];
    for (encoding, text) in encodings {
        let mut bytes = encoding.encode(text).0.into_owned();
        let end = bytes.len() - "</title></rss>".len();
        bytes.remove(end - 1);
        let last = text.find("</title>").unwrap();
        let whole = text[..last].char_indices().next_back().unwrap().0;
        let expected = format!("{}\u{fffd}{}", &text[..whole], &text[last..]);
        for label in [Some(encoding.name()), Some("utf-8"), None] {
            assert_eq!(decoded(&bytes, label), expected, "{} as {label:?}", encoding.name());
        }
    }
}

#[test]
fn what_is_of_one_byte_a_character_does_not_become_chinese() {
    use encoding_rs::{ISO_8859_2, KOI8_R, WINDOWS_874, WINDOWS_1251, WINDOWS_1253, WINDOWS_1254, WINDOWS_1255, WINDOWS_1256};
    for (encoding, text) in [
        (WINDOWS_1251, "Сегодня хорошая погода, и все гуляют в парке. Завтра обещают дождь, а послезавтра будет снег."),
        (KOI8_R, "Сегодня хорошая погода, и все гуляют в парке. Завтра обещают дождь, а послезавтра будет снег."),
        (WINDOWS_1252, "Größere Übel über Köln: schöne Grüße für Jürgen, müde Füße, süße Äpfel – naïve Öfen"),
        (WINDOWS_1252, "L’été dernier, à la forêt, les élèves ont mangé des crêpes ; ça a été très agréable, même où il pleuvait"),
        (ISO_8859_2, "Příliš žluťoučký kůň úpěl ďábelské ódy, zítra bude pršet a pozítří bude sněžit v celém městě"),
        (WINDOWS_1253, "Σήμερα ο καιρός είναι καλός και όλοι κάνουν βόλτα στο πάρκο. Αύριο θα βρέξει"),
        (WINDOWS_1254, "Bugün hava çok güzel, herkes parkta yürüyüş yapıyor. Yarın yağmur yağacak, öbür gün kar"),
        (WINDOWS_1255, "היום מזג האוויר נעים וכולם מטיילים בפארק. מחר ירד גשם ומחרתיים ירד שלג"),
        (WINDOWS_1256, "الطقس جميل اليوم والجميع يتنزهون في الحديقة. غدا ستمطر وبعد غد سيسقط الثلج"),
        (WINDOWS_874, "วันนี้อากาศดีและทุกคนกำลังเดินเล่นในสวนสาธารณะ พรุ่งนี้ฝนจะตก"),
    ] {
        let text = format!("<rss><title>{text}</title></rss>");
        let bytes = encoding.encode(&text).0;
        assert_eq!(decoded(&bytes, None), text, "{}", encoding.name());
        // One byte that the encoding does not have, or at least no text has.
        let damaged = [b"<rss><i>\x98\xff</i>".as_slice(), &bytes].concat();
        let east_asian = |c: char| matches!(c, '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
        for label in [None, Some("gb2312"), Some("big5"), Some("shift_jis"), Some("euc-kr")] {
            if label.and_then(for_label).is_none_or(|encoding| errors(encoding, &damaged) > 0) {
                assert!(!decoded(&damaged, label).contains(east_asian), "{} as {label:?}", encoding.name());
            }
        }
    }
}

#[test]
fn a_byte_of_windows_1252_among_utf_8_is_read() {
    let bytes = [b"<rss>".as_slice(), "« café – été »".as_bytes(), b" don\x92t na\xefve \xe5</rss>"].concat();
    assert_eq!(decoded(&bytes, None), "<rss>« café – été » don’t naïve \u{fffd}</rss>");
    // Most of what is not ASCII is none of UTF-8, but its label and one letter say that the rest is.
    let mostly = b"<?xml version='1.0' encoding='utf-8'?><rss>perch\xc3\xa9 don\x92t we\x92re it\x92s na\xefve</rss>";
    assert!(decoded(mostly, None).ends_with("<rss>perché don’t we’re it’s naïve</rss>"));
    let other = b"<?xml version='1.0' encoding='utf-8'?><rss xml:lang='de'>Gr\xfc\xdfe aus K\xf6ln \x96 \xc9\x85</rss>";
    assert!(decoded(other, None).ends_with("<rss xml:lang='de'>Grüße aus Köln – É…</rss>"));
}

#[test]
fn halves_of_characters_leave_a_document_utf_8() {
    assert_eq!(decoded(b"<rss>smile \xed\xa0\xbd\xed\xb8\x80</rss>", None), "<rss>smile 😀</rss>");
}

#[test]
fn encodings_that_hide_markup_are_refused_by_name() {
    let hz = b"<rss><title>~{<:Ky2;~}</title></rss>";
    let cn = b"<rss><title>\x1b$)A\x0e=;;;\x0f</title></rss>";
    let declared = b"<?xml version='1.0' encoding='HZ'?><rss><title>~{<:Ky2;~}</title></rss>".as_slice();
    for (bytes, http, expected) in [
        (hz.as_slice(), Some("hz-gb-2312"), "hz-gb-2312"),
        (hz, None, "HZ-GB-2312"),
        (hz, Some("gb2312"), "HZ-GB-2312"),
        (declared, None, "HZ"),
        (cn, None, "ISO-2022-CN"),
        (cn, Some("iso-2022-cn"), "ISO-2022-CN"),
        (b"<rss>\x1b$)C\x0e0!\x0f</rss>", Some("utf-8"), "ISO-2022-KR"),
    ] {
        let error = decode(bytes, Labels { http, ..Labels::default() }, &mut Repairs::default());
        assert!(matches!(&error, Err(FeedError::Encoding(name)) if name == expected), "{http:?}: {error:?}");
    }
    let forced = decode(hz, Labels { forced: Some("hz-gb-2312"), ..Labels::default() }, &mut Repairs::default());
    assert!(matches!(forced, Err(FeedError::Encoding(name)) if name == "hz-gb-2312"));
}

#[test]
fn braces_and_tildes_are_no_encoding() {
    for (text, http) in [("<rss>~{<:Ky2;~}</rss>", Some("utf-8")), ("<rss>~{ a } ~{x~}</rss>", None), ("<rss>~{</rss>", Some("gbk"))] {
        assert_eq!(decoded(text.as_bytes(), http), text);
    }
}

#[test]
fn mail_japanese_is_read_with_and_without_its_label() {
    let japanese = b"<rss>\x1b$B$\"\x1b(B</rss>";
    for label in [Some("iso-2022-jp"), Some("utf-8"), None] {
        assert_eq!(decoded(japanese, label), "<rss>あ</rss>", "{label:?}");
    }
}

#[test]
fn big5_takes_in_the_characters_of_hong_kong() {
    // Four characters of HKSCS between such as both sets have.
    let sentence = b"\xa7\xda\x9d\xef\xa4\xd1\xae\xf0\xac\xdd\x9d\xf7\x9d\xcf\xb7\x73\xbb\x44\x9d\xf2\xa4\xd1\xae\xf0";
    let bytes = [b"<rss><title>".as_slice(), sentence, b"</title></rss>"].concat();
    for label in ["big5", "big5-hkscs", "Big5HKSCS", "cp950"] {
        assert_eq!(decoded(&bytes, Some(label)), "<rss><title>我嘅天氣看咗嘢新聞𨋢天氣</title></rss>", "{label}");
    }
}
