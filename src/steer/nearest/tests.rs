//! The fast ranking is the plain one: every distance asked for, everything sorted.

use super::*;
use crate::finding::{At, FileId};
use crate::geo::distance::great_circle_m;
use crate::geo::place::Coordinates;
use proptest::prelude::*;

fn pop(number: usize, coordinates: Option<Coordinates>, bias_km: i32) -> Pop {
    Pop { coordinates, bias_km, ..Pop::bare(format!("n{number:04}"), At::whole(FileId(0))) }
}

/// The first `depth`, and whoever is as far as the last of them.
fn plain(pops: &[Pop], from: Coordinates, depth: usize) -> Vec<Ranked> {
    let rank = |(number, pop): (usize, &Pop)| {
        let biased_m = i64::from(great_circle_m(from, pop.coordinates?)) + i64::from(pop.bias_km) * 1000;
        Some(Ranked { biased_m, pop: PopId(number as u16) })
    };
    let mut ranked: Vec<Ranked> = pops.iter().enumerate().filter_map(rank).collect();
    ranked.sort_by_key(|r| (r.biased_m, r.pop));
    let last = ranked.get(depth - 1).map_or(i64::MAX, |last| last.biased_m);
    ranked.retain(|r| r.biased_m <= last);
    ranked
}

fn check(pops: &[Pop], from: Coordinates, depth: u8) -> Result<(), TestCaseError> {
    let nearest = Nearest::new((0..pops.len()).map(|number| PopId(number as u16)), pops, depth);
    prop_assert_eq!(nearest.around(&Point::of(from)), plain(pops, from, usize::from(depth)));
    Ok(())
}

/// Anywhere on the earth, poles and the date line among it.
fn anywhere() -> impl Strategy<Value = Coordinates> {
    let lat = prop_oneof![8 => -900_000..=900_000i32, 1 => Just(900_000), 1 => Just(-900_000)];
    let lon = prop_oneof![8 => -1_800_000..=1_800_000i32, 1 => Just(1_800_000), 1 => Just(-1_800_000)];
    (lat, lon).prop_map(|(lat_e4, lon_e4)| Coordinates { lat_e4, lon_e4 })
}

proptest! {
    /// PoPs all over the world, some without a place, some with a bias.
    #[test]
    fn anywhere_at_all(
        places in proptest::collection::vec(
            (
                proptest::option::weighted(0.95, anywhere()),
                prop_oneof![6 => Just(0), 1 => Just(-300), 1 => -2_000..2_000i32],
            ),
            1..200,
        ),
        from in anywhere(),
        depth in 1..=LIST_DEPTH_MAX,
    ) {
        let pops: Vec<Pop> =
            places.into_iter().enumerate().map(|(number, (at, bias_km))| pop(number, at, bias_km)).collect();
        check(&pops, from, depth)?;
    }

    /// PoPs that crowd, near the client or opposite to it: metres tie, and chords hardly tell them
    /// apart.
    #[test]
    fn crowds(
        middle in anywhere(),
        shifts in proptest::collection::vec((-40..=40i32, -40..=40i32), 1..200),
        opposite in any::<bool>(),
        depth in 1..=12u8,
    ) {
        let near = |(lat, lon): (i32, i32)| Coordinates {
            lat_e4: (middle.lat_e4 + lat).clamp(-900_000, 900_000),
            lon_e4: (middle.lon_e4 + lon).clamp(-1_800_000, 1_800_000),
        };
        let pops: Vec<Pop> =
            shifts.into_iter().enumerate().map(|(number, shift)| pop(number, Some(near(shift)), 0)).collect();
        let across = if middle.lon_e4 > 0 { middle.lon_e4 - 1_800_000 } else { middle.lon_e4 + 1_800_000 };
        let from = if opposite { Coordinates { lat_e4: -middle.lat_e4, lon_e4: across } } else { middle };
        check(&pops, from, depth)?;
    }
}
