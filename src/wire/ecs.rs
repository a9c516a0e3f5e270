//! EDNS client subnet (RFC 7871 section 6): the option as asked, checked to the last bit.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Option code (RFC 7871 section 6).
pub const CODE: u16 = 8;

/// The first eight octets of an option with 24 bits of an IPv4 address: code, length, family,
/// source and scope.
const HEAD_24: u64 = (CODE as u64) << 48 | 7 << 32 | 1 << 16 | 24 << 8;

/// A well-formed client subnet option of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSubnet {
    /// The option's first eight octets, as a query has them: code, length, family, source and
    /// scope, which is 0.
    head: u64,
    /// ADDRESS, zero beyond the source; IPv4 `0.0.0.0` for family 0.
    pub address: IpAddr,
}

impl ClientSubnet {
    /// A single address.
    pub fn host(address: IpAddr) -> ClientSubnet {
        let (family, source) = if address.is_ipv4() { (1, 32) } else { (2, 128) };
        ClientSubnet {
            head: u64::from(CODE) << 48 | (4 + source / 8) << 32 | family << 16 | source << 8,
            address,
        }
    }

    /// FAMILY as sent: 1 IPv4, 2 IPv6, 0 only with source 0.
    pub fn family(&self) -> u16 {
        (self.head >> 16) as u16
    }

    /// SOURCE PREFIX-LENGTH.
    #[inline(always)]
    pub fn source(&self) -> u8 {
        (self.head >> 8) as u8
    }

    /// Reads the option's data. `None` is a format error (RFC 7871 section 7.1.2): an unknown
    /// family, a prefix longer than the family's address, a scope that is not zero, octets missing
    /// or surplus, or bits set beyond the source. Family 0 is tolerated with source 0 and no
    /// address.
    #[inline(always)]
    pub fn parse(data: &[u8]) -> Option<ClientSubnet> {
        let (fields, octets) = data.split_first_chunk()?;
        let fields = u32::from_be_bytes(*fields);
        let (family, source, scope) = (fields >> 16, (fields >> 8) as u8, fields as u8);
        if scope != 0 || octets.len() != usize::from(source).div_ceil(8) {
            return None;
        }
        let address = match family {
            0 if source == 0 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            1 if source <= 32 => IpAddr::V4(v4_address(data, octets.len(), source)?),
            2 if source <= 128 => {
                let mut bits = [0; 16];
                bits.get_mut(..octets.len())?.copy_from_slice(octets);
                let bits = u128::from_be_bytes(bits);
                if bits.checked_shl(u32::from(source)).is_some_and(|beyond| beyond != 0) {
                    return None;
                }
                IpAddr::V6(Ipv6Addr::from_bits(bits))
            }
            _ => return None,
        };
        Some(ClientSubnet {
            head: u64::from(CODE) << 48 | (data.len() as u64) << 32 | u64::from(fields),
            address,
        })
    }

    /// [`ClientSubnet::parse`] for options that are nothing but a client subnet of IPv4, with its
    /// option header; `None` for all others, good or bad.
    #[inline(always)]
    pub fn parse_alone(options: &[u8]) -> Option<ClientSubnet> {
        let head = u64::from_be_bytes(*options.first_chunk()?);
        // What resolvers send (RFC 7871 section 11.1): three octets, of which none has a bit too
        // many.
        if head == HEAD_24 && options.len() == 11 {
            let address = Ipv4Addr::from_bits(u32::from_be_bytes(*options.last_chunk()?) << 8);
            return Some(ClientSubnet { head, address: IpAddr::V4(address) });
        }
        let address_len = options.len() - 8;
        let (source, len) = ((head >> 8) as u8, address_len as u64 + 4);
        // Option code, length, family and scope.
        if head & !0xff00 != u64::from(CODE) << 48 | len << 32 | 1 << 16
            || source > 32
            || usize::from(source).div_ceil(8) != address_len
        {
            return None;
        }
        Some(ClientSubnet { head, address: IpAddr::V4(v4_address(options, address_len, source)?) })
    }

