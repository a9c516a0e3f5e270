//! Requests of one connection: their answers, and the octets that they hold.

use super::request::{self, Asked, BROKEN_BODY, FAILED, MEDIA_TYPE, NO_QUERY, Refusal, TOO_LONG, TOO_SLOW};
use crate::answer::{Client, Outcome, Transport};
use crate::limits::{
    HTTP_HELD_OCTETS, HTTP_PIECE_OCTETS, MESSAGE_MAX, STREAM_MESSAGE_SECS, STREAM_WRITE_SECS,
};
use crate::shared::Shared;
use crate::shared::counters::{CounterBlock, Dropped};
use crate::snapshot::Snapshot;
use crate::snapshot::locate::Evidence;
use crate::transport::exchange::{Exchanged, Exchanges, Room};
use crate::wire::cookie::CookieStatus;
use crate::wire::freshness::Freshness;
use crate::wire::rr::Rcode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// Requests of one connection.
pub(super) struct Requests {
    shared: Arc<Shared>,
    block: Arc<CounterBlock>,
    exchanges: Exchanges,
    /// Room for bodies that arrive, in octets.
    bodies: Arc<Semaphore>,
    progress: Mutex<Progress>,
    changed: Notify,
}

/// Progress of a connection.
struct Progress {
    /// Times of the begins of the requests whose answer is not yet handed on, by their numbers.
    open: BTreeMap<u64, Instant>,
    /// Number of the next request.
    next: u64,
    /// Time of the begin of the connection, or of the end of the last request.
    moved: Instant,
    /// True if a message has arrived since the last look.
    is_asked: bool,
    /// True once the access lists have dropped the client.
    is_dropped: bool,
}

/// End of the time of a connection, unless it moves on before.
pub(super) enum Due {
    /// The connection has no request.
    Idle(Instant),
    /// The client does not take its answers.
    Slow(Instant),
}

impl Due {
    /// The time.
    pub(super) fn at(&self) -> Instant {
        match self {
            Due::Idle(at) | Due::Slow(at) => *at,
        }
    }
}

impl Requests {
    /// No requests yet, of a client at this address.
    pub(super) fn new(shared: &Arc<Shared>, block: &Arc<CounterBlock>, address: IpAddr) -> Requests {
        let progress = Progress {
            open: BTreeMap::new(),
            next: 0,
            moved: Instant::now(),
            is_asked: false,
            is_dropped: false,
        };
        Requests {
            shared: Arc::clone(shared),
            block: Arc::clone(block),
            exchanges: Exchanges::new(Client { address, transport: Transport::Doh }, HTTP_HELD_OCTETS),
            bodies: Arc::new(Semaphore::new(HTTP_HELD_OCTETS)),
            progress: Mutex::new(progress),
            changed: Notify::new(),
        }
    }

    /// End of the time of the connection, with this idle time.
    pub(super) fn due(&self, idle: Duration) -> Due {
        let progress = self.progress();
        match progress.open.first_key_value() {
            None => Due::Idle(progress.moved + idle),
            // The oldest request: others, which end, do not extend its time.
            Some((_, begun)) => {
                Due::Slow(*begun + Duration::from_secs(STREAM_MESSAGE_SECS + STREAM_WRITE_SECS))
            }
        }
    }

    /// Waits for a change of the progress.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// True if a message has arrived since the last call.
    pub(super) fn take_asked(&self) -> bool {
        std::mem::take(&mut self.progress().is_asked)
    }

    /// True once the access lists have dropped the client.
    pub(super) fn is_dropped(&self) -> bool {
        self.progress().is_dropped
    }

    /// Answers a request.
    pub(super) async fn respond(
        self: Arc<Requests>,
        request: Request<Incoming>,
    ) -> Result<Response<Answer>, Infallible> {
        let open = Open::new(&self);
        let is_head = request.method() == Method::HEAD;
        Ok(match self.message(request).await {
            Ok((message, room)) => self.answer(&message, room, open).await,
            Err(refusal) => {
                self.block.dropped(Dropped::BadRequest, 1);
                let mut response = refused(refusal, open);
                if is_head {
                    response.body_mut().octets = Bytes::new();
                }
                response
            }
        })
    }

