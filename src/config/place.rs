//! Countries, subdivisions, coordinates and AS numbers in YAML.

use super::scalar::{number, plain, whole, with_way_out};
use super::table::{MapReader, shown};
use super::tree::Node;
use crate::finding::{Finding, Findings, code};
use crate::geo::place::{Continent, Coordinates, Country, Subdivision};
use crate::geo::territories;

/// An ISO 3166-1 code.
pub(super) fn country(node: &Node, out: &mut Findings) -> Option<Country> {
    let value = plain(node).and_then(Country::from_code);
    if value.is_none() {
        refuse(node, "a country", "write its two-letter ISO 3166-1 code, such as `DE`", out);
    }
    value
}

/// A continent code.
pub(super) fn continent(node: &Node, out: &mut Findings) -> Option<Continent> {
    let value = plain(node).and_then(Continent::from_code);
    if value.is_none() {
        refuse(node, "a continent", "write one of AF, AN, AS, EU, NA, OC and SA", out);
    }
    value
}

/// An ISO 3166-2 code such as `US-CA`; `CA` alone is valid only if `within` names the country.
pub(super) fn subdivision(
    node: &Node,
    within: Option<Country>,
    out: &mut Findings,
) -> Option<(Country, Subdivision)> {
    let value = plain(node).and_then(|text| match text.split_once('-') {
        Some((country, code)) => Some((Country::from_code(country)?, Subdivision::from_code(code)?)),
        None => Some((within?, Subdivision::from_code(text)?)),
    });
    match (value, within) {
        (Some((of, found)), Some(within)) if territories::own_country(of, &[found]) == within => value,
        (Some((of, _)), Some(within)) if of != within => {
            out.push(
                Finding::error(
                    code::BAD_PLACE,
                    format!("{} is a subdivision of {of}, not of {within}", shown(node)),
                )
                .at(node.at, format!("not in {within}")),
            );
            None
        }
        (None, _) => {
            refuse(node, "a subdivision", "write its ISO 3166-2 code, such as `US-CA`", out);
            None
        }
        _ => value,
    }
}

/// An AS number, also as `AS64500`.
pub(super) fn asn(node: &Node, out: &mut Findings) -> Option<u32> {
    let named = plain(node).and_then(|text| {
        let digits = text.strip_prefix("AS").or_else(|| text.strip_prefix("as"))?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u32>().ok()).flatten()
    });
    let value = named.or_else(|| u32::try_from(whole(node)?).ok()).filter(|n| *n > 0);
    if value.is_none() {
        refuse(node, "an AS number", "write it as `64500` or `AS64500`", out);
    }
    value
}

/// Coordinates from the keys `lat` and `lon` of a map: both or neither.
pub(super) fn coordinates(table: &mut MapReader<'_>, out: &mut Findings) -> Option<Coordinates> {
    let (lat, lon) = (table.take("lat"), table.take("lon"));
    let (lat_node, lon_node) = match (lat, lon) {
        (Some(lat), Some(lon)) => (lat, lon),
        (None, None) => return None,
        (Some(one), None) | (None, Some(one)) => {
            let missing = if lat.is_some() { "lon" } else { "lat" };
            out.push(
                Finding::error(
                    code::MISSING_KEY,
                    format!("coordinates need both `lat` and `lon`; `{missing}` is missing"),
                )
                .at(one.at, "alone"),
            );
            return None;
        }
    };
    let lat = number(lat_node, "lat", -90.0..=90.0, out);
    let lon = number(lon_node, "lon", -180.0..=180.0, out);
    Coordinates::from_degrees(lat?, lon?)
}

fn refuse(node: &Node, what: &str, help: &str, out: &mut Findings) {
    let finding = Finding::error(code::BAD_PLACE, format!("{} is not {what}", shown(node)))
        .at(node.at, format!("not {what}"))
        .help(help);
    out.push(with_way_out(finding, node));
}
