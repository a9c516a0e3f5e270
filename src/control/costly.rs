//! Pages that cost much: each kind has few places in all, fewer for readers that may be anyone, and
//! turns of each client ([`Turns`]).
//!
//! The work runs on a thread of its own and holds its places until it ends, even if the client has
//! disconnected.

use crate::control::protocol::error_code::ErrorCode;
use crate::control::reader::Reader;
use crate::control::reply::refused;
use crate::control::turns::{Turn, Turns};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::LazyLock;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;

/// Simultaneous works of one kind.
const AT_ONCE: usize = 2;
/// The same for readers that may be anyone. One place stays for known readers.
const OF_ANYONE: usize = 1;

/// Address of the client of a request over TCP, as its connections are counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

/// Client of a costly page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    /// Its address; `None` for a user of the control socket, who needs no turn.
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

/// Bounds of one kind of work.
pub(crate) struct Costly {
    /// The works, in the plural.
    what: &'static str,
    at_once: Semaphore,
    of_anyone: Semaphore,
    turns: LazyLock<Turns>,
}

impl Costly {
    /// Bounds of the works that are called `what`, in the plural.
    pub(crate) const fn new(what: &'static str) -> Costly {
        Costly {
            what,
            at_once: Semaphore::const_new(AT_ONCE),
            of_anyone: Semaphore::const_new(OF_ANYONE),
            turns: LazyLock::new(Turns::default),
        }
    }

    /// Runs work in the client's turn. The error is a reply: 503 if all places are taken or enough
    /// requests of the client wait, 500 if the work panics.
    pub(crate) async fn run<T: Send + 'static>(
        &'static self,
        asker: Asker,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Response> {
        let turn = self.turn(asker).await?;
        let full = |whose: &str| self.busy(&format!("enough {}{whose} are being made", self.what));
        let of_anyone = match asker.reader {
            Reader::Known => None,
            Reader::Anyone => {
                Some(self.of_anyone.try_acquire().map_err(|_| full(" of readers without a proof"))?)
            }
        };
        let place = self.at_once.try_acquire().map_err(|_| full(""))?;
        self.done((turn, of_anyone, place), work).await
    }

    /// The same for cheaper work, which waits for a place.
    pub(crate) async fn run_in_line<T: Send + 'static>(
        &'static self,
        asker: Asker,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Response> {
        let turn = self.turn(asker).await?;
        let Ok(place) = self.at_once.acquire().await else { return Err(self.busy("the server stops")) };
        self.done((turn, None, place), work).await
    }

    async fn turn(&self, asker: Asker) -> Result<Option<Turn>, Response> {
        let Some(client) = asker.client else { return Ok(None) };
        let full = || self.busy(&format!("other {} of this client are being made", self.what));
        self.turns.wait(client).await.map(Some).ok_or_else(full)
    }

    async fn done<T: Send + 'static>(
        &self,
        held: (Option<Turn>, Option<SemaphorePermit<'static>>, SemaphorePermit<'static>),
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Response> {
        let work = move || {
            let _held = held;
            work()
        };
        spawn_blocking(work).await.map_err(|fault| {
            let what = self.what;
            refused(ErrorCode::Fault, &format!("one of the {what} ended by a fault of the program: {fault}"))
        })
    }

    fn busy(&self, sentence: &str) -> Response {
        refused(ErrorCode::Busy, &format!("{sentence}; try again"))
    }
}

#[cfg(test)]
mod tests;
