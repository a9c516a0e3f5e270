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
