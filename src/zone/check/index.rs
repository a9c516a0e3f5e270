//! All owners of all zones, looked up as a query would be (RFC 1034 section 4.3.2).
//!
//! Nothing of the zones is copied: an owner's name is part of a record, its records are a run of
//! one list, and rare record types are marked in a few bits, so that checks of rare types skip a
//! million plain names.

use crate::limits::{PREFETCH_MAX, RRSET_OCTETS_MAX};
use crate::wire::name::Name;
use crate::wire::name_hash::NameHash;
use crate::wire::rr::RrType;
use crate::zone::table::{HashTable, hash_of};
use crate::zone::text::{Record, SteeredOwner, Zone};
use std::ops::Range;

/// A name that exists in a zone, with its records and steered owners. A name with neither is an
/// empty non-terminal.
#[derive(Clone, Copy)]
pub(super) struct OwnerRecords<'i> {
    /// Its name in wire form, as first written.
    pub(crate) name: &'i [u8],
    /// Its records.
    pub(crate) records: &'i [&'i Record],
    /// Its steered owners.
    pub(crate) steered: &'i [&'i SteeredOwner],
}

impl<'i> OwnerRecords<'i> {
    /// Records of a type.
    pub(crate) fn of(&self, rtype: RrType) -> impl Iterator<Item = &'i Record> + use<'i> {
        self.records.iter().copied().filter(move |record| record.rtype == rtype)
    }

    /// True if there is a record of the type.
    pub(crate) fn has(&self, rtype: RrType) -> bool {
        self.of(rtype).next().is_some()
    }

    /// True if it can answer addresses.
    pub(crate) fn has_address(&self) -> bool {
        !self.steered.is_empty() || self.has(RrType::A) || self.has(RrType::AAAA)
    }

    /// True for an empty non-terminal.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.steered.is_empty()
    }

    /// Its name.
    pub(crate) fn name(&self) -> Name {
        name_of(self.name)
    }
}

/// A name from octets that were taken from a name.
pub(super) fn name_of(wire: &[u8]) -> Name {
    Name::from_wire(wire).unwrap_or_else(|_| Name::root())
}

/// Bit of an owner with a CNAME.
pub(super) const ALIAS: u8 = 1;
/// Bit of an owner with NS records.
pub(super) const DELEGATION: u8 = 2;
/// Bit of an owner with a DNAME.
pub(super) const REDIRECTION: u8 = 4;
/// Bit of an owner with a DS record.
pub(super) const SIGNER: u8 = 8;
/// Bit of an owner with a record too large for a message even alone.
const BULKY: u8 = 16;

fn bits_of(rtype: RrType) -> u8 {
    match rtype {
        RrType::CNAME => ALIAS,
        RrType::NS => DELEGATION,
        RrType::DNAME => REDIRECTION,
        RrType::DS => SIGNER,
        _ => 0,
    }
}

/// An owner as stored: runs of the index's lists.
struct Entry<'z> {
    name: &'z [u8],
    first: u32,
    count: u32,
    first_steered: u32,
    steered: u16,
    bits: u8,
}

/// A zone with its names.
pub(super) struct Names<'z> {
    /// The zone.
    pub(crate) zone: &'z Zone,
    /// Numbers of its owners.
    pub(crate) owners: Range<usize>,
    by_name: HashTable,
    /// True if a name below the apex has NS records.
    pub(crate) has_cuts: bool,
    /// Octets of the longest name below the apex with NS records; a longer name cannot be a cut.
    cut_octets_max: usize,
    /// True if a name has a DNAME.
    pub(crate) has_dnames: bool,
    /// True if the apex of another of our zones is below this zone's apex.
    pub(crate) has_children: bool,
}

/// Every owner of every zone, for look-ups by name.
pub(super) struct Index<'z> {
    owners: Vec<Entry<'z>>,
    records: Vec<&'z Record>,
    steered: Vec<&'z SteeredOwner>,
    /// The zones, in the order given.
    pub(crate) zones: Vec<Names<'z>>,
    by_apex: HashTable,
}

