//! Replies of the control pages: a typed body, a refusal, and the command to the writer behind
//! them.

use crate::control::protocol::Refusal;
use crate::shared::command::{Command, CommandSender};
use axum::Json;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::oneshot;

/// Reason why a command was not taken.
pub(super) const BUSY: &str = "the server takes no command now: too many wait, it is stopping, or a \
                                fault has interrupted it; see whether it was done before you repeat it";

/// Reply with a body.
pub(super) fn reply<T: Serialize>(status: StatusCode, body: T) -> Response {
    (status, Json(body)).into_response()
}

/// Reply that refuses a request.
pub(super) fn refused(status: StatusCode, sentence: &str) -> Response {
    reply(status, Refusal::because(sentence))
}

/// Refusal of a server that takes no command.
pub(super) fn busy() -> Response {
    refused(StatusCode::SERVICE_UNAVAILABLE, BUSY)
}

/// Body of a page that is rendered once for all readers that wait.
pub(super) fn body<T: Serialize>(page: &T) -> Result<Vec<u8>, String> {
    serde_json::to_vec(page).map_err(|error| error.to_string())
}

/// Reply with a page that was rendered for all readers that wait.
pub(super) fn rendered(text: Result<Bytes, String>) -> Response {
    match text {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(fault) => refused(StatusCode::INTERNAL_SERVER_ERROR, &fault),
    }
}

/// Sends a command to the writer and waits for its answer; `None` if the writer takes none.
pub(super) async fn ask<T: Send + 'static>(
    command_sender: &CommandSender,
    command: impl FnOnce(Box<dyn FnOnce(T) + Send>) -> Command,
) -> Option<T> {
    let (sender, receiver) = oneshot::channel();
    let taken = command_sender(command(Box::new(move |answer| drop(sender.send(answer)))));
    if taken.is_ok() { receiver.await.ok() } else { None }
}
