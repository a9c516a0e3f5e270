//! Comparison of files: the clients that other files would move, as shares of space and of queries.

use super::answered::{Answered, Side};
use super::flow::{After, Asked, NameSeeds, PolicyChange};
use super::moves::{CountedQueries, Moves};
use super::names::{self, End, Losses, NameWay};
use super::resolvers::ResolverMoves;
use super::sample::{Client, every_leaf};
use crate::limits::LOSSES_TOLD_MAX;
use crate::snapshot::Snapshot;
use std::net::IpAddr;

/// Flows of IPv4 addresses and of IPv6 leaves.
pub(crate) const FAMILIES: usize = 2;

/// Impact of other files.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Clients that move; the policy changes are sorted by their policies.
    pub(crate) moves: Moves<FAMILIES>,
    /// Names that lose all their addresses of a family.
    pub(crate) losses: Losses,
    /// Resolvers that move.
    pub(crate) resolvers: ResolverMoves,
}

impl Comparison {
    /// Compares two snapshots; `counted` are queries of the first: policy, PoP and number.
    pub fn new<'d>(
        before: &Snapshot,
        after: &Snapshot,
        counted: impl Iterator<Item = (&'d str, &'d str, u64)>,
    ) -> Comparison {
        let Replay { policy_changes, losses } = replay(before, after, LOSSES_TOLD_MAX);
        let queries = CountedQueries::new(counted, &policy_changes);
        let resolvers = ResolverMoves::new(before, after);
        Comparison { moves: Moves::new(policy_changes, &queries), losses, resolvers }
    }

    /// Shares of IPv4 addresses and of IPv6 leaves that move.
    pub fn moved_space(&self) -> [f64; FAMILIES] {
        self.moves.moved.space
    }

    /// Share of the counted queries that moves; `None` where none was counted.
    pub fn moved_queries(&self) -> Option<f64> {
        self.moves.moved.queries
    }
}

/// Policy changes, and names that lose their addresses.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Policy changes, sorted by policies.
    pub policy_changes: Vec<PolicyChange<FAMILIES>>,
    /// Names that lose all their addresses of a family.
    pub losses: Losses,
}

/// Computes the answers to every leaf before and after, for each steered name of `before`, and for
/// each alias that led to a steered name and now leads elsewhere. Keeps at most `losses_max` losses
/// by name.
pub fn replay(before: &Snapshot, after: &Snapshot, losses_max: usize) -> Replay {
    let names = names::compared(before, after, losses_max);
    let mut policy_changes: Vec<_> =
        names.ways.iter().map(|(way, names)| policy_change((before, after), *way, names)).collect();
    policy_changes.sort_by(|a, b| (&a.policy, &a.to).cmp(&(&b.policy, &b.to)));
    Replay { policy_changes, losses: names.losses }
}

/// Policy change of the names with one pair of policies.
fn policy_change(
    (before, after): (&Snapshot, &Snapshot),
    way: NameWay,
    names: &[NameSeeds],
) -> PolicyChange<FAMILIES> {
    let before = Side { snapshot: before, policy: way.policy };
    let after = match way.end {
        End::Policy(policy) => After::Policy(Side { snapshot: after, policy }),
        End::Records => After::Answer(Answered::Records),
        End::Nothing => After::Answer(Answered::Nothing),
    };
    let to = match &after {
        After::Policy(side) => Some(side.table().name.clone()),
        After::Answer(_) => None,
    };
    let asked = Asked { before, after, names };
    let flows = asked.flows(every_leaf(&asked.sides()), |client: &Client| match client.address {
        IpAddr::V4(_) => 0,
        IpAddr::V6(_) => 1,
    });
    PolicyChange { policy: before.table().name.clone(), to, names: names.len(), flows }
}
