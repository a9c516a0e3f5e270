//! Long runs of a small world: targets flap, networks are cut, files are reloaded, and the process
//! dies.
//!
//! A failing seed is a number in the message; `run_seed` runs it alone.

use super::*;
use crate::health::health_state::SlotHealth;
use crate::health::targets::{PolicyId, TargetId};
use std::collections::HashMap;

/// Dice that give the same numbers on every machine (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

struct World {
    dice: Dice,
    /// Keys of targets that fail.
    broken: BTreeSet<Arc<str>>,
    cut: [bool; 2],
    /// Start of the freeze of each family.
    frozen: [Option<u64>; 2],
    /// For each target: its verdict, and the moment before which it must not change.
    promised: HashMap<Arc<str>, (Verdict, u64)>,
    seed: u64,
}

impl World {
    fn fate(&mut self, target: &Target) -> bool {
        let is_cut = self.cut[IpFamily::of(target.destination) as usize];
        !(is_cut || self.broken.contains(&target.key) || self.dice.roll(40) == 0)
    }

    /// Changes something in the world, or nothing.
    fn stir(&mut self, target_set: &TargetSet) {
        match self.dice.roll(60) {
            0..8 => {
                let key =
                    target_set.targets[self.dice.roll(target_set.targets.len() as u64) as usize].key.clone();
                if !self.broken.remove(&key) {
                    self.broken.insert(key);
                }
            }
            8 => self.cut[self.dice.roll(2) as usize] ^= true,
            9..12 => self.cut = [false; 2],
            12 => self.broken.extend(
                target_set
                    .targets
                    .iter()
                    .filter(|target| &*target.probe == "web")
                    .map(|target| target.key.clone()),
            ),
            13..15 => self.broken.clear(),
            _ => {}
        }
    }

    /// Checks that no target goes down while its family is frozen.
    fn check_events(&mut self, monitor: &mut Monitor, now: u64) {
        for event in events(monitor) {
            match event {
                HealthEvent::Frozen { family, .. } => self.frozen[family as usize] = Some(now),
                HealthEvent::Thawed { family, .. } | HealthEvent::FreezeSpent { family, .. } => {
                    self.frozen[family as usize] = None
                }
                HealthEvent::Turned { subject, now: verdict, .. } => {
                    let since = self.frozen[usize::from(subject.address.is_ipv6())];
                    assert!(
                        since.is_none_or(|since| since >= now),
                        "seed {}, {now} ms: {subject} turned {verdict:?} in a freeze",
                        self.seed
                    );
                }
                _ => {}
            }
        }
    }

    fn check_picture(&mut self, monitor: &Monitor, health_state: &HealthState, now: u64) {
        let (target_set, seed) = (monitor.target_set(), self.seed);
        assert_eq!(health_state.slots.len(), target_set.slots.len());
        assert!(health_state.held.iter().all(|(policy, slots)| policy.index() < target_set.policies.len()
            && slots.len() == target_set.slots.len()));
        assert!(health_state.held.is_sorted_by_key(|(policy, _)| *policy));
        let fallen = health_state.slots.iter().filter(|slot| slot.went_down > 0).count() as u32;
        let reports: Vec<_> = monitor.targets(Moment(now)).collect();
        for (slot, index) in health_state.slots.iter().zip(0..) {
            assert!(slot.down_v4 <= 1 && slot.down_v6 <= 1 && slot.went_down <= fallen);
            for (mask, target) in [(slot.down_v4, index * 2), (slot.down_v6, index * 2 + 1)] {
                let is_awaited = monitor.watched[target].awaited_until.is_some();
                let may_be_down = reports[target].verdict == Verdict::Down || is_awaited;
                assert!(mask == 0 || may_be_down, "seed {seed}, {now} ms: unknown is not down");
            }
            let readings =
                [index * 2, index * 2 + 1].map(|target| monitor.slot_table.reading(TargetId::at(target)));
            assert_eq!(
                slot.horizon_secs,
                readings[0].horizon_secs.min(readings[1].horizon_secs),
                "the least of its targets"
            );
        }
    }

    /// Notes, after a result, until when the target must keep its verdict. A horizon is rounded up
    /// to seconds.
    fn promise(&mut self, monitor: &Monitor, key: &Arc<str>, now: u64) {
        // Canaries are checked out of turn, so their horizon is no promise.
        let is_meant = |target: &Target| target.key == *key && &*target.probe != "canary";
        let Some(index) = monitor.target_set().targets.iter().position(is_meant) else { return };
        let reading = monitor.slot_table.reading(TargetId::at(index));
        let until = if reading.horizon_secs == NO_HORIZON {
            0
        } else {
            now + (u64::from(reading.horizon_secs) * 1000).saturating_sub(999)
        };
        self.promised.insert(key.clone(), (reading.verdict, until));
    }

    fn check_promises(&mut self, monitor: &Monitor, now: u64) {
        for report in monitor.targets(Moment(now)) {
            if let Some((was, until)) = self.promised.get_mut(&report.target.key)
                && *was != report.verdict
            {
                let (key, seed) = (&report.target.key, self.seed);
                assert!(
                    *was == Verdict::Unknown || now >= *until,
                    "seed {seed}: {key} turned at {now} ms, promised until {until}"
                );
                *was = report.verdict;
            }
        }
    }
}

