//! Units, and the measurements that fall into them.

use super::*;
use crate::geo::atlas::Provenance;
use crate::geo::place::{Coordinates, Country, Place};
use std::net::IpAddr;

/// An atlas of three IPv4 leaves: Frankfurt (a /16), nowhere, and New York (a /25).
fn atlas() -> Atlas {
    let (mut atlas, _) = Atlas::build(&[], &[]);
    let place = |country: &str, lat: f64, lon: f64| Place {
        country: Country::from_code(country),
        coordinates: Coordinates::from_degrees(lat, lon),
        ..atlas.places[0].clone()
    };
    let places = vec![atlas.places[0].clone(), place("DE", 50.1, 8.7), place("US", 40.7, -74.0)];
    let leaf = |address: [u8; 4], len: u8, place: u32| Leaf {
        start: u32::from_be_bytes(address),
        len,
        place,
        operator: false,
        space: Space::Usable,
    };
    atlas.v4 = vec![leaf([20, 0, 0, 0], 16, 1), leaf([20, 1, 0, 0], 16, 0), leaf([20, 2, 0, 128], 25, 2)];
    atlas.v6.clear();
    atlas.places = places;
    atlas.evidence = vec![Provenance::default(); 3];
    atlas
}

/// An atlas of these IPv4 leaves: 0 is nowhere, 1 Frankfurt, 2 New York, 3 Germany by its hub city.
fn atlas_of(leaves: &[([u8; 4], u8, u32, Space)]) -> Atlas {
    let mut atlas = atlas();
    let hub = atlas.places[1].clone();
    atlas.evidence = vec![Provenance::default(); 4];
    atlas.evidence[3].coordinates = Source::Hubs;
    atlas.places.push(Place { coordinates: Coordinates::from_degrees(52.5, 13.4), ..hub });
    let leaf = |&(address, len, place, space): &([u8; 4], u8, u32, Space)| Leaf {
        start: u32::from_be_bytes(address),
        len,
        place,
        operator: false,
        space,
    };
    atlas.v4 = leaves.iter().map(leaf).collect();
    atlas
}

/// The widest leaf of a /24 is its place, and addresses that no client has stay outside.
#[test]
fn a_network_stands_where_most_of_it_does() {
    let units = |leaves| Units::of_atlas(&atlas_of(leaves)).list;
    let shown = |units: &[Unit]| -> Vec<(String, Option<u32>)> {
        units.iter().map(|unit| (unit.prefix.to_string(), unit.spot())).collect()
    };
    let narrow_first = [
        ([20, 0, 0, 0], 29, 2, Space::Usable),
        ([20, 0, 0, 8], 29, 1, Space::Usable),
        ([20, 0, 0, 16], 28, 1, Space::Usable),
        ([20, 0, 0, 32], 27, 1, Space::Usable),
        ([20, 0, 0, 64], 26, 1, Space::Usable),
        ([20, 0, 0, 128], 25, 1, Space::Usable),
    ];
    // Places are numbered in their order: Frankfurt is 0, New York 1.
    assert_eq!(shown(&units(&narrow_first)), [("20.0.0.0/24".to_owned(), Some(0))]);
    let beside_special = [([10, 0, 0, 0], 29, 2, Space::Usable), ([10, 0, 0, 8], 29, 0, Space::Special)];
    assert_eq!(shown(&units(&beside_special)), [("10.0.0.0/29".to_owned(), Some(1))]);
    let mut units = Units::of_atlas(&atlas_of(&beside_special));
    units.take(&pops(), &mut [row("10.0.0.0", 5, 2, 95.0)]);
    assert_eq!(units.own(&units.list[0]).len(), 1, "the row is of its only clients");
}

/// A sample can be too fast for a place, but not for a country.
#[test]
fn a_hub_city_refutes_no_sample() {
    let leaves = [([20, 0, 0, 0], 24, 2, Space::Usable), ([20, 0, 1, 0], 24, 3, Space::Usable)];
    let mut units = Units::of_atlas(&atlas_of(&leaves));
    units.take(&pops(), &mut [row("20.0.0.0", 5, 2, 3.0), row("20.0.1.0", 5, 2, 3.0)]);
    assert_eq!(units.impossible, 1);
    assert_eq!(units.own(&units.list[1]).len(), 1);
}

