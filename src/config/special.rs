//! Addresses that clients on the internet cannot reach (RFC 6890 and the IANA special-purpose
//! registries). Documentation prefixes are excluded, because samples and tests use them.

use std::net::IpAddr;

const BLOCKS: &[(&str, &str)] = &[
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private use"),
    ("100.64.0.0/10", "shared address space of providers"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private use"),
    ("192.0.0.0/24", "IETF protocol assignments"),
    ("192.168.0.0/16", "private use"),
    ("198.18.0.0/15", "benchmarking"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "the unspecified address"),
    ("::1/128", "loopback"),
    ("::ffff:0:0/96", "IPv4-mapped"),
    ("100::/64", "discard-only"),
    ("fc00::/7", "unique local"),
    ("fe80::/10", "link-local"),
    ("ff00::/8", "multicast"),
];

/// Purpose of the special block that contains `address`; `None` if clients can reach the address.
pub(super) fn purpose(address: IpAddr) -> Option<&'static str> {
    BLOCKS
        .iter()
        .find(|(block, _)| block.parse::<ipnet::IpNet>().is_ok_and(|net| net.contains(&address)))
        .map(|(_, purpose)| *purpose)
}
