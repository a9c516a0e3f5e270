//! Tests of `proxy_header`: golden headers, faults at their octet, and any octets.

use super::*;
use proptest::prelude::*;

/// Octets of hexadecimal digits, with blanks anywhere.
fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).expect("digits"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("a digit")).collect()
}

/// A header with these octets behind the signature.
fn header(rest: &str) -> Vec<u8> {
    octets(&format!("0d0a0d0a000d0a515549540a {rest}"))
}

/// TCP over IPv4 from 192.0.2.1, port 56324, to 198.51.100.7, port 53.
const V4: &str = "21 11 000c c0000201 c6336407 dc04 0035";
/// Destination ::1, and the ports 49320 and 53.
const V6_REST: &str = "00000000000000000000000000000001 c0a8 0035";

#[test]
fn golden_headers() {
    let v6 = |source: &str| format!("21 22 0024 {source} {V6_REST}");
    for (what, rest, client) in [
        ("TCP over IPv4", V4.to_owned(), Some("192.0.2.1:56324")),
        ("UDP over IPv4", V4.replacen("11", "12", 1), Some("192.0.2.1:56324")),
        ("UDP over IPv6", v6("20010db8000000000000000000000007"), Some("[2001:db8::7]:49320")),
        ("IPv4 inside IPv6", v6("00000000000000000000ffffc0000201"), Some("192.0.2.1:49320")),
        ("a port that is not known", V4.replace("dc04", "0000"), Some("192.0.2.1:0")),
        // AWS adds the ID of a VPC endpoint, haproxy a checksum and padding.
        (
            "TLVs",
            "21 11 001e c0000201 c6336407 dc04 0035 ea 0003 017670 03 0004 01020304 04 0002 0000".to_owned(),
            Some("192.0.2.1:56324"),
        ),
        (
            "an empty TLV",
            "21 11 000f c0000201 c6336407 dc04 0035 04 0000".to_owned(),
            Some("192.0.2.1:56324"),
        ),
        ("LOCAL", "20 00 0000".to_owned(), None),
        ("LOCAL with addresses", V4.replacen("21", "20", 1), None),
        ("LOCAL of an unknown family, with octets", "20 ff 0003 ffffff".to_owned(), None),
        ("an unspecified family", "21 00 0000".to_owned(), None),
        ("an unspecified family, with octets", "21 00 0002 ffff".to_owned(), None),
        ("an unspecified protocol", V4.replacen("11", "10", 1), None),
        ("an unspecified family of UDP", "21 02 0000".to_owned(), None),
        ("AF_UNIX", format!("21 31 00d8 {}", "00".repeat(216)), None),
    ] {
        let whole = header(&rest);
        let client = client.map(|client| client.parse::<std::net::SocketAddr>().expect("an address"));
        let client = client.map(|client| (client.ip(), client.port()));
        let expected = ProxyHeader { len: whole.len(), client };
        assert_eq!(ProxyHeader::of_datagram(&whole), Ok(expected), "{what}");
        // A message behind the header is not read.
        let with_message = [&whole[..], &[0xff; 40]].concat();
        assert_eq!(ProxyHeader::of_datagram(&with_message), Ok(expected), "{what}");
    }
}

