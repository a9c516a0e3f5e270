//! Monitor: all targets of one target set, and the health state that follows.
//!
//! The caller owns clock and sockets. It runs the checks of [`Monitor::poll_due`], passes every
//! result to [`Monitor::handle_result`], and after each turn takes [`Monitor::poll_health_state`]
//! and the events. Then it sleeps until [`Monitor::next_wake`]. Moments never go back.

mod damping;
mod persist;
mod pools;
mod reload;
mod slots;
mod target;

use super::Moment;
use super::canary::{CanaryGroup, FreezeChange, IpFamily};
use super::event::{HealthEvent, TargetName};
use super::guard::Judgement;
use super::health_state::{HealthState, Verdict};
use super::probe_result::ProbeResult;
use super::report::TargetReport;
use super::schedule::{Run, Schedule, Ticket, quick_ms};
use super::slot::{TargetReading, horizon_secs};
use super::targets::{ManualState, Target, TargetId, TargetSet};
use super::verdict::{Thresholds, VerdictState};
use super::way_back::WayBackChange;
use crate::limits::{HEALTH_COUNTERS_MS, HEALTH_EVENTS_MAX, PROBE_QUICK_MS};
use pools::{Judged, PoolJudgement};
use slots::SlotTable;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use target::WatchedTarget;

/// Target to check now.
#[derive(Clone, Debug)]
pub struct Due {
    /// Target set of the index.
    pub(crate) target_set: Arc<TargetSet>,
    /// Index of the target.
    pub id: TargetId,
    /// Ticket for its result.
    pub ticket: Ticket,
}

impl Due {
    /// Target to check.
    pub(crate) fn target(&self) -> &Target {
        &self.target_set.targets[self.id.index()]
    }
}

/// State of all targets, for one target set at a time.
#[derive(Clone, Debug)]
pub struct Monitor {
    target_set: Arc<TargetSet>,
    watched: Vec<WatchedTarget>,
    schedule: Schedule,
    /// IPv4, IPv6.
    canaries: [CanaryGroup; 2],
    /// Targets of each family that wait for a canary.
    suspects: [BTreeSet<TargetId>; 2],
    /// Moment of the last early check of the canaries, by family.
    hastened: [Option<Moment>; 2],
    /// For each family, true if a canary succeeded at this moment and the suspects are not
    /// confirmed yet.
    unconfirmed: [bool; 2],
    slot_table: SlotTable,
    /// Targets whose verdict has turned, not yet counted, in order.
    turned: Vec<TargetId>,
    /// Damped targets.
    damped: BTreeSet<TargetId>,
    /// Deadlines of pushes, one entry for each target that waits. An entry is too early if its
    /// target has a later deadline.
    pushes: BinaryHeap<Reverse<(Moment, TargetId)>>,
    /// Number of targets whose first verdict is awaited; `await_ends` is the first moment at which
    /// such a wait ends.
    awaited: usize,
    await_ends: Option<Moment>,
    /// End of the wait for the first round; `None` once the round is over.
    first_round_ends: Option<Moment>,
    polled_at: Option<Moment>,
    events: VecDeque<HealthEvent>,
    lost_events: u64,
    /// Number of targets whose last run had no result.
    own_faults: usize,
    now: Moment,
}

impl Monitor {
    /// Starts without results. The seed is the node's: it spreads the checks of several nodes over
    /// time.
    pub fn new(target_set: Arc<TargetSet>, seed: u64, now: Moment) -> Monitor {
        let watched: Vec<WatchedTarget> = target_set
            .targets
            .iter()
            .map(|target| WatchedTarget::new(target, now, target_set.startup_wait_ms))
            .collect();
        let mut monitor = Monitor {
            schedule: Schedule::new(&target_set, seed, now),
            canaries: IpFamily::BOTH.map(|family| CanaryGroup::new(&target_set, family)),
            suspects: [BTreeSet::new(), BTreeSet::new()],
            hastened: [None; 2],
            unconfirmed: [false; 2],
            slot_table: SlotTable::default(),
            turned: Vec::new(),
            damped: BTreeSet::new(),
            pushes: BinaryHeap::new(),
            awaited: 0,
            await_ends: None,
            first_round_ends: Some(now.after_ms(u64::from(target_set.startup_wait_ms))),
            polled_at: None,
            events: VecDeque::new(),
            lost_events: 0,
            own_faults: 0,
            watched,
            target_set,
            now,
        };
        monitor.rebuild();
        monitor
    }

