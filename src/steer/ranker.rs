//! The ranker of a policy: from a place to a preference list.
//!
//! Rules come first; the first whose conditions hold decides, and what it leaves open is as the
//! policy says. A distance order ranks PoPs by great circle in whole metres plus the PoP's bias,
//! ties by name, and cuts the ranking into bands, each relative to its own best. A place without
//! coordinates gets the policy's default order; without one, PoPs that were written as `all` or by
//! a tag are ranked from the node's site, and PoPs that were listed stay as listed. Measured
//! latency, when it comes, is another estimate in [`Ranker::distance_m`].
//!
//! A rule may hand a place over to another policy: then the preference list of that policy is used.
//! It is made here, when a snapshot is compiled, so no query knows of it.

use super::nearest::{Nearest, Ranked};
use super::policy::{BandWidth, Bands, Candidate, Order, Policy, Weights, WhenAllDown};
use super::pools::Pools;
use super::pop::{Pop, PopId};
use super::preference_list::{AllDown, Entry, EntryTarget, OWN_WEIGHT, PoolNumber, PreferenceList};
use super::preference_list::{continue_with, cut};
use super::rule::{Circumstances, Rule, RuleTarget};
use super::unknown::coordinates_of;
use crate::geo::distance::{Point, great_circle_m};
use crate::geo::place::{Coordinates, Place};
use crate::wire::name::Name;
use std::sync::Arc;

/// Width that every band has beside its per cent: PoPs in one metropolis are equals whatever the
/// distance of the client.
pub(crate) const BAND_FLOOR_M: i64 = 50_000;

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

/// Candidates that are ordered by distance.
#[derive(Debug)]
struct Contest<'a> {
    nearest: Nearest,
    /// Candidates without coordinates come last, as listed.
    placeless: Vec<&'a Candidate>,
}

