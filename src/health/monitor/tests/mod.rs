//! The monitor on a simulated clock: single behaviours first, then long runs that mix them.

mod flapping;
mod simulation;
mod way_back;

use super::*;
use crate::health::health_state::NO_HORIZON;
use crate::health::saved::SavedHealth;
use crate::health::targets::{ManualState, PolicyId, TargetSet};
use crate::health::tests::{pushed, spec, target, target_set};

/// Runs all due checks until a moment; `fate` gives each result. Results take no time.
fn run(
    monitor: &mut Monitor,
    from: u64,
    until: u64,
    fate: impl Fn(&Target) -> bool,
) -> Vec<(u64, HealthState)> {
    let (mut now, mut pictures) = (from, Vec::new());
    loop {
        while let Some(due) = monitor.poll_due(Moment(now)) {
            let probe_result =
                if fate(due.target()) { ProbeResult::well() } else { ProbeResult::failed("refused") };
            assert!(monitor.handle_result(due.ticket, &probe_result, Moment(now)));
        }
        pictures.extend(monitor.poll_health_state(Moment(now)).map(|health_state| (now, health_state)));
        now = monitor.next_wake().map_or(until, |wake| wake.0).max(now + 1);
        if now >= until {
            return pictures;
        }
    }
}

fn events(monitor: &mut Monitor) -> Vec<HealthEvent> {
    std::iter::from_fn(|| monitor.poll_event()).collect()
}

fn verdicts(monitor: &Monitor) -> Vec<Verdict> {
    monitor.targets(Moment(0)).map(|report| report.verdict).collect()
}

fn monitor(target_set: TargetSet) -> Monitor {
    Monitor::new(Arc::new(target_set), 1, Moment(0))
}

#[test]
fn the_first_round_finds_who_is_up_and_who_is_down() {
    let mut monitor = monitor(target_set(4, 1, 0));
    let first = monitor.poll_health_state(Moment(0)).unwrap();
    assert!(first.slots.iter().all(|slot| slot.is_awaited) && !monitor.is_first_round_over(Moment(0)));
    let pictures = run(&mut monitor, 0, 1_500, |target| &*target.pop == "p0");
    assert!(monitor.is_first_round_over(Moment(1_001)), "two quick failures are enough");
    let slots = &pictures.last().unwrap().1.slots;
    assert_eq!(
        slots.iter().map(|slot| (slot.down_v4, slot.down_v6)).collect::<Vec<_>>(),
        [(0, 0), (1, 1), (1, 1), (1, 1)]
    );
    assert_eq!(slots.iter().map(|slot| slot.went_down).collect::<Vec<_>>(), [0, 1, 1, 1]);
    assert!(pictures.last().unwrap().1.held.is_empty(), "what never served does not fall");
    assert_eq!(slots[0].horizon_secs, NO_HORIZON);
}

#[test]
fn what_hangs_counts_as_up_after_the_wait() {
    let mut monitor = monitor(target_set(1, 1, 0));
    while monitor.poll_due(Moment(0)).is_some() {}
    assert!(!monitor.is_first_round_over(Moment(2_999)) && monitor.is_first_round_over(Moment(3_000)));
    assert!(monitor.poll_health_state(Moment(2_999)).unwrap().slots[0].is_awaited);
    assert!(monitor.next_wake() <= Some(Moment(3_000)));
    let health_state = monitor.poll_health_state(Moment(3_000)).unwrap();
    assert_eq!((health_state.slots[0].is_awaited, health_state.slots[0].down_v4), (false, 0));
}

#[test]
fn counters_publish_once_a_second_and_verdicts_at_once() {
    let mut monitor = monitor(target_set(1, 1, 0));
    run(&mut monitor, 0, 20_000, |_| true);
    assert_eq!(monitor.poll_health_state(Moment(20_000)), None, "nothing changed");
    let pictures = run(&mut monitor, 20_000, 40_000, |target| target.address.is_ipv6());
    let horizons: Vec<(u32, u64)> = pictures
        .iter()
        .map(|(_, health_state)| (health_state.slots[0].horizon_secs, health_state.slots[0].down_v4))
        .collect();
    assert_eq!(horizons, [(10, 0), (5, 0), (NO_HORIZON, 1)]);
    let reported: Vec<String> = events(&mut monitor).iter().map(ToString::to_string).collect();
    assert!(reported.last().unwrap().ends_with("s: refused"), "{reported:?}");
    let report = monitor.targets(Moment(40_000)).next().unwrap();
    assert_eq!(
        (report.verdict, report.last_error.map(|why| &**why), report.was_well),
        (Verdict::Down, Some("refused"), Some(false))
    );
}

