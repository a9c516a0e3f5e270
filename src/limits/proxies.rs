//! Limits of balancers that send PROXY headers.

/// Most prefixes of balancers that send PROXY headers: a fleet has a few.
pub(crate) const PROXIES_MAX: usize = 1_024;
/// Shortest prefix of balancers inside private networks without a warning: these are as large
/// (10.0.0.0/8, fd00::/8).
pub(crate) const PROXY_PREFIX_PRIVATE_MIN: u8 = 8;
/// Shortest prefix of balancers of public IPv4 addresses without a warning: larger blocks have many
/// holders.
pub(crate) const PROXY_PREFIX_V4_MIN: u8 = 16;
/// Shortest prefix of balancers of public IPv6 addresses without a warning: a registry gives a /32
/// to an operator.
pub(crate) const PROXY_PREFIX_V6_MIN: u8 = 32;
/// Longest PROXY header in octets: it leaves a datagram room for a query, and senders that add all
/// usual TLVs stay far below.
pub(crate) const PROXY_HEADER_MAX: usize = 2_048;
