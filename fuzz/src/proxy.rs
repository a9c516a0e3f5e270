//! A datagram of a balancer: a PROXY header, and a message behind it.

use meridian::testing::wire::proxy_header::{Front, ProxyFault, ProxyHeader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest header that is read.
const HEADER_MAX: usize = 2_048;

/// Read in pieces, the octets give the same header or the same fault as at once. A header ends
/// inside the octets, and its client is the one that its octets have.
pub fn proxy(data: &[u8]) {
    let whole = ProxyHeader::front(data);
    let mut front = Ok(Front::Partial(0));
    for len in 0..=data.len() {
        front = ProxyHeader::front(&data[..len]);
        let Ok(Front::Partial(needed)) = front else { break };
        assert!(needed > len && needed <= HEADER_MAX, "{needed} octets needed after {len}");
    }
    assert_eq!(front, whole);
    let read = ProxyHeader::of_datagram(data);
    match whole {
        Ok(Front::Whole(header)) => {
            assert_eq!(read, Ok(header));
            assert!((16..=data.len().min(HEADER_MAX)).contains(&header.len));
            let rest = u16::from_be_bytes([data[14], data[15]]);
            assert_eq!(header.len, 16 + usize::from(rest));
            assert_eq!(header.client, client(data));
            // The message behind the header changes nothing.
            assert_eq!(ProxyHeader::of_datagram(&data[..header.len]), Ok(header));
        }
        Ok(Front::Partial(_)) => {
            assert!(matches!(read, Err(ProxyFault::Missing | ProxyFault::Length)), "{read:?}");
        }
        Err(fault) => assert_eq!(read, Err(fault)),
    }
}

/// The client of a sound header, by the tables of proxy-protocol.txt.
fn client(data: &[u8]) -> Option<(IpAddr, u16)> {
    let port = |at: usize| u16::from_be_bytes([data[at], data[at + 1]]);
    match (data[12], data[13]) {
        (0x21, 0x11 | 0x12) => {
            let address: [u8; 4] = data[16..20].try_into().expect("four octets");
            Some((Ipv4Addr::from(address).into(), port(24)))
        }
        (0x21, 0x21 | 0x22) => {
            let address: [u8; 16] = data[16..32].try_into().expect("sixteen octets");
            Some((Ipv6Addr::from(address).to_canonical(), port(48)))
        }
        _ => None,
    }
}
