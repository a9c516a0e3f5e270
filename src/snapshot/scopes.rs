//! Number of ECS scopes of a policy: its cost in the caches of resolvers.
//!
//! A leaf is one scope, unless an answer there reads the client's cell: then each cell of the leaf
//! is a scope of its own. Whether an answer reads the cell depends on the preference list alone, so
//! it is computed once for each list, with the present status.

use super::Snapshot;
use crate::geo::trie::Trie;
use crate::steer::choose::{Choice, NoChoiceTrace, choose};
use crate::steer::policy::PolicyId;
use crate::steer::preference_list::PreferenceList;
use crate::steer::table::{PolicyTable, V4, V6};
use std::cell::Cell;
use std::sync::Arc;

/// IPv4 scopes of a policy's answers: leaves, or their cells where answers read the cell. If the
/// policy has classes of resolvers, the first class is counted. IPv6 is not counted, because it has
/// too many cells for a useful number.
pub(super) fn v4_scopes(snapshot: &Snapshot, index: PolicyId, policy: &PolicyTable) -> u64 {
    let is_parted: Vec<bool> =
        policy.preference_lists.iter().map(|list| reads_cell(snapshot, index, list)).collect();
    let Some(trie) = policy.routes_of(policy.by_cell).first() else { return 0 };
    count(trie, policy, &is_parted)
}

fn count(trie: &Arc<Trie>, policy: &PolicyTable, is_parted: &[bool]) -> u64 {
    let of_leaf = |value: u32, len: u8| {
        let list = policy.choices.get(value as usize).map_or(u32::MAX, |[by_ecs, _]| *by_ecs);
        match is_parted.get(list as usize) {
            Some(true) => 1u64 << policy.cell_v4.saturating_sub(len).min(32),
            _ => 1,
        }
    };
    trie.v4.blocks().map(|leaf| of_leaf(leaf.value, leaf.len)).sum()
}

/// True if an answer from a preference list reads the client's cell, in either family, with the
/// present status.
fn reads_cell(snapshot: &Snapshot, index: PolicyId, preference_list: &PreferenceList) -> bool {
    let (policy, view) = (&snapshot.steering.policies[index.index()], snapshot.status.view(index));
    let asked = Cell::new(false);
    let key = || {
        asked.set(true);
        0
    };
    for family in [V4, V6].into_iter().filter(|family| policy.families & family != 0) {
        let question = snapshot.question(policy, preference_list, view, Some(family));
        let (choice, _) = choose(question, &key, &mut NoChoiceTrace);
        if let Choice::Pop { slot, resort, .. } = choice {
            let addresses = &snapshot.steering.slots[slot.index()];
            let (v4, v6) = view.slot(slot).answerable(addresses, resort.ignores_probes());
            if family == V4 {
                v4.pick(&addresses.v4, preference_list.answers, &key);
            } else {
                v6.pick(&addresses.v6, preference_list.answers, &key);
            }
        }
    }
    asked.get()
}
