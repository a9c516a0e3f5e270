//! Whose load is measured: the feeds of a deployment, and who follows whom.
//!
//! A feed of a service speaks for the slot of that service, the feed of a PoP for all other slots
//! of the PoP. A feed for which no policy has a slot is not read.

use crate::config::Deployment;
use crate::geo::distance::great_circle_m;
use crate::health::load::feeds::{FeedSet, FeedTarget, LoadSlot};
use crate::health::load::spec::LoadSpec;
use crate::snapshot::Steering;
use crate::steer::pop::Pop;
use crate::steer::table::NO_SLOT;
use crate::wire::hash;
use crate::zone::text::ScopedPolicy;
use std::sync::Arc;

/// Makes the feed set. The steering must have been compiled from the deployment.
pub(crate) fn of(deployment: &Deployment, steering: &Steering) -> FeedSet {
    let pops = &deployment.pops;
    let mut target_set =
        FeedSet { pops: pops.iter().map(|pop| pop.name.clone()).collect(), ..FeedSet::default() };
    target_set.slots =
        steering.slots.iter().map(|slot| LoadSlot { pop: slot.pop.0, service: "".into() }).collect();
    let mut ttls = vec![0u32; steering.slots.len()];
    for (scoped, table) in deployment.policies.iter().zip(&steering.policies) {
        let ttl_secs = longest_ttl_secs(scoped);
        for slot in table.slots.iter().filter(|slot| **slot != NO_SLOT) {
            target_set.slots[*slot as usize].service = scoped.policy.service.clone();
            ttls[*slot as usize] = ttls[*slot as usize].max(ttl_secs);
        }
    }
    for (index, pop) in pops.iter().enumerate() {
        let of_pop = |slot: &LoadSlot| usize::from(slot.pop) == index;
        let has_own = |service: &str| pop.service(service).is_some_and(|service| service.load.is_some());
        for service in &pop.services {
            let measured = service.load.as_ref().zip(service.capacity.or(pop.capacity));
            let slots = slots(&target_set, |slot| of_pop(slot) && slot.service == service.name);
            target_set.feeds.extend(measured.and_then(|(spec, capacity)| {
                feed(index, pop, Some(&service.name), slots, capacity, spec, &ttls)
            }));
        }
        let slots = slots(&target_set, |slot| of_pop(slot) && !has_own(&slot.service));
        let measured = pop.load.as_ref().zip(pop.capacity);
        target_set.feeds.extend(
            measured.and_then(|(spec, capacity)| feed(index, pop, None, slots, capacity, spec, &ttls)),
        );
    }
    target_set.followers = followers(pops, &target_set);
    target_set
}

fn slots(target_set: &FeedSet, is_meant: impl Fn(&LoadSlot) -> bool) -> Vec<u32> {
    target_set.slots.iter().zip(0..).filter(|(slot, _)| is_meant(slot)).map(|(_, index)| index).collect()
}

fn feed(
    index: usize,
    pop: &Pop,
    service: Option<&Arc<str>>,
    slots: Vec<u32>,
    capacity: f64,
    spec: &Arc<LoadSpec>,
    ttls: &[u32],
) -> Option<FeedTarget> {
    let ttl_secs = slots.iter().map(|slot| ttls[*slot as usize]).max()?;
    // Its rule may change while it goes on.
    let from = hash::octets(format!("{:?}", spec.feed).as_bytes());
    let key = format!("{} {} {from:016x}", pop.name, service.map_or("*", |service| service)).into();
    Some(FeedTarget {
        key,
        pop: index as u16,
        service: service.cloned(),
        slots,
        capacity,
        ttl_secs,
        spec: Arc::clone(spec),
    })
}

/// The longest that an answer of the policy or of one of its rules is kept.
fn longest_ttl_secs(scoped: &ScopedPolicy) -> u32 {
    let policy = &scoped.policy;
    let of_rules = policy.rules.iter().filter_map(|rule| rule.ttl);
    of_rules.chain([policy.ttl]).map(|ttl| ttl.max_secs).max().unwrap_or(policy.ttl.max_secs)
}

/// For each PoP the others by great circle, those of unknown place behind, ties by name. A PoP
/// without a feed never sheds, so nobody asks who follows it, and a thousand PoPs of which ten are
/// measured cost ten sorts.
fn followers(pops: &[Pop], target_set: &FeedSet) -> Vec<Vec<u16>> {
    let mut measured = vec![false; pops.len()];
    target_set.feeds.iter().for_each(|feed| measured[usize::from(feed.pop)] = true);
    let others = |index: usize| {
        let from = pops[index].coordinates;
        let distance_m =
            |to: &Pop| from.zip(to.coordinates).map_or(u32::MAX, |(from, to)| great_circle_m(from, to));
        // PoPs are sorted by name, and so are equals.
        let mut others: Vec<(u32, u16)> = pops
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
            .map(|(other, pop)| (distance_m(pop), other as u16))
            .collect();
        others.sort_unstable();
        others.into_iter().map(|(_, other)| other).collect()
    };
    measured
        .iter()
        .enumerate()
        .map(|(index, is_measured)| if *is_measured { others(index) } else { Vec::new() })
        .collect()
}

#[cfg(test)]
mod tests;
