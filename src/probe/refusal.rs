//! Messages for failed TLS handshakes.

use super::words;
use crate::health::certificate::Facts;
use crate::health::spec::Verify;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{AlertDescription, CertificateError, Error};
use std::fmt;

/// Facts about the certificates that a server sent.
#[derive(Debug)]
pub(super) struct Seen {
    /// End of the server certificate, in seconds since 1970.
    pub(super) end: Option<i64>,
    begin: Option<i64>,
    /// Names for which the certificate is valid, in words.
    names: String,
    /// Name of the issuer.
    issuer: Option<String>,
    /// True if issuer and subject are the same.
    is_self_issued: bool,
    /// First key by which no signature can be verified, in words.
    unverifiable: Option<String>,
}

impl Seen {
    /// Reads the certificates of a handshake.
    pub(super) fn of(end_entity: &[u8], intermediates: &[CertificateDer<'_>]) -> Seen {
        let Some(facts) = Facts::read(end_entity) else {
            let names = "no name that can be read".to_owned();
            return Seen {
                begin: None,
                end: None,
                names,
                issuer: None,
                is_self_issued: false,
                unverifiable: None,
            };
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
            begin: facts.validity.map(|(begin, _)| begin),
            end: facts.validity.map(|(_, end)| end),
            names,
            issuer: facts.issuer(),
            is_self_issued: facts.is_self_issued(),
            unverifiable,
        }
    }
}

/// Failed handshake; displays as a message.
pub(super) struct Refusal<'r> {
    /// Error of rustls.
    pub(super) error: &'r Error,
    /// Name that the certificate must have.
    pub(super) name: &'r ServerName<'static>,
    /// Rule by which certificates are accepted.
    pub(super) verify: &'r Verify,
    /// Days until the server certificate ends.
    pub(super) days: Option<i32>,
    /// Facts about the certificates of the server.
    pub(super) seen: Option<&'r Seen>,
    /// True if the certificate was accepted before the handshake failed.
    pub(super) is_trusted: bool,
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error {
            Error::InvalidCertificate(CertificateError::BadSignature) if self.is_trusted => {
                f.write_str("TLS: the server does not have the key of the certificate that it shows")
            }
            Error::InvalidCertificate(fault) => write!(f, "certificate: {}", self.certificate(fault)),
            Error::InvalidMessage(_) => f.write_str("the server does not speak TLS on this port"),
            Error::AlertReceived(alert) => f.write_str(&alert_in_words(*alert)),
            other => write!(f, "TLS: {other}"),
        }
    }
}

