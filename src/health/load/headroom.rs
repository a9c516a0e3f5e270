//! Headroom: the shed load that each PoP takes.
//!
//! Each PoP that sheds asks its followers in turn, the nearest first. The first accepts as much as
//! its room allows, the rest goes to the second, and so on, so that shed cells spread instead of
//! falling on one PoP. Load that followers accept already is subtracted from their room first, so
//! that no room is promised twice. If several PoPs ask one follower in the same turn, its remaining
//! room is split in proportion to their requests. Cells are assumed equal in demand; if they are
//! not, the follower's own rule corrects it.

/// Part of the outflow below which nothing more is handed out.
pub(crate) const CRUMB: f64 = 1.0 / 512.0;
/// Least part of the outflow that is offered to a follower further down, because some cells do not
/// have the followers before it in their list.
const ASKED_MIN: f64 = 0.25;

/// Load that a PoP must shed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outflow {
    /// Load to shed, in the unit of the capacity, above 0.
    pub(crate) load: f64,
    /// Followers that may take it, in the order of asking.
    pub(crate) takers: Vec<Taker>,
    /// Part of the outflow that needs a place, 0 to 1. It is below 1 if the present share sheds
    /// more than the overload.
    pub(crate) needed: f64,
}

list_index! {
    /// Index into the headrooms: the feeds, and behind them all PoPs, for those without a feed.
    pub(crate) TakerId(u32)
}

/// Follower that is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Taker {
    /// The follower.
    pub(crate) to: TakerId,
    /// Published acceptance: share of the cells asking it that it accepts, 0 to 1.
    pub(crate) published: f64,
    /// Highest acceptance allowed, at least `published`.
    pub(crate) ceiling: f64,
    /// True if a rise only moves cells that another PoP holds, so that it needs no budget.
    pub(crate) moves_placed: bool,
}

/// Distribution of an outflow.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Accepted {
    /// New acceptance of each taker: share of the cells asking it, 0 to 1.
    pub(crate) accept: Vec<f64>,
    /// Part of the outflow that each taker gets; together at most 1.
    pub(crate) parts: Vec<f64>,
}

/// Parts of an outflow that followers with these acceptances take, in the order of asking.
pub(crate) fn parts(accepts: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut rest = 1.0;
    accepts
        .map(|accept| {
            let part = rest * accept;
            rest -= part;
            part
        })
        .collect()
}

/// Splits headrooms among outflows. A headroom is the load that a PoP may take from all others; it
/// is infinite for a PoP without a limit.
pub(crate) fn split(outflows: &[Outflow], headrooms: &[f64]) -> Vec<Accepted> {
    let mut planned = vec![0.0; headrooms.len()];
    for outflow in outflows {
        let published = parts(outflow.takers.iter().map(|taker| taker.published));
        for (taker, part) in outflow.takers.iter().zip(published) {
            planned[taker.to.index()] += outflow.load * part;
        }
    }
    // Fit of the planned load, and the room that remains.
    let fits = |to: TakerId| {
        let (headroom, planned) = (headrooms[to.index()], planned[to.index()]);
        if planned > headroom { headroom / planned } else { 1.0 }
    };
    let mut free: Vec<f64> =
        headrooms.iter().zip(&planned).map(|(headroom, planned)| (headroom - planned).max(0.0)).collect();
    let mut rest: Vec<f64> = vec![1.0; outflows.len()];
    // Part of each outflow that may still find a new place.
    let unplaced: Vec<f64> = outflows
        .iter()
        .map(|outflow| {
            let kept = parts(outflow.takers.iter().map(|taker| taker.published * fits(taker.to)));
            (outflow.needed - kept.iter().sum::<f64>()).max(0.0)
        })
        .collect();
    let mut budget = unplaced.clone();
    let mut split: Vec<Accepted> =
        outflows.iter().map(|_| Accepted { accept: Vec::new(), parts: Vec::new() }).collect();
    let turns = outflows.iter().map(|outflow| outflow.takers.len()).max().unwrap_or(0);
    let mut asked = vec![0.0; headrooms.len()];
    for turn in 0..turns {
        // Requests of this turn: the acceptance that the follower keeps, and its possible rise.
        let asks: Vec<Option<Ask>> = outflows
            .iter()
            .zip(rest.iter().zip(budget.iter().zip(&unplaced)))
            .map(|(outflow, (rest, (budget, unplaced)))| {
                let taker = outflow.takers.get(turn)?;
                let kept = taker.published * fits(taker.to);
                let mut rise = (taker.ceiling - kept).max(0.0);
                if !taker.moves_placed {
                    rise = rise.min(if *rest > CRUMB { budget / rest } else { *unplaced });
                }
                Some(Ask { to: taker.to.index(), kept, rise, needs_budget: !taker.moves_placed })
            })
            .collect();
        for ((ask, outflow), rest) in asks.iter().zip(outflows).zip(&rest) {
            if let Some(ask) = ask.as_ref().filter(|_| *rest > CRUMB) {
                asked[ask.to] += outflow.load * rest * ask.rise;
            }
        }
        let before = free.clone();
        for (index, ask) in asks.iter().enumerate() {
            let Some(ask) = ask else { continue };
            let load = outflows[index].load;
            let offered = asked[ask.to].max(load * ASKED_MIN * ask.rise);
            // A full follower is still asked, by cells that have no other in their list.
            let part =
                if before[ask.to] > 0.0 && offered > 0.0 { (before[ask.to] / offered).min(1.0) } else { 0.0 };
            let accept = ask.kept + ask.rise * part;
            let mut taken = 0.0;
            if rest[index] > CRUMB {
                let risen = rest[index] * ask.rise * part;
                taken = rest[index] * accept;
                rest[index] -= taken;
                free[ask.to] = (free[ask.to] - load * risen).max(0.0);
                budget[index] -= if ask.needs_budget { risen } else { 0.0 };
            }
            split[index].accept.push(accept);
            split[index].parts.push(taken);
        }
        asks.iter().flatten().for_each(|ask| asked[ask.to] = 0.0);
    }
    split
}

/// Request of one outflow to one follower.
struct Ask {
    to: usize,
    /// Acceptance that continues.
    kept: f64,
    /// Highest possible rise.
    rise: f64,
    needs_budget: bool,
}
