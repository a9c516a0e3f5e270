//! The atlas against a naive reading of the same inputs, and special cases of layering.

use super::*;
use crate::finding::FileId;
use crate::geo::mmdb::Fields;
use crate::geo::place::{Continent, Coordinates, Country};
use proptest::prelude::*;
use std::net::Ipv4Addr;

fn at(line: u32) -> At {
    At { file: FileId(0), line, column: 1, start: line, end: line + 1 }
}

fn fields(country: &str, coordinates: Option<(f64, f64)>, asn: Option<u32>) -> Fields {
    Fields {
        country: Country::from_code(country),
        coordinates: coordinates.and_then(|(lat, lon)| Coordinates::from_degrees(lat, lon)),
        asn,
        ..Fields::default()
    }
}

fn parse(text: &str) -> Prefix {
    Prefix::from(text.parse::<ipnet::IpNet>().unwrap())
}

fn database(name: &str, rows: &[(&str, Fields)]) -> Database {
    let mut made = Database {
        name: name.into(),
        kind: "Test".into(),
        build_epoch: 0,
        node_count: 1,
        ip_version: 6,
        leaves_v4: Vec::new(),
        leaves_v6: Vec::new(),
        places: Vec::new(),
    };
    for (place, (prefix, fields)) in rows.iter().enumerate() {
        match parse(prefix) {
            Prefix::V4 { bits, len } => made.leaves_v4.push((bits, len, place as u32)),
            Prefix::V6 { bits, len } => made.leaves_v6.push((bits, len, place as u32)),
        }
        made.places.push(fields.clone());
    }
    made
}

fn network(name: &str, prefixes: &[&str], country: &str) -> Network {
    Network {
        name: name.into(),
        prefixes: prefixes.iter().enumerate().map(|(i, p)| (parse(p), at(i as u32 + 1))).collect(),
        country: Country::from_code(country),
        subdivision: None,
        coordinates: None,
        asn: None,
        site: None,
        at: at(0),
    }
}

/// Checks that leaves cover the space without gap or overlap, and no two halves of a block are
/// equal.
fn check_leaves<B: Bits>(leaves: &[Leaf<B>]) {
    assert_eq!(leaves[0].start, B::ZERO);
    for pair in leaves.windows(2) {
        assert_eq!(last_of(pair[0].start, pair[0].len).next(), pair[1].start);
        let halves = pair[0].len == pair[1].len
            && last_of(pair[0].start, pair[0].len - 1) == last_of(pair[1].start, pair[1].len);
        let equal = (pair[0].place, pair[0].operator, pair[0].space)
            == (pair[1].place, pair[1].operator, pair[1].space);
        assert!(!(halves && equal), "{pair:?}");
    }
    for leaf in leaves {
        assert!(leaf.start.zeros_below() >= B::WIDTH - leaf.len, "{leaf:?}");
    }
    let last = leaves[leaves.len() - 1];
    assert_eq!(last_of(last.start, last.len), B::MAX);
}

fn build(databases: &[Database], networks: &[Network]) -> Atlas {
    let (atlas, findings) = Atlas::build(databases, networks);
    assert!(!findings.has_errors(), "{findings:?}");
    check_leaves(&atlas.v4);
    check_leaves(&atlas.v6);
    assert_eq!(atlas.places[0], Place::default());
    atlas
}

/// Country, leaf, and the sources of the country and the coordinates.
fn seen(atlas: &Atlas, address: &str) -> String {
    let (place, leaf, evidence) = atlas.place_of(address.parse().unwrap());
    let country = place.country.map_or("-".to_owned(), |c| c.to_string());
    format!(
        "{country} {leaf} {:?} {} {}",
        place.networks,
        atlas.source_name(evidence.country),
        atlas.source_name(evidence.coordinates)
    )
}

