//! Databases made here, read back, and damaged in every way that a disk or a download can.

use super::*;
use crate::finding::Code;
use crate::geo::place::{Continent, Coordinates, Country, Subdivision};
use ipnet::IpNet;
use mmdb_writer::{IpVersion, Ipv4Aliasing, RecordSize, Value, Writer};
use std::time::UNIX_EPOCH;

fn city(code: &str, lat: f64, asn: u32) -> Value {
    Value::map([
        ("continent", Value::map([("code", "EU")])),
        ("country", Value::map([("iso_code", code)])),
        ("subdivisions", Value::array([Value::map([("iso_code", "BE")])])),
        ("location", Value::map([("latitude", lat), ("longitude", 13.4)])),
        ("autonomous_system_number", Value::from(asn)),
    ])
}

fn build(
    version: IpVersion,
    size: Option<RecordSize>,
    aliases: Ipv4Aliasing,
    rows: &[(&str, Value)],
) -> Vec<u8> {
    let builder = Writer::builder("Test-City")
        .ip_version(version)
        .ipv4_aliasing(aliases)
        .build_epoch(UNIX_EPOCH)
        .description(&[("en", "made by a test")]);
    let mut writer = match size {
        Some(size) => builder.record_size(size).build(),
        None => builder.build(),
    };
    for (network, value) in rows {
        writer.insert_value(network.parse::<IpNet>().unwrap(), value.clone()).unwrap();
    }
    writer.to_bytes().unwrap()
}

fn read(octets: &[u8]) -> Result<Database, Findings> {
    Database::read("test.mmdb", octets, FileId(0))
}

/// The only code of a refusal.
fn refusal(octets: &[u8]) -> Code {
    let findings = read(octets).expect_err("a broken file is refused");
    assert_eq!(findings.len(), 1);
    findings.into_iter().next().map(|f| f.code).unwrap()
}

/// The leaves as text, with the country of each.
fn leaves(database: &Database) -> Vec<String> {
    let country = |place: u32| database.places[place as usize].country.unwrap();
    let v4 = database
        .leaves_v4
        .iter()
        .map(|&(a, len, p)| format!("{}/{len} {}", Ipv4Addr::from_bits(a), country(p)));
    let v6 = database
        .leaves_v6
        .iter()
        .map(|&(a, len, p)| format!("{}/{len} {}", Ipv6Addr::from_bits(a), country(p)));
    v4.chain(v6).collect()
}

/// Every record size and both families, with the aliases of IPv4 inside IPv6 and without.
#[test]
fn reads_every_shape() {
    let rows = [
        ("198.51.100.0/24", city("DE", 52.5, 64500)),
        ("198.51.100.128/26", city("FR", 48.9, 64501)),
        ("2001:db8::/33", city("DE", 52.5, 64500)),
        ("2a00::/12", city("NL", 52.4, 64502)),
    ];
    let v4_leaves = ["198.51.100.0/25 DE", "198.51.100.128/26 FR", "198.51.100.192/26 DE"];
    let v6_leaves = ["2001:db8::/33 DE", "2a00::/12 NL"];
    for size in [RecordSize::Bits24, RecordSize::Bits28, RecordSize::Bits32] {
        for aliases in [Ipv4Aliasing::Enabled, Ipv4Aliasing::Disabled] {
            let both = read(&build(IpVersion::V6, Some(size), aliases, &rows)).unwrap();
            assert_eq!(leaves(&both), [v4_leaves.as_slice(), &v6_leaves].concat(), "{size:?} {aliases:?}");
            assert_eq!((both.places.len(), both.ip_version), (3, 6));
            let v6 = read(&build(IpVersion::V6, Some(size), aliases, &rows[2..])).unwrap();
            assert_eq!(leaves(&v6), v6_leaves, "{size:?} {aliases:?}");
        }
        let v4 = read(&build(IpVersion::V4, Some(size), Ipv4Aliasing::Disabled, &rows[..2])).unwrap();
        assert_eq!(leaves(&v4), v4_leaves, "{size:?}");
        assert_eq!(v4.ip_version, 4);
    }
}

/// A record that covers more than `::/96` applies to IPv4, as in every reader of the format. Data
/// of IPv6 blocks above other IPv4 blocks apply to IPv6.
#[test]
fn a_record_above_the_ipv4_subtree_is_about_ipv4() {
    let octets = build(IpVersion::V6, None, Ipv4Aliasing::Disabled, &[("::/2", city("DE", 1.0, 1))]);
    assert_eq!(leaves(&read(&octets).unwrap()), ["0.0.0.0/0 DE", "::/2 DE"]);
    let octets = build(
        IpVersion::V6,
        None,
        Ipv4Aliasing::Disabled,
        &[("2000::/3", city("DE", 1.0, 1)), ("2002::/16", city("FR", 1.0, 1))],
    );
    let database = read(&octets).unwrap();
    assert!(database.leaves_v4.is_empty() && leaves(&database).iter().all(|leaf| leaf.ends_with("DE")));
    assert!(database.leaves_v6.iter().all(|&(bits, ..)| !embedded::holds(Prefix::V6 { bits, len: 128 })));
}

