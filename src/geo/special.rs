//! Special-purpose addresses of the IANA registries, which no client on the internet has.
//!
//! An ECS address in such a block does not locate the client, so the resolver decides, and the
//! scope is the length of the block. Therefore a returned block never contains a global unicast
//! address or an IPv4 client inside IPv6, and no two blocks overlap.
//!
//! Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), IANA IPv6 Address
//! Space (only `2000::/3` is global unicast).

use super::embedded;
use super::prefix::{Prefix, truncate_v4, truncate_v6};
use std::net::IpAddr;

/// IPv4 blocks, ascending and disjoint.
pub(crate) const V4_BLOCKS: [(u32, u8); 15] = [
    (v4(0, 0, 0), 8),       // this network (RFC 791)
    (v4(10, 0, 0), 8),      // private use (RFC 1918)
    (v4(100, 64, 0), 10),   // shared address space behind carriers (RFC 6598)
    (v4(127, 0, 0), 8),     // loopback (RFC 1122)
    (v4(169, 254, 0), 16),  // link local (RFC 3927)
    (v4(172, 16, 0), 12),   // private use (RFC 1918)
    (v4(192, 0, 0), 24),    // IETF protocol assignments (RFC 6890)
    (v4(192, 0, 2), 24),    // documentation (RFC 5737)
    (v4(192, 88, 99), 24),  // 6to4 relay anycast, withdrawn (RFC 7526)
    (v4(192, 168, 0), 16),  // private use (RFC 1918)
    (v4(198, 18, 0), 15),   // benchmarking (RFC 2544)
    (v4(198, 51, 100), 24), // documentation (RFC 5737)
    (v4(203, 0, 113), 24),  // documentation (RFC 5737)
    (v4(224, 0, 0), 4),     // multicast (RFC 5771)
    (v4(240, 0, 0), 4),     // reserved, and limited broadcast (RFC 1112, RFC 919)
];

/// Registered IPv6 blocks, disjoint: each is a scope of its own.
const V6_REGISTERED: [(u128, u8); 12] = [
    (0, 128),                          // :: unspecified (RFC 4291)
    (1, 128),                          // ::1 loopback (RFC 4291)
    (0x0064_ff9b_0001 << 80, 48),      // NAT64 of local use (RFC 8215)
    (0x0100 << 112, 64),               // discard only (RFC 6666)
    ((0x0100 << 112) | (1 << 64), 64), // dummy prefix (RFC 9780)
    (0x2001_0002 << 96, 48),           // benchmarking (RFC 5180)
    (0x2001_0010 << 96, 28),           // ORCHID, withdrawn (RFC 4843)
    (0x2001_0db8 << 96, 32),           // documentation (RFC 3849)
    (0x3fff << 112, 20),               // documentation (RFC 9637)
    (0x5f00 << 112, 16),               // segment routing identifiers (RFC 9602)
    (0xfc00 << 112, 7),                // unique local (RFC 4193)
    (0xfe80 << 112, 10),               // link local (RFC 4291)
];

/// IPv6 multicast (RFC 4291).
const V6_MULTICAST: (u128, u8) = (0xff00 << 112, 8);

/// Wider IPv6 regions that are special, except for [`V6_REGISTERED`], [`V6_USABLE`] and
/// [`embedded::BLOCKS`] inside them.
const V6_REGIONS: [(u128, u8); 4] = [
    (0, 3),                  // outside 2000::/3
    (0x4000 << 112, 2),      // outside 2000::/3
    (0x8000 << 112, 1),      // outside 2000::/3
    (0x2001_0000 << 96, 23), // IETF protocol assignments (RFC 2928)
];

/// Blocks among the protocol assignments that are globally reachable according to the registry.
const V6_USABLE: [(u128, u8); 7] = [
    ((0x2001_0001 << 96) | 1, 128), // port control anycast (RFC 7723)
    ((0x2001_0001 << 96) | 2, 128), // TURN anycast (RFC 8155)
    ((0x2001_0001 << 96) | 3, 128), // DNS-SD anycast (RFC 9665)
    (0x2001_0003 << 96, 32),        // AMT (RFC 7450)
    (0x2001_0004_0112 << 80, 48),   // AS112 (RFC 7535)
    (0x2001_0020 << 96, 28),        // ORCHIDv2 (RFC 7343)
    (0x2001_0030 << 96, 28),        // drone identifiers (RFC 9374)
];

const fn v4(a: u8, b: u8, c: u8) -> u32 {
    u32::from_be_bytes([a, b, c, 0])
}

/// Special-purpose block that contains an address; `None` for global unicast.
///
/// An IPv4 client inside IPv6 counts by its IPv4 address: `::ffff:10.0.0.1` gives
/// `::ffff:10.0.0.0/104`.
pub fn special_block(address: IpAddr) -> Option<Prefix> {
    match address {
        IpAddr::V4(a) => v4_block(a.to_bits()).map(|(bits, len)| Prefix::V4 { bits, len }),
        IpAddr::V6(a) => {
            let bits = a.to_bits();
            match embedded::ipv4_in(bits) {
                Some((inner, offset)) => v4_block(inner).map(|(_, len)| Prefix::new(address, offset + len)),
                None => v6_block(bits).map(|(bits, len)| Prefix::V6 { bits, len }),
            }
        }
    }
}

/// IPv6 special blocks outside [`embedded::BLOCKS`], ascending and disjoint.
pub(crate) fn v6_blocks() -> Vec<(u128, u8)> {
    let mut blocks = Vec::new();
    // Walk the address space depth-first, entering only regions in which a block may begin.
    let mut open = vec![(0u128, 0u8)];
    while let Some((bits, len)) = open.pop() {
        if V6_USABLE.iter().chain(&embedded::BLOCKS).any(|&block| covers(block, bits, len)) {
            continue;
        }
        if let Some(block) = v6_block(bits)
            && covers(block, bits, len)
        {
            blocks.push((bits, len));
            continue;
        }
        let meets = |&(b, l): &(u128, u8)| truncate_v6(b ^ bits, l.min(len)) == 0;
        if len < 128
            && (V6_REGIONS.iter().any(meets) || V6_REGISTERED.iter().any(meets) || meets(&V6_MULTICAST))
        {
            open.push((bits | (1 << (127 - len)), len + 1));
            open.push((bits, len + 1));
        }
    }
    blocks
}

fn v4_block(bits: u32) -> Option<(u32, u8)> {
    V4_BLOCKS.into_iter().find(|&(block, len)| truncate_v4(bits, len) == block)
}

/// Special block of an address that is not an IPv4 client.
fn v6_block(bits: u128) -> Option<(u128, u8)> {
    let registered = || V6_REGISTERED.into_iter().chain([V6_MULTICAST]);
    if let Some(block) = registered().find(|&block| covers(block, bits, 128)) {
        return Some(block);
    }
    let carved = || V6_USABLE.into_iter().chain(embedded::BLOCKS);
    if carved().any(|block| covers(block, bits, 128)) {
        return None;
    }
    let region = V6_REGIONS.into_iter().find(|&block| covers(block, bits, 128))?;
    // Widest block around the address without any excepted block: one bit longer than the longest
    // prefix that it shares with one of them.
    let len = registered()
        .chain(carved())
        .map(|(other, _)| (bits ^ other).leading_zeros() as u8 + 1)
        .fold(region.1, u8::max);
    Some((truncate_v6(bits, len), len))
}

fn covers(block: (u128, u8), bits: u128, len: u8) -> bool {
    block.1 <= len && truncate_v6(bits, block.1) == block.0
}

#[cfg(test)]
mod tests;
