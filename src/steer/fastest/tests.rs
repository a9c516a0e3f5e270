//! Rankings by RTT as data, and what holds of all of them.

use super::*;
use crate::finding::{At, FileId};
use crate::geo::place::Coordinates;
use crate::geo::rtts::{Rtt, RttSource, share_known};
use crate::steer::policy::BandWidth;
use proptest::prelude::*;

/// PoPs by name: ams, fra, lhr and syd, with a bias in ms.
fn pops(bias_ms: [i32; 4]) -> Vec<Pop> {
    let places = [("ams", 52.3, 4.8), ("fra", 50.1, 8.7), ("lhr", 51.5, -0.4), ("syd", -33.9, 151.2)];
    (places.into_iter().zip(bias_ms))
        .map(|((name, lat, lon), bias_ms)| Pop {
            coordinates: Coordinates::from_degrees(lat, lon),
            bias_ms,
            ..Pop::bare(name, At::whole(FileId(0)))
        })
        .collect()
}

fn fastest(pops: &[Pop]) -> Fastest {
    Fastest::new((0..pops.len() as u16).map(PopId), pops)
}

fn list(entries: &[(&str, u16)], known: &[&str]) -> RttList {
    let rtt = |rtt_ms| Rtt { rtt_ms, source: RttSource::Measured, samples: 1 };
    let new = |entries: &[(&str, u16)]| {
        Arc::new(RttList::new(entries.iter().map(|&(name, ms)| (name, rtt(ms))), 0).unwrap())
    };
    let others: Vec<(&str, u16)> = known.iter().map(|name| (*name, 1)).collect();
    let mut lists = vec![new(entries)];
    lists.extend((!others.is_empty()).then(|| new(&others)));
    share_known(lists.iter_mut());
    (*lists[0]).clone()
}

fn names(pops: &[Pop], ranked: &[RankedRtt]) -> Vec<String> {
    ranked.iter().map(|ranked| pops[usize::from(ranked.pop.0)].name.to_string()).collect()
}

fn berlin() -> Point {
    Point::of(Coordinates::from_degrees(52.5, 13.4).unwrap())
}

/// The list decides, in its order; new PoPs come by distance, known ones behind the list.
#[test]
fn rankings() {
    type Row<'r> = (&'r str, &'r [(&'r str, u16)], &'r [&'r str], [i32; 4], &'r [&'r str]);
    let rows: &[Row<'_>] = &[
        (
            "the list",
            &[("syd", 9), ("fra", 20), ("lhr", 25), ("ams", 30)],
            &[],
            [0; 4],
            &["syd", "fra", "lhr", "ams"],
        ),
        (
            "its order, not its RTTs",
            &[("lhr", 25), ("fra", 20)],
            &["ams", "syd"],
            [0; 4],
            &["lhr", "fra", "ams", "syd"],
        ),
        ("a new PoP by distance", &[("fra", 20), ("syd", 300)], &[], [0; 4], &["fra", "ams", "lhr", "syd"]),
        (
            "a known PoP behind",
            &[("fra", 20), ("syd", 300)],
            &["ams", "lhr"],
            [0; 4],
            &["fra", "syd", "ams", "lhr"],
        ),
        (
            "a PoP of no deployment",
            &[("gru", 1), ("fra", 20)],
            &["ams", "lhr", "syd"],
            [0; 4],
            &["fra", "ams", "lhr", "syd"],
        ),
        ("a bias", &[("fra", 20), ("ams", 21)], &["lhr", "syd"], [0, 5, 0, 0], &["ams", "fra", "lhr", "syd"]),
        (
            "a bias past the list",
            &[("fra", 20), ("ams", 21)],
            &["lhr", "syd"],
            [0, 900, 0, 0],
            &["ams", "lhr", "syd", "fra"],
        ),
        (
            "a bias into the list",
            &[("fra", 20), ("ams", 21)],
            &["lhr", "syd"],
            [0, 0, -900, 0],
            &["lhr", "fra", "ams", "syd"],
        ),
        // Measured PoPs behind the eight fastest do not stand before a PoP that may be faster.
        (
            "slow PoPs of the list",
            &[
                ("a", 8),
                ("b", 9),
                ("c", 10),
                ("d", 11),
                ("e", 12),
                ("f", 13),
                ("g", 14),
                ("h", 15),
                ("syd", 900),
            ],
            &["ams", "fra", "lhr"],
            [0; 4],
            &["fra", "ams", "lhr", "syd"],
        ),
        // Both count as slower than the list, and follow by distance, not by name.
        (
            "known behind, by distance",
            &[("fra", 900)],
            &["ams", "lhr", "syd"],
            [0; 4],
            &["fra", "ams", "lhr", "syd"],
        ),
    ];
    for (what, entries, known, bias_ms, order) in rows {
        let pops = pops(*bias_ms);
        let list = list(entries, known);
        let ranked = fastest(&pops).around(Some(&berlin()), Some(&list));
        assert_eq!(names(&pops, &ranked), *order, "{what}");
    }
}

