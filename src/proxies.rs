//! Balancers in front of the server: the addresses whose datagrams and streams begin with a PROXY
//! header ([`crate::wire::proxy_header`]). The header of no other address is believed.

use crate::geo::prefix::Prefix;
use std::net::IpAddr;

/// Addresses of the balancers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Proxies {
    /// Prefixes as listed, sorted.
    prefixes: Box<[Prefix]>,
    /// First and last addresses of blocks that do not overlap, sorted.
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
}

impl Proxies {
    /// Compiles prefixes, which may contain each other.
    pub(crate) fn new(mut prefixes: Vec<Prefix>) -> Proxies {
        prefixes.sort();
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for prefix in &prefixes {
            match *prefix {
                Prefix::V4 { bits, len } => {
                    push(&mut v4, (bits, bits | u32::MAX.checked_shr(len.into()).unwrap_or(0)));
                }
                Prefix::V6 { bits, len } => {
                    push(&mut v6, (bits, bits | u128::MAX.checked_shr(len.into()).unwrap_or(0)));
                }
            }
        }
        Proxies { prefixes: prefixes.into(), v4: v4.into(), v6: v6.into() }
    }

    /// The prefixes as listed, sorted.
    pub(crate) fn prefixes(&self) -> &[Prefix] {
        &self.prefixes
    }

    /// True if datagrams and streams of this address begin with a header.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => is_in(&self.v4, address.to_bits()),
            IpAddr::V6(address) => is_in(&self.v6, address.to_bits()),
        }
    }
}

/// Adds a block that begins no earlier than the others, unless the last one contains it.
fn push<K: Ord + Copy>(blocks: &mut Vec<(K, K)>, block: (K, K)) {
    if blocks.last().is_none_or(|(_, end)| *end < block.0) {
        blocks.push(block);
    }
}

fn is_in<K: Ord + Copy>(blocks: &[(K, K)], address: K) -> bool {
    let next = blocks.partition_point(|(first, _)| *first <= address);
    next.checked_sub(1).and_then(|index| blocks.get(index)).is_some_and(|(_, end)| address <= *end)
}

#[cfg(test)]
mod tests;