#[test]
fn a_cut_freezes_within_fifteen_seconds_and_takes_nobody_down() {
    let mut monitor = monitor(target_set(5, 1, 2));
    run(&mut monitor, 0, 30_000, |_| true);
    events(&mut monitor);
    run(&mut monitor, 30_000, 45_000, |target| target.address.is_ipv6());
    let reported = events(&mut monitor);
    assert!(
        matches!(reported[..], [HealthEvent::Frozen { family: IpFamily::V4, canaries: 2, .. }]),
        "{reported:?}"
    );
    run(&mut monitor, 45_000, 60_000, |target| target.address.is_ipv6());
    assert_eq!(monitor.frozen(), [true, false]);
    run(&mut monitor, 60_000, 90_000, |_| true);
    assert!(verdicts(&monitor).iter().all(|verdict| *verdict == Verdict::Up));
    assert!(matches!(events(&mut monitor)[..], [HealthEvent::Thawed { family: IpFamily::V4, .. }]));
}

#[test]
fn a_freeze_has_its_time_and_then_probes_are_believed() {
    let mut monitor = monitor(target_set(5, 0, 1));
    run(&mut monitor, 0, 30_000, |_| true);
    run(&mut monitor, 30_000, 120_000, |_| false);
    assert!(verdicts(&monitor).iter().all(|verdict| *verdict == Verdict::Down));
    let reported = events(&mut monitor);
    let spent = reported.iter().position(|event| matches!(event, HealthEvent::FreezeSpent { .. })).unwrap();
    let down = reported
        .iter()
        .position(|event| matches!(event, HealthEvent::Turned { now: Verdict::Down, .. }))
        .unwrap();
    assert!(spent < down);
}

#[test]
fn a_real_outage_beside_canaries_that_answer_is_found() {
    let mut monitor = monitor(target_set(2, 0, 1));
    run(&mut monitor, 0, 30_000, |_| true);
    run(&mut monitor, 30_000, 46_500, |target| &*target.pop != "p0");
    assert_eq!(verdicts(&monitor)[..4], [Verdict::Down, Verdict::Down, Verdict::Up, Verdict::Up]);
}

#[test]
fn the_guard_holds_a_policy_and_then_takes_over() {
    let mut monitor = monitor(target_set(3, 2, 0));
    run(&mut monitor, 0, 30_000, |_| true);
    events(&mut monitor);
    let pictures = run(&mut monitor, 30_000, 60_000, |target| &*target.pop == "p0");
    let held = &pictures.last().unwrap().1.held;
    assert_eq!(held.iter().map(|(policy, _)| *policy).collect::<Vec<_>>(), [PolicyId(0), PolicyId(1)]);
    assert!(held[0].1.iter().all(|slot| slot.down_v4 == 0 && slot.down_v6 == 0));
    assert_eq!(pictures.last().unwrap().1.slots[2].down_v4, 1);
    let mut confirmed = monitor.clone();
    confirmed.handle_overrides(&[ManualState::None, ManualState::Down, ManualState::Up]);
    assert!(confirmed.poll_health_state(Moment(60_000)).unwrap().held.is_empty(), "overrides confirm it");
    let mut reloaded = monitor.clone();
    reloaded.handle_targets(Arc::new(target_set(4, 2, 0)), Moment(60_000));
    let health_state = reloaded.poll_health_state(Moment(60_000)).unwrap();
    assert!(health_state.held.is_empty(), "two of four are not more than half: {:?}", health_state.held);
    reloaded = monitor.clone();
    reloaded.handle_targets(Arc::new(target_set(3, 1, 0)), Moment(60_000));
    assert_eq!(reloaded.poll_health_state(Moment(60_000)).unwrap().held.len(), 1, "a hold survives a reload");
    let pictures = run(&mut monitor, 60_000, 120_000, |target| &*target.pop == "p0");
    assert!(pictures.last().unwrap().1.held.is_empty());
    assert_eq!(pictures.last().unwrap().1.slots[2].down_v4, 1);
    let reported: Vec<String> = events(&mut monitor).iter().map(ToString::to_string).collect();
    assert!(
        reported.iter().any(|line| line.starts_with("policy web0: 2 of 3 PoPs went down together")),
        "{reported:?}"
    );
    assert!(
        reported.iter().any(|line| line == "policy web1 takes over the verdicts after 1 min 0 s"),
        "{reported:?}"
    );
}

