//! Samples of one metric in a page of the Prometheus text format (version 0.0.4).
//!
//! The page arrives in pieces and is processed line by line, so that a large page costs no memory.
//! It is always read to its end, because samples of a metric may be anywhere, and a partial sum
//! would be a plausible but wrong number. Only lines that begin with the name of the metric are
//! parsed; a fault in one of them is a failure, and faults in other lines are ignored.
//!
//! The page is untrusted, so each octet must cost about the same. Labels are compared as they
//! arrive, only with the wanted ones, and numbers are parsed only for matching samples. Adding a
//! number costs more than its octets, so the length and the count of numbers are limited.

use super::number::sound;
use crate::limits::{FEED_LINE_OCTETS_MAX, FEED_NUMBER_OCTETS_MAX, FEED_PAGE_OCTETS_MAX, FEED_SAMPLES_MAX};
use crate::probe::http::Intake;
use crate::probe::words::quoted;
use std::collections::HashMap;
use std::sync::Arc;

/// Search for the samples of a metric with certain labels; adds up their values.
#[derive(Debug)]
pub(crate) struct Samples<'s> {
    metric: &'s str,
    /// Wanted labels: names and values.
    wanted: Vec<(&'s [u8], &'s [u8])>,
    /// Index of each wanted label by its name, so that a label of the page takes one look-up,
    /// however many are wanted.
    place_of: HashMap<&'s [u8], usize>,
    /// True for each wanted label that the current sample has.
    seen: Vec<bool>,
    /// Current line so far, cut if it is too long.
    line: Vec<u8>,
    is_cut: bool,
    octets: usize,
    /// Number of complete lines with text.
    lines: usize,
    sum: f64,
    /// Number of samples with the labels.
    found: usize,
    /// Number of samples of the metric with other labels.
    others: usize,
    #[cfg(test)]
    looked_up: usize,
}

impl Intake for Samples<'_> {
    fn take(&mut self, octets: &[u8]) -> Result<bool, String> {
        self.octets = self.octets.saturating_add(octets.len());
        if self.octets > FEED_PAGE_OCTETS_MAX {
            return Err(format!("the page has more than {} MiB", FEED_PAGE_OCTETS_MAX >> 20));
        }
        let mut rest = octets;
        while let Some(end) = rest.iter().position(|octet| *octet == b'\n') {
            self.more(&rest[..end]);
            if !self.line.is_empty() {
                self.end_line()?;
            }
            rest = &rest[end + 1..];
        }
        self.more(rest);
        Ok(false)
    }

    fn end(&mut self) -> Result<(), String> {
        // Every line ends with a line feed, also the last one: without it, a value may have lost
        // digits.
        let line = self.line.trim_ascii_start();
        let is_begun = !line.is_empty() && self.metric.as_bytes().starts_with(line);
        if is_begun || of_metric(line, self.metric).is_some() {
            return Err(format!("the page ends within a sample of {}", quoted(self.metric.as_bytes())));
        }
        Ok(())
    }
}

impl<'s> Samples<'s> {
    /// Searches for a metric with labels that a sample must have; the sample may have more. A
    /// wanted empty value means that the label must be missing.
    pub(crate) fn new(metric: &'s str, labels: &'s [(Arc<str>, Arc<str>)]) -> Samples<'s> {
        let wanted: Vec<(&[u8], &[u8])> =
            labels.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        Samples {
            metric,
            seen: vec![false; wanted.len()],
            place_of: wanted.iter().zip(0..).map(|((name, _), place)| (*name, place)).collect(),
            wanted,
            line: Vec::new(),
            is_cut: false,
            octets: 0,
            lines: 0,
            sum: 0.0,
            found: 0,
            others: 0,
            #[cfg(test)]
            looked_up: 0,
        }
    }

    /// Result, after the end of the page.
    pub(crate) fn sum(&self) -> Result<f64, String> {
        let metric = quoted(self.metric.as_bytes());
        match (self.found, self.others) {
            (0, 0) => Err(format!("the page has no metric {metric}")),
            (0, others) => Err(format!("none of the {others} samples of {metric} has these labels")),
            _ => sound(self.sum).map_err(|why| format!("the sum of {metric} {why}")),
        }
    }

    fn more(&mut self, octets: &[u8]) {
        let room = FEED_LINE_OCTETS_MAX.saturating_sub(self.line.len());
        self.is_cut |= octets.len() > room;
        self.line.extend_from_slice(&octets[..octets.len().min(room)]);
    }

    fn end_line(&mut self) -> Result<(), String> {
        let line = std::mem::take(&mut self.line);
        let is_cut = std::mem::take(&mut self.is_cut);
        // A byte order mark is allowed only before the first line.
        let text = match line.strip_prefix(b"\xef\xbb\xbf") {
            Some(text) if self.lines == 0 => text,
            _ => &line,
        };
        self.lines += 1;
        let read = match of_metric(text, self.metric) {
            None => Ok(()),
            Some(_) if is_cut => Err(format!("has more than {} KiB", FEED_LINE_OCTETS_MAX >> 10)),
            Some(rest) => self.sample(rest),
        };
        // Reuse the allocation for the next line.
        self.line = line;
        self.line.clear();
        read.map_err(|why| format!("a sample of {} {why}", quoted(self.metric.as_bytes())))
    }

    /// Processes the rest of a line after the name.
    fn sample(&mut self, rest: &[u8]) -> Result<(), String> {
        let mut cursor = Cursor { rest };
        if !self.has_labels(&mut cursor)? {
            self.others += 1;
            return Ok(());
        }
        self.found += 1;
        if self.found > FEED_SAMPLES_MAX {
            return Err(format!("is one of more than {FEED_SAMPLES_MAX}"));
        }
        self.sum += sound(value(cursor.rest)?)?;
        Ok(())
    }

    /// Reads `{a="b",c="d"}`, with an optional comma after the last label, or nothing. True if the
    /// sample has every wanted label; a label wanted with an empty value must be missing.
    fn has_labels(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, String> {
        self.seen.fill(false);
        let mut has_all = true;
        if cursor.skip(b'{') {
            let broken = || "has labels that cannot be read".to_owned();
            while !cursor.skip(b'}') {
                let name = cursor.name();
                if name.is_empty() || !cursor.skip(b'=') || !cursor.skip(b'"') {
                    return Err(broken());
                }
                match self.place(name) {
                    None => {
                        cursor.value().ok_or_else(broken)?;
                    }
                    Some(place) if std::mem::replace(&mut self.seen[place], true) => {
                        return Err(format!("has the label {} twice", quoted(name)));
                    }
                    Some(place) => {
                        let value = cursor.value().ok_or_else(broken)?;
                        has_all &= value.eq(self.wanted[place].1.iter().copied());
                    }
                }
                if !cursor.skip(b',') && cursor.rest.first() != Some(&b'}') {
                    return Err(broken());
                }
            }
        }
        let mut missing = self.wanted.iter().zip(&self.seen).filter(|(_, seen)| !**seen);
        Ok(has_all && missing.all(|((_, value), _)| value.is_empty()))
    }

    /// Index of a label among the wanted ones.
    fn place(&mut self, name: &[u8]) -> Option<usize> {
        #[cfg(test)]
        {
            self.looked_up += 1;
        }
        self.place_of.get(name).copied()
    }
}

