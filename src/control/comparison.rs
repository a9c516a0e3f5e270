//! What other files would move, on the control socket. The shapes are told in docs/control.md.

use crate::control::overrides::{BUSY, Page, ask, refused};
use crate::finding::render;
use crate::impact::comparison::{Comparison, FAMILIES};
use crate::impact::moves::{Move, MovedShare, PassageMoves};
use crate::shared::command::{Command, CommandSender};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

/// What both sides are taken to be.
const ASSUMED: &str =
    "overrides, verdicts and shares of load as they are now; PoPs and addresses that are new count as up";

/// `POST /diff`: reads the files as a reload would, and tells what they would move. 200 if they
/// could be compared, 409 if a reload would refuse them, 503 if nobody listens.
pub(crate) async fn diff(State(command_sender): State<CommandSender>) -> Page {
    match ask(&command_sender, |reply| Command::Compare { reply }).await {
        Some(Ok(comparison)) => (StatusCode::OK, Json(json(&comparison, ASSUMED))),
        Some(Err(faults)) => {
            let (findings, files) = *faults;
            let told = json!({
                "error": "a reload would refuse these files",
                "findings": render::json(&findings, &files),
                "text": render::text(&findings, &files, false),
            });
            (StatusCode::CONFLICT, Json(told))
        }
        None => refused(StatusCode::SERVICE_UNAVAILABLE, BUSY),
    }
}

/// A comparison as the page gives it; `assumed` describes both sides.
pub(crate) fn json(comparison: &Comparison, assumed: &str) -> Value {
    let policy = |of: &PassageMoves<FAMILIES>| {
        let passage = json!({
            "policy": &*of.passage.policy,
            "then": of.passage.to.as_deref(),
            "names": of.passage.names,
            "moves": moves(&of.moves),
        });
        with(shares(&of.moved), passage)
    };
    let losses = &comparison.losses;
    let lost = losses.list.iter().map(|loss| json!({ "name": loss.name, "type": loss.rtype.to_string() }));
    json!({
        "assumed": assumed,
        "moved": shares(&comparison.moves.moved),
        "moves": moves(&comparison.moves.moves),
        "policies": comparison.moves.passages.iter().map(policy).collect::<Vec<_>>(),
        "lost": lost.collect::<Vec<_>>(),
        "lost_in_all": losses.count,
    })
}

fn moves(moves: &[Move<FAMILIES>]) -> Value {
    let one = |way: &Move<FAMILIES>| {
        with(shares(&way.share), json!({ "from": way.from.to_string(), "to": way.to.to_string() }))
    };
    moves.iter().map(one).collect()
}

fn shares(share: &MovedShare<FAMILIES>) -> Value {
    let MovedShare { space: [v4, v6], queries } = share;
    json!({ "ipv4": v4, "ipv6": v6, "queries": queries })
}

fn with(mut value: Value, more: Value) -> Value {
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}
