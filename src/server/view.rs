//! Health and load in the operator view, read from health control and load control.

use super::health_control::HealthControl;
use super::load_control::LoadControl;
use crate::health::health_state::{SlotHealth, Verdict};
use crate::health::report::TargetReport;
use crate::shared::operator_view::{FeedView, OperatorView, PopHealth, TargetView};
use crate::snapshot::Snapshot;
use std::collections::HashMap;

/// Adds the state of health to an operator view of the same snapshot.
pub(crate) fn add_health(
    operator_view: &mut OperatorView,
    health_control: &mut HealthControl,
    snapshot: &Snapshot,
    now_epoch_secs: u64,
) {
    let index_of: HashMap<&str, usize> =
        snapshot.pops.iter().zip(0..).map(|(pop, index)| (&*pop.name, index)).collect();
    for report in health_control.monitor().targets(health_control.now()) {
        // A target that several PoPs share stands with the first; canaries stand with none.
        let Some(pop) =
            index_of.get(&*report.target.pop).and_then(|index| operator_view.pops.get_mut(*index))
        else {
            continue;
        };
        pop.targets.push(view(&report));
    }
    for (pop, health) in
        operator_view.pops.iter_mut().zip(health_of_pops(snapshot, &health_control.health_state().slots))
    {
        pop.health = match health {
            PopHealth::Up if pop.targets.iter().all(|target| target.verdict != Verdict::Up.word()) => {
                PopHealth::Unknown
            }
            health => health,
        };
    }
    operator_view.without_result = health_control.monitor().own_faults();
    operator_view.frozen = health_control.monitor().frozen();
    operator_view.held = health_control.held(snapshot);
    operator_view.alarms.extend(health_control.alarms(snapshot, now_epoch_secs));
}

/// Adds what is known of load.
pub(crate) fn add_load(
    operator_view: &mut OperatorView,
    load_control: &mut LoadControl,
    snapshot: &Snapshot,
) {
    for report in load_control.report() {
        let Some(pop) =
            operator_view.pops.get_mut(usize::from(report.feed.pop)).filter(|pop| pop.name == *report.pop)
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
            last_error: report.last_error.map(ToString::to_string),
            age_secs: report.read_ago_ms.map(|ms| ms / 1000),
        });
    }
    debug_assert_eq!(operator_view.pops.len(), snapshot.pops.len());
    for (pop, left) in operator_view.pops.iter_mut().zip(load_control.left()) {
        pop.ramp_left = *left;
    }
    operator_view.alarms.extend(load_control.alarms());
}

/// Each PoP, in order, over the addresses of all its services. What is not known counts as up.
pub fn health_of_pops(snapshot: &Snapshot, slots: &[SlotHealth]) -> Vec<PopHealth> {
    // Addresses, and those that are down.
    let mut counts = vec![(0u32, 0u32); snapshot.pops.len()];
    for (slot, health) in snapshot.steering.slots.iter().zip(slots) {
        let (all, down) = &mut counts[usize::from(slot.pop.0)];
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

/// Which PoPs, in order, no policy can answer with as things are, for the sake of probes: all of
/// their slots are down in every view. Who is forced up is not.
pub(crate) fn down_pops(snapshot: &Snapshot) -> Vec<bool> {
    let mut is_known = vec![false; snapshot.pops.len()];
    let mut is_up = vec![false; snapshot.pops.len()];
    for view in snapshot.status.views().0 {
        for (slot, seen) in snapshot.steering.slots.iter().zip(view.slots()) {
            let pop = usize::from(slot.pop.0);
            is_known[pop] = true;
            is_up[pop] |= seen.up != 0;
        }
    }
    is_known.iter().zip(&is_up).map(|(is_known, is_up)| *is_known && !is_up).collect()
}

fn view(report: &TargetReport<'_>) -> TargetView {
    let good = report.was_well == Some(true);
    TargetView {
        probe: report.target.probe.clone(),
        service: report.target.service.clone(),
        address: Some(report.target.address.to_string().into()),
        verdict: report.verdict.word(),
        good_streak: if good { report.streak } else { 0 },
        bad_streak: if report.was_well == Some(false) { report.streak } else { 0 },
        checks_to_flip: report.checks_to_flip.map(u32::from),
        failures: report.failures,
        last_error: report.own_fault.or(report.last_error).map(ToString::to_string),
        latency_micros: report.latency_us.map(u64::from),
        certificate_days: report.certificate_days.map(i64::from),
        degraded: report.degraded.map(ToString::to_string),
        is_frozen: report.is_frozen,
        lasted_secs: report.lasted_ms / 1000,
        result_age_secs: report.seen_ago_ms.map(|ms| ms / 1000),
    }
}
