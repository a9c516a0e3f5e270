//! One number: as plain text, or inside JSON.

use crate::limits::{FEED_BODY_OCTETS_MAX, FEED_NUMBER_OCTETS_MAX};
use crate::probe::http::Intake;
use crate::probe::words::{quoted, unmarked};
use serde_json::Value;

/// Body that is small enough to be kept whole.
#[derive(Debug, Default)]
pub(crate) struct Body {
    octets: Vec<u8>,
}

impl Intake for Body {
    fn take(&mut self, octets: &[u8]) -> Result<bool, String> {
        if self.octets.len() + octets.len() > FEED_BODY_OCTETS_MAX {
            return Err(format!("the body has more than {} KiB", FEED_BODY_OCTETS_MAX >> 10));
        }
        self.octets.extend_from_slice(octets);
        Ok(false)
    }

    fn end(&mut self) -> Result<(), String> {
        Ok(())
    }
}

impl Body {
    /// Number in the body, or at the JSON pointer.
    pub(crate) fn number(&self, pointer: Option<&str>) -> Result<f64, String> {
        match pointer {
            None => plain(&self.octets),
            Some(pointer) => in_json(&self.octets, pointer),
        }
    }
}

/// Parses a text that is one number, with white space around it.
pub fn plain(octets: &[u8]) -> Result<f64, String> {
    let trimmed = unmarked(octets).map_err(|why| format!("the body {why}"))?.trim_ascii();
    if trimmed.is_empty() {
        return Err("the body is empty".to_owned());
    }
    number(trimmed).map_err(|why| format!("the body {why}"))
}

/// Parses the first word of a file.
pub fn first_word(octets: &[u8]) -> Result<f64, String> {
    let octets = unmarked(octets).map_err(|why| format!("the file {why}"))?;
    let word =
        octets.split(u8::is_ascii_whitespace).find(|word| !word.is_empty()).ok_or("the file is empty")?;
    number(word).map_err(|why| format!("the file {why}"))
}

/// Parses the number at a JSON pointer (RFC 6901). It may be a string, as in the query API of
/// Prometheus.
pub fn in_json(octets: &[u8], pointer: &str) -> Result<f64, String> {
    let octets = unmarked(octets).map_err(|why| format!("the body {why}"))?;
    let document: Value = serde_json::from_slice(octets).map_err(|error| {
        // JSON may contain a number that no float can hold (RFC 8259 section 6).
        match error.to_string().strip_prefix("number out of range") {
            Some(place) => format!("a number in the JSON is too large{place}"),
            None => format!("the body is no JSON: {error}"),
        }
    })?;
    let place = quoted(pointer.as_bytes());
    match document.pointer(pointer) {
        None => Err(format!("there is nothing at {place} in the JSON")),
        Some(Value::Number(found)) => found
            .as_f64()
            .ok_or_else(|| "is too large".to_owned())
            .and_then(sound)
            .map_err(|why| format!("the number at {place} {why}")),
        Some(Value::String(text)) => {
            number(text.trim_ascii().as_bytes()).map_err(|why| format!("the text at {place} {why}"))
        }
        Some(Value::Null) => Err(format!("the value at {place} is null")),
        Some(Value::Bool(_)) => Err(format!("the value at {place} is true or false, no number")),
        Some(Value::Array(_)) => Err(format!("the value at {place} is a list, no number")),
        Some(Value::Object(_)) => Err(format!("the value at {place} is a map, no number")),
    }
}

/// Parses a decimal number, with or without an exponent, that can be a load. The error is a
/// predicate; the caller adds its subject.
pub(super) fn number(text: &[u8]) -> Result<f64, String> {
    if text.len() > FEED_NUMBER_OCTETS_MAX {
        return Err(format!("has a number of more than {FEED_NUMBER_OCTETS_MAX} octets"));
    }
    let digits = std::str::from_utf8(text).ok().filter(|text| text.bytes().any(|b| b.is_ascii_digit()));
    match digits.and_then(|text| text.parse().ok()) {
        Some(value) => sound(value),
        None => Err(format!("says {}, which is no number", quoted(text))),
    }
}

/// Accepts a value that can be a load: finite and not negative.
pub(super) fn sound(value: f64) -> Result<f64, String> {
    if value.is_nan() {
        Err("is not a number (NaN)".to_owned())
    } else if value == f64::INFINITY {
        Err("is infinite or too large (over 1.7e308)".to_owned())
    } else if value < 0.0 {
        Err("is negative".to_owned())
    } else {
        // Turns negative zero into zero.
        Ok(value.abs())
    }
}

#[cfg(test)]
mod tests;
