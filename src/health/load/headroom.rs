//! Headroom: how much shed load each PoP takes.
//!
//! Each PoP that sheds asks its followers in turn, the nearest first: the first accepts what its
//! room allows, the rest asks the second, and so on, so that leavers spread instead of falling on
//! one PoP. What followers accept already is planned: it comes off their room first, so that a room
//! is never promised twice. Where several ask one PoP in the same turn, what is left of its room is
//! split by what they ask for. Cells are assumed equal in demand; where that is wrong, the
//! follower's own rule corrects it.

/// A part of the outflow below which nothing more is handed out.
pub(crate) const CRUMB: f64 = 1.0 / 512.0;
/// A follower further down is offered at least this part of the outflow when it is judged, since
/// cells do not all know the followers before it.
const ASKED_MIN: f64 = 0.25;

/// Load that is to leave a PoP.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outflow {
    /// Load that is to leave, in the unit of the capacity, above 0.
    pub(crate) load: f64,
    /// Who may take it, in the order of asking.
    pub(crate) takers: Vec<Taker>,
    /// The part of the outflow that needs a place, 0 to 1: less than 1 where more may leave by now
    /// than must.
    pub(crate) needed: f64,
}

/// A follower that is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Taker {
    /// Index into the headrooms.
    pub(crate) to: u32,
    /// The share of those that ask it which it accepts by now, 0 to 1.
    pub(crate) told: f64,
    /// The most that it may accept, at least `told`.
    pub(crate) ceiling: f64,
    /// A rise moves cells that another PoP holds, so it needs no budget.
    pub(crate) moves_placed: bool,
}

/// What became of an outflow.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Accepted {
    /// For each taker the share of those that ask it which it is to accept, 0 to 1.
    pub(crate) accept: Vec<f64>,
    /// For each taker the part of the outflow that it is to take; together at most 1.
    pub(crate) parts: Vec<f64>,
}

/// The parts of an outflow that go to followers of these acceptances, in the order of asking.
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

/// Splits headrooms (load that each may take in all from others; infinite where nothing limits it)
/// among outflows.
pub(crate) fn split(outflows: &[Outflow], headrooms: &[f64]) -> Vec<Accepted> {
    let mut planned = vec![0.0; headrooms.len()];
    for outflow in outflows {
        let told = parts(outflow.takers.iter().map(|taker| taker.told));
        for (taker, part) in outflow.takers.iter().zip(told) {
            planned[taker.to as usize] += outflow.load * part;
        }
    }
    // The part of what is planned that fits, and the room that is left.
    let fits = |to: u32| {
        let (headroom, planned) = (headrooms[to as usize], planned[to as usize]);
        if planned > headroom { headroom / planned } else { 1.0 }
    };
    let mut free: Vec<f64> =
        headrooms.iter().zip(&planned).map(|(headroom, planned)| (headroom - planned).max(0.0)).collect();
    let mut rest: Vec<f64> = vec![1.0; outflows.len()];
    // The part of each outflow that may still find a new place.
    let unplaced: Vec<f64> = outflows
        .iter()
        .map(|outflow| {
            let kept = parts(outflow.takers.iter().map(|taker| taker.told * fits(taker.to)));
            (outflow.needed - kept.iter().sum::<f64>()).max(0.0)
        })
        .collect();
    let mut budget = unplaced.clone();
    let mut split: Vec<Accepted> =
        outflows.iter().map(|_| Accepted { accept: Vec::new(), parts: Vec::new() }).collect();
    let turns = outflows.iter().map(|outflow| outflow.takers.len()).max().unwrap_or(0);
    let mut asked = vec![0.0; headrooms.len()];
    for turn in 0..turns {
        // Who asks in this turn: what the follower keeps, and by how much that may rise.
        let asks: Vec<Option<Ask>> = outflows
            .iter()
            .zip(rest.iter().zip(budget.iter().zip(&unplaced)))
            .map(|(outflow, (rest, (budget, unplaced)))| {
                let taker = outflow.takers.get(turn)?;
                let kept = taker.told * fits(taker.to);
                let mut rise = (taker.ceiling - kept).max(0.0);
                if !taker.moves_placed {
                    rise = rise.min(if *rest > CRUMB { budget / rest } else { *unplaced });
                }
                Some(Ask { to: taker.to as usize, kept, rise, needs_budget: !taker.moves_placed })
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
            // A follower that is full is still asked by cells that know no other.
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

/// One outflow at one follower.
struct Ask {
    to: usize,
    /// The acceptance that goes on.
    kept: f64,
    /// The most by which it may rise.
    rise: f64,
    needs_budget: bool,
}
