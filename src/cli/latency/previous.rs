//! The map before, for `meridian latency build --previous`: the orders that hysteresis compares.

use super::map_file::KIND;
use crate::cli::print_findings;
use crate::finding::Files;
use crate::geo::mmdb::Database;
use crate::geo::prefix::Prefix;
use crate::geo::rtts::RttList;
use crate::latency::ranking::Before;
use crate::latency::resolvers::Resolvers;
use crate::latency::units::Unit;
use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

/// A number that no list has.
const NONE: u32 = u32::MAX;

/// Orders of PoPs in the map before, without what it explored and without PoPs that are gone.
#[derive(Debug, Default)]
pub(super) struct Previous {
    /// Each order once, with true if its first PoP is gone.
    orders: Vec<(Box<[u16]>, bool)>,
    /// By unit its order; empty without a map before.
    units: Vec<u32>,
    resolvers: HashMap<Prefix, u32>,
    /// By PoP: true if the map before has RTTs to it for any place.
    knows: Vec<bool>,
    /// Lists for resolvers in the map before.
    pub(super) resolver_lists: usize,
}

impl Previous {
    /// Reads the orders of a map for units and resolvers. A damaged map, or a database that is no
    /// map, is an error, because without hysteresis all clients would move.
    pub(super) fn read(
        path: &Path,
        units: &[Unit],
        resolvers: &Resolvers,
        pops: &[Arc<str>],
    ) -> Result<Previous, String> {
        let shown = path.display().to_string();
        let octets = fs::read(path).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
        if Database::kind_of(&octets).as_deref() != Some(KIND) {
            return Err(format!(
                "--previous `{shown}`: no latency map, such as `meridian latency build` writes"
            ));
        }
        let mut files = Files::default();
        let file = files.add(shown.as_str(), "");
        let map = Database::read(shown.as_str(), &octets, file).map_err(|findings| {
            print_findings(&findings, &files);
            format!("the previous map `{shown}` cannot be used")
        })?;
        let index: HashMap<&str, u16> = pops.iter().map(|pop| &**pop).zip(0..).collect();
        let mut previous = Previous { knows: vec![false; pops.len()], ..Previous::default() };
        let (mut of_units, mut of_resolvers) = (Vec::new(), Vec::new());
        for place in &map.places {
            of_units.push(previous.add(place.rtts.as_deref(), &index));
            of_resolvers.push(previous.add(place.resolver_rtts.as_deref(), &index));
        }
        previous.resolver_lists = of_resolvers.iter().filter(|order| **order != NONE).count();
        let order = |of: &[u32], prefix| place_of(&map, prefix).map_or(NONE, |place| of[place as usize]);
        previous.units = units.iter().map(|unit| order(&of_units, unit.prefix)).collect();
        let resolvers = resolvers.list.iter().map(|resolver| resolver.prefix);
        previous.resolvers = resolvers.map(|prefix| (prefix, order(&of_resolvers, prefix))).collect();
        Ok(previous)
    }

    /// Adds the order of a list, and returns its number.
    fn add(&mut self, list: Option<&RttList>, index: &HashMap<&str, u16>) -> u32 {
        let Some(list) = list else { return NONE };
        let names = list.settled();
        let order: Box<[u16]> = names.iter().filter_map(|name| index.get(name).copied()).collect();
        for pop in &order {
            self.knows[usize::from(*pop)] = true;
        }
        self.orders.push((order, names.first().is_some_and(|name| !index.contains_key(name))));
        self.orders.len() as u32 - 1
    }

    fn before(&self, number: Option<&u32>) -> Before<'_> {
        let found = number.and_then(|number| self.orders.get(*number as usize));
        let (order, is_first_gone) = found.map_or((&[][..], false), |(order, is_gone)| (&**order, *is_gone));
        Before { order, knows: &self.knows, is_first_gone }
    }

    /// The order of a unit.
    pub(super) fn of_unit(&self, unit: usize) -> Before<'_> {
        self.before(self.units.get(unit))
    }

    /// The order of the resolvers of a prefix.
    pub(super) fn of_resolver(&self, prefix: Prefix) -> Before<'_> {
        self.before(self.resolvers.get(&prefix))
    }
}

/// The place that a map gives to the first address of a prefix.
fn place_of(map: &Database, prefix: Prefix) -> Option<u32> {
    let holds = |start: IpAddr, len| Prefix::new(start, len).contains(prefix.address());
    match prefix {
        Prefix::V4 { bits, .. } => {
            let &(start, len, place) = before(&map.leaves_v4, |leaf| leaf.0 <= bits)?;
            holds(Ipv4Addr::from_bits(start).into(), len).then_some(place)
        }
        Prefix::V6 { bits, .. } => {
            let &(start, len, place) = before(&map.leaves_v6, |leaf| leaf.0 <= bits)?;
            holds(Ipv6Addr::from_bits(start).into(), len).then_some(place)
        }
    }
}

/// The last leaf that begins at or before an address.
fn before<L>(leaves: &[L], is_before: impl Fn(&L) -> bool) -> Option<&L> {
    leaves.get(leaves.partition_point(is_before).checked_sub(1)?)
}
