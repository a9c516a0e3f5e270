//! State of slots across a reload, as far as the readings of targets lack it: falls, and held
//! policies.

use super::SlotTable;
use crate::health::Moment;
use crate::health::health_state::SlotHealth;
use crate::health::targets::{PolicyId, SlotId, TargetSet};
use std::collections::BTreeMap;

/// A slot table that another one succeeds, with the target sets of both.
struct Succession<'r> {
    before: &'r SlotTable,
    old: &'r TargetSet,
    new: &'r TargetSet,
    /// For each old slot, the new one that is the same.
    slot_of: &'r [Option<SlotId>],
    /// Old slots by PoP and service.
    old_slot_of: BTreeMap<(&'r str, &'r str), usize>,
}

impl SlotTable {
    /// Takes over state that readings lack from the slot table of another target set: falls within
    /// their windows, held policies, and the slots before the hold. `slot_of` maps slots that are
    /// the same to their new index.
    pub(crate) fn take_over(
        &mut self,
        before: &SlotTable,
        old: &TargetSet,
        new: &TargetSet,
        slot_of: &[Option<SlotId>],
    ) {
        let old_slot_of =
            old.slots.iter().zip(0..).map(|(slot, number)| (old.name_of(slot), number)).collect();
        let from = Succession { before, old, new, slot_of, old_slot_of };
        let policy_of: BTreeMap<&str, usize> =
            old.policies.iter().zip(0..).map(|(policy, number)| (&*policy.name, number)).collect();
        for (number, policy) in new.policies.iter().enumerate() {
            if let Some(&old_number) = policy_of.get(&*policy.name) {
                self.take_over_members(&from, old_number, number);
                self.take_over_hold(&from, old_number, number);
                self.touch(PolicyId::at(number));
            }
        }
        self.take_over_falls(&from);
        self.rank();
        self.pools.take_over(&before.pools, (old, new));
    }

    /// Takes over the guard of a policy, and its members by the names of their PoPs.
    fn take_over_members(&mut self, from: &Succession<'_>, old_number: usize, number: usize) {
        let Succession { before, old, new, .. } = from;
        let old_guard = &before.guards[old_number];
        self.guards[number].follow(old_guard);
        let member_of: BTreeMap<&str, usize> = old.policies[old_number]
            .members
            .iter()
            .zip(0..)
            .map(|((pop, _), member)| (&*old.pops[pop.index()].name, member))
            .collect();
        for (member, (pop, _)) in new.policies[number].members.iter().enumerate() {
            let Some(&old_member) = member_of.get(&*new.pops[pop.index()].name) else { continue };
            let is_down = self.guards[number].is_down(member);
            self.guards[number].take_over(member, old_guard.member(old_member));
            self.guards[number].handle(member, is_down, false, Moment(0));
        }
    }

    /// Resumes the hold of a policy, with the slots as they were before it.
    fn take_over_hold(&mut self, from: &Succession<'_>, old_number: usize, number: usize) {
        let before = from.before;
        if let (Some(hold), Some(old_held)) =
            (before.guards[old_number].hold(), before.held.get(&PolicyId::at(old_number)))
        {
            let held = self.held_as_before(from, old_held);
            self.guards[number].resume(hold);
            self.held.insert(PolicyId::at(number), held);
        }
    }

    /// Slots of a hold: those that are the same are as before. In the others, families that were up
    /// stay up also if checks or addresses changed, because a repaired probe must not end the hold
    /// of its PoP.
    fn held_as_before(&self, from: &Succession<'_>, old_held: &[SlotHealth]) -> Vec<SlotHealth> {
        let Succession { old, new, slot_of, old_slot_of, .. } = from;
        let mut held = self.slots.clone();
        for (slot, held) in new.slots.iter().zip(&mut held) {
            let Some(&number) = old_slot_of.get(&new.name_of(slot)) else { continue };
            let (was, had) = (&old_held[number], &old.slots[number]);
            if !was.is_awaited && was.down_v4 == 0 && !had.v4.is_empty() {
                held.down_v4 = 0;
            }
            if !was.is_awaited && was.down_v6 == 0 && !had.v6.is_empty() {
                held.down_v6 = 0;
            }
        }
        for (old_slot, slot) in slot_of.iter().enumerate() {
            if let Some(slot) = slot {
                held[slot.index()] = old_held[old_slot];
            }
        }
        held
    }

    /// Takes over when slots fell, and how they were before.
    fn take_over_falls(&mut self, from: &Succession<'_>) {
        let Succession { before, old, new, slot_of, .. } = from;
        let same_policy = |number: PolicyId| {
            let mut policies = new.policies.iter().zip(PolicyId::in_order());
            policies.find(|(policy, _)| policy.name == old.policies[number.index()].name)
        };
        let still = |(moment, slot, was, policy): &(Moment, SlotId, SlotHealth, Option<PolicyId>)| {
            let policy = match policy {
                Some(number) => Some(same_policy(*number)?.1),
                None => None,
            };
            Some((*moment, slot_of[slot.index()]?, *was, policy))
        };
        self.undo = before.undo.iter().filter_map(still).collect();
        for (old_slot, slot) in slot_of.iter().enumerate() {
            if let (Some(slot), Some(since)) = (slot, before.fell_ms[old_slot])
                && let Some(fell_ms) = &mut self.fell_ms[slot.index()]
            {
                *fell_ms = since;
            }
        }
    }
}
