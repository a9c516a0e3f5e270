//! DNS over TLS (RFC 7858): TLS over the connection carries the messages.

use crate::answer::Transport;
use crate::shared::Shared;
use crate::transport::stream::{Accepted, Carrier};
use crate::transport::tls;
use rustls::Error;
use std::io;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Name of the protocol in ALPN (RFC 7858, as IANA has it).
const ALPN: &[u8] = b"dot";

/// Carrier of DNS over TLS.
pub(crate) struct DnsOverTls {
    acceptor: TlsAcceptor,
}

impl DnsOverTls {
    /// A carrier whose handshakes use the certificate of the snapshot in service.
    pub(crate) fn new(shared: Arc<Shared>) -> Result<DnsOverTls, Error> {
        Ok(DnsOverTls { acceptor: TlsAcceptor::from(tls::settings(shared, &[ALPN])?) })
    }
}

impl Carrier for DnsOverTls {
    const TRANSPORT: Transport = Transport::Dot;
    type Stream<A: Accepted> = TlsStream<A>;

    async fn open<A: Accepted>(&self, connection: A) -> io::Result<TlsStream<A>> {
        self.acceptor.accept(connection).await
    }
}
