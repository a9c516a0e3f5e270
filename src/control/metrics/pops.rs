//! Overrides, health, load feeds and targets.

use super::page::Page;
use crate::admin::{Unopened, Unproven};
use crate::control::Shown;
use crate::control::catalogue::{self, MetricFamily};
use crate::limits::{POLICIES_SHOWN_MAX, POPS_WHOLE_MAX, SERIES_MAX};
use crate::shared::alarm::AlarmKey;
use crate::shared::operator_view::{OperatorView, PopHealth, PopView, TargetView};
use crate::snapshot::Snapshot;
use crate::steer::pop::AdminState;
use crate::steer::pop_status::fraction;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Samples about PoPs. In a deployment of many PoPs those that are 0 are left out, because most
/// samples of PoPs tell a state that the PoP is not in.
struct PopSamples<'p> {
    page: &'p mut Page,
    is_sparse: bool,
}

impl PopSamples<'_> {
    fn of<'p>(page: &'p mut Page, view: &OperatorView) -> PopSamples<'p> {
        PopSamples { page, is_sparse: view.pops.len() > POPS_WHOLE_MAX }
    }

    fn set(&mut self, family: &MetricFamily, labels: &[&str], value: f64) {
        if value != 0.0 || !self.is_sparse {
            self.page.set(family, labels, value);
        }
    }

    fn flag(&mut self, family: &MetricFamily, labels: &[&str], is_set: bool) {
        self.set(family, labels, if is_set { 1.0 } else { 0.0 });
    }
}

/// Overrides and the state of PoPs by them.
pub(super) fn overrides(page: &mut Page, shown: &Shown) {
    let operator_view = shown.shared.operator_view.load();
    let mut samples = PopSamples::of(page, &operator_view);
    for pop in &operator_view.pops {
        for state in AdminState::ALL {
            samples.flag(&catalogue::POP_STATE, &[&pop.name, state.word()], pop.state == state);
        }
        samples.set(&catalogue::POP_WEIGHT, &[&pop.name], f64::from(pop.weight));
    }
    for state in [AdminState::Up, AdminState::Down, AdminState::Drain] {
        let count =
            operator_view.pops.iter().filter(|pop| pop.state_by.is_some() && pop.state == state).count();
        page.set(&catalogue::OVERRIDES, &[state.word()], count as f64);
    }
    let weights = operator_view.pops.iter().filter(|pop| pop.weight_by.is_some()).count();
    page.set(&catalogue::OVERRIDES, &["weight"], weights as f64);
    page.set(
        &catalogue::ALARMS,
        &[],
        if operator_view.alarms.iter().any(|alarm| alarm.key == AlarmKey::LedgerDamaged) { 1.0 } else { 0.0 },
    );
    let counters = &shown.shared.counters;
    page.count(&catalogue::EVENTS_DROPPED, &[], counters.events_dropped.load(Ordering::Relaxed));
    for (reason, count) in Unproven::ALL.into_iter().zip(&counters.unproven) {
        page.count(&catalogue::UNPROVEN, &[reason.word()], count.load(Ordering::Relaxed));
    }
    for (reason, count) in Unopened::ALL.into_iter().zip(&counters.unopened) {
        page.count(&catalogue::UNOPENED, &[reason.word()], count.load(Ordering::Relaxed));
    }
    page.count(&catalogue::LOG_DROPPED, &[], counters.log_dropped.load(Ordering::Relaxed));
}

/// Health of PoPs and policies, and load feeds.
pub(super) fn health(page: &mut Page, shown: &Shown, snapshot: &Snapshot) {
    let operator_view = shown.shared.operator_view.load();
    let mut samples = PopSamples::of(page, &operator_view);
    for pop in &operator_view.pops {
        for health in PopHealth::ALL {
            samples.flag(&catalogue::POP_HEALTH, &[&pop.name, health.word()], pop.health == health);
        }
        samples.set(&catalogue::RAMP_LEFT, &[&pop.name], fraction(pop.ramp_left));
        feeds(&mut samples, pop);
    }
    page.set(&catalogue::ALARMS_STANDING, &[], shown.alarms().len() as f64);
    page.set(&catalogue::PROBES_WITHOUT_RESULT, &[], operator_view.without_result as f64);
    page.set(&catalogue::TARGETS_DAMPED, &[], operator_view.damped as f64);
    for (family, frozen) in ["ipv4", "ipv6"].iter().zip(operator_view.frozen) {
        page.set(&catalogue::HEALTH_FROZEN, &[family], if frozen { 1.0 } else { 0.0 });
    }
    policies(page, &catalogue::POLICY_HELD, snapshot, |name| operator_view.held.contains(name));
    policies(page, &catalogue::POLICY_RETURNING, snapshot, |name| operator_view.returning.contains(name));
}

