//! Cost of a verdict among 1,000 PoPs and 200 policies: from its result to the health state, from
//! the health state to the served snapshot, and the whole way. And of the next of 65,536 targets.
//! `cargo bench --bench health`.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use meridian::testing::health::Moment;
use meridian::testing::health::health_state::{HealthState, SlotHealth};
use meridian::testing::health::monitor::Monitor;
use meridian::testing::health::probe_result::ProbeResult;
use meridian::testing::health::spec::{Check, FlapLimits, PanicGuard, Spec, TcpCheck};
use meridian::testing::health::targets::{
    Formula, PolicyMembers, Pool, PopCapacity, PopId, SlotId, SlotTargets, Target, TargetId, TargetSet,
};
use meridian::testing::live::{LiveState, Now, Remembered};
use meridian::testing::shared::command::ProbePush;
use meridian::testing::shared::published::Published;
use meridian::testing::steer::pop_status::PopStatus;
use meridian::testing::steer::status::Status;
use std::cell::RefCell;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// PoPs with an address of each family; every policy has them all.
fn target_set(pops: u32, policies: usize) -> TargetSet {
    let check = Check::Tcp(TcpCheck { port: 80, send: None, expect: None });
    let spec = Arc::new(Spec {
        check,
        to: None,
        every_ms: 5_000,
        timeout_ms: 1_000,
        up_after: 1,
        down_after: 1,
        ok_after: 1,
        flap: FlapLimits::default(),
    });
    let mut target_set = TargetSet { freeze_max_ms: 60_000, ..TargetSet::default() };
    for pop in 0..pops {
        let name: Arc<str> = format!("p{pop}").into();
        let addresses: [IpAddr; 2] =
            [Ipv4Addr::from_bits(0x0a00_0000 + pop).into(), Ipv6Addr::from_bits(u128::from(pop)).into()];
        let formula = |index| vec![Formula::Target(TargetId(index))];
        target_set.slots.push(SlotTargets {
            pop: PopId(pop as u16),
            service: "default".into(),
            v4: formula(2 * pop),
            v6: formula(2 * pop + 1),
        });
        for address in addresses {
            target_set.targets.push(Target {
                key: format!("web {address}").into(),
                spec: spec.clone(),
                probe: "web".into(),
                pop: name.clone(),
                service: "default".into(),
                address,
                destination: SocketAddr::new(address, 80),
            });
        }
        target_set.pops.push(PopCapacity { name, capacity: Some(100.0) });
    }
    for policy in 0..policies {
        let members = (0..pops).map(|pop| (PopId(pop as u16), SlotId(pop))).collect();
        let guard = PanicGuard::default();
        target_set.policies.push(PolicyMembers {
            name: format!("web{policy}").into(),
            members,
            up_threshold_percent: 50,
            guard,
            pools: vec![Pool { name: "".into(), members: (0..pops).collect() }],
        });
    }
    target_set
}

/// Everything was run once, and is up.
fn settled(target_set: TargetSet) -> (Monitor, u64) {
    let mut monitor = Monitor::new(Arc::new(target_set), 1, Moment(0));
    while let Some(due) = monitor.poll_due(Moment(0)) {
        monitor.handle_result(due.ticket, &ProbeResult::well(), Moment(0));
    }
    monitor.poll_health_state(Moment(0));
    while monitor.poll_event().is_some() {}
    (monitor, 0)
}

fn health(criterion: &mut Criterion) {
    let (monitor, mut now) = settled(target_set(1_000, 200));
    // Both halves of a batch use it.
    let monitor = RefCell::new(monitor);
    let mut is_well = false;
    criterion.bench_function("result to picture, 1,000 PoPs, 200 policies", |b| {
        b.iter_batched(
            || {
                // One PoP's first family fails and comes back in turn: the verdict changes each
                // time.
                let mut monitor = monitor.borrow_mut();
                loop {
                    now = monitor.next_wake().map_or(now, |wake| wake.0).max(now);
                    let Some(due) = monitor.poll_due(Moment(now)) else { continue };
                    if due.id == TargetId(0) {
                        is_well = !is_well;
                        return (
                            due.ticket,
                            if is_well { ProbeResult::well() } else { ProbeResult::failed("refused") },
                            now,
                        );
                    }
                    monitor.handle_result(due.ticket, &ProbeResult::well(), Moment(now));
                    monitor.poll_health_state(Moment(now));
                    while monitor.poll_event().is_some() {}
                }
            },
            |(ticket, probe_result, now)| {
                let mut monitor = monitor.borrow_mut();
                monitor.handle_result(ticket, &probe_result, Moment(now));
                black_box(monitor.poll_health_state(Moment(now)))
            },
            BatchSize::PerIteration,
        );
    });
    let (mut monitor, mut now) = settled(target_set(32_768, 0));
    criterion.bench_function("due and done, 65,536 targets", |b| {
        b.iter(|| {
            now = monitor.next_wake().map_or(now, |wake| wake.0).max(now);
            if let Some(due) = monitor.poll_due(Moment(now)) {
                monitor.handle_result(due.ticket, &ProbeResult::well(), Moment(now));
            }
        });
    });
}

