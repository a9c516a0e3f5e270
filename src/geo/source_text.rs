//! Text form of a GeoIP database: one prefix per line.
//!
//! ```text
//! # epoch: 1700000000
//! prefix,continent,country,subdivision,latitude,longitude,asn,city
//! 192.0.2.0/24,EU,DE,HE,50.11,8.68,64496,Frankfurt
//! 2001:db8:1000::/36,,GB,,51.51,-0.13,,London
//! ```
//!
//! Lines that begin with `#` are comments; the comment `# epoch: N` dates the database, in seconds
//! since 1970. Every field except the prefix may be empty. There is no quoting: a city with a comma
//! in its name is written without it. A longer prefix overrides a shorter one that contains it.

use super::place::{Continent, Coordinates, Country, Subdivision};
use super::prefix::Prefix;
use super::{embedded, hubs, iso3166, territories};
use crate::finding::{At, Code, FileId, Finding, Findings, code};
use std::collections::HashMap;

/// Header line.
pub const HEADER: &str = "prefix,continent,country,subdivision,latitude,longitude,asn,city";

/// Mark of the comment that dates the database.
const EPOCH_MARK: &str = "epoch:";

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Block of addresses.
    pub(crate) prefix: Prefix,
    /// Continent; taken from the country if the line has none.
    pub(crate) continent: Option<Continent>,
    /// Country.
    pub(crate) country: Option<Country>,
    /// Subdivision of the country.
    pub(crate) subdivision: Option<Subdivision>,
    /// Coordinates.
    pub(crate) coordinates: Option<Coordinates>,
    /// Number of the autonomous system.
    pub(crate) asn: Option<u32>,
    /// Name of the city, for people.
    pub(crate) city: Option<String>,
}

/// A source as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SourceText {
    /// Date of the data, in seconds since 1970, if the source has one.
    pub(crate) epoch: Option<u64>,
    /// Rows in the order written; each prefix once.
    pub(crate) rows: Vec<Row>,
}

/// Reads a source, and reports all faults at once. A source with errors must not become a database.
pub(crate) fn parse(text: &str, file: FileId) -> (SourceText, Findings) {
    parse_noting(text, file, &mut |_| {})
}

/// Like [`parse`]; `note` gets the number of octets read after each line.
pub(crate) fn parse_noting(text: &str, file: FileId, note: &mut dyn FnMut(usize)) -> (SourceText, Findings) {
    let mut reader = LineReader { file, line: 0, start: 0, findings: Findings::default() };
    let mut source = SourceText::default();
    let mut seen: HashMap<Prefix, At> = HashMap::new();
    let mut has_header = false;
    for line in text.split_inclusive('\n') {
        reader.line += 1;
        let content = line.trim_end_matches(['\n', '\r']);
        if let Some(comment) = content.strip_prefix('#') {
            if let Some(number) = comment.trim().strip_prefix(EPOCH_MARK) {
                match number.trim().parse() {
                    Ok(epoch) => source.epoch = Some(epoch),
                    Err(_) => reader.fault(
                        code::BAD_VALUE,
                        "the epoch is not a number of seconds",
                        content,
                        "`# epoch: 1700000000` is one",
                    ),
                }
            }
        } else if content.trim().is_empty() {
        } else if !has_header {
            has_header = true;
            if content != HEADER {
                reader.fault(
                    code::BAD_VALUE,
                    "the first line is not the header",
                    content,
                    &format!("write `{HEADER}`"),
                );
            }
        } else if let Some(row) = reader.row(content) {
            let at = reader.at_start(content.split(',').next().unwrap_or(content));
            match seen.insert(row.prefix, at) {
                None => source.rows.push(row),
                Some(before) => {
                    let finding =
                        Finding::error(code::DUPLICATE_PREFIX, format!("`{}` is listed twice", row.prefix));
                    reader.findings.push(finding.at(at, "again here").related(before, "first here"));
                }
            }
        }
        reader.start += line.len();
        note(reader.start);
    }
    if !has_header {
        let finding =
            Finding::error(code::MISSING_KEY, "the source has no header line").at(At::whole(file), "");
        reader.findings.push(finding.help(format!("begin with `{HEADER}`")));
    }
    (source, reader.findings)
}

/// Position of the reader.
struct LineReader {
    file: FileId,
    line: u32,
    /// Offset of the line.
    start: usize,
    findings: Findings,
}

impl LineReader {
    /// Place of `marked` at the start of the line.
    fn at_start(&self, marked: &str) -> At {
        self.at(0, 0, marked)
    }

    /// Place of `marked`, which begins `offset` octets and `characters` characters into the line.
    fn at(&self, offset: usize, characters: usize, marked: &str) -> At {
        let octet = |n: usize| u32::try_from(self.start + n).unwrap_or(u32::MAX);
        let column = u32::try_from(characters + 1).unwrap_or(u32::MAX);
        At {
            file: self.file,
            line: self.line,
            column,
            start: octet(offset),
            end: octet(offset + marked.len()),
        }
    }

