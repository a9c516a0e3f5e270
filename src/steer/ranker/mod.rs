//! The ranker of a policy: from a place to a preference list.
//!
//! Rules come first; the first whose conditions hold decides, and what it leaves open is as the
//! policy says. A distance order ranks PoPs by great circle in whole metres plus the PoP's bias,
//! ties by name, and cuts the ranking into bands, each relative to its own best. A place without
//! coordinates gets the policy's default order; without one, PoPs that were written as `all` or by
//! a tag are ranked from the node's site, and PoPs that were listed stay as listed. A
//! latency order ranks by round-trip time ([`super::fastest`]).
//!
//! A rule may hand a place over to another policy: then the preference list of that policy is used.
//! It is made here, when a snapshot is compiled, so no query knows of it.

mod bands;

use super::fastest::{Fastest, RankedRtt};
use super::nearest::{Nearest, Ranked};
use super::policy::{BandWidth, Bands, Candidate, Order, Policy, Weights, WhenAllDown};
use super::pools::Pools;
use super::pop::{Pop, PopId};
use super::preference_list::{AllDown, Entry, EntryTarget, OWN_WEIGHT, PoolNumber, PreferenceList};
use super::preference_list::{continue_with, cut};
use super::rule::{Circumstances, Rule, RuleTarget};
use super::unknown::{coordinates_of, coordinates_of_place};
use crate::geo::distance::{Point, great_circle_m};
use crate::geo::place::{Coordinates, Place};
use crate::geo::rtts::RttList;
use crate::wire::name::Name;
use std::sync::Arc;

/// Makes preference lists for one policy.
#[derive(Debug)]
pub(crate) struct Ranker<'a> {
    /// The policy.
    pub(crate) policy: &'a Policy,
    pops: &'a [Pop],
    site: Option<Arc<str>>,
    /// Coordinates of the node.
    site_at: Option<Point>,
    cnames: Arc<[Name]>,
    /// The policy, and behind it those that its rules lead to.
    reach: Vec<Candidates<'a>>,
    pools: Pools,
}

/// Candidates of one policy and of its rules, ready to be ordered.
#[derive(Debug)]
struct Candidates<'a> {
    policy: &'a Policy,
    tail: Vec<Entry>,
    own: Contest<'a>,
    of_rules: Vec<Option<Contest<'a>>>,
    /// For each rule, the pool of its fence.
    fences: Vec<PoolNumber>,
}

/// Candidates that are ordered by distance or RTT.
#[derive(Debug)]
struct Contest<'a> {
    nearest: Nearest,
    fastest: Fastest,
    /// Candidates without coordinates come last, as listed.
    placeless: Vec<&'a Candidate>,
}

/// Order of candidates, which a rule or its policy gives.
#[derive(Clone, Copy, Debug)]
struct RankBy<'p> {
    order: Order,
    width: BandWidth,
    weights: &'p Weights,
}

/// Part of the ranking of a place that no rule changes: coordinates, and the nearest of the
/// policy's own candidates, made at its first use. Rankers of equal [`Ranker::contest`] may share
/// it.
#[derive(Debug)]
pub(crate) struct PlaceRanking {
    from: Option<Point>,
    rtts: Option<Arc<RttList>>,
    ranked: Option<Vec<Ranked>>,
    fastest: Option<Vec<RankedRtt>>,
}

impl PlaceRanking {
    /// True if the place has coordinates or RTTs.
    fn is_known(&self) -> bool {
        self.from.is_some() || self.rtts.is_some()
    }
}

