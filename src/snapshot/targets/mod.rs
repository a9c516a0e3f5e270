//! Target set of a deployment and its steering.
//!
//! Every address of a slot becomes a formula over targets. A target is one check of one
//! destination, shared by all its users. Its key consists of the check without timing, the
//! destination, and the arguments of the check: PoP and service for a program, the placeholders in
//! the path of a file, the name of the probe for a push. Two probes that differ in timing alone
//! share a target at the same destination, because a target has one state and one count. The timing
//! is that of the probe whose name comes first.

pub(crate) mod feeds;

use super::Steering;
use crate::config::Deployment;
use crate::finding::{Finding, Findings, code};
use crate::health::spec::{Check, KeyScope, Kind, Need, ProbeId, Spec};
use crate::health::targets::{
    Formula, PolicyMembers, Pool, PopCapacity, SlotId, SlotTargets, Target, TargetId, TargetSet,
};
use crate::limits::TARGETS_MAX;
use crate::steer::pop::{PopId, Service};
use crate::steer::table::NO_SLOT;
use crate::wire::hash;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Builds the target set of a deployment and its steering.
pub(crate) fn of(deployment: &Deployment, steering: &Steering) -> (TargetSet, Findings) {
    let mut builder =
        TargetSetBuilder { deployment, target_set: TargetSet::default(), known: HashMap::new() };
    let pops = deployment.pops.iter();
    builder.target_set.pops =
        pops.map(|pop| PopCapacity { name: pop.name.clone(), capacity: pop.capacity }).collect();
    builder.target_set.slots = vec![SlotTargets::default(); steering.slots.len()];
    for (scoped, table) in deployment.policies.iter().zip(&steering.policies) {
        for (pop, &slot) in PopId::in_order().zip(&table.slots) {
            builder.slot(pop, slot, &scoped.policy.service);
        }
        let members = table.member_pops();
        let members: Vec<(PopId, SlotId)> =
            members.map(|pop| (pop, table.slots[pop.index()])).filter(|(_, slot)| *slot != NO_SLOT).collect();
        let pools = (table.pools.iter().enumerate())
            .map(|(number, pops)| pool(number, pops, &members, &builder.target_set.pops))
            .collect();
        builder.target_set.policies.push(PolicyMembers {
            name: table.name.clone(),
            members,
            up_threshold_percent: scoped.policy.up_threshold_percent,
            guard: scoped.policy.guard,
            pools,
        });
    }
    builder.canaries();
    builder.target_set.startup_wait_ms = deployment.startup_wait_ms;
    let mut findings = Findings::default();
    if let Some(first) = deployment.probes.first().filter(|_| builder.target_set.targets.len() > TARGETS_MAX)
    {
        let message =
            format!("the probes have {} targets, more than {TARGETS_MAX}", builder.target_set.targets.len());
        findings.push(
            Finding::error(code::TOO_LARGE, message)
                .at(first.at, "the first probe")
                .help("a target is one check of one address: probe fewer services, or give probes a `to`"),
        );
    }
    (builder.target_set, findings)
}

/// Pool of a policy; `members` is sorted by PoP.
fn pool(number: usize, pops: &[PopId], members: &[(PopId, SlotId)], names: &[PopCapacity]) -> Pool {
    let name = |pop: &PopId| &*names[pop.index()].name;
    let shown = pops.iter().take(FENCE_NAMES).map(name).collect::<Vec<_>>().join(", ");
    let more = pops.len().saturating_sub(FENCE_NAMES);
    Pool {
        name: match (number, more) {
            (0, _) => "".into(),
            (_, 0) => shown.into(),
            (_, more) => format!("{shown} and {more} more").into(),
        },
        members: (pops.iter())
            .filter_map(|pop| members.binary_search_by_key(pop, |(pop, _)| *pop).ok())
            .map(|member| member as u32)
            .collect(),
    }
}

/// Most PoPs in the name of a fence.
const FENCE_NAMES: usize = 3;

struct TargetSetBuilder<'a> {
    deployment: &'a Deployment,
    target_set: TargetSet,
    /// Targets by key.
    known: HashMap<Arc<str>, TargetId>,
}

