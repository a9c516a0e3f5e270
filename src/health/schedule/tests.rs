//! Grids, limits, and targets that hang.

use super::*;
use crate::health::targets::TargetId;
use crate::health::tests::{pushed, target, target_set};

/// Runs until `end`; each run takes `takes_ms`, or never ends. Returns the starts of each target,
/// and the most runs at once.
fn run(
    schedule: &mut Schedule,
    targets: usize,
    end: u64,
    takes_ms: impl Fn(u32) -> Option<u64>,
) -> (Vec<Vec<u64>>, usize) {
    let (mut starts, mut most) = (vec![Vec::new(); targets], 0);
    let mut ends: BinaryHeap<Reverse<(Moment, Ticket)>> = BinaryHeap::new();
    let mut now = Moment(0);
    while now.0 < end {
        while let Some(Reverse((_, ticket))) =
            ends.peek().copied().filter(|Reverse((moment, _))| *moment <= now)
        {
            ends.pop();
            schedule.finish(ticket, now);
        }
        while schedule.poll_lost(now).is_some() {}
        while let Some((index, ticket)) = schedule.poll(now) {
            starts[index.index()].push(now.0);
            if let Some(ms) = takes_ms(index.0) {
                ends.push(Reverse((now.after_ms(ms), ticket)));
            }
        }
        most = most.max(schedule.flights.len());
        let wake = [schedule.next_wake(), ends.peek().map(|Reverse((moment, _))| *moment)]
            .into_iter()
            .flatten()
            .min();
        now = wake.unwrap_or(Moment(end)).max(now.after_ms(1));
    }
    (starts, most)
}

#[test]
fn a_target_keeps_its_grid_whatever_it_takes() {
    let target_set = target_set(20, 0, 0);
    let mut schedule = Schedule::new(&target_set, 7, Moment(0));
    let (starts, _) = run(&mut schedule, 40, 100_000, |index| Some(u64::from(index) * 20));
    let mut phases = Vec::new();
    for starts in &starts {
        assert_eq!(starts[0], 0, "the first round is at once");
        assert!((2_501..=7_500).contains(&starts[1]));
        assert!(starts[1..].windows(2).all(|pair| pair[1] - pair[0] == 5_000), "no drift: {starts:?}");
        phases.push(starts[1] % 5_000);
    }
    phases.sort_unstable();
    phases.dedup();
    assert!(phases.len() >= 38, "phases spread: {phases:?}");
    let mut other = Schedule::new(&target_set, 8, Moment(0));
    let (others, _) = run(&mut other, 40, 20_000, |_| Some(1));
    assert!(
        starts.iter().zip(&others).filter(|(a, b)| a[1] != b[1]).count() > 35,
        "another node, another grid"
    );
}

#[test]
fn a_target_that_hangs_delays_no_other_and_is_given_up() {
    let target_set = target_set(2, 0, 0);
    let mut schedule = Schedule::new(&target_set, 1, Moment(0));
    let (starts, _) = run(&mut schedule, 4, 60_000, |index| (index != 0).then_some(10));
    assert!((11..=13).contains(&starts[1].len()), "{starts:?}");
    assert!((5..=9).contains(&starts[0].len()), "each run is given up 5 s past its time-out: {starts:?}");
}

#[test]
fn no_more_than_the_limit_run_at_once_and_canaries_go_first() {
    let mut target_set = target_set(1000, 0, 0);
    for index in 0..3 {
        target_set.canaries.push(TargetId::at(target_set.targets.len()));
        target_set.targets.push(target(
            "canary",
            "canary",
            &format!("198.51.100.{index}"),
            &crate::health::tests::spec(),
        ));
    }
    let mut schedule = Schedule::new(&target_set, 1, Moment(0));
    let first: Vec<TargetId> = (0..3).map(|_| schedule.poll(Moment(0)).unwrap().0).collect();
    assert!(first.iter().all(|index| target_set.canaries.contains(index)));
    let mut schedule = Schedule::new(&target_set, 1, Moment(0));
    let (starts, most) = run(&mut schedule, 2003, 20_000, |_| Some(1_000));
    assert_eq!(most, PROBES_AT_ONCE);
    assert!(starts.iter().all(|starts| starts.len() >= 3));
}

#[test]
fn pushed_targets_are_never_run_and_retries_come_soon() {
    let mut target_set = target_set(1, 0, 0);
    target_set.targets.push(target("feed", "p0", "192.0.2.9", &pushed(1_000)));
    let mut schedule = Schedule::new(&target_set, 1, Moment(0));
    let (index, ticket) = schedule.poll(Moment(0)).unwrap();
    schedule.poll(Moment(0)).unwrap();
    assert_eq!(schedule.poll(Moment(0)), None);
    assert_eq!(schedule.due(TargetId(2)), None);
    schedule.finish(ticket, Moment(5)).unwrap();
    assert_eq!(schedule.finish(ticket, Moment(5)), None, "a ticket is good once");
    schedule.retry(index, Moment(10));
    assert_eq!((schedule.due(index), schedule.poll(Moment(1_009))), (Some(Moment(1_010)), None));
    assert_eq!(schedule.poll(Moment(1_010)).map(|(again, _)| again), Some(index));
}

#[test]
fn a_reload_keeps_grids_and_flights() {
    let old = target_set(2, 0, 0);
    let mut schedule = Schedule::new(&old, 1, Moment(0));
    let flights: Vec<(TargetId, Ticket)> = std::iter::from_fn(|| schedule.poll(Moment(0))).collect();
    assert_eq!(flights.len(), 4);
    schedule.finish(flights[0].1, Moment(50));
    let due = schedule.due(flights[0].0).unwrap();
    let mut new = target_set(3, 0, 0);
    new.targets.reverse();
    let mut schedule = schedule.follow(&old, &new, Moment(100));
    let moved = |id: TargetId| {
        let key = &old.targets[id.index()].key;
        TargetId::at(new.targets.iter().position(|target| target.key == *key).unwrap())
    };
    assert_eq!(schedule.due(moved(flights[0].0)), Some(due));
    assert_eq!(schedule.finish(flights[1].1, Moment(100)).map(|run| run.id), Some(moved(flights[1].0)));
    assert_eq!(
        schedule.poll(Moment(100)).map(|(id, _)| &*new.targets[id.index()].pop),
        Some("p2"),
        "what is new is due at once"
    );
    let mut schedule = schedule.follow(&new, &TargetSet::default(), Moment(200));
    assert_eq!(
        (schedule.flights.len(), schedule.finish(flights[2].1, Moment(200)), schedule.flights.len()),
        (3, None, 2),
        "gone, but it holds its place"
    );
}
