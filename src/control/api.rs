//! What the control paths do.

use crate::control::Shown;
use crate::control::overrides::{BUSY, Page, ask, refused};
use crate::control::peer::Peer;
use crate::finding::render;
use crate::finding::{Files, Finding, Findings, code};
use crate::limits::STILL_MILLIS;
use crate::shared::Shared;
use crate::shared::command::{Command, CommandSender, Origin, Report};
use crate::shared::counters::{Dropped, Lane, Totals};
use crate::shared::phase::Phase;
use crate::snapshot::digest;
use crate::sys::clock::uptime_ms;
use crate::wire::rr::Rcode;
use crate::zone::source::FolderStanding;
use axum::Extension;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

/// How a reload is asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ReloadQuery {
    /// Whether the rendered findings are coloured.
    #[serde(default)]
    colour: bool,
    /// Whether zones that are gone are let go.
    #[serde(default)]
    allow_loss: bool,
}

/// `POST /reload`: runs a reload and answers when it has ended. 200 if it was published, 409 if it
/// was refused, 503 if it could not be started.
pub(crate) async fn reload(
    State(command_sender): State<CommandSender>,
    Query(query): Query<ReloadQuery>,
) -> (StatusCode, Json<Value>) {
    let (sender, receiver) = oneshot::channel();
    let reply = Box::new(move |report| drop(sender.send(report)));
    let (origin, allow_loss) = (Origin::Control, query.allow_loss);
    let taken = command_sender(Command::Reload { origin, reply: Some(reply), allow_loss });
    let report = if taken.is_ok() { receiver.await.ok() } else { None };
    match report {
        Some(report) => (
            if report.published { StatusCode::OK } else { StatusCode::CONFLICT },
            Json(told(&report, query.colour)),
        ),
        None => (StatusCode::SERVICE_UNAVAILABLE, Json(busy(query.colour))),
    }
}

fn told(report: &Arc<Report>, colour: bool) -> Value {
    let lines = report.difference.as_ref().map_or(&[][..], |difference| difference.lines());
    json!({
        "ok": report.published,
        "sequence": report.sequence,
        "digest": report.digest,
        "files_digest": report.files_digest,
        "difference": lines,
        "zones": zones(&report.folder),
        "findings": render::json(&report.findings, &report.files),
        "text": render::text(&report.findings, &report.files, colour),
    })
}

/// How many zones are served by their files, what the others are served from, and which files are
/// not in force.
fn zones(folder: &FolderStanding) -> Value {
    let others: Vec<Value> = folder
        .not_current()
        .map(|source| {
            json!({
                "zone": source.apex.to_string(),
                "standing": source.standing.word(),
                "why": source.standing.why(),
                "digest": digest::of_texts(source),
            })
        })
        .collect();
    let strays = folder.strays.iter().map(|stray| json!({ "file": stray.path, "why": stray.why }));
    json!({
        "current": folder.zones.len() - others.len(),
        "others": others,
        "stray_files": strays.collect::<Vec<_>>(),
    })
}

fn busy(colour: bool) -> Value {
    let finding =
        Finding::error(code::RELOAD_BUSY, "the server takes no reload now: too many wait, or it is stopping")
            .help("try again");
    let (findings, files) = (Findings::from(finding), Files::default());
    json!({
        "ok": false,
        "findings": render::json(&findings, &files),
        "text": render::text(&findings, &files, colour),
    })
}

/// `GET /reload`: what reloads do. 503 if the writer takes no commands.
pub(crate) async fn reload_status(State(command_sender): State<CommandSender>) -> Page {
    match ask(&command_sender, |reply| Command::ReloadStatus { reply }).await {
        Some(status) => {
            let running = status.running.map(|(origin, age_secs, does)| {
                json!({ "origin": origin.to_string(), "age_secs": age_secs, "does": does })
            });
            (
                StatusCode::OK,
                Json(json!({
                    "running": running,
                    "waiting": status.waiting,
                    "hung": status.hung,
                    "zones": zones(&status.folder),
                })),
            )
        }
        None => refused(StatusCode::SERVICE_UNAVAILABLE, BUSY),
    }
}