    /// Next target to check, if one may run now. Its result must be passed in with the ticket. A
    /// missing result counts as a failure some seconds after the target's timeout.
    pub fn poll_due(&mut self, now: Moment) -> Option<Due> {
        self.advance(now);
        let (id, ticket) = self.schedule.poll(now)?;
        Some(Due { target_set: self.target_set.clone(), id, ticket })
    }

    /// Handles the result of a run. Returns `false` if it is not awaited: its target is gone, or
    /// the run was given up.
    pub fn handle_result(&mut self, ticket: Ticket, probe_result: &ProbeResult, now: Moment) -> bool {
        // Ended before the clock advances, because `advance` could give up this run although its
        // result is here.
        let run = self.schedule.finish(ticket, now);
        self.advance(now);
        let Some(run) = run else { return false };
        self.conclude(run, probe_result, now);
        true
    }

    /// Handles a pushed result for the targets of a probe at a PoP and service; with `address`,
    /// only for the targets of that address. Returns how many targets took it.
    pub(crate) fn handle_push(
        &mut self,
        probe: &str,
        pop: &str,
        service: &str,
        address: Option<IpAddr>,
        probe_result: &ProbeResult,
        now: Moment,
    ) -> usize {
        self.advance(now);
        let is_meant = |target: &Target| {
            target.spec.check.is_pushed()
                && (&*target.probe, &*target.pop, &*target.service) == (probe, pop, service)
                && address.is_none_or(|address| address == target.address)
        };
        let meant: Vec<TargetId> = self
            .target_set
            .targets
            .iter()
            .zip(TargetId::in_order())
            .filter(|(target, _)| is_meant(target))
            .map(|(_, id)| id)
            .collect();
        for id in &meant {
            if let Some(ttl_ms) = self.target_set.targets[id.index()].spec.check.push_ttl_ms() {
                self.expect_push(*id, now.after_ms(u64::from(ttl_ms)));
            }
            self.apply(*id, now, probe_result, now);
        }
        meant.len()
    }

    /// Sets the operators' decisions about each PoP, in the order of the target set. The panic
    /// guard neither counts nor holds a PoP with a decision, and a decision ends its damping.
    pub fn handle_overrides(&mut self, manual_states: &[ManualState]) {
        let before = self.slot_table.manual_states().to_vec();
        self.slot_table.handle_overrides(&self.target_set, manual_states);
        self.end_dampings(&before);
    }

    /// True if the first answer need not wait: every checked target has a verdict, or
    /// `startup_wait` is over.
    pub fn is_first_round_over(&self, now: Moment) -> bool {
        self.first_round_ends.is_none_or(|end| end <= now)
    }

    /// Returns a new health state if answers would show the change: at once if a verdict has
    /// turned, at most once a second if only horizons have changed. Also judges the panic guards.
    pub fn poll_health_state(&mut self, now: Moment) -> Option<HealthState> {
        self.advance(now);
        self.confirm(now);
        let judged = self.slot_table.evaluate(&self.target_set, now);
        self.emit_judgements(judged, now);
        if !self.turned.is_empty() {
            self.count_turns(now);
            let judged = self.slot_table.evaluate(&self.target_set, now);
            self.emit_judgements(judged, now);
        }
        let counters_may = self.polled_at.is_none_or(|last| now.since_ms(last) >= HEALTH_COUNTERS_MS);
        if !(self.slot_table.has_turned || self.slot_table.has_counted && counters_may) {
            return None;
        }
        self.polled_at = Some(now);
        Some(self.slot_table.health_state(&self.target_set))
    }

