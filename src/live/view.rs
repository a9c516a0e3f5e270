//! Operator view of live state.

use super::health::LiveHealth;
use super::load::LiveLoad;
use super::overrides::{Overrides, ahead_secs};
use super::standing::Ground;
use super::{LiveState, Now};
use crate::health::health_state::{SlotHealth, Verdict};
use crate::health::report::TargetReport;
use crate::health::targets::{TargetId, TargetSet};
use crate::shared::operator_view::{FeedView, InService, OperatorView, PopHealth, PopView, TargetView};
use crate::snapshot::Snapshot;
use crate::steer::ledger::Effective;
use crate::steer::pop::{Pop, PopId};
use std::collections::HashMap;
use std::sync::Arc;

impl LiveState {
    /// Operator view as of publication `sequence`.
    pub fn operator_view(&mut self, sequence: u64, now: Now) -> OperatorView {
        let (status, is_off) = (self.status(), self.is_off());
        let LiveState {
            snapshot,
            overrides,
            health,
            load,
            // Shown by its effect on the status.
            service: _,
            overrides_pending: _,
            overrides_due_at: _,
            stepped: _,
            // Logged, not shown.
            events: _,
            since,
        } = self;
        let mut operator_view = of_overrides(overrides, snapshot, sequence, now.epoch_secs);
        add_health(&mut operator_view, health, snapshot, now);
        add_load(&mut operator_view, load, snapshot, now);
        let ground = Ground { ledger: overrides.ledger(), snapshot, status: &status, is_off: &is_off };
        since.add(&mut operator_view, &ground, now.epoch_secs);
        operator_view
    }
}

/// View with the states of files and overrides.
fn of_overrides(overrides: &Overrides, snapshot: &Snapshot, sequence: u64, now: u64) -> OperatorView {
    let (ledger, cached_secs) = (overrides.ledger(), ahead_secs(snapshot));
    let entry = |id: Option<u64>| id.and_then(|id| ledger.entry(id)).cloned();
    let one = |(pop, is): (&Pop, Effective)| PopView {
        name: pop.name.clone(),
        tags: pop.tags.clone(),
        file_state: pop.state,
        file_weight: pop.weight,
        state: is.state,
        weight: is.weight,
        state_by: entry(is.state_by),
        weight_by: entry(is.weight_by),
        left: is.left,
        plans: ledger.plans(pop, now).cloned().collect(),
        cached_secs,
        health: PopHealth::default(),
        in_service: InService::default(),
        in_service_why: None,
        since_epoch_secs: now,
        coming: Vec::new(),
        breaks: Vec::new(),
        targets: Vec::new(),
        feeds: Vec::new(),
        ramp_left: 0,
    };
    OperatorView {
        sequence,
        pops: snapshot.pops.iter().zip(ledger.effective(&snapshot.pops, now)).map(one).collect(),
        // The steps of `operator_view` and the writer fill in the others.
        alarms: Vec::new(),
        without_result: 0,
        frozen: [false; 2],
        held: Vec::new(),
        returning: Vec::new(),
        damped: 0,
    }
}

/// Adds health.
fn add_health(operator_view: &mut OperatorView, health: &mut LiveHealth, snapshot: &Snapshot, now: Now) {
    let (held, returning) = (health.held(snapshot), health.returning(snapshot));
    let alarms = health.alarms(snapshot, now.epoch_secs);
    let LiveHealth { monitor, health_state, alarms: _ } = health;
    let users = users(monitor.target_set());
    for (target, report) in TargetId::in_order().zip(monitor.targets(now.moment)) {
        // Canaries belong to no PoP.
        for (pop, service) in users.get(&target).into_iter().flatten() {
            let is_spared = monitor.is_spared(*pop, target);
            let Some(pop) = operator_view.pops.get_mut(pop.index()) else { continue };
            let mut shown = view(&report, &pop.name, service);
            shown.damped_secs = shown.damped_secs.filter(|_| !is_spared);
            pop.targets.push(shown);
        }
    }
    for (pop, is) in operator_view.pops.iter_mut().zip(health_of_pops(snapshot, &health_state.slots)) {
        pop.health = match is {
            PopHealth::Up if pop.targets.iter().all(|target| target.verdict != Verdict::Up.word()) => {
                PopHealth::Unknown
            }
            is => is,
        };
        if pop.targets.is_empty() {
            pop.health = PopHealth::NoProbe;
        }
    }
    operator_view.without_result = monitor.own_faults();
    operator_view.frozen = monitor.frozen();
    operator_view.held = held;
    operator_view.damped = monitor.damped().count();
    operator_view.returning = returning;
    operator_view.alarms.extend(alarms);
}

