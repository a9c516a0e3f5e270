//! Offsets: the RTT that all samples have beyond the model of distance, and those of each PoP.

use super::Spot;
use crate::latency::measured::Measured;
use crate::latency::model::{km_between, rtt_of_km};

/// Networks at which the offset of all samples is believed by half.
const OFFSET_HALF: f64 = 5.0;
/// Networks at which the offset of one PoP is believed by half.
const POP_OFFSET_HALF: f64 = 15.0;
/// Weight of all residuals of one network, an integer so that sums do not depend on their order.
const NETWORK_WEIGHT: u64 = 1 << 32;

/// Step 1 of the module head: for each PoP the sum of both offsets, in ms.
///
/// Each network has one vote, however many PoPs it measured, and the offset of fewer than
/// `networks_min` networks is zero. So one network that lies moves an offset no further than to
/// the nearest value of an honest one.
pub(super) fn offsets(pops: &[Spot], measured: &Measured, networks_min: u32) -> Vec<f64> {
    let mut all: Vec<(f64, u64)> = Vec::new();
    let mut by_pop: Vec<Vec<f64>> = vec![Vec::new(); pops.len()];
    let (mut networks, mut counts) = (0_u64, Vec::new());
    for (spot, votes) in measured.each() {
        counts.clear();
        for vote in votes.iter().filter(|vote| vote.is_global) {
            let network = vote.network as usize;
            counts.resize(counts.len().max(network + 1), 0_u64);
            counts[network] += 1;
        }
        networks += counts.iter().filter(|count| **count > 0).count() as u64;
        for vote in votes.iter().filter(|vote| vote.is_global) {
            let pop = usize::from(vote.pop);
            let residual = vote.rtt_ms - rtt_of_km(km_between(&spot.point, &pops[pop].point));
            all.push((residual, NETWORK_WEIGHT / counts[vote.network as usize]));
            by_pop[pop].push(residual);
        }
    }
    let drawn = |value: f64, count: u64, half: f64| match count < u64::from(networks_min) {
        true => 0.0,
        false => value * count as f64 / (count as f64 + half),
    };
    let of_all = drawn(weighted_median(&mut all), networks, OFFSET_HALF);
    (by_pop.into_iter())
        .map(|mut residuals| {
            residuals.iter_mut().for_each(|residual| *residual -= of_all);
            residuals.sort_unstable_by(f64::total_cmp);
            of_all + drawn(median(&residuals), residuals.len() as u64, POP_OFFSET_HALF)
        })
        .collect()
}

/// The median of values with weights, the mean of two where they share the middle; 0 of none.
fn weighted_median(values: &mut [(f64, u64)]) -> f64 {
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let all: u64 = values.iter().map(|(_, weight)| weight).sum();
    let mut below = 0;
    for (at, (value, weight)) in values.iter().enumerate() {
        below += weight;
        if below * 2 > all {
            return *value;
        }
        if below * 2 == all {
            return (value + values[at + 1].0) / 2.0;
        }
    }
    0.0
}

/// The median of ascending values, of an even number the mean of the middle two; 0 of none.
pub(super) fn median(values: &[f64]) -> f64 {
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}
