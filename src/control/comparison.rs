//! What other files would move, on the control socket. The shapes are told in docs/control.md.

use crate::control::overrides::{BUSY, Page, ask, refused};
use crate::finding::render;
use crate::shared::command::{Command, CommandSender};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

/// What both sides are taken to be.
const ASSUMED: &str =
    "overrides, verdicts and shares of load as they are now; PoPs and addresses that are new count as up";

/// `POST /diff`: reads the files as a reload would, and tells what they would move. 200 if they
/// could be compared, 409 if a reload would refuse them, 503 if nobody listens.
pub(crate) async fn diff(State(command_sender): State<CommandSender>) -> Page {
    match ask(&command_sender, |reply| Command::Compare { reply }).await {
        Some(Ok(comparison)) => (StatusCode::OK, Json(comparison.json(ASSUMED))),
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