/// Parts of a health state that answers show, without those that time alone moves.
fn shown(health_state: &HealthState) -> (Vec<[u64; 3]>, Vec<Vec<[u64; 3]>>) {
    let slots = health_state
        .slots
        .iter()
        .map(|slot| [slot.down_v4, slot.down_v6, u64::from(slot.went_down)])
        .collect();
    let held = |(policy, slots): &(PolicyId, Vec<SlotHealth>)| {
        slots.iter().map(|slot| [slot.down_v4, slot.down_v6, u64::from(policy.0)]).collect()
    };
    (slots, health_state.held.iter().map(held).collect())
}

fn run_seed(seed: u64) -> usize {
    let mut world = World {
        dice: Dice(seed),
        broken: BTreeSet::new(),
        cut: [false; 2],
        frozen: [None; 2],
        promised: HashMap::new(),
        seed,
    };
    let (mut monitor, mut now, mut last, mut pictures) =
        (monitor(target_set(5, 2, 2)), 0, HealthState::default(), 0);
    let mut flights: Vec<(u64, Ticket, bool, Arc<str>)> = Vec::new();
    while now < 600_000 {
        world.stir(&monitor.target_set().clone());
        while let Some(due) = monitor.poll_due(Moment(now)) {
            let is_well = world.fate(due.target());
            let takes = if is_well { world.dice.roll(300) } else { world.dice.roll(2) * 1_000 };
            flights.push((now + takes, due.ticket, is_well, due.target().key.clone()));
        }
        flights.retain(|(end, ticket, is_well, key)| {
            if *end <= now {
                let probe_result =
                    if *is_well { ProbeResult::well() } else { ProbeResult::failed("refused") };
                world.check_promises(&monitor, now);
                monitor.handle_result(*ticket, &probe_result, Moment(now));
                world.check_promises(&monitor, now);
                world.promise(&monitor, key, now);
            }
            *end > now
        });
        if world.dice.roll(400) == 0 {
            let pops = 4 + world.dice.roll(3) as usize;
            monitor.handle_targets(Arc::new(target_set(pops, 2, 2)), Moment(now));
            world.promised.clear();
        }
        if let Some(health_state) = monitor.poll_health_state(Moment(now)) {
            world.check_picture(&monitor, &health_state, now);
            (last, pictures) = (health_state, pictures + 1);
        }
        world.check_events(&mut monitor, now);
        let all_known = monitor.targets(Moment(now)).all(|report| report.verdict != Verdict::Unknown);
        if all_known && world.dice.roll(400) == 0 {
            let saved = monitor.save(Moment(now), 1_000_000);
            let mut after = Monitor::new(monitor.target_set().clone(), seed, Moment(now));
            // The time of a hold passes during the restart.
            let away_secs = if last.held.is_empty() { 3 } else { 0 };
            after.restore(&saved, Moment(now), 1_000_000 + away_secs);
            assert_eq!(
                shown(&after.poll_health_state(Moment(now)).unwrap()),
                shown(&last),
                "seed {seed}: a restart at {now} ms"
            );
            (monitor, world.frozen) = (after, [None; 2]);
            flights.clear();
            world.promised.clear();
        }
        let next = [monitor.next_wake().map(|wake| wake.0), flights.iter().map(|(end, ..)| *end).min()]
            .into_iter()
            .flatten()
            .min();
        now = next.unwrap_or(now).clamp(now + 1, now + 2_000);
    }
    pictures
}

/// Every health state keeps the promises of the one before.
#[test]
fn long_runs_keep_every_promise() {
    let pictures: usize = (0..60).map(run_seed).sum();
    assert!(pictures > 60 * 50, "{pictures} pictures are too few to show anything");
}

/// Results of one moment give one health state, in any order.
#[test]
fn the_order_within_a_moment_does_not_matter() {
    for seed in 0..30 {
        let mut world = World {
            dice: Dice(seed),
            broken: BTreeSet::new(),
            cut: [false; 2],
            frozen: [None; 2],
            promised: HashMap::new(),
            seed,
        };
        let mut monitor = monitor(target_set(5, 2, 2));
        for turn in 0..200u64 {
            // All targets at once: coarse moments make many ties.
            let now = Moment(turn * 7_000);
            world.stir(&monitor.target_set().clone());
            let due: Vec<Due> = std::iter::from_fn(|| monitor.poll_due(now)).collect();
            let fates: Vec<(Ticket, bool)> =
                due.iter().map(|due| (due.ticket, world.fate(due.target()))).collect();
            let end = now.after_ms(world.dice.roll(3_000));
            let mut other = monitor.clone();
            let emit = |monitor: &mut Monitor, (ticket, is_well): (Ticket, bool)| {
                let probe_result = if is_well { ProbeResult::well() } else { ProbeResult::failed("refused") };
                monitor.handle_result(ticket, &probe_result, end);
            };
            fates.iter().for_each(|fate| emit(&mut monitor, *fate));
            let mut shuffled = fates.clone();
            (1..shuffled.len()).for_each(|at| shuffled.swap(at, world.dice.roll(at as u64 + 1) as usize));
            shuffled.iter().for_each(|fate| emit(&mut other, *fate));
            assert_eq!(
                monitor.poll_health_state(end),
                other.poll_health_state(end),
                "seed {seed}, turn {turn}"
            );
            assert_eq!(monitor.save(end, 1_000), other.save(end, 1_000), "seed {seed}, turn {turn}");
        }
    }
}
