//! Outages: pools in which nothing passes, found when a status is made.
//!
//! A choice from such a pool would scan its whole list for regular candidates, again for last
//! resorts, and only then use the policy's answer for all down. The result of both scans is the
//! same for every query, so they are left out; only their horizon is kept.

use super::policy::PolicyId;
use super::pop::PopId;
use super::pop_status::{ALL_CELLS, PopStatus};
use super::preference_list::PoolNumber;
use super::table::{NO_SLOT, PolicyTable};
use super::view::View;
use crate::health::health_state::NO_HORIZON;

/// A pool in which nothing passes, whatever the family and the cell are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outage {
    /// Policy, pool, and true if this is the view of lists whose pool is on its way back.
    of: (PolicyId, PoolNumber, bool),
    /// Facts common to its PoPs.
    pub(crate) common: Common,
}

/// Facts that hold for PoPs of which none passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Common {
    /// Nearest horizon: seconds until one of them can change, or [`NO_HORIZON`].
    pub(crate) horizon_secs: u32,
    /// Highest place in the order in which slots went down; 0 if none ever was up.
    pub(crate) went_down: u32,
}

/// All outages, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outages(Box<[Outage]>);

impl Outages {
    /// The outages of some policies, each with its view.
    pub(super) fn of<'v>(
        pops: &[PopStatus],
        policies: impl Iterator<Item = (&'v PolicyTable, &'v View)>,
    ) -> Outages {
        let mut found = Vec::new();
        for (index, (policy, view)) in PolicyId::in_order().zip(policies) {
            // A CNAME always passes, and which lists have one is not known here.
            if policy.has_cname_member() {
                continue;
            }
            for (number, pool) in (0..).map(PoolNumber).zip(&policy.pools) {
                let returning = view.returning().iter().filter(|returning| returning.pool == number);
                let views = [(false, view)].into_iter().chain(returning.map(|it| (true, &it.view)));
                found.extend(views.filter_map(|(returns, view)| {
                    let common = Common::of(pops, policy, pool.iter().copied(), view)?;
                    Some(Outage { of: (index, number, returns), common })
                }));
            }
        }
        Outages(found.into())
    }

    /// The outage of a pool of a policy.
    pub(super) fn get(&self, policy: PolicyId, pool: PoolNumber, returns: bool) -> Option<&Common> {
        let at = self.0.binary_search_by_key(&(policy, pool, returns), |outage| outage.of).ok()?;
        Some(&self.0[at].common)
    }
}

impl Common {
    /// Nearest horizon and highest rank of going down over some PoPs; `None` if one of them passes,
    /// or if some but not all cells of one are away (drain or ramp). Stops at the first such PoP,
    /// mostly the first of all.
    pub(super) fn of(
        pops: &[PopStatus],
        policy: &PolicyTable,
        some: impl Iterator<Item = PopId>,
        view: &View,
    ) -> Option<Common> {
        let mut common = Common { horizon_secs: NO_HORIZON, went_down: 0 };
        for pop in some {
            let is = &pops[pop.index()];
            // A scan reads the client's cell for such a PoP, and the scope must then cover the
            // cell. So the scan cannot be left out.
            if (1..ALL_CELLS).contains(&is.left) {
                return None;
            }
            let slot = policy.slots[pop.index()];
            if slot == NO_SLOT {
                common.horizon_secs = common.horizon_secs.min(is.horizon_secs);
                continue;
            }
            let seen = view.slot(slot);
            if !is.state.is_down() {
                if seen.up | seen.last_resort | seen.awaited != 0 {
                    return None;
                }
                common.went_down = common.went_down.max(seen.went_down);
            }
            common.horizon_secs = common.horizon_secs.min(seen.horizon_secs);
        }
        Some(common)
    }
}
