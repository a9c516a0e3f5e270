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
        assert_eq!(pops(&rank(estimates.clone(), None)), *order, "{estimates:?}");
    }
}

fn estimate((pop, rtt_ms): (u16, f64)) -> Estimate {
    Estimate { pop, rtt_ms, source: RttSource::Distance, samples: 0 }
}

/// A ranking keeps the PoP of the map before, also beyond place eight, and the map has eight PoPs.
#[test]
fn the_pop_before_is_ranked() {
    let estimates: Vec<Estimate> = (0..12).map(|pop| estimate((pop, 20.0 * f64::from(pop + 1)))).collect();
    assert_eq!(pops(&rank(estimates.clone(), None)), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(pops(&rank(estimates.clone(), Some(5))), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(pops(&rank(estimates.clone(), Some(99))), [0, 1, 2, 3, 4, 5, 6, 7]);
    let list = rank(estimates, Some(11));
    assert_eq!(pops(&list), [0, 1, 2, 3, 4, 5, 6, 7, 11]);
    // Twenty units of one demand: one may move, the others wait although they gain 220 ms.
    let mut rankings = rankings(&vec![list; 20]);
    let moves = settle(&mut rankings, &[1.0; 20], |_| Some(11), |_| false);
    assert_eq!((moves.moved, moves.waiting), (1, 19));
    assert_eq!(pops(&rankings.of(0)), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(pops(&rankings.of(1)), [11, 0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(rankings.first(1).map(|ranked| ranked.pop), Some(11));
}

/// A unit moves for 10 ms and 10 %, at once to a new PoP or from one that is gone.
#[test]
fn small_gains_move_nobody() {
    let rows: &[(Numbered<u16>, Option<u16>, bool, u16)] = &[
        (&[(1, 20), (2, 29)], Some(2), false, 2),
        (&[(1, 20), (2, 30)], Some(2), false, 1),
        (&[(1, 200), (2, 215)], Some(2), false, 2),
        (&[(1, 200), (2, 223)], Some(2), false, 1),
        (&[(1, 20), (2, 21)], Some(2), true, 1),
        (&[(1, 20), (2, 21)], None, false, 1),
        (&[(1, 20), (2, 21)], Some(9), false, 1),
    ];
    for (ranking, before, is_new, first) in rows {
        let mut rankings = rankings(&[ranked(ranking), ranked(&[(1, 5)])]);
        let demand = [1.0, 1000.0];
        settle(&mut rankings, &demand, |unit| before.filter(|_| unit == 0), |_| *is_new);
        assert_eq!(rankings.of(0)[0].pop, *first, "{ranking:?} {before:?}");
    }
}

proptest! {
    /// At most a twentieth of the demand moves in a build, nothing is lost from a ranking, and a
    /// second build with the same inputs moves on, never back.
    #[test]
    fn moves_are_bounded(
        units in prop::collection::vec((1_u16..300, 1_u16..300, 0_u16..2, 1_u32..100), 1..60),
    ) {
        let fresh: Vec<Vec<Ranked>> = (units.iter())
            .map(|&(a, b, ..)| if a <= b { ranked(&[(0, a), (1, b)]) } else { ranked(&[(1, b), (0, a)]) })
            .collect();
        let demand: Vec<f64> = units.iter().map(|unit| f64::from(unit.3)).collect();
        let mut old: Vec<u16> = units.iter().map(|unit| unit.2).collect();
        for _ in 0..3 {
            let mut rankings = rankings(&fresh);
            let moves = settle(&mut rankings, &demand, |unit| Some(old[unit]), |_| false);
            let moved: f64 = (0..units.len())
                .filter(|&unit| rankings.of(unit)[0].pop != old[unit])
                .map(|unit| demand[unit])
                .sum();
            prop_assert!(moved <= demand.iter().sum::<f64>() * MOVES_MAX + 1e-9);
            prop_assert!((moves.demand_share - moved / demand.iter().sum::<f64>()).abs() < 1e-9);
            for (unit, old) in old.iter_mut().enumerate() {
                let ranking = rankings.of(unit);
                prop_assert_eq!(ranking.len(), 2);
                let goes_back = ranking[0].pop != *old && ranking[0].rtt_ms > ranking[1].rtt_ms;
                prop_assert!(!goes_back);
                *old = ranking[0].pop;
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
        assert_eq!((changed, rankings.is_explored(0)), (before != *order, before != *order));
        // The next build finds the first PoP of before at the second place.
        assert!(!changed || after[1] == before[0]);
    }
}
