//! The bar for `order: nearest`: an oracle that shares no code with the server.
//!
//! 10,000 clients anywhere on earth, each with coordinates of its own, get the PoP that an
//! independent great-circle formula finds. The server uses haversine; the oracle uses the angle
//! between two unit vectors by atan2 of cross and dot product, which is exact at both ends
//! (Vincenty on a sphere).

use crate::reply::got;
use meridian::testing::cli::geoip::build as geoip;
use meridian::testing::finding::FileId;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::geo::source_text::HEADER;
use meridian::testing::wire::rr::RrType;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use support::dice::Dice;
use support::{ServerFile, Tree, World, load};

const CLIENTS: usize = 10_000;
const EARTH_RADIUS_M: f64 = 6_371_008.8;

#[derive(Clone, Copy)]
struct Point {
    lat: f64,
    lon: f64,
}

impl Point {
    fn vector(self) -> [f64; 3] {
        let (lat, lon) = (self.lat.to_radians(), self.lon.to_radians());
        [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
    }

    fn metres_to(self, other: Point) -> u64 {
        let (a, b) = (self.vector(), other.vector());
        let cross = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
        let sine = cross.iter().map(|x| x * x).sum::<f64>().sqrt();
        let cosine: f64 = a.iter().zip(b).map(|(x, y)| x * y).sum();
        (sine.atan2(cosine) * EARTH_RADIUS_M).round() as u64
    }
}

/// Anywhere, with the date line, the poles and PoPs' own places well represented.
fn anywhere(dice: &mut Dice, places: &[Point]) -> Point {
    let rounded = |x: f64| (x * 1e4).round() / 1e4;
    let lat = rounded(dice.between(-1.0, 1.0).asin().to_degrees());
    let lon = rounded(dice.between(-180.0, 180.0));
    match dice.below(10) {
        0 => Point { lat, lon: *dice.pick(&[180.0, -180.0, 179.9999, -179.9999, 179.5, -179.5]) },
        1 => Point { lat: *dice.pick(&[90.0, -90.0, 89.9999, -89.9999, 89.5, -89.5]), lon },
        2 if !places.is_empty() => *dice.pick(places),
        3 if !places.is_empty() => {
            // The other side of the earth from a PoP.
            let place = *dice.pick(places);
            Point {
                lat: -place.lat,
                lon: if place.lon > 0.0 { place.lon - 180.0 } else { place.lon + 180.0 },
            }
        }
        _ => Point { lat, lon },
    }
}

fn world(places: &[Point], clients: &[Point]) -> World {
    let mut database = format!("{HEADER}\n");
    for (index, at) in clients.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(database, "{}/24,,,,{:.4},{:.4},,", subnet(index), at.lat, at.lon);
    }
    let database =
        geoip::compile(&database, FileId(0), Some(1)).unwrap_or_else(|findings| panic!("{findings:?}"));
    let mut pops = "pops:\n".to_owned();
    for (index, at) in places.iter().enumerate() {
        let _ = writeln!(
            pops,
            "  p{index:02}: {{ at: {{ lat: {:.4}, lon: {:.4} }}, addresses: [203.0.113.{index}] }}",
            at.lat, at.lon
        );
    }
    let tree = Tree::of(ServerFile {
        more: "policies: policies.yaml\ngeoip: { databases: [places.mmdb] }\n",
        ..ServerFile::default()
    })
    .with("places.mmdb", database)
    .with("pops.yaml", pops)
    .with("policies.yaml", "policies:\n  near: { pops: all, order: nearest, band: none }\n")
    .with(
        "zones/near.example.yaml",
        "zone: near.example.\nsoa: { mname: ns, rname: h }\nrecords:\n  \"@\": { NS: ns }\n  ns: { A: \
             192.0.2.1 }\n  to: { steer: near }\n",
    );
    load(&tree).unwrap_or_else(|findings| panic!("{findings}"))
}

/// One /24 for each client, in address space that is nowhere special.
fn subnet(index: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(Ipv4Addr::new(20, 0, 0, 0)) + ((index as u32) << 8))
}

#[test]
fn the_nearest_pop_is_the_nearest() {
    for seed in [1, 2] {
        let dice = &mut Dice(seed);
        let mut places: Vec<Point> = Vec::new();
        for _ in 0..40 {
            // No two PoPs at one place: they would share, whatever the band.
            let place = anywhere(dice, &[]);
            if places.iter().all(|p| p.metres_to(place) > 0) {
                places.push(place);
            }
        }
        let clients: Vec<Point> = (0..CLIENTS).map(|_| anywhere(dice, &places)).collect();
        let world = world(&places, &clients);
        for (index, client) in clients.iter().enumerate() {
            let expected = (0..places.len()).min_by_key(|p| (client.metres_to(places[*p]), *p)).unwrap();
            let answer = got(
                &world.snapshot,
                "to.near.example.",
                RrType::A,
                Some(Prefix::new(subnet(index).into(), 24)),
                "192.0.2.1".parse().unwrap(),
                0,
            );
            let (name, found) = (format!("p{expected:02}"), answer.pop(&world.snapshot));
            assert_eq!(
                found,
                Some(name.as_str()),
                "client {index} at {} {}, seed {seed}",
                client.lat,
                client.lon
            );
            assert!(
                answer.records.iter().any(|r| r.ends_with(&format!(" 203.0.113.{expected}"))),
                "client {index}, seed {seed}"
            );
        }
    }
}
