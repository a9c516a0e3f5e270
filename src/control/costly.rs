//! Pages that cost much (explanations, maps, forecasts, pages of policies): few works at once,
//! fewer for readers that may be anyone, and turns of each of their clients ([`Turns`]).
//!
//! The work runs on a thread of its own and holds its places until it ends, even if the client has
//! disconnected. Known readers need no turn, so that no stranger at the same address, as behind a
//! proxy, takes theirs.

use crate::control::protocol::error_code::ErrorCode;
use crate::control::reader::Reader;
use crate::control::reply::refused;
use crate::control::turns::Turns;
use crate::limits::PAGE_THREADS;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::LazyLock;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Simultaneous works. One thread stays for the pages that readers share.
const AT_ONCE: usize = PAGE_THREADS - 1;
/// Simultaneous works for readers that may be anyone. One place stays for known readers.
const OF_ANYONE: usize = AT_ONCE - 1;

/// Bounds of all costly pages together.
pub(crate) static COSTLY: Costly = Costly::new();

/// Address of the client of a request over TCP, as its connections are counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

/// Client of a costly page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    /// Its address; `None` for a user of the control socket.
    client: Option<IpAddr>,
    reader: Reader,
}

impl<S: Sync> FromRequestParts<S> for Asker {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Asker, Infallible> {
        let reader = Reader::from_request_parts(parts, state).await?;
        let client = parts.extensions.get::<ClientAddress>().map(|ClientAddress(client)| *client);
        Ok(Asker { client, reader })
    }
}

/// Bounds of works.
pub(crate) struct Costly {
    at_once: Semaphore,
    of_anyone: Semaphore,
    turns: LazyLock<Turns>,
}

impl Costly {
    const fn new() -> Costly {
        Costly {
            at_once: Semaphore::const_new(AT_ONCE),
            of_anyone: Semaphore::const_new(OF_ANYONE),
            turns: LazyLock::new(Turns::default),
        }
    }

    /// Runs work when its turn and a place come. The error is a reply: 503 if enough requests of
    /// the client wait, 500 if the work panics.
    pub(crate) async fn run<T: Send + 'static>(
        &'static self,
        asker: Asker,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Response> {
        let busy = || refused(ErrorCode::Busy, "other requests of this client wait; try again");
        let (turn, of_anyone) = match asker {
            Asker { reader: Reader::Known, .. } => (None, None),
            Asker { reader: Reader::Anyone, client } => {
                let turn = match client {
                    None => None,
                    Some(client) => Some(self.turns.wait(client).await.ok_or_else(busy)?),
                };
                (turn, Some(self.of_anyone.acquire().await.map_err(|_| busy())?))
            }
        };
        let place = self.at_once.acquire().await.map_err(|_| busy())?;
        let work = move || {
            let _held = (turn, of_anyone, place);
            work()
        };
        spawn_blocking(work).await.map_err(|fault| {
            refused(ErrorCode::Fault, &format!("the page ended by a fault of the program: {fault}"))
        })
    }
}

#[cfg(test)]
mod tests;