/// Result of a look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IndexMatch {
    /// The name is outside our zones, at or below a delegation, or below a DNAME.
    Elsewhere,
    /// Number of the owner with this name, or of the wildcard that matches it.
    OwnerRecords(usize),
    /// The name does not exist.
    Missing,
}

/// Numbers of the owners of a zone.
struct Owners {
    /// Owner of each record.
    records: Vec<u32>,
    /// Owner of each steered name.
    steered: Vec<u32>,
}

impl<'z> Index<'z> {
    /// Builds the index of the zones.
    pub(crate) fn new(zones: &'z [Zone]) -> Index<'z> {
        let records = zones.iter().map(|zone| zone.records.len()).sum();
        let mut index = Index {
            owners: Vec::with_capacity(records),
            records: Vec::with_capacity(records),
            steered: Vec::new(),
            zones: Vec::with_capacity(zones.len()),
            by_apex: HashTable::with_room(zones.len()),
        };
        for zone in zones {
            index.add(zone);
        }
        for number in 0..index.zones.len() {
            let mut above = index.zones.get(number).and_then(|names| parent(names.zone.apex.as_wire()));
            while let Some(name) = above {
                if let Some(zone) = index.apex(name)
                    && let Some(names) = index.zones.get_mut(zone)
                {
                    names.has_children = true;
                }
                above = parent(name);
            }
        }
        index
    }

    /// Adds the names of a zone, with the records of each in a run, sorted by counting.
    fn add(&mut self, zone: &'z Zone) {
        let start = self.owners.len();
        let by_name = HashTable::with_room(zone.records.len());
        let mut names = Names {
            zone,
            owners: start..start,
            by_name,
            has_cuts: false,
            cut_octets_max: 0,
            has_dnames: false,
            has_children: false,
        };
        let owners = self.count(&mut names);
        names.owners.end = self.owners.len();
        self.make_room(&names);
        self.arrange(zone, &owners);
        let apex = zone.apex.as_wire();
        if self.apex(apex).is_none() {
            self.by_apex.insert(hash_of(apex), self.zones.len() as u32);
        }
        self.zones.push(names);
    }

    /// Numbers the owner of each record, and counts the records of each owner.
    fn count(&mut self, names: &mut Names<'z>) -> Owners {
        let zone = names.zone;
        let mut records: Vec<u32> = Vec::with_capacity(zone.records.len());
        let mut parent_last: &[u8] = &[];
        for some in zone.records.chunks(PREFETCH_MAX) {
            let hashes = names.by_name.prefetch(some.iter().map(|record| hash_of(record.owner.as_wire())));
            for (record, hash) in some.iter().zip(hashes) {
                if record.rtype == RrType::NS && record.owner != zone.apex {
                    names.has_cuts = true;
                    names.cut_octets_max = names.cut_octets_max.max(record.owner.as_wire().len());
                }
                names.has_dnames |= record.rtype == RrType::DNAME;
                let number = self.number(names, record.owner.as_wire(), hash, &mut parent_last);
                records.push(number);
                if let Some(entry) = self.owners.get_mut(number as usize) {
                    entry.count += 1;
                    entry.bits |= bits_of(record.rtype);
                    if record.rdata.len() > RRSET_OCTETS_MAX - 12 {
                        entry.bits |= BULKY;
                    }
                }
            }
        }
        let mut number = |owner: &'z [u8]| self.number(names, owner, hash_of(owner), &mut parent_last);
        let steered: Vec<u32> = zone.steered.iter().map(|steered| number(steered.owner.as_wire())).collect();
        for number in &steered {
            if let Some(entry) = self.owners.get_mut(*number as usize) {
                entry.steered = entry.steered.saturating_add(1);
            }
        }
        Owners { records, steered }
    }

    /// Assigns a run of places to each owner of a zone, one for each of its records. The counts
    /// return to 0, for [`Index::arrange`].
    fn make_room(&mut self, names: &Names<'z>) {
        let (mut at, mut at_steered) = (self.records.len() as u32, self.steered.len() as u32);
        for entry in self.owners.iter_mut().skip(names.owners.start) {
            (entry.first, entry.first_steered) = (at, at_steered);
            at += std::mem::take(&mut entry.count);
            at_steered += u32::from(std::mem::take(&mut entry.steered));
        }
        if let Some(any) = names.zone.records.first() {
            self.records.resize(at as usize, any);
        }
        if let Some(any) = names.zone.steered.first() {
            self.steered.resize(at_steered as usize, any);
        }
    }

    /// Puts the records and steered names of a zone into the runs of their owners.
    fn arrange(&mut self, zone: &'z Zone, owners: &Owners) {
        for (record, number) in zone.records.iter().zip(&owners.records) {
            let Some(entry) = self.owners.get_mut(*number as usize) else { continue };
            if let Some(place) = self.records.get_mut((entry.first + entry.count) as usize) {
                *place = record;
                entry.count += 1;
            }
        }
        for (owner, number) in zone.steered.iter().zip(&owners.steered) {
            let Some(entry) = self.owners.get_mut(*number as usize) else { continue };
            if let Some(place) =
                self.steered.get_mut(entry.first_steered as usize + usize::from(entry.steered))
            {
                *place = owner;
                entry.steered = entry.steered.saturating_add(1);
            }
        }
    }

    /// Number of a name with this hash. Adds the name, and all names between it and the apex, if
    /// they are new. `parent_last` is the most recent parent, which neighbouring names mostly
    /// share.
    fn number(
        &mut self,
        names: &mut Names<'z>,
        wire: &'z [u8],
        hash: NameHash,
        parent_last: &mut &'z [u8],
    ) -> u32 {
        if let Some(number) = self.find_in(names, wire, hash) {
            return number;
        }
        let number = self.owners.len() as u32;
        self.owners.push(Entry { name: wire, first: 0, count: 0, first_steered: 0, steered: 0, bits: 0 });
        names.by_name.insert(hash, number);
        if wire.len() != names.zone.apex.as_wire().len()
            && let Some(parent) = parent(wire)
            && parent != *parent_last
        {
            *parent_last = parent;
            self.number(names, parent, hash_of(parent), &mut &parent[..0]);
        }
        number
    }

    fn find_in(&self, names: &Names<'z>, wire: &[u8], hash: NameHash) -> Option<u32> {
        names.by_name.find(hash, |number| {
            self.owners.get(number as usize).is_some_and(|entry| entry.name.eq_ignore_ascii_case(wire))
        })
    }

    /// Number of the owner with exactly this name in a zone.
    pub(crate) fn number_of(&self, names: &Names<'z>, wire: &[u8]) -> Option<usize> {
        self.find_in(names, wire, hash_of(wire)).map(|number| number as usize)
    }

    /// Number of owners.
    pub(crate) fn len(&self) -> usize {
        self.owners.len()
    }

    /// The owner with a number.
    pub(crate) fn owner(&self, number: usize) -> Option<OwnerRecords<'_>> {
        let entry = self.owners.get(number)?;
        let (first, first_steered) = (entry.first as usize, entry.first_steered as usize);
        Some(OwnerRecords {
            name: entry.name,
            records: self.records.get(first..first + entry.count as usize).unwrap_or_default(),
            steered: self
                .steered
                .get(first_steered..first_steered + usize::from(entry.steered))
                .unwrap_or_default(),
        })
    }

