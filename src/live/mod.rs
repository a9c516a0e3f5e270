//! Live state: all state that changes between two reloads, with one owner, and the clock that
//! drives it.
//!
//! ```text
//!  a snapshot to follow ──▶ ┌─────────────────────────┐ ──▶ checks and readings that are due
//!  results, readings ──────▶│ LiveState               │ ──▶ next status, prediction, comparison
//!  pushes, overrides ──────▶│ 1 overrides  2 probes   │ ──▶ events, alarms, the operator view
//!  the clock ──────────────▶│ 3 service 4 load, ramps │ ──▶ state to save for a restart
//!                           └─────────────────────────┘ ──▶ time of the next step
//! ```
//!
//! [`LiveState::step`] alone defines the order in which one part depends on another. A start, a
//! publication, a prediction, a comparison with other files and the simulation all use this step.
//! The step is pure: the owner passes in the clock ([`Now`]), runs the due checks, and publishes.
//! More inputs, such as limits of a fleet or prices of a plan, become parts of the step.

pub(crate) mod draft;
pub(crate) mod health;
pub(crate) mod load;
pub(crate) mod overrides;
pub(crate) mod service;
pub(crate) mod standing;
pub(crate) mod view;

use self::draft::{Draft, Ground};
use self::health::LiveHealth;
use self::load::LiveLoad;
use self::overrides::{Overrides, ahead_secs};
use self::service::{Service, off_by_probes};
use self::standing::Since;
use crate::health::Moment;
use crate::health::health_state::HealthState;
use crate::health::load::saved::SavedLoad;
use crate::health::load::{DueFeed, FeedTicket};
use crate::health::monitor::{Due, Monitor};
use crate::health::probe_result::ProbeResult;
use crate::health::ramp::SavedRamp;
use crate::health::saved::SavedHealth;
use crate::health::schedule::Ticket;
use crate::health::targets::ManualState;
use crate::impact::prediction::MeasuredLoads;
use crate::limits::{CLOCK_STEP_MILLIS, EXPIRY_LOOK_SECS};
use crate::shared::command::{LoadPush, OverrideChange, ProbePush};
use crate::shared::event::Event;
use crate::snapshot::Snapshot;
use crate::steer::ledger::Ledger;
use crate::steer::pop_status::Share256;
use crate::steer::status::Status;
use std::sync::Arc;

/// Current time, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic clock, from any zero.
    pub moment: Moment,
    /// Wall clock, which people may set, in seconds since 1970.
    pub epoch_secs: u64,
}

/// Load and ramps, saved for a restart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedLoadAndRamps {
    /// Load feeds that shed.
    pub(crate) loads: Vec<SavedLoad>,
    /// Ramps in progress.
    pub(crate) ramps: Vec<SavedRamp>,
    /// Time up to which events of overrides by the clock were reported, in seconds since 1970.
    pub(crate) reported_until: Option<u64>,
}

impl SavedLoadAndRamps {
    /// Lines of text, without their ends.
    pub fn to_lines(&self) -> Vec<String> {
        let SavedLoadAndRamps { loads, ramps, reported_until } = self;
        let reported = reported_until.map(|reported_until| format!("{REPORTED_UNTIL}{reported_until}"));
        (loads.iter().map(SavedLoad::to_line))
            .chain(ramps.iter().map(SavedRamp::to_line))
            .chain(reported)
            .collect()
    }

    /// Parses lines; unknown lines are ignored.
    pub fn from_lines<'t>(lines: impl Iterator<Item = &'t str> + Clone) -> SavedLoadAndRamps {
        SavedLoadAndRamps {
            loads: lines.clone().filter_map(SavedLoad::from_line).collect(),
            ramps: lines.clone().filter_map(SavedRamp::from_line).collect(),
            reported_until: lines.filter_map(|line| line.strip_prefix(REPORTED_UNTIL)?.parse().ok()).last(),
        }
    }
}

/// First word of the line with `reported_until`.
const REPORTED_UNTIL: &str = "told ";

/// State with which live state begins.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// Ledger of overrides.
    pub ledger: Ledger,
    /// Health, with its own time stamps.
    pub health: SavedHealth,
    /// Load and ramps, with their own time stamps.
    pub load: SavedLoadAndRamps,
}

/// Changes in a step that answers may show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stepped {
    /// Overrides, or states in files.
    pub overrides_changed: bool,
    /// Probe results.
    pub has_turned: bool,
    /// Shed shares and ramps.
    pub has_moved: bool,
}

impl Stepped {
    /// True if an answer may change.
    pub fn any(self) -> bool {
        self.overrides_changed || self.has_turned || self.has_moved
    }
}

