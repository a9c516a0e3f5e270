//! PoPs that are up, and PoPs in service: input of load and ramps, of safety rules, and of the
//! operator view.

use crate::health::health_state::{HealthState, SlotHealth};
use crate::health::slot;
use crate::snapshot::Snapshot;
use crate::steer::ledger::Effective;
use crate::steer::policy::PolicyId;
use crate::steer::safety::in_service;

/// State of service of a snapshot's PoPs, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// True if the PoP is up: by probes, by the guard of a policy, or forced up. A PoP that flaps
    /// is up, so that it does not ramp after each damping.
    pub is_up: Vec<bool>,
    /// True if the PoP takes regular clients, by [`in_service`].
    pub serves: Vec<bool>,
}

impl Service {
    /// State of service by probes and overrides.
    pub(crate) fn new(snapshot: &Snapshot, health_state: &HealthState, states: &[Effective]) -> Service {
        let mut is_up = up_by_probes(snapshot, health_state);
        is_up.iter_mut().zip(states).for_each(|(is_up, is)| *is_up |= is.state.is_forced_up());
        Service { serves: in_service(states, &off_by_probes(snapshot, health_state)), is_up }
    }
}

/// For each PoP, true if its probes keep regular clients away: it is down, or damped in every
/// policy that could answer it. Load must not count such a PoP as room, because shed cells go to
/// regular candidates only.
pub(crate) fn off_by_probes(snapshot: &Snapshot, health_state: &HealthState) -> Vec<bool> {
    let is_up = up_by_probes(snapshot, health_state);
    is_up.iter().zip(damped(snapshot, health_state)).map(|(is_up, is_damped)| !is_up || is_damped).collect()
}

/// For each PoP, true if it is damped in every policy in which it is up.
fn damped(snapshot: &Snapshot, health_state: &HealthState) -> Vec<bool> {
    let (mut is_damped, mut is_regular) =
        (vec![false; snapshot.pops.len()], vec![false; snapshot.pops.len()]);
    if health_state.slots.iter().all(|slot| (slot.damped_v4, slot.damped_v6) == (0, 0)) {
        return is_damped;
    }
    let target_set = &snapshot.target_set;
    for (policy, number) in target_set.policies.iter().zip(PolicyId::in_order()) {
        let held = health_state.held.binary_search_by_key(&number, |(policy, _)| *policy);
        let health = held.map_or(&health_state.slots, |at| &health_state.held[at].1);
        let undamped = health_state.undamped.binary_search_by_key(&number, |(policy, _)| *policy);
        let undamped = undamped.map_or(&[][..], |at| &health_state.undamped[at].1);
        for (pop, index) in &policy.members {
            let (pop, slot) = (pop.index(), &target_set.slots[index.index()]);
            let Some(is) = health.get(index.index()) else { continue };
            if slot::is_damped(slot, is, policy.up_threshold_percent) && !undamped.contains(index) {
                is_damped[pop] = true;
            } else {
                is_regular[pop] |= !slot::is_down(slot, is, policy.up_threshold_percent);
            }
        }
    }
    is_damped.iter().zip(&is_regular).map(|(is_damped, is_regular)| *is_damped && !is_regular).collect()
}

/// For each PoP, true if its probes let some policy answer it. The guard of a policy may hold up a
/// PoP that is down for all others.
pub(crate) fn up_by_probes(snapshot: &Snapshot, health_state: &HealthState) -> Vec<bool> {
    let mut is_up = up_in(snapshot, &health_state.slots);
    for (policy, held) in &health_state.held {
        let held = up_in(snapshot, held);
        let members =
            snapshot.steering.policies.get(policy.index()).map_or(&[][..], |policy| &policy.members[..]);
        for pop in members.iter().filter_map(|member| member.target.split().ok()).map(|pop| pop.index()) {
            is_up[pop] |= held[pop];
        }
    }
    is_up
}

/// For each PoP, true if it can take clients in some service. A PoP that loses only one service
/// does not ramp when that service comes back.
fn up_in(snapshot: &Snapshot, slots: &[SlotHealth]) -> Vec<bool> {
    let (mut has_slots, mut is_up) = (vec![false; snapshot.pops.len()], vec![false; snapshot.pops.len()]);
    for (slot, health) in snapshot.steering.slots.iter().zip(slots) {
        let pop = slot.pop.index();
        (has_slots[pop], is_up[pop]) = (true, is_up[pop] | (health.went_down == 0));
    }
    is_up.iter().zip(&has_slots).map(|(is_up, has_slots)| *is_up || !has_slots).collect()
}