    /// True if an owner has records of any of the marked types.
    pub(crate) fn has_any(&self, number: usize, bits: u8) -> bool {
        self.owners.get(number).is_some_and(|entry| entry.bits & bits != 0)
    }

    /// True if an owner has at most one record, of ordinary size, and no policy.
    pub(crate) fn is_simple(&self, number: usize) -> bool {
        self.owners
            .get(number)
            .is_some_and(|entry| entry.count < 2 && entry.steered == 0 && entry.bits & BULKY == 0)
    }

    /// True if a policy decides the owner's answers.
    pub(crate) fn is_steered(&self, number: usize) -> bool {
        self.owners.get(number).is_some_and(|entry| entry.steered > 0)
    }

    fn apex(&self, wire: &[u8]) -> Option<usize> {
        let is = |zone: u32| {
            self.zones
                .get(zone as usize)
                .is_some_and(|names| names.zone.apex.as_wire().eq_ignore_ascii_case(wire))
        };
        self.by_apex.find(hash_of(wire), is).map(|zone| zone as usize)
    }

    /// Zone with the longest apex at or above a name.
    pub(crate) fn zone_of(&self, wire: &[u8]) -> Option<&Names<'z>> {
        let mut at = Some(wire);
        while let Some(ancestor) = at {
            if let Some(zone) = self.apex(ancestor) {
                return self.zones.get(zone);
            }
            at = parent(ancestor);
        }
        None
    }

    /// True if a name is the apex of one of our zones.
    pub(crate) fn is_apex(&self, name: &Name) -> bool {
        self.apex(name.as_wire()).is_some()
    }

    /// Looks up a name.
    pub(crate) fn find(&self, name: &Name) -> IndexMatch {
        let wire = name.as_wire();
        let Some(names) = self.zone_of(wire) else { return IndexMatch::Elsewhere };
        if names.has_cuts && self.cut_above(names, wire).is_some() {
            return IndexMatch::Elsewhere;
        }
        if names.has_dnames && self.dname_above(names, wire).is_some() {
            return IndexMatch::Elsewhere;
        }
        if let Some(number) = self.number_of(names, wire) {
            return IndexMatch::OwnerRecords(number);
        }
        let mut at = parent(wire);
        while let Some(encloser) = at {
            if self.number_of(names, encloser).is_some() {
                let wildcard = name_of(encloser)
                    .prepend(b"*")
                    .ok()
                    .and_then(|name| self.number_of(names, name.as_wire()));
                return wildcard.map_or(IndexMatch::Missing, IndexMatch::OwnerRecords);
            }
            at = parent(encloser);
        }
        IndexMatch::Missing
    }

    /// Nearest owner of a DNAME strictly above a name in a zone, if any.
    pub(crate) fn dname_above<'n>(&self, names: &Names<'z>, name: &'n [u8]) -> Option<&'n [u8]> {
        let mut at = name;
        while !at.eq_ignore_ascii_case(names.zone.apex.as_wire()) {
            at = parent(at)?;
            if self.number_of(names, at).is_some_and(|number| self.has_any(number, REDIRECTION)) {
                return Some(at);
            }
        }
        None
    }

    /// Delegation at or above a name in a zone, if any. Names longer than every cut are skipped
    /// without a look-up, because a name may have 127 labels.
    pub(crate) fn cut_above<'n>(&self, names: &Names<'z>, name: &'n [u8]) -> Option<&'n [u8]> {
        let has_cut =
            |name: &&[u8]| self.number_of(names, name).is_some_and(|number| self.has_any(number, DELEGATION));
        names.perhaps_cuts(name).filter(has_cut).last()
    }
}

impl Names<'_> {
    /// The name and its ancestors inside the zone, upwards, except those too long to be a cut.
    pub(crate) fn perhaps_cuts<'n>(&self, name: &'n [u8]) -> impl Iterator<Item = &'n [u8]> {
        std::iter::successors(Some(name), |name| parent(name))
            .take_while(|name| !name.eq_ignore_ascii_case(self.zone.apex.as_wire()))
            .filter(|name| name.len() <= self.cut_octets_max)
    }
}

/// A wire name without its first label; `None` for the root.
fn parent(wire: &[u8]) -> Option<&[u8]> {
    let len = usize::from(*wire.first()?);
    wire.get(1 + len..).filter(|_| len > 0)
}
