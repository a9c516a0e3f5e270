//! A prediction: what a change would move, told before it is made.
//!
//! Cells are asked policy by policy ([`forecast`]); over all policies together they are weighted by the queries
//! that this node has counted, since a policy that nobody asks moves nobody.

use super::tally::Decisions;
use crate::limits::{FORECAST_CLIENTS_MAX, FORECAST_SAMPLES_MIN};
use crate::snapshot::Snapshot;
use crate::snapshot::forecast::{Answered, PolicyForecast, SAMPLES, forecast};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a PoP carries, in the unit of its feed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Carried {
    /// Load now.
    pub load: f64,
    /// Load that it can carry.
    pub capacity: f64,
}

/// What a PoP carries by its name; `None` where no feed tells.
pub type Loads = Arc<dyn Fn(&str) -> Option<Carried> + Send + Sync>;

/// Clients that go from one answer to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// Answer before.
    pub from: String,
    /// Answer after.
    pub to: String,
    /// Share of all cells that go this way, 0 to 1.
    pub cells: f64,
    /// Share of the counted queries that go this way, 0 to 1; `None` where none was counted.
    pub queries: Option<f64>,
}

/// Load that a PoP gains.
#[derive(Clone, Debug, PartialEq)]
pub struct Gain {
    /// Its name.
    pub pop: Arc<str>,
    /// Load that comes to it, in the unit of its feed.
    pub added: f64,
    /// What it carries before.
    pub before: Carried,
}

/// What a change would move.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prediction {
    /// Over all policies, the largest first.
    pub moves: Vec<Move>,
    /// Policy by policy, those without a move left out.
    pub policies: Vec<(Arc<str>, Vec<Move>)>,
    /// PoPs that gain load, where their load and capacity are known.
    pub gains: Vec<Gain>,
    /// Clients asked of each family and policy.
    pub samples: u32,
}

/// Asks clients before and after. The more policies, the fewer clients of each, so that it never takes long.
pub fn predict(before: &Snapshot, after: &Snapshot, counted: &Decisions, loads: &Loads) -> Prediction {
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
    prediction.gains = gains(&whole, &forecasts, &queries, loads);
    let share = |moved: f64| (queries.all > 0.0).then(|| moved / queries.all);
    prediction.moves = sorted(whole.iter().map(|((from, to), (cells, moved))| one(from, to, *cells, share(*moved))).collect());
    prediction
}

fn one(from: &Answered, to: &Answered, cells: f64, queries: Option<f64>) -> Move {
    Move { from: from.to_string(), to: to.to_string(), cells, queries }
}

fn sorted(mut moves: Vec<Move>) -> Vec<Move> {
    moves.sort_by(|a, b| b.queries.unwrap_or(b.cells).total_cmp(&a.queries.unwrap_or(a.cells)).then_with(|| b.cells.total_cmp(&a.cells)));
    moves
}

/// The load of a PoP goes where its queries go; its cells, while none was counted.
fn gains(
    whole: &BTreeMap<(&Answered, &Answered), (f64, f64)>,
    forecasts: &[PolicyForecast],
    queries: &Queries,
    loads: &Loads,
) -> Vec<Gain> {
    let mut gains: BTreeMap<Arc<str>, f64> = BTreeMap::new();
    for ((from, to), (cells, moved)) in whole {
        let (Answered::Pop(from_pop), Answered::Pop(to_pop)) = (from, to) else { continue };
        let Some(carried) = loads(from_pop) else { continue };
        let counted: f64 = forecasts.iter().map(|policy| queries.of(&policy.policy, from)).sum();
        let asked = |policy: &PolicyForecast| f64::from(*policy.before.get(from).unwrap_or(&0)) / f64::from(policy.samples.max(1));
        let held = forecasts.iter().map(asked).sum::<f64>() / forecasts.len().max(1) as f64;
        let share = if counted > 0.0 { moved / counted } else { cells / held.max(f64::MIN_POSITIVE) };
        *gains.entry(to_pop.clone()).or_default() += carried.load * share.min(1.0);
    }
    gains.into_iter().filter_map(|(pop, added)| loads(&pop).map(|before| Gain { pop, added, before })).collect()
}

/// Queries counted, by policy and PoP.
struct Queries<'d> {
    by: BTreeMap<(&'d str, &'d str), f64>,
    all: f64,
}

impl Queries<'_> {
    fn new(counted: &Decisions) -> Queries<'_> {
        let by: BTreeMap<_, _> = counted.by_pop().map(|(policy, pop, count)| ((policy, pop), count as f64)).collect();
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
