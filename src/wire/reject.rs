//! Result of the parser for a message: a query, an error to answer with, or silence.

use super::edns::Edns;
use super::rr::Rcode;
use super::tsig::Signature;

/// Result of parsing a datagram or stream message.
#[derive(Clone, Copy, Debug)]
pub enum Parsed<'a> {
    /// One question for the core.
    Query,
    /// A fault, answered with an error.
    Reject(Reject<'a>),
    /// A DNS cookie without a question (RFC 7873 section 5.4); FORMERR if cookies are off.
    CookieOnly(Reject<'a>),
    /// A message that gets no answer, because two servers must never answer each other in a loop: a
    /// response (QR=1), less than a header, or a header that no message of the DNS has.
    Silence,
}

/// The question section as sent: name, type, class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Question<'a> {
    /// The message from the question on. Includes the octets behind the question, so that blocks
    /// can be copied.
    pub(crate) body: &'a [u8],
    /// Octets of the question; 0 if it was unreadable.
    pub(crate) len: usize,
}

impl<'a> Question<'a> {
    /// The octets of the question.
    pub fn octets(&self) -> &'a [u8] {
        self.body.get(..self.len).unwrap_or_default()
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'a [u8] {
        self.body.get(..self.len.saturating_sub(4)).unwrap_or_default()
    }
}

/// A message that is answered with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reject<'a> {
    /// First four octets of the header: ID, then flags and opcode in the lower bits.
    pub(super) head: u32,
    /// Response code.
    pub(crate) rcode: Rcode,
    /// The question, if it was readable.
    pub question: Question<'a>,
    /// The OPT, if it was readable; its options may be missing.
    pub edns: Option<Edns>,
    /// The signature by a key that we do not hold, to be answered with BADKEY.
    pub(crate) signature: Option<Signature<'a>>,
}