/// Part of the ranking of a place that no rule changes: coordinates, and the nearest of the
/// policy's own candidates, made at its first use. Rankers of equal [`Ranker::contest`] may share
/// it.
#[derive(Debug)]
pub(crate) struct PlaceRanking {
    from: Option<Point>,
    ranked: Option<Vec<Ranked>>,
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
        PlaceRanking { from: self.coordinates(place).map(Point::of), ranked: None }
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
            return self.plan_of_other(of, other, place, resolver_networks, around.from);
        }
        let weights = rule.and_then(|r| r.weights.as_ref()).unwrap_or(&policy.weights);
        let order = rule.and_then(|r| r.order).unwrap_or(policy.order);
        let band = rule.and_then(|r| r.band).unwrap_or(policy.band);
        let mut entries = Vec::new();
        let mut cname = None;
        let mut pool = PoolNumber::OPEN;
        match rule.map(|r| &r.target) {
            Some(RuleTarget::Cname(name)) => cname = Some(self.cname_index(name)),
            Some(RuleTarget::Candidates(bands)) => {
                let contest = found.and_then(|(index, _)| of.of_rules[index].as_ref());
                let is_listed = rule.is_some_and(|rule| rule.is_listed);
                let listed = || self.listed(bands, weights, usize::MAX);
                entries = match order {
                    Order::Nearest => match (around.from.or(self.stand_in(is_listed)), contest) {
                        (Some(from), Some(contest)) => {
                            let ranked = contest.nearest.around(&from);
                            self.nearest(contest, &ranked, policy.depth, band, weights)
                        }
                        (None, _) | (_, None) => listed(),
                    },
                    Order::Listed => listed(),
                };
                pool = found.map_or(PoolNumber::OPEN, |(index, _)| of.fences[index]);
                if !pool.is_fence() {
                    // Behind a rule's candidates the policy's own order goes on, up to `depth` in
                    // all.
                    let listed = entries.len();
                    continue_with(&mut entries, &self.own(of, policy.order, policy.band, weights, around));
                    cut(&mut entries, listed.max(usize::from(policy.depth)));
                }
            }
            Some(RuleTarget::Policy | RuleTarget::Use(_)) | None => {
                entries = self.own(of, order, band, weights, around);
                cut(&mut entries, usize::from(policy.depth));
            }
        }
        let cut = self.bound_spill(&mut entries, policy, around.from.map(|from| from.coordinates()));
        if cname.is_some() {
            entries.clear();
        }
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

    /// The preference list of another policy, for this one to answer. A policy has one tail, its
    /// own, so where the other's differs it goes behind the list.
    fn plan_of_other(
        &self,
        of: &Candidates<'a>,
        other: &Policy,
        place: &Place,
        resolver_networks: &[u16],
        from: Option<Point>,
    ) -> PreferenceList {
        let used = self
            .reach
            .iter()
            .find(|used| std::ptr::eq(used.policy, other))
            .expect("the reach of a policy holds all that rules lead to");
        let mut preference_list =
            self.plan_of(used, place, resolver_networks, &mut PlaceRanking { from, ranked: None });
        if preference_list.tail && used.tail != of.tail {
            let mut entries = preference_list.entries.into_vec();
            continue_with(&mut entries, &used.tail);
            (preference_list.entries, preference_list.tail) = (entries.into(), false);
        }
        preference_list
    }

    /// Coordinates of a place: those of the PoP at which an operator puts it, whatever a database
    /// filled in, else its own.
    pub(crate) fn coordinates(&self, place: &Place) -> Option<Coordinates> {
        place.site.as_deref().and_then(|site| coordinates_of(self.pops, site)).or(place.coordinates)
    }

    /// The point from which candidates are ranked for a place without coordinates: the node, if the
    /// policy has no written order.
    fn stand_in(&self, is_listed: bool) -> Option<Point> {
        self.site_at.filter(|_| !is_listed)
    }

    /// Great-circle distance from a point to a PoP, without bias.
    pub(crate) fn distance_m(&self, from: Coordinates, pop: PopId) -> Option<u32> {
        self.pops[pop.index()].coordinates.map(|to| great_circle_m(from, to))
    }

    /// A policy's own candidates in order, as many as a list of its depth may take.
    fn own(
        &self,
        of: &Candidates<'a>,
        order: Order,
        width: BandWidth,
        weights: &Weights,
        around: &mut PlaceRanking,
    ) -> Vec<Entry> {
        let policy = of.policy;
        let listed = || self.listed(&policy.candidates, weights, usize::from(policy.depth));
        let entries = match order {
            Order::Nearest => match (around.from, self.stand_in(policy.is_listed)) {
                (Some(from), _) => {
                    let ranked = around.ranked.get_or_insert_with(|| of.own.nearest.around(&from));
                    self.nearest(&of.own, ranked, policy.depth, width, weights)
                }
                (None, Some(site)) => {
                    self.nearest(&of.own, &of.own.nearest.around(&site), policy.depth, width, weights)
                }
                (None, None) => listed(),
            },
            Order::Listed => listed(),
        };
        if around.from.is_some() || policy.default.is_empty() {
            return entries;
        }
        let mut first = self.listed(&policy.default, weights, usize::from(policy.depth));
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

    /// Cuts a ranking of candidates into bands. It holds the first `depth` of all and all as far as
    /// the last of them, which is as far as bands go.
    fn nearest(
        &self,
        contest: &Contest<'_>,
        ranked: &[Ranked],
        depth: u8,
        width: BandWidth,
        weights: &Weights,
    ) -> Vec<Entry> {
        let depth = usize::from(depth);
        let place_of = |r: &Ranked| self.pops[r.pop.index()].coordinates;
        let at_one_place =
            |r: &Ranked, best: &Ranked| r.biased_m == best.biased_m && place_of(r) == place_of(best);
        let (grouped, mut rest);
        match width {
            // All candidates at one place are in its reach, ...
            BandWidth::Percent(_) => rest = ranked,
            // ... without which they must be brought together: another PoP may be as far.
            BandWidth::None => {
                grouped = with_ties_grouped(ranked, at_one_place);
                rest = &grouped;
            }
        }
        let mut entries: Vec<Entry> = Vec::with_capacity(ranked.len().min(depth));
        let mut band = 0;
        while let Some(best) = rest.first() {
            let count = match width {
                BandWidth::None => rest.iter().take_while(|r| at_one_place(r, best)).count(),
                BandWidth::Percent(percent) => {
                    let reach_m =
                        best.biased_m + best.biased_m.max(0) * i64::from(percent) / 100 + BAND_FLOOR_M;
                    rest.iter().take_while(|r| r.biased_m <= reach_m).count()
                }
            };
            let (equals, behind) = rest.split_at(count);
            let begin = entries.len();
            let room = (depth - begin).max(1);
            entries
                .extend(equals.iter().take(room).map(|r| self.entry(&Candidate::Pop(r.pop), band, weights)));
            entries[begin..].sort_unstable_by_key(|e| e.target);
            rest = behind;
            band += 1;
            if entries.len() >= depth {
                break;
            }
        }
        for candidate in &contest.placeless {
            entries.push(self.entry(candidate, band, weights));
            band += 1;
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

/// A ranking in which those of a tie that are at one place stand together.
fn with_ties_grouped(ranked: &[Ranked], at_one_place: impl Fn(&Ranked, &Ranked) -> bool) -> Vec<Ranked> {
    let mut grouped = ranked.to_vec();
    for tied in grouped.chunk_by_mut(|a, b| a.biased_m == b.biased_m) {
        let mut rest = tied;
        while let [best, behind @ ..] = rest {
            behind.sort_by_key(|r| !at_one_place(r, best));
            let equals = behind.iter().take_while(|r| at_one_place(r, best)).count();
            rest = &mut behind[equals..];
        }
    }
    grouped
}

/// The PoPs among candidates.
fn pops_of(bands: &Bands) -> impl Iterator<Item = PopId> {
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
    bands
        .iter()
        .flatten()
        .filter_map(|c| match c {
            Candidate::Cname(name) => Some(name.clone()),
            Candidate::Pop(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