/// IPv4 networks in another block than `::/96` alone are found, also by `about`. A record without
/// data there does not hide them.
#[test]
fn ipv4_networks_in_another_block_are_found() {
    let unknown = || Value::map([("country", Value::map([("iso_code", "-")]))]);
    for block in ["::ffff:", "::ffff:0:"] {
        let network = format!("{block}198.51.100.0/120");
        let rows = [
            ("::/96", unknown()),
            (&*network, city("FR", 48.9, 64501)),
            ("2a00::/12", city("NL", 52.4, 64502)),
        ];
        let octets = build(IpVersion::V6, None, Ipv4Aliasing::Disabled, &rows);
        let database = read(&octets).unwrap();
        assert_eq!(leaves(&database), ["198.51.100.0/24 FR", "2a00::/12 NL"], "{block}");
        let address = "198.51.100.7".parse().unwrap();
        let about = Database::about(&"t.mmdb".into(), &octets, FileId(0), &[address]).unwrap();
        assert_eq!(leaves(&about), ["198.51.100.7/32 FR"], "{block}");
    }
}

/// Words for "unknown" in databases fill no field.
#[test]
fn unknown_is_not_said() {
    let code = |code: &str| ("country", Value::map([("iso_code", code)]));
    let at = |lat: f64, lon: f64| ("location", Value::map([("latitude", lat), ("longitude", lon)]));
    let asn = ("autonomous_system_number", Value::from(64500u32));
    let known = Fields { asn: Some(64500), ..Fields::default() };
    for word in ["ZZ", "XX", "A1", "A2", "O1", "-", "", "EU", "AP"] {
        let record = Value::map([code(word), at(0.0, 0.0), asn.clone()]);
        let octets = build(IpVersion::V4, None, Ipv4Aliasing::Disabled, &[("9.0.0.0/8", record)]);
        assert_eq!(read(&octets).unwrap().places, std::slice::from_ref(&known), "{word:?}");
    }
    // Beside a country, or elsewhere on the equator, it is a place.
    let rows =
        [("9.0.0.0/8", Value::map([code("GA"), at(0.0, 9.45)])), ("10.0.0.0/8", Value::map([at(0.0, 9.45)]))];
    let octets = build(IpVersion::V4, None, Ipv4Aliasing::Disabled, &rows);
    assert!(read(&octets).unwrap().places.iter().all(|fields| fields.coordinates.is_some()));
}

