//! What a change would move: clients asked before and after, policy by policy.
//!
//! Clients are sampled: IPv4 evenly over the usable address space, IPv6 evenly over the networks
//! that the routes know (most of its space is empty). The same clients are asked in every run, so
//! two nodes with equal snapshots forecast alike. With the default number of samples a share is
//! right to about one per cent of the whole.

use crate::snapshot::Snapshot;
use crate::snapshot::locate::QuerySource;
use crate::steer::choose::{Choice, NoChoiceTrace, choose};
use crate::steer::table::{PolicyTable, REDIRECT};
use crate::wire::ecs::ClientSubnet;
use crate::wire::hash::mix;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Samples of each family and policy: an error of one per cent is below what anybody plans for.
pub const SAMPLES: u32 = 4_096;

/// What a client is answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answered {
    /// Addresses of a PoP.
    Pop(Arc<str>),
    /// A CNAME.
    Cname(String),
    /// No address: no data, or SERVFAIL.
    Nothing,
    /// Records that the zone has: the name is not steered.
    Records,
}

impl std::fmt::Display for Answered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Answered::Pop(pop) => f.write_str(pop),
            Answered::Cname(name) => write!(f, "CNAME {name}"),
            Answered::Nothing => f.write_str("nothing"),
            Answered::Records => f.write_str("records"),
        }
    }
}

/// What happens to a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyForecast {
    /// Its name.
    pub policy: Arc<str>,
    /// Clients asked.
    pub samples: u32,
    /// Of these, how many each answer had before.
    pub before: BTreeMap<Answered, u32>,
    /// Clients whose answer changes: from, to, how many.
    pub moves: BTreeMap<(Answered, Answered), u32>,
}

impl PolicyForecast {
    /// Share of the clients that move, 0 to 1.
    pub fn moved(&self) -> f64 {
        f64::from(self.moves.values().sum::<u32>()) / f64::from(self.samples.max(1))
    }

    /// Of the clients of `from`, the share that goes to `to`, 0 to 1.
    pub fn share_of(&self, from: &Answered, to: &Answered) -> f64 {
        let moved = self.moves.get(&(from.clone(), to.clone())).copied().unwrap_or(0);
        f64::from(moved) / f64::from(self.before.get(from).copied().unwrap_or(0).max(1))
    }
}

/// Asks `samples` clients of each family and policy that both snapshots have, before and after.
/// Policies without a move are listed too.
pub fn forecast(before: &Snapshot, after: &Snapshot, samples: u32) -> Vec<PolicyForecast> {
    let old = before.steering.policies.iter().enumerate();
    old.filter_map(|(index, policy)| {
        let other = after.steering.policies.iter().position(|p| p.name == policy.name)?;
        Some(of_policy((before, index as u32), (after, other as u32), samples))
    })
    .collect()
}

fn of_policy(old: (&Snapshot, u32), new: (&Snapshot, u32), samples: u32) -> PolicyForecast {
    let policy = &old.0.steering.policies[old.1 as usize];
    let mut forecast = PolicyForecast {
        policy: policy.name.clone(),
        samples: 0,
        before: BTreeMap::new(),
        moves: BTreeMap::new(),
    };
    for (number, address) in clients(policy, samples).enumerate() {
        // Names share independently of each other, so each sample is another name.
        let owner = mix(number as u64, 0x666f_7265_6361_7374);
        // A policy that tells nobody apart does not know special-purpose addresses; the other side
        // may.
        let (Some(was), Some(is)) = (answered(old, address, owner), answered(new, address, owner)) else {
            continue;
        };
        forecast.samples += 1;
        *forecast.before.entry(was.clone()).or_default() += 1;
        if was != is {
            *forecast.moves.entry((was, is)).or_default() += 1;
        }
    }
    forecast
}

/// The clients that are asked.
fn clients(policy: &PolicyTable, samples: u32) -> impl Iterator<Item = IpAddr> {
    let step = (1u64 << 32) / u64::from(samples.max(1));
    let v4 = (0..u64::from(samples)).map(move |n| {
        let bits = n * step + mix(n, 4) % step.max(1);
        IpAddr::V4(Ipv4Addr::from_bits(bits as u32))
    });
    let leaves: Vec<_> = policy.cell_routes[0].v6.blocks().filter(|leaf| leaf.value != REDIRECT).collect();
    let count = u64::from(if leaves.is_empty() { 0 } else { samples });
    let v6 = (0..count).map(move |n| {
        let leaf = &leaves[(n as usize) * leaves.len() / count as usize];
        let hosts = if leaf.len == 0 { u128::MAX } else { (1u128 << (128 - leaf.len)) - 1 };
        let random = u128::from(mix(n, 6)) << 64 | u128::from(mix(n, 7));
        IpAddr::V6(Ipv6Addr::from_bits(leaf.start | random & hosts))
    });
    v4.chain(v6)
}

/// What a client is answered by a policy; `None` for an address that is no client's.
pub(super) fn answered((snapshot, index): (&Snapshot, u32), address: IpAddr, owner: u64) -> Option<Answered> {
    let subnet = ClientSubnet::host(address);
    let query_source = QuerySource { resolver: address, subnet: Some(&subnet) };
    let lookup = query_source.lookup(snapshot, index)?;
    let decision = query_source.decide(&lookup, lookup.leaf(), owner, owner);
    if decision.is_special {
        return None;
    }
    let (policy, view) = (lookup.policy, lookup.view);
    let question = snapshot.question(policy, decision.preference_list, view, None);
    Some(match choose(question, &|| decision.key(), &mut NoChoiceTrace).0 {
        Choice::Pop { pop, .. } => Answered::Pop(snapshot.steering.pops[usize::from(pop.0)].name.clone()),
        Choice::Cname(cname) => Answered::Cname(
            policy.cnames.get(usize::from(cname)).map_or_else(String::new, ToString::to_string),
        ),
        Choice::NoData | Choice::ServFail => Answered::Nothing,
    })
}
