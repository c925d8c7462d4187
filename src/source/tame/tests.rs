use std::time::{Duration, Instant};

use super::*;
use crate::source::clean;

#[test]
fn tags_are_read_as_html_reads_them() {
    for (html, expected) in [
        ("<p title='a > b' id=x/y>c</p>", "<p title='a > b' id=x/y>c</p>"),
        ("1 < 2 <3 </ x>y <", "1 &lt; 2 &lt;3 y &lt;"),
        ("a<!-- <b> -->c<![CDATA[d]]>e<?php f ?>g<!--h", "aceg"),
        ("a<script>'</p>'</SCRIPT >b<style>c", "ab"),
        ("<svg><title><img src=x></title>a</svg>b", "b"),
        ("a<img alt=\"no end", "a"),
    ] {
        assert_eq!(tame(html), expected, "{html}");
    }
}

#[test]
fn a_picture_that_a_script_would_load_gets_its_address() {
    let expected = "<img src=\"/a.png?x=1&amp;y=2\" alt=\"b > c\">";
    for html in [
        "<img alt=\"b > c\" src='data:image/gif,x' data-src='/a.png?x=1&amp;y=2'>",
        "<IMG ALT='b > c' DATA-ORIGINAL=/a.png?x=1&amp;y=2 SRC=blank.gif />",
        "<img alt='b > c' srcset=\"/a.png?x=1&amp;y=2 1x, /c.png 2x\">",
        "<noscript><img src=\"/a.png?x=1&amp;y=2\" alt=\"b > c\"></noscript>",
        "<img data-src='/a.png?x=1&amp;y=2' alt='b > c'><noscript><img src=/a.png></noscript>",
    ] {
        assert_eq!(tame(html), expected, "{html}");
    }
}

#[test]
fn text_that_is_cut_comes_out_whole() {
    let text = "AT&amp;T &lt; 5 \u{b0}C, &eacute;t&eacute; 天氣 & x".repeat(1000);
    assert!(tame(&text).contains(CUT));
    let plain = |html: &str| text::plain(html).replace('\u{a0}', " ");
    assert_eq!(plain(&clean::html(&text, None)), plain(&text));
    assert!(!clean::html(&text, None).contains(CUT));
}

#[test]
fn no_reference_brings_back_a_forbidden_character() {
    for html in ["<a href=\"&#xFDD0;/tag/x\">&#64976;/tag/x &#xfdd0 &#1;</a>", "&#xFD&#x1;D0; &#xFD&#xFDD0;D0; &#00000000064976;"] {
        for cleaned in [clean::html(html, None), clean::own_html(html, None)] {
            assert!(cleaned.chars().all(text::is_allowed), "{html} became {cleaned:?}");
        }
    }
    assert_eq!(tame("&#151; &#x4e2d; &# &#x; &#99999999999;"), "&#151; &#x4e2d; &# &#x; &#99999999999;");
}

#[test]
fn hostile_markup_costs_no_more_than_its_length() {
    let many = 100_000;
    let bold: String = (0..many).map(|number| format!("<b id={number}>")).collect();
    for html in [
        "<div>".repeat(many),
        format!("<p>{bold}{}", "</p><p>x".repeat(many)),
        format!("{bold}{}", "</p><p>x</p>".repeat(many)),
        format!("<p {}>", (0..many).map(|number| format!("a{number} ")).collect::<String>()),
        "<table>".to_owned() + &"<br>".repeat(many),
        "<div><table><td></div>".repeat(many),
        "<rt>".repeat(many) + &"</x>".repeat(many),
        "<a<a".repeat(many),
        "<noscript><script>".repeat(many),
        "<!--".repeat(many),
        "<math><annotation encoding=tex>x".repeat(many),
        "<math>x</annotation></math>".repeat(many),
        "<svg>x</svg><span class=katex-html>".repeat(many),
        "<script type=math/tex>".repeat(many),
        "&#".repeat(many),
        "&".repeat(20 * many),
        "\u{b0}".repeat(10 * many),
        "<form>&".repeat(3 * many),
        "<b>&</x>&".repeat(3 * many),
        format!("<p title='{}'>", "&".repeat(20 * many)),
        format!("<p title='{}'>", "&".repeat(8000)).repeat(250),
    ] {
        let start = Instant::now();
        let cleaned = clean::html(&html, None);
        assert!(cleaned.len() <= 12 * html.len(), "{} grew to {}", &html[..16], cleaned.len());
        assert!(start.elapsed() < Duration::from_secs(20), "{} took {:?}", &html[..16], start.elapsed());
    }
}
