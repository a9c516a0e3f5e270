//! Prefetch: before a batch is answered, the table entries that its answers need are read for all
//! of it, one step of all queries before the next step of any. No load then waits for another
//! query's, nor for a branch that the processor has guessed wrong; answered one by one,
//! each query waits for all of its own. Nothing depends on what is read.
//!
//! Reading costs instructions, so it is done only where tables are larger than a core's own cache,
//! and as much as helps: where the routes of one policy are, the last answer's is taken for all;
//! where many are, each query's name is looked up first, by itself, in what is small beside the
//! routes.

use super::Outcome;
use crate::geo::trie::AddressTable;
use crate::limits::PREFETCH_MAX;
use crate::snapshot::Snapshot;
use crate::snapshot::steering::CacheFootprint;
use crate::steer::preference_list::{Entry, PreferenceList};
use crate::steer::table::PolicyTable;
use crate::wire::header::HEADER_LEN;
use crate::wire::query::QueryName;
use crate::wire::rr::RrType;
use crate::zone::image::{Match, Usual};
use crate::zone::set::ZoneId;
use std::hint::black_box;

/// Names of a zone past which it fills more than a core's own cache.
const NAMES_MANY: usize = 50_000;
/// Preference lists of a policy past which they are prefetched too: some kilobytes of them.
const PREFERENCE_LISTS_MANY: usize = 32;
/// How many CNAMES are followed in search of a policy.
const ALIASES_MAX: usize = 3;

/// A query without parsing: its octets, and the IPv4 client that decides its answer, if there is
/// one.
pub(crate) type PeekedQuery<'m> = (&'m [u8], Option<u32>);

/// Reads ahead for one who answers batches, and guesses by the last answer what the next will come
/// from.
#[derive(Debug, Default)]
pub struct Prefetcher {
    policy: Option<u32>,
    zone: Option<ZoneId>,
    name: QueryName,
}

/// A query's policy, and where it leads its client.
#[derive(Clone, Copy)]
struct Way<'s> {
    policy: &'s PolicyTable,
    table: &'s AddressTable<u32>,
    client: u32,
}

impl Prefetcher {
    /// Notes what the last answer of a batch came from.
    pub fn note(&mut self, outcome: &Outcome) {
        self.policy = outcome.policy.or(self.policy);
        self.zone = outcome.zone.or(self.zone);
    }

    /// Reads what the answers to a batch of `count` queries will read. Gives for how many it has
    /// read routes.
    pub fn read<'m>(
        &mut self,
        snapshot: &Snapshot,
        count: usize,
        query: impl Fn(usize) -> PeekedQuery<'m>,
    ) -> usize {
        let some = |start: usize| (start..count).take(PREFETCH_MAX).map(&query);
        let starts = (0..count).step_by(PREFETCH_MAX);
        if count < 2 {
            return 0;
        }
        if let Some(zone) =
            self.zone.and_then(|zone| snapshot.zones.get(zone)).filter(|zone| zone.names() > NAMES_MANY)
        {
            for start in starts.clone() {
                let mut hashes = [0; PREFETCH_MAX];
                for (hash, (message, _)) in hashes.iter_mut().zip(some(start)) {
                    *hash = if self.read_name(message) { self.name.hash_whole(0) } else { 0 };
                }
                black_box(zone.prefetch(&hashes));
            }
        }
        let (Some(last), mut read) = (self.policy, 0) else { return 0 };
        for start in starts {
            let mut ways = [None; PREFETCH_MAX];
            let queries = ways.iter_mut().zip(some(start));
            match snapshot.steering.cache_footprint {
                CacheFootprint::Near => return 0,
                CacheFootprint::One => {
                    queries.for_each(|(way, (_, client))| *way = way_of(snapshot, last, client))
                }
                CacheFootprint::Many => queries.for_each(|(way, (message, client))| {
                    *way =
                        self.policy_of(snapshot, message).and_then(|policy| way_of(snapshot, policy, client));
                }),
            }
            read_ways(&ways);
            read += ways.iter().flatten().count();
        }
        read
    }

    fn read_name(&mut self, message: &[u8]) -> bool {
        message.get(HEADER_LEN..).is_some_and(|question| self.name.read(question))
    }

    /// The policy that decides what a query gets, if one does.
    fn policy_of(&mut self, snapshot: &Snapshot, message: &[u8]) -> Option<u32> {
        if !self.read_name(message) {
            return None;
        }
        let mut found = snapshot.zones.lookup(&self.name)?;
        for _ in 0..=ALIASES_MAX {
            let (Match::Exact(node) | Match::Wildcard(node)) = found.matched else { return None };
            let image = snapshot.zones.zone(found.zone);
            match image.usual(node, RrType::A) {
                Usual::Steered(steered) => return Some(steered.policy),
                Usual::Alias(set) => {
                    found = snapshot.zones.target(found.zone, image.records(set).next()?.link?)?.found
                }
                _ => return None,
            }
        }
        None
    }
}

fn way_of(snapshot: &Snapshot, index: u32, client: Option<u32>) -> Option<Way<'_>> {
    let policy = snapshot.steering.policies.get(index as usize)?;
    let (_, by_cell) = snapshot.status.seen_by(index, policy);
    Some(Way { policy, table: &policy.routes_of(by_cell).first()?.v4, client: client? })
}

/// Reads where ways lead, step by step: leaf, choice, preference list, slot of its first PoP.
fn read_ways(ways: &[Option<Way<'_>>; PREFETCH_MAX]) {
    let leaves = AddressTable::prefetch_values(&ways.map(|way| way.map(|way| (way.table, way.client))));
    black_box(leaves);
    if !ways.iter().flatten().any(|way| way.policy.preference_lists.len() > PREFERENCE_LISTS_MANY) {
        return;
    }
    let mut preference_lists: [Option<(&PolicyTable, &PreferenceList)>; PREFETCH_MAX] = [None; PREFETCH_MAX];
    for ((preference_list, way), leaf) in preference_lists.iter_mut().zip(ways).zip(leaves) {
        *preference_list = way.and_then(|Way { policy, .. }| {
            let [by_ecs, by_resolver] = *policy.choices.get(leaf as usize)?;
            // `BY_ECS_SPECIAL` is never a valid preference list, so `get` returns `None`.
            Some((
                policy,
                policy
                    .preference_lists
                    .get(by_ecs as usize)
                    .or_else(|| policy.preference_lists.get(by_resolver as usize))?,
            ))
        });
    }
    let lists = preference_lists.map(|preference_list| {
        preference_list.map(|(policy, preference_list)| (&*policy.slots, &*preference_list.entries))
    });
    let slot = |(slots, entries): (&[u32], &[Entry])| {
        Some(*slots.get(usize::from(entries.first()?.target.split().ok()?.0))?)
    };
    black_box(lists.iter().flatten().filter_map(|list| slot(*list)).fold(0, |seen, slot| seen ^ slot));
}
