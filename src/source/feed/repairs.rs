//! What was mended on the way, counted, so that a publisher can be told. It mends nothing itself.

use crate::model::Problem;

/// A kind of damage that reading gets over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repair {
    Encoding,
    Twice,
    Halves,
    Characters,
    Controls,
    Markup,
    Nesting,
    Json,
    Truncated,
    Entities,
    Prefix,
    Date,
    Item,
    Repeated,
    Limit,
}

impl Repair {
    const fn reason(self) -> &'static str {
        match self {
            Self::Encoding => "the encoding is not the stated one; state the true one in the XML declaration and in Content-Type",
            Self::Twice => "text that was encoded as UTF-8 twice, so that 'é' stands as 'Ã©'; write UTF-8 once",
            Self::Halves => "characters beyond U+FFFF that are written as two; write each as one",
            Self::Characters => "bytes that are no text in the encoding were replaced",
            Self::Controls => {
                "control characters, which XML forbids, were dropped, or read as the letters of windows-1252 that they stand for"
            }
            Self::Markup => "'<', quotes or comments that are not well formed; escape '<' as '&lt;' and close what is opened",
            Self::Nesting => "elements that are not closed, or closed in the wrong place",
            Self::Json => "JSON that is not well formed, such as half of a character or a comma too many; write it with a library",
            Self::Truncated => "the document ends too early",
            Self::Entities => "'&' that begins no reference of XML; write '&amp;', and characters as they are",
            Self::Prefix => "a namespace prefix that is not declared; declare it on the root element",
            Self::Date => "a date that cannot be read; write it as RFC 822 (RSS) or RFC 3339 (Atom, JSON Feed)",
            Self::Item => "an item without a title, a link and content was passed over",
            Self::Repeated => "an item that repeats the id of an item before it; give each item an id of its own",
            Self::Limit => "the document has more than is read of one document",
        }
    }
}

/// The repairs of one document: each kind once, with its first place.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    found: Vec<Found>,
}

#[derive(Debug)]
struct Found {
    kind: Repair,
    line: Option<u64>,
    times: usize,
}

impl Repairs {
    /// Notes a repair at no place in particular.
    pub(super) fn note(&mut self, kind: Repair) {
        self.note_at(kind, || None);
    }

    /// Notes a repair at a line, which is asked for only the first time.
    pub(super) fn note_at(&mut self, kind: Repair, line: impl FnOnce() -> Option<u64>) {
        match self.found.iter_mut().find(|found| found.kind == kind) {
            Some(found) => found.times += 1,
            None => self.found.push(Found { kind, line: line(), times: 1 }),
        }
    }

    /// Adds what was noted elsewhere.
    pub(super) fn merge(&mut self, other: Self) {
        self.found.extend(other.found);
    }

    /// The report; `place` names the document.
    pub(super) fn report(&self, place: &str) -> Vec<Problem> {
        let problem = |found: &Found| Problem {
            place: place.to_owned(),
            line: found.line,
            reason: match found.times {
                1 => found.kind.reason().to_owned(),
                times => format!("{} ({times} times)", found.kind.reason()),
            },
        };
        self.found.iter().map(problem).collect()
    }
}

/// The line of a place in a text, from 1.
pub(super) fn line_of(text: &str, offset: usize) -> Option<u64> {
    u64::try_from(text.get(..offset)?.matches('\n').count()).ok().map(|lines| lines + 1)
}