#[test]
fn a_reload_keeps_verdicts_and_waits_for_what_is_new() {
    let mut monitor = monitor(target_set(2, 1, 0));
    run(&mut monitor, 0, 10_000, |target| &*target.pop != "p1");
    let mut new = target_set(3, 1, 0);
    // The same destination under another check.
    new.targets[2].key = "another check".into();
    let flight =
        (10_000..20_000).find_map(|now| monitor.poll_due(Moment(now)).map(|due| (due, now))).unwrap();
    let at = flight.1 + 10;
    monitor.handle_targets(Arc::new(new), Moment(at));
    let health_state = monitor.poll_health_state(Moment(at)).unwrap();
    assert_eq!(
        verdicts(&monitor)[..6],
        [Verdict::Up, Verdict::Up, Verdict::Down, Verdict::Down, Verdict::Unknown, Verdict::Unknown]
    );
    assert_eq!(
        health_state.slots.iter().map(|slot| slot.is_awaited).collect::<Vec<_>>(),
        [false, false, true]
    );
    assert!(monitor.is_first_round_over(Moment(at)));
    let took = monitor.handle_result(flight.0.ticket, &ProbeResult::well(), Moment(at));
    assert_eq!(took, &*flight.0.target().key != "web p1 192.0.2.1", "a flight goes on by its key");
    run(&mut monitor, at, at + 10, |_| true);
    assert_eq!(verdicts(&monitor)[2], Verdict::Up, "the new check's first result decides");
    monitor.handle_targets(Arc::new(TargetSet::default()), Moment(21_000));
    assert_eq!(monitor.poll_health_state(Moment(21_000)), Some(HealthState::default()));
    assert!(!monitor.handle_result(Ticket(u64::MAX), &ProbeResult::well(), Moment(21_000)));
}

#[test]
fn a_restart_answers_as_before_and_old_words_are_dropped() {
    let mut before = monitor(target_set(3, 1, 0));
    run(&mut before, 0, 50_000, |target| &*target.pop != "p1");
    run(&mut before, 50_000, 90_000, |target| &*target.pop == "p2");
    let last = before
        .poll_health_state(Moment(95_000))
        .or_else(|| Some(before.slot_table.health_state(&before.target_set)))
        .unwrap();
    let saved = before.save(Moment(95_000), 1_000_000);
    let mut after = Monitor::new(Arc::new(target_set(3, 1, 0)), 1, Moment(5));
    assert_eq!(after.restore(&saved, Moment(5), 1_000_300), 6);
    assert!(after.is_first_round_over(Moment(5)));
    let first = after.poll_health_state(Moment(5)).unwrap();
    let shown = |health_state: &HealthState| {
        health_state.slots.iter().map(|slot| (slot.down_v4, slot.down_v6, slot.went_down)).collect::<Vec<_>>()
    };
    assert_eq!(shown(&first), shown(&last));
    assert!(first.held.is_empty());
    let mut late = Monitor::new(Arc::new(target_set(3, 1, 0)), 1, Moment(5));
    assert_eq!(late.restore(&saved, Moment(5), 1_000_700), 0, "ten minutes are too old");
    assert_eq!(late.restore(&saved, Moment(5), 999_000), 0, "so is the future");
}

#[test]
fn a_restart_amid_a_hold_goes_on_holding_for_the_rest_of_its_time() {
    let served = |health_state: &HealthState| {
        health_state.held.first().map(|(_, slots)| slots.iter().map(|slot| slot.down_v4).collect::<Vec<_>>())
    };
    let mut before = monitor(target_set(6, 1, 0));
    // p0 is down before; then four of the other five fall together.
    run(&mut before, 0, 60_000, |target| &*target.pop != "p0");
    run(&mut before, 60_000, 90_000, |target| &*target.pop == "p5");
    assert_eq!(served(&before.slot_table.health_state(&before.target_set)), Some(vec![1, 0, 0, 0, 0, 0]));
    let held_at = before.slot_table.holds(&before.target_set).next().unwrap().1.since_ms as u64;
    let kept =
        SavedHealth::from_lines(before.save(Moment(90_000), 1_000_000).to_lines().iter().map(String::as_str));
    let mut after = Monitor::new(Arc::new(target_set(6, 1, 0)), 1, Moment(0));
    after.restore(&kept, Moment(0), 1_000_005);
    assert_eq!(served(&after.poll_health_state(Moment(0)).unwrap()), Some(vec![1, 0, 0, 0, 0, 0]));
    // It began some seconds before the restart, which took five.
    let ends = 60_000 - (95_000 - held_at);
    assert_eq!(after.slot_table.next_wake(), Some(Moment(ends)));
    let again = after.save(Moment(1_000), 1_000_006);
    assert_eq!(again.holds, kept.holds, "a second restart knows the same");
    let pictures = run(&mut after, 0, ends + 1_000, |target| &*target.pop == "p5");
    let (at, last) = pictures.last().unwrap();
    assert_eq!(
        (served(last), last.slots.iter().filter(|slot| slot.down_v4 == 1).count(), *at),
        (None, 5, ends)
    );
    let mut late = Monitor::new(Arc::new(target_set(6, 1, 0)), 1, Moment(0));
    late.restore(&kept, Moment(0), 1_000_060);
    assert_eq!(served(&late.poll_health_state(Moment(0)).unwrap()), None, "its time ran out meanwhile");
}

