//! Counters by name: decisions of policies, and answers of zones. There is one table (a shard) for
//! each UDP worker, and for each group of tasks that count together. A table has a row for each
//! policy, with a column for each reason and each PoP, and a row for each zone, with a column for
//! each [`ZoneAnswer`].
//!
//! Rows and columns follow the indexes of one snapshot and live beside it, because the indexes mean
//! something else in another. A UDP worker adds with a plain load and store to its shard, which no
//! other thread writes; tasks that share a shard add atomically. Readers get [`Decisions`], which
//! are kept by name. The shards of retired snapshots are folded into them, so that a count survives
//! its snapshot. Where there is no room for all, policies, PoPs and zones that the newest snapshot
//! lacks are summed as [`OTHER`], so that reloads need no more names than a snapshot has.

use crate::answer::{Decided, Reason};
use crate::limits::{DECISION_PAIRS_MAX, POLICIES_SHOWN_MAX, ZONES_COUNTED_MAX};
use crate::snapshot::Snapshot;
use crate::wire::name::Name;
use crate::wire::rr::Rcode;
use crate::zone::set::ZoneId;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writer of decision counters: one worker, or all tasks of a lane together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkerId {
    /// Index of the shard.
    pub(crate) index: usize,
    /// True if several threads write the shard.
    pub(crate) is_multi_writer: bool,
}

/// Name under which counts past the limit are summed; no policy, PoP or zone can have it.
pub(crate) const OTHER: &str = "(other)";

const REASONS: usize = Reason::ALL.len();
const ZONE_ANSWERS: usize = ZoneAnswer::ALL.len();

closed_set! {
    /// Answers of a zone, by response code.
    pub(crate) enum ZoneAnswer {
        /// The name exists; the answer may be empty.
        NoError = "NOERROR",
        /// The name does not exist.
        NxDomain = "NXDOMAIN",
        /// Any other response code.
        Other = "other",
    }
}

impl ZoneAnswer {
    #[inline(always)]
    fn of(rcode: Rcode) -> ZoneAnswer {
        match rcode {
            Rcode::NOERROR => ZoneAnswer::NoError,
            Rcode::NXDOMAIN => ZoneAnswer::NxDomain,
            _ => ZoneAnswer::Other,
        }
    }
}

/// Line of counters. Aligned so that no two shards share a cache line, or a pair of lines that
/// processors fetch together.
#[repr(align(128))]
#[derive(Debug, Default)]
struct Line([AtomicU64; 16]);

/// Decision counters of one layout of policies and PoPs.
#[derive(Debug)]
pub(crate) struct DecisionCounters {
    policies: Box<[Arc<str>]>,
    pops: Box<[Arc<str>]>,
    /// Index of the last row. Each policy has a row, or past the limit the last row, [`OTHER`]. A
    /// row holds the reasons, then the PoPs.
    last_row: usize,
    /// Number of cells in a row.
    row_len: usize,
    /// Zones with a row each, by wire name of the apex. One more row counts the others.
    zones: Box<[Box<[u8]>]>,
    /// First cell of the rows of policies, behind those of the zones.
    policies_at: usize,
    shards: Box<[Box<[Line]>]>,
    /// Number in the order of creation.
    number: u64,
}

/// Number of the next [`DecisionCounters`]; [`Decisions`] without any have 0.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

impl DecisionCounters {
    /// Empty counters for a snapshot, with a shard for each of `worker_count` writers.
    pub(crate) fn new(snapshot: &Snapshot, worker_count: usize) -> DecisionCounters {
        let policies = snapshot.steering.policies.iter().map(|p| p.name.clone()).collect();
        let pops = snapshot.steering.pops.iter().map(|p| p.name.clone()).collect();
        let zones = counted_zones(snapshot).map(Box::from).collect();
        DecisionCounters::laid_out(policies, pops, zones, worker_count, DECISION_PAIRS_MAX)
    }

