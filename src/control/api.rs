//! Pages of the node: reloads, status, readiness.

use crate::answer::Transport;
use crate::control::Shown;
use crate::control::input::InQuery;
use crate::control::peer::Peer;
use crate::control::protocol::Failure;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::protocol::reload::{
    Cancelled, OtherZone, ReloadQuery, ReloadReply, ReloadResult, ReloadStatus, RunningReload, StrayFile,
    Zones,
};
use crate::control::protocol::status::{
    LaneTotals, LimitedPrefix, OverloadStatus, QuarantineTotals, Readiness, ReadyQuery, Status,
    StreamAddresses,
};
use crate::control::reply::{Deliberate, ask, busy, failure, refused, refused_with, rendered, reply};
use crate::finding::render;
use crate::finding::{Files, Finding, Findings, code};
use crate::limits::STILL_MILLIS;
use crate::shared::Shared;
use crate::shared::command::{Command, CommandSender, Origin, Report, RunningStatus};
use crate::shared::counters::{Dropped, Totals};
use crate::shared::phase::Phase;
use crate::snapshot::digest;
use crate::sys::clock::{cookie_secs, uptime_ms};
use crate::wire::rr::Rcode;
use crate::zone::source::{self, FolderStanding, ZoneSource};
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::oneshot;

/// `POST /v1/reload`: runs a reload and answers when the reload has ended. 200 if the reload was
/// published, 409 if it was refused, 503 if it could not be started.
pub(crate) async fn reload(
    State(command_sender): State<CommandSender>,
    InQuery(query): InQuery<ReloadQuery>,
    peer: Option<Extension<Peer>>,
) -> Response {
    let (sender, receiver) = oneshot::channel();
    let back = Box::new(move |report| drop(sender.send(report)));
    let (origin, allow_loss) =
        (Origin::Control(Peer::author(peer.as_deref(), None).into()), query.allow_loss);
    let taken = command_sender(Command::Reload { origin, reply: Some(back), allow_loss });
    let report = if taken.is_ok() { receiver.await.ok() } else { None };
    match report {
        Some(report) => {
            let refused = (!report.published).then(|| failure(&report.findings, REFUSED));
            let (code, failure) = refused.unzip();
            let ended = reply_of(&report, query.colour, failure);
            code.map_or_else(|| reply(StatusCode::OK, &ended), |code| refused_with(code, &ended))
        }
        None => refused_with(ErrorCode::Busy, not_taken(query.colour)),
    }
}

/// Reason of a refusal of the files.
const REFUSED: &str = "the files have faults; the snapshot before stays in service";

/// Reason of a refusal before the reload.
const BUSY: &str = "the server accepts no reload now: too many commands wait, or it is stopping";

fn reply_of(report: &Report, colour: bool, failure: Option<Failure>) -> ReloadReply {
    let lines = report.difference.as_ref().map_or(&[][..], |difference| difference.lines());
    ReloadReply {
        ok: report.published,
        result: Some(ReloadResult {
            sequence: report.sequence,
            digest: report.digest.clone(),
            files_digest: report.files_digest.clone(),
            difference: lines.to_vec(),
            zones: zones(&report.folder),
        }),
        findings: render::reports(&report.findings, &report.files),
        text: render::text(&report.findings, &report.files, colour),
        error: failure.as_ref().map(|failure| failure.message.clone()),
        failure,
    }
}

/// Versions of the zones in a snapshot, and the files that are not in force.
fn zones(folder: &FolderStanding) -> Zones {
    let other = |source: &ZoneSource| OtherZone {
        zone: source.apex.to_string(),
        standing: source.standing.word().into(),
        why: source.standing.why().to_owned(),
        digest: digest::of_texts(source),
    };
    let others: Vec<OtherZone> = folder.not_current().map(other).collect();
    let strays = folder.strays.iter();
    let stray =
        |stray: &source::StrayFile| StrayFile { file: stray.path.to_string(), why: stray.why.to_string() };
    Zones { current: folder.zones.len() - others.len(), others, stray_files: strays.map(stray).collect() }
}

fn not_taken(colour: bool) -> ReloadReply {
    let finding = Finding::error(code::RELOAD_BUSY, BUSY).help("try again");
    let (findings, files) = (Findings::from(finding), Files::default());
    ReloadReply {
        findings: render::reports(&findings, &files),
        text: render::text(&findings, &files, colour),
        failure: Some(Failure::new(ErrorCode::Busy, BUSY)),
        error: Some(BUSY.to_owned()),
        ..ReloadReply::default()
    }
}

/// `GET /v1/reload`: the running reload, and the number of waiting requests. 503 if the writer
/// accepts no command.
pub(crate) async fn reload_status(State(command_sender): State<CommandSender>) -> Response {
    let Some(status) = ask(&command_sender, |reply| Command::ReloadStatus { reply }).await else {
        return busy();
    };
    let running = status.running.map(|RunningStatus { origin, age_secs, does }| RunningReload {
        origin: origin.to_string(),
        age_secs,
        does,
    });
    let (waiting, hung, zones) = (status.waiting, status.hung, zones(&status.folder));
    reply(StatusCode::OK, ReloadStatus { running, waiting, hung, zones })
}

/// `DELETE /v1/reload`: cancels the running reload. 409 if no reload runs.
pub(crate) async fn cancel_reload(
    State(command_sender): State<CommandSender>,
    peer: Option<Extension<Peer>>,
) -> Response {
    let author: Arc<str> = Peer::author(peer.as_deref(), None).into();
    match ask(&command_sender, |reply| Command::CancelReload { author, reply }).await {
        Some(Ok(cancelled)) => reply(StatusCode::OK, Cancelled { cancelled }),
        Some(Err(sentence)) => refused(ErrorCode::Conflict, &sentence),
        None => busy(),
    }
}

