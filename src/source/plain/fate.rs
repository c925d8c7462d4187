//! What becomes of an attribute: the cleaner's list, said once more for the elements that the short way knows.

/// What becomes of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Dropped,
    Kept,
    /// A link; one that could do harm is dropped.
    Link,
    /// The address of a picture.
    Source,
    /// Where words come from; no link that a reader follows.
    Citation,
    /// Kept if it begins so.
    Prefixed(&'static str),
    /// The width of a picture.
    Width,
    /// The height of a picture.
    Height,
    /// Other addresses of a picture, of which one is taken where it has no source.
    Candidates,
    /// What only the long way reads.
    Unsure,
    /// The kind of an input.
    Type,
    /// A box with a tick.
    Checked,
}

/// What becomes of an attribute of an element, both in small letters.
pub(super) fn fate(element: &str, name: &str) -> Fate {
    match (element.as_bytes(), name.as_bytes()) {
        (_, b"title" | b"lang" | b"dir")
        | (b"a", b"hreflang")
        | (b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6", b"id")
        | (b"ol", b"start")
        | (b"del" | b"ins", b"datetime")
        | (b"hr", b"align" | b"size" | b"width")
        | (b"img", b"alt" | b"align")
        | (b"table" | b"tbody" | b"td" | b"th" | b"thead" | b"tr", b"align" | b"char" | b"charoff")
        | (b"table", b"summary")
        | (b"td" | b"th", b"colspan" | b"headers" | b"rowspan")
        | (b"th", b"scope")
        | (b"audio" | b"video", b"controls" | b"preload" | b"loop")
        | (b"video", b"width" | b"height")
        | (b"source", b"type")
        | (b"track", b"kind" | b"srclang" | b"label") => Fate::Kept,
        (b"a", b"href") | (b"audio" | b"video" | b"source" | b"track", b"src") | (b"video", b"poster") => Fate::Link,
        (b"blockquote" | b"del" | b"ins" | b"q", b"cite") => Fate::Citation,
        (b"a" | b"li" | b"sup", b"id") => Fate::Prefixed("fn"),
        (b"code", b"class") => Fate::Prefixed("language-"),
        (b"img", b"src") => Fate::Source,
        (b"img", b"width") => Fate::Width,
        (b"img", b"height") => Fate::Height,
        (b"img", b"srcset" | b"data-srcset") => Fate::Candidates,
        (b"img", _) if super::tame::LAZY.contains(&name) => Fate::Unsure,
        (b"input", b"type") => Fate::Type,
        (b"input", b"checked") => Fate::Checked,
        _ => Fate::Dropped,
    }
}