/// Each field comes from the first layer that has it. Also supernets and subnets, addresses without
/// data, and IPv4 inside IPv6.
#[test]
fn layers() {
    let city = database(
        "city",
        &[("9.0.0.0/8", fields("US", Some((40.0, -75.0)), None)), ("2a00::/16", fields("DE", None, None))],
    );
    let asn = database(
        "asn",
        &[("9.1.0.0/16", fields("", None, Some(64500))), ("20.0.0.0/8", fields("FR", None, Some(64501)))],
    );
    let networks =
        [network("office", &["9.1.2.0/24", "2a00:1::/32"], "DE"), network("wide", &["9.0.0.0/9"], "")];
    let atlas = build(&[city, asn], &networks);
    let rows = [
        ("9.1.2.3", "DE 9.1.2.0/24 [0, 1] office hub city of the country"),
        ("9.1.3.0", "US 9.1.3.0/24 [1] city city"),
        ("9.2.0.0", "US 9.2.0.0/15 [1] city city"),
        ("9.128.0.1", "US 9.128.0.0/9 [] city city"),
        ("20.1.1.1", "FR 20.0.0.0/8 [] asn hub city of the country"),
        ("8.0.0.1", "- 8.0.0.0/8 []  "),
        ("10.0.0.1", "- 10.0.0.0/8 []  "),
        ("2a00:1::5", "DE 2a00:1::/32 [0] office hub city of the country"),
        ("2a00:2::5", "DE 2a00:2::/31 [] city hub city of the country"),
        ("::ffff:9.128.0.1", "US ::ffff:9.128.0.0/105 [] city city"),
        ("2002:980:1::1", "US 2002:980::/25 [] city city"),
        ("3000::1", "- 3000::/5 []  "),
    ];
    for (address, expected) in rows {
        assert_eq!(seen(&atlas, address), expected, "{address}");
    }
    assert_eq!(atlas.place_of("9.1.3.1".parse().unwrap()).0.asn, Some(64500));
    assert_eq!(atlas.place_of("9.1.2.1".parse().unwrap()).0.coordinates, hubs_of("DE"));
    assert_eq!(atlas.place_of("20.0.0.1".parse().unwrap()).0.continent, Some(Continent::Europe));
}

fn hubs_of(code: &str) -> Option<Coordinates> {
    let hub = crate::geo::hubs::find(Country::from_code(code)?)?;
    Coordinates::from_degrees(hub.lat, hub.lon)
}

/// A layer with another country fills neither coordinates nor subdivision, but the AS number.
#[test]
fn another_country_does_not_mix_in() {
    let one = database("one", &[("9.0.0.0/8", fields("DE", None, None))]);
    let two = database(
        "two",
        &[(
            "9.0.0.0/8",
            Fields { continent: Some(Continent::NorthAmerica), ..fields("US", Some((39.0, -98.0)), Some(7)) },
        )],
    );
    let atlas = build(&[one, two], &[]);
    let place = atlas.place_of("9.9.9.9".parse().unwrap()).0;
    assert_eq!(
        (place.coordinates, place.continent, place.asn),
        (hubs_of("DE"), Some(Continent::Europe), Some(7))
    );
}

/// Leaves with different treatment are never joined, even if neither has data.
#[test]
fn spaces_stay_apart() {
    let atlas = build(
        &[database("d", &[("192.0.2.0/24", fields("DE", None, None))])],
        &[network("lan", &["10.1.0.0/16", "fd00::/16"], "")],
    );
    let v4 = |text: &str| {
        let bits = text.parse::<Ipv4Addr>().unwrap().to_bits();
        let leaf = atlas.v4[atlas.v4.partition_point(|l| l.start <= bits) - 1];
        (leaf.len, leaf.operator, leaf.space)
    };
    assert_eq!(v4("10.1.2.3"), (16, true, Space::Usable));
    assert_eq!(v4("10.2.2.3"), (15, false, Space::Special));
    assert_eq!(v4("192.0.2.3"), (24, false, Space::Usable));
    assert_eq!(v4("198.51.100.1"), (24, false, Space::Special));
    for (bits, len) in embedded::BLOCKS {
        let leaf = atlas.v6.iter().find(|leaf| leaf.start == bits).unwrap();
        assert_eq!((leaf.len, leaf.place, leaf.space), (len, 0, Space::Embedded));
    }
    assert_eq!(atlas.v6.iter().filter(|l| l.space == Space::Embedded).count(), embedded::BLOCKS.len());
}

