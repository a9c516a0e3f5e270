//! Messages for the operator: one short line for each kind of failure, safe to print whatever the
//! peer sent.

use super::metered::{Endless, InCrumbs};
use crate::limits::PROBE_WORDS_MAX;
use std::fmt::Write;
use std::io;

/// `no answer within 2 s (connecting)`.
pub(crate) fn late(timeout_ms: u32, doing: &str) -> String {
    let time = match timeout_ms % 1_000 {
        0 => format!("{} s", timeout_ms / 1_000),
        _ => format!("{timeout_ms} ms"),
    };
    if doing.is_empty() {
        format!("no answer within {time}")
    } else {
        format!("no answer within {time} ({doing})")
    }
}

/// Describes an error of a connection.
pub(crate) fn io(error: &io::Error) -> String {
    if let Some(endless) = error.get_ref().and_then(|inner| inner.downcast_ref::<Endless>()) {
        return endless.to_string();
    }
    if let Some(crumbs) = error.get_ref().and_then(|inner| inner.downcast_ref::<InCrumbs>()) {
        return crumbs.to_string();
    }
    let known = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset => "connection reset",
        io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            "connection closed"
        }
        io::ErrorKind::HostUnreachable => "host unreachable",
        io::ErrorKind::NetworkUnreachable => "network unreachable",
        io::ErrorKind::TimedOut => "connection timed out",
        _ => return error.to_string(),
    };
    known.to_owned()
}

/// Quotes octets: escapes all but printable ASCII, and cuts at the limit.
pub(crate) fn quoted(octets: &[u8]) -> String {
    let kept = &octets[..octets.len().min(PROBE_WORDS_MAX)];
    let cut = if kept.len() < octets.len() { "..." } else { "" };
    format!("\"{}{cut}\"", kept.escape_ascii())
}

/// Removes a byte order mark. Editors on Windows write such marks, and its shells write UTF-16. The
/// error is a predicate; the caller adds its subject.
pub(crate) fn unmarked(octets: &[u8]) -> Result<&[u8], &'static str> {
    match octets {
        [0xef, 0xbb, 0xbf, rest @ ..] => Ok(rest),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err("is UTF-16 text; write it as ASCII or UTF-8"),
        _ => Ok(octets),
    }
}

/// Makes one line of bounded length. Escapes control characters, line separators, and invisible
/// characters, such as those of zero width or those that change the direction of writing.
pub(crate) fn line(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars() {
        if line.len() >= 2 * PROBE_WORDS_MAX {
            line.push_str("...");
            break;
        }
        if c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            // Writing to a string cannot fail.
            let _ = write!(line, "{}", c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests;