#[test]
fn a_hold_of_before_a_restart_is_of_its_policy_alone() {
    // Both have p0 to p5; only the second looks 2 s back.
    let target_set = || {
        let mut target_set = target_set(6, 2, 0);
        target_set.policies[1].guard.hold_ms = 2_000;
        Arc::new(target_set)
    };
    let mut before = Monitor::new(target_set(), 1, Moment(0));
    run(&mut before, 0, 60_000, |_| true);
    run(&mut before, 60_000, 90_000, |target| matches!(&*target.pop, "p4" | "p5"));
    assert_eq!(
        before.slot_table.holds(&before.target_set).map(|(policy, ..)| policy).collect::<Vec<_>>(),
        [PolicyId(0)],
        "the second has taken it over"
    );
    let kept = before.save(Moment(90_000), 1_000_000);
    let mut after = Monitor::new(target_set(), 1, Moment(0));
    after.restore(&kept, Moment(0), 1_000_000);
    assert_eq!(
        after.slot_table.at(Moment(0), PolicyId(0)).iter().filter(|slot| slot.down_v4 == 1).count(),
        0
    );
    assert_eq!(
        after.slot_table.at(Moment(0), PolicyId(1)).iter().filter(|slot| slot.down_v4 == 1).count(),
        4,
        "what it serves as down stays so"
    );
}

#[test]
fn what_was_pushed_outlives_restarts_and_freezes() {
    let target_set = |ttl_ms| {
        let mut target_set = target_set(1, 0, 1);
        target_set.targets.push(target("feed", "a", "192.0.2.77", &pushed(ttl_ms)));
        Arc::new(target_set)
    };
    let mut monitor = Monitor::new(target_set(0), 1, Moment(0));
    run(&mut monitor, 0, 30_000, |_| true);
    run(&mut monitor, 30_000, 60_000, |target| &*target.probe != "canary");
    assert_eq!(monitor.frozen(), [true, true]);
    assert_eq!(
        monitor.handle_push("feed", "a", "default", None, &ProbeResult::failed("full"), Moment(60_000)),
        1
    );
    let last = |monitor: &Monitor| verdicts(monitor).last().copied();
    assert_eq!(last(&monitor), Some(Verdict::Down), "nobody's network comes between");
    let day = 86_400;
    let kept = monitor.save(Moment(60_000), 1_000_000);
    let restarted = |ttl_ms, epoch| {
        let mut after = Monitor::new(target_set(ttl_ms), 1, Moment(0));
        after.restore(&kept, Moment(0), epoch);
        after
    };
    assert_eq!(last(&restarted(0, 1_000_000 + day)), Some(Verdict::Down), "it holds until it is taken back");
    let aged = restarted(3_600_000, 1_000_000 + 3_000);
    assert_eq!(
        (last(&aged), aged.watched.last().unwrap().push_due),
        (Some(Verdict::Down), Some(Moment(600_000))),
        "it is no younger"
    );
}

#[test]
fn pushes_reach_their_targets_and_run_out() {
    let mut target_set = TargetSet { startup_wait_ms: 3_000, ..TargetSet::default() };
    for (pop, address) in [("a", "192.0.2.1"), ("a", "192.0.2.2"), ("b", "192.0.2.3")] {
        target_set.targets.push(target("feed", pop, address, &pushed(10_000)));
    }
    let mut monitor = monitor(target_set);
    assert!(monitor.poll_due(Moment(0)).is_none() && monitor.is_first_round_over(Moment(0)));
    let only = Some("192.0.2.2".parse().unwrap());
    assert_eq!(monitor.handle_push("feed", "a", "default", None, &ProbeResult::well(), Moment(1_000)), 2);
    assert_eq!(
        monitor.handle_push("feed", "a", "default", only, &ProbeResult::failed("full"), Moment(2_000)),
        1
    );
    assert_eq!(monitor.handle_push("feed", "a", "video", None, &ProbeResult::well(), Moment(2_000)), 0);
    assert_eq!(verdicts(&monitor), [Verdict::Up, Verdict::Down, Verdict::Unknown]);
    assert_eq!(monitor.next_wake(), Some(Moment(10_000)));
    run(&mut monitor, 10_000, 10_001, |_| true);
    assert_eq!(verdicts(&monitor), [Verdict::Up, Verdict::Down, Verdict::Down], "nobody ever pushed for b");
    run(&mut monitor, 10_001, 11_002, |_| true);
    assert_eq!(verdicts(&monitor)[0], Verdict::Down);
    (0..100).for_each(|at| {
        _ = monitor.handle_push("feed", "b", "default", None, &ProbeResult::well(), Moment(11_002 + at))
    });
    assert_eq!(monitor.pushes.len(), 3, "one entry for each target");
}

