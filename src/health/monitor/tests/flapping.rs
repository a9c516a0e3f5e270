//! Targets that flap.

use super::way_back::all_down;
use super::{events, monitor, run};
use crate::health::Moment;
use crate::health::event::HealthEvent;
use crate::health::health_state::HealthState;
use crate::health::monitor::Monitor;
use crate::health::probe_result::ProbeResult;
use crate::health::saved::SavedHealth;
use crate::health::spec::{FlapLimits, Spec};
use crate::health::targets::{ManualState, PolicyId, PopId, SlotId, SlotTargets, TargetSet};
use crate::health::tests::{pushed, target_set};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// PoPs whose two addresses are pushed, so that each push is a turn.
fn pushed_set(pops: usize, policies: usize) -> TargetSet {
    let mut target_set = target_set(pops, policies, 0);
    for target in &mut target_set.targets {
        target.spec = Arc::new(Spec { up_after: 1, ..pushed(0) });
    }
    target_set
}

/// Turns both addresses of PoPs `times` times, once a second, and ends with `up` if the number is
/// even. Returns the last health state.
fn turn(monitor: &mut Monitor, pops: &[&str], times: u64, from_secs: u64) -> HealthState {
    let mut last = None;
    for turn in 0..times {
        let now = Moment((from_secs + turn) * 1_000);
        let result = if turn % 2 == 0 { ProbeResult::failed("full") } else { ProbeResult::well() };
        for pop in pops {
            assert_eq!(monitor.handle_push("web", pop, "default", None, &result, now), 2);
        }
        last = monitor.poll_health_state(now).or(last);
    }
    last.expect("a turn is published")
}

fn settled(target_set: TargetSet) -> Monitor {
    let pops: Vec<Arc<str>> = target_set.pops.iter().map(|pop| pop.name.clone()).collect();
    let mut monitor = monitor(target_set);
    for pop in pops {
        monitor.handle_push("web", &pop, "default", None, &ProbeResult::well(), Moment(0));
    }
    monitor.poll_health_state(Moment(0));
    events(&mut monitor);
    monitor
}

fn damped(health_state: &HealthState) -> Vec<u64> {
    health_state.slots.iter().map(|slot| slot.damped_v4 | slot.damped_v6 << 1).collect()
}

#[test]
fn what_turns_too_often_is_a_last_resort_for_a_time() {
    let mut monitor = settled(pushed_set(4, 1));
    assert_eq!(damped(&turn(&mut monitor, &["p1"], 6, 1)), [0; 4], "six turns are not more than six");
    let is = turn(&mut monitor, &["p1"], 2, 7);
    assert_eq!(damped(&is), [0, 3, 0, 0]);
    assert!(is.undamped.is_empty(), "one of four is within the share");
    // Damped at the seventh turn, at 7 s, for a minute.
    assert_eq!(monitor.next_wake(), Some(Moment(67_000)));
    let reports: Vec<_> = monitor.targets(Moment(27_000)).map(|report| report.damped_for_ms).collect();
    assert_eq!(reports[..4], [None, None, Some(40_000), Some(40_000)]);
    let after = monitor.poll_health_state(Moment(67_000)).expect("its time is over");
    assert_eq!(damped(&after), [0; 4]);
    let reported: Vec<String> = events(&mut monitor).iter().map(ToString::to_string).collect();
    let of = |words: &str| reported.iter().filter(|line| line.contains(words)).count();
    assert_eq!(
        (of("flaps, 7 turns within 10 min 0 s: it is a last resort for 1 min 0 s"), of("no last resort")),
        (2, 2)
    );
    // It flaps on, and is damped for longer.
    turn(&mut monitor, &["p1"], 8, 70);
    let reported: Vec<String> = events(&mut monitor).iter().map(ToString::to_string).collect();
    assert!(reported.iter().any(|line| line.ends_with("a last resort for 2 min 0 s")), "{reported:?}");
}

