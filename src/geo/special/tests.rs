//! The registered blocks by name, and properties of all blocks.

use super::*;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Block of each address.
#[test]
fn blocks_by_address() {
    let rows = [
        ("0.1.2.3", "0.0.0.0/8"),
        ("10.255.255.255", "10.0.0.0/8"),
        ("11.0.0.0", ""),
        ("100.64.0.1", "100.64.0.0/10"),
        ("100.128.0.0", ""),
        ("127.0.0.1", "127.0.0.0/8"),
        ("169.254.9.9", "169.254.0.0/16"),
        ("172.31.255.255", "172.16.0.0/12"),
        ("172.32.0.0", ""),
        ("192.0.0.8", "192.0.0.0/24"),
        ("192.0.2.1", "192.0.2.0/24"),
        ("192.168.1.1", "192.168.0.0/16"),
        ("198.19.0.1", "198.18.0.0/15"),
        ("198.51.100.1", "198.51.100.0/24"),
        ("203.0.113.1", "203.0.113.0/24"),
        ("224.0.0.1", "224.0.0.0/4"),
        ("240.0.0.1", "240.0.0.0/4"),
        ("255.255.255.255", "240.0.0.0/4"),
        ("8.8.8.8", ""),
        ("::", "::/128"),
        ("::1", "::1/128"),
        ("::ffff:10.1.2.3", "::ffff:10.0.0.0/104"),
        ("::ffff:8.8.8.8", ""),
        ("64:ff9b::10.1.2.3", "64:ff9b::a00:0/104"),
        ("2002:0a01::1", "2002:a00::/24"),
        ("2002:0808:0808::1", ""),
        ("64:ff9b:1::1", "64:ff9b:1::/48"),
        ("100::5", "100::/64"),
        ("fd12::1", "fc00::/7"),
        ("fe80::1", "fe80::/10"),
        ("fec0::1", "fec0::/10"),
        ("ff02::1", "ff00::/8"),
        ("2001:db8::1", "2001:db8::/32"),
        ("3fff:fff::1", "3fff::/20"),
        ("3fff:1000::1", ""),
        ("5f00::1", "5f00::/16"),
        ("2001:2::1", "2001:2::/48"),
        ("2001:10::1", "2001:10::/28"),
        ("2001:20::1", ""),
        ("2001:4:112::1", ""),
        ("2001:200::1", ""),
        ("2a00::1", ""),
        ("6000::1", "6000::/3"),
        ("8000::1", "8000::/2"),
        ("1000::1", "1000::/4"),
    ];
    for (address, expected) in rows {
        let got = special_block(address.parse().unwrap()).map_or(String::new(), |p| p.to_string());
        assert_eq!(got, expected, "{address}");
    }
}

/// Blocks are disjoint, and every address of a block has that block.
#[test]
fn the_lists_are_disjoint_and_agree() {
    for pair in V4_BLOCKS.windows(2) {
        assert!(pair[0].0 | (u32::MAX >> pair[0].1) < pair[1].0);
    }
    let blocks = v6_blocks();
    for pair in blocks.windows(2) {
        assert!(pair[0].0 | u128::MAX.checked_shr(pair[0].1.into()).unwrap_or(0) < pair[1].0);
    }
    for (bits, len) in blocks {
        let last = bits | u128::MAX.checked_shr(len.into()).unwrap_or(0);
        for address in [bits, last] {
            assert_eq!(v6_block(address), Some((bits, len)), "{}", Ipv6Addr::from_bits(address));
            assert!(!embedded::holds(Prefix::V6 { bits: address, len: 128 }));
        }
    }
}

/// An IPv6 address with runs of zeros and ones, so that it is often near a block's edge.
fn ragged() -> impl Strategy<Value = u128> {
    let anchors: Vec<u128> = V6_REGISTERED
        .iter()
        .chain(&V6_REGIONS)
        .chain(&V6_USABLE)
        .chain(&embedded::BLOCKS)
        .map(|b| b.0)
        .collect();
    (any::<u128>(), 0..=128u32, proptest::sample::select(anchors))
        .prop_map(|(noise, keep, anchor)| anchor ^ noise.checked_shr(keep).unwrap_or(0))
}

proptest! {
    /// The block of an address contains it, and all of its addresses have the same block.
    #[test]
    fn a_block_is_one_thing(address in ragged(), noise in any::<u128>()) {
        if embedded::ipv4_in(address).is_none()
            && let Some(Prefix::V6 { bits, len }) = special_block(IpAddr::V6(Ipv6Addr::from_bits(address)))
        {
            prop_assert_eq!(truncate_v6(address, len), bits);
            let other = bits | (noise & u128::MAX.checked_shr(len.into()).unwrap_or(0));
            prop_assert!(embedded::ipv4_in(other).is_none());
            prop_assert_eq!(
                special_block(IpAddr::V6(Ipv6Addr::from_bits(other))),
                Some(Prefix::V6 { bits, len })
            );
        }
    }

    /// The list contains an address exactly if the function finds a block for it.
    #[test]
    fn the_list_is_complete(address in ragged()) {
        let listed = v6_blocks().into_iter().any(|b| covers(b, address, 128));
        let is_embedded = embedded::holds(Prefix::V6 { bits: address, len: 128 });
        let known = !is_embedded && v6_block(address).is_some();
        prop_assert_eq!(listed, known);
    }

    /// IPv4 blocks contain the addresses for which they are returned.
    #[test]
    fn v4_blocks_hold(address in any::<u32>()) {
        let address = IpAddr::V4(Ipv4Addr::from_bits(address));
        if let Some(block) = special_block(address) {
            prop_assert!(block.contains(address));
        }
    }
}
