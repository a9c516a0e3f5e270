//! A replay: every leaf of two snapshots, asked on both sides, for each steered name that the first
//! has, and for each alias that led to one and leads elsewhere.
//!
//! Names that go from the same policy to the same policy are one [`Passage`]. Its clients are the
//! leaves of both sides, cut at the boundaries of either, so that neither side tells two clients of
//! one leaf apart but by their cells. Where cells have a say a leaf is sampled, the more the larger
//! it is, each sample under another of the names; elsewhere one client speaks for all of it.
//!
//! IPv4 counts by addresses. IPv6 counts by leaves, since most of its space is empty. Addresses
//! that no client has count for nothing.

use super::forecast::{Answered, answered};
use crate::geo::special::special_block;
use crate::limits::CHAIN_MAX;
use crate::snapshot::Snapshot;
use crate::snapshot::sizes::tries;
use crate::steer::table::{Families, PolicyTable, REDIRECT, V4, V6};
use crate::wire::hash::{self, mix};
use crate::wire::name::write_name;
use crate::wire::query::QueryName;
use crate::wire::rr::RrType;
use crate::zone::image::{Match, Steered};
use crate::zone::links::read_target;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Clients asked in all IPv4 space, or in all IPv6 leaves, where cells have a say: a share of a
/// whole family is then right to about one per cent.
const SAMPLES: u64 = 4_096;
/// And in each leaf at the least.
const SAMPLES_EACH: u64 = 4;

/// Families, in the order of all pairs here: IPv4, IPv6.
pub(crate) type Pair<N> = [N; 2];

/// What of a family's clients each answer had before, and who goes where. Weights add up to the
/// whole, in a unit of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flow {
    /// All clients.
    pub whole: f64,
    /// Clients of each answer before.
    pub(crate) before: BTreeMap<Answered, f64>,
    /// Clients that move: from, to.
    pub moves: BTreeMap<(Answered, Answered), f64>,
}

impl Flow {
    /// Share that goes one way, 0 to 1.
    pub fn share(&self, from: &Answered, to: &Answered) -> f64 {
        self.moves.get(&(from.clone(), to.clone())).map_or(0.0, |moved| moved / self.whole)
    }

    /// Of the clients of `from`, the share that goes to `to`, 0 to 1.
    pub(crate) fn share_of(&self, from: &Answered, to: &Answered) -> f64 {
        match (self.moves.get(&(from.clone(), to.clone())), self.before.get(from)) {
            (Some(moved), Some(all)) if *all > 0.0 => (moved / all).min(1.0),
            _ => 0.0,
        }
    }

    fn add(&mut self, was: Answered, is: Answered, weight: f64) {
        self.whole += weight;
        *self.before.entry(was.clone()).or_default() += weight;
        if was != is {
            *self.moves.entry((was, is)).or_default() += weight;
        }
    }
}

/// Names that go from one policy to another, or stay with theirs.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// The policy before.
    pub policy: Arc<str>,
    /// The policy after; `None` where the name is not steered any more.
    pub to: Option<Arc<str>>,
    /// How many names.
    pub names: usize,
    /// Their clients.
    pub flows: Pair<Flow>,
}

/// A name that had addresses of a family, and has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loss {
    /// The name.
    pub name: String,
    /// The type.
    pub rtype: RrType,
}

/// What differs for clients.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay {
    /// Sorted by policies.
    pub passages: Vec<Passage>,
    /// By name.
    pub losses: Vec<Loss>,
    /// How many losses there are; those past `losses_max` are only counted.
    pub lost: usize,
}

/// Names of one way, as seeds before and after.
type Ways = BTreeMap<(u32, Answer), Vec<(u64, u64)>>;

/// What a name has after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Policy(u32),
    Records,
    Nothing,
}

