//! Moves: flows as shares, over all passages and in each, of space and of counted queries.
//!
//! Over all passages, space is weighted by names, and queries by how many this node has counted: a
//! policy without queries moves none.

use super::answered::Answered;
use super::flow::Passage;
use std::collections::BTreeMap;

/// Clients that move, as shares from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MovedShare<const N: usize> {
    /// Shares of space, one for each flow of a passage.
    pub space: [f64; N],
    /// Share of the counted queries; `None` where none was counted.
    pub queries: Option<f64>,
}

impl<const N: usize> MovedShare<N> {
    fn none() -> Self {
        MovedShare { space: [0.0; N], queries: None }
    }

    /// The largest of all shares.
    fn largest(&self) -> f64 {
        self.space.into_iter().chain(self.queries).fold(0.0, f64::max)
    }

    fn add_space(&mut self, other: &Self, weight: f64) {
        self.space.iter_mut().zip(other.space).for_each(|(sum, share)| *sum += share * weight);
    }
}

/// Clients that go from one answer to another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Move<const N: usize> {
    /// Answer before.
    pub(crate) from: Answered,
    /// Answer after.
    pub(crate) to: Answered,
    /// Share of the clients.
    pub(crate) share: MovedShare<N>,
}

/// A passage with its moves, as shares of its own clients.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PassageMoves<const N: usize> {
    /// The passage.
    pub(crate) passage: Passage<N>,
    /// All clients that move.
    pub(crate) moved: MovedShare<N>,
    /// Each way, the largest first.
    pub(crate) moves: Vec<Move<N>>,
}

/// All moves of a change.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moves<const N: usize> {
    /// All clients that move.
    pub(crate) moved: MovedShare<N>,
    /// Each way over all passages, the largest first.
    pub(crate) moves: Vec<Move<N>>,
    /// Each passage, in the order in which they were given.
    pub(crate) passages: Vec<PassageMoves<N>>,
}

impl<const N: usize> Moves<N> {
    /// Weighs the flows of passages.
    pub(crate) fn new(passages: Vec<Passage<N>>, queries: &CountedQueries<'_>) -> Moves<N> {
        let names = passages.iter().map(|passage| passage.names).sum::<usize>().max(1) as f64;
        let share_of_all = |count: f64| (queries.all > 0.0).then(|| count / queries.all);
        let mut moved = MovedShare::none();
        let mut moved_queries = 0.0;
        let mut sums = BTreeMap::<(Answered, Answered), (MovedShare<N>, f64)>::new();
        let mut weighed = Vec::new();
        for passage in passages {
            let weight = passage.names as f64 / names;
            let of_passage = queries.of_passage(&passage);
            let share_of_passage = |count: f64| (of_passage > 0.0).then(|| count / of_passage);
            let mut all = PassageMoves { moved: MovedShare::none(), moves: Vec::new(), passage };
            let mut all_queries = 0.0;
            for (from, to) in all.passage.ways() {
                let count = queries.moved(&all.passage, &from, &to);
                let space = std::array::from_fn(|flow| all.passage.flows[flow].share(&from, &to));
                let share = MovedShare { space, queries: share_of_passage(count) };
                all_queries += count;
                all.moved.add_space(&share, 1.0);
                let (sum, sum_queries) =
                    sums.entry((from.clone(), to.clone())).or_insert_with(|| (MovedShare::none(), 0.0));
                sum.add_space(&share, weight);
                *sum_queries += count;
                all.moves.push(Move { from, to, share });
            }
            all.moved.queries = share_of_passage(all_queries);
            moved.add_space(&all.moved, weight);
            moved_queries += all_queries;
            sort(&mut all.moves);
            weighed.push(all);
        }
        moved.queries = share_of_all(moved_queries);
        let sums = sums.into_iter().map(|((from, to), (share, count))| {
            let share = MovedShare { queries: share_of_all(count), ..share };
            Move { from, to, share }
        });
        let mut moves: Vec<Move<N>> = sums.collect();
        sort(&mut moves);
        Moves { moved, moves, passages: weighed }
    }
}

fn sort<const N: usize>(moves: &mut [Move<N>]) {
    moves.sort_by(|a, b| b.share.largest().total_cmp(&a.share.largest()));
}

/// Queries counted, by policy and PoP. Names of one policy are assumed to be asked alike.
pub(crate) struct CountedQueries<'d> {
    by: BTreeMap<(&'d str, &'d str), f64>,
    /// Names of each policy.
    names: BTreeMap<String, usize>,
    all: f64,
}

impl<'d> CountedQueries<'d> {
    /// Queries for the policies of `passages`; `counted` gives policy, PoP and queries. Queries for
    /// a policy that is gone since move no client now.
    pub(crate) fn new<const N: usize>(
        counted: impl Iterator<Item = (&'d str, &'d str, u64)>,
        passages: &[Passage<N>],
    ) -> CountedQueries<'d> {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for passage in passages {
            *names.entry(passage.policy.to_string()).or_default() += passage.names;
        }
        let by: BTreeMap<_, _> = counted
            .filter(|(policy, ..)| names.contains_key(*policy))
            .map(|(policy, pop, count)| ((policy, pop), count as f64))
            .collect();
        CountedQueries { all: by.values().sum(), by, names }
    }

    /// Queries for the names of a passage that had this answer. Only answers with a PoP are
    /// counted.
    pub(crate) fn of<const N: usize>(&self, passage: &Passage<N>, answered: &Answered) -> f64 {
        match answered {
            Answered::Pop(pop) => {
                self.by.get(&(&*passage.policy, &**pop)).map_or(0.0, |count| count * self.part(passage))
            }
            Answered::Cname(_) | Answered::Nothing | Answered::Records => 0.0,
        }
    }

    /// Queries for the names of a passage that go from one answer to another.
    pub(crate) fn moved<const N: usize>(&self, passage: &Passage<N>, from: &Answered, to: &Answered) -> f64 {
        self.of(passage, from) * passage.share_of(from, to)
    }

    /// Queries for the names of a passage.
    fn of_passage<const N: usize>(&self, passage: &Passage<N>) -> f64 {
        let counts = self
            .by
            .range((&*passage.policy, "")..)
            .take_while(|((policy, _), _)| *policy == &*passage.policy);
        counts.map(|(_, count)| count).sum::<f64>() * self.part(passage)
    }

    /// Share of its policy's names that a passage has.
    fn part<const N: usize>(&self, passage: &Passage<N>) -> f64 {
        passage.names as f64 / self.names.get(&*passage.policy).copied().unwrap_or(1).max(1) as f64
    }
}

#[cfg(test)]
mod tests;
