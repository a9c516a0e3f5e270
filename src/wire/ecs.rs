//! EDNS client subnet (RFC 7871 section 6): the option of a query, strictly checked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Option code (RFC 7871 section 6).
pub(crate) const CODE: u16 = 8;

/// Octets of the longest option in a response, its header of four octets included: a whole address
/// of IPv6.
pub(crate) const RESPONSE_OCTETS_MAX: usize = 4 + 4 + 16;

/// First eight octets of an option with a /24 of IPv4: code, length, family, source and scope.
const HEAD_24: u64 = (CODE as u64) << 48 | 7 << 32 | 1 << 16 | 24 << 8;

/// Valid client subnet option of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSubnet {
    /// First eight octets of the option in the query: code, length, family, source, and scope 0.
    head: u64,
    /// ADDRESS, zero beyond the source prefix; `0.0.0.0` for family 0.
    pub address: IpAddr,
}

impl ClientSubnet {
    /// Client subnet of a single address.
    pub(crate) fn host(address: IpAddr) -> ClientSubnet {
        let (family, source) = if address.is_ipv4() { (1, 32) } else { (2, 128) };
        ClientSubnet {
            head: u64::from(CODE) << 48 | (4 + source / 8) << 32 | family << 16 | source << 8,
            address,
        }
    }

    /// FAMILY as sent: 1 for IPv4, 2 for IPv6; 0 only with source prefix length 0.
    pub fn family(&self) -> u16 {
        (self.head >> 16) as u16
    }

    /// SOURCE PREFIX-LENGTH.
    #[inline(always)]
    pub(crate) fn source(&self) -> u8 {
        (self.head >> 8) as u8
    }

    /// Reads the option's data. `None` is a format error (RFC 7871 section 7.1.2): an unknown
    /// family, a prefix longer than the family's addresses, a scope other than 0, missing or
    /// surplus octets, or bits set beyond the source prefix. Family 0 is accepted with source 0 and
    /// no address.
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

    /// [`ClientSubnet::parse`] for options that consist of one client subnet of IPv4, option header
    /// included; `None` for all others, valid or not.
    #[inline(always)]
    pub(crate) fn parse_alone(options: &[u8]) -> Option<ClientSubnet> {
        let head = u64::from_be_bytes(*options.first_chunk()?);
        // The usual option (RFC 7871 section 11.1): three octets of address, so no bits beyond the
        // source prefix.
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

    /// Octets of the option in a response, its header of four octets included.
    #[inline]
    pub(crate) fn response_len(&self) -> usize {
        4 + usize::from((self.head >> 32) as u16)
    }

    /// Writes the option of a response: the query's option with the scope filled in. Returns the
    /// octets written, or `None` if `out` is too small.
    #[inline(always)]
    pub(crate) fn write_response(&self, scope: u8, out: &mut [u8]) -> Option<usize> {
        let address_len = self.response_len() - 8;
        let (head_to, address_to) = out.split_first_chunk_mut()?;
        *head_to = (self.head | u64::from(scope)).to_be_bytes();
        match self.address {
            // Copies four octets if there is room, because a copy of fixed length is faster. The
            // next option overwrites the octets beyond `address_len`, or they lie behind the end
            // of the message.
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

/// Address in the last octets of an option, at most four; `None` if bits are set beyond the source
/// prefix.
#[inline(always)]
fn v4_address(option: &[u8], octets: usize, source: u8) -> Option<Ipv4Addr> {
    // The shift drops the octets before the address.
    let bits = u64::from(u32::from_be_bytes(*option.last_chunk()?)) << (32 - 8 * octets);
    ((bits << source) as u32 == 0).then_some(Ipv4Addr::from_bits(bits as u32))
}

#[cfg(test)]
mod tests;
