//! Which language a text is in, where nobody says: only what is all but certain.

use std::sync::LazyLock;

use whatlang::{Lang, Script};

use super::Language;
use super::folding::{HAN, position};

/// As much of a text as is looked at, in characters: more of it hardly ever changes the answer.
pub const LOOKED_AT: usize = 1_000;
/// The letters that a text must have at least.
const LETTERS: usize = 120;
/// The same for scripts of which a character is a syllable or a word.
const SYLLABLES: usize = 30;

/// Characters that simplified Chinese alone has.
const SIMPLIFIED: &str = concat!(
    "们这来说时国会对学发经过还没个为从动进现开关长问间样点当无见东车马门话语请让认识论设计写读书应该头张亲爱双变转运达边远选",
    "连业专区医华单卖买红纪级组织细终结给统继续绝义乐习产仅众伟传伤备风飞权条标树检欢汉汤济浏测满热爷独环电画码积笔类约线练络",
    "编缘罗职联脑艺节药营虑虽补规视觉订讨训记讲许评词译试详误课调谁谈谢证贝负财责败货质购费资赛趋跃软轮输较载辑迁递逻邮针钟钱",
    "铁链错键闻阅队阳阶际陆难页项顺须顾预领频题颜额顿馆驱验鱼鸟龙图园团围场块声处奖实宝审宽导尔尽层岁岛币师带帮库废弹强归录总",
    "恶惯态战执扩扫护报择换损摄数断旧显晓暂术杂杀岗",
);

/// The same characters as traditional Chinese alone has them.
const TRADITIONAL: &str = concat!(
    "們這來說時國會對學發經過還沒個為從動進現開關長問間樣點當無見東車馬門話語請讓認識論設計寫讀書應該頭張親愛雙變轉運達邊遠選",
    "連業專區醫華單賣買紅紀級組織細終結給統繼續絕義樂習產僅眾偉傳傷備風飛權條標樹檢歡漢湯濟瀏測滿熱爺獨環電畫碼積筆類約線練絡",
    "編緣羅職聯腦藝節藥營慮雖補規視覺訂討訓記講許評詞譯試詳誤課調誰談謝證貝負財責敗貨質購費資賽趨躍軟輪輸較載輯遷遞邏郵針鐘錢",
    "鐵鏈錯鍵聞閱隊陽階際陸難頁項順須顧預領頻題顏額頓館驅驗魚鳥龍圖園團圍場塊聲處獎實寶審寬導爾盡層歲島幣師帶幫庫廢彈強歸錄總",
    "惡慣態戰執擴掃護報擇換損攝數斷舊顯曉暫術雜殺崗",
);

/// ISO 639-3 codes, and the shorter ones that BCP 47 has for them.
const CODES: &str = "epo eo eng en rus ru cmn zh spa es por pt ita it ben bn fra fr deu de ukr uk kat ka ara ar hin hi jpn ja heb he \
    yid yi pol pl amh am jav jv kor ko nob nb dan da swe sv fin fi tur tr nld nl hun hu ces cs ell el bul bg bel be mar mr kan kn \
    ron ro slv sl hrv hr srp sr mkd mk lit lt lav lv est et tam ta vie vi urd ur tha th guj gu uzb uz pan pa aze az ind id tel te \
    pes fa mal ml ori or mya my nep ne sin si khm km tuk tk aka ak zul zu sna sn afr af lat la slk sk cat ca tgl tl hye hy cym cy";

/// The language of a plain text, where it is long enough and leaves no doubt. Chinese has its script: `zh-Hans`, `zh-Hant`.
#[must_use]
pub fn language(text: &str) -> Option<Language> {
    let end = text.char_indices().nth(LOOKED_AT).map_or(text.len(), |(end, _)| end);
    let text = &text[..end];
    if is_english(text) {
        return Language::parse("en");
    }
    if is_chinese(text) {
        return Language::parse(chinese(text));
    }
    let found = whatlang::detect(text)?;
    let least =
        if matches!(found.script(), Script::Mandarin | Script::Katakana | Script::Hiragana | Script::Hangul) { SYLLABLES } else { LETTERS };
    if !found.is_reliable() || text.chars().filter(|c| c.is_alphabetic()).nth(least - 1).is_none() {
        return None;
    }
    if found.lang() == Lang::Cmn {
        return Language::parse(chinese(text));
    }
    let mut codes = CODES.split_whitespace();
    codes.find(|code| *code == found.lang().code())?;
    Language::parse(codes.next()?)
}

/// Words that no other language has: a title that another language quotes has a few of them.
const ENGLISH: [&str; 8] = ["the", "of", "and", "is", "that", "with", "was", "are"];

