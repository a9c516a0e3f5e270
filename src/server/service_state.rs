//! Service state: which PoPs are up and in service, by verdicts and overrides, for load and ramps.

use super::health_control::HealthControl;
use super::load_control::LoadControl;
use super::overrides::Overrides;
use crate::health::health_state::SlotHealth;
use crate::snapshot::Snapshot;
use crate::steer::pop::AdminState;
use crate::sys::clock::epoch_secs;

/// Updates load and ramps after verdicts, overrides or files have changed which PoPs are up and in
/// service.
pub(crate) fn update(
    health_control: &HealthControl,
    overrides: &Overrides,
    load_control: &mut LoadControl,
    snapshot: &Snapshot,
) {
    let health_state = health_control.health_state();
    let mut is_up = up_in(snapshot, &health_state.slots);
    let states = overrides.ledger.effective(&snapshot.pops, epoch_secs());
    let serves: Vec<bool> = is_up.iter().zip(&states).map(|(is_up, is)| *is_up && !is.is_off()).collect();
    // Who serves on, held by a guard or forced up, has nothing to come back from.
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
    is_up.iter_mut().zip(&states).for_each(|(is_up, is)| *is_up |= is.state == AdminState::Up);
    load_control.handle_pops(snapshot, &is_up, &serves);
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
