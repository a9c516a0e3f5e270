//! Numbers that look random and are the same in every run with the same seed.

use meridian::testing::geo::prefix::Prefix;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// SplitMix64.
#[derive(Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.roll() % n.max(1) as u64) as usize
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    pub fn wide(&mut self) -> u128 {
        u128::from(self.roll()) << 64 | u128::from(self.roll())
    }

    /// A number in `[low, high)`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.roll() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// An address inside a prefix.
    pub fn inside(&mut self, prefix: Prefix) -> IpAddr {
        match prefix {
            Prefix::V4 { bits, len } => {
                let hosts = u32::MAX.checked_shr(u32::from(len)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(bits | self.roll() as u32 & hosts))
            }
            Prefix::V6 { bits, len } => {
                let hosts = u128::MAX.checked_shr(u32::from(len)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(bits | self.wide() & hosts))
            }
        }
    }

    /// A client of any kind: IPv4, IPv6, IPv4 inside IPv6 in each form, and special-purpose ones.
    /// `known` are prefixes that some database or network knows; half of the clients come from
    /// them.
    pub fn client(&mut self, known: &[Prefix]) -> IpAddr {
        let inner = if !known.is_empty() && !self.once_in(2) {
            let prefix = *self.pick(known);
            self.inside(prefix)
        } else if self.once_in(3) {
            let special = [
                "10.0.0.0/8",
                "127.0.0.0/8",
                "0.0.0.0/8",
                "192.168.0.0/16",
                "fc00::/7",
                "fe80::/10",
                "::/126",
                "2001:db8::/32",
            ];
            let (address, len) = self.pick(&special).split_once('/').unwrap();
            self.inside(Prefix::new(address.parse().unwrap(), len.parse().unwrap()))
        } else if self.once_in(2) {
            IpAddr::V6(Ipv6Addr::from_bits(0x2000 << 112 | self.wide() >> 3))
        } else {
            IpAddr::V4(Ipv4Addr::from_bits(self.roll() as u32))
        };
        match inner {
            IpAddr::V4(a) if self.once_in(3) => {
                let (low, junk) = (u128::from(a.to_bits()), self.wide());
                IpAddr::V6(Ipv6Addr::from_bits(match self.below(5) {
                    0 => 0x2002 << 112 | low << 80 | junk & ((1 << 80) - 1),
                    1 => 0xffff << 32 | low,
                    2 => 0x64_ff9b << 96 | low,
                    3 => low,
                    _ => 0x2001_0000 << 96 | (junk << 32) & ((1 << 96) - 1) | u128::from(!a.to_bits()),
                }))
            }
            other => other,
        }
    }
}
