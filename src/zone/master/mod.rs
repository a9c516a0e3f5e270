//! Zones as RFC 1035 text ("master files"): the format that BIND, NSD and Knot read.
//!
//! Reads `$ORIGIN`, `$TTL` (RFC 2308 section 4), `$INCLUDE` and `$GENERATE` (a BIND extension,
//! limited here), parentheses, escapes, comments, and any type by RFC 3597. Types of a signed zone
//! with bitmaps and times (RRSIG, NSEC, NSEC3, NSEC3PARAM) are read only in the generic form. A
//! fault costs its own entry: the reader continues, so that one run shows every fault. All memory
//! and work counts against the budget of the load; when the budget is used up, the reading ends
//! with a finding.

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

/// Reads an included file, or returns a sentence with the reason why not. The path is as written in
/// the zone text, and is known to stay inside the folder of zones.
pub(crate) type Include<'a> = dyn FnMut(&str) -> Result<Included, String> + 'a;

/// An included file.
#[derive(Clone, Debug)]
pub struct Included {
    /// Number of the file.
    pub file: FileId,
    /// Text of the file.
    pub text: Arc<[u8]>,
    /// True at the first inclusion in this load. Only the first adds the budget for the text's
    /// length, so that repeated inclusions draw on the budget of the load.
    pub is_first: bool,
}

/// Fewest octets of a typical line: blank lines need no room for records.
const LINE_OCTETS: usize = 12;

/// Reads zone text. Adds records in the order read, and faults to `findings`; draws on `budget`
/// beyond the text's own grant.
pub fn read(
    text: &[u8],
    file: FileId,
    apex: &Name,
    include: &mut Include<'_>,
    budget: &Budget,
    records: &mut Vec<Record>,
    findings: &mut Findings,
) {
    // Reserve one record per line, but not for lines of only a few octets. If this much memory is
    // not available, the list grows record by record.
    let lines = text.iter().filter(|octet| **octet == b'\n').count();
    let _ = records.try_reserve(lines.min(text.len() / LINE_OCTETS));
    let mut share = budget.share();
    share.grant(text.len());
    let mut reader = reader::Reader::new(apex, include, share, records, findings);
    reader.file(text, file, (apex.clone(), None), 0);
    reader.settle(file);
}
