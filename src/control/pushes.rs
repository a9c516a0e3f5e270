//! Pushes of outside monitors: probe results and load values.

use crate::control::input::InBody;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::protocol::pushes::{LoadPushRequest, ProbePushRequest, Taken};
use crate::control::reply::{ask, busy, refused, reply};
use crate::shared::command::{Command, CommandSender, LoadPush, ProbePush};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

/// `POST /v1/probes/push`: 200 if the result was taken, 409 if no push probe expects it.
pub(crate) async fn probe(
    State(command_sender): State<CommandSender>,
    InBody(request): InBody<ProbePushRequest>,
) -> Response {
    let ProbePushRequest { probe, pop, service, address, up, reason } = request;
    let push = ProbePush {
        probe: probe.into(),
        pop: pop.into(),
        service: service.map(Into::into),
        address,
        up,
        reason,
    };
    taken(ask(&command_sender, |reply| Command::Push { push, reply }).await)
}

/// `POST /v1/load/push`: 200 if the value was taken, 409 if no push feed expects it or the value is
/// too large for the feed, 400 if the value is negative or not finite.
pub(crate) async fn load(
    State(command_sender): State<CommandSender>,
    InBody(request): InBody<LoadPushRequest>,
) -> Response {
    let push = match load_push(request) {
        Ok(push) => push,
        Err(sentence) => return refused(ErrorCode::BadRequest, &sentence),
    };
    taken(ask(&command_sender, |reply| Command::PushLoad { push, reply }).await)
}

fn load_push(body: LoadPushRequest) -> Result<LoadPush, String> {
    // JSON numbers are finite, but may be negative.
    if !body.value.is_finite() || body.value < 0.0 {
        return Err(format!("`value` must be a finite number from 0 on, not `{}`", body.value));
    }
    Ok(LoadPush { pop: body.pop.into(), service: body.service.map(Into::into), value: body.value.abs() })
}

fn taken(answer: Option<Result<(), String>>) -> Response {
    match answer {
        Some(Ok(())) => reply(StatusCode::OK, Taken { ok: true }),
        Some(Err(sentence)) => refused(ErrorCode::Conflict, &sentence),
        None => busy(),
    }
}

#[cfg(test)]
mod tests;
