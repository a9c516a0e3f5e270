//! Tests of a listener over loopback, with a router whose answers the tests can delay.

use super::*;
use crate::limits::{
    CONTROL_ANSWER_SECS, CONTROL_CONNECTIONS_MAX, CONTROL_OTHERS_MAX, CONTROL_PER_CLIENT_MAX,
    CONTROL_REQUEST_SECS, CONTROL_TAKE_SECS, CONTROL_WAITING_MAX,
};
use axum::routing::{get, post};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::DropGuard;

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
    let go = Arc::new(Semaphore::new(0));
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
    let (address, stop) = listen(router).await;
    (address, go, stop)
}

/// A listener of a router.
async fn listen(router: Router) -> (SocketAddr, CancellationToken) {
    let stop = CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(serve(listener, router, usize::MAX, Arc::default(), stop.clone()));
    (address, stop)
}

/// Sends octets on a connection of its own.
async fn send(address: SocketAddr, octets: &str) -> TcpStream {
    send_from(TcpSocket::new_v4().expect("a socket"), address, octets).await
}

/// Sends octets from a socket.
async fn send_from(socket: TcpSocket, address: SocketAddr, octets: &str) -> TcpStream {
    let mut stream = socket.connect(address).await.expect("the kernel accepts");
    stream.write_all(octets.as_bytes()).await.expect("the kernel takes it");
    stream
}

/// All octets until the end of the connection.
async fn rest(stream: TcpStream) -> String {
    rest_within(PATIENCE, stream).await
}

async fn rest_within(patience: Duration, mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let read = timeout(patience, stream.read_to_end(&mut text)).await.expect("the server closes");
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

/// A body longer than the limit is refused, and so are a longer head and an incomplete body.
#[tokio::test]
async fn bodies_are_bounded() {
    let (address, ..) = begin().await;
    let long = "x".repeat(CONTROL_BODY_OCTETS_MAX + 1);
    // The bound of a head is that of a buffer, which one more read may fill.
    let head = format!("GET /readyz HTTP/1.1\r\nHost: x\r\nX: {long}{long}\r\n\r\n");
    assert!(!rest(send(address, &head).await).await.contains("200"));
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

/// A head that is not whole in time gets no reply: its connection is closed, before the deadline of
/// a whole request. A connection without an octet is closed too.
#[tokio::test]
async fn a_late_head_is_closed() {
    let (address, ..) = begin().await;
    let limit = Duration::from_secs(CONTROL_HEADER_SECS);
    for begun in ["", "GET", "GET /readyz HTTP/1.1\r\nHost:"] {
        let (stream, began) = (send(address, begun).await, Instant::now());
        assert_eq!(rest(stream).await, "", "{begun:?}");
        let took = began.elapsed();
        assert!(took + Duration::from_millis(500) > limit, "{begun:?}: {took:?}");
        assert!(took < Duration::from_secs(CONTROL_REQUEST_SECS), "{begun:?}: {took:?}");
    }
    is_well(address).await;
}

/// An answer that is not ready in time is given up, and the peer learns why.
#[tokio::test]
async fn a_slow_answer_is_given_up() {
    let (address, ..) = begin().await;
    let (stream, began) = (send(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await, Instant::now());
    let limit = Duration::from_secs(CONTROL_ANSWER_SECS);
    let refused = rest_within(limit + PATIENCE, stream).await;
    assert!(refused.starts_with("HTTP/1.1 504") && refused.contains("\"answer_timeout\""), "{refused}");
    assert!(refused.contains("\"help\":"), "{refused}");
    assert!(began.elapsed() + Duration::from_secs(1) > limit, "{:?}", began.elapsed());
    is_well(address).await;
}

/// Frames without end.
struct Endless {
    /// Cancels its token when the server drops the frames.
    _ended: DropGuard,
}

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static FRAME: [u8; 64 << 10] = [b'x'; 64 << 10];
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&FRAME)))))
    }
}

/// A reader of events that takes none is closed; one that takes them slowly is kept for longer than
/// that.
#[tokio::test]
async fn stalled_readers_of_events_are_closed() {
    let (sender, mut streams) = mpsc::unbounded_channel();
    let events = move || {
        let (ended, sender) = (CancellationToken::new(), sender.clone());
        async move {
            sender.send(ended.clone()).expect("the test waits");
            Body::new(Endless { _ended: ended.drop_guard() })
        }
    };
    let (address, _) = listen(Router::new().route("/v1/events", get(events))).await;
    let request = "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n";
    let socket = TcpSocket::new_v4().expect("a socket");
    // Without a fixed size, the buffer may grow while no octet is read.
    socket.set_recv_buffer_size(64 << 10).expect("the kernel takes the size");
    let (stalled, began) = (send_from(socket, address, request).await, Instant::now());
    let closed = streams.recv().await.expect("a stream");
    let mut reader = send(address, request).await;
    let kept = streams.recv().await.expect("a stream");
    let (limit, mut octets) = (Duration::from_secs(CONTROL_TAKE_SECS), vec![0; 256 << 10]);
    while !closed.is_cancelled() {
        assert!(began.elapsed() < limit + PATIENCE, "the stalled reader is kept");
        let count = timeout(PATIENCE, reader.read(&mut octets)).await.expect("octets come");
        assert!(count.expect("the stream is open") > 0);
        sleep(Duration::from_millis(20)).await;
    }
    assert!(began.elapsed() + Duration::from_secs(1) > limit, "{:?}", began.elapsed());
    assert!(!kept.is_cancelled());
    assert!(rest(stalled).await.starts_with("HTTP/1.1 200"));
}

/// A listener whose connections cost a handshake.
struct Handshakes {
    tcp: TcpListener,
    count: Arc<AtomicUsize>,
}

impl Accept for Handshakes {
    type Stream = TcpStream;
    type Opened = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, Option<IpAddr>)> {
        Accept::accept(&self.tcp).await
    }

    fn has_handshakes(&self) -> bool {
        true
    }

    fn open(
        &self,
        stream: TcpStream,
        router: Router,
    ) -> impl Future<Output = io::Result<(TcpStream, Router)>> + Send + 'static {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.tcp.open(stream, router)
    }
}

/// A connection that a client has too many costs no handshake.
#[tokio::test]
async fn excess_connections_get_no_handshake() {
    let (sender, mut began) = mpsc::unbounded_channel();
    let held = move || {
        let sender = sender.clone();
        async move {
            sender.send(()).expect("the test waits");
            std::future::pending::<&str>().await
        }
    };
    let router = Router::new().route("/reload", post(held.clone())).route("/metrics", get(held));
    let (stop, count) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
    let tcp = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = tcp.local_addr().expect("bound");
    let listener = Handshakes { tcp, count: Arc::clone(&count) };
    tokio::spawn(serve(listener, router, usize::MAX, Arc::default(), stop.clone()));
    let mut connections = Vec::new();
    for number in 0..CONTROL_PER_CLIENT_MAX {
        let request = match number < CONTROL_WAITING_MAX {
            true => "POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
            false => "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
        };
        connections.push(send(address, request).await);
        timeout(PATIENCE, began.recv()).await.expect("a request").expect("a request begins");
    }
    assert_eq!(count.load(Ordering::SeqCst), CONTROL_PER_CLIENT_MAX);
    for _ in 0..3 {
        let stream = TcpStream::connect(address).await.expect("the kernel accepts");
        assert_eq!(rest(stream).await, "");
    }
    assert_eq!(count.load(Ordering::SeqCst), CONTROL_PER_CLIENT_MAX);
    stop.cancel();
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
