//! Message on which the program has panicked, and its form in a file of the quarantine folder.
//!
//! The file is text, one value a line, in this order: `time`, `version`, `transport`, `source` (the
//! client's prefix), `place` and `panic` of the fault, `octets` in hexadecimal.

use crate::answer::Transport;
use crate::geo::prefix::Prefix;
use crate::limits::{MESSAGE_MAX, QUARANTINE_WORDS_MAX};
use crate::rfc3339;
use crate::shared::one_line;
use std::fmt::Write as _;
use std::net::IpAddr;

/// First line of a file.
const HEAD: &str = "meridian quarantine 1";

/// Message on which the program has panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// Time of the panic, in seconds since 1970.
    pub epoch_secs: u64,
    /// Version of the program.
    pub version: String,
    /// Transport of the message.
    pub transport: Transport,
    /// Prefix of the client's address.
    pub source: Prefix,
    /// Place in the source text: file, line and column.
    pub place: String,
    /// Message of the panic.
    pub panic: String,
    /// Octets of the message.
    pub octets: Vec<u8>,
}

impl Captured {
    /// Text of the file.
    pub fn text(&self) -> String {
        let Captured { epoch_secs, version, transport, source, place, panic, octets } = self;
        let (time, transport) = (rfc3339::date_time(*epoch_secs), transport.word());
        let (version, place, panic) = (short(version), short(place), short(panic));
        let mut text = format!(
            "{HEAD}\ntime {time}\nversion {version}\ntransport {transport}\nsource {source}\nplace \
             {place}\npanic {panic}\noctets "
        );
        for octet in octets {
            let _ = write!(text, "{octet:02x}");
        }
        text.push('\n');
        text
    }

    /// Reads the text of a file. The error is a sentence.
    pub fn read(text: &str) -> Result<Captured, String> {
        let mut lines = text.split('\n');
        if lines.next() != Some(HEAD) {
            return Err(format!("its first line is not `{HEAD}`"));
        }
        let mut value = |key: &str| {
            let line = lines.next().and_then(|line| line.strip_prefix(key)?.strip_prefix(' '));
            line.ok_or_else(|| format!("it has no line `{key}` where one must stand"))
        };
        let wrong = |key: &str| format!("the value of `{key}` cannot be read");
        let captured = Captured {
            epoch_secs: rfc3339::parse(value("time")?).ok_or_else(|| wrong("time"))?,
            version: words(value("version")?).ok_or_else(|| wrong("version"))?,
            transport: transport(value("transport")?).ok_or_else(|| wrong("transport"))?,
            source: prefix(value("source")?).ok_or_else(|| wrong("source"))?,
            place: words(value("place")?).ok_or_else(|| wrong("place"))?,
            panic: words(value("panic")?).ok_or_else(|| wrong("panic"))?,
            octets: octets(value("octets")?).ok_or_else(|| wrong("octets"))?,
        };
        match (lines.next(), lines.next()) {
            (Some(""), None) => Ok(captured),
            _ => Err("it does not end behind its octets".to_owned()),
        }
    }
}

/// Words as part of one line, cut to their limit.
fn short(words: &str) -> String {
    one_line::text(words).chars().take(QUARANTINE_WORDS_MAX).collect()
}

/// Words that [`short`] leaves as they are.
fn words(text: &str) -> Option<String> {
    (short(text) == text).then(|| text.to_owned())
}

fn transport(word: &str) -> Option<Transport> {
    Transport::ALL.into_iter().find(|transport| transport.word() == word)
}

/// Prefix in the form in which it is written.
fn prefix(text: &str) -> Option<Prefix> {
    let (address, len) = text.split_once('/')?;
    let prefix = Prefix::new(address.parse::<IpAddr>().ok()?, len.parse().ok()?);
    (prefix.to_string() == text).then_some(prefix)
}

fn octets(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || pairs.len() > MESSAGE_MAX {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests;
