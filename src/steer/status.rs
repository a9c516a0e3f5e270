//! Status: the state of every PoP now; all that a change of health, weight or load replaces.
//!
//! Policies see it through a [`View`]. Equal views are one.

use super::outage::{Common, Outages};
use super::policy::PolicyId;
use super::pop::{AdminState, PopId};
use super::pop_status::{ALL_CELLS, CandidateTier, PopStatus, Shed};
use super::preference_list::PoolNumber;
use super::table::{Families, PolicyTable, Slot, V4, V6};
use super::view::{Supposed, Supposing, View};
use crate::health::health_state::{HealthState, NO_HORIZON, ReturningPool, SlotHealth};
use crate::health::targets::SlotId;
use std::collections::HashMap;

/// Everything that changes without a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pops: Box<[PopStatus]>,
    /// For each slot; empty while nothing is shed anywhere.
    sheds: Box<[Shed]>,
    views: Box<[View]>,
    policies: Box<[PolicyStatus]>,
    outages: Outages,
}

/// Facts about a policy that no query changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PolicyStatus {
    /// Its view.
    view: u32,
    /// True if cells part by anything gradual.
    parts: bool,
    /// Families of its members that no operator has switched off, whatever probes say.
    offers: Families,
    /// 0 while a planned change of a member is near, else [`NO_HORIZON`].
    planned_secs: u32,
    /// Facts common to its members, if none passes.
    whole: Option<Common>,
}

impl Status {
    /// The status of a deployment: operators' states of PoPs, the health of each slot, and the
    /// cells that load sends away from each slot (an empty list if load sends none).
    pub fn new(
        pops: Vec<PopStatus>,
        slots: &[Slot],
        policies: &[PolicyTable],
        health_state: &HealthState,
        sheds: Vec<Shed>,
    ) -> Status {
        let sheds = if sheds.iter().any(|shed| shed.share > 0) { sheds } else { Vec::new() };
        let mut views: Vec<View> = Vec::new();
        let mut known: HashMap<ViewKey<'_>, u32> = HashMap::new();
        // Policies look for states that some PoP has.
        let is_gradual = !sheds.is_empty() || pops.iter().any(|pop| (1..ALL_CELLS).contains(&pop.left));
        let is_planned = pops.iter().any(|pop| pop.horizon_secs != NO_HORIZON);
        let of_policy = |(index, policy): (PolicyId, &PolicyTable)| {
            let held = health_state.held.binary_search_by_key(&index, |(policy, _)| *policy).ok();
            let health = held.map_or(&health_state.slots, |at| &health_state.held[at].1);
            // Policies that are held from the same moment on see the same.
            let same = held
                .and_then(|at| health_state.held[..at].iter().position(|(_, slots)| slots == health))
                .or(held);
            let look =
                |health: &[SlotHealth]| View::new(&pops, slots, health, &sheds, policy.up_threshold_percent);
            let (undamped, returning) = (undamped(health_state, index), pools_of(health_state, index));
            let key = ViewKey {
                threshold_percent: policy.up_threshold_percent,
                held: same,
                undamped,
                returning: returning.iter().map(PoolKey::of).collect(),
            };
            let view = *known.entry(key).or_insert_with(|| {
                let steady = (!undamped.is_empty()).then(|| steady(health, undamped));
                let health = steady.as_deref().unwrap_or(health);
                views.push(look(health).with_returning(health, returning, look));
                (views.len() - 1) as u32
            });
            let members = || policy.member_pops();
            let parts = is_gradual
                && members().map(|pop| pop.index()).any(|pop| {
                    let sheds = sheds.get(policy.slots[pop].index()).is_some_and(|shed| shed.share > 0);
                    sheds || (1..ALL_CELLS).contains(&pops[pop].left)
                });
            let planned_secs = match is_planned {
                true => members().map(|pop| pops[pop.index()].horizon_secs).min().unwrap_or(NO_HORIZON),
                false => NO_HORIZON,
            };
            PolicyStatus { view, parts, offers: 0, planned_secs, whole: None }
        };
        let each = PolicyId::in_order().zip(policies).map(of_policy).collect();
        let outages = Outages::default();
        let mut status =
            Status { pops: pops.into(), sheds: sheds.into(), views: views.into(), policies: each, outages };
        status.find_offers(slots, policies);
        status.find_outages(policies);
        status
    }

