//! Databases in text form, geofeeds (RFC 8805) and our own source format, without conversion to
//! MaxMind DB format.

use super::{Database, Fields};
use crate::finding::{At, FileId, Finding, Findings, code};
use crate::geo::geofeed;
use crate::geo::layered::{Layer, TOO_MANY_LEAVES, disjoint};
use crate::geo::prefix::Prefix;
use crate::geo::source_text::{self, Row};
use std::collections::HashMap;
use std::sync::Arc;

/// True if the name of a database means text.
pub(super) fn is_text(name: &str) -> bool {
    name.len() > 4 && name.get(name.len() - 4..).is_some_and(|end| end.eq_ignore_ascii_case(".csv"))
}

/// Reads a database in text form.
pub(super) fn read(name: Arc<str>, octets: &[u8], file: FileId) -> Result<Database, Findings> {
    let text = match std::str::from_utf8(octets) {
        Ok(text) => text,
        Err(error) => {
            let line = 1 + octets.iter().take(error.valid_up_to()).filter(|octet| **octet == b'\n').count();
            let message = format!("`{name}` is not UTF-8 text: line {line}");
            return Err(Finding::error(code::NOT_UTF8, message).at(At::whole(file), "").into());
        }
    };
    let (kind, epoch, rows, findings) = if source_text::has_header(text) {
        let (source, findings) = source_text::parse(text, file);
        ("prefix table", source.epoch, source.rows, findings)
    } else {
        let (rows, findings) = geofeed::parse(text, file);
        ("geofeed", None, rows, findings)
    };
    if findings.has_errors() {
        return Err(findings);
    }
    let mut places = Places::default();
    let (mut v4, mut v6): (Vec<Layer<u32>>, Vec<Layer<u128>>) = (Vec::new(), Vec::new());
    for row in &rows {
        let place = places.of(row);
        match row.prefix {
            Prefix::V4 { bits, len } => v4.push((bits, len, place)),
            Prefix::V6 { bits, len } => v6.push((bits, len, place)),
        }
    }
    if places.list.is_empty() {
        let message = format!("`{name}` ({kind}) has no data about any prefix");
        return Err(Finding::error(code::DATABASE_LAYOUT, message).at(At::whole(file), "").into());
    }
    let (Some(leaves_v4), Some(leaves_v6)) = (disjoint(v4), disjoint(v6)) else {
        let message = format!("`{name}` nests its prefixes in too many ways: {TOO_MANY_LEAVES}");
        return Err(Finding::error(code::TOO_LARGE, message)
            .at(At::whole(file), "")
            .help("remove the widest prefixes, or the longest")
            .into());
    };
    Ok(Database {
        name,
        kind: kind.into(),
        build_epoch: epoch.unwrap_or(0),
        node_count: 0,
        ip_version: 6,
        leaves_v4,
        // Splitting a wide prefix may leave a block of embedded IPv4 addresses as a leaf.
        leaves_v6: leaves_v6
            .into_iter()
            .filter(|&(bits, len, _)| !super::embedded::holds(Prefix::V6 { bits, len }))
            .collect(),
        places: places.list,
    })
}

/// Distinct fields of rows.
#[derive(Default)]
struct Places {
    list: Vec<Fields>,
    known: HashMap<Fields, u32>,
}

impl Places {
    /// Place of a row; `None` if the row has no data.
    fn of(&mut self, row: &Row) -> Option<u32> {
        let fields = Fields {
            continent: row.continent,
            country: row.country,
            subdivisions: row.subdivision.into_iter().collect(),
            coordinates: row.coordinates,
            asn: row.asn,
            rtts: None,
            resolver_rtts: None,
        }
        .without_unknown();
        if fields == Fields::default() {
            return None;
        }
        let next = self.list.len() as u32;
        Some(*self.known.entry(fields).or_insert_with_key(|fields| {
            self.list.push(fields.clone());
            next
        }))
    }
}
