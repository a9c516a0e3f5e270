//! Damping of targets that flap, over all targets.

use super::Monitor;
use super::slots::SlotTable;
use super::target::WatchedTarget;
use crate::health::Moment;
use crate::health::canary::IpFamily;
use crate::health::event::{HealthEvent, TargetName};
use crate::health::flap::FlapChange;
use crate::health::saved::SavedSpared;
use crate::health::targets::{ManualState, Target, TargetSet};
use std::collections::BTreeSet;

impl Monitor {
    /// Counts the turns since the last call, except those that say nothing about their target:
    /// turns while all canaries fail, while a guard holds a policy of the target, or if operators
    /// have decided about all its PoPs. Guards must have been judged before.
    pub(super) fn count_turns(&mut self, now: Moment) {
        for index in std::mem::take(&mut self.turned) {
            let target = &self.target_set.targets[index as usize];
            let is_cut = target.spec.check.is_networked()
                && self.canaries[IpFamily::of(target.destination) as usize].is_failing();
            if is_cut || !self.slot_table.turns_count(index) {
                continue;
            }
            let limits = target.spec.flap;
            let change = self.watched[index as usize].flap.turn(limits, now);
            self.tell_flap(index, change, now);
        }
    }

    /// Ends or prolongs dampings that have reached their end.
    pub(super) fn advance_dampings(&mut self, now: Moment) {
        let is_over = |index: &&u32| {
            let damping = self.watched[**index as usize].flap.damping;
            damping.is_none_or(|damping| damping.until_ms <= now.clock_ms())
        };
        let over: Vec<u32> = self.damped.iter().filter(is_over).copied().collect();
        for index in over {
            let limits = self.target_set.targets[index as usize].spec.flap;
            let change = self.watched[index as usize].flap.advance(limits, now);
            self.tell_flap(index, change, now);
        }
    }

    /// Ends the dampings of PoPs about which an operator has decided; `before` holds the previous
    /// decisions. If all PoPs of a target have a decision, its turns are forgotten. If other PoPs
    /// share the target, it stays damped for those, and the PoP is exempt until the target is
    /// damped again.
    pub(super) fn end_dampings(&mut self, before: &[ManualState]) {
        let now = self.now;
        let by_hand = self.slot_table.by_hand().iter().zip(before);
        let decided: Vec<bool> = by_hand.map(|(is, was)| is != was && *is != ManualState::None).collect();
        if !decided.contains(&true) {
            return;
        }
        for index in targets_of(&self.target_set, &decided) {
            let flap = &mut self.watched[index as usize].flap;
            if self.slot_table.is_decided(index) {
                let change = flap.clear(now);
                self.tell_flap(index, change, now);
            } else if flap.damping.is_some() {
                self.spare(index, |pop, _| decided[usize::from(pop)].then_some(true));
            }
        }
    }

    /// Exempts PoPs from the damping of a target, or ends their exemption. `is_spared` decides by
    /// PoP and operator's decision; for `None` the PoP stays as it is.
    fn spare(&mut self, index: u32, is_spared: impl Fn(u16, ManualState) -> Option<bool>) {
        let pops: BTreeSet<u16> = self.slot_table.pops_of(index).collect();
        for pop in pops {
            if let Some(is_spared) = is_spared(pop, self.slot_table.by_hand()[usize::from(pop)]) {
                self.slot_table.spare(index, pop, is_spared);
            }
        }
    }

    /// Carries exemptions over a reload, from the predecessor of each target.
    pub(super) fn spare_as_before(
        &mut self,
        before: &SlotTable,
        (old, new): (&TargetSet, &TargetSet),
        origins: &[Option<u32>],
    ) {
        for (old_pop, old_index) in before.spared() {
            let name = &old.pops[usize::from(old_pop)].name;
            let Some(pop) = new.pops.iter().position(|pop| pop.name == *name) else { continue };
            for (index, _) in (0..).zip(origins).filter(|(_, origin)| **origin == Some(old_index)) {
                if self.damped.contains(&index) {
                    self.slot_table.spare(index, pop as u16, true);
                }
            }
        }
    }

    /// Restores the exemptions of before a restart.
    pub(super) fn restore_spared(&mut self, saved: &[SavedSpared]) {
        for SavedSpared { pop, key } in saved {
            let mut damped = self.damped.iter();
            let index = damped.find(|index| self.target_set.targets[**index as usize].key == *key);
            let pop = self.target_set.pops.iter().position(|other| other.name == *pop);
            if let (Some(index), Some(pop)) = (index.copied(), pop) {
                self.slot_table.spare(index, pop as u16, true);
            }
        }
    }

    /// Exemptions to save for a restart.
    pub(super) fn saved_spared(&self) -> Vec<SavedSpared> {
        let name = |(pop, index): (u16, u32)| SavedSpared {
            pop: self.target_set.pops[usize::from(pop)].name.clone(),
            key: self.target_set.targets[index as usize].key.clone(),
        };
        self.slot_table.spared().map(name).collect()
    }

    /// True if a PoP is exempt from the damping of a target.
    pub(crate) fn is_spared(&self, pop: u16, target: u32) -> bool {
        self.slot_table.spared_of(pop).contains(&target)
    }

    /// End of the next damping.
    pub(super) fn next_damping_end(&self) -> Option<Moment> {
        let dampings = self.damped.iter().filter_map(|index| self.watched[*index as usize].flap.damping);
        let end = dampings.map(|damping| damping.until_ms).min()?;
        Some(Moment(u64::try_from(end).unwrap_or(0)))
    }

    /// Indexes of the damped targets, after the watched targets have changed.
    pub(super) fn find_damped(&mut self) -> BTreeSet<u32> {
        let damped = |(watched, index): (&WatchedTarget, u32)| watched.flap.damping.map(|_| index);
        self.watched.iter().zip(0..).filter_map(damped).collect()
    }

    /// Damped targets, in order.
    pub(crate) fn damped(&self) -> impl Iterator<Item = &Target> {
        self.damped.iter().map(|index| &self.target_set.targets[*index as usize])
    }

    fn tell_flap(&mut self, index: u32, change: Option<FlapChange>, now: Moment) {
        let Some(change) = change else { return };
        let target_set = self.target_set.clone();
        let target = &target_set.targets[index as usize];
        let (subject, window_ms) = (TargetName::of(target), u64::from(target.spec.flap.window_ms));
        let event = match change {
            FlapChange::Damped { turns, for_ms } => {
                self.damped.insert(index);
                // Turns say nothing about a PoP with a decision.
                self.spare(index, |_, decision| Some(decision != ManualState::None));
                HealthEvent::Damped { subject, turns, window_ms, for_ms }
            }
            FlapChange::Over { lasted_ms } => {
                self.damped.remove(&index);
                self.spare(index, |_, _| Some(false));
                HealthEvent::DampingOver { subject, lasted_ms }
            }
        };
        self.tell(event);
        self.read(index, now);
    }
}

/// Targets behind the PoPs whose flag is set, in order, each once.
fn targets_of(target_set: &TargetSet, pops: &[bool]) -> BTreeSet<u32> {
    let mut targets = BTreeSet::new();
    for slot in target_set.slots.iter().filter(|slot| pops[usize::from(slot.pop)]) {
        for formula in slot.v4.iter().chain(&slot.v6) {
            formula.visit(&mut |target| _ = targets.insert(target));
        }
    }
    targets
}
