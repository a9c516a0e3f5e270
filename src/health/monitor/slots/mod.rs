//! Slot table: health of slots by their targets, and the guards of the policies that use them. The
//! health state is built from it.
//!
//! A new reading marks its slots. `evaluate` judges only the marked slots, and then their guards.
//! Nothing is judged between two calls, so the order of results between them does not matter.

mod damping;
mod reload;

use crate::health::Moment;
use crate::health::guard::{Guard, Hold, Judgement};
use crate::health::health_state::{HealthState, SlotHealth};
use crate::health::monitor::pools::{Judged, PoolTable};
use crate::health::saved::SavedSlot;
use crate::health::slot::{self, TargetReading};
use crate::health::targets::{ManualState, PolicyId, PopId, SlotId, SlotTargets, TargetId, TargetSet};
use crate::limits::HEALTH_CHANGES_MAX;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Health of slots by their targets, and the guards of the policies that use them.
#[derive(Clone, Debug, Default)]
pub(super) struct SlotTable {
    readings: Vec<TargetReading>,
    /// For each target, the slots that depend on it.
    users: Vec<Vec<SlotId>>,
    /// For each slot, its policies, with its number as a member.
    members: Vec<Vec<(PolicyId, u32)>>,
    slots: Vec<SlotHealth>,
    /// For each slot, its PoP.
    pop_of: Vec<PopId>,
    /// For each slot, the strictest `up_threshold` (percent) among its policies.
    thresholds: Vec<u8>,
    /// For each slot, the moment since which it is down by that threshold.
    fell_ms: Vec<Option<i64>>,
    dirty: Vec<SlotId>,
    is_dirty: Vec<bool>,
    guards: Vec<Guard>,
    touched: Vec<PolicyId>,
    is_touched: Vec<bool>,
    /// For each held policy, the slots as they were before the hold.
    held: BTreeMap<PolicyId, Vec<SlotHealth>>,
    pools: PoolTable,
    /// For each PoP, the operators' decision.
    manual_states: Vec<ManualState>,
    /// For each PoP, the targets whose damping it ignores; PoPs without such targets are left out.
    spared: BTreeMap<PopId, BTreeSet<TargetId>>,
    /// State of a slot before each of its changes, within the longest window of all guards. An
    /// entry with a policy is only for the guard of that policy (a hold that continues after a
    /// restart).
    undo: VecDeque<(Moment, SlotId, SlotHealth, Option<PolicyId>)>,
    window_max_ms: u64,
    /// True if a verdict, or other state than a horizon, has changed since the last health state.
    pub(crate) has_turned: bool,
    /// True if a horizon has changed since the last health state.
    pub(crate) has_counted: bool,
}

impl SlotTable {
    /// Starts with the given readings. No PoP falls by them.
    pub(crate) fn new(target_set: &TargetSet, readings: Vec<TargetReading>) -> SlotTable {
        let slots = target_set.slots.len();
        let mut slot_table = SlotTable {
            users: vec![Vec::new(); readings.len()],
            readings,
            members: vec![Vec::new(); slots],
            slots: vec![SlotHealth::default(); slots],
            pop_of: target_set.slots.iter().map(|slot| slot.pop).collect(),
            fell_ms: vec![None; slots],
            // A slot with no address up has nothing to answer.
            thresholds: vec![1; slots],
            is_dirty: vec![false; slots],
            is_touched: vec![false; target_set.policies.len()],
            guards: target_set.policies.iter().map(|policy| Guard::new(policy, &target_set.pops)).collect(),
            pools: PoolTable::new(target_set),
            manual_states: vec![ManualState::None; target_set.pops.len()],
            window_max_ms: target_set
                .policies
                .iter()
                .map(|policy| u64::from(policy.guard.window_ms))
                .max()
                .unwrap_or(0),
            has_turned: true,
            ..SlotTable::default()
        };
        for (slot, index) in target_set.slots.iter().zip(SlotId::in_order()) {
            for formula in slot.v4.iter().chain(&slot.v6) {
                formula.visit(&mut |target| {
                    let users = &mut slot_table.users[target.index()];
                    // Slots come in order, so a target that a slot uses twice has the slot last.
                    if users.last() != Some(&index) {
                        users.push(index);
                    }
                });
            }
        }
        for (policy, number) in target_set.policies.iter().zip(PolicyId::in_order()) {
            for ((_, slot), member) in policy.members.iter().zip(0..) {
                slot_table.members[slot.index()].push((number, member));
                let threshold = &mut slot_table.thresholds[slot.index()];
                *threshold = policy.up_threshold_percent.max(*threshold);
            }
        }
        slot_table.start(target_set);
        slot_table
    }

