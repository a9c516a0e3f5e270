//! `GET /metrics`: the counters as Prometheus text.
//!
//! The families are built when somebody asks, from the folded counters: workers know no registry.
//! Labels are fixed sets; nothing a client sends becomes one.

use crate::control::Shown;
use crate::desk::counters::{Dropped, Lane};
use crate::wire::rr::Rcode;
use axum::extract::State;
use axum::http::{StatusCode, header};
use prometheus::{Gauge, GaugeVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};
use std::sync::atomic::Ordering;

/// The page.
pub async fn page(State(shown): State<Shown>) -> Result<([(header::HeaderName, &'static str); 1], String), (StatusCode, String)> {
    let text = render(&shown).map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

fn render(shown: &Shown) -> prometheus::Result<String> {
    let registry = Registry::new();
    let counters = |name: &str, help: &str, labels: &[&str]| -> prometheus::Result<IntCounterVec> {
        let family = IntCounterVec::new(Opts::new(name, help), labels)?;
        registry.register(Box::new(family.clone()))?;
        Ok(family)
    };
    let queries = counters("meridian_queries_total", "Messages received, by transport.", &["transport"])?;
    let replies = counters("meridian_replies_total", "Replies made, by transport and response code.", &["transport", "rcode"])?;
    let dropped =
        counters("meridian_dropped_total", "Messages and connections dropped, by transport and reason.", &["transport", "reason"])?;
    let connections = counters("meridian_connections_total", "Connections admitted, by transport.", &["transport"])?;
    for lane in Lane::ALL {
        let totals = shown.desk.counters.fold(lane);
        let word = lane.word();
        queries.with_label_values(&[word]).inc_by(totals.received);
        if lane == Lane::Tcp {
            connections.with_label_values(&[word]).inc_by(totals.connections);
        }
        for (code, count) in totals.replies() {
            let code = code.map_or_else(|| "other".to_owned(), |code| Rcode(code).to_string());
            replies.with_label_values(&[word, code.as_str()]).inc_by(count);
        }
        for reason in Dropped::ALL {
            dropped.with_label_values(&[word, reason.word()]).inc_by(totals.dropped(*reason));
        }
    }
    let reloads = counters("meridian_reloads_total", "Reloads, by outcome.", &["outcome"])?;
    reloads.with_label_values(&["published"]).inc_by(shown.desk.counters.reloads_published.load(Ordering::Relaxed));
    reloads.with_label_values(&["refused"]).inc_by(shown.desk.counters.reloads_refused.load(Ordering::Relaxed));

    let snapshot = shown.desk.snapshot.full();
    let sequence = IntGauge::new("meridian_snapshot_sequence", "Sequence number of the snapshot in service.")?;
    registry.register(Box::new(sequence.clone()))?;
    sequence.set(i64::try_from(snapshot.sequence()).unwrap_or(i64::MAX));
    let about = GaugeVec::new(Opts::new("meridian_snapshot_info", "The snapshot in service; always 1."), &["digest", "node"])?;
    registry.register(Box::new(about.clone()))?;
    about.with_label_values(&[snapshot.digest().to_string().as_str(), snapshot.node_name()]).set(1.0);
    let uptime = Gauge::new("meridian_uptime_seconds", "Seconds since the server was started.")?;
    registry.register(Box::new(uptime.clone()))?;
    uptime.set(shown.started.elapsed().as_secs_f64());
    TextEncoder::new().encode_to_string(&registry.gather())
}
