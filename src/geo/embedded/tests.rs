//! One row for each form of an IPv4 client in IPv6, and for the neighbouring addresses.

use super::*;
use std::net::{Ipv4Addr, Ipv6Addr};

/// IPv4 client of each address.
#[test]
fn clients() {
    let rows: [(&str, Option<(&str, u8)>); 18] = [
        ("::ffff:192.0.2.1", Some(("192.0.2.1", 96))),
        ("::ffff:0.0.0.0", Some(("0.0.0.0", 96))),
        ("::ffff:0:192.0.2.1", Some(("192.0.2.1", 96))),
        ("::fffe:0:192.0.2.1", None),
        ("::192.0.2.1", Some(("192.0.2.1", 96))),
        ("::2", Some(("0.0.0.2", 96))),
        ("::", None),
        ("::1", None),
        ("::1:0:0", None),
        ("::fffe:192.0.2.1", None),
        ("64:ff9b::192.0.2.1", Some(("192.0.2.1", 96))),
        ("64:ff9b:1::192.0.2.1", None),
        ("64:ff9b::1:0:0", None),
        ("2002:c000:201:1::9", Some(("192.0.2.1", 16))),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Some(("192.0.2.45", 96))),
        ("2001:1::1", None),
        ("2001:db8::1", None),
        ("fe80::192.0.2.1", None),
    ];
    for (text, expected) in rows {
        let v6: Ipv6Addr = text.parse().unwrap();
        let got = ipv4_in(v6.to_bits()).map(|(v4, offset)| (Ipv4Addr::from_bits(v4).to_string(), offset));
        assert_eq!(got, expected.map(|(v4, offset)| (v4.to_owned(), offset)), "{text}");
    }
}

/// The list of blocks agrees with the function, at both ends of every block and next to them.
#[test]
fn blocks_agree() {
    let is_listed = |bits| holds(Prefix::V6 { bits, len: 128 });
    for pair in BLOCKS.windows(2) {
        assert!(pair[0].0 < pair[1].0);
    }
    for (bits, len) in BLOCKS {
        let last = bits | (u128::MAX >> len);
        for inside in [bits + 2, last] {
            assert!(is_listed(inside) && ipv4_in(inside).is_some(), "{inside:x}");
        }
        for outside in [bits.wrapping_sub(1), last + 1] {
            assert_eq!(is_listed(outside), ipv4_in(outside).is_some(), "{outside:x}");
        }
    }
}
