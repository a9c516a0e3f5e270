//! DNS over QUIC (RFC 9250): each query has a stream of its own.
//!
//! ```text
//!  endpoint ── admit ──▶ conversation ── a task for each stream: query, answer
//!   Retry    limits, lists    idle time      time, memory
//! ```
//!
//! quinn speaks QUIC (RFC 9000). The accept loop makes no handshake: each connection has a task
//! from its first packet on.

mod conversation;
pub(crate) mod query;

use crate::limits::{
    DRAIN_SECS, QUIC_FAREWELL_SECS, QUIC_HANDSHAKES_UNPROVEN, QUIC_HELD_OCTETS, QUIC_QUERIES_MAX,
    QUIC_WAITING_MAX, QUIC_WAITING_OCTETS, STREAM_MESSAGE_SECS,
};
use crate::shared::Shared;
use crate::shared::counters::Dropped;
use crate::transport::connection_limit::ConnectionPermit;
use crate::transport::sender;
use crate::transport::stream::{StreamContext, count_panic, enter, is_unwelcome};
use crate::transport::tls;
use conversation::{Conversation, EXCESSIVE_LOAD, NO_ERROR};
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{
    Connection, Endpoint, EndpointConfig, IdleTimeout, Incoming, ServerConfig, TokioRuntime, TransportConfig,
};
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Name of the protocol in ALPN (RFC 9250 section 4.1).
const ALPN: &[u8] = b"doq";

/// Settings of DNS over QUIC.
pub(crate) struct DnsOverQuic {
    config: ServerConfig,
    /// Unfinished handshakes.
    handshakes: AtomicUsize,
}

/// Context of every connection.
pub(crate) type QuicContext = StreamContext<DnsOverQuic>;

impl DnsOverQuic {
    /// Settings whose handshakes use the certificate of the snapshot in service. A connection whose
    /// client is gone ends after `idle`.
    pub(crate) fn new(shared: Arc<Shared>, idle: Duration) -> io::Result<DnsOverQuic> {
        let tls = tls::quic_settings(shared, ALPN).map_err(io::Error::other)?;
        let crypto = QuicServerConfig::try_from(tls).map_err(io::Error::other)?;
        let mut transport = TransportConfig::default();
        transport
            .max_concurrent_bidi_streams(QUIC_QUERIES_MAX.into())
            // Clients have no use for others.
            .max_concurrent_uni_streams(0_u32.into())
            .datagram_receive_buffer_size(None)
            .stream_receive_window((QUIC_HELD_OCTETS as u32 / 2).into())
            .receive_window((QUIC_HELD_OCTETS as u32).into())
            .send_window(QUIC_HELD_OCTETS as u64)
            // For clients that are gone: the conversation ends an idle connection before.
            .max_idle_timeout(IdleTimeout::try_from(idle + Duration::from_secs(STREAM_MESSAGE_SECS)).ok());
        let mut config = ServerConfig::with_crypto(Arc::new(crypto));
        config
            .transport_config(Arc::new(transport))
            // A connection counts for the address at which it began.
            .migration(false)
            .max_incoming(QUIC_WAITING_MAX)
            .incoming_buffer_size(QUIC_WAITING_OCTETS[0])
            .incoming_buffer_size_total(QUIC_WAITING_OCTETS[1]);
        Ok(DnsOverQuic { config, handshakes: AtomicUsize::new(0) })
    }
}