/// Asks every leaf before and after. Names at most `losses_max` losses.
pub fn replay(before: &Snapshot, after: &Snapshot, losses_max: usize) -> Replay {
    let mut replay = Replay::default();
    let mut ways = Ways::new();
    for zone in before.zones.iter() {
        for node in zone.nodes() {
            let name = zone.name(node);
            let is_alias = zone.set(node, RrType::CNAME).is_some();
            let Some(was) = end_of(before, name) else { continue };
            // What below a wildcard exists nobody knows: it stands for itself.
            let steered = zone.steered_at(node);
            let had = steered.map_or(was.families, |steered| families_of(before, Some(steered), |_| false));
            if had == 0 && steered.is_none() {
                continue;
            }
            let after_it = end_of(after, name);
            let (is, answer, seed) =
                after_it.as_ref().map_or((0, Answer::Nothing, 0), |end| (end.families, end.answer, end.seed));
            let leads_on = after_it.as_ref().is_some_and(|end| end.owner.wire() == was.owner.wire());
            match (steered, was.answer) {
                (Some(steered), _) => {
                    ways.entry((steered.policy, answer)).or_default().push((steered.seed, seed))
                }
                // An alias of the same name as before moves with that.
                (None, Answer::Policy(policy)) if is_alias && !leads_on => {
                    ways.entry((policy, answer)).or_default().push((was.seed, seed))
                }
                _ => {}
            }
            for rtype in [(V4, RrType::A), (V6, RrType::AAAA)]
                .into_iter()
                .filter(|(family, _)| had & !is & family != 0)
                .map(|(_, rtype)| rtype)
            {
                replay.lost += 1;
                if replay.losses.len() < losses_max {
                    let mut text = String::new();
                    // Writing to a string does not fail.
                    let _ = write_name(&mut text, name);
                    replay.losses.push(Loss { name: text, rtype });
                }
            }
        }
    }
    for ((policy, answer), names) in ways {
        let table = &before.steering.policies[policy as usize];
        let (to, other) = match answer {
            Answer::Policy(to) => (Some(after.steering.policies[to as usize].name.clone()), Ok(to)),
            Answer::Records => (None, Err(Answered::Records)),
            Answer::Nothing => (None, Err(Answered::Nothing)),
        };
        let flows = flows((before, policy), (after, other), &names);
        replay.passages.push(Passage { policy: table.name.clone(), to, names: names.len(), flows });
    }
    replay.losses.sort();
    replay.passages.sort_by(|a, b| (&a.policy, &a.to).cmp(&(&b.policy, &b.to)));
    replay
}

/// Families in which a name has addresses, for some client at least.
fn families_of(snapshot: &Snapshot, steered: Option<&Steered>, has: impl Fn(RrType) -> bool) -> Families {
    match steered {
        Some(steered) => snapshot.steering.policies[steered.policy as usize].families,
        None => (if has(RrType::A) { V4 } else { 0 }) | (if has(RrType::AAAA) { V6 } else { 0 }),
    }
}

/// Where a name leads, along the aliases in our zones.
struct End {
    /// The last name.
    owner: QueryName,
    /// Families in which it has addresses, for some client at least.
    families: Families,
    answer: Answer,
    /// Under which clients share there.
    seed: u64,
}

/// Follows a name to its end. Of what others answer we know no families: all of them.
fn end_of(snapshot: &Snapshot, name: &[u8]) -> Option<End> {
    let mut owner = QueryName::parse(name)?;
    let end = |owner, families, answer, seed| Some(End { owner, families, answer, seed });
    for step in 0..=CHAIN_MAX {
        let Some(found) = snapshot.zones.lookup(&owner) else {
            let answer = if step == 0 { (0, Answer::Nothing) } else { (V4 | V6, Answer::Records) };
            return end(owner, answer.0, answer.1, 0);
        };
        let zone = snapshot.zones.zone(found.zone);
        let (node, is_wildcard) = match found.matched {
            Match::Exact(node) => (node, false),
            Match::Wildcard(node) => (node, true),
            // Somebody else answers.
            Match::Cut(_) | Match::Redirected(_) => return end(owner, V4 | V6, Answer::Records, 0),
            Match::NoName => return end(owner, 0, Answer::Nothing, 0),
        };
        let steered = zone.steered_at(node);
        if let Some(steered) = steered {
            let seed = if is_wildcard { hash::name(owner.wire()) } else { steered.seed };
            let families = families_of(snapshot, Some(steered), |_| false);
            return end(owner, families, Answer::Policy(steered.policy), seed);
        }
        let alias = zone.set(node, RrType::CNAME).and_then(|set| zone.records(set).next());
        let Some(alias) = alias else {
            let families = families_of(snapshot, None, |rtype| zone.set(node, rtype).is_some());
            return end(owner, families, if families == 0 { Answer::Nothing } else { Answer::Records }, 0);
        };
        if !read_target(&mut owner, &alias, zone.name(node)) {
            break;
        }
    }
    // Longer than anybody is answered.
    None
}