#[test]
fn no_more_of_a_policy_than_its_share() {
    let mut target_set = pushed_set(5, 2);
    target_set.policies[1].guard.share_percent = 100;
    target_set.policies[0].guard.window_ms = 0;
    target_set.policies[0].guard.share_percent = 50;
    let mut monitor = settled(target_set);
    // One after the other: p3, p1, p4.
    for (pop, from) in [("p3", 1), ("p1", 21), ("p4", 41)] {
        turn(&mut monitor, &[pop], 8, from);
    }
    let is = monitor.slot_table.health_state(&monitor.target_set);
    assert_eq!(damped(&is), [0, 3, 0, 3, 3]);
    assert_eq!(
        is.undamped,
        [(PolicyId(0), vec![SlotId(4)])],
        "two of five are within a half; who came last is not damped"
    );
    monitor.handle_overrides(&[
        ManualState::None,
        ManualState::Up,
        ManualState::None,
        ManualState::None,
        ManualState::None,
    ]);
    let is = monitor.poll_health_state(Moment(50_000)).unwrap();
    assert_eq!(damped(&is), [0, 0, 0, 3, 3], "an operator has decided about p1");
    assert!(is.undamped.is_empty(), "two of four");
}

#[test]
fn decisions_end_it_and_nothing_is_counted_meanwhile() {
    for decision in [ManualState::Up, ManualState::Moved, ManualState::Down] {
        let mut monitor = settled(pushed_set(4, 1));
        turn(&mut monitor, &["p1"], 8, 1);
        let manual_states = [ManualState::None, decision, ManualState::None, ManualState::None];
        monitor.handle_overrides(&manual_states);
        assert_eq!(damped(&monitor.poll_health_state(Moment(9_000)).unwrap()), [0; 4], "{decision:?}");
        let reported = events(&mut monitor);
        assert!(reported.iter().any(|event| matches!(event, HealthEvent::DampingOver { .. })));
        assert_eq!(damped(&turn(&mut monitor, &["p1"], 20, 10)), [0; 4], "{decision:?}");
        monitor.handle_overrides(&[ManualState::None; 4]);
        assert_eq!(damped(&turn(&mut monitor, &["p1"], 6, 40)), [0; 4], "{decision:?}");
    }
}

/// PoPs that are down count among those that may be damped: both together never leave less of a
/// policy than its guard would.
#[test]
fn what_is_down_leaves_fewer_damped() {
    let mut target_set = pushed_set(5, 1);
    target_set.policies[0].guard.window_ms = 0;
    let mut monitor = settled(target_set);
    for (pop, from) in [("p3", 1), ("p1", 21)] {
        turn(&mut monitor, &[pop], 8, from);
    }
    let is = turn(&mut monitor, &["p0"], 1, 41);
    assert_eq!(
        (damped(&is), is.undamped),
        (vec![0, 3, 0, 3, 0], vec![(PolicyId(0), vec![SlotId(1)])]),
        "one is down"
    );
    let is = turn(&mut monitor, &["p0"], 2, 44);
    assert!(is.undamped.is_empty(), "two of five");
}

/// PoPs with a decision do not count, so a decision about a calm PoP leaves fewer damped.
#[test]
fn a_decision_elsewhere_recounts_who_is_damped() {
    let mut target_set = pushed_set(5, 1);
    target_set.policies[0].guard.window_ms = 0;
    let mut monitor = settled(target_set);
    for (pop, from) in [("p3", 1), ("p1", 21)] {
        turn(&mut monitor, &[pop], 8, from);
    }
    assert_eq!(monitor.poll_health_state(Moment(30_000)).map(|is| is.undamped), None);
    monitor.handle_overrides(&[
        ManualState::Down,
        ManualState::None,
        ManualState::Down,
        ManualState::None,
        ManualState::None,
    ]);
    let is = monitor.poll_health_state(Moment(30_000)).expect("fewer may be damped");
    assert_eq!(
        (damped(&is), is.undamped),
        (vec![0, 3, 0, 3, 0], vec![(PolicyId(0), vec![SlotId(1)])]),
        "one of three"
    );
    monitor.handle_overrides(&[ManualState::None; 5]);
    let is = monitor.poll_health_state(Moment(30_000)).expect("more may be damped");
    assert!(is.undamped.is_empty(), "two of five");
}

