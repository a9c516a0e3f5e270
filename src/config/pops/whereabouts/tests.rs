//! Places in countries, at their far ends, and slips of the hand.

use super::*;
use crate::finding::FileId;

fn told(country: &str, lat: f64, lon: f64) -> Option<String> {
    let mut pop = Pop::bare("x", At::whole(FileId(0)));
    pop.country = Country::from_code(country);
    pop.coordinates = Coordinates::from_degrees(lat, lon);
    let mut out = Findings::default();
    check(&pop, At::whole(FileId(0)), &mut out);
    out.iter().next().map(|finding| finding.help.join(" "))
}

#[test]
fn far_ends_are_in_their_country() {
    for (country, lat, lon) in [
        ("DE", 50.11, 8.68),
        ("US", 21.3, -157.86),
        ("US", 61.2, -149.9),
        ("US", 18.47, -66.1), // by the country that Puerto Rico is a part of
        ("FR", -20.88, 55.45),
        ("RU", 53.0, 158.65),
        ("CA", 49.28, -123.12),
        ("AU", -31.95, 115.86),
        ("CL", -53.16, -70.9),
        ("PT", 37.74, -25.67),
        ("ES", 28.12, -15.43),
        ("ID", -2.53, 140.72),
        ("IN", 28.61, 77.21),
        ("CN", 43.83, 87.62),
        ("BR", -9.97, -67.8),
        ("JP", 26.21, 127.68),
        ("XK", 42.66, 21.17),
    ] {
        assert_eq!(told(country, lat, lon), None, "{country} {lat} {lon}");
    }
}

#[test]
fn slips_are_told() {
    let rows = [
        ("DE", 8.68, 50.11, "lat: 50.11, lon: 8.68"),
        ("US", 39.04, 77.49, "lat: 39.04, lon: -77.49"),
        ("BR", 23.55, -46.63, "lat: -23.55, lon: -46.63"),
        ("JP", 51.5, -0.13, "clients are sent by the coordinates"),
    ];
    for (country, lat, lon, help) in rows {
        let told = told(country, lat, lon).unwrap_or_default();
        assert!(told.contains(help), "{country} {lat} {lon}: {told}");
    }
}
