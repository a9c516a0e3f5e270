//! A listener of the control pages that slow peers or many peers cannot block: every connection has
//! a place ([`places`](super::places)) and one request, and every stage has a deadline.
//!
//! The listener reads the whole request before it runs it, so that a verb never waits for its own
//! body.

use crate::control::costly::ClientAddress;
use crate::control::peer::Peer;
use crate::control::places::{Class, Place, Places};
use crate::control::protocol::error_code::ErrorCode;
use crate::control::reply::refused;
use crate::control::routes::class_of;
use crate::limits::{CONTROL_BODY_OCTETS_MAX, CONTROL_HEADER_SECS, DRAIN_SECS};
use crate::shared::descriptors::{Descriptors, Use};
use crate::sys::accept::AcceptPause;
use axum::Extension;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// A socket that accepts connections.
pub(crate) trait Accept {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// Stream over which a connection speaks HTTP.
    type Opened: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// Opens the HTTP of a connection, and adds to the router what its pages ask about the
    /// connection.
    fn open(
        &self,
        stream: Self::Stream,
        router: Router,
    ) -> impl Future<Output = io::Result<(Self::Opened, Router)>> + Send + 'static;
    /// True if the opening of a connection costs a handshake now.
    fn has_handshakes(&self) -> bool {
        false
    }
    /// Notes that a connection was closed before its handshake, because its client has too many.
    fn note_excess(&self) {}
    /// Accepts the next connection; the address is `None` for a Unix socket.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, Option<IpAddr>)>> + Send;
}

#[cfg(unix)]
impl Accept for tokio::net::UnixListener {
    type Stream = tokio::net::UnixStream;

    type Opened = tokio::net::UnixStream;

    fn open(
        &self,
        stream: Self::Stream,
        router: Router,
    ) -> impl Future<Output = io::Result<(Self::Opened, Router)>> + Send + 'static {
        let router = match Peer::of(&stream) {
            Some(peer) => router.layer(Extension(peer)),
            None => router,
        };
        std::future::ready(Ok((stream, router)))
    }

    async fn accept(&self) -> io::Result<(Self::Stream, Option<IpAddr>)> {
        tokio::net::UnixListener::accept(self).await.map(|(stream, _)| (stream, None))
    }
}

/// Serves a router within a share of descriptors until the server stops, then waits for running
/// answers.
pub(crate) async fn serve<L: Accept>(
    listener: L,
    router: Router,
    share: usize,
    descriptors: Arc<Descriptors>,
    stop: CancellationToken,
) {
    let places = Arc::new(Places::within(share));
    let mut connections = JoinSet::new();
    let mut pause = AcceptPause::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, address)) => {
                pause = AcceptPause::default();
                let has_handshake = listener.has_handshakes();
                let place = places.enter(address, has_handshake);
                // The refusal would cost a handshake, of which the client would have as many as it
                // likes.
                if place.is_excess() && has_handshake {
                    listener.note_excess();
                    continue;
                }
                let held = Arc::clone(&descriptors).hold(Use::Pages);
                let opening = listener.open(stream, router.clone());
                connections.spawn(async move {
                    answer(opening, place).await;
                    drop(held);
                });
            }
            Err(error) => {
                let Some(wait) = pause.after(&error) else { continue };
                descriptors.note_exhausted();
                tracing::debug!(%error, "a listener of the control pages cannot accept a connection");
                tokio::select! { () = sleep(wait) => {}, () = stop.cancelled() => break }
            }
        }
        while connections.try_join_next().is_some() {}
        // Waits until the descriptors of closed connections are free before it accepts the next
        // connection, so that a storm never exceeds the share.
        while connections.len() > share && connections.join_next().await.is_some() {}
    }
    drop(listener);
    let _ =
        timeout(Duration::from_secs(DRAIN_SECS), async { while connections.join_next().await.is_some() {} })
            .await;
}

