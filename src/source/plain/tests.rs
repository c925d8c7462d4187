use proptest::prelude::*;
use url::Url;

use crate::model::PLACEHOLDER;
use crate::source::clean;

const BASES: [&str; 3] = ["https://a.example/posts/1?x#y", "http://u:p@b.example:81/c", "mailto:a@b.example"];

/// Whether the short way takes the HTML, whatever its links stand on; where it does, both ways give the same.
fn is_taken(html: &str) -> bool {
    let bases: Vec<Url> = BASES.iter().filter_map(|base| Url::parse(base).ok()).collect();
    let mut is_taken = false;
    for base in bases.iter().map(Some).chain([None]) {
        for is_own in [false, true] {
            let (short, long) = clean::both_ways(html, base, is_own);
            is_taken |= short.is_some();
            assert_eq!(short.as_ref().unwrap_or(&long), &long, "{html:?} on {base:?}, ours: {is_own}");
        }
    }
    is_taken
}

#[test]
fn what_feeds_and_markdown_usually_hold_is_plain() {
    for html in [
        "",
        "just text &amp; \u{201c}quotes\u{201d}, &#8217;s &hellip; R &amp; D 中文，🦀 > \"x\"",
        "<p>a <a href=\"https://a.example/b?c=1&amp;d=2\" title='\"t\"' target=\"_blank\" rel=\"nofollow\">b</a><br />c</p>\n\n<h2 id=\"x\">d</h2>\n<hr />",
        "<p><img class=\"alignnone wp-image-1\" src=\"/a.jpg\" srcset=\"/b.jpg 2x\" alt=\"\" width=\"100\" height=1 loading='lazy' /></p>",
        "<img width=\"1\" height=\"1\" src=\"/pixel\"><ul><li>a<ul><li>b</li></ul></li></ul><ol start=2><li><p>c</p></li></ol>",
        "<pre><code class=\"language-rust\">let a = &quot;b&quot; &lt; 'c';\n</code></pre><blockquote cite=\"/x\"><p>q</p></blockquote>",
        "<table class=x><thead>\n<tr><th align=\"left\">a</th></tr></thead><tbody><tr>\n<td><b>b</b></td></tr></tbody></table>",
        "<table><tr><td>a</td></tr> <tr><td><table>\n<tr><td></td></tr></table></td></tr>\n</table>",
        "<figure data-x><picture><source type=\"image/webp\" srcset=\"/a.webp\"><img src=\"/a.png\"></picture><figcaption>c</figcaption></figure>",
        "<iframe width=\"560\" src=\"https://v.example/1\" allowFullScreen></iframe><script async>if (a < b) {}</script><!-- more -->x",
        "<ul><li><input type=\"checkbox\" disabled=\"\" checked=\"\" /> done</li></ul><form><font color=\"red\">a</font></form>",
        "<p>a<sup class=\"footnote-ref\"><a href=\"#fn-1\" id=\"fnref-1\" data-footnote-ref>1</a></sup></p>",
        "<video src='/a.mp4' controls></video><a href=\"?a=1&b=2&utm_source=c\">d</a><span lang=\"zh\">e</span><del>f</del>",
        "<b><p>a</p></b><a href=\"mailto:a@b.example\"><div>b</div></a><a href=\"javascript:c\">d</a>",
    ] {
        assert!(is_taken(html), "{html}");
    }
}

