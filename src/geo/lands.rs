//! Countries of the loaded data, and the continents to which the data assign them.

use super::hubs;
use super::place::{Continent, Country, Place};
use std::collections::BTreeSet;

/// Countries of the loaded data, each with all continents of its places. Loaded data take
/// precedence over the tables of this program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lands {
    of_data: BTreeSet<(Country, Option<Continent>)>,
}

impl Lands {
    /// Collects the countries of these places.
    pub(crate) fn of(places: &[Place]) -> Lands {
        let of_data = places.iter().filter_map(|place| Some((place.country?, place.continent)));
        Lands { of_data: of_data.collect() }
    }

    /// True if a place is in the country.
    pub(crate) fn has(&self, country: Country) -> bool {
        self.places_in(country).next().is_some()
    }

    /// Continents of a country: from the data, else from its hub city; empty if neither is known.
    pub(crate) fn continents_of(&self, country: Country) -> Vec<Continent> {
        let of_data: Vec<Continent> =
            self.places_in(country).filter_map(|(_, continent)| *continent).collect();
        match of_data.is_empty() {
            true => hubs::continent_of(country).into_iter().collect(),
            false => of_data,
        }
    }

    fn places_in(&self, country: Country) -> impl Iterator<Item = &(Country, Option<Continent>)> {
        self.of_data.range((country, None)..).take_while(move |(of, _)| *of == country)
    }
}
