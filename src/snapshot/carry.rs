//! What holds on one snapshot, by the numbers of another: verdicts, cells that left, and what load
//! sends away, by name.
//!
//! For comparisons only. A server that goes over to other files asks its machines.

use super::Snapshot;
use crate::health::health_state::{HealthState, SlotHealth};
use crate::steer::pop::{AdminState, PopId};
use crate::steer::status::{Share256, Shed};
use crate::steer::table::{SharedAddress, Slot};
use std::collections::HashMap;
use std::sync::Arc;

/// What was carried.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// What probes say. What only the other snapshot has counts as up.
    pub health_state: HealthState,
    /// Cells of each PoP that have left, or are not back.
    pub(crate) left: Vec<Share256>,
    /// What each slot sheds.
    pub sheds: Vec<Shed>,
}

/// Carries what holds on `from` over to the numbers of `to`. `probed` is what probes say of the
/// slots of `from`, in order, where that is known: of a PoP that is forced up the snapshot itself
/// does not show it.
pub fn carry(from: &Snapshot, to: &Snapshot, probed: &[SlotHealth]) -> Carried {
    let pop_of: HashMap<&str, u16> =
        from.steering.pops.iter().zip(0..).map(|(pop, number)| (&*pop.name, number)).collect();
    let old_pop = |pop: PopId| pop_of.get(&*to.steering.pops[usize::from(pop.0)].name).copied();
    // Services have no name here; those of a PoP are told apart by their addresses.
    let old_slot: Vec<Option<u32>> = (to.steering.slots.iter())
        .map(|slot| old_pop(slot.pop).and_then(|pop| like(&from.steering.slots, pop, slot)))
        .collect();
    let policy_of: HashMap<&str, u32> =
        from.steering.policies.iter().zip(0..).map(|(policy, number)| (&*policy.name, number)).collect();
    let seen_by = |policy: u32| -> Vec<SlotHealth> {
        let view = from.status.view(policy);
        let one = |(slot, old): (&Slot, &Option<u32>)| {
            let Some(old) = *old else { return SlotHealth::default() };
            let (before, seen) = (&from.steering.slots[old as usize], view.slot(old));
            match probed.get(old as usize).filter(|_| from.status.pop(before.pop).state == AdminState::Up) {
                Some(probed) => health(slot, before, probed),
                None => health(
                    slot,
                    before,
                    &SlotHealth {
                        down_v4: seen.down_v4,
                        down_v6: seen.down_v6,
                        went_down: seen.went_down,
                        ..SlotHealth::default()
                    },
                ),
            }
        };
        to.steering.slots.iter().zip(&old_slot).map(one).collect()
    };
    // A view that some policy alone has is as one that is held.
    let held = to
        .steering
        .policies
        .iter()
        .zip(0..)
        .filter_map(|(policy, number)| Some((number, seen_by(*policy_of.get(&*policy.name)?))))
        .collect();
    let slots = if from.steering.policies.is_empty() {
        vec![SlotHealth::default(); to.steering.slots.len()]
    } else {
        seen_by(0)
    };
    let left = to
        .steering
        .pops
        .iter()
        .map(|pop| pop_of.get(&*pop.name).map_or(0, |old| from.status.pop(PopId(*old)).left))
        .collect();
    let accept = |row: &[Share256]| -> Arc<[Share256]> {
        let of = |pop: usize| {
            old_pop(PopId(pop as u16)).and_then(|old| row.get(usize::from(old))).copied().unwrap_or(0)
        };
        (0..to.steering.pops.len()).map(of).collect()
    };
    let shed = |old: &Option<u32>| {
        old.and_then(|old| from.status.shed(old))
            .map_or_else(Shed::default, |shed| Shed { share: shed.share, accept: accept(&shed.accept) })
    };
    Carried { health_state: HealthState { slots, held }, left, sheds: old_slot.iter().map(shed).collect() }
}

/// The slot of a PoP with the most addresses of another; the first where none has any.
fn like(slots: &[Slot], pop: u16, slot: &Slot) -> Option<u32> {
    let common = |other: &Slot| {
        let v4 = other.v4.iter().filter(|a| slot.v4.iter().any(|b| a.address == b.address)).count();
        v4 + other.v6.iter().filter(|a| slot.v6.iter().any(|b| a.address == b.address)).count()
    };
    let of_pop = slots.iter().zip(0u32..).filter(|(slot, _)| slot.pop.0 == pop);
    of_pop.max_by_key(|(other, number)| (common(other), std::cmp::Reverse(*number))).map(|(_, number)| number)
}

/// What is known of the addresses that both have.
fn health(slot: &Slot, old: &Slot, seen: &SlotHealth) -> SlotHealth {
    fn mask<A: PartialEq>(new: &[SharedAddress<A>], old: &[SharedAddress<A>], down: u64) -> u64 {
        let is_down = |address: &A| {
            old.iter().position(|other| other.address == *address).is_some_and(|bit| down >> bit & 1 == 1)
        };
        new.iter().zip(0..).filter(|(shared, _)| is_down(&shared.address)).map(|(_, bit)| 1u64 << bit).sum()
    }
    SlotHealth {
        down_v4: mask(&slot.v4, &old.v4, seen.down_v4),
        down_v6: mask(&slot.v6, &old.v6, seen.down_v6),
        went_down: seen.went_down,
        ..SlotHealth::default()
    }
}
