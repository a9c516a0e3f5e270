//! Texts as parts of one line of a log, an event or an explanation. File names and values may hold
//! characters that end a line, control a terminal, or change the direction of writing, so such
//! characters are escaped. The set of these characters, and their escaped form in text, are the
//! same as in findings.

use crate::finding::escape::replaced;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Escapes line ends, control characters and the like in text, as `\n`, `\u{9b}` and so on.
pub(crate) use crate::finding::escape::escaped as text;

/// Escapes line ends, control characters and the like in a line of JSON. Only strings can hold them
/// there (RFC 8259 section 7).
pub(crate) fn json(line: &str) -> Cow<'_, str> {
    replaced(line, |c, out| {
        // All of these characters are in the Basic Multilingual Plane.
        let _ = write!(out, "\\u{:04x}", u32::from(c));
    })
}

/// Escapes each line of a text as [`text`] does.
pub(crate) fn lines(text: &str) -> String {
    text.split('\n').map(self::text).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
