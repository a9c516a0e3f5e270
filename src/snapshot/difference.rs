//! What changed between two snapshots, in operators' words.

use super::Snapshot;
use crate::steer::policy::TtlRange;
use crate::wire::hash;
use crate::wire::name::write_name;
use crate::zone::image::{Image, NodeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The difference, one line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    lines: Vec<String>,
}

impl Difference {
    /// The lines.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Whether nothing changed that an answer could show.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// What changed from `old` to `new`.
pub fn difference(old: &Snapshot, new: &Snapshot) -> Difference {
    let mut lines = Vec::new();
    pops(old, new, &mut lines);
    policies(old, new, &mut lines);
    zones(old, new, &mut lines);
    if old.databases() != new.databases() {
        lines.extend(
            new.databases().iter().filter(|d| !old.databases().contains(d)).map(|d| format!("database {d}")),
        );
    }
    if lines.is_empty() && old.digest() != new.digest() {
        lines.push("inputs changed, but no zone, PoP or policy did".to_owned());
    }
    Difference { lines }
}

/// Names that are only in one of two lists, and those in both with their positions.
fn paired<'a>(
    old: impl Iterator<Item = &'a str>,
    new: impl Iterator<Item = &'a str>,
) -> BTreeMap<&'a str, (Option<usize>, Option<usize>)> {
    let mut all: BTreeMap<&str, (Option<usize>, Option<usize>)> = BTreeMap::new();
    for (index, name) in old.enumerate() {
        all.entry(name).or_default().0 = Some(index);
    }
    for (index, name) in new.enumerate() {
        all.entry(name).or_default().1 = Some(index);
    }
    all
}

fn pops(old: &Snapshot, new: &Snapshot, lines: &mut Vec<String>) {
    let names = |s: &Snapshot| s.steering.pops.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
    let (old_names, new_names) = (names(old), names(new));
    for (name, pair) in paired(old_names.iter().map(|n| &**n), new_names.iter().map(|n| &**n)) {
        let (from, to) = match pair {
            (Some(from), Some(to)) => (from, to),
            (None, _) => {
                lines.push(format!("pop {name}: new"));
                continue;
            }
            (_, None) => {
                lines.push(format!("pop {name}: gone"));
                continue;
            }
        };
        let (was, is) = (&old.status.pops()[from], &new.status.pops()[to]);
        if was.state != is.state {
            lines.push(format!("pop {name}: state {} -> {}", was.state.word(), is.state.word()));
        }
        if was.weight != is.weight {
            lines.push(format!("pop {name}: weight {} -> {}", was.weight, is.weight));
        }
        let slots = |s: &Snapshot, pop: usize| {
            let of_pop = s.steering.slots.iter().filter(|slot| usize::from(slot.pop.0) == pop);
            of_pop.map(|slot| (slot.v4.clone(), slot.v6.clone())).collect::<Vec<_>>()
        };
        if slots(old, from) != slots(new, to) {
            lines.push(format!("pop {name}: addresses changed"));
        }
    }
}

fn policies(old: &Snapshot, new: &Snapshot, lines: &mut Vec<String>) {
    if Arc::ptr_eq(&old.steering, &new.steering) {
        return;
    }
    let (was, is) = (&old.steering.policies, &new.steering.policies);
    let same_pops = old.steering.pops == new.steering.pops;
    for (name, pair) in paired(was.iter().map(|p| &*p.name), is.iter().map(|p| &*p.name)) {
        match pair {
            (None, _) => lines.push(format!("policy {name}: new")),
            (_, None) => lines.push(format!("policy {name}: gone")),
            (Some(from), Some(to)) => {
                let (a, b) = (&was[from], &is[to]);
                // Numbers of PoPs only compare while the list of PoPs is the same.
                let same = a.preference_lists == b.preference_lists
                    && a.up_threshold_percent == b.up_threshold_percent
                    && a.choices == b.choices
                    && a.routes == b.routes
                    && (&a.cnames, &a.tail, &a.members) == (&b.cnames, &b.tail, &b.members)
                    && (a.ecs, a.share, a.cell_v4, a.cell_v6) == (b.ecs, b.share, b.cell_v4, b.cell_v6);
                if same_pops && !same {
                    lines.push(format!(
                        "policy {name}: changed ({} -> {} preference lists)",
                        a.preference_lists.len(),
                        b.preference_lists.len()
                    ));
                }
            }
        }
    }
}

fn zones(old: &Snapshot, new: &Snapshot, lines: &mut Vec<String>) {
    let show = |wire: &[u8]| {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = write_name(&mut text, wire);
        text
    };
    let list = |s: &Snapshot| s.zones.iter().map(|z| (show(z.apex()), z.clone())).collect::<Vec<_>>();
    let (was, is) = (list(old), list(new));
    for (apex, pair) in paired(was.iter().map(|(n, _)| &**n), is.iter().map(|(n, _)| &**n)) {
        match pair {
            (None, _) => lines.push(format!("zone {apex}: new")),
            (_, None) => lines.push(format!("zone {apex}: gone")),
            (Some(from), Some(to)) => {
                let (added, removed, changed) = names((old, &was[from].1), (new, &is[to].1));
                if (added, removed, changed) != (0, 0, 0) {
                    lines.push(format!(
                        "zone {apex}: {added} names added, {removed} removed, {changed} changed"
                    ));
                }
            }
        }
    }
}

/// Names added, removed and changed between two images.
fn names((was, old): (&Snapshot, &Image), (is, new): (&Snapshot, &Image)) -> (usize, usize, usize) {
    // A zone that did not change is shared, and its policies have the same numbers and names.
    if std::ptr::eq(old, new) {
        return (0, 0, 0);
    }
    let (mut added, mut kept, mut changed) = (0, 0, 0);
    for node in new.nodes() {
        let name = new.name(node);
        let Some(before) = old.find(hash::whole(name), name) else {
            added += 1;
            continue;
        };
        kept += 1;
        let (a, b) = (old.sets_at(before), new.sets_at(node));
        let same_sets = a.len() == b.len()
            && a.iter().zip(b).all(|(x, y)| {
                x.rtype == y.rtype
                    && x.ttl == y.ttl
                    && x.count == y.count
                    && old.records(x).map(|r| r.octets).eq(new.records(y).map(|r| r.octets))
            });
        if !same_sets || steering(was, old, before) != steering(is, new, node) {
            changed += 1;
        }
    }
    (added, old.names() - kept, changed)
}

/// By which policy a node is steered, by name: numbers do not compare across snapshots.
fn steering<'s>(snapshot: &'s Snapshot, image: &Image, node: NodeId) -> Option<(&'s str, Option<TtlRange>)> {
    let steered = image.steered_at(node)?;
    let policy = snapshot.steering.policies.get(steered.policy as usize)?;
    Some((&policy.name, steered.ttl))
}
