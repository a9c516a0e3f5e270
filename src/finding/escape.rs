//! Escapes for names, file names and values that findings quote from files of other people.
//!
//! A control character could forge a log line or control a terminal; a bidirectional one reverses
//! the text beside it. Findings never hold either: sentences are escaped when a finding is
//! recorded, paths when a file is added, and source lines when they are drawn.

use crate::limits::FINDING_WORDS_MAX;
use std::borrow::Cow;

/// True for a character that acts on the terminal, the log or the text beside it: C0, DEL and C1,
/// line separators, bidirectional controls, and the byte order mark.
pub(crate) fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text with each active character escaped, as `\n`, `\t`, `\r` or `\u{202e}`.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    replaced(text, |c, out| out.extend(c.escape_default()))
}

/// Text with each active character replaced by the output of `escape`.
pub(crate) fn replaced(text: &str, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    // Most text is plain, and need not be copied.
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is_active(c) {
            true => escape(c, &mut out),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Escapes and shortens a sentence: it may quote a line of megabytes.
pub(super) fn fit(words: &mut String) {
    // Cut twice: escaping megabytes costs time, and the escaped text is longer.
    cut(words);
    if let Cow::Owned(escaped) = escaped(words) {
        *words = escaped;
        cut(words);
    }
}

fn cut(words: &mut String) {
    if words.len() > FINDING_WORDS_MAX {
        words.truncate(words.floor_char_boundary(FINDING_WORDS_MAX - 3));
        words.push_str("...");
        words.shrink_to_fit();
    }
}

/// Replacement for an active character with the same number of octets, so that offsets stay right.
pub(super) fn stand_in(c: char) -> char {
    match c.len_utf8() {
        1 => '?',
        2 => '\u{bf}',
        _ => char::REPLACEMENT_CHARACTER,
    }
}
