//! Replies of the control pages, and commands to the writer.

use crate::control::protocol::Refusal;
use crate::shared::command::{Command, CommandSender};
use axum::Json;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::oneshot;

/// Reason why the writer did not take a command.
pub(super) const BUSY: &str = "the server accepts no command now, because too many commands wait, the \
                                server is stopping, or a fault has interrupted the command; check whether \
                                the command took effect before you repeat it";

/// Reply with a body.
pub(super) fn reply<T: Serialize>(status: StatusCode, body: T) -> Response {
    (status, Json(body)).into_response()
}

/// Reply that refuses a request.
pub(super) fn refused(status: StatusCode, sentence: &str) -> Response {
    reply(status, Refusal::because(sentence))
}

/// Reply if the writer takes no command.
pub(super) fn busy() -> Response {
    refused(StatusCode::SERVICE_UNAVAILABLE, BUSY)
}

/// Body of a page that is rendered once for all waiting readers.
pub(super) fn body<T: Serialize>(page: &T) -> Result<Vec<u8>, String> {
    serde_json::to_vec(page).map_err(|error| error.to_string())
}

/// Reply with a page that was rendered for all waiting readers.
pub(super) fn rendered(text: Result<Bytes, String>) -> Response {
    match text {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(fault) => refused(StatusCode::INTERNAL_SERVER_ERROR, &fault),
    }
}

/// Sends a command to the writer and waits for the answer; `None` if the writer does not take the
/// command, or drops it without an answer.
pub(super) async fn ask<T: Send + 'static>(
    command_sender: &CommandSender,
    command: impl FnOnce(Box<dyn FnOnce(T) + Send>) -> Command,
) -> Option<T> {
    let (sender, receiver) = oneshot::channel();
    let taken = command_sender(command(Box::new(move |answer| drop(sender.send(answer)))));
    if taken.is_ok() { receiver.await.ok() } else { None }
}
