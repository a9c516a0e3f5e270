//! Schedule of checks: the next start of each target.
//!
//! The first run of a target is due at once. Then the target keeps its own grid of points, `every`
//! apart. Their phase comes from a seed and the target's key, so that targets and nodes spread over
//! time, and late starts do not add up. At most [`PROBES_AT_ONCE`] run together. The target that
//! was due first starts first, canaries before all others. A running target is not due again, and a
//! run without a result is given up after a time.

use super::Moment;
use super::targets::{TargetId, TargetSet};
use crate::limits::{PROBE_QUICK_MS, PROBES_AT_ONCE};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

/// Milliseconds past its timeout after which a run without a result is given up.
const LOST_AFTER_MS: u64 = 5_000;

/// Ticket of one run. Never used twice, also not across target sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Run that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Index of the target.
    pub(crate) id: TargetId,
    /// Start of the run.
    pub(crate) started: Moment,
}

/// Starts of all targets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    seed: u64,
    entries: Vec<Entry>,
    /// (due, order, index); valid while the entry has the same moment. The order spreads targets
    /// that are due together.
    due: BinaryHeap<Reverse<(Moment, u64, TargetId)>>,
    due_canaries: BinaryHeap<Reverse<(Moment, u64, TargetId)>>,
    flights: BTreeMap<Ticket, Flight>,
    deadlines: BinaryHeap<Reverse<(Moment, Ticket)>>,
    tickets: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    hash: u64,
    every_ms: u64,
    timeout_ms: u64,
    is_canary: bool,
    /// Next start; `None` while it runs, and for pushed targets.
    due: Option<Moment>,
    flying: Option<Ticket>,
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    /// Index of the target; `None` once it is gone.
    id: Option<TargetId>,
    started: Moment,
    deadline: Moment,
}

impl Schedule {
    /// Starts with every target due at once, except pushed ones.
    pub(crate) fn new(target_set: &TargetSet, seed: u64, now: Moment) -> Schedule {
        let mut schedule = Schedule { seed, ..Schedule::default() };
        schedule.fill(target_set, |_, _| None, now);
        schedule
    }

    /// Carries the schedule over to another target set. A target that stays keeps its grid and its
    /// runs; a new one is due at once.
    #[must_use]
    pub(crate) fn follow(mut self, old: &TargetSet, new: &TargetSet, now: Moment) -> Schedule {
        let index_of: HashMap<&str, TargetId> =
            old.targets.iter().zip(TargetId::in_order()).map(|(target, id)| (&*target.key, id)).collect();
        let entries = std::mem::take(&mut self.entries);
        self.due.clear();
        self.due_canaries.clear();
        let mut moved: HashMap<Ticket, TargetId> = HashMap::new();
        self.fill(
            new,
            |id, key| {
                let before = entries.get(index_of.get(key)?.index())?;
                before.flying.map(|ticket| moved.insert(ticket, id));
                Some(before)
            },
            now,
        );
        for (ticket, flight) in &mut self.flights {
            flight.id = moved.get(ticket).copied();
        }
        self
    }

