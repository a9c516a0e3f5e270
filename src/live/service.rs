//! Who is up, and who is in service: what load and ramps hear, what safety rules are held against,
//! and what operators see.

use crate::health::health_state::{HealthState, SlotHealth};
use crate::snapshot::Snapshot;
use crate::steer::ledger::Effective;
use crate::steer::pop::AdminState;
use crate::steer::safety::in_service;

/// The PoPs of a snapshot, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Who is up: by probes, held up by the guard of a policy, or forced up. Who never was down has
    /// nothing to come back from.
    pub is_up: Vec<bool>,
    /// Who takes regular clients, by [`in_service`].
    pub serves: Vec<bool>,
}

impl Service {
    /// By what probes and hands say.
    pub(crate) fn new(snapshot: &Snapshot, health_state: &HealthState, states: &[Effective]) -> Service {
        let mut is_up = up_by_probes(snapshot, health_state);
        let is_down: Vec<bool> = is_up.iter().map(|is_up| !is_up).collect();
        is_up.iter_mut().zip(states).for_each(|(is_up, is)| *is_up |= is.state == AdminState::Up);
        Service { serves: in_service(states, &is_down), is_up }
    }
}

/// Which PoPs some policy can answer, as far as probes go: the guard of a policy may hold up who is
/// down for all others.
pub(crate) fn up_by_probes(snapshot: &Snapshot, health_state: &HealthState) -> Vec<bool> {
    let mut is_up = up_in(snapshot, &health_state.slots);
    for (policy, held) in &health_state.held {
        let held = up_in(snapshot, held);
        let members =
            snapshot.steering.policies.get(*policy as usize).map_or(&[][..], |policy| &policy.members[..]);
        for pop in
            members.iter().filter_map(|member| member.target.split().ok()).map(|pop| usize::from(pop.0))
        {
            is_up[pop] |= held[pop];
        }
    }
    is_up
}

/// Which PoPs, in order, can take clients in some service. One that has lost a service only does
/// not ramp with the others when that comes back.
fn up_in(snapshot: &Snapshot, slots: &[SlotHealth]) -> Vec<bool> {
    let (mut has_slots, mut is_up) = (vec![false; snapshot.pops.len()], vec![false; snapshot.pops.len()]);
    for (slot, health) in snapshot.steering.slots.iter().zip(slots) {
        let pop = usize::from(slot.pop.0);
        (has_slots[pop], is_up[pop]) = (true, is_up[pop] | (health.went_down == 0));
    }
    is_up.iter().zip(&has_slots).map(|(is_up, has_slots)| *is_up || !has_slots).collect()
}
