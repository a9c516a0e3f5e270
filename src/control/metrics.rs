//! `GET /metrics`: the counters as Prometheus text.
//!
//! A rendering builds the metric families from the sums of all workers' counters; the workers use
//! no registry. Waiting readers share one rendering
//! ([`SharedPage`](super::shared_page::SharedPage)). The [`catalogue`] has the names and meanings
//! of the families.

use crate::admin::Unproven;
use crate::answer::Transport;
use crate::control::Shown;
use crate::control::catalogue::{self, CATALOGUE, MetricFamily, MetricKind};
use crate::control::protocol::error_code::ErrorCode;
use crate::control::reply::refused;
use crate::geo::rtts::RttSource;
use crate::shared::alarm::AlarmKey;
use crate::shared::counters::Dropped;
use crate::shared::descriptors::Use;
use crate::shared::operator_view::PopHealth;
use crate::shared::phase::Phase;
use crate::snapshot::Snapshot;
use crate::snapshot::latency_maps::EvidenceShares;
use crate::steer::pop::AdminState;
use crate::steer::pop_status::fraction;
use crate::sys::clock;
use crate::wire::rr::Rcode;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus::TextEncoder;
use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricType};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// `Content-Type` of the text format of Prometheus.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /v1/metrics`.
pub(crate) async fn page(State(shown): State<Shown>) -> Response {
    let pages = Arc::clone(&shown.pages);
    let render = move || render(&shown).map(String::into_bytes).map_err(|error| error.to_string());
    let text = pages.metrics.read(render).await;
    match text {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(fault) => refused(ErrorCode::Fault, &fault),
    }
}

/// Samples by family. The registry of the `prometheus` crate suits long-lived counters: for a
/// single page it would hash the labels of every sample, and copy them twice.
#[derive(Default)]
struct Page {
    families: HashMap<&'static str, Vec<Metric>>,
}

impl Page {
    fn add(&mut self, family: &MetricFamily, labels: &[&str], value: f64) {
        debug_assert_eq!(labels.len(), family.labels.len(), "{}", family.name);
        let mut pairs: Vec<LabelPair> = family.labels.iter().zip(labels).map(pair).collect();
        pairs.sort_unstable_by(|one, other| one.name().cmp(other.name()));
        let mut metric = Metric::from_label(pairs);
        match family.kind {
            MetricKind::Counter => {
                let mut counter = Counter::default();
                counter.set_value(value);
                metric.set_counter(counter);
            }
            MetricKind::Gauge => {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                metric.set_gauge(gauge);
            }
        }
        self.families.entry(family.name).or_default().push(metric);
    }

    fn count(&mut self, family: &MetricFamily, labels: &[&str], count: u64) {
        self.add(family, labels, count as f64);
    }

    fn set(&mut self, family: &MetricFamily, labels: &[&str], value: f64) {
        self.add(family, labels, value);
    }

    /// Text of the page, with families and samples sorted. Samples with equal labels are merged:
    /// counters are added, and the last gauge counts.
    fn text(mut self) -> prometheus::Result<String> {
        let mut families: Vec<_> = CATALOGUE.iter().collect();
        families.sort_unstable_by_key(|family| family.name);
        let families = families.into_iter().filter_map(|family| {
            let mut metrics = self.families.remove(family.name)?;
            metrics.sort_by(|one, other| values(one).cmp(values(other)));
            metrics.dedup_by(|next, first| {
                let is_same = values(next).eq(values(first));
                if is_same {
                    merge(first, next, family.kind);
                }
                is_same
            });
            let mut written = prometheus::proto::MetricFamily::default();
            written.set_name(family.name.to_owned());
            written.set_help(family.help.to_owned());
            written.set_field_type(match family.kind {
                MetricKind::Counter => MetricType::COUNTER,
                MetricKind::Gauge => MetricType::GAUGE,
            });
            written.set_metric(metrics);
            Some(written)
        });
        TextEncoder::new().encode_to_string(&families.collect::<Vec<_>>())
    }
}

fn pair((name, value): (&&str, &&str)) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name((*name).to_owned());
    pair.set_value((*value).to_owned());
    pair
}

fn values(metric: &Metric) -> impl Iterator<Item = &str> {
    metric.get_label().iter().map(LabelPair::value)
}

fn merge(first: &mut Metric, next: &Metric, kind: MetricKind) {
    match kind {
        MetricKind::Counter => {
            let mut counter = Counter::default();
            counter.set_value(first.get_counter().get_value() + next.get_counter().get_value());
            first.set_counter(counter);
        }
        MetricKind::Gauge => first.set_gauge(next.get_gauge().clone()),
    }
}

