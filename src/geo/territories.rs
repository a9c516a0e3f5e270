//! Territories with two codes: country in ISO 3166-1, and subdivision of another country in ISO
//! 3166-2. Puerto Rico is PR and US-PR, Hong Kong is HK and CN-HK, Reunion is RE and FR-974.
//!
//! Databases write the country, geofeeds (RFC 8805) either or both. A condition with one code
//! matches a place that is written with the other.

use super::place::{Country, Place, Subdivision};

/// Country, code of the subdivision, own country code of the territory, and whether the subdivision
/// is the whole territory.
type Row = (&'static str, &'static str, &'static str, bool);

/// Codes of ISO 3166-2, and those of the French departments until 2018.
const TERRITORIES: [Row; 35] = [
    ("CN", "HK", "HK", true),
    ("CN", "MO", "MO", true),
    ("CN", "TW", "TW", true),
    ("FI", "01", "AX", true),
    ("FR", "971", "GP", true),
    ("FR", "972", "MQ", true),
    ("FR", "973", "GF", true),
    ("FR", "974", "RE", true),
    ("FR", "976", "YT", true),
    ("FR", "BL", "BL", true),
    ("FR", "GF", "GF", true),
    ("FR", "GP", "GP", true),
    ("FR", "MF", "MF", true),
    ("FR", "MQ", "MQ", true),
    ("FR", "NC", "NC", true),
    ("FR", "PF", "PF", true),
    ("FR", "PM", "PM", true),
    ("FR", "RE", "RE", true),
    ("FR", "TF", "TF", true),
    ("FR", "WF", "WF", true),
    ("FR", "YT", "YT", true),
    ("NL", "AW", "AW", true),
    ("NL", "BQ1", "BQ", false),
    ("NL", "BQ2", "BQ", false),
    ("NL", "BQ3", "BQ", false),
    ("NL", "CW", "CW", true),
    ("NL", "SX", "SX", true),
    ("NO", "21", "SJ", false),
    ("NO", "22", "SJ", false),
    ("US", "AS", "AS", true),
    ("US", "GU", "GU", true),
    ("US", "MP", "MP", true),
    ("US", "PR", "PR", true),
    ("US", "UM", "UM", true),
    ("US", "VI", "VI", true),
];

/// A subdivision with a country code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Territory {
    /// Its own country code.
    pub(crate) own: Country,
    /// True if the subdivision is the whole of that country.
    pub(crate) is_whole: bool,
}

/// The territory of a subdivision, if it is one.
pub(crate) fn find(country: Country, subdivision: Subdivision) -> Option<Territory> {
    let rows = &TERRITORIES;
    let key = (country.code(), subdivision.code());
    let at = rows.binary_search_by(|row| (row.0, row.1).cmp(&key)).ok()?;
    Some(Territory { own: Country::from_code(rows[at].2)?, is_whole: rows[at].3 })
}

/// Country of a place by its own code, which is the territory's if a subdivision is one.
pub(crate) fn own_country(country: Country, subdivisions: &[Subdivision]) -> Country {
    let own = subdivisions.iter().find_map(|subdivision| find(country, *subdivision));
    own.map_or(country, |territory| territory.own)
}

/// Country of a place by its own code.
pub(crate) fn of_place(place: &Place) -> Option<Country> {
    place.country.map(|country| own_country(country, &place.subdivisions))
}

/// True if a place is in a subdivision, whichever code either of them is written with.
pub(crate) fn lies_in(
    place: (Country, &[Subdivision]),
    (country, subdivision): (Country, Subdivision),
) -> bool {
    if place.0 == country && place.1.contains(&subdivision) {
        return true;
    }
    find(country, subdivision).is_some_and(|territory| {
        own_country(place.0, place.1) == territory.own
            && (territory.is_whole || place.1.contains(&subdivision))
    })
}

/// Territories of a country, by their own codes.
pub(crate) fn of_country(country: Country) -> impl Iterator<Item = Country> {
    TERRITORIES.iter().filter(move |row| row.0 == country.code()).filter_map(|row| Country::from_code(row.2))
}

#[cfg(test)]
mod tests;
