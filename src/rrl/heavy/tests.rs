//! Tests of `heavy`.

use super::*;
use std::net::Ipv4Addr;

fn v4(network: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(network << 8 | 9))
}

/// A random number with which an answer is noted.
fn taken() -> u64 {
    (0..).find(|draw| mix(*draw, SAMPLE).is_multiple_of(SAMPLE)).unwrap()
}

/// A heavy prefix stands first, however many light ones come between.
#[test]
fn the_heaviest_are_found() {
    let (heavy, draw) = (HeavyPrefixes::default(), taken());
    for round in 0..10_000 {
        heavy.note(v4(1), 60, draw);
        heavy.note(v4(100 + round), 60, draw);
        if round % 4 == 0 {
            heavy.note("2001:db8:1:2ff::9".parse().unwrap(), 60, draw);
        }
    }
    let list = heavy.list(60);
    assert_eq!(list.len(), PLACES);
    let named: Vec<String> = list[..2].iter().map(|(prefix, _)| prefix.to_string()).collect();
    assert_eq!(named, ["0.0.1.0/24", "2001:db8:1:200::/56"]);
    let least = list[PLACES - 1].1;
    assert!((80_000..=80_000 + least).contains(&list[0].1), "{list:?}");
}

#[test]
fn counts_halve_every_minute() {
    let heavy = HeavyPrefixes::default();
    assert_eq!(heavy.list(0), []);
    (0..100).for_each(|_| heavy.note(v4(7), 600, taken()));
    let counts: Vec<u64> =
        [659, 660, 661, 720, 90_000].map(|now| heavy.list(now).first().map_or(0, |row| row.1)).into();
    assert_eq!(counts, [800, 400, 400, 200, 0]);
}

/// Two workers, one of which has read the clock before the minute ended, halve the counts once.
#[test]
fn a_minute_ends_once() {
    let heavy = HeavyPrefixes::default();
    (0..100).for_each(|_| heavy.note(v4(7), 659, taken()));
    for now in [660, 659].into_iter().cycle().take(100) {
        heavy.note(v4(7), now, taken());
    }
    assert_eq!(heavy.list(660)[0].1, 400 + 100 * SAMPLE);
    // A clock that is set back halves nothing, and the next minute does.
    assert_eq!(heavy.list(60)[0].1, 400 + 100 * SAMPLE);
    assert_eq!(heavy.list(120)[0].1, 200 + 50 * SAMPLE);
}

/// One in eight answers is noted, and counts as eight.
#[test]
fn counts_are_sampled() {
    let heavy = HeavyPrefixes::default();
    (0..80_000).for_each(|draw| heavy.note(v4(7), 60, draw));
    let count = heavy.list(60)[0].1;
    assert!((76_000..84_000).contains(&count), "{count}");
}
