//! The hub city of each country: where its clients are taken to stand when only the country is
//! known.
//!
//! The hub is the largest city, not the geometric centre: people and exchange points are where the
//! cities are. The middle of Russia, Canada or Australia is a place where hardly anybody is online.

mod table;

use super::place::{Continent, Country};
pub(crate) use table::Hub;

/// The row of a country; `None` for a code that is not in the table.
pub(crate) fn find(country: Country) -> Option<&'static Hub> {
    let rows = &table::HUBS;
    rows.binary_search_by(|row| row.country.cmp(country.code())).ok().map(|i| &rows[i])
}

/// The continent of a country. Countries on two continents lie where their hub city is counted by
/// GeoIP databases: Russia in Europe; Türkiye, Kazakhstan and Egypt whole in Asia, Asia and Africa.
pub(crate) fn continent_of(country: Country) -> Option<Continent> {
    find(country).map(|row| row.continent)
}

#[cfg(test)]
mod tests;
