//! Compiles checked records into an image.
//!
//! The input has passed the semantic checks, so size is the only fault left. Records of one owner
//! and type become one RRset with the smallest TTL among them (RFC 2181 section 5.2); exact
//! duplicates collapse. Every ancestor of a name below the apex exists, as an empty non-terminal if
//! it has no data.
//!
//! Names get their numbers in the order read, ancestors first, so a parent always has a smaller
//! number than its children, and one pass over the numbers finds all names below a cut. Records are
//! then sorted by node and type, and written in this order.

use super::compress::{Compressor, Cut};
use super::{
    APEX, FREE, Image, NAMED_HEAD, NO_NODE, Node, NodeKind, Set, Slot, Steered, is_compressible, names_in,
};
use crate::finding::{Finding, code};
use crate::limits::PREFETCH_MAX;
use crate::wire::fragment::{self, EARLIER, HEAD_LEN, NO_PATCH};
use crate::wire::hash;
use crate::wire::name::{Name, wire_name_len};
use crate::wire::name_hash::{NameHash, NameKey};
use crate::wire::query::QueryName;
use crate::wire::rr::{RrType, Ttl};
use crate::zone::table::HashTable;
use crate::zone::text::{Record, SetKey, Zone};

/// Compiles a zone into its image.
pub fn build(zone: &Zone) -> Result<Image, Finding> {
    build_by(zone, NameKey::of_process())
}

/// [`build`], with a given key instead of the process's.
pub(super) fn build_by(zone: &Zone, key: NameKey) -> Result<Image, Finding> {
    let mut builder = Builder::new(zone, key);
    let mut records: Vec<(u32, SetKey, u32)> = Vec::with_capacity(zone.records.len());
    let mut names = vec![QueryName::default(); PREFETCH_MAX];
    for (start, some) in (0..).step_by(PREFETCH_MAX).zip(zone.records.chunks(PREFETCH_MAX)) {
        let read = names.iter_mut().zip(some).map(|(name, record)| builder.read(name, &record.owner));
        let hashes = builder.by_name.prefetch(read);
        for (index, (record, (name, hash))) in (start..).zip(some.iter().zip(names.iter().zip(hashes))) {
            if let Some(node) = builder.node_of(name, hash) {
                records.push((node, record.set_key(), index));
            }
        }
    }
    for (index, steered) in zone.steered.iter().enumerate() {
        let name = &mut names[0];
        let hash = builder.read(name, &steered.owner);
        if let Some(node) = builder.node_of(name, hash) {
            builder.drafts[node as usize].steered = Some(index as u32);
        }
    }
    // The sort is stable: records of one RRset keep the order in which they were written.
    records.sort_by_key(|(node, key, _)| (*node, *key));
    builder.sets(&records)?;
    builder.finish()
}

/// A node while the image is built.
struct Draft {
    hash: NameHash,
    name_at: u32,
    name_len: u8,
    parent: u32,
    first_set: u32,
    sets: u16,
    has_ns: bool,
    steered: Option<u32>,
}

impl Set {
    /// Fields beside the records.
    pub(crate) fn head(&self) -> (RrType, u16, Ttl) {
        let Set { rtype, count, ttl, at: _, octets: _ } = *self;
        (rtype, count, ttl)
    }
}

struct Builder<'a> {
    zone: &'a Zone,
    /// Most octets that the zone's records can take.
    octets: usize,
    apex: Name,
    arena: Vec<u8>,
    drafts: Vec<Draft>,
    sets: Vec<Set>,
    key: NameKey,
    by_name: HashTable,
    /// Places in the arena for the node number of a name server with glue, each with the name of
    /// that server. They are filled once all nodes are known.
    glue_places: Vec<(usize, Name)>,
    compressor: Compressor<'a>,
}