/// A row of a wider network than its unit is of none.
#[test]
fn a_wide_row_measures_no_part_of_itself() {
    let leaves = [([20, 0, 0, 0], 24, 1, Space::Usable), ([20, 0, 1, 0], 24, 1, Space::Usable)];
    let mut units = Units::of_atlas(&atlas_of(&leaves));
    let wide = Row { prefix: Prefix::new([20, 0, 0, 0].into(), 23), ..row("20.0.0.0", 5, 2, 9.0) };
    units.take(&pops(), &mut [wide, row("20.0.1.0", 5, 2, 9.0)]);
    assert_eq!((units.too_wide, units.measured.len()), (1, 1));
}

/// The networks of one IPv6 holder have one vote about a PoP in a square, and their own RTTs.
#[test]
fn a_holder_of_ipv6_has_one_vote() {
    let mut atlas = atlas();
    let start = |site: u128| 0x2a00_0001_u128 << 96 | site << 80;
    let leaf = |site| Leaf { start: start(site), len: 48, place: 1, operator: false, space: Space::Usable };
    atlas.v4.clear();
    atlas.v6 = (0..2).map(leaf).collect();
    let mut units = Units::of_atlas(&atlas);
    let of = |site, pop| Row {
        prefix: Prefix::new(Ipv6Addr::from_bits(start(site)).into(), 48),
        pop,
        ..row("20.0.0.0", 5, 2, 90.0)
    };
    units.take(&pops(), &mut [of(0, 0), of(1, 0), of(1, 1)]);
    let votes = |unit: usize| units.votes(&units.list[unit]).iter().map(|vote| vote.pop).collect::<Vec<_>>();
    assert_eq!((votes(0), votes(1)), (vec![0], vec![1]));
    assert_eq!(units.own(&units.list[1]).len(), 2);
}

/// PoPs in Frankfurt and Amsterdam.
fn pops() -> Vec<Spot> {
    let spot = |country: &str, lat: f64, lon: f64| {
        Spot::new(Country::from_code(country), Coordinates::from_degrees(lat, lon).unwrap())
    };
    vec![spot("DE", 50.1, 8.7), spot("NL", 52.4, 4.9)]
}

fn units(rows: &mut [Row]) -> Units {
    let mut units = Units::of_atlas(&atlas());
    units.take(&pops(), rows);
    units
}

fn row(address: &str, hour: u32, samples: u32, rtt_ms: f64) -> Row {
    let prefix = Prefix::new(address.parse::<IpAddr>().unwrap(), 24);
    Row { prefix, pop: 0, hour, samples, rtt_ms }
}

/// One network of a wide unit teaches neighbours, and only three give the unit its own RTT.
#[test]
fn one_network_does_not_speak_for_a_wide_unit() {
    for (networks, has_own) in [(1, false), (2, false), (3, true)] {
        let mut rows: Vec<Row> = (0..networks).map(|n| row(&format!("20.0.{n}.0"), 5, 2, 10.0)).collect();
        let units = units(&mut rows);
        assert_eq!(!units.own(&units.list[0]).is_empty(), has_own, "{networks}");
        assert_eq!(units.measured.len(), 1);
    }
}

/// Rows without a place and rows faster than light are counted; a unit deeper than /24 is a /24.
#[test]
fn what_cannot_be_is_counted() {
    let mut rows = [
        row("20.1.0.0", 5, 2, 10.0),
        row("20.2.0.0", 5, 2, 20.0),
        row("20.2.0.0", 6, 2, 95.0),
        row("9.9.9.0", 5, 1, 1.0),
    ];
    let units = units(&mut rows);
    assert_eq!((units.unplaced, units.impossible), (2, 1));
    assert_eq!(units.list[2].prefix.to_string(), "20.2.0.0/24");
    assert_eq!(units.own(&units.list[2]), [OwnRtt { pop: 0, rtt_ms: 95.0, samples: 2 }]);
}

/// Old hours weigh half every twelve hours beside fresh ones, and everything where they are alone.
#[test]
fn old_samples_fade_beside_fresh_ones() {
    let alone = own_of(&mut [row("20.2.0.0", 100, 8, 95.0)]);
    assert_eq!((alone.rtt_ms, alone.samples), (95.0, 8));
    let fresh = own_of(&mut [row("20.2.0.0", 100, 8, 95.0), row("20.2.0.0", 124, 4, 120.0)]);
    assert_eq!((fresh.rtt_ms, fresh.samples), (120.0, 6));
}

/// Samples that rank the PoPs of the /24 in New York.
fn own_of(rows: &mut [Row]) -> OwnRtt {
    let units = units(rows);
    units.own(&units.list[2])[0]
}

