//! The admin address: HTTP over TLS while the snapshot in service has `admin`, else plain HTTP.

use crate::control::listener::Accept;
use crate::control::reader::Protection;
use crate::limits::ADMIN_HANDSHAKE_SECS;
use crate::shared::Shared;
use axum::{Extension, Router};
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

/// Listener of the admin address.
pub(crate) struct AdminListener {
    /// The listener.
    pub(crate) tcp: TcpListener,
    /// State whose snapshot has the access in force.
    pub(crate) shared: Arc<Shared>,
}

impl Accept for AdminListener {
    type Stream = TcpStream;
    type Opened = Either<TcpStream, TlsStream<TcpStream>>;

    async fn accept(&self) -> io::Result<(TcpStream, Option<IpAddr>)> {
        self.tcp.accept().await.map(|(stream, peer)| (stream, Some(peer.ip())))
    }

    fn has_handshakes(&self) -> bool {
        self.shared.published.snapshot().admin.is_some()
    }

    fn open(
        &self,
        stream: TcpStream,
        router: Router,
    ) -> impl Future<Output = io::Result<(Self::Opened, Router)>> + Send + 'static {
        let access = self.shared.published.snapshot().admin.clone();
        async move {
            let Some(access) = access else {
                return Ok((Either::Left(stream), router.layer(Extension(Protection::Plain))));
            };
            let acceptor = TlsAcceptor::from(Arc::clone(&access.settings));
            let handshake = timeout(Duration::from_secs(ADMIN_HANDSHAKE_SECS), acceptor.accept(stream));
            let stream = handshake.await??;
            let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let certificate = chain.first().map(fingerprint);
            let protection = Protection::Tls { access, certificate };
            Ok((Either::Right(stream), router.layer(Extension(protection))))
        }
    }
}

/// First octets of the SHA-256 of a certificate, which `openssl x509 -fingerprint -sha256` prints
/// whole.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = Sha256::digest(certificate);
    digest.iter().take(8).map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}
