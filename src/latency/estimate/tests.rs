//! The estimator: what it must do whatever the numbers are.

use super::*;
use crate::geo::place::{Coordinates, Country};
use crate::latency::ranking::{Before, rank};
use proptest::prelude::*;

fn spot(country: &str, lat: f64, lon: f64) -> Spot {
    Spot::new(Country::from_code(country), Coordinates::from_degrees(lat, lon).unwrap())
}

/// PoPs in Frankfurt, New York and Singapore.
fn pops() -> Vec<Spot> {
    vec![spot("DE", 50.1, 8.7), spot("US", 40.7, -74.0), spot("SG", 1.35, 103.8)]
}

fn own(pop: u16, rtt_ms: f64) -> OwnRtt {
    OwnRtt { pop, rtt_ms, samples: 5 }
}

/// A measured unit: its place, and for each of its networks the RTTs by PoP.
type MeasuredUnit = (Spot, Vec<Vec<(u16, f64)>>);

/// Units that go by the RTTs of their first network.
fn measured(units: &[MeasuredUnit]) -> Measured {
    let mut measured = Measured::default();
    for (spot, networks) in units {
        let first = networks.first().into_iter().flatten();
        let own = first.map(|&(pop, rtt_ms)| own(pop, rtt_ms));
        let mut votes: Vec<Vote> = (networks.iter().zip(0..))
            .flat_map(|(rtts, network)| {
                let vote = move |&(pop, rtt_ms): &(u16, f64)| Vote { pop, network, rtt_ms, is_global: true };
                rtts.iter().map(vote)
            })
            .collect();
        votes.sort_by(|a, b| a.pop.cmp(&b.pop).then(a.rtt_ms.total_cmp(&b.rtt_ms)));
        measured.push(*spot, 0, own, votes);
    }
    measured
}

/// Estimates of a place without samples, fastest first.
fn at(estimator: &Estimator, spot: &Spot) -> Vec<Estimate> {
    sorted(estimator.around(spot).estimates(&[], &[]))
}

fn sorted(mut estimates: Vec<Estimate>) -> Vec<Estimate> {
    estimates.sort_by(|a, b| a.rtt_ms.total_cmp(&b.rtt_ms).then(a.pop.cmp(&b.pop)));
    estimates
}

/// Without measurements the order is that of distance.
#[test]
fn nothing_measured_is_distance() {
    let estimator = Estimator::learn(&pops(), &Measured::default(), 1);
    for (place, first) in
        [(spot("PL", 52.2, 21.0), 0), (spot("CA", 45.5, -73.6), 1), (spot("ID", -6.2, 106.8), 2)]
    {
        let estimates = at(&estimator, &place);
        assert_eq!(estimates[0].pop, first);
        assert!(estimates.iter().all(|estimate| estimate.source == RttSource::Distance));
    }
}

/// Samples of a network decide for it, and for its neighbours where enough of them agree.
#[test]
fn neighbours_share_what_they_measured() {
    // Riyadh is nearer to Frankfurt, and its networks reach Singapore faster.
    let riyadh = |lat: f64| spot("SA", lat, 46.7);
    let unit = |lat: f64| (riyadh(lat), vec![vec![(0, 240.0), (2, 90.0)]]);
    let units: Vec<MeasuredUnit> = [24.0, 24.3, 24.6, 24.9].map(unit).to_vec();
    let learnt = measured(&units);
    let estimator = Estimator::learn(&pops(), &learnt, 1);
    let own = sorted(estimator.around(&riyadh(24.3)).estimates(learnt.own(1), learnt.votes(1)));
    assert_eq!(own[0].pop, 2);
    let near = at(&estimator, &riyadh(24.7));
    assert_eq!((near[0].pop, near[0].source), (2, RttSource::Neighbours));
}

