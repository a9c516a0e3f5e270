//! PROXY headers, version 2 (haproxy's proxy-protocol.txt, section 2.2): the client for which a
//! balancer passes on a datagram or a stream.
//!
//! ```text
//! signature   12 octets
//! version     4 bits: 2     command   4 bits: LOCAL, PROXY
//! family      4 bits        protocol  4 bits
//! length      2 octets, of all that follows
//! addresses   source, destination, source port, destination port: 12 (IPv4) or 36 octets (IPv6)
//! TLVs        type, length (2 octets), value
//! ```
//!
//! The protocol of the client may differ from ours, because a balancer may pass on over UDP the
//! query of a stream, and the family, because it may have clients of both. The destination and the
//! TLVs are not used. A checksum among the TLVs is not verified, as the section permits.

use crate::limits::PROXY_HEADER_MAX;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// First octets of every header.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Octets in front of the addresses.
const FIXED_LEN: usize = 16;
/// Version 2 with the command LOCAL: the balancer speaks for itself, as in a health check.
const LOCAL: u8 = 0x20;
/// Version 2 with the command PROXY.
const PROXY: u8 = 0x21;
/// Highest family (AF_UNIX) and protocol (DGRAM).
const FAMILY_MAX: u8 = 3;
const PROTOCOL_MAX: u8 = 2;
/// Octets of type and length of a TLV.
const TLV_FIXED_LEN: usize = 3;

/// A whole header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyHeader {
    /// Octets of the header: the message or stream begins behind them.
    pub len: usize,
    /// Address and port of the client, IPv4 inside IPv6 as IPv4. `None` if the header names no
    /// client (LOCAL, an unspecified family or protocol, AF_UNIX): then the addresses of the
    /// connection itself hold. Port 0 is a port that the balancer does not know.
    pub client: Option<(IpAddr, u16)>,
}

/// Header at the front of some octets, as far as they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// All of it is there.
    Whole(ProxyHeader),
    /// The octets begin a header, which needs at least this many.
    Partial(usize),
}

/// Fault of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    /// There is none: the octets do not begin with the signature.
    Missing,
    /// Unknown version or command.
    Version,
    /// Unknown family or protocol.
    Family,
    /// Its length does not hold its addresses, a TLV ends outside it, it is longer than
    /// [`PROXY_HEADER_MAX`], or the octets end before it.
    Length,
    /// The client's address is unspecified, multicast or broadcast.
    Address,
}

impl ProxyHeader {
    /// Reads the header at the front of a stream. A fault is found as soon as the octets show it.
    pub fn front(octets: &[u8]) -> Result<Front, ProxyFault> {
        if octets.iter().zip(SIGNATURE).any(|(octet, expected)| *octet != expected) {
            return Err(ProxyFault::Missing);
        }
        let rest = octets.get(SIGNATURE.len()..).unwrap_or_default();
        if rest.first().is_some_and(|command| !matches!(*command, LOCAL | PROXY)) {
            return Err(ProxyFault::Version);
        }
        let [command, family, high, low, rest @ ..] = rest else {
            // A family is wrong only behind the command PROXY.
            if let [PROXY, family, ..] = rest {
                Addresses::of(*family)?;
            }
            return Ok(Front::Partial(FIXED_LEN));
        };
        let addresses = if *command == LOCAL { Addresses::Unspecified } else { Addresses::of(*family)? };
        let rest_len = usize::from(u16::from_be_bytes([*high, *low]));
        let len = FIXED_LEN + rest_len;
        if len > PROXY_HEADER_MAX || rest_len < addresses.len() {
            return Err(ProxyFault::Length);
        }
        match rest.get(..rest_len) {
            Some(rest) => Ok(Front::Whole(ProxyHeader { len, client: addresses.client(rest)? })),
            None => Ok(Front::Partial(len)),
        }
    }

    /// Reads the header at the front of a datagram, which holds all of it.
    pub fn of_datagram(octets: &[u8]) -> Result<ProxyHeader, ProxyFault> {
        match ProxyHeader::front(octets)? {
            Front::Whole(header) => Ok(header),
            Front::Partial(_) => Err(ProxyFault::of_end(octets.len())),
        }
    }
}

impl ProxyFault {
    /// Fault of a datagram or stream that ends after `len` octets, which begin a header.
    pub fn of_end(len: usize) -> ProxyFault {
        if len < SIGNATURE.len() { ProxyFault::Missing } else { ProxyFault::Length }
    }
}

/// Addresses of a header.
#[derive(Clone, Copy)]
enum Addresses {
    /// None that are used.
    Unspecified,
    V4,
    V6,
}

impl Addresses {
    /// Addresses for the octet of family and protocol.
    fn of(octet: u8) -> Result<Addresses, ProxyFault> {
        match (octet >> 4, octet & 0x0f) {
            (family, protocol) if family > FAMILY_MAX || protocol > PROTOCOL_MAX => Err(ProxyFault::Family),
            (1, 1..) => Ok(Addresses::V4),
            (2, 1..) => Ok(Addresses::V6),
            _ => Ok(Addresses::Unspecified),
        }
    }

    /// Octets of addresses and ports.
    fn len(self) -> usize {
        match self {
            Addresses::Unspecified => 0,
            Addresses::V4 => 12,
            Addresses::V6 => 36,
        }
    }

    /// The client that the octets behind the length name.
    fn client(self, octets: &[u8]) -> Result<Option<(IpAddr, u16)>, ProxyFault> {
        let (address, port): (IpAddr, [u8; 2]) = match (self, octets) {
            (Addresses::Unspecified, _) => return Ok(None),
            (Addresses::V4, [a, b, c, d, _, _, _, _, high, low, ..]) => {
                (Ipv4Addr::new(*a, *b, *c, *d).into(), [*high, *low])
            }
            (Addresses::V6, _) => {
                let (address, rest) = octets.split_first_chunk::<16>().ok_or(ProxyFault::Length)?;
                let port = rest.get(16..18).and_then(<[u8]>::first_chunk).ok_or(ProxyFault::Length)?;
                (Ipv6Addr::from(*address).to_canonical(), *port)
            }
            _ => return Err(ProxyFault::Length),
        };
        skip_tlvs(octets.get(self.len()..).ok_or(ProxyFault::Length)?)?;
        let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
        if address.is_unspecified() || address.is_multicast() || is_broadcast {
            return Err(ProxyFault::Address);
        }
        Ok(Some((address, u16::from_be_bytes(port))))
    }
}

/// Passes over TLVs, which must fill the octets.
fn skip_tlvs(mut octets: &[u8]) -> Result<(), ProxyFault> {
    while !octets.is_empty() {
        let [_, high, low, ..] = octets else { return Err(ProxyFault::Length) };
        let len = TLV_FIXED_LEN + usize::from(u16::from_be_bytes([*high, *low]));
        octets = octets.get(len..).ok_or(ProxyFault::Length)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
