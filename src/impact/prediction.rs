//! Prediction of an override: the clients that it would move, and the load that goes with them.

use super::answered::{Answered, Side};
use super::flow::{After, Asked, PolicyChange};
use super::moves::{CountedQueries, Moves};
use super::sample::evenly;
use crate::limits::{FORECAST_CLIENTS_MAX, FORECAST_SAMPLES_MIN};
use crate::snapshot::Snapshot;
use crate::steer::policy::PolicyId;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Clients asked of each family and policy: a share is then right to about one per cent of the
/// whole, which is less than operators plan for.
pub const SAMPLES: u32 = 4_096;

/// One flow for the clients of both families.
pub const ALL_CLIENTS: usize = 1;

/// Load of a PoP, in the unit of its feed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasuredLoad {
    /// Load now.
    pub load: f64,
    /// Load that the PoP can carry.
    pub capacity: f64,
}

/// Name of a feed: of a PoP, and of the service whose load it measures.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedName {
    /// The PoP.
    pub pop: Arc<str>,
    /// The service; `None` for the whole PoP.
    pub service: Option<Arc<str>>,
}

/// Load by feed.
pub type MeasuredLoads = HashMap<FeedName, MeasuredLoad>;

/// Load that a PoP gains.
#[derive(Clone, Debug, PartialEq)]
pub struct Gain {
    /// Feed that will measure the load.
    pub feed: FeedName,
    /// Load that comes to the PoP, in the unit of its feed.
    pub added: f64,
    /// Load before.
    pub before: MeasuredLoad,
}

/// Impact of an override.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Clients that move, of both families; policies without a move are left out.
    pub(crate) moves: Moves<ALL_CLIENTS>,
    /// PoPs that gain load, where their load and capacity are known.
    pub gains: Vec<Gain>,
    /// Clients asked of each family and policy.
    pub(crate) samples: u32,
}

/// Computes the answers to sampled clients before and after; `counted` are queries of `before`:
/// policy, PoP and number. The more policies, the fewer clients of each, so that a person never
/// waits long.
pub fn predict<'d>(
    before: &Snapshot,
    after: &Snapshot,
    counted: impl Iterator<Item = (&'d str, &'d str, u64)>,
    loads: &MeasuredLoads,
) -> Prediction {
    let samples = samples(before);
    let policy_changes = forecast(before, after, samples);
    let queries = CountedQueries::new(counted, &policy_changes);
    let gains = gains(before, &policy_changes, &queries, loads);
    let mut moves = Moves::new(policy_changes, &queries);
    moves.policy_changes.retain(|policy_change| !policy_change.moves.is_empty());
    Prediction { moves, gains, samples }
}

/// Clients to ask of each family and policy.
fn samples(snapshot: &Snapshot) -> u32 {
    let policies = snapshot.steering.policies.len().max(1) as u32;
    (FORECAST_CLIENTS_MAX / policies / 2).clamp(FORECAST_SAMPLES_MIN, SAMPLES)
}

/// Share of a policy's clients that each answer gets in the state of a snapshot, of the clients
/// that [`predict`] asks. The shares add up to 1.
pub(crate) fn shares(snapshot: &Snapshot, policy: PolicyId) -> BTreeMap<Answered, f64> {
    let side = Side { snapshot, policy };
    // The answer after is not read.
    let asked = Asked { before: side, after: After::Answer(Answered::Nothing), names: &[] };
    let [flow] = asked.flows(evenly(side.table(), samples(snapshot)), |_| 0);
    flow.before.into_iter().map(|(answered, weight)| (answered, weight / flow.whole)).collect()
}

/// Computes the answers to `samples` clients of each family and policy that both snapshots have.
/// The result includes policies without a move.
pub fn forecast(before: &Snapshot, after: &Snapshot, samples: u32) -> Vec<PolicyChange<ALL_CLIENTS>> {
    let policies = PolicyId::in_order().take(before.steering.policies.len());
    let sides = policies.map(|policy| Side { snapshot: before, policy });
    sides.filter_map(|side| of_policy(side, after, samples)).collect()
}

