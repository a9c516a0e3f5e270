//! Escapes for what findings quote: names, file names and values of files that others write.
//!
//! A control character could forge a line of a log or command a terminal; a bidirectional one turns
//! around the text beside it. Findings never hold either: words are escaped when a finding is
//! recorded, paths when a file is added, and source lines when they are drawn.

use crate::limits::FINDING_WORDS_MAX;
use std::borrow::Cow;

/// Whether a character acts on the terminal or log that shows it, or on the text beside it: C0, DEL
/// and C1, line separators, bidirectional controls, and the byte order mark.
pub(crate) fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text without active characters: each is written as `\n`, `\t`, `\r` or `\u{202e}`.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    replaced(text, |c, out| out.extend(c.escape_default()))
}

/// A text in which `escape` writes something else for each active character.
pub(crate) fn replaced(text: &str, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    // Most text is plain, and is not copied.
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

/// Escapes words, and cuts what is longer than anyone reads: they may quote a line of megabytes.
pub(super) fn fit(words: &mut String) {
    // Twice: escaping megabytes costs time, and what is escaped is longer.
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

/// A character in place of an active one that takes as many octets, so that places in a text stay.
pub(super) fn stand_in(c: char) -> char {
    match c.len_utf8() {
        1 => '?',
        2 => '\u{bf}',
        _ => char::REPLACEMENT_CHARACTER,
    }
}