/// Whether a text is plainly English: much of what there is to read is, and to compare it with all languages takes longer
/// than to clean it. What is not plain is for them to tell.
fn is_english(text: &str) -> bool {
    if !text.is_ascii() && text.chars().any(|c| !c.is_ascii() && c.is_alphabetic()) {
        return false;
    }
    let (mut words, mut letters, mut seen) = (0, 0, [0; ENGLISH.len()]);
    for word in text.as_bytes().split(|byte| !byte.is_ascii_alphabetic()).filter(|word| !word.is_empty()) {
        words += 1;
        letters += word.len();
        if let Some(at) = ENGLISH.iter().position(|own| own.as_bytes().eq_ignore_ascii_case(word)) {
            seen[at] += 1;
        }
    }
    let different = seen.iter().filter(|count| **count > 0).count();
    letters >= LETTERS && different >= 4 && seen.iter().sum::<usize>() * 8 >= words
}

/// Whether a text is plainly Chinese: most of its letters are Han characters, and Japanese and Korean would have others.
fn is_chinese(text: &str) -> bool {
    let (mut han, mut letters) = (0, 0);
    for c in text.chars() {
        match c {
            '\u{4e00}'..='\u{9fff}' => han += 1,
            '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ac00}'..='\u{d7a3}' | '\u{1100}'..='\u{11ff}' => return false,
            c => letters += usize::from(c.is_alphabetic()),
        }
    }
    han >= SYLLABLES && han > letters
}

/// For each character of [`HAN`] whether one of the two scripts alone has it, and which: 1 simplified, 2 traditional.
static SCRIPTS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut scripts = vec![0; HAN.len()];
    for (characters, script) in [(SIMPLIFIED, 1), (TRADITIONAL, 2)] {
        for position in characters.chars().filter_map(position) {
            scripts[position] = script;
        }
    }
    scripts
});

/// Simplified or traditional, if it is clearly one of them.
fn chinese(text: &str) -> &'static str {
    let scripts = &*SCRIPTS;
    let mut seen = [0; 3];
    for script in text.chars().filter_map(|c| scripts.get(position(c)?)) {
        seen[usize::from(*script)] += 1;
    }
    match seen {
        [_, simplified, traditional] if simplified > 4 * traditional => "zh-Hans",
        [_, simplified, traditional] if traditional > 4 * simplified => "zh-Hant",
        _ => "zh",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_in_one_language_is_recognised() {
        for (text, expected) in [
            (
                "The committee said on Tuesday that it would publish the report before the end of the year, although several of its members had asked for more time to study what the government wants to do with the money that was left over from the last programme.",
                Some("en"),
            ),
            (
                "Der schnelle braune Fuchs springt über den faulen Hund, und dann schläft er eine Weile, weil er an einem so warmen Nachmittag nichts anderes zu tun hat.",
                Some("de"),
            ),
            ("这是一个关于软件开发的博客，我们会在这里讨论各种编程语言和数据库的问题，希望大家喜欢这些文章。", Some("zh-Hans")),
            ("這是一個關於軟體開發的部落格，我們會在這裡討論各種程式語言和資料庫的問題，希望大家喜歡這些文章。", Some("zh-Hant")),
            (
                "これはソフトウェア開発についてのブログです。プログラミング言語やデータベースについて書いています。よろしくお願いします。",
                Some("ja"),
            ),
            ("이것은 소프트웨어 개발에 관한 블로그입니다. 여기에서 여러 프로그래밍 언어와 데이터베이스에 대해 이야기합니다.", Some("ko")),
            (
                "Le film « The Lord of the Rings » est sorti en salle au mois de novembre dernier, et les critiques que nous avons lues disent toutes du bien de la musique et des acteurs.",
                Some("fr"),
            ),
            ("short", None),
            ("你好，世界", None),
            ("", None),
            ("12345 67890 !!! 12345 67890 ??? 12345 67890", None),
        ] {
            assert_eq!(language(text).as_ref().map(Language::as_str), expected, "{text}");
        }
    }

    #[test]
    fn every_language_that_can_be_found_has_a_code() {
        for lang in Lang::all() {
            assert!(CODES.split_whitespace().step_by(2).any(|code| code == lang.code()), "{}", lang.code());
        }
        assert!(CODES.split_whitespace().skip(1).step_by(2).all(|code| code.len() == 2));
    }

    #[test]
    fn no_character_is_of_both_scripts() {
        assert!(SIMPLIFIED.chars().all(|c| !TRADITIONAL.contains(c)));
        assert!(SIMPLIFIED.chars().chain(TRADITIONAL.chars()).all(|c| position(c).is_some_and(|position| position < HAN.len())));
    }
}
