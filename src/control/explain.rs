//! `POST /v1/explain` and `GET /v1/explain`: explain an answer, on the server that gives it.

use crate::control::Shown;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::protocol::explain::{Asked, Decision, ExplainParameters, ExplainRequest, Explained};
use crate::control::reply::{refused, reply};
use crate::explain::{self, ExplainQuery, Explanation};
use crate::geo::place::Coordinates;
use crate::geo::prefix::Prefix;
use crate::limits::{DATABASE_OCTETS_MAX, SELECTORS_MAX};
use crate::rfc3339;
use crate::shared::operator_view::OperatorView;
use crate::snapshot::Snapshot;
use crate::steer::view::Supposed;
use crate::sys::clock::epoch_secs;
use crate::wire::idn;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::{JoinError, spawn_blocking};

/// Bound of simultaneous explanations, because each reads every database file into memory.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// Bound of simultaneous explanations by `GET`, which the admin address has for everyone. One place
/// stays for `POST`.
static READS_AT_ONCE: Semaphore = Semaphore::const_new(1);

/// Most attempts to read a snapshot and an operator view that belong together.
const LOOKS: usize = 20;

fn read(request: ExplainRequest) -> Result<ExplainQuery, String> {
    let name = Name::parse(&request.name, None).map_err(|error| {
        let help = idn::help(error, &request.name).map(|help| format!("; {help}")).unwrap_or_default();
        format!("`name` is no domain name: {error}{help}")
    })?;
    let rtype = match &request.rtype {
        None => RrType::A,
        Some(word) => RrType::from_text(word).ok_or("`type` is no record type")?,
    };
    let ecs = match &request.ecs {
        None => None,
        Some(text) => Some(prefix(text).ok_or("`ecs` must have the form `address/length`")?),
    };
    if request.client.is_none() && ecs.is_none() {
        return Err("`client` or `ecs` is required, to locate the client".to_owned());
    }
    let supposed = supposed(request.down, request.up, request.drain)?;
    Ok(ExplainQuery { name, rtype, client: request.client, ecs, supposed })
}

/// PoPs with their supposed states.
pub(super) fn supposed(
    down: Vec<String>,
    up: Vec<String>,
    drain: Vec<String>,
) -> Result<Vec<(String, Supposed)>, String> {
    let lists = [(down, Supposed::Down), (up, Supposed::Up), (drain, Supposed::Drain)];
    let supposed: Vec<(String, Supposed)> =
        lists.into_iter().flat_map(|(names, what)| names.into_iter().map(move |name| (name, what))).collect();
    if supposed.len() > SELECTORS_MAX {
        return Err(format!("at most {SELECTORS_MAX} PoPs can be supposed up, down or draining at once"));
    }
    Ok(supposed)
}

/// Reads `address/length`.
fn prefix(text: &str) -> Option<Prefix> {
    let (address, len) = text.split_once('/')?;
    let (address, len) = (address.parse::<IpAddr>().ok()?, len.parse::<u8>().ok()?);
    (len <= if address.is_ipv4() { 32 } else { 128 }).then(|| Prefix::new(address, len))
}

/// `POST /v1/explain`: 200 with the explanation and the answer, 400 if the request is invalid, 503
/// if too many explanations run. Explains the snapshot in service, on a thread of its own.
pub(crate) async fn explain(
    State(shown): State<Shown>,
    body: Result<Json<ExplainRequest>, JsonRejection>,
) -> Response {
    match body.map_err(|error| error.body_text()).and_then(|Json(request)| read(request)) {
        Ok(query) => answer(shown, query, None).await,
        Err(sentence) => refused(ErrorCode::BadRequest, &sentence),
    }
}

/// `GET /v1/explain`: as `POST`, with the request in the query.
pub(crate) async fn parameters(
    State(shown): State<Shown>,
    Query(given): Query<ExplainParameters>,
) -> Response {
    let Ok(place) = READS_AT_ONCE.try_acquire() else {
        return refused(ErrorCode::Busy, "another explanation is running; try again");
    };
    match read(given.into()) {
        Ok(query) => answer(shown, query, Some(place)).await,
        Err(sentence) => refused(ErrorCode::BadRequest, &sentence),
    }
}

/// Explains on a thread of its own, which holds `place` until it ends.
async fn answer(shown: Shown, query: ExplainQuery, place: Option<SemaphorePermit<'static>>) -> Response {
    let work = move || {
        let _place = place;
        told(&shown, &query)
    };
    match bounded(&AT_ONCE, work).await {
        None => refused(ErrorCode::Busy, "two explanations are running; try again"),
        Some(Ok(Ok(told))) => reply(StatusCode::OK, told),
        Some(Ok(Err(sentence))) => refused(ErrorCode::BadRequest, &sentence),
        Some(Err(fault)) => {
            refused(ErrorCode::Fault, &format!("the explanation ended by a fault of the program: {fault}"))
        }
    }
}

/// Runs work on a thread of its own; `None` if all places are taken. The work holds its place until
/// it ends, even if the client has disconnected.
pub(super) async fn bounded<T: Send + 'static>(
    places: &'static Semaphore,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<Result<T, JoinError>> {
    let permit = places.try_acquire().ok()?;
    let work = move || {
        let _permit = permit;
        work()
    };
    Some(spawn_blocking(work).await)
}

fn told(shown: &Shown, query: &ExplainQuery) -> Result<Explained, String> {
    let (snapshot, operator_view) = together(shown);
    let explanation = explain::explain(&snapshot, Some(&operator_view), query, &read_database)?;
    Ok(Explained {
        asked: Some(Asked {
            node: snapshot.node_name().to_owned(),
            sequence: snapshot.sequence(),
            digest: snapshot.digest().to_string(),
            moment: rfc3339::date_time(epoch_secs()),
        }),
        ..explained(&explanation, &snapshot)
    })
}

/// Explanation as JSON, without the identity of the explained snapshot.
pub(crate) fn explained(explanation: &Explanation, snapshot: &Snapshot) -> Explained {
    Explained {
        ok: true,
        files_digest: snapshot.files_digest().to_string(),
        lines: explanation.lines.clone(),
        decision: explanation.decision.as_ref().map(|of| Decision {
            policy: of.policy.clone(),
            lat: of.from.map(Coordinates::lat),
            lon: of.from.map(Coordinates::lon),
            candidates: of.candidates.clone(),
            chosen: of.chosen.clone(),
        }),
        answer: explanation.message.as_deref().map(explain::dig::render),
        text: explanation.text(),
        ..Explained::default()
    }
}

/// The snapshot in service and its operator view. The writer stores the view before it publishes
/// the snapshot, so the view may be ahead for an instant. After [`LOOKS`] attempts, a view that is
/// still ahead is used.
pub(super) fn together(shown: &Shown) -> (Arc<Snapshot>, Arc<OperatorView>) {
    let mut both = (shown.shared.published.snapshot(), shown.shared.operator_view.load_full());
    for _ in 0..LOOKS {
        if both.0.sequence() == both.1.sequence {
            break;
        }
        std::thread::yield_now();
        both = (shown.shared.published.snapshot(), shown.shared.operator_view.load_full());
    }
    both
}

/// Reads a whole database file.
fn read_database(path: &Path) -> Result<Arc<[u8]>, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err("the path is not a regular file".to_owned());
    }
    let mut octets = Vec::new();
    file.take(DATABASE_OCTETS_MAX as u64 + 1).read_to_end(&mut octets).map_err(|error| error.to_string())?;
    Ok(octets.into())
}

#[cfg(test)]
mod tests;
