//! Comparison: the clients that new files would move, computed before the files are in force.
//!
//! Passages of names ([`replay`]) are weighted by the number of their names, and by the queries
//! counted for their policies.

use super::decisions::Decisions;
use crate::limits::LOSSES_TOLD_MAX;
use crate::snapshot::Snapshot;
use crate::snapshot::forecast::Answered;
use crate::snapshot::replay::{Pair, Passage, Replay, replay};
use std::collections::BTreeMap;

/// Share of clients that move from one answer to another, 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MovedShare {
    /// Share of the IPv4 addresses, and of the IPv6 leaves.
    pub space: Pair<f64>,
    /// Share of the counted queries; `None` if none was counted.
    pub queries: Option<f64>,
}

impl MovedShare {
    /// Largest of the shares, to compare with a limit.
    pub(crate) fn largest(&self) -> f64 {
        self.space.into_iter().chain(self.queries).fold(0.0, f64::max)
    }

    fn add(&mut self, other: &MovedShare, weight: f64) {
        (0..2).for_each(|family| self.space[family] += other.space[family] * weight);
    }
}

/// Passage, with the shares of its own clients that move.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Way {
    /// Policy, new policy and names. Its flows are turned into the shares below.
    pub(crate) passage: Passage,
    /// All clients of the passage that move.
    pub(crate) moved: MovedShare,
    /// Old answer, new answer and share; the largest first.
    pub(crate) moves: Vec<(Answered, Answered, MovedShare)>,
}

/// Clients that new files would move.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Share over all steered names.
    pub moved: MovedShare,
    /// Old answer, new answer and share over all steered names; the largest first.
    pub(crate) moves: Vec<(Answered, Answered, MovedShare)>,
    /// Moves of each passage.
    pub(crate) ways: Vec<Way>,
    /// Names that lose an address family, and their number.
    pub(crate) replay: Replay,
}

impl Comparison {
    /// Compares two snapshots; `counted` holds the queries of the first.
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
}

fn sort(moves: &mut [(Answered, Answered, MovedShare)]) {
    moves.sort_by(|(.., a), (.., b)| b.largest().total_cmp(&a.largest()));
}

/// All moves in a passage, each once.
fn ways_of(passage: &Passage) -> Vec<(Answered, Answered)> {
    let mut ways: Vec<_> = passage.flows.iter().flat_map(|flow| flow.moves.keys().cloned()).collect();
    ways.sort();
    ways.dedup();
    ways
}

/// Share of the clients of `from` that move to `to`. Queries are not counted by address family, so
/// this is the mean over the families that have clients of `from`.
fn share_of(passage: &Passage, from: &Answered, to: &Answered) -> f64 {
    let known = passage.flows.iter().filter(|flow| flow.before.contains_key(from));
    let count = known.clone().count().max(1);
    known.map(|flow| flow.share_of(from, to)).sum::<f64>() / count as f64
}

/// Counted queries, by policy and PoP. The names of a policy are assumed to get equal numbers of
/// queries.
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
        // Queries of a policy that no longer exists would move no client.
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
