//! Way back of pools from all down.

use super::{events, monitor, run};
use crate::health::Moment;
use crate::health::health_state::HealthState;
use crate::health::monitor::Monitor;
use crate::health::saved::SavedHealth;
use crate::health::spec::Spec;
use crate::health::targets::{ManualState, PolicyId, PolicyMembers, Pool, TargetSet};
use crate::health::tests::{spec, target_set};
use std::sync::Arc;

/// Five PoPs, and a fence of three of them; all have been down since their guard took over the
/// verdicts.
pub(super) fn all_down() -> (Monitor, impl Fn() -> TargetSet) {
    let target_set = || {
        let mut target_set = target_set(5, 1, 0);
        // Two successes of p4 take a minute, those of the others ten seconds.
        for target in target_set.targets.iter_mut().filter(|target| &*target.pop == "p4") {
            target.spec = Arc::new(Spec { every_ms: 30_000, ..spec() });
        }
        target_set.policies[0].pools.push(Pool { name: "p0, p1, p2".into(), members: vec![0, 1, 2] });
        target_set
    };
    let mut monitor = monitor(target_set());
    run(&mut monitor, 0, 30_000, |_| true);
    let pictures = run(&mut monitor, 30_000, 150_000, |_| false);
    assert!(pictures.last().unwrap().1.slots.iter().all(|slot| slot.went_down > 0));
    assert!(pictures.iter().all(|(_, health_state)| health_state.returning.is_empty()));
    events(&mut monitor);
    (monitor, target_set)
}

/// Numbers of the pools on their way back.
fn returning(health_state: &HealthState) -> Vec<u16> {
    health_state.returning.iter().map(|pool| pool.pool).collect()
}

#[test]
fn the_first_to_return_does_not_get_all_clients() {
    let (mut monitor, _) = all_down();
    let pictures = run(&mut monitor, 150_000, 157_000, |target| &*target.pop == "p0");
    let (begun, first) = pictures.iter().find(|(_, is)| !is.returning.is_empty()).expect("p0 is back");
    assert_eq!((returning(first), first.slots[0].went_down), (vec![0, 1], 0));
    let shown = &first.returning[0].slots;
    assert!(shown.iter().all(|(_, went_down)| *went_down > 0), "{shown:?}");
    // Two of three are enough for the fence, but not for the policy with five.
    let mut by_share = monitor.clone();
    let pictures = run(&mut by_share, 157_000, 170_000, |target| matches!(&*target.pop, "p0" | "p1"));
    assert_eq!(returning(&pictures.last().unwrap().1), [0]);
    let pictures = run(&mut by_share, 170_000, 185_000, |target| matches!(&*target.pop, "p0" | "p1" | "p2"));
    assert!(pictures.last().unwrap().1.returning.is_empty());
    // With p0 alone, it takes as long as the slowest probe.
    let pictures = run(&mut monitor, 157_000, 230_000, |target| &*target.pop == "p0");
    let ends = |pool: u16| pictures.iter().find(|(_, is)| !returning(is).contains(&pool)).expect("it ends").0;
    assert_eq!([ends(0) - begun, ends(1) - begun], [60_000, 10_000]);
    let reported: Vec<String> = events(&mut monitor).iter().map(ToString::to_string).collect();
    for line in [
        "policy web0: all 5 PoPs were down and 1 came back: clients are answered as before until enough are \
         up, for at most 1 min 0 s",
        "policy web0, fence p0, p1, p2: the way back is over after 10 s",
    ] {
        assert!(reported.iter().any(|it| it == line), "{reported:?}");
    }
}

#[test]
fn a_pop_that_falls_on_the_way_back_is_no_fall_to_the_guard() {
    let (mut monitor, _) = all_down();
    monitor.target_set = Arc::new({
        let mut target_set = (*monitor.target_set).clone();
        target_set.policies[0].guard.share_percent = 20;
        target_set
    });
    run(&mut monitor, 150_000, 157_000, |target| matches!(&*target.pop, "p0"));
    let pictures = run(&mut monitor, 157_000, 200_000, |_| false);
    assert!(pictures.iter().all(|(_, health_state)| health_state.held.is_empty()));
    assert!(pictures.last().unwrap().1.returning.is_empty());
}

#[test]
fn a_way_back_survives_a_reload_and_a_restart_and_ends_by_decisions() {
    let (mut monitor, target_set) = all_down();
    let pictures = run(&mut monitor, 150_000, 157_000, |target| &*target.pop == "p0");
    let before = &pictures.last().unwrap().1;
    assert_eq!(returning(before), [0, 1]);
    let mut reloaded = monitor.clone();
    let mut new = target_set();
    new.policies.insert(0, PolicyMembers { name: "another".into(), ..new.policies[0].clone() });
    reloaded.handle_targets(Arc::new(new), Moment(157_000));
    let after = reloaded.poll_health_state(Moment(157_000)).unwrap();
    assert_eq!(
        after.returning.iter().map(|pool| (pool.policy, pool.pool)).collect::<Vec<_>>(),
        [(PolicyId(1), 0), (PolicyId(1), 1)]
    );
    assert_eq!(after.returning[0].slots, before.returning[0].slots);
    let ends = monitor.slot_table.next_wake().unwrap().0;
    assert_eq!(reloaded.slot_table.next_wake(), Some(Moment(ends)));
    // A restart that took a second.
    let kept = SavedHealth::from_lines(
        monitor.save(Moment(157_000), 1_000_000).to_lines().iter().map(String::as_str),
    );
    let mut restarted = Monitor::new(Arc::new(target_set()), 1, Moment(0));
    restarted.restore(&kept, Moment(0), 1_000_001);
    let again = restarted.poll_health_state(Moment(0)).unwrap();
    assert_eq!(again.returning, before.returning);
    assert_eq!(restarted.slot_table.next_wake(), Some(Moment(ends - 158_000)));
    let mut late = Monitor::new(Arc::new(target_set()), 1, Moment(0));
    late.restore(&kept, Moment(0), 1_000_060);
    assert!(late.poll_health_state(Moment(0)).unwrap().returning.is_empty());
    use ManualState::{Down, None, Up};
    for (manual_states, expected) in [
        ([None, None, Down, None, Down], &[0, 1][..]), // one of two is not more than half
        ([None, Down, Down, None, Down], &[0]),        // the fence has its one
        ([None, Down, Down, Down, Down], &[]),
    ] {
        let mut decided = monitor.clone();
        decided.handle_overrides(&manual_states);
        let is = decided.slot_table.evaluate(&decided.target_set, Moment(157_000));
        assert_eq!(returning(&decided.slot_table.health_state(&decided.target_set)), expected, "{is:?}");
    }
    monitor.handle_overrides(&[None, None, None, Up, None]);
    assert_eq!(returning(&monitor.poll_health_state(Moment(157_000)).unwrap()), [1], "the policy is served");
}
