//! Limits of `meridian latency`.

/// Longest RTT in ms that a sample may have: a slower one shows a queue or a sleeping phone.
pub(crate) const LATENCY_RTT_MAX_MILLIS: u32 = 3000;
/// Samples of one network, PoP and hour that count: more would let one busy or hostile network
/// decide for its surroundings.
pub(crate) const LATENCY_SAMPLES_MAX: usize = 50;
/// Keys (network, PoP, hour; resolver, network, hour) that an import holds before it writes them:
/// about 200 MiB.
pub(crate) const LATENCY_KEYS_MAX: usize = 1 << 20;
/// Octets of a line of a log: request lines of web servers end at 8 KiB by default.
pub(crate) const LATENCY_LINE_OCTETS_MAX: usize = 64 << 10;

/// Networks of resolvers in one map: the large public resolvers have a few thousand.
pub(crate) const LATENCY_RESOLVERS_MAX: usize = 1 << 16;
/// Pairs of a resolver and a network of its clients that a build reads: about 200 MiB.
pub(crate) const LATENCY_MIX_ROWS_MAX: usize = 1 << 22;
/// Pairs of a resolver and a unit that a build makes of them, because a network may hold many
/// units: about 250 MiB.
pub(crate) const LATENCY_MIX_PARTS_MAX: usize = 1 << 24;
/// Sums (resolver, PoP) that a build holds: 1 GiB.
pub(crate) const LATENCY_SUMS_MAX: usize = 1 << 26;
#[cfg(feature = "geoip-build")]
/// Rows of measurements that a build reads: about 1 GiB. Files of a few days suffice, because old
/// samples count little beside new ones.
pub(crate) const LATENCY_ROWS_MAX: usize = 1 << 24;