/// Accepts connections until the server stops, then waits for running answers. An error ends it
/// before.
pub(crate) async fn serve(socket: UdpSocket, context: Arc<QuicContext>) -> io::Result<()> {
    let config = Some(context.carrier.config.clone());
    let endpoint = Endpoint::new(EndpointConfig::default(), config, socket, Arc::new(TokioRuntime))?;
    let mut connections = JoinSet::new();
    loop {
        let incoming = tokio::select! {
            incoming = endpoint.accept() => incoming,
            () = context.stop.cancelled() => break,
        };
        let Some(incoming) = incoming else { return Err(io::Error::other("the socket failed")) };
        admit(incoming, &context, &mut connections);
        while let Some(ended) = connections.try_join_next() {
            count_panic(&context, &ended);
        }
        // Waits for the ends of connections that give way, so that a storm never exceeds the limit.
        while connections.len() > context.connection_limit.total_max()
            && let Some(ended) = connections.join_next().await
        {
            count_panic(&context, &ended);
        }
    }
    // Refuses new connections, as a closed port does.
    endpoint.set_server_config(None);
    let drain = async {
        while let Some(ended) = connections.join_next().await {
            count_panic(&context, &ended);
        }
    };
    let _ = timeout(Duration::from_secs(DRAIN_SECS), drain).await;
    endpoint.close(NO_ERROR, b"");
    let _ = timeout(Duration::from_secs(QUIC_FAREWELL_SECS), endpoint.wait_idle()).await;
    Ok(())
}

fn admit(incoming: Incoming, context: &Arc<QuicContext>, connections: &mut JoinSet<()>) {
    let handshakes = context.carrier.handshakes.load(Ordering::Relaxed);
    // A source address proves nothing until its client has answered, so under load no connection
    // gives way to it. Both counts are of all sockets of the transport.
    let is_loaded = handshakes >= QUIC_HANDSHAKES_UNPROVEN
        || context.connection_limit.count() >= (context.connection_limit.total_max() / 4).max(1);
    let peer = incoming.remote_address();
    let from = (peer.ip(), peer.port());
    if !sender::is_answerable(&from) {
        context.block.dropped(sender::reason(Some(from)), 1);
        return incoming.ignore();
    }
    if is_unwelcome(peer.ip(), context) {
        return incoming.ignore();
    }
    // A balancer's datagrams begin with a header, and QUIC has no place for one.
    if context.shared.published.served().snapshot.is_proxy(peer.ip()) {
        context.block.dropped(Dropped::ProxyMissing, 1);
        return incoming.ignore();
    }
    if is_loaded && !incoming.remote_address_validated() {
        // Fails only for an address that was validated.
        let _ = incoming.retry();
        return;
    }
    let permit = enter(Some(peer.ip()), context);
    let context = Arc::clone(context);
    let handshake = Handshake::begin(&context);
    connections.spawn(async move {
        let Some(connection) = open(incoming, &context, &permit, handshake).await else { return };
        tokio::select! {
            () = Conversation::new(&connection, &context, &permit).run() => {}
            () = permit.revoked() => {
                connection.close(EXCESSIVE_LOAD, b"");
                tracing::debug!("an idle connection of DNS over QUIC gives way to another");
            }
        }
    });
}

/// Makes the handshake; `None` if it fails, takes too long, or gives way to another connection.
async fn open(
    incoming: Incoming,
    context: &QuicContext,
    permit: &ConnectionPermit,
    _handshake: Handshake,
) -> Option<Connection> {
    let opening = async { incoming.accept()?.await };
    let opened = tokio::select! {
        opened = timeout(Duration::from_secs(STREAM_MESSAGE_SECS), opening) => opened,
        () = permit.revoked() => return None,
        () = context.stop.cancelled() => return None,
    };
    match opened {
        Ok(Ok(connection)) => Some(connection),
        Ok(Err(error)) => {
            context.block.dropped(Dropped::HandshakeFailed, 1);
            tracing::debug!(%error, "a handshake of DNS over QUIC failed");
            None
        }
        Err(_) => {
            context.block.dropped(Dropped::SlowMessage, 1);
            None
        }
    }
}

/// Unfinished handshake, counted until it is dropped.
struct Handshake(Arc<QuicContext>);

impl Handshake {
    fn begin(context: &Arc<QuicContext>) -> Handshake {
        context.carrier.handshakes.fetch_add(1, Ordering::Relaxed);
        Handshake(Arc::clone(context))
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        self.0.carrier.handshakes.fetch_sub(1, Ordering::Relaxed);
    }
}
