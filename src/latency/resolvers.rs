//! Clients behind resolvers. A query without a client subnet comes from clients that may be far
//! from the resolver, so the best PoP for the answer is the one that is best for these clients.
//!
//! ```text
//! resolver,prefix,weight
//! 192.0.2.0/24,198.51.100.0/24,12
//! ```
//!
//! A row gives a network of clients of a resolver, and its weight (queries, samples, bytes). The
//! RTT of a resolver to a PoP is the mean over the units ([`Unit`]) of its clients, weighted by
//! this use. A resolver counts only if it has at least [`NETWORKS_MIN`] networks of clients,
//! because one client can invent a network; a prefix wider than /24 (IPv4) or /48 (IPv6) counts as
//! all of those in it.

use super::estimate::Estimate;
use super::log_line::client_prefix;
use super::network_len;
use super::ranking::{Before, Rankings, rank};
use super::units::{NETWORKS_MIN, Unit};
use crate::geo::prefix::Prefix;
use crate::geo::rtts::RttSource;
use crate::limits::{
    LATENCY_KEYS_MAX, LATENCY_MIX_PARTS_MAX, LATENCY_MIX_ROWS_MAX, LATENCY_RESOLVERS_MAX,
    LATENCY_SAMPLES_MAX, LATENCY_SUMS_MAX,
};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::ops::Range;

/// First line of a file.
pub(crate) const HEADER: &str = "resolver,prefix,weight";

/// Share of its clients that a network has at a resolver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ClientRow {
    /// Network of the resolver: at most 24 bits of IPv4, 48 of IPv6.
    pub(crate) resolver: Prefix,
    /// Network of clients, cut alike.
    pub(crate) clients: Prefix,
    /// Weight, above 0.
    pub(crate) weight: f64,
}

impl ClientRow {
    /// Appends the line of a row.
    pub(crate) fn write(&self, out: &mut String) {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{},{},{}", self.resolver, self.clients, self.weight);
    }

    /// Reads a line. The error is a reason without a subject, for the report.
    pub(crate) fn read(line: &str) -> Result<ClientRow, &'static str> {
        let mut words = line.split(',').map(str::trim);
        let mut next = || words.next().filter(|word| !word.is_empty()).ok_or("fewer than three columns");
        let resolver = client_prefix(next()?).ok_or("no resolver of the internet")?;
        let clients = client_prefix(next()?).ok_or("no client network of the internet")?;
        let weight: f64 = next()?.parse().map_err(|_| "no weight above 0")?;
        // Finite, so that no sum of all rows overflows.
        match weight > 0.0 && weight <= 1e15 {
            true => Ok(ClientRow { resolver, clients, weight }),
            false => Err("no weight above 0"),
        }
    }
}

/// Clients of resolvers that logs name, in bounded memory. At most [`LATENCY_SAMPLES_MAX`] samples
/// of one resolver, network and hour count between two calls of [`Clients::take`].
#[derive(Default)]
pub(crate) struct Clients {
    held: HashMap<(Prefix, Prefix, u32), u32>,
}

impl Clients {
    /// Adds samples of a client network behind a resolver.
    pub(crate) fn add(&mut self, resolver: Prefix, clients: Prefix, hour: u32, samples: u32) {
        let held = self.held.entry((resolver, clients, hour)).or_default();
        *held = held.saturating_add(samples).min(LATENCY_SAMPLES_MAX as u32);
    }

    /// True if no more keys should be held.
    pub(crate) fn is_full(&self) -> bool {
        self.held.len() >= LATENCY_KEYS_MAX
    }

    /// Rows of the samples added since the last call, in order, with their hours joined.
    pub(crate) fn take(&mut self) -> Vec<ClientRow> {
        let mut sums: BTreeMap<(Prefix, Prefix), u64> = BTreeMap::new();
        for ((resolver, clients, _), samples) in self.held.drain() {
            *sums.entry((resolver, clients)).or_default() += u64::from(samples);
        }
        let row = |((resolver, clients), sum)| ClientRow { resolver, clients, weight: sum as f64 };
        sums.into_iter().map(row).collect()
    }
}

