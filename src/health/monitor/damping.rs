//! Damping of targets that turn too often, over all targets.

use super::Monitor;
use super::target::WatchedTarget;
use crate::health::Moment;
use crate::health::canary::IpFamily;
use crate::health::event::{HealthEvent, TargetName};
use crate::health::flap::FlapChange;
use crate::health::targets::{ManualState, Target, TargetSet};
use std::collections::BTreeSet;

impl Monitor {
    /// Counts the turns since the last call that say something of their targets. Guards must have
    /// been judged.
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

    /// Ends dampings whose time is over.
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

    /// An operator has decided about PoPs: turns of their targets until now say nothing any more.
    pub(super) fn end_dampings(&mut self, by_hand: &[ManualState]) {
        let now = self.now;
        let before = self.slot_table.by_hand();
        let decided: Vec<bool> = (0..self.target_set.pops.len())
            .map(|pop| by_hand.get(pop).copied().unwrap_or_default())
            .zip(before)
            .map(|(is, was)| is != *was && is != ManualState::None)
            .collect();
        if !decided.contains(&true) {
            return;
        }
        for index in targets_of(&self.target_set, &decided) {
            let change = self.watched[index as usize].flap.clear(now);
            self.tell_flap(index, change, now);
        }
    }

    /// When the next damping ends.
    pub(super) fn next_damping_end(&self) -> Option<Moment> {
        let dampings = self.damped.iter().filter_map(|index| self.watched[*index as usize].flap.damping);
        let end = dampings.map(|damping| damping.until_ms).min()?;
        Some(Moment(u64::try_from(end).unwrap_or(0)))
    }

    /// Finds the damped targets anew, after the watched targets have changed.
    pub(super) fn find_damped(&mut self) -> BTreeSet<u32> {
        let damped = |(watched, index): (&WatchedTarget, u32)| watched.flap.damping.map(|_| index);
        self.watched.iter().zip(0..).filter_map(damped).collect()
    }

    /// Targets that are damped, in order.
    pub(crate) fn damped(&self) -> impl Iterator<Item = &Target> {
        self.damped.iter().map(|index| &self.target_set.targets[*index as usize])
    }

    fn tell_flap(&mut self, index: u32, change: Option<FlapChange>, now: Moment) {
        let Some(change) = change else { return };
        let target = &self.target_set.targets[index as usize];
        let (subject, window_ms) = (TargetName::of(target), u64::from(target.spec.flap.window_ms));
        let event = match change {
            FlapChange::Damped { turns, for_ms } => {
                self.damped.insert(index);
                HealthEvent::Damped { subject, turns, window_ms, for_ms }
            }
            FlapChange::Over { lasted_ms } => {
                self.damped.remove(&index);
                HealthEvent::DampingOver { subject, lasted_ms }
            }
        };
        self.tell(event);
        self.read(index, now);
    }
}

/// Targets behind some PoPs, in order, each once.
fn targets_of(target_set: &TargetSet, pops: &[bool]) -> BTreeSet<u32> {
    let mut targets = BTreeSet::new();
    for slot in target_set.slots.iter().filter(|slot| pops[usize::from(slot.pop)]) {
        for formula in slot.v4.iter().chain(&slot.v6) {
            formula.visit(&mut |target| _ = targets.insert(target));
        }
    }
    targets
}
