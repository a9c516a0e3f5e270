//! Texts as parts of one line: what names of files and values hold must neither end a line, nor
//! steer a terminal, nor turn the direction of what stands around it.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character is shown as an escape: control characters with C1 (U+0080 to U+009F), line
/// and paragraph separators, and marks of direction (Unicode Standard Annex 9).
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A line of text with `\n`, `\u{9b}` and the like in place of such characters.
pub(crate) fn text(line: &str) -> Cow<'_, str> {
    replaced(line, |c, out| out.extend(c.escape_default()))
}

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

fn replaced(line: &str, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !line.chars().any(is_hidden) {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        match is_hidden(c) {
            true => escape(c, &mut out),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