fn of_policy(before: Side<'_>, after: &Snapshot, samples: u32) -> Option<PolicyChange<ALL_CLIENTS>> {
    let name = &before.table().name;
    let policy = after.steering.policies.iter().position(|policy| policy.name == *name)?;
    let after = After::Policy(Side { snapshot: after, policy: PolicyId::at(policy) });
    // A name's hash decides which cells go to which PoP. So each client asks for a name of its own,
    // and the result is a mean over names.
    let asked = Asked { before, after, names: &[] };
    let flows = asked.flows(evenly(before.table(), samples), |_| 0);
    Some(PolicyChange { policy: name.clone(), to: Some(name.clone()), names: 1, flows })
}

/// Clients of a feed, or those that go from it to another: their share of space, and queries.
#[derive(Clone, Copy, Default)]
struct Part {
    cells: f64,
    queries: f64,
}

impl Part {
    fn add(&mut self, cells: f64, queries: f64) {
        self.cells += cells;
        self.queries += queries;
    }
}

/// Parts of all feeds.
#[derive(Default)]
struct Parts {
    /// Clients of each feed before.
    has: BTreeMap<FeedName, Part>,
    /// Clients that go from one feed to another.
    goes: BTreeMap<(FeedName, FeedName), Part>,
}

impl Parts {
    /// Adds the clients of a policy change; `feed_of` gives the feed that measures a PoP.
    fn add(
        &mut self,
        policy_change: &PolicyChange<ALL_CLIENTS>,
        queries: &CountedQueries<'_>,
        feed_of: impl Fn(&Arc<str>) -> Option<FeedName>,
    ) {
        let [flow] = &policy_change.flows;
        let feed = |answered: &Answered| match answered {
            Answered::Pop(pop) => feed_of(pop),
            Answered::Cname(_) | Answered::Nothing | Answered::Records => None,
        };
        for (from, weight) in &flow.before {
            let Some(feed) = feed(from) else { continue };
            self.has.entry(feed).or_default().add(weight / flow.whole, queries.of(policy_change, from));
        }
        for (from, to) in flow.moves.keys() {
            let (Some(source), Some(target)) = (feed(from), feed(to)) else { continue };
            let part = self.goes.entry((source, target)).or_default();
            part.add(flow.share(from, to), queries.moved(policy_change, from, to));
        }
    }
}

/// Load that PoPs gain. The load of a feed is assumed to move in proportion to its queries, or to
/// its cells if no query was counted. A service with a feed of its own is measured by that feed,
/// other services by the feed of the whole PoP.
fn gains(
    before: &Snapshot,
    policy_changes: &[PolicyChange<ALL_CLIENTS>],
    queries: &CountedQueries<'_>,
    loads: &MeasuredLoads,
) -> Vec<Gain> {
    let policies = before.steering.policies.iter().zip(&before.policies[..]);
    let services: BTreeMap<&str, &Arc<str>> =
        policies.map(|(table, scoped)| (&*table.name, &scoped.policy.service)).collect();
    let mut parts = Parts::default();
    for policy_change in policy_changes {
        let service = services.get(&*policy_change.policy).map(|service| Arc::clone(service));
        parts.add(policy_change, queries, |pop| {
            [service.clone(), None]
                .into_iter()
                .map(|service| FeedName { pop: pop.clone(), service })
                .find(|feed| loads.contains_key(feed))
        });
    }
    let mut added: BTreeMap<FeedName, f64> = BTreeMap::new();
    for ((source, target), part) in parts.goes {
        let (Some(carried), Some(all)) = (loads.get(&source), parts.has.get(&source)) else { continue };
        let share = if all.queries > 0.0 {
            part.queries / all.queries
        } else {
            part.cells / all.cells.max(f64::MIN_POSITIVE)
        };
        *added.entry(target).or_default() += carried.load * share.min(1.0);
    }
    let gain = |(feed, added)| Some(Gain { before: *loads.get(&feed)?, feed, added });
    added.into_iter().filter_map(gain).collect()
}