/// Two PoPs share the targets of one. A decision about one ends the damping for that PoP alone.
#[test]
fn a_decision_about_a_pop_is_none_about_others_with_its_target() {
    let shared = || {
        let mut target_set = pushed_set(4, 1);
        target_set.slots[2] = SlotTargets { pop: PopId(2), ..target_set.slots[1].clone() };
        target_set
    };
    let mut monitor = settled(shared());
    assert_eq!(damped(&turn(&mut monitor, &["p1"], 8, 1)), [0, 3, 3, 0]);
    let manual_states = |p1, p2| [ManualState::None, p1, p2, ManualState::None];
    monitor.handle_overrides(&manual_states(ManualState::Up, ManualState::None));
    assert_eq!(damped(&monitor.poll_health_state(Moment(9_000)).unwrap()), [0, 0, 3, 0]);
    // Also after the decision has ended, after a reload, and after a restart.
    monitor.handle_overrides(&manual_states(ManualState::None, ManualState::None));
    let mut reloaded = monitor.clone();
    reloaded.handle_targets(Arc::new(shared()), Moment(9_000));
    assert_eq!(damped(&reloaded.poll_health_state(Moment(9_000)).unwrap()), [0, 0, 3, 0]);
    let lines = monitor.save(Moment(9_000), 1_000_000).to_lines();
    let mut restarted = Monitor::new(Arc::new(shared()), 1, Moment(0));
    restarted.restore(&SavedHealth::from_lines(lines.iter().map(String::as_str)), Moment(0), 1_000_000);
    assert_eq!(damped(&restarted.poll_health_state(Moment(0)).unwrap()), [0, 0, 3, 0]);
    // A target that flaps again is a last resort for both.
    turn(&mut monitor, &["p1"], 8, 20);
    let is = monitor.poll_health_state(Moment(67_000)).expect("damped on");
    assert_eq!(damped(&is), [0, 3, 3, 0]);
    // Decisions about all of its PoPs end the damping of the target.
    monitor.handle_overrides(&manual_states(ManualState::Moved, ManualState::None));
    events(&mut monitor);
    monitor.handle_overrides(&manual_states(ManualState::Moved, ManualState::Down));
    assert_eq!(damped(&monitor.poll_health_state(Moment(68_000)).unwrap()), [0; 4]);
    assert!(events(&mut monitor).iter().any(|event| matches!(event, HealthEvent::DampingOver { .. })));
    assert_eq!((monitor.damped().count(), monitor.saved_spared()), (0, Vec::new()));
}

#[test]
fn where_flapping_is_off_nothing_stays_damped() {
    let off = || {
        let mut target_set = pushed_set(4, 1);
        for target in &mut target_set.targets {
            let spec = Spec { flap: FlapLimits { turns: 0, ..target.spec.flap }, ..(*target.spec).clone() };
            target.spec = Arc::new(spec);
        }
        target_set
    };
    let mut monitor = settled(pushed_set(4, 1));
    turn(&mut monitor, &["p1"], 8, 1);
    let lines = monitor.save(Moment(9_000), 1_000_000).to_lines();
    let kept = SavedHealth::from_lines(lines.iter().map(String::as_str));
    events(&mut monitor);
    monitor.handle_targets(Arc::new(off()), Moment(9_000));
    let mut restarted = Monitor::new(Arc::new(off()), 1, Moment(0));
    restarted.restore(&kept, Moment(0), 1_000_000);
    for (mut monitor, now) in [(monitor, Moment(9_000)), (restarted, Moment(0))] {
        assert_eq!(damped(&monitor.poll_health_state(now).unwrap()), [0; 4]);
        assert_eq!(monitor.damped().count(), 0);
        let reported = events(&mut monitor);
        let is_over = |event: &&HealthEvent| matches!(event, HealthEvent::DampingOver { .. });
        assert_eq!(reported.iter().filter(is_over).count(), 2, "{reported:?}");
        // Earlier turns do not count when damping is on again.
        monitor.handle_targets(Arc::new(pushed_set(4, 1)), now);
        assert_eq!(damped(&turn(&mut monitor, &["p1"], 6, 10)), [0; 4]);
    }
}

