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
        let before = Before::new(&old, std::mem::take(&mut self.watched));
        let origins = self.watch(&before, &new, now);
        self.schedule = std::mem::take(&mut self.schedule).follow(&old, &new, now);
        let thawed = self.follow_canaries(&before, &new, now);
        let slot_table = std::mem::take(&mut self.slot_table);
        self.rebuild();
        self.slot_table.take_over(&slot_table, &old, &new, &slots_that_stay(&old, &new));
        self.slot_table.handle_overrides(&new, &carried_over(slot_table.manual_states(), &old, &new));
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

    /// Watches the targets of a new set. Returns the index of the predecessor of each.
    fn watch(&mut self, before: &Before<'_>, new: &TargetSet, now: Moment) -> Vec<Option<TargetId>> {
        let replaced = Replaced::new(before.target_set, new);
        let mut origins = Vec::with_capacity(new.targets.len());
        for target in &new.targets {
            let same = before.index_of(target);
            let origin = same.or_else(|| replaced.by(before.target_set, target));
            origins.push(origin);
            let watched = match same {
                Some(index) => {
                    let mut watched = before.watched[index.index()].clone();
                    watched.adapt(target);
                    watched
                }
                None => {
                    let origin = origin.map(|index| &before.watched[index.index()]);
                    inherit(target, origin, now, new.startup_wait_ms)
                }
            };
            self.watched.push(watched);
        }
        origins
    }

    /// Takes over the canaries. Returns the families whose freeze ends, with its duration in
    /// milliseconds.
    fn follow_canaries(
        &mut self,
        before: &Before<'_>,
        new: &Arc<TargetSet>,
        now: Moment,
    ) -> Vec<(IpFamily, u64)> {
        let mut thawed = Vec::new();
        for family in IpFamily::BOTH {
            let last = |index: TargetId| {
                let watched = &before.watched[before.index_of(&new.targets[index.index()])?.index()];
                (watched.streak > 0).then_some(watched.was_well)
            };
            let (canaries, ends) = self.canaries[family as usize].follow(new, family, last, now);
            self.canaries[family as usize] = canaries;
            thawed.extend(ends.map(|lasted_ms| (family, lasted_ms)));
        }
        thawed
    }
}

/// Targets before a reload.
struct Before<'o> {
    target_set: &'o TargetSet,
    watched: Vec<WatchedTarget>,
    /// Index of each target, by its key.
    index_by_key: HashMap<&'o str, TargetId>,
}

impl<'o> Before<'o> {
    fn new(target_set: &'o TargetSet, watched: Vec<WatchedTarget>) -> Before<'o> {
        let keys = target_set.targets.iter().map(|target| &*target.key);
        Before { target_set, watched, index_by_key: keys.zip(TargetId::in_order()).collect() }
    }

    /// Index of the target with the same key.
    fn index_of(&self, target: &Target) -> Option<TargetId> {
        self.index_by_key.get(&*target.key).copied()
    }
}

/// Manual states of the PoPs of a new set, by their names.
fn carried_over(before: &[ManualState], old: &TargetSet, new: &TargetSet) -> Vec<ManualState> {
    let by_name: HashMap<&str, ManualState> =
        old.pops.iter().map(|pop| &*pop.name).zip(before.iter().copied()).collect();
    new.pops.iter().map(|pop| by_name.get(&*pop.name).copied().unwrap_or_default()).collect()
}

/// Starts a target whose key is new. If its predecessor `before` has a verdict, the target inherits
/// the verdict and the damping.
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

    /// Old target that a new one replaces: the target of the same probe, else the only one with the
    /// same destination and address.
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
        (Formula::Unwatched | Formula::Target(_) | Formula::Group(..), _) => false,
    }
}
