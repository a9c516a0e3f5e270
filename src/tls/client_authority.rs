//! Authority that signs the certificates of clients, and the settings of a listener whose clients
//! may show one.

use super::Pair;
use crate::health::pem;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{RootCertStore, ServerConfig};
use std::sync::Arc;

/// Authority of client certificates.
#[derive(Clone, Debug)]
pub(crate) struct ClientAuthority {
    verifier: Arc<dyn ClientCertVerifier>,
}

impl ClientAuthority {
    /// Reads the certificates of the authority. The error is a predicate of the file, such as
    /// "holds no certificate".
    pub(crate) fn read(text: &[u8]) -> Result<ClientAuthority, String> {
        let mut roots = RootCertStore::empty();
        for certificate in pem::certificates(text)? {
            roots
                .add(CertificateDer::from(certificate))
                .map_err(|error| format!("has a certificate that TLS cannot use: {error}"))?;
        }
        // A client without a certificate may still read, or have a token.
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()))
            .allow_unauthenticated()
            .build()
            .map(|verifier| ClientAuthority { verifier })
            .map_err(|error| format!("has certificates that TLS cannot use: {error}"))
    }
}

/// Settings of HTTP/1.1 over TLS for this pair. Sessions are not resumed, so that each connection
/// checks the client's certificate against the authority in force.
pub(crate) fn settings(
    pair: &Pair,
    clients: Option<&ClientAuthority>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(Arc::clone(&clients.verifier)),
        None => builder.with_no_client_auth(),
    };
    let certified = SingleCertAndKey::from(Arc::clone(pair.certified()));
    let mut config = builder.with_cert_resolver(Arc::new(certified));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}
