//! Target sets for the tests of this folder.

use super::spec::{Check, FlapLimits, PanicGuard, PushCheck, Spec, TcpCheck};
use super::targets::{Formula, PolicyMembers, Pool, PopCapacity, SlotTargets, Target, TargetSet};
use crate::health::targets::{PopId, SlotId, TargetId};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// TCP every 5 s, timeout 1 s, `up_after` 2, `down_after` 3, `ok_after` 4.
pub(super) fn spec() -> Spec {
    let check = Check::Tcp(TcpCheck { port: 80, send: None, expect: None });
    Spec {
        check,
        to: None,
        every_ms: 5_000,
        timeout_ms: 1_000,
        up_after: 2,
        down_after: 3,
        ok_after: 4,
        flap: FlapLimits::default(),
    }
}

/// Pushed results, overdue after `ttl_ms`.
pub(super) fn pushed(ttl_ms: u32) -> Spec {
    Spec { check: Check::Push(PushCheck { ttl_ms }), down_after: 1, ..spec() }
}

/// Target whose key consists of probe, PoP and address.
pub(super) fn target(probe: &str, pop: &str, address: &str, spec: &Spec) -> Target {
    let address: IpAddr = address.parse().unwrap();
    Target {
        key: format!("{probe} {pop} {address}").into(),
        spec: Arc::new(spec.clone()),
        probe: probe.into(),
        pop: pop.into(),
        service: "default".into(),
        address,
        destination: SocketAddr::new(address, 80),
    }
}

/// PoPs `p0`, `p1`, ... each with one IPv4 and one IPv6 address, and policies `web0`, ... that
/// contain all of them.
pub(super) fn target_set(pops: usize, policies: usize, canaries: usize) -> TargetSet {
    let mut target_set = TargetSet { freeze_max_ms: 60_000, startup_wait_ms: 3_000, ..TargetSet::default() };
    for pop in 0..pops {
        let name = format!("p{pop}");
        let at = target_set.targets.len() as u32;
        target_set.targets.push(target(
            "web",
            &name,
            &format!("192.0.{}.{}", 2 + pop / 256, pop % 256),
            &spec(),
        ));
        target_set.targets.push(target("web", &name, &format!("2001:db8::{pop:x}"), &spec()));
        target_set.slots.push(SlotTargets {
            pop: PopId::at(pop),
            service: "default".into(),
            v4: vec![Formula::Target(TargetId(at))],
            v6: vec![Formula::Target(TargetId(at + 1))],
        });
        target_set.pops.push(PopCapacity { name: name.into(), capacity: None });
    }
    for policy in 0..policies {
        target_set.policies.push(PolicyMembers {
            name: format!("web{policy}").into(),
            members: (0..pops).map(|pop| (PopId::at(pop), SlotId::at(pop))).collect(),
            up_threshold_percent: 50,
            guard: PanicGuard::default(),
            pools: vec![Pool { name: "".into(), members: (0..pops as u32).collect() }],
        });
    }
    for canary in 0..canaries {
        for address in [format!("198.51.100.{canary}"), format!("2001:db8:1::{canary:x}")] {
            target_set.canaries.push(TargetId::at(target_set.targets.len()));
            target_set.targets.push(target("canary", "canary", &address, &spec()));
        }
    }
    target_set
}
