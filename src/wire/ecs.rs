//! EDNS client subnet (RFC 7871 section 6): the option as asked, checked to the last bit.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Option code (RFC 7871 section 6).
pub const CODE: u16 = 8;

/// A well-formed client subnet option of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSubnet {
    /// FAMILY as sent: 1 IPv4, 2 IPv6, 0 only with source 0.
    pub family: u16,
    /// SOURCE PREFIX-LENGTH.
    pub source: u8,
    /// ADDRESS, zero beyond the source; IPv4 `0.0.0.0` for family 0.
    pub address: IpAddr,
}

impl ClientSubnet {
    /// Reads the option's data. `None` is a format error (RFC 7871 section 7.1.2): an unknown family,
    /// a prefix longer than the family's address, a scope that is not zero, octets missing or
    /// surplus, or bits set beyond the source. Family 0 is tolerated with source 0 and no address.
    #[inline]
    pub fn parse(data: &[u8]) -> Option<ClientSubnet> {
        let [f0, f1, source, scope, octets @ ..] = data else { return None };
        let (family, source) = (u16::from_be_bytes([*f0, *f1]), *source);
        if *scope != 0 || octets.len() != usize::from(source).div_ceil(8) {
            return None;
        }
        let dirty = |last: Option<&u8>| !source.is_multiple_of(8) && last.is_some_and(|o| o & (0xff >> (source % 8)) != 0);
        if dirty(octets.last()) {
            return None;
        }
        let address = match family {
            0 if source == 0 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            1 if source <= 32 => IpAddr::V4(Ipv4Addr::from_bits((front(octets) >> 32) as u32)),
            2 if source <= 128 => {
                let (upper, lower) = octets.split_at_checked(8).unwrap_or((octets, &[]));
                IpAddr::V6(Ipv6Addr::from_bits(u128::from(front(upper)) << 64 | u128::from(front(lower))))
            }
            _ => return None,
        };
        Some(ClientSubnet { family, source, address })
    }

    /// Octets of the option in a response, with its four-octet option header.
    #[inline]
    pub fn response_len(&self) -> usize {
        8 + usize::from(self.source).div_ceil(8)
    }

    /// Writes the option for a response: as asked, with the scope filled in. Gives the octets
    /// written, 0 if `out` is too small.
    #[inline]
    pub fn write_response(&self, scope: u8, out: &mut [u8]) -> usize {
        let address_len = usize::from(self.source).div_ceil(8);
        let len = 8 + address_len;
        let Some(out) = out.get_mut(..len) else { return 0 };
        let Some((head, address)) = out.split_first_chunk_mut() else { return 0 };
        let lengths = u64::from(self.source) << 8 | u64::from(scope);
        *head = (u64::from(CODE) << 48 | (4 + address_len as u64) << 32 | u64::from(self.family) << 16 | lengths).to_be_bytes();
        let mut rest = match self.address {
            IpAddr::V4(a) => u128::from(a.to_bits()) << 96,
            IpAddr::V6(a) => a.to_bits(),
        };
        for octet in address {
            *octet = (rest >> 120) as u8;
            rest <<= 8;
        }
        len
    }
}

/// The first octets of a number, at most eight; zero behind them.
#[inline]
fn front(octets: &[u8]) -> u64 {
    match octets.first_chunk() {
        Some(whole) => u64::from_be_bytes(*whole),
        None => octets.iter().rev().fold(0, |bits, &octet| bits >> 8 | u64::from(octet) << 56),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row: what it is, the option data, and the address and source it means.
    #[test]
    fn options_are_read_strictly() {
        type Row = (&'static str, &'static [u8], Option<(&'static str, u8)>);
        let rows: &[Row] = &[
            ("IPv4 /24", &[0, 1, 24, 0, 192, 0, 2], Some(("192.0.2.0", 24))),
            ("IPv4 /32", &[0, 1, 32, 0, 192, 0, 2, 1], Some(("192.0.2.1", 32))),
            ("IPv4 /0", &[0, 1, 0, 0], Some(("0.0.0.0", 0))),
            ("IPv4 /20, clean", &[0, 1, 20, 0, 192, 0, 0xf0], Some(("192.0.240.0", 20))),
            ("IPv4 /20, dirty", &[0, 1, 20, 0, 192, 0, 0xf1], None),
            ("IPv6 /48", &[0, 2, 48, 0, 0x20, 1, 0x0d, 0xb8, 0, 1], Some(("2001:db8:1::", 48))),
            ("IPv6 /0", &[0, 2, 0, 0], Some(("::", 0))),
            ("family 0 with /0", &[0, 0, 0, 0], Some(("0.0.0.0", 0))),
            ("family 0 with /8", &[0, 0, 8, 0, 1], None),
            ("family 3", &[0, 3, 8, 0, 1], None),
            ("family 3 with /0", &[0, 3, 0, 0], None),
            ("IPv4 /33", &[0, 1, 33, 0, 1, 2, 3, 4, 0], None),
            ("IPv6 /129", &[0, 2, 129, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], None),
            ("an octet missing", &[0, 1, 24, 0, 192, 0], None),
            ("an octet too many", &[0, 1, 24, 0, 192, 0, 2, 0], None),
            ("scope set in a query", &[0, 1, 24, 24, 192, 0, 2], None),
            ("too short", &[0, 1, 24], None),
        ];
        for (what, data, meant) in rows {
            let read = ClientSubnet::parse(data).map(|s| (s.address.to_string(), s.source));
            assert_eq!(read, meant.map(|(a, s)| (a.to_owned(), s)), "{what}");
        }
    }

    #[test]
    fn a_response_echoes_the_option() {
        let subnet = ClientSubnet::parse(&[0, 1, 20, 0, 192, 0, 0xf0]).unwrap();
        let mut out = [0; 16];
        let len = subnet.write_response(16, &mut out);
        assert_eq!(len, subnet.response_len());
        assert_eq!(out[..len], [0, 8, 0, 7, 0, 1, 20, 16, 192, 0, 0xf0]);
        assert_eq!(subnet.write_response(16, &mut out[..5]), 0);
    }
}
