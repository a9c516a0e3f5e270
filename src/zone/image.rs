//! A zone as it is served: nodes in a hash table, record data in one arena, ready to be copied.
//!
//! A node is an owner name with its RRsets, or an empty non-terminal without any. The table is open
//! addressing over node numbers; a look-up costs one probe and one comparison. Names are stored in
//! lower case. Node and set numbers are local to the image and never leave it.
//!
//! Record data of the types that RFC 1035 lets a server compress (NS, CNAME, SOA, PTR, MX; RFC 3597
//! section 4) is stored with names that end in the apex cut before it, and a placeholder that the
//! writer points at the apex in the message at hand. All other data is stored and sent as it is.

use crate::wire::fragment::{NO_PATCH, Rdata};
use crate::wire::hash;
use crate::wire::query::QueryName;
use crate::wire::rr::{RrType, Ttl};
use crate::zone::text::ChainMode;

mod build;
pub use build::build;

/// Number of a node within its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// An owner name.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// Upper half of the name's hash, to skip most comparisons.
    tag: u32,
    /// Where its name stands in the arena.
    name: u32,
    /// First of its RRsets.
    first_set: u32,
    /// How many RRsets; at most one for each of 65,535 types.
    sets: u16,
    /// Length of its name, 1 to 255.
    name_len: u8,
    /// What `link` means.
    kind: NodeKind,
    /// Number of the steered owner, or of the node that cuts this one off.
    link: u32,
}

/// What a node is beside its RRsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NodeKind {
    /// Authoritative data, or an empty non-terminal.
    Plain,
    /// A policy decides its addresses.
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
    pub rtype: RrType,
    /// Number of records.
    pub count: u16,
    /// TTL of all its records.
    pub ttl: Ttl,
    /// Where its first record stands in the arena.
    at: u32,
    /// Octets of its records as stored, with their length fields.
    octets: u32,
}

const NO_NODE: u32 = u32::MAX;

/// Octets before the data of a record as stored: plain, and with patches and link.
const PLAIN_HEAD: usize = 2;
const NAMED_HEAD: usize = 10;

/// Whether the data of a type may be compressed in responses.
pub fn is_compressible(rtype: RrType) -> bool {
    matches!(rtype, RrType::NS | RrType::CNAME | RrType::SOA | RrType::PTR | RrType::MX)
}

/// A steered owner of an image.
#[derive(Clone, Copy, Debug)]
pub struct Steered {
    /// Index into the deployment's policies.
    pub policy: u32,
    /// TTL bounds over the policy's, in seconds.
    pub ttl: Option<crate::steer::policy::TtlRange>,
    /// Seed of the owner's name, so that names share independently of each other.
    pub seed: u64,
}

/// What a name is in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The name itself exists; an empty non-terminal if it has no data.
    Exact(NodeId),
    /// The name does not exist and this wildcard speaks for it (RFC 4592).
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
    slots: Box<[u32]>,
    nodes: Box<[Node]>,
    sets: Box<[Set]>,
    steered: Box<[Steered]>,
    /// CNAME records.
    cnames: u32,
    /// How chains are answered.
    pub chain: ChainMode,
    /// TTL of negative answers: the smaller of the SOA's TTL and its MINIMUM (RFC 2308 section 5).
    pub negative_ttl: Ttl,
}

/// The apex is the first node.
pub const APEX: NodeId = NodeId(0);

impl Image {
    /// The apex in lower-case wire form.
    #[inline]
    pub fn apex(&self) -> &[u8] {
        &self.apex
    }

    /// Number of labels of the apex.
    pub fn apex_labels(&self) -> usize {
        self.apex_labels
    }

    /// Number of owner names, empty non-terminals among them.
    pub fn names(&self) -> usize {
        self.nodes.len()
    }

    /// Number of RRsets, steered ones not counted.
    pub fn sets(&self) -> usize {
        self.sets.len()
    }

    /// Number of steered owners.
    pub fn steered_names(&self) -> usize {
        self.steered.len()
    }

    /// Octets that the image holds in memory.
    pub fn octets(&self) -> usize {
        self.arena.len()
            + size_of_val::<[u32]>(&self.slots)
            + size_of_val::<[Node]>(&self.nodes)
            + size_of_val::<[Set]>(&self.sets)
            + size_of_val::<[Steered]>(&self.steered)
    }

    /// The name of a node in lower-case wire form.
    #[inline]
    pub fn name(&self, node: NodeId) -> &[u8] {
        let node = &self.nodes[node.0 as usize];
        &self.arena[node.name as usize..node.name as usize + usize::from(node.name_len)]
    }

    /// RRsets of a node.
    #[inline]
    pub fn sets_at(&self, node: NodeId) -> &[Set] {
        let node = &self.nodes[node.0 as usize];
        &self.sets[node.first_set as usize..node.first_set as usize + usize::from(node.sets)]
    }

    /// The RRset of a type at a node.
    #[inline]
    pub fn set(&self, node: NodeId, rtype: RrType) -> Option<&Set> {
        self.sets_at(node).iter().find(|s| s.rtype == rtype)
    }

    /// How a node is steered, if it is.
    #[inline]
    pub fn steered_at(&self, node: NodeId) -> Option<&Steered> {
        let node = &self.nodes[node.0 as usize];
        if node.kind == NodeKind::Steered { self.steered.get(node.link as usize) } else { None }
    }

    /// Every steered owner with its node.
    pub fn steered(&self) -> impl Iterator<Item = (NodeId, &Steered)> {
        (0..self.nodes.len() as u32).map(NodeId).filter_map(|n| self.steered_at(n).map(|s| (n, s)))
    }

