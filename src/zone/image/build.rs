//! Building an image from checked records.
//!
//! The input has passed the semantic checks, so what is left to refuse is size. Records of one owner
//! and type become one RRset with the smallest TTL among them (RFC 2181 section 5.2); exact
//! duplicates collapse. Every ancestor of a name below the apex exists as an empty non-terminal.

use super::{APEX, Image, NAMED_HEAD, NO_NODE, Node, NodeId, NodeKind, PLAIN_HEAD, Set, Steered, is_compressible};
use crate::finding::{Finding, code};
use crate::wire::fragment::NO_PATCH;
use crate::wire::hash;
use crate::wire::name::{Name, wire_name_len};
use crate::wire::rr::{RrType, Ttl};
use crate::zone::text::{Record, Zone};
use std::collections::BTreeMap;

/// An owner while the image grows.
#[derive(Default)]
struct Owner<'a> {
    records: Vec<&'a Record>,
    steered: Option<usize>,
}

/// Builds the image of a zone.
pub fn build(zone: &Zone) -> Result<Image, Finding> {
    let apex = zone.apex.to_lowercase();
    let mut owners: BTreeMap<Name, Owner<'_>> = BTreeMap::new();
    owners.entry(apex.clone()).or_default();
    for record in &zone.records {
        owner_at(&mut owners, &record.owner, &apex).records.push(record);
    }
    for (index, steered) in zone.steered.iter().enumerate() {
        owner_at(&mut owners, &steered.owner, &apex).steered = Some(index);
    }
    Builder::new(zone, apex, owners.len()).run(owners)
}

/// The entry of an owner; its ancestors up to the apex come into being with it.
fn owner_at<'m, 'a>(owners: &'m mut BTreeMap<Name, Owner<'a>>, owner: &Name, apex: &Name) -> &'m mut Owner<'a> {
    let owner = owner.to_lowercase();
    if !owners.contains_key(&owner) {
        let mut above = owner.parent();
        while let Some(name) = above.filter(|n| n != apex && n.is_at_or_below(apex) && !owners.contains_key(n)) {
            above = name.parent();
            owners.insert(name, Owner::default());
        }
    }
    owners.entry(owner).or_default()
}

struct Builder<'a> {
    zone: &'a Zone,
    apex: Name,
    arena: Vec<u8>,
    nodes: Vec<Node>,
    sets: Vec<Set>,
    steered: Vec<Steered>,
    slots: Vec<u32>,
    /// Where glue node numbers are written once all nodes are known: place in the arena, name.
    glue_places: Vec<(usize, Name)>,
}

