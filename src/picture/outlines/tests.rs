//! The outlines are those of countries, inside the frame, and hold their cities.

use super::*;
use crate::geo::hubs;
use crate::geo::place::Coordinates;
use crate::picture::projection::{HEIGHT, WIDTH, project};
use std::collections::BTreeSet;

fn holds(outline: &Outline, lat: f64, lon: f64) -> bool {
    let at = project(Coordinates::from_degrees(lat, lon).expect("coordinates"));
    let mut is_inside = false;
    for ring in outline.rings() {
        let ends = ring.iter().cycle().skip(1);
        for (&(ax, ay), &(bx, by)) in ring.iter().zip(ends) {
            let [ax, ay, bx, by] = [ax, ay, bx, by].map(f64::from);
            if (ay > at.y) != (by > at.y) && at.x < ax + (bx - ax) * (at.y - ay) / (by - ay) {
                is_inside = !is_inside;
            }
        }
    }
    is_inside
}

fn holders(lat: f64, lon: f64) -> Vec<&'static str> {
    all().filter(|outline| holds(outline, lat, lon)).map(|outline| outline.country).collect()
}

/// Codes are sorted and those of the table of hubs; the rest of the table has no outline.
#[test]
fn codes_are_those_of_the_hubs() {
    let codes: Vec<&str> = all().map(|outline| outline.country).collect();
    assert!(codes.is_sorted_by(|one, other| one < other), "{codes:?}");
    let hubs: BTreeSet<&str> = hubs::all().iter().map(|hub| hub.country).collect();
    let drawn: BTreeSet<&str> = codes.into_iter().collect();
    assert_eq!(drawn.difference(&hubs).next(), None);
    let without: Vec<&str> = hubs.difference(&drawn).copied().collect();
    assert_eq!(without.join(" "), WITHOUT);
}

/// Countries of the table that are too small at 1:110m, and Antarctica.
const WITHOUT: &str = "\
    AD AG AI AQ AS AW AX BB BH BL BM BQ BV CC CK CV CW CX DM FM FO GD GG GI GP GS GU HK \
    HM IM IO JE KI KM KN KY LC LI MC MF MH MO MP MQ MS MT MU MV NF NR NU PF PM PN PW RE \
    SC SG SH SM ST SX TC TK TO TV UM VA VC VG VI WF WS YT";

/// Every path has rings of three corners or more, inside the frame, and no edge leaps over the map.
#[test]
fn rings_are_sound() {
    for outline in all() {
        let rings = outline.rings();
        assert!(!rings.is_empty(), "{}", outline.country);
        for ring in rings {
            assert!(ring.len() >= 3, "{}: {ring:?}", outline.country);
            for (&(x, y), &(next, _)) in ring.iter().zip(ring.iter().cycle().skip(1)) {
                let is_in_frame = (0..=WIDTH as i32).contains(&x) && (0..=HEIGHT as i32).contains(&y);
                assert!(is_in_frame && (x - next).abs() < 200, "{}: {x} {y}", outline.country);
            }
        }
    }
}

/// A place inside a country is inside its outline alone. Places beside the antimeridian, and of
/// polygons that the script gives to another country, are among them.
#[test]
fn cities_are_in_their_countries() {
    let rows = [
        ("London", 51.5074, -0.1278, "GB"),
        ("Tokyo", 35.6762, 139.6503, "JP"),
        ("Sydney", -33.8, 151.0, "AU"),
        ("Denver", 39.7392, -104.9903, "US"),
        ("Nairobi", -1.2921, 36.8219, "KE"),
        ("Brasilia", -15.7939, -47.8828, "BR"),
        ("Moscow", 55.7558, 37.6173, "RU"),
        ("Chukotka, west of the antimeridian", 67.0, 177.0, "RU"),
        ("Chukotka, east of the antimeridian", 66.3, -176.0, "RU"),
        ("Simferopol", 45.0, 34.1, "UA"),
        ("Saint-Georges", 3.9, -52.5, "GF"),
        ("Hargeisa", 9.56, 44.06, "SO"),
        ("Pristina", 42.66, 21.16, "XK"),
        ("Maseru, an enclave", -29.5, 28.2, "LS"),
    ];
    for (place, lat, lon, country) in rows {
        assert_eq!(holders(lat, lon), [country], "{place}");
    }
    assert_eq!(holders(0.0, -150.0), Vec::<&str>::new());
}

/// The page and the program draw the same file, which stays small.
#[test]
fn the_text_is_small() {
    assert!(TEXT.len() < 60_000, "{} octets", TEXT.len());
}
