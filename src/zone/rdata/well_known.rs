//! WKS: services at an address (RFC 1035 section 3.4.2), `192.0.2.1 tcp smtp 80`.
//!
//! Ports form a bitmap. Other servers take names of protocols and ports from files of the machine;
//! Meridian knows only those names of RFC 1010 that are still in use.

use super::RdataError;
use super::token::Token;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

const PROTOCOLS: [(&str, u8); 3] = [("icmp", 1), ("tcp", 6), ("udp", 17)];

const PORTS: [(&str, u16); 22] = [
    ("echo", 7),
    ("discard", 9),
    ("daytime", 13),
    ("chargen", 19),
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("time", 37),
    ("domain", 53),
    ("tftp", 69),
    ("gopher", 70),
    ("finger", 79),
    ("http", 80),
    ("pop3", 110),
    ("sunrpc", 111),
    ("nntp", 119),
    ("ntp", 123),
    ("imap", 143),
    ("snmp", 161),
    ("https", 443),
];

/// Octets of address, protocol and ports in text.
pub(super) fn encode(tokens: &[Token]) -> Result<Vec<u8>, RdataError> {
    let [address, protocol, ports @ ..] = tokens else {
        return Err(RdataError::new("the data must be an IPv4 address, a protocol and ports"));
    };
    let address: Ipv4Addr = address
        .raw
        .parse()
        .map_err(|_| RdataError::new(format!("`{}` is not an IPv4 address", address.raw)))?;
    let protocol = number(&protocol.raw, &PROTOCOLS).ok_or_else(|| {
        RdataError::new(format!("the protocol `{}` is not known", protocol.raw))
            .help("write its number (6 is TCP, 17 is UDP)")
    })?;
    let mut map = Vec::new();
    for port in ports {
        let number = number(&port.raw, &PORTS).ok_or_else(|| {
            RdataError::new(format!("the service `{}` is not known", port.raw))
                .help("write the number of its port")
        })?;
        let place = usize::from(number / 8);
        if map.len() <= place {
            map.resize(place + 1, 0u8);
        }
        if let Some(octet) = map.get_mut(place) {
            *octet |= 0x80 >> (number % 8);
        }
    }
    let mut octets = address.octets().to_vec();
    octets.push(protocol);
    octets.append(&mut map);
    Ok(octets)
}

/// Number that a word is, or stands for.
fn number<N: Copy + std::str::FromStr>(word: &str, names: &[(&str, N)]) -> Option<N> {
    let named = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, number)| *number);
    named.or_else(|| word.parse().ok().filter(|_| !word.starts_with('+')))
}

/// True for an address, a protocol and a bitmap of at most all ports.
pub(super) fn is_valid(rdata: &[u8]) -> bool {
    (5..=5 + 8_192).contains(&rdata.len())
}

/// Address, protocol and ports as numbers.
pub(super) fn decode(rdata: &[u8]) -> Option<String> {
    let (address, [protocol, map @ ..]) = rdata.split_first_chunk::<4>()? else { return None };
    let mut text = format!("{} {protocol}", Ipv4Addr::from(*address));
    for (place, octet) in map.iter().enumerate() {
        for bit in (0..8).filter(|bit| octet & 0x80 >> bit != 0) {
            write!(text, " {}", place * 8 + bit).ok()?;
        }
    }
    Some(text)
}
