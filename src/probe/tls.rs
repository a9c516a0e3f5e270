//! TLS over a connection: settings that are made once, what certificates are accepted, and what is
//! told of them.

use super::metered::Metered;
use super::{Trial, certificate, words};
use crate::health::spec::{HttpCheck, TlsCheck, Verify};
use crate::limits::PINNED_KEPT_MAX;
use crate::sys::clock::epoch_secs;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Who judges a certificate.
type Verifier = Arc<dyn ServerCertVerifier>;

/// Settings of TLS by what is accepted, each made when it is first needed. The system's roots are
/// read once.
#[derive(Debug, Default)]
pub(super) struct Settings {
    base: OnceLock<ClientConfig>,
    system: OnceCell<Verifier>,
    pinned: Mutex<HashMap<Arc<[u8]>, Verifier>>,
}

/// Shakes hands. What the certificate says of its end is recorded also when it is refused.
pub(super) async fn connect(
    stream: Metered,
    check: &HttpCheck,
    tls: &TlsCheck,
    to: SocketAddr,
    settings: &Settings,
    trial: &mut Trial,
) -> Result<TlsStream<Metered>, String> {
    trial.doing = "TLS handshake";
    let name = server_name(tls.sni.as_deref().or(check.host.as_deref()), to.ip())?;
    let recorder = Arc::new(Recorder { inner: settings.verifier(&tls.verify).await?, end: OnceLock::new() });
    let mut config = settings.base().clone();
    config.dangerous().set_certificate_verifier(Arc::<Recorder>::clone(&recorder));
    let connected = TlsConnector::from(Arc::new(config)).connect(name.clone(), stream).await;
    let end = recorder.end.get().copied().flatten();
    let now = i64::try_from(epoch_secs()).unwrap_or(i64::MAX);
    trial.certificate_days = end.map(|end| certificate::days_left(end, now));
    if let Some(days) = trial.certificate_days.filter(|days| *days <= i32::from(tls.warn_days)) {
        trial.remark(end_in_words(days));
    }
    connected.map_err(|error| match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => refusal(error, &name, trial.certificate_days),
        None => format!("{} (TLS handshake)", words::io(&error)),
    })
}

/// What an error inside TLS is to the operator, also after the handshake.
pub(super) fn broken(error: &std::io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(format!("TLS: {error}"))
}

/// `certificate ends in 5 days`.
fn end_in_words(days: i32) -> String {
    match days {
        i32::MIN..0 => format!("certificate {}", expired(Some(days))),
        0 => "certificate ends within a day".to_owned(),
        1 => "certificate ends in 1 day".to_owned(),
        _ => format!("certificate ends in {days} days"),
    }
}

fn expired(days: Option<i32>) -> String {
    // Days left are rounded down: -1 is what ended within the last 24 hours.
    match days.map(|days| days.saturating_neg().saturating_sub(1)) {
        Some(0) => "expired less than a day ago".to_owned(),
        Some(1) => "expired 1 day ago".to_owned(),
        Some(ago) if ago > 0 => format!("expired {ago} days ago"),
        _ => "expired".to_owned(),
    }
}

fn refusal(error: &Error, name: &ServerName<'_>, days: Option<i32>) -> String {
    match error {
        Error::InvalidCertificate(fault) => match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                format!("certificate: {}", expired(days))
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "certificate: not valid yet".to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("certificate is for other names than {}", words::quoted(name.to_str().as_bytes()))
            }
            CertificateError::UnknownIssuer => "certificate: its issuer is not trusted".to_owned(),
            // As by an authority that kept its name and changed its key.
            CertificateError::BadSignature => {
                "certificate: not signed by the issuer that is trusted".to_owned()
            }
            CertificateError::Revoked => "certificate: revoked".to_owned(),
            other => format!("certificate: {other}"),
        },
        Error::InvalidMessage(_) => "the server does not speak TLS on this port".to_owned(),
        Error::AlertReceived(alert) => format!("TLS: the server refused with alert {alert:?}"),
        other => format!("TLS: {other}"),
    }
}

/// The name that the certificate must be for; an address is never sent as SNI (RFC 6066 section 3).
fn server_name(named: Option<&str>, address: IpAddr) -> Result<ServerName<'static>, String> {
    let Some(named) = named else { return Ok(ServerName::from(address)) };
    // A `Host` may have a port, and an IPv6 address brackets.
    let bare = match named.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None if named.matches(':').count() == 1 => named.split(':').next().unwrap_or(named),
        None => named,
    };
    ServerName::try_from(bare.to_owned())
        .map_err(|_| format!("{} is no server name", words::quoted(bare.as_bytes())))
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(rustls::crypto::ring::default_provider())))
}

impl Settings {
    /// Everything but the verifier. Sessions are never resumed: a resumed one would not show the
    /// certificate, and a handshake is part of what is checked.
    fn base(&self) -> &ClientConfig {
        self.base.get_or_init(|| {
            let mut config = ClientConfig::builder_with_provider(provider())
                .with_protocol_versions(rustls::DEFAULT_VERSIONS)
                .expect("ring has suites for both versions")
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AcceptAll))
                .with_no_client_auth();
            config.resumption = Resumption::disabled();
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            config
        })
    }

    async fn verifier(&self, verify: &Verify) -> Result<Verifier, String> {
        match verify {
            Verify::Off => Ok(Arc::new(AcceptAll)),
            Verify::System => self.system.get_or_try_init(system).await.cloned(),
            Verify::Pinned(pem) => {
                let mut pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(kept) = pinned.get(pem) {
                    return Ok(Arc::clone(kept));
                }
                let made = pinned_to(pem)?;
                if pinned.len() >= PINNED_KEPT_MAX {
                    pinned.clear();
                }
                pinned.insert(Arc::clone(pem), Arc::clone(&made));
                Ok(made)
            }
        }
    }
}

/// Reads the system's roots, on a thread that may wait for the disk. What fails is tried again next
/// time.
async fn system() -> Result<Verifier, String> {
    let read = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs);
    let found = read.await.map_err(|_| "the system's root certificates cannot be read".to_owned())?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map_or(String::new(), |error| format!(": {error}"));
        return Err(format!("this system has no root certificates to verify with{why}"));
    }
    webpki(roots)
}

fn pinned_to(pem: &[u8]) -> Result<Verifier, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| format!("the pinned CA is no PEM: {error}"))?;
        roots.add(certificate).map_err(|error| format!("the pinned CA cannot be used: {error}"))?;
    }
    if roots.is_empty() {
        return Err("the pinned CA file has no certificate".to_owned());
    }
    webpki(roots)
}

fn webpki(roots: RootCertStore) -> Result<Verifier, String> {
    match WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build() {
        Ok(verifier) => Ok(verifier),
        Err(error) => Err(format!("root certificates: {error}")),
    }
}

/// Notes when the certificate ends, then lets another judge it.
#[derive(Debug)]
struct Recorder {
    inner: Verifier,
    end: OnceLock<Option<i64>>,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.end.get_or_init(|| certificate::not_after(end_entity));
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// `verify: off`: the exchange is checked, not who answers.
#[derive(Debug)]
struct AcceptAll;

impl ServerCertVerifier for AcceptAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