fn render(shown: &Shown) -> prometheus::Result<String> {
    let mut page = Page::default();
    let snapshot = shown.shared.published.snapshot();
    traffic(&mut page, shown);
    quarantine(&mut page, shown);
    page.set(&catalogue::OVERLOAD_SHARE, &[], shown.shared.overload.share());
    page.set(&catalogue::OVERLOAD_KNOWN, &[], shown.known_prefixes(&snapshot) as f64);
    decisions(&mut page, shown, &snapshot);
    reloads(&mut page, shown);
    overrides(&mut page, shown);
    health(&mut page, shown);
    sizes(&mut page, &snapshot);
    descriptors(&mut page, shown);
    process(&mut page, shown);
    page.text()
}

fn traffic(page: &mut Page, shown: &Shown) {
    for transport in Transport::ALL {
        let totals = shown.shared.counters.fold(transport);
        let word = transport.word();
        page.count(&catalogue::QUERIES, &[word], totals.received);
        page.count(&catalogue::TRUNCATED, &[word], totals.truncated);
        if transport.is_stream() {
            page.count(&catalogue::CONNECTIONS, &[word], totals.connections);
        }
        for (code, count) in totals.replies() {
            let code = code.map_or_else(|| "other".to_owned(), |code| Rcode(code).to_string());
            page.count(&catalogue::REPLIES, &[word, &code], count);
        }
        for (rtype, count) in totals.types() {
            let rtype = rtype.map_or_else(|| "other".to_owned(), |rtype| rtype.to_string());
            page.count(&catalogue::QUESTIONS, &[word, &rtype], count);
        }
        for (evidence, count) in totals.evidence() {
            page.count(&catalogue::EVIDENCE, &[word, evidence], count);
        }
        for (cookie, count) in totals.cookies() {
            page.count(&catalogue::COOKIES, &[word, cookie], count);
        }
        page.count(&catalogue::ACCESS_REFUSED, &[word], totals.refused);
        page.count(&catalogue::PROXY_HEADERS, &[word], totals.proxy_headers);
        page.count(&catalogue::QUARANTINE_REFUSED, &[word], totals.quarantine_refused);
        for (limit, treatment, count) in totals.limited() {
            page.count(&catalogue::RATE_LIMITED, &[word, limit.word(), treatment.word()], count);
        }
        for reason in Dropped::ALL {
            page.count(&catalogue::DROPPED, &[word, reason.word()], totals.dropped(*reason));
        }
    }
}

fn quarantine(page: &mut Page, shown: &Shown) {
    let quarantine = &shown.shared.quarantine;
    page.count(&catalogue::QUARANTINED, &[], quarantine.taken_in());
    page.set(&catalogue::QUARANTINE_QUESTIONS, &[], quarantine.questions(clock::uptime_ms()) as f64);
    page.count(&catalogue::QUARANTINE_LOST, &[], quarantine.lost());
}

fn decisions(page: &mut Page, shown: &Shown, snapshot: &Snapshot) {
    let decisions = shown.shared.published.decisions();
    for (policy, pop, count) in decisions.by_pop() {
        page.count(&catalogue::DECISIONS_BY_POP, &[policy, pop], count);
    }
    for (policy, reason, count) in decisions.by_reason() {
        page.count(&catalogue::DECISIONS, &[policy, reason.word()], count);
    }
    // Possible pairs are shown at 0 before they occur, so that a rate sees their first increment.
    let pairs: usize = snapshot.steering.policies.iter().map(|policy| policy.members.len()).sum();
    if pairs <= PAIRS_SHOWN {
        for policy in &snapshot.steering.policies {
            for pop in policy.members.iter().filter_map(|entry| entry.target.split().ok()) {
                page.count(
                    &catalogue::DECISIONS_BY_POP,
                    &[&policy.name, &snapshot.steering.pops[pop.index()].name],
                    0,
                );
            }
        }
    }
}

/// Most pairs of policy and PoP that are shown before they occur.
const PAIRS_SHOWN: usize = 4_096;

