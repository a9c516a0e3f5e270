//! Ties, hysteresis and exploration.

use super::*;
use proptest::prelude::*;

fn ranked(entries: &[(u16, u16)]) -> Vec<Ranked> {
    let one = |&(pop, rtt_ms)| Ranked { pop, rtt_ms, source: RttSource::Distance, samples: 0 };
    entries.iter().map(one).collect()
}

fn pops(ranking: &[Ranked]) -> Vec<u16> {
    ranking.iter().map(|ranked| ranked.pop).collect()
}

/// Rankings of units with these lists.
fn rankings(lists: &[Vec<Ranked>]) -> Rankings {
    let mut rankings = Rankings::new(lists.len());
    for (unit, list) in lists.iter().enumerate() {
        let list = rankings.add(list);
        rankings.set(unit, list);
    }
    rankings
}

/// PoPs with a number each.
type Numbered<T> = &'static [(u16, T)];

/// Estimates within 2 ms or 5 % of the fastest, and of the fastest behind a tie, are in the order
/// of names, the others by RTT.
#[test]
fn ties_follow_names() {
    let rows: &[(Numbered<f64>, &[u16])] = &[
        (&[(5, 10.0), (2, 11.9), (1, 12.6)], &[2, 5, 1]),
        (&[(5, 100.0), (2, 104.9), (1, 106.0)], &[2, 5, 1]),
        (&[(5, 0.0), (2, 3.6)], &[5, 2]),
        (&[(5, 10.0), (9, 30.0), (8, 31.0), (7, 32.0), (6, 33.0)], &[5, 7, 8, 9, 6]),
        (&[], &[]),
    ];
    for (estimates, order) in rows {
        let estimates: Vec<Estimate> = estimates.iter().copied().map(estimate).collect();
        assert_eq!(pops(&rank(estimates.clone(), Before::default())), *order, "{estimates:?}");
    }
}

fn estimate((pop, rtt_ms): (u16, f64)) -> Estimate {
    Estimate { pop, rtt_ms, source: RttSource::Distance, samples: 0 }
}

/// A sample comes before an estimate that is equal or a little less.
#[test]
fn no_estimate_passes_a_sample() {
    let measured = Estimate { source: RttSource::Measured, samples: 3, ..estimate((7, 10.0)) };
    assert_eq!(pops(&rank(vec![estimate((1, 9.0)), measured], Before::default())), [7, 1]);
    assert_eq!(pops(&rank(vec![estimate((1, 5.0)), measured], Before::default())), [1, 7]);
}

/// A map before that knows these PoPs, in this order.
fn before<'b>(order: &'b [u16]) -> Before<'b> {
    Before { order, knows: &[true; 32], is_first_gone: false }
}

/// Behind the eight fastest PoPs come those that were measured, and the first of the map before.
#[test]
fn what_is_known_is_ranked() {
    let mut estimates: Vec<Estimate> =
        (0..12).map(|pop| estimate((pop, 20.0 * f64::from(pop + 1)))).collect();
    let fastest = [0, 1, 2, 3, 4, 5, 6, 7];
    assert_eq!(pops(&rank(estimates.clone(), Before::default())), fastest);
    assert_eq!(pops(&rank(estimates.clone(), before(&[99]))), fastest);
    estimates[9].source = RttSource::Measured;
    assert_eq!(pops(&rank(estimates.clone(), Before::default())), [0, 1, 2, 3, 4, 5, 6, 7, 9]);
    let list = rank(estimates, before(&[11]));
    assert_eq!(pops(&list), [0, 1, 2, 3, 4, 5, 6, 7, 9, 11]);
    let all: Vec<Estimate> = (0..30)
        .map(|pop| Estimate { source: RttSource::Measured, ..estimate((pop, 20.0 * f64::from(pop + 1))) })
        .collect();
    let list_of_all = rank(all, before(&[29]));
    assert_eq!((list_of_all.len(), list_of_all[15].pop), (ENTRIES_MAX, 29));
    // Twenty units of one demand: one may move, the others wait although they gain 220 ms.
    let mut rankings = rankings(&vec![list; 20]);
    let moves = settle(&mut rankings, &[1.0; 20], |_| before(&[11]));
    assert_eq!((moves.moved, moves.waiting), (1, 19));
    assert_eq!(pops(&rankings.of(0)), [0, 1, 2, 3, 4, 5, 6, 7, 9, 11]);
    assert_eq!(pops(&rankings.of(1)), [11, 0, 1, 2, 3, 4, 5, 6, 7, 9]);
    assert_eq!(rankings.first(1).map(|ranked| ranked.pop), Some(11));
}

