//! Tests of `proxies`.

use super::*;
use proptest::prelude::*;

#[test]
fn edges_of_blocks() {
    let prefixes = [
        ("10.0.0.0", 8),
        ("10.1.0.0", 16),
        ("192.0.2.7", 32),
        ("255.255.255.255", 32),
        ("2001:db8::", 32),
        ("::1", 128),
    ];
    let prefixes = prefixes.map(|(address, len)| Prefix::new(address.parse().expect("an address"), len));
    let proxies = Proxies::new(prefixes.into());
    for (address, expected) in [
        ("9.255.255.255", false),
        ("10.0.0.0", true),
        ("10.1.2.3", true),
        ("10.255.255.255", true),
        ("11.0.0.0", false),
        ("192.0.2.6", false),
        ("192.0.2.7", true),
        ("::ffff:192.0.2.7", true),
        ("192.0.2.8", false),
        ("255.255.255.255", true),
        ("0.0.0.0", false),
        ("::", false),
        ("::1", true),
        ("::2", false),
        ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true),
        ("2001:db9::", false),
    ] {
        assert_eq!(proxies.contains(address.parse().expect("an address")), expected, "{address}");
    }
}

#[test]
fn whole_families() {
    let of = |address: &str| Proxies::new(vec![Prefix::new(address.parse().expect("an address"), 0)]);
    for address in ["0.0.0.0", "192.0.2.1", "255.255.255.255"] {
        let address = address.parse().expect("an address");
        assert!(of("0.0.0.0").contains(address) && !of("::").contains(address));
    }
    assert!(of("::").contains("2001:db8::1".parse().expect("an address")));
    assert!(!Proxies::new(Vec::new()).contains("192.0.2.1".parse().expect("an address")));
}

proptest! {
    /// Lists of either family contain an address exactly if one of their prefixes does.
    #[test]
    fn as_a_search_finds(
        listed in prop::collection::vec((any::<[u8; 2]>(), 0u8..=32, any::<bool>()), 0..12),
        asked in prop::collection::vec((any::<[u8; 2]>(), any::<bool>()), 20),
    ) {
        let address = |[a, b]: [u8; 2], is_v6: bool| -> IpAddr {
            match is_v6 {
                true => [0x2000 + u16::from(a % 4), u16::from(b), 0, 0, 0, 0, 0, 1].into(),
                false => [10 + a % 4, b, 0, 1].into(),
            }
        };
        let prefixes: Vec<Prefix> =
            listed.into_iter().map(|(octets, len, is_v6)| Prefix::new(address(octets, is_v6), len)).collect();
        let proxies = Proxies::new(prefixes.clone());
        for (octets, is_v6) in asked {
            let asked = address(octets, is_v6);
            let expected = prefixes.iter().any(|prefix| prefix.contains(asked));
            prop_assert_eq!(proxies.contains(asked), expected);
        }
    }
}