fn reloads(page: &mut Page, shown: &Shown) {
    let counters = &shown.shared.counters;
    page.count(&catalogue::RELOADS, &["published"], counters.reloads_published.load(Ordering::Relaxed));
    page.count(&catalogue::RELOADS, &["refused"], counters.reloads_refused.load(Ordering::Relaxed));
    page.count(&catalogue::RELOADS_GIVEN_UP, &[], counters.reloads_given_up.load(Ordering::Relaxed));
    let age = match counters.reload_began.load(Ordering::Relaxed) {
        0 => 0,
        began => clock::epoch_secs().saturating_sub(began),
    };
    page.set(&catalogue::RELOAD_AGE, &[], age as f64);
    let state_fault = counters.state_fault.load(Ordering::Relaxed);
    page.set(&catalogue::STATE_FOLDER_OK, &[], if state_fault { 0.0 } else { 1.0 });
    let (tasks, now_ms) = (&shown.shared.tasks, clock::uptime_ms());
    for (task, age_ms) in tasks.ages(now_ms) {
        page.set(&catalogue::HEARTBEAT_AGE, &[task.word()], age_ms as f64 / 1e3);
        page.count(&catalogue::TASK_ENDS, &[task.word()], tasks.ends(task));
    }
    for (worker, age_ms) in tasks.worker_ages(now_ms).enumerate() {
        page.set(&catalogue::HEARTBEAT_AGE, &[&format!("udp-{worker}")], age_ms as f64 / 1e3);
    }
    let last = &counters.last_reload;
    page.set(&catalogue::LAST_RELOAD_OK, &[], if last.refused.load(Ordering::Relaxed) { 0.0 } else { 1.0 });
    page.set(
        &catalogue::LAST_RELOAD_PUBLISHED,
        &[],
        last.published_epoch_secs.load(Ordering::Relaxed) as f64,
    );
    page.set(&catalogue::LAST_RELOAD_DURATION, &[], last.took_micros.load(Ordering::Relaxed) as f64 / 1e6);
    let ready = shown.shared.phase.get() == Phase::Serving;
    page.set(&catalogue::READY, &[], if ready { 1.0 } else { 0.0 });
}

