//! Answers of a batch in stages: first all messages are parsed, then all names are looked up and
//! all clients located, then each message is answered with the results of the earlier stages.
//!
//! Stages hide memory latency. Each stage goes through the whole batch before the next begins, and
//! all clients are located level by level of the tables, so that the cache misses of different
//! queries overlap. Answered one by one, each query would wait for all of its own misses. Later
//! stages reuse what earlier ones found. Of a large zone, the entries of the names are prefetched.
//!
//! If all tables are in a core's own cache, there is nothing to wait for, and messages are answered
//! one by one. The same holds for a while ([`PAUSE`]) after a batch that located hardly any client,
//! because stages make a static answer a fifth slower.

use super::ahead::{Ahead, Located};
use super::outcome::Outcome;
use super::{Client, QueryContext, converse, fast_path, trace};
use crate::geo::trie::{Descent, descend};
use crate::limits::PREFETCH_MAX;
use crate::snapshot::Snapshot;
use crate::snapshot::locate::{ClientDescent, ClientLookup, QuerySource};
use crate::snapshot::steering::CacheFootprint;
use crate::steer::policy::PolicyId;
use crate::steer::table::REDIRECT;
use crate::wire::name_hash::NameHash;
use crate::wire::query::{Query, parse};
use crate::wire::reject::Parsed;
use crate::wire::rr::CLASS_IN;
use crate::zone::image::{Match, Usual};
use crate::zone::set::{Found, ZoneId};
use std::array;
use std::hint::black_box;
use std::net::IpAddr;

/// Number of names above which a zone does not fit in a core's own cache, so that its entries are
/// prefetched.
const NAMES_MANY: usize = 50_000;
/// Limit of CNAMEs followed in search of a policy.
const ALIASES_MAX: usize = 3;
/// Number of calls of [`Stages::read`] that locate no clients, after a call in which less than one
/// message in [`LOCATED_LEAST`] needed the location of its client.
const PAUSE: u8 = 7;
/// See [`PAUSE`].
const LOCATED_LEAST: usize = 8;

/// Results of the earlier stages for each message of one call of [`Stages::read`].
#[derive(Debug, Default)]
pub struct Plans<'s>([Ahead<'s>; PREFETCH_MAX]);

impl Plans<'_> {
    /// Number of clients that were located.
    pub fn located(&self) -> usize {
        self.0.iter().filter(|plan| plan.located.is_some()).count()
    }
}

/// Answers batches.
#[derive(Debug)]
pub struct Stages {
    queries: Box<[Query; PREFETCH_MAX]>,
    /// Zone of the last answer. The next names are taken to be in the same zone, and their entries
    /// are prefetched if that zone is large.
    zone: Option<ZoneId>,
    /// Number of next calls of [`Stages::read`] that locate no clients ([`PAUSE`]).
    pause: u8,
    /// The outcome of the last message.
    pub outcome: Outcome,
}

impl Default for Stages {
    fn default() -> Stages {
        Stages {
            queries: Box::new(array::from_fn(|_| Query::default())),
            zone: None,
            pause: 0,
            outcome: Outcome::default(),
        }
    }
}

