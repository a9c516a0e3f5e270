//! A prediction: what a change would move, told before it is made.
//!
//! Cells are asked policy by policy ([`forecast`]); over all policies together they are weighted by
//! the queries that this node has counted, since a policy that nobody asks moves nobody.

use super::forecast::{Answered, PolicyForecast, SAMPLES, forecast};
use crate::limits::{FORECAST_CLIENTS_MAX, FORECAST_SAMPLES_MIN};
use crate::shared::decisions::Decisions;
use crate::snapshot::Snapshot;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What a PoP carries, in the unit of its feed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasuredLoad {
    /// Load now.
    pub load: f64,
    /// Load that it can carry.
    pub capacity: f64,
}

/// A feed: a PoP's name, and the service whose load it is; `None` for the whole PoP.
pub(crate) type FeedName = (Arc<str>, Option<Arc<str>>);

/// What PoPs carry, by feed.
pub type MeasuredLoads = HashMap<FeedName, MeasuredLoad>;

/// Clients that go from one answer to another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Move {
    /// Answer before.
    pub(crate) from: String,
    /// Answer after.
    pub(crate) to: String,
    /// Share of all cells that go this way, 0 to 1.
    pub(crate) cells: f64,
    /// Share of the counted queries that go this way, 0 to 1; `None` where none was counted.
    pub(crate) queries: Option<f64>,
}

/// Load that a PoP gains.
#[derive(Clone, Debug, PartialEq)]
pub struct Gain {
    /// Its name.
    pub pop: Arc<str>,
    /// The service; `None` for the whole PoP.
    pub service: Option<Arc<str>>,
    /// Load that comes to it, in the unit of its feed.
    pub added: f64,
    /// What it carries before.
    pub before: MeasuredLoad,
}

/// What a change would move.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prediction {
    /// Over all policies, the largest first.
    pub(crate) moves: Vec<Move>,
    /// Policy by policy, those without a move left out.
    pub(crate) policies: Vec<(Arc<str>, Vec<Move>)>,
    /// PoPs that gain load, where their load and capacity are known.
    pub gains: Vec<Gain>,
    /// Clients asked of each family and policy.
    pub(crate) samples: u32,
}

/// Asks clients before and after. The more policies, the fewer clients of each, so that it never
/// takes long.
pub fn predict(
    before: &Snapshot,
    after: &Snapshot,
    counted: &Decisions,
    loads: &MeasuredLoads,
) -> Prediction {
    let policies = before.steering.policies.len().max(1) as u32;
    let samples = (FORECAST_CLIENTS_MAX / policies / 2).clamp(FORECAST_SAMPLES_MIN, SAMPLES);
    let forecasts = forecast(before, after, samples);
    let queries = Queries::new(counted);
    let mut prediction = Prediction { samples, ..Prediction::default() };
    let mut whole: BTreeMap<(&Answered, &Answered), (f64, f64)> = BTreeMap::new();
    for policy in &forecasts {
        let mut moves = Vec::new();
        for ((from, to), count) in &policy.moves {
            let cells = f64::from(*count) / f64::from(policy.samples.max(1));
            let moved = queries.of(&policy.policy, from) * policy.share_of(from, to);
            let sum = whole.entry((from, to)).or_default();
            *sum = (sum.0 + cells / forecasts.len() as f64, sum.1 + moved);
            let of_policy = queries.of_policy(&policy.policy);
            moves.push(one(from, to, cells, (of_policy > 0.0).then(|| moved / of_policy)));
        }
        if !moves.is_empty() {
            prediction.policies.push((policy.policy.clone(), sorted(moves)));
        }
    }
    prediction.gains = gains(before, &forecasts, &queries, loads);
    let share = |moved: f64| (queries.all > 0.0).then(|| moved / queries.all);
    prediction.moves = sorted(
        whole.iter().map(|((from, to), (cells, moved))| one(from, to, *cells, share(*moved))).collect(),
    );
    prediction
}

fn one(from: &Answered, to: &Answered, cells: f64, queries: Option<f64>) -> Move {
    Move { from: from.to_string(), to: to.to_string(), cells, queries }
}