/// A resolver with the mix of its clients.
#[derive(Clone, Debug)]
pub(crate) struct Resolver {
    /// Its network.
    pub(crate) prefix: Prefix,
    /// Networks of its clients, /24 or /48.
    pub(crate) networks: u32,
    /// Weight of all its clients.
    pub(crate) weight: f64,
    /// Weight of the clients whose place is known.
    placed: f64,
    /// For each PoP the sum of the RTTs.
    sums: Vec<Sum>,
}

/// Weighted sum of RTTs to one PoP.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    rtt_ms: f64,
    /// Weight of RTTs from the units' own samples.
    measured: f32,
    /// Weight of RTTs estimated from measured networks near the units.
    neighbours: f32,
}

/// Clients of a resolver in one unit.
#[derive(Clone, Copy, Debug)]
struct Part {
    unit: u32,
    resolver: u32,
    weight: f64,
}

/// Resolvers with the units of their clients.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolvers {
    /// The resolvers, wider prefixes first.
    pub(crate) list: Vec<Resolver>,
    /// Resolvers of too few networks.
    pub(crate) too_few: usize,
    parts: Vec<Part>,
}

impl Resolvers {
    /// The resolvers of all rows. `units` are in the order of addresses.
    pub(crate) fn new(mut rows: Vec<ClientRow>, units: &[Unit]) -> Result<Resolvers, String> {
        if rows.len() > LATENCY_MIX_ROWS_MAX {
            return Err(format!("the clients of resolvers are in more than {LATENCY_MIX_ROWS_MAX} rows"));
        }
        rows.sort_unstable_by(|a, b| {
            let key = |row: &ClientRow| (row.resolver.len(), row.resolver, row.clients);
            key(a).cmp(&key(b)).then(a.weight.total_cmp(&b.weight))
        });
        let mut resolvers = Resolvers::default();
        for group in rows.chunk_by(|a, b| a.resolver == b.resolver) {
            let mut networks: Vec<Prefix> = group.iter().map(|row| row.clients).collect();
            networks.dedup();
            let networks = networks.into_iter().map(networks_in).fold(0, u32::saturating_add);
            if networks < NETWORKS_MIN {
                resolvers.too_few += 1;
                continue;
            }
            let number = resolvers.list.len() as u32;
            let weight = group.iter().map(|row| row.weight).sum();
            let prefix = group[0].resolver;
            resolvers.list.push(Resolver { prefix, networks, weight, placed: 0.0, sums: Vec::new() });
            for row in group {
                resolvers.add(number, row, units)?;
            }
        }
        if resolvers.list.len() > LATENCY_RESOLVERS_MAX {
            return Err(format!("more than {LATENCY_RESOLVERS_MAX} networks of resolvers have clients"));
        }
        // Units whose estimates are the same stand together.
        let key = |part: &Part| {
            let unit = &units[part.unit as usize];
            (unit.measured().is_none().then_some(unit.spot()), part.unit, part.resolver)
        };
        resolvers.parts.sort_by_key(key);
        Ok(resolvers)
    }

    /// Spreads the weight of a row over the units in its prefix, by their addresses.
    fn add(&mut self, resolver: u32, row: &ClientRow, units: &[Unit]) -> Result<(), String> {
        let inside = units_of(units, row.clients);
        if self.parts.len() + inside.len() > LATENCY_MIX_PARTS_MAX {
            return Err("the prefixes of the clients of resolvers are too wide".to_owned());
        }
        for unit in inside {
            let bits = units[unit].prefix.len().saturating_sub(row.clients.len());
            let weight = row.weight * libm::exp2(-f64::from(bits));
            self.parts.push(Part { unit: unit as u32, resolver, weight });
        }
        Ok(())
    }

