//! The message of a request: of GET in the query of the URI, of POST in the body (RFC 8484 section
//! 4.1). A request without one has an HTTP error for an answer.

use crate::limits::MESSAGE_MAX;
use data_encoding::BASE64URL_NOPAD;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

/// Path of all messages: the one that RFC 8484 uses in its examples, and clients by default.
const PATH: &str = "/dns-query";
/// Media type of a message (RFC 8484 section 6).
pub(super) const MEDIA_TYPE: &str = "application/dns-message";

/// Place of the message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The message of a GET.
    Message(Vec<u8>),
    /// The message is the body.
    Body,
}

/// Reason for an HTTP error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Status.
    pub(super) status: StatusCode,
    /// Body: one line.
    pub(super) words: &'static str,
}

impl Refusal {
    const fn new(status: StatusCode, words: &'static str) -> Refusal {
        Refusal { status, words }
    }
}

const NOT_HERE: Refusal = Refusal::new(StatusCode::NOT_FOUND, "DNS messages go to /dns-query");
const NO_METHOD: Refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "use GET or POST");
const NO_PARAMETER: Refusal =
    Refusal::new(StatusCode::BAD_REQUEST, "a GET needs one parameter `dns` in the query of its URI");
const NOT_BASE64URL: Refusal =
    Refusal::new(StatusCode::BAD_REQUEST, "`dns` is a message in base64url without padding");
const OTHER_TYPE: Refusal =
    Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body of a POST is application/dns-message");
/// Answer to a message that gets none over other transports.
pub(super) const NO_QUERY: Refusal = Refusal::new(StatusCode::BAD_REQUEST, "the message is no DNS query");
/// Answer to a message on which the program has panicked.
pub(super) const FAILED: Refusal =
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the answer failed: a fault of the server");
/// Answer to a body that breaks off.
pub(super) const BROKEN_BODY: Refusal = Refusal::new(StatusCode::BAD_REQUEST, "the body has no end");
/// Answer to a body that is longer than a message can be.
pub(super) const TOO_LONG: Refusal =
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "a DNS message has 65535 octets at most");
/// Answer to a body that does not arrive in time.
pub(super) const TOO_SLOW: Refusal = Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body took too long");

/// Finds the message of a request.
pub(super) fn asked(head: &Parts) -> Result<Asked, Refusal> {
    if head.uri.path() != PATH {
        return Err(NOT_HERE);
    }
    match head.method {
        Method::GET => message_of(head.uri.query().unwrap_or_default()).map(Asked::Message),
        Method::POST if is_message(&head.headers) => Ok(Asked::Body),
        Method::POST => Err(OTHER_TYPE),
        _ => Err(NO_METHOD),
    }
}

/// The message in a query of a URI: the value of its only parameter `dns`.
fn message_of(query: &str) -> Result<Vec<u8>, Refusal> {
    let mut values = query.split('&').filter_map(|parameter| parameter.strip_prefix("dns="));
    let (Some(value), None) = (values.next(), values.next()) else { return Err(NO_PARAMETER) };
    match BASE64URL_NOPAD.decode(value.as_bytes()) {
        Ok(message) if message.len() <= MESSAGE_MAX => Ok(message),
        Ok(_) => Err(TOO_LONG),
        Err(_) => Err(NOT_BASE64URL),
    }
}

/// True if the body is a message as it is on the wire.
fn is_message(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let media_type = text(CONTENT_TYPE).and_then(|text| text.split(';').next()).unwrap_or_default();
    let is_plain = text(CONTENT_ENCODING).is_none_or(|coding| coding.eq_ignore_ascii_case("identity"));
    media_type.trim().eq_ignore_ascii_case(MEDIA_TYPE) && is_plain
}

#[cfg(test)]
mod tests;