fn sorted(mut moves: Vec<Move>) -> Vec<Move> {
    moves.sort_by(|a, b| {
        b.queries
            .unwrap_or(b.cells)
            .total_cmp(&a.queries.unwrap_or(a.cells))
            .then_with(|| b.cells.total_cmp(&a.cells))
    });
    moves
}

/// What a feed has, and what of it goes to another: cells, and counted queries.
#[derive(Clone, Copy, Default)]
struct Part {
    cells: f64,
    queries: f64,
}

/// The load of a feed goes where its queries go; its cells, while none was counted. A service with
/// a feed of its own is measured by it, and the others by that of the whole PoP.
fn gains(
    before: &Snapshot,
    forecasts: &[PolicyForecast],
    queries: &Queries,
    loads: &MeasuredLoads,
) -> Vec<Gain> {
    let services: BTreeMap<&str, &Arc<str>> = before
        .steering
        .policies
        .iter()
        .zip(&before.policies[..])
        .map(|(table, scoped)| (&*table.name, &scoped.policy.service))
        .collect();
    let meter = |policy: &str, pop: &Arc<str>| {
        let own = (pop.clone(), services.get(policy).map(|service| (*service).clone()));
        [own, (pop.clone(), None)].into_iter().find(|meter| loads.contains_key(meter))
    };
    let (mut has, mut goes) =
        (BTreeMap::<FeedName, Part>::new(), BTreeMap::<(FeedName, FeedName), Part>::new());
    for policy in forecasts {
        let share = |count: u32| f64::from(count) / f64::from(policy.samples.max(1));
        for (from, count) in &policy.before {
            let Answered::Pop(pop) = from else { continue };
            let Some(meter) = meter(&policy.policy, pop) else { continue };
            let part = has.entry(meter).or_default();
            (part.cells, part.queries) =
                (part.cells + share(*count), part.queries + queries.of(&policy.policy, from));
        }
        for ((from, to), count) in &policy.moves {
            let (Answered::Pop(from_pop), Answered::Pop(to_pop)) = (from, to) else { continue };
            let (Some(of), Some(at)) = (meter(&policy.policy, from_pop), meter(&policy.policy, to_pop))
            else {
                continue;
            };
            let part = goes.entry((of, at)).or_default();
            part.cells += share(*count);
            part.queries += queries.of(&policy.policy, from) * policy.share_of(from, to);
        }
    }
    let mut gains: BTreeMap<FeedName, f64> = BTreeMap::new();
    for ((of, at), part) in goes {
        let (Some(carried), Some(all)) = (loads.get(&of), has.get(&of)) else { continue };
        let share = if all.queries > 0.0 {
            part.queries / all.queries
        } else {
            part.cells / all.cells.max(f64::MIN_POSITIVE)
        };
        *gains.entry(at).or_default() += carried.load * share.min(1.0);
    }
    let gain = |(meter, added): (FeedName, f64)| {
        let before = *loads.get(&meter)?;
        Some(Gain { pop: meter.0.clone(), service: meter.1.clone(), added, before })
    };
    gains.into_iter().filter_map(gain).collect()
}

/// Queries counted, by policy and PoP.
struct Queries<'d> {
    by: BTreeMap<(&'d str, &'d str), f64>,
    all: f64,
}

impl Queries<'_> {
    fn new(counted: &Decisions) -> Queries<'_> {
        let by: BTreeMap<_, _> =
            counted.by_pop().map(|(policy, pop, count)| ((policy, pop), count as f64)).collect();
        let all = by.values().sum();
        Queries { by, all }
    }

    fn of(&self, policy: &str, answered: &Answered) -> f64 {
        match answered {
            Answered::Pop(pop) => self.by.get(&(policy, &**pop)).copied().unwrap_or(0.0),
            Answered::Cname(_) | Answered::Nothing | Answered::Records => 0.0,
        }
    }

    fn of_policy(&self, policy: &str) -> f64 {
        self.by.range((policy, "")..).take_while(|((of, _), _)| *of == policy).map(|(_, count)| count).sum()
    }
}
