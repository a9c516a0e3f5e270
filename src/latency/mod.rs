//! Latency: round-trip times (RTT) from networks to PoPs, measured where edges and browsers log
//! them, estimated elsewhere.
//!
//! ```text
//! logs -> log_line -> aggregate -> measurements (CSV: prefix, PoP, hour; no client address)
//!                                       |
//! places, PoPs ----------------------> learn -> estimate -> map (latency.mmdb)
//! clients of resolvers (CSV) ----------------------^
//! ```
//!
//! The estimate for a network and a PoP starts at the RTT that the distance suggests ([`model`]).
//! What measured networks show beyond the model is added, the nearest of them first
//! ([`estimate`]); the network's own samples count most. All arithmetic is IEEE 754 with functions
//! from `libm`, so that every build on every machine makes the same map.

pub(crate) mod aggregate;
pub(crate) mod case;
pub(crate) mod estimate;
pub(crate) mod log_line;
pub(crate) mod measured;
pub(crate) mod measurements;
pub(crate) mod model;
pub(crate) mod quality;
pub(crate) mod ranking;
pub(crate) mod report;
pub(crate) mod resolvers;
pub(crate) mod spot;
pub(crate) mod units;

/// Bits of the networks that measurements are about: 24 of IPv4, 48 of IPv6.
pub(crate) fn network_len(address: std::net::IpAddr) -> u8 {
    if address.is_ipv4() { 24 } else { 48 }
}
