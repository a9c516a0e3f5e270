//! A batch goes in stages: every message is read, then names are looked up and clients located, and
//! then each message is answered with the results of the earlier stages.
//!
//! A stage goes through the whole batch before the next begins, and clients are located one level
//! of their tables after the other. No load of memory then waits for another query's, nor for a
//! branch that the processor has guessed wrong; answered one by one, each query waits for all of
//! its own. Results are kept: nothing that was found is read or looked up again. Where all tables
//! are in a core's own cache there is nothing to wait for, and messages are answered one by one. So
//! they are for a while after a batch that asked for hardly any steered name: stages cost a static
//! answer a fifth more.

use super::ahead::{Ahead, LeafAhead};
use super::outcome::Outcome;
use super::{Client, QueryContext, converse, fast_path, trace};
use crate::geo::trie::{Descent, Trie, descend};
use crate::limits::PREFETCH_MAX;
use crate::snapshot::Snapshot;
use crate::snapshot::locate::LookupAddress;
use crate::snapshot::steering::CacheFootprint;
use crate::steer::table::REDIRECT;
use crate::wire::name_hash::NameHash;
use crate::wire::query::{Parsed, Query, parse};
use crate::wire::rr::CLASS_IN;
use crate::zone::image::{Match, Usual};
use crate::zone::set::{Found, ZoneId};
use std::array;
use std::hint::black_box;
use std::net::IpAddr;

/// Names of a zone past which it fills more than a core's own cache.
const NAMES_MANY: usize = 50_000;
/// Limit of CNAMEs followed in search of a policy.
const ALIASES_MAX: usize = 3;
/// Readings that are left out after one in which less than one client in [`LOCATED_LEAST`] was to
/// be located.
const PAUSE: u8 = 7;
/// See [`PAUSE`].
const LOCATED_LEAST: usize = 8;

/// A message on its way.
#[derive(Debug, Default)]
struct Lane {
    query: Query,
    ahead: Ahead,
}

/// Answers batches.
#[derive(Debug)]
pub struct Stages {
    lanes: Box<[Lane; PREFETCH_MAX]>,
    /// The zone of the last answer: that of the next, for what a large one needs.
    zone: Option<ZoneId>,
    /// Readings that are still left out.
    pause: u8,
    /// The outcome of the last message.
    pub outcome: Outcome,
}

impl Default for Stages {
    fn default() -> Stages {
        Stages {
            lanes: Box::new(array::from_fn(|_| Lane::default())),
            zone: None,
            pause: 0,
            outcome: Outcome::default(),
        }
    }
}

impl Stages {
    /// The stages before the answers, for `count` messages, of which the first [`PREFETCH_MAX`] are
    /// looked at, given with their resolvers' addresses. Gives how many clients were located.
    pub fn read<'m>(
        &mut self,
        snapshot: &Snapshot,
        count: usize,
        message: impl Fn(usize) -> (&'m [u8], IpAddr),
    ) -> usize {
        for lane in &mut *self.lanes {
            lane.ahead = Ahead::default();
        }
        let is_far = snapshot.steering.cache_footprint == CacheFootprint::Far && self.pause == 0;
        self.pause = self.pause.saturating_sub(1);
        let large = self.zone.and_then(|zone| snapshot.zones.get(zone));
        let large = large.filter(|zone| zone.names() > NAMES_MANY);
        if count < 2 || !is_far && large.is_none() {
            return 0;
        }
        let count = count.min(PREFETCH_MAX);
        let lanes = self.lanes.get_mut(..count).unwrap_or_default();
        for (index, lane) in lanes.iter_mut().enumerate() {
            lane.ahead.is_read = matches!(parse(message(index).0, &mut lane.query), Parsed::Query);
        }
        if let Some(zone) = large {
            let mut hashes = [NameHash::default(); PREFETCH_MAX];
            for (hash, lane) in hashes.iter_mut().zip(lanes.iter().filter(|lane| lane.ahead.is_read)) {
                *hash = lane.query.name.hash_whole(zone.key(), 0);
            }
            black_box(zone.prefetch(&hashes[..count]));
        }
        if !is_far {
            return 0;
        }
        let located = locate(snapshot, lanes, |index| message(index).1);
        if located * LOCATED_LEAST < count {
            self.pause = PAUSE;
        }
        located
    }

