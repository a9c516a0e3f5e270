//! Tests of `heavy`.

use super::*;

fn v4(network: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(network << 8 | 9))
}

/// A heavy prefix stands first, however many light ones come between.
#[test]
fn the_heaviest_are_found() {
    let heavy = HeavyPrefixes::default();
    for round in 0..10_000 {
        heavy.note(v4(1), 60);
        heavy.note(v4(100 + round), 60);
        if round % 4 == 0 {
            heavy.note("2001:db8:1:2ff::9".parse().unwrap(), 60);
        }
    }
    let list = heavy.list(60);
    assert_eq!(list.len(), PLACES);
    let named: Vec<String> = list[..2].iter().map(|(prefix, _)| prefix.to_string()).collect();
    assert_eq!(named, ["0.0.1.0/24", "2001:db8:1:200::/56"]);
    let least = list[PLACES - 1].1;
    assert!((10_000..=10_000 + least).contains(&list[0].1), "{list:?}");
}

#[test]
fn counts_halve_every_minute() {
    let heavy = HeavyPrefixes::default();
    assert_eq!(heavy.list(0), []);
    (0..100).for_each(|_| heavy.note(v4(7), 600));
    let counts: Vec<u64> =
        [659, 660, 661, 720, 90_000].map(|now| heavy.list(now).first().map_or(0, |row| row.1)).into();
    assert_eq!(counts, [100, 50, 50, 25, 0]);
}
