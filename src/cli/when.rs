//! Durations and moments on the command line.

use crate::rfc3339;
use crate::sys::clock::{self, epoch_secs};

const DAY_SECS: u64 = 86_400;

/// Reads a duration: `30s`, `2h`, `1h30m`, `1d`. A plain number is refused, because it has no unit.
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a time such as 30s, 2h or 1h30m");
    let (mut rest, mut sum) = (text, 0u64);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let factor = match tail.bytes().next() {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3_600,
            Some(b'd') => DAY_SECS,
            _ => return Err(wrong()),
        };
        let secs = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        sum = secs.and_then(|secs| sum.checked_add(secs)).ok_or_else(wrong)?;
        rest = tail.get(1..).unwrap_or_default();
    }
    if sum == 0 { Err(wrong()) } else { Ok(sum) }
}

/// Reads a future moment, in seconds since 1970: `2026-03-01T22:00:00Z`, `22:00` (UTC, the next
/// one), `+10m`.
pub(crate) fn date_time(text: &str) -> Result<u64, String> {
    let now = epoch_secs();
    date_time_after(text, now)
}

fn date_time_after(text: &str, now: u64) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a moment such as 22:00 (UTC), +10m or 2026-03-01T22:00:00Z");
    if let Some(secs) = text.strip_prefix('+') {
        return seconds(secs).ok().and_then(|secs| now.checked_add(secs)).ok_or_else(wrong);
    }
    if text.len() == 5 {
        let at = rfc3339::parse(&format!("{}T{text}:00Z", rfc3339::day(now))).ok_or_else(wrong)?;
        return Ok(if at > now { at } else { at + DAY_SECS });
    }
    match rfc3339::parse(text).ok_or_else(wrong)? {
        at if at > now => Ok(at),
        _ => Err(format!("`{text}` has passed: it is {} now", rfc3339::date_time(now))),
    }
}

/// Duration in its two largest units, such as `3 h 41 min`.
pub(crate) fn span(secs: u64) -> String {
    let units = [(DAY_SECS, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let first = units.iter().position(|(unit, _)| secs >= *unit).unwrap_or(units.len() - 1);
    let (unit, word) = units[first];
    let (whole, rest) = (secs / unit, secs % unit);
    match units.get(first + 1).map(|(unit, word)| (rest / unit, word)).filter(|(part, _)| *part > 0) {
        Some((part, smaller)) => format!("{whole} {word} {part} {smaller}"),
        None => format!("{whole} {word}"),
    }
}

/// Moment as text: in UTC, in the time zone of this session if that is another, and its distance
/// from now.
pub(crate) fn moment(at: u64) -> String {
    let now = epoch_secs();
    let local = clock::local(at).map(|local| format!("{local}, ")).unwrap_or_default();
    let away = match at.checked_sub(now) {
        Some(secs) => format!("in {}", span(secs)),
        None => format!("{} ago", span(now - at)),
    };
    format!("{} ({local}{away})", rfc3339::date_time(at))
}

/// [`moment`] of a text from the server; a text that is not a moment stays as it is.
pub(crate) fn moment_of(text: &str) -> String {
    rfc3339::parse(text).map_or_else(|| text.to_owned(), moment)
}

#[cfg(test)]
mod tests;
