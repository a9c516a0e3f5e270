//! Pairs of conditions, and whether the first takes all clients of the second.

use super::*;
use crate::geo::place::{Place, Subdivision};

fn countries(codes: &str) -> When {
    When {
        country: codes.split_whitespace().map(|c| Country::from_code(c).unwrap()).collect(),
        ..When::default()
    }
}

fn continents(codes: &str) -> When {
    let all = codes.split_whitespace().map(|code| Continent::from_code(code).unwrap());
    When { continent: all.collect(), ..When::default() }
}

fn subdivision(country: &str, code: &str) -> When {
    let of = Country::from_code(country).zip(Subdivision::from_code(code));
    When { subdivision: of.into_iter().collect(), ..When::default() }
}

fn but(when: When, not: When) -> When {
    When { not: Some(Box::new(not)), ..when }
}

#[test]
fn the_wider_covers_the_narrower() {
    let asn = |asn: u32| When { asn: vec![asn], ..When::default() };
    let both = |a: When, b: When| When { asn: b.asn, ..a };
    let rows = [
        (When::default(), countries("DE"), true),
        (countries("DE"), When::default(), false),
        (countries("DE FR"), countries("DE"), true),
        (countries("DE"), countries("DE FR"), false),
        (countries("DE"), both(countries("DE"), asn(64500)), true),
        (both(countries("DE"), asn(64500)), countries("DE"), false),
        // Countries lie on continents, and subdivisions in countries.
        (continents("EU"), countries("DE"), true),
        (continents("EU"), countries("DE US"), false),
        (continents("EU"), continents("EU"), true),
        (countries("US"), subdivision("US", "CA"), true),
        (continents("NA"), subdivision("US", "CA"), true),
        (subdivision("US", "CA"), countries("US"), false),
        // A territory may be written by its own code; France has some overseas.
        (countries("US"), subdivision("US", "PR"), false),
        (countries("US PR"), subdivision("US", "PR"), true),
        (continents("EU"), countries("FR"), false),
        (countries("US"), countries("PR"), false),
        // What is excluded is left to later rules.
        (but(continents("EU"), countries("DE")), countries("DE"), false),
        (but(continents("EU"), countries("DE")), countries("PL"), true),
        (but(continents("EU"), countries("DE")), but(continents("EU"), countries("DE PL")), true),
        (but(continents("EU"), countries("DE PL")), but(continents("EU"), countries("DE")), false),
        (but(continents("EU"), asn(64500)), both(countries("DE"), asn(64501)), true),
        (but(continents("EU"), asn(64500)), countries("DE"), false),
    ];
    for (outer, inner, expected) in rows {
        assert_eq!(covers(&outer, &inner, &Lands::default()), expected, "{outer:?}\n{inner:?}");
    }
}

/// A country lies where the data put it; a table of this program speaks for countries without data.
#[test]
fn continents_are_those_of_the_data() {
    let lands = |rows: &[(&str, &str)]| {
        let place = |(country, continent): &(&str, &str)| Place {
            country: Country::from_code(country),
            continent: Continent::from_code(continent),
            ..Place::default()
        };
        Lands::of(&rows.iter().map(place).collect::<Vec<_>>())
    };
    let tr_in_eu = When { country: countries("TR").country, ..continents("EU") };
    let rows = [
        // The table has Türkiye in Asia.
        (vec![], true, Some("TR")),
        (vec![("DE", "EU")], true, Some("TR")),
        (vec![("TR", "")], true, Some("TR")),
        (vec![("TR", "AS")], true, Some("TR")),
        (vec![("TR", "EU")], false, None),
        (vec![("TR", "AS"), ("TR", "EU")], false, None),
    ];
    for (data, covers_tr, apart) in rows {
        let lands = lands(&data);
        assert_eq!(covers(&continents("AS"), &countries("TR"), &lands), covers_tr, "{data:?}");
        let found = apart_by_continent(&tr_in_eu, &lands);
        assert_eq!(found, apart.and_then(Country::from_code), "{data:?}");
    }
}