fn overrides(page: &mut Page, shown: &Shown) {
    let operator_view = shown.shared.operator_view.load();
    for pop in &operator_view.pops {
        for state in AdminState::ALL {
            page.set(
                &catalogue::POP_STATE,
                &[&pop.name, state.word()],
                if pop.state == state { 1.0 } else { 0.0 },
            );
        }
        page.set(&catalogue::POP_WEIGHT, &[&pop.name], f64::from(pop.weight));
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
    page.count(&catalogue::LOG_DROPPED, &[], counters.log_dropped.load(Ordering::Relaxed));
}

fn health(page: &mut Page, shown: &Shown) {
    let operator_view = shown.shared.operator_view.load();
    for pop in &operator_view.pops {
        for health in PopHealth::ALL {
            page.set(
                &catalogue::POP_HEALTH,
                &[&pop.name, health.word()],
                if pop.health == health { 1.0 } else { 0.0 },
            );
        }
        page.set(&catalogue::RAMP_LEFT, &[&pop.name], fraction(pop.ramp_left));
        for feed in &pop.feeds {
            let labels = [&*pop.name, feed.service.as_deref().unwrap_or("")];
            if let Some(load) = feed.load {
                page.set(&catalogue::LOAD_UTILISATION, &labels, load / feed.capacity);
            }
            page.set(&catalogue::LOAD_SHED, &labels, fraction(feed.share));
            page.set(&catalogue::LOAD_STALE, &labels, if feed.is_stale { 1.0 } else { 0.0 });
            page.set(&catalogue::LOAD_OSCILLATES, &labels, if feed.oscillates { 1.0 } else { 0.0 });
            page.set(&catalogue::LOAD_NO_ROOM, &labels, if feed.is_stuck { 1.0 } else { 0.0 });
        }
        for target in &pop.targets {
            let labels =
                [&*pop.name, &*target.service, &*target.probe, target.address.as_deref().unwrap_or("")];
            page.set(&catalogue::TARGET_UP, &labels, if target.verdict == "down" { 0.0 } else { 1.0 });
            page.set(&catalogue::TARGET_FAILURES, &labels, f64::from(target.failures));
            let is_damped = target.damped_secs.is_some();
            page.set(&catalogue::TARGET_DAMPED, &labels, if is_damped { 1.0 } else { 0.0 });
            if let Some(micros) = target.latency_micros {
                page.set(&catalogue::TARGET_LATENCY, &labels, micros as f64 / 1e6);
            }
            if let Some(days) = target.certificate_days {
                page.set(&catalogue::TARGET_CERTIFICATE, &labels, days as f64);
            }
        }
    }
    page.set(&catalogue::ALARMS_STANDING, &[], shown.alarms().len() as f64);
    page.set(&catalogue::PROBES_WITHOUT_RESULT, &[], operator_view.without_result as f64);
    page.set(&catalogue::TARGETS_DAMPED, &[], operator_view.damped as f64);
    for (family, frozen) in ["ipv4", "ipv6"].iter().zip(operator_view.frozen) {
        page.set(&catalogue::HEALTH_FROZEN, &[family], if frozen { 1.0 } else { 0.0 });
    }
    let snapshot = shown.shared.published.snapshot();
    for policy in &snapshot.steering.policies {
        let is_held = operator_view.held.contains(&policy.name);
        page.set(&catalogue::POLICY_HELD, &[&policy.name], if is_held { 1.0 } else { 0.0 });
        let is_returning = operator_view.returning.contains(&policy.name);
        page.set(&catalogue::POLICY_RETURNING, &[&policy.name], if is_returning { 1.0 } else { 0.0 });
    }
}

fn sizes(page: &mut Page, snapshot: &Snapshot) {
    page.set(&catalogue::SNAPSHOT_SEQUENCE, &[], snapshot.sequence() as f64);
    page.set(&catalogue::FILES_INFO, &[&snapshot.files_digest().to_string(), snapshot.node_name()], 1.0);
    page.set(&catalogue::SNAPSHOT_INFO, &[&snapshot.digest().to_string(), snapshot.node_name()], 1.0);
    let sizes = snapshot.sizes();
    for (family, count) in [
        (&catalogue::ZONES, sizes.zones),
        (&catalogue::NAMES, sizes.names),
        (&catalogue::RRSETS, sizes.sets),
        (&catalogue::STEERED_NAMES, sizes.steered),
        (&catalogue::ROUTE_LEAVES, sizes.leaves),
        (&catalogue::PREFERENCE_LISTS, sizes.preference_lists),
    ] {
        page.set(family, &[], count as f64);
    }
    for source in snapshot.folder.not_current() {
        page.set(&catalogue::ZONE_STANDING, &[&source.apex.to_string(), source.standing.word()], 1.0);
    }
    for (table, octets) in sizes.tables() {
        page.set(&catalogue::SNAPSHOT_BYTES, &[table], octets as f64);
    }
    let now = clock::since_epoch().as_secs_f64();
    latency(page, snapshot, now);
    if let Some(pair) = &snapshot.certificate {
        page.set(&catalogue::CERTIFICATE_EXPIRY, &["transports"], pair.not_after as f64);
    }
    if let Some(admin) = &snapshot.admin {
        page.set(&catalogue::CERTIFICATE_EXPIRY, &["admin"], admin.pair.not_after as f64);
    }
    for (name, built) in snapshot.databases_built() {
        page.set(&catalogue::DATABASE_BUILT, &[name], *built as f64);
        page.set(&catalogue::DATABASE_AGE, &[name], (now - *built as f64).max(0.0));
    }
}

fn latency(page: &mut Page, snapshot: &Snapshot, now: f64) {
    for map in snapshot.latency_maps() {
        if let Some(newest) = map.newest_sample {
            page.set(&catalogue::LATENCY_SAMPLE, &[&map.name], newest as f64);
            page.set(&catalogue::LATENCY_SAMPLE_AGE, &[&map.name], (now - newest as f64).max(0.0));
        }
        for (source, count) in RttSource::ALL.into_iter().zip(map.networks) {
            page.set(&catalogue::LATENCY_NETWORKS, &[&map.name, source.word()], count as f64);
        }
        page.set(&catalogue::LATENCY_RESOLVERS, &[&map.name], map.resolvers as f64);
    }
    for EvidenceShares { policy, shares } in snapshot.latency_evidence() {
        for (family, shares) in ["ipv4", "ipv6"].into_iter().zip(shares) {
            for (source, share) in EvidenceShares::words().zip(shares) {
                page.set(&catalogue::LATENCY_ADDRESSES, &[policy, family, source], *share);
            }
        }
    }
}

fn descriptors(page: &mut Page, shown: &Shown) {
    let descriptors = &shown.shared.descriptors;
    if let Some(open) = crate::sys::descriptors::open() {
        descriptors.note_open(open);
    }
    page.set(&catalogue::DESCRIPTORS_OPEN, &[], descriptors.open() as f64);
    page.set(&catalogue::DESCRIPTORS_LIMIT, &[], share(descriptors.shares().limit));
    for part in Use::all() {
        page.set(&catalogue::DESCRIPTORS, &[part.word()], descriptors.held(part) as f64);
        page.set(&catalogue::DESCRIPTORS_SHARE, &[part.word()], share(descriptors.shares().of(part)));
    }
    page.count(&catalogue::DESCRIPTORS_EXHAUSTED, &[], descriptors.exhausted());
    page.set(&catalogue::DESCRIPTORS_SHORT, &[], if descriptors.alarm().is_some() { 1.0 } else { 0.0 });
}

/// A number of descriptors; `usize::MAX` means no limit.
fn share(count: usize) -> f64 {
    if count == usize::MAX { f64::INFINITY } else { count as f64 }
}

fn process(page: &mut Page, shown: &Shown) {
    page.set(&catalogue::BUILD_INFO, &[env!("CARGO_PKG_VERSION"), shown.engine], 1.0);
    page.set(&catalogue::UPTIME, &[], shown.started.elapsed().as_secs_f64());
    page.set(
        &catalogue::STARTED,
        &[],
        clock::since_epoch().as_secs_f64() - shown.started.elapsed().as_secs_f64(),
    );
    page.set(&catalogue::RESIDENT, &[], crate::sys::memory::resident().unwrap_or(0) as f64);
}
