//! Limits of the treatment of an overload of UDP.

/// Most known prefixes in the filter of a socket, for each family: a program of about 1,400
/// instructions of the kernel, 11 KiB of the 20 KiB that `net.core.optmem_max` allows a socket
/// before Linux 6.9.
pub(crate) const SHED_PREFIXES_MAX: usize = 900;
/// Most prefixes of the operator in the filter of a socket that are shorter than /24 or /48, for
/// each family: the kernel compares each datagram with all of them.
pub(crate) const SHED_WIDE_MAX: usize = 64;
/// Milliseconds between two readings of the receive queues while `overload` is on.
pub(crate) const SHED_TICK_MILLIS: u64 = 100;
/// Seconds without a filter at any socket after which an overload has ended.
pub(crate) const OVERLOAD_OVER_SECS: u64 = 10;
/// Seconds after which the filters of an overload that began without a known prefix get those that
/// have become known.
pub(crate) const OVERLOAD_RENEW_SECS: u64 = 5;
/// Seconds after which a kernel that took no filter is asked again.
pub(crate) const FILTER_AGAIN_SECS: u64 = 60;
/// Longest `known_after` of `overload`, in seconds: half of the time after which a prefix is
/// forgotten.
pub(crate) const KNOWN_AFTER_SECS_MAX: u32 = 1_800;