/// A network without samples, with no neighbour, keeps its nearest PoP, also where another is equal
/// within a tie and has an earlier name.
#[test]
fn the_nearest_stays_first_in_a_tie() {
    let learnt = measured(&[]);
    let estimator = Estimator::learn(&pops(), &learnt, 1);
    for tenth in 0..400 {
        let here = spot("DE", 50.0, 4.0 + f64::from(tenth) / 10.0);
        let around = &mut estimator.around(&here);
        let nearest = around.nearest();
        let ranking = rank(around.estimates(&[], &[]), Before::default());
        assert_eq!(ranking.first().map(|ranked| ranked.pop), nearest, "{tenth}");
    }
}

/// Networks below the minimum change nothing elsewhere: neither a neighbour nor an offset hears
/// them, however they are spread over units and PoPs.
#[test]
fn two_networks_alone_move_nothing() {
    let riyadh = |lat: f64| spot("SA", lat, 46.7);
    let lies = [(0, 2900.0), (1, 2900.0), (2, 12.0)].to_vec();
    let nothing = Estimator::learn(&pops(), &Measured::default(), 3);
    for units in [
        vec![(riyadh(24.0), vec![lies.clone()])],
        vec![(riyadh(24.0), vec![lies.clone(), lies.clone()])],
        vec![(riyadh(24.0), vec![lies.clone()]), (riyadh(24.1), vec![lies.clone()])],
        vec![(riyadh(24.0), vec![lies.clone()]), (spot("PL", 52.2, 21.0), vec![lies.clone()])],
    ] {
        let estimator = Estimator::learn(&pops(), &measured(&units), 3);
        for place in [riyadh(24.0), riyadh(24.6), spot("PL", 52.2, 21.0), spot("CA", 45.5, -73.6)] {
            assert_eq!(at(&estimator, &place), at(&nothing, &place), "{units:?}");
        }
    }
}

/// A liar among three networks of a square is outvoted, whether each is a unit or all are one, and
/// a liar that measures every PoP counts once in the offset of all samples.
#[test]
fn the_median_outvotes_a_liar() {
    let warsaw = |lon: f64| spot("PL", 52.1, lon);
    let honest = [vec![(0, 20.0)], vec![(0, 21.0)], vec![(0, 22.0)]];
    let apart = |last: &[(u16, f64)]| {
        let mut networks = honest.clone();
        networks[2] = last.to_vec();
        let unit =
            |(at, network): (usize, Vec<(u16, f64)>)| (warsaw(21.0 + at as f64 / 100.0), vec![network]);
        networks.into_iter().enumerate().map(unit).collect::<Vec<MeasuredUnit>>()
    };
    let together =
        |last: &[(u16, f64)]| vec![(warsaw(21.0), vec![honest[0].clone(), honest[1].clone(), last.to_vec()])];
    let pair = |last: &[(u16, f64)]| {
        vec![(warsaw(21.0), vec![last.to_vec()]), (warsaw(21.01), honest[..2].to_vec())]
    };
    let rtts = |units: &[MeasuredUnit]| {
        let estimator = Estimator::learn(&pops(), &measured(units), 3);
        estimator.around(&spot("PL", 52.4, 21.0)).estimates(&[], &[]).iter().map(|e| e.rtt_ms).collect()
    };
    for of in [&apart as &dyn Fn(&[(u16, f64)]) -> Vec<MeasuredUnit>, &together, &pair] {
        let true_rtts: Vec<f64> = rtts(&of(&honest[2]));
        for lie in [&[(0, 2900.0)][..], &[(0, 2900.0), (1, 2900.0), (2, 2900.0)], &[(0, 9.0)]] {
            let lied: Vec<f64> = rtts(&of(lie));
            for (a, b) in true_rtts.iter().zip(&lied) {
                assert!((a - b).abs() < 2.0, "{lie:?}: {true_rtts:?} {lied:?}");
            }
        }
    }
}

