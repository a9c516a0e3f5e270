//! `GET /metrics`: the counters as Prometheus text.
//!
//! A rendering builds the metric families from the sums of all workers' counters; the workers use
//! no registry. Waiting readers share one rendering
//! ([`SharedPage`](super::shared_page::SharedPage)). The [`catalogue`] has the names and meanings
//! of the families. [`series`] bounds the number of series.

mod page;
mod pops;
mod series;

use crate::answer::Transport;
use crate::control::Shown;
use crate::control::catalogue;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::reply::refused;
use crate::geo::rtts::RttSource;
use crate::limits::{POLICIES_SHOWN_MAX, ZONES_COUNTED_MAX};
use crate::shared::counters::Dropped;
use crate::shared::descriptors::Use;
use crate::shared::phase::Phase;
use crate::snapshot::Snapshot;
use crate::snapshot::latency_maps::EvidenceShares;
use crate::sys::clock;
use crate::wire::rr::Rcode;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use page::Page;
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

fn render(shown: &Shown) -> prometheus::Result<String> {
    let mut page = Page::default();
    let snapshot = shown.shared.published.snapshot();
    traffic(&mut page, shown);
    quarantine(&mut page, shown);
    page.set(&catalogue::OVERLOAD_SHARE, &[], shown.shared.overload.share());
    page.set(&catalogue::OVERLOAD_REFUSED, &[], f64::from(u8::from(shown.shared.overload.is_refused())));
    page.set(&catalogue::OVERLOAD_KNOWN, &[], shown.known_prefixes(&snapshot) as f64);
    let counted = shown.shared.published.decisions();
    series::decisions(&mut page, &counted, &snapshot);
    reloads(&mut page, shown);
    pops::overrides(&mut page, shown);
    pops::health(&mut page, shown, &snapshot);
    sizes(&mut page, &snapshot);
    descriptors(&mut page, shown);
    process(&mut page, shown);
    // Last, since they take the room that is left.
    pops::targets(&mut page, &shown.shared.operator_view.load());
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
        page.times(&catalogue::ANSWER_TIMES, &[word], &totals.times);
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
    for (worker, queries) in shown.shared.counters.worker_queries() {
        page.count(&catalogue::WORKER_QUERIES, &[&format!("udp-{worker}")], queries);
    }
}

fn quarantine(page: &mut Page, shown: &Shown) {
    let quarantine = &shown.shared.quarantine;
    page.count(&catalogue::QUARANTINED, &[], quarantine.taken_in());
    page.set(&catalogue::QUARANTINE_QUESTIONS, &[], quarantine.questions(clock::uptime_ms()) as f64);
    page.count(&catalogue::QUARANTINE_LOST, &[], quarantine.lost());
}

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
    page.set(&catalogue::LAST_RELOAD_OK, &[], if last.refusal().is_some() { 0.0 } else { 1.0 });
    page.set(
        &catalogue::LAST_RELOAD_PUBLISHED,
        &[],
        last.published_epoch_secs.load(Ordering::Relaxed) as f64,
    );
    page.set(&catalogue::LAST_RELOAD_DURATION, &[], last.took_micros.load(Ordering::Relaxed) as f64 / 1e6);
    let ready = shown.shared.phase.get() == Phase::Serving;
    page.set(&catalogue::READY, &[], if ready { 1.0 } else { 0.0 });
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
    for source in snapshot.folder.not_current().take(ZONES_COUNTED_MAX) {
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
    for EvidenceShares { policy, shares } in snapshot.latency_evidence().iter().take(POLICIES_SHOWN_MAX) {
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
