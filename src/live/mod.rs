//! Live state: all that moves between two reloads, in the hands of one owner, and the clock behind
//! it.
//!
//! ```text
//!  a snapshot to follow ──▶ ┌─────────────────────────┐ ──▶ checks and readings that are due
//!  results, readings ──────▶│ LiveState               │ ──▶ the next status, and what others would be
//!  pushes, overrides ──────▶│ 1 hands   2 probes      │ ──▶ events, alarms, the operator view
//!  the clock ──────────────▶│ 3 service 4 load, ramps │ ──▶ what is remembered over a restart
//!                           └─────────────────────────┘ ──▶ when to look again
//! ```
//!
//! [`LiveState::step`] is the one place that knows the order in which one part hears of another. A
//! start, a publication, a prediction, a comparison with other files and the simulation all take
//! that step; nobody else joins the parts. It is pure: whoever owns it brings the clock
//! ([`Now`]), runs what is due, and publishes. More inputs, such as limits of a fleet or the prices
//! of a plan, become parts of the step.

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

/// The time, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// By the clock that never goes back, from whatever zero.
    pub moment: Moment,
    /// By the wall clock, which people set, in seconds since 1970.
    pub epoch_secs: u64,
}

/// Load and ramps of before a restart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedLoadAndRamps {
    /// Shed shares and accept shares, one a feed.
    pub(crate) loads: Vec<SavedLoad>,
    /// Ramps that were under way.
    pub(crate) ramps: Vec<SavedRamp>,
    /// Until when it was told what came about of overrides by the clock, in seconds since 1970.
    pub(crate) told_until: Option<u64>,
}

impl SavedLoadAndRamps {
    /// As lines, without their ends.
    pub fn to_lines(&self) -> Vec<String> {
        let told = self.told_until.map(|told_until| format!("{TOLD}{told_until}"));
        (self.loads.iter().map(SavedLoad::to_line))
            .chain(self.ramps.iter().map(SavedRamp::to_line))
            .chain(told)
            .collect()
    }

    /// From lines; those that say nothing are passed over.
    pub fn from_lines<'t>(lines: impl Iterator<Item = &'t str> + Clone) -> SavedLoadAndRamps {
        SavedLoadAndRamps {
            loads: lines.clone().filter_map(SavedLoad::from_line).collect(),
            ramps: lines.clone().filter_map(SavedRamp::from_line).collect(),
            told_until: lines.filter_map(|line| line.strip_prefix(TOLD)?.parse().ok()).last(),
        }
    }
}

/// Begins the line that says until when it was told what came about of overrides.
const TOLD: &str = "told ";

/// What live state begins with.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// The ledger of overrides.
    pub ledger: Ledger,
    /// Health, by its own time stamps.
    pub health: SavedHealth,
    /// Load and ramps, likewise.
    pub load: SavedLoadAndRamps,
}

/// What has changed in a step, and may show in answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stepped {
    /// What hands say.
    pub by_hand: bool,
    /// What probes say.
    pub has_turned: bool,
    /// Shares of load and ramps.
    pub has_moved: bool,
}

impl Stepped {
    /// Whether an answer may show a difference.
    pub fn any(self) -> bool {
        self.by_hand || self.has_turned || self.has_moved
    }
}

/// All that moves between two reloads.
#[derive(Clone, Debug)]
pub struct LiveState {
    /// The snapshot that is followed, as its files have it.
    snapshot: Arc<Snapshot>,
    overrides: Overrides,
    health: LiveHealth,
    load: LiveLoad,
    /// Who is up and who is in service, as of the last step.
    service: Service,
    /// Hands have something to say: other entries, other files, or a clock that was set.
    is_said: bool,
    /// When what hands say changes next by itself, in seconds since 1970.
    said_again: Option<u64>,
    stepped: Now,
    events: Vec<Event>,
    /// Since when what is shown stands.
    since: Since,
}

impl LiveState {
    /// Follows a snapshot, with what is remembered. Take a step before asking for anything.
    pub fn new(snapshot: Arc<Snapshot>, remembered: Remembered, now: Now) -> LiveState {
        let Remembered { ledger, health, load } = remembered;
        let (target_set, name) = (Arc::clone(&snapshot.target_set), snapshot.node_name());
        LiveState {
            // Without a memory, nothing of the time before is told: it may be long ago.
            overrides: Overrides::new(ledger, load.told_until.unwrap_or(u64::MAX).min(now.epoch_secs)),
            health: LiveHealth::new(target_set, name, &health, now),
            load: LiveLoad::new(&snapshot, &load, now),
            service: Service::default(),
            is_said: true,
            said_again: None,
            stepped: now,
            events: Vec::new(),
            since: Since::default(),
            snapshot,
        }
    }

