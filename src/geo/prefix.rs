//! Prefixes: an address and a length, with host bits that are zero by construction.
//!
//! IPv4 and IPv6 are separate spaces; an IPv4 address inside IPv6 (mapped, 6to4, ...) is converted
//! to IPv4 at the border (`geo::embedded`).

use crate::limits::{CLIENT_PREFIX_V4, CLIENT_PREFIX_V6};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address block of one family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prefix {
    /// IPv4: network address in host order, length 0 to 32.
    V4 {
        /// Network address.
        bits: u32,
        /// Prefix length.
        len: u8,
    },
    /// IPv6: network address in host order, length 0 to 128.
    V6 {
        /// Network address.
        bits: u128,
        /// Prefix length.
        len: u8,
    },
}

/// `bits` with all bits after the first `len` set to zero.
pub(crate) const fn truncate_v4(bits: u32, len: u8) -> u32 {
    if len == 0 {
        0
    } else if len >= 32 {
        bits
    } else {
        bits & (u32::MAX << (32 - len))
    }
}

/// `bits` with all bits after the first `len` set to zero.
pub(crate) const fn truncate_v6(bits: u128, len: u8) -> u128 {
    if len == 0 {
        0
    } else if len >= 128 {
        bits
    } else {
        bits & (u128::MAX << (128 - len))
    }
}

impl Prefix {
    /// The block of length `len` that contains `address`; `len` is limited to the family's.
    pub fn new(address: IpAddr, len: u8) -> Prefix {
        match address {
            IpAddr::V4(a) => {
                let len = len.min(32);
                Prefix::V4 { bits: truncate_v4(a.to_bits(), len), len }
            }
            IpAddr::V6(a) => {
                let len = len.min(128);
                Prefix::V6 { bits: truncate_v6(a.to_bits(), len), len }
            }
        }
    }

    /// The block of a client by which answers and connections are limited: /24 (IPv4) or /56
    /// (IPv6).
    pub(crate) fn of_client(address: IpAddr) -> Prefix {
        let address = address.to_canonical();
        Prefix::new(address, if address.is_ipv4() { CLIENT_PREFIX_V4 } else { CLIENT_PREFIX_V6 })
    }

    /// The block of a single address.
    pub fn host(address: IpAddr) -> Prefix {
        Prefix::new(address, if address.is_ipv4() { 32 } else { 128 })
    }

    /// The same block, as IPv4 if it is one of IPv4 inside IPv6 (`::ffff:0:0/96`).
    pub(crate) fn canonical(self) -> Prefix {
        match self.address().to_canonical() {
            address @ IpAddr::V4(_) if self.len() >= 96 => Prefix::new(address, self.len() - 96),
            _ => self,
        }
    }

    /// Network address.
    pub fn address(self) -> IpAddr {
        match self {
            Prefix::V4 { bits, .. } => IpAddr::V4(Ipv4Addr::from_bits(bits)),
            Prefix::V6 { bits, .. } => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        }
    }

    /// Length in bits.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(self) -> u8 {
        match self {
            Prefix::V4 { len, .. } | Prefix::V6 { len, .. } => len,
        }
    }

    /// Prefixes that contain this one, the shortest first.
    pub(crate) fn wider(self) -> impl Iterator<Item = Prefix> {
        (0..self.len()).map(move |len| Prefix::new(self.address(), len))
    }

    /// True if `address` is inside; always false across families.
    pub fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Prefix::V4 { bits, len }, IpAddr::V4(a)) => truncate_v4(a.to_bits(), len) == bits,
            (Prefix::V6 { bits, len }, IpAddr::V6(a)) => truncate_v6(a.to_bits(), len) == bits,
            _ => false,
        }
    }
}

impl From<ipnet::IpNet> for Prefix {
    fn from(net: ipnet::IpNet) -> Prefix {
        Prefix::new(net.addr(), net.prefix_len())
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address(), self.len())
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
