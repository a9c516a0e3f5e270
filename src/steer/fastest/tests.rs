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

fn fastest(pops: &[Pop], depth: u8) -> Fastest {
    Fastest::new((0..pops.len() as u16).map(PopId), pops, depth)
}

/// The first eight around a place.
fn around(pops: &[Pop], from: Option<&Point>, list: Option<&RttList>) -> Vec<RankedRtt> {
    fastest(pops, 8).around(pops, from, list)
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
        let ranked = around(&pops, Some(&berlin()), Some(&list));
        assert_eq!(names(&pops, &ranked), *order, "{what}");
    }
}

/// Without a list the distance speaks, without coordinates the list alone, without both nothing.
#[test]
fn what_is_missing() {
    let pops = pops([0; 4]);
    assert_eq!(names(&pops, &around(&pops, Some(&berlin()), None)), ["fra", "ams", "lhr", "syd"]);
    let list = list(&[("syd", 9), ("ams", 20)], &[]);
    assert_eq!(names(&pops, &around(&pops, None, Some(&list))), ["syd", "ams"]);
    assert!(around(&pops, None, None).is_empty());
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

/// The ranking of all PoPs as the module describes it, each by itself.
fn whole(pops: &[Pop], from: &Point, list: Option<&RttList>) -> Vec<RankedRtt> {
    let bias_us = |id: PopId| i64::from(pops[id.index()].bias_ms) * US_PER_MS;
    let metres = |id: PopId| i64::from(from.metres_to(&Point::of(pops[id.index()].coordinates.unwrap())));
    let (mut ranked, mut excess) = (Vec::new(), Vec::new());
    for (name, rtt) in list.iter().flat_map(|list| list.entries()) {
        let Some(at) = pops.iter().position(|pop| *pop.name == *name) else { continue };
        let (pop, rtt_us) = (PopId(at as u16), i64::from(rtt.rtt_ms) * US_PER_MS);
        excess.push(rtt_us - suggested_us(metres(pop)));
        ranked.push(RankedRtt { rtt_us: rtt_us + bias_us(pop), pop });
    }
    let excess_us = excess.iter().sum::<i64>() / (excess.len() as i64).max(1);
    let mut rest: Vec<PopId> = (0..pops.len() as u16).map(PopId).collect();
    rest.retain(|pop| ranked.iter().all(|listed| listed.pop != *pop));
    rest.sort_by_key(|pop| (metres(*pop), *pop));
    let knows = |pop: &PopId| {
        let name = &pops[pop.index()].name;
        list.is_some_and(|list| list.known_unless_complete().is_none_or(|known| known.contains(name)))
    };
    let (behind, new): (Vec<PopId>, Vec<PopId>) = rest.into_iter().partition(knows);
    let floor_us = list.map_or(0, |list| i64::from(slowest_of_fastest(list) + 1) * US_PER_MS);
    let estimate_us = |pop: PopId| match list {
        Some(_) => (suggested_us(metres(pop)) + excess_us).max(US_PER_MS),
        None => suggested_us(metres(pop)),
    };
    for pop in new {
        insert(&mut ranked, RankedRtt { rtt_us: estimate_us(pop) + bias_us(pop), pop });
    }
    for pop in behind {
        insert(&mut ranked, RankedRtt { rtt_us: estimate_us(pop).max(floor_us) + bias_us(pop), pop });
    }
    if list.is_none() || pops.iter().any(|pop| pop.bias_ms != 0) {
        ranked.sort_by_key(|ranked| ranked.rtt_us);
    }
    ranked
}

proptest! {
    /// A ranking is the beginning of that of all PoPs, however many there are, whatever the map
    /// knows, and with and without a bias.
    #[test]
    fn the_first_are_those_of_all(
        places in prop::collection::vec((-60_i32..60, -170_i32..170, 0_u8..12), 1..80),
        entries in prop::collection::vec((0_usize..90, 1_u16..300), 1..20),
        new_percent in prop::sample::select(vec![0_usize, 10, 90]),
        is_of_clients in any::<bool>(),
        (has_bias, has_list) in any::<(bool, bool)>(),
        depth in prop::sample::select(vec![1_u8, 2, 8, 16, 64]),
    ) {
        let name = |at: usize| format!("p{at:02}");
        let pops: Vec<Pop> = (places.iter().enumerate())
            .map(|(at, (lat, lon, bias))| Pop {
                // A coarse grid, so that some are at one place.
                coordinates: Coordinates::from_degrees(f64::from(lat / 10 * 10), f64::from(lon / 20 * 20)),
                bias_ms: if has_bias && *bias < 4 { i32::from(*bias) * 15 - 20 } else { 0 },
                ..Pop::bare(&*name(at), At::whole(FileId(0)))
            })
            .collect();
        let names: Vec<String> = entries.iter().map(|(at, _)| name(*at)).collect();
        let entries: Vec<(&str, u16)> =
            names.iter().zip(&entries).map(|(name, (_, ms))| (name.as_str(), *ms)).collect();
        let is_known = |at: &usize| at * 37 % 100 >= new_percent;
        let others: Vec<String> = (0..pops.len()).filter(is_known).map(name).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let list = list(&entries, &others);
        let list = if is_of_clients { list.of_clients() } else { list };
        let list = has_list.then_some(&list);
        let all = whole(&pops, &berlin(), list);
        let first = fastest(&pops, depth).around(&pops, Some(&berlin()), list);
        prop_assert_eq!(&first[..], &all[..usize::from(depth).min(all.len())]);
    }

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
        let ranked = around(&pops, has_place.then(berlin).as_ref(), Some(&list));
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
    let ranked = |list: &RttList| names(&pops, &around(&pops, Some(&berlin()), Some(list)));
    let list = list(&[("lhr", 25), ("syd", 290)], &[]);
    assert_ne!(ranked(&list)[..2], ["lhr", "syd"]);
    assert_eq!(ranked(&list.of_clients()), ["lhr", "syd", "fra", "ams"]);
}