/// Each fault, and the number of octets with which it is found.
#[test]
fn faults_are_found_at_once() {
    let long = PROXY_HEADER_MAX - FIXED_LEN + 1;
    for (what, octets, fault, at) in [
        ("a query", octets("1234 0100 0001 0000 0000 0000"), ProxyFault::Missing, 1),
        ("version 1", b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 53\r\n".to_vec(), ProxyFault::Missing, 1),
        ("a wrong end of the signature", octets("0d0a0d0a000d0a515549540d"), ProxyFault::Missing, 12),
        ("version 1 in the binary form", header("11"), ProxyFault::Version, 13),
        ("version 3", header("31"), ProxyFault::Version, 13),
        ("command 2", header("22"), ProxyFault::Version, 13),
        ("family 4", header("21 41"), ProxyFault::Family, 14),
        ("protocol 3", header("21 13"), ProxyFault::Family, 14),
        ("too short for IPv4", header("21 11 000b"), ProxyFault::Length, 16),
        ("too short for IPv6", header("21 21 0023"), ProxyFault::Length, 16),
        ("too long", header(&format!("20 00 {long:04x}")), ProxyFault::Length, 16),
        ("half a TLV", header("21 11 000e c0000201 c6336407 dc04 0035 0400"), ProxyFault::Length, 30),
        (
            "a TLV past the end",
            header("21 11 0010 c0000201 c6336407 dc04 0035 04000200"),
            ProxyFault::Length,
            32,
        ),
        (
            "the unspecified address",
            header("21 11 000c 00000000 c6336407 dc04 0035"),
            ProxyFault::Address,
            28,
        ),
        ("multicast", header("21 12 000c e0000001 c6336407 dc04 0035"), ProxyFault::Address, 28),
        ("broadcast", header("21 12 000c ffffffff c6336407 dc04 0035"), ProxyFault::Address, 28),
        (
            "IPv6 multicast",
            header(&format!("21 22 0024 ff020000000000000000000000000001 {V6_REST}")),
            ProxyFault::Address,
            52,
        ),
    ] {
        for len in 0..=octets.len() {
            let front = ProxyHeader::front(&octets[..len]);
            match front {
                Ok(Front::Partial(needed)) => assert!(len < at && needed > len, "{what}: {len}"),
                _ => assert_eq!((front, len >= at), (Err(fault), true), "{what}: {len}"),
            }
        }
    }
    // A datagram ends where its octets end.
    for len in 0..28 {
        let fault = if len < 12 { ProxyFault::Missing } else { ProxyFault::Length };
        assert_eq!(ProxyHeader::of_datagram(&header(V4)[..len]), Err(fault), "{len}");
    }
}

/// The longest header is read.
#[test]
fn the_longest_header() {
    let rest = PROXY_HEADER_MAX - FIXED_LEN;
    let whole = [header(&format!("20 00 {rest:04x}")), vec![7; rest]].concat();
    let expected = ProxyHeader { len: PROXY_HEADER_MAX, client: None };
    assert_eq!(ProxyHeader::of_datagram(&whole), Ok(expected));
}

/// Octets that are often almost a header.
fn almost() -> impl Strategy<Value = Vec<u8>> {
    let command = prop_oneof![4 => Just(PROXY), 2 => Just(LOCAL), 1 => any::<u8>()];
    let family = prop_oneof![6 => prop::sample::select(&[0x11u8, 0x12, 0x21, 0x22][..]), 1 => any::<u8>()];
    let rest = prop::collection::vec(any::<u8>(), 0..80);
    (command, family, 0u16..100, rest).prop_map(|(command, family, len, rest)| {
        [&SIGNATURE[..], &[command, family], &len.to_be_bytes(), &rest].concat()
    })
}

proptest! {
    /// Octets are read alike at once and one by one; a fault stays; what is needed is needed.
    #[test]
    fn any_octets(octets in prop_oneof![almost(), prop::collection::vec(any::<u8>(), 0..80)]) {
        let whole = ProxyHeader::front(&octets);
        let mut before = Ok(Front::Partial(0));
        for len in 0..=octets.len() {
            let front = ProxyHeader::front(&octets[..len]);
            match before {
                Ok(Front::Partial(needed)) => {
                    prop_assert!(matches!(front, Ok(Front::Partial(_)) | Err(_)) || len >= needed);
                }
                decided => prop_assert_eq!(front, decided),
            }
            if let Ok(Front::Partial(needed)) = front {
                prop_assert!(needed > len && needed <= PROXY_HEADER_MAX);
            }
            if let Ok(Front::Whole(header)) = front {
                prop_assert!(header.len <= len);
            }
            before = front;
        }
        prop_assert_eq!(before, whole);
    }

    /// A header made of any unicast client and any TLVs gives the client back.
    #[test]
    fn clients_come_back(
        address in prop_oneof![
            any::<[u8; 4]>().prop_map(IpAddr::from),
            any::<[u8; 16]>().prop_map(IpAddr::from),
        ],
        port in any::<u16>(),
        tlvs in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..8),
    ) {
        let (family, mut body) = match address {
            IpAddr::V4(address) => (0x12, [&address.octets()[..], &[9; 4]].concat()),
            IpAddr::V6(address) => (0x22, [&address.octets()[..], &[9; 16]].concat()),
        };
        body.extend_from_slice(&port.to_be_bytes());
        body.extend_from_slice(&[0, 53]);
        for (kind, value) in &tlvs {
            body.push(*kind);
            body.extend_from_slice(&(value.len() as u16).to_be_bytes());
            body.extend_from_slice(value);
        }
        let len = (body.len() as u16).to_be_bytes();
        let whole = [&SIGNATURE[..], &[PROXY, family], &len, &body].concat();
        let address = address.to_canonical();
        let is_client = !address.is_unspecified() && !address.is_multicast()
            && address != IpAddr::V4(Ipv4Addr::BROADCAST);
        let expected = match is_client {
            true => Ok(ProxyHeader { len: whole.len(), client: Some((address, port)) }),
            false => Err(ProxyFault::Address),
        };
        prop_assert_eq!(ProxyHeader::of_datagram(&whole), expected);
    }
}