    /// Reports a fault of the whole line.
    fn fault(&mut self, code: Code, message: &str, content: &str, help: &str) {
        let at = self.at_start(content);
        self.findings.push(Finding::error(code, message).at(at, "").help(help));
    }

    /// Reads one line of data; `None` after a finding.
    fn row(&mut self, content: &str) -> Option<Row> {
        let before = self.findings.len();
        let (mut offset, mut characters) = (0, 0);
        let mut cells: Vec<(At, &str)> = Vec::with_capacity(8);
        let fields = content.split(',').count();
        for cell in content.split(',').take(if fields == 8 { 8 } else { 0 }) {
            let trimmed = cell.trim();
            let lead = cell.len() - cell.trim_start().len();
            let lead_characters = cell[..lead].chars().count();
            cells.push((self.at(offset + lead, characters + lead_characters, trimmed), trimmed));
            offset += cell.len() + 1;
            characters += cell.chars().count() + 1;
        }
        let [prefix, continent, country, subdivision, latitude, longitude, asn, city] = cells[..] else {
            let words = format!("{fields} fields where the header has {}", HEADER.split(',').count());
            self.fault(
                code::BAD_VALUE,
                &words,
                content,
                "commas separate the fields; empty fields keep their commas",
            );
            return None;
        };
        let prefix = self.prefix(prefix);
        let country = match iso3166::is_unknown(country.1) {
            true => None,
            false => self.cell(country, "a country code of two letters", Country::from_code),
        };
        let mut row = Row {
            prefix: prefix.unwrap_or(Prefix::V4 { bits: 0, len: 0 }),
            continent: self.cell(continent, "a continent (AF AN AS EU NA OC SA)", Continent::from_code),
            country,
            subdivision: self.cell(
                subdivision,
                "a subdivision code, without the country",
                Subdivision::from_code,
            ),
            coordinates: self.coordinates(latitude, longitude),
            asn: self.cell(asn, "an AS number", |text| text.parse().ok().filter(|&asn| asn != 0)),
            city: (!city.1.is_empty()).then(|| city.1.to_owned()),
        };
        let own = country.map(|country| territories::own_country(country, row.subdivision.as_slice()));
        row.continent = row.continent.or(own.and_then(hubs::continent_of));
        (self.findings.len() == before).then_some(row)
    }

    fn cell<T>(&mut self, (at, text): (At, &str), what: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        // Some databases write `-` for "unknown".
        if text.is_empty() || text == "-" {
            return None;
        }
        let value = read(text);
        if value.is_none() {
            self.findings.push(Finding::error(code::BAD_PLACE, format!("`{text}` is not {what}")).at(at, ""));
        }
        value
    }

    fn coordinates(&mut self, lat: (At, &str), lon: (At, &str)) -> Option<Coordinates> {
        let degrees =
            |limit: f64| move |text: &str| text.parse::<f64>().ok().filter(|d| (-limit..=limit).contains(d));
        let read_lat = self.cell(lat, "a latitude in degrees from -90 to 90", degrees(90.0));
        let read_lon = self.cell(lon, "a longitude in degrees from -180 to 180", degrees(180.0));
        if lat.1.is_empty() != lon.1.is_empty() {
            let at = if lat.1.is_empty() { lat.0 } else { lon.0 };
            self.findings.push(
                Finding::error(code::BAD_PLACE, "half of the coordinates is missing")
                    .at(at, "")
                    .help("write both or neither"),
            );
        }
        Coordinates::from_degrees(read_lat?, read_lon?)
    }

    fn prefix(&mut self, (at, text): (At, &str)) -> Option<Prefix> {
        read_prefix(at, text, false).map_err(|finding| self.findings.push(finding)).ok()
    }
}

/// Reads a prefix of a source; the error is a finding. A lone address is valid only with
/// `addresses`.
pub(super) fn read_prefix(at: At, text: &str, addresses: bool) -> Result<Prefix, Finding> {
    let refuse =
        |message: String, help: &str| Finding::error(code::BAD_ADDRESS, message).at(at, "").help(help);
    let prefix = match (text.parse::<ipnet::IpNet>(), text.parse()) {
        (Err(_), Ok(address)) if addresses => Prefix::host(address),
        (Err(_), _) => {
            return Err(refuse(
                format!("`{text}` is not a prefix"),
                "write an address, a slash and a length",
            ));
        }
        (Ok(net), _) if net.addr() != net.network() => {
            return Err(refuse(
                format!("`{text}` has bits set beyond its length"),
                &format!("did you mean `{}`?", net.trunc()),
            ));
        }
        (Ok(net), _) => Prefix::from(net),
    };
    if embedded::holds(prefix) {
        let message = format!("`{text}` has IPv4 clients, which are looked up by their IPv4 addresses");
        return Err(refuse(message, "write the IPv4 prefix"));
    }
    Ok(prefix)
}

/// True if a text is in this format and not a geofeed: its first line of content is the header.
pub(crate) fn has_header(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.next().is_some_and(|line| line.starts_with("prefix,"))
}

#[cfg(test)]
mod tests;
