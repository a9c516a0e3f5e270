//! Texts as parts of one line of a log, an event or an explanation: what names of files and values
//! hold must neither end a line, nor steer a terminal, nor turn the direction of what stands around
//! it. Which characters do, and how text shows them, is as for findings.

use crate::finding::escape::replaced;
use std::borrow::Cow;
use std::fmt::Write as _;

/// A line of text with `\n`, `\u{9b}` and the like in place of such characters.
pub(crate) use crate::finding::escape::escaped as text;

/// A line of JSON, where they can only stand inside strings (RFC 8259 section 7).
pub(crate) fn json(line: &str) -> Cow<'_, str> {
    replaced(line, |c, out| {
        // All of them are in the first plane.
        let _ = write!(out, "\\u{:04x}", u32::from(c));
    })
}

/// Lines of text, each as [`text`].
pub(crate) fn lines(text: &str) -> String {
    text.split('\n').map(self::text).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
