//! The admin address: HTTP over TLS while the snapshot in service has `admin`, else plain HTTP.
//!
//! Handshakes run on a thread of their own: a storm of them delays no page.

use crate::admin::{AdminAccess, Unopened};
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
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
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
    /// Runtime of the handshakes.
    pub(crate) handshakes: Handle,
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

    fn note_excess(&self) {
        note(&self.shared, Unopened::ClientFull);
    }

    fn open(
        &self,
        stream: TcpStream,
        router: Router,
    ) -> impl Future<Output = io::Result<(Self::Opened, Router)>> + Send + 'static {
        let access = self.shared.published.snapshot().admin.clone();
        let handshakes = self.handshakes.clone();
        // Made here, because the connection may be closed before the first step of its handshake.
        let unfinished = access
            .is_some()
            .then(|| Unfinished { shared: Arc::clone(&self.shared), ended: Some(Unopened::HandshakesFull) });
        async move {
            let (Some(access), Some(unfinished)) = (access, unfinished) else {
                return Ok((Either::Left(stream), router.layer(Extension(Protection::Plain))));
            };
            let stream = handshake(stream, &access, unfinished, &handshakes).await?;
            let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let certificate = chain.first().map(fingerprint);
            let protection = Protection::Tls { access, certificate };
            Ok((Either::Right(stream), router.layer(Extension(protection))))
        }
    }
}

fn note(shared: &Shared, reason: Unopened) {
    shared.counters.unopened[reason as usize].fetch_add(1, Ordering::Relaxed);
}

/// Handshake that has not ended. One whose connection is closed for another counts when it drops.
struct Unfinished {
    shared: Arc<Shared>,
    ended: Option<Unopened>,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(reason) = self.ended {
            note(&self.shared, reason);
        }
    }
}

/// Handshake of a connection, on the thread of the handshakes. It ends with the future.
async fn handshake(
    stream: TcpStream,
    access: &AdminAccess,
    mut unfinished: Unfinished,
    handshakes: &Handle,
) -> io::Result<TlsStream<TcpStream>> {
    let acceptor = TlsAcceptor::from(Arc::clone(&access.settings));
    let mut task = JoinSet::new();
    task.spawn_on(acceptor.accept(stream), handshakes);
    let ended = timeout(Duration::from_secs(ADMIN_HANDSHAKE_SECS), task.join_next()).await;
    let (reason, ended) = match ended {
        Err(late) => (Some(Unopened::SlowHandshake), Err(late.into())),
        Ok(Some(Ok(Ok(stream)))) => (None, Ok(stream)),
        Ok(Some(Ok(Err(error)))) => (Some(Unopened::HandshakeFailed), Err(error)),
        // A panic of the handshake, or the end of its runtime.
        Ok(Some(Err(error))) => (Some(Unopened::HandshakeFailed), Err(io::Error::other(error))),
        Ok(None) => (Some(Unopened::HandshakeFailed), Err(io::Error::other("no handshake"))),
    };
    unfinished.ended = reason;
    ended
}

/// First octets of the SHA-256 of a certificate, which `openssl x509 -fingerprint -sha256` prints
/// whole.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = Sha256::digest(certificate);
    digest.iter().take(8).map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}
