//! Damping of targets that flap, over all targets.

use super::Monitor;
use super::slots::SlotTable;
use super::target::WatchedTarget;
use crate::health::Moment;
use crate::health::canary::IpFamily;
use crate::health::event::{HealthEvent, TargetName};
use crate::health::flap::FlapChange;
use crate::health::saved::SavedSpared;
use crate::health::targets::{ManualState, PopId, Target, TargetId, TargetSet};
use std::collections::BTreeSet;

impl Monitor {
    /// Counts the turns since the last call, except those that say nothing about their target:
    /// turns while all canaries fail, while a guard holds a policy of the target, or if operators
    /// have decided about all its PoPs. Guards must have been judged before.
    pub(super) fn count_turns(&mut self, now: Moment) {
        for id in std::mem::take(&mut self.turned) {
            let target = &self.target_set.targets[id.index()];
            let is_cut = target.spec.check.is_networked()
                && self.canaries[IpFamily::of(target.destination) as usize].is_failing();
            if is_cut || !self.slot_table.turns_count(id) {
                continue;
            }
            let limits = target.spec.flap;
            let change = self.watched[id.index()].flap.turn(limits, now);
            self.emit_flap(id, change, now);
        }
    }

    /// Ends or prolongs dampings that have reached their end.
    pub(super) fn advance_dampings(&mut self, now: Moment) {
        let is_over = |id: &&TargetId| {
            let damping = self.watched[id.index()].flap.damping;
            damping.is_none_or(|damping| damping.until_ms <= now.clock_ms())
        };
        let over: Vec<TargetId> = self.damped.iter().filter(is_over).copied().collect();
        for id in over {
            let limits = self.target_set.targets[id.index()].spec.flap;
            let change = self.watched[id.index()].flap.advance(limits, now);
            self.emit_flap(id, change, now);
        }
    }

    /// Ends the dampings of PoPs about which an operator has decided; `before` holds the previous
    /// decisions. If all PoPs of a target have a decision, its turns are forgotten. If other PoPs
    /// share the target, it stays damped for those, and the PoP is exempt until the target is
    /// damped again.
    pub(super) fn end_dampings(&mut self, before: &[ManualState]) {
        let now = self.now;
        let manual_states = self.slot_table.manual_states().iter().zip(before);
        let decided: Vec<bool> =
            manual_states.map(|(is, was)| is != was && *is != ManualState::None).collect();
        if !decided.contains(&true) {
            return;
        }
        for id in targets_of(&self.target_set, &decided) {
            let flap = &mut self.watched[id.index()].flap;
            if self.slot_table.is_decided(id) {
                let change = flap.clear(now);
                self.emit_flap(id, change, now);
            } else if flap.damping.is_some() {
                self.spare(id, |pop, _| decided[pop.index()].then_some(true));
            }
        }
    }

    /// Exempts PoPs from the damping of a target, or ends their exemption. `is_spared` decides by
    /// PoP and operator's decision; for `None` the PoP stays as it is.
    fn spare(&mut self, id: TargetId, is_spared: impl Fn(PopId, ManualState) -> Option<bool>) {
        let pops: BTreeSet<PopId> = self.slot_table.pops_of(id).collect();
        for pop in pops {
            if let Some(is_spared) = is_spared(pop, self.slot_table.manual_states()[pop.index()]) {
                self.slot_table.spare(id, pop, is_spared);
            }
        }
    }

    /// Carries exemptions over a reload, from the predecessor of each target.
    pub(super) fn spare_as_before(
        &mut self,
        before: &SlotTable,
        (old, new): (&TargetSet, &TargetSet),
        origins: &[Option<TargetId>],
    ) {
        for (old_pop, old_index) in before.spared() {
            let name = &old.pops[old_pop.index()].name;
            let Some(pop) = new.pops.iter().position(|pop| pop.name == *name) else { continue };
            for (id, _) in TargetId::in_order().zip(origins).filter(|(_, origin)| **origin == Some(old_index))
            {
                if self.damped.contains(&id) {
                    self.slot_table.spare(id, PopId::at(pop), true);
                }
            }
        }
    }

    /// Restores the exemptions of before a restart.
    pub(super) fn restore_spared(&mut self, saved: &[SavedSpared]) {
        for SavedSpared { pop, key } in saved {
            let mut damped = self.damped.iter();
            let id = damped.find(|id| self.target_set.targets[id.index()].key == *key);
            let pop = self.target_set.pops.iter().position(|other| other.name == *pop);
            if let (Some(id), Some(pop)) = (id.copied(), pop) {
                self.slot_table.spare(id, PopId::at(pop), true);
            }
        }
    }

    /// Exemptions to save for a restart.
    pub(super) fn saved_spared(&self) -> Vec<SavedSpared> {
        let name = |(pop, id): (PopId, TargetId)| SavedSpared {
            pop: self.target_set.pops[pop.index()].name.clone(),
            key: self.target_set.targets[id.index()].key.clone(),
        };
        self.slot_table.spared().map(name).collect()
    }

    /// True if a PoP is exempt from the damping of a target.
    pub(crate) fn is_spared(&self, pop: PopId, target: TargetId) -> bool {
        self.slot_table.spared_of(pop).contains(&target)
    }

    /// End of the next damping.
    pub(super) fn next_damping_end(&self) -> Option<Moment> {
        let dampings = self.damped.iter().filter_map(|id| self.watched[id.index()].flap.damping);
        let end = dampings.map(|damping| damping.until_ms).min()?;
        Some(Moment(u64::try_from(end).unwrap_or(0)))
    }

    /// Indexes of the damped targets, after the watched targets have changed.
    pub(super) fn find_damped(&mut self) -> BTreeSet<TargetId> {
        let damped = |(watched, id): (&WatchedTarget, TargetId)| watched.flap.damping.map(|_| id);
        self.watched.iter().zip(TargetId::in_order()).filter_map(damped).collect()
    }

    /// Damped targets, in order.
    pub(crate) fn damped(&self) -> impl Iterator<Item = &Target> {
        self.damped.iter().map(|id| &self.target_set.targets[id.index()])
    }

    fn emit_flap(&mut self, id: TargetId, change: Option<FlapChange>, now: Moment) {
        let Some(change) = change else { return };
        let target_set = self.target_set.clone();
        let target = &target_set.targets[id.index()];
        let (subject, window_ms) = (TargetName::of(target), u64::from(target.spec.flap.window_ms));
        let event = match change {
            FlapChange::Damped { turns, for_ms } => {
                self.damped.insert(id);
                // Turns say nothing about a PoP with a decision.
                self.spare(id, |_, decision| Some(decision != ManualState::None));
                HealthEvent::Damped { subject, turns, window_ms, for_ms }
            }
            FlapChange::Over { lasted_ms } => {
                self.damped.remove(&id);
                self.spare(id, |_, _| Some(false));
                HealthEvent::DampingOver { subject, lasted_ms }
            }
        };
        self.emit(event);
        self.read(id, now);
    }
}

/// Targets behind the PoPs whose flag is set, in order, each once.
fn targets_of(target_set: &TargetSet, pops: &[bool]) -> BTreeSet<TargetId> {
    let mut targets = BTreeSet::new();
    for slot in target_set.slots.iter().filter(|slot| pops[slot.pop.index()]) {
        for formula in slot.v4.iter().chain(&slot.v6) {
            formula.visit(&mut |target| _ = targets.insert(target));
        }
    }
    targets
}