/// Networks of one unit do not confirm each other: the unit hears the rest of its square.
#[test]
fn the_median_leaves_a_whole_unit_out() {
    let warsaw = spot("PL", 52.1, 21.0);
    let others: Vec<Vec<(u16, f64)>> = [30.0, 31.0, 32.0].map(|rtt_ms| vec![(0, rtt_ms)]).to_vec();
    let own_networks: Vec<Vec<(u16, f64)>> =
        [31.0, 90.0, 90.0, 95.0].map(|rtt_ms| vec![(0, rtt_ms)]).to_vec();
    let both = measured(&[(warsaw, own_networks), (warsaw, others.clone())]);
    let alone = measured(&[(warsaw, others)]);
    let neighbours = |measured: &Measured| Neighbours::new(measured, 3, |_, _| 0.0);
    let (both_near, alone_near) = (neighbours(&both), neighbours(&alone));
    let own: Vec<f64> = both.votes(0).iter().map(|vote| vote.rtt_ms).collect();
    assert_eq!(both_near.median_without(both_near.entry(0), &own), 31.0);
    assert_eq!(alone_near.entry(0).median, 31.0);
}

/// The 25th percentile of three or more samples, else the least.
#[test]
fn one_value_stands_for_samples() {
    let rows: [(&[f64], Option<f64>); 5] = [
        (&[], None),
        (&[7.0], Some(7.0)),
        (&[7.0, 5.0], Some(5.0)),
        (&[9.0, 1.0, 5.0], Some(3.0)),
        (&[5.0, 4.0, 3.0, 2.0, 1.0], Some(2.0)),
    ];
    for (samples, value) in rows {
        assert_eq!(representative_ms(&mut samples.to_vec()), value, "{samples:?}");
    }
}

proptest! {
    /// Estimates are finite, one for each PoP, ascending, and do not depend on the order in which
    /// networks were learnt.
    #[test]
    fn estimates_do_not_depend_on_order(
        networks in prop::collection::vec(
            (
                -80.0..80.0_f64,
                -180.0..180.0_f64,
                prop::collection::btree_map(0_u16..3, 0.1..3000.0_f64, 0..3),
            ),
            0..20,
        ),
        seed in any::<u64>(),
    ) {
        let mut units: Vec<MeasuredUnit> = networks
            .iter()
            .map(|(lat, lon, rtts)| {
                let rtts = rtts.iter().map(|(pop, rtt_ms)| (*pop, *rtt_ms)).collect();
                (spot("FR", *lat, *lon), vec![rtts])
            })
            .collect();
        let first = Estimator::learn(&pops(), &measured(&units), 1);
        let turn = (seed % (units.len() as u64 + 1)) as usize;
        units.rotate_left(turn);
        units.reverse();
        let turned = measured(&units);
        let second = Estimator::learn(&pops(), &turned, 1);
        for (number, (spot, _)) in (0..).zip(&units) {
            let (own, votes) = (turned.own(number), turned.votes(number));
            let estimates = first.around(spot).estimates(own, votes);
            prop_assert_eq!(&estimates, &second.around(spot).estimates(own, votes));
            prop_assert_eq!(estimates.len(), 3);
            prop_assert!(estimates.iter().all(|estimate| estimate.rtt_ms.is_finite()));
        }
    }

    /// The search finds the nearest neighbours, and no others.
    #[test]
    fn the_nearest_are_the_nearest(
        places in prop::collection::vec((-80.0..80.0_f64, -180.0..180.0_f64), 0..60),
        count in 1_usize..20,
    ) {
        let units: Vec<MeasuredUnit> =
            places.iter().map(|(lat, lon)| (spot("FR", *lat, *lon), vec![vec![(0, 9.0)]])).collect();
        let neighbours = Neighbours::new(&measured(&units), 1, |_, _| 0.0);
        let here = spot("FR", 10.0, 20.0);
        let chord = |number: u32| {
            let there = neighbours.get(number).spot.point.on_sphere();
            crate::geo::distance::square_of_chord(here.point.on_sphere(), there)
        };
        let mut found: Vec<u32> = neighbours.nearest(&here, count).collect();
        found.sort_unstable();
        let mut all: Vec<u32> = (0..neighbours.count() as u32).collect();
        all.sort_by(|a, b| chord(*a).total_cmp(&chord(*b)).then(a.cmp(b)));
        all.truncate(count);
        all.sort_unstable();
        prop_assert_eq!(found, all);
    }
}