/// A deployment of 1,000 PoPs, and 200 policies that have them all.
fn large() -> support::World {
    let mut pops =
        "probes:\n  web: { push: {}, up_after: 1, down_after: 1, flap_turns: off }\npops:\n".to_owned();
    for pop in 0..1_000u32 {
        pops.push_str(&format!(
            "  p{pop}: {{ probe: web, addresses: [198.18.{}.{}, \"2001:db8::{pop:x}\"] }}\n",
            pop / 250,
            pop % 250 + 1
        ));
    }
    let mut policies = "policies:\n".to_owned();
    for policy in 0..200 {
        policies.push_str(&format!("  w{policy}: {{ pops: all, order: listed }}\n"));
    }
    let zone = "zone: z.example.\nsoa: { mname: ns, rname: h }\nrecords:\n  \"@\": { NS: ns }\n  ns: { A: \
        192.0.2.1 }\n  to: { steer: w0 }\n";
    let tree = support::Tree::of(support::ServerFile::default())
        .with("pops.yaml", pops)
        .with("policies.yaml", policies)
        .with("zones/z.example.yaml", zone);
    support::load(&tree).unwrap_or_else(|findings| panic!("{findings}"))
}

/// From a health state in which one verdict has turned to the snapshot that every worker loads
/// next.
fn publication(criterion: &mut Criterion) {
    let world = large();
    let published = Published::new(Arc::clone(&world.snapshot), 2);
    let steering = &world.snapshot.steering;
    let mut sequence = 1;
    for (what, turned) in [("a verdict", 1), ("300 verdicts", 300)] {
        criterion.bench_function(&format!("publish {what}, 1,000 PoPs, 200 policies"), |b| {
            b.iter(|| {
                sequence += 1;
                let mut slots = vec![SlotHealth::default(); steering.slots.len()];
                slots.iter_mut().skip(7).take(turned).for_each(|slot| slot.down_v4 = sequence & 1);
                let health_state = HealthState { slots, ..HealthState::default() };
                let pops = world.snapshot.pops.iter().map(PopStatus::of).collect();
                let (slots, policies) = (&steering.slots, &steering.policies);
                let status = Status::new(pops, slots, policies, &health_state, Vec::new());
                black_box(published.publish(Arc::new(world.snapshot.with_status(status, sequence))))
            });
        });
    }
}

/// From results of probes to the snapshot that every worker loads next, as the writer goes.
fn whole_way(criterion: &mut Criterion) {
    let world = large();
    let published = Published::new(Arc::clone(&world.snapshot), 2);
    let now = Now { moment: Moment(0), epoch_secs: 1_800_000_000 };
    let mut live = LiveState::new(Arc::clone(&world.snapshot), Remembered::default(), now);
    live.step(now);
    let live = RefCell::new(live);
    let mut sequence = 1;
    for (what, turned) in [("a verdict", 1), ("300 verdicts", 300)] {
        criterion.bench_function(&format!("{what} to service, 1,000 PoPs, 200 policies"), |b| {
            b.iter_batched(
                || {
                    sequence += 1;
                    for pop in 0..turned {
                        let push = ProbePush {
                            probe: "web".into(),
                            pop: format!("p{pop}").into(),
                            service: None,
                            address: None,
                            up: sequence % 2 == 1,
                            reason: None,
                        };
                        live.borrow_mut().handle_push(&push, now).unwrap_or_else(|fault| panic!("{fault}"));
                    }
                    sequence
                },
                |sequence| {
                    let mut live = live.borrow_mut();
                    assert!(live.step(now).has_turned, "each push turns a verdict");
                    let status = live.status();
                    assert!(status != *published.served().snapshot.status, "as the writer asks");
                    published.publish(Arc::new(live.snapshot().with_status(status, sequence)))
                },
                BatchSize::PerIteration,
            );
        });
    }
}

criterion_group!(benches, health, publication, whole_way);
criterion_main!(benches);