impl<'a> Builder<'a> {
    fn new(zone: &'a Zone, apex: Name, names: usize) -> Builder<'a> {
        // At most two thirds full.
        let slots = (names + names / 2 + 2).next_power_of_two();
        Builder {
            zone,
            apex,
            arena: Vec::new(),
            nodes: Vec::with_capacity(names),
            sets: Vec::new(),
            steered: Vec::new(),
            slots: vec![NO_NODE; slots],
            glue_places: Vec::new(),
        }
    }

    fn run(mut self, owners: BTreeMap<Name, Owner<'_>>) -> Result<Image, Finding> {
        // Canonical order puts the apex first and every name behind its ancestors, so the cut above a
        // name is known when the name is reached.
        let mut cut: Option<(Name, u32)> = None;
        for (name, owner) in &owners {
            if cut.as_ref().is_some_and(|(above, _)| !name.is_at_or_below(above)) {
                cut = None;
            }
            let id = self.nodes.len() as u32;
            if cut.is_none() && *name != self.apex && owner.records.iter().any(|r| r.rtype == RrType::NS) {
                cut = Some((name.clone(), id));
            }
            self.node(name, owner, cut.as_ref().map(|(_, id)| *id))?;
        }
        if self.arena.len() > u32::MAX as usize {
            return Err(Finding::error(code::TOO_LARGE, format!("zone `{}` holds more than 4 GiB of record data", self.zone.apex))
                .at(self.zone.at, "this zone"));
        }
        for (place, name) in std::mem::take(&mut self.glue_places) {
            let glue = self.find(&name).filter(|id| self.has_addresses(*id)).unwrap_or(NO_NODE);
            self.arena[place..place + 4].copy_from_slice(&glue.to_be_bytes());
        }
        let negative_ttl = self.negative_ttl();
        Ok(Image {
            apex: self.apex.as_wire().into(),
            apex_labels: self.apex.label_count(),
            arena: self.arena.into(),
            slots: self.slots.into(),
            nodes: self.nodes.into(),
            sets: self.sets.into(),
            steered: self.steered.into(),
            chain: self.zone.chain,
            negative_ttl,
        })
    }

    fn node(&mut self, name: &Name, owner: &Owner<'_>, cut: Option<u32>) -> Result<(), Finding> {
        let id = self.nodes.len() as u32;
        let wire = name.as_wire();
        let hash = hash::name(wire);
        let name_at = self.arena.len() as u32;
        self.arena.extend_from_slice(wire);
        let first_set = self.sets.len() as u32;
        let mut by_type: BTreeMap<RrType, Vec<&Record>> = BTreeMap::new();
        for record in &owner.records {
            by_type.entry(record.rtype).or_default().push(record);
        }
        for (rtype, records) in by_type {
            self.set(rtype, &records)?;
        }
        let (kind, link) = match (cut, owner.steered) {
            (Some(cut), _) => (NodeKind::Cut, cut),
            (None, Some(index)) => {
                let steered = &self.zone.steered[index];
                self.steered.push(Steered { policy: steered.policy as u32, ttl: steered.ttl, seed: hash });
                (NodeKind::Steered, self.steered.len() as u32 - 1)
            }
            (None, None) => (NodeKind::Plain, 0),
        };
        self.nodes.push(Node {
            tag: (hash >> 32) as u32,
            name: name_at,
            first_set,
            sets: (self.sets.len() as u32 - first_set) as u16,
            name_len: wire.len() as u8,
            kind,
            link,
        });
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while self.slots[slot] != NO_NODE {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = id;
        Ok(())
    }

    fn set(&mut self, rtype: RrType, records: &[&Record]) -> Result<(), Finding> {
        let ttl = records.iter().map(|r| r.ttl).min().unwrap_or(Ttl::MAX);
        let at = self.arena.len();
        let mut written: Vec<&[u8]> = Vec::with_capacity(records.len());
        let mut in_message = 0usize;
        for record in records {
            if written.contains(&&*record.rdata) {
                continue;
            }
            written.push(&record.rdata);
            in_message += record.rdata.len() + 12;
            if in_message > crate::limits::RRSET_OCTETS_MAX {
                return Err(Finding::error(code::TOO_BIG, format!("the {rtype} records of `{}` do not fit a DNS message", record.owner))
                    .at(record.at, "this one is too much")
                    .help(format!("an RRset may hold at most {} octets", crate::limits::RRSET_OCTETS_MAX)));
            }
            if is_compressible(rtype) { self.named(rtype, &record.rdata) } else { self.plain(&record.rdata) }
        }
        self.sets.push(Set { rtype, count: written.len() as u16, ttl, at: at as u32, octets: (self.arena.len() - at) as u32 });
        Ok(())
    }

    fn plain(&mut self, rdata: &[u8]) {
        debug_assert_eq!(PLAIN_HEAD, 2);
        self.arena.extend_from_slice(&(rdata.len() as u16).to_be_bytes());
        self.arena.extend_from_slice(rdata);
    }

    /// Stores data with its names cut before the apex.
    fn named(&mut self, rtype: RrType, rdata: &[u8]) {
        let head_at = self.arena.len();
        self.arena.extend_from_slice(&[0; NAMED_HEAD]);
        let mut patches = [NO_PATCH; 2];
        let (skip, names) = match rtype {
            RrType::MX => (2, 1),
            RrType::SOA => (0, 2),
            _ => (0, 1),
        };
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
            let apex = self.apex.as_wire();
            let is_below = Name::from_wire(wire).is_ok_and(|n| n.is_at_or_below(&self.apex));
            // Two octets of pointer save nothing for a zone at the root.
            if is_below && apex.len() > 2 {
                self.arena.extend_from_slice(&wire[..len - apex.len()]);
                *patch = (self.arena.len() - body_at) as u16;
                self.arena.extend_from_slice(&[0xc0, 0]);
            } else {
                self.arena.extend_from_slice(wire);
            }
            at += len;
        }
        self.arena.extend_from_slice(&rdata[at..]);
        let len = (self.arena.len() - body_at) as u16;
        self.arena[head_at..head_at + 2].copy_from_slice(&len.to_be_bytes());
        self.arena[head_at + 2..head_at + 4].copy_from_slice(&patches[0].to_be_bytes());
        self.arena[head_at + 4..head_at + 6].copy_from_slice(&patches[1].to_be_bytes());
        self.arena[head_at + 6..head_at + 10].copy_from_slice(&NO_NODE.to_be_bytes());
        if let Some(name) = glue_name.filter(|n| n.is_at_or_below(&self.apex)) {
            self.glue_places.push((head_at + 6, name));
        }
    }

    fn find(&self, name: &Name) -> Option<u32> {
        let wire = name.as_wire();
        let hash = hash::name(wire);
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while self.slots[slot] != NO_NODE {
            let id = self.slots[slot];
            let node = &self.nodes[id as usize];
            if &self.arena[node.name as usize..node.name as usize + usize::from(node.name_len)] == wire {
                return Some(id);
            }
            slot = (slot + 1) & mask;
        }
        None
    }

    fn has_addresses(&self, id: u32) -> bool {
        let node = &self.nodes[id as usize];
        self.sets[node.first_set as usize..node.first_set as usize + usize::from(node.sets)]
            .iter()
            .any(|s| matches!(s.rtype, RrType::A | RrType::AAAA))
    }

    fn negative_ttl(&self) -> Ttl {
        let apex = &self.nodes[NodeId(APEX.0).0 as usize];
        let sets = &self.sets[apex.first_set as usize..apex.first_set as usize + usize::from(apex.sets)];
        let soa = sets.iter().find(|s| s.rtype == RrType::SOA);
        let minimum = self
            .zone
            .records
            .iter()
            .find(|r| r.rtype == RrType::SOA)
            .and_then(|r| r.rdata.last_chunk::<4>())
            .and_then(|last| Ttl::from_secs(u32::from_be_bytes(*last)))
            .unwrap_or(Ttl::MAX);
        soa.map_or(minimum, |s| s.ttl.min(minimum))
    }
}