/// All state that changes between two reloads. The functions that save it, show it, pass it on or
/// move it to another snapshot name every field, so that a new one does not compile until each of
/// them has decided.
#[derive(Clone, Debug)]
pub struct LiveState {
    /// Snapshot that it follows, without live inputs.
    snapshot: Arc<Snapshot>,
    overrides: Overrides,
    health: LiveHealth,
    load: LiveLoad,
    /// PoPs that are up, and PoPs in service, at the last step.
    service: Service,
    /// True if overrides must be evaluated again: other entries, other files, or a clock that was
    /// set.
    overrides_pending: bool,
    /// Next time at which overrides change by the clock, in seconds since 1970.
    overrides_due_at: Option<u64>,
    stepped: Now,
    events: Vec<Event>,
    /// Start times of the states that the operator view shows.
    since: Since,
}

impl LiveState {
    /// Follows a snapshot, with remembered state. Call [`LiveState::step`] before anything else.
    pub fn new(snapshot: Arc<Snapshot>, remembered: Remembered, now: Now) -> LiveState {
        let Remembered { ledger, health, load } = remembered;
        let (target_set, name) = (Arc::clone(&snapshot.target_set), snapshot.node_name());
        LiveState {
            // Without remembered state no earlier event is reported: it may be long ago.
            overrides: Overrides::new(ledger, load.reported_until.unwrap_or(u64::MAX).min(now.epoch_secs)),
            health: LiveHealth::new(target_set, name, &health, now),
            load: LiveLoad::new(&snapshot, &load, now),
            service: Service::default(),
            overrides_pending: true,
            overrides_due_at: None,
            stepped: now,
            events: Vec::new(),
            since: Since::default(),
            snapshot,
        }
    }

    /// Follows another snapshot. State of parts that both have is kept.
    pub fn follow(&mut self, snapshot: Arc<Snapshot>, now: Now) {
        let LiveState {
            snapshot: followed,
            overrides: _,
            health,
            load,
            // Derived in the next step.
            service: _,
            overrides_pending,
            overrides_due_at: _,
            stepped: _,
            events: _,
            since: _,
        } = self;
        *followed = snapshot;
        health.follow(&followed.target_set, now.moment);
        load.follow(followed, now.moment);
        *overrides_pending = true;
    }

    /// Replaces the ledger.
    pub fn keep(&mut self, ledger: Ledger) {
        self.overrides.keep(ledger);
        self.overrides_pending = true;
    }

    /// Brings every part to a moment, each after the parts on which it depends.
    pub fn step(&mut self, now: Now) -> Stepped {
        let LiveState {
            snapshot,
            overrides,
            health,
            load,
            service,
            overrides_pending,
            overrides_due_at,
            stepped,
            events,
            since: _,
        } = self;
        let pops = &snapshot.pops;
        // 1. Overrides. After a change of the wall clock all are evaluated again, because they
        //    depend on ledger and clock alone.
        if let Some(secs) = clock_step(*stepped, now) {
            events.push(Event::ClockStepped { secs });
            *overrides_pending = true;
        }
        *stepped = now;
        let is_due = overrides_due_at.is_some_and(|at| at <= now.epoch_secs);
        let overrides_changed = std::mem::take(overrides_pending) || is_due;
        if overrides_changed {
            events.extend(overrides.progress(now.epoch_secs));
            *overrides_due_at = overrides.ledger().next_step(now.epoch_secs, ahead_secs(snapshot));
            // 2. Probes. The guards learn about overrides before they judge: they never count a PoP
            //    with an operator's decision.
            health.monitor.handle_overrides(&overrides.overridden(pops, now.epoch_secs));
        }
        let has_turned = health.step(now.moment);
        // 3. The PoPs in service follow from both.
        if overrides_changed || has_turned {
            let states = overrides.ledger().effective(pops, now.epoch_secs);
            *service = Service::new(snapshot, &health.health_state, &states);
            load.serve(service, now.moment);
        }
        // 4. Load moves cells to PoPs in service, and ramps bring back cells of PoPs that came up.
        let has_moved = load.step(snapshot, now.moment);
        Stepped { overrides_changed, has_turned, has_moved }
    }

    /// Status of all parts, at the last step.
    pub fn status(&self) -> Status {
        let (snapshot, ledger) = (&self.snapshot, self.overrides.ledger());
        let mut pops = ledger.statuses(&snapshot.pops, self.stepped.epoch_secs, ahead_secs(snapshot));
        for (pop, left) in pops.iter_mut().zip(&self.load.left) {
            // Cells leave by override and by ramp in the same order, so the larger share contains
            // the smaller. A PoP that is forced up ignores probes, and thus its ramp.
            if !pop.state.is_forced_up() {
                pop.left = pop.left.max(*left);
            }
        }
        let (slots, policies) = (&snapshot.steering.slots, &snapshot.steering.policies);
        Status::new(pops, slots, policies, &self.health.health_state, self.load.sheds.clone())
    }

