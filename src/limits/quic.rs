//! Limits of DNS over QUIC. One connection holds some 600 KB at most, of a client that begins as
//! many queries as it may, ends none and reads no answer.

use super::MESSAGE_MAX;

/// Queries at once on one connection: resolvers ask more at once over several connections.
pub(crate) const QUIC_QUERIES_MAX: u32 = 100;
/// Octets that each query may have before it needs a part of [`QUIC_HELD_OCTETS`]: nearly every
/// query is shorter, padding included.
pub(crate) const QUIC_SHORT_OCTETS: usize = 1 << 10;
/// Octets that longer queries of one connection may hold; a query past it waits. Answers that are
/// not taken may hold as many, and so may octets that are not yet read.
pub(crate) const QUIC_HELD_OCTETS: usize = 2 * MESSAGE_MAX;
/// Unfinished handshakes from which on a client must prove its address first (RFC 9000 section
/// 8.1.2): more than there are without an attack.
pub(crate) const QUIC_HANDSHAKES_UNPROVEN: usize = 32;
/// Connections that wait for their task: each is accepted within microseconds.
pub(crate) const QUIC_WAITING_MAX: usize = 1_024;
/// Octets of further packets of a connection that waits, and of all of them.
pub(crate) const QUIC_WAITING_OCTETS: [u64; 2] = [8 << 10, 1 << 20];
/// Seconds from the end of the server to that of a connection, for answers on their way.
pub(crate) const QUIC_FAREWELL_SECS: u64 = 1;
