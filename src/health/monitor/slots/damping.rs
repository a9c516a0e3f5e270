//! Damping in slots: PoPs that damped targets turn into last resorts, and turns that count.

use super::SlotTable;
use crate::health::health_state::SlotHealth;
use crate::health::slot;
use crate::health::targets::{ManualState, PolicyId, PolicyMembers, PopId, SlotId, TargetId, TargetSet};
use std::collections::BTreeSet;

impl SlotTable {
    /// Slots whose damping is ignored, for each policy with more PoPs down or damped than the share
    /// of its guard: of the damped slots beyond the share, those damped last. PoPs with an
    /// operator's decision are not counted.
    pub(super) fn undamped(&self, target_set: &TargetSet) -> Vec<(PolicyId, Vec<SlotId>)> {
        if self.slots.iter().all(|slot| (slot.damped_v4, slot.damped_v6) == (0, 0)) {
            return Vec::new();
        }
        let is_troubled =
            |slot: &&SlotHealth| slot.down_v4 | slot.down_v6 | slot.damped_v4 | slot.damped_v6 != 0;
        let troubled = self.slots.iter().filter(is_troubled).count();
        let of_policy = |(policy, number): (&PolicyMembers, PolicyId)| {
            // Mostly all that are down or damped anywhere are within the share of the policy.
            let of = self.guards[number.index()].counting() as usize;
            let share = of * usize::from(policy.guard.share_percent) / 100;
            if troubled <= share {
                return None;
            }
            let counts =
                policy.members.iter().filter(|(pop, _)| self.manual_states[pop.index()] == ManualState::None);
            let is_down = |(_, index): &&(PopId, SlotId)| {
                let (slot, is) = (&target_set.slots[index.index()], &self.slots[index.index()]);
                slot::is_down(slot, is, policy.up_threshold_percent)
            };
            let most = share.saturating_sub(counts.clone().filter(is_down).count());
            let damped = |(_, index): &(PopId, SlotId)| {
                let (slot, is) = (&target_set.slots[index.index()], &self.slots[index.index()]);
                let is_damped = slot::is_damped(slot, is, policy.up_threshold_percent);
                is_damped
                    .then(|| (slot::damped_since_ms(slot, &self.readings, self.spared_of(slot.pop)), *index))
            };
            let mut damped: Vec<(Option<i64>, SlotId)> = counts.filter_map(damped).collect();
            damped.sort_unstable();
            let beyond: Vec<SlotId> = damped.into_iter().skip(most).map(|(_, index)| index).collect();
            (!beyond.is_empty()).then_some((number, beyond))
        };
        target_set.policies.iter().zip(PolicyId::in_order()).filter_map(of_policy).collect()
    }

    /// True if a turn of a target counts: no guard holds one of its policies, and some PoP of it
    /// has no operator's decision.
    pub(crate) fn turns_count(&self, target: TargetId) -> bool {
        let mut policies = self.users[target.index()].iter().flat_map(|slot| &self.members[slot.index()]);
        let is_held = policies.any(|(policy, _)| self.held.contains_key(policy));
        !is_held && !self.is_decided(target)
    }

    /// True if operators have decided about all PoPs of a target.
    pub(crate) fn is_decided(&self, target: TargetId) -> bool {
        self.pops_of(target).all(|pop| self.manual_states[pop.index()] != ManualState::None)
    }

    /// PoPs behind a target, one for each slot.
    pub(crate) fn pops_of(&self, target: TargetId) -> impl Iterator<Item = PopId> {
        self.users[target.index()].iter().map(|slot| self.pop_of[slot.index()])
    }

    /// Exempts a PoP from the damping of a target, or ends the exemption.
    pub(crate) fn spare(&mut self, target: TargetId, pop: PopId, is_spared: bool) {
        let spared = self.spared.entry(pop).or_default();
        let has_changed = if is_spared { spared.insert(target) } else { spared.remove(&target) };
        if spared.is_empty() {
            self.spared.remove(&pop);
        }
        if !has_changed {
            return;
        }
        for number in 0..self.users[target.index()].len() {
            let slot = self.users[target.index()][number];
            if self.pop_of[slot.index()] == pop {
                self.mark(slot);
            }
        }
    }

    /// Exemptions: each PoP with a target whose damping it ignores.
    pub(crate) fn spared(&self) -> impl Iterator<Item = (PopId, TargetId)> {
        self.spared.iter().flat_map(|(pop, targets)| targets.iter().map(|target| (*pop, *target)))
    }

    /// Targets whose damping a PoP ignores.
    pub(crate) fn spared_of(&self, pop: PopId) -> &BTreeSet<TargetId> {
        static NONE: BTreeSet<TargetId> = BTreeSet::new();
        self.spared.get(&pop).unwrap_or(&NONE)
    }
}