    fn fill<'e>(
        &mut self,
        target_set: &TargetSet,
        mut before: impl FnMut(TargetId, &str) -> Option<&'e Entry>,
        now: Moment,
    ) {
        let mut is_canary = vec![false; target_set.targets.len()];
        for canary in &target_set.canaries {
            is_canary[canary.index()] = true;
        }
        for (target, id) in target_set.targets.iter().zip(TargetId::in_order()) {
            let hash = spread(self.seed, &target.key);
            let every_ms = u64::from(target.spec.every_ms.max(1));
            let mut entry = Entry {
                hash,
                every_ms,
                timeout_ms: u64::from(target.spec.timeout_ms),
                is_canary: is_canary[id.index()],
                due: Some(now),
                flying: None,
            };
            if let Some(before) = before(id, &target.key) {
                entry.flying = before.flying;
                entry.due = before.due.map(|due| due.min(now.after_ms(every_ms)));
            }
            if target.spec.check.is_pushed() {
                entry.due = None;
            }
            self.entries.push(entry);
            if let Some(due) = self.entries[id.index()].due {
                self.set_due(id, due);
            }
        }
    }

    /// Next target to run now, if one may run.
    pub(crate) fn poll(&mut self, now: Moment) -> Option<(TargetId, Ticket)> {
        if self.flights.len() >= PROBES_AT_ONCE {
            return None;
        }
        let id = pop(&mut self.due_canaries, &self.entries, now)
            .or_else(|| pop(&mut self.due, &self.entries, now))?;
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let entry = &mut self.entries[id.index()];
        entry.due = None;
        entry.flying = Some(ticket);
        let deadline = now.after_ms(entry.timeout_ms + LOST_AFTER_MS);
        self.flights.insert(ticket, Flight { id: Some(id), started: now, deadline });
        self.deadlines.push(Reverse((deadline, ticket)));
        Some((id, ticket))
    }

    /// Ends a run: its target is due at the next point of its grid. `None` if the target is gone,
    /// the ticket is unknown, or the run was given up.
    pub(crate) fn finish(&mut self, ticket: Ticket, now: Moment) -> Option<Run> {
        let Flight { id, started, .. } = self.flights.remove(&ticket)?;
        let id = id?;
        let entry = &mut self.entries[id.index()];
        entry.flying = None;
        // At least half a period later, because the first run and early runs lie anywhere between
        // two points.
        let earliest = started.0.saturating_add(entry.every_ms / 2 + 1).max(now.0);
        let phase = entry.hash % entry.every_ms;
        let due = Moment(earliest + (phase + entry.every_ms - earliest % entry.every_ms) % entry.every_ms);
        self.set_due(id, due);
        Some(Run { id, started })
    }

    /// Ends an overdue run.
    pub(crate) fn poll_lost(&mut self, now: Moment) -> Option<Run> {
        while let Some(Reverse((deadline, ticket))) = self.deadlines.peek().copied() {
            let is_stale = self.flights.get(&ticket).is_none_or(|flight| flight.deadline != deadline);
            if !is_stale && deadline > now {
                return None;
            }
            self.deadlines.pop();
            if !is_stale && let Some(run) = self.finish(ticket, now) {
                return Some(run);
            }
        }
        None
    }

    /// Runs a target again soon: after a second, or after its period if that is shorter, but not
    /// later than planned.
    pub(crate) fn retry(&mut self, id: TargetId, now: Moment) {
        self.hasten(id, now.after_ms(quick_ms(self.entries[id.index()].every_ms)));
    }

    /// Runs a target by this moment at the latest, unless it runs already.
    pub(crate) fn hasten(&mut self, id: TargetId, by: Moment) {
        if let Some(due) = self.entries[id.index()].due
            && due > by
        {
            self.set_due(id, by);
        }
    }

    /// Next start of a target; `None` while it runs, or if it is pushed.
    pub(crate) fn due(&self, id: TargetId) -> Option<Moment> {
        self.entries[id.index()].due
    }

    /// Moment of the next call. It may be too early, never too late.
    pub(crate) fn next_wake(&self) -> Option<Moment> {
        let deadline = self.deadlines.peek().map(|Reverse((moment, _))| *moment);
        if self.flights.len() >= PROBES_AT_ONCE {
            return deadline;
        }
        let top = |heap: &BinaryHeap<Reverse<(Moment, u64, TargetId)>>| {
            heap.peek().map(|Reverse((moment, ..))| *moment)
        };
        [top(&self.due), top(&self.due_canaries), deadline].into_iter().flatten().min()
    }

    fn set_due(&mut self, id: TargetId, due: Moment) {
        let entry = &mut self.entries[id.index()];
        entry.due = Some(due);
        let heap = if entry.is_canary { &mut self.due_canaries } else { &mut self.due };
        heap.push(Reverse((due, entry.hash, id)));
    }
}

/// Milliseconds until a quick second run.
pub(crate) fn quick_ms(every_ms: u64) -> u64 {
    every_ms.min(PROBE_QUICK_MS)
}

/// Takes the first entry that is due, and drops invalid entries before it.
fn pop(
    heap: &mut BinaryHeap<Reverse<(Moment, u64, TargetId)>>,
    entries: &[Entry],
    now: Moment,
) -> Option<TargetId> {
    while let Some(Reverse((due, _, id))) = heap.peek().copied() {
        let is_true = entries[id.index()].due == Some(due);
        if is_true && due > now {
            return None;
        }
        heap.pop();
        if is_true && entries[id.index()].flying.is_none() {
            return Some(id);
        }
    }
    None
}

/// FNV-1a of the key, mixed with the seed (the finish of splitmix64): the same on every machine.
pub(super) fn spread(seed: u64, key: &str) -> u64 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut mixed = hash ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests;
