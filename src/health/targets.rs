//! Targets of a deployment, each once, and the slots and policies that depend on them.
//!
//! Made when a snapshot is compiled, from its own slots and policies: indexes are valid inside that
//! snapshot. State goes to the next target set by [`Target::key`].

use super::spec::{Need, PanicGuard, Spec};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Everything that is watched for one snapshot.
#[derive(Clone, Debug, Default)]
pub struct TargetSet {
    /// Targets, each once however many use it.
    pub targets: Vec<Target>,
    /// For each slot of the steering, in its order.
    pub slots: Vec<SlotTargets>,
    /// For each policy of the steering, in its order.
    pub policies: Vec<PolicyMembers>,
    /// Canaries: indexes of targets, IPv4 and IPv6 told by their address.
    pub canaries: Vec<u32>,
    /// For at most this long verdicts freeze, in milliseconds.
    pub freeze_max_ms: u64,
    /// For at most this long the first answer waits for the first round, in milliseconds.
    pub startup_wait_ms: u32,
    /// Names of PoPs, in the order of the steering.
    pub pops: Vec<PopCapacity>,
}

impl TargetSet {
    /// PoP and service of a slot, which name it in every target set.
    pub(crate) fn name_of<'r>(&'r self, slot: &'r SlotTargets) -> (&'r str, &'r str) {
        (&self.pops[usize::from(slot.pop)].name, &slot.service)
    }
}

/// What the panic guard must know of a PoP.
#[derive(Clone, Debug, PartialEq)]
pub struct PopCapacity {
    /// Name.
    pub name: Arc<str>,
    /// Capacity in the operator's unit, if any.
    pub capacity: Option<f64>,
}

/// One target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Equal where and only where check, timing aside, and destination are equal: what is carried
    /// over by.
    pub key: Arc<str>,
    /// The check, its timing and thresholds.
    pub spec: Arc<Spec>,
    /// Name of the probe.
    pub probe: Arc<str>,
    /// PoP, for programs, files and pushes, and for people; the first of several that share the
    /// target.
    pub pop: Arc<str>,
    /// Service, likewise.
    pub service: Arc<str>,
    /// The PoP's address that is judged, or the canary's.
    pub address: IpAddr,
    /// Where network checks go to: `address` with the check's port, or what `to` says.
    pub destination: SocketAddr,
}

/// What is watched of a slot: one formula for each address, in the slot's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotTargets {
    /// Index of its PoP.
    pub pop: u16,
    /// Name of its service.
    pub service: Arc<str>,
    /// IPv4 addresses.
    pub v4: Vec<Formula>,
    /// IPv6 addresses.
    pub v6: Vec<Formula>,
}

/// What makes an address well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Formula {
    /// It is not probed: unknown, which counts as up.
    #[default]
    Unwatched,
    /// A target, by index.
    Target(u32),
    /// So many of these; at least one.
    Group(Need, Vec<Formula>),
}

impl Formula {
    /// Calls with every target behind it.
    pub(crate) fn visit(&self, act: &mut impl FnMut(u32)) {
        match self {
            Formula::Unwatched => {}
            Formula::Target(index) => act(*index),
            Formula::Group(_, parts) => parts.iter().for_each(|part| part.visit(act)),
        }
    }
}

/// What the panic guard needs of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyMembers {
    /// Name, as in the steering.
    pub name: Arc<str>,
    /// Its members: (PoP, slot), each PoP once, those without a slot left out.
    pub members: Vec<(u16, u32)>,
    /// Share of a PoP's addresses of a family that must be up, in per cent, 1 to 100.
    pub up_threshold_percent: u8,
    /// When it distrusts its probes.
    pub guard: PanicGuard,
    /// Its pools, by their numbers.
    pub pools: Vec<Pool>,
}

/// PoPs among which a client's preference list chooses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pool {
    /// The names of a fence's PoPs, for people; empty for what the policy offers outside fences.
    pub name: Arc<str>,
    /// Its PoPs, as numbers of the policy's members.
    pub members: Vec<u32>,
}

/// What an operator has decided about a PoP, by override or in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ManualState {
    /// Nothing: probes decide, and the PoP counts.
    #[default]
    None,
    /// In service whatever probes say.
    Up,
    /// Drained, or on its way to or from that: it serves as far as probes call it up.
    Moved,
    /// Out of service.
    Down,
}