/// Serves one connection until the connection ends or loses its place.
async fn answer<S: AsyncRead + AsyncWrite + Unpin + Send>(
    opening: impl Future<Output = io::Result<(S, Router)>>,
    place: Place,
) {
    let watch = place.watch();
    let place = Arc::new(place);
    tokio::select! {
        // The deadline comes first: a poll of the connection at the deadline may move a frame to
        // the connection's own buffer, which would begin the time of a stalled reader again.
        biased;
        () = watch.cut() => tracing::debug!("a control connection was closed to free its place"),
        () = converse(opening, &place) => {}
    }
}

/// Opens a connection, and answers its request.
async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send>(
    opening: impl Future<Output = io::Result<(S, Router)>>,
    place: &Arc<Place>,
) {
    let (stream, router) = match opening.await {
        Ok(opened) => opened,
        Err(error) => {
            tracing::debug!(%error, "a control connection was not opened");
            return;
        }
    };
    place.opened();
    let router = TowerToHyperService::new(router);
    let ended = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(CONTROL_HEADER_SECS))
        // Before the head is whole, a connection holds no more than for a body.
        .max_buf_size(CONTROL_BODY_OCTETS_MAX)
        .keep_alive(false)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(|request| {
                let router = &router;
                async move { Ok::<_, Infallible>(respond(request, router, place).await) }
            }),
        )
        .await;
    if let Err(error) = ended {
        tracing::debug!(%error, "a control connection ended early");
    }
}

/// Answers one request. The deadline of the place covers the whole request, body included.
async fn respond(
    request: Request<Incoming>,
    router: &TowerToHyperService<Router>,
    place: &Arc<Place>,
) -> Response<Body> {
    let (mut head, body) = request.into_parts();
    if place.is_excess() {
        place.refuse();
        return refused(ErrorCode::TooManyConnections, "the client has too many connections");
    }
    let body = match whole(body, place).await {
        Ok(body) => body,
        Err((code, sentence)) => {
            place.refuse();
            return refused(code, sentence);
        }
    };
    let class = class_of(&head.method, head.uri.path());
    if place.answer(class).is_err() {
        let sentence = "too many requests of this kind are running; try again";
        place.refuse();
        return refused(ErrorCode::Busy, sentence);
    }
    if let Some(client) = place.client() {
        head.extensions.insert(ClientAddress(client));
    }
    let answering = router.call(Request::from_parts(head, Body::from(body)));
    let answer = match class.answer_secs() {
        None => Ok(answering.await),
        Some(secs) => timeout(Duration::from_secs(secs), answering).await,
    };
    place.take(class);
    match answer {
        // The router never fails: its error type has no values.
        Ok(answer) => {
            let answer = answer.unwrap_or_else(|error| match error {});
            match class {
                Class::Stream => answer.map(|body| Body::new(Watched { body, place: Arc::clone(place) })),
                _ => answer,
            }
        }
        Err(_) => refused(ErrorCode::AnswerTimeout, "the answer was not ready in time"),
    }
}

/// Stream of events that keeps its place as long as the kernel of the reader takes frames.
struct Watched {
    body: Body,
    place: Arc<Place>,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // Polled only while there is room for the frame, so a reader that takes none is late.
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.place.take(Class::Stream);
        Poll::Ready(frame)
    }
}

/// Whole body of a request.
async fn whole(body: Incoming, place: &Place) -> Result<Bytes, (ErrorCode, &'static str)> {
    match timeout_at(place.due(), Limited::new(body, CONTROL_BODY_OCTETS_MAX).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err((ErrorCode::TooLarge, "the body has more than 64 KiB"))
        }
        Ok(Err(_)) => Err((ErrorCode::BadRequest, "the body ends early, or is not framed as HTTP/1.1 asks")),
        Err(_) => Err((ErrorCode::RequestTimeout, "the request was not whole in time")),
    }
}

#[cfg(test)]
mod tests;
