//! Inputs made from known ones by damage, the same for the same number every time.

/// No input is longer.
const LONGEST: usize = 64 * 1024;

/// What means something to one reader or another.
const TOKENS: [&str; 69] = [
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?xml version='1.0' encoding='gbk'?>",
    "<!DOCTYPE x [<!ENTITY a \"&a;&a;\">]>",
    "&",
    "&#x",
    "&#55296;",
    "&#55357;&#56832;",
    "\\ud83d",
    "\\ude00",
    "Ã©",
    "â€™",
    "&a;",
    "&lt;",
    "<",
    "</",
    "/>",
    ">",
    "<item>",
    "</item>",
    "<entry>",
    "<rss><channel>",
    "</channel>",
    "<title>",
    "<link>",
    "<description>",
    "<content type='xhtml'>",
    "<podcast:a>",
    "<a b='",
    "<p",
    "</p>",
    "<b>",
    "</b>",
    "<a href='/",
    "</a>",
    "<li>",
    "<table><tr><td>",
    "</td>",
    "<pre>\n",
    "<br/>",
    "<img src=x width=1 height=1>",
    " title=\"",
    "\"",
    "&copy",
    "&#x80;",
    "<script>",
    " xmlns:a='http://purl.org/atom/ns#'",
    " xml:base='//'",
    " type='application/octet-stream'",
    "\u{feff}",
    "\u{0}",
    "\u{1b}$)A",
    "~{",
    "---\n",
    "+++\n",
    "{\"a\":[",
    "[",
    "{",
    "&a [",
    "*a,",
    ": ",
    "\n- ",
    "|\n",
    "99999999999999999999",
    "-",
    "年",
    "T",
];

/// `SplitMix64`: small, and its numbers are the same on every machine.
pub(crate) struct Random(u64);

impl Random {
    /// A sequence of its own for each seed and number.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound; zero below none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound.max(1) as u64)).unwrap()
    }

    pub(crate) fn one_of<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// A damaged input: one of the corpus, changed one to six times.
pub(crate) fn input(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = random.one_of(corpus).clone();
    for _ in 0..=random.below(6) {
        damage(&mut bytes, corpus, random);
        bytes.truncate(LONGEST);
    }
    bytes
}

fn damage(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    match random.below(10) {
        0 => flip(bytes, random),
        1 => bytes.truncate(at),
        2 => drop(bytes.splice(at..(at + random.below(64)).min(bytes.len()), [])),
        3 => drop(bytes.splice(at..at, random.one_of(&TOKENS).bytes())),
        4 => {
            let noise: Vec<u8> = (0..random.below(64)).map(|_| random.next().to_le_bytes()[0]).collect();
            drop(bytes.splice(at..at, noise));
        }
        5 => {
            let other = random.one_of(corpus);
            let from = random.below(other.len() + 1);
            let to = from + random.below(other.len() + 1 - from);
            let end = (at + random.below(256)).min(bytes.len());
            drop(bytes.splice(at..end, other[from..to].iter().copied()));
        }
        6 => {
            let piece = bytes[at..(at + 1 + random.below(48)).min(bytes.len())].to_vec();
            repeat(bytes, at, &piece, random);
        }
        7 => {
            let token = *random.one_of(&TOKENS);
            repeat(bytes, at, token.as_bytes(), random);
        }
        8 => {
            let pair = [*random.one_of(&TOKENS), *random.one_of(&TOKENS)].concat();
            repeat(bytes, at, pair.as_bytes(), random);
        }
        _ => {
            let name = *random.one_of(&["a", "b", "div", "x:y", "podcast:a", "media:group", "item", "table", "author"]);
            repeat(bytes, at, format!("<{name}>").as_bytes(), random);
        }
    }
}

fn flip(bytes: &mut [u8], random: &mut Random) {
    for _ in 0..=random.below(8) {
        let (at, bit) = (random.below(bytes.len()), random.below(8));
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << bit;
        }
    }
}

/// Puts a piece in many times over, up to the longest that an input may be.
fn repeat(bytes: &mut Vec<u8>, at: usize, piece: &[u8], random: &mut Random) {
    let room = LONGEST.saturating_sub(bytes.len());
    let most = room / piece.len().max(1);
    let times = if random.below(4) == 0 { most } else { random.below(most.min(300)) };
    drop(bytes.splice(at..at, piece.repeat(times)));
}