    /// Follows another snapshot, as its files have it. What both have goes on as it was.
    pub fn follow(&mut self, snapshot: Arc<Snapshot>, now: Now) {
        self.snapshot = snapshot;
        self.health.follow(&self.snapshot.target_set, now.moment);
        self.load.follow(&self.snapshot, now.moment);
        self.is_said = true;
    }

    /// Lets another ledger hold.
    pub fn keep(&mut self, ledger: Ledger) {
        self.overrides.keep(ledger);
        self.is_said = true;
    }

    /// Brings every part to a moment, each after those that it hears.
    pub fn step(&mut self, now: Now) -> Stepped {
        let LiveState { snapshot, overrides, health, load, service, .. } = self;
        let pops = &snapshot.pops;
        // 1. Hands. A clock that was set says all anew: what is in force follows from ledger and
        //    clock alone.
        if let Some(secs) = clock_step(self.stepped, now) {
            self.events.push(Event::ClockStepped { secs });
            self.is_said = true;
        }
        self.stepped = now;
        let is_due = self.said_again.is_some_and(|at| at <= now.epoch_secs);
        let by_hand = std::mem::take(&mut self.is_said) || is_due;
        if by_hand {
            self.events.extend(overrides.progress(now.epoch_secs));
            self.said_again = overrides.ledger().next_step(now.epoch_secs, ahead_secs(snapshot));
            // 2. Probes. The guards hear of hands before they judge: they never count a PoP that an
            //    operator has decided about.
            health.monitor.handle_overrides(&overrides.overridden(pops, now.epoch_secs));
        }
        let has_turned = health.step(now.moment);
        // 3. Who is in service follows from both.
        if by_hand || has_turned {
            let states = overrides.ledger().effective(pops, now.epoch_secs);
            *service = Service::new(snapshot, &health.health_state, &states);
            load.serve(service, now.moment);
        }
        // 4. Load gives cells to those who are in service, and ramps bring back those who came up.
        let has_moved = load.step(snapshot, now.moment);
        Stepped { by_hand, has_turned, has_moved }
    }

    /// The status that all parts come to, as of the last step.
    pub fn status(&self) -> Status {
        let (snapshot, ledger) = (&self.snapshot, self.overrides.ledger());
        let mut pops = ledger.statuses(&snapshot.pops, self.stepped.epoch_secs, ahead_secs(snapshot));
        for (pop, left) in pops.iter_mut().zip(&self.load.left) {
            // By hand or by health, the cells of both leave in one order, so the larger share holds
            // the smaller. Forced up ignores probes, and with them what a ramp has not brought
            // back.
            if !pop.state.is_forced_up() {
                pop.left = pop.left.max(*left);
            }
        }
        let (slots, policies) = (&snapshot.steering.slots, &snapshot.steering.policies);
        Status::new(pops, slots, policies, &self.health.health_state, self.load.sheds.clone())
    }

    /// The snapshot with that status, as publication `sequence`.
    pub fn publication(&self, sequence: u64) -> Snapshot {
        self.snapshot.with_status(self.status(), sequence)
    }

    /// What would be served under another ledger, all else as it is.
    pub fn prediction(&self, ledger: Ledger, now: Now) -> Snapshot {
        let mut other = self.clone();
        other.keep(ledger);
        other.step(now);
        other.publication(self.snapshot.sequence())
    }

    /// What would be served with other files, all else as it is. Targets that only the other files
    /// have count as up: nobody knows better, and a comparison is not about the first seconds.
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

    /// Looks at an override without doing it. `is_damaged`: the ledger could not be read, and
    /// nobody has acknowledged it.
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

    /// What operators have decided about each PoP, by override or in the file, in order.
    pub fn overridden(&self, now: Now) -> Vec<ManualState> {
        self.overrides.overridden(&self.snapshot.pops, now.epoch_secs)
    }

    /// Who is up and who is in service, as of the last step.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Cells of each PoP that a ramp has not brought back, as of the last step.
    pub fn left(&self) -> &[Share256] {
        &self.load.left
    }

    /// What probes say, as of the last step.
    pub fn health_state(&self) -> &HealthState {
        &self.health.health_state
    }

    /// The monitor, for those who show it.
    pub fn monitor(&self) -> &Monitor {
        &self.health.monitor
    }

    /// Which PoPs take no regular clients by their probes, in order: down, or flapping.
    pub(crate) fn is_off(&self) -> Vec<bool> {
        off_by_probes(&self.snapshot, &self.health.health_state)
    }

    /// The snapshot that is followed, as its files have it.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The ledger in force.
    pub fn ledger(&self) -> &Ledger {
        self.overrides.ledger()
    }

    /// What PoPs carry, where that is known.
    pub(crate) fn measured(&self, now: Now) -> MeasuredLoads {
        self.load.measured(now.moment)
    }