    /// Finds the families that each policy offers.
    fn find_offers(&mut self, slots: &[Slot], policies: &[PolicyTable]) {
        for (is, policy) in self.policies.iter_mut().zip(policies) {
            is.offers = 0;
            for pop in policy.member_pops().map(|pop| pop.index()) {
                if !self.pops[pop].state.is_down() {
                    let slot = slots.get(policy.slots[pop].index());
                    is.offers |= slot.map_or(0, Slot::families);
                }
                if is.offers == V4 | V6 {
                    break;
                }
            }
        }
    }

    /// Finds the pools and policies of which nothing passes.
    fn find_outages(&mut self, policies: &[PolicyTable]) {
        let view = |is: &PolicyStatus| &self.views[is.view as usize];
        self.outages = Outages::of(&self.pops, policies.iter().zip(self.policies.iter().map(view)));
        for (is, policy) in self.policies.iter_mut().zip(policies) {
            let view = &self.views[is.view as usize];
            let whole = Common::of(&self.pops, policy, policy.member_pops(), view);
            is.whole = whole.filter(|_| !policy.has_cname_member());
        }
    }

    /// This status with a supposition about some PoPs. Where an operator has forced a PoP up or
    /// switched it off, supposed probes change nothing, as in service. A forced-up PoP that is
    /// supposed to drain counts as healthy. In service its probes would decide, but the status
    /// keeps no probe verdicts for a forced-up PoP.
    pub fn supposing(
        &self,
        slots: &[Slot],
        policies: &[PolicyTable],
        supposed: &[(PopId, Supposed)],
    ) -> Status {
        let mut status = self.clone();
        for (pop, what) in supposed {
            let Some(is) = status.pops.get_mut(pop.index()) else { continue };
            if *what == Supposed::Drain {
                is.state = AdminState::Drain;
            }
            let all = status.views.iter().flat_map(|view| view.slots());
            let last = all.map(|slot| slot.went_down).max();
            let (pops, sheds) = (&status.pops, &self.sheds);
            let supposing = Supposing { what: *what, slots, pops, sheds, fell: last.unwrap_or(0) + 1 };
            status.views.iter_mut().for_each(|view| view.suppose(*pop, &supposing));
        }
        // After all suppositions, because only together they decide if a pool is back or all down.
        status.views.iter_mut().for_each(|view| view.end_returns(supposed, slots, &status.pops));
        status.find_offers(slots, policies);
        status.find_outages(policies);
        status
    }

    /// A PoP's state, weight and shares.
    #[inline]
    pub fn pop(&self, pop: PopId) -> &PopStatus {
        &self.pops[pop.index()]
    }

    /// All PoPs in order.
    pub fn pops(&self) -> &[PopStatus] {
        &self.pops
    }

    /// Cells that load sends away from a slot.
    #[inline]
    pub fn shed(&self, slot: SlotId) -> Option<&Shed> {
        self.sheds.get(slot.index())
    }

    /// Cells that load sends away from each slot; empty while nothing is shed anywhere.
    pub(crate) fn sheds(&self) -> &[Shed] {
        &self.sheds
    }

    /// The view of a policy, by its index.
    #[inline]
    pub fn view(&self, policy: PolicyId) -> &View {
        &self.views[self.policies[policy.index()].view as usize]
    }

    /// True if a policy's answer may depend on the client's cell: the policy shares clients by
    /// cell, or a gradual drain, a ramp or load now moves some cells of a PoP.
    #[inline]
    pub(crate) fn by_cell(&self, index: PolicyId, policy: &PolicyTable) -> bool {
        self.seen_by(index, policy).1
    }

    /// [`Status::view`] and [`Status::by_cell`].
    #[inline(always)]
    pub fn seen_by(&self, index: PolicyId, policy: &PolicyTable) -> (&View, bool) {
        let PolicyStatus { view, parts, .. } = self.policies[index.index()];
        (&self.views[view as usize], policy.by_cell || (parts && !policy.share.is_drawn()))
    }

