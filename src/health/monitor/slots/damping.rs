//! Damping in slots: PoPs that damped targets turn into last resorts, and turns that count.

use super::SlotTable;
use crate::health::health_state::SlotHealth;
use crate::health::slot;
use crate::health::targets::{ManualState, PolicyMembers, TargetSet};
use std::collections::BTreeSet;

impl SlotTable {
    /// Slots whose damping is ignored, for each policy with more PoPs down or damped than its
    /// share: those that were damped last. PoPs with a decision are not counted.
    pub(super) fn undamped(&self, target_set: &TargetSet) -> Vec<(u32, Vec<u32>)> {
        if self.slots.iter().all(|slot| (slot.damped_v4, slot.damped_v6) == (0, 0)) {
            return Vec::new();
        }
        let is_troubled =
            |slot: &&SlotHealth| slot.down_v4 | slot.down_v6 | slot.damped_v4 | slot.damped_v6 != 0;
        let troubled = self.slots.iter().filter(is_troubled).count();
        let of_policy = |(policy, number): (&PolicyMembers, u32)| {
            // Mostly all that are down or damped anywhere are within the share of the policy.
            let of = self.guards[number as usize].counting() as usize;
            if troubled <= of * usize::from(policy.guard.share_percent) / 100 {
                return None;
            }
            let counts =
                policy.members.iter().filter(|(pop, _)| self.by_hand[usize::from(*pop)] == ManualState::None);
            let is_down = |(_, index): &&(u16, u32)| {
                let (slot, is) = (&target_set.slots[*index as usize], &self.slots[*index as usize]);
                slot::is_down(slot, is, policy.up_threshold_percent)
            };
            let share = counts.clone().count() * usize::from(policy.guard.share_percent) / 100;
            let most = share.saturating_sub(counts.clone().filter(is_down).count());
            let damped = |(_, index): &(u16, u32)| {
                let (slot, is) = (&target_set.slots[*index as usize], &self.slots[*index as usize]);
                let is_damped = slot::is_damped(slot, is, policy.up_threshold_percent);
                is_damped
                    .then(|| (slot::damped_since_ms(slot, &self.readings, self.spared_of(slot.pop)), *index))
            };
            let mut damped: Vec<(Option<i64>, u32)> = counts.filter_map(damped).collect();
            damped.sort_unstable();
            let beyond: Vec<u32> = damped.into_iter().skip(most).map(|(_, index)| index).collect();
            (!beyond.is_empty()).then_some((number, beyond))
        };
        target_set.policies.iter().zip(0..).filter_map(of_policy).collect()
    }

    /// True if a turn of a target counts: no guard holds one of its policies, and some PoP of it
    /// has no operator's decision.
    pub(crate) fn turns_count(&self, target: u32) -> bool {
        let mut policies = self.users[target as usize].iter().flat_map(|slot| &self.members[*slot as usize]);
        let is_held = policies.any(|(policy, _)| self.held.contains_key(policy));
        !is_held && !self.is_decided(target)
    }

    /// True if operators have decided about all PoPs of a target.
    pub(crate) fn is_decided(&self, target: u32) -> bool {
        self.pops_of(target).all(|pop| self.by_hand[usize::from(pop)] != ManualState::None)
    }

    /// PoPs behind a target, one for each slot.
    pub(crate) fn pops_of(&self, target: u32) -> impl Iterator<Item = u16> {
        self.users[target as usize].iter().map(|slot| self.pop_of[*slot as usize])
    }

    /// Exempts a PoP from the damping of a target, or ends the exemption.
    pub(crate) fn spare(&mut self, target: u32, pop: u16, is_spared: bool) {
        let spared = self.spared.entry(pop).or_default();
        let has_changed = if is_spared { spared.insert(target) } else { spared.remove(&target) };
        if spared.is_empty() {
            self.spared.remove(&pop);
        }
        if !has_changed {
            return;
        }
        for number in 0..self.users[target as usize].len() {
            let slot = self.users[target as usize][number];
            if self.pop_of[slot as usize] == pop {
                self.mark(slot);
            }
        }
    }

    /// Exemptions: each PoP with a target whose damping it ignores.
    pub(crate) fn spared(&self) -> impl Iterator<Item = (u16, u32)> {
        self.spared.iter().flat_map(|(pop, targets)| targets.iter().map(|target| (*pop, *target)))
    }

    /// Targets whose damping a PoP ignores.
    pub(crate) fn spared_of(&self, pop: u16) -> &BTreeSet<u32> {
        static NONE: BTreeSet<u32> = BTreeSet::new();
        self.spared.get(&pop).unwrap_or(&NONE)
    }
}
