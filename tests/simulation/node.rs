//! The node: the machines of health, load, ramps and overrides, put together as the server's writer
//! does it.

use crate::world::Compiled;
use meridian::testing::config::ledger_file;
use meridian::testing::health::Moment;
use meridian::testing::health::health_state::{HealthState, SlotHealth};
use meridian::testing::health::load::{LoadController, ShedRow};
use meridian::testing::health::monitor::Monitor;
use meridian::testing::health::ramp::{RampPop, Ramps};
use meridian::testing::server::overrides::{LiveInputs, Overrides, ahead_secs};
use meridian::testing::server::view::health_of_pops;
use meridian::testing::shared::command::{OverrideChange, OverrideOutcome};
use meridian::testing::shared::operator_view::PopHealth;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::steer::pop::AdminState;
use meridian::testing::steer::status::{Share256, Shed};
use std::path::Path;
use std::sync::Arc;

pub struct Node<'w> {
    files: &'w Compiled,
    capacity: Vec<f64>,
    seed: u64,
    pub monitor: Monitor,
    pub loads: LoadController,
    ramps: Ramps,
    pub overrides: Overrides,
    pub health_state: HealthState,
    /// Shed share of each slot, for tests that replace the load controller.
    pub sheds: Vec<ShedRow>,
    pub left: Vec<Share256>,
    /// PoPs that are up, or serve on as if they were: what ramps hear.
    pub is_up: Vec<bool>,
    pub snapshot: Arc<Snapshot>,
    /// When an override changes answers next by itself.
    step_at: Option<u64>,
}

