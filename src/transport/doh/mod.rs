//! DNS over HTTPS (RFC 8484): HTTP/2 (RFC 9113) or HTTP/1.1 over TLS carries the messages.
//!
//! ```text
//!  connection ── drive ──▶ Requests::respond ─┬─ request: the message, or an HTTP error
//!   idle time, slow reader, stop              └─ exchange: the answer, and how long caches keep it
//! ```
//!
//! hyper bounds headers, streams and resets of HTTP/2, and finds clients that are gone or stop in
//! the middle of a header by pings, which such a client cannot answer. [`requests::Requests`]
//! bounds the octets of bodies and answers, and [`Driven::drive`] the time.

mod request;
mod requests;
mod tasks;

use crate::answer::Transport;
use crate::limits::{
    HTTP_FAREWELL_SECS, HTTP_FAULTS_MAX, HTTP_HEADER_OCTETS_MAX, HTTP_HELD_OCTETS, HTTP_PIECE_OCTETS,
    HTTP_REQUESTS_MAX, HTTP_RESETS_MAX, MESSAGE_MAX, STREAM_MESSAGE_SECS,
};
use crate::shared::Shared;
use crate::shared::counters::Dropped;
use crate::transport::connection_limit::ConnectionPermit;
use crate::transport::stream::{Accepted, Carrier, StreamContext};
use crate::transport::tls;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use requests::{Due, Requests};
use rustls::Error;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tasks::Tasks;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Name of HTTP/2 in ALPN (RFC 9113 section 3.2).
const HTTP2: &[u8] = b"h2";
/// Name of HTTP/1.1 in ALPN (RFC 7301 section 6). Clients without ALPN speak it too.
const HTTP1: &[u8] = b"http/1.1";

/// Carrier of DNS over HTTPS.
pub(crate) struct DnsOverHttps {
    acceptor: TlsAcceptor,
}

impl DnsOverHttps {
    /// A carrier whose handshakes use the certificate of the snapshot in service.
    pub(crate) fn new(shared: Arc<Shared>) -> Result<DnsOverHttps, Error> {
        Ok(DnsOverHttps { acceptor: TlsAcceptor::from(tls::settings(shared, &[HTTP2, HTTP1])?) })
    }
}

impl Carrier for DnsOverHttps {
    const TRANSPORT: Transport = Transport::Doh;
    type Stream<A: Accepted> = TlsStream<A>;

    async fn open<A: Accepted>(&self, connection: A) -> io::Result<TlsStream<A>> {
        self.acceptor.accept(connection).await
    }

    async fn converse<A: Accepted>(
        stream: TlsStream<A>,
        client: IpAddr,
        context: &Arc<StreamContext<DnsOverHttps>>,
        permit: &ConnectionPermit,
    ) {
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
        respond(stream, is_http2, client, (context, permit)).await;
    }
}

/// Answers the requests of a stream until its end.
pub(super) async fn respond(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    is_http2: bool,
    client: IpAddr,
    (context, permit): (&StreamContext<DnsOverHttps>, &ConnectionPermit),
) {
    let requests = Arc::new(Requests::new(&context.shared, &context.block, client));
    let asked = Arc::clone(&requests);
    let service = service_fn(move |request| Arc::clone(&asked).respond(request));
    let stream = TokioIo::new(stream);
    let driven = Driven { is_http2, requests: &requests, context, permit };
    if is_http2 {
        let tasks = Tasks::new(Arc::clone(&context.block));
        let connection = http2(tasks.executor()).serve_connection(stream, service);
        driven.drive(connection, http2::Connection::graceful_shutdown).await;
    } else {
        let connection = http1().serve_connection(stream, service);
        driven.drive(connection, http1::Connection::graceful_shutdown).await;
    }
}

fn http2<E: Clone>(executor: E) -> http2::Builder<E> {
    let wait = Duration::from_secs(STREAM_MESSAGE_SECS);
    let mut builder = http2::Builder::new(executor);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP_REQUESTS_MAX)
        .max_header_list_size(HTTP_HEADER_OCTETS_MAX)
        .max_pending_accept_reset_streams(HTTP_RESETS_MAX)
        .max_local_error_reset_streams(HTTP_FAULTS_MAX)
        .initial_stream_window_size(MESSAGE_MAX as u32)
        .initial_connection_window_size(HTTP_HELD_OCTETS as u32)
        .max_send_buf_size(HTTP_PIECE_OCTETS)
        .keep_alive_interval(wait)
        .keep_alive_timeout(wait);
    builder
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // From the end of the request before, so it is also the idle time.
        .header_read_timeout(Duration::from_secs(STREAM_MESSAGE_SECS))
        .half_close(false)
        .max_buf_size(HTTP_HEADER_OCTETS_MAX as usize);
    builder
}

/// Connection on its way from the first request to the last.
struct Driven<'c> {
    is_http2: bool,
    requests: &'c Requests,
    context: &'c StreamContext<DnsOverHttps>,
    permit: &'c ConnectionPermit,
}

impl Driven<'_> {
    /// Runs a connection to its end: that of the client, or that of its time. `farewell` lets the
    /// requests in progress end, and takes no other.
    async fn drive<C>(&self, connection: C, farewell: impl Fn(Pin<&mut C>))
    where
        C: Future<Output = hyper::Result<()>>,
    {
        let Driven { is_http2: _, requests, context, permit } = *self;
        let mut connection = pin!(connection);
        let mut last = None;
        loop {
            let due = requests.due(context.idle);
            let is_leaving = last.is_some();
            tokio::select! {
                biased;
                ended = &mut connection => return self.ended(ended),
                () = requests.changed() => {
                    if requests.is_dropped() {
                        return;
                    }
                    if requests.take_asked() {
                        // Only whole messages count as activity.
                        permit.touch();
                    }
                    continue;
                }
                () = context.stop.cancelled(), if !is_leaving => {}
                () = sleep_until(last.unwrap_or(due.at())) => match due {
                    Due::Slow(_) => return context.block.dropped(Dropped::SlowReader, 1),
                    Due::Idle(_) if is_leaving => return,
                    Due::Idle(_) => {}
                }
            }
            farewell(connection.as_mut());
            last = Some(Instant::now() + Duration::from_secs(HTTP_FAREWELL_SECS));
        }
    }

    fn ended(&self, ended: hyper::Result<()>) {
        let Err(error) = ended else { return };
        // Over HTTP/1.1, the time of an idle connection is over too.
        if error.is_timeout() && self.is_http2 {
            let is_asked = matches!(self.requests.due(self.context.idle), Due::Slow(_));
            let reason = if is_asked { Dropped::SlowReader } else { Dropped::SlowMessage };
            self.context.block.dropped(reason, 1);
        }
        tracing::debug!(%error, "a connection of DNS over HTTPS ended early");
    }
}
