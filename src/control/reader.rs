//! Reader of a page: a known one gets the whole page, and anyone else its public part.

use crate::admin::AdminAccess;
use crate::control::peer::Peer;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::convert::Infallible;
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

impl Protection {
    /// True if the access in force is another than at the handshake.
    pub(super) fn is_outdated(&self, now: Option<&AdminAccess>) -> bool {
        match (self, now) {
            (Protection::Plain, now) => now.is_some(),
            (Protection::Tls { .. }, None) => true,
            (Protection::Tls { access, .. }, Some(now)) => !access.differing(now).is_empty(),
        }
    }

    /// True if a client can prove itself.
    pub(super) fn takes_proofs(&self) -> bool {
        match self {
            Protection::Plain => false,
            Protection::Tls { access, .. } => access.takes_changes(),
        }
    }
}

/// Reader of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A user of the control socket, or the holder of a token or a client certificate.
    Known,
    /// Anyone.
    Anyone,
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Reader, Infallible> {
        // Every connection to the admin address has a protection, and none to the control socket.
        let is_admin = parts.extensions.get::<Protection>().is_some();
        let is_proven = parts.extensions.get::<Peer>().is_some();
        Ok(if is_admin && !is_proven { Reader::Anyone } else { Reader::Known })
    }
}
