//! Certificate and private key of the encrypted transports, read from PEM and checked as a pair.
//!
//! A [`Pair`] exists only if handshakes can use it. No text that it makes quotes the key.

pub(crate) mod client_authority;

use crate::health::certificate::Facts;
use crate::health::pem;
use rustls::Error;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::sync::Arc;

/// Certificate with its chain, and the private key of the certificate.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    certified: Arc<CertifiedKey>,
    /// `notBefore` of the certificate, in seconds since 1970.
    pub(crate) not_before: i64,
    /// `notAfter` of the certificate, in seconds since 1970.
    pub(crate) not_after: i64,
}

/// Fault of the files of a pair. Each text is a predicate of the file, such as "holds no
/// certificate".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Fault of the certificate file.
    Certificate(String),
    /// Fault of the key file.
    Key(String),
    /// The key belongs to another certificate.
    Mismatch {
        /// True if the key belongs to a later certificate of the chain.
        is_out_of_order: bool,
    },
}

impl Pair {
    /// Reads a chain, which begins with the server's own certificate, and the private key.
    pub(crate) fn read(certificates: &[u8], key: &[u8]) -> Result<Pair, Fault> {
        let chain = pem::certificates(certificates).map_err(Fault::Certificate)?;
        let chain: Vec<CertificateDer<'static>> = chain.into_iter().map(CertificateDer::from).collect();
        let validity = chain.first().and_then(|own| Facts::read(own)?.validity);
        let Some((not_before, not_after)) = validity else {
            return Err(Fault::Certificate("has a certificate without a time of validity".to_owned()));
        };
        let key = private_key(key)?;
        let provider = default_provider();
        match CertifiedKey::from_der(chain.clone(), key.clone_key(), &provider) {
            Ok(certified) => Ok(Pair { certified: Arc::new(certified), not_before, not_after }),
            Err(Error::InconsistentKeys(_)) => {
                Err(Fault::Mismatch { is_out_of_order: belongs_to_later(&chain, &key, &provider) })
            }
            Err(Error::InvalidCertificate(why)) => {
                Err(Fault::Certificate(format!("has a certificate that TLS cannot use: {why:?}")))
            }
            Err(_) => Err(Fault::Key(UNUSABLE_KEY.to_owned())),
        }
    }

    /// Chain and key, for a handshake.
    pub(crate) fn certified(&self) -> &Arc<CertifiedKey> {
        &self.certified
    }

    /// True if both have the same chain. Their keys are then equal too.
    pub(crate) fn is_like(&self, other: &Pair) -> bool {
        self.certified.cert == other.certified.cert
    }

    /// True at a time within the validity of the certificate.
    pub(crate) fn is_valid_at(&self, epoch_secs: u64) -> bool {
        let now = i64::try_from(epoch_secs).unwrap_or(i64::MAX);
        (self.not_before..self.not_after).contains(&now)
    }
}

/// Predicate of a key of another kind than rustls reads.
const UNUSABLE_KEY: &str = "has a private key that TLS cannot use";

/// Private key of a file in PEM: PKCS #8, PKCS #1 (RSA) or SEC 1 (EC).
fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, Fault> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if has(text, b"-----BEGIN ENCRYPTED PRIVATE KEY-----") || has(text, b"Proc-Type: 4,ENCRYPTED") {
        return Err(Fault::Key("has a private key that is encrypted with a passphrase".to_owned()));
    }
    match PrivateKeyDer::from_pem_slice(text) {
        Ok(key) => Ok(key),
        Err(_) if pem::has_private_key(text) => {
            Err(Fault::Key("has a private key that cannot be read".to_owned()))
        }
        Err(_) => Err(Fault::Key("holds no private key in PEM".to_owned())),
    }
}

fn has(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window == words)
}

/// True if the key belongs to a certificate behind the first.
fn belongs_to_later(
    chain: &[CertificateDer<'static>],
    key: &PrivateKeyDer<'static>,
    provider: &CryptoProvider,
) -> bool {
    let belongs = |certificate: &CertificateDer<'static>| {
        CertifiedKey::from_der(vec![certificate.clone()], key.clone_key(), provider).is_ok()
    };
    chain.iter().skip(1).any(belongs)
}

#[cfg(test)]
pub(crate) mod tests;
