//! Gate of the admin address: everyone may read, events with names of people and paths excepted,
//! and over TLS the holder of a token or of a client certificate may do everything. A proof counts
//! for as long as the access stays that of the connection.
//!
//! Without TLS nothing may be changed, because a token would pass in clear text.

use crate::admin::Unproven;
use crate::control::peer::Peer;
use crate::control::protocol::Refusal;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::reader::Protection;
use crate::control::reply::refused_with;
use crate::control::routes::page_of;
use crate::shared::Shared;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONNECTION, HOST, HeaderValue, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Lets a request pass whose sender is known, or that only reads; else refuses it.
pub(crate) async fn check(
    State(shared): State<Arc<Shared>>,
    Extension(protection): Extension<Protection>,
    mut request: Request,
    next: Next,
) -> Response {
    let page = page_of(request.method(), request.uri().path());
    let is_open =
        page.is_none_or(|page| page.is_read_only && !(page.needs_proof && protection.takes_proofs()));
    let proven = match admit(&protection, request.headers(), request.uri()) {
        Ok(_) if protection.is_outdated(shared.published.snapshot().admin.as_deref()) => {
            Err(Unproven::Outdated)
        }
        proven => proven,
    };
    match proven {
        Ok(peer) => _ = request.extensions_mut().insert(peer),
        Err(_) if is_open => {}
        Err(reason) => {
            shared.counters.unproven[reason as usize].fetch_add(1, Ordering::Relaxed);
            return refusal(reason);
        }
    }
    next.run(request).await
}

/// Reply to a request without a proof that it needs.
fn refusal(reason: Unproven) -> Response {
    let (code, sentence) = match reason {
        Unproven::PlainHttp => (ErrorCode::Forbidden, "the admin address takes this request over TLS only"),
        Unproven::NotTaken => {
            (ErrorCode::Forbidden, "the admin address has no tokens and no client certificates")
        }
        Unproven::NoToken => (ErrorCode::Unauthorized, "the request has no token"),
        Unproven::BadToken => (ErrorCode::Unauthorized, "the token of the request is not valid"),
        Unproven::ForeignOrigin => (ErrorCode::Forbidden, "a page of another origin sent this request"),
        Unproven::Outdated => {
            (ErrorCode::Unauthorized, "the access to the admin address has changed since you connected")
        }
    };
    let mut refusal = Refusal::new(code, sentence);
    if reason == Unproven::ForeignOrigin {
        refusal.help =
            "send the request from a page of this address, or from a program without `Origin`".into();
    }
    if reason == Unproven::Outdated {
        refusal.help = "connect again".into();
    }
    let mut response = refused_with(code, refusal);
    if reason == Unproven::Outdated {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if code == ErrorCode::Unauthorized {
        // RFC 6750 section 3.
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// Sender of a request, if it is known.
fn admit(protection: &Protection, headers: &HeaderMap, uri: &Uri) -> Result<Peer, Unproven> {
    let Protection::Tls { access, certificate } = protection else { return Err(Unproven::PlainHttp) };
    if !access.takes_changes() {
        return Err(Unproven::NotTaken);
    }
    if let Some(fingerprint) = certificate {
        // A browser sends its certificate with requests of any page; `Origin` names the page.
        return match is_foreign(headers, uri) {
            true => Err(Unproven::ForeignOrigin),
            false => Ok(Peer::named(format!("the client certificate {fingerprint}"))),
        };
    }
    let given = headers.get(AUTHORIZATION).ok_or(Unproven::NoToken)?;
    match bearer(given).and_then(|token| access.tokens.holder(token)) {
        Some(holder) => Ok(Peer::named(format!("the token {holder}"))),
        None => Err(Unproven::BadToken),
    }
}

/// Token of the header (RFC 6750 section 2.1).
fn bearer(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token.trim_ascii())
}

/// True if a page of another origin (RFC 6454 section 7) sent the request.
fn is_foreign(headers: &HeaderMap, uri: &Uri) -> bool {
    let host = uri.authority().map(|host| host.as_str().as_bytes());
    let host = host.or(headers.get(HOST).map(HeaderValue::as_bytes));
    let own = |origin: &HeaderValue| origin.as_bytes().strip_prefix(b"https://") == host;
    headers.get_all(ORIGIN).iter().any(|origin| host.is_none() || !own(origin))
}

#[cfg(test)]
mod tests;