/// `DELETE /reload`: gives up the reload that runs. 409 if there is none.
pub(crate) async fn cancel_reload(
    State(command_sender): State<CommandSender>,
    peer: Option<Extension<Peer>>,
) -> Page {
    let author: Arc<str> = Peer::author(peer.as_deref(), None).into();
    match ask(&command_sender, |reply| Command::CancelReload { author, reply }).await {
        Some(Ok(did)) => (StatusCode::OK, Json(json!({ "cancelled": did }))),
        Some(Err(sentence)) => refused(StatusCode::CONFLICT, &sentence),
        None => refused(StatusCode::SERVICE_UNAVAILABLE, BUSY),
    }
}

/// `GET /status`.
pub(crate) async fn status(State(shown): State<Shown>) -> Json<Value> {
    let snapshot = shown.shared.published.snapshot();
    let lanes: Map<String, Value> = Lane::ALL
        .into_iter()
        .map(|lane| (lane.word().to_owned(), totals(&shown.shared.counters.fold(lane))))
        .collect();
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "node": snapshot.node_name(),
        "phase": shown.shared.phase.get().word(),
        "uptime_secs": shown.started.elapsed().as_secs(),
        "engine": shown.engine,
        "config": shown.config.to_string_lossy(),
        "dns": shown.dns,
        "sequence": snapshot.sequence(),
        "digest": snapshot.digest().to_string(),
        "files_digest": snapshot.files_digest().to_string(),
        "zones": zones(&snapshot.folder),
        "summary": snapshot.summary().to_string().lines().collect::<Vec<_>>(),
        "lanes": lanes,
    }))
}

fn totals(totals: &Totals) -> Value {
    let replies: Map<String, Value> = totals
        .replies()
        .map(|(code, count)| {
            (code.map_or_else(|| "other".to_owned(), |code| Rcode(code).to_string()), count.into())
        })
        .collect();
    let dropped: Map<String, Value> = Dropped::ALL
        .iter()
        .map(|reason| (reason.word().to_owned(), totals.dropped(*reason).into()))
        .collect();
    json!({
        "received": totals.received,
        "connections": totals.connections,
        "replies": replies,
        "dropped": dropped,
    })
}

/// `GET /healthz`.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// How readiness is asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ReadyQuery {
    /// `json` for programs.
    #[serde(default)]
    format: String,
}

/// Whether there are UDP workers, and none of them has moved for long.
fn no_worker_moves(shared: &Shared) -> bool {
    let mut ages = shared.tasks.worker_ages(uptime_ms()).peekable();
    ages.peek().is_some() && ages.all(|age_ms| age_ms > STILL_MILLIS)
}

/// `GET /readyz`: 200 while queries are answered, else 503. Alarms and a refused reload are notes
/// at 200: a fault of the files, the disk or the network can strike every node of a fleet at once,
/// and must not withdraw them all.
pub(crate) async fn readyz(State(shown): State<Shown>, Query(query): Query<ReadyQuery>) -> Response {
    let phase = shown.shared.phase.get();
    let reasons: Vec<&str> = match phase {
        Phase::Serving if no_worker_moves(&shown.shared) => vec!["no UDP worker answers"],
        Phase::Serving => Vec::new(),
        Phase::Starting => vec!["the first snapshot is not in service yet"],
        Phase::Draining => vec!["the server was told to stop; running answers are finished"],
    };
    let ready = reasons.is_empty();
    let refused = shown.shared.counters.last_reload.refused.load(Ordering::Relaxed);
    let sequence = shown.shared.published.snapshot().sequence();
    let notes: Vec<String> = refused
        .then(|| format!("the last reload was refused; snapshot {sequence} stays in service"))
        .into_iter()
        .chain(shown.alarms().into_iter().map(|alarm| alarm.sentence))
        .collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    if query.format == "json" {
        return (
            status,
            Json(json!({ "ready": ready, "phase": phase.word(), "reasons": reasons, "notes": notes })),
        )
            .into_response();
    }
    let reason: String = reasons.iter().map(|reason| format!(": {reason}")).collect();
    let notes: String = notes.iter().map(|note| format!("note: {note}\n")).collect();
    (status, format!("{}{reason}\n{notes}", phase.word())).into_response()
}
