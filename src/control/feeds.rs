//! Load that is pushed on the control socket. The shapes are told in docs/control.md.

use crate::control::overrides::{BUSY, Page, ask, refused};
use crate::shared::command::{Command, CommandSender, LoadPush};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

/// The body of `POST /load/push`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoadBody {
    /// PoP.
    pop: String,
    /// Service; absent for the whole PoP.
    service: Option<String>,
    /// The load now.
    value: f64,
}

impl LoadBody {
    fn push(self) -> Result<LoadPush, &'static str> {
        // JSON has no other numbers than finite ones, but it has negative ones.
        if !self.value.is_finite() || self.value < 0.0 {
            return Err("`value` is a number from 0");
        }
        Ok(LoadPush { pop: self.pop.into(), service: self.service.map(Into::into), value: self.value.abs() })
    }
}

/// `POST /load/push`: 200 if the number was taken, 409 if nobody waits for it or it is too large
/// for its feed, 400 if it is none.
pub(crate) async fn push(
    State(command_sender): State<CommandSender>,
    body: Result<Json<LoadBody>, JsonRejection>,
) -> Page {
    let push = match body
        .map_err(|error| error.body_text())
        .and_then(|Json(body)| body.push().map_err(str::to_owned))
    {
        Ok(push) => push,
        Err(sentence) => return refused(StatusCode::BAD_REQUEST, &sentence),
    };
    match ask(&command_sender, |reply| Command::PushLoad { push, reply }).await {
        Some(Ok(())) => (StatusCode::OK, Json(json!({ "ok": true }))),
        Some(Err(sentence)) => refused(StatusCode::CONFLICT, &sentence),
        None => refused(StatusCode::SERVICE_UNAVAILABLE, BUSY),
    }
}

#[cfg(test)]
mod tests;
