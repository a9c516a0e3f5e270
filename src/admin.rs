//! Access to the admin address over TLS: the certificate of the server, and the tokens and client
//! certificates whose holders may change something.
//!
//! No text that it makes quotes a token: only a digest of each is kept.

use crate::finding::At;
use crate::tls::Pair;
use crate::tls::client_authority::{self, ClientAuthority};
use rustls::ServerConfig;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;

/// Shortest token, in octets: 32 hexadecimal digits have 128 bits.
pub(crate) const TOKEN_OCTETS_MIN: usize = 32;

/// Access to the admin address, compiled from the server file.
#[derive(Clone, Debug)]
pub(crate) struct AdminAccess {
    /// Certificate and key of the server.
    pub(crate) pair: Arc<Pair>,
    /// Place of the certificate in the server file.
    pub(crate) at: At,
    /// Tokens whose holders may change something.
    pub(crate) tokens: Tokens,
    /// Settings of handshakes.
    pub(crate) settings: Arc<ServerConfig>,
    /// Digest of the file with the authority of client certificates; `None` if no client can show
    /// one.
    authority: Option<[u8; 32]>,
}

impl AdminAccess {
    /// Compiles the access. `authority` has the text of the file of client certificates, which was
    /// read as `clients`.
    pub(crate) fn new(
        pair: Arc<Pair>,
        at: At,
        tokens: Tokens,
        authority: Option<(&[u8], ClientAuthority)>,
    ) -> Result<AdminAccess, rustls::Error> {
        let clients = authority.as_ref().map(|(_, clients)| clients);
        Ok(AdminAccess {
            settings: client_authority::settings(&pair, clients)?,
            authority: authority.map(|(text, _)| Sha256::digest(text).into()),
            pair,
            at,
            tokens,
        })
    }

    /// True if the holder of a token or a certificate may change something.
    pub(crate) fn takes_changes(&self) -> bool {
        self.authority.is_some() || !self.tokens.0.is_empty()
    }

    /// Parts that differ from another access, in words.
    pub(crate) fn differing(&self, other: &AdminAccess) -> Vec<&'static str> {
        [
            ("another certificate", self.pair.is_like(&other.pair)),
            ("other tokens", self.tokens == other.tokens),
            ("another authority of client certificates", self.authority == other.authority),
        ]
        .into_iter()
        .filter(|(_, is_same)| !is_same)
        .map(|(words, _)| words)
        .collect()
    }
}

closed_set! {
    /// Reason for which the admin address does not take a request for that of a known sender.
    pub(crate) enum Unproven {
        /// The connection is plain HTTP.
        PlainHttp = "plain_http",
        /// There are no tokens and no client certificates.
        NotTaken = "not_taken",
        /// The request has no token.
        NoToken = "no_token",
        /// The token is not valid.
        BadToken = "bad_token",
        /// A page of another origin sent the request, with the client's certificate.
        ForeignOrigin = "foreign_origin",
        /// The certificate, the tokens or the certificates of clients have changed since the
        /// connection began.
        Outdated = "outdated",
    }
}

closed_set! {
    /// Reason for which the admin address closed a connection before its first request.
    pub(crate) enum Unopened {
        /// The handshake of TLS failed, or the client broke it off.
        HandshakeFailed = "handshake_failed",
        /// The handshake took too long.
        SlowHandshake = "slow_handshake",
        /// The handshake was unfinished when another connection needed its place.
        HandshakesFull = "handshakes_full",
        /// The client has too many connections.
        ClientFull = "client_full",
    }
}

/// Tokens, each with the name of its holder.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Tokens(Vec<Token>);

#[derive(Clone, PartialEq, Eq)]
struct Token {
    holder: Arc<str>,
    digest: [u8; 32],
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|token| &token.holder)).finish()
    }
}

impl Tokens {
    /// Reads the lines of a file: the name of a holder and a token each; `#` begins a comment. The
    /// error has one sentence for each fault.
    pub(crate) fn read(text: &[u8], most: usize) -> Result<Tokens, Vec<String>> {
        let (mut tokens, mut faults): (Vec<Token>, Vec<String>) = (Vec::new(), Vec::new());
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        for (number, line) in (1..).zip(text.split(|octet| *octet == b'\n')) {
            let line = line.split(|octet| *octet == b'#').next().unwrap_or_default();
            let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let (Some(holder), word) = (words.next(), words.next()) else { continue };
            let (Some(word), None) = (word, words.next()) else {
                faults.push(format!("line {number} is not a name and a token"));
                continue;
            };
            let token = Token { holder: name(holder), digest: Sha256::digest(word).into() };
            if token.holder.is_empty() || !is_token(word) {
                faults.push(format!("line {number} has no name or no token that can be used"));
            } else if tokens.iter().any(|known| known.holder == token.holder || known.digest == token.digest)
            {
                faults.push(format!("line {number} repeats a name or a token from above"));
            } else {
                tokens.push(token);
            }
        }
        if tokens.is_empty() && faults.is_empty() {
            faults.push("there is no token in this file".to_owned());
        }
        if tokens.len() > most {
            faults.push(format!("{} tokens are more than {most}", tokens.len()));
        }
        if faults.is_empty() { Ok(Tokens(tokens)) } else { Err(faults) }
    }

    /// Holder of a token. The time depends on no octet of a known token: digests are compared, all
    /// of each, and all tokens.
    pub(crate) fn holder(&self, given: &[u8]) -> Option<&Arc<str>> {
        let given: [u8; 32] = Sha256::digest(given).into();
        let mut found = None;
        for Token { holder, digest } in &self.0 {
            let difference = digest.iter().zip(&given).fold(0, |sum, (one, other)| sum | (one ^ other));
            if std::hint::black_box(difference) == 0 {
                found = Some(holder);
            }
        }
        found
    }
}

/// Name of a holder: letters, digits, `-`, `_`, `.` and `@`, at most 64; empty if it is none.
fn name(word: &[u8]) -> Arc<str> {
    let is_name = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_.@".contains(octet);
    let is_good = word.len() <= 64 && word.iter().all(is_name);
    std::str::from_utf8(word).ok().filter(|_| is_good).unwrap_or_default().into()
}

/// True for a token (RFC 6750 section 2.1) that is long enough.
fn is_token(word: &[u8]) -> bool {
    let fits = |octet: &u8| octet.is_ascii_alphanumeric() || b"-._~+/=".contains(octet);
    word.len() >= TOKEN_OCTETS_MIN && word.iter().all(fits)
}

#[cfg(test)]
mod tests;