impl<'a> Ranker<'a> {
    /// Makes the ranker of a policy, for a node of this site.
    pub(crate) fn new(policy: &'a Policy, pops: &'a [Pop], site: Option<Arc<str>>) -> Ranker<'a> {
        let reach = policy.reach();
        let mut cnames: Vec<Name> = Vec::new();
        for name in reach.iter().copied().flat_map(cnames_of_policy) {
            if !cnames.contains(&name) {
                cnames.push(name);
            }
        }
        // CNAMEs are numbered by the policy that answers.
        let mut ranker = Ranker {
            policy,
            pops,
            site_at: site.as_deref().and_then(|site| coordinates_of(pops, site)).map(Point::of),
            site,
            cnames: cnames.into(),
            reach: Vec::with_capacity(reach.len()),
            pools: Pools::default(),
        };
        for policy in reach {
            let contest = |bands: &'a Bands| Contest {
                nearest: Nearest::new(pops_of(bands), pops, policy.depth),
                fastest: Fastest::new(pops_of(bands), pops, policy.depth),
                placeless: bands.iter().flatten().filter(|candidate| candidate.cname().is_some()).collect(),
            };
            let of_rules = policy.rules.iter().map(|rule| match &rule.target {
                RuleTarget::Candidates(bands) => Some(contest(bands)),
                RuleTarget::Policy | RuleTarget::Cname(_) | RuleTarget::Use(_) => None,
            });
            let of_rules = of_rules.collect();
            let pool = |rule: &'a Rule| match &rule.target {
                RuleTarget::Candidates(bands) if rule.fence => ranker.pools.fence(pops_of(bands)),
                RuleTarget::Candidates(bands) => ranker.pools.offer(pops_of(bands)),
                RuleTarget::Policy | RuleTarget::Cname(_) | RuleTarget::Use(_) => PoolNumber::OPEN,
            };
            let fences = policy.rules.iter().map(pool).collect();
            ranker.pools.offer(pops_of(&policy.candidates));
            let candidates = Candidates {
                fences,
                policy,
                tail: ranker.listed(&policy.candidates, &policy.weights, usize::MAX),
                own: contest(&policy.candidates),
                of_rules,
            };
            ranker.reach.push(candidates);
        }
        ranker
    }

    /// The pools of the policy.
    pub(crate) fn pools(&self) -> &Pools {
        &self.pools
    }

    /// The PoPs that take part in the ranking of the policy's own candidates, and the number of
    /// them that a list needs.
    pub(crate) fn contest(&self) -> (Vec<PopId>, u8) {
        let mut pops: Vec<PopId> = pops_of(&self.policy.candidates).collect();
        pops.sort_unstable();
        (pops, self.policy.depth)
    }

    /// CNAME targets, by the index that preference lists use.
    pub(crate) fn cnames(&self) -> &[Name] {
        &self.cnames
    }

    /// Every candidate of the policy, of its rules, and of the policies that it uses, in one band.
    pub(crate) fn members(&self) -> Vec<Entry> {
        let mut members: Vec<Entry> =
            self.policy.everybody().map(|candidate| self.entry(candidate, 0, &self.policy.weights)).collect();
        members.sort_by_key(|entry| entry.target);
        members.dedup_by_key(|entry| entry.target);
        members
    }

    /// The policy's listed order.
    pub(crate) fn tail(&self) -> &[Entry] {
        &self.reach[0].tail
    }

    /// The rule that decides at a place, with its index.
    pub(crate) fn rule_for(&self, place: &Place, resolver_networks: &[u16]) -> Option<(usize, &'a Rule)> {
        self.rule_of(self.policy, place, resolver_networks)
    }

    /// The order in which a policy ranks for a place, as its rules and the policies that they use
    /// have it.
    pub(crate) fn order_at(&self, place: &Place, resolver_networks: &[u16]) -> Order {
        let mut policy = self.policy;
        // Policies do not use each other in a circle; the reach bounds the walk all the same.
        for _ in &self.reach {
            let rule = self.rule_of(policy, place, resolver_networks).map(|(_, rule)| rule);
            match rule.map(|rule| &rule.target) {
                Some(RuleTarget::Use(other)) => policy = other,
                Some(RuleTarget::Policy | RuleTarget::Candidates(_) | RuleTarget::Cname(_)) | None => {
                    return rule.and_then(|rule| rule.order).unwrap_or(policy.order);
                }
            }
        }
        policy.order
    }

    fn rule_of(
        &self,
        policy: &'a Policy,
        place: &Place,
        resolver_networks: &[u16],
    ) -> Option<(usize, &'a Rule)> {
        let of = Circumstances { place, resolver_networks, site: self.site.as_deref() };
        policy.rules.iter().enumerate().find(|(_, rule)| rule.when.matches(of))
    }

    /// Makes the preference list of a place.
    pub(crate) fn preference_list(&self, place: &Place, resolver_networks: &[u16]) -> PreferenceList {
        self.preference_list_around(place, resolver_networks, &mut self.around(place))
    }

    /// The ranking around a place.
    pub(crate) fn around(&self, place: &Place) -> PlaceRanking {
        PlaceRanking {
            from: self.coordinates(place).map(Point::of),
            rtts: place.rtts.clone(),
            ranked: None,
            fastest: None,
        }
    }

    /// [`Ranker::preference_list`] for a place whose ranking is known.
    pub(crate) fn preference_list_around(
        &self,
        place: &Place,
        resolver_networks: &[u16],
        around: &mut PlaceRanking,
    ) -> PreferenceList {
        self.plan_of(&self.reach[0], place, resolver_networks, around)
    }

    fn plan_of(
        &self,
        of: &Candidates<'a>,
        place: &Place,
        resolver_networks: &[u16],
        around: &mut PlaceRanking,
    ) -> PreferenceList {
        let policy = of.policy;
        let found = self.rule_of(policy, place, resolver_networks);
        let rule = found.map(|(_, rule)| rule);
        if let Some(other) = rule.and_then(|rule| rule.target.used()) {
            return self.plan_of_other(of, other, place, resolver_networks);
        }
        let by = RankBy {
            order: rule.and_then(|r| r.order).unwrap_or(policy.order),
            width: rule.and_then(|r| r.band).unwrap_or(policy.band),
            weights: rule.and_then(|r| r.weights.as_ref()).unwrap_or(&policy.weights),
        };
        let mut cname = None;
        let mut pool = PoolNumber::OPEN;
        let mut entries = match found.map(|(index, rule)| (index, &rule.target)) {
            Some((_, RuleTarget::Cname(name))) => {
                cname = Some(self.cname_index(name));
                Vec::new()
            }
            Some((index, RuleTarget::Candidates(bands))) => {
                pool = of.fences[index];
                self.of_rule(of, index, bands, by, around)
            }
            Some((_, RuleTarget::Policy | RuleTarget::Use(_))) | None => {
                let mut entries = self.own(of, by, around);
                cut(&mut entries, usize::from(policy.depth));
                entries
            }
        };
        let cut = self.bound_spill(&mut entries, policy, around.from.map(|from| from.coordinates()));
        PreferenceList {
            cname,
            entries: entries.into(),
            tail: !pool.is_fence() && !cut && cname.is_none(),
            pool,
            ttl: rule.and_then(|r| r.ttl).unwrap_or(policy.ttl),
            answers: rule.and_then(|r| r.answers).unwrap_or(policy.answers),
            when_all_down: self
                .all_down(rule.and_then(|r| r.when_all_down.as_ref()).unwrap_or(&policy.when_all_down)),
        }
    }

    /// A rule's candidates in order. Behind those of a rule without a fence the policy's own order
    /// goes on, up to `depth` in all.
    fn of_rule(
        &self,
        of: &Candidates<'a>,
        index: usize,
        bands: &Bands,
        by: RankBy<'_>,
        around: &mut PlaceRanking,
    ) -> Vec<Entry> {
        let policy = of.policy;
        let contest = of.of_rules[index].as_ref();
        let from = around.from.or(self.stand_in(policy.rules[index].is_listed));
        let listed = || self.listed(bands, by.weights, usize::MAX);
        let mut entries = match by.order {
            Order::Nearest => match (from, contest) {
                (Some(from), Some(contest)) => {
                    self.nearest(contest, &contest.nearest.around(&from), policy.depth, by)
                }
                (None, _) | (_, None) => listed(),
            },
            Order::Latency => match contest.filter(|_| from.is_some() || around.rtts.is_some()) {
                Some(contest) => {
                    let ranked = contest.fastest.around(self.pops, from.as_ref(), around.rtts.as_deref());
                    self.fastest(contest, &ranked, policy.depth, by)
                }
                None => listed(),
            },
            Order::Listed => listed(),
        };
        if !of.fences[index].is_fence() {
            let listed = entries.len();
            let own = RankBy { order: policy.order, width: policy.band, ..by };
            continue_with(&mut entries, &self.own(of, own, around));
            cut(&mut entries, listed.max(usize::from(policy.depth)));
        }
        entries
    }

    /// The preference list of another policy, for this one to answer. A policy has one tail, its
    /// own, so where the other's differs it goes behind the list.
    fn plan_of_other(
        &self,
        of: &Candidates<'a>,
        other: &Policy,
        place: &Place,
        resolver_networks: &[u16],
    ) -> PreferenceList {
        let used = self
            .reach
            .iter()
            .find(|used| std::ptr::eq(used.policy, other))
            .expect("the reach of a policy holds all that rules lead to");
        let mut preference_list = self.plan_of(used, place, resolver_networks, &mut self.around(place));
        if preference_list.tail && used.tail != of.tail {
            let mut entries = preference_list.entries.into_vec();
            continue_with(&mut entries, &used.tail);
            (preference_list.entries, preference_list.tail) = (entries.into(), false);
        }
        preference_list
    }

    /// Coordinates of a place, by [`coordinates_of_place`].
    pub(crate) fn coordinates(&self, place: &Place) -> Option<Coordinates> {
        coordinates_of_place(self.pops, place)
    }

    /// The point from which candidates are ranked for a place without coordinates: the node's site,
    /// unless the candidates were listed one by one, which is an order.
    fn stand_in(&self, is_listed: bool) -> Option<Point> {
        self.site_at.filter(|_| !is_listed)
    }

    /// Great-circle distance from a point to a PoP, without bias.
    pub(crate) fn distance_m(&self, from: Coordinates, pop: PopId) -> Option<u32> {
        self.pops[pop.index()].coordinates.map(|to| great_circle_m(from, to))
    }

    /// A policy's own candidates in order, as many as a list of its depth may take.
    fn own(&self, of: &Candidates<'a>, by: RankBy<'_>, around: &mut PlaceRanking) -> Vec<Entry> {
        let policy = of.policy;
        let listed = || self.listed(&policy.candidates, by.weights, usize::from(policy.depth));
        let entries = match by.order {
            Order::Nearest => match (around.from, self.stand_in(policy.is_listed)) {
                (Some(from), _) => {
                    let ranked = around.ranked.get_or_insert_with(|| of.own.nearest.around(&from));
                    self.nearest(&of.own, ranked, policy.depth, by)
                }
                (None, Some(site)) => self.nearest(&of.own, &of.own.nearest.around(&site), policy.depth, by),
                (None, None) => listed(),
            },
            Order::Latency if around.is_known() => {
                let (from, rtts) = (around.from, around.rtts.as_deref());
                let make = || of.own.fastest.around(self.pops, from.as_ref(), rtts);
                let ranked = around.fastest.get_or_insert_with(make);
                self.fastest(&of.own, ranked, policy.depth, by)
            }
            Order::Latency => match self.stand_in(policy.is_listed) {
                Some(site) => {
                    let ranked = of.own.fastest.around(self.pops, Some(&site), None);
                    self.fastest(&of.own, &ranked, policy.depth, by)
                }
                None => listed(),
            },
            Order::Listed => listed(),
        };
        let is_located = by.order.is_located(around.from.is_some(), around.rtts.is_some());
        if is_located || policy.default.is_empty() {
            return entries;
        }
        let mut first = self.listed(&policy.default, by.weights, usize::from(policy.depth));
        continue_with(&mut first, &entries);
        first
    }

    /// Candidates as written, up to the band in which `depth` is reached.
    fn listed(&self, bands: &Bands, weights: &Weights, depth: usize) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (index, band) in bands.iter().enumerate() {
            let begin = entries.len();
            if begin >= depth {
                break;
            }
            entries.extend(band.iter().map(|c| self.entry(c, index as u16, weights)));
            entries[begin..].sort_by_key(|e| e.target);
        }
        entries
    }

    /// Drops candidates further than `spill_max_km`, except the first band: a client's own best PoP
    /// may be far, and the bound limits health and load alone. True if the bound is in force.
    fn bound_spill(&self, entries: &mut Vec<Entry>, policy: &Policy, from: Option<Coordinates>) -> bool {
        let (Some(bound_km), Some(from)) = (policy.spill_max_km, from) else { return false };
        let first_band = entries.first().map(|e| e.band);
        entries.retain(|e| {
            let is_near = match e.target.split() {
                Ok(pop) => {
                    self.distance_m(from, pop).is_none_or(|m| u64::from(m) <= u64::from(bound_km) * 1000)
                }
                Err(_) => true,
            };
            Some(e.band) == first_band || is_near
        });
        true
    }

    fn entry(&self, candidate: &Candidate, band: u16, weights: &Weights) -> Entry {
        match candidate {
            Candidate::Pop(pop) => {
                let weight = weights.iter().find(|(p, _)| p == pop).map_or(OWN_WEIGHT, |(_, w)| *w);
                Entry { target: EntryTarget::pop(*pop), band, weight }
            }
            Candidate::Cname(name) => Entry {
                target: EntryTarget::cname(usize::from(self.cname_index(name))),
                band,
                weight: OWN_WEIGHT,
            },
        }
    }

    fn cname_index(&self, name: &Name) -> u16 {
        // Every CNAME of the policy was collected by `new`.
        self.cnames.iter().position(|n| n == name).unwrap_or_default() as u16
    }

    fn all_down(&self, when: &WhenAllDown) -> AllDown {
        match when {
            WhenAllDown::AsIfUp => AllDown::AsIfUp,
            WhenAllDown::NoData => AllDown::NoData,
            WhenAllDown::ServFail => AllDown::ServFail,
            WhenAllDown::LastGood => AllDown::LastGood,
            WhenAllDown::Cname(name) => AllDown::Cname(self.cname_index(name)),
        }
    }
}