/// All clients of a policy, before and after.
fn flows(old: (&Snapshot, u32), new: (&Snapshot, Result<u32, Answered>), names: &[(u64, u64)]) -> Pair<Flow> {
    let side = |(snapshot, index): (&Snapshot, u32)| {
        let table = &snapshot.steering.policies[index as usize];
        Side {
            by_cell: snapshot.status.by_cell(index, table),
            tailors: table.located || snapshot.status.by_cell(index, table),
            cells: [table.cell_v4, table.cell_v6],
        }
    };
    let after = new.1.as_ref().ok().map(|index| (new.0, *index));
    let sides: Vec<Side> = std::iter::once(old).chain(after).map(side).collect();
    let tables: Vec<&PolicyTable> = std::iter::once(old)
        .chain(after)
        .map(|(snapshot, index)| &snapshot.steering.policies[index as usize])
        .collect();
    let mut flows: Pair<Flow> = Default::default();
    let mut ask = |family: usize, address: IpAddr, weight: f64, sample: u64| {
        // Policies that tell nobody apart do not know who is no client.
        if special_block(address).is_some() && !sides.iter().any(|side| side.tailors) {
            return;
        }
        let (seed, seed_after) = names[sample as usize % names.len()];
        let Some(was) = answered(old, address, seed) else { return };
        let is = match &new.1 {
            Ok(index) => answered((new.0, *index), address, seed_after),
            Err(is) => Some(is.clone()),
        };
        if let Some(is) = is {
            flows[family].add(was, is, weight);
        }
    };
    let is_sampled = sides.iter().any(|side| side.by_cell);
    let cell = |family: usize| {
        sides.iter().filter(|side| side.by_cell).map(|side| side.cells[family]).max().unwrap_or(0)
    };
    let starts = boundaries_v4(&tables);
    let ends = starts.iter().skip(1).map(|start| u64::from(*start)).chain([1 << 32]);
    for (start, end) in starts.iter().map(|start| u64::from(*start)).zip(ends) {
        let size = end - start;
        let cells = (size >> (32 - u32::from(cell(0)).min(32))).max(1);
        let samples = if is_sampled { cells.min(SAMPLES_EACH + ((size * SAMPLES) >> 32)) } else { 1 };
        let step = size / samples;
        for sample in 0..samples {
            let bits = start + sample * step + if is_sampled { mix(start, sample) % step } else { 0 };
            ask(
                0,
                IpAddr::V4(Ipv4Addr::from_bits(bits as u32)),
                size as f64 / samples as f64,
                mix(start, sample) >> 32,
            );
        }
    }
    let starts = boundaries_v6(&tables);
    let each = if is_sampled { SAMPLES_EACH + SAMPLES / starts.len().max(1) as u64 } else { 1 };
    for (index, start) in starts.iter().enumerate() {
        // The last address of the segment; the space ends at all ones.
        let last = starts.get(index + 1).map_or(u128::MAX, |next| next - 1);
        let cells = (((last - start) >> (128 - u32::from(cell(1)).min(128)).min(127)) + 1)
            .min(u128::from(each)) as u64;
        for sample in 0..cells {
            let random = u128::from(mix(*start as u64 ^ (start >> 64) as u64, sample)) << 64
                | u128::from(mix(sample, 6));
            let bits =
                if is_sampled { start + random % (last - start).saturating_add(1).max(1) } else { *start };
            ask(
                1,
                IpAddr::V6(Ipv6Addr::from_bits(bits)),
                1.0 / cells as f64,
                mix(index as u64, sample) >> 32,
            );
        }
    }
    flows
}

/// One side of a passage.
struct Side {
    by_cell: bool,
    tailors: bool,
    cells: Pair<u8>,
}

/// Where leaves begin on either side, and where addresses begin or end that no client has.
fn boundaries_v4(tables: &[&PolicyTable]) -> Vec<u32> {
    let special = crate::geo::special::V4_BLOCKS.iter();
    let mut starts: Vec<u32> =
        special.flat_map(|(start, len)| [*start, start.wrapping_add(1 << (32 - len))]).chain([0]).collect();
    for trie in tables.iter().flat_map(|table| tries(table)) {
        starts.extend(trie.v4.blocks().map(|leaf| leaf.start));
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// Where IPv6 leaves begin on either side; IPv4 inside IPv6 is IPv4.
fn boundaries_v6(tables: &[&PolicyTable]) -> Vec<u128> {
    let mut starts: Vec<u128> = Vec::new();
    for trie in tables.iter().flat_map(|table| tries(table)) {
        starts.extend(trie.v6.blocks().filter(|leaf| leaf.value != REDIRECT).map(|leaf| leaf.start));
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}