/// Layouts of the vendors, as published.
#[test]
fn reads_every_layout() {
    let text = Value::from;
    let full = Fields {
        continent: Some(Continent::Europe),
        country: Country::from_code("DE"),
        subdivisions: vec![Subdivision::from_code("BE").unwrap()],
        coordinates: Coordinates::from_degrees(52.5, 13.4),
        asn: Some(64500),
        rtts: None,
        resolver_rtts: None,
    };
    let none = Fields::default();
    let rows = [
        ("MaxMind City with a number", city("DE", 52.5, 64500), full.clone()),
        (
            "MaxMind Enterprise",
            Value::map([
                ("continent", Value::map([("code", "EU")])),
                ("registered_country", Value::map([("iso_code", "US")])),
                ("country", Value::map([("iso_code", "DE")])),
                (
                    "subdivisions",
                    Value::array([Value::map([("iso_code", text("BE")), ("confidence", Value::from(9u16))])]),
                ),
                ("location", Value::map([("latitude", 52.5), ("longitude", 13.4)])),
                (
                    "traits",
                    Value::map([
                        ("autonomous_system_number", Value::from(64500u32)),
                        ("is_anycast", Value::from(true)),
                    ]),
                ),
            ]),
            full.clone(),
        ),
        (
            "MaxMind Country that knows only the register",
            Value::map([("registered_country", Value::map([("iso_code", "DE")]))]),
            Fields { country: Country::from_code("DE"), ..none.clone() },
        ),
        (
            "MaxMind ASN",
            Value::map([("autonomous_system_number", Value::from(64500u32))]),
            Fields { asn: Some(64500), ..none.clone() },
        ),
        (
            "IPinfo, numbers as text",
            Value::map([
                ("continent", "EU"),
                ("country", "DE"),
                ("region", "Berlin"),
                ("region_code", "BE"),
                ("lat", "52.5"),
                ("lng", "13.4"),
                ("asn", "AS64500"),
                ("as_name", "Example"),
            ]),
            full.clone(),
        ),
        (
            "IPinfo Lite, names and codes",
            Value::map([
                ("continent", "Europe"),
                ("continent_code", "EU"),
                ("country", "Germany"),
                ("country_code", "DE"),
                ("region", "Goa"),
            ]),
            Fields { continent: full.continent, country: full.country, ..none.clone() },
        ),
        (
            "IPinfo, sorted into maps",
            Value::map([
                (
                    "geo",
                    Value::map([
                        ("country_code", text("DE")),
                        ("latitude", Value::from(52.5)),
                        ("longitude", Value::from(13.4)),
                        ("region_code", text("BE")),
                    ]),
                ),
                ("as", Value::map([("asn", "AS64500")])),
            ]),
            Fields { continent: None, ..full.clone() },
        ),
        (
            "DB-IP City Lite: names without codes of subdivisions",
            Value::map([
                ("city", Value::map([("names", Value::map([("en", "Berlin")]))])),
                ("continent", Value::map([("code", text("EU")), ("geoname_id", Value::from(6255148u32))])),
                (
                    "country",
                    Value::map([("iso_code", text("DE")), ("is_in_european_union", Value::from(true))]),
                ),
                (
                    "location",
                    Value::map([("latitude", Value::Float(52.5)), ("longitude", Value::Float(13.4))]),
                ),
                ("subdivisions", Value::array([Value::map([("names", Value::map([("en", "Berlin")]))])])),
            ]),
            Fields { subdivisions: vec![], asn: None, ..full.clone() },
        ),
        (
            "DB-IP ASN Lite",
            Value::map([
                ("autonomous_system_number", Value::from(64500u32)),
                ("autonomous_system_organization", text("Example")),
            ]),
            Fields { asn: Some(64500), ..none.clone() },
        ),
        (
            "IPinfo Lite with the AS",
            Value::map([
                ("country", "Germany"),
                ("country_code", "DE"),
                ("continent", "Europe"),
                ("continent_code", "EU"),
                ("asn", "AS64500"),
                ("as_name", "Example"),
                ("as_domain", "example.net"),
            ]),
            Fields { subdivisions: vec![], coordinates: None, ..full.clone() },
        ),
        (
            "IPinfo Location",
            Value::map([
                ("city", "Berlin"),
                ("region", "State of Berlin"),
                ("region_code", "BE"),
                ("country", "DE"),
                ("lat", "52.5"),
                ("lng", "13.4"),
                ("geoname_id", "2950159"),
                ("postal_code", "10115"),
                ("timezone", "Europe/Berlin"),
            ]),
            Fields { continent: None, asn: None, ..full.clone() },
        ),
        (
            "values of unexpected kinds beside a good one",
            Value::map([
                ("country", text("DE")),
                ("location", Value::Double(1.0)),
                ("subdivisions", text("BE")),
                ("asn", Value::U128(7)),
                ("continent", Value::Array(vec![text("EU")])),
                ("lat", Value::Double(91.0)),
                ("lng", Value::Double(f64::NAN)),
            ]),
            Fields { country: full.country, ..none.clone() },
        ),
    ];
    for (what, record, expected) in rows {
        let database =
            read(&build(IpVersion::V4, None, Ipv4Aliasing::Disabled, &[("192.0.2.0/24", record)])).unwrap();
        assert_eq!(database.places, [expected], "{what}");
    }
}

/// Databases without a usable field are refused with their own code.
#[test]
fn refuses_layouts_without_fields() {
    for record in [
        Value::from("text"),
        Value::map([("isp", "Example")]),
        Value::map([("lat", 5.0)]),
        Value::map([("asn", 0u32)]),
    ] {
        let octets = build(IpVersion::V4, None, Ipv4Aliasing::Disabled, &[("192.0.2.0/24", record)]);
        assert_eq!(refusal(&octets), code::DATABASE_LAYOUT);
    }
    assert_eq!(refusal(b""), code::BAD_DATABASE);
    assert_eq!(refusal(b"prefix,country\n192.0.2.0/24,DE\n"), code::BAD_DATABASE);
}

/// A truncated file is a finding, because the metadata is at its end.
#[test]
fn truncation_is_a_finding() {
    let octets = build(
        IpVersion::V6,
        None,
        Ipv4Aliasing::Enabled,
        &[("198.51.100.0/24", city("DE", 52.5, 64500)), ("2a00::/12", city("NL", 52.4, 9))],
    );
    for len in 0..octets.len() {
        assert_eq!(refusal(&octets[..len]), code::BAD_DATABASE, "{len}");
    }
    for start in 1..octets.len() {
        // Cut at the front, the tree covers other octets: refused, or read as something else.
        let _ = read(&octets[start..]);
    }
}

