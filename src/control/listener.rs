//! A listener of the control pages, made so that slow or many peers cannot tie it up: a limited
//! number of connections, a time-out for the header, one request for each connection, and on the
//! admin address a time-out for the whole.

use crate::limits::{CONTROL_CONNECTIONS_MAX, CONTROL_HEADER_SECS, DRAIN_SECS};
use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Serves a router until the server stops; then lets running answers finish. `whole` bounds a
/// connection from its accept to its end; a reload by the control socket takes as long as it needs.
pub(crate) async fn serve<L: Listener>(
    mut listener: L,
    router: Router,
    whole: Option<Duration>,
    stop: CancellationToken,
) {
    let permits = Arc::new(Semaphore::new(CONTROL_CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        // Further connections wait in the kernel until one of those that are served has ended.
        let next = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (listener.accept().await.0, permit)
        };
        let (stream, permit) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => break,
        };
        let service = TowerToHyperService::new(router.clone());
        connections.spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(CONTROL_HEADER_SECS))
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            let ended = match whole {
                Some(whole) => timeout(whole, connection).await.unwrap_or(Ok(())),
                None => connection.await,
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a control connection ended early");
            }
            drop(permit);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let _ =
        timeout(Duration::from_secs(DRAIN_SECS), async { while connections.join_next().await.is_some() {} })
            .await;
}
