//! Decision counters: one table for each worker, with a row for each policy and a column for each
//! reason and each PoP.
//!
//! They are laid out from the indexes of one snapshot and live beside it, since these numbers mean
//! nothing in another. A worker adds with a plain load and store to a shard that no other
//! thread writes. Readers get [`Decisions`], which go by name: the shards of retired snapshots are
//! folded into them, so that a count survives its snapshot.

use crate::answer::{Decided, Reason};
use crate::limits::DECISION_PAIRS_MAX;
use crate::snapshot::Snapshot;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Number of a writer of decision counters: one worker, or all tasks of a lane together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkerId {
    /// Index of its shard.
    pub(crate) index: usize,
    /// Whether several threads write it.
    pub(crate) is_multi_writer: bool,
}

/// The name under which what is past the limit is counted.
pub(crate) const OTHER: &str = "other";

const REASONS: usize = Reason::ALL.len();

/// A line of counters. Aligned so that no two shards share a cache line (or a pair of them, which
/// processors fetch together).
#[repr(align(128))]
#[derive(Debug, Default)]
struct Line([AtomicU64; 16]);

/// Decision counters of one layout of policies and PoPs.
#[derive(Debug)]
pub(crate) struct DecisionCounters {
    policies: Box<[Arc<str>]>,
    pops: Box<[Arc<str>]>,
    /// The last row. There is one for each policy, or fewer with `other` as the last; each has its
    /// reasons, then its PoPs.
    last_row: usize,
    /// Cells of a row.
    row_len: usize,
    shards: Box<[Box<[Line]>]>,
}

impl DecisionCounters {
    /// Makes empty decision counters for a snapshot, with a shard for each of `worker_count`
    /// writers.
    pub(crate) fn new(snapshot: &Snapshot, worker_count: usize) -> DecisionCounters {
        let policies = snapshot.steering.policies.iter().map(|p| p.name.clone()).collect();
        let pops = snapshot.steering.pops.iter().map(|p| p.name.clone()).collect();
        DecisionCounters::laid_out(policies, pops, worker_count, DECISION_PAIRS_MAX)
    }

    fn laid_out(
        policies: Box<[Arc<str>]>,
        pops: Box<[Arc<str>]>,
        worker_count: usize,
        pairs_max: usize,
    ) -> DecisionCounters {
        let rows = policies.len().min((pairs_max / pops.len().max(1)).max(1));
        let row_len = pops.len() + REASONS;
        let shard = || (0..(rows * row_len).div_ceil(16)).map(|_| Line::default()).collect();
        DecisionCounters {
            last_row: rows.saturating_sub(1),
            row_len,
            shards: (0..worker_count).map(|_| shard()).collect(),
            policies,
            pops,
        }
    }

    /// Whether the indexes of a snapshot mean the same here.
    pub(crate) fn fits(&self, snapshot: &Snapshot) -> bool {
        self.policies.iter().eq(snapshot.steering.policies.iter().map(|p| &p.name))
            && self.pops.iter().eq(snapshot.steering.pops.iter().map(|p| &p.name))
    }

    /// Counts what a policy has decided.
    #[inline(always)]
    pub(crate) fn count(&self, worker: WorkerId, decided: &Decided) {
        let Some(shard) = self.shards.get(worker.index) else { return };
        let row = self.row_at((decided.policy as usize).min(self.last_row));
        add(shard, row + decided.reason as usize, worker.is_multi_writer);
        if let Some((pop, _)) = decided.pop {
            add(shard, row + REASONS + usize::from(pop.0), worker.is_multi_writer);
        }
    }

    /// The first cell of a row.
    #[inline(always)]
    fn row_at(&self, row: usize) -> usize {
        row * self.row_len
    }

    /// Adds everything that was counted here to sums by name.
    pub(crate) fn fold_into(&self, decisions: &mut Decisions) {
        let sum = |column: usize| -> u64 { self.shards.iter().map(|shard| read(shard, column)).sum() };
        let rows = self.policies.len().min(self.last_row + 1);
        for row in 0..rows {
            let is_other = row + 1 == rows && rows < self.policies.len();
            let policy: Arc<str> = if is_other { OTHER.into() } else { self.policies[row].clone() };
            for (pop, name) in self.pops.iter().enumerate() {
                decisions.add_pop(&policy, name, sum(self.row_at(row) + REASONS + pop));
            }
            for reason in Reason::ALL {
                decisions.add_reason(&policy, reason, sum(self.row_at(row) + reason as usize));
            }
        }
    }
}

#[inline(always)]
fn add(shard: &[Line], column: usize, is_multi_writer: bool) {
    let Some(counter) = shard.get(column / 16).map(|line| &line.0[column % 16]) else { return };
    if is_multi_writer {
        counter.fetch_add(1, Ordering::Relaxed);
    } else {
        counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }
}

fn read(shard: &[Line], column: usize) -> u64 {
    shard.get(column / 16).map_or(0, |line| line.0[column % 16].load(Ordering::Relaxed))
}

/// Sums by name, over all snapshots. Pairs that never occurred are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    pops: BTreeMap<(Arc<str>, Arc<str>), u64>,
    reasons: BTreeMap<Arc<str>, [u64; REASONS]>,
}

impl Decisions {
    /// Policy, PoP, and how often the policy answered the PoP's addresses.
    pub(crate) fn by_pop(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.pops.iter().map(|((policy, pop), count)| (&**policy, &**pop, *count))
    }

    /// Policy, reason, and how often the policy decided so.
    pub(crate) fn by_reason(&self) -> impl Iterator<Item = (&str, Reason, u64)> {
        self.reasons.iter().flat_map(|(policy, counts)| {
            Reason::ALL.into_iter().zip(counts).map(|(reason, count)| (&**policy, reason, *count))
        })
    }

    /// Names come and go with reloads, for as long as the process lives; past the limit they share
    /// one.
    fn add_pop(&mut self, policy: &Arc<str>, pop: &Arc<str>, count: u64) {
        if count == 0 {
            return;
        }
        let mut key = (policy.clone(), pop.clone());
        if self.pops.len() >= DECISION_PAIRS_MAX && !self.pops.contains_key(&key) {
            key = (OTHER.into(), OTHER.into());
        }
        *self.pops.entry(key).or_default() += count;
    }

    fn add_reason(&mut self, policy: &Arc<str>, reason: Reason, count: u64) {
        let full = self.reasons.len() >= DECISION_PAIRS_MAX && !self.reasons.contains_key(policy);
        let key = if full { OTHER.into() } else { policy.clone() };
        self.reasons.entry(key).or_default()[reason as usize] += count;
    }
}

#[cfg(test)]
mod tests;
