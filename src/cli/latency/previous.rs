//! The map before, for `meridian latency build --previous`: the choices that hysteresis compares.

use crate::cli::print_findings;
use crate::finding::Files;
use crate::geo::mmdb::{Database, Fields};
use crate::geo::prefix::Prefix;
use crate::geo::rtts::RttList;
use crate::latency::resolvers::Resolvers;
use crate::latency::units::Unit;
use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

/// A number that no PoP has.
const NONE: u16 = u16::MAX;

/// First PoPs in the map before, without those that it explored; `None` where it had none or the
/// PoP is gone.
#[derive(Debug, Default)]
pub(super) struct Previous {
    /// By unit; empty without a map before.
    units: Vec<u16>,
    resolvers: HashMap<Prefix, u16>,
    /// By PoP: true if the map before has RTTs to it for any place.
    knows: Vec<bool>,
    /// Lists for resolvers in the map before.
    pub(super) resolver_lists: usize,
}

impl Previous {
    /// Reads the choices of a map for units and resolvers. A damaged map is an error, because
    /// without hysteresis all clients would move.
    pub(super) fn read(
        path: &Path,
        units: &[Unit],
        resolvers: &Resolvers,
        pops: &[Arc<str>],
    ) -> Result<Previous, String> {
        let shown = path.display().to_string();
        let octets = fs::read(path).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
        let mut files = Files::default();
        let file = files.add(shown.as_str(), "");
        let map = Database::read(shown.as_str(), &octets, file).map_err(|findings| {
            print_findings(&findings, &files);
            format!("the previous map `{shown}` cannot be used")
        })?;
        let index: HashMap<&str, u16> = pops.iter().map(|pop| &**pop).zip(0..).collect();
        let mut knows = vec![false; pops.len()];
        let lists = map.places.iter().flat_map(|place| [&place.rtts, &place.resolver_rtts]).flatten();
        for (name, _) in lists.flat_map(|list| list.entries()) {
            if let Some(&pop) = index.get(name) {
                knows[usize::from(pop)] = true;
            }
        }
        let first = |list: Option<&Arc<RttList>>| index.get(list?.settled()?).copied();
        let of_unit =
            |unit: &Unit| fields_of(&map, unit.prefix).and_then(|fields| first(fields.rtts.as_ref()));
        let of_resolver = |prefix| first(fields_of(&map, prefix)?.resolver_rtts.as_ref());
        let resolvers = resolvers.list.iter().map(|resolver| resolver.prefix);
        Ok(Previous {
            units: units.iter().map(|unit| of_unit(unit).unwrap_or(NONE)).collect(),
            resolvers: resolvers.filter_map(|prefix| Some((prefix, of_resolver(prefix)?))).collect(),
            knows,
            resolver_lists: map.places.iter().filter(|place| place.resolver_rtts.is_some()).count(),
        })
    }

    /// The first PoP of a unit.
    pub(super) fn of_unit(&self, unit: usize) -> Option<u16> {
        self.units.get(unit).copied().filter(|pop| *pop != NONE)
    }

    /// The first PoP of the resolvers of a prefix.
    pub(super) fn of_resolver(&self, prefix: Prefix) -> Option<u16> {
        self.resolvers.get(&prefix).copied()
    }

    /// True if the map before has no RTT to a PoP.
    pub(super) fn is_new(&self, number: u16) -> bool {
        !self.knows.get(usize::from(number)).is_some_and(|knows| *knows)
    }
}

/// The fields of a map for the first address of a prefix.
fn fields_of(map: &Database, prefix: Prefix) -> Option<&Fields> {
    let holds = |start: IpAddr, len| Prefix::new(start, len).contains(prefix.address());
    let place = match prefix {
        Prefix::V4 { bits, .. } => {
            let &(start, len, place) = before(&map.leaves_v4, |leaf| leaf.0 <= bits)?;
            holds(Ipv4Addr::from_bits(start).into(), len).then_some(place)?
        }
        Prefix::V6 { bits, .. } => {
            let &(start, len, place) = before(&map.leaves_v6, |leaf| leaf.0 <= bits)?;
            holds(Ipv6Addr::from_bits(start).into(), len).then_some(place)?
        }
    };
    map.places.get(place as usize)
}

/// The last leaf that begins at or before an address.
fn before<L>(leaves: &[L], is_before: impl Fn(&L) -> bool) -> Option<&L> {
    leaves.get(leaves.partition_point(is_before).checked_sub(1)?)
}
