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
