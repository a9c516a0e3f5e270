//! A zone in its served form: nodes in a hash table, and record data in one arena, ready to be
//! copied.
//!
//! A node is an owner name with its RRsets, or an empty non-terminal. The table uses open
//! addressing by the hash of the whole name; a slot holds half of that hash and the node number, so
//! a look-up costs one or two probes and one comparison. Names are stored in lower case, each
//! before its records. Node and set numbers are local to the image and never leave it. A node also
//! records whether it has a wildcard child and whether it has a DNAME, because the look-up of a
//! missing name needs both of its closest encloser.
//!
//! Records are stored as they are sent, with a pointer to the question name as owner, which fits
//! nearly all answers. The SOA is stored twice, the second time with the TTL of negative answers
//! (RFC 2308 section 5).
//!
//! Record data of types that a server may compress (NS, CNAME, SOA, PTR, MX and the like; RFC 3597
//! section 4) is stored with its names cut before the longest ending that they share with the owner
//! or an earlier name of the RRset. A placeholder follows, which the response writer turns into a
//! pointer ([`compress`]). All other data is stored and sent unchanged.

use crate::limits::PREFETCH_MAX;
use crate::wire::fragment::{HEAD_LEN, NO_PATCH, Rdata};
use crate::wire::name::{NAME_OCTETS_MAX, same};
use crate::wire::name_hash::{NameHash, NameKey};
use crate::wire::query::QueryName;
use crate::wire::rr::{RrType, Ttl};
use crate::zone::text::ChainMode;

mod build;
mod compress;
pub use build::build;

/// Number of a node within its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// An owner name.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// Offset of the name in the arena.
    name: u32,
    /// Index of the first RRset.
    first_set: u32,
    /// Number of RRsets; at most one for each of 65,535 types.
    sets: u16,
    /// Length of the name, 1 to 255 octets.
    name_len: u8,
    /// Kind of node, which gives `link` its meaning.
    kind: NodeKind,
    /// True if the node has a wildcard child.
    has_wildcard: bool,
    /// True if the node has a DNAME.
    has_dname: bool,
    /// For [`NodeKind::Steered`], index of the steered owner; for [`NodeKind::Cut`] and
    /// [`NodeKind::Redirected`], number of the node with the NS records or the DNAME; else 0.
    link: u32,
}

/// Kind of a node, apart from its RRsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NodeKind {
    /// Authoritative data, or an empty non-terminal.
    Plain,
    /// A name whose addresses a policy decides.
    Steered,
    /// A delegation point, or a name below one; `link` is the delegation point.
    Cut,
    /// A name below a DNAME; `link` is the DNAME's owner.
    Redirected,
}

/// One RRset of an image.
#[derive(Clone, Copy, Debug)]
pub struct Set {
    /// Type.
    pub(crate) rtype: RrType,
    /// Number of records.
    pub(crate) count: u16,
    /// TTL of all its records.
    pub(crate) ttl: Ttl,
    /// Offset of its first record in the arena.
    at: u32,
    /// Octets of its records in stored form, length fields included.
    octets: u32,
}

const NO_NODE: u32 = u32::MAX;

/// Slot of the table of names.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Upper half of the name's hash, so that a probe recognises most other names without leaving
    /// the table.
    tag: u32,
    /// Node number, or [`NO_NODE`].
    node: u32,
}

const FREE: Slot = Slot { tag: 0, node: NO_NODE };

/// Octets before a record with compressible data: its two patches (places of compression pointers)
/// and its link ([`Rdata::link`]).
const NAMED_HEAD: usize = 8;

/// Names in data of a compressible type: the octets before the first name, and the number of names.
/// Only types of RFC 1035 are compressible (RFC 3597 section 4).
pub(crate) fn names_in(rtype: RrType) -> Option<(usize, usize)> {
    match rtype {
        RrType::NS | RrType::CNAME | RrType::PTR => Some((0, 1)),
        RrType::MX => Some((2, 1)),
        RrType::SOA | RrType::MINFO => Some((0, 2)),
        RrType::MB | RrType::MD | RrType::MF | RrType::MG | RrType::MR => Some((0, 1)),
        _ => None,
    }
}

/// True if responses may compress the data of the type.
pub(crate) fn is_compressible(rtype: RrType) -> bool {
    names_in(rtype).is_some()
}

/// A steered owner of an image.
#[derive(Clone, Copy, Debug)]
pub struct Steered {
    /// Index into the deployment's policies.
    pub policy: crate::steer::policy::PolicyId,
    /// TTL bounds that override the policy's, in seconds.
    pub(crate) ttl: Option<crate::steer::policy::TtlRange>,
    /// Seed from the owner's name for sharing clients among PoPs, so that each name shares its
    /// clients independently of other names. Not used for a wildcard, whose names are seeded one by
    /// one.
    pub(crate) seed: u64,
}

