//! Formulas and masks.

use super::*;
use crate::health::targets::TargetId;
use Verdict::{Down, Unknown, Up};

fn reading(verdict: Verdict) -> TargetReading {
    TargetReading { verdict, is_awaited: false, damped_since_ms: None, horizon_secs: NO_HORIZON, since_ms: 0 }
}

fn group(need: Need, parts: usize) -> Formula {
    Formula::Group(need, (0..parts as u32).map(|target| Formula::Target(TargetId(target))).collect())
}

#[test]
fn groups_count_what_is_unknown_as_not_down() {
    for (need, parts, expected) in [
        (Need::All, vec![Up, Up], Up),
        (Need::All, vec![Up, Unknown], Unknown),
        (Need::All, vec![Up, Unknown, Down], Down),
        (Need::Any, vec![Down, Down], Down),
        (Need::Any, vec![Down, Unknown], Unknown),
        (Need::Any, vec![Down, Up], Up),
        (Need::AtLeast(2), vec![Up, Up, Down], Up),
        (Need::AtLeast(2), vec![Up, Unknown, Down], Unknown),
        (Need::AtLeast(2), vec![Up, Down, Down], Down),
        (Need::AtLeast(9), vec![Unknown, Up], Unknown),
        (Need::All, vec![], Up),
    ] {
        let readings: Vec<TargetReading> = parts.iter().map(|verdict| reading(*verdict)).collect();
        assert_eq!(verdict(&group(need, parts.len()), &readings), expected, "{need:?} of {parts:?}");
    }
}

/// An address is damped if it is up only by damped targets; an address that is down is not damped.
#[test]
fn damped_addresses() {
    let damped = |verdict| TargetReading { damped_since_ms: Some(7), ..reading(verdict) };
    for (sentence, formulas, readings, expected, is_damped) in [
        ("one of one", vec![Formula::Target(TargetId(0))], vec![damped(Up)], 1, true),
        (
            "a half may flap",
            vec![Formula::Target(TargetId(0)), Formula::Target(TargetId(1))],
            vec![damped(Up), reading(Up)],
            1,
            false,
        ),
        (
            "beside one that is down",
            vec![Formula::Target(TargetId(0)), Formula::Target(TargetId(1))],
            vec![damped(Up), reading(Down)],
            1,
            true,
        ),
        ("what is down is down", vec![Formula::Target(TargetId(0))], vec![damped(Down)], 0, false),
        ("another part suffices", vec![group(Need::Any, 2)], vec![damped(Up), reading(Up)], 0, false),
        ("all parts are needed", vec![group(Need::All, 2)], vec![damped(Up), reading(Up)], 1, true),
    ] {
        let slot_targets = SlotTargets { v4: formulas, ..SlotTargets::default() };
        let (slot, _) = judge(&slot_targets, &readings, &BTreeSet::new(), 50);
        assert_eq!(slot.damped_v4, expected, "{sentence}");
        assert_eq!(super::is_damped(&slot_targets, &slot, 50), is_damped, "{sentence}");
    }
}

#[test]
fn addresses_make_masks_and_families_wait_together() {
    let awaited = TargetReading { is_awaited: true, ..reading(Unknown) };
    let target_set = |v4: usize, v6: usize| SlotTargets {
        v4: (0..v4).map(|target| Formula::Target(TargetId::at(target))).collect(),
        v6: (v4..v4 + v6).map(|target| Formula::Target(TargetId::at(target))).collect(),
        ..SlotTargets::default()
    };
    for (sentence, v4, v6, readings, masks, is_awaited, is_down) in [
        ("Half of them down is not below half", 2, 0, vec![reading(Up), reading(Down)], (2, 0), false, false),
        ("Below half is down", 3, 0, vec![reading(Up), reading(Down), reading(Down)], (6, 0), false, true),
        ("Each bit is an address", 2, 1, vec![reading(Up), reading(Down), reading(Up)], (2, 0), false, false),
        ("All down is down", 1, 1, vec![reading(Down), reading(Down)], (1, 1), false, true),
        ("All awaited is awaited", 1, 1, vec![awaited, awaited], (0, 0), true, false),
        (
            "A family that waits beside a known one is down",
            1,
            2,
            vec![reading(Up), awaited, awaited],
            (0, 3),
            false,
            false,
        ),
        (
            "An address that waits beside a known one is up",
            2,
            0,
            vec![reading(Up), awaited],
            (0, 0),
            false,
            false,
        ),
        ("No address is nothing", 0, 0, vec![], (0, 0), false, false),
    ] {
        let (slot, since) = judge(&target_set(v4, v6), &readings, &BTreeSet::new(), 50);
        assert_eq!(
            ((slot.down_v4, slot.down_v6), slot.is_awaited, since.is_some()),
            (masks, is_awaited, is_down),
            "{sentence}"
        );
    }
}

#[test]
fn a_slot_is_down_where_no_family_has_enough() {
    let target_set = |v4: usize, v6: usize| SlotTargets {
        v4: vec![Formula::Unwatched; v4],
        v6: vec![Formula::Unwatched; v6],
        ..SlotTargets::default()
    };
    for (v4, down_v4, v6, down_v6, percent, expected) in [
        (4, 0b0011, 0, 0, 50, false),
        (4, 0b0111, 0, 0, 50, true),
        (3, 0b011, 0, 0, 50, true),
        (3, 0b111, 2, 0b01, 50, false),
        (3, 0b111, 2, 0b11, 50, true),
        (2, 0b01, 0, 0, 100, true),
        (0, 0, 0, 0, 50, false),
        (64, u64::MAX, 0, 0, 1, true),
    ] {
        let slot = SlotHealth { down_v4, down_v6, ..SlotHealth::default() };
        assert_eq!(
            is_down(&target_set(v4, v6), &slot, percent),
            expected,
            "{down_v4:b}/{v4} {down_v6:b}/{v6} at {percent} %"
        );
    }
    assert_eq!((full(0), full(1), full(64)), (0, 1, u64::MAX));
}
