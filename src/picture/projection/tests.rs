//! Points have the places that the authors' formula and the script of the outlines give them.

use super::*;

fn point(lat: f64, lon: f64) -> Point {
    project(Coordinates::from_degrees(lat, lon).expect("coordinates"))
}

/// Cities, corners and the middle, to a tenth of a unit; the values come from the script.
#[test]
fn cities_have_their_points() {
    let rows = [
        ("the middle", 0.0, 0.0, 1000.0, 510.0),
        ("the eastern end", 0.0, 180.0, 2000.0, 510.0),
        ("London", 51.5074, -0.1278, 999.4, 179.3),
        ("Tokyo", 35.6762, 139.6503, 1728.4, 279.8),
        ("Sydney", -33.8688, 151.2093, 1794.0, 728.5),
    ];
    for (place, lat, lon, x, y) in rows {
        let at = point(lat, lon);
        assert!((at.x - x).abs() < 0.1 && (at.y - y).abs() < 0.1, "{place}: {at:?}");
    }
}

/// East and west, north and south are mirrored; a larger latitude is further up.
#[test]
fn the_projection_is_symmetric() {
    for lat in 0..90 {
        let (lat, lon) = (f64::from(lat), 100.0);
        let (east, west, south) = (point(lat, lon), point(lat, -lon), point(-lat, lon));
        assert!((east.x + west.x - WIDTH).abs() < 1e-9 && east.y == west.y, "{lat}");
        assert!((east.y + south.y - 2.0 * EQUATOR).abs() < 1e-9, "{lat}");
        assert!(point(lat + 1.0, lon).y < east.y && point(lat + 1.0, lon).x < east.x, "{lat}");
    }
}