/// A flag of each policy: of [`POLICIES_SHOWN_MAX`] at most, and of those that have it first.
fn policies(page: &mut Page, family: &MetricFamily, snapshot: &Snapshot, has_it: impl Fn(&Arc<str>) -> bool) {
    let names = snapshot.steering.policies.iter().map(|policy| &policy.name);
    let (with, without): (Vec<_>, Vec<_>) = names.partition(|name| has_it(name));
    let flags = with.into_iter().map(|name| (name, 1.0)).chain(without.into_iter().map(|name| (name, 0.0)));
    for (name, flag) in flags.take(POLICIES_SHOWN_MAX) {
        page.set(family, &[name], flag);
    }
}

fn feeds(samples: &mut PopSamples<'_>, pop: &PopView) {
    for feed in &pop.feeds {
        let labels = [&*pop.name, feed.service.as_deref().unwrap_or("")];
        if let Some(load) = feed.load {
            samples.set(&catalogue::LOAD_UTILISATION, &labels, load / feed.capacity);
        }
        samples.set(&catalogue::LOAD_SHED, &labels, fraction(feed.share));
        samples.flag(&catalogue::LOAD_STALE, &labels, feed.is_stale);
        samples.flag(&catalogue::LOAD_OSCILLATES, &labels, feed.oscillates);
        samples.flag(&catalogue::LOAD_NO_ROOM, &labels, feed.is_stuck);
    }
}

/// Most samples of one target.
const SAMPLES_OF_TARGET: usize = 5;

/// Days before the end of a certificate from which its target is shown before others.
const CERTIFICATE_DAYS: i64 = 30;

/// Targets, as many as the page has room for: those in trouble first.
pub(super) fn targets(page: &mut Page, operator_view: &OperatorView) {
    let each =
        || operator_view.pops.iter().flat_map(|pop| pop.targets.iter().map(move |target| (pop, target)));
    let room = SERIES_MAX.saturating_sub(page.len() + 1) / SAMPLES_OF_TARGET;
    let (troubled, others): (Vec<_>, Vec<_>) = each().partition(|(_, target)| is_troubled(target));
    let not_shown = (troubled.len() + others.len()).saturating_sub(room);
    page.set(&catalogue::TARGETS_NOT_SHOWN, &[], not_shown as f64);
    let mut samples = PopSamples::of(page, operator_view);
    for (pop, target) in troubled.into_iter().chain(others).take(room) {
        of_target(&mut samples, pop, target);
    }
}

fn is_troubled(target: &TargetView) -> bool {
    target.verdict == "down"
        || target.failures > 0
        || target.damped_secs.is_some()
        || target.certificate_days.is_some_and(|days| days < CERTIFICATE_DAYS)
}

fn of_target(samples: &mut PopSamples<'_>, pop: &PopView, target: &TargetView) {
    let labels = [&*pop.name, &*target.service, &*target.probe, target.address.as_deref().unwrap_or("")];
    // The one family of which 0 is the news.
    let is_up = target.verdict != "down";
    samples.page.set(&catalogue::TARGET_UP, &labels, if is_up { 1.0 } else { 0.0 });
    samples.set(&catalogue::TARGET_FAILURES, &labels, f64::from(target.failures));
    samples.flag(&catalogue::TARGET_DAMPED, &labels, target.damped_secs.is_some());
    if let Some(micros) = target.latency_micros {
        samples.set(&catalogue::TARGET_LATENCY, &labels, micros as f64 / 1e6);
    }
    if let Some(days) = target.certificate_days {
        samples.page.set(&catalogue::TARGET_CERTIFICATE, &labels, days as f64);
    }
}
