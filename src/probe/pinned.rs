//! Certificates of a probe's `ca` file: a server is trusted if one of them signed its certificate,
//! or if it shows one of them itself.
//!
//! webpki trusts by issuer only. It refuses a server certificate that is marked as an authority's,
//! and `openssl req -x509` marks its self-signed certificates so. It cannot read certificates of
//! version 1 at all. So a server that shows exactly a certificate of the file needs no issuer: this
//! verifier checks the name, the dates and the possession of the key.

use crate::health::certificate::Facts;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use std::sync::Arc;

/// Verifier of certificates that the file's authorities signed.
type Roots = Arc<dyn ServerCertVerifier>;

/// Verifier for one `ca` file.
#[derive(Debug)]
pub(super) struct Pinned {
    exact: Vec<CertificateDer<'static>>,
    /// Verifier of certificates signed by a certificate of the `ca` file; `None` if the file has no
    /// possible issuer.
    roots: Option<Roots>,
    provider: Arc<CryptoProvider>,
}

impl Pinned {
    /// Trusts these certificates themselves, and all that `roots` trusts.
    pub(super) fn new(
        exact: Vec<CertificateDer<'static>>,
        roots: Option<Roots>,
        provider: Arc<CryptoProvider>,
    ) -> Pinned {
        Pinned { exact, roots, provider }
    }

    fn is_exact(&self, certificate: &CertificateDer<'_>) -> bool {
        self.exact.iter().any(|pinned| pinned.as_ref() == certificate.as_ref())
    }

    fn roots(&self) -> Result<&Roots, Error> {
        self.roots.as_ref().ok_or_else(|| CertificateError::UnknownIssuer.into())
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.is_exact(end_entity) {
            let roots = self.roots()?;
            return roots.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        }
        let facts = Facts::read(end_entity).ok_or(CertificateError::BadEncoding)?;
        let (begin, end) = facts.validity.ok_or(CertificateError::BadEncoding)?;
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if now < begin {
            return Err(CertificateError::NotValidYet.into());
        }
        if now > end {
            return Err(CertificateError::Expired.into());
        }
        if facts.has_alternative_names() {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        } else if !facts.common_name().is_some_and(|name| is_for(&name, &server_name.to_str())) {
            // Without alternative names the common name counts, as it does for openssl and curl.
            return Err(CertificateError::NotValidForName.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.is_exact(cert) {
            return self.roots()?.verify_tls12_signature(message, cert, dss);
        }
        let facts = Facts::read(cert).ok_or(CertificateError::BadEncoding)?;
        let algorithms = &self.provider.signature_verification_algorithms;
        // A signature scheme of TLS 1.2 names no curve, so one scheme has several algorithms.
        let is_valid = algorithms
            .mapping
            .iter()
            .filter(|(scheme, _)| *scheme == dss.scheme)
            .flat_map(|(_, algorithms)| algorithms.iter())
            .filter(|algorithm| algorithm.public_key_alg_id().as_ref() == facts.key_algorithm)
            .any(|algorithm| algorithm.verify_signature(facts.key, message, dss.signature()).is_ok());
        if is_valid {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.is_exact(cert) {
            return self.roots()?.verify_tls13_signature(message, cert, dss);
        }
        let facts = Facts::read(cert).ok_or(CertificateError::BadEncoding)?;
        let key = SubjectPublicKeyInfoDer::from(facts.key_info);
        verify_tls13_signature_with_raw_key(
            message,
            &key,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// True if a common name matches a host: equal but for case, or by a wildcard for its first label
/// (RFC 6125 section 6.4).
fn is_for(common_name: &str, host: &str) -> bool {
    let (common_name, host) = (common_name.trim_end_matches('.'), host.trim_end_matches('.'));
    match (common_name.strip_prefix("*."), host.split_once('.')) {
        (Some(parent), Some((_, rest))) => parent.contains('.') && parent.eq_ignore_ascii_case(rest),
        _ => common_name.eq_ignore_ascii_case(host),
    }
}
