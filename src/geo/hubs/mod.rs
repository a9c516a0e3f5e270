//! Hub city of each country: the assumed place of clients of which only the country is known.
//!
//! The hub is the largest city and not the geometric centre, because people and exchange points are
//! in cities. The middle of Russia, Canada or Australia has hardly any users.

mod table;

use super::place::{Continent, Country};
pub(crate) use table::Hub;

/// Every row, sorted by the code of the country.
pub(crate) fn all() -> &'static [Hub] {
    &table::HUBS
}

/// Row of a country; `None` for a code that is not in the table.
pub(crate) fn find(country: Country) -> Option<&'static Hub> {
    let rows = &table::HUBS;
    rows.binary_search_by(|row| row.country.cmp(country.code())).ok().map(|i| &rows[i])
}

/// Continent of a country. Countries on two continents follow the GeoIP databases: Russia is in
/// Europe, Türkiye and Kazakhstan in Asia, Egypt in Africa.
pub(crate) fn continent_of(country: Country) -> Option<Continent> {
    find(country).map(|row| row.continent)
}

#[cfg(test)]
mod tests;