    /// The IPv4 address of a client subnet of three octets that is the last thing in a message, as
    /// most are. A guess, made without reading the message: for what may be wrong, and must be
    /// quick.
    #[inline]
    pub fn glance(message: &[u8]) -> Option<u32> {
        let &[c0, c1, l0, l1, f0, f1, _, _, a, b, c] = message.last_chunk()?;
        ([c0, c1, l0, l1, f0, f1] == [0, CODE as u8, 0, 7, 0, 1]).then(|| u32::from_be_bytes([a, b, c, 0]))
    }

    /// Octets of the option in a response, with its four-octet option header.
    #[inline]
    pub fn response_len(&self) -> usize {
        4 + usize::from((self.head >> 32) as u16)
    }

    /// Writes the option for a response: as asked, with the scope filled in. Gives the octets
    /// written, `None` if `out` is too small.
    #[inline(always)]
    pub fn write_response(&self, scope: u8, out: &mut [u8]) -> Option<usize> {
        let address_len = self.response_len() - 8;
        let (head_to, address_to) = out.split_first_chunk_mut()?;
        *head_to = (self.head | u64::from(scope)).to_be_bytes();
        match self.address {
            // Four octets whatever the length is, where there is room; those behind it are written
            // over.
            IpAddr::V4(address) => match address_to.first_chunk_mut() {
                Some(to) => *to = address.octets(),
                None => {
                    address_to.get_mut(..address_len)?.copy_from_slice(address.octets().get(..address_len)?)
                }
            },
            IpAddr::V6(address) => {
                address_to.get_mut(..address_len)?.copy_from_slice(address.octets().get(..address_len)?)
            }
        }
        Some(self.response_len())
    }
}

/// The address in the last octets of an option, at most four; `None` if bits are set behind the
/// source.
#[inline(always)]
fn v4_address(option: &[u8], octets: usize, source: u8) -> Option<Ipv4Addr> {
    // What stands before the address goes out by the shift.
    let bits = u64::from(u32::from_be_bytes(*option.last_chunk()?)) << (32 - 8 * octets);
    ((bits << source) as u32 == 0).then_some(Ipv4Addr::from_bits(bits as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_its_longest_network() {
        for (address, option) in [
            ("192.0.2.1", &[0, 1, 32, 0, 192, 0, 2, 1][..]),
            ("::1", &[&[0, 2, 128, 0][..], &[0; 15], &[1]].concat()),
        ] {
            assert_eq!(
                Some(ClientSubnet::host(address.parse().unwrap())),
                ClientSubnet::parse(option),
                "{address}"
            );
        }
    }

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
            let read = ClientSubnet::parse(data).map(|s| (s.address.to_string(), s.source()));
            assert_eq!(read, meant.map(|(a, s)| (a.to_owned(), s)), "{what}");
            let alone = [&[0, 8, 0, data.len() as u8], *data].concat();
            let expected = ClientSubnet::parse(data).filter(|s| s.family() == 1);
            assert_eq!(ClientSubnet::parse_alone(&alone), expected, "{what}, alone");
            assert_eq!(
                ClientSubnet::parse_alone(&[&alone[..], &[0]].concat()),
                None,
                "{what}, and an octet more"
            );
        }
    }

    #[test]
    fn a_glance_sees_a_subnet_at_the_end() {
        let subnet = [0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2];
        assert_eq!(ClientSubnet::glance(&[&[1, 2, 3], &subnet[..]].concat()), Some(0xc000_0200));
        assert_eq!(ClientSubnet::glance(&[&subnet[..], &[0]].concat()), None, "not at the end");
        assert_eq!(ClientSubnet::glance(&subnet[1..]), None, "too short");
        assert_eq!(ClientSubnet::glance(&[0, 8, 0, 7, 0, 2, 24, 0, 32, 1, 13]), None, "IPv6");
    }

    #[test]
    fn a_response_echoes_the_option() {
        let subnet = ClientSubnet::parse(&[0, 1, 20, 0, 192, 0, 0xf0]).unwrap();
        let mut out = [0; 16];
        let len = subnet.response_len();
        assert_eq!(subnet.write_response(16, &mut out), Some(len));
        assert_eq!(out[..len], [0, 8, 0, 7, 0, 1, 20, 16, 192, 0, 0xf0]);
        assert_eq!(subnet.write_response(16, &mut out[..5]), None);
        let mut tight = [0; 11];
        assert_eq!(subnet.write_response(16, &mut tight), Some(len));
        assert_eq!(tight, out[..len]);
    }
}
