//! TeX formulas as MathML, which browsers show without any script.

use std::sync::LazyLock;

use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};
use regex::{Captures, Regex};

use crate::model::text;

/// The longest formula in bytes: what is longer stays TeX, and none can nest deeper than this.
const MAX_FORMULA: usize = 400;

/// What is passed over (code and tags), then the forms of a formula.
static PARTS: LazyLock<Regex> = LazyLock::new(parts);

static CONVERTER: LazyLock<Option<LatexToMathML>> = LazyLock::new(|| LatexToMathML::new(MathCoreConfig::default()).ok());

#[expect(clippy::expect_used, reason = "the pattern is a constant, and a test compiles it")]
fn parts() -> Regex {
    let skipped = r"<pre\b.*?</pre>|<code\b.*?</code>|<[^>]*>";
    let formulas = r"\$\$([^$]+)\$\$|\\\[(.+?)\\\]|\$([^\s$](?:[^$\n]*[^\s$])?)\$|\\\((.+?)\\\)";
    Regex::new(&format!("(?s){skipped}|{formulas}")).expect("a valid pattern")
}

/// Sanitised HTML with its formulas as MathML: `$…$`, `$$…$$`, `\(…\)`, `\[…\]` outside code. What cannot be read stays.
pub(super) fn with_formulas(html: &str) -> String {
    PARTS.replace_all(html, |found: &Captures<'_>| formula(found).unwrap_or_else(|| found[0].to_owned())).into_owned()
}

fn formula(found: &Captures<'_>) -> Option<String> {
    let block = found.get(1).or(found.get(2));
    let source = block.or(found.get(3)).or(found.get(4))?.as_str();
    let display = if block.is_some() { MathDisplay::Block } else { MathDisplay::Inline };
    // A formula holds no tags; one that does is two dollars far apart.
    if source.len() > MAX_FORMULA || source.contains('<') {
        return None;
    }
    let converted = CONVERTER.as_ref()?.convert_with_local_state(&text::unescape(source), display);
    converted.ok().map(|result| result.mathml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_mathml_and_all_else_stays() {
        let html = with_formulas("<p>静止：$E = mc^2$，$$a_1 \\lt \\frac{1}{2}$$ 和 \\(x\\)。</p>");
        assert_eq!(html.matches("<math").count(), 3, "{html}");
        assert!(html.contains("<mfrac>") && html.contains("display=\"block\"") && !html.contains('$'), "{html}");
        for same in [
            "<p>一共 $5 和 $6。</p>",
            "<code>$a$</code>",
            "<pre><code>$a$ b</code></pre>",
            "<a title=\"$a$\">x</a>",
            "$<b>a</b>$",
            "$\\nonsense{$",
        ] {
            assert_eq!(with_formulas(same), same);
        }
    }

    #[test]
    fn a_formula_can_neither_break_out_nor_bring_the_server_down() {
        let html = with_formulas("$a &lt;script&gt; \\text{&lt;b onclick=x&gt;} &amp;$");
        assert!(!html.contains("<script") && !html.contains("<b "), "{html}");
        for hostile in
            ["{", "\\frac", "\\left(", "^", "\\sqrt{", "\\text{", "\\begin{matrix}", "\\char中", "\\over", "&amp;", "\\color{red}"]
        {
            let formula = format!("$x{}y$", hostile.repeat((MAX_FORMULA - 2) / hostile.len()));
            assert!(!with_formulas(&formula).is_empty());
        }
    }
}