    /// The next check that is to be run now; its result is told with the ticket.
    pub fn poll_check(&mut self, now: Now) -> Option<Due> {
        self.health.monitor.poll_due(now.moment)
    }

    /// The next feed that is to be read now; its reading is told with the ticket.
    pub fn poll_feed(&mut self, now: Now) -> Option<DueFeed> {
        self.load.loads.poll_due(now.moment)
    }

    /// The result of a check; `false` if nobody waits for it any more.
    pub fn handle_result(&mut self, ticket: Ticket, result: &ProbeResult, now: Now) -> bool {
        self.health.monitor.handle_result(ticket, result, now.moment)
    }

    /// The reading of a feed, or one line that says why there is none.
    pub fn handle_reading(&mut self, ticket: FeedTicket, reading: Result<f64, Arc<str>>, now: Now) {
        self.load.loads.handle_reading(ticket, reading, now.moment);
    }

    /// A result that a probe outside has found; the error is a sentence.
    pub(crate) fn handle_push(&mut self, push: &ProbePush, now: Now) -> Result<(), String> {
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
            "nothing of `{}` waits for pushes of a probe `{}`; `meridian pop show {}` tells what is probed",
            push.pop, push.probe, push.pop
        ))
    }

    /// A load that somebody pushes; the error is a sentence.
    pub fn handle_load_push(&mut self, push: &LoadPush, now: Now) -> Result<(), String> {
        let taken = self.load.loads.handle_push(&push.pop, push.service.as_deref(), push.value, now.moment);
        taken.map_err(|why| match why {
            Some(why) => format!("the load of `{}` was not taken: {why}", push.pop),
            None => format!(
                "`{}` has no load feed that waits for pushes there; `meridian pop show {}` tells its feeds",
                push.pop, push.pop
            ),
        })
    }

    /// Whether every target has a verdict, or the first answer has waited long enough.
    pub fn is_first_round_over(&self, now: Now) -> bool {
        self.health.monitor.is_first_round_over(now.moment)
    }

    /// What happened since the last call, oldest first of each part.
    pub fn events(&mut self, now: Now) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.events);
        events.extend(self.health.events(now.epoch_secs));
        events.extend(self.load.events(now.epoch_secs));
        events
    }

    /// In how many milliseconds the next step is due by itself; `None` for never.
    pub fn next_wake(&self, now: Now) -> Option<u64> {
        let machines = [
            self.health.monitor.next_wake(),
            self.load.loads.next_wake(),
            self.load.ramps.next_wake(now.moment),
        ];
        let machines = machines.into_iter().flatten().map(|at| at.since_ms(now.moment));
        // The wall clock is looked at now and then while an entry stands: it may be set.
        let looks = (!self.ledger().entries().is_empty()).then_some(EXPIRY_LOOK_SECS);
        let said = self.said_again.map(|at| at.saturating_sub(now.epoch_secs));
        machines.chain(looks.into_iter().chain(said).map(|secs| secs.saturating_mul(1_000))).min()
    }

    /// All that the next live state begins with.
    pub fn remembered(&self, now: Now) -> Remembered {
        let LiveState { overrides, health, load, .. } = self;
        Remembered {
            ledger: overrides.ledger().clone(),
            health: health.monitor.save(now.moment, now.epoch_secs),
            load: load.saved(now, self.stepped.epoch_secs),
        }
    }

    /// Whether anything is watched at all.
    pub(crate) fn is_watched(&self) -> bool {
        !self.health.monitor.target_set().targets.is_empty()
    }

    /// What is to be remembered of health, as lines.
    pub(crate) fn health_lines(&self, now: Now) -> Vec<String> {
        self.health.monitor.save(now.moment, now.epoch_secs).to_lines()
    }

    /// Whether load is measured, a PoP ramps, or an override moves by the clock.
    pub(crate) fn is_loaded(&self) -> bool {
        !self.load.is_idle() || self.overrides.are_timed()
    }

    /// What is to be remembered of load and of overrides, as lines.
    pub(crate) fn load_lines(&self, now: Now) -> Vec<String> {
        self.load.saved(now, self.stepped.epoch_secs).to_lines()
    }
}

/// By how many seconds the wall clock was set between two moments; `None` if it went with the
/// other clock.
fn clock_step(before: Now, now: Now) -> Option<i64> {
    let gone = |now: u64, before: u64| i64::try_from(i128::from(now) - i128::from(before)).unwrap_or(0);
    let by_wall = gone(now.epoch_secs, before.epoch_secs).saturating_mul(1_000);
    let step = by_wall.saturating_sub(gone(now.moment.0, before.moment.0));
    (step.abs() > CLOCK_STEP_MILLIS).then_some(step / 1_000)
}