    /// All views, and for each policy the index of its view.
    pub(crate) fn views(&self) -> (&[View], impl Iterator<Item = u32> + '_) {
        (&self.views, self.policies.iter().map(|is| is.view))
    }

    /// The tier of a PoP with a weight for a cell; `None` if an operator has switched it off.
    #[inline]
    pub fn tier(
        &self,
        pop: PopId,
        weight: u32,
        cell: impl FnOnce() -> u64,
        seed: u64,
    ) -> Option<CandidateTier> {
        let status = self.pop(pop);
        match status.state {
            AdminState::Down => None,
            AdminState::Drain => Some(CandidateTier::LastResort),
            _ if weight == 0 => Some(CandidateTier::LastResort),
            _ if status.is_left_by(cell, seed) => Some(CandidateTier::LastResort),
            AdminState::Auto | AdminState::Up => Some(CandidateTier::Regular),
        }
    }

    /// Seconds until a planned change of any PoP of a policy or its rules, as a limit of TTLs: 0
    /// (the lowest TTL) while a plan, a step or the end of an override is near; else
    /// [`NO_HORIZON`].
    pub(crate) fn planned_secs(&self, policy: &PolicyTable) -> u32 {
        self.policies[policy.index.index()].planned_secs
    }

    /// True if some PoP of a policy or its rules has a family and no operator has switched it off,
    /// whatever probes say.
    pub(crate) fn offers(&self, policy: &PolicyTable, family: Families) -> bool {
        self.policies[policy.index.index()].offers & family != 0
    }

    /// Facts common to the PoPs of a pool, if none passes. `returns` is true for lists that see the
    /// pool on its way back.
    pub(super) fn outage(&self, policy: &PolicyTable, pool: PoolNumber, returns: bool) -> Option<&Common> {
        self.outages.get(policy.index, pool, returns)
    }

    /// The nearest horizon of all that a policy or its rules can answer with, if none passes.
    pub(super) fn whole_outage_secs(&self, policy: &PolicyTable) -> Option<u32> {
        self.policies[policy.index.index()].whole.map(|common| common.horizon_secs)
    }
}

/// Inputs of a view, except for PoPs and load, which are the same for all policies. Policies with
/// equal keys share one view.
#[derive(PartialEq, Eq, Hash)]
struct ViewKey<'h> {
    threshold_percent: u8,
    /// Index of the first hold with the same slots.
    held: Option<usize>,
    /// Slots whose damping is ignored.
    undamped: &'h [SlotId],
    /// Pools on their way back.
    returning: Vec<PoolKey<'h>>,
}

/// A pool on its way back, whichever policy has it.
#[derive(PartialEq, Eq, Hash)]
struct PoolKey<'h> {
    pool: u16,
    share_percent: u8,
    slots: &'h [(SlotId, u32)],
}

impl PoolKey<'_> {
    fn of(pool: &ReturningPool) -> PoolKey<'_> {
        PoolKey { pool: pool.pool, share_percent: pool.share_percent, slots: &pool.slots }
    }
}

/// Slots whose damping a policy ignores. If more of its PoPs are down or damped than the share of
/// its panic guard, the PoPs damped last are exempt, until the others are within the share.
fn undamped(health_state: &HealthState, policy: PolicyId) -> &[SlotId] {
    let at = health_state.undamped.binary_search_by_key(&policy, |(policy, _)| *policy);
    at.map_or(&[], |at| &health_state.undamped[at].1)
}

/// Health in which some slots are not damped.
fn steady(health: &[SlotHealth], undamped: &[SlotId]) -> Vec<SlotHealth> {
    let mut health = health.to_vec();
    for slot in undamped {
        if let Some(slot) = health.get_mut(slot.index()) {
            (slot.damped_v4, slot.damped_v6) = (0, 0);
        }
    }
    health
}

/// Pools of a policy on their way back.
fn pools_of(health_state: &HealthState, policy: PolicyId) -> &[ReturningPool] {
    let all = &health_state.returning;
    let (from, to) =
        (all.partition_point(|pool| pool.policy < policy), all.partition_point(|pool| pool.policy <= policy));
    &all[from..to]
}

#[cfg(test)]
mod tests;
