//! The elements that the short way knows, and where one may stand so that the parser does nothing but nest it.

/// How the parser treats an element (WHATWG 13.2.6.4.7), as far as well-formed HTML can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Closes a paragraph.
    Block,
    Paragraph,
    Heading,
    /// A block whose first line feed is dropped.
    Preformatted,
    List,
    Item,
    Definitions,
    /// A term of definitions, or what it means.
    Definition,
    Table,
    Rows,
    /// Rows that the parser puts in where a row stands in the table itself.
    ImpliedRows,
    Row,
    Cell,
    Inline,
    /// The parser remembers it until it is closed.
    Formatting,
    Anchor,
    /// A formatting element that is dropped, while its content stays.
    HiddenFormatting,
    /// A block that is dropped, while its content stays.
    HiddenBlock,
    /// Has no end tag.
    Void,
    /// Has no end tag, and closes a paragraph.
    Rule,
    Picture,
    /// A box of a task list becomes a sign.
    Input,
    /// Its tags are gone before the parser sees them; its content stays.
    Unseen,
    /// It is gone with all that is in it before the parser sees it.
    Gone,
}

/// An element that is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) name: &'a str,
    pub(super) kind: Kind,
}

impl Element<'_> {
    /// Whether its tags are dropped by the cleaner.
    pub(super) fn is_hidden(self) -> bool {
        matches!(self.kind, Kind::HiddenFormatting | Kind::HiddenBlock)
    }

    /// Whether it is a part of a table in which no text may stand.
    pub(super) fn is_grid(self) -> bool {
        matches!(self.kind, Kind::Table | Kind::Rows | Kind::ImpliedRows | Kind::Row)
    }
}

/// The kind of an element, its name in small letters; `None` for those that are left to the parser.
pub(super) fn kind(name: &str) -> Option<Kind> {
    Some(match name.as_bytes() {
        b"p" => Kind::Paragraph,
        b"a" => Kind::Anchor,
        b"br" | b"wbr" | b"source" | b"track" => Kind::Void,
        b"img" => Kind::Picture,
        b"b" | b"code" | b"em" | b"i" | b"s" | b"small" | b"strike" | b"strong" | b"tt" | b"u" => Kind::Formatting,
        b"span" | b"abbr" | b"acronym" | b"audio" | b"bdi" | b"bdo" | b"cite" | b"data" | b"del" | b"dfn" | b"ins" | b"kbd" | b"mark"
        | b"picture" | b"q" | b"samp" | b"sub" | b"sup" | b"time" | b"var" | b"video" => Kind::Inline,
        b"div" | b"article" | b"aside" | b"blockquote" | b"center" | b"details" | b"figcaption" | b"figure" | b"footer" | b"header"
        | b"hgroup" | b"main" | b"nav" | b"section" | b"summary" => Kind::Block,
        b"li" => Kind::Item,
        b"ul" | b"ol" => Kind::List,
        b"dl" => Kind::Definitions,
        b"dt" | b"dd" => Kind::Definition,
        b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => Kind::Heading,
        b"pre" => Kind::Preformatted,
        b"hr" => Kind::Rule,
        b"table" => Kind::Table,
        b"thead" | b"tbody" => Kind::Rows,
        b"tr" => Kind::Row,
        b"td" | b"th" => Kind::Cell,
        b"font" | b"big" => Kind::HiddenFormatting,
        b"address" | b"fieldset" => Kind::HiddenBlock,
        b"input" => Kind::Input,
        b"form" | b"button" | b"noscript" => Kind::Unseen,
        b"iframe" | b"script" | b"style" | b"object" => Kind::Gone,
        _ => return None,
    })
}

/// Whether an element may open in another, or in none, so that it closes nothing and stays where it is.
pub(super) fn nests(kind: Kind, parent: Option<Kind>, is_in_paragraph: bool, is_in_anchor: bool) -> bool {
    match (parent, kind) {
        (_, Kind::Unseen | Kind::Gone)
        | (Some(Kind::Table), Kind::Rows)
        | (Some(Kind::Rows | Kind::ImpliedRows), Kind::Row)
        | (Some(Kind::Row), Kind::Cell) => true,
        (Some(Kind::Table | Kind::Rows | Kind::ImpliedRows | Kind::Row), _)
        | (_, Kind::Rows | Kind::ImpliedRows | Kind::Row | Kind::Cell) => false,
        (_, Kind::Item) => parent == Some(Kind::List),
        (_, Kind::Definition) => parent == Some(Kind::Definitions),
        (_, Kind::Heading) => parent != Some(Kind::Heading) && !is_in_paragraph,
        (_, Kind::Anchor) => !is_in_anchor,
        (_, Kind::Inline | Kind::Formatting | Kind::HiddenFormatting | Kind::Void | Kind::Picture | Kind::Input) => true,
        (
            _,
            Kind::Block
            | Kind::HiddenBlock
            | Kind::Paragraph
            | Kind::Preformatted
            | Kind::List
            | Kind::Definitions
            | Kind::Table
            | Kind::Rule,
        ) => !is_in_paragraph,
    }
}