/// A prefix in two networks is an error; twice in one network, or inside an IPv4 block of IPv6, it
/// is a warning.
#[test]
fn prefixes_written_twice() {
    let count = |networks: &[Network]| {
        let (_, findings) = Atlas::build(&[], networks);
        findings.iter().map(|f| (f.code, f.severity.word())).collect::<Vec<_>>()
    };
    assert_eq!(
        count(&[network("a", &["9.0.0.0/8"], ""), network("b", &["9.0.0.0/8"], "")]),
        [(code::DUPLICATE_PREFIX, "error")]
    );
    assert_eq!(
        count(&[network("a", &["9.0.0.0/8", "9.0.0.0/8"], "")]),
        [(code::DUPLICATE_PREFIX, "warning")]
    );
    assert_eq!(count(&[network("a", &["::ffff:9.0.0.0/104"], "")]), [(code::BAD_ADDRESS, "warning")]);
    assert_eq!(count(&[network("a", &["9.0.0.0/8"], ""), network("b", &["9.0.0.0/9"], "")]), []);
}

/// Edges of the space: prefixes of length 0 and of one address, nested at both ends.
#[test]
fn edges() {
    let all = network("all", &["0.0.0.0/0", "::/0"], "US");
    let ends = network(
        "ends",
        &["0.0.0.0/32", "255.255.255.255/32", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"],
        "DE",
    );
    let atlas = build(&[], &[all, ends]);
    assert!(seen(&atlas, "0.0.0.0").starts_with("DE 0.0.0.0/32 [0, 1]"));
    assert!(seen(&atlas, "0.0.0.1").starts_with("US 0.0.0.1/32 [0]"));
    assert!(seen(&atlas, "255.255.255.255").starts_with("DE 255.255.255.255/32 [0, 1]"));
    assert!(seen(&atlas, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").starts_with("DE"));
    assert!(seen(&atlas, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe").starts_with("US"));
}

/// Smallest prefix that contains a whole run, from the ends of the run.
#[test]
fn cutting_runs() {
    let rows = [
        (0u32, u32::MAX, vec![(0, 0)]),
        (1, 6, vec![(1, 32), (2, 31), (4, 31), (6, 32)]),
        (u32::MAX, u32::MAX, vec![(u32::MAX, 32)]),
        (0x8000_0000, u32::MAX, vec![(0x8000_0000, 1)]),
    ];
    for (first, last, expected) in rows {
        let mut blocks = Vec::new();
        cut(first, last, |start, len| blocks.push((start, len)));
        assert_eq!(blocks, expected);
    }
}

/// Prefixes near one address, so that they overlap in every way.
fn prefix() -> impl Strategy<Value = (u32, u8)> {
    (0u32..64, 24u8..=32)
        .prop_map(|(low, len)| (super::super::prefix::truncate_v4(0x0909_0900 | (low << 2), len), len))
}

/// Disjoint leaves from random prefixes: later prefixes that overlap an earlier one are left out.
fn disjoint() -> impl Strategy<Value = Vec<(u32, u8, u8)>> {
    proptest::collection::vec((prefix(), 0u8..4), 0..12).prop_map(|rows| {
        let mut kept: Vec<(u32, u8, u8)> = Vec::new();
        for ((bits, len), value) in rows {
            if kept.iter().all(|&(b, l, _)| last_of(b, l) < bits || last_of(bits, len) < b) {
                kept.push((bits, len, value));
            }
        }
        kept.sort_unstable();
        kept
    })
}

proptest! {
    /// Every address has the place that a separate reading of all inputs gives it.
    #[test]
    fn agrees_with_a_naive_reading(
        first in disjoint(),
        second in disjoint(),
        nets in proptest::collection::vec((proptest::collection::vec(prefix(), 0..4), 0usize..5), 0..5),
        probe in 0u32..256,
    ) {
        const CODES: [&str; 5] = ["DE", "FR", "US", "BR", ""];
        let make = |name: &str, rows: &[(u32, u8, u8)]| Database {
            leaves_v4: rows.iter().map(|&(b, l, v)| (b, l, u32::from(v))).collect(),
            places: (0..4).map(|v| fields(CODES[v], None, (name == "two").then_some(v as u32 + 1))).collect(),
            ..database(name, &[])
        };
        let mut used = std::collections::HashSet::new();
        let networks: Vec<Network> = nets.iter().map(|(prefixes, country)| Network {
            prefixes: prefixes
                .iter()
                .filter(|p| used.insert(**p))
                .map(|&(bits, len)| (Prefix::V4 { bits, len }, at(1)))
                .collect(),
            ..network("n", &[], CODES[*country])
        }).collect();
        let atlas = build(&[make("one", &first), make("two", &second)], &networks);

        let address = 0x0909_0900 | probe;
        let holds = |bits: u32, len: u8| super::super::prefix::truncate_v4(address, len) == bits;
        let held: Vec<(u16, u8)> = networks.iter().enumerate().flat_map(|(i, n)| {
            n.prefixes
                .iter()
                .filter(|(p, _)| p.contains(IpAddr::V4(Ipv4Addr::from_bits(address))))
                .map(move |(p, _)| (i as u16, p.len()))
        }).collect();
        let mut expected_networks: Vec<u16> = held.iter().map(|h| h.0).collect();
        expected_networks.dedup();
        let longest = held.iter().max_by_key(|h| h.1).map(|h| h.0);
        let by = |rows: &[(u32, u8, u8)]| rows.iter().find(|r| holds(r.0, r.1)).map(|r| r.2);
        let code = |v: u8| Country::from_code(CODES[usize::from(v)]);
        let country = longest
            .and_then(|n| networks[usize::from(n)].country)
            .or(by(&first).and_then(code))
            .or(by(&second).and_then(code));
        let asn = by(&second).map(|v| u32::from(v) + 1);

        let (place, leaf, _) = atlas.place_of(IpAddr::V4(Ipv4Addr::from_bits(address)));
        prop_assert_eq!((place.country, place.asn, &place.networks), (country, asn, &expected_networks));
        prop_assert!(leaf.contains(IpAddr::V4(Ipv4Addr::from_bits(address))));
        let i = atlas.v4.partition_point(|l| l.start <= address) - 1;
        prop_assert_eq!(atlas.v4[i].operator, longest.is_some());
    }
}

/// A territory has the hub and the continent of its own code, and both codes are one country for
/// the layers: fields for PR complete fields for US-PR.
#[test]
fn territories_have_their_own_hub() {
    use crate::geo::place::Subdivision;
    let of_state =
        |fields: Fields| Fields { subdivisions: vec![Subdivision::from_code("PR").unwrap()], ..fields };
    let feed = database("feed", &[("9.0.0.0/8", of_state(fields("US", None, None)))]);
    let atlas = build(std::slice::from_ref(&feed), &[]);
    let (place, ..) = atlas.place_of("9.1.1.1".parse().unwrap());
    assert_eq!(place.coordinates, Coordinates::from_degrees(18.47, -66.11), "San Juan, not New York");
    let city = database("city", &[("9.0.0.0/8", fields("PR", Some((18.2, -67.1)), Some(64500)))]);
    let atlas = build(&[feed, city], &[]);
    let (place, ..) = atlas.place_of("9.1.1.1".parse().unwrap());
    assert_eq!(place.coordinates, Coordinates::from_degrees(18.2, -67.1));
    assert_eq!(place.country, Country::from_code("US"));
}

/// Networks with prefixes that would make too many leaves are reported, and none is served.
#[test]
fn networks_are_bounded() {
    let mut wide = network("wide", &["::/0"], "DE");
    for host in 0..20_000u128 {
        let bits = host.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) | 1;
        wide.prefixes.push((Prefix::V6 { bits, len: 128 }, at(1)));
    }
    let (_, findings) = Atlas::build(&[], &[wide]);
    assert!(findings.iter().any(|finding| finding.code == code::TOO_LARGE), "{findings:?}");
}
