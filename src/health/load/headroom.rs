//! Headroom: how much shed load each PoP takes.
//!
//! Each PoP that sheds asks its followers in turn, the nearest first: the first accepts what its
//! room allows, the rest asks the second, and so on, so that leavers spread instead of falling on
//! one PoP. Where several ask one PoP in the same turn, its room is split by what they ask for.
//! Cells are assumed equal in demand; where that is wrong, the follower's own rule corrects it.

/// A part of the outflow below which nothing more is handed out.
const CRUMB: f64 = 1.0 / 512.0;
/// A follower further down is offered at least this part of the outflow when it is judged, since
/// cells do not all know the followers before it.
const ASKED_MIN: f64 = 0.25;

/// One that sheds or will.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outflow {
    /// Load that is to leave, in the unit of the capacity, above 0.
    pub(crate) load: f64,
    /// Who may take it, in the order of asking: indexes into the headrooms.
    pub(crate) followers: Vec<u32>,
}

/// What became of an outflow.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Accepted {
    /// For each follower the share of those that ask it which it accepts, 0 to 1.
    pub(crate) accept: Vec<f64>,
    /// For each follower the part of the outflow that it is to take; together at most 1.
    pub(crate) parts: Vec<f64>,
    /// The part that somebody takes, 0 to 1.
    pub(crate) taken: f64,
}

/// Splits headrooms (load that each may still take; infinite where nothing limits it) among
/// outflows.
pub(crate) fn split(outflows: &[Outflow], headrooms: &[f64]) -> Vec<Accepted> {
    let mut headrooms = headrooms.to_vec();
    let mut rest: Vec<f64> = outflows.iter().map(|outflow| outflow.load).collect();
    let mut split: Vec<Accepted> = outflows
        .iter()
        .map(|outflow| {
            let none = vec![0.0; outflow.followers.len()];
            Accepted { accept: none.clone(), parts: none, taken: 0.0 }
        })
        .collect();
    let turns = outflows.iter().map(|outflow| outflow.followers.len()).max().unwrap_or(0);
    let mut asked = vec![0.0; headrooms.len()];
    for turn in 0..turns {
        let asks =
            |index: usize, rest: &[f64]| (rest[index] > outflows[index].load * CRUMB).then_some(rest[index]);
        let follower = |index: usize| outflows[index].followers.get(turn).map(|follower| *follower as usize);
        for index in 0..outflows.len() {
            if let (Some(to), Some(load)) = (follower(index), asks(index, &rest)) {
                asked[to] += load;
            }
        }
        let before = headrooms.clone();
        for index in 0..outflows.len() {
            let Some(to) = follower(index) else { continue };
            let (load, asking) = (outflows[index].load, asks(index, &rest));
            let offered = asked[to].max(load * ASKED_MIN);
            // Who is full already is still asked by cells that know nobody else.
            let accept = if before[to] > 0.0 { (before[to] / offered).min(1.0) } else { 0.0 };
            split[index].accept[turn] = accept;
            if let Some(asking) = asking {
                let taken = asking * accept;
                rest[index] -= taken;
                headrooms[to] -= taken;
                split[index].parts[turn] = taken / load;
                split[index].taken += taken / load;
            }
        }
        for index in 0..outflows.len() {
            if let Some(to) = follower(index) {
                asked[to] = 0.0;
            }
        }
    }
    split
}
