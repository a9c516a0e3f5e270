//! Bands: rankings by distance and by round-trip time, cut into groups of equals.

use super::{Contest, RankBy, Ranker};
use crate::steer::fastest::{RankedRtt, band_len};
use crate::steer::nearest::Ranked;
use crate::steer::policy::{BandWidth, Candidate, LatencyBand, Weights};
use crate::steer::pop::PopId;
use crate::steer::preference_list::Entry;

/// Width of every band in addition to its percentage, so that PoPs in one metropolis are equals
/// even for a client next to one of them.
pub(crate) const BAND_FLOOR_M: i64 = 50_000;

impl Ranker<'_> {
    /// Cuts a ranking of candidates into bands, up to `depth` entries; candidates without a place
    /// follow. The ranking has the first `depth` candidates and further ones at the same distance
    /// as the last of them; bands need no more.
    pub(super) fn nearest(
        &self,
        contest: &Contest<'_>,
        ranked: &[Ranked],
        depth: u8,
        by: RankBy<'_>,
    ) -> Vec<Entry> {
        let width = by.width;
        let place_of = |r: &Ranked| self.pops[r.pop.index()].coordinates;
        let at_one_place =
            |r: &Ranked, best: &Ranked| r.biased_m == best.biased_m && place_of(r) == place_of(best);
        let grouped;
        let ranked = match width {
            // A band never ends between equal distances, so candidates at one place are in one
            // band.
            BandWidth::Percent(_) | BandWidth::Latency(_) => ranked,
            // Without a width, a band has the candidates at one place only. They must be brought
            // together first, because a PoP elsewhere may have the same distance.
            BandWidth::None => {
                grouped = with_ties_grouped(ranked, at_one_place);
                &grouped
            }
        };
        let equals = |rest: &[Ranked]| match (rest.first(), width) {
            (None, _) => 0,
            (Some(best), BandWidth::None) => rest.iter().take_while(|r| at_one_place(r, best)).count(),
            // A width of RTTs has no distance: `check` refuses it beside `order: nearest`.
            (Some(best), BandWidth::Latency(LatencyBand { percent, .. }) | BandWidth::Percent(percent)) => {
                let reach_m = best.biased_m + best.biased_m.max(0) * i64::from(percent) / 100 + BAND_FLOOR_M;
                rest.iter().take_while(|r| r.biased_m <= reach_m).count()
            }
        };
        self.banded(contest, ranked, depth, by.weights, |r| r.pop, equals)
    }

    /// Cuts a ranking by RTT into bands, up to the band in which `depth` is reached.
    pub(super) fn fastest(
        &self,
        contest: &Contest<'_>,
        ranked: &[RankedRtt],
        depth: u8,
        by: RankBy<'_>,
    ) -> Vec<Entry> {
        let equals = |rest: &[RankedRtt]| band_len(rest, by.width.of_latency());
        self.banded(contest, ranked, depth, by.weights, |r| r.pop, equals)
    }

    /// Cuts a ranking into bands, up to the band in which `depth` entries are reached; candidates
    /// without a place follow. `equals` returns the length of the first band of a ranking.
    fn banded<R>(
        &self,
        contest: &Contest<'_>,
        ranked: &[R],
        depth: u8,
        weights: &Weights,
        pop_of: impl Fn(&R) -> PopId,
        equals: impl Fn(&[R]) -> usize,
    ) -> Vec<Entry> {
        let depth = usize::from(depth);
        let mut entries: Vec<Entry> = Vec::with_capacity(ranked.len().min(depth));
        let (mut rest, mut band) = (ranked, 0);
        while !rest.is_empty() && entries.len() < depth {
            let (equals, behind) = rest.split_at(equals(rest));
            let begin = entries.len();
            let listed = equals.iter().take(depth - begin).map(|r| Candidate::Pop(pop_of(r)));
            entries.extend(listed.map(|candidate| self.entry(&candidate, band, weights)));
            entries[begin..].sort_unstable_by_key(|e| e.target);
            rest = behind;
            band += 1;
        }
        for candidate in &contest.placeless {
            entries.push(self.entry(candidate, band, weights));
            band += 1;
        }
        entries
    }
}

/// The ranking, with PoPs of equal distance reordered so that PoPs at one place stand together.
fn with_ties_grouped(ranked: &[Ranked], at_one_place: impl Fn(&Ranked, &Ranked) -> bool) -> Vec<Ranked> {
    let mut grouped = ranked.to_vec();
    for tied in grouped.chunk_by_mut(|a, b| a.biased_m == b.biased_m) {
        let mut rest = tied;
        while let [best, behind @ ..] = rest {
            behind.sort_by_key(|r| !at_one_place(r, best));
            let equals = behind.iter().take_while(|r| at_one_place(r, best)).count();
            rest = &mut behind[equals..];
        }
    }
    grouped
}