/// Usual results of looking up a type at a node.
#[derive(Clone, Copy, Debug)]
pub enum Usual<'a> {
    /// A policy decides.
    Steered(&'a Steered),
    /// Records that are sent unchanged, and their set.
    Ready(&'a [u8], &'a Set),
    /// Records with names in their data, whose pointers depend on the message.
    Named(&'a Set),
    /// A CNAME, but no records of the type.
    Alias(&'a Set),
    /// No records of the type.
    NoData,
}

/// Result of looking up a name in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The name itself exists; an empty non-terminal if it has no data.
    Exact(NodeId),
    /// The name does not exist, and this wildcard matches it (RFC 4592).
    Wildcard(NodeId),
    /// The name lies at or below this delegation point.
    Cut(NodeId),
    /// The name lies below the owner of this DNAME (RFC 6672).
    Redirected(NodeId),
    /// The name does not exist.
    NoName,
}

/// An immutable zone.
#[derive(Debug)]
pub struct Image {
    apex: Box<[u8]>,
    apex_labels: usize,
    arena: Box<[u8]>,
    /// Hash key of the table.
    key: NameKey,
    slots: Box<[Slot]>,
    nodes: Box<[Node]>,
    sets: Box<[Set]>,
    steered: Box<[Steered]>,
    /// The SOA with the TTL of negative answers.
    negative: Option<Set>,
    /// Number of CNAME records.
    cnames: u32,
    /// Mode of answering CNAME chains.
    pub chain: ChainMode,
}

/// The apex, always the first node.
pub(crate) const APEX: NodeId = NodeId(0);

impl Image {
    /// Apex in lower-case wire form.
    #[inline]
    pub fn apex(&self) -> &[u8] {
        &self.apex
    }

    /// Hash key of its names.
    pub(crate) fn key(&self) -> &NameKey {
        &self.key
    }

    /// Number of labels of the apex.
    pub(crate) fn apex_labels(&self) -> usize {
        self.apex_labels
    }

    /// Number of owner names, empty non-terminals included.
    pub(crate) fn names(&self) -> usize {
        self.nodes.len()
    }

    /// Number of RRsets, without steered ones.
    pub(crate) fn sets(&self) -> usize {
        self.sets.len()
    }

    /// Number of steered owners.
    pub(crate) fn steered_names(&self) -> usize {
        self.steered.len()
    }

    /// Octets of the image in memory.
    pub(crate) fn octets(&self) -> usize {
        self.arena.len()
            + size_of_val::<[Slot]>(&self.slots)
            + size_of_val::<[Node]>(&self.nodes)
            + size_of_val::<[Set]>(&self.sets)
            + size_of_val::<[Steered]>(&self.steered)
    }

    /// Name of a node in lower-case wire form.
    #[inline]
    pub fn name(&self, node: NodeId) -> &[u8] {
        let node = &self.nodes[node.0 as usize];
        &self.arena[node.name as usize..node.name as usize + usize::from(node.name_len)]
    }

    /// RRsets of a node.
    #[inline]
    pub(crate) fn sets_at(&self, node: NodeId) -> &[Set] {
        let node = &self.nodes[node.0 as usize];
        &self.sets[node.first_set as usize..node.first_set as usize + usize::from(node.sets)]
    }

    /// True if the node has RRsets, or a policy decides there.
    pub(crate) fn has_data(&self, node: NodeId) -> bool {
        !self.sets_at(node).is_empty() || self.steered_at(node).is_some()
    }

    /// RRset of a type at a node.
    #[inline]
    pub(crate) fn set(&self, node: NodeId, rtype: RrType) -> Option<&Set> {
        self.sets_at(node).iter().find(|s| s.rtype == rtype)
    }

    /// The steered owner at a node, if any.
    #[inline]
    pub(crate) fn steered_at(&self, node: NodeId) -> Option<&Steered> {
        let node = &self.nodes[node.0 as usize];
        if node.kind == NodeKind::Steered { self.steered.get(node.link as usize) } else { None }
    }

    /// Usual result for a type at a node from [`Match::Exact`] or [`Match::Wildcard`].
    #[inline(always)]
    pub fn usual(&self, node: NodeId, qtype: RrType) -> Usual<'_> {
        match self.steered_at(node) {
            Some(steered) => Usual::Steered(steered),
            None => self.data(node, qtype),
        }
    }

    /// [`Image::usual`] without policies: only the records.
    #[inline(always)]
    pub(crate) fn data(&self, node: NodeId, qtype: RrType) -> Usual<'_> {
        let sets = self.sets_at(node);
        match sets.iter().find(|set| set.rtype == qtype) {
            Some(set) => self.ready(set).map_or(Usual::Named(set), |records| Usual::Ready(records, set)),
            None => match sets.iter().find(|set| set.rtype == RrType::CNAME) {
                Some(set) => Usual::Alias(set),
                None => Usual::NoData,
            },
        }
    }

    /// Steered owners, each with its node.
    pub fn steered(&self) -> impl Iterator<Item = (NodeId, &Steered)> {
        (0..self.nodes.len() as u32).map(NodeId).filter_map(|n| self.steered_at(n).map(|s| (n, s)))
    }

    /// All nodes.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// Records of a set.
    #[inline]
    pub(crate) fn records<'a>(&'a self, set: &Set) -> Records<'a> {
        let at = set.at as usize;
        Records {
            octets: &self.arena[at..at + set.octets as usize],
            named: is_compressible(set.rtype),
            left: set.count,
        }
    }

    /// All octets of a set whose records are sent unchanged; `None` if some of them depend on the
    /// message.
    #[inline(always)]
    pub(crate) fn ready(&self, set: &Set) -> Option<&[u8]> {
        if is_compressible(set.rtype) {
            return None;
        }
        self.arena.get(set.at as usize..)?.get(..set.octets as usize)
    }

    /// Number of CNAME records. Each CNAME's link is its number among them.
    pub(crate) fn cnames(&self) -> u32 {
        self.cnames
    }

    /// CNAME records in the order of their numbers, with their owners.
    pub(crate) fn cname_records(&self) -> impl Iterator<Item = (NodeId, Rdata<'_>)> {
        // Most zones have no CNAME and need no walk. Sets are in the order of their nodes.
        let nodes = if self.cnames > 0 { self.nodes.len() as u32 } else { 0 };
        (0..nodes).map(NodeId).flat_map(move |node| {
            let set = self.set(node, RrType::CNAME);
            set.into_iter().flat_map(move |set| self.records(set).map(move |rdata| (node, rdata)))
        })
    }

    /// Numbers the CNAME records, as the last step of the build.
    fn number_cnames(&mut self) {
        for set in self.sets.iter().filter(|set| set.rtype == RrType::CNAME) {
            let mut at = set.at as usize;
            for _ in 0..set.count {
                let data_at = at + NAMED_HEAD + HEAD_LEN;
                let len = usize::from(u16::from_be_bytes([self.arena[data_at - 2], self.arena[data_at - 1]]));
                self.arena[at + 4..at + NAMED_HEAD].copy_from_slice(&self.cnames.to_be_bytes());
                self.cnames += 1;
                at = data_at + len;
            }
        }
    }

    /// SOA for negative answers, with the smaller of its TTL and its MINIMUM (RFC 2308 section 5).
    #[inline]
    pub(crate) fn denial(&self) -> Option<Rdata<'_>> {
        self.records(self.negative.as_ref()?).next()
    }

    /// SERIAL of the SOA (RFC 1035 section 3.3.13); `None` if the zone is not served.
    pub(crate) fn serial(&self) -> Option<u32> {
        // The five numbers stand behind the two names.
        let numbers = self.denial()?.octets.last_chunk::<20>()?;
        numbers.first_chunk().map(|serial| u32::from_be_bytes(*serial))
    }

    /// True if the zone is not served: every served zone has an SOA.
    pub(crate) fn is_dead(&self) -> bool {
        self.negative.is_none()
    }

    /// Looks up `name`, whose whole hash is `hash`; `None` if it has no node. Never finds names of
    /// other zones.
    #[inline(always)]
    pub(crate) fn lookup_existing(&self, name: &[u8], hash: NameHash) -> Option<Match> {
        let found = self.find(hash, name)?;
        let node = &self.nodes[found.0 as usize];
        Some(match node.kind {
            NodeKind::Plain | NodeKind::Steered => Match::Exact(found),
            NodeKind::Cut => Match::Cut(NodeId(node.link)),
            NodeKind::Redirected => Match::Redirected(NodeId(node.link)),
        })
    }

    /// Looks up `name`, which must be at or below the apex.
    pub(crate) fn lookup(&self, name: &QueryName) -> Match {
        self.lookup_existing(name.wire(), name.hash_whole(&self.key, 0))
            .unwrap_or_else(|| self.lookup_missing(name))
    }

    /// Rest of [`Image::lookup`] for a name without a node: finds the closest encloser and its
    /// wildcard.
    #[inline(never)]
    pub(crate) fn lookup_missing(&self, name: &QueryName) -> Match {
        let below = name.labels() - self.apex_labels;
        // From the apex downwards: the deepest existing name is the closest encloser, and the first
        // missing name ends the search, however many labels a client has put before it.
        let mut encloser = APEX;
        for skip in (1..below).rev() {
            match self.find(name.hash_whole(&self.key, skip), name.suffix(skip)) {
                Some(node) => encloser = node,
                None => break,
            }
        }
        let node = &self.nodes[encloser.0 as usize];
        match node.kind {
            NodeKind::Cut => return Match::Cut(NodeId(node.link)),
            NodeKind::Redirected => return Match::Redirected(NodeId(node.link)),
            NodeKind::Plain | NodeKind::Steered if node.has_dname => return Match::Redirected(encloser),
            NodeKind::Plain | NodeKind::Steered => {}
        }
        match node.has_wildcard.then(|| self.find_wildcard(encloser)).flatten() {
            Some(wildcard) => Match::Wildcard(wildcard),
            None => Match::NoName,
        }
    }

    fn find_wildcard(&self, encloser: NodeId) -> Option<NodeId> {
        let (mut wildcard, encloser) = ([0; NAME_OCTETS_MAX + 2], self.name(encloser));
        let wildcard = &mut wildcard[..2 + encloser.len()];
        wildcard[..2].copy_from_slice(b"\x01*");
        wildcard[2..].copy_from_slice(encloser);
        self.node(wildcard)
    }

    /// Prefetches the table slots, nodes and records that look-ups of these hashes will read, for
    /// at most [`PREFETCH_MAX`] names. Each step is done for all names before the next step, so
    /// that their cache misses overlap. Only the first slot of each name is read, where most names
    /// are. The result is meaningless; it keeps the compiler from dropping the reads.
    pub(crate) fn prefetch(&self, hashes: &[NameHash]) -> u32 {
        let mask = self.slots.len().wrapping_sub(1);
        let mut nodes = [NO_NODE; PREFETCH_MAX];
        let nodes = &mut nodes[..hashes.len().min(PREFETCH_MAX)];
        for (node, hash) in nodes.iter_mut().zip(hashes) {
            *node = self.slots.get(hash.place(mask)).map_or(NO_NODE, |slot| slot.node);
        }
        let mut places = [(0, 0, 0); PREFETCH_MAX];
        for (place, node) in places.iter_mut().zip(nodes) {
            if let Some(node) = self.nodes.get(*node as usize) {
                // The first record follows the name, often in the next cache line.
                let record_end = node.name as usize + usize::from(node.name_len) + HEAD_LEN + 4;
                *place = (node.name as usize, record_end, node.first_set as usize);
            }
        }
        let octet = |at: usize| self.arena.get(at).map_or(0, |octet| u32::from(*octet));
        let set = |at: usize| self.sets.get(at).map_or(0, |set| set.at);
        places.iter().fold(0, |seen, (name, record_end, first_set)| {
            seen ^ octet(*name) ^ octet(*record_end) ^ set(*first_set)
        })
    }

    /// Node of a name in lower case.
    pub(crate) fn node(&self, name: &[u8]) -> Option<NodeId> {
        self.find(self.key.whole(name), name)
    }

    /// [`Image::node`], by the name's whole hash.
    #[inline(always)]
    fn find(&self, hash: NameHash, name: &[u8]) -> Option<NodeId> {
        let mask = self.slots.len() - 1;
        let tag = hash.tag();
        let mut slot = hash.place(mask);
        loop {
            // The table always has free slots, so this ends.
            let Slot { tag: met, node } = self.slots[slot];
            if node == NO_NODE {
                return None;
            }
            if met == tag && same(self.name(NodeId(node)), name) {
                return Some(NodeId(node));
            }
            slot = (slot + 1) & mask;
        }
    }
}

/// Records of one RRset.
#[derive(Clone, Debug)]
pub(crate) struct Records<'a> {
    octets: &'a [u8],
    named: bool,
    left: u16,
}

impl<'a> Iterator for Records<'a> {
    type Item = Rdata<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Rdata<'a>> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let (mut patches, mut link) = ([NO_PATCH; 2], None);
        if self.named {
            let (&[p0, p1, p2, p3, l0, l1, l2, l3], record) =
                self.octets.split_first_chunk::<NAMED_HEAD>()?;
            patches = [u16::from_be_bytes([p0, p1]), u16::from_be_bytes([p2, p3])];
            let number = u32::from_be_bytes([l0, l1, l2, l3]);
            link = (number != NO_NODE).then_some(number);
            self.octets = record;
        }
        let &[.., l0, l1] = self.octets.first_chunk::<HEAD_LEN>()?;
        let (record, behind) =
            self.octets.split_at_checked(HEAD_LEN + usize::from(u16::from_be_bytes([l0, l1])))?;
        self.octets = behind;
        Some(Rdata { record, octets: record.get(HEAD_LEN..)?, patches, link })
    }
}

#[cfg(test)]
mod tests;