#[test]
fn what_the_parser_would_change_is_left_to_it() {
    for html in [
        "<p>a",
        "<p>a<p>b</p></p>",
        "<p><div>a</div></p>",
        "</p>",
        "<b><i>a</b></i>",
        "<a href=/a>b<a href=/c>d</a></a>",
        "<ul><li>a<li>b</li></li></ul>",
        "<ul><li>a<div><li>b</li></div></li></ul>",
        "<h1><h2>a</h2></h1>",
        "<table><tr>a<td>b</td></tr></table>",
        "<table><tr><p>a</p></tr></table>",
        "<td>a</td>",
        "<table><td>a</td></table>",
        "<pre>\na</pre>",
        "<pre><!-- a -->\nb</pre>",
        "<pre><img width=1 height=1>\nb</pre>",
        "\u{feff}a",
        "<!-- a -->\u{feff}b",
        "a\r\nb",
        "a &copy b",
        "a &bogus; b",
        "a &#128; b",
        "a &#xfdd0; b",
        "a < b",
        "a <!doctype html> b",
        "<p title=a title=b>c</p>",
        "<P>a</P>",
        "<p title = 'a'>b</p>",
        "<p title='a'id=b>c</p>",
        "<x-y>a</x-y>",
        "<image src=a>",
        "<a title=\"&copy=1&copy;&copy\">b</a>",
        "<img data-src=/a.jpg>",
        "<img srcset='/a.jpg 1x'>",
        "<p",
        "<!-- a",
    ] {
        assert!(!is_taken(html), "{html}");
    }
    let deep = 300;
    assert!(!is_taken(&format!("{}{}", "<div>".repeat(deep), "</div>".repeat(deep))));
    assert!(!is_taken(&format!("{}{}", "<b>".repeat(14), "</b>".repeat(14))));
    assert!(!is_taken(&format!("<p title='{}'></p>", "a".repeat(9000))));
    assert!(is_taken(&"a &amp; \u{e9}".repeat(4000)), "long text is cut for the parser alone");
}

#[test]
fn named_references_are_those_of_the_parser() {
    for name in [
        "amp", "lt", "gt", "quot", "apos", "nbsp", "ndash", "mdash", "lsquo", "rsquo", "sbquo", "ldquo", "rdquo", "bdquo", "laquo",
        "raquo", "lsaquo", "rsaquo", "hellip", "bull", "middot", "copy", "reg", "trade", "euro", "pound", "yen", "cent", "deg", "times",
        "plusmn", "frac12", "frac14", "sect", "para", "iexcl", "iquest", "larr", "rarr", "shy", "zwnj", "zwj", "ensp", "emsp", "thinsp",
        "acute", "uml", "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml",
        "Igrave", "Iacute", "Icirc", "Iuml", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "Oslash", "Ugrave", "Uacute",
        "Ucirc", "Uuml", "Yacute", "szlig", "agrave", "aacute", "acirc", "atilde", "auml", "aring", "aelig", "ccedil", "egrave", "eacute",
        "ecirc", "euml", "igrave", "iacute", "icirc", "iuml", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml", "oslash", "ugrave",
        "uacute", "ucirc", "uuml", "yacute", "yuml", "Scaron", "scaron", "OElig", "oelig", "AMP", "COPY", "GT", "LT", "QUOT", "Alpha",
        "Omega", "OverBar", "Tab", "NewLine", "acE", "check", "fjlig", "hearts", "lrm", "notin", "nvlt", "sup2", "bogus", "not",
    ] {
        for html in
            ["a &@; b", "<p title='&@;'>c</p>", "<a href=\"/?a=1&@=2&@;\">d</a>", "<pre>&@;</pre>", "&@", "&@b;", "<a href='?&@_x'>e</a>"]
        {
            is_taken(&html.replace('@', name));
        }
    }
    for number in
        (0..0x120).chain(0xd7fe..0xd802).chain(0xfdce..0xfdf2).chain(0xfffc..0x1_0002).chain([0x1_f980, 0x1_fffe, 0x10_fffd, 0x11_0000])
    {
        is_taken(&format!("a&#{number};<img src=/ alt=\"&#x{number:x};\">"));
    }
}

/// Marsaglia's xorshift.
struct Dice(u64);

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
}