    /// Snapshot with that status, as publication `sequence`.
    pub fn publication(&self, sequence: u64) -> Snapshot {
        self.snapshot.with_status(self.status(), sequence)
    }

    /// Snapshot that would be served under another ledger, with all else unchanged.
    pub fn prediction(&self, ledger: Ledger, now: Now) -> Snapshot {
        let mut other = self.clone();
        other.keep(ledger);
        other.step(now);
        other.publication(self.snapshot.sequence())
    }

    /// Snapshot that would be served with other files, with all else unchanged. Targets that only
    /// the other files have count as up, because their state is unknown and the comparison is not
    /// about the first seconds.
    pub fn comparison(&self, snapshot: Arc<Snapshot>, now: Now) -> Snapshot {
        let mut other = self.clone();
        let sequence = snapshot.sequence();
        other.follow(snapshot, now);
        other.step(now);
        let health_state = &mut other.health.health_state;
        let held = health_state.held.iter_mut().flat_map(|(_, slots)| slots);
        health_state.slots.iter_mut().chain(held).for_each(|slot| slot.is_awaited = false);
        other.publication(sequence)
    }

    /// Computes an override without setting it. `is_damaged`: the ledger could not be read and is
    /// not acknowledged.
    pub fn draft(&self, change: &OverrideChange, is_damaged: bool, now: Now) -> Draft {
        let is_off = self.is_off();
        let ground = Ground {
            ledger: self.overrides.ledger(),
            pops: &self.snapshot.pops,
            safety: &self.snapshot.safety,
            is_off: &is_off,
            is_damaged,
        };
        draft::draft(&ground, change, now.epoch_secs)
    }

    /// Operators' decision about each PoP, by override or in the file.
    pub fn overridden(&self, now: Now) -> Vec<ManualState> {
        self.overrides.overridden(&self.snapshot.pops, now.epoch_secs)
    }

    /// PoPs that are up, and PoPs in service, at the last step.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Cells of each PoP that a ramp has not brought back, at the last step.
    pub fn left(&self) -> &[Share256] {
        &self.load.left
    }

    /// Health state at the last step.
    pub fn health_state(&self) -> &HealthState {
        &self.health.health_state
    }

    /// Monitor, for reports.
    pub fn monitor(&self) -> &Monitor {
        &self.health.monitor
    }

    /// For each PoP, true if its probes keep regular clients away: it is down, or it flaps.
    pub(crate) fn is_off(&self) -> Vec<bool> {
        off_by_probes(&self.snapshot, &self.health.health_state)
    }

    /// Snapshot that it follows, without live inputs.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Ledger in force.
    pub fn ledger(&self) -> &Ledger {
        self.overrides.ledger()
    }

    /// Measured loads, of feeds that are not stale.
    pub(crate) fn measured(&self, now: Now) -> MeasuredLoads {
        self.load.measured(now.moment)
    }

    /// Next check to run now; its result must be passed in with the ticket.
    pub fn poll_check(&mut self, now: Now) -> Option<Due> {
        self.health.monitor.poll_due(now.moment)
    }

    /// Next feed to read now; its reading must be passed in with the ticket.
    pub fn poll_feed(&mut self, now: Now) -> Option<DueFeed> {
        self.load.loads.poll_due(now.moment)
    }

    /// Handles the result of a check; `false` if it is no longer awaited.
    pub fn handle_result(&mut self, ticket: Ticket, result: &ProbeResult, now: Now) -> bool {
        self.health.monitor.handle_result(ticket, result, now.moment)
    }

    /// Handles the reading of a feed, or one line with the reason of its failure.
    pub fn handle_reading(&mut self, ticket: FeedTicket, reading: Result<f64, Arc<str>>, now: Now) {
        self.load.loads.handle_reading(ticket, reading, now.moment);
    }

