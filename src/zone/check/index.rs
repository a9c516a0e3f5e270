//! All owners of all zones, to be looked up as a query would (RFC 1034 section 4.3.2).

use crate::wire::hash::NameHashing;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use crate::zone::text::{Record, SteeredOwner, Zone};
use std::collections::HashMap;

/// A name that exists in a zone; with nothing in it, an empty non-terminal.
#[derive(Default)]
pub(super) struct Owner<'z> {
    pub records: Vec<&'z Record>,
    pub steered: Vec<&'z SteeredOwner>,
}

impl<'z> Owner<'z> {
    /// The records of a type.
    pub fn of(&self, rtype: RrType) -> impl Iterator<Item = &'z Record> + '_ {
        self.records.iter().copied().filter(move |record| record.rtype == rtype)
    }

    /// Whether there is a record of a type.
    pub fn has(&self, rtype: RrType) -> bool {
        self.of(rtype).next().is_some()
    }

    /// Whether it can answer addresses.
    pub fn has_address(&self) -> bool {
        !self.steered.is_empty() || self.has(RrType::A) || self.has(RrType::AAAA)
    }

    /// Whether nothing is here but names below.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.steered.is_empty()
    }
}

/// A zone with its names; the numbers count in [`Index::owners`].
pub(super) struct Names<'z> {
    pub zone: &'z Zone,
    pub by_name: HashMap<Name, usize, NameHashing>,
    pub has_cuts: bool,
    pub has_dnames: bool,
}

pub(super) struct Index<'z> {
    pub owners: Vec<Owner<'z>>,
    pub zones: Vec<Names<'z>>,
    by_apex: HashMap<Name, usize>,
}

/// What a look-up finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The name is in none of our zones, below a delegation, or below a DNAME.
    Elsewhere,
    /// The name, or the wildcard that stands for it.
    Owner(usize),
    /// The name does not exist.
    Missing,
}

impl<'z> Index<'z> {
    pub fn new(zones: &'z [Zone]) -> Index<'z> {
        let mut index = Index { owners: Vec::new(), zones: Vec::new(), by_apex: HashMap::new() };
        for zone in zones {
            let mut names = Names {
                zone,
                by_name: HashMap::with_capacity_and_hasher(zone.records.len(), NameHashing::default()),
                has_cuts: false,
                has_dnames: false,
            };
            for record in &zone.records {
                names.has_cuts |= record.rtype == RrType::NS && record.owner != zone.apex;
                names.has_dnames |= record.rtype == RrType::DNAME;
                let number = names.number(&record.owner, &mut index.owners);
                if let Some(owner) = index.owners.get_mut(number) {
                    owner.records.push(record);
                }
            }
            for steered in &zone.steered {
                let number = names.number(&steered.owner, &mut index.owners);
                if let Some(owner) = index.owners.get_mut(number) {
                    owner.steered.push(steered);
                }
            }
            index.by_apex.entry(zone.apex.clone()).or_insert(index.zones.len());
            index.zones.push(names);
        }
        index
    }

    /// The zone with the longest apex at or above a name.
    pub fn zone_of(&self, name: &Name) -> Option<&Names<'z>> {
        let mut at = Some(name.clone());
        while let Some(ancestor) = at {
            if let Some(zone) = self.by_apex.get(&ancestor) {
                return self.zones.get(*zone);
            }
            at = ancestor.parent();
        }
        None
    }

    /// Whether a name is the apex of one of our zones.
    pub fn is_apex(&self, name: &Name) -> bool {
        self.by_apex.contains_key(name)
    }

    /// Looks a name up.
    pub fn find(&self, name: &Name) -> Found {
        let Some(names) = self.zone_of(name) else { return Found::Elsewhere };
        if names.has_cuts && self.cut_above(names, name).is_some() {
            return Found::Elsewhere;
        }
        if names.has_dnames && self.dname_above(names, name).is_some() {
            return Found::Elsewhere;
        }
        if let Some(number) = names.by_name.get(name) {
            return Found::Owner(*number);
        }
        let mut at = name.parent();
        while let Some(encloser) = at {
            if names.by_name.contains_key(&encloser) {
                let wildcard = encloser.prepend(b"*").ok().and_then(|name| names.by_name.get(&name).copied());
                return wildcard.map_or(Found::Missing, Found::Owner);
            }
            at = encloser.parent();
        }
        Found::Missing
    }

    /// The nearest owner of a DNAME strictly above a name inside a zone, if there is one.
    pub fn dname_above(&self, names: &Names<'z>, name: &Name) -> Option<Name> {
        let mut at = name.clone();
        while at != names.zone.apex {
            at = at.parent()?;
            let owner = names.by_name.get(&at).and_then(|number| self.owners.get(*number));
            if owner.is_some_and(|owner| owner.has(RrType::DNAME)) {
                return Some(at);
            }
        }
        None
    }

    /// The delegation at or above a name inside a zone, if there is one.
    pub fn cut_above(&self, names: &Names<'z>, name: &Name) -> Option<Name> {
        let mut at = Some(name.clone());
        let mut cut = None;
        while let Some(ancestor) = at {
            if ancestor == names.zone.apex {
                break;
            }
            let owner = names.by_name.get(&ancestor).and_then(|number| self.owners.get(*number));
            at = ancestor.parent();
            if owner.is_some_and(|owner| owner.has(RrType::NS)) {
                cut = Some(ancestor);
            }
        }
        cut
    }
}

impl<'z> Names<'z> {
    /// The number of a name, which comes into being with all names between it and the apex.
    fn number(&mut self, name: &Name, owners: &mut Vec<Owner<'z>>) -> usize {
        if let Some(number) = self.by_name.get(name) {
            return *number;
        }
        let number = owners.len();
        owners.push(Owner::default());
        self.by_name.insert(name.clone(), number);
        if *name != self.zone.apex
            && let Some(parent) = name.parent()
        {
            self.number(&parent, owners);
        }
        number
    }
}
