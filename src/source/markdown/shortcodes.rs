//! Hugo's shortcodes in a body: its own ones become plain HTML, of others the inner text stays.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::body::pattern;
use crate::model::text;

/// The longest tag, in bytes: without a limit a quote that is never closed would be looked for to the end, at each tag.
const MAX_TAG: usize = 4_096;

static OPENING: LazyLock<Regex> = LazyLock::new(|| pattern(r"\{\{[<%]"));
/// `{{< name arguments >}}` and `{{% name arguments %}}`, opening or closing.
static SHORTCODE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"^\{\{[<%]\s*(/?)\s*([A-Za-z0-9][A-Za-z0-9_./-]*)((?:[^>%"`]|"(?:[^"\\]|\\.)*"|`[^`]*`)*?)/?\s*[>%]\}\}"#));
static ARGUMENT: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?:([A-Za-z_-]+)\s*=\s*)?(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`|([^\s"`=]+))"#));

/// Where a link to another file leads.
type Resolve<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A body without shortcodes; `unknown` gets the names of those of which only the inner text stays.
pub(super) fn expand(markdown: &str, resolve: &Resolve<'_>, unknown: &mut Vec<String>) -> String {
    let mut plain = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some(opening) = OPENING.find(rest) {
        plain.push_str(&rest[..opening.start()]);
        rest = &rest[opening.start()..];
        let window = &rest[..rest.floor_char_boundary(MAX_TAG)];
        let (length, written) = shown(window)
            .or_else(|| SHORTCODE.captures(window).map(|found| (found[0].len(), shortcode(&found, resolve, unknown))))
            .unwrap_or_else(|| (opening.len(), opening.as_str().to_owned()));
        plain.push_str(&written);
        rest = &rest[length..];
    }
    plain.push_str(rest);
    plain
}

/// What `{{</* name arguments */>}}` shows, with its length: the shortcode itself, as an article about Hugo has it.
fn shown(tag: &str) -> Option<(usize, String)> {
    let (opening, closing) = if tag.starts_with("{{<") { ("{{</*", "*/>}}") } else { ("{{%/*", "*/%}}") };
    let (inner, _) = tag.strip_prefix(opening)?.split_once(closing)?;
    Some((opening.len() + inner.len() + closing.len(), format!("{}{inner}{}", &opening[..3], &closing[2..])))
}

/// What a shortcode becomes: Hugo's own ones plain HTML; of others the tags go and the inner text stays.
fn shortcode(found: &Captures<'_>, resolve: &Resolve<'_>, unknown: &mut Vec<String>) -> String {
    let (is_closing, name) = (&found[1] == "/", &found[2]);
    let arguments: Vec<(String, String)> = ARGUMENT
        .captures_iter(&found[3])
        .map(|argument| {
            let value = argument.get(2).or(argument.get(3)).or(argument.get(4)).map_or("", |value| value.as_str());
            (argument.get(1).map_or(String::new(), |name| name.as_str().to_owned()), value.replace("\\\"", "\""))
        })
        .collect();
    let named =
        |name: &str| arguments.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty());
    let first = arguments.iter().find(|(name, _)| name.is_empty()).map(|(_, value)| value.as_str());
    match name {
        "figure" if !is_closing => figure(&named),
        "ref" | "relref" => first.or(named("path")).map_or_else(String::new, |path| resolve(path).unwrap_or_else(|| path.to_owned())),
        "highlight" if is_closing => "\n```".to_owned(),
        "highlight" => format!("```{}", first.unwrap_or_default()),
        _ => {
            if !is_closing {
                unknown.push(name.to_owned());
            }
            String::new()
        }
    }
}

fn figure<'a>(named: &impl Fn(&str) -> Option<&'a str>) -> String {
    let Some(src) = named("src") else { return String::new() };
    let alt = named("alt").or(named("caption")).or(named("title")).unwrap_or_default();
    let picture = format!("<img src=\"{}\" alt=\"{}\">", text::escape(src), text::escape(alt));
    let picture = named("link").map_or(picture.clone(), |link| format!("<a href=\"{}\">{picture}</a>", text::escape(link)));
    let caption: Vec<String> = [
        named("title").map(|title| format!("<strong>{}</strong>", text::escape(title))),
        named("caption").map(text::escape),
        named("attr").map(text::escape),
    ]
    .into_iter()
    .flatten()
    .collect();
    let caption = if caption.is_empty() { String::new() } else { format!("<figcaption>{}</figcaption>", caption.join(" ")) };
    format!("<figure>{picture}{caption}</figure>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(markdown: &str) -> (String, Vec<String>) {
        let mut unknown = Vec::new();
        (expand(markdown, &|path| (path == "other.md").then(|| "PLACE".to_owned()), &mut unknown), unknown)
    }

    #[test]
    fn shortcodes_become_html_or_leave_their_text() {
        for (markdown, expected) in [
            (
                "{{< figure src=\"/a.png\" caption=\"图 <一>\" >}}",
                "<figure><img src=\"/a.png\" alt=\"图 &lt;一&gt;\"><figcaption>图 &lt;一&gt;</figcaption></figure>",
            ),
            ("{{< highlight go >}}\nx > y\n{{< /highlight >}}", "```go\nx > y\n\n```"),
            ("a {{% notice tip %}}inner{{% /notice %}} b", "a inner b"),
            ("{{{< ref \"other.md\" >}} {{< relref path=\"x.md\" >}}", "{PLACE x.md"),
            ("{{ .Title }} {{< \"x\" >}} {{<a \" {{<b>}}", "{{ .Title }} {{< \"x\" >}} {{<a \" "),
        ] {
            assert_eq!(expanded(markdown).0, expected, "{markdown}");
        }
        assert_eq!(expanded("{{% notice tip %}}inner{{% /notice %}}").1, ["notice"]);
    }

    #[test]
    fn a_shortcode_that_is_written_about_stays() {
        for (markdown, expected) in [
            ("a {{</* figure src=\"x.png\" */>}} b", "a {{< figure src=\"x.png\" >}} b"),
            ("{{%/* notice */%}}{{< x >}}{{%/* /notice */%}}", "{{% notice %}}{{% /notice %}}"),
            ("{{</* open", "{{</* open"),
            ("{{< /* x */ >}} {{< // >}}", "{{< /* x */ >}} {{< // >}}"),
        ] {
            assert_eq!(expanded(markdown).0, expected, "{markdown}");
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_costs_no_more_than_a_tag() {
        let started = std::time::Instant::now();
        let (plain, unknown) = expanded(&"{{<a ` \" {{<b>}} \" ".repeat(20_000));
        assert!(plain.contains("{{<a") && unknown.iter().all(|name| name == "b"));
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}
