//! Replies of the control pages, and commands to the writer.

use crate::control::protocol::error_code::ErrorCode;
use crate::control::protocol::{Failure, Refusal};
use crate::finding::{Code, Findings, Severity, code};
use crate::shared::command::{Command, CommandSender};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::oneshot;

/// Characters of a value that a refusal shows.
const SHOWN_CHARACTERS: usize = 60;

/// Reason why the writer did not take a command.
pub(super) const BUSY: &str = "the server accepts no command now, because too many commands wait, the \
                                server is stopping, or a fault has interrupted the command; check whether \
                                the command took effect before you repeat it";

/// Reply with a body.
pub(super) fn reply<T: Serialize>(status: StatusCode, body: T) -> Response {
    (status, Json(body)).into_response()
}

/// Reply that refuses a request.
pub(super) fn refused(code: ErrorCode, sentence: &str) -> Response {
    refused_with(code, Refusal::new(code, sentence))
}

/// Reply with the status of a code. A client learns when to try again (RFC 9110 section 10.2.3).
pub(super) fn refused_with<T: Serialize>(code: ErrorCode, body: T) -> Response {
    let mut response = reply(code.status(), body);
    if code == ErrorCode::Busy {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    }
    response
}

/// Code of a reload or a comparison that ended with findings, and its reason and way out;
/// `of_files` is the reason if the files are at fault.
pub(super) fn failure(findings: &Findings, of_files: &str) -> (ErrorCode, Failure) {
    let of = |of: Code| match of {
        code::RELOAD_BUSY | code::DISK_HANGS => Some(ErrorCode::Busy),
        code::RELOAD_CANCELLED => Some(ErrorCode::Conflict),
        code::OWN_FAULT => Some(ErrorCode::Fault),
        _ => None,
    };
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let own = errors.filter_map(|finding| Some((of(finding.code)?, finding))).next();
    let Some((code, finding)) = own else {
        return (ErrorCode::BadFiles, Failure::new(ErrorCode::BadFiles, of_files));
    };
    let mut failure = Failure::new(code, &*finding.message);
    if !finding.help.is_empty() {
        failure.help = finding.help.join("; ");
    }
    (code, failure)
}

/// Reply if the writer takes no command.
pub(super) fn busy() -> Response {
    refused(ErrorCode::Busy, BUSY)
}

/// Mark of a reply with an error status whose text is the page itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deliberate;

/// Makes JSON of the refusals of the router: no such page, another method, a path that cannot be
/// read. The router's own words are left out.
pub(super) async fn refusals_in_json(request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = next.run(request).await;
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    if !is_error || is_json || response.extensions().get::<Deliberate>().is_some() {
        return response;
    }
    let (mut head, _) = response.into_parts();
    let code = ErrorCode::of(head.status);
    let refusal = refusal(code, &method, &uri);
    // The allowed methods stay (RFC 9110 section 15.5.6).
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    Response::from_parts(head, Body::from(serde_json::to_vec(&refusal).unwrap_or_default()))
}

/// Refusal of the router. A path is its only part of a request that the router reads, so another
/// code than those of pages and methods is about octets that are no text.
fn refusal(code: ErrorCode, method: &Method, uri: &Uri) -> Refusal {
    let path = quoted(uri.path());
    match code {
        ErrorCode::NotFound => Refusal::new(code, format!("there is no page {path}")),
        ErrorCode::MethodNotAllowed => {
            Refusal::new(code, format!("the page {path} has no method {}", quoted(method.as_str())))
        }
        ErrorCode::BadRequest => {
            let sentence = format!("the path {path} has escapes that are no UTF-8");
            let help = "write each name in UTF-8, and each of its octets that is no letter or digit as `%` \
                        and two hexadecimal digits";
            Refusal { help: help.to_owned(), ..Refusal::new(code, sentence) }
        }
        _ => Refusal::new(code, format!("the request to {path} cannot be answered")),
    }
}

/// Body of a page that is rendered once for all waiting readers.
pub(super) fn body<T: Serialize>(page: &T) -> Result<Vec<u8>, String> {
    serde_json::to_vec(page).map_err(|error| error.to_string())
}

/// Reply with a page that was rendered for all waiting readers.
pub(super) fn rendered(text: Result<Bytes, String>) -> Response {
    match text {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(fault) => refused(ErrorCode::Fault, &fault),
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

/// A value of a client, for a refusal: escaped, and cut if it is long.
pub(super) fn quoted(value: &str) -> String {
    let mut shown: String = value.chars().take(SHOWN_CHARACTERS).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    let plain = |c: char| matches!(c, '"' | '\'');
    let escaped = shown.chars().map(|c| if plain(c) { c.to_string() } else { c.escape_debug().to_string() });
    format!("`{}`", escaped.collect::<String>())
}

#[cfg(test)]
mod tests;