    /// Next event, oldest first.
    pub fn poll_event(&mut self) -> Option<HealthEvent> {
        match self.events.pop_front() {
            None if self.lost_events > 0 => {
                Some(HealthEvent::Lost { events: std::mem::take(&mut self.lost_events) })
            }
            event => event,
        }
    }

    /// Moment of the next call if nothing happens before. It may be too early, never too late.
    pub fn next_wake(&self) -> Option<Moment> {
        // All fields, so that a new one with a moment of its own is considered.
        let Monitor {
            schedule,
            canaries: [v4, v6],
            slot_table,
            pushes,
            await_ends,
            polled_at,
            now,
            target_set: _,
            watched: _,
            suspects: _,
            hastened: _,
            unconfirmed: _,
            turned: _,
            damped: _,
            awaited: _,
            first_round_ends: _,
            events: _,
            lost_events: _,
            own_faults: _,
        } = self;
        let counters =
            slot_table.has_counted.then(|| polled_at.map_or(*now, |last| last.after_ms(HEALTH_COUNTERS_MS)));
        let push = pushes.peek().map(|Reverse((moment, _))| *moment);
        [
            schedule.next_wake(),
            push,
            v4.next_wake(),
            v6.next_wake(),
            slot_table.next_wake(),
            *await_ends,
            self.next_damping_end(),
            counters,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Reports all targets for operators, in the order of the target set.
    pub fn targets(&self, now: Moment) -> impl Iterator<Item = TargetReport<'_>> {
        let ago = move |clock_ms| now.since_clock_ms(clock_ms);
        self.target_set.targets.iter().zip(&self.watched).map(move |(target, watch)| {
            let limits = Thresholds::of(&target.spec);
            TargetReport {
                target,
                verdict: watch.verdict_state.verdict(),
                lasted_ms: ago(watch.since_ms),
                is_frozen: target.spec.check.is_networked()
                    && self.frozen()[IpFamily::of(target.destination) as usize],
                failures: watch.verdict_state.failures(limits),
                successes: watch.verdict_state.successes(),
                checks_to_flip: watch.verdict_state.checks_to_flip(limits),
                thresholds: limits,
                was_well: (watch.streak > 0).then_some(watch.was_well),
                streak: watch.streak,
                last_error: watch.error.as_ref(),
                own_fault: watch.own_fault.as_ref(),
                latency_us: watch.latency_us,
                certificate_days: watch.certificate_days,
                degraded: watch.degraded.as_ref(),
                seen_ago_ms: watch.seen_ms.map(ago),
                turns: watch.flap.turns(target.spec.flap, now),
                damped_for_ms: watch.flap.damping.map(|damping| {
                    u64::try_from(damping.until_ms.saturating_sub(now.clock_ms())).unwrap_or(0)
                }),
            }
        })
    }

    /// Families whose verdicts are frozen: IPv4, IPv6.
    pub fn frozen(&self) -> [bool; 2] {
        [self.canaries[0].is_frozen(), self.canaries[1].is_frozen()]
    }

    /// Current target set.
    pub(crate) fn target_set(&self) -> &Arc<TargetSet> {
        &self.target_set
    }

    /// Handles the passage of time.
    fn advance(&mut self, now: Moment) {
        if now > self.now {
            self.confirm(self.now);
            self.now = now;
        }
        for family in IpFamily::BOTH {
            if let Some(change) = self.canaries[family as usize].advance(now) {
                self.handle_change(family, change, now);
            }
        }
        while let Some(run) = self.schedule.poll_lost(now) {
            self.conclude(run, &ProbeResult::failed("the check gave no result"), now);
        }
        while let Some(Reverse((moment, id))) =
            self.pushes.peek().copied().filter(|Reverse((moment, _))| *moment <= now)
        {
            self.pushes.pop();
            if let Some(later) = self.watched[id.index()].push_due.take().filter(|due| *due > moment) {
                self.expect_push(id, later);
                continue;
            }
            // Without a push the target fails again each period, like any other target.
            let every_ms = u64::from(self.target_set.targets[id.index()].spec.every_ms).max(PROBE_QUICK_MS);
            self.expect_push(id, now.after_ms(every_ms));
            self.apply(id, now, &ProbeResult::failed("nothing was pushed in time"), now);
        }
        if self.await_ends.is_some_and(|end| end <= now) {
            self.end_awaits(now);
        }
        if self.next_damping_end().is_some_and(|end| end <= now) {
            self.advance_dampings(now);
        }
        if self.first_round_ends.is_some_and(|end| end <= now || self.awaited == 0) {
            self.first_round_ends = None;
        }
    }

    /// Handles the end of a run: its result and the next start.
    fn conclude(&mut self, run: Run, probe_result: &ProbeResult, now: Moment) {
        let id = run.id;
        // No result: neither a failure of the target nor the proof of a canary.
        if let (true, Err(why)) = (probe_result.is_own, &probe_result.result) {
            if self.watched[id.index()].own_fault.replace(why.clone()).is_none() {
                self.own_faults += 1;
                if self.own_faults == 1 {
                    self.emit(HealthEvent::OwnFault { why: why.clone() });
                }
            }
            // A canary without a result counts as failed, or its family would wait for a proof for
            // ever.
            let family = IpFamily::of(self.target_set.targets[id.index()].destination);
            self.handle_canary(id, family, false, now);
            return self.read(id, now);
        }
        if self.watched[id.index()].own_fault.take().is_some() {
            self.set_own_faults(self.own_faults - 1);
        }
        let has_counted = self.apply(id, run.started, probe_result, now);
        if has_counted
            && probe_result.result.is_err()
            && matches!(self.watched[id.index()].verdict_state, VerdictState::Cold { .. })
        {
            self.schedule.retry(id, now);
        }
        let family = IpFamily::of(self.target_set.targets[id.index()].destination);
        if !self.suspects[family as usize].is_empty()
            && self.canaries[family as usize].members().any(|member| member == id)
        {
            // A canary failed, or its success is not later than the failure of a suspect.
            self.hasten_canaries(family, now);
        }
        self.read(id, now);
    }

    /// Number of targets whose last run had no result because of a fault of this node.
    pub(crate) fn own_faults(&self) -> usize {
        self.own_faults
    }

    /// Counts again after the targets have changed.
    pub(super) fn count_own_faults(&mut self) {
        self.set_own_faults(self.watched.iter().filter(|watched| watched.own_fault.is_some()).count());
    }

    /// Reports the end of the node's fault once every check has a result.
    fn set_own_faults(&mut self, count: usize) {
        if std::mem::replace(&mut self.own_faults, count) > 0 && count == 0 {
            self.emit(HealthEvent::OwnFaultOver);
        }
    }

    /// Fault of this node at one of its targets, in words.
    pub(crate) fn own_fault(&self) -> Option<&Arc<str>> {
        self.watched.iter().find_map(|watched| watched.own_fault.as_ref())
    }

    /// Applies a result to a target. True if it counted.
    fn apply(&mut self, id: TargetId, started: Moment, probe_result: &ProbeResult, now: Moment) -> bool {
        let target_set = self.target_set.clone();
        let target = &target_set.targets[id.index()];
        let (is_well, family, limits) =
            (probe_result.result.is_ok(), IpFamily::of(target.destination), Thresholds::of(&target.spec));
        let watch = &mut self.watched[id.index()];
        watch.note(probe_result, now);
        if let Some(days) = watch.days_to_report(target) {
            self.emit(HealthEvent::Certificate { subject: TargetName::of(target), days });
        }
        self.handle_canary(id, family, is_well, now);
        let (canaries, verdict_state) =
            (&self.canaries[family as usize], self.watched[id.index()].verdict_state);
        let is_networked = target.spec.check.is_networked();
        if is_networked && !canaries.counts(is_well, started, now) {
            return false;
        }
        let mut next = if is_well { verdict_state.succeed(limits) } else { verdict_state.fail(limits, now) };
        if let VerdictState::Suspect { failed_at, .. } = next {
            if !is_networked || canaries.proves(failed_at) {
                next = next.confirm();
            } else if !matches!(verdict_state, VerdictState::Suspect { .. }) {
                self.hasten_canaries(family, now);
            }
        }
        self.stand(id, next, now);
        true
    }

    /// Handles the result of a target that may be a canary.
    fn handle_canary(&mut self, id: TargetId, family: IpFamily, is_well: bool, now: Moment) {
        let canaries = &mut self.canaries[family as usize];
        if !canaries.members().any(|member| member == id) {
            return;
        }
        if let Some(change) = canaries.handle(id, is_well, now) {
            self.handle_change(family, change, now);
        }
        match is_well {
            // Suspects are confirmed only when this moment is over, so that a suspect's own success
            // at the same moment counts first, whatever the order of the two results.
            true => self.unconfirmed[family as usize] = true,
            // The other canaries soon show if it is the network.
            false => self.hasten_canaries(family, now),
        }
    }

    fn handle_change(&mut self, family: IpFamily, change: FreezeChange, now: Moment) {
        match change {
            FreezeChange::Frozen => {
                let canaries = self.canaries[family as usize].members().count() as u32;
                self.emit(HealthEvent::Frozen {
                    family,
                    canaries,
                    at_most_ms: self.target_set.freeze_max_ms,
                });
                return;
            }
            FreezeChange::Thawed(lasted_ms) => {
                self.emit(HealthEvent::Thawed { family, lasted_ms });
                if lasted_ms == 0 {
                    return;
                }
            }
            FreezeChange::Spent(lasted_ms) => self.emit(HealthEvent::FreezeSpent { family, lasted_ms }),
        }
        // No proof is left for failures before and during the cut.
        for id in std::mem::take(&mut self.suspects[family as usize]) {
            let limits = Thresholds::of(&self.target_set.targets[id.index()].spec);
            self.stand(id, self.watched[id.index()].verdict_state.withdraw(limits), now);
        }
    }

    /// Confirms suspects at the end of a moment in which canaries succeeded.
    fn confirm(&mut self, now: Moment) {
        for family in IpFamily::BOTH {
            if std::mem::take(&mut self.unconfirmed[family as usize]) {
                self.confirm_suspects(family, now);
            }
        }
    }

    /// Takes down suspects whose failures are proved now.
    fn confirm_suspects(&mut self, family: IpFamily, now: Moment) {
        let canaries = &self.canaries[family as usize];
        let is_proved = |id: &TargetId| match self.watched[id.index()].verdict_state {
            VerdictState::Suspect { failed_at, .. } => canaries.proves(failed_at),
            VerdictState::Cold { .. } | VerdictState::Up { .. } | VerdictState::Down { .. } => true,
        };
        let proved: Vec<TargetId> =
            self.suspects[family as usize].iter().copied().filter(is_proved).collect();
        for id in proved {
            self.stand(id, self.watched[id.index()].verdict_state.confirm(), now);
        }
    }

    /// Checks the canaries of a family now, at most once a second.
    fn hasten_canaries(&mut self, family: IpFamily, now: Moment) {
        let hastened = &mut self.hastened[family as usize];
        // At least 1 ms later, because only a success later than the failure of a suspect proves
        // the failure.
        let by = match *hastened {
            Some(planned) if planned > now => planned,
            last => last.map_or(now, |last| last.after_ms(PROBE_QUICK_MS)).max(now.after_ms(1)),
        };
        *hastened = Some(by);
        for id in self.canaries[family as usize].members().collect::<Vec<_>>() {
            self.schedule.hasten(id, by);
        }
    }

    /// Sets the verdict state of a target.
    fn stand(&mut self, id: TargetId, next: VerdictState, now: Moment) {
        let target_set = self.target_set.clone();
        let target = &target_set.targets[id.index()];
        let suspects = &mut self.suspects[IpFamily::of(target.destination) as usize];
        match next {
            VerdictState::Suspect { .. } => _ = suspects.insert(id),
            VerdictState::Cold { .. } | VerdictState::Up { .. } | VerdictState::Down { .. } => {
                _ = suspects.remove(&id);
            }
        }
        let watch = &mut self.watched[id.index()];
        let (before, now_is) = (watch.verdict_state.verdict(), next.verdict());
        watch.verdict_state = next;
        if now_is != before {
            let lasted_ms = now.since_clock_ms(watch.since_ms);
            let reason = watch.error.clone().filter(|_| now_is == Verdict::Down);
            if before != Verdict::Unknown {
                self.turned.push(id);
            }
            watch.since_ms = now.clock_ms();
            self.awaited -= usize::from(watch.awaited_until.take().is_some());
            self.emit(HealthEvent::Turned {
                subject: TargetName::of(target),
                before,
                now: now_is,
                lasted_ms,
                reason,
            });
            if self.awaited == 0 {
                (self.await_ends, self.first_round_ends) = (None, None);
            }
        }
        self.read(id, now);
    }

    /// Updates the slot table with the state of a target.
    fn read(&mut self, id: TargetId, now: Moment) {
        let reading = self.reading(id, now);
        self.slot_table.read(id, reading);
    }

    fn reading(&self, id: TargetId, now: Moment) -> TargetReading {
        let (target, watch) = (&self.target_set.targets[id.index()], &self.watched[id.index()]);
        let every_ms = u64::from(target.spec.every_ms.max(1));
        // The time of the next push is unknown.
        let is_pushed = target.spec.check.is_pushed();
        let step_ms = match watch.verdict_state {
            _ if is_pushed => 0,
            VerdictState::Cold { .. } => quick_ms(every_ms),
            VerdictState::Up { .. } | VerdictState::Suspect { .. } | VerdictState::Down { .. } => every_ms,
        };
        let next_ms = self.schedule.due(id).map_or(0, |due| due.since_ms(now)).min(step_ms);
        let horizon_ms =
            match (watch.verdict_state, watch.verdict_state.checks_to_flip(Thresholds::of(&target.spec))) {
                (VerdictState::Cold { failures: 0, .. }, _) if is_pushed => None,
                (_, None) => None,
                (_, Some(0)) => Some(0),
                (_, Some(checks)) => Some(next_ms + u64::from(checks - 1) * step_ms),
            };
        // The reading of a target is next updated with its next result, up to a step from now. So
        // the horizon ends one step before the damping.
        let damping = watch.flap.damping;
        let damped_ms =
            damping.map(|damping| Moment(u64::try_from(damping.until_ms).unwrap_or(0)).since_ms(now));
        let damped_ms = damped_ms.map(|ms| ms.saturating_sub(step_ms));
        TargetReading {
            verdict: watch.verdict_state.verdict(),
            is_awaited: watch.awaited_until.is_some(),
            damped_since_ms: damping.map(|damping| damping.since_ms),
            horizon_secs: horizon_secs(horizon_ms.into_iter().chain(damped_ms).min()),
            since_ms: watch.since_ms,
        }
    }

    fn expect_push(&mut self, id: TargetId, by: Moment) {
        // At most one entry for each target: a source that pushes every second, each push valid for
        // a day, must not queue the deadlines of a day.
        if self.watched[id.index()].push_due.replace(by).is_none() {
            self.pushes.push(Reverse((by, id)));
        }
    }

    /// Ends the wait for targets that waited long enough; they count as up.
    fn end_awaits(&mut self, now: Moment) {
        let over = |watch: &WatchedTarget| watch.awaited_until.is_some_and(|end| end <= now);
        let ended: Vec<TargetId> = self
            .watched
            .iter()
            .zip(TargetId::in_order())
            .filter(|(watch, _)| over(watch))
            .map(|(_, id)| id)
            .collect();
        for id in ended {
            self.watched[id.index()].awaited_until = None;
            self.read(id, now);
        }
        self.count_awaits();
    }

    fn count_awaits(&mut self) {
        self.awaited = self.watched.iter().filter(|watch| watch.awaited_until.is_some()).count();
        self.await_ends = self.watched.iter().filter_map(|watch| watch.awaited_until).min();
    }

    /// Rebuilds the derived state from the watched targets alone. The new slot table knows of no
    /// falls.
    fn rebuild(&mut self) {
        // All fields, so that a new one that is indexed by targets is rebuilt here too.
        let Monitor {
            target_set: _,
            watched: _,
            suspects: _,
            slot_table: _,
            turned: _,
            damped: _,
            pushes: _,
            awaited: _,
            await_ends: _,
            first_round_ends: _,
            // These are not indexed by targets, or are rebuilt by the caller.
            schedule: _,
            canaries: _,
            hastened: _,
            unconfirmed: _,
            polled_at: _,
            events: _,
            lost_events: _,
            own_faults: _,
            now: _,
        } = self;
        self.suspects = [BTreeSet::new(), BTreeSet::new()];
        self.pushes.clear();
        for (target, (watch, id)) in
            self.target_set.targets.iter().zip(self.watched.iter().zip(TargetId::in_order()))
        {
            if matches!(watch.verdict_state, VerdictState::Suspect { .. }) {
                self.suspects[IpFamily::of(target.destination) as usize].insert(id);
            }
            if let Some(due) = watch.push_due {
                self.pushes.push(Reverse((due, id)));
            }
        }
        self.count_awaits();
        self.turned.clear();
        self.damped = self.find_damped();
        let readings = (0..self.watched.len()).map(|id| self.reading(TargetId::at(id), self.now)).collect();
        self.slot_table = SlotTable::new(&self.target_set, readings);
        if self.awaited == 0 {
            self.first_round_ends = None;
        }
    }

    fn emit_judgements(&mut self, judged: Judged, now: Moment) {
        for PoolJudgement { policy, pool, census, change } in judged.pools {
            let target_set = &self.target_set.policies[policy.index()];
            let (policy, pool) = (target_set.name.clone(), target_set.pools[usize::from(pool)].name.clone());
            self.emit(match change {
                WayBackChange::Begun { at_most_ms } => {
                    HealthEvent::Returning { policy, pool, up: census.up, of: census.of, at_most_ms }
                }
                WayBackChange::Ended { lasted_ms } => HealthEvent::Returned { policy, pool, lasted_ms },
            });
        }
        for (policy, judgement) in judged.guards {
            let target_set = &self.target_set.policies[policy.index()];
            let (policy, at_most_ms) = (target_set.name.clone(), u64::from(target_set.guard.hold_ms));
            self.emit(match judgement {
                Judgement::Held { fallen, of, .. } => HealthEvent::Held { policy, fallen, of, at_most_ms },
                Judgement::Released(release, hold) => {
                    HealthEvent::Released { policy, release, lasted_ms: now.since_clock_ms(hold.since_ms) }
                }
            });
        }
    }

    fn emit(&mut self, event: HealthEvent) {
        match self.events.len() < HEALTH_EVENTS_MAX {
            true => self.events.push_back(event),
            false => self.lost_events += 1,
        }
    }
}

#[cfg(test)]
mod tests;