impl<'a> Builder<'a> {
    fn new(zone: &'a Zone, key: NameKey) -> Builder<'a> {
        let owners = zone
            .records
            .iter()
            .map(|record| &record.owner)
            .chain(zone.steered.iter().map(|steered| &steered.owner));
        let names: usize = owners.chain([&zone.apex]).map(|name| name.as_wire().len()).sum();
        let octets = records_octets(zone);
        let mut builder = Builder {
            zone,
            octets,
            apex: zone.apex.to_lowercase(),
            arena: Vec::with_capacity(names + octets),
            drafts: Vec::with_capacity(zone.records.len()),
            sets: Vec::with_capacity(zone.records.len()),
            key,
            by_name: HashTable::with_room(zone.records.len()),
            glue_places: Vec::new(),
            compressor: Compressor::default(),
        };
        let apex = builder.apex.clone();
        builder.insert(key.whole(apex.as_wire()), apex.as_wire(), NO_NODE);
        builder
    }

    /// Reads a name for [`Builder::node_of`], and returns its hash.
    fn read(&self, name: &mut QueryName, owner: &Name) -> NameHash {
        name.read(owner.as_wire());
        name.hash_whole(&self.key, 0)
    }

    /// Node of a name with this hash; adds the node and its missing ancestors. `None` outside the
    /// zone.
    fn node_of(&mut self, name: &QueryName, hash: NameHash) -> Option<u32> {
        let below = name
            .labels()
            .checked_sub(self.apex.label_count())
            .filter(|below| name.suffix(*below) == self.apex.as_wire())?;
        if let Some(found) = self.find(hash, name.wire()) {
            return Some(found);
        }
        // Hashes of the name and of each ancestor below the apex, indexed by labels skipped.
        let mut hashes = [hash; crate::limits::LABELS_MAX + 1];
        let mut hashed = name.hash_begin(&self.key);
        for skip in (1..below).rev() {
            hashes[skip] = name.hash_on(&self.key, skip, &mut hashed);
        }
        let above = (1..below).find_map(|skip| Some((skip, self.find(hashes[skip], name.suffix(skip))?)));
        let (mut skip, mut node) = above.unwrap_or((below, APEX.0));
        while skip > 0 {
            skip -= 1;
            node = self.insert(hashes[skip], name.suffix(skip), node);
        }
        Some(node)
    }

    fn insert(&mut self, hash: NameHash, name: &[u8], parent: u32) -> u32 {
        let id = self.drafts.len() as u32;
        let name_at = self.arena.len() as u32;
        self.arena.extend_from_slice(name);
        let draft = Draft {
            hash,
            name_at,
            name_len: name.len() as u8,
            parent,
            first_set: 0,
            sets: 0,
            has_ns: false,
            steered: None,
        };
        self.drafts.push(draft);
        self.by_name.insert(hash, id);
        id
    }

    fn find(&self, hash: NameHash, name: &[u8]) -> Option<u32> {
        self.by_name.find(hash, |id| {
            let draft = &self.drafts[id as usize];
            draft.hash == hash && self.name_of(draft) == name
        })
    }

    fn name_of(&self, draft: &Draft) -> &[u8] {
        &self.arena[draft.name_at as usize..draft.name_at as usize + usize::from(draft.name_len)]
    }

    /// Writes every RRset; `records` are sorted by node and key.
    fn sets(&mut self, records: &[(u32, SetKey, u32)]) -> Result<(), Finding> {
        // Names of empty non-terminals have taken some of the room.
        self.arena.reserve_exact(self.octets);
        for set in records.chunk_by(|a, b| (a.0, a.1.rtype) == (b.0, b.1.rtype)) {
            let (node, SetKey { rtype, .. }, _) = set[0];
            let set_id = self.sets.len() as u32;
            if is_compressible(rtype) {
                let draft = &self.drafts[node as usize];
                let name_at = draft.name_at as usize;
                let owner = &self.arena[name_at..name_at + usize::from(draft.name_len)];
                // Cut the target of a CNAME before an ending of its owner only, because links read
                // the target from record and owner alone.
                self.compressor.begin(owner, rtype == RrType::CNAME);
            }
            self.set(rtype, set)?;
            let draft = &mut self.drafts[node as usize];
            if draft.sets == 0 {
                draft.first_set = set_id;
            }
            draft.sets += 1;
            draft.has_ns |= rtype == RrType::NS;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Image, Finding> {
        let mut negative = self.negative();
        if self.arena.len() > u32::MAX as usize {
            return Err(Finding::error(
                code::TOO_LARGE,
                format!("the zone `{}` has more than 4 GiB of record data", self.zone.apex),
            )
            .at(self.zone.at, "this zone"));
        }
        self.point_to_glue();
        // Free the table for building; the image gets a table of its own at the end.
        self.by_name = HashTable::with_room(0);
        self.gather(negative.as_mut());
        let (nodes, steered) = self.nodes();
        let slots = self.slots();
        let mut image = Image {
            apex: self.apex.as_wire().into(),
            apex_labels: self.apex.label_count(),
            arena: self.arena.into(),
            key: self.key,
            slots: slots.into(),
            nodes: nodes.into(),
            sets: self.sets.into(),
            steered: steered.into(),
            negative,
            cnames: 0,
            chain: self.zone.chain,
        };
        image.number_cnames();
        Ok(image)
    }

    /// Writes the node of each name server's addresses, now that every name has one.
    fn point_to_glue(&mut self) {
        for (place, name) in std::mem::take(&mut self.glue_places) {
            let found = self.find(self.key.whole(name.as_wire()), name.as_wire());
            let glue = found.filter(|id| self.has_addresses(*id)).unwrap_or(NO_NODE);
            self.arena[place..place + 4].copy_from_slice(&glue.to_be_bytes());
        }
    }

    /// Nodes of the image, parents first, and its steered names.
    fn nodes(&self) -> (Vec<Node>, Vec<Steered>) {
        let mut nodes: Vec<Node> = Vec::with_capacity(self.drafts.len());
        let mut steered = Vec::new();
        for (id, draft) in self.drafts.iter().enumerate() {
            let (kind, link) = match (self.above(&nodes, draft, id as u32), draft.steered) {
                (Some(covered), _) => covered,
                (None, Some(index)) => {
                    let owner = &self.zone.steered[index as usize];
                    let seed = hash::name(self.name_of(draft));
                    steered.push(Steered { policy: owner.policy, ttl: owner.ttl, seed });
                    (NodeKind::Steered, steered.len() as u32 - 1)
                }
                (None, None) => (NodeKind::Plain, 0),
            };
            nodes.push(Node {
                name: draft.name_at,
                first_set: draft.first_set,
                sets: draft.sets,
                name_len: draft.name_len,
                kind,
                has_wildcard: false,
                has_dname: self.sets_of(id as u32).iter().any(|set| set.rtype == RrType::DNAME),
                link,
            });
            if self.name_of(draft).starts_with(b"\x01*")
                && let Some(parent) = nodes.get_mut(draft.parent as usize)
            {
                parent.has_wildcard = true;
            }
        }
        (nodes, steered)
    }

    /// Moves the records of each name behind the name, so that one answer reads one or two places
    /// in memory.
    fn gather(&mut self, negative: Option<&mut Set>) {
        let gathered = Vec::with_capacity(self.arena.len());
        let scattered = std::mem::replace(&mut self.arena, gathered);
        let mut bring = |at: &mut u32, len: usize| {
            let from = *at as usize;
            *at = self.arena.len() as u32;
            self.arena.extend_from_slice(&scattered[from..from + len]);
        };
        for draft in &mut self.drafts {
            bring(&mut draft.name_at, usize::from(draft.name_len));
            let first = draft.first_set as usize;
            for set in &mut self.sets[first..first + usize::from(draft.sets)] {
                bring(&mut set.at, set.octets as usize);
            }
        }
        if let Some(set) = negative {
            bring(&mut set.at, set.octets as usize);
        }
    }

    /// Table of the served image: at most half full, so that most look-ups need one or two probes.
    fn slots(&self) -> Vec<Slot> {
        let mut len = 16;
        while self.drafts.len() * 2 > len {
            len *= 2;
        }
        let mut slots = vec![FREE; len];
        for (start, some) in (0..).step_by(PREFETCH_MAX).zip(self.drafts.chunks(PREFETCH_MAX)) {
            // Prefetch, so that these loads wait for memory together.
            std::hint::black_box(
                some.iter().fold(0, |read, draft| read ^ slots[draft.hash.place(len - 1)].tag),
            );
            for (id, draft) in (start..).zip(some) {
                claim(&mut slots, draft.hash, id);
            }
        }
        slots
    }

    /// Writes the records that a query for `rtype` gets: one RRset, or the signatures of several,
    /// each with the TTL of its own.
    fn set(&mut self, rtype: RrType, records: &[(u32, SetKey, u32)]) -> Result<(), Finding> {
        let zone = self.zone;
        let lowest = |rrset: &[(u32, SetKey, u32)]| {
            rrset.iter().map(|(.., index)| zone.records[*index as usize].ttl).min().unwrap_or(Ttl::MAX)
        };
        let rrsets = records.chunk_by(|a, b| a.1 == b.1).flat_map(|rrset| {
            let ttl = lowest(rrset);
            rrset.iter().map(move |(.., index)| (&zone.records[*index as usize], ttl))
        });
        let at = self.arena.len();
        // Keep the first record apart: most sets have only one, and then allocate nothing.
        let (mut first, mut others): (Option<&[u8]>, Vec<&[u8]>) = (None, Vec::new());
        let mut in_message = 0usize;
        for (record, ttl) in rrsets {
            let rdata: &[u8] = &record.rdata;
            match first {
                None => first = Some(rdata),
                Some(same) if same == rdata || others.contains(&rdata) => continue,
                Some(_) => others.push(rdata),
            }
            in_message += record.rdata.len() + 12;
            if in_message > crate::limits::RRSET_OCTETS_MAX {
                return Err(Finding::error(
                    code::TOO_BIG,
                    format!("the {rtype} records of `{}` do not fit a DNS message", record.owner),
                )
                .at(record.at, "exceeds the limit with this record")
                .help(format!("an RRset may hold at most {} octets", crate::limits::RRSET_OCTETS_MAX)));
            }
            if is_compressible(rtype) {
                self.named(rtype, ttl, &record.rdata)
            } else {
                self.plain(rtype, ttl, &record.rdata)
            }
        }
        self.sets.push(Set {
            rtype,
            count: (usize::from(first.is_some()) + others.len()) as u16,
            ttl: lowest(records),
            at: at as u32,
            octets: (self.arena.len() - at) as u32,
        });
        Ok(())
    }

    fn plain(&mut self, rtype: RrType, ttl: Ttl, rdata: &[u8]) {
        self.arena.extend_from_slice(&fragment::head(rtype, ttl, rdata.len() as u16));
        self.arena.extend_from_slice(rdata);
    }

    /// Stores data of a compressible type. Each name in it is cut where a compression pointer can
    /// replace its ending.
    fn named(&mut self, rtype: RrType, ttl: Ttl, rdata: &'a [u8]) {
        let head_at = self.arena.len();
        self.arena.extend_from_slice(&[0; NAMED_HEAD + HEAD_LEN]);
        let mut patches = [NO_PATCH; 2];
        let (skip, names) = names_in(rtype).unwrap_or((0, 0));
        let body_at = self.arena.len();
        let mut at = skip.min(rdata.len());
        self.arena.extend_from_slice(&rdata[..at]);
        let mut glue_name = None;
        for patch in patches.iter_mut().take(names) {
            let Some(len) = wire_name_len(&rdata[at..]) else { break };
            let wire = &rdata[at..at + len];
            if rtype == RrType::NS {
                glue_name = Name::from_wire(wire).ok().map(|n| n.to_lowercase());
            }
            let (pointee, cut, kind) = match self.compressor.cut(wire, self.arena.len() - body_at) {
                Cut::Nowhere => (0, 0, NO_PATCH),
                Cut::Owner(len) => (len, len, 0),
                Cut::Earlier(place, len) => (place, len, EARLIER),
            };
            self.arena.extend_from_slice(&wire[..len - usize::from(cut)]);
            if kind != NO_PATCH {
                *patch = (self.arena.len() - body_at) as u16 | kind;
                self.arena.extend_from_slice(&pointee.to_be_bytes());
            }
            at += len;
        }
        self.arena.extend_from_slice(&rdata[at..]);
        self.compressor.end(self.arena.len() - body_at);
        let len = (self.arena.len() - body_at) as u16;
        self.arena[head_at..head_at + 2].copy_from_slice(&patches[0].to_be_bytes());
        self.arena[head_at + 2..head_at + 4].copy_from_slice(&patches[1].to_be_bytes());
        self.arena[head_at + 4..head_at + NAMED_HEAD].copy_from_slice(&NO_NODE.to_be_bytes());
        self.arena[head_at + NAMED_HEAD..body_at].copy_from_slice(&fragment::head(rtype, ttl, len));
        if let Some(name) = glue_name.filter(|n| n.is_at_or_below(&self.apex)) {
            self.glue_places.push((head_at + 4, name));
        }
    }

    /// Reason why a node is not authoritative data: a cut at or above it, or a DNAME above it.
    fn above(&self, nodes: &[Node], draft: &Draft, id: u32) -> Option<(NodeKind, u32)> {
        if let Some(parent) = nodes.get(draft.parent as usize) {
            if matches!(parent.kind, NodeKind::Cut | NodeKind::Redirected) {
                return Some((parent.kind, parent.link));
            }
            if self.sets_of(draft.parent).iter().any(|set| set.rtype == RrType::DNAME) {
                return Some((NodeKind::Redirected, draft.parent));
            }
        }
        (draft.has_ns && id != APEX.0).then_some((NodeKind::Cut, id))
    }

    fn has_addresses(&self, id: u32) -> bool {
        self.sets_of(id).iter().any(|s| matches!(s.rtype, RrType::A | RrType::AAAA))
    }

    fn sets_of(&self, id: u32) -> &[Set] {
        let draft = &self.drafts[id as usize];
        &self.sets[draft.first_set as usize..draft.first_set as usize + usize::from(draft.sets)]
    }

    /// A copy of the SOA with the TTL of negative answers.
    fn negative(&mut self) -> Option<Set> {
        let soa = *self.sets_of(APEX.0).iter().find(|s| s.rtype == RrType::SOA)?;
        let record = self.zone.records.iter().find(|r| r.rtype == RrType::SOA)?;
        let minimum =
            record.rdata.last_chunk::<4>().and_then(|last| Ttl::from_secs(u32::from_be_bytes(*last)));
        let (ttl, at) = (soa.ttl.min(minimum.unwrap_or(Ttl::MAX)), self.arena.len());
        self.compressor.begin(self.apex.as_wire(), false);
        self.named(RrType::SOA, ttl, &record.rdata);
        Some(Set { ttl, count: 1, at: at as u32, octets: (self.arena.len() - at) as u32, ..soa })
    }
}

/// Octets of a zone's records, with the SOA twice (the copy is for negative answers).
fn records_octets(zone: &Zone) -> usize {
    let octets = |record: &Record| {
        HEAD_LEN + record.rdata.len() + if is_compressible(record.rtype) { NAMED_HEAD } else { 0 }
    };
    let again = zone.records.iter().find(|record| record.rtype == RrType::SOA);
    zone.records.iter().chain(again).map(octets).sum()
}

/// Puts a node into the first free slot for its hash.
fn claim(slots: &mut [Slot], hash: NameHash, node: u32) {
    let mask = slots.len() - 1;
    let mut slot = hash.place(mask);
    while slots[slot].node != NO_NODE {
        slot = (slot + 1) & mask;
    }
    slots[slot] = Slot { tag: hash.tag(), node };
}
