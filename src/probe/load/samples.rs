//! Samples of one metric in a page of the Prometheus text format (version 0.0.4).
//!
//! The page is parsed line by line as it comes, so a large one costs no memory. It is always read
//! to its end: samples of a metric may stand anywhere, and a sum over some of them would be a wrong
//! number that looks right. Only lines that begin with the name of the metric are parsed. A fault
//! in one of those is a failure; a fault in another line is ignored.
//!
//! The page is untrusted input, so each of its octets must cost about the same. Labels are examined
//! as they come, each with one look-up. The value of a sample with other labels is not parsed. A
//! value that is added costs more than its octets, so its length and the number of such values are
//! limited.

use super::number::sound;
use crate::limits::{FEED_LINE_OCTETS_MAX, FEED_NUMBER_OCTETS_MAX, FEED_PAGE_OCTETS_MAX, FEED_SAMPLES_MAX};
use crate::probe::http::Intake;
use crate::probe::words::quoted;
use std::collections::HashMap;
use std::sync::Arc;

/// Sum of the samples of a metric that have the wanted labels.
#[derive(Debug)]
pub(crate) struct Samples<'s> {
    metric: &'s str,
    /// Wanted labels, name and value.
    wanted: Vec<(&'s [u8], &'s [u8])>,
    /// Index in `wanted` by name: a label of the page is looked up once, however many are wanted.
    place_of: HashMap<&'s [u8], usize>,
    /// For each wanted label, whether the sample has it.
    seen: Vec<bool>,
    /// Current line so far, cut at its limit.
    line: Vec<u8>,
    is_cut: bool,
    octets: usize,
    /// Complete lines that were not empty.
    lines: usize,
    sum: f64,
    /// Samples with the wanted labels.
    found: usize,
    /// Samples of the metric with other labels.
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
        // Every line ends with a line feed, the last one too: without it a value may have lost
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
    /// Sums the samples of a metric that have these labels; a sample may have more. An empty value
    /// means that the label is absent.
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

    /// Sum of the samples, once the page has ended.
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
        // A byte order mark may stand before the first line only.
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
        // Keeps the allocation for the next line.
        self.line = line;
        self.line.clear();
        read.map_err(|why| format!("a sample of {} {why}", quoted(self.metric.as_bytes())))
    }

    /// Parses the rest of a sample, behind the name of the metric.
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

    /// Parses `{a="b",c="d"}`, with or without a comma behind the last label, or nothing. True if
    /// the sample has every wanted label; one that is wanted empty must be absent.
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

/// Sums the samples of a complete page.
pub fn sum(page: &[u8], metric: &str, labels: &[(Arc<str>, Arc<str>)]) -> Result<f64, String> {
    let mut samples = Samples::new(metric, labels);
    samples.take(page)?;
    samples.end()?;
    samples.sum()
}

/// Text behind the name, if the line is a sample of the metric.
fn of_metric<'l>(line: &'l [u8], metric: &str) -> Option<&'l [u8]> {
    let rest = line.trim_ascii_start().strip_prefix(metric.as_bytes())?;
    match rest.first() {
        None | Some(b' ' | b'\t' | b'\r' | b'{') => Some(rest),
        Some(_) => None,
    }
}

/// Parses a value. A time stamp may follow, or an exemplar behind `#`; neither concerns the load.
fn value(rest: &[u8]) -> Result<f64, String> {
    let mut words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let word = words.next().ok_or("has no value")?;
    if word.len() > FEED_NUMBER_OCTETS_MAX {
        return Err(format!("has a value of more than {FEED_NUMBER_OCTETS_MAX} octets"));
    }
    let text = std::str::from_utf8(word).unwrap_or_default();
    let value: f64 =
        text.parse().map_err(|_| format!("has the value {}, which is no number", quoted(word)))?;
    // Only the characters of a time stamp are checked.
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

    /// Takes the name of a label; empty if there is none.
    fn name(&mut self) -> &'l [u8] {
        let len = self.rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        let (name, rest) = self.rest.split_at(len);
        self.rest = rest;
        name
    }

    /// Takes a value up to its closing quote. Only the escapes of the format are allowed.
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

/// Octets of a value with valid escapes, unescaped.
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
