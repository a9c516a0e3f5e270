//! `POST /v1/explain` and `GET /v1/explain`: explain an answer, on the server that gives it.

use crate::control::Shown;
use crate::control::costly::{Asker, COSTLY};
use crate::control::input::{InBody, InQuery};
use crate::control::protocol::error_code::ErrorCode;
use crate::control::protocol::explain::{Asked, Decision, ExplainParameters, ExplainRequest, Explained};
use crate::control::reply::{quoted, refused, reply};
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
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

/// Most attempts to read a snapshot and an operator view that belong together.
const LOOKS: usize = 20;

fn read(request: ExplainRequest) -> Result<ExplainQuery, String> {
    let name = Name::parse(&request.name, None).map_err(|error| {
        let help = idn::help(error, &request.name).map(|help| format!("; {help}")).unwrap_or_default();
        format!("`name` must be a domain name, not {}: {error}{help}", quoted(&request.name))
    })?;
    let rtype = match &request.rtype {
        None => RrType::A,
        Some(word) => RrType::from_text(word)
            .ok_or_else(|| format!("`type` must be a record type, such as AAAA, not {}", quoted(word)))?,
    };
    let ecs = match &request.ecs {
        None => None,
        Some(text) => {
            let form = "`ecs` must have the form `address/length`, not";
            Some(prefix(text).ok_or_else(|| format!("{form} {}", quoted(text)))?)
        }
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
/// if enough requests of the client wait. Explains the snapshot in service.
pub(crate) async fn explain(
    State(shown): State<Shown>,
    asker: Asker,
    InBody(request): InBody<ExplainRequest>,
) -> Response {
    answer(shown, asker, request).await
}

/// `GET /v1/explain`: as `POST`, with the request in the query.
pub(crate) async fn parameters(
    State(shown): State<Shown>,
    asker: Asker,
    InQuery(given): InQuery<ExplainParameters>,
) -> Response {
    answer(shown, asker, given.into()).await
}

async fn answer(shown: Shown, asker: Asker, request: ExplainRequest) -> Response {
    let query = match read(request) {
        Ok(query) => query,
        Err(sentence) => return refused(ErrorCode::BadRequest, &sentence),
    };
    match COSTLY.run(asker, move || told(&shown, &query)).await {
        Ok(Ok(told)) => reply(StatusCode::OK, told),
        Ok(Err(sentence)) => refused(ErrorCode::BadRequest, &sentence),
        Err(refusal) => refusal,
    }
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
