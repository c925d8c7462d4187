//! An article as Markdown with its front matter.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{entry as parts, media};
use crate::model::{Entry, Kind, Language, Person, Site, text};

/// The file that an article came from, as it was; for any other article front matter with all that is known, and its
/// content as HTML, which Markdown allows.
#[must_use]
pub fn article(entry: &Entry, site: &Site) -> String {
    if let Some(markdown) = &entry.article.markdown {
        return markdown.clone();
    }
    let mut file = String::from("---\n");
    let mut put = |name: &str, value: &str| {
        let _ = writeln!(file, "{name}: {}", quoted(value));
    };
    put("title", &parts::title_or_start(entry));
    put("date", &parts::date(entry.published));
    if entry.updated != entry.published {
        put("lastmod", &parts::date(entry.updated));
    }
    put("link", &parts::link(entry, site));
    put("guid", &entry.article.guid);
    if let Some(summary) = parts::summary(entry, site) {
        put("summary", &text::plain(&summary));
    }
    if let Some(picture) = media::picture(entry, site) {
        put("thumbnail", &picture.url);
    }
    if let Some(rights) = &entry.article.rights {
        put("rights", rights);
    }
    if let Some(comments) = entry.article.comments.as_deref().and_then(parts::absolute) {
        put("comments", &comments);
    }
    authors(&mut file, parts::authors(entry));
    list(&mut file, "categories", entry.terms_of(Kind::Category).map(|term| term.name.as_str()));
    list(&mut file, "tags", entry.terms_of(Kind::Tag).map(|term| term.name.as_str()));
    list(&mut file, "lang", entry.article.languages.iter().map(Language::as_str));
    let _ = write!(file, "---\n\n{}\n", as_block(&parts::content(entry, site).unwrap_or_default()));
    file
}

/// HTML as one block of `CommonMark` (4.6, kind 6), so that nothing in it is read as Markdown: such a block begins with the
/// tag of a block and ends at the first blank line.
fn as_block(html: &str) -> String {
    let html = html.trim();
    let name = html.strip_prefix('<').and_then(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric()).next()).unwrap_or_default();
    // An end tag without a start begins a block, too, and is nothing to who reads HTML.
    let start = if html.is_empty() || BLOCKS.contains(&name) { "" } else { "</div>" };
    let mut block = String::with_capacity(html.len() + start.len());
    block.push_str(start);
    let mut lines = html.split('\n').peekable();
    while let Some(line) = lines.next() {
        // Two braces begin a shortcode.
        block.push_str(&line.replace("{{", "&#123;{"));
        match lines.peek() {
            Some(next) if line.trim().is_empty() || next.trim().is_empty() => block.push_str("&#10;"),
            Some(_) => block.push('\n'),
            None => {}
        }
    }
    block
}

/// Elements that content begins with and that begin a block.
const BLOCKS: [&str; 22] = [
    "p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "figure", "section", "article", "aside",
    "header", "main", "nav", "details", "center",
];

/// Each with a name alone as a scalar, with more as a map. The source's stand for those of an article without any, as in
/// feeds: elsewhere it has another source.
fn authors(file: &mut String, people: &[Person]) {
    let mut key = "authors:\n";
    for person in people {
        let Some(name) = parts::person_name(person) else { continue };
        let more = [("email", parts::email(person).map(Cow::from)), ("url", person.uri.as_deref().and_then(parts::absolute))];
        let is_more = more.iter().any(|(_, value)| value.is_some());
        let _ = writeln!(file, "{key}  - {}{}", if is_more { "name: " } else { "" }, quoted(name));
        for (field, value) in more.iter().filter_map(|(field, value)| Some((field, value.as_deref()?))) {
            let _ = writeln!(file, "    {field}: {}", quoted(value));
        }
        key = "";
    }
}

fn list<'a>(file: &mut String, name: &str, values: impl Iterator<Item = &'a str>) {
    let values: Vec<String> = values.map(|value| format!("  - {}\n", quoted(value))).collect();
    if !values.is_empty() {
        let _ = write!(file, "{name}:\n{}", values.concat());
    }
}

/// A YAML scalar in double quotes: a JSON string is one, but for two characters that older YAML takes for line breaks.
fn quoted(value: &str) -> String {
    let string = serde_json::Value::from(text::clean(value)).to_string();
    string.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use saphyr_parser::{Event, Parser};

    use super::super::samples::{bare, hostile, rich, site};
    use super::*;

    /// The scalars of the front matter, keys and values in order, and the body.
    fn read(file: &str) -> (Vec<String>, String) {
        let (front, body) = file.strip_prefix("---\n").unwrap().split_once("---\n\n").unwrap();
        let scalars = Parser::new_from_str(front).map(|event| event.unwrap().0).filter_map(|event| match event {
            Event::Scalar(value, ..) => Some(value.into_owned()),
            _ => None,
        });
        (scalars.collect(), body.to_owned())
    }

    #[test]
    fn front_matter_reads_back_as_it_was() {
        let (scalars, body) = read(&article(&rich(), &site()));
        let title = rich().article.title.unwrap();
        let expected = [
            "title",
            &title,
            "date",
            "2025-02-12T01:33:20Z",
            "lastmod",
            "2025-02-12T01:55:20Z",
            "link",
            "https://blog.example/1",
            "guid",
            "https://blog.example/1",
            "summary",
            "A short one & done",
        ];
        assert_eq!(scalars[..expected.len()], expected);
        let further = ["rights", "© 2025 <them>", "comments", "https://blog.example/1#comments"];
        let author = ["name", "Ann (A.)", "email", "ann@blog.example", "url", "https://blog.example/ann"];
        for part in [&further[..], &author] {
            assert!(scalars.windows(part.len()).any(|scalars| scalars == part), "{part:?} is not in {scalars:?}");
        }
        for tag in ["C++", "C#", ".NET", "AI/ML", "<script>alert(1)</script>", "🦀"] {
            assert!(scalars.iter().any(|scalar| scalar == tag), "{tag} is not in {scalars:?}");
        }
        assert!(body.starts_with("<p>One &amp; two ]]&gt; <a href=\"https://feeds.example.org/mill/tag/rust\">"), "{body}");
    }

    #[test]
    fn no_value_breaks_out_of_its_line() {
        let mut entry = hostile();
        let title = "a: \"b\" # c\\ \u{2028}---\n- d";
        entry.article.title = Some(title.to_owned());
        assert_eq!(read(&article(&entry, &site())).0[1], title);
        assert_eq!(read(&article(&bare(), &site())).0[1], "Only words <here> & there.");
    }

    #[test]
    fn nothing_in_html_is_read_as_markdown() {
        for (html, block) in [
            ("<p>a *b*</p>\n<pre>c\n\n    d</pre>", "<p>a *b*</p>\n<pre>c&#10;&#10;    d</pre>"),
            ("1. *a* {{% b %}}", "</div>1. *a* &#123;{% b %}}"),
            ("<picture></picture>", "</div><picture></picture>"),
            ("<pre>\n a</pre>", "</div><pre>\n a</pre>"),
            ("", ""),
        ] {
            assert_eq!(as_block(html), block);
        }
    }

    #[test]
    fn a_markdown_file_is_given_back_as_it_was() {
        let mut entry = rich();
        entry.article.markdown = Some("---\ntitle: x\n---\nbody".to_owned());
        assert_eq!(article(&entry, &site()), "---\ntitle: x\n---\nbody");
    }
}