const TEXTS: [&str; 17] = [
    "a",
    "some words ",
    "\n",
    "  ",
    "中文，",
    "é\u{a0}",
    "🦀",
    "&amp;",
    "&lt;b&gt;",
    "&#8217;",
    "&#x27;",
    "&nbsp;",
    "&quot;",
    "&hellip;",
    " & ",
    "\"",
    " > ",
];
const VALUES: [&str; 27] = [
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
];
const ATTRIBUTES: [&str; 31] = [
    "title",
    "lang",
    "dir",
    "href",
    "hreflang",
    "src",
    "alt",
    "width",
    "height",
    "id",
    "class",
    "style",
    "cite",
    "datetime",
    "align",
    "start",
    "size",
    "colspan",
    "type",
    "checked",
    "srcset",
    "data-src",
    "data-srcset",
    "data-x",
    "onclick",
    "rel",
    "controls",
    "poster",
    "scope",
    "xml:lang",
    "target",
];
const BLOCKS: [&str; 14] = [
    "div",
    "section",
    "blockquote",
    "figure",
    "figcaption",
    "article",
    "details",
    "summary",
    "center",
    "address",
    "h1",
    "h3",
    "pre",
    "main",
];
const INLINES: [&str; 19] = [
    "a", "b", "em", "i", "s", "code", "strong", "span", "sup", "q", "del", "font", "big", "cite", "picture", "video", "form", "svg",
    "noscript",
];
const VOIDS: [&str; 8] = ["br", "img", "img", "wbr", "source", "track", "input", "br/"];
const TWISTS: [&str; 56] = [
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
    "<select>",
    "\"",
    "'",
    ">",
    "/",
];

fn attributes(dice: &mut Dice, html: &mut String) {
    while dice.roll(3) == 0 {
        let (name, value) = (dice.one_of(&ATTRIBUTES), dice.one_of(&VALUES));
        html.push_str(dice.one_of(&[" ", " ", " ", "\n", "  ", "\t"]));
        html.push_str(name);
        match dice.roll(8) {
            0 => {}
            1 => html.push_str(&format!("={value}")),
            2 => html.push_str(&format!("='{value}'")),
            _ => html.push_str(&format!("=\"{}\"", value.replace('"', "&quot;"))),
        }
    }
}

fn element(dice: &mut Dice, name: &str, html: &mut String, content: impl FnOnce(&mut Dice, &mut String)) {
    html.push_str(&format!("<{name}"));
    attributes(dice, html);
    html.push('>');
    content(dice, html);
    html.push_str(&format!("</{name}>"));
}

fn inline(dice: &mut Dice, depth: usize, html: &mut String) {
    for _ in 0..dice.roll(5) {
        match dice.roll(if depth == 0 { 3 } else { 5 }) {
            0 | 1 => html.push_str(dice.one_of(&TEXTS)),
            2 => {
                html.push_str(&format!("<{}", dice.one_of(&VOIDS)));
                if !html.ends_with('/') {
                    attributes(dice, html);
                }
                html.push_str(dice.one_of(&[">", " />"]).trim_start_matches(if html.ends_with('/') { " /" } else { "" }));
            }
            _ => {
                let name = dice.one_of(&INLINES);
                element(dice, name, html, |dice, html| inline(dice, depth - 1, html));
            }
        }
    }
}

fn blocks(dice: &mut Dice, depth: usize, html: &mut String) {
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
                let name = dice.one_of(&BLOCKS);
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
fn twist(dice: &mut Dice, html: &mut String) {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn both_ways_give_the_same(seed in 1..u64::MAX) {
        let mut dice = Dice(seed);
        let mut html = String::new();
        blocks(&mut dice, 3, &mut html);
        is_taken(&html);
        twist(&mut dice, &mut html);
        is_taken(&html);
    }
}

#[test]
fn most_of_what_is_made_up_takes_the_short_way() {
    let count = |is_twisted: bool| {
        (1..500_u64).filter(move |seed| {
            let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let mut html = String::new();
            blocks(&mut dice, 2, &mut html);
            if is_twisted {
                twist(&mut dice, &mut html);
            }
            is_taken(&html)
        })
    };
    let (plain, twisted) = (count(false).count(), count(true).count());
    assert!(plain > 200 && twisted > 20, "{plain} plain ones and {twisted} twisted ones");
}

#[test]
fn placeholders_stay_in_what_we_made() {
    let html = format!("<p><a href=\"{PLACEHOLDER}/tag/x\">l</a></p>");
    assert_eq!(clean::both_ways(&html, None, true).0, Some(html.clone()));
    assert!(is_taken(&html));
}
