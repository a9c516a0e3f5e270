//! A listener of the control pages that slow peers or many peers cannot block: every connection has
//! a place ([`places`](super::places)) and one request, and every stage has a deadline.
//!
//! The listener reads the whole request before it runs it, so that a verb never waits for its own
//! body.

use crate::control::peer::Peer;
use crate::control::places::{Place, Places};
use crate::control::reply::refused;
use crate::control::routes::class_of;
use crate::limits::{CONTROL_BODY_OCTETS_MAX, CONTROL_HEADER_SECS, DRAIN_SECS};
use crate::shared::descriptors::{Descriptors, Use};
use crate::sys::accept::AcceptPause;
use axum::Extension;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// A socket that accepts connections.
pub(crate) trait Accept {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// User at the other end of a connection; `None` if the system does not report the user.
    fn user(_stream: &Self::Stream) -> Option<Peer> {
        None
    }
    /// Accepts the next connection; the address is `None` for a Unix socket.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, Option<IpAddr>)>> + Send;
}

impl Accept for tokio::net::TcpListener {
    type Stream = tokio::net::TcpStream;

    async fn accept(&self) -> io::Result<(Self::Stream, Option<IpAddr>)> {
        tokio::net::TcpListener::accept(self).await.map(|(stream, peer)| (stream, Some(peer.ip())))
    }
}

#[cfg(unix)]
impl Accept for tokio::net::UnixListener {
    type Stream = tokio::net::UnixStream;

    fn user(stream: &Self::Stream) -> Option<Peer> {
        Peer::of(stream)
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
                let place = places.enter(address);
                let held = Arc::clone(&descriptors).hold(Use::Pages);
                let router = router.clone();
                connections.spawn(async move {
                    let router = match L::user(&stream) {
                        Some(peer) => router.layer(Extension(peer)),
                        None => router,
                    };
                    answer(stream, router, place).await;
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
async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin + Send, router: Router, place: Place) {
    let watch = place.watch();
    let place = &place;
    let router = TowerToHyperService::new(router);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(CONTROL_HEADER_SECS))
        .keep_alive(false)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(|request| {
                let router = &router;
                async move { Ok::<_, Infallible>(respond(request, router, place).await) }
            }),
        );
    tokio::select! {
        ended = connection => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a control connection ended early");
            }
        }
        () = watch.cut() => tracing::debug!("a control connection was closed to free its place"),
    }
}

/// Answers one request. The deadline of the place covers the whole request, body included.
async fn respond(
    request: Request<Incoming>,
    router: &TowerToHyperService<Router>,
    place: &Place,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, CONTROL_BODY_OCTETS_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
        }
        Err(_) => return refused(StatusCode::BAD_REQUEST, "the body cannot be read"),
    };
    let class = class_of(&head.method, head.uri.path());
    if place.answer(class).is_err() {
        let sentence = "too many requests of this kind are running; try again";
        let mut busy = refused(StatusCode::SERVICE_UNAVAILABLE, sentence);
        busy.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        return busy;
    }
    // The router never fails: its error type has no values.
    let answer = router.call(Request::from_parts(head, Body::from(body))).await;
    place.take(class);
    answer.unwrap_or_else(|error| match error {})
}

#[cfg(test)]
mod tests;