    fn laid_out(
        policies: Box<[Arc<str>]>,
        pops: Box<[Arc<str>]>,
        zones: Box<[Box<[u8]>]>,
        worker_count: usize,
        pairs_max: usize,
    ) -> DecisionCounters {
        let rows = policies.len().min((pairs_max / (pops.len() + 1)).max(1));
        let row_len = pops.len() + REASONS;
        let policies_at = (zones.len() + 1) * ZONE_ANSWERS;
        let cells = policies_at + rows * row_len;
        let shard = || (0..cells.div_ceil(16)).map(|_| Line::default()).collect();
        DecisionCounters {
            last_row: rows.saturating_sub(1),
            row_len,
            zones,
            policies_at,
            shards: (0..worker_count).map(|_| shard()).collect(),
            policies,
            pops,
            number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// True if these counters have the indexes of a snapshot.
    pub(crate) fn fits(&self, snapshot: &Snapshot) -> bool {
        self.policies.iter().eq(snapshot.steering.policies.iter().map(|p| &p.name))
            && self.pops.iter().eq(snapshot.steering.pops.iter().map(|p| &p.name))
            && self.zones.iter().map(|apex| &**apex).eq(counted_zones(snapshot))
    }

    /// Counts a decision of a policy.
    #[inline(always)]
    pub(crate) fn count(&self, worker: WorkerId, decided: &Decided) {
        let Some(shard) = self.shards.get(worker.index) else { return };
        let row = self.row_at((decided.policy.index()).min(self.last_row));
        add(shard, row + decided.reason as usize, worker.is_multi_writer);
        if let Some((pop, _)) = decided.pop {
            add(shard, row + REASONS + pop.index(), worker.is_multi_writer);
        }
    }

    /// Counts an answer of a zone.
    #[inline(always)]
    pub(crate) fn count_zone(&self, worker: WorkerId, zone: ZoneId, rcode: Rcode) {
        let Some(shard) = self.shards.get(worker.index) else { return };
        let cell = self.zone_at((zone.0 as usize).min(self.zones.len())) + ZoneAnswer::of(rcode) as usize;
        add(shard, cell, worker.is_multi_writer);
    }

    /// First cell of the row of a zone.
    #[inline(always)]
    fn zone_at(&self, row: usize) -> usize {
        row * ZONE_ANSWERS
    }

    /// First cell of a row.
    #[inline(always)]
    fn row_at(&self, row: usize) -> usize {
        self.policies_at + row * self.row_len
    }

    /// Names of the rows of policies, and of the rows of zones.
    fn rows(&self) -> (Vec<Arc<str>>, Vec<Arc<str>>) {
        let rows = self.policies.len().min(self.last_row + 1);
        let mut policies = self.policies[..rows].to_vec();
        if rows < self.policies.len()
            && let Some(last) = policies.last_mut()
        {
            *last = OTHER.into();
        }
        let zone = |apex: &[u8]| -> Arc<str> {
            Name::from_wire(apex).map_or_else(|_| OTHER.into(), |apex| apex.to_string().into())
        };
        let zones = self.zones.iter().map(|apex| zone(apex)).chain([OTHER.into()]);
        (policies, zones.collect())
    }

    /// Adds all counts to sums by name. While all names fit, the order in which several are added
    /// makes no difference.
    pub(crate) fn fold_into(&self, decisions: &mut Decisions) {
        let sum = |column: usize| -> u64 { self.shards.iter().map(|shard| read(shard, column)).sum() };
        let (policies, zones) = self.rows();
        if self.number > decisions.newest {
            decisions.newest = self.number;
            decisions.keep(&policies, &self.pops, &zones);
        }
        let is_newest = self.number == decisions.newest;
        for (row, policy) in policies.into_iter().enumerate() {
            let policy = match is_newest {
                true => policy,
                false => row_of(&decisions.reasons, policy, POLICIES_SHOWN_MAX),
            };
            for (pop, name) in self.pops.iter().enumerate() {
                decisions.add_pop(&policy, name, sum(self.row_at(row) + REASONS + pop));
            }
            for reason in Reason::ALL {
                decisions.add_reason(&policy, reason, sum(self.row_at(row) + reason as usize));
            }
        }
        for (row, zone) in zones.into_iter().enumerate() {
            let counts = ZoneAnswer::ALL.map(|answer| sum(self.zone_at(row) + answer as usize));
            decisions.add_zone(zone, &counts);
        }
    }
}

/// Zones of a snapshot that are counted each, by wire name of the apex.
fn counted_zones(snapshot: &Snapshot) -> impl Iterator<Item = &[u8]> {
    snapshot.zones.iter().take(ZONES_COUNTED_MAX).map(|zone| zone.apex())
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

/// Policy and PoP.
type Pair = (Arc<str>, Arc<str>);

/// Sums by name, over all snapshots. Pairs that never occurred are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    pops: BTreeMap<Pair, u64>,
    reasons: BTreeMap<Arc<str>, [u64; REASONS]>,
    zones: BTreeMap<Arc<str>, [u64; ZONE_ANSWERS]>,
    /// Number of the newest counters of the sums.
    newest: u64,
}

impl Decisions {
    /// Policy, PoP, and the number of answers with the PoP's addresses.
    pub(crate) fn by_pop(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.pops.iter().map(|((policy, pop), count)| (&**policy, &**pop, *count))
    }

    /// Policy, reason, and the number of decisions for this reason.
    pub(crate) fn by_reason(&self) -> impl Iterator<Item = (&str, Reason, u64)> {
        self.reasons.iter().flat_map(|(policy, counts)| {
            Reason::ALL.into_iter().zip(counts).map(|(reason, count)| (&**policy, reason, *count))
        })
    }

    /// Zone, response code, and the number of answers.
    pub(crate) fn by_zone(&self) -> impl Iterator<Item = (&str, ZoneAnswer, u64)> {
        self.zones.iter().flat_map(|(zone, counts)| {
            ZoneAnswer::ALL.into_iter().zip(counts).map(|(answer, count)| (&**zone, answer, *count))
        })
    }

    /// Makes room for policies, PoPs and zones: if they do not fit beside those that are counted,
    /// sums all others as [`OTHER`]. While there is room, a name that is gone keeps its count, so
    /// that [`OTHER`] has no leap.
    fn keep(&mut self, policies: &[Arc<str>], pops: &[Arc<str>], zones: &[Arc<str>]) {
        let policies: HashSet<&str> = policies.iter().map(|policy| &**policy).collect();
        let pops: HashSet<&str> = pops.iter().map(|pop| &**pop).collect();
        let zones: HashSet<&str> = zones.iter().map(|zone| &**zone).collect();
        if !fits(&self.zones, &zones, ZONES_COUNTED_MAX) {
            fold_absent(&mut self.zones, &zones);
        }
        let to_other_policy = |policy: &Arc<str>, pop: &Arc<str>| {
            (!policies.contains(&**policy)).then(|| (OTHER.into(), pop.clone()))
        };
        if !fits(&self.reasons, &policies, POLICIES_SHOWN_MAX) {
            fold_absent(&mut self.reasons, &policies);
            self.fold_pairs(to_other_policy);
        }
        if !self.has_room_for_pairs(&policies, &pops) {
            self.fold_pairs(|policy, pop| (!pops.contains(&**pop)).then(|| (policy.clone(), OTHER.into())));
        }
        if !self.has_room_for_pairs(&policies, &pops) {
            self.fold_pairs(to_other_policy);
        }
    }

    /// True if every pair of these names has room beside the other pairs that are counted.
    fn has_room_for_pairs(&self, policies: &HashSet<&str>, pops: &HashSet<&str>) -> bool {
        let is_other = |(policy, pop): &&Pair| !policies.contains(&**policy) || !pops.contains(&**pop);
        let others = self.pops.keys().filter(is_other).count();
        others + policies.len() * pops.len() <= DECISION_PAIRS_MAX
    }

    /// Adds the count of each pair to the pair that `into` gives for it, if it gives one.
    fn fold_pairs(&mut self, into: impl Fn(&Arc<str>, &Arc<str>) -> Option<Pair>) {
        let mut moved = Vec::new();
        self.pops.retain(|(policy, pop), count| {
            let pair = into(policy, pop);
            let is_kept = pair.is_none();
            moved.extend(pair.map(|pair| (pair, *count)));
            is_kept
        });
        moved.into_iter().for_each(|((policy, pop), count)| self.add_pop(&policy, &pop, count));
    }

    /// Adds to the sum of a pair. Reloads add PoPs for as long as the process lives, so names past
    /// the limit share one sum.
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
        let row = row_of(&self.reasons, policy.clone(), DECISION_PAIRS_MAX);
        self.reasons.entry(row).or_default()[reason as usize] += count;
    }

    fn add_zone(&mut self, zone: Arc<str>, counts: &[u64; ZONE_ANSWERS]) {
        let row = row_of(&self.zones, zone, ZONES_COUNTED_MAX);
        // The row `OTHER` is shown once it counts anything.
        if *row == *OTHER && counts.iter().all(|count| *count == 0) {
            return;
        }
        let sums = self.zones.entry(row).or_default();
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
}

/// True if rows and further names are at most `max`, [`OTHER`] not counted.
fn fits<V>(rows: &BTreeMap<Arc<str>, V>, names: &HashSet<&str>, max: usize) -> bool {
    let others = rows.keys().filter(|name| ***name != *OTHER && !names.contains(&***name));
    others.count() + names.iter().filter(|name| **name != OTHER).count() <= max
}

/// Row of a name: its own, or [`OTHER`] if it has none and there are `max` rows beside that.
fn row_of<V>(rows: &BTreeMap<Arc<str>, V>, name: Arc<str>, max: usize) -> Arc<str> {
    let is_full = rows.len() - usize::from(rows.contains_key(OTHER)) >= max;
    if is_full && !rows.contains_key(&name) { OTHER.into() } else { name }
}

/// Sums the rows of all names but `kept` in the row [`OTHER`], if they count anything.
fn fold_absent<const N: usize>(rows: &mut BTreeMap<Arc<str>, [u64; N]>, kept: &HashSet<&str>) {
    let mut other = [0; N];
    rows.retain(|name, counts| {
        let is_kept = kept.contains(&**name);
        if !is_kept {
            other.iter_mut().zip(counts).for_each(|(sum, count)| *sum += *count);
        }
        is_kept
    });
    if other.iter().any(|count| *count > 0) {
        let sums = rows.entry(OTHER.into()).or_insert([0; N]);
        sums.iter_mut().zip(other).for_each(|(sum, count)| *sum += count);
    }
}

#[cfg(test)]
mod tests;