impl Refusal<'_> {
    fn certificate(&self, fault: &CertificateError) -> String {
        let words = match fault {
            // webpki checks the dates of issuers too.
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => match self.days {
                Some(0..) => "an issuer of it has expired",
                days => return expired(days),
            },
            CertificateError::NotValidYet => NOT_VALID_YET,
            CertificateError::NotValidYetContext { not_before, .. } => {
                let begin = self.seen.and_then(|seen| seen.begin);
                match begin.is_some_and(|begin| u64::try_from(begin) == Ok(not_before.as_secs())) {
                    true => NOT_VALID_YET,
                    false => "an issuer of it is not valid yet (see the clocks of both)",
                }
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                let wants = words::quoted(self.name.to_str().as_bytes());
                let has = self.seen.map_or("no name", |seen| &seen.names);
                return format!("wrong name: has {has}, wants {wants}");
            }
            _ if let Some(key) = self.seen.and_then(|seen| seen.unverifiable.as_ref()) => {
                return format!(
                    "{key}, which this server cannot verify; P-256, P-384, Ed25519 or RSA of 2048 bits \
                    would do"
                );
            }
            CertificateError::UnknownIssuer => return self.unknown_issuer(),
            // For example, an authority that kept its name and changed its key.
            CertificateError::BadSignature if self.is_self_issued() => return self.unknown_issuer(),
            CertificateError::BadSignature => "not signed by the issuer that is trusted",
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                "signed by an algorithm that is not verified, such as SHA-1 or ECDSA on P-521"
            }
            CertificateError::Revoked => "revoked",
            CertificateError::BadEncoding => "it, or one of its issuers, is not encoded as X.509 (RFC 5280)",
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => NO_SERVER,
            CertificateError::UnhandledCriticalExtension => UNKNOWN_EXTENSION,
            CertificateError::Other(other) => return self.by_webpki(&format!("{:?}", other.0)),
            other => return other.to_string(),
        };
        words.to_owned()
    }

    fn is_self_issued(&self) -> bool {
        self.seen.is_some_and(|seen| seen.is_self_issued)
    }

    fn unknown_issuer(&self) -> String {
        let is_pinned = matches!(self.verify, Verify::Pinned(_));
        let issuer = match self.seen.and_then(|seen| seen.issuer.as_ref()) {
            _ if self.is_self_issued() && is_pinned => {
                return "it is signed by itself: not in the file that `ca` names, where it would be trusted"
                    .to_owned();
            }
            _ if self.is_self_issued() => {
                return "it is signed by itself: not among the system's roots; `ca` trusts it by a file that \
                    holds it"
                    .to_owned();
            }
            Some(issuer) => format!("its issuer {} is unknown", words::quoted(issuer.as_bytes())),
            None => "its issuer is unknown".to_owned(),
        };
        match is_pinned {
            true => format!("{issuer}: not in the file that `ca` names"),
            false => format!("{issuer}: not among the system's roots; `ca` trusts another"),
        }
    }

    /// Describes an error for which rustls has no variant, by its name in webpki.
    fn by_webpki(&self, name: &str) -> String {
        let words = match name {
            // webpki reports this before it looks for the issuer. A self-signed certificate has
            // another fault: it is not pinned.
            "CaUsedAsEndEntity" if self.is_self_issued() => return self.unknown_issuer(),
            "CaUsedAsEndEntity" => {
                "it is that of an authority (CA:TRUE), not of a server: `ca` trusts it by a file that holds \
                itself, not only its issuer"
            }
            "EndEntityUsedAsCa" => "the certificate of an issuer is not that of an authority (CA:TRUE)",
            "UnsupportedCertVersion" => {
                "it, or one of its issuers, is not of X.509 version 3: `ca` trusts it by a file that holds \
                itself, not only its issuer"
            }
            "UnsupportedCriticalExtension" => UNKNOWN_EXTENSION,
            "EmptyEkuExtension" => NO_SERVER,
            "NameConstraintViolation" => "an issuer is not allowed to sign for its names (name constraints)",
            "PathLenConstraintViolated" => "an issuer allows fewer issuers below it (path length)",
            _ if name.starts_with("Maximum") => "too many issuers to find the way to one that is trusted",
            _ => {
                return format!("it, or one of its issuers, is not encoded as RFC 5280 says ({name})");
            }
        };
        words.to_owned()
    }
}

const NOT_VALID_YET: &str = "not valid yet (see the clocks of both)";

const NO_SERVER: &str = "it, or one of its issuers, is not for servers (extended key usage)";

const UNKNOWN_EXTENSION: &str = "it, or one of its issuers, has a critical extension that is not known here";

/// Describes an alert of the server.
pub(super) fn alert_in_words(alert: AlertDescription) -> String {
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

/// `expired 3 days ago`, by the days left.
pub(super) fn expired(days: Option<i32>) -> String {
    // Days left are rounded down: -1 is an end within the last 24 hours.
    match days.map(|days| days.saturating_neg().saturating_sub(1)) {
        Some(0) => "expired less than a day ago".to_owned(),
        Some(1) => "expired 1 day ago".to_owned(),
        Some(ago) if ago > 0 => format!("expired {ago} days ago"),
        _ => "expired".to_owned(),
    }
}
