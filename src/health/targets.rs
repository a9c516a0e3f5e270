//! Targets of a deployment, each once, and the slots and policies that depend on them.
//!
//! Compiled with a snapshot, from its slots and policies, so indexes are valid in that snapshot
//! only. State is carried to the next target set by [`Target::key`].

use super::spec::{Need, PanicGuard, Spec};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Targets, slots and policies of one snapshot.
#[derive(Clone, Debug, Default)]
pub struct TargetSet {
    /// Targets, each once, however many slots use it.
    pub targets: Vec<Target>,
    /// Formulas of each slot, in the order of the steering.
    pub slots: Vec<SlotTargets>,
    /// Members of each policy, in the order of the steering.
    pub policies: Vec<PolicyMembers>,
    /// Canaries: indexes of targets. Their address gives the family.
    pub canaries: Vec<u32>,
    /// Longest freeze of verdicts, in milliseconds.
    pub freeze_max_ms: u64,
    /// Longest wait of the first answer for the first round, in milliseconds.
    pub startup_wait_ms: u32,
    /// PoPs in the order of the steering, with their capacity.
    pub pops: Vec<PopCapacity>,
}

impl TargetSet {
    /// PoP and service of a slot: its name in every target set.
    pub(crate) fn name_of<'r>(&'r self, slot: &'r SlotTargets) -> (&'r str, &'r str) {
        (&self.pops[usize::from(slot.pop)].name, &slot.service)
    }
}

/// Capacity of a PoP, for the panic guard.
#[derive(Clone, Debug, PartialEq)]
pub struct PopCapacity {
    /// Name of the PoP.
    pub name: Arc<str>,
    /// Capacity in the operator's unit, if any.
    pub capacity: Option<f64>,
}

/// Target of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Identity of the target across reloads and restarts: its state is carried over to the target
    /// with an equal key. The key covers the check and its destination, but no timing and no
    /// thresholds.
    pub key: Arc<str>,
    /// Check with its timing and thresholds.
    pub spec: Arc<Spec>,
    /// Name of the probe.
    pub probe: Arc<str>,
    /// PoP, for programs, files, pushes and messages; the first one if PoPs share the target.
    pub pop: Arc<str>,
    /// Service, in the same way.
    pub service: Arc<str>,
    /// Judged address: the PoP's, or the canary's.
    pub address: IpAddr,
    /// Destination of network checks: `address` with the check's port, or the value of `to`.
    pub destination: SocketAddr,
}

/// Formulas of a slot, one for each address, in the slot's order.
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

/// Condition under which an address is up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Formula {
    /// Not probed: unknown, which counts as up.
    #[default]
    Unwatched,
    /// One target, by index.
    Target(u32),
    /// A number of these formulas; at least one.
    Group(Need, Vec<Formula>),
}

impl Formula {
    /// Calls `act` with every target of the formula.
    pub(crate) fn visit(&self, act: &mut impl FnMut(u32)) {
        match self {
            Formula::Unwatched => {}
            Formula::Target(index) => act(*index),
            Formula::Group(_, parts) => parts.iter().for_each(|part| part.visit(act)),
        }
    }
}

/// Members of a policy, for the panic guard.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyMembers {
    /// Name, as in the steering.
    pub name: Arc<str>,
    /// Members as (PoP, slot), each PoP once; PoPs without a slot are left out.
    pub members: Vec<(u16, u32)>,
    /// Share of a PoP's addresses in a family that must be up, in percent, 1 to 100.
    pub up_threshold_percent: u8,
    /// Rule by which it distrusts its probes.
    pub guard: PanicGuard,
    /// Pools, by number.
    pub pools: Vec<Pool>,
}

/// PoPs among which a client's preference list chooses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pool {
    /// Names of a fence's PoPs, for messages; empty for the PoPs outside fences.
    pub name: Arc<str>,
    /// PoPs, as numbers of the policy's members.
    pub members: Vec<u32>,
}

/// Operator's decision about a PoP, by override or in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ManualState {
    /// No decision: probes decide, and the PoP counts for the panic guard.
    #[default]
    None,
    /// In service whatever its probes report.
    Up,
    /// Drained, or on its way to or from that: it serves if its probes report it up.
    Moved,
    /// Out of service.
    Down,
}
