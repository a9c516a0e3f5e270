//! TLS over a connection: settings that are made once, what certificates are accepted, and what is
//! told of them.

use super::metered::Metered;
use super::pinned::Pinned;
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
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};
use std::collections::HashMap;
use std::fmt;
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
    let recorder = Arc::new(Recorder {
        inner: settings.verifier(&tls.verify).await?,
        is_strict: tls.verify != Verify::Off,
        seen: OnceLock::new(),
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
            Refusal { error, name: &name, verify: &tls.verify, days: trial.certificate_days, seen }
                .to_string()
        }
        None => format!("{} (TLS handshake)", words::io(&error)),
    })
}

/// What an error inside TLS is to the operator, also after the handshake.
pub(super) fn broken(error: &std::io::Error) -> Option<String> {
    match error.get_ref()?.downcast_ref::<Error>()? {
        Error::AlertReceived(alert) => Some(alert_in_words(*alert)),
        error => Some(format!("TLS: {error}")),
    }
}

fn alert_in_words(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => {
            "TLS: the server wants a certificate of its client, and a probe has none".to_owned()
        }
        AlertDescription::UnrecognisedName => {
            "TLS: the server does not know the name that it was asked for; see `sni` and `host`".to_owned()
        }
        AlertDescription::ProtocolVersion => "TLS: the server speaks neither TLS 1.2 nor TLS 1.3".to_owned(),
        AlertDescription::HandshakeFailure => {
            "TLS: the server refused with alert HandshakeFailure: it has no cipher suite or key that \
                probes know (TLS 1.2 with ECDHE and AES-GCM or ChaCha20, or TLS 1.3)"
                .to_owned()
        }
        other => format!("TLS: the server refused with alert {other:?}"),
    }
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

/// A handshake that failed, in an operator's words.
struct Refusal<'r> {
    error: &'r Error,
    name: &'r ServerName<'static>,
    verify: &'r Verify,
    days: Option<i32>,
    seen: Option<&'r Seen>,
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.error {
            Error::InvalidCertificate(fault) => fault,
            Error::InvalidMessage(_) => return f.write_str("the server does not speak TLS on this port"),
            Error::AlertReceived(alert) => return f.write_str(&alert_in_words(*alert)),
            other => return write!(f, "TLS: {other}"),
        };
        match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                write!(f, "certificate: {}", expired(self.days))
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                f.write_str("certificate: not valid yet (see the clocks of both)")
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                let wants = words::quoted(self.name.to_str().as_bytes());
                let has = self.seen.map_or("no name", |seen| &seen.names);
                write!(f, "certificate: wrong name: has {has}, wants {wants}")
            }
            _ if let Some(key) = self.seen.and_then(|seen| seen.unverifiable.as_ref()) => {
                write!(
                    f,
                    "certificate: {key}, which this server cannot verify; P-256, P-384, Ed25519 or RSA \
                    of 2048 bits would do"
                )
            }
            CertificateError::UnknownIssuer => {
                let issuer = match self.seen {
                    Some(Seen { is_self_issued: true, .. }) => "it is signed by itself".to_owned(),
                    Some(Seen { issuer: Some(issuer), .. }) => {
                        format!("its issuer {} is unknown", words::quoted(issuer.as_bytes()))
                    }
                    _ => "its issuer is unknown".to_owned(),
                };
                match self.verify {
                    Verify::Pinned(_) => write!(f, "certificate: {issuer}: not in the file that `ca` names"),
                    _ => {
                        write!(f, "certificate: {issuer}: not among the system's roots; `ca` trusts another")
                    }
                }
            }
            // As by an authority that kept its name and changed its key.
            CertificateError::BadSignature => {
                f.write_str("certificate: not signed by the issuer that is trusted")
            }
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => f.write_str(
                "certificate: signed by an algorithm that is not verified, such as SHA-1 or ECDSA on P-521",
            ),
            CertificateError::Revoked => f.write_str("certificate: revoked"),
            other => write!(f, "certificate: {other}"),
        }
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

/// What a file of certificates trusts: what they have signed, and each of them itself.
fn pinned_to(text: &[u8]) -> Result<Verifier, String> {
    let found = pem::certificates(text).map_err(|why| format!("the file that `ca` names {why}"))?;
    let exact: Vec<CertificateDer<'static>> = found.into_iter().map(CertificateDer::from).collect();
    let mut roots = RootCertStore::empty();
    // One that is no anchor can still be that of the server.
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

/// What was seen of the certificates that a server sent.
#[derive(Debug)]
struct Seen {
    end: Option<i64>,
    names: String,
    issuer: Option<String>,
    is_self_issued: bool,
    /// The first key that no signature can be verified with.
    unverifiable: Option<String>,
}

impl Seen {
    fn of(end_entity: &[u8], intermediates: &[CertificateDer<'_>]) -> Seen {
        let Some(facts) = Facts::read(end_entity) else {
            let names = "no name that can be read".to_owned();
            return Seen { end: None, names, issuer: None, is_self_issued: false, unverifiable: None };
        };
        let names = match facts.common_name() {
            Some(name) if !facts.has_alternative_names() => {
                format!(
                    "no subject alternative name, only the common name {}",
                    words::quoted(name.as_bytes())
                )
            }
            _ => facts.names(),
        };
        let own = facts.unverifiable_key().map(|key| format!("it has {key}"));
        let unverifiable = own.or_else(|| {
            intermediates.iter().find_map(|der| {
                Facts::read(der)?.unverifiable_key().map(|key| format!("an issuer has {key}"))
            })
        });
        Seen {
            end: facts.validity.map(|(_, end)| end),
            names,
            issuer: facts.issuer(),
            is_self_issued: facts.is_self_issued(),
            unverifiable,
        }
    }
}

/// Notes what the certificates say, then lets another judge them.
#[derive(Debug)]
struct Recorder {
    inner: Verifier,
    is_strict: bool,
    seen: OnceLock<Seen>,
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
        // Told here, since the signature that follows would only be called bad.
        if self.is_strict && Facts::read(end_entity).is_some_and(|facts| facts.unverifiable_key().is_some()) {
            return Err(CertificateError::BadSignature.into());
        }
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

    /// Also schemes that cannot be verified, at the end: without them a server with such a key only
    /// refuses the handshake, and nothing would tell why.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.inner.supported_verify_schemes();
        schemes.extend([SignatureScheme::ECDSA_NISTP521_SHA512, SignatureScheme::ED448]);
        schemes
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