    /// Answers the message at `index` of those that were last given to [`Stages::read`], by the
    /// same snapshot. The outcome stands in `self`.
    #[inline(always)]
    pub fn respond(
        &mut self,
        index: usize,
        snapshot: &Snapshot,
        packet: &[u8],
        client: &Client,
        context: QueryContext,
        out: &mut [u8],
    ) {
        let place = index.min(PREFETCH_MAX - 1);
        let Lane { query, ahead } = &mut self.lanes[place];
        // A message past those that were read has none before it.
        if place != index {
            *ahead = Ahead::default();
        }
        converse(
            query,
            ahead,
            &mut self.outcome,
            snapshot,
            packet,
            client,
            context,
            out,
            &mut trace::NoTrace::default(),
        );
        self.zone = self.outcome.zone.or(self.zone);
    }
}

/// Looks names up, then locates the clients of those that policies steer.
fn locate(snapshot: &Snapshot, lanes: &mut [Lane], resolver: impl Fn(usize) -> IpAddr) -> usize {
    let mut v4: [Option<Descent<'_, u32>>; PREFETCH_MAX] = [None; PREFETCH_MAX];
    let mut v6: [Option<Descent<'_, u128>>; PREFETCH_MAX] = [None; PREFETCH_MAX];
    let (mut count_v4, mut count_v6) = (0, 0);
    for (index, Lane { query, ahead }) in lanes.iter_mut().enumerate() {
        if !ahead.is_read || query.qclass != CLASS_IN || !fast_path::is_plain(query.qtype) {
            continue;
        }
        ahead.found = snapshot.zones.lookup(&query.name);
        let Some((policy, trie, subject)) =
            ahead.found.and_then(|found| way(snapshot, query, found, || resolver(index)))
        else {
            continue;
        };
        // The leaf comes with the descent.
        ahead.leaf = Some(LeafAhead { policy, leaf: (REDIRECT, 0) });
        match subject {
            LookupAddress::V4 { bits, offset } => {
                if let Some(place) = v4.get_mut(count_v4) {
                    (*place, count_v4) = (Some(trie.v4.descent(bits, (index, offset))), count_v4 + 1);
                }
            }
            LookupAddress::V6(bits) => {
                if let Some(place) = v6.get_mut(count_v6) {
                    (*place, count_v6) = (Some(trie.v6.descent(bits, (index, 0))), count_v6 + 1);
                }
            }
        }
    }
    descend(&mut v4[..count_v4]);
    descend(&mut v6[..count_v6]);
    let found_v4 = v4.iter().flatten().map(Descent::found);
    for ((index, offset), (value, depth)) in found_v4.chain(v6.iter().flatten().map(Descent::found)) {
        let Some(Lane { ahead, .. }) = lanes.get_mut(index) else { continue };
        // What leads to the IPv4 table is looked up when the answer is made.
        ahead.leaf = ahead.leaf.filter(|_| value != REDIRECT);
        if let Some(leaf) = &mut ahead.leaf {
            leaf.leaf = (value, depth + offset);
        }
    }
    count_v4 + count_v6
}

/// The policy that decides what a query gets, its routes, and the address that is looked up there.
#[inline(always)]
fn way<'s>(
    snapshot: &'s Snapshot,
    query: &Query,
    mut found: Found,
    resolver: impl Fn() -> IpAddr,
) -> Option<(u32, &'s Trie, LookupAddress)> {
    let mut aliases = 0;
    let steered = loop {
        let (Match::Exact(node) | Match::Wildcard(node)) = found.matched else { return None };
        let image = snapshot.zones.zone(found.zone);
        match image.usual(node, query.qtype) {
            Usual::Steered(steered) => break steered,
            Usual::Alias(set) if aliases < ALIASES_MAX => {
                aliases += 1;
                found = snapshot.zones.target(found.zone, image.records(set).next()?.link?)?.found;
            }
            _ => return None,
        }
    };
    let policy = snapshot.steering.policies.get(steered.policy as usize)?;
    // Classes of resolvers have routes of their own.
    if policy.resolver_classes.is_some() {
        return None;
    }
    let (_, by_cell) = snapshot.status.seen_by(steered.policy, policy);
    let trie = &**policy.routes_of(by_cell).first()?;
    let subnet = query.subnet().filter(|_| policy.ecs);
    // A resolver is located deeper, where there is something.
    if subnet.is_none() && trie.deeper.is_some() {
        return None;
    }
    let address = subnet.map_or_else(resolver, |subnet| subnet.address);
    Some((steered.policy, trie, LookupAddress::of(address)))
}
