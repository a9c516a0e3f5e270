//! Tests of `known`.

use super::*;
use std::collections::HashSet;

const AFTER: u32 = 60;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn listed(known: &KnownPrefixes, now: u32) -> Vec<String> {
    known.list(now, AFTER).iter().map(ToString::to_string).collect()
}

/// Two notes a minute apart make a prefix known, any address of it counts, and the prefix with most
/// notes stands first; one hour without a note ends it. Seconds may pass 2^32.
#[test]
fn a_prefix_becomes_known_and_is_forgotten() {
    for begin in [1_000, u32::MAX - 30] {
        let known = KnownPrefixes::default();
        let at = |secs: u32| begin.wrapping_add(secs);
        known.note(address("192.0.2.1"), at(0), AFTER);
        known.note(address("192.0.2.2"), at(59), AFTER);
        known.note(address("2001:db8:1::1"), at(0), AFTER);
        assert_eq!(listed(&known, at(59)), [""; 0]);
        known.note(address("::ffff:192.0.2.3"), at(60), AFTER);
        known.note(address("2001:db8:1:ffff::1"), at(70), AFTER);
        assert_eq!(listed(&known, at(70)), ["192.0.2.0/24", "2001:db8:1::/48"]);
        assert_eq!(listed(&known, at(60 + 3_600)), ["192.0.2.0/24", "2001:db8:1::/48"]);
        assert_eq!(listed(&known, at(61 + 3_600)), ["2001:db8:1::/48"]);
        // A forgotten prefix begins anew.
        known.note(address("192.0.2.1"), at(5_000), AFTER);
        assert_eq!(listed(&known, at(5_000)), [""; 0]);
        known.note(address("192.0.2.1"), at(5_060), AFTER);
        assert_eq!(listed(&known, at(5_060)), ["192.0.2.0/24"]);
    }
}

/// Notes of long ago count little: a prefix that asked much hours ago stands behind one that asks
/// now.
#[test]
fn notes_grow_old() {
    let known = KnownPrefixes::default();
    let begin = 36_000;
    for now in begin..begin + 1_000 {
        known.note(address("192.0.2.1"), now, AFTER);
    }
    for hour in 0..5 {
        known.note(address("192.0.2.1"), begin + hour * 3_600 + 1_800, AFTER);
    }
    let later = begin + 4 * 3_600 + 1_800;
    for now in later..later + 100 {
        known.note(address("203.0.113.1"), now, AFTER);
    }
    assert_eq!(listed(&known, later + 100), ["203.0.113.0/24", "192.0.2.0/24"]);
}

/// A table is young for ten times the time between two notes, but at most an hour, from the first
/// note on.
#[test]
fn a_table_grows_old() {
    let known = KnownPrefixes::default();
    assert!(known.is_young(1_000_000, AFTER));
    known.note(address("192.0.2.1"), 1_000, AFTER);
    for (now, after, is_young) in [
        (1_000, AFTER, true),
        (1_599, AFTER, true),
        (1_600, AFTER, false),
        (4_599, 1_800, true),
        (4_600, 1_800, false),
    ] {
        assert_eq!(known.is_young(now, after), is_young, "{now} {after}");
    }
    known.note(address("192.0.2.1"), 1_700, AFTER);
    assert!(!known.is_young(1_700, AFTER), "later notes change nothing");
}

/// Workers that note across the turn of a second change no time back, whichever comes last.
#[test]
fn the_turn_of_a_second_resets_nothing() {
    let known = KnownPrefixes::default();
    for now in [100, 161, 160, 156] {
        known.note(address("192.0.2.1"), now, AFTER);
    }
    // As if another worker had noted it: 160 is not before 161.
    assert_eq!(listed(&known, 160), ["192.0.2.0/24"]);
    assert_eq!(listed(&known, 161 + 3_600), ["192.0.2.0/24"]);
    // A slot that two workers began at once.
    let slot = Slot::default();
    slot.begin(V4, 101);
    slot.last.store(100, Ordering::Relaxed);
    assert!(!slot.is_known(101, 1));
}

/// An answer during an overload keeps a known prefix, and makes none known.
#[test]
fn a_known_prefix_is_refreshed() {
    let known = KnownPrefixes::default();
    known.note(address("192.0.2.1"), 1_000, AFTER);
    known.note(address("192.0.2.1"), 1_060, AFTER);
    known.note(address("203.0.113.1"), 1_000, AFTER);
    for now in (1_000..9_000).step_by(500) {
        for text in ["192.0.2.7", "203.0.113.7", "198.51.100.7"] {
            known.refresh(address(text), now, AFTER);
        }
    }
    assert_eq!(listed(&known, 9_000), ["192.0.2.0/24"]);
    // Nothing was put into the table.
    known.note(address("198.51.100.7"), 9_000, AFTER);
    assert_eq!(listed(&known, 9_000), ["192.0.2.0/24"]);
}

/// A clock that was set back forgets.
#[test]
fn a_clock_set_back_forgets() {
    let known = KnownPrefixes::default();
    known.note(address("192.0.2.1"), 10_000, AFTER);
    known.note(address("192.0.2.1"), 10_100, AFTER);
    known.note(address("192.0.2.1"), 500, AFTER);
    assert_eq!(listed(&known, 500), [""; 0]);
}

/// Strangers in any number take no place of a known prefix, and none of them becomes known by one
/// note.
#[test]
fn strangers_replace_no_known_prefix() {
    let known = KnownPrefixes::default();
    let good: Vec<IpAddr> =
        (0..1_000u32).map(|index| Ipv4Addr::from_bits(0x0a00_0000 | index << 8).into()).collect();
    for now in [1_000, 1_060] {
        good.iter().for_each(|address| known.note(*address, now, AFTER));
    }
    let before: HashSet<Prefix> = known.list(1_060, AFTER).into_iter().collect();
    // A few sets have more than eight of them.
    assert!(before.len() > 990, "{}", before.len());
    for index in 0..200_000u32 {
        known.note(Ipv4Addr::from_bits(0xc000_0000 | index << 8).into(), 1_061 + index / 2_000, AFTER);
    }
    let after: HashSet<Prefix> = known.list(1_161, AFTER).into_iter().collect();
    assert_eq!(before, after);
}