/// Three networks must agree about each PoP of a wide unit, not about any.
#[test]
fn one_network_does_not_speak_for_one_pop() {
    let of = |network: u8, pop: u16| Row { pop, ..row(&format!("20.0.{network}.0"), 5, 2, 10.0) };
    let mut rows = vec![of(0, 0), of(1, 0), of(2, 0), of(2, 1)];
    let units = units(&mut rows);
    assert_eq!(units.own(&units.list[0]).iter().map(|own| own.pop).collect::<Vec<_>>(), [0]);
    assert_eq!(units.votes(&units.list[0]).len(), 4);
}

/// At most 50 samples of an hour count, over all rows, whatever they claim.
#[test]
fn rows_cannot_claim_more_samples() {
    let claim = || row("20.2.0.0", 5, 4_000_000_000, 70.0);
    assert_eq!(own_of(&mut [claim()]).samples, 50);
    assert_eq!(own_of(&mut [claim(), claim(), claim()]).samples, 50);
    // Two hours of fifty: the newer counts whole, and the older nearly.
    let older = Row { hour: 4, ..claim() };
    assert_eq!(own_of(&mut [claim(), older]).samples, 97);
    // A row that claims much has the share of fifty beside another one.
    let fair = || row("20.2.0.0", 5, 50, 90.0);
    assert_eq!(own_of(&mut [claim(), fair(), fair()]).rtt_ms, 90.0);
}

/// Equal rows, and rows of one key, count the same in any order.
#[test]
fn the_order_of_rows_does_not_matter() {
    let mut rows: Vec<Row> = (0..40)
        .map(|n| row("20.2.0.0", 100 - n % 7, 1 + n * 13 % 60, 70.0 + f64::from(n * 31 % 11) / 10.0))
        .collect();
    let first = own_of(&mut rows.clone());
    for turn in 1..rows.len() {
        rows.rotate_left(turn);
        rows.reverse();
        assert_eq!(own_of(&mut rows.clone()), first, "{turn}");
    }
}

/// A row that is not used does not make a network speak for a wide unit.
#[test]
fn a_row_that_is_not_used_makes_nothing_whole() {
    let leaves = [([20, 0, 0, 0], 20, 1, Space::Usable)];
    let mut units = Units::of_atlas(&atlas_of(&leaves));
    let wide = Row { prefix: Prefix::new([20, 0, 0, 0].into(), 16), ..row("20.0.0.0", 5, 2, 9.0) };
    units.take(&pops(), &mut [wide, row("20.0.3.0", 5, 2, 9.0)]);
    assert_eq!((units.too_wide, units.undecided), (1, 1));
    assert!(units.own(&units.list[0]).is_empty());
    // A row of the whole unit speaks for it.
    let mut units = Units::of_atlas(&atlas_of(&leaves));
    let whole = Row { prefix: Prefix::new([20, 0, 0, 0].into(), 20), ..row("20.0.0.0", 5, 2, 9.0) };
    units.take(&pops(), &mut [whole]);
    assert_eq!(units.own(&units.list[0]).len(), 1);
}

/// The networks of one holder do not speak for a unit that is wider than a holder.
#[test]
fn one_holder_is_one_speaker() {
    let own = |holders: &[u128]| {
        let mut atlas = atlas();
        atlas.v4.clear();
        let start = 0x2a00_u128 << 112;
        atlas.v6 = vec![Leaf { start, len: 20, place: 1, operator: false, space: Space::Usable }];
        let mut units = Units::of_atlas(&atlas);
        let mut rows: Vec<Row> = (holders.iter().zip(0_u128..))
            .map(|(holder, site)| {
                let address = start | holder << 96 | site << 80;
                let prefix = Prefix::new(Ipv6Addr::from_bits(address).into(), 48);
                Row { prefix, ..row("20.0.0.0", 5, 2, 10.0 + site as f64) }
            })
            .collect();
        units.take(&pops(), &mut rows);
        let votes: Vec<f64> = units.measured.each().flat_map(|(_, votes)| votes).map(|v| v.rtt_ms).collect();
        (units.own(&units.list[0]).len(), votes)
    };
    assert_eq!(own(&[1, 1, 1]), (0, vec![11.0]), "the median of its networks is its vote");
    assert_eq!(own(&[1, 2, 3]), (1, vec![10.0, 11.0, 12.0]));
}