    /// Judges every slot for the first time; a slot that is down does not count as fallen. Every
    /// policy is judged next, because all PoPs of a pool may be down.
    fn start(&mut self, target_set: &TargetSet) {
        for (index, slot) in target_set.slots.iter().enumerate() {
            (self.slots[index], self.fell_ms[index]) =
                slot::judge(slot, &self.readings, self.spared_of(slot.pop), self.thresholds[index]);
            for (policy, member) in &self.members[index] {
                let is_down = slot::is_down(
                    slot,
                    &self.slots[index],
                    target_set.policies[policy.index()].up_threshold_percent,
                );
                self.guards[policy.index()].handle(*member as usize, is_down, false, Moment(0));
            }
        }
        self.rank();
        (0..target_set.policies.len()).for_each(|policy| self.touch(PolicyId::at(policy)));
    }

    /// Holds by policy, with the slots that are served as down meanwhile.
    pub(crate) fn holds<'b>(
        &'b self,
        target_set: &'b TargetSet,
    ) -> impl Iterator<Item = (PolicyId, Hold, Vec<SavedSlot>)> + 'b {
        self.held.iter().filter_map(move |(policy, before)| {
            let members: BTreeSet<SlotId> =
                target_set.policies[policy.index()].members.iter().map(|(_, slot)| *slot).collect();
            let served = self.served(target_set, before);
            let named = |(slot, is): (&SlotTargets, SlotHealth)| SavedSlot {
                pop: target_set.pops[slot.pop.index()].name.clone(),
                service: slot.service.clone(),
                down_v4: is.down_v4,
                down_v6: is.down_v6,
            };
            let is_told = |index: SlotId, is: &SlotHealth| {
                (is.down_v4, is.down_v6) != (0, 0) && members.contains(&index)
            };
            let slots = target_set.slots.iter().zip(served).zip(SlotId::in_order());
            let down = slots.filter(|((_, is), index)| is_told(*index, is)).map(|(slot, _)| named(slot));
            Some((*policy, self.guards[policy.index()].hold()?, down.collect()))
        })
    }

    /// Continues a hold of before a restart. A slot stays down if it was served as down and is down
    /// now; the others count as fallen.
    pub(crate) fn resume(
        &mut self,
        target_set: &TargetSet,
        policy: PolicyId,
        hold: Hold,
        down: &[SavedSlot],
        now: Moment,
    ) {
        let down: BTreeMap<(&str, &str), &SavedSlot> =
            down.iter().map(|slot| ((&*slot.pop, &*slot.service), slot)).collect();
        let mut held = self.slots.clone();
        for ((slot, held), index) in target_set.slots.iter().zip(&mut held).zip(SlotId::in_order()) {
            let was = down.get(&target_set.name_of(slot));
            let (was_v4, was_v6) = was.map_or((0, 0), |was| (was.down_v4, was.down_v6));
            (held.down_v4, held.down_v6) = (held.down_v4 & was_v4, held.down_v6 & was_v6);
            if *held != self.slots[index.index()] {
                // Later than `now`, because no state before the restart is restored.
                self.undo.push_back((now.after_ms(1), index, *held, Some(policy)));
            }
        }
        let (guard, spec) = (&mut self.guards[policy.index()], &target_set.policies[policy.index()]);
        for (member, (_, slot)) in spec.members.iter().enumerate() {
            let slot = slot.index();
            if guard.is_down(member)
                && !slot::is_down(&target_set.slots[slot], &held[slot], spec.up_threshold_percent)
            {
                guard.handle_fall(member, now);
            }
        }
        guard.resume(hold);
        self.held.insert(policy, held);
        self.has_turned = true;
    }

    /// Takes a new reading of a target.
    pub(crate) fn read(&mut self, target: TargetId, reading: TargetReading) {
        let known = &mut self.readings[target.index()];
        if *known == reading {
            return;
        }
        *known = reading;
        for number in 0..self.users[target.index()].len() {
            self.mark(self.users[target.index()][number]);
        }
    }

    /// Marks a slot for the next evaluation.
    fn mark(&mut self, slot: SlotId) {
        if !std::mem::replace(&mut self.is_dirty[slot.index()], true) {
            self.dirty.push(slot);
        }
    }

    /// Last reading of a target.
    #[cfg(test)]
    pub(crate) fn reading(&self, target: TargetId) -> TargetReading {
        self.readings[target.index()]
    }

    /// Sets the operators' decisions about each PoP.
    pub(crate) fn handle_overrides(&mut self, target_set: &TargetSet, manual_states: &[ManualState]) {
        let of = |pop: usize| manual_states.get(pop).copied().unwrap_or_default();
        let changed = (0..self.manual_states.len()).any(|pop| self.manual_states[pop] != of(pop));
        if !changed {
            return;
        }
        // The PoPs that count decide about holds, and about how many PoPs may be damped.
        let is_damped = self.slots.iter().any(|slot| slot.damped_v4 | slot.damped_v6 != 0);
        self.has_turned |= !self.held.is_empty() || is_damped;
        self.manual_states = (0..self.manual_states.len()).map(of).collect();
        for (policy, number) in target_set.policies.iter().zip(PolicyId::in_order()) {
            for (member, (pop, _)) in policy.members.iter().enumerate() {
                let is_overridden = of(pop.index()) != ManualState::None;
                self.guards[number.index()].handle_override(member, is_overridden);
            }
            self.touch(number);
        }
    }

    /// Operators' decisions about each PoP.
    pub(crate) fn manual_states(&self) -> &[ManualState] {
        &self.manual_states
    }

    /// Judges marked slots, the guards they concern, all holds, and all pools on their way back.
    /// Returns the decisions of guards and the changes of pools.
    pub(crate) fn evaluate(&mut self, target_set: &TargetSet, now: Moment) -> Judged {
        let (mut dirty, mut has_fallen) = (std::mem::take(&mut self.dirty), false);
        // Sorted, so that the order of results does not matter.
        dirty.sort_unstable();
        for index in dirty.drain(..) {
            has_fallen |= self.settle_slot(target_set, index, now);
        }
        self.dirty = dirty;
        if has_fallen {
            self.rank();
        }
        while self.undo.front().is_some_and(|(moment, ..)| moment.after_ms(self.window_max_ms) < now)
            || self.undo.len() > HEALTH_CHANGES_MAX
        {
            self.undo.pop_front();
        }
        let pending: Vec<PolicyId> = self.held.keys().copied().chain(self.pools.policies()).collect();
        pending.into_iter().for_each(|policy| self.touch(policy));
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        let mut judged = Judged::default();
        for policy in touched.drain(..) {
            self.is_touched[policy.index()] = false;
            let judgement = self.guards[policy.index()].judge(now);
            if let Some(judgement) = judgement {
                match judgement {
                    Judgement::Held { hold, .. } => _ = self.held.insert(policy, self.at(hold.from, policy)),
                    Judgement::Released(..) => _ = self.held.remove(&policy),
                }
                judged.guards.push((policy, judgement));
            }
            let guard = (&self.guards[policy.index()], judgement);
            judged.pools.extend(self.pools.judge(policy, guard, &self.slots, &self.manual_states, now));
        }
        self.has_turned |= !judged.guards.is_empty() || !judged.pools.is_empty();
        self.touched = touched;
        judged
    }

    /// Judges one slot. True if it went down by its threshold, or came back from that: ranks then
    /// change.
    fn settle_slot(&mut self, target_set: &TargetSet, slot: SlotId, now: Moment) -> bool {
        let index = slot.index();
        self.is_dirty[index] = false;
        let was = self.slots[index];
        let slot = &target_set.slots[index];
        let (mut is, fell_ms) =
            slot::judge(slot, &self.readings, self.spared_of(slot.pop), self.thresholds[index]);
        is.went_down = was.went_down;
        let has_fallen = fell_ms.is_some() != self.fell_ms[index].is_some();
        if has_fallen {
            self.fell_ms[index] = fell_ms;
        }
        self.slots[index] = is;
        self.has_counted |= was.horizon_secs != is.horizon_secs;
        self.has_turned |= (was.damped_v4, was.damped_v6) != (is.damped_v4, is.damped_v6);
        if (was.down_v4, was.down_v6, was.is_awaited) == (is.down_v4, is.down_v6, is.is_awaited) {
            return has_fallen;
        }
        self.has_turned = true;
        self.undo.push_back((now, SlotId::at(index), was, None));
        // A slot that comes back during a hold is up in it; if it falls again, the hold keeps it
        // up.
        if !is.is_awaited {
            for held in self.held.values_mut().map(|held| &mut held[index]) {
                (held.down_v4, held.down_v6) = (held.down_v4 & is.down_v4, held.down_v6 & is.down_v6);
            }
        }
        for number in 0..self.members[index].len() {
            let (policy, member) = self.members[index][number];
            let is_down = slot::is_down(
                &target_set.slots[index],
                &is,
                target_set.policies[policy.index()].up_threshold_percent,
            );
            let serves = !was.is_awaited && !self.pools.is_returning(policy, member);
            self.guards[policy.index()].handle(member as usize, is_down, serves, now);
            self.touch(policy);
        }
        has_fallen
    }

    /// Ranks the slots that are down in the order in which they went down; simultaneous ones share
    /// a rank.
    fn rank(&mut self) {
        let mut fallen: Vec<(i64, usize)> = self
            .fell_ms
            .iter()
            .enumerate()
            .filter_map(|(slot, fell_ms)| fell_ms.map(|since| (since, slot)))
            .collect();
        fallen.sort_unstable();
        let (mut rank, mut last) = (0, None);
        for (slot, fell_ms) in self.slots.iter_mut().zip(&self.fell_ms) {
            if fell_ms.is_none() && slot.went_down != 0 {
                slot.went_down = 0;
                self.has_turned = true;
            }
        }
        for (since, slot) in fallen {
            rank += u32::from(last.replace(since) != Some(since));
            let number = &mut self.slots[slot].went_down;
            self.has_turned |= *number != rank;
            *number = rank;
        }
    }

    /// Slots that a guard holds from `moment` on: a slot is down only if it was down all the time.
    /// A slot that was up at any time since has fallen with the others. An unknown state is not
    /// restored.
    pub(crate) fn at(&self, moment: Moment, policy: PolicyId) -> Vec<SlotHealth> {
        let mut slots = self.slots.clone();
        for (_, slot, was, of) in self.undo.iter().rev().take_while(|(at, ..)| *at > moment) {
            if !was.is_awaited && of.is_none_or(|of| of == policy) {
                let slot = &mut slots[slot.index()];
                (slot.down_v4, slot.down_v6) = (slot.down_v4 & was.down_v4, slot.down_v6 & was.down_v6);
                slot.is_awaited = false;
            }
        }
        slots
    }

    /// Current health state.
    pub(crate) fn health_state(&mut self, target_set: &TargetSet) -> HealthState {
        (self.has_turned, self.has_counted) = (false, false);
        let held = self
            .held
            .iter()
            .map(|(policy, before)| (*policy, self.served(target_set, before).collect()))
            .collect();
        let undamped = self.undamped(target_set);
        HealthState { slots: self.slots.clone(), held, returning: self.pools.shown(), undamped }
    }

    /// Slots that a held policy serves.
    fn served(&self, target_set: &TargetSet, before: &[SlotHealth]) -> impl Iterator<Item = SlotHealth> {
        let slots = before.iter().zip(&self.slots).zip(&target_set.slots);
        slots.map(|((before, is), slot)| {
            let is_overridden = self.manual_states[slot.pop.index()] != ManualState::None;
            if is_overridden { *is } else { slot::held(before, is) }
        })
    }

    /// Next end of a hold or a way back.
    pub(crate) fn next_wake(&self) -> Option<Moment> {
        let holds = self.held.keys().filter_map(|policy| self.guards[policy.index()].next_wake());
        holds.chain(self.pools.next_wake()).min()
    }

    /// Pools of all policies.
    pub(crate) fn pools(&self) -> &PoolTable {
        &self.pools
    }

    /// Pools of all policies, to restore them after a restart.
    pub(crate) fn pools_mut(&mut self) -> &mut PoolTable {
        self.has_turned = true;
        &mut self.pools
    }

    fn touch(&mut self, policy: PolicyId) {
        if !std::mem::replace(&mut self.is_touched[policy.index()], true) {
            self.touched.push(policy);
        }
    }
}
