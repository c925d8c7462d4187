use markup5ever::data::NAMED_ENTITIES;
use proptest::prelude::*;
use url::Url;

use super::made_up::{Dice, blocks, twist};
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
        "just text &Amacr; &Omega; &sup2; &amp; \u{201c}quotes\u{201d}, &#8217;s &hellip; R &amp; D 中文，🦀 > \"x\"",
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
        "Q&A\r\n<p>a</p>\r\n<table>\r\n<tr\r\n><td title='a\r\nb'></td></tr></table><img src=/a/b?c=d></img><hr></hr>",
        "<a id=a href=/b title=c lang=d>e</a><a title=f id=g>h</a><sup lang=i id=fn1>j</sup><a id=k></a><a id=l href=m></a>",
        "<b><b><b><b><b><p>a</p></b></b></b></b></b><i>b</i><u><table><tr><td><u>c</u></td></tr></table></u>",
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
        "a\rb\r<!-- -->\n",
        "<br></br>",
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
        "<input type=\"&#1;checkbox\">",
        "<iframe title=&#1; src='></iframe><b>a</b>'></iframe>",
        "<p title=&#1; lang='>'>b</p>",
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
fn every_element_keeps_what_the_cleaner_lets_it_keep() {
    let elements = "a abbr acronym address article aside audio b bdi bdo big blockquote br button center cite code data dd del details dfn div dl \
        dt em fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 header hgroup hr i iframe img input ins kbd li main mark nav \
        noscript object ol p picture pre q s samp script section small source span strike strong style sub summary sup svg table tbody td \
        th thead time tr track tt u ul var video wbr tfoot caption col colgroup embed map area label menu rp rt ruby title";
    let attributes = "title lang dir href hreflang src alt align width height size id class cite datetime start colspan rowspan headers scope char \
        charoff summary span srcset data-src type checked controls preload loop poster kind srclang label style onclick name value rel";
    let base = Url::parse("https://a.example/b").ok();
    for element in elements.split(' ') {
        for (before, behind) in [("", ""), ("<ul>", "</ul>"), ("<dl>", "</dl>"), ("<table>", "</table>"), ("<table><tr>", "</tr></table>")]
        {
            let compare = |attributes: &str| {
                let html = format!("{before}<{element}{attributes}>c</{element}>{behind}");
                let (short, long) = clean::both_ways(&html, base.as_ref(), false);
                assert_eq!(short.as_ref().unwrap_or(&long), &long, "{html}");
            };
            compare("");
            attributes.split(' ').for_each(|attribute| compare(&format!(" {attribute}='/1'")));
        }
    }
}

#[test]
fn named_references_are_those_of_the_parser() {
    let names = "amp lt gt quot apos nbsp ndash mdash lsquo rsquo sbquo ldquo rdquo bdquo laquo raquo lsaquo rsaquo hellip bull middot \
         copy reg trade euro pound yen cent deg times plusmn frac12 frac14 sect para iexcl iquest larr rarr shy zwnj zwj ensp \
         emsp thinsp acute uml Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc \
         Iuml Ntilde Ograve Oacute Ocirc Otilde Ouml Oslash Ugrave Uacute Ucirc Uuml Yacute szlig agrave aacute acirc atilde auml \
         aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml ntilde ograve oacute ocirc otilde ouml oslash \
         ugrave uacute ucirc uuml yacute yuml Scaron scaron OElig oelig AMP COPY GT LT QUOT Alpha Omega OverBar Tab NewLine acE \
         check fjlig hearts lrm notin nvlt sup2 bogus not";
    for name in names.split(' ') {
        for html in
            ["a &@; b", "<p title='&@;'>c</p>", "<a href=\"/?a=1&@=2&@;\">d</a>", "<pre>&@;</pre>", "&@", "&@b;", "<a href='?&@_x'>e</a>"]
        {
            is_taken(&html.replace('@', name));
        }
    }
    for name in NAMED_ENTITIES.keys() {
        is_taken(&format!("a &{name} b<img src=/ alt=\"&{name}\">"));
    }
    for number in
        (0..0x120).chain(0xd7fe..0xd802).chain(0xfdce..0xfdf2).chain(0xfffc..0x1_0002).chain([0x1_f980, 0x1_fffe, 0x10_fffd, 0x11_0000])
    {
        is_taken(&format!("a&#{number};<img src=/ alt=\"&#x{number:x};\">"));
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
