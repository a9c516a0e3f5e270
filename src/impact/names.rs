//! Names before and after a change of files: the policy or records that each leads to, along the
//! aliases in our zones.

use super::flow::NameSeeds;
use crate::limits::CHAIN_MAX;
use crate::snapshot::Snapshot;
use crate::steer::policy::PolicyId;
use crate::steer::table::{Families, V4, V6};
use crate::wire::hash;
use crate::wire::name::write_name;
use crate::wire::query::QueryName;
use crate::wire::rr::RrType;
use crate::zone::image::{Image, Match, NodeId, Steered};
use crate::zone::links::read_target;
use std::collections::BTreeMap;

/// A name that had addresses of a family, and has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loss {
    /// The name.
    pub name: String,
    /// Type of the addresses.
    pub rtype: RrType,
}

/// Names that lose something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// The first losses, sorted by name.
    pub list: Vec<Loss>,
    /// Number of all losses, also of those that are not in the list.
    pub count: usize,
}

impl Losses {
    fn add(&mut self, name: &[u8], rtype: RrType, list_max: usize) {
        self.count += 1;
        if self.list.len() < list_max {
            let mut text = String::new();
            // Writing to a string does not fail.
            let _ = write_name(&mut text, name);
            self.list.push(Loss { name: text, rtype });
        }
    }
}

/// Way of names: from a policy, to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NameWay {
    /// The policy before.
    pub(super) policy: PolicyId,
    /// End after.
    pub(super) end: End,
}

/// End of a name's chain of aliases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// A policy.
    Policy(PolicyId),
    /// Records of a zone, or another server's.
    Records,
    /// No address.
    Nothing,
}

/// Names of two snapshots.
#[derive(Default)]
pub(super) struct Names {
    /// Steered names, by their way.
    pub(super) ways: BTreeMap<NameWay, Vec<NameSeeds>>,
    /// Names that lose something.
    pub(super) losses: Losses,
}

/// Compares every name of `before`.
pub(super) fn compared(before: &Snapshot, after: &Snapshot, losses_max: usize) -> Names {
    let mut names = Names::default();
    for zone in before.zones.iter() {
        for node in zone.nodes() {
            names.add((before, after), zone, node, losses_max);
        }
    }
    names.losses.list.sort();
    names
}

impl Names {
    fn add(
        &mut self,
        (before, after): (&Snapshot, &Snapshot),
        zone: &Image,
        node: NodeId,
        losses_max: usize,
    ) {
        let name = zone.name(node);
        let Some(was) = LedTo::follow(before, name) else { return };
        // A wildcard stands for itself: the names that it answers are not known.
        let steered = zone.steered_at(node);
        let had = steered.map_or(was.families, |steered| families_of_policy(before, steered));
        if had == 0 && steered.is_none() {
            return;
        }
        let is = LedTo::follow(after, name);
        let end = is.as_ref().map_or(End::Nothing, |is| is.end);
        let has = is.as_ref().map_or(0, |is| is.families);
        let seed_after = is.as_ref().map_or(0, |is| is.seed);
        let is_alias = zone.set(node, RrType::CNAME).is_some();
        let leads_on = is.as_ref().is_some_and(|is| is.owner.wire() == was.owner.wire());
        let way = match (steered, was.end) {
            (Some(steered), _) => Some((steered.policy, steered.seed)),
            // An alias that leads to the same name as before is left out, because it moves with
            // that name.
            (None, End::Policy(policy)) if is_alias && !leads_on => Some((policy, was.seed)),
            (None, End::Policy(_) | End::Records | End::Nothing) => None,
        };
        if let Some((policy, before)) = way {
            let seeds = NameSeeds { before, after: seed_after };
            self.ways.entry(NameWay { policy, end }).or_default().push(seeds);
        }
        for (family, rtype) in [(V4, RrType::A), (V6, RrType::AAAA)] {
            if had & !has & family != 0 {
                self.losses.add(name, rtype, losses_max);
            }
        }
    }
}

/// Families in which a policy has addresses, for some client at least.
fn families_of_policy(snapshot: &Snapshot, steered: &Steered) -> Families {
    snapshot.steering.policies[steered.policy.index()].families
}

/// Name to which another leads, along the aliases in our zones.
struct LedTo {
    /// The last name.
    owner: QueryName,
    /// Families in which it has addresses, for some client at least.
    families: Families,
    /// Policy or records of the last name.
    end: End,
    /// Seed under which clients share there.
    seed: u64,
}

impl LedTo {
    /// Follows a name to its end; `None` where the chain is longer than an answer's. Names that
    /// other servers answer are assumed to have both families.
    fn follow(snapshot: &Snapshot, name: &[u8]) -> Option<LedTo> {
        let mut owner = QueryName::parse(name)?;
        let led_to = |owner, families, end, seed| Some(LedTo { owner, families, end, seed });
        for step in 0..=CHAIN_MAX {
            let Some(found) = snapshot.zones.lookup(&owner) else {
                let (families, end) = if step == 0 { (0, End::Nothing) } else { (V4 | V6, End::Records) };
                return led_to(owner, families, end, 0);
            };
            let zone = snapshot.zones.zone(found.zone);
            let (node, is_wildcard) = match found.matched {
                Match::Exact(node) => (node, false),
                Match::Wildcard(node) => (node, true),
                // Another server answers.
                Match::Cut(_) | Match::Redirected(_) => return led_to(owner, V4 | V6, End::Records, 0),
                Match::NoName => return led_to(owner, 0, End::Nothing, 0),
            };
            if let Some(steered) = zone.steered_at(node) {
                let seed = if is_wildcard { hash::name(owner.wire()) } else { steered.seed };
                let families = families_of_policy(snapshot, steered);
                return led_to(owner, families, End::Policy(steered.policy), seed);
            }
            let Some(alias) = zone.set(node, RrType::CNAME).and_then(|set| zone.records(set).next()) else {
                let has = |rtype, family| if zone.set(node, rtype).is_some() { family } else { 0 };
                let families = has(RrType::A, V4) | has(RrType::AAAA, V6);
                let end = if families == 0 { End::Nothing } else { End::Records };
                return led_to(owner, families, end, 0);
            };
            if !read_target(&mut owner, &alias, zone.name(node)) {
                break;
            }
        }
        None
    }
}
