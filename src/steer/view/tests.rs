//! Views of slots, as rows: addresses, what is down, the policy's threshold.

use super::*;
use crate::steer::pop::PopId;
use crate::steer::table::SharedAddress;
use std::net::{Ipv4Addr, Ipv6Addr};

fn slot(v4: usize, v6: usize) -> Slot {
    let shared = |n: u64| (100, n);
    let v4 = (0..v4 as u64).map(|n| (Ipv4Addr::from_bits(n as u32), shared(n)));
    let v6 = (0..v6 as u64).map(|n| (Ipv6Addr::from_bits(n.into()), shared(n)));
    Slot {
        pop: PopId(0),
        v4: v4.map(|(address, (weight, seed))| SharedAddress { address, weight, seed }).collect(),
        v6: v6.map(|(address, (weight, seed))| SharedAddress { address, weight, seed }).collect(),
        https: None,
    }
}

/// A family is up while at least ceil(threshold * total) of its addresses are, and one at the
/// least.
#[test]
fn thresholds_count_per_family() {
    let rows = [
        ("nothing is down", (3, 3), (0, 0), 50, V4 | V6),
        ("one of three is down", (3, 3), (0b001, 0), 50, V4 | V6),
        ("two of three are down: one is less than ceil(1.5)", (3, 3), (0b011, 0), 50, V6),
        ("one of two is down, a half is enough", (2, 2), (0b01, 0b10), 50, V4 | V6),
        ("all must be up", (2, 2), (0b01, 0), 100, V6),
        ("one of four is enough", (4, 4), (0b0111, 0b1111), 25, V4),
        ("one per cent still needs one", (2, 1), (0b11, 0), 1, V6),
        ("no IPv6 at all", (1, 0), (0, 0), 50, V4),
        ("64 addresses, all down", (64, 1), (u64::MAX, 0), 50, V6),
    ];
    for (what, (v4, v6), (down_v4, down_v6), threshold, expected) in rows {
        let health = SlotHealth { down_v4, down_v6, ..SlotHealth::default() };
        assert_eq!(SlotView::new(&slot(v4, v6), health, AdminState::Auto, threshold).up, expected, "{what}");
    }
}

/// Forced up ignores probes, in addresses and TTL too; forced down has no horizon; what is awaited
/// takes nobody.
#[test]
fn states_over_probes() {
    let slot = slot(2, 2);
    let health =
        SlotHealth { down_v4: 3, down_v6: 1, horizon_secs: 7, went_down: 2, ..SlotHealth::default() };
    let view = |state, health| SlotView::new(&slot, health, state, 50);
    let forced = view(AdminState::Up, health);
    assert_eq!((forced.up, forced.down_v4, forced.down_v6, forced.horizon_secs), (V4 | V6, 0, 0, NO_HORIZON));
    assert_eq!(view(AdminState::Down, health).horizon_secs, NO_HORIZON);
    assert_eq!((view(AdminState::Drain, health).up, view(AdminState::Auto, health).horizon_secs), (V6, 7));
    let awaited = SlotHealth { is_awaited: true, ..SlotHealth::default() };
    assert_eq!((view(AdminState::Auto, awaited).up, view(AdminState::Auto, awaited).has), (0, V4 | V6));
}

/// What flaps is left out while enough else is up; with it alone the PoP is a last resort.
#[test]
fn what_flaps_is_a_last_resort() {
    let rows = [
        ("nothing flaps", (0, 0), (0, 0), (V4 | V6, V4 | V6, 0, 0)),
        ("one of two flaps: it is left out", (0, 0), (1, 0), (V4 | V6, V4 | V6, 1, 0)),
        ("both flap in one family", (0, 0), (3, 0), (V6, V4 | V6, 0, 0)),
        ("one flaps, one is down", (2, 0), (1, 0), (V6, V4 | V6, 2, 0)),
        ("both are down", (3, 0), (0, 0), (V6, V6, 3, 0)),
    ];
    for (what, (down_v4, down_v6), (damped_v4, damped_v6), expected) in rows {
        let health = SlotHealth { down_v4, down_v6, damped_v4, damped_v6, ..SlotHealth::default() };
        let view = SlotView::new(&slot(2, 2), health, AdminState::Auto, 50);
        assert_eq!((view.up, view.last_resort, view.down_v4, view.down_v6), expected, "{what}");
    }
    let health = SlotHealth { damped_v4: 3, damped_v6: 3, ..SlotHealth::default() };
    let forced = SlotView::new(&slot(2, 2), health, AdminState::Up, 50);
    assert_eq!((forced.up, forced.down_v4), (V4 | V6, 0), "an operator has decided");
}
