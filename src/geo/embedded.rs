//! IPv4 addresses inside IPv6.
//!
//! A client with such an address is an IPv4 client: the IPv4 tables locate it, and a returned scope
//! includes the offset of its IPv4 bits.

use super::prefix::Prefix;

/// IPv6 blocks that contain IPv4 clients, as network address and length, ascending and disjoint.
pub(crate) const BLOCKS: [(u128, u8); 6] = [
    (0, 96),                 // ::/96, IPv4-compatible (RFC 4291 section 2.5.5.1)
    (0xffff_0000_0000, 96),  // ::ffff:0:0/96, IPv4-mapped (RFC 4291 section 2.5.5.2)
    (0xffff << 48, 96),      // ::ffff:0:0:0/96, IPv4-translated by SIIT (RFC 2765 section 2.1)
    (0x64_ff9b << 96, 96),   // 64:ff9b::/96, NAT64 (RFC 6052 section 2.1)
    (0x2001_0000 << 96, 32), // 2001::/32, Teredo (RFC 4380 section 4)
    (0x2002 << 112, 16),     // 2002::/16, 6to4 (RFC 3056 section 2)
];

/// The [`BLOCKS`] in which a database may keep its IPv4 networks: the block of the format (MaxMind
/// DB File Format 2.0, section "IPv4 addresses in an IPv6 tree"), and the blocks that a few writers
/// use instead.
pub(crate) const OF_DATABASES: [(u128, u8); 3] = [BLOCKS[0], BLOCKS[1], BLOCKS[2]];

/// IPv4 client in an IPv6 address, and the offset of its address in bits: 16 for 6to4, 96 for all
/// others. `None` for every other address, and for `::` and `::1`, which are in `::/96` but are the
/// unspecified and the loopback address.
///
/// Teredo keeps the client's address inverted in the last 32 bits (RFC 4380 section 4).
pub(crate) fn ipv4_in(v6: u128) -> Option<(u32, u8)> {
    let low = v6 as u32;
    match v6 >> 32 {
        0 if low <= 1 => None,
        0 | 0xffff | 0xffff_0000 => Some((low, 96)),
        high if high == (0x64_ff9b << 64) => Some((low, 96)),
        _ if v6 >> 96 == 0x2001_0000 => Some((!low, 96)),
        _ if v6 >> 112 == 0x2002 => Some(((v6 >> 80) as u32, 16)),
        _ => None,
    }
}

/// True if all of a prefix is in one of the [`BLOCKS`].
pub(crate) fn holds(prefix: Prefix) -> bool {
    match prefix {
        Prefix::V4 { .. } => false,
        Prefix::V6 { bits, len } => {
            BLOCKS.iter().any(|&(block, l)| l <= len && (bits ^ block) >> (128 - l) == 0)
        }
    }
}

#[cfg(test)]
mod tests;
