//! The atlas: both address spaces, split into disjoint leaves with one place each.
//!
//! Databases are layered under operator networks, and the result is split into the fewest blocks
//! without a change inside. Longest match over nested prefixes would not be enough: the length of a
//! leaf is the scope of an answer, and all clients of a leaf must be treated alike (RFC 7871
//! section 7.2.1). For the same reason no leaf spans addresses with different treatment: see
//! [`Space`].

mod layers;
mod provenance;
mod sweep;

pub(crate) use provenance::{Provenance, Source};

use super::layered::{TOO_MANY_LEAVES, count_disjoint};
use super::mmdb::Database;
use super::networks::Network;
use super::place::Place;
use super::prefix::Prefix;
use super::trie::AddressBits;
use super::{embedded, special};
use crate::finding::{At, Finding, Findings, code};
use layers::Layered;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::Arc;
use sweep::{Bits, PrefixBlock, cut, flatten, last_of, sweep};

/// Treatment of a client with an address of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// Located by this leaf: global unicast, or known to an operator network or a database.
    Usable,
    /// Special-purpose address without data: no evidence, so the resolver decides.
    Special,
    /// An IPv4 client inside IPv6: located by the IPv4 leaves, never here.
    Embedded,
}

/// A block of addresses with one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf<B> {
    /// Network address.
    pub(crate) start: B,
    /// Prefix length.
    pub len: u8,
    /// Index into [`Atlas::places`] and [`Atlas::evidence`].
    pub(crate) place: u32,
    /// True inside an operator network. Such leaves keep their own choice at any depth, while deep
    /// leaves of databases are merged (RFC 7871 section 11.1).
    pub(crate) operator: bool,
    /// Treatment of its clients.
    pub(crate) space: Space,
}

/// Places of all addresses.
#[derive(Clone, Debug)]
pub struct Atlas {
    /// Distinct places; the first is the unknown place. Two places from different sources may be
    /// equal.
    pub(crate) places: Vec<Place>,
    /// Sources of each place.
    pub(crate) evidence: Vec<Provenance>,
    /// Leaves that cover all of IPv4, ascending and disjoint.
    pub v4: Vec<Leaf<u32>>,
    /// Leaves that cover all of IPv6, ascending and disjoint. Leaves of [`embedded::BLOCKS`] have
    /// place 0.
    pub(crate) v6: Vec<Leaf<u128>>,
    /// Names of the databases, for [`Source::Database`].
    pub(crate) databases: Vec<Arc<str>>,
    /// Names of the operator networks, for [`Source::Network`].
    pub(crate) networks: Vec<Arc<str>>,
}

impl Atlas {
    /// Layers databases (the earlier takes precedence, field by field) under operator networks (the
    /// longest prefix takes precedence). The findings report duplicate prefixes; if they are
    /// errors, the atlas is complete but must not be served.
    pub fn build(databases: &[Database], networks: &[Network]) -> (Atlas, Findings) {
        let mut findings = Findings::default();
        let (mut operator_v4, mut operator_v6) = prefixes(networks, &mut findings);
        if !(is_bounded(&operator_v4) && is_bounded(&operator_v6)) {
            let message =
                format!("the operator networks nest their prefixes in too many ways: {TOO_MANY_LEAVES}");
            let finding = Finding::error(code::TOO_LARGE, message);
            let finding = finding.help("remove the widest prefixes, or the longest");
            findings.push(match networks.first() {
                Some(network) => finding.at(network.at, ""),
                None => finding,
            });
            (operator_v4, operator_v6) = Default::default();
        }
        let mut places = Places::new(databases, networks);

        let special: Vec<_> = special::V4_BLOCKS.iter().map(|&(start, len)| (start, len, SPECIAL)).collect();
        let v4 = places.leaves(databases.iter().map(|d| d.leaves_v4.as_slice()), &operator_v4, &special);

        let embedded = embedded::BLOCKS.iter().map(|&(start, len)| (start, len, EMBEDDED));
        let mut spaces: Vec<_> = special::v6_blocks()
            .into_iter()
            .map(|(start, len)| (start, len, SPECIAL))
            .chain(embedded)
            .collect();
        spaces.sort_unstable_by_key(|&(start, ..)| start);
        let v6 = places.leaves(databases.iter().map(|d| d.leaves_v6.as_slice()), &operator_v6, &spaces);

        let atlas = Atlas {
            places: places.list,
            evidence: places.evidence,
            v4,
            v6,
            databases: databases.iter().map(|d| d.name.clone()).collect(),
            networks: networks.iter().map(|n| n.name.clone()).collect(),
        };
        (atlas, findings)
    }

