//! Resolvers that other files would move: networks in which a resolver without client subnet is
//! steered otherwise than a client subnet there, by the clients behind it or at full depth.
//!
//! The flows of [`super::comparison`] ask as client subnets, so they do not see these. There are
//! few of them, and their queries stand for clients elsewhere, so they are counted and not weighed.

use super::answered::Side;
use crate::geo::trie::Trie;
use crate::snapshot::Snapshot;
use crate::steer::policy::PolicyId;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks of resolvers, over all policies that both sides have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResolverMoves {
    /// Networks that either side steers for themselves.
    pub(crate) networks: usize,
    /// Networks whose resolvers get another PoP.
    pub(crate) moved: usize,
}

impl ResolverMoves {
    /// Asks as a resolver in each network, for each policy, before and after.
    pub(super) fn new(before: &Snapshot, after: &Snapshot) -> ResolverMoves {
        let mut moves = ResolverMoves::default();
        for (number, table) in PolicyId::in_order().zip(&before.steering.policies) {
            let policies = &after.steering.policies;
            let Some(then) = policies.iter().position(|policy| policy.name == table.name).map(PolicyId::at)
            else {
                continue;
            };
            let before = Side { snapshot: before, policy: number };
            let after = Side { snapshot: after, policy: then };
            let mut addresses = BTreeSet::new();
            for side in [before, after] {
                if let Some(routes) = side.table().routes.first() {
                    addresses.extend(addresses_of(routes));
                }
            }
            moves.networks += addresses.len();
            // One name speaks for all: the mixes decide by network, not by name.
            let is_moved =
                |address: &IpAddr| before.answered_to(*address, 0) != after.answered_to(*address, 0);
            moves.moved += addresses.iter().filter(|address| is_moved(address)).count();
        }
        moves
    }
}

/// The first addresses of the networks that are steered for themselves.
fn addresses_of(routes: &Trie) -> impl Iterator<Item = IpAddr> {
    let deeper = routes.deeper.as_deref();
    let v4 = deeper.into_iter().flat_map(|deeper| deeper.starts_v4());
    let v6 = deeper.into_iter().flat_map(|deeper| deeper.starts_v6());
    v4.map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)))
        .chain(v6.map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))))
}
