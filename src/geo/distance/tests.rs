//! Golden distances, and points at which naive formulas fail.

use super::*;
use proptest::prelude::*;

fn at(lat: f64, lon: f64) -> Coordinates {
    Coordinates::from_degrees(lat, lon).expect("test coordinates are in range")
}

/// Distances that every build must reproduce to the metre.
#[test]
fn golden_vectors() {
    let rows = [
        ("one point", (50.11, 8.68), (50.11, 8.68), 0),
        ("a quarter turn along the equator", (0.0, 0.0), (0.0, 90.0), 10_007_557),
        ("half a turn along the equator", (0.0, 0.0), (0.0, 180.0), 20_015_114),
        ("pole to pole", (90.0, 0.0), (-90.0, 77.0), 20_015_114),
        ("pole to equator", (90.0, 123.0), (0.0, -45.0), 10_007_557),
        ("one degree of latitude", (10.0, 20.0), (11.0, 20.0), 111_195),
        ("Frankfurt to New York", (50.11, 8.68), (40.71, -74.01), 6_203_049),
        ("London to Sydney", (51.51, -0.13), (-33.87, 151.21), 16_994_092),
        ("Auckland to Suva, across the date line", (-36.85, 174.76), (-18.14, 178.44), 2_111_380),
        ("Suva to Apia, across the date line", (-18.14, 178.44), (-13.83, -171.77), 1_150_658),
        ("the least step", (0.0, 0.0), (0.0001, 0.0), 11),
    ];
    for (what, a, b, metres) in rows {
        assert_eq!(great_circle_m(at(a.0, a.1), at(b.0, b.1)), metres, "{what}");
    }
}

/// The two longitudes of the date line are the same place.
#[test]
fn the_date_line_is_one_line() {
    for lat in [-89.9999, -45.0, 0.0, 12.3456, 89.9999] {
        assert_eq!(great_circle_m(at(lat, 180.0), at(lat, -180.0)), 0);
        let near = at(lat, 179.5);
        assert_eq!(great_circle_m(near, at(lat, 180.0)), great_circle_m(near, at(lat, -180.0)));
        assert_eq!(great_circle_m(near, at(lat, -179.5)), great_circle_m(at(lat, -0.5), at(lat, 0.5)));
    }
}

/// A pole is the same place at every longitude.
#[test]
fn a_pole_is_one_point() {
    for pole in [90.0, -90.0] {
        for lon in [-180.0, -77.7, 0.0, 1.2345, 180.0] {
            assert_eq!(great_circle_m(at(pole, 13.0), at(pole, lon)), 0);
            assert_eq!(
                great_circle_m(at(pole, lon), at(48.2, 16.37)),
                great_circle_m(at(pole, 0.0), at(48.2, 16.37))
            );
        }
    }
}

proptest! {
    /// Distance is symmetric, at most half the circumference, and agrees with the arc over the
    /// chord between the two points, which is an independent formula.
    #[test]
    fn agrees_with_the_chord(
        lat1 in -900_000..=900_000i32,
        lon1 in -1_800_000..=1_800_000i32,
        lat2 in -900_000..=900_000i32,
        lon2 in -1_800_000..=1_800_000i32,
    ) {
        let a = Coordinates { lat_e4: lat1, lon_e4: lon1 };
        let b = Coordinates { lat_e4: lat2, lon_e4: lon2 };
        let d = great_circle_m(a, b);
        prop_assert_eq!(d, great_circle_m(b, a));
        prop_assert!(d <= 20_015_114);
        let vector = |c: Coordinates| {
            let (lat, lon) = (c.lat().to_radians(), c.lon().to_radians());
            [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
        };
        let (u, v) = (vector(a), vector(b));
        let cross = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
        let sin = cross.iter().map(|x| x * x).sum::<f64>().sqrt();
        let cos: f64 = u.iter().zip(v).map(|(x, y)| x * y).sum();
        let other = EARTH_RADIUS_M * sin.atan2(cos);
        prop_assert!((f64::from(d) - other).abs() < 2.0, "{d} {other}");
    }
}

proptest! {
    /// A point that is no farther in metres has a chord within the reach of the other's chord, also
    /// if both are near, or on the far side of the earth.
    #[test]
    fn chords_are_in_the_order_of_distances(
        from in (-900_000..=900_000i32, -1_800_000..=1_800_000i32),
        one in (-900_000..=900_000i32, -1_800_000..=1_800_000i32),
        other in (-900_000..=900_000i32, -1_800_000..=1_800_000i32),
        step in (-3..=3i32, -3..=3i32),
        among in 0..4,
    ) {
        let point = |(lat, lon): (i32, i32)| Coordinates {
            lat_e4: lat.clamp(-900_000, 900_000),
            lon_e4: lon.clamp(-1_800_000, 1_800_000),
        };
        let beside = |at: (i32, i32)| (at.0 + step.0, at.1 + step.1);
        let across = (-from.0, if from.1 > 0 { from.1 - 1_800_000 } else { from.1 + 1_800_000 });
        let (one, other) = match among {
            0 => (one, other),
            1 => (one, beside(one)),
            2 => (across, beside(across)),
            _ => (from, beside(from)),
        };
        let [from, one, other] = [from, one, other].map(|at| Point::of(point(at)));
        let square = |to: &Point| square_of_chord(from.on_sphere(), to.on_sphere());
        for (near, far) in [(&one, &other), (&other, &one)] {
            if from.metres_to(near) <= from.metres_to(far) {
                prop_assert!(square(near) <= reach_of_square(square(far)),
                    "{} {}", square(near), square(far));
            }
        }
    }
}