#[test]
fn a_certificate_is_told_once_a_day() {
    use crate::health::spec::{Check, HttpCheck, HttpMethod, Spec, TlsCheck, Verify};
    let tls = TlsCheck { sni: None, verify: Verify::System, warn_days: 14 };
    let check = Check::Http(HttpCheck {
        tls: Some(tls),
        port: 443,
        method: HttpMethod::Get,
        path: "/".into(),
        host: None,
        headers: Vec::new(),
        expect: vec![200..=200],
        expect_headers: Vec::new(),
        body: None,
    });
    let mut target_set = TargetSet::default();
    target_set.targets.push(target("web", "fra", "192.0.2.1", &Spec { check, ..spec() }));
    let mut monitor = monitor(target_set);
    let mut days = Vec::new();
    for (turn, left) in [20, 14, 14, 13, 90, -1].into_iter().enumerate() {
        let now = Moment(turn as u64 * 10_000);
        let due = monitor.poll_due(now).unwrap();
        monitor.handle_result(
            due.ticket,
            &ProbeResult { certificate_days: Some(left), ..ProbeResult::well() },
            now,
        );
        days.extend(events(&mut monitor).into_iter().filter_map(|event| match event {
            HealthEvent::Certificate { days, .. } => Some(days),
            _ => None,
        }));
    }
    assert_eq!(days, [14, 13, -1]);
}

/// A fault of the node is no result: no failure is counted, no canary proves anything by it, and
/// the alarm stands until every check has a result again.
#[test]
fn own_trouble_is_no_result() {
    let mut monitor = monitor(target_set(2, 1, 0));
    run(&mut monitor, 0, 20_000, |_| true);
    events(&mut monitor);
    let own = ProbeResult { is_own: true, ..ProbeResult::failed("too many open files") };
    let step = |monitor: &mut Monitor, from: u64, until: u64, result: &ProbeResult| {
        let mut now = from;
        while now < until {
            while let Some(due) = monitor.poll_due(Moment(now)) {
                assert!(monitor.handle_result(due.ticket, result, Moment(now)));
            }
            now = monitor.next_wake().map_or(until, |wake| wake.0).max(now + 1);
        }
    };
    step(&mut monitor, 20_000, 120_000, &own);
    assert!(verdicts(&monitor).iter().all(|verdict| *verdict == Verdict::Up));
    assert!(monitor.targets(Moment(0)).all(|report| report.failures == 0 && report.own_fault.is_some()));
    assert_eq!(monitor.own_faults(), monitor.targets(Moment(0)).count());
    assert_eq!(events(&mut monitor), [HealthEvent::OwnFault { why: "too many open files".into() }]);
    step(&mut monitor, 120_000, 140_000, &ProbeResult::well());
    assert_eq!((monitor.own_faults(), events(&mut monitor)), (0, vec![HealthEvent::OwnFaultOver]));
    // Failures of the target count again.
    step(&mut monitor, 140_000, 240_000, &ProbeResult::failed("refused"));
    assert!(verdicts(&monitor).contains(&Verdict::Down));
}

/// Canaries without any result count as failed: their family freezes, the freeze ends, and targets
/// that fail go down.
#[test]
fn canaries_without_a_result_hide_no_outage_for_ever() {
    let mut monitor = monitor(target_set(1, 1, 2));
    run(&mut monitor, 0, 20_000, |_| true);
    let own = ProbeResult { is_own: true, ..ProbeResult::failed("too many open files") };
    let mut now = 20_000;
    while now < 200_000 {
        while let Some(due) = monitor.poll_due(Moment(now)) {
            let result =
                if &*due.target().probe == "canary" { own.clone() } else { ProbeResult::failed("refused") };
            assert!(monitor.handle_result(due.ticket, &result, Moment(now)));
        }
        now = monitor.next_wake().map_or(200_000, |wake| wake.0).max(now + 1);
    }
    assert!(verdicts(&monitor).contains(&Verdict::Down), "{:?}", events(&mut monitor));
}
