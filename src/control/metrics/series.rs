//! Tables with two names, and the bound of their series.
//!
//! A policy has a row on the page, with a column for each PoP. Rows that fit
//! [`PAIRS_SHOWN_MAX`] pairs are shown, in the order of the policies in the snapshot, so that a
//! row comes and goes with reloads alone. The others are summed in the row `(other)`, and PoPs that
//! are no longer in the deployment in its column `(other)`. Policies that are no longer in the
//! snapshot are shown while there is room ([`Decisions`]). Reasons are shown for
//! [`POLICIES_SHOWN_MAX`] policies each, those of the snapshot first.

use super::page::Page;
use crate::answer::Reason;
use crate::control::catalogue;
use crate::limits::{PAIRS_SHOWN_MAX, POLICIES_SHOWN_MAX};
use crate::shared::decisions::{Decisions, OTHER};
use crate::snapshot::Snapshot;
use std::collections::{BTreeMap, BTreeSet};

/// Counts of one policy by PoP.
type Row<'n> = BTreeMap<&'n str, u64>;

/// Decisions by policy, PoP and reason, and replies by zone.
pub(super) fn decisions(page: &mut Page, counted: &Decisions, snapshot: &Snapshot) {
    let steering = &snapshot.steering;
    let pops: Vec<&str> = steering.pops.iter().map(|pop| &*pop.name).collect();
    // Possible pairs are shown at 0 before they occur, so that a rate sees their first increment.
    let possible = steering.policies.iter().map(|policy| {
        let members = policy.members.iter().filter_map(|entry| entry.target.split().ok());
        (&*policy.name, members.map(|pop| (pops[pop.index()], 0)).collect())
    });
    let rows = shown(possible.collect(), counted.by_pop(), &pops, PAIRS_SHOWN_MAX);
    for (policy, row) in &rows {
        for (pop, count) in row {
            page.count(&catalogue::DECISIONS_BY_POP, &[policy, pop], *count);
        }
    }
    let policies = steering.policies.iter().map(|policy| &*policy.name);
    for ((policy, reason), count) in reasons(policies, counted.by_reason(), POLICIES_SHOWN_MAX) {
        page.count(&catalogue::DECISIONS, &[policy, reason], count);
    }
    for (zone, answer, count) in counted.by_zone() {
        page.count(&catalogue::ZONE_REPLIES, &[zone, answer.word()], count);
    }
}

/// Counts by policy and reason: of the first `policies_max` of `policies` and of other policies
/// each, and of the rest together.
fn reasons<'n>(
    policies: impl Iterator<Item = &'n str>,
    counted: impl Iterator<Item = (&'n str, Reason, u64)>,
    policies_max: usize,
) -> BTreeMap<(&'n str, &'n str), u64> {
    let counted: Vec<(&str, Reason, u64)> = counted.collect();
    let mut shown: BTreeSet<&str> = policies.take(policies_max).collect();
    for (policy, ..) in counted.iter().filter(|(policy, ..)| *policy != OTHER) {
        if shown.len() < policies_max {
            shown.insert(policy);
        }
    }
    let mut sums = BTreeMap::new();
    for (policy, reason, count) in counted {
        let policy = if shown.contains(policy) { policy } else { OTHER };
        *sums.entry((policy, reason.word())).or_default() += count;
    }
    sums
}

/// Rows to show, of at most `pairs_max` pairs. `possible` has the policies of the snapshot in
/// order, with their PoPs at 0; `pops` the PoPs of the snapshot.
fn shown<'n>(
    possible: Vec<(&'n str, Row<'n>)>,
    counted: impl Iterator<Item = (&'n str, &'n str, u64)>,
    pops: &[&'n str],
    pairs_max: usize,
) -> Vec<(&'n str, Row<'n>)> {
    let mut rows = possible;
    let mut at: BTreeMap<&str, usize> = rows.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
    for (policy, pop, count) in counted {
        // Policies of earlier snapshots come last.
        let at = *at.entry(policy).or_insert_with(|| {
            rows.push((policy, Row::new()));
            rows.len() - 1
        });
        *rows[at].1.entry(pop).or_default() += count;
    }
    if rows.iter().map(|(_, row)| row.len()).sum::<usize>() <= pairs_max {
        return rows;
    }
    let known: BTreeSet<&str> = pops.iter().copied().collect();
    // Room for the row `(other)`, with all PoPs and the column `(other)`.
    let mut room = pairs_max.saturating_sub(known.len() + 1);
    let (mut kept, mut other) = (Vec::new(), Row::new());
    for (policy, row) in rows {
        if policy != OTHER && row.len() <= room {
            room -= row.len();
            kept.push((policy, row));
            continue;
        }
        for (pop, count) in row {
            *other.entry(if known.contains(pop) { pop } else { OTHER }).or_default() += count;
        }
    }
    kept.push((OTHER, other));
    kept
}

#[cfg(test)]
mod tests;