/// Without a list the distance speaks, without coordinates the list alone, without both nothing.
#[test]
fn what_is_missing() {
    let pops = pops([0; 4]);
    let fastest = fastest(&pops);
    assert_eq!(names(&pops, &fastest.around(Some(&berlin()), None)), ["fra", "ams", "lhr", "syd"]);
    let list = list(&[("syd", 9), ("ams", 20)], &[]);
    assert_eq!(names(&pops, &fastest.around(None, Some(&list))), ["syd", "ams"]);
    assert!(fastest.around(None, None).is_empty());
}

/// Bands hold PoPs within the width of the first, faster or slower.
#[test]
fn bands() {
    let ranked = |rtts: &[i64]| -> Vec<RankedRtt> {
        let one = |(pop, ms): (u16, &i64)| RankedRtt { rtt_us: ms * US_PER_MS, pop: PopId(pop) };
        (0..).zip(rtts).map(one).collect()
    };
    let (ms, percent) = (|millis| BandWidth::Latency(LatencyBand { millis, percent: 0 }), BandWidth::Percent);
    let rows: &[(&[i64], BandWidth, usize)] = &[
        (&[], ms(5), 0),
        (&[20, 25, 26], ms(5), 2),
        (&[20, 24, 25, 26], percent(10), 3),
        (&[200, 219, 221], percent(10), 2),
        (&[20, 20, 21], BandWidth::None, 2),
        (&[28, 20, 29], ms(5), 1),
        (&[24, 20, 29], ms(5), 3),
    ];
    for (rtts, width, len) in rows {
        assert_eq!(band_len(&ranked(rtts), width.of_latency()), *len, "{rtts:?} {width:?}");
    }
}

proptest! {
    /// Every PoP with a place is ranked once, whatever the list holds.
    #[test]
    fn nobody_is_lost(
        entries in prop::collection::vec((0_usize..6, 1_u16..400), 1..9),
        bias_ms in prop::array::uniform4(-50_i32..50),
        has_place in any::<bool>(),
    ) {
        let pops = pops(bias_ms);
        let known = ["ams", "fra", "lhr", "syd", "gru", "nrt"];
        let entries: Vec<(&str, u16)> = entries.into_iter().map(|(at, ms)| (known[at], ms)).collect();
        let list = list(&entries, &[]);
        let ranked = fastest(&pops).around(has_place.then(berlin).as_ref(), Some(&list));
        let mut ids: Vec<PopId> = ranked.iter().map(|ranked| ranked.pop).collect();
        ids.sort_unstable();
        let listed = (0..4).filter(|at| list.find(known[*at as usize]).is_some());
        let expected: Vec<PopId> = match has_place {
            true => (0..4).map(PopId).collect(),
            false => listed.map(PopId).collect(),
        };
        prop_assert_eq!(ids, expected);
    }
}

/// The list of the clients behind a resolver counts as complete: the distance of the resolver says
/// nothing about a PoP that the map does not know.
#[test]
fn lists_of_clients_are_complete() {
    let pops = pops([0; 4]);
    let ranked = |list: &RttList| names(&pops, &fastest(&pops).around(Some(&berlin()), Some(list)));
    let list = list(&[("lhr", 25), ("syd", 290)], &[]);
    assert_ne!(ranked(&list)[..2], ["lhr", "syd"]);
    assert_eq!(ranked(&list.of_clients()), ["lhr", "syd", "fra", "ams"]);
}
