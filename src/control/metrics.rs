//! `GET /metrics`: the counters as Prometheus text.
//!
//! The families are built when somebody asks, from the folded counters: workers know no registry.
//! What each is called and means stands in the [`catalogue`].

use crate::control::Shown;
use crate::control::catalogue::{self, CATALOGUE, MetricFamily, MetricKind};
use crate::shared::counters::{Dropped, Lane};
use crate::shared::operator_view::PopHealth;
use crate::shared::phase::Phase;
use crate::snapshot::Snapshot;
use crate::steer::pop::AdminState;
use crate::sys::clock;
use crate::wire::rr::Rcode;
use axum::extract::State;
use axum::http::{StatusCode, header};
use prometheus::{GaugeVec, IntCounterVec, Opts, Registry, TextEncoder};
use std::collections::HashMap;
use std::sync::atomic::Ordering;

/// The page.
pub(crate) async fn page(
    State(shown): State<Shown>,
) -> Result<([(header::HeaderName, &'static str); 1], String), (StatusCode, String)> {
    let text = render(&shown).map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

/// The families of the catalogue, registered.
struct Page {
    registry: Registry,
    counters: HashMap<&'static str, IntCounterVec>,
    gauges: HashMap<&'static str, GaugeVec>,
}

impl Page {
    fn new() -> prometheus::Result<Page> {
        let mut page = Page { registry: Registry::new(), counters: HashMap::new(), gauges: HashMap::new() };
        for family in CATALOGUE {
            let opts = Opts::new(family.name, family.help);
            match family.kind {
                MetricKind::Counter => {
                    let counters = IntCounterVec::new(opts, family.labels)?;
                    page.registry.register(Box::new(counters.clone()))?;
                    page.counters.insert(family.name, counters);
                }
                MetricKind::Gauge => {
                    let gauges = GaugeVec::new(opts, family.labels)?;
                    page.registry.register(Box::new(gauges.clone()))?;
                    page.gauges.insert(family.name, gauges);
                }
            }
        }
        Ok(page)
    }

    fn count(&self, family: &MetricFamily, labels: &[&str], count: u64) -> prometheus::Result<()> {
        if let Some(counters) = self.counters.get(family.name) {
            counters.get_metric_with_label_values(labels)?.inc_by(count);
        }
        Ok(())
    }

    fn set(&self, family: &MetricFamily, labels: &[&str], value: f64) -> prometheus::Result<()> {
        if let Some(gauges) = self.gauges.get(family.name) {
            gauges.get_metric_with_label_values(labels)?.set(value);
        }
        Ok(())
    }
}

fn render(shown: &Shown) -> prometheus::Result<String> {
    let page = Page::new()?;
    let snapshot = shown.shared.published.snapshot();
    traffic(&page, shown)?;
    decisions(&page, shown, &snapshot)?;
    reloads(&page, shown)?;
    overrides(&page, shown)?;
    health(&page, shown)?;
    sizes(&page, &snapshot)?;
    process(&page, shown)?;
    TextEncoder::new().encode_to_string(&page.registry.gather())
}

fn traffic(page: &Page, shown: &Shown) -> prometheus::Result<()> {
    for lane in Lane::ALL {
        let totals = shown.shared.counters.fold(lane);
        let word = lane.word();
        page.count(&catalogue::QUERIES, &[word], totals.received)?;
        page.count(&catalogue::TRUNCATED, &[word], totals.truncated)?;
        if lane == Lane::Tcp {
            page.count(&catalogue::CONNECTIONS, &[word], totals.connections)?;
        }
        for (code, count) in totals.replies() {
            let code = code.map_or_else(|| "other".to_owned(), |code| Rcode(code).to_string());
            page.count(&catalogue::REPLIES, &[word, &code], count)?;
        }
        for (rtype, count) in totals.types() {
            let rtype = rtype.map_or_else(|| "other".to_owned(), |rtype| rtype.to_string());
            page.count(&catalogue::QUESTIONS, &[word, &rtype], count)?;
        }
        for (evidence, count) in totals.evidence() {
            page.count(&catalogue::EVIDENCE, &[word, evidence], count)?;
        }
        for (cookie, count) in totals.cookies() {
            page.count(&catalogue::COOKIES, &[word, cookie], count)?;
        }
        for reason in Dropped::ALL {
            page.count(&catalogue::DROPPED, &[word, reason.word()], totals.dropped(*reason))?;
        }
    }
    Ok(())
}

fn decisions(page: &Page, shown: &Shown, snapshot: &Snapshot) -> prometheus::Result<()> {
    let decisions = shown.shared.published.decisions();
    for (policy, pop, count) in decisions.by_pop() {
        page.count(&catalogue::DECISIONS_BY_POP, &[policy, pop], count)?;
    }
    for (policy, reason, count) in decisions.by_reason() {
        page.count(&catalogue::DECISIONS, &[policy, reason.word()], count)?;
    }
    // Pairs that may occur are shown before they do, so that a rate sees their first step.
    let pairs: usize = snapshot.steering.policies.iter().map(|policy| policy.members.len()).sum();
    if pairs <= PAIRS_SHOWN {
        for policy in &snapshot.steering.policies {
            for pop in policy.members.iter().filter_map(|entry| entry.target.split().ok()) {
                page.count(
                    &catalogue::DECISIONS_BY_POP,
                    &[&policy.name, &snapshot.steering.pops[usize::from(pop.0)].name],
                    0,
                )?;
            }
        }
    }
    Ok(())
}

/// Pairs of policy and PoP that are shown although they never occurred.
const PAIRS_SHOWN: usize = 4_096;

fn reloads(page: &Page, shown: &Shown) -> prometheus::Result<()> {
    let counters = &shown.shared.counters;
    page.count(&catalogue::RELOADS, &["published"], counters.reloads_published.load(Ordering::Relaxed))?;
    page.count(&catalogue::RELOADS, &["refused"], counters.reloads_refused.load(Ordering::Relaxed))?;
    page.count(&catalogue::RELOADS_GIVEN_UP, &[], counters.reloads_given_up.load(Ordering::Relaxed))?;
    let age = match counters.reload_began.load(Ordering::Relaxed) {
        0 => 0,
        began => clock::epoch_secs().saturating_sub(began),
    };
    page.set(&catalogue::RELOAD_AGE, &[], age as f64)?;
    let state_fault = counters.state_fault.load(Ordering::Relaxed);
    page.set(&catalogue::STATE_FOLDER_OK, &[], if state_fault { 0.0 } else { 1.0 })?;
    let (tasks, now_ms) = (&shown.shared.tasks, clock::uptime_ms());
    for (task, age_ms) in tasks.ages(now_ms) {
        page.set(&catalogue::HEARTBEAT_AGE, &[task.word()], age_ms as f64 / 1e3)?;
        page.count(&catalogue::TASK_ENDS, &[task.word()], tasks.ends(task))?;
    }
    for (worker, age_ms) in tasks.worker_ages(now_ms).enumerate() {
        page.set(&catalogue::HEARTBEAT_AGE, &[&format!("udp-{worker}")], age_ms as f64 / 1e3)?;
    }
    let last = &counters.last_reload;
    page.set(&catalogue::LAST_RELOAD_OK, &[], if last.refused.load(Ordering::Relaxed) { 0.0 } else { 1.0 })?;
    page.set(
        &catalogue::LAST_RELOAD_PUBLISHED,
        &[],
        last.published_epoch_secs.load(Ordering::Relaxed) as f64,
    )?;
    page.set(&catalogue::LAST_RELOAD_DURATION, &[], last.took_micros.load(Ordering::Relaxed) as f64 / 1e6)?;
    let ready = shown.shared.phase.get() == Phase::Serving;
    page.set(&catalogue::READY, &[], if ready { 1.0 } else { 0.0 })
}

fn overrides(page: &Page, shown: &Shown) -> prometheus::Result<()> {
    let operator_view = shown.shared.operator_view.load();
    for pop in &operator_view.pops {
        for state in AdminState::ALL {
            page.set(
                &catalogue::POP_STATE,
                &[&pop.name, state.word()],
                if pop.state == state { 1.0 } else { 0.0 },
            )?;
        }
        page.set(&catalogue::POP_WEIGHT, &[&pop.name], f64::from(pop.weight))?;
    }
    for state in [AdminState::Up, AdminState::Down, AdminState::Drain] {
        let count =
            operator_view.pops.iter().filter(|pop| pop.state_by.is_some() && pop.state == state).count();
        page.set(&catalogue::OVERRIDES, &[state.word()], count as f64)?;
    }
    let weights = operator_view.pops.iter().filter(|pop| pop.weight_by.is_some()).count();
    page.set(&catalogue::OVERRIDES, &["weight"], weights as f64)?;
    page.set(
        &catalogue::ALARMS,
        &[],
        if operator_view.alarms.iter().any(|alarm| alarm.is_of_ledger) { 1.0 } else { 0.0 },
    )?;
    let counters = &shown.shared.counters;
    page.count(&catalogue::EVENTS_DROPPED, &[], counters.events_dropped.load(Ordering::Relaxed))?;
    page.count(&catalogue::LOG_DROPPED, &[], counters.log_dropped.load(Ordering::Relaxed))
}

fn health(page: &Page, shown: &Shown) -> prometheus::Result<()> {
    let operator_view = shown.shared.operator_view.load();
    for pop in &operator_view.pops {
        for health in PopHealth::ALL {
            page.set(
                &catalogue::POP_HEALTH,
                &[&pop.name, health.word()],
                if pop.health == health { 1.0 } else { 0.0 },
            )?;
        }
        page.set(&catalogue::RAMP_LEFT, &[&pop.name], f64::from(pop.ramp_left) / 256.0)?;
        for feed in &pop.feeds {
            let labels = [&*pop.name, feed.service.as_deref().unwrap_or("")];
            if let Some(load) = feed.load {
                page.set(&catalogue::LOAD_UTILISATION, &labels, load / feed.capacity)?;
            }
            page.set(&catalogue::LOAD_SHED, &labels, f64::from(feed.share) / 256.0)?;
            page.set(&catalogue::LOAD_STALE, &labels, if feed.is_stale { 1.0 } else { 0.0 })?;
            page.set(&catalogue::LOAD_OSCILLATES, &labels, if feed.oscillates { 1.0 } else { 0.0 })?;
        }
        for target in &pop.targets {
            let labels =
                [&*pop.name, &*target.service, &*target.probe, target.address.as_deref().unwrap_or("")];
            page.set(&catalogue::TARGET_UP, &labels, if target.verdict == "down" { 0.0 } else { 1.0 })?;
            page.set(&catalogue::TARGET_FAILURES, &labels, f64::from(target.failures))?;
            if let Some(micros) = target.latency_micros {
                page.set(&catalogue::TARGET_LATENCY, &labels, micros as f64 / 1e6)?;
            }
            if let Some(days) = target.certificate_days {
                page.set(&catalogue::TARGET_CERTIFICATE, &labels, days as f64)?;
            }
        }
    }
    page.set(&catalogue::ALARMS_STANDING, &[], shown.alarms().len() as f64)?;
    page.set(&catalogue::PROBES_WITHOUT_RESULT, &[], operator_view.without_result as f64)?;
    for (family, frozen) in ["ipv4", "ipv6"].iter().zip(operator_view.frozen) {
        page.set(&catalogue::HEALTH_FROZEN, &[family], if frozen { 1.0 } else { 0.0 })?;
    }
    let snapshot = shown.shared.published.snapshot();
    snapshot.steering.policies.iter().try_for_each(|policy| {
        let is_held = operator_view.held.contains(&policy.name);
        page.set(&catalogue::POLICY_HELD, &[&policy.name], if is_held { 1.0 } else { 0.0 })
    })
}

fn sizes(page: &Page, snapshot: &Snapshot) -> prometheus::Result<()> {
    page.set(&catalogue::SNAPSHOT_SEQUENCE, &[], snapshot.sequence() as f64)?;
    page.set(&catalogue::SNAPSHOT_INFO, &[&snapshot.digest().to_string(), snapshot.node_name()], 1.0)?;
    let sizes = snapshot.sizes();
    for (family, count) in [
        (&catalogue::ZONES, sizes.zones),
        (&catalogue::NAMES, sizes.names),
        (&catalogue::RRSETS, sizes.sets),
        (&catalogue::STEERED_NAMES, sizes.steered),
        (&catalogue::ROUTE_LEAVES, sizes.leaves),
        (&catalogue::PREFERENCE_LISTS, sizes.preference_lists),
    ] {
        page.set(family, &[], count as f64)?;
    }
    for (table, octets) in sizes.tables() {
        page.set(&catalogue::SNAPSHOT_BYTES, &[table], octets as f64)?;
    }
    let now = clock::since_epoch().as_secs_f64();
    for (name, built) in snapshot.databases_built() {
        page.set(&catalogue::DATABASE_BUILT, &[name], *built as f64)?;
        page.set(&catalogue::DATABASE_AGE, &[name], (now - *built as f64).max(0.0))?;
    }
    Ok(())
}

fn process(page: &Page, shown: &Shown) -> prometheus::Result<()> {
    page.set(&catalogue::BUILD_INFO, &[env!("CARGO_PKG_VERSION"), shown.engine], 1.0)?;
    page.set(&catalogue::UPTIME, &[], shown.started.elapsed().as_secs_f64())?;
    page.set(
        &catalogue::STARTED,
        &[],
        clock::since_epoch().as_secs_f64() - shown.started.elapsed().as_secs_f64(),
    )?;
    page.set(&catalogue::RESIDENT, &[], crate::sys::memory::resident().unwrap_or(0) as f64)
}