    /// The message of a request, and the room that its body takes.
    async fn message(
        &self,
        request: Request<Incoming>,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
        let (head, body) = request.into_parts();
        if let Asked::Message(message) = request::asked(&head)? {
            return Ok((message.into(), None));
        }
        let most = body.size_hint().upper().unwrap_or(MESSAGE_MAX as u64);
        let Some(most) = u32::try_from(most).ok().filter(|most| *most <= MESSAGE_MAX as u32) else {
            // A client that still sends when the connection closes may lose the response (RFC 9112
            // section 9.6).
            if most <= 2 * MESSAGE_MAX as u64 {
                let _ = timeout(Duration::from_secs(STREAM_MESSAGE_SECS), discard(body)).await;
            }
            return Err(TOO_LONG);
        };
        let arrival = async {
            let room = Arc::clone(&self.bodies).acquire_many_owned(most).await.ok();
            (Limited::new(body, MESSAGE_MAX).collect().await, room)
        };
        match timeout(Duration::from_secs(STREAM_MESSAGE_SECS), arrival).await {
            Ok((Ok(body), room)) => Ok((body.to_bytes(), room)),
            Ok((Err(error), _)) if error.is::<LengthLimitError>() => Err(TOO_LONG),
            Ok((Err(_), _)) => Err(BROKEN_BODY),
            Err(_) => {
                self.block.dropped(Dropped::SlowMessage, 1);
                Err(TOO_SLOW)
            }
        }
    }

    /// Answers a message, once there is room for any answer.
    async fn answer(
        &self,
        message: &[u8],
        body: Option<OwnedSemaphorePermit>,
        open: Open,
    ) -> Response<Answer> {
        let mut room = self.exchanges.room().await;
        self.progress().is_asked = true;
        let take = |snapshot: &Snapshot, outcome: &Outcome, octets: &[u8]| {
            let cache_control = cache_control(outcome, octets, snapshot.access.is_some());
            Some((Bytes::copy_from_slice(octets), cache_control))
        };
        let exchanged = self.exchanges.exchange((&self.shared, &self.block), message, take);
        drop(body);
        match exchanged {
            Exchanged::Reply((octets, cache_control)) => {
                room.shrink(octets.len());
                let mut response = Response::new(Answer { octets, _room: Some(room), _open: open });
                let headers = response.headers_mut();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
                headers.insert(CACHE_CONTROL, cache_control);
                response
            }
            Exchanged::Silence => refused(NO_QUERY, open),
            Exchanged::Failed => refused(FAILED, open),
            Exchanged::Dropped => {
                self.progress().is_dropped = true;
                self.changed.notify_one();
                // The connection ends, and this request with it.
                std::future::pending().await
            }
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answer of a request without a message.
fn refused(refusal: Refusal, open: Open) -> Response<Answer> {
    let octets = Bytes::from_static(refusal.words.as_bytes());
    let mut response = Response::new(Answer { octets, _room: None, _open: open });
    *response.status_mut() = refusal.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if refusal.status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
    }
    response
}

/// Time for which HTTP caches keep an answer: the shortest TTL (RFC 8484 section 5.1). An answer
/// that depends on the client is for the cache of that client alone, and a fault for none. With
/// access lists every answer depends on the client.
fn cache_control(outcome: &Outcome, reply: &[u8], has_access: bool) -> HeaderValue {
    let freshness = Freshness::of(reply).unwrap_or_default();
    let is_whole = matches!(outcome.rcode, Rcode::NOERROR | Rcode::NXDOMAIN);
    let Some(secs) = freshness.shortest_ttl_secs.filter(|_| is_whole) else {
        return HeaderValue::from_static("no-store");
    };
    // The outcome has the evidence of the last policy alone. Behind a CNAME, another policy may
    // have chosen before.
    let is_chosen =
        outcome.decided.is_some_and(|decided| decided.evidence != Evidence::Nothing || freshness.has_alias);
    let is_private = is_chosen || has_access || outcome.scope > 0 || outcome.cookie != CookieStatus::None;
    let text = format!("{}max-age={secs}", if is_private { "private, " } else { "" });
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("no-store"))
}

/// Request in progress, from its head to the last octet of its answer.
struct Open {
    requests: Arc<Requests>,
    number: u64,
}

impl Open {
    fn new(requests: &Arc<Requests>) -> Open {
        let mut progress = requests.progress();
        let number = progress.next;
        progress.next += 1;
        progress.open.insert(number, Instant::now());
        drop(progress);
        requests.changed.notify_one();
        Open { requests: Arc::clone(requests), number }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut progress = self.requests.progress();
        progress.open.remove(&self.number);
        progress.moved = Instant::now();
        drop(progress);
        self.requests.changed.notify_one();
    }
}

/// Body of a response, handed on piece by piece.
pub(super) struct Answer {
    octets: Bytes,
    _room: Option<Room>,
    _open: Open,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.octets.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.octets.len().min(HTTP_PIECE_OCTETS);
        Poll::Ready(Some(Ok(Frame::data(self.octets.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.octets.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.octets.len() as u64)
    }
}

/// Reads a body to its end, and keeps nothing of it.
async fn discard(mut body: Incoming) {
    while let Some(Ok(_)) = body.frame().await {}
}

#[cfg(test)]
mod tests;