/// The PoPs among candidates.
pub(crate) fn pops_of(bands: &Bands) -> impl Iterator<Item = PopId> {
    bands.iter().flatten().filter_map(|candidate| match candidate {
        Candidate::Pop(pop) => Some(*pop),
        Candidate::Cname(_) => None,
    })
}

/// The CNAMEs of a policy and its own rules: candidates, rules, fallbacks.
fn cnames_of_policy(policy: &Policy) -> Vec<Name> {
    let in_rules = policy.rules.iter().flat_map(|r| match &r.target {
        RuleTarget::Cname(name) => vec![name.clone()],
        RuleTarget::Candidates(bands) => cnames_of(bands),
        RuleTarget::Policy | RuleTarget::Use(_) => vec![],
    });
    let fallbacks =
        policy.rules.iter().filter_map(|r| r.when_all_down.as_ref()).chain([&policy.when_all_down]);
    let fallbacks = fallbacks.filter_map(|fallback| fallback.cname().cloned());
    cnames_of(&policy.candidates).into_iter().chain(in_rules).chain(fallbacks).collect()
}

fn cnames_of(bands: &Bands) -> Vec<Name> {
    bands.iter().flatten().filter_map(|candidate| candidate.cname().cloned()).collect()
}

#[cfg(test)]
mod tests;
