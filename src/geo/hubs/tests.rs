//! The table is complete and sorted, and rows that are easily wrong are right.

use super::*;
use crate::geo::place::Coordinates;

fn country(code: &str) -> Country {
    Country::from_code(code).expect("two letters")
}

/// Binary search needs order; every row has valid coordinates; every continent has countries.
#[test]
fn the_table_is_sound() {
    for pair in table::HUBS.windows(2) {
        assert!(pair[0].country < pair[1].country, "{} {}", pair[0].country, pair[1].country);
    }
    assert_eq!(table::HUBS.len(), 250);
    for row in &table::HUBS {
        let hub = find(country(row.country)).and_then(|hub| Coordinates::from_degrees(hub.lat, hub.lon));
        assert!(hub.is_some(), "{}", row.country);
    }
    for continent in Continent::ALL {
        assert!(table::HUBS.iter().any(|row| row.continent == continent), "{continent:?}");
    }
}

/// Hubs are the largest cities, not capitals or centres; continents are those of the databases.
#[test]
fn rows_by_code() {
    let rows = [
        ("US", "New York", Continent::NorthAmerica),
        ("BR", "Sao Paulo", Continent::SouthAmerica),
        ("AU", "Sydney", Continent::Oceania),
        ("RU", "Moscow", Continent::Europe),
        ("TR", "Istanbul", Continent::Asia),
        ("EG", "Cairo", Continent::Africa),
        ("NA", "Windhoek", Continent::Africa),
        ("AQ", "McMurdo Station", Continent::Antarctica),
        ("XK", "Pristina", Continent::Europe),
    ];
    for (code, city, continent) in rows {
        assert_eq!(find(country(code)).map(|h| (h.city, h.continent)), Some((city, continent)), "{code}");
    }
    assert!(find(country("ZZ")).is_none());
    assert_eq!(continent_of(country("EU")), None);
}
