//! Quality of a map where networks were measured: the estimates that they would have without
//! samples of their own, against what they measured.

use super::estimate::Around;
use super::measured::{OwnRtt, Vote};

/// Estimated and measured RTTs, and the penalties of choosing by estimate and by distance.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quality {
    /// Measured and estimated RTT of a unit to a PoP, in ms.
    pub(crate) pairs: Vec<(f32, f32)>,
    /// RTT of the PoP that the estimates choose minus that of the fastest, in ms, for each unit
    /// that measured two PoPs or more; only PoPs that it measured count.
    pub(crate) by_latency: Vec<f32>,
    /// The same for the nearest of these PoPs.
    pub(crate) by_distance: Vec<f32>,
}

impl Quality {
    /// Adds a unit with samples.
    pub(crate) fn add(&mut self, around: &mut Around<'_>, own: &[OwnRtt], votes: &[Vote]) {
        let estimated = around.without_own(own, votes);
        self.pairs
            .extend(own.iter().zip(&estimated).map(|(own, rtt_ms)| (own.rtt_ms as f32, *rtt_ms as f32)));
        if own.len() < 2 {
            return;
        }
        let least = |key: &dyn Fn(usize) -> f64| {
            let first = (0..own.len()).min_by(|&a, &b| key(a).total_cmp(&key(b)));
            own[first.unwrap_or_default()].rtt_ms
        };
        let best = least(&|at| own[at].rtt_ms);
        self.by_latency.push((least(&|at| estimated[at]) - best) as f32);
        self.by_distance.push((least(&|at| around.km_to(own[at].pop)) - best) as f32);
    }

    /// Sorts the penalties.
    pub(crate) fn sort(&mut self) {
        self.by_latency.sort_unstable_by(f32::total_cmp);
        self.by_distance.sort_unstable_by(f32::total_cmp);
    }
}