    /// Every node.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// The records of a set.
    #[inline]
    pub fn records<'a>(&'a self, set: &Set) -> Records<'a> {
        let at = set.at as usize;
        Records { octets: &self.arena[at..at + set.octets as usize], named: is_compressible(set.rtype), left: set.count }
    }

    /// Number of CNAME records. Each has its number among them as its link.
    pub fn cnames(&self) -> u32 {
        self.cnames
    }

    /// The CNAME records in the order of their numbers.
    pub fn cname_records(&self) -> impl Iterator<Item = Rdata<'_>> {
        // Most zones have none, and are not walked.
        let sets = if self.cnames > 0 { &self.sets[..] } else { &[] };
        sets.iter().filter(|set| set.rtype == RrType::CNAME).flat_map(|set| self.records(set))
    }

    /// Numbers the CNAME records; the last step of building.
    fn number_cnames(&mut self) {
        for set in self.sets.iter().filter(|set| set.rtype == RrType::CNAME) {
            let mut at = set.at as usize;
            for _ in 0..set.count {
                let len = usize::from(u16::from_be_bytes([self.arena[at], self.arena[at + 1]]));
                self.arena[at + 6..at + NAMED_HEAD].copy_from_slice(&self.cnames.to_be_bytes());
                self.cnames += 1;
                at += NAMED_HEAD + len;
            }
        }
    }

    /// What `name` is here, if it exists or lies under something that does; `hash` is its hash. Names of
    /// other zones are never found.
    #[inline]
    pub fn lookup_existing(&self, name: &[u8], hash: u64) -> Option<Match> {
        let found = self.find(hash, name)?;
        let node = &self.nodes[found.0 as usize];
        Some(match node.kind {
            NodeKind::Cut => Match::Cut(NodeId(node.link)),
            NodeKind::Redirected => Match::Redirected(NodeId(node.link)),
            NodeKind::Plain | NodeKind::Steered => Match::Exact(found),
        })
    }

    /// What `name` is here. `name` must be at or below the apex; `hash` is its hash, and `apex_hash` that of
    /// the apex.
    pub fn lookup(&self, name: &QueryName, hash: u64, apex_hash: u64) -> Match {
        self.lookup_existing(name.wire(), hash).unwrap_or_else(|| self.lookup_missing(name, apex_hash))
    }

    /// [`Image::lookup`] behind the first probe: the closest encloser, and the wildcard below it.
    pub fn lookup_missing(&self, name: &QueryName, apex_hash: u64) -> Match {
        let below = name.labels() - self.apex_labels;
        // Hashes from the apex downwards; the deepest name that exists is the closest encloser.
        let mut hash = apex_hash;
        let (mut encloser, mut encloser_hash) = (APEX, hash);
        for skip in (1..below).rev() {
            hash = name.hash_label(hash, skip);
            match self.find(hash, name.suffix(skip)) {
                Some(node) => (encloser, encloser_hash) = (node, hash),
                None => break,
            }
        }
        let node = &self.nodes[encloser.0 as usize];
        match node.kind {
            NodeKind::Cut => return Match::Cut(NodeId(node.link)),
            NodeKind::Redirected => return Match::Redirected(NodeId(node.link)),
            NodeKind::Plain | NodeKind::Steered if self.set(encloser, RrType::DNAME).is_some() => return Match::Redirected(encloser),
            NodeKind::Plain | NodeKind::Steered => {}
        }
        match self.find_wildcard(encloser, encloser_hash) {
            Some(wildcard) => Match::Wildcard(wildcard),
            None => Match::NoName,
        }
    }

    fn find_wildcard(&self, encloser: NodeId, encloser_hash: u64) -> Option<NodeId> {
        self.probe(hash::label(encloser_hash, b"*"), |stored| stored.strip_prefix(b"\x01*") == Some(self.name(encloser)))
    }

    /// The node of a lower-case name, by its hash.
    #[inline]
    pub fn find(&self, hash: u64, name: &[u8]) -> Option<NodeId> {
        self.probe(hash, |stored| stored == name)
    }

    #[inline]
    fn probe(&self, hash: u64, same: impl Fn(&[u8]) -> bool) -> Option<NodeId> {
        let mask = self.slots.len() - 1;
        let tag = (hash >> 32) as u32;
        let mut slot = hash as usize & mask;
        loop {
            // The table always has free slots, so this ends.
            let id = self.slots[slot];
            if id == NO_NODE {
                return None;
            }
            if self.nodes[id as usize].tag == tag && same(self.name(NodeId(id))) {
                return Some(NodeId(id));
            }
            slot = (slot + 1) & mask;
        }
    }
}

/// Records of one RRset.
#[derive(Clone, Debug)]
pub struct Records<'a> {
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
        let word = |at: usize| u16::from_be_bytes([self.octets[at], self.octets[at + 1]]);
        let len = usize::from(word(0));
        let (patches, link, head) = if self.named {
            let link = u32::from_be_bytes([self.octets[6], self.octets[7], self.octets[8], self.octets[9]]);
            ([word(2), word(4)], (link != NO_NODE).then_some(link), NAMED_HEAD)
        } else {
            ([NO_PATCH; 2], None, PLAIN_HEAD)
        };
        let octets = &self.octets[head..head + len];
        self.octets = &self.octets[head + len..];
        Some(Rdata { octets, patches, link })
    }
}

#[cfg(test)]
mod tests;
