//! The estimator: what it must do whatever the numbers are.

use super::*;
use proptest::prelude::*;

fn spot(country: &str, lat: f64, lon: f64) -> Spot {
    Spot::new(Country::from_code(country), Coordinates::from_degrees(lat, lon).unwrap())
}

/// PoPs in Frankfurt, New York and Singapore.
fn pops() -> Vec<Spot> {
    vec![spot("DE", 50.1, 8.7), spot("US", 40.7, -74.0), spot("SG", 1.35, 103.8)]
}

fn own(pop: u16, rtt_ms: f64) -> OwnRtt {
    OwnRtt { pop, rtt_ms, samples: 5, networks: 1 }
}

fn order(estimates: &[Estimate]) -> Vec<u16> {
    estimates.iter().map(|estimate| estimate.pop).collect()
}

/// Without measurements the order is that of distance.
#[test]
fn nothing_measured_is_distance() {
    let estimator = Estimator::learn(&pops(), &[], 1);
    for (at, first) in
        [(spot("PL", 52.2, 21.0), 0), (spot("CA", 45.5, -73.6), 1), (spot("ID", -6.2, 106.8), 2)]
    {
        let estimates = estimator.estimates(&at, &[]);
        assert_eq!(estimates[0].pop, first);
        assert!(estimates.iter().all(|estimate| estimate.source == RttSource::Distance));
    }
}

/// Samples of a network decide for it, and for its neighbours where enough of them agree.
#[test]
fn neighbours_share_what_they_measured() {
    // Riyadh is nearer to Frankfurt, and its networks reach Singapore faster.
    let at = |lat: f64| spot("SA", lat, 46.7);
    let network = |lat: f64| MeasuredNetwork { spot: at(lat), own: vec![own(0, 240.0), own(2, 90.0)] };
    let networks: Vec<MeasuredNetwork> = [24.0, 24.1, 24.2, 24.3].map(network).to_vec();
    let estimator = Estimator::learn(&pops(), &networks, 1);
    assert_eq!(order(&estimator.estimates(&at(24.1), &networks[1].own))[0], 2);
    let near = estimator.estimates(&at(24.6), &[]);
    assert_eq!((near[0].pop, near[0].source), (2, RttSource::Neighbours));
    // One /24 that lies moves nobody else.
    let estimator = Estimator::learn(&pops(), &networks[..1], 3);
    assert_eq!(order(&estimator.estimates(&at(24.6), &[]))[0], 0);
}

/// A liar among three networks of a square is outvoted.
#[test]
fn the_median_outvotes_a_liar() {
    let at = |lon: f64| spot("PL", 52.1, lon);
    let network = |lon: f64, rtt_ms: f64| MeasuredNetwork { spot: at(lon), own: vec![own(0, rtt_ms)] };
    let honest = [network(21.0, 20.0), network(21.01, 21.0), network(21.02, 22.0)];
    let mut lied = honest.clone();
    lied[2] = network(21.02, 2900.0);
    let rtt = |networks: &[MeasuredNetwork]| {
        let estimates = Estimator::learn(&pops(), networks, 3).estimates(&spot("PL", 52.4, 21.0), &[]);
        estimates.iter().find(|estimate| estimate.pop == 0).unwrap().rtt_ms
    };
    assert!((rtt(&honest) - rtt(&lied)).abs() < 2.0, "{} {}", rtt(&honest), rtt(&lied));
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
        let mut measured: Vec<MeasuredNetwork> = networks
            .iter()
            .map(|(lat, lon, rtts)| MeasuredNetwork {
                spot: spot("FR", *lat, *lon),
                own: rtts.iter().map(|(pop, rtt_ms)| own(*pop, *rtt_ms)).collect(),
            })
            .collect();
        let first = Estimator::learn(&pops(), &measured, 1);
        let turn = (seed % (measured.len() as u64 + 1)) as usize;
        measured.rotate_left(turn);
        measured.reverse();
        let second = Estimator::learn(&pops(), &measured, 1);
        for network in &measured {
            let estimates = first.estimates(&network.spot, &network.own);
            prop_assert_eq!(&estimates, &second.estimates(&network.spot, &network.own));
            prop_assert_eq!(estimates.len(), 3);
            prop_assert!(estimates.iter().all(|estimate| estimate.rtt_ms.is_finite()));
            prop_assert!(estimates.windows(2).all(|pair| pair[0].rtt_ms <= pair[1].rtt_ms));
        }
    }
}
