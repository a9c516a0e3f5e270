//! State of targets across a reload, from one target set to the next.

use super::{Monitor, WatchedTarget};
use crate::health::Moment;
use crate::health::canary::{FreezeChange, IpFamily};
use crate::health::health_state::Verdict;
use crate::health::targets::{Formula, ManualState, SlotId, SlotTargets, Target, TargetId, TargetSet};
use crate::health::verdict::VerdictState;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

impl Monitor {
    /// Handles a reload. A target with the same key continues, with its running check. If the check
    /// of an address has changed but not its destination, the verdict stays until the first result.
    /// A new target is checked at once, and takes no clients until it has a verdict or
    /// `startup_wait` is over. A target that is gone is forgotten. Freezes, holds and overrides
    /// continue.
    pub fn handle_targets(&mut self, target_set: Arc<TargetSet>, now: Moment) {
        self.advance(now);
        // Earlier falls belong to the slots of the old target set.
        let judged = self.slot_table.evaluate(&self.target_set, now);
        self.emit_judgements(judged, now);
        self.count_turns(now);
        let old = std::mem::replace(&mut self.target_set, target_set);
        let new = self.target_set.clone();
        let old_watches = std::mem::take(&mut self.watched);
        let index_of: HashMap<&str, TargetId> = old
            .targets
            .iter()
            .zip(TargetId::in_order())
            .map(|(target, index)| (&*target.key, index))
            .collect();
        let replaced = Replaced::new(&old, &new);
        let mut origins = Vec::with_capacity(new.targets.len());
        for target in &new.targets {
            let same = index_of.get(&*target.key).copied();
            let origin = same.or_else(|| replaced.by(&old, target));
            origins.push(origin);
            let watched = match same {
                Some(index) => {
                    let mut watched = old_watches[index.index()].clone();
                    watched.adapt(target);
                    watched
                }
                None => {
                    inherit(target, origin.map(|index| &old_watches[index.index()]), now, new.startup_wait_ms)
                }
            };
            self.watched.push(watched);
        }
        self.schedule = std::mem::take(&mut self.schedule).follow(&old, &new, now);
        let mut thawed = Vec::new();
        for family in IpFamily::BOTH {
            let last = |index: TargetId| {
                let old_index = *index_of.get(&*new.targets[index.index()].key)?;
                let watched = &old_watches[old_index.index()];
                (watched.streak > 0).then_some(watched.was_well)
            };
            let (canaries, ends) = self.canaries[family as usize].follow(&new, family, last, now);
            self.canaries[family as usize] = canaries;
            thawed.extend(ends.map(|lasted_ms| (family, lasted_ms)));
        }
        let slot_table = std::mem::take(&mut self.slot_table);
        self.rebuild();
        self.slot_table.take_over(&slot_table, &old, &new, &slots_that_stay(&old, &new));
        let manual_states: HashMap<&str, ManualState> =
            old.pops.iter().map(|pop| &*pop.name).zip(slot_table.manual_states().iter().copied()).collect();
        let manual_states: Vec<ManualState> =
            new.pops.iter().map(|pop| manual_states.get(&*pop.name).copied().unwrap_or_default()).collect();
        self.slot_table.handle_overrides(&new, &manual_states);
        self.spare_as_before(&slot_table, (&old, &new), &origins);
        for (family, lasted_ms) in thawed {
            self.handle_change(family, FreezeChange::Thawed(lasted_ms.max(1)), now);
        }
        // Without canaries no suspect needs to wait.
        for family in IpFamily::BOTH {
            self.confirm_suspects(family, now);
        }
        self.count_own_faults();
    }
}

/// Finds the predecessor of a target whose key is new.
fn inherit(
    target: &Target,
    before: Option<&WatchedTarget>,
    now: Moment,
    startup_wait_ms: u32,
) -> WatchedTarget {
    let mut watched = WatchedTarget::new(target, now, startup_wait_ms);
    if let Some(before) = before
        && before.verdict_state.verdict() != Verdict::Unknown
    {
        watched.verdict_state = VerdictState::inherited(before.verdict_state.verdict());
        watched.since_ms = before.since_ms;
        watched.awaited_until = None;
        watched.flap.clone_from(&before.flap);
        watched.flap.adapt(target.spec.flap);
    }
    watched
}

/// Targets whose key is gone, by destination and address.
struct Replaced(HashMap<(SocketAddr, IpAddr), Vec<TargetId>>);

impl Replaced {
    fn new(old: &TargetSet, new: &TargetSet) -> Replaced {
        let stays: HashMap<&str, ()> = new.targets.iter().map(|target| (&*target.key, ())).collect();
        let mut replaced: HashMap<_, Vec<TargetId>> = HashMap::new();
        for (target, index) in old.targets.iter().zip(TargetId::in_order()) {
            if !stays.contains_key(&*target.key) {
                replaced.entry((target.destination, target.address)).or_default().push(index);
            }
        }
        Replaced(replaced)
    }

    /// Target that a new one replaces: of the same probe, or the only candidate.
    fn by(&self, old: &TargetSet, target: &Target) -> Option<TargetId> {
        let candidates = self.0.get(&(target.destination, target.address))?;
        let same = candidates.iter().find(|index| old.targets[index.index()].probe == target.probe);
        same.or_else(|| candidates.first().filter(|_| candidates.len() == 1)).copied()
    }
}

/// Maps each slot of the old target set to its index in the new one, if PoP, service and formulas
/// are the same.
fn slots_that_stay(old: &TargetSet, new: &TargetSet) -> Vec<Option<SlotId>> {
    let number_of: HashMap<_, SlotId> =
        new.slots.iter().zip(SlotId::in_order()).map(|(slot, number)| (new.name_of(slot), number)).collect();
    let find = |slot: &SlotTargets| {
        let number = *number_of.get(&old.name_of(slot))?;
        let other = &new.slots[number.index()];
        let is_same = |a: &[Formula], b: &[Formula]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same_formula((old, a), (new, b)))
        };
        (is_same(&slot.v4, &other.v4) && is_same(&slot.v6, &other.v6)).then_some(number)
    };
    old.slots.iter().map(find).collect()
}

fn is_same_formula((old, a): (&TargetSet, &Formula), (new, b): (&TargetSet, &Formula)) -> bool {
    match (a, b) {
        (Formula::Unwatched, Formula::Unwatched) => true,
        (Formula::Target(a), Formula::Target(b)) => old.targets[a.index()].key == new.targets[b.index()].key,
        (Formula::Group(need_a, a), Formula::Group(need_b, b)) => {
            need_a == need_b
                && a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| is_same_formula((old, a), (new, b)))
        }
        _ => false,
    }
}
