//! EDNS client subnet (RFC 7871 section 6): the option as asked, checked to the last bit.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Option code (RFC 7871 section 6).
pub(crate) const CODE: u16 = 8;

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
    pub(crate) fn host(address: IpAddr) -> ClientSubnet {
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
    pub(crate) fn source(&self) -> u8 {
        (self.head >> 8) as u8
    }

    /// Reads the option's data. `None` is a format error (RFC 7871 section 7.1.2): an unknown
    /// family, a prefix longer than the family's address, a scope that is not zero, octets missing
    /// or surplus, or bits set beyond the source. Family 0 is tolerated with source 0 and no
    /// address.
    #[inline(always)]
    pub(crate) fn parse(data: &[u8]) -> Option<ClientSubnet> {
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
    pub(crate) fn parse_alone(options: &[u8]) -> Option<ClientSubnet> {
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

    /// Octets of the option in a response, with its four-octet option header.
    #[inline]
    pub(crate) fn response_len(&self) -> usize {
        4 + usize::from((self.head >> 32) as u16)
    }

    /// Writes the option for a response: as asked, with the scope filled in. Gives the octets
    /// written, `None` if `out` is too small.
    #[inline(always)]
    pub(crate) fn write_response(&self, scope: u8, out: &mut [u8]) -> Option<usize> {
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
mod tests;
