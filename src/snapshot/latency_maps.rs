//! Latency maps among the databases: what they cover, how old their samples are, and findings about
//! maps and settings that can never work.

use crate::finding::{At, FileId, Finding, Findings, code};
use crate::geo::atlas::{Atlas, Leaf, Space};
use crate::geo::mmdb::Database;
use crate::geo::rtts::RttSource;
use crate::geo::trie::{AddressBits, AddressTable};
use crate::snapshot::Steering;
use crate::steer::policy::{Bands, Order, Policy};
use crate::steer::pop::{Pop, PopId};
use crate::steer::ranker::{Ranker, pops_of};
use crate::steer::rule::RuleTarget;
use crate::steer::table::{PolicyTable, REDIRECT};
use crate::zone::text::ScopedPolicy;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Age of the newest sample, at the build of its map, that is worth a warning: imports run daily or
/// more often, so after a month they have stopped.
const STALE_SECS: u64 = 30 * 86_400;

/// Facts about a map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LatencyMap {
    /// Path of the database.
    pub(crate) name: Arc<str>,
    /// Build time, in seconds since 1970.
    build_epoch: u64,
    /// Hour of the newest sample, in seconds since 1970; `None` if no network has samples of its
    /// own.
    pub(crate) newest_sample: Option<u64>,
    /// Networks with a list, by the evidence of its first RTT, in the order of [`RttSource::ALL`].
    pub(crate) networks: [usize; RttSource::ALL.len()],
    /// Networks of resolvers with a list for the clients behind them.
    pub(crate) resolvers: usize,
    /// Names of all PoPs in it.
    pops: BTreeSet<Box<str>>,
}

impl LatencyMap {
    /// The facts about a database; `None` if it has no RTTs.
    pub(super) fn of(database: &Database) -> Option<LatencyMap> {
        let lists = || database.places.iter().flat_map(|place| [&place.rtts, &place.resolver_rtts]).flatten();
        // Every list of a map knows all its PoPs.
        let pops = lists().next()?.known().clone();
        let mut map = LatencyMap {
            name: Arc::clone(&database.name),
            build_epoch: database.build_epoch,
            newest_sample: lists().map(|list| list.measured_at).max().filter(|at| *at > 0),
            networks: [0; RttSource::ALL.len()],
            resolvers: 0,
            pops,
        };
        let v4 = database.leaves_v4.iter().map(|leaf| leaf.2);
        for place in v4.chain(database.leaves_v6.iter().map(|leaf| leaf.2)) {
            let Some(fields) = database.places.get(place as usize) else { continue };
            if let Some((_, first)) = fields.rtts.as_ref().and_then(|list| list.entries().next()) {
                map.networks[first.source as usize] += 1;
            }
            map.resolvers += usize::from(fields.resolver_rtts.is_some());
        }
        Some(map)
    }

    /// Coverage of the map, for the line of its database.
    pub(super) fn words(&self) -> String {
        let [measured, ..] = self.networks;
        let all: usize = self.networks.iter().sum();
        format!("RTTs of {all} networks, {measured} measured, {} of resolvers", self.resolvers)
    }
}

/// Evidence of the RTTs by which a policy ranks: shares of IPv4 and of IPv6 addresses with a known
/// place, by the evidence of the RTT to the PoP that leads, in the order of [`RttSource::ALL`],
/// then the share without a list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EvidenceShares {
    /// Name of the policy.
    pub(crate) policy: Arc<str>,
    /// Shares of each family, 0 to 1.
    pub(crate) shares: [[f64; RttSource::ALL.len() + 1]; 2],
}

impl EvidenceShares {
    /// Words of the shares, in their order.
    pub(crate) fn words() -> impl Iterator<Item = &'static str> {
        RttSource::ALL.into_iter().map(RttSource::word).chain(["none"])
    }

    /// The shares of each policy that orders by latency.
    pub(super) fn of(
        steering: &Steering,
        policies: &[ScopedPolicy],
        pops: &[Pop],
        site: Option<&Arc<str>>,
        atlas: &Atlas,
    ) -> Vec<EvidenceShares> {
        let by_latency = |(_, scoped): &(&PolicyTable, &ScopedPolicy)| {
            scoped.policy.reach().into_iter().any(|policy| orders(policy).any(Order::is_by_rtt))
        };
        let of_policy = |(table, scoped): (&PolicyTable, &ScopedPolicy)| {
            let ranker = Ranker::new(&scoped.policy, pops, site.cloned());
            let is_ranked: Vec<bool> = (atlas.places.iter())
                .map(|place| place.is_located() || place.rtts.is_some())
                .zip(&atlas.places)
                .map(|(known, place)| known && ranker.order_at(place, &[]).is_by_rtt())
                .collect();
            let mut shares = [[0.0; RttSource::ALL.len() + 1]; 2];
            if let Some(routes) = table.routes.first() {
                let of = Counted { steering, table, atlas, is_ranked: &is_ranked };
                of.count(&atlas.v4, &routes.v4, &mut shares[0]);
                of.count(&atlas.v6, &routes.v6, &mut shares[1]);
            }
            EvidenceShares { policy: Arc::clone(&table.name), shares }
        };
        steering.policies.iter().zip(policies).filter(by_latency).map(of_policy).collect()
    }
}

/// A policy whose addresses are counted.
struct Counted<'a> {
    steering: &'a Steering,
    table: &'a PolicyTable,
    atlas: &'a Atlas,
    is_ranked: &'a [bool],
}

