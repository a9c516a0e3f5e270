//! Feed set: the load feeds of a deployment, and for each the PoPs that can take its shed load.
//!
//! The feed of a service covers the slot of that service; the feed of a PoP covers all other slots
//! of the PoP. A feed is not read if no policy uses its slots.
//!
//! A shed cell goes down its own preference list. So the followers of a feed are the PoPs that are
//! in some preference list together with the feed's PoP. PoPs that a policy, a fence or a longest
//! distance keeps apart cannot take its cells.

use crate::config::Deployment;
use crate::geo::distance::great_circle_m;
use crate::health::load::feeds::{FeedId, FeedSet, FeedTarget};
use crate::health::load::spec::LoadSpec;
use crate::health::targets::{PopId, SlotId};
use crate::snapshot::Steering;
use crate::steer::pop::Pop;
use crate::steer::preference_list::Entry;
use crate::steer::table::{NO_SLOT, PolicyTable};
use crate::wire::hash;
use crate::zone::text::ScopedPolicy;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Builds the feed set of a deployment and its steering.
pub(crate) fn of(deployment: &Deployment, steering: &Steering) -> FeedSet {
    let pops = &deployment.pops;
    let mut target_set =
        FeedSet { pops: pops.iter().map(|pop| pop.name.clone()).collect(), ..FeedSet::default() };
    target_set.slots = steering.slots.iter().map(|slot| slot.pop).collect();
    let mut of_slots: Vec<(Arc<str>, u32)> = vec![Default::default(); steering.slots.len()];
    for (scoped, table) in deployment.policies.iter().zip(&steering.policies) {
        let ttl_secs = longest_ttl_secs(scoped);
        for slot in table.slots.iter().filter(|slot| **slot != NO_SLOT) {
            let (service, longest) = &mut of_slots[slot.index()];
            *service = scoped.policy.service.clone();
            *longest = (*longest).max(ttl_secs);
        }
    }
    for (index, pop) in PopId::in_order().zip(pops) {
        let has_own = |service: &str| pop.service(service).is_some_and(|service| service.load.is_some());
        let slots_where = |is_meant: &dyn Fn(&str) -> bool| -> Vec<SlotId> {
            let slots = target_set.slots.iter().zip(&of_slots).zip(SlotId::in_order());
            slots
                .filter(|((pop, (service, _)), _)| **pop == index && is_meant(service))
                .map(|(_, slot)| slot)
                .collect()
        };
        let mut feeds = Vec::new();
        for service in &pop.services {
            let measured = service.load.as_ref().zip(service.capacity.or(pop.capacity));
            let slots = slots_where(&|of_slot| *of_slot == *service.name);
            feeds.extend(measured.and_then(|(spec, capacity)| {
                feed(index, pop, Some(&service.name), slots, capacity, spec, &of_slots)
            }));
        }
        let slots = slots_where(&|of_slot| !has_own(of_slot));
        let measured = pop.load.as_ref().zip(pop.capacity);
        feeds.extend(
            measured.and_then(|(spec, capacity)| feed(index, pop, None, slots, capacity, spec, &of_slots)),
        );
        target_set.feeds.extend(feeds);
    }
    follow(&mut target_set, pops, &steering.policies);
    target_set
}

fn feed(
    index: PopId,
    pop: &Pop,
    service: Option<&Arc<str>>,
    slots: Vec<SlotId>,
    capacity: f64,
    spec: &Arc<LoadSpec>,
    of_slots: &[(Arc<str>, u32)],
) -> Option<FeedTarget> {
    let ttl_secs = slots.iter().map(|slot| of_slots[slot.index()].1).max()?;
    let from = hash::octets(spec.feed.identity().as_bytes());
    let key = format!("{} {} {from:016x}", pop.name, service.map_or("*", |service| service)).into();
    Some(FeedTarget {
        key,
        pop: index,
        service: service.cloned(),
        slots,
        followers: Vec::new(),
        capacity,
        ttl_secs,
        spec: Arc::clone(spec),
    })
}

