//! Answer of a policy to a client, as far as a change can move it.

use crate::snapshot::Snapshot;
use crate::snapshot::locate::QuerySource;
use crate::steer::choose::{Choice, NoChoiceTrace, choose};
use crate::steer::policy::PolicyId;
use crate::steer::table::PolicyTable;
use crate::wire::ecs::ClientSubnet;
use std::net::IpAddr;
use std::sync::Arc;

/// Answer to a client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answered {
    /// Addresses of a PoP.
    Pop(Arc<str>),
    /// A CNAME.
    Cname(String),
    /// No address: no data, or SERVFAIL.
    Nothing,
    /// Records of the zone: the name is not steered.
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

/// A policy of a snapshot: one side of a policy change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side<'s> {
    /// The snapshot.
    pub(super) snapshot: &'s Snapshot,
    /// The policy in it.
    pub(super) policy: PolicyId,
}

impl<'s> Side<'s> {
    /// Tables of the policy.
    pub(super) fn table(self) -> &'s PolicyTable {
        &self.snapshot.steering.policies[self.policy.index()]
    }

    /// The client's cell may decide.
    pub(super) fn is_by_cell(self) -> bool {
        self.snapshot.status.by_cell(self.policy, self.table())
    }

    /// Two clients may get different answers.
    pub(super) fn is_tailored(self) -> bool {
        self.table().located || self.is_by_cell()
    }

    /// Answer to the client at `address` that asks for the name of this seed; `None` for a
    /// special-purpose address, because no client has it.
    pub(super) fn answered(self, address: IpAddr, seed: u64) -> Option<Answered> {
        let subnet = ClientSubnet::host(address);
        self.answered_by(QuerySource { resolver: address, subnet: Some(&subnet) }, seed)
    }

    /// Answer to the resolver at `address` that sends no client subnet.
    pub(super) fn answered_to(self, address: IpAddr, seed: u64) -> Option<Answered> {
        self.answered_by(QuerySource { resolver: address, subnet: None }, seed)
    }

    fn answered_by(self, query_source: QuerySource<'_>, seed: u64) -> Option<Answered> {
        let lookup = query_source.lookup(self.snapshot, self.policy)?;
        let decision = query_source.decide(&lookup, lookup.leaf(), seed, seed);
        if decision.is_special {
            return None;
        }
        let (policy, view) = (lookup.policy, lookup.view);
        let question = self.snapshot.question(policy, decision.preference_list, view, None);
        let pops = &self.snapshot.steering.pops;
        Some(match choose(question, &|| decision.key(), &mut NoChoiceTrace).0 {
            Choice::Pop { pop, .. } => Answered::Pop(pops[pop.index()].name.clone()),
            Choice::Cname(cname) => Answered::Cname(
                policy.cnames.get(usize::from(cname)).map_or_else(String::new, ToString::to_string),
            ),
            Choice::NoData | Choice::ServFail => Answered::Nothing,
        })
    }
}
