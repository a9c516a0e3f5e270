//! Zones as RFC 1035 text ("master files"): the format that BIND, NSD and Knot read.
//!
//! `$ORIGIN`, `$TTL` (RFC 2308 section 4), `$INCLUDE` and `$GENERATE` (a BIND extension, bounded),
//! parentheses, escapes, comments, any type by RFC 3597. The types of a signed zone with bitmaps
//! and times (RRSIG, NSEC, NSEC3, NSEC3PARAM) are read in the generic form only. A fault costs its
//! own entry: the rest is read on, so that one run shows every fault. Everything that is made, and
//! all work, is counted against the budget of the load; where that is spent, reading ends with a
//! finding.

mod directives;
mod generate;
mod lexer;
mod reader;
mod ttl;

#[cfg(test)]
mod tests;

use crate::budget::Budget;
use crate::finding::{FileId, Findings};
use crate::wire::name::Name;
use crate::zone::text::Record;
use std::sync::Arc;

/// Gives the content of an included file, or a sentence why not. The path is as written in the zone
/// text and already known to stay inside the folder of zones.
pub(crate) type Include<'a> = dyn FnMut(&str) -> Result<Included, String> + 'a;

/// An included file.
#[derive(Clone, Debug)]
pub struct Included {
    /// Its number.
    pub file: FileId,
    /// Its text.
    pub text: Arc<[u8]>,
    /// Whether the load meets it for the first time; then it may make what a text may.
    pub is_first: bool,
}

/// Octets of a usual line at least: blank lines need no room for records.
const LINE_OCTETS: usize = 12;

/// Reads zone text. Records are added in the order read, faults to `findings`; what is made beyond
/// the measure of the text is drawn from `budget`.
pub fn read(
    text: &[u8],
    file: FileId,
    apex: &Name,
    include: &mut Include<'_>,
    budget: &Budget,
    records: &mut Vec<Record>,
    findings: &mut Findings,
) {
    // A record a line, of no less than a few octets. Room that is not there is looked for again
    // record by record.
    let lines = text.iter().filter(|octet| **octet == b'\n').count();
    let _ = records.try_reserve(lines.min(text.len() / LINE_OCTETS));
    let mut share = budget.share();
    share.grant(text.len());
    let mut reader = reader::Reader::new(apex, include, share, records, findings);
    reader.file(text, file, (apex.clone(), None), 0);
    reader.settle(file);
}
