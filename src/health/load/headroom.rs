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
    /// Published acceptance: of the cells that ask this follower, the share that it accepts, 0 to
    /// 1.
    pub(crate) published: f64,
    /// Highest acceptance allowed, at least `published`.
    pub(crate) ceiling: f64,
    /// True if a rise only moves cells that another PoP holds, so that it needs no budget.
    pub(crate) moves_placed: bool,
}

/// Distribution of an outflow.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Accepted {
    /// New acceptance of each taker: of the cells that ask it, the share that it accepts, 0 to 1.
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
    let mut split = Split::of_published(outflows, headrooms);
    let turns = outflows.iter().map(|outflow| outflow.takers.len()).max().unwrap_or(0);
    for turn in 0..turns {
        split.grant(&split.asks(turn));
    }
    split.accepted
}

/// Split of headrooms, turn by turn.
struct Split<'o> {
    outflows: &'o [Outflow],
    /// Factor by which the published acceptances of each follower are reduced to fit its headroom,
    /// 0 to 1.
    fits: Vec<f64>,
    /// Room that remains of each headroom.
    free: Vec<f64>,
    /// Part of each outflow that no follower has accepted yet.
    rest: Vec<f64>,
    /// Part of each outflow that may find a new place, before the first turn.
    unplaced: Vec<f64>,
    /// The same part as it is now.
    budget: Vec<f64>,
    accepted: Vec<Accepted>,
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

impl Split<'_> {
    /// Before the first turn: followers keep what they accept already, as far as it fits.
    fn of_published<'o>(outflows: &'o [Outflow], headrooms: &[f64]) -> Split<'o> {
        let mut planned = vec![0.0; headrooms.len()];
        for outflow in outflows {
            let published = parts(outflow.takers.iter().map(|taker| taker.published));
            for (taker, part) in outflow.takers.iter().zip(published) {
                planned[taker.to.index()] += outflow.load * part;
            }
        }
        let rooms = || headrooms.iter().zip(&planned);
        let fit = |(headroom, planned): (&f64, &f64)| {
            if planned > headroom { headroom / planned } else { 1.0 }
        };
        let fits: Vec<f64> = rooms().map(fit).collect();
        let unplaced = |outflow: &Outflow| {
            let kept = parts(outflow.takers.iter().map(|taker| taker.published * fits[taker.to.index()]));
            (outflow.needed - kept.iter().sum::<f64>()).max(0.0)
        };
        let unplaced: Vec<f64> = outflows.iter().map(unplaced).collect();
        let none = Accepted { accept: Vec::new(), parts: Vec::new() };
        Split {
            outflows,
            free: rooms().map(|(headroom, planned)| (headroom - planned).max(0.0)).collect(),
            fits,
            rest: vec![1.0; outflows.len()],
            budget: unplaced.clone(),
            unplaced,
            accepted: vec![none; outflows.len()],
        }
    }

    /// Requests of a turn: the acceptance that the follower keeps, and its possible rise.
    fn asks(&self, turn: usize) -> Vec<Option<Ask>> {
        let ask = |(index, outflow): (usize, &Outflow)| {
            let taker = outflow.takers.get(turn)?;
            let kept = taker.published * self.fits[taker.to.index()];
            let mut rise = (taker.ceiling - kept).max(0.0);
            if !taker.moves_placed {
                let rest = self.rest[index];
                rise = rise.min(if rest > CRUMB { self.budget[index] / rest } else { self.unplaced[index] });
            }
            Some(Ask { to: taker.to.index(), kept, rise, needs_budget: !taker.moves_placed })
        };
        self.outflows.iter().enumerate().map(ask).collect()
    }

    /// Splits the room of each follower in proportion to the requests of a turn.
    fn grant(&mut self, asks: &[Option<Ask>]) {
        let mut asked = vec![0.0; self.free.len()];
        for ((ask, outflow), rest) in asks.iter().zip(self.outflows).zip(&self.rest) {
            if let Some(ask) = ask.as_ref().filter(|_| *rest > CRUMB) {
                asked[ask.to] += outflow.load * rest * ask.rise;
            }
        }
        let before = self.free.clone();
        for (index, ask) in asks.iter().enumerate() {
            let Some(ask) = ask else { continue };
            let load = self.outflows[index].load;
            let offered = asked[ask.to].max(load * ASKED_MIN * ask.rise);
            // A full follower is still asked, by cells that have no other in their list.
            let part =
                if before[ask.to] > 0.0 && offered > 0.0 { (before[ask.to] / offered).min(1.0) } else { 0.0 };
            let accept = ask.kept + ask.rise * part;
            let rest = self.rest[index];
            let mut taken = 0.0;
            if rest > CRUMB {
                let risen = rest * ask.rise * part;
                taken = rest * accept;
                self.rest[index] -= taken;
                self.free[ask.to] = (self.free[ask.to] - load * risen).max(0.0);
                self.budget[index] -= if ask.needs_budget { risen } else { 0.0 };
            }
            self.accepted[index].accept.push(accept);
            self.accepted[index].parts.push(taken);
        }
    }
}
