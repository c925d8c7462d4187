//! Formulas in HTML from the world. MathML stays out of feeds: where it says its TeX, that takes its place, as our own
//! articles have it; else the words in it stay. It is told the tags of a document one after another.

use super::tame::Tag;

/// The formulas of a document.
#[derive(Default)]
pub(super) struct Formulas {
    /// The one that is open.
    open: Option<Formula>,
    /// Where the last one ends in the output.
    end: usize,
}

struct Formula {
    /// Where it begins in the output.
    start: usize,
    is_block: bool,
    tex: Option<String>,
    /// Where the note that is open begins in the output, and whether it is TeX.
    note: Option<(usize, bool)>,
}

impl Formulas {
    /// Takes a tag, if it is one of MathML's that mean something here.
    pub(super) fn take(&mut self, tag: &Tag<'_>, output: &mut String) -> bool {
        match (tag.name.as_str(), tag.is_end) {
            ("math", false) => {
                let is_block = tag.value("display").or_else(|| tag.value("mode")).is_some_and(|mode| matches!(mode, "block" | "display"));
                let tex = tag.value("alttext").map(|text| text.replace('<', "&lt;"));
                self.open = Some(Formula { start: output.len(), is_block, tex, note: None });
            }
            ("math", true) => self.close(output),
            ("annotation" | "annotation-xml", is_end) => self.note(tag, is_end, output),
            _ => return false,
        }
        true
    }

    /// Notes that something else than text is written: it is not taken back.
    pub(super) fn leave(&mut self) {
        self.open = None;
    }

    /// Whether an element only draws the formula that was just written (`KaTeX`).
    pub(super) fn is_drawn_by(&self, tag: &Tag<'_>, output: &str) -> bool {
        let is_drawing = || tag.value("class").is_some_and(|class| class.split_ascii_whitespace().any(|word| word == "katex-html"));
        tag.name == "span" && !tag.is_end && output.get(self.end..) == Some("</span>") && is_drawing()
    }

    /// A formula that is told in other words (MathML 3, 5.2.3): its TeX is kept, all others go.
    fn note(&mut self, tag: &Tag<'_>, is_end: bool, output: &mut String) {
        let Some(formula) = &mut self.open else { return };
        if !is_end {
            let is_tex = tag.value("encoding").is_some_and(|encoding| encoding.to_ascii_lowercase().ends_with("tex"));
            formula.note = formula.note.or(Some((output.len(), is_tex)));
        } else if let Some((start, is_tex)) = formula.note.take() {
            let words = output.split_off(start);
            formula.tex = if is_tex { Some(words) } else { formula.tex.take() };
        }
    }

    fn close(&mut self, output: &mut String) {
        let Some(formula) = self.open.take() else { return };
        let tex = formula.tex.as_deref().map(str::trim).filter(|tex| !tex.is_empty());
        if let Some(tex) = tex {
            // A name or a number needs no signs around it.
            let is_word = tex == output[formula.start..].trim() && tex.chars().all(char::is_alphanumeric);
            output.truncate(formula.start);
            write(tex, if is_word { "" } else { sign(formula.is_block) }, output);
        }
        self.end = output.len();
    }
}

/// What stands around TeX.
pub(super) const fn sign(is_block: bool) -> &'static str {
    if is_block { "$$" } else { "$" }
}

/// Writes TeX that is escaped as text is.
pub(super) fn write(tex: &str, sign: &str, output: &mut String) {
    let has_signs = tex.starts_with('$') || tex.starts_with("\\(") || tex.starts_with("\\[");
    let sign = if has_signs { "" } else { sign };
    output.extend([sign, tex, sign]);
}

#[cfg(test)]
mod tests {
    use crate::source::clean;

    const MATH: &str = "<math xmlns=\"http://www.w3.org/1998/Math/MathML\">";

    #[test]
    fn the_tex_of_a_formula_takes_its_place() {
        for (html, expected) in [
            ("a <math><semantics><mi>n</mi><annotation encoding=\"application/x-tex\">n</annotation></semantics></math> b", "a n b"),
            (
                "a <math display=block><semantics><msup><mi>x</mi><mn>2</mn></msup><annotation encoding='application/x-tex'> x^2 &lt; y </annotation>\
                 <annotation encoding='StarMath 5.0'>x sup 2</annotation></semantics></math> b",
                "a $$x^2 &lt; y$$ b",
            ),
            ("<math alttext='{\\frac{a}{b}}'><mfrac><mi>a</mi><mi>b</mi></mfrac></math>", "${\\frac{a}{b}}$"),
            ("a <math><mi>x</mi><mo>+</mo><mn>1</mn><annotation-xml><ci>x</ci></annotation-xml></math> b", "a x+1 b"),
            (
                "<span class=katex><span class=katex-mathml><math><mi>y</mi><annotation encoding=application/x-tex>\\hat y</annotation></math></span>\
                 <span class=\"katex-html\" aria-hidden=true><span class=base><span>y</span>^</span></span></span> b",
                "<span><span>$\\hat y$</span></span> b",
            ),
            ("<span class=katex><span class=katex-html><span>y</span></span></span> b", "<span><span><span>y</span></span></span> b"),
            ("<script type=\"math/tex; mode=display\">a < b</script><script type='math/tex'>c</script>", "$$a &lt; b$$$c$"),
        ] {
            assert_eq!(clean::html(html, None), expected, "{html}");
        }
    }

    #[test]
    fn a_formula_that_does_not_end_or_holds_more_than_itself_keeps_its_words() {
        for (html, expected) in [
            (format!("<p>{MATH}<mi>a</mi> b</p><p>c</p>"), "<p>a b</p><p>c</p>"),
            (format!("<b>{MATH}</b><i><annotation encoding=tex>x</annotation></math>y</i>"), "<b></b><i>xy</i>"),
            (format!("{MATH}<mtext><em>a</em></mtext><annotation encoding=tex>x</annotation></math>"), "<em>a</em>x"),
            ("<annotation encoding=tex>x</annotation></math>y".to_owned(), "xy"),
        ] {
            assert_eq!(clean::html(&html, None), expected, "{html}");
        }
    }
}
