//! Moves: flows as shares of space and of counted queries, in all and for each policy change.
//!
//! The sum over all policy changes weights space by the number of names, and queries by the number
//! that this node has counted: a policy without queries moves none.

use super::answered::Answered;
use super::flow::PolicyChange;
use std::collections::BTreeMap;

/// Clients that move, as shares from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MovedShare<const N: usize> {
    /// Shares of space, one for each flow of a policy change.
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

/// A policy change with its moves, as shares of its own clients.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PolicyChangeMoves<const N: usize> {
    /// The policy change.
    pub(crate) policy_change: PolicyChange<N>,
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
    /// Each way over all policy changes, the largest first.
    pub(crate) moves: Vec<Move<N>>,
    /// Moves of each policy change, in the order of the argument of `new`.
    pub(crate) policy_changes: Vec<PolicyChangeMoves<N>>,
}

impl<const N: usize> Moves<N> {
    /// Weighs the flows of policy changes.
    pub(crate) fn new(policy_changes: Vec<PolicyChange<N>>, queries: &CountedQueries<'_>) -> Moves<N> {
        let names =
            policy_changes.iter().map(|policy_change| policy_change.names).sum::<usize>().max(1) as f64;
        let share_of_all = |count: f64| (queries.all > 0.0).then(|| count / queries.all);
        let mut moved = MovedShare::none();
        let mut moved_queries = 0.0;
        let mut sums = BTreeMap::<(Answered, Answered), (MovedShare<N>, f64)>::new();
        let mut weighed = Vec::new();
        for policy_change in policy_changes {
            let weight = policy_change.names as f64 / names;
            let of_policy_change = queries.of_policy_change(&policy_change);
            let share_of_policy_change =
                |count: f64| (of_policy_change > 0.0).then(|| count / of_policy_change);
            let mut all = PolicyChangeMoves { moved: MovedShare::none(), moves: Vec::new(), policy_change };
            let mut all_queries = 0.0;
            for (from, to) in all.policy_change.ways() {
                let count = queries.moved(&all.policy_change, &from, &to);
                let space = std::array::from_fn(|flow| all.policy_change.flows[flow].share(&from, &to));
                let share = MovedShare { space, queries: share_of_policy_change(count) };
                all_queries += count;
                all.moved.add_space(&share, 1.0);
                let (sum, sum_queries) =
                    sums.entry((from.clone(), to.clone())).or_insert_with(|| (MovedShare::none(), 0.0));
                sum.add_space(&share, weight);
                *sum_queries += count;
                all.moves.push(Move { from, to, share });
            }
            all.moved.queries = share_of_policy_change(all_queries);
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
        Moves { moved, moves, policy_changes: weighed }
    }
}

fn sort<const N: usize>(moves: &mut [Move<N>]) {
    moves.sort_by(|a, b| b.share.largest().total_cmp(&a.share.largest()));
}

/// Queries counted, by policy and PoP. All names of a policy are assumed to get equally many
/// queries.
pub(crate) struct CountedQueries<'d> {
    by: BTreeMap<(&'d str, &'d str), f64>,
    /// Names of each policy.
    names: BTreeMap<String, usize>,
    all: f64,
}

impl<'d> CountedQueries<'d> {
    /// Queries for the policies of `policy_changes`; `counted` gives policy, PoP and queries.
    /// Queries for a policy that no longer exists are left out, because no client of it can move.
    pub(crate) fn new<const N: usize>(
        counted: impl Iterator<Item = (&'d str, &'d str, u64)>,
        policy_changes: &[PolicyChange<N>],
    ) -> CountedQueries<'d> {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for policy_change in policy_changes {
            *names.entry(policy_change.policy.to_string()).or_default() += policy_change.names;
        }
        let by: BTreeMap<_, _> = counted
            .filter(|(policy, ..)| names.contains_key(*policy))
            .map(|(policy, pop, count)| ((policy, pop), count as f64))
            .collect();
        CountedQueries { all: by.values().sum(), by, names }
    }

    /// Queries for the names of a policy change that had this answer. Only answers with a PoP are
    /// counted.
    pub(crate) fn of<const N: usize>(&self, policy_change: &PolicyChange<N>, answered: &Answered) -> f64 {
        match answered {
            Answered::Pop(pop) => self
                .by
                .get(&(&*policy_change.policy, &**pop))
                .map_or(0.0, |count| count * self.part(policy_change)),
            Answered::Cname(_) | Answered::Nothing | Answered::Records => 0.0,
        }
    }

    /// Queries of a policy change whose clients go from one answer to another.
    pub(crate) fn moved<const N: usize>(
        &self,
        policy_change: &PolicyChange<N>,
        from: &Answered,
        to: &Answered,
    ) -> f64 {
        self.of(policy_change, from) * policy_change.share_of(from, to)
    }

    /// Queries for the names of a policy change.
    fn of_policy_change<const N: usize>(&self, policy_change: &PolicyChange<N>) -> f64 {
        let counts = self
            .by
            .range((&*policy_change.policy, "")..)
            .take_while(|((policy, _), _)| *policy == &*policy_change.policy);
        counts.map(|(_, count)| count).sum::<f64>() * self.part(policy_change)
    }

    /// Share of the policy's names that belong to a policy change.
    fn part<const N: usize>(&self, policy_change: &PolicyChange<N>) -> f64 {
        policy_change.names as f64
            / self.names.get(&*policy_change.policy).copied().unwrap_or(1).max(1) as f64
    }
}

#[cfg(test)]
mod tests;
