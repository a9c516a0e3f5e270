//! TLS over a connection: settings, rules for accepting certificates, and remarks about them.

use super::metered::Metered;
use super::pinned::Pinned;
use super::refusal::{Refusal, Seen, alert_in_words, expired};
use super::{Trial, words};
use crate::health::certificate::{self, Facts};
use crate::health::pem;
use crate::health::spec::{HttpCheck, TlsCheck, Verify};
use crate::limits::PINNED_KEPT_MAX;
use crate::sys::clock::epoch_secs;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Verifier of certificates.
type Verifier = Arc<dyn ServerCertVerifier>;

/// TLS settings by rule of acceptance, each made on first use. The system's root certificates are
/// read once.
#[derive(Debug, Default)]
pub(super) struct Settings {
    base: OnceLock<ClientConfig>,
    system: OnceCell<Verifier>,
    pinned: Mutex<HashMap<Arc<[u8]>, Verifier>>,
}

/// Performs the handshake. Records the certificate's expiry even if the handshake fails.
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
    let recorder = Arc::new(Recorder {
        inner: settings.verifier(&tls.verify).await?,
        is_strict: tls.verify != Verify::Off,
        seen: OnceLock::new(),
        is_trusted: AtomicBool::new(false),
    });
    let mut config = settings.base().clone();
    config.dangerous().set_certificate_verifier(Arc::<Recorder>::clone(&recorder));
    let connected = TlsConnector::from(Arc::new(config)).connect(name.clone(), stream).await;
    let seen = recorder.seen.get();
    let now = i64::try_from(epoch_secs()).unwrap_or(i64::MAX);
    trial.certificate_days = seen.and_then(|seen| seen.end).map(|end| certificate::days_left(end, now));
    if let Some(days) = trial.certificate_days.filter(|days| *days <= i32::from(tls.warn_days)) {
        trial.remark(end_in_words(days));
    }
    connected.map_err(|error| match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => {
            let is_trusted = recorder.is_trusted.load(Relaxed);
            let days = trial.certificate_days;
            Refusal { error, name: &name, verify: &tls.verify, days, seen, is_trusted }.to_string()
        }
        None => format!("{} (TLS handshake)", words::io(&error)),
    })
}

/// Describes an error inside TLS, also after the handshake.
pub(super) fn broken(error: &std::io::Error) -> Option<String> {
    match error.get_ref()?.downcast_ref::<Error>()? {
        Error::AlertReceived(alert) => Some(alert_in_words(*alert)),
        error => Some(format!("TLS: {error}")),
    }
}

/// `certificate expires in 5 days`.
fn end_in_words(days: i32) -> String {
    match days {
        i32::MIN..0 => format!("certificate {}", expired(Some(days))),
        0 => "certificate expires within a day".to_owned(),
        1 => "certificate expires in 1 day".to_owned(),
        _ => format!("certificate expires in {days} days"),
    }
}

/// Name that the certificate must have; an address is never sent as SNI (RFC 6066 section 3).
fn server_name(named: Option<&str>, address: IpAddr) -> Result<ServerName<'static>, String> {
    let Some(named) = named else { return Ok(ServerName::from(address)) };
    // A `Host` may have a port, and brackets around an IPv6 address.
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
    /// certificate, and the handshake is part of the check.
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

/// Reads the system's root certificates, on a thread that may wait for the disk. A failure is
/// retried by the next check.
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

/// Verifier for a `ca` file: trusts its certificates, and those that they signed.
fn pinned_to(text: &[u8]) -> Result<Verifier, String> {
    let found = pem::certificates(text).map_err(|why| format!("the file that `ca` names {why}"))?;
    let exact: Vec<CertificateDer<'static>> = found.into_iter().map(CertificateDer::from).collect();
    let mut roots = RootCertStore::empty();
    // A certificate that cannot be a trust anchor can still be the server's own.
    roots.add_parsable_certificates(exact.iter().cloned());
    let roots = if roots.is_empty() { None } else { Some(webpki(roots)?) };
    Ok(Arc::new(Pinned::new(exact, roots, provider())))
}

fn webpki(roots: RootCertStore) -> Result<Verifier, String> {
    match WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build() {
        Ok(verifier) => Ok(verifier),
        Err(error) => Err(format!("root certificates: {error}")),
    }
}

/// Verifier that records facts about the certificates, then asks the inner verifier.
#[derive(Debug)]
struct Recorder {
    inner: Verifier,
    is_strict: bool,
    seen: OnceLock<Seen>,
    /// True once the certificate was accepted, so that a later error belongs to the handshake.
    is_trusted: AtomicBool,
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
        self.seen.get_or_init(|| Seen::of(end_entity, intermediates));
        let verified =
            self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        // Refused here, since the later check of the signature would report only a bad signature.
        if self.is_strict && Facts::read(end_entity).is_some_and(|facts| facts.unverifiable_key().is_some()) {
            return Err(CertificateError::BadSignature.into());
        }
        self.is_trusted.store(true, Relaxed);
        Ok(verified)
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

    /// Adds schemes that cannot be verified, in last place: without them a server with such a key
    /// only refuses the handshake, and the message could not give the reason.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.inner.supported_verify_schemes();
        schemes.extend([SignatureScheme::ECDSA_NISTP521_SHA512, SignatureScheme::ED448]);
        schemes
    }
}

/// `verify: off`: every certificate is accepted.
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
