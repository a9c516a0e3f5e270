//! The header of a message (RFC 1035 section 4.1.1).

/// Octets of a header.
pub const HEADER_LEN: usize = 12;

/// Flag bits of the header's second word.
pub mod flag {
    /// Response.
    pub const QR: u16 = 0x8000;
    /// Authoritative answer.
    pub const AA: u16 = 0x0400;
    /// Truncated.
    pub const TC: u16 = 0x0200;
    /// Recursion desired.
    pub const RD: u16 = 0x0100;
    /// Checking disabled.
    pub const CD: u16 = 0x0010;
}
