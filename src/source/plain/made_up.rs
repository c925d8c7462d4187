//! HTML made up by dice, for the tests.

/// Marsaglia's xorshift.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn one_of<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }

    fn word<'a>(&mut self, of: &'a str) -> &'a str {
        let words: Vec<&str> = of.split(' ').collect();
        self.one_of(&words)
    }
}

const TEXTS: [&str; 17] = [
    "a", "some words ", "\n", "  ", "中文，", "é\u{a0}", "🦀", "&amp;", "&lt;b&gt;", "&#8217;", "&#x27;", "&nbsp;", "&quot;", "&hellip;",
    " & ", "\"", " > ",
];
const VALUES: [&str; 31] = [
    "",
    "a",
    "1",
    "0",
    "1px",
    "x y",
    "left",
    "checkbox",
    "fn-1",
    "language-rust",
    "&amp;&quot;<",
    "/a?b=1&c=2&amp;d=3",
    "https://b.example/a/b.c#d",
    "https://b.example",
    "http://B.example/../a",
    "https://b.example/?utm_source=a&amp;b=1",
    "#fn1",
    "javascript:alert(1)",
    "data:image/gif;base64,a",
    " /a ",
    "//b.example/",
    "mailto:a@b.example",
    "a.png",
    "中.png",
    "ftp://a/",
    "\u{fdd0}/tag/x",
    "&#102;n",
    "&#1;checkbox",
    "&#1;1",
    "&#1;",
    "é\u{a0}\r\n<p>",
];
const ATTRIBUTES: &str = "title lang dir href hreflang src alt width height id class style cite datetime align start size colspan type checked \
     srcset data-src data-srcset data-x onclick rel controls poster scope xml:lang target";
const BLOCKS: &str = "div section blockquote figure figcaption article details summary center address h1 h3 pre main";
const INLINES: &str = "a b em i s code strong span sup q del font big cite picture video form svg noscript";
const VOIDS: &str = "br img img wbr source track input br/";
const TWISTS: [&str; 60] = [
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "<a href=/x>",
    "</a>",
    "<b>",
    "</b>",
    "<li>",
    "</li>",
    "<td>",
    "<tr>",
    "</tr>",
    "<table>",
    "</table>",
    "<hr>",
    "<tbody>",
    "</tbody>",
    "<caption>x</caption>",
    "<col>",
    "&",
    "&amp",
    "&copy",
    "&notit;",
    "&#0;",
    "&#x80;",
    "&#xfdd0;",
    "&#10;",
    "\r\n",
    "\0",
    "\u{feff}",
    "\u{b}",
    "\u{fdd0}",
    "<!-- x -->",
    "<!-->",
    "<!--",
    "-->",
    "<BR>",
    "<script>x</script>",
    "<iframe src='x' a></iframe>",
    "<style>",
    "<svg>",
    "<",
    "</",
    "<3",
    "\n",
    "<pre>",
    "</pre>",
    "<ruby>",
    "<nobr>",
    "<math>",
    "</math>",
    "<path>",
    "<annotation encoding=tex>",
    "<script type=\"math/tex\">x</script>",
    "<select>",
    "\"",
    "'",
    ">",
    "/",
];

fn attributes(dice: &mut Dice, html: &mut String) {
    while dice.roll(3) == 0 {
        let (name, value) = (dice.word(ATTRIBUTES), dice.one_of(&VALUES));
        html.push_str(dice.one_of(&[" ", " ", " ", "\n", "  ", "\t"]));
        html.push_str(name);
        match dice.roll(8) {
            0 => {}
            1 => html.extend(["=", value]),
            2 => html.extend(["='", value, "'"]),
            _ => html.extend(["=\"", &value.replace('"', "&quot;"), "\""]),
        }
    }
}

fn element(dice: &mut Dice, name: &str, html: &mut String, content: impl FnOnce(&mut Dice, &mut String)) {
    html.extend(["<", name]);
    attributes(dice, html);
    html.push('>');
    content(dice, html);
    html.extend(["</", name, ">"]);
}

fn inline(dice: &mut Dice, depth: usize, html: &mut String) {
    for _ in 0..dice.roll(5) {
        match dice.roll(if depth == 0 { 3 } else { 5 }) {
            0 | 1 => html.push_str(dice.one_of(&TEXTS)),
            2 => {
                html.extend(["<", dice.word(VOIDS)]);
                if !html.ends_with('/') {
                    attributes(dice, html);
                }
                html.push_str(if html.ends_with('/') { ">" } else { dice.one_of(&[">", " />"]) });
            }
            _ => {
                let name = dice.word(INLINES);
                element(dice, name, html, |dice, html| inline(dice, depth - 1, html));
            }
        }
    }
}

/// A document, mostly a well-formed one.
pub(super) fn blocks(dice: &mut Dice, depth: usize, html: &mut String) {
    for _ in 0..=dice.roll(3) {
        match dice.roll(if depth == 0 { 2 } else { 6 }) {
            0 => element(dice, "p", html, |dice, html| inline(dice, 3, html)),
            1 => inline(dice, 2, html),
            2 => {
                let name = dice.one_of(&["ul", "ol"]);
                element(dice, name, html, |dice, html| {
                    for _ in 0..dice.roll(3) {
                        element(dice, "li", html, |dice, html| blocks(dice, depth - 1, html));
                        html.push_str(dice.one_of(&["", "\n"]));
                    }
                });
            }
            3 => table(dice, depth, html),
            _ => {
                let name = dice.word(BLOCKS);
                element(dice, name, html, |dice, html| blocks(dice, depth - 1, html));
            }
        }
        html.push_str(dice.one_of(&["", "\n", "\n\n"]));
    }
}

fn table(dice: &mut Dice, depth: usize, html: &mut String) {
    element(dice, "table", html, |dice, html| {
        for _ in 0..dice.roll(3) {
            let rows = |dice: &mut Dice, html: &mut String| {
                for _ in 0..dice.roll(3) {
                    html.push_str(dice.one_of(&["", "\n ", "\t"]));
                    element(dice, "tr", html, |dice, html| element(dice, "td", html, |dice, html| blocks(dice, depth - 1, html)));
                }
            };
            match dice.roll(3) {
                0 => rows(dice, html),
                1 => element(dice, "thead", html, rows),
                _ => element(dice, "tbody", html, rows),
            }
        }
    });
}

/// Puts something in at a few places, or takes something out.
pub(super) fn twist(dice: &mut Dice, html: &mut String) {
    for _ in 0..=dice.roll(3) {
        let at = html.floor_char_boundary(dice.roll(html.len() + 1));
        if dice.roll(4) == 0 {
            let end = html.ceil_char_boundary((at + dice.roll(8)).min(html.len()));
            html.replace_range(at..end, "");
        } else {
            html.insert_str(at, dice.one_of(&TWISTS));
        }
    }
}