/// For each target, the PoPs and services whose addresses it judges, each once.
fn users(target_set: &TargetSet) -> HashMap<TargetId, Vec<(PopId, Arc<str>)>> {
    let mut users: HashMap<TargetId, Vec<(PopId, Arc<str>)>> = HashMap::new();
    for slot in &target_set.slots {
        for formula in slot.v4.iter().chain(&slot.v6) {
            formula.visit(&mut |target| {
                let of_target = users.entry(target).or_default();
                let user = (slot.pop, slot.service.clone());
                if !of_target.contains(&user) {
                    of_target.push(user);
                }
            });
        }
    }
    users
}

/// Adds load.
fn add_load(operator_view: &mut OperatorView, load: &mut LiveLoad, snapshot: &Snapshot, now: Now) {
    for report in load.report(now.moment) {
        let Some(pop) =
            operator_view.pops.get_mut(report.feed.pop.index()).filter(|pop| pop.name == *report.pop)
        else {
            continue;
        };
        pop.feeds.push(FeedView {
            service: report.feed.service.clone(),
            load: report.smoothed,
            capacity: report.feed.capacity,
            target: report.feed.spec.target,
            share: report.share,
            accept: report.accept.iter().map(|(pop, share)| ((*pop).clone(), *share)).collect(),
            is_stale: report.is_stale,
            oscillates: report.oscillates,
            is_stuck: report.is_stuck,
            last_error: report.last_error.map(ToString::to_string),
            age_secs: report.read_ago_ms.map(|ms| ms / 1000),
        });
    }
    debug_assert_eq!(operator_view.pops.len(), snapshot.pops.len());
    let alarms = load.alarms(now.moment);
    // Feeds report themselves and their sheds; ramps are shown by what is left.
    let LiveLoad { loads: _, ramps: _, sheds: _, left, alarms: _ } = load;
    for (pop, left) in operator_view.pops.iter_mut().zip(left) {
        pop.ramp_left = *left;
    }
    operator_view.alarms.extend(alarms);
}

/// Health of each PoP, in order, over the addresses of all its services. Unknown counts as up.
pub fn health_of_pops(snapshot: &Snapshot, slots: &[SlotHealth]) -> Vec<PopHealth> {
    // Number of addresses, and of those that are down.
    let mut counts = vec![(0u32, 0u32); snapshot.pops.len()];
    for (slot, health) in snapshot.steering.slots.iter().zip(slots) {
        let (all, down) = &mut counts[slot.pop.index()];
        *all += (slot.v4.len() + slot.v6.len()) as u32;
        *down += health.down_v4.count_ones() + health.down_v6.count_ones();
    }
    let health = |(all, down): (u32, u32)| match down {
        0 => PopHealth::Up,
        down if down >= all => PopHealth::Down,
        _ => PopHealth::Partial,
    };
    counts.into_iter().map(health).collect()
}

/// Target in the view of one of its PoPs. For other PoPs than its first, a shared target is named
/// by the destination of its check.
fn view(report: &TargetReport<'_>, pop: &str, service: &Arc<str>) -> TargetView {
    let good = report.was_well == Some(true);
    let address = match *report.target.pop == *pop {
        true => report.target.address.to_string(),
        false => report.target.destination.to_string(),
    };
    TargetView {
        probe: report.target.probe.clone(),
        service: service.clone(),
        address: Some(address.into()),
        verdict: report.verdict.word(),
        good_streak: if good { report.streak } else { 0 },
        bad_streak: if report.was_well == Some(false) { report.streak } else { 0 },
        checks_to_flip: report.checks_to_flip.map(u32::from),
        up_after: report.thresholds.up_after,
        down_after: report.thresholds.down_after,
        ok_after: report.thresholds.ok_after,
        failures: report.failures,
        // An error before a success is over.
        last_error: report.own_fault.or(report.last_error.filter(|_| !good)).map(ToString::to_string),
        latency_micros: report.latency_us.map(u64::from),
        certificate_days: report.certificate_days.map(i64::from),
        degraded: report.degraded.map(ToString::to_string),
        is_frozen: report.is_frozen,
        turns: report.turns,
        damped_secs: report.damped_for_ms.map(|ms| ms.div_ceil(1000)),
        lasted_secs: report.lasted_ms / 1000,
        result_age_secs: report.seen_ago_ms.map(|ms| ms / 1000),
    }
}
