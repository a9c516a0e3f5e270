//! Targets of a deployment, each once, and the slots and policies that depend on them.
//!
//! Compiled with a snapshot, from its slots and policies, so indexes are valid in that snapshot
//! only. State is carried to the next target set by [`Target::key`].

use super::spec::{Need, PanicGuard, Spec};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

list_index! {
    /// Index of a PoP in the deployment's list, which is sorted by name. Valid inside one
    /// deployment and the snapshot compiled from it, never across.
    pub PopId(u16)
}

list_index! {
    /// Index of a slot: a service of a PoP. Valid in one snapshot.
    pub SlotId(u32)
}

list_index! {
    /// Index of a policy. Valid in one snapshot.
    pub PolicyId(u32)
}

list_index! {
    /// Index of a target in [`TargetSet::targets`].
    pub TargetId(u32)
}

/// Targets, slots and policies of one snapshot.
#[derive(Clone, Debug, Default)]
pub struct TargetSet {
    /// Targets, each once, however many slots use it.
    pub targets: Vec<Target>,
    /// Formulas of each slot, in the order of the steering.
    pub slots: Vec<SlotTargets>,
    /// Members of each policy, in the order of the steering.
    pub policies: Vec<PolicyMembers>,
    /// Targets of the canaries. Their address gives the family.
    pub canaries: Vec<TargetId>,
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
        (&self.pops[slot.pop.index()].name, &slot.service)
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
    /// Its PoP.
    pub pop: PopId,
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
    /// One target.
    Target(TargetId),
    /// A number of these formulas; at least one.
    Group(Need, Vec<Formula>),
}

impl Formula {
    /// Calls `act` with every target of the formula.
    pub(crate) fn visit(&self, act: &mut impl FnMut(TargetId)) {
        match self {
            Formula::Unwatched => {}
            Formula::Target(target) => act(*target),
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
    pub members: Vec<(PopId, SlotId)>,
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
