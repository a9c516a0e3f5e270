//! Clients of DNS over QUIC.

use crate::certificate::{self, Issued};
use crate::deployment::{PATIENCE, framed};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{
    ClientConfig, Connection, ConnectionError, Endpoint, EndpointConfig, RecvStream, SendStream,
    TokioRuntime, TransportConfig,
};
use rustls::version::TLS13;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// Clients at one port.
pub struct Clients {
    pub runtime: Runtime,
    endpoint: Endpoint,
    config: ClientConfig,
}

/// An open connection.
pub struct Client<'c> {
    clients: &'c Clients,
    pub connection: Connection,
}

/// Settings of clients that trust this certificate.
pub fn config(issued: &Issued, alpn: &[&str], transport: TransportConfig) -> ClientConfig {
    let tls = certificate::client(&[issued], &[&TLS13], alpn);
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).expect("TLS 1.3")));
    config.transport_config(Arc::new(transport));
    config
}

impl Clients {
    /// Clients at 127.1.`prefix`.1.
    pub fn new(prefix: u8, config: ClientConfig) -> Clients {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let socket = UdpSocket::bind(SocketAddr::from(([127, 1, prefix, 1], 0))).expect("loopback has room");
        let endpoint = {
            let _context = runtime.enter();
            Endpoint::new(EndpointConfig::default(), None, socket, Arc::new(TokioRuntime))
        };
        Clients { runtime, endpoint: endpoint.expect("an endpoint"), config }
    }

    /// Begins a handshake.
    pub fn connect(&self, server: SocketAddr) -> quinn::Connecting {
        let _context = self.runtime.enter();
        self.endpoint.connect_with(self.config.clone(), server, "dns.example").expect("an address")
    }

    /// Opens a connection.
    pub fn open(&self, server: SocketAddr) -> Result<Client<'_>, ConnectionError> {
        let connecting = self.connect(server);
        let opened = async { timeout(PATIENCE, connecting).await.expect("an end of the handshake") };
        Ok(Client { clients: self, connection: self.runtime.block_on(opened)? })
    }
}

impl Client<'_> {
    /// Opens a stream; `None` if the connection has ended, or takes no further stream now.
    pub fn stream(&self) -> Option<(SendStream, RecvStream)> {
        let opened = async { timeout(PATIENCE / 10, self.connection.open_bi()).await.ok()?.ok() };
        self.clients.runtime.block_on(opened)
    }

    /// Writes octets to a stream of their own, ends it, and reads the reply to its end; `None` if
    /// the stream or the connection ends before.
    pub fn send(&self, octets: &[u8]) -> Option<Vec<u8>> {
        let (mut send, mut recv) = self.stream()?;
        let asked = async {
            // A server that reads no further has its reasons; the reply tells them.
            let _ = send.write_all(octets).await;
            let _ = send.finish();
            recv.read_to_end(2 + 65_535).await.ok()
        };
        self.clients.runtime.block_on(async { timeout(PATIENCE, asked).await.expect("an end in time") })
    }

    /// Asks, and returns the message of the reply.
    pub fn ask(&self, message: &[u8]) -> Option<Vec<u8>> {
        let reply = self.send(&framed(message))?;
        let (length, reply) = reply.split_first_chunk::<2>().expect("a length");
        assert_eq!(reply.len(), usize::from(u16::from_be_bytes(*length)), "one message, and no more");
        Some(reply.to_vec())
    }

    /// Waits for the end of the connection; the error code of the server.
    pub fn end(&self) -> u64 {
        let closed = async { timeout(4 * PATIENCE, self.connection.closed()).await.expect("an end") };
        match self.clients.runtime.block_on(closed) {
            ConnectionError::ApplicationClosed(close) => close.error_code.into_inner(),
            other => panic!("{other}"),
        }
    }
}
