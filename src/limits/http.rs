//! Limits of DNS over HTTPS. One connection holds 1.5 MB at most, of a client that begins as many
//! requests as it may and reads no answer.

use super::MESSAGE_MAX;

/// Requests at once on one connection: RFC 9113 section 6.5.2 recommends no fewer.
pub(crate) const HTTP_REQUESTS_MAX: u32 = 100;
/// Octets of the headers of a request: a message of about 6,000 octets in a GET, and a POST takes
/// longer ones.
pub(crate) const HTTP_HEADER_OCTETS_MAX: u32 = 8 << 10;
/// Requests that a client has reset and the server has not yet seen: a limit on clients that reset
/// each request at once (CVE-2023-44487).
pub(crate) const HTTP_RESETS_MAX: usize = 20;
/// Requests of a connection that the server resets for faults of the client, before it closes the
/// connection (CVE-2025-8671).
pub(crate) const HTTP_FAULTS_MAX: usize = 256;
/// Octets that requests of one connection may hold in bodies, and as many in answers that are not
/// taken; a request past it waits.
pub(crate) const HTTP_HELD_OCTETS: usize = 2 * MESSAGE_MAX;
/// Octets of an answer that are handed on at once: each request of a client that reads nothing
/// holds one such piece besides [`HTTP_HELD_OCTETS`].
pub(crate) const HTTP_PIECE_OCTETS: usize = 4 << 10;
/// Seconds from the announcement of the end of a connection to its end, for answers on their way.
pub(crate) const HTTP_FAREWELL_SECS: u64 = 1;