/// Sum over the samples of a whole page.
pub fn sum(page: &[u8], metric: &str, labels: &[(Arc<str>, Arc<str>)]) -> Result<f64, String> {
    let mut samples = Samples::new(metric, labels);
    samples.take(page)?;
    samples.end()?;
    samples.sum()
}

/// Rest of the line after the name, if the line is a sample of the metric.
fn of_metric<'l>(line: &'l [u8], metric: &str) -> Option<&'l [u8]> {
    let rest = line.trim_ascii_start().strip_prefix(metric.as_bytes())?;
    match rest.first() {
        None | Some(b' ' | b'\t' | b'\r' | b'{') => Some(rest),
        Some(_) => None,
    }
}

/// Parses a value, with an optional timestamp or an exemplar after `#`; both are ignored.
fn value(rest: &[u8]) -> Result<f64, String> {
    let mut words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let word = words.next().ok_or("has no value")?;
    if word.len() > FEED_NUMBER_OCTETS_MAX {
        return Err(format!("has a value of more than {FEED_NUMBER_OCTETS_MAX} octets"));
    }
    let text = std::str::from_utf8(word).unwrap_or_default();
    let value: f64 =
        text.parse().map_err(|_| format!("has the value {}, which is no number", quoted(word)))?;
    // Timestamps are checked, but not parsed.
    let is_stamp = |octet: &u8| octet.is_ascii_digit() || b"+-.eE".contains(octet);
    match words.next() {
        Some(stamp) if !stamp.starts_with(b"#") && !stamp.iter().all(is_stamp) => {
            Err(format!("has {} behind its value", quoted(stamp)))
        }
        _ => Ok(value),
    }
}

struct Cursor<'l> {
    rest: &'l [u8],
}

impl<'l> Cursor<'l> {
    fn skip(&mut self, octet: u8) -> bool {
        self.rest = self.rest.trim_ascii_start();
        match self.rest.split_first() {
            Some((first, rest)) if *first == octet => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Name of a label; empty if there is none.
    fn name(&mut self) -> &'l [u8] {
        let len = self.rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        let (name, rest) = self.rest.split_at(len);
        self.rest = rest;
        name
    }

    /// Skips a value up to its closing quote, and returns its octets without escapes. Accepts only
    /// the escapes of the format.
    fn value(&mut self) -> Option<Unescaped<'l>> {
        let mut len = 0;
        loop {
            match self.rest.get(len)? {
                b'"' => break,
                b'\\' if !matches!(self.rest.get(len + 1)?, b'n' | b'\\' | b'"') => return None,
                b'\\' => len += 2,
                _ => len += 1,
            }
        }
        let (value, rest) = self.rest.split_at(len);
        self.rest = &rest[1..];
        Some(Unescaped(value.iter()))
    }
}

/// Octets of a value with valid escapes.
struct Unescaped<'l>(std::slice::Iter<'l, u8>);

impl Iterator for Unescaped<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        match self.0.next()? {
            b'\\' => self.0.next().map(|escaped| if *escaped == b'n' { b'\n' } else { *escaped }),
            other => Some(*other),
        }
    }
}

#[cfg(test)]
mod tests;