/// No flipped bit and no overwritten octet causes a panic or an endless walk, and everything still
/// accepted has ascending, disjoint leaves.
#[test]
fn damage_never_panics() {
    let octets = build(
        IpVersion::V6,
        None,
        Ipv4Aliasing::Enabled,
        &[
            ("198.51.0.0/16", city("DE", 52.5, 64500)),
            ("198.51.100.0/24", city("FR", 50.0, 1)),
            ("2a00::/12", city("NL", 52.4, 9)),
        ],
    );
    let mut accepted = 0;
    for at in 0..octets.len() {
        for damage in [1u8, 2, 4, 8, 16, 32, 64, 128, 255] {
            let mut broken = octets.clone();
            broken[at] ^= damage;
            if let Ok(database) = read(&broken) {
                accepted += 1;
                check_disjoint(&database);
            }
        }
    }
    assert!(accepted > 0, "some damage hides in text that nobody reads");
}

fn check_disjoint(database: &Database) {
    for pair in database.leaves_v4.windows(2) {
        assert!(u64::from(pair[0].0) + (1u64 << (32 - pair[0].1)) <= u64::from(pair[1].0));
    }
    for pair in database.leaves_v6.windows(2) {
        assert!(pair[0].0 | u128::MAX.checked_shr(pair[0].1.into()).unwrap_or(0) < pair[1].0);
    }
}

/// Trees with loops, or with shared nodes that double the paths at each level, soon end with a
/// finding.
#[test]
fn loops_and_shared_nodes_end() {
    let octets = build(
        IpVersion::V6,
        Some(RecordSize::Bits32),
        Ipv4Aliasing::Disabled,
        &[("2a00::/100", city("DE", 52.5, 64500))],
    );
    let nodes = read(&octets).unwrap().node_count;
    for step in [0u32, 1] {
        // Both records of each node lead to itself (a loop) or to the next node (a doubling).
        let mut broken = octets.clone();
        for node in 0..nodes - 1 {
            let to = (node + step).to_be_bytes();
            let at = node as usize * 8;
            broken[at..at + 4].copy_from_slice(&to);
            broken[at + 4..at + 8].copy_from_slice(&to);
        }
        assert_eq!(refusal(&broken), code::BAD_DATABASE, "{step}");
    }
}

/// A latency map has a list for clients and one for resolvers; either may stand alone. Entries that
/// are no RTT are left out.
#[test]
fn reads_latency_maps() {
    let arrays = |pop: &[&str], rtt_ms: &[u32]| {
        [
            ("pop", Value::array(pop.iter().copied())),
            ("rtt_ms", Value::array(rtt_ms.iter().copied())),
            ("samples", Value::array(rtt_ms.iter().map(|_| 3_u32))),
            ("source", Value::array(rtt_ms.iter().map(|_| "measured"))),
        ]
    };
    let resolver = || ("resolver", Value::map(arrays(&["iad", "x y", "fra"], &[70, 1, 0])));
    let both = arrays(&["fra", "ams"], &[9, 12]).into_iter().chain([resolver()]);
    let octets = build(
        IpVersion::V6,
        None,
        Ipv4Aliasing::Disabled,
        &[
            ("20.0.0.0/8", Value::map([("latency", Value::map(both))])),
            ("30.0.0.0/8", Value::map([("latency", Value::map([resolver()]))])),
        ],
    );
    let database = read(&octets).unwrap();
    let shown = |leaf: usize| {
        let fields = &database.places[database.leaves_v4[leaf].2 as usize];
        let words = |list: &Option<Arc<rtts::RttList>>| {
            let entry = |(name, rtt): (&str, rtts::Rtt)| format!("{name} {}", rtt.rtt_ms);
            list.as_ref().map(|list| list.entries().map(entry).collect::<Vec<_>>().join(", "))
        };
        [words(&fields.rtts), words(&fields.resolver_rtts)]
    };
    assert_eq!(shown(0), [Some("fra 9, ams 12".to_owned()), Some("iad 70".to_owned())]);
    assert_eq!(shown(1), [None, Some("iad 70".to_owned())]);
    // Clients know the PoPs of both lists; the list of resolvers counts as complete.
    let fields = &database.places[database.leaves_v4[0].2 as usize];
    let (clients, resolvers) = (fields.rtts.as_ref().unwrap(), fields.resolver_rtts.as_ref().unwrap());
    let known = |list: &crate::geo::rtts::RttList, name: &str| {
        list.known_unless_complete().is_none_or(|all| all.contains(name))
    };
    assert!(known(clients, "iad") && !known(clients, "syd") && known(resolvers, "syd"));
}
