//! The header of a message (RFC 1035 section 4.1.1).

/// Octets of a header.
pub(crate) const HEADER_LEN: usize = 12;

/// Flag bits of the header's second word.
pub(crate) mod flag {
    /// Response.
    pub(crate) const QR: u16 = 0x8000;
    /// Authoritative answer.
    pub(crate) const AA: u16 = 0x0400;
    /// Truncated.
    pub(crate) const TC: u16 = 0x0200;
    /// Recursion desired.
    pub(crate) const RD: u16 = 0x0100;
    /// Checking disabled.
    pub(crate) const CD: u16 = 0x0010;
}

/// Opcodes that are answered for themselves (RFC 1035 section 4.1.1, RFC 1996, RFC 2136).
pub(crate) mod opcode {
    /// Standard query.
    pub(crate) const QUERY: u8 = 0;
    /// Notice of a change of a zone.
    pub(crate) const NOTIFY: u8 = 4;
    /// Dynamic update.
    pub(crate) const UPDATE: u8 = 5;
}

/// ANCOUNT of a message; 0 if it has no header.
#[inline(always)]
pub(crate) fn answers(message: &[u8]) -> u16 {
    message.first_chunk::<HEADER_LEN>().map_or(0, |header| u16::from_be_bytes([header[6], header[7]]))
}

/// True if the message has a question.
#[inline(always)]
pub(crate) fn has_question(message: &[u8]) -> bool {
    message.first_chunk::<HEADER_LEN>().is_some_and(|header| header[4..6] != [0, 0])
}

/// True if TC is set.
#[inline(always)]
pub(crate) fn is_truncated(message: &[u8]) -> bool {
    message.first_chunk::<HEADER_LEN>().is_some_and(|header| header[2] & (flag::TC >> 8) as u8 != 0)
}

/// True if AA is set.
#[inline(always)]
pub(crate) fn is_authoritative(message: &[u8]) -> bool {
    message.first_chunk::<HEADER_LEN>().is_some_and(|header| header[2] & (flag::AA >> 8) as u8 != 0)
}