/// A PoP passes another one for 10 ms and 10 %, at any place; at once if it is new.
#[test]
fn small_gains_move_no_pop() {
    let rows: &[(Numbered<f64>, &[u16], &[u16])] = &[
        (&[(1, 20.0), (2, 29.0)], &[2], &[2, 1]),
        (&[(1, 20.0), (2, 30.0)], &[2, 1], &[1, 2]),
        (&[(1, 200.0), (2, 215.0)], &[2, 1], &[2, 1]),
        (&[(1, 200.0), (2, 223.0)], &[2, 1], &[1, 2]),
        (&[(1, 20.0), (2, 29.0)], &[], &[1, 2]),
        (&[(1, 20.0), (2, 29.0)], &[9], &[1, 2]),
        // Behind the first, for policies without it.
        (&[(1, 20.0), (2, 80.0), (3, 88.0)], &[1, 3, 2], &[1, 3, 2]),
        (&[(1, 20.0), (2, 80.0), (3, 91.0)], &[1, 3, 2], &[1, 2, 3]),
        // Small gains one by one do not hide a large one.
        (&[(1, 25.0), (2, 34.0), (3, 40.0)], &[3, 2, 1], &[1, 3, 2]),
        // PoP 40 is new, and comes where its RTT puts it, but before no PoP that is held back.
        (&[(1, 45.0), (40, 50.0), (2, 54.0)], &[2, 1], &[2, 1, 40]),
        (&[(40, 20.0), (2, 25.0)], &[2], &[40, 2]),
        (&[(2, 20.0), (40, 25.0), (3, 31.0)], &[3, 2], &[2, 40, 3]),
    ];
    for (estimates, old, order) in rows {
        let ranking = rank(estimates.iter().copied().map(estimate).collect(), before(old));
        assert_eq!(pops(&ranking), *order, "{estimates:?} {old:?}");
    }
}

/// A unit moves at once to a new PoP, and a unit of any demand moves at last.
#[test]
fn no_unit_waits_for_ever() {
    let gain = |first, demand: &[f64]| {
        let lists =
            vec![rank(vec![estimate((first, 20.0)), estimate((2, 300.0))], before(&[2])); demand.len()];
        let mut rankings = rankings(&lists);
        settle(&mut rankings, demand, |_| before(&[2]))
    };
    assert_eq!((gain(40, &[1.0; 2]).moved, gain(40, &[1.0; 2]).waiting), (2, 0));
    assert_eq!((gain(1, &[1.0; 2]).moved, gain(1, &[1.0; 2]).waiting), (1, 1));
    // Units whose first PoP is gone move in any case.
    let gone = Before { is_first_gone: true, ..before(&[2, 1]) };
    let list = rank(vec![estimate((1, 20.0)), estimate((2, 300.0))], gone);
    let mut rankings = rankings(&vec![list; 40]);
    let moves = settle(&mut rankings, &[1.0; 40], |_| gone);
    assert_eq!((moves.moved, moves.waiting), (40, 0));
}

proptest! {
    /// At most a twentieth of the demand moves in a build, or one unit; nothing is lost from a
    /// ranking, and a second build with the same inputs moves on, never back.
    #[test]
    fn moves_are_bounded(
        units in prop::collection::vec((1_u16..300, 1_u16..300, 0_u16..2, 1_u32..100), 1..60),
    ) {
        let demand: Vec<f64> = units.iter().map(|unit| f64::from(unit.3)).collect();
        let mut old: Vec<[u16; 2]> = units.iter().map(|unit| [unit.2, 1 - unit.2]).collect();
        for _ in 0..3 {
            let fresh: Vec<Vec<Ranked>> = (units.iter().zip(&old))
                .map(|(&(a, b, ..), old)| {
                    rank(vec![estimate((0, f64::from(a))), estimate((1, f64::from(b)))], before(old))
                })
                .collect();
            let mut rankings = rankings(&fresh);
            let moves = settle(&mut rankings, &demand, |unit| before(&old[unit]));
            let moving: Vec<f64> = (0..units.len())
                .filter(|&unit| rankings.of(unit)[0].pop != old[unit][0])
                .map(|unit| demand[unit])
                .collect();
            let moved: f64 = moving.iter().sum();
            prop_assert!(moving.len() <= 1 || moved <= demand.iter().sum::<f64>() * MOVES_MAX + 1e-9);
            prop_assert!((moves.demand_share - moved / demand.iter().sum::<f64>()).abs() < 1e-9);
            for (unit, old) in old.iter_mut().enumerate() {
                let ranking = rankings.of(unit);
                prop_assert_eq!(ranking.len(), 2);
                let goes_back = ranking[0].pop != old[0] && ranking[0].rtt_ms > ranking[1].rtt_ms;
                prop_assert!(!goes_back);
                *old = [ranking[0].pop, ranking[1].pop];
            }
        }
    }
}

/// Exploration costs at most 30 ms, and leaves a unit alone that has no second PoP.
#[test]
fn exploration_is_affordable() {
    let rows: &[(Numbered<u16>, u64, &[u16])] = &[
        (&[(1, 20), (2, 40), (3, 50), (4, 51)], 0, &[2, 1, 3, 4]),
        (&[(1, 20), (2, 40), (3, 50), (4, 51)], 1, &[3, 1, 2, 4]),
        (&[(1, 20), (2, 40), (3, 51)], 1, &[2, 1, 3]),
        (&[(1, 20), (2, 51)], 0, &[1, 2]),
        (&[(1, 20)], 0, &[1]),
        (&[], 0, &[]),
    ];
    for (ranking, draw, order) in rows {
        let mut rankings = rankings(&[ranked(ranking)]);
        let before = pops(&rankings.of(0));
        let changed = rankings.explore(0, *draw);
        let after = pops(&rankings.of(0));
        assert_eq!(after, *order);
        assert_eq!(changed, before != *order);
        // The next build finds the place that the explored PoP had.
        let place = usize::from(rankings.explored(0));
        assert_eq!((place > 0, after.first()), (changed, before.get(place)));
    }
}
