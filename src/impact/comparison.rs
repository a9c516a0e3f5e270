//! A comparison: what other files would move, told before they are taken over.
//!
//! Passages of names ([`replay`]) are weighted by their names, and by the queries that were counted
//! for their policies.

use super::forecast::Answered;
use super::replay::{Pair, Passage, Replay, replay};
use crate::limits::LOSSES_TOLD_MAX;
use crate::shared::decisions::Decisions;
use crate::snapshot::Snapshot;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Clients that go from one answer to another; shares are 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MovedShare {
    /// Of IPv4 addresses, and of IPv6 leaves.
    pub space: Pair<f64>,
    /// Of counted queries; `None` where none was counted.
    pub queries: Option<f64>,
}

impl MovedShare {
    /// The largest of all: what a bound is held against.
    pub(crate) fn largest(&self) -> f64 {
        self.space.into_iter().chain(self.queries).fold(0.0, f64::max)
    }

    fn add(&mut self, other: &MovedShare, weight: f64) {
        (0..2).for_each(|family| self.space[family] += other.space[family] * weight);
    }

    fn json(&self) -> Value {
        json!({ "ipv4": self.space[0], "ipv6": self.space[1], "queries": self.queries })
    }
}

/// A passage with its shares of its own clients.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Way {
    /// Policy, the policy after, names; its flows are told as shares.
    pub(crate) passage: Passage,
    /// Who moves at all.
    pub(crate) moved: MovedShare,
    /// From, to, and how many; the largest first.
    pub(crate) moves: Vec<(Answered, Answered, MovedShare)>,
}

/// What other files would move.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Over all steered names.
    pub moved: MovedShare,
    /// From, to, over all steered names; the largest first.
    pub(crate) moves: Vec<(Answered, Answered, MovedShare)>,
    /// Each passage.
    pub(crate) ways: Vec<Way>,
    /// Names that lose a family, and how many there are.
    pub(crate) replay: Replay,
}

impl Comparison {
    /// Compares two snapshots; `counted` are queries of the first.
    pub fn new(before: &Snapshot, after: &Snapshot, counted: &Decisions) -> Comparison {
        let mut replay = replay(before, after, LOSSES_TOLD_MAX);
        let passages = std::mem::take(&mut replay.passages);
        let queries = Counts::new(counted, &passages);
        let names = passages.iter().map(|passage| passage.names).sum::<usize>().max(1) as f64;
        let (mut moved, mut all) =
            (MovedShare::default(), BTreeMap::<(Answered, Answered), MovedShare>::new());
        let (mut ways, mut moved_queries) = (Vec::new(), 0.0);
        for passage in passages {
            let of_passage = queries.of_passage(&passage);
            let mut way = Way { moved: MovedShare::default(), moves: Vec::new(), passage };
            let mut gone = 0.0;
            for (from, to) in ways_of(&way.passage) {
                let counted = queries.of(&way.passage, &from) * share_of(&way.passage, &from, &to);
                let space = [0, 1].map(|family| way.passage.flows[family].share(&from, &to));
                let share = MovedShare { space, queries: (of_passage > 0.0).then(|| counted / of_passage) };
                gone += counted;
                way.moved.add(&share, 1.0);
                let sum = all.entry((from.clone(), to.clone())).or_default();
                sum.add(&share, way.passage.names as f64 / names);
                sum.queries = (queries.all > 0.0).then(|| sum.queries.unwrap_or(0.0) + counted / queries.all);
                way.moves.push((from, to, share));
            }
            way.moved.queries = (of_passage > 0.0).then(|| gone / of_passage);
            moved.add(&way.moved, way.passage.names as f64 / names);
            moved_queries += gone;
            sort(&mut way.moves);
            ways.push(way);
        }
        moved.queries = (queries.all > 0.0).then(|| moved_queries / queries.all);
        let mut moves: Vec<_> = all.into_iter().map(|((from, to), share)| (from, to, share)).collect();
        sort(&mut moves);
        Comparison { moved, moves, ways, replay }
    }

    /// For programs. `assumed` says what both sides were taken to be.
    pub(crate) fn json(&self, assumed: &str) -> Value {
        let moves = |moves: &[(Answered, Answered, MovedShare)]| -> Value {
            let one = |(from, to, share): &(Answered, Answered, MovedShare)| {
                with(share.json(), json!({ "from": from.to_string(), "to": to.to_string() }))
            };
            moves.iter().map(one).collect()
        };
        let way = |way: &Way| {
            let of = json!({
                "policy": &*way.passage.policy,
                "then": way.passage.to.as_deref(),
                "names": way.passage.names,
            });
            with(with(way.moved.json(), of), json!({ "moves": moves(&way.moves) }))
        };
        let lost: Vec<Value> = self
            .replay
            .losses
            .iter()
            .map(|loss| json!({ "name": loss.name, "type": loss.rtype.to_string() }))
            .collect();
        json!({
            "assumed": assumed,
            "moved": self.moved.json(),
            "moves": moves(&self.moves),
            "policies": self.ways.iter().map(way).collect::<Vec<_>>(),
            "lost": lost,
            "lost_in_all": self.replay.lost,
        })
    }
}

fn with(mut value: Value, more: Value) -> Value {
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}

fn sort(moves: &mut [(Answered, Answered, MovedShare)]) {
    moves.sort_by(|(.., a), (.., b)| b.largest().total_cmp(&a.largest()));
}

/// Every way that a client of a passage goes.
fn ways_of(passage: &Passage) -> Vec<(Answered, Answered)> {
    let mut ways: Vec<_> = passage.flows.iter().flat_map(|flow| flow.moves.keys().cloned()).collect();
    ways.sort();
    ways.dedup();
    ways
}

/// Of the clients of `from`, the part that goes to `to`: queries are not counted by family, so the
/// mean of those that know it.
fn share_of(passage: &Passage, from: &Answered, to: &Answered) -> f64 {
    let known = passage.flows.iter().filter(|flow| flow.before.contains_key(from));
    let count = known.clone().count().max(1);
    known.map(|flow| flow.share_of(from, to)).sum::<f64>() / count as f64
}

/// Queries counted, by policy and PoP; names of one policy are taken to be asked alike.
struct Counts<'d> {
    by: BTreeMap<(&'d str, &'d str), f64>,
    names: BTreeMap<String, usize>,
    all: f64,
}

impl<'d> Counts<'d> {
    fn new(counted: &'d Decisions, passages: &[Passage]) -> Counts<'d> {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        passages
            .iter()
            .for_each(|passage| *names.entry(passage.policy.to_string()).or_default() += passage.names);
        // What was counted for a policy that is gone since moves nobody now.
        let by: BTreeMap<_, _> = (counted.by_pop().filter(|(policy, ..)| names.contains_key(*policy)))
            .map(|(policy, pop, count)| ((policy, pop), count as f64))
            .collect();
        let all = by.values().sum();
        Counts { by, names, all }
    }

    fn part(&self, passage: &Passage) -> f64 {
        passage.names as f64 / self.names.get(&*passage.policy).copied().unwrap_or(1).max(1) as f64
    }

    fn of(&self, passage: &Passage, answered: &Answered) -> f64 {
        let Answered::Pop(pop) = answered else { return 0.0 };
        self.by.get(&(&*passage.policy, &**pop)).map_or(0.0, |count| count * self.part(passage))
    }

    fn of_passage(&self, passage: &Passage) -> f64 {
        let counts = self
            .by
            .range((&*passage.policy, "")..)
            .take_while(|((policy, _), _)| *policy == &*passage.policy);
        counts.map(|(_, count)| count).sum::<f64>() * self.part(passage)
    }
}