    /// Place of an address, with its leaf and the sources. An IPv4 client inside IPv6 has the place
    /// of its IPv4 address, and an IPv6 leaf whose length includes the offset.
    pub(crate) fn place_of(&self, address: IpAddr) -> (&Place, Prefix, &Provenance) {
        let (place, leaf) = match address {
            IpAddr::V4(a) => {
                let (place, len) = find(&self.v4, a.to_bits());
                (place, Prefix::new(address, len))
            }
            IpAddr::V6(a) => {
                let (place, len) = match embedded::ipv4_in(a.to_bits()) {
                    Some((inner, offset)) => {
                        let (place, len) = find(&self.v4, inner);
                        (place, offset + len)
                    }
                    None => find(&self.v6, a.to_bits()),
                };
                (place, Prefix::new(address, len))
            }
        };
        (&self.places[place], leaf, &self.evidence[place])
    }

    /// Name of a source.
    pub(crate) fn source_name(&self, source: Source) -> &str {
        match source {
            Source::Unknown => "",
            Source::Database(i) => self.databases.get(usize::from(i)).map_or("?", |name| name),
            Source::Network(i) => self.networks.get(usize::from(i)).map_or("?", |name| name),
            Source::Hubs => "hub city of the country",
        }
    }
}

/// Place and length of the leaf that contains an address. Leaves cover the whole space.
fn find<B: Bits>(leaves: &[Leaf<B>], address: B) -> (usize, u8) {
    let behind = leaves.partition_point(|leaf| leaf.start <= address);
    match behind.checked_sub(1).and_then(|i| leaves.get(i)) {
        Some(leaf) => (leaf.place as usize, leaf.len),
        None => (0, 0),
    }
}

/// Values in the list of spaces.
const SPECIAL: u32 = 0;
const EMBEDDED: u32 = 1;

/// Prefixes of one family, each with its network.
type Prefixes<B> = Vec<PrefixBlock<B, u32>>;

/// True if these prefixes do not make too many leaves.
fn is_bounded<B: AddressBits>(prefixes: &[PrefixBlock<B, u32>]) -> bool {
    count_disjoint(prefixes.iter().map(|&(start, len, value)| (start, len, Some(value))).collect()).is_some()
}

/// Splits operator prefixes by family, and reports prefixes that are duplicates or never used.
fn prefixes(networks: &[Network], findings: &mut Findings) -> (Prefixes<u32>, Prefixes<u128>) {
    let mut seen: HashMap<Prefix, (usize, At)> = HashMap::new();
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for (index, network) in networks.iter().enumerate() {
        for &(prefix, at) in &network.prefixes {
            match seen.entry(prefix) {
                Entry::Occupied(first) => {
                    let &(owner, before) = first.get();
                    findings.push(twice(
                        prefix,
                        at,
                        before,
                        &networks[owner].name,
                        &network.name,
                        owner == index,
                    ));
                    continue;
                }
                Entry::Vacant(free) => drop(free.insert((index, at))),
            }
            match prefix {
                Prefix::V4 { bits, len } => v4.push((bits, len, index as u32)),
                Prefix::V6 { bits, len } => {
                    if embedded::holds(prefix) {
                        let words = format!(
                            "`{prefix}` has IPv4 clients, which are looked up by their IPv4 addresses"
                        );
                        findings.push(
                            Finding::warning(code::BAD_ADDRESS, words)
                                .at(at, "never used")
                                .help("write the IPv4 prefix"),
                        );
                    }
                    v6.push((bits, len, index as u32));
                }
            }
        }
    }
    (v4, v6)
}

fn twice(prefix: Prefix, at: At, before: At, owner: &str, again: &str, same: bool) -> Finding {
    let finding = if same {
        Finding::warning(code::DUPLICATE_PREFIX, format!("`{prefix}` is listed twice in network `{owner}`"))
    } else {
        Finding::error(
            code::DUPLICATE_PREFIX,
            format!("`{prefix}` is in both networks, `{owner}` and `{again}`"),
        )
        .help("keep the prefix in one of them; a longer prefix inside it may belong to the other")
    };
    finding.at(at, "again here").related(before, "first here")
}

