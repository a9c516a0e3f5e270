//! Gate of the admin address: everyone may read, and over TLS the holder of a token or of a client
//! certificate may do everything.
//!
//! Without TLS nothing may be changed, because a token would pass in clear text.

use crate::admin::AdminAccess;
use crate::control::peer::Peer;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::reply::refused;
use crate::control::routes::page_of;
use axum::Extension;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, HOST, HeaderValue, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

/// Protection of a connection to the admin address.
#[derive(Clone, Debug)]
pub(crate) enum Protection {
    /// None: plain HTTP.
    Plain,
    /// TLS.
    Tls {
        /// Access that was in force at the handshake.
        access: Arc<AdminAccess>,
        /// Fingerprint of the client's certificate.
        certificate: Option<String>,
    },
}

/// Lets a request pass that only reads, or whose sender is known; else refuses it.
pub(crate) async fn check(
    Extension(protection): Extension<Protection>,
    mut request: Request,
    next: Next,
) -> Response {
    let page = page_of(request.method(), request.uri().path());
    if page.is_none_or(|page| page.is_read_only) {
        return next.run(request).await;
    }
    match admit(&protection, request.headers(), request.uri()) {
        Ok(peer) => {
            request.extensions_mut().insert(peer);
            next.run(request).await
        }
        Err((code, sentence)) => {
            let mut refused = refused(code, sentence);
            if code == ErrorCode::Unauthorized {
                // RFC 6750 section 3.
                refused.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            refused
        }
    }
}

/// Sender of a request that changes something.
fn admit(protection: &Protection, headers: &HeaderMap, uri: &Uri) -> Result<Peer, (ErrorCode, &'static str)> {
    let Protection::Tls { access, certificate } = protection else {
        return Err((ErrorCode::Forbidden, "the admin address takes this request over TLS only"));
    };
    if !access.takes_changes() {
        return Err((ErrorCode::Forbidden, "the admin address has no tokens and no client certificates"));
    }
    if let Some(fingerprint) = certificate {
        // A browser sends its certificate with requests of any page, but says whose they are.
        return match is_foreign(headers, uri) {
            true => Err((ErrorCode::Forbidden, "a page of another origin sent this request")),
            false => Ok(Peer::named(format!("the client certificate {fingerprint}"))),
        };
    }
    let Some(given) = headers.get(AUTHORIZATION) else {
        return Err((ErrorCode::Unauthorized, "the request has no token"));
    };
    match bearer(given).and_then(|token| access.tokens.holder(token)) {
        Some(holder) => Ok(Peer::named(format!("the token {holder}"))),
        None => Err((ErrorCode::Unauthorized, "the token of the request is not valid")),
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
