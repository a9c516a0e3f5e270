//! Geofeeds (RFC 8805): places of prefixes, published by the network's owner as lines of CSV.
//!
//! ```text
//! # comment
//! 192.0.2.0/24,US,US-CA,Los Angeles,
//! 2001:db8::/32,DE,,,
//! 198.51.100.7,,,,
//! ```
//!
//! The fields are prefix (or address), country (ISO 3166-1), region (ISO 3166-2), city and postal
//! code. A field that is empty or omitted at the end is unknown, and further fields are ignored
//! (section 2.1). Cells may be quoted as in RFC 4180. A territory may have its own country code, be
//! a region of another country, or both (`PR,US-PR`): [`territories`] treats them as one.
//!
//! Section 2.1 asks consumers to skip invalid lines. Here an invalid line is an error, like any
//! other fault of a file, because the operator can correct the file, and half a feed would steer
//! clients by chance.

use super::place::{Country, Subdivision};
use super::prefix::Prefix;
use super::source_text::{Row, read_prefix};
use super::{hubs, iso3166, territories};
use crate::finding::{At, FileId, Finding, Findings, code};
use std::collections::HashMap;

/// Fields of a line that are read; only the quotes of later fields are checked.
const FIELDS_READ: usize = 4;

/// Reads a feed, and reports all faults at once.
pub(crate) fn parse(text: &str, file: FileId) -> (Vec<Row>, Findings) {
    let mut findings = Findings::default();
    let mut rows = Vec::new();
    let mut seen: HashMap<Prefix, At> = HashMap::new();
    let mut start = 0;
    // In a text without LF, lines end with CR.
    let end = if text.contains('\n') { '\n' } else { '\r' };
    for (line, raw) in (1u32..).zip(text.split_inclusive(end)) {
        let content = raw.trim_end_matches(['\n', '\r']);
        if !content.trim_matches(is_blank).is_empty()
            && !content.trim_start_matches(is_blank).starts_with('#')
        {
            let (cells, is_closed) = cells(content, file, line, start);
            if let Some(open) = cells.last().filter(|_| !is_closed) {
                findings.push(
                    Finding::error(code::BAD_VALUE, "a quote is not closed on its line")
                        .at(open.at, "this quote extends to the end of the line")
                        .help("a quote inside a quoted cell is written twice (RFC 4180 section 2)"),
                );
            } else if let Some(row) = row(&cells, &mut findings) {
                let at = cells.first().map_or(At::whole(file), |cell| cell.at);
                match seen.insert(row.prefix, at) {
                    None => rows.push(row),
                    Some(before) => {
                        let finding = Finding::error(
                            code::DUPLICATE_PREFIX,
                            format!("`{}` is listed twice", row.prefix),
                        );
                        findings.push(finding.at(at, "again here").related(before, "first here"));
                    }
                }
            }
        }
        start += raw.len();
    }
    (rows, findings)
}

/// True for blanks, and for the byte order mark that some editors write.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || character == '\u{feff}'
}

/// A field of a line.
struct Cell {
    at: At,
    text: String,
}

/// Splits a line at its commas; a cell in double quotes may contain commas and doubled quotes. The
/// second value is true if every quote is closed.
fn cells(content: &str, file: FileId, line: u32, start: usize) -> (Vec<Cell>, bool) {
    let (mut cells, mut quoted, mut begin) = (Vec::new(), false, 0);
    // Count characters onwards from cell to cell, so that a line of commas takes linear time.
    let (mut column, mut counted) = (1, 0);
    let ends = content.char_indices().map(Some).chain([None]);
    for end in ends {
        let end = match end {
            Some((_, '"')) => {
                quoted = !quoted;
                continue;
            }
            Some((at, ',')) if !quoted => at,
            Some(_) => continue,
            None => content.len(),
        };
        let is_last = end == content.len();
        if cells.len() >= FIELDS_READ && !(is_last && quoted) {
            begin = end + 1;
            continue;
        }
        let raw = content.get(begin..end).unwrap_or_default();
        let trimmed = raw.trim_matches(is_blank);
        let offset = begin + (raw.len() - raw.trim_start_matches(is_blank).len());
        let octet = |n: usize| u32::try_from(start + n).unwrap_or(u32::MAX);
        column += content.get(counted..offset).map_or(0, |between| between.chars().count());
        counted = offset;
        let text = match trimmed.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
            Some(inner) => inner.replace("\"\"", "\"").trim().to_owned(),
            None => trimmed.to_owned(),
        };
        cells.push(Cell {
            at: At {
                file,
                line,
                column: u32::try_from(column).unwrap_or(u32::MAX),
                start: octet(offset),
                end: octet(offset + trimmed.len()),
            },
            text,
        });
        begin = end + 1;
    }
    (cells, !quoted)
}

/// Reads one line; `None` after a finding.
fn row(cells: &[Cell], out: &mut Findings) -> Option<Row> {
    let before = out.len();
    // Empty fields and the databases' words for "unknown" (`-`, ZZ) count as missing.
    let cell = |index: usize| cells.get(index).filter(|cell| !cell.text.is_empty() && cell.text != "-");
    let prefix = match cells.first() {
        Some(cell) => read_prefix(cell.at, &cell.text, true).map_err(|finding| out.push(finding)).ok(),
        None => None,
    };
    let mut country = None;
    if let Some(cell) = cell(1).filter(|cell| !iso3166::is_unknown(&cell.text)) {
        country = Country::from_code(&cell.text.to_ascii_uppercase());
        if country.is_none() {
            out.push(
                Finding::error(code::BAD_PLACE, format!("`{}` is not a country", cell.text))
                    .at(cell.at, "not a code of ISO 3166-1")
                    .help("a geofeed line is `prefix,country,region,city,postal code`"),
            );
        }
    }
    let mut subdivision = None;
    if let Some(cell) = cell(2) {
        let upper = cell.text.to_ascii_uppercase();
        let parts = upper
            .split_once('-')
            .and_then(|(of, code)| Some((Country::from_code(of)?, Subdivision::from_code(code)?)));
        match (parts, country) {
            (None, _) => out.push(
                Finding::error(code::BAD_PLACE, format!("`{}` is not a region", cell.text))
                    .at(cell.at, "not a code of ISO 3166-2")
                    .help("a region is written with its country, such as `US-CA`"),
            ),
            // If both codes of a territory are given, the country stays as written.
            (Some((of, found)), Some(country))
                if of != country && territories::own_country(of, &[found]) == country =>
            {
                subdivision = territories::find(of, found).filter(|own| !own.is_whole).map(|_| found);
            }
            (Some((of, _)), Some(country)) if of != country => out.push(
                Finding::error(
                    code::BAD_PLACE,
                    format!("the region `{}` is not in the country `{country}`", cell.text),
                )
                .at(cell.at, format!("not in {country}")),
            ),
            (Some((of, found)), _) => {
                country = Some(of);
                subdivision = Some(found);
            }
        }
    }
    let row = Row {
        prefix: prefix?,
        continent: country
            .map(|country| territories::own_country(country, subdivision.as_slice()))
            .and_then(hubs::continent_of),
        country,
        subdivision,
        coordinates: None,
        asn: None,
        city: cell(3).map(|cell| cell.text.clone()),
    };
    (out.len() == before).then_some(row)
}

#[cfg(test)]
mod tests;