/// Places found so far, of both families.
struct Places<'a> {
    databases: &'a [Database],
    networks: &'a [Network],
    list: Vec<Place>,
    evidence: Vec<Provenance>,
    known: HashMap<(Place, Provenance), u32>,
}

impl<'a> Places<'a> {
    fn new(databases: &'a [Database], networks: &'a [Network]) -> Places<'a> {
        let nothing = (Place::default(), Provenance::default());
        Places {
            databases,
            networks,
            list: vec![nothing.0.clone()],
            evidence: vec![nothing.1],
            known: HashMap::from([(nothing, 0)]),
        }
    }

    /// Makes the leaves of one family.
    fn leaves<'b, B: Bits + 'b>(
        &mut self,
        databases: impl Iterator<Item = &'b [PrefixBlock<B, u32>]>,
        operator: &[PrefixBlock<B, u32>],
        spaces: &[PrefixBlock<B, u32>],
    ) -> Vec<Leaf<B>> {
        let (operator, chains) = flatten(operator);
        let mut lists: Vec<&[PrefixBlock<B, u32>]> = vec![spaces, &operator];
        for database in databases {
            lists.push(database);
        }
        // Cache from layers to places: most leaves of a database repeat a few thousand
        // combinations.
        let mut by_layers: HashMap<Box<[Option<u32>]>, u32> = HashMap::new();
        let mut leaves = Vec::new();
        sweep(&lists, |first, last, said| {
            let (space, layers) = (said[0], &said[1..]);
            let leaf = |start, len, place, operator, space| Leaf { start, len, place, operator, space };
            if space == Some(EMBEDDED) {
                return cut(first, last, |start, len| {
                    push(&mut leaves, leaf(start, len, 0, false, Space::Embedded))
                });
            }
            let place = match by_layers.get(layers) {
                Some(&place) => place,
                None => {
                    let place = self.intern(layers, &chains);
                    by_layers.insert(layers.into(), place);
                    place
                }
            };
            let space = if space.is_some() && layers.iter().all(Option::is_none) {
                Space::Special
            } else {
                Space::Usable
            };
            cut(first, last, |start, len| {
                push(&mut leaves, leaf(start, len, place, layers[0].is_some(), space))
            });
        });
        leaves.shrink_to_fit();
        leaves
    }

    /// Place of these layers: the chain of operator networks, then each database.
    fn intern(&mut self, layers: &[Option<u32>], chains: &[Vec<u32>]) -> u32 {
        let mut layered = Layered::default();
        if let Some(chain) = layers[0].and_then(|chain| chains.get(chain as usize)) {
            if let Some(&innermost) = chain.last() {
                layered.network(innermost as u16, &self.networks[innermost as usize]);
            }
            // There are at most NETWORKS_MAX networks, so indexes fit 16 bits.
            layered.place.networks = chain.iter().map(|&network| network as u16).collect();
            layered.place.networks.sort_unstable();
            layered.place.networks.dedup();
        }
        for (index, (database, said)) in self.databases.iter().zip(&layers[1..]).enumerate() {
            if let Some(fields) = said.and_then(|place| database.places.get(place as usize)) {
                layered.database(index as u16, fields);
            }
        }
        match self.known.entry(layered.finish()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                let index = self.list.len() as u32;
                self.list.push(free.key().0.clone());
                self.evidence.push(free.key().1);
                *free.insert(index)
            }
        }
    }
}

/// Appends a leaf, and merges it with the previous one while both are equal halves of a block.
fn push<B: Bits>(leaves: &mut Vec<Leaf<B>>, mut leaf: Leaf<B>) {
    while let Some(before) = leaves.last() {
        let same = before.len == leaf.len
            && before.place == leaf.place
            && before.operator == leaf.operator
            && before.space == leaf.space;
        if !same || leaf.len == 0 || last_of(before.start, leaf.len - 1) != last_of(leaf.start, leaf.len) {
            break;
        }
        leaf = Leaf { start: before.start, len: leaf.len - 1, ..leaf };
        leaves.pop();
    }
    leaves.push(leaf);
}

#[cfg(test)]
mod tests;
