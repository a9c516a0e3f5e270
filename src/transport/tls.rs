//! TLS as the encrypted transports speak it (RFC 8446, RFC 5246): versions, tickets, and the
//! certificate in service.

use crate::shared::Shared;
use rustls::crypto::ring::{Ticketer, default_provider};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{Error, ServerConfig, SupportedProtocolVersion};
use std::fmt;
use std::sync::Arc;

/// Settings of a transport with these names in ALPN (RFC 7301), the preferred one first. Clients
/// without ALPN are accepted.
///
/// Sessions are resumed by tickets alone (RFC 8446 section 2.2, RFC 5077), so that no client takes
/// memory after its connection. There is no 0-RTT, because an attacker could replay its queries.
pub(super) fn settings(shared: Arc<Shared>, alpn: &[&[u8]]) -> Result<Arc<ServerConfig>, Error> {
    of_versions(rustls::DEFAULT_VERSIONS, shared, alpn)
}

/// Settings of the transport over QUIC, which has TLS 1.3 alone (RFC 9001 section 4.2), and no
/// clients without ALPN (section 8.1).
pub(super) fn quic_settings(shared: Arc<Shared>, alpn: &[u8]) -> Result<Arc<ServerConfig>, Error> {
    of_versions(&[&TLS13], shared, &[alpn])
}

fn of_versions(
    versions: &[&'static SupportedProtocolVersion],
    shared: Arc<Shared>,
    alpn: &[&[u8]],
) -> Result<Arc<ServerConfig>, Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(CertificateInService(shared)));
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = Ticketer::new()?;
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}

/// Certificate of the snapshot in service, so that a reload changes it for new connections, and
/// open ones stay as they are.
struct CertificateInService(Arc<Shared>);

impl fmt::Debug for CertificateInService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificateInService")
    }
}

impl ResolvesServerCert for CertificateInService {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let service = self.0.published.served();
        service.snapshot.certificate.as_ref().map(|pair| Arc::clone(pair.certified()))
    }
}