#[test]
fn turns_under_a_hold_do_not_count() {
    let mut monitor = settled(pushed_set(3, 1));
    // Three of three fall: held; then they come and go.
    turn(&mut monitor, &["p0", "p1", "p2"], 1, 1);
    let is = turn(&mut monitor, &["p0"], 20, 2);
    assert_eq!((damped(&is), is.held.len()), (vec![0; 3], 1));
}

#[test]
fn turns_while_canaries_fail_do_not_count() {
    // The freeze reaches its limit after a second: verdicts move, without proof.
    let mut target_set = target_set(3, 0, 1);
    target_set.freeze_max_ms = 1_000;
    for target in target_set.targets.iter_mut().filter(|target| &*target.probe == "web") {
        target.spec = Arc::new(Spec { up_after: 1, down_after: 1, ..(*target.spec).clone() });
    }
    for is_cut in [false, true] {
        let mut monitor = monitor(target_set.clone());
        run(&mut monitor, 0, 30_000, |_| true);
        // Each result of a target differs from the one before.
        let last = RefCell::new(HashMap::new());
        let pictures = run(&mut monitor, 30_000, 300_000, |target| {
            let mut last = last.borrow_mut();
            let is_well = last.entry(target.key.clone()).or_insert(true);
            *is_well = !*is_well;
            if &*target.probe == "canary" { !is_cut } else { *is_well }
        });
        let is_turn = |event: &HealthEvent| matches!(event, HealthEvent::Turned { .. });
        let turns = events(&mut monitor).iter().filter(|event| is_turn(event)).count();
        assert!(turns > 100, "{turns}");
        let is_damped = pictures.iter().any(|(_, is)| damped(is) != [0; 3]);
        assert_eq!(is_damped, !is_cut);
    }
}

#[test]
fn it_survives_a_reload_and_a_restart() {
    let mut monitor = settled(pushed_set(4, 1));
    turn(&mut monitor, &["p1"], 8, 1);
    turn(&mut monitor, &["p2"], 4, 10);
    let mut reloaded = monitor.clone();
    reloaded.handle_targets(Arc::new(pushed_set(5, 1)), Moment(20_000));
    assert_eq!(damped(&reloaded.poll_health_state(Moment(20_000)).unwrap()), [0, 3, 0, 0, 0]);
    let kept = SavedHealth::from_lines(
        monitor.save(Moment(20_000), 1_000_000).to_lines().iter().map(String::as_str),
    );
    let restarted = |epoch_secs| {
        let mut after = Monitor::new(Arc::new(pushed_set(4, 1)), 1, Moment(0));
        after.restore(&kept, Moment(0), epoch_secs);
        after
    };
    let mut after = restarted(1_000_010);
    assert_eq!(damped(&after.poll_health_state(Moment(0)).unwrap()), [0, 3, 0, 0]);
    // 23 s of the minute had passed at the save, and 10 more at the start.
    assert_eq!(after.next_damping_end(), Some(Moment(37_000)));
    assert_eq!(after.save(Moment(0), 1_000_010).flaps, kept.flaps, "a second restart knows the same");
    // Four more turns of p2 are added to those of before.
    assert_eq!(damped(&turn(&mut after, &["p2"], 4, 1)), [0, 3, 3, 0]);
    let mut late = restarted(1_000_100);
    late.poll_health_state(Moment(0));
    assert_eq!(late.damped().count(), 0, "its time ran out meanwhile");
    assert_eq!(restarted(900_000).damped().count(), 0, "a clock that was set back damps nobody");
}

#[test]
fn a_way_back_is_none_of_flapping() {
    let (mut monitor, _) = all_down();
    let pictures = run(&mut monitor, 150_000, 157_000, |target| &*target.pop == "p0");
    assert!(pictures.iter().all(|(_, is)| damped(is) == [0; 5]));
}