    /// The ranking of each resolver over `pops` PoPs; empty if less than half of the weight of its
    /// clients is in units with a known place. `estimates` returns the estimates of a unit, one for
    /// each PoP, or `None` if its place is unknown. `before` gives the order of a resolver in the
    /// map before. An error says that the sums would need too much memory.
    pub(crate) fn ranked<'b>(
        &mut self,
        units: &[Unit],
        pops: usize,
        mut estimates: impl FnMut(&Unit) -> Option<Vec<Estimate>>,
        before: impl Fn(Prefix) -> Before<'b>,
    ) -> Result<Rankings, String> {
        let count = self.list.len();
        if count.saturating_mul(pops) > LATENCY_SUMS_MAX {
            return Err(format!(
                "{count} networks of resolvers x {pops} PoPs: at most {LATENCY_SUMS_MAX} sums; give \
                 --resolvers without those of little weight"
            ));
        }
        for resolver in &mut self.list {
            (resolver.placed, resolver.sums) = (0.0, vec![Sum::default(); pops]);
        }
        let same = |a: &Part, b: &Part| {
            let (one, other) = (&units[a.unit as usize], &units[b.unit as usize]);
            let is_shared = one.measured().is_none() && other.measured().is_none();
            a.unit == b.unit || is_shared && one.spot() == other.spot()
        };
        for group in self.parts.chunk_by(same) {
            let Some(estimates) = estimates(&units[group[0].unit as usize]) else { continue };
            for part in group {
                self.list[part.resolver as usize].add(part.weight, &estimates);
            }
        }
        let mut rankings = Rankings::new(self.list.len());
        for (at, resolver) in self.list.iter_mut().enumerate() {
            let list = rankings.add(&rank(resolver.means(), before(resolver.prefix)));
            rankings.set(at, list);
            resolver.sums = Vec::new();
        }
        Ok(rankings)
    }
}

impl Resolver {
    fn add(&mut self, weight: f64, estimates: &[Estimate]) {
        self.placed += weight;
        for estimate in estimates {
            let Some(sum) = self.sums.get_mut(usize::from(estimate.pop)) else { continue };
            sum.rtt_ms += weight * estimate.rtt_ms;
            match estimate.source {
                RttSource::Measured => sum.measured += weight as f32,
                RttSource::Neighbours => sum.neighbours += weight as f32,
                RttSource::Distance => {}
            }
        }
    }

    /// Mean RTTs by PoP; none if most clients have no place.
    fn means(&self) -> Vec<Estimate> {
        if self.placed * 2.0 < self.weight {
            return Vec::new();
        }
        let estimate = |(sum, pop): (&Sum, u16)| Estimate {
            pop,
            rtt_ms: sum.rtt_ms / self.placed,
            source: sum.source(self.placed as f32),
            samples: self.networks,
        };
        self.sums.iter().zip(0..).map(estimate).collect()
    }
}

impl Sum {
    /// The source with the largest weight of `all`.
    fn source(&self, all: f32) -> RttSource {
        let distance = all - self.measured - self.neighbours;
        if self.measured >= self.neighbours && self.measured >= distance {
            RttSource::Measured
        } else if self.neighbours >= distance {
            RttSource::Neighbours
        } else {
            RttSource::Distance
        }
    }
}

/// Number of /24 (IPv4) or /48 (IPv6) networks that a prefix stands for.
fn networks_in(prefix: Prefix) -> u32 {
    let finest = network_len(prefix.address());
    1_u32.checked_shl(u32::from(finest.max(prefix.len()) - prefix.len())).unwrap_or(u32::MAX)
}

/// The units that share addresses with a prefix.
pub(crate) fn units_of(units: &[Unit], prefix: Prefix) -> Range<usize> {
    let first = prefix.address();
    let begin = units.partition_point(|unit| unit.prefix.address() < first);
    let end = begin + units[begin..].partition_point(|unit| prefix.contains(unit.prefix.address()));
    // One wider unit may hold the whole prefix.
    match begin.checked_sub(1) {
        Some(before) if units[before].prefix.contains(first) => before..end,
        _ => begin..end,
    }
}

#[cfg(test)]
mod tests;
