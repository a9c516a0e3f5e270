//! Tests of `ecs`.

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

/// Each row: label, option data, and the expected address and source prefix length.
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
