//! Tests of a listener over loopback, with a router whose answers the tests can delay.

use super::*;
use crate::limits::{CONTROL_CONNECTIONS_MAX, CONTROL_OTHERS_MAX, CONTROL_WAITING_MAX};
use axum::routing::{get, post};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

impl Accept for TcpListener {
    type Stream = TcpStream;
    type Opened = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, Option<IpAddr>)> {
        TcpListener::accept(self).await.map(|(stream, peer)| (stream, Some(peer.ip())))
    }

    fn open(
        &self,
        stream: TcpStream,
        router: Router,
    ) -> impl Future<Output = io::Result<(TcpStream, Router)>> + Send + 'static {
        std::future::ready(Ok((stream, router)))
    }
}

/// Time limit of a step, after which the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A listener whose reloads and metrics wait for `go`.
async fn begin() -> (SocketAddr, Arc<Semaphore>, CancellationToken) {
    let (go, stop) = (Arc::new(Semaphore::new(0)), CancellationToken::new());
    let held = |go: &Arc<Semaphore>| {
        let go = Arc::clone(go);
        move || async move {
            let _ = go.acquire().await;
            "at last"
        }
    };
    let router = Router::new()
        .route("/reload", post(held(&go)))
        .route("/metrics", get(held(&go)))
        .route("/readyz", get(async || "ready"))
        .route("/large", get(async || "x".repeat(32 << 20)))
        .route("/pops/override", post(async |body: String| body));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(serve(listener, router, usize::MAX, Arc::default(), stop.clone()));
    (address, go, stop)
}

/// Sends octets on a connection of its own.
async fn send(address: SocketAddr, octets: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("the kernel accepts");
    stream.write_all(octets.as_bytes()).await.expect("the kernel takes it");
    stream
}

/// All octets until the end of the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut text)).await.expect("the server closes");
    drop(read);
    String::from_utf8(text).expect("text")
}

async fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    rest(
        send(
            address,
            &format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}"),
        )
        .await,
    )
    .await
}

/// True if checks and verbs are answered.
async fn is_well(address: SocketAddr) {
    let ready = ask(address, "GET", "/readyz", "").await;
    assert!(ready.starts_with("HTTP/1.1 200") && ready.ends_with("ready"), "{ready}");
    let verb = ask(address, "POST", "/pops/override", "drain").await;
    assert!(verb.starts_with("HTTP/1.1 200") && verb.ends_with("drain"), "{verb}");
}

/// Requests are answered at once, however many connections send nothing, half a header or half a
/// body.
#[tokio::test]
async fn silent_connections_lock_nobody_out() {
    let (address, ..) = begin().await;
    for begun in [
        "",
        "GET /readyz HTTP/1.1\r\nHost:",
        "POST /pops/override HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf",
    ] {
        let mut silent = Vec::new();
        for _ in 0..3 * CONTROL_CONNECTIONS_MAX {
            silent.push(send(address, begun).await);
        }
        is_well(address).await;
        // The oldest connection was closed for a newer one.
        assert_eq!(rest(silent.remove(0)).await, "", "{begun:?}");
        is_well(address).await;
    }
}

/// Waiting reloads and scrapes have places of their own; one more request is refused at once.
#[tokio::test]
async fn waiting_requests_lock_nobody_out() {
    let (address, go, _) = begin().await;
    for (request, places) in [
        ("POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", CONTROL_WAITING_MAX),
        ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", CONTROL_OTHERS_MAX),
    ] {
        let mut waiting = JoinSet::new();
        for _ in 0..places + 10 {
            let stream = send(address, request).await;
            waiting.spawn(rest(stream));
        }
        for _ in 0..10 {
            let refused = timeout(PATIENCE, waiting.join_next()).await.expect("ten are refused");
            let refused = refused.expect("ten").expect("no panic");
            assert!(
                refused.starts_with("HTTP/1.1 503")
                    && refused.contains("retry-after: 1")
                    && refused.contains("\"ok\":false"),
                "{refused}"
            );
        }
        is_well(address).await;
        go.add_permits(places);
        for answer in waiting.join_all().await {
            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("at last"), "{answer}");
        }
        go.forget_permits(go.available_permits());
    }
}

/// Peers that read no octet of a large answer are closed in favour of others of the same class.
#[tokio::test]
async fn peers_that_do_not_read_make_room() {
    let (address, ..) = begin().await;
    let mut deaf = Vec::new();
    for _ in 0..2 * CONTROL_OTHERS_MAX {
        deaf.push(send(address, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await);
        is_well(address).await;
    }
    let page = ask(address, "GET", "/large", "").await;
    assert!(page.starts_with("HTTP/1.1 200") && page.len() > 32 << 20, "{} octets", page.len());
}

/// A body longer than the limit is refused, and so is an incomplete body.
#[tokio::test]
async fn bodies_are_bounded() {
    let (address, ..) = begin().await;
    let long = "x".repeat(CONTROL_BODY_OCTETS_MAX + 1);
    assert!(ask(address, "POST", "/pops/override", &long).await.starts_with("HTTP/1.1 413"));
    let mut broken =
        send(address, "POST /pops/override HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n").await;
    broken.shutdown().await.expect("open");
    assert!(!rest(broken).await.contains("200"));
}

/// A request that is not whole in time is refused, with a way out; so the peer learns why.
#[tokio::test]
async fn a_late_body_is_refused() {
    let (address, ..) = begin().await;
    let head = "POST /pops/override HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf";
    let refused = rest(send(address, head).await).await;
    assert!(refused.starts_with("HTTP/1.1 408") && refused.contains("\"help\":"), "{refused}");
}

/// A stopping server finishes the answers that it has begun.
#[tokio::test]
async fn a_stop_lets_answers_finish() {
    let (address, go, stop) = begin().await;
    let waiting = tokio::spawn(rest(
        send(address, "POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await,
    ));
    is_well(address).await;
    stop.cancel();
    go.add_permits(1);
    assert!(waiting.await.expect("no panic").ends_with("at last"));
}