impl TargetSetBuilder<'_> {
    fn slot(&mut self, pop: PopId, slot: SlotId, service: &str) {
        // Several policies use one slot; a slot without a name has not been filled yet.
        if self.target_set.slots.get(slot.index()).is_none_or(|known| !known.service.is_empty()) {
            return;
        }
        let Some(pop_of) = self.deployment.pops.get(pop.index()) else { return };
        let Some(service) = pop_of.service(service) else { return };
        let name = &pop_of.name;
        let v4 = service.v4.iter().map(|a| self.address(name, service, a.address.into())).collect();
        let v6 = service.v6.iter().map(|a| self.address(name, service, a.address.into())).collect();
        self.target_set.slots[slot.index()] = SlotTargets { pop, service: service.name.clone(), v4, v6 };
    }

    fn address(&mut self, pop: &Arc<str>, service: &Service, address: IpAddr) -> Formula {
        let mut parts: Vec<Formula> =
            service.probes.iter().map(|id| self.formula(*id, pop, &service.name, address)).collect();
        match parts.len() {
            0 => Formula::Unwatched,
            1 => parts.remove(0),
            _ => Formula::Group(Need::All, parts),
        }
    }

    fn formula(&mut self, id: ProbeId, pop: &Arc<str>, service: &Arc<str>, address: IpAddr) -> Formula {
        let probe = &self.deployment.probes[id.index()];
        match &probe.kind {
            Kind::Check(spec) => Formula::Target(self.target(spec, &probe.name, pop, service, address)),
            // The configuration has checked that groups do not lead back to themselves.
            Kind::Group { need, of } => Formula::Group(
                *need,
                of.iter().map(|part| self.formula(*part, pop, service, address)).collect(),
            ),
        }
    }

    fn target(
        &mut self,
        spec: &Arc<Spec>,
        probe: &Arc<str>,
        pop: &Arc<str>,
        service: &Arc<str>,
        address: IpAddr,
    ) -> TargetId {
        let port = spec.check.port();
        let destination = match spec.to {
            Some(to) if to.port() == 0 => SocketAddr::new(to.ip(), port),
            Some(to) => to,
            None => SocketAddr::new(address, port),
        };
        let key = key(&spec.check, destination, probe, pop, service);
        let next = self.target_set.targets.len();
        let index = *self.known.entry(Arc::clone(&key)).or_insert(TargetId::at(next));
        match self.target_set.targets.get_mut(index.index()) {
            Some(known) if *probe < known.probe => {
                known.probe = Arc::clone(probe);
                known.spec = Arc::clone(spec);
            }
            Some(_) => {}
            None => self.target_set.targets.push(Target {
                key,
                spec: Arc::clone(spec),
                probe: Arc::clone(probe),
                pop: Arc::clone(pop),
                service: Arc::clone(service),
                address,
                destination,
            }),
        }
        index
    }

    fn canaries(&mut self) {
        let Some(canaries) = &self.deployment.canaries else { return };
        self.target_set.freeze_max_ms = canaries.freeze_max_ms;
        let probe = &self.deployment.probes[canaries.probe.index()];
        let Kind::Check(spec) = &probe.kind else { return };
        // A canary checks its own address, even if the probe has a `to`.
        let spec = Arc::new(Spec { to: None, ..(**spec).clone() });
        let nobody: Arc<str> = "".into();
        for address in &canaries.addresses {
            let index = self.target(&spec, &probe.name, &nobody, &nobody, *address);
            self.target_set.canaries.push(index);
        }
    }
}

/// Key of a target: readable up to the hash, which stands for the rest of the check.
fn key(check: &Check, destination: SocketAddr, probe: &str, pop: &str, service: &str) -> Arc<str> {
    let kind = check.kind();
    let scope = match kind.facts().scope {
        KeyScope::Destination => String::new(),
        KeyScope::Service => format!(" {pop} {service}"),
        KeyScope::Path => match check.watched().filter(|path| !path.contains('{')) {
            // A path without placeholders is the same file for all targets.
            Some(path) => return format!("{} {path}", kind.word()).into(),
            None => format!(" {pop} {service}"),
        },
        KeyScope::Probe => format!(" {probe} {pop} {service}"),
    };
    let settings = hash::octets(check.identity().as_bytes());
    format!("{} {destination}{scope} {settings:016x}", kind.word()).into()
}

#[cfg(test)]
mod tests;