impl Counted<'_> {
    fn count<K: AddressBits>(
        &self,
        leaves: &[Leaf<K>],
        routes: &AddressTable<K>,
        shares: &mut [f64; RttSource::ALL.len() + 1],
    ) {
        let usable = leaves.iter().filter(|leaf| leaf.space == Space::Usable);
        for leaf in usable.filter(|leaf| self.is_ranked[leaf.place as usize]) {
            let (choice, _) = routes.lookup(leaf.start);
            if let Some(at) = self.evidence(leaf.place, choice) {
                shares[at] += libm::exp2(-f64::from(leaf.len));
            }
        }
        let all: f64 = shares.iter().sum();
        if all > 0.0 {
            shares.iter_mut().for_each(|share| *share /= all);
        }
    }

    /// Number of the evidence that a place has for the PoP that leads by a choice.
    fn evidence(&self, place: u32, choice: u32) -> Option<usize> {
        if choice == REDIRECT {
            return None;
        }
        let [by_ecs, _] = self.table.choices.get(choice as usize)?;
        let list = self.table.preference_lists.get(*by_ecs as usize)?;
        let pop = list.entries.first()?.target.split().ok()?;
        let Some(rtts) = &self.atlas.places[place as usize].rtts else { return Some(RttSource::ALL.len()) };
        let name = &self.steering.pops[pop.index()].name;
        // A PoP outside the list was estimated from its distance.
        Some(rtts.find(name).map_or(RttSource::Distance, |rtt| rtt.source) as usize)
    }
}

/// Orders of a policy and its rules.
fn orders(policy: &Policy) -> impl Iterator<Item = Order> {
    policy.rules.iter().filter_map(|rule| rule.order).chain([policy.order])
}

/// PoPs that a policy or a rule of it orders by latency.
fn pops_by_latency(policy: &Policy) -> BTreeSet<PopId> {
    let own = |order: Order, bands: &Bands| -> Vec<PopId> {
        if order.is_by_rtt() { pops_of(bands).collect() } else { Vec::new() }
    };
    let of_rules = policy.rules.iter().flat_map(|rule| {
        let bands = match &rule.target {
            RuleTarget::Candidates(bands) => Some(bands),
            RuleTarget::Policy => Some(&policy.candidates),
            RuleTarget::Cname(_) | RuleTarget::Use(_) => None,
        };
        bands.map(|bands| own(rule.order.unwrap_or(policy.order), bands)).unwrap_or_default()
    });
    of_rules.chain(own(policy.order, &policy.candidates)).collect()
}

/// Adds findings about policies by latency without a map that knows their PoPs, about maps without
/// such a policy, maps of old samples, and `bias_ms` that no policy reads. `file_of` gives the file
/// of a database.
pub(super) fn check(
    policies: &[ScopedPolicy],
    pops: &[Pop],
    maps: &[LatencyMap],
    file_of: impl Fn(&str) -> Option<FileId>,
) -> Findings {
    let mut findings = Findings::default();
    let is_known = |pop: &PopId| maps.iter().any(|map| map.pops.contains(&*pops[pop.index()].name));
    let mut ranked = BTreeSet::new();
    for policy in policies.iter().map(|scoped| &scoped.policy) {
        let by_latency = pops_by_latency(policy);
        if !by_latency.is_empty() && !by_latency.iter().any(is_known) {
            findings.push(without_map(policy, maps));
        }
        ranked.extend(by_latency);
    }
    for map in maps {
        let Some(at) = file_of(&map.name).map(At::whole) else { continue };
        if ranked.is_empty() {
            let message = format!("`{}` has round-trip times, and no policy orders by latency", map.name);
            findings.push(
                Finding::note(code::LATENCY_MAP, message)
                    .at(at, "without effect")
                    .help("write `order: latency` in a policy, or remove the map from `geoip.databases`"),
            );
        }
        let age_secs = map.newest_sample.map_or(0, |newest| map.build_epoch.saturating_sub(newest));
        if age_secs >= STALE_SECS {
            let message = format!(
                "the newest sample of `{}` was {} days old when the map was built",
                map.name,
                age_secs / 86_400
            );
            findings.push(
                Finding::warning(code::LATENCY_MAP, message)
                    .at(at, "old samples")
                    .help("see whether `meridian latency import` still gets the logs of the edges"),
            );
        }
    }
    for (pop, id) in pops.iter().zip(0..).filter(|(pop, _)| pop.bias_ms != 0) {
        if !ranked.contains(&PopId(id)) {
            let message = format!("`bias_ms` of {}: no policy orders this PoP by latency", pop.name);
            let finding = Finding::warning(code::LATENCY_MAP, message).at(pop.at, "`bias_ms` has no effect");
            findings.push(finding.help("`bias` is for `order: nearest`; `bias_ms` for `order: latency`"));
        }
    }
    findings
}

/// The finding about a policy whose PoPs are in no map.
fn without_map(policy: &Policy, maps: &[LatencyMap]) -> Finding {
    let (message, help) = match maps {
        [] => (
            "this policy orders by latency, and no database has round-trip times to the PoPs".to_owned(),
            "make a map with `meridian latency build`, and add it to `geoip.databases` of the server file",
        ),
        [map, ..] => (
            format!("this policy orders by latency, and `{}` has none of its PoPs", map.name),
            "measure these PoPs, and build the map again: it has the eight fastest PoPs of each network, \
             and those that the network measured",
        ),
    };
    Finding::warning(code::NO_SOURCE, message).at(policy.at, "orders by distance").help(help)
}

#[cfg(test)]
mod tests;