impl Stages {
    /// Runs the stages before the answers for `count` messages, of which only the first
    /// [`PREFETCH_MAX`] are read. `message` returns the octets of a message by its index,
    /// `resolver` the address of its client.
    pub fn read<'s, 'm>(
        &mut self,
        snapshot: &'s Snapshot,
        count: usize,
        message: impl Fn(usize) -> &'m [u8],
        resolver: impl Fn(usize) -> IpAddr,
    ) -> Plans<'s> {
        let mut plans = Plans::default();
        let is_far = snapshot.steering.cache_footprint == CacheFootprint::Far && self.pause == 0;
        self.pause = self.pause.saturating_sub(1);
        let large = self.zone.and_then(|zone| snapshot.zones.get(zone));
        let large = large.filter(|zone| zone.names() > NAMES_MANY);
        if count < 2 || !is_far && large.is_none() {
            return plans;
        }
        let count = count.min(PREFETCH_MAX);
        let queries = self.queries.get_mut(..count).unwrap_or_default();
        for (index, (query, plan)) in queries.iter_mut().zip(&mut plans.0).enumerate() {
            plan.is_read = matches!(parse(message(index), query), Parsed::Query);
        }
        if let Some(zone) = large {
            let mut hashes = [NameHash::default(); PREFETCH_MAX];
            let read = queries.iter().zip(&plans.0).filter(|(_, plan)| plan.is_read);
            for (hash, (query, _)) in hashes.iter_mut().zip(read) {
                *hash = query.name.hash_whole(zone.key(), 0);
            }
            black_box(zone.prefetch(&hashes[..count]));
        }
        if is_far && locate(snapshot, queries, &mut plans, resolver) * LOCATED_LEAST < count {
            self.pause = PAUSE;
        }
        plans
    }

    /// The query at `index`, as the last answer to that message read it.
    pub(crate) fn query(&self, index: usize) -> &Query {
        &self.queries[index.min(PREFETCH_MAX - 1)]
    }

    /// Answers the message at `index` of the last call of [`Stages::read`], which returned `plans`
    /// and had the same snapshot. The outcome is in [`Stages::outcome`].
    #[inline(always)]
    pub fn respond(
        &mut self,
        (plans, index): (&Plans<'_>, usize),
        snapshot: &Snapshot,
        packet: &[u8],
        client: &Client,
        context: QueryContext,
        out: &mut [u8],
    ) {
        let none = Ahead::default();
        // A message past the first `PREFETCH_MAX` has no plan.
        let plan = plans.0.get(index).unwrap_or(&none);
        let query = &mut self.queries[index.min(PREFETCH_MAX - 1)];
        let trace = &mut trace::NoTrace::default();
        converse(query, plan, &mut self.outcome, snapshot, packet, client, context, out, trace);
        self.zone = self.outcome.zone.or(self.zone);
    }
}

/// Looks the names up, then locates the clients whose names a policy steers. Returns the number of
/// these clients.
fn locate<'s>(
    snapshot: &'s Snapshot,
    queries: &[Query],
    plans: &mut Plans<'s>,
    resolver: impl Fn(usize) -> IpAddr,
) -> usize {
    let mut v4: [Option<Descent<'_, u32>>; PREFETCH_MAX] = [None; PREFETCH_MAX];
    let mut v6: [Option<Descent<'_, u128>>; PREFETCH_MAX] = [None; PREFETCH_MAX];
    let (mut count_v4, mut count_v6) = (0, 0);
    for (index, (query, plan)) in queries.iter().zip(&mut plans.0).enumerate() {
        if !plan.is_read || query.qclass != CLASS_IN || !fast_path::is_plain(query.qtype) {
            continue;
        }
        plan.found = snapshot.zones.lookup(&query.name);
        let Some((policy, lookup)) =
            plan.found.and_then(|found| client_lookup(snapshot, query, found, || resolver(index)))
        else {
            continue;
        };
        match lookup.descent(index) {
            ClientDescent::V4(descent) => {
                if let Some(place) = v4.get_mut(count_v4) {
                    (*place, count_v4) = (Some(descent), count_v4 + 1);
                }
            }
            ClientDescent::V6(descent) => {
                if let Some(place) = v6.get_mut(count_v6) {
                    (*place, count_v6) = (Some(descent), count_v6 + 1);
                }
            }
        }
        // The leaf comes with the descent.
        plan.located = Some(Located { policy, lookup, leaf: (REDIRECT, 0) });
    }
    descend(&mut v4[..count_v4]);
    descend(&mut v6[..count_v6]);
    let found_v4 = v4[..count_v4].iter().flatten().map(Descent::found);
    for (index, leaf) in found_v4.chain(v6[..count_v6].iter().flatten().map(Descent::found)) {
        if let Some(located) = plans.0.get_mut(index).and_then(|plan| plan.located.as_mut()) {
            located.leaf = located.lookup.leaf_from(leaf);
        }
    }
    count_v4 + count_v6
}

/// The policy that decides the answer to a query, and the client lookup for this policy. `None` if
/// no policy decides, so that the client need not be located.
#[inline(always)]
fn client_lookup<'s>(
    snapshot: &'s Snapshot,
    query: &Query,
    mut found: Found,
    resolver: impl Fn() -> IpAddr,
) -> Option<(PolicyId, ClientLookup<'s>)> {
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
    snapshot.steering.policies.get(steered.policy.index()).filter(|policy| policy.decides(query.qtype))?;
    let source = QuerySource { resolver: resolver(), subnet: query.subnet() };
    Some((steered.policy, source.lookup(snapshot, steered.policy)?))
}
