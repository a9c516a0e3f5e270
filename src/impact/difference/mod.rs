//! Difference between two snapshots, in operators' words: a line for each changed value of each
//! file, and for preference lists that change through other files.
//!
//! For each kind of thing a function turns its type into fields. It destructures the type
//! completely, so that a new field cannot be forgotten. If files differ only in parts that are not
//! read, one line says so.

mod fields;
mod places;
mod policies;
mod pops;
mod probes;

use crate::snapshot::Snapshot;
use crate::steer::policy::TtlRange;
use crate::wire::name::write_name;
use crate::zone::image::{Image, NodeId};
use crate::zone::text::ChainMode;
use fields::{changed, compared};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Difference, as lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    lines: Vec<String>,
}

impl Difference {
    /// Lines of the difference.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// True if no answer could show a change.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Difference from `old` to `new`.
pub fn difference(old: &Snapshot, new: &Snapshot) -> Difference {
    let mut lines = Vec::new();
    changed("node", places::node(old), places::node(new), &mut lines);
    if !old.cookies.are_like(&new.cookies) {
        lines.push("cookies: other secrets".to_owned());
    }
    lines.extend(places::certificate(old, new));
    lines.extend(places::admin(old, new));
    changed("access", places::access(old), places::access(new), &mut lines);
    changed("proxy_protocol", places::proxies(old), places::proxies(new), &mut lines);
    changed("rate_limit", places::rate_limit(old), places::rate_limit(new), &mut lines);
    changed("overload", places::overload(old), places::overload(new), &mut lines);
    compared("pop", pops::all(old), pops::all(new), &mut lines);
    pops::in_force(new, &mut lines);
    compared("probe", probes::all(old), probes::all(new), &mut lines);
    changed("probes", probes::canaries(old), probes::canaries(new), &mut lines);
    changed("safety", probes::safety(old), probes::safety(new), &mut lines);
    policies(old, new, &mut lines);
    compared("network", places::networks(old), places::networks(new), &mut lines);
    places::databases(old, new, &mut lines);
    zones(old, new, &mut lines);
    if lines.is_empty() && old.files_digest() != new.files_digest() {
        lines.push("files changed in nothing that is read from them: comments, order or spelling".to_owned());
    }
    Difference { lines }
}

/// Names in either of two lists, with their positions in both.
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

/// Lines for changed policies: a line for each changed field, and one if the preference lists
/// differ, because PoPs, databases and networks change lists without a change of any field.
fn policies(old: &Snapshot, new: &Snapshot, lines: &mut Vec<String>) {
    let before = lines.len();
    compared("policy", policies::all(old), policies::all(new), lines);
    if Arc::ptr_eq(&old.steering, &new.steering) {
        return;
    }
    let told = lines.split_off(before);
    let (was, is) = (&old.steering.policies, &new.steering.policies);
    // Numbers of PoPs can be compared only if the list of PoPs is the same.
    let same_pops = old.steering.pops == new.steering.pops;
    for (name, pair) in paired(was.iter().map(|p| &*p.name), is.iter().map(|p| &*p.name)) {
        let head = format!("policy {name}: ");
        lines.extend(told.iter().filter(|line| line.starts_with(&head)).cloned());
        let (Some(from), Some(to)) = pair else { continue };
        let (a, b) = (&was[from], &is[to]);
        let same = a.preference_lists == b.preference_lists && a.choices == b.choices && a.routes == b.routes;
        if same_pops && !same {
            lines.push(format!(
                "{head}clients have other preference lists ({} -> {})",
                a.preference_lists.len(),
                b.preference_lists.len()
            ));
        }
    }
}

fn zones(old: &Snapshot, new: &Snapshot, lines: &mut Vec<String>) {
    let show = |wire: &[u8]| {
        let mut text = String::new();
        // Writing to a string cannot fail.
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
                let (before, after) = (&was[from].1, &is[to].1);
                if before.chain != after.chain {
                    let word = |mode: ChainMode| match mode {
                        ChainMode::Full => "full",
                        ChainMode::First => "first",
                        ChainMode::SameScope => "same_scope",
                    };
                    lines.push(format!("zone {apex}: chain {} -> {}", word(before.chain), word(after.chain)));
                }
                let names = names((old, before), (new, after));
                if names != Names::default() {
                    lines.push(format!("zone {apex}: {names}"));
                }
            }
        }
    }
}

/// Most names that are listed for each kind of change.
const NAMES_TOLD: usize = 3;

/// Names that differ between two images.
#[derive(Default, PartialEq, Eq)]
struct Names {
    /// Names added, removed and changed: number, and the first names.
    each: [(usize, Vec<String>); 3],
}

impl Names {
    fn add(&mut self, kind: usize, name: &[u8]) {
        let (count, told) = &mut self.each[kind];
        *count += 1;
        if *count <= NAMES_TOLD {
            let mut text = String::new();
            // Writing to a string cannot fail.
            let _ = write_name(&mut text, name);
            told.push(text);
        }
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [(added, _), (removed, _), (changed, _)] = &self.each;
        write!(f, "{added} names added, {removed} removed, {changed} changed")?;
        for (sign, (count, told)) in
            ["+", "-", "~"].iter().zip(&self.each).filter(|(_, (count, _))| *count > 0)
        {
            write!(f, "; {sign} {}", told.join(" "))?;
            if *count > told.len() {
                f.write_str(" ...")?;
            }
        }
        Ok(())
    }
}

/// Names added, removed and changed between two images.
fn names((was, old): (&Snapshot, &Image), (is, new): (&Snapshot, &Image)) -> Names {
    let mut names = Names::default();
    // An unchanged zone is shared, and its policies have the same numbers and names.
    if std::ptr::eq(old, new) {
        return names;
    }
    for node in new.nodes() {
        let name = new.name(node);
        let Some(before) = old.node(name) else {
            names.add(0, name);
            continue;
        };
        let (a, b) = (old.sets_at(before), new.sets_at(node));
        let same_sets = a.len() == b.len()
            && a.iter().zip(b).all(|(x, y)| {
                x.head() == y.head() && old.records(x).map(|r| r.octets).eq(new.records(y).map(|r| r.octets))
            });
        if !same_sets || steering(was, old, before) != steering(is, new, node) {
            names.add(2, name);
        }
    }
    for node in old.nodes() {
        let name = old.name(node);
        if new.node(name).is_none() {
            names.add(1, name);
        }
    }
    names
}

/// Policy of a steered node, by name, since numbers cannot be compared across snapshots; and its
/// TTL.
fn steering<'s>(snapshot: &'s Snapshot, image: &Image, node: NodeId) -> Option<(&'s str, Option<TtlRange>)> {
    let steered = image.steered_at(node)?;
    let policy = snapshot.steering.policies.get(steered.policy.index())?;
    Some((&policy.name, steered.ttl))
}
