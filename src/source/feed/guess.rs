//! Which encoding a document is in that names none or a wrong one, by its bytes. Encodings of the Latin script share most
//! of theirs, so that between those the language decides, or the host.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_8859_2, ISO_8859_4, SHIFT_JIS, WINDOWS_1250, WINDOWS_1252, WINDOWS_1254,
    WINDOWS_1257, WINDOWS_1258,
};

/// How much of a document is looked at: enough for any language, and bounded.
const LOOKED_AT: usize = 64 << 10;
/// A document names its language in so many bytes.
const HEAD: usize = 4096;

/// Those of the Latin script that the detector knows.
const LATIN: [&Encoding; 7] = [WINDOWS_1252, WINDOWS_1250, ISO_8859_2, WINDOWS_1254, WINDOWS_1257, ISO_8859_4, WINDOWS_1258];

/// Those of East Asia, in which publishers who count bytes cut characters in two.
const EAST_ASIAN: [&Encoding; 6] = [GBK, GB18030, BIG5, SHIFT_JIS, EUC_JP, EUC_KR];
/// One error in these many foreign bytes leaves a document in such an encoding. Of a Cyrillic text every second word ends
/// in one.
const TOLERATED_SHARE: usize = 12;

/// The likeliest encoding. `host`: where the document comes from.
pub(super) fn guess(bytes: &[u8], host: Option<&str>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample(bytes), true);
    let guess = |domain: Option<&str>| detector.guess(domain.map(str::as_bytes), Utf8Detection::Deny);
    let by_bytes = guess(None);
    // Of other scripts the bytes say enough, and a wrong word would outweigh them.
    if !LATIN.contains(&by_bytes) {
        return by_bytes;
    }
    let home = language(&bytes[..bytes.len().min(HEAD)]).and_then(|language| home_of(&language));
    let Some(region) = home.or_else(|| domain(host?)) else { return by_bytes };
    let by_region = guess(Some(&region));
    if LATIN.contains(&by_region) { by_region } else { by_bytes }
}

/// Whether a document is in the encoding of East Asia that it states, but for some halves of characters: what is left
/// without them must read like a text of there, since other scripts' letters are often characters in pairs.
pub(super) fn is_damaged(stated: &'static Encoding, bytes: &[u8]) -> bool {
    guess_without_errors(stated, bytes).is_some_and(|guess| EAST_ASIAN.contains(&guess))
}

/// The encoding of East Asia that a document is in but for some halves of characters, for which the detector rules it out
/// and guesses one that has an own character for each byte.
pub(super) fn likely_damaged(guess: &'static Encoding, bytes: &[u8]) -> Option<&'static Encoding> {
    let mut candidates = EAST_ASIAN.into_iter().filter(|_| !EAST_ASIAN.contains(&guess));
    candidates.find(|encoding| guess_without_errors(encoding, bytes) == Some(*encoding))
}

/// What the detector says of a document once the few bytes are gone that an encoding of East Asia cannot read.
fn guess_without_errors(encoding: &'static Encoding, bytes: &[u8]) -> Option<&'static Encoding> {
    if !EAST_ASIAN.contains(&encoding) {
        return None;
    }
    let sample = sample(bytes);
    let foreign = sample.iter().filter(|byte| !byte.is_ascii()).count();
    let (text, _) = encoding.decode_without_bom_handling(sample);
    let errors = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    if errors * TOLERATED_SHARE > foreign {
        return None;
    }
    let mended = encoding.encode(&text.replace(char::REPLACEMENT_CHARACTER, "")).0.into_owned();
    Some(guess(&mended, None))
}

/// How many characters of a sample an encoding cannot read.
pub(super) fn errors(encoding: &'static Encoding, bytes: &[u8]) -> usize {
    let (text, _) = encoding.decode_without_bom_handling(sample(bytes));
    text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count()
}

/// From the first byte on that is not ASCII.
fn sample(bytes: &[u8]) -> &[u8] {
    let foreign = &bytes[bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(0)..];
    &foreign[..foreign.len().min(LOOKED_AT)]
}

/// The language that a document names, in small letters: of an element of RSS or Dublin Core, or an attribute.
fn language(head: &[u8]) -> Option<String> {
    let places = [b"language>".as_slice(), b"xml:lang=\"", b"xml:lang='"];
    let start = places.iter().find_map(|place| Some(head.windows(place.len()).position(|window| window == *place)? + place.len()))?;
    let tag = head[start..].trim_ascii_start().iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-');
    Some(tag.map(|byte| char::from(byte.to_ascii_lowercase())).collect())
}

/// The top-level domain of a language's home, by which the detector knows regions. English says nothing: it is what many
/// programs write unasked.
fn home_of(language: &str) -> Option<String> {
    let home = match language.split('-').next()? {
        "cs" => "cz",
        "et" => "ee",
        "sl" => "si",
        "vi" => "vn",
        "en" => return None,
        other => other,
    };
    Some(home.to_owned()).filter(|home| home.len() == 2)
}

/// The top-level domain of a host that has a name.
fn domain(host: &str) -> Option<String> {
    let domain = host.trim_end_matches('.').rsplit_once('.')?.1.to_ascii_lowercase();
    Some(domain).filter(|domain| domain.is_ascii() && domain.starts_with(|c: char| c.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use encoding_rs::{BIG5, GBK};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_neighbours_share_is_told_apart_by_the_language_or_the_host() {
        // A letter that is one in an encoding of the centre of Europe and another in one of its west.
        let document =
            |language: &str| [b"<rss><channel>", language.as_bytes(), b"<title>cosa \xe8 successo</title></channel></rss>"].concat();
        for (language, host, expected) in [
            ("<language>it</language>", None, WINDOWS_1252),
            ("<dc:language> IT-it </dc:language>", Some("a.example"), WINDOWS_1252),
            ("<language>cs</language>", Some("a.example"), WINDOWS_1250),
            ("<language>en-us</language>", Some("a.cz."), WINDOWS_1250),
            ("<x xml:lang='de'/>", Some("a.cz"), WINDOWS_1252),
            ("", Some("A.CZ"), WINDOWS_1250),
            ("", Some("a.it"), WINDOWS_1252),
        ] {
            assert_eq!(guess(&document(language), host), expected, "{language} at {host:?}");
        }
    }

    #[test]
    fn a_language_does_not_hide_what_the_bytes_say() {
        let text = "<rss><language>LANGUAGE</language><title>今天的新闻很多，大家都在看手机上的消息，天气也很好</title></rss>";
        for language in ["en", "zh", "zh-TW", "ru", "ja", "x", "", "no-such-language"] {
            assert_eq!(guess(&GBK.encode(&text.replace("LANGUAGE", language)).0, Some("127.0.0.1")), GBK, "{language}");
        }
        let text = "<rss><language>zh-CN</language><title>今天的新聞很多，大家都在看手機上的消息，天氣也很好</title></rss>";
        assert_eq!(guess(&BIG5.encode(text).0, None), BIG5);
    }

    proptest! {
        #[test]
        fn no_language_and_no_host_make_guessing_panic(language in ".{0,8}", host in ".{0,12}") {
            for document in [format!("<language>{language}"), format!("<a xml:lang='{language}")] {
                guess(&[document.as_bytes(), b"\xe8\xff"].concat(), Some(&host));
            }
        }
    }
}