impl<'w> Node<'w> {
    pub fn new(files: &'w Compiled, capacity: &[f64], seed: u64) -> Node<'w> {
        let snapshot = files.world.snapshot.clone();
        Node {
            monitor: Monitor::new(snapshot.target_set.clone(), seed, Moment(0)),
            loads: LoadController::new(files.loads(capacity), seed, Moment(0)),
            ramps: Ramps::new(ramping(&snapshot)),
            overrides: Overrides::open(Path::new("no such folder"), 0).0,
            health_state: HealthState {
                slots: vec![SlotHealth::default(); snapshot.steering.slots.len()],
                held: vec![],
            },
            sheds: vec![],
            left: vec![0; snapshot.pops.len()],
            is_up: vec![true; snapshot.pops.len()],
            step_at: None,
            capacity: capacity.to_vec(),
            files,
            seed,
            snapshot,
        }
    }

    /// A turn without a command: publishes what an answer would show. `keeps_sheds`: the machine of
    /// load has no say.
    pub fn look(&mut self, now: Moment, epoch_secs: u64, keeps_sheds: bool) -> bool {
        let has_ended =
            !self.overrides.expire(epoch_secs).is_empty() || self.step_at.is_some_and(|at| at <= epoch_secs);
        if has_ended {
            self.put(now, epoch_secs);
        }
        let mut has_changed = false;
        while let Some(health_state) = self.monitor.poll_health_state(now) {
            self.health_state = health_state;
            has_changed = true;
        }
        if has_changed {
            self.call(now, epoch_secs);
        }
        has_changed |= self.turn(now, keeps_sheds);
        (has_changed && self.publish(epoch_secs)) || has_ended
    }

    /// What is said by hand, or by files, is in force.
    pub fn put(&mut self, now: Moment, epoch_secs: u64) {
        let pops = &self.files.world.snapshot.pops;
        self.step_at = self.overrides.ledger.next_step(epoch_secs, ahead_secs(&self.files.world.snapshot));
        self.monitor.handle_overrides(&self.overrides.overridden(pops, epoch_secs));
        self.follow(now);
        self.call(now, epoch_secs);
        self.turn(now, false);
        self.publish(epoch_secs);
    }

    /// Says something by hand; `false` if it is refused.
    pub fn say(&mut self, change: &OverrideChange, now: Moment, epoch_secs: u64) -> bool {
        let is_down: Vec<bool> = self.healths().iter().map(|health| *health == PopHealth::Down).collect();
        let draft = self.overrides.draft(change, &self.files.world.snapshot, &is_down, epoch_secs);
        if draft.ended != OverrideOutcome::Done {
            return false;
        }
        self.overrides.ledger = draft.ledger;
        self.put(now, epoch_secs);
        true
    }

    /// Other files.
    pub fn reload(&mut self, files: &'w Compiled, now: Moment, epoch_secs: u64) {
        self.files = files;
        let snapshot = &files.world.snapshot;
        self.monitor.handle_targets(snapshot.target_set.clone(), now);
        self.loads.handle_targets(files.loads(&self.capacity), now);
        self.ramps.handle_pops(ramping(snapshot));
        self.left.resize(snapshot.pops.len(), 0);
        self.put(now, epoch_secs);
    }

    /// The process ends and begins again with what it kept; the wall clock may have stepped
    /// meanwhile.
    pub fn restart(&mut self, now: Moment, epoch_secs: u64, epoch_after: u64) {
        let (verdicts, shares, ramps) = (
            self.monitor.save(now, epoch_secs),
            self.loads.save(epoch_secs),
            self.ramps.save(now, epoch_secs),
        );
        let ledger = ledger_file::print(&self.overrides.ledger);
        *self = Node::new(self.files, &self.capacity, self.seed);
        self.monitor.restore(&verdicts, Moment(0), epoch_after);
        self.loads.restore(&shares, Moment(0), epoch_after);
        self.ramps.restore(&ramps, Moment(0), epoch_after);
        self.overrides.ledger = ledger_file::read_alone(ledger.as_bytes(), "overrides.yaml")
            .unwrap_or_else(|_| panic!("{ledger}"));
        self.sheds = self.loads.sheds();
        self.follow(Moment(0));
        self.put(Moment(0), epoch_after);
    }

    fn follow(&mut self, now: Moment) {
        if let Some(health_state) = self.monitor.poll_health_state(now) {
            self.health_state = health_state;
        }
    }

    /// When to look next if nothing happens.
    pub fn next_wake(&self, now: Moment) -> Option<Moment> {
        [self.monitor.next_wake(), self.loads.next_wake(), self.ramps.next_wake(now)]
            .into_iter()
            .flatten()
            .min()
    }

    fn healths(&self) -> Vec<PopHealth> {
        health_of_pops(&self.files.world.snapshot, &self.health_state.slots)
    }

    /// Loads and ramps hear who is up and who serves.
    fn call(&mut self, now: Moment, epoch_secs: u64) {
        let snapshot = &self.files.world.snapshot;
        let up_in = |slots: &[SlotHealth]| -> Vec<bool> {
            health_of_pops(snapshot, slots).iter().map(|is| *is != PopHealth::Down).collect()
        };
        let mut is_up = up_in(&self.health_state.slots);
        let states = self.overrides.ledger.effective(&snapshot.pops, epoch_secs);
        let serves: Vec<bool> = is_up.iter().zip(&states).map(|(is_up, is)| *is_up && !is.is_off()).collect();
        for (policy, held) in &self.health_state.held {
            let held = up_in(held);
            for pop in snapshot.steering.policies[*policy as usize]
                .members
                .iter()
                .filter_map(|member| member.target.split().ok())
            {
                is_up[usize::from(pop.0)] |= held[usize::from(pop.0)];
            }
        }
        is_up.iter_mut().zip(&states).for_each(|(is_up, is)| *is_up |= is.state == AdminState::Up);
        self.loads.handle_service(&serves);
        for (pop, is_up) in is_up.iter().enumerate() {
            self.ramps.handle_verdict(pop as u16, *is_up, now);
        }
        self.is_up = is_up;
    }

    /// Steps of load and ramps. Whether an answer would show them.
    fn turn(&mut self, now: Moment, keeps_sheds: bool) -> bool {
        let left: Vec<Share256> = (0..self.left.len()).map(|pop| self.ramps.left(pop as u16, now)).collect();
        let mut has_changed = left != self.left;
        self.left = left;
        if let Some(sheds) = self.loads.poll_sheds(now).filter(|_| !keeps_sheds) {
            has_changed |= sheds != self.sheds;
            self.sheds = sheds;
        }
        has_changed
    }

    /// A new status for everybody, if it is another one.
    pub fn publish(&mut self, epoch_secs: u64) -> bool {
        let base = &self.files.world.snapshot;
        let mut sheds =
            vec![Shed::default(); if self.sheds.is_empty() { 0 } else { base.steering.slots.len() }];
        for row in &self.sheds {
            sheds[row.slot as usize] = Shed { share: row.share, accept: row.accept.clone() };
        }
        let truth = LiveInputs { health_state: &self.health_state, left: &self.left, sheds: &sheds };
        let next = self.overrides.with_live_state(base, truth, epoch_secs, self.snapshot.sequence() + 1);
        let is_new =
            next.status != self.snapshot.status || !Arc::ptr_eq(&next.steering, &self.snapshot.steering);
        if is_new {
            self.snapshot = Arc::new(next);
        }
        is_new
    }
}

fn ramping(snapshot: &Snapshot) -> Vec<RampPop> {
    snapshot
        .pops
        .iter()
        .map(|pop| RampPop { name: pop.name.clone(), ramp_ms: u64::from(pop.ramp_ms) })
        .collect()
}