/// Longest TTL of a policy and its rules, in seconds.
fn longest_ttl_secs(scoped: &ScopedPolicy) -> u32 {
    let policy = &scoped.policy;
    let of_rules = policy.rules.iter().filter_map(|rule| rule.ttl);
    of_rules.chain([policy.ttl]).map(|ttl| ttl.max_secs).max().unwrap_or(policy.ttl.max_secs)
}

/// Sets the followers of every feed by great-circle distance; PoPs of unknown place come last, ties
/// are sorted by name.
fn follow(target_set: &mut FeedSet, pops: &[Pop], policies: &[PolicyTable]) {
    let mut feed_of: Vec<Option<FeedId>> = vec![None; target_set.slots.len()];
    for (feed, index) in target_set.feeds.iter().zip(FeedId::in_order()) {
        feed.slots.iter().for_each(|slot| feed_of[slot.index()] = Some(index));
    }
    // For each feed and PoP, the slot that can take its cells: the slot of the first policy, if
    // there are several.
    let mut found: Vec<HashMap<PopId, SlotId>> = vec![HashMap::new(); target_set.feeds.len()];
    for table in policies {
        let mut beside: BTreeMap<PopId, PopBits> = BTreeMap::new();
        let is_measured = |pop: PopId| {
            let slot = table.slots.get(pop.index()).copied().unwrap_or(NO_SLOT);
            feed_of.get(slot.index()).is_some_and(Option::is_some)
        };
        let tail = PopBits::of(&table.tail, pops.len());
        let mut has_tail = false;
        for list in &table.preference_lists {
            let mut near = PopBits::of(&list.entries, pops.len());
            if list.tail {
                near.add(&tail);
                has_tail = true;
            }
            for pop in pops_of(&list.entries).filter(|pop| is_measured(*pop)) {
                beside.entry(pop).or_insert_with(|| PopBits::of(&[], pops.len())).add(&near);
            }
        }
        for pop in pops_of(&table.tail).filter(|pop| has_tail && is_measured(*pop)) {
            beside.entry(pop).or_insert_with(|| PopBits::of(&[], pops.len())).add(&tail);
        }
        for (pop, beside) in beside {
            let Some(feed) = feed_of[table.slots[pop.index()].index()] else { continue };
            for other in beside.pops().filter(|other| *other != pop) {
                let slot = table.slots[other.index()];
                if slot != NO_SLOT {
                    found[feed.index()].entry(other).or_insert(slot);
                }
            }
        }
    }
    for (feed, found) in target_set.feeds.iter_mut().zip(found) {
        let from = pops[feed.pop.index()].coordinates;
        let distance_m = |to: PopId| {
            let to = pops[to.index()].coordinates;
            from.zip(to).map_or(u32::MAX, |(from, to)| great_circle_m(from, to))
        };
        // PoPs are sorted by name, so ties are too.
        let mut near: Vec<(u32, PopId, SlotId)> =
            found.into_iter().map(|(pop, slot)| (distance_m(pop), pop, slot)).collect();
        near.sort_unstable();
        feed.followers = near.into_iter().map(|(_, _, slot)| slot).collect();
    }
}

fn pops_of(entries: &[Entry]) -> impl Iterator<Item = PopId> {
    entries.iter().filter_map(|entry| entry.target.split().ok())
}

/// Set of PoPs: hundreds of policies have hundreds of lists each.
struct PopBits(Vec<u64>);

impl PopBits {
    fn of(entries: &[Entry], pops: usize) -> PopBits {
        let mut bits = vec![0; pops.div_ceil(64)];
        pops_of(entries).for_each(|pop| bits[pop.index() / 64] |= 1 << (pop.index() % 64));
        PopBits(bits)
    }

    fn add(&mut self, other: &PopBits) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    fn pops(&self) -> impl Iterator<Item = PopId> {
        let is_in = |pop: &usize| self.0[pop / 64] >> (pop % 64) & 1 == 1;
        (0..self.0.len() * 64).filter(is_in).map(PopId::at)
    }
}

#[cfg(test)]
mod tests;