/// `GET /v1/status`.
pub(crate) async fn status(State(shown): State<Shown>) -> Response {
    let snapshot = shown.shared.published.snapshot();
    let lanes = Transport::ALL.into_iter();
    reply(
        StatusCode::OK,
        Status {
            version: env!("CARGO_PKG_VERSION").into(),
            node: snapshot.node_name().to_owned(),
            phase: shown.shared.phase.get().word().into(),
            uptime_secs: shown.started.elapsed().as_secs(),
            engine: shown.engine.into(),
            config: Some(shown.config.to_string_lossy().into_owned()),
            dns: shown.dns.clone(),
            streams: by_transport(&shown.streams),
            certificate_not_after: snapshot.certificate.as_ref().map(|pair| pair.not_after),
            admin_certificate_not_after: snapshot.admin.as_ref().map(|admin| admin.pair.not_after),
            sequence: snapshot.sequence(),
            digest: snapshot.digest().to_string(),
            files_digest: snapshot.files_digest().to_string(),
            zones: zones(&snapshot.folder),
            summary: snapshot.summary().to_string().lines().map(str::to_owned).collect(),
            quarantine: quarantine(&shown.shared),
            rate_limited: (shown.shared.limiter.heavy.list(cookie_secs()).into_iter())
                .map(|(prefix, answers)| LimitedPrefix { prefix: prefix.to_string(), answers })
                .collect(),
            overload: shown.known_after(&snapshot).map(|_| OverloadStatus {
                known_prefixes: shown.known_prefixes(&snapshot) as u64,
                passing_prefixes: shown.shared.overload.passing() as u64,
                share: shown.shared.overload.share(),
                refused: shown.shared.overload.is_refused(),
            }),
            lanes: lanes
                .map(|transport| (transport.word().into(), totals(&shown.shared.counters.fold(transport))))
                .collect(),
        },
    )
}

fn quarantine(shared: &Shared) -> QuarantineTotals {
    let refused = Transport::ALL.map(|transport| shared.counters.fold(transport).quarantine_refused);
    QuarantineTotals {
        questions: shared.quarantine.questions(uptime_ms()) as u64,
        quarantined: shared.quarantine.taken_in(),
        refused: refused.iter().sum(),
        files_lost: shared.quarantine.lost(),
    }
}

/// Addresses by transport, in order of the transports.
fn by_transport(streams: &[(Transport, SocketAddr)]) -> Vec<StreamAddresses> {
    let of = |transport: Transport| StreamAddresses {
        transport: transport.word().into(),
        addresses: streams.iter().filter(|(of, _)| *of == transport).map(|(_, at)| *at).collect(),
    };
    Transport::ALL.map(of).into_iter().filter(|of| !of.addresses.is_empty()).collect()
}

fn totals(totals: &Totals) -> LaneTotals {
    let code = |code: Option<u16>| code.map_or_else(|| "other".to_owned(), |code| Rcode(code).to_string());
    let dropped = Dropped::ALL.iter();
    LaneTotals {
        received: totals.received,
        connections: totals.connections,
        replies: totals.replies().map(|(rcode, count)| (code(rcode), count)).collect(),
        dropped: dropped.map(|reason| (reason.word().into(), totals.dropped(*reason))).collect(),
    }
}

/// `GET /v1/openapi.json`.
pub(crate) async fn openapi(State(shown): State<Shown>) -> Response {
    rendered(Ok(shown.openapi()))
}

/// `GET /v1/healthz`.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// True if there are UDP workers and none has beaten for [`STILL_MILLIS`].
fn no_worker_moves(shared: &Shared) -> bool {
    let mut ages = shared.tasks.worker_ages(uptime_ms()).peekable();
    ages.peek().is_some() && ages.all(|age_ms| age_ms > STILL_MILLIS)
}

/// `GET /v1/readyz`: 200 while the server answers queries, else 503. Alarms and a refused reload
/// are notes at 200, because a fault of the files, the disk or the network can affect every node of
/// a fleet at once, and must not take all nodes out of service.
pub(crate) async fn readyz(State(shown): State<Shown>, InQuery(query): InQuery<ReadyQuery>) -> Response {
    let phase = shown.shared.phase.get();
    let reasons: Vec<&str> = match phase {
        Phase::Serving if no_worker_moves(&shown.shared) => vec!["no UDP worker answers"],
        Phase::Serving => Vec::new(),
        Phase::Starting => vec!["the first snapshot is not in service yet"],
        Phase::Draining => vec!["the server is stopping and finishes the running answers"],
    };
    let ready = reasons.is_empty();
    let files = shown.shared.published.snapshot().files_digest();
    let refusal = shown.shared.counters.last_reload.refusal();
    let notes: Vec<String> = refusal
        .map(|why| format!("the last reload was refused, and files {files} stay in service: {why}"))
        .into_iter()
        .chain(shown.alarms().into_iter().map(|alarm| alarm.sentence))
        .collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    if query.format == "json" {
        let reasons = reasons.into_iter().map(Into::into).collect();
        return reply(status, Readiness { ready, phase: phase.word().into(), reasons, notes });
    }
    let reason: String = reasons.iter().map(|reason| format!(": {reason}")).collect();
    let notes: String = notes.iter().map(|note| format!("note: {note}\n")).collect();
    let mut page = (status, format!("{}{reason}\n{notes}", phase.word())).into_response();
    page.extensions_mut().insert(Deliberate);
    page
}
