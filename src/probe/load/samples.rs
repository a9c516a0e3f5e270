//! Samples of one metric in a page of the Prometheus text format (version 0.0.4).
//!
//! The page comes bit by bit and is looked at line by line, so a large one costs no memory. It is
//! always read to its end: samples of a metric may stand anywhere, and a sum over some of them
//! would be a wrong number that looks right. Only lines that begin with the name of the metric are
//! parsed; a fault in one of those is a failure, a fault in another is not ours.

use super::number::sound;
use crate::limits::{FEED_LINE_OCTETS_MAX, FEED_PAGE_OCTETS_MAX};
use crate::probe::http::Intake;
use crate::probe::words::quoted;
use std::sync::Arc;

/// A search for the samples of a metric that have some labels: their values are added up.
#[derive(Debug)]
pub(crate) struct Samples<'s> {
    metric: &'s str,
    labels: &'s [(Arc<str>, Arc<str>)],
    /// The line so far, its end cut where it is too long.
    line: Vec<u8>,
    is_cut: bool,
    octets: usize,
    sum: f64,
    /// Samples that have the labels.
    found: usize,
    /// Samples of the metric that have others.
    others: usize,
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
            self.end_line()?;
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
    /// Looks for a metric and for labels that a sample must have; it may have more. An empty value
    /// is a label that is not there.
    pub(crate) fn new(metric: &'s str, labels: &'s [(Arc<str>, Arc<str>)]) -> Samples<'s> {
        Samples { metric, labels, line: Vec::new(), is_cut: false, octets: 0, sum: 0.0, found: 0, others: 0 }
    }

    /// What was found, once the page has ended.
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
        let read = match of_metric(&line, self.metric) {
            None => Ok(()),
            Some(_) if is_cut => Err(format!("has more than {} KiB", FEED_LINE_OCTETS_MAX >> 10)),
            Some(rest) => self.sample(rest),
        };
        // The next line needs as much room.
        self.line = line;
        self.line.clear();
        read.map_err(|why| format!("a sample of {} {why}", quoted(self.metric.as_bytes())))
    }

    /// What stands behind the name.
    fn sample(&mut self, rest: &[u8]) -> Result<(), String> {
        let mut cursor = Cursor { rest };
        let labels = cursor.labels()?;
        let value = value(cursor.rest)?;
        let label = |name: &str| {
            labels.iter().find(|(known, _)| *known == name.as_bytes()).map_or(&b""[..], |(_, value)| value)
        };
        if !self.labels.iter().all(|(name, wanted)| label(name) == wanted.as_bytes()) {
            self.others += 1;
            return Ok(());
        }
        self.found += 1;
        self.sum += sound(value)?;
        Ok(())
    }
}

/// The sum over the samples of a whole page.
pub fn sum(page: &[u8], metric: &str, labels: &[(Arc<str>, Arc<str>)]) -> Result<f64, String> {
    let mut samples = Samples::new(metric, labels);
    samples.take(page)?;
    samples.end()?;
    samples.sum()
}

/// What stands behind the name, if the line is a sample of the metric.
fn of_metric<'l>(line: &'l [u8], metric: &str) -> Option<&'l [u8]> {
    let rest = line.trim_ascii_start().strip_prefix(metric.as_bytes())?;
    match rest.first() {
        None | Some(b' ' | b'\t' | b'\r' | b'{') => Some(rest),
        Some(_) => None,
    }
}

/// A value, and perhaps a time stamp, which says nothing of the load, or an exemplar behind `#`.
fn value(rest: &[u8]) -> Result<f64, String> {
    let mut words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let word = words.next().ok_or("has no value")?;
    let text = std::str::from_utf8(word).unwrap_or_default();
    let value: f64 =
        text.parse().map_err(|_| format!("has the value {}, which is no number", quoted(word)))?;
    match words.next() {
        Some(stamp)
            if !stamp.starts_with(b"#")
                && std::str::from_utf8(stamp).ok().and_then(|stamp| stamp.parse::<f64>().ok()).is_none() =>
        {
            Err(format!("has {} behind its value", quoted(stamp)))
        }
        _ => Ok(value),
    }
}

/// Name and value, without escapes.
type Label<'l> = (&'l [u8], Vec<u8>);

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

    /// `{a="b",c="d"}`, with a comma behind the last or without; or nothing.
    fn labels(&mut self) -> Result<Vec<Label<'l>>, String> {
        let mut labels: Vec<Label<'l>> = Vec::new();
        if !self.skip(b'{') {
            return Ok(labels);
        }
        let broken = || "has labels that cannot be read".to_owned();
        while !self.skip(b'}') {
            let len = self.rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
            let (name, rest) = self.rest.split_at(len);
            self.rest = rest;
            if name.is_empty() || !self.skip(b'=') || !self.skip(b'"') {
                return Err(broken());
            }
            let value = self.quoted().ok_or_else(broken)?;
            if labels.iter().any(|(known, _)| *known == name) {
                return Err(format!("has the label {} twice", quoted(name)));
            }
            labels.push((name, value));
            if !self.skip(b',') && self.rest.first() != Some(&b'}') {
                return Err(broken());
            }
        }
        Ok(labels)
    }

    /// A value up to its closing quote. Escapes are those of the format, no others.
    fn quoted(&mut self) -> Option<Vec<u8>> {
        let mut value = Vec::new();
        loop {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            match first {
                b'"' => return Some(value),
                b'\\' => {
                    let (escaped, rest) = self.rest.split_first()?;
                    self.rest = rest;
                    value.push(match escaped {
                        b'n' => b'\n',
                        b'\\' | b'"' => *escaped,
                        _ => return None,
                    });
                }
                other => value.push(*other),
            }
        }
    }
}

#[cfg(test)]
mod tests;