    /// Handles the result of an external probe; the error is a sentence.
    pub fn handle_push(&mut self, push: &ProbePush, now: Now) -> Result<(), String> {
        let result = match push.up {
            true => ProbeResult::well(),
            false => ProbeResult::failed(push.reason.as_deref().unwrap_or("pushed as down")),
        };
        let monitor = &mut self.health.monitor;
        let services: Vec<Arc<str>> = match &push.service {
            Some(service) => vec![service.clone()],
            None => {
                let of_pop = (monitor.target_set().targets.iter()).filter(|target| target.pop == push.pop);
                let mut services: Vec<Arc<str>> = of_pop
                    .filter(|target| target.probe == push.probe)
                    .map(|target| target.service.clone())
                    .collect();
                services.sort();
                services.dedup();
                services
            }
        };
        let taken: usize = services
            .iter()
            .map(|service| {
                monitor.handle_push(&push.probe, &push.pop, service, push.address, &result, now.moment)
            })
            .sum();
        if taken > 0 {
            return Ok(());
        }
        Err(format!(
            "nothing of `{}` waits for pushes of a probe `{}`; `meridian pop show {}` shows its probes",
            push.pop, push.probe, push.pop
        ))
    }

    /// Handles a pushed load; the error is a sentence.
    pub fn handle_load_push(&mut self, push: &LoadPush, now: Now) -> Result<(), String> {
        let taken = self.load.loads.handle_push(&push.pop, push.service.as_deref(), push.value, now.moment);
        taken.map_err(|why| match why {
            Some(why) => format!("the load of `{}` was not taken: {why}", push.pop),
            None => format!(
                "`{}` has no load feed that waits for pushes there; `meridian pop show {}` shows its feeds",
                push.pop, push.pop
            ),
        })
    }

    /// True if every target has a verdict, or the wait for the first answer is over.
    pub fn is_first_round_over(&self, now: Now) -> bool {
        self.health.monitor.is_first_round_over(now.moment)
    }

    /// Events since the last call, oldest first in each part.
    pub fn events(&mut self, now: Now) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.events);
        events.extend(self.health.events(now.epoch_secs));
        events.extend(self.load.events(now.epoch_secs));
        events
    }

    /// Milliseconds until the next step is due; `None` for never.
    pub fn next_wake(&self, now: Now) -> Option<u64> {
        let LiveState {
            overrides: _, // by `overrides_due_at`
            health,
            load,
            overrides_due_at,
            // Nothing here falls due by itself.
            snapshot: _,
            service: _,
            overrides_pending: _,
            stepped: _,
            events: _,
            since: _,
        } = self;
        let machines = [health.monitor.next_wake(), load.loads.next_wake(), load.ramps.next_wake(now.moment)];
        let machines = machines.into_iter().flatten().map(|at| at.since_ms(now.moment));
        // While there are overrides, the wall clock is checked at intervals, because it may be set.
        let looks = (!self.ledger().entries().is_empty()).then_some(EXPIRY_LOOK_SECS);
        let overrides = overrides_due_at.map(|at| at.saturating_sub(now.epoch_secs));
        machines.chain(looks.into_iter().chain(overrides).map(|secs| secs.saturating_mul(1_000))).min()
    }

    /// State to pass to the next live state.
    pub fn remembered(&self, now: Now) -> Remembered {
        let LiveState {
            // Read from the files again.
            snapshot: _,
            overrides,
            health,
            load,
            // Derived in the first step.
            service: _,
            overrides_pending: _,
            overrides_due_at: _,
            stepped,
            // Logged before a restart.
            events: _,
            // Begin again with the process.
            since: _,
        } = self;
        Remembered {
            ledger: overrides.ledger().clone(),
            health: health.monitor.save(now.moment, now.epoch_secs),
            load: load.saved(now, stepped.epoch_secs),
        }
    }

    /// True if there is any target.
    pub(crate) fn is_watched(&self) -> bool {
        !self.health.monitor.target_set().targets.is_empty()
    }

    /// Health to save for a restart, as lines.
    pub(crate) fn health_lines(&self, now: Now) -> Vec<String> {
        self.health.monitor.save(now.moment, now.epoch_secs).to_lines()
    }

    /// True if load is measured, a PoP ramps, or an override changes by the clock.
    pub(crate) fn is_loaded(&self) -> bool {
        !self.load.is_idle() || self.overrides.are_timed()
    }

    /// Load and progress of overrides to save for a restart, as lines.
    pub(crate) fn load_lines(&self, now: Now) -> Vec<String> {
        self.load.saved(now, self.stepped.epoch_secs).to_lines()
    }
}

/// Seconds by which the wall clock was set between two moments; `None` if it ran with the monotonic
/// clock.
fn clock_step(before: Now, now: Now) -> Option<i64> {
    let gone = |now: u64, before: u64| i64::try_from(i128::from(now) - i128::from(before)).unwrap_or(0);
    let by_wall = gone(now.epoch_secs, before.epoch_secs).saturating_mul(1_000);
    let step = by_wall.saturating_sub(gone(now.moment.0, before.moment.0));
    (step.abs() > CLOCK_STEP_MILLIS).then_some(step / 1_000)
}
